/* Every output of a node: one struct each.  Pointers stay good until the next step of
 * the same node; whoever performs an action later copies first.
 */
#ifndef PARTI_PROTO_ACTION_H
#define PARTI_PROTO_ACTION_H

#include "proto/types.h"

enum action_type {
    ACT_SEND,      /* a core message */
    ACT_LOG_INFO,  /* ask the log's leader for its last sequence */
    ACT_LOG_READ,  /* ask the log's leader for the newest record of a key */
    ACT_LOG_WRITE, /* write, on condition that the log's last sequence is as expected */
    ACT_LEAD,      /* this node leads from now on, or no more */
    ACT_LIST,      /* ask the source for its partitions */
    ACT_PLAN,      /* ask the strategy for owners */
    ACT_HOLD,      /* the lease is good until then: parti_holds() */
    ACT_GRANTED,   /* the application may work on these */
    ACT_REVOKING,  /* the application must stop these, then say so by EV_RELEASED */
    ACT_RELEASED,  /* these have been stopped */
    ACT_FENCED,    /* everything held is lost at that time */
    ACT_STATE,     /* the public state changed */
    ACT_LEADER,    /* a new leader is known */
    ACT_ID,        /* the worker's id is given, or (empty) lost */
    ACT_REFRESHED, /* a commanded listing has been taken over */
    ACT_ERROR,     /* something a person should know */
    ACT_STOPPED,   /* this node has left: perform what stands before, then end */
    ACT_TRACE      /* one line of the story, if the node was asked to tell it */
};

/* A worker that may be given partitions, for a strategy. */
struct plan_worker {
    const char *id;
    uint32_t num; /* the number in the id: the stable slot */
    uint32_t capacity;
    const char *zone;
    bool is_new;      /* was not there at the last plan */
    bool is_draining; /* must end with nothing */
    bool is_cordoned; /* keeps what it has, is given nothing new (away for a restart) */
};

/* The question to the strategy, columns as in struct parti_world. */
struct plan_request {
    uint64_t plan;
    enum cause cause;
    struct stamp stamp; /* the epoch this plan would become */
    uint32_t part_n;
    const struct bytes *part_id;
    const uint32_t *part_weight;
    const uint32_t *part_prev; /* into the previous workers, prev_n for nobody */
    uint32_t worker_n;
    const struct plan_worker *worker;
    uint32_t prev_n;
    const uint32_t *prev_to_now; /* prev_n + 1 entries; worker_n for gone */
};

struct action {
    enum action_type type;
    union {
        struct {
            uint64_t addr; /* the process to reach; 0: everybody (beacons) */
            const void *data;
            size_t n;
        } send;
        struct {
            uint64_t op;
            char key[KEY_ROOM];      /* read, write */
            uint64_t expect_seq;     /* write: last sequence of the whole log */
            bool has_key_seq;        /* write: also check the key's own last sequence */
            uint64_t expect_key_seq; /* 0: the key has no record */
            const void *data;
            size_t n;
            uint64_t timeout_ms; /* to be answered by then; 0: as long as is usual */
        } log;
        struct {
            bool is_on;
        } lead;
        struct {
            bool commanded; /* to be handed back in EV_LISTED */
        } list;
        const struct plan_request *plan;
        struct {
            uint64_t until_ms; /* UINT64_MAX: without end (ownership = available) */
        } hold;
        struct {
            uint64_t epoch;
            const struct part_view *part;
            uint32_t n;
        } parts; /* GRANTED, REVOKING, RELEASED */
        struct {
            const char *reason;
            uint64_t at_ms; /* the lease's deadline: ahead of now by the fence margin */
        } fenced;
        struct {
            enum life_state from, to;
            const char *reason;
        } state;
        struct {
            uint64_t term;
            const char *id;
        } leader;
        struct {
            const char *id; /* "" when lost */
        } id;
        struct {
            int code; /* core/base/errors.def */
            const char *text;
        } error;
        const char *trace;
    };
};

enum { ACTIONS_MAX = 96 };

struct actions {
    uint32_t n;
    struct action v[ACTIONS_MAX];
};

#endif
