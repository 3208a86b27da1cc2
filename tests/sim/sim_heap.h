/* What is going to happen in a simulation: one heap of events, earliest first, equal
 * times in the order they were pushed; and the bytes they carry, counted and recycled.
 * One simulation at a time, one thread.
 */
#ifndef PARTI_TESTS_SIM_HEAP_H
#define PARTI_TESTS_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_event_kind {
    SIM_DELIVER,     /* a core message arrives; a: process number of the sender */
    SIM_LOG_REQUEST, /* a request arrives at the log; blob: struct sim_log_request */
    SIM_LOG_ANSWER,  /* an answer or the time-out; a: op and event type, b: sequence */
    SIM_LISTED,      /* the source answers; a: commanded, status */
    SIM_PLANNED,     /* the strategy answers; a: plan, b: keep, status, blob: owners */
    SIM_RELEASED,    /* the application has stopped; a: epoch */
    SIM_LINK,        /* the connection changes; a: up */
    SIM_STOP,        /* the process is asked to leave; a: restart */
    SIM_REFRESH,     /* somebody asks for a listing */
    SIM_RESUME,      /* a paused process goes on */
    SIM_KILL,        /* the process took too long to leave */
    SIM_SCRIPT       /* scenario: a, b as the scenario likes */
};

/* Bytes shared by several events. */
struct blob {
    struct blob *next; /* in its free list */
    uint32_t refs;
    uint32_t class; /* room is 64 << class */
    size_t n;
    uint64_t data[];
};

enum { BLOB_CLASSES = 16, SIM_NONE = -1 };

struct sim_event {
    uint64_t at_us;
    uint64_t a, b;
    struct blob *blob; /* owned reference, or NULL */
    enum sim_event_kind kind;
    int status;
    uint32_t slot, life; /* the process it is for; one of an earlier life drops it */
    int32_t next;        /* in the free list or a process's queue */
};

struct sim_heap_entry {
    uint64_t at_us;
    uint64_t seq;
    int32_t index;
};

struct sim_heap {
    struct sim_heap_entry *entry;
    uint32_t n, room;
    struct sim_event *event; /* slab */
    uint32_t event_n, event_room;
    int32_t free;
    uint64_t seq;
    struct blob *blob_free[BLOB_CLASSES];
};

/* On zeroed memory. */
void sim_heap_init(struct sim_heap *h);
void sim_heap_finish(struct sim_heap *h);

/* Drops all events, keeps the memory. */
void sim_heap_clear(struct sim_heap *h);

/* Copies 'ev'; takes over its reference to the blob. */
void sim_heap_push(struct sim_heap *h, const struct sim_event *ev);

/* Time of the earliest event; UINT64_MAX if there is none. */
static inline uint64_t sim_heap_next_us(const struct sim_heap *h)
{
    return h->n > 0 ? h->entry[0].at_us : UINT64_MAX;
}

/* Takes the earliest event out.  Its index stays valid until sim_heap_free(). */
int32_t sim_heap_pop(struct sim_heap *h);

/* Gives an event and its reference back. */
void sim_heap_free(struct sim_heap *h, int32_t index);

/* A blob of n bytes with one reference. */
struct blob *blob_create(struct sim_heap *h, size_t n);
struct blob *blob_copy(struct sim_heap *h, const void *data, size_t n);
struct blob *blob_ref(struct blob *b);               /* NULL stays NULL */
void blob_unref(struct sim_heap *h, struct blob *b); /* NULL is fine */

#endif
