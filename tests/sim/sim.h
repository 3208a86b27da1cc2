/* The simulator: a whole group in one process, in virtual time.
 *
 * Time here is "true time" in microseconds since the start; each process sees only its
 * own clock, which has its own offset and rate.  The same seed gives the same run.
 * Used by tests/sim (random faults, judged) and tests/story (exact scenarios).
 * One thread; one struct sim is used again for many seeds.
 */
#ifndef PARTI_TESTS_SIM_H
#define PARTI_TESTS_SIM_H

#include "sim_heap.h"

#include "base/rand.h"
#include "proto/node.h"

#include <stdarg.h>

enum {
    PROCS_MAX = 16,
    SIM_PARTS_MAX = 64,
    OPS_MAX = 128,     /* of one process, unanswered: as many as the real log takes */
    PARKED_MAX = 4096, /* messages waiting for a paused process; more are lost */
    LOG_KEYS_MAX = 512,
    SIM_MS = 1000,
    SIM_S = 1000 * 1000
};

/* The weather and the habits of everybody.  ppm: chance per occasion, in millionths. */
struct sim_knobs {
    /* network */
    uint64_t delay_us, jitter_us;
    uint32_t loss_ppm, dup_ppm, tail_ppm;
    uint64_t tail_us;
    /* log */
    uint64_t log_delay_us, log_jitter_us, log_timeout_us;
    uint32_t lost_ppm;     /* applied, the answer is lost */
    uint32_t late_ppm;     /* applied after the asker gave up */
    uint32_t spurious_ppm; /* CONFLICT though the condition held */
    uint32_t slow_ppm;     /* slow, but in time */
    uint32_t commit_ppm;   /* of writes: under way for so long; the like is rejected */
    uint64_t commit_least_us, commit_most_us;
    uint32_t stale_ppm; /* a read answers what was there before */
    /* application */
    uint64_t drain_us, drain_long_us;
    uint32_t drain_long_ppm;
    /* source and strategy */
    uint64_t list_us, plan_us;
    uint32_t list_fail_ppm, plan_fail_ppm, plan_keep_ppm, plan_late_ppm;
    /* processes */
    uint64_t wake_late_us;    /* a timer fires up to this late */
    uint64_t clock_spread_us; /* clocks start within this */
};

struct sim_clock {
    uint64_t off_us;
    int64_t rate_ppm;
};

/* What the application of a process was told of one partition. */
struct app_part {
    bool is_held;
    bool is_stopping;
    uint64_t gen, since;
    uint64_t revoke_epoch;
    uint64_t fence_ms; /* told lost from then on; UINT64_MAX: not told */
};

struct app {
    uint64_t until_ms; /* of the last ACT_HOLD */
    uint64_t drain_until_us;
    uint64_t drain_us; /* takes exactly so long to stop; 0: as the knobs say */
    struct app_part part[SIM_PARTS_MAX];
};

enum proc_state { PROC_NONE, PROC_RUNNING, PROC_PAUSED };

struct proc {
    enum proc_state state;
    uint32_t slot, life;
    char name[16];
    struct node *node;
    void *memory;
    size_t memory_n;
    struct node_conf conf;
    struct sim_clock clock;
    uint64_t wake_us;
    uint64_t born_us;
    bool link_up, cut_in, cut_out, is_leaving;
    bool is_blind;     /* gets beacons, but no records */
    uint32_t side;     /* of a split network; the log is on side 0 */
    uint64_t stall_us; /* what it sends leaves that much later (paused in mid-step) */
    int32_t parked_first, parked_last;
    uint32_t parked_n;
    uint32_t op_n;
    uint64_t op[OPS_MAX]; /* asked and not answered yet */
    uint64_t spin_ms, spin_n;
    struct app app;
    struct node_view view; /* after the last step */
};

struct log_record {
    char key[KEY_ROOM];
    uint64_t hash;
    uint64_t seq, old_seq;
    struct blob *now, *old;
};

/* What befalls the next write, for stories. */
enum log_next {
    LOG_NEXT_NONE,
    LOG_NEXT_LOST,
    LOG_NEXT_LATE,
    LOG_NEXT_SPURIOUS,
    LOG_NEXT_SLOW
};

struct sim_log {
    bool is_down;
    bool is_under_way; /* a write is taken and not stored yet */
    enum log_next next;
    char stale_key[KEY_ROOM]; /* the next read of it brings what was there before */
    uint64_t last_seq;
    uint64_t writes, conflicts;
    uint32_t n;
    struct log_record rec[LOG_KEYS_MAX];
};

/* The log as it was once. */
struct sim_log_copy {
    uint64_t last_seq;
    uint32_t n;
    struct log_record rec[LOG_KEYS_MAX];
};

struct judge;

struct sim {
    struct sim_heap heap;
    uint64_t now_us;
    uint64_t wall_s; /* at time 0 */
    uint64_t seed;
    struct rand_state rand;  /* everything but the scenario */
    struct rand_state fault; /* the scenario */
    struct sim_knobs knobs;
    struct node_timing timing;
    enum ownership ownership;
    uint32_t id_max;
    uint32_t id_room[PROCS_MAX], part_room[PROCS_MAX]; /* of that slot; 0: as others */
    bool is_split;
    struct proc proc[PROCS_MAX];
    uint32_t lives; /* started so far: makes addresses and entropy unique */
    struct sim_log log;
    struct sim_log_copy kept;
    /* the source's list */
    bool part_present[SIM_PARTS_MAX];
    uint32_t part_weight[SIM_PARTS_MAX];
    /* scenario's own handler of SIM_SCRIPT */
    void (*script)(struct sim *s, uint64_t a, uint64_t b);
    void *script_data;
    struct judge *judge; /* NULL: nobody judges */
    /* a story is told to 'tell' if it is not NULL */
    void (*tell)(void *data, const char *line);
    void *tell_data;
    bool tells_leases;
    uint64_t steps;
    uint64_t fences; /* told, all processes */
    uint64_t trace_hash;
    bool is_failed;
    uint64_t failed_us;
    char invariant[8];
    char failure[400];
    struct actions out;
};

/* ---- sim.c: processes and time */

/* On zeroed memory, once; then sim_begin() before every run. */
void sim_init(struct sim *s);
void sim_finish(struct sim *s);

/* Empties everything and seeds it; knobs, timing and list are the caller's to set. */
void sim_begin(struct sim *s, uint64_t seed);

/* Frees the processes and records of a run. */
void sim_end(struct sim *s);

/* Runs until that time, or until somebody calls sim_fail(). */
void sim_run(struct sim *s, uint64_t until_us);

/* A violation: the first one counts and ends the run. */
void sim_fail(struct sim *s, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One line of the story, "[   ms] name > text". */
void sim_tell(struct sim *s, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* True with that chance. */
static inline bool sim_chance(struct rand_state *r, uint32_t ppm)
{
    return ppm > 0 && rand_below(r, 1000000) < ppm;
}

/* Uniform in low .. high. */
static inline uint64_t sim_between(struct rand_state *r, uint64_t low, uint64_t high)
{
    return low >= high ? low : low + rand_below(r, high - low + 1);
}

static inline uint64_t sim_now_ms(const struct sim *s)
{
    return s->now_us / SIM_MS;
}

/* Pushes an event for the present life of a process. */
void sim_push(struct sim *s, struct proc *p, uint64_t at_us, struct sim_event ev);

/* ---- sim_proc.c: processes and their clocks */

/* Starts a process in an empty slot.  'wish' as in struct node_conf. */
void proc_start(struct sim *s, uint32_t slot, int64_t wish, const char *name);

/* It vanishes, with all it had. */
void proc_crash(struct sim *s, struct proc *p);

/* It does nothing for that long, its clock goes on.  in_step: what the next step sends
 * leaves only when it goes on. */
void proc_pause(struct sim *s, struct proc *p, uint64_t for_us, bool in_step);

/* Asks it to leave; it is killed when that takes too long. */
void proc_stop(struct sim *s, struct proc *p, bool restart);

/* Connection to the server, which the node is told of. */
void proc_link(struct sim *s, struct proc *p, bool is_up);

/* One event into the node, its actions performed, everything judged. */
void proc_feed(struct sim *s, struct proc *p, struct event *ev);

static inline bool proc_is_live(const struct proc *p)
{
    return p->state != PROC_NONE;
}

uint64_t proc_local_ms(const struct proc *p, uint64_t true_us);

/* The first true time at which the process's clock shows local_ms. */
uint64_t proc_true_us(const struct proc *p, uint64_t local_ms);

/* ---- sim_net.c */
void sim_net_send(struct sim *s, struct proc *from, uint64_t addr, const void *data,
                  size_t n);
/* A stored record goes to everybody who is connected. */
void sim_net_republish(struct sim *s, struct blob *b);
bool sim_net_may_arrive(const struct sim *s, const struct proc *p, uint32_t from_slot);

/* ---- sim_log.c */
void sim_log_ask(struct sim *s, struct proc *p, const struct action *a);
void sim_log_arrive(struct sim *s, const struct sim_event *ev);
/* Is this the one answer to an op?  Forgets the op. */
bool sim_log_settle(struct proc *p, uint64_t op);
const struct log_record *sim_log_find(const struct sim *s, const char *key);
void sim_log_clear(struct sim *s);
/* Remembers what is there; puts that back, whatever was acked since; forgets all. */
void sim_log_keep(struct sim *s);
void sim_log_back(struct sim *s);
void sim_log_lose(struct sim *s);

/* ---- sim_app.c: application, source and strategy of a process */
void sim_app_perform(struct sim *s, struct proc *p, const struct action *a);
/* EV_RELEASED is about to be fed. */
void sim_app_released(struct sim *s, struct proc *p, uint64_t epoch);
/* May the process's application work on partition i at this instant? */
bool sim_app_holds(const struct sim *s, const struct proc *p, uint32_t i);
uint32_t sim_app_held(const struct sim *s, const struct proc *p);

/* ---- sim_parts.c: the universe of partitions, "orders" NUL number */
struct bytes sim_part_id(uint32_t i);
/* Index of the partition with that number; the order of indexes is bytewise. */
uint32_t sim_part_numbered(uint32_t number);
/* Index of an id, or SIM_PARTS_MAX. */
uint32_t sim_part_find(struct bytes id);

/* ---- sim_plan.c: a strategy: sticky, balanced by count, capacity ignored.
 * 'owner' has part_n entries; worker_n for nobody. */
void sim_plan_make(const struct plan_request *r, uint32_t *owner);

#endif
