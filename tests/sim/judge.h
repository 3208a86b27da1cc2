/* The judge: knows everything that happens in a simulation, in true time, and checks
 * the invariants I1-I16 of the protocol.  A violation goes to sim_fail().
 * Where s->judge is NULL (stories) every function does nothing.
 */
#ifndef PARTI_TESTS_JUDGE_H
#define PARTI_TESTS_JUDGE_H

#include "sim.h"

enum { JUDGE_STAMPS = 1 << 13 };

/* What one process showed last. */
struct judge_proc {
    struct stamp applied;
    uint64_t hash;
    uint64_t deadline_ms;
    char id[ID_ROOM];
};

struct judge_token {
    uint64_t gen, since;
    uint32_t slot, life;
    bool is_given;
};

/* One epoch's content, as somebody showed it. */
struct judge_stamp {
    struct stamp stamp;
    uint64_t hash;
    bool is_used;
};

struct judge {
    bool is_quiet;                   /* nothing may move */
    uint32_t holders[SIM_PARTS_MAX]; /* slots whose application was granted it */
    struct judge_token token[SIM_PARTS_MAX];
    struct judge_proc proc[PROCS_MAX];
    uint32_t stamp_n;
    struct judge_stamp stamp[JUDGE_STAMPS];
    uint64_t grants, fences, takeovers, longest_unheld_us;
};

/* A new run.  The judge is the caller's, and big. */
void judge_begin(struct judge *j);

/* After a step, before its actions are performed. */
void judge_step(struct sim *s, struct proc *p, const struct event *ev,
                const struct actions *out);

/* What the application is told, before it believes it. */
void judge_granted(struct sim *s, struct proc *p, uint32_t i, const struct part_view *v);
void judge_revoking(struct sim *s, struct proc *p, uint32_t i);
void judge_released(struct sim *s, struct proc *p, uint32_t i);
void judge_hold(struct sim *s, struct proc *p, uint64_t until_ms);

/* The application has stopped partition i; the process has ended. */
void judge_stopped(struct sim *s, struct proc *p, uint32_t i);
void judge_gone(struct sim *s, struct proc *p);

/* What leaves a process, and what the log has taken ('writer' NULL: it is gone). */
void judge_send(struct sim *s, struct proc *p, const struct action *a);
void judge_write(struct sim *s, struct proc *p, const struct action *a);
void judge_log(struct sim *s, struct proc *writer, const struct log_record *rec);

/* Converged: NULL; else what is missing, a text good until the next call. */
const char *judge_unsettled(struct sim *s);

#endif
