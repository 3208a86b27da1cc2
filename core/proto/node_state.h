/* The inside of a node, shared by node*.c alone. */
#ifndef PARTI_PROTO_NODE_STATE_H
#define PARTI_PROTO_NODE_STATE_H

#include "base/rand.h"
#include "base/errors.h"
#include "proto/emit.h"
#include "proto/head.h"
#include "proto/hold.h"
#include "proto/life.h"
#include "proto/member.h"
#include "proto/node.h"
#include "proto/roster.h"
#include "proto/term.h"
#include "proto/transfer.h"
#include "proto/trouble.h"
#include "proto/window.h"
#include "proto/writer.h"

enum {
    TRACE_ROOM = 8192,     /* text of one step's trace */
    LIST_RETRY_MS = 1000,  /* before a listing that failed is asked for again */
    QUICK_BEACONS = 3,     /* after a takeover, and when somebody has joined */
    RETRY_MS = 50,         /* before a read that failed is tried again */
    JOIN_BATCH_MS = 20,    /* joiners that come together share a head */
    RELEASE_BATCH_MS = 25, /* releases likewise */
    HEAD_LATE_MS = 20,  /* a head that was republished may be right behind its beacon */
    READS_MAX = 4,      /* a worker's reads of its own record at a time */
    REFUSED_MS = 1000,  /* before a head that there is no room for is asked for again */
    MISSES_MAX = 5,     /* of an own record, before it is damage and not a stale read */
    QUESTION_TRIES = 2, /* a candidate's question to the log is repeated so often */
    HEADS_KEPT = 64     /* own heads whose hash a report may name */
};

/* The worker's way to a head that it has heard of (node_fetch.c). */
struct fetch {
    bool has_next;   /* n->next is newer than n->applied and to be applied */
    bool is_reading; /* a chunk of our own record is asked for */
    uint64_t op;
    uint32_t chunk;
    size_t n;          /* bytes read so far */
    uint32_t tries;    /* reads in a row that were not answered in time */
    uint64_t retry_ms; /* 0: nothing to retry */
    uint64_t ask_ms;   /* a beacon told of a head that has not come: ask then */
    bool asked_leader; /* the leader was asked first; now it is the log's turn */
    uint64_t head_op;
    uint64_t refused;          /* hash of the newest head that there was no room for */
    uint64_t asked[READS_MAX]; /* reads not answered yet, given up or not; 0: none */
};

enum plan_state {
    PLAN_NONE,
    PLAN_ASKED,  /* the strategy computes */
    PLAN_READY,  /* its answer waits for a head that is being written */
    PLAN_WRITING /* own records, then the head that names them */
};

/* The leader's plan under way (node_plan.c). */
struct plan {
    enum plan_state state;
    uint64_t number;
    uint64_t asked_ms;
    enum cause cause;
    uint32_t worker_n;
    struct plan_worker *worker; /* room for every seat */
    struct session *session;    /* of each, at the time of asking */
    uint32_t *owner;            /* by row: member numbers */
    uint32_t *load;             /* by number: partitions, for placing by hand */
    uint32_t *prev_to_now;
    struct plan_request request;
    /* writing */
    uint32_t seat; /* whose record is written next */
    uint32_t chunk;
    size_t record_n;     /* bytes of the record being written, 0: to be encoded */
    struct own_ref *ref; /* by number: the references of the head to come */
};

/* What the leader knows beyond roster and transfer (node_lead.c). */
struct lead {
    uint64_t gen;
    struct head head;  /* newest acked */
    struct head build; /* being written */
    size_t head_n;     /* bytes of the newest acked head in head_bytes */
    uint64_t key_seq;  /* sequence of the head record, 0: none */
    uint64_t last_seq; /* of the log, as acked to us */
    bool is_proven;    /* L2: the head that we read is the newest one */
    bool is_term_lost; /* the log's lease was of an earlier term than we have heard of */
    bool is_loaded;    /* all own records are read */
    uint32_t load_num; /* member whose record is read now */
    uint32_t load_chunk;
    size_t load_n;
    uint64_t load_op;
    uint64_t load_retry_ms;
    uint32_t load_tries;  /* reads in a row that were not answered in time */
    uint32_t load_misses; /* readings of this record that the head does not name */
    bool is_listed;       /* the source has answered since we lead */
    bool wants_list;      /* a listing came at a bad time, or failed: ask again */
    uint64_t list_at_ms;  /* not before this */
    uint64_t review_ms;   /* L9: plan then, even if nothing seems to have changed: the
                             leader before may have left something undone; 0: done */
    bool is_list_commanded;
    struct stamp heads[HEADS_KEPT]; /* written by us, and their hashes */
    uint64_t heads_hash[HEADS_KEPT];
    uint32_t heads_next;
    bool is_emergency;    /* until what was lost is held again */
    uint64_t release_ms;  /* first release report not yet in a head, 0: none */
    uint64_t planned_set; /* fingerprint of the members of the newest plan */
    uint64_t set_hash;
    /* Why the log may have gone back, NULL: nothing speaks for it.  Somebody else may
     * lead meanwhile: only a write that succeeds afterwards shows that it is the log. */
    const char *suspicion;
    bool is_suspicion_written; /* that write is on its way */
    bool is_lost;              /* the log went back: nothing in it counts (L8) */
    uint64_t start_over_ms;
    struct stamp seen;     /* highest reported */
    uint64_t recovered_ms; /* first ack as leader after an outage, 0: none */
    struct trouble source, strategy;
    uint64_t rebalances, moves;
};

struct node {
    struct node_conf conf;
    char prefix[ID_ROOM], host[HOST_ROOM], zone[ZONE_ROOM], strategy[NAME_ROOM];
    struct rand_state rand;
    uint64_t now_ms, wall_s;
    uint64_t op; /* numbers of operations and plans */
    struct actions *out;

    enum life_state life;
    bool is_reborn;   /* a session was lost: the way begins at ClaimingID again */
    enum phase phase; /* of the group */
    char trouble[TROUBLE_ROOM]; /* of the group: why it is Degraded, "": it is not */
    uint32_t unread;            /* of our partitions, told in each heartbeat */
    char unread_why[TROUBLE_ROOM];
    const char *degraded; /* the reason, NULL: not degraded */
    uint64_t good_ms;     /* since when nothing is wrong with link and log */
    bool is_up;
    bool was_up;
    uint64_t down_ms; /* since when the link is down */
    /* An outage until the log takes something from us as leader, or another leads. */
    bool had_outage;     /* the link failed */
    bool had_log_outage; /* we had no authority, or errors of the log, and still lead:
                            it was the log and not we */
    uint64_t kv_errors, kv_errors_ms, kv_errors_seen;
    bool is_stopped;

    struct member me;
    struct hold hold;
    struct own_ref own; /* of the record in 'hold' */
    struct head applied, next, scratch;
    struct fetch fetch;

    struct term term;
    struct writer writer;
    struct roster roster;
    struct transfer transfer;
    struct window window;
    struct lead lead;
    struct plan plan;

    char *lease_bytes;  /* 1 KiB */
    char *head_bytes;   /* chunk_max: newest acked head */
    char *build_bytes;  /* chunk_max: the head being written */
    char *record_bytes; /* record_max: the own record being written, or being loaded */
    char *own_bytes;    /* record_max: our own record as it is read */
    char *send_bytes;   /* messages of this step */
    size_t send_n, send_room;
    struct message message;
    char trace[TRACE_ROOM];
    size_t trace_n;
};

/* One line of the story. */
void node_tell(struct node *n, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sends n->message to a process, or to all (addr 0). */
void node_send(struct node *n, uint64_t addr);
void node_error(struct node *n, int code, const char *text);

/* node_work.c: the worker's side */
void work_hear_beacon(struct node *n, const struct beacon *b);
void work_deny(struct node *n, const struct deny *d);
void work_released(struct node *n, uint64_t epoch);
void work_stop(struct node *n, bool is_restart);
void work_run(struct node *n);
uint64_t work_wake_ms(const struct node *n);
bool work_has_lease(const struct node *n);

/* W3: n->next takes the place of n->applied; 'mine' is our place in it, NULL: none. */
void work_apply(struct node *n, const struct head_member *mine);

/* node_fetch.c: the worker's way to a head that it has heard of */
void fetch_hear_head(struct node *n, const void *data, size_t size, uint64_t seq);
void fetch_answer(struct node *n, const struct event *ev);
void fetch_run(struct node *n);

/* node_lead.c: candidate and leader */
void lead_answer(struct node *n, const struct event *ev);
void lead_step_down(struct node *n, const char *why);
void lead_resign(struct node *n);
void lead_proven(struct node *n); /* the head that we read was the newest */
void lead_run(struct node *n);
void lead_renew(struct node *n); /* writes the lease again; the writer is idle */
uint64_t lead_wake_ms(const struct node *n);
const char *lead_trouble(const struct node *n); /* with a plugin; "": none to be shown */
bool lead_is_heading(const struct node *n);     /* leads, and knows the head */
bool lead_has_authority(const struct node *n);

/* node_hear.c: what the leader hears */
void lead_hear(struct node *n, const struct message *m);
void hear_seen(struct node *n, struct stamp seen); /* somebody has seen this head */

/* node_load.c: what a new leader reads */
void load_run(struct node *n); /* the next own record, if any is to be read */
void load_answer(struct node *n, const struct event *ev);
void load_suspect(struct node *n, struct stamp seen, const char *why);
void load_start_over(struct node *n); /* what was suspected is so */

/* node_head.c: what the leader writes */
void head_write(struct node *n); /* the next write, if any is due */
void head_acked(struct node *n);
uint64_t head_wake_ms(const struct node *n);

/* node_plan.c: what the leader wants */
void plan_watch(struct node *n); /* expiry, leaving, windows */
void plan_answered(struct node *n, const struct event *ev);
bool plan_is_possible(const struct node *n); /* there is something to place */
bool plan_is_active(const struct node *n, uint32_t num);
bool plan_is_candidate(const struct node *n, uint32_t num);
uint64_t plan_members_print(const struct node *n); /* fingerprint */
enum phase plan_phase(const struct node *n);
uint64_t plan_wake_ms(const struct node *n);
uint64_t plan_expires_ms(const struct node *n, uint32_t num);

/* node_place.c: the owners that a plan gives */
void place_by_hand(struct node *n);
bool place_taken(struct node *n, const struct event *ev);

/* node_list.c: what the source lists */
void list_taken(struct node *n, const struct event *ev);
void list_failed(struct node *n, const char *why);

#endif
