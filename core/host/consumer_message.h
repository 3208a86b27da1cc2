/* Copies of messages, on their way from a consumer plugin to the handler and back.
 *
 * Messages that come together lie in one block, a batch, with all their bytes: three
 * threads look at each of them, and what lies side by side moves from one processor's
 * cache to the next at less cost.  Blocks come in sizes of powers of two and are kept for
 * the next batch; the bytes in use are bounded.  A batch has a reference for each of its
 * messages that the engine has, and one for each place where a handler may look at one.
 * Any thread.
 */
#ifndef PARTI_HOST_CONSUMER_MESSAGE_H
#define PARTI_HOST_CONSUMER_MESSAGE_H

#include "parti.h"
#include "parti_consumer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    MESSAGE_BYTES_MAX = 256 * 1024 * 1024, /* of all messages; see message_copy() */
    MESSAGE_DATA_MAX = 64 * 1024 * 1024,   /* of one, its headers and key included */
    MESSAGE_HEADERS_MAX = 4096,            /* of one */
    MESSAGE_CLASSES = 20,                  /* 256 bytes << class; larger: not kept */
    MESSAGE_KEPT_MAX = 32 * 1024 * 1024    /* bytes of free blocks */
};

enum {
    MESSAGE_LINE = 64,       /* bytes that caches move at a time */
    BATCH_MESSAGES_MAX = 64, /* one that waits keeps those beside it: so many, and */
    BATCH_BYTES_MAX = 65536  /* so many bytes, or one message */
};

struct message {
    struct message_batch *batch;
    struct parti_consumer_message given; /* as the plugin gave it, pointing into it */
    const struct parti_header *header;   /* the same headers, for the application */
};

struct message_batch {
    struct message_batch *next; /* whoever has it in a list */
    _Atomic uint32_t refs;
    uint32_t n, lane;
    uint32_t class; /* MESSAGE_CLASSES: a block of its own size */
    size_t room;    /* bytes of the block */
    _Alignas(MESSAGE_LINE) struct message message[];
};

/* One message on its way to a handler (consumer_hands.h). */
struct hands_delivery {
    struct message *message; /* a reference goes with it */
    uint64_t position;
    uint64_t when_ms;      /* when it was given, or last spoken for */
    uint32_t lane, serial; /* serial of the hold */
    uint32_t attempt, run, stretch;
    uint32_t count; /* for people: the first, second ... time that it is begun */
};

struct message_pool {
    pthread_mutex_t lock;
    size_t used, kept; /* bytes */
    struct message_batch *free[MESSAGE_CLASSES];
};

void message_pool_init(struct message_pool *pool);

/* All messages have been given back. */
void message_pool_finish(struct message_pool *pool);

/* The i-th of an array, whose writer may know a larger struct than we. */
const struct parti_consumer_message *message_nth(
    const struct parti_consumer_message *given, size_t i);

/* Is it what the interface promises?  NULL, or what is wrong as a phrase. */
const char *message_fault(const struct parti_consumer_message *given);

/* Copies n messages into a list of batches in their order, each message with one
 * reference.  Beyond MESSAGE_BYTES_MAX only if 'must_fit' (n being 1: whoever has nothing
 * can go on).  STATUS_LIMIT, STATUS_NOMEM: nothing is copied. */
int message_copy(struct message_pool *pool, const struct parti_consumer_message *given,
                 size_t n, bool must_fit, struct message_batch **ret_list);

static inline void message_ref(struct message *m, uint32_t n)
{
    (void)atomic_fetch_add_explicit(&m->batch->refs, n, memory_order_relaxed);
}

/* So many references; the last one gives the block back. */
void message_unref(struct message_pool *pool, struct message_batch *batch, uint32_t n);

#endif
