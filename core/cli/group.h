/* A look at a group from outside: its server, its log, its leader's beacons.  Joins
 * nothing and writes nothing.
 *
 * group_open() connects as the configuration says; an embedded server is found, never
 * started.  Everything waits with a deadline, on this thread, and no longer than until
 * stop_fd is readable.  What fails is told by an exit code, and g->code and g->text say
 * why (cli_say() prints them).  For cmd_*.c; one thread.
 */
#ifndef PARTI_CLI_GROUP_H
#define PARTI_CLI_GROUP_H

#include "cli/cli.h"
#include "edge/inbox.h"
#include "edge/nats_log.h"
#include "host/conf.h"
#include "host/worker_setup.h"
#include "proto/head.h"
#include "proto/own.h"

enum {
    GROUP_TEXT_ROOM = 1024,
    GROUP_BACKLOG_MAX = 4096, /* messages that come while records are read */
    GROUP_TRIES_MAX = 100,    /* readings of an assignment that changes meanwhile */
    GROUP_WINDOW = 32,        /* records asked for at once */
    GROUP_RETRY_MS = 100,     /* before an operation is tried again */
    GROUP_BEACONS = 3,        /* heartbeat intervals to wait for one beacon */
    GROUP_STOPPED = -1        /* in the place of an exit code: stop_fd is readable */
};

/* The tags of what comes in. */
enum { GROUP_BEACON = 1, GROUP_HEAD, GROUP_REPLY, GROUP_LOG, GROUP_POSITIONS };

struct group {
    const struct conf *conf;
    int stop_fd; /* -1: none */
    struct worker_setup setup;
    struct inbox *inbox;
    struct nats_link *link;
    struct nats_log *log;
    char server[256]; /* for texts */
    uint64_t op;
    bool is_up;
    bool has_beacon; /* 'beacon' is the newest one heard */
    struct beacon beacon;
    uint64_t beacon_ms;              /* when it came, CLOCK_BOOTTIME */
    uint64_t heard_ms;               /* the same, or since when none has come */
    bool is_deserted;                /* all members of the head were leaving, */
    bool is_empty;                   /* and no lease of theirs lives */
    struct inbox_item *first, *last; /* backlog */
    uint32_t backlog;
    int code; /* of the last failure, 0: none */
    char text[GROUP_TEXT_ROOM];
};

/* The bytes of a member's own record, checked against the head; NULL: it has none. */
struct group_record {
    char *bytes;
    size_t n;
};

/* What the log said at one moment: a head and every record that it names. */
struct group_view {
    bool has_lease;
    struct lease_record lease;
    struct head head;
    uint32_t members_max;
    struct group_record *record; /* one a member */
};

/* Connects and subscribes to beacons and heads.  CLI_OK, CLI_NO_SERVER, CLI_USAGE (the
 * settings cannot work), CLI_TIMEOUT, CLI_FAILED, GROUP_STOPPED.  group_close() must
 * follow in every case.  'conf' must outlive it. */
int group_open(struct group *g, const struct conf *conf, int stop_fd);
void group_close(struct group *g);

/* Is there such a group?  CLI_OK; CLI_FAILED with code 0: nobody has made it yet; else as
 * group_open().  Call it before group_read(). */
int group_bind(struct group *g);

/* Reads lease, head and records, again when a record changed in between.  What 'v' holds
 * from before is used where it is still good, so start with a zeroed struct and keep it
 * over calls.  CLI_OK; CLI_FAILED with code 0: nothing has been assigned yet;
 * CLI_TIMEOUT, CLI_NO_SERVER, CLI_UNSETTLED (it changes faster than it can be read),
 * CLI_FAILED (damaged), GROUP_STOPPED: then 'v' may only be given here again, or
 * finished. */
int group_read(struct group *g, struct group_view *v);
void group_view_finish(struct group_view *v);

/* The next thing that happens, to be freed with inbox_item_free(): a message (its tag
 * says which), LINK_UP, LINK_DOWN, LINK_ERROR, an answer of the log.  Beacons have been
 * taken into g->beacon.  NULL at until_ms (CLOCK_BOOTTIME) or when stop_fd is readable.
 */
struct inbox_item *group_next(struct group *g, uint64_t until_ms);

/* Waits for one beacon, GROUP_BEACONS heartbeat intervals at most: does a leader live? */
bool group_listen(struct group *g);

/* No leader speaks, and for so long that every lease is over: leases live by beacons. */
bool group_is_silent(const struct group *g);

/* The same, after waiting for that silence or for a leader. */
bool group_await_silence(struct group *g);

bool group_is_stopped(const struct group *g);

/* Notes what failed; returns 'status'. */
__attribute__((format(printf, 4, 5))) int group_fail(struct group *g, int status,
                                                     int code, const char *format, ...);

/* An item that somebody else than its reader took out: group_next() gives it later. */
void group_keep(struct group *g, struct inbox_item *item);

/* The next item straight from the inbox, past the backlog; else as group_next(). */
struct inbox_item *group_fresh(struct group *g, uint64_t until_ms);

#endif
