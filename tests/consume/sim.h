/* The simulator of consuming: several workers, an engine each, over one model broker, one
 * model store of records and one authority that gives partitions out under ascending
 * tokens; virtual time, every fault from the seed.  The judge keeps the ledger.
 *
 * One seed is one struct sim.  Times in ms.  One thread.
 */
#ifndef PARTI_TESTS_CONSUME_SIM_H
#define PARTI_TESTS_CONSUME_SIM_H

#include "base/rand.h"
#include "consume/engine.h"

#include <stdio.h>

enum {
    WORKERS = 4,
    PARTS_MAX = 6,
    MESSAGES_MAX = 96, /* of one life of a partition */
    STRETCH_MAX = 8,
    HEAP_MAX = 8192,
    FAULTS_MS = 30000, /* then calm */
    END_MS = 900000,   /* by then all is done, or something is stuck */
    LEASE_MS = 3000,
    NOWHERE = WORKERS /* nobody held it yet: a worker that is none */
};

enum kind { PLAIN, FLAKY, POISON, TERMED, KILLER, HANGING };

struct msg {
    uint64_t position, origin;
    uint32_t part;
    enum kind kind;
    uint32_t naks_left;
    uint32_t unhappy; /* attempts that the rules may count against it */
    uint32_t kills;
    uint64_t stale_since; /* finished under this token, which was no longer the last */
    uint64_t given_since, given_run; /* to a handler, last */
    bool is_before;                  /* of where the partition began (start = latest) */
    bool is_done, is_buried, is_gone, was_refused, has_letter;
};

struct part {
    struct msg *msg[MESSAGES_MAX]; /* ascending */
    uint32_t n, to_publish;
    uint64_t origin, last_position;
    bool exists;    /* the record */
    bool has_begun; /* a record has said where */
    struct consume_record record;
    uint64_t version;
    struct msg *handled; /* being handled now, by 'handler' */
    uint32_t handler;
    bool is_held, is_revoking;
    uint32_t holder, holder_life;
    struct consume_token token;
};

struct delivery {
    struct msg *msg;
    uint64_t run, stretch;
    uint32_t attempt;
};

struct lane_sim {
    bool is_running, has_begun, is_pumping, is_void;
    bool knows_void; /* the plugin found the record void; no other process knows */
    uint64_t asked;  /* the origin that the run was started with, or said */
    uint64_t run, cursor, origin, credit;
    struct msg *burying;
    struct delivery queue[STRETCH_MAX];
    uint32_t queued;
    bool is_busy;      /* with queue[0] */
    uint64_t work;     /* number of what it does */
    uint64_t refused;  /* of stretches up to this one nothing more is begun */
    uint64_t stretch;  /* the last that came */
    uint64_t deadline; /* of the revoke */
    uint64_t quiet_at; /* since then it was not revoked, or had something to wait for */
    uint64_t cut_step; /* the step that cut its handler off */
    bool is_revoked, is_granted;
    bool is_stale; /* the authority gave it to somebody else, and it does not know yet */
    struct consume_token token;
};

struct worker {
    struct consume *c;
    void *memory;
    uint32_t number, life;
    bool is_up, must_fence, is_late;
    bool is_fencing;
    uint64_t asleep_until, tick_at, tick_n;
    uint32_t held_messages; /* that the engine has */
    uint64_t credit;        /* of all lanes */
    struct lane_sim lane[PARTS_MAX];
};

enum what {
    EV_PUBLISH,
    EV_MOVE,
    EV_FAULT,
    EV_FREE, /* the partition can be given out again */
    EV_FENCE,
    EV_RESTART,
    EV_TICK,
    EV_REQUEST, /* arrives at the store */
    EV_ANSWER,
    EV_BEGUN,
    EV_PUMP,
    EV_BURIED,
    EV_TROUBLE,
    EV_HANDLED,
    EV_VERDICT
};

struct event {
    uint64_t at, seq;
    enum what what;
    uint32_t worker, life, part;
    bool is_write;
    uint64_t n; /* as the kind of event likes */
    struct consume_event ev;
};

struct sim {
    uint64_t seed, now, seq, steps;
    struct rand_state rand;
    struct event heap[HEAP_MAX];
    uint32_t heap_n;
    struct consume_options options;
    uint32_t parts, messages_each;
    uint32_t fault_percent; /* of store requests */
    bool may_remove, may_recreate, may_wake_late, is_store_sound;
    bool is_latest; /* the plugin begins at the end where there is no position */
    struct worker worker[WORKERS + 1]; /* the last is NOWHERE */
    struct part part[PARTS_MAX];
    struct msg *all[PARTS_MAX * MESSAGES_MAX * 4];
    uint32_t all_n, recreated;
    uint64_t since, version, work, origins;
    bool is_told; /* the story goes to stdout */
    char failure[300];
    uint64_t failed_at;
    /* figures */
    uint64_t handled, dead, commits, refused, grants, crashes, fences, again, kills_max;
};

void sim_run(struct sim *s, uint64_t seed, bool is_told);

/* ---- world.c */
uint64_t pick(struct sim *s, uint64_t below);
bool chance(struct sim *s, uint32_t percent);
void push(struct sim *s, uint64_t after_ms, const struct event *e);
bool pop(struct sim *s, struct event *ret);
void tell(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void publish(struct sim *s, uint32_t part);
void free_part(struct sim *s, uint32_t part, uint64_t after_ms);
void crash(struct sim *s, struct worker *w);

/* ---- store.c */
void store_request(struct sim *s, struct worker *w, const struct consume_action *a);
void store_arrive(struct sim *s, const struct event *e);

/* ---- worker.c */
void worker_start(struct sim *s, struct worker *w);
void worker_stop(struct sim *s, struct worker *w);
void worker_step(struct sim *s, struct worker *w, struct consume_event ev);
void worker_fence(struct sim *s, struct worker *w);
void worker_pump(struct sim *s, struct worker *w, uint32_t part, uint64_t run);
void worker_handled(struct sim *s, struct worker *w, uint32_t part, uint64_t work);
void worker_bury(struct sim *s, struct worker *w, const struct event *e);
void pump_soon(struct sim *s, struct worker *w, uint32_t part);

/* ---- judge.c: each says the first thing that is wrong */
void fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void judge_begin(struct sim *s, struct worker *w, struct msg *m);
void judge_end(struct sim *s, struct worker *w, struct msg *m);
void judge_write(struct sim *s, uint32_t part, const struct consume_record *r);
void judge_bury(struct sim *s, uint32_t part, const struct msg *m);
void judge_start(struct sim *s, struct worker *w, const struct consume_action *a);
void judge_clear(struct sim *s, struct worker *w, uint32_t part);
/* A revoke is fulfilled by its deadline. */
void judge_deadline(struct sim *s, const struct worker *w);
void judge_room(struct sim *s, const struct worker *w);
bool judge_is_all_done(const struct sim *s);
void judge_last(struct sim *s);

#endif
