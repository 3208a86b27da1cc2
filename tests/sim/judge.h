/* The judge: knows everything that happens in a simulation, in true time, and checks
 * the invariants I1-I16 of the protocol.  A violation goes to sim_fail().
 * Where s->judge is NULL (stories) every function does nothing.
 */
#ifndef PARTI_TESTS_JUDGE_H
#define PARTI_TESTS_JUDGE_H

#include "sim.h"

#include "proto/head.h"
#include "proto/wire.h"

enum { JUDGE_STAMPS = 1 << 13, JUDGE_MEMBERS = 32, JUDGE_HEADS = 64, JUDGE_TERMS = 16 };

/* What one process showed last. */
struct judge_proc {
    struct stamp applied;
    uint64_t hash;
    uint64_t deadline_ms;
    uint64_t term;
    uint64_t auth_end_ms;     /* after the step */
    uint64_t auth_end_was_ms; /* before it */
    struct session session;
    uint64_t reckoned_us; /* its lease may last until then, by the bits sent so far */
    char id[ID_ROOM];
    uint64_t
        written_ms;    /* the newest of its writes that the log has taken was sent then */
    uint64_t owned_ms; /* the log was last asked for the lease then, and it was its own */
    struct stamp head; /* by which it leads */
    bool has_lost;     /* it has told that the log was lost, */
    uint64_t lost_gen; /* in this generation */
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

/* Who had which number in a head: to whom a beacon's bits belong. */
struct judge_seats {
    struct stamp stamp;
    uint32_t n;
    uint32_t num[JUDGE_MEMBERS];
    struct session session[JUDGE_MEMBERS];
};

/* One partition as the log has it. */
struct judge_part {
    bool is_listed, is_parked;
    struct session owner;
    uint64_t since;
    struct session from;
    uint64_t from_epoch;
    /* who may still hold it as far as the log tells, and since which epoch it is no
     * longer to hold it (0: it is to hold it) */
    struct session holder;
    uint64_t taken;
};

/* Until when, in true time, the leader of a term may give leases. */
struct judge_term {
    uint64_t term;
    uint64_t until_us;
};

/* The log's newest head, decoded, with what its own records list. */
struct judge_head {
    struct head head;
    struct head_member member[JUDGE_MEMBERS];
    struct judge_part part[SIM_PARTS_MAX];
};

struct judge {
    bool is_quiet;                   /* nothing may move */
    uint32_t holders[SIM_PARTS_MAX]; /* slots whose application was granted it */
    struct judge_token token[SIM_PARTS_MAX];
    struct judge_proc proc[PROCS_MAX];
    struct judge_stamp stamp[JUDGE_STAMPS];
    uint64_t grants, rebalances;
    bool is_kept; /* the newest plan leaves everything where it is */
    struct judge_head now, next;
    struct judge_seats seats[JUDGE_HEADS]; /* a ring */
    uint32_t seats_n;
    struct judge_term term[JUDGE_TERMS]; /* a ring by term */
    /* The log went back: what it had beyond back_to, up to lost_gen, may be there twice.
     */
    bool went_back;
    struct stamp back_to;   /* the earliest head that it ever went back to, */
    struct stamp back_last; /* and the one of the last time */
    uint64_t lost_gen;
    uint64_t ids_until_us; /* the leases of that time last */
    struct bytes record;   /* scratch: an own record put together */
    char record_room[1 << 16];
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
void judge_log(struct sim *s, struct proc *writer, const struct log_record *rec,
               uint64_t sent_ms);

/* ---- judge_loss.c: the log goes back to this head (NULL: to none); what is concluded */
void judge_log_back(struct sim *s, const struct log_record *head);
bool judge_is_doubtful(const struct judge *j, struct stamp st);
void judge_error(struct sim *s, struct proc *p, int code);
void judge_bits_after_loss(struct sim *s, struct proc *p, const struct beacon *b);
void judge_written(struct sim *s, struct proc *writer, uint64_t sent_ms);
void judge_lease_read(struct sim *s, struct proc *p);
void judge_conclusions(struct sim *s, struct proc *p);

/* ---- judge_wire.c: what beacons promise; judge_log.c: what the log says */
void judge_beacon(struct sim *s, struct proc *p, const void *data, size_t n);
void judge_extended(struct sim *s, struct proc *p, const struct event *ev);
void judge_authority(struct sim *s, struct proc *p);
void judge_head(struct sim *s, const struct log_record *rec);
void judge_reread(struct sim *s,
                  const struct log_record *rec); /* after the log went back */
bool judge_is_written(const struct judge *j, struct stamp st); /* a head of the log */

/* A strategy was asked; 'keeps': it leaves everything where it is, even or not. */
void judge_planned(struct sim *s, bool keeps);

/* Converged: NULL; else what is missing, a text good until the next call. */
const char *judge_unsettled(struct sim *s);

#endif
