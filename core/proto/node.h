/* One worker of a group, as a pure state machine: events in, actions out.
 *
 * Knows no clock, thread, socket or allocator: every event carries the time, and all
 * memory is given at init.  Same node, same events, same actions.  One thread at a
 * time.  Only node.c calls the parts beside it; they never call each other.
 */
#ifndef PARTI_PROTO_NODE_H
#define PARTI_PROTO_NODE_H

#include "proto/action.h"
#include "proto/event.h"

/* Durations in ms.  Names and defaults: product.md, [timing].  Checked by the host. */
struct node_timing {
    uint64_t heartbeat_interval; /* B */
    uint64_t heartbeat_ttl;      /* L, the lease */
    uint64_t fence_margin;       /* S */
    uint64_t leader_authority;   /* A_kv */
    uint64_t leader_renew_interval;
    uint64_t election_timeout; /* E; the rank adds up to 40 % */
    uint64_t clock_drift_ppm;  /* how far two clocks may differ in rate */
    uint64_t worker_id_ttl;
    uint64_t restart_grace;
    uint64_t cold_start_window;
    uint64_t planned_scale_window;
    uint64_t emergency_grace;
    uint64_t restart_ratio_ppm;
    uint64_t min_rebalance_interval;
    uint64_t min_rebalance_threshold_ppm;
    uint64_t operation_timeout; /* bounds a plan or a listing */
    uint64_t degraded_enter;
    uint64_t degraded_exit;
    uint64_t kv_error_threshold; /* a count */
    uint64_t kv_error_window;
    uint64_t recovery_grace;
};

struct node_conf {
    struct node_timing timing;
    enum ownership ownership;
    const char *id_prefix;
    uint32_t id_max;      /* highest number in an id */
    int64_t id_wish;      /* the number wished for, -1 for none */
    const char *host;     /* shown to people */
    uint32_t pid;         /* shown to people */
    uint32_t capacity;    /* 100 is usual */
    const char *zone;     /* "" for none */
    const char *strategy; /* name, shown in the head */
    uint64_t addr;        /* nonzero, unique: where this process is reached */
    uint64_t entropy[4];  /* seeds sessions and nonces; must be unpredictable in life */
    uint32_t members_max;
    uint32_t parts_max;
    size_t record_max; /* bytes of the largest record, all chunks together */
    size_t chunk_max;  /* bytes of one message: half the server's max_payload */
    bool is_traced;    /* emit ACT_TRACE */
};

struct node;

/* Bytes that node_init() needs for this configuration.  Big, mostly untouched: take it
 * from calloc() or mmap() so that only what is used becomes resident. */
size_t node_size(const struct node_conf *conf);

/* 'memory' is zeroed and aligned for any type; the node lives in it until the caller
 * frees it.  Copies 'conf' (texts too). */
struct node *node_init(void *memory, size_t size, const struct node_conf *conf);

/* Feed one event.  now_ms never falls.  'out' is overwritten. */
void node_step(struct node *n, const struct event *ev, struct actions *out);

/* When node_step() next wants an EV_TIME at the latest, in now_ms terms. */
uint64_t node_deadline_ms(const struct node *n);

/* What a judge, a test or a metric may see.  Texts are borrowed until the next step. */
struct node_view {
    enum life_state state;
    struct session session;
    const char *id;       /* "" when it has none */
    uint64_t deadline_ms; /* of the lease */
    struct stamp applied; /* newest head applied */
    uint64_t applied_hash;
    uint64_t released_through; /* epoch */
    uint32_t held;             /* partitions held now */
    bool is_leading;
    uint64_t term;           /* highest seen */
    uint64_t auth_end_ms;    /* leading: end of authority */
    uint64_t barrier_end_ms; /* leading */
    struct stamp head;       /* leading: newest head acked */
    enum phase phase;
    uint32_t members; /* leading */
    uint32_t pending; /* leading: partitions granted but waiting for a release */
    uint32_t unowned; /* leading: partitions without an owner */
    uint64_t rebalances, moves; /* leading: counted since this term began */
};

void node_look(const struct node *n, struct node_view *ret_view);

#endif
