/* The state of a group as commands show it and plan from it: who leads, who is there,
 * who has which partition.  Made from a live group or from `parti status -o json`.
 *
 * A partition is with its owner (placed), or on its way to it (pending: its owner may not
 * hold it before 'from' has released it), or with nobody.  For cmd_*.c and print_*.c;
 * one user at a time.
 */
#ifndef PARTI_CLI_STATE_H
#define PARTI_CLI_STATE_H

#include "cli/group.h"

#include <jansson.h>

enum {
    STATE_NOBODY = 0xffffffff,
    STATE_WORKERS_MAX = CONF_WORKER_IDS_MAX + 1,
    STATE_FILE_MAX = 256 * 1024 * 1024 /* bytes of a file with a state */
};

/* All have left: the one state that no worker can be in. */
#define STATE_EMPTY "Empty"

struct state_worker {
    char id[ID_ROOM];
    char host[HOST_ROOM];
    char zone[ZONE_ROOM];
    uint32_t num; /* the number in its id */
    uint32_t pid; /* 0: not known */
    uint32_t capacity;
    uint64_t weight; /* of what it owns, pending ones included; like the next two made by
                        state_count() */
    uint32_t placed, pending;
    enum member_state state;
    bool has_left;             /* it drains no more: it is gone */
    bool is_added, is_removed; /* by `parti plan` */
    uint32_t place;            /* for state_sort() alone */
};

struct state_part {
    struct bytes id; /* keys joined by NUL */
    uint32_t weight;
    uint32_t owner; /* index of a worker, or STATE_NOBODY */
    uint32_t from;  /* pending: who must release it, STATE_NOBODY if that is not known */
    bool is_pending;
};

struct state {
    char group[64];
    char leader[ID_ROOM]; /* "": none lives, or it has no id yet */
    bool has_leader;
    uint64_t term, gen, epoch;
    enum cause cause;        /* of the newest epoch; only from a live group */
    char life[32];           /* "Stable" */
    char why[TROUBLE_ROOM];  /* Degraded: the reason; else "" */
    uint32_t unread;         /* partitions that are held and cannot be read or handled, */
    uint32_t unread_workers; /* by so many workers; */
    char unread_id[ID_ROOM]; /* the first of these, "": not known by its id yet, */
    char unread_why[TROUBLE_ROOM]; /* and its reason */
    char strategy[NAME_ROOM];
    struct state_worker *worker; /* ascending by num */
    uint32_t worker_n;
    struct state_part *part; /* ascending bytewise by id, none twice */
    uint32_t part_n;
    uint32_t pending;  /* partitions on their way */
    uint32_t unlisted; /* partitions of the group that no worker's list names so far */
    uint32_t unowned;  /* partitions with nobody, these included */
    uint32_t worker_room, part_room;
};

/* All of them start from zeroed memory and need state_finish(), whatever they return. */

/* From what group_read() read and what the leader's beacon says, if one was heard.
 * STATUS_CORRUPT: a record does not decode. */
int state_from_group(struct state *s, const struct group *g, const struct group_view *v);

/* From `status -o json` in a file.  STATUS_IO with errno, STATUS_INVALID with what is
 * wrong in why[room]. */
int state_from_file(struct state *s, const char *path, char *why, size_t room);

void state_finish(struct state *s);

/* What the newest beacon says of partitions that are not read. */
void state_take_unread(struct state *s, const struct group *g);

/* The words of the group's public states for a leader's phase. */
const char *state_life(const struct group *g);
/* The reason for being Degraded, "" in any other state; borrowed from the group. */
const char *state_why(const struct group *g);

/* One object, as product and manual promise it; owned by the caller. */
json_t *state_json(const struct state *s);
json_t *state_unread_json(const struct state *s); /* its "unread" */

/* ---- for those who make one by hand -------------------------------------------- */

/* One more worker or partition at the end; never NULL.  state_sort() must follow.  The id
 * is cut to ID_ROOM; the number is read from its end. */
struct state_worker *state_add_worker(struct state *s, const char *id);
/* Copies the id. */
struct state_part *state_add_part(struct state *s, struct bytes id);

/* Brings both lists into their order, owners along, gives numbers to workers that have
 * none of their own, and counts.  STATUS_CONFLICT: a worker or a partition stands there
 * twice; its name is in twice[room]. */
int state_sort(struct state *s, char *twice, size_t room);
void state_count(struct state *s);

/* Takes those out who have left; what is theirs is nobody's. */
void state_drop_leavers(struct state *s);

/* "active", "draining", "away" or "left". */
const char *state_worker_name(const struct state_worker *w);

/* Index of the worker with this id, STATE_NOBODY if there is none. */
uint32_t state_find(const struct state *s, const char *id);

#endif
