/* Messages through real processes: what flow.py and the processes it starts share.
 *
 * flow.py makes a file of this shape and starts `flow ROLE ...`; each process maps the
 * file and counts in a place of its own.  Times are CLOCK_BOOTTIME in ns.
 */
#ifndef PARTI_TESTS_BENCH_FLOW_H
#define PARTI_TESTS_BENCH_FLOW_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLOW_PROCESSES_MAX = 15,
    FLOW_PARTS_MAX = 1 << 16,
    FLOW_HEAD = 42 /* bytes of a payload: "PPPPP NNNNNNNNNNNNNN TTTTTTTTTTTTTTTTTTTT " */
};

struct flow_place {
    _Alignas(64) atomic_uint_least64_t count; /* messages handled */
    atomic_uint_least64_t first_ns, last_ns;
    atomic_uint_least64_t wrong;    /* lost, out of order, or handled twice */
    atomic_uint_least64_t is_ready; /* it could begin */
    atomic_uint_least64_t fences;   /* leases lost: what was unrecorded comes again */
};

struct flow {
    _Alignas(64) atomic_uint_least64_t go; /* bare loops begin; flow_load ends at 2 */
    atomic_uint_least64_t work;            /* rounds of a handler's own work a message */
    struct flow_place place[FLOW_PROCESSES_MAX];
    atomic_uint_least64_t next[FLOW_PARTS_MAX]; /* number expected, by partition */
};

struct flow_head {
    uint32_t part;
    uint64_t number;       /* within its partition, from 0 on */
    uint64_t published_ns; /* 0: not told */
};

struct flow *flow_map(const char *path); /* ends the process where it cannot */
uint64_t flow_now_ns(void);
_Noreturn void flow_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* data[FLOW_HEAD] from and to its numbers; reading checks nothing but the length. */
void flow_put(char *data, const struct flow_head *head);
int flow_get(struct flow_head *ret, const char *data, size_t n);

/* One message handled by process 'index', in the order that its partition has. */
void flow_count(struct flow *flow, int index, const struct flow_head *head);

/* The roles.  Arguments behind the role's name. */
int flow_fill(int argc, char **argv);
int flow_bare(int argc, char **argv);
int flow_load(int argc, char **argv);
int flow_spy(int argc, char **argv);
int flow_worker(int argc, char **argv);
int flow_child(int argc, char **argv);
int flow_spin(int argc, char **argv);

#endif
