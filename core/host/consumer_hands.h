/* The threads that hand messages to the application: lanes in, one call at a time for
 * each, in order.
 *
 * A lane waits until its application was told of the grant, then its messages are handed
 * over one by one; each, if so set up, when the one before it was answered with an ack.
 * Whoever asks for it, what has not been handed over yet can be taken back at any time.
 * A call that runs when a fence comes goes on (nobody can stop it), and no other call for
 * the same partition begins before it has ended.
 *
 * Any thread, unless said otherwise.
 */
#ifndef PARTI_HOST_CONSUMER_HANDS_H
#define PARTI_HOST_CONSUMER_HANDS_H

#include "base/bytes.h"
#include "host/consumer_message.h"

/* A granted partition, for as long as somebody looks at it. */
struct hands_part {
    _Atomic uint32_t refs;
    struct parti_partition partition; /* its texts lie behind it */
};

/* With one reference; NULL: no memory. */
struct hands_part *hands_part_create(struct bytes id, uint32_t weight,
                                     struct parti_token token, struct parti_hold hold);
void hands_part_ref(struct hands_part *part);
void hands_part_unref(struct hands_part *part); /* accepts NULL */
bool hands_part_is_same(const struct hands_part *a, const struct hands_part *b);

/* What call() is given, with all that it looks at. */
struct hands_call {
    struct parti_message message;
    struct message_pool *pool;
    struct message *block;   /* NULL: given up, or never had */
    struct hands_part *part; /* as block */
};

/* A delivery as the application sees it; consumer_part.c, for consumer_hands.c. */
struct parti_ticket hands_ticket(const struct hands_part *part,
                                 const struct hands_delivery *delivery);
void hands_call_make(struct hands_call *ret, struct message_pool *pool,
                     struct hands_part *part, const struct hands_delivery *delivery);

struct hands_setup {
    uint32_t threads, lanes_max;
    struct message_pool *pool;
    bool is_one_by_one; /* begins a message when the one before it has its ack; false for
                           whoever puts messages aside: hands_may_begin() */
    uint64_t speak_ms;  /* what waits longer is spoken for when its turn comes */
    void *ctx;
    /* Is the partition ours at this instant, and when is that (boot time; set if so)? */
    bool (*holds)(void *ctx, struct parti_hold hold, uint64_t *ret_now_ms);
    void (*call)(void *ctx, const struct parti_message *message);
    /* It is still here: its time begins anew. */
    void (*waits)(void *ctx, struct parti_ticket ticket);
    /* A lane that was closed while a call ran has none any more. */
    void (*quiet)(void *ctx, struct parti_hold hold);
};

struct hands;

/* STATUS_NOMEM, STATUS_LIMIT (threads). */
int hands_create(struct hands **ret, const struct hands_setup *setup);

/* Waits for the calls that run; none begins any more. */
void hands_stop(struct hands *h);

/* hands_stop(), and frees.  Accepts NULL. */
void hands_destroy(struct hands *h);

/* A lane begins; takes a reference of its own.  The lane is closed or was never open. */
void hands_open(struct hands *h, uint32_t lane, struct hands_part *part);

/* The application was told of this grant: messages may be handed over. */
void hands_told(struct hands *h, struct parti_hold hold);

/* Takes them over with their references; what is for a lane that is not open any more is
 * dropped. */
void hands_give(struct hands *h, const struct hands_delivery *list, size_t n);

/* This attempt has its ack: the next one of its partition may begin. */
void hands_acked(struct hands *h, const struct parti_ticket *ticket);

/* For whoever does nothing in call() but to put the message aside.  From inside call():
 * the message with references of its own.  To be given up with hands_unkeep() before
 * hands_destroy(). */
void hands_keep(struct hands_call *ret, const struct parti_message *message);
void hands_unkeep(struct hands_call *kept);

/* Asked last before a message that was put aside is begun.  False: it was taken back, or
 * the partition is not ours at this instant. */
bool hands_may_begin(struct hands *h, const struct parti_ticket *ticket);

/* Takes back what has not been handed over, and begins nothing more of this stretch (and
 * those before it), not even what is still to come of it.  True: there was something, and
 * *ret_first names the first (NULL: not asked for). */
bool hands_take_back(struct hands *h, struct parti_hold hold, uint32_t stretch,
                     struct parti_ticket *ret_first);

/* The lane ends.  True: no call runs, quiet() is not called; false: it will be. */
bool hands_close(struct hands *h, struct parti_hold hold);

/* All lanes end at once. */
void hands_fence(struct hands *h);

/* Speaks for whatever waits. */
void hands_speak(struct hands *h, uint64_t now_ms);

#endif
