/* Copies of messages, on their way from a consumer plugin to the handler and back.
 *
 * Each message is one block that holds the struct and all its bytes.  Blocks come in
 * sizes of powers of two and are kept for the next message; the bytes in use are bounded.
 * A message has references: the engine's, and one for each place where a handler may look
 * at it.  Any thread.
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

/* One message on its way to a handler (consumer_hands.h).  Nearly always there is one of
 * a message at a time, which lies in its block; each more is malloc()ed. */
struct hands_delivery {
    struct hands_delivery *next;
    struct message *message; /* a reference goes with it */
    uint32_t lane, serial;   /* serial of the hold */
    uint32_t attempt, run, stretch;
    uint32_t count; /* for people: the first, second ... time that it is begun */
    uint64_t position;
    uint64_t when_ms; /* when it was given, or last spoken for */
    bool is_lent;     /* lies in the message's block */
};

struct message {
    struct message *next; /* whoever has it in a list */
    _Atomic uint32_t refs;
    uint32_t class; /* MESSAGE_CLASSES: a block of its own size */
    size_t room;    /* bytes of the block */
    uint32_t lane;
    uint64_t run;
    struct parti_consumer_message given; /* as the plugin gave it, pointing in here */
    const struct parti_header *header;   /* the same headers, for the application */
    struct hands_delivery delivery;      /* while 'is_lent' */
    atomic_bool is_lent;
};

struct message_pool {
    pthread_mutex_t lock;
    size_t used, kept; /* bytes */
    struct message *free[MESSAGE_CLASSES];
};

void message_pool_init(struct message_pool *pool);

/* All messages have been given back. */
void message_pool_finish(struct message_pool *pool);

/* The i-th of an array, whose writer may know a larger struct than we. */
const struct parti_consumer_message *message_nth(
    const struct parti_consumer_message *given, size_t i);

/* Is it what the interface promises?  NULL, or what is wrong as a phrase. */
const char *message_fault(const struct parti_consumer_message *given);

/* Copies n messages into a list in their order, each with one reference.  Beyond
 * MESSAGE_BYTES_MAX only if 'must_fit' (n being 1: whoever has nothing can go on).
 * STATUS_LIMIT, STATUS_NOMEM: nothing is copied. */
int message_copy(struct message_pool *pool, const struct parti_consumer_message *given,
                 size_t n, bool must_fit, struct message **ret_list);

static inline void message_ref(struct message *m)
{
    (void)atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
}

/* A delivery, which brings a reference with it; all else in it is the caller's to fill.
 * NULL: no memory.  And its end, which gives the reference up. */
struct hands_delivery *message_lend(struct message *m);
void message_drop(struct message_pool *pool, struct hands_delivery *delivery);

/* The last one gives the block back. */
void message_unref(struct message_pool *pool, struct message *m);
void message_unref_all(struct message_pool *pool, struct message *list); /* by next */

#endif
