/* Messages follow their partition, the host's side: loads the consumer plugin of
 * [consume], drives the engine (consume/engine.h) on a thread of its own, keeps the
 * positions in NATS over a connection of its own, and hands messages to the application.
 *
 *   plugin --> consumer_inlet --> consumer_turn --> consumer_hands --> message()
 *                                  |   ^  engine       (threads)         |
 *              consumer_store <----'   '--------- consumer_answer() <----'
 *
 * No plugin is trusted: what comes through the inlet is checked (parti_consumer.h,
 * TRUST), a plugin that breaks a rule is shut off in words, and one that does not return
 * holds up neither the lease nor, for longer than its time, the release of a partition.
 *
 * A lane's number is the slot of its hold.
 */
#ifndef PARTI_HOST_CONSUMER_H
#define PARTI_HOST_CONSUMER_H

#include "consume/engine.h"
#include "edge/nats_link.h"
#include "host/conf.h"
#include "host/world.h"
#include "parti.h"
#include "proto/types.h"

enum {
    CONSUMER_LANES_MAX = 1 << 16, /* partitions that one worker may consume */
    CONSUMER_WRITES_MAX = 512,    /* records being read or written */
    CONSUMER_AHEAD_MAX = 64,      /* messages of a partition ready for the handler */
    CONSUMER_SLOW_MS = 5000,      /* a call of the plugin: then people are told */
    CONSUMER_END_MS = 5000        /* the end waits so long for the plugin */
};

/* 'conf' is borrowed for life.  No callback may block, but for message(). */
struct consumer_setup {
    const struct conf *conf;
    const char *plugin_dir;
    bool is_aside; /* message() only puts it aside: consumer_may_begin() */
    void *ctx;
    /* Is it ours, and when is that (boot time; set if so)?  Any thread. */
    bool (*holds)(void *ctx, struct parti_hold hold, uint64_t *ret_now_ms);
    /* On the handlers' threads, one at a time for each partition. */
    void (*message)(void *ctx, const struct parti_message *message);
    /* The attempts up to this stretch are over (DO_CANCEL).  The consumer's thread; NULL:
     * not asked for. */
    void (*over)(void *ctx, struct parti_hold hold, uint32_t stretch);
    void (*settled)(void *ctx, const struct parti_partition *partition,
                    uint64_t next); /* the consumer's thread */
    /* Nothing of a revoked partition is under way any more.  Any thread; also for holds
     * that were never granted. */
    void (*clear)(void *ctx, struct parti_hold hold);
    void (*problem)(void *ctx, int code, const char *text); /* any thread */
    /* So many partitions are held and cannot be read or handled, and why the first; 0 and
     * "": none any more.  The consumer's thread, once a second at most. */
    void (*unread)(void *ctx, uint32_t n, const char *why);
};

struct consumer;

/* Loads the plugin and calls its create(); starts the threads.  0, or a code, and
 * 'errors' says all with file and line. */
int consumer_create(struct consumer **ret, const struct consumer_setup *setup,
                    struct conf_errors *errors);

/* As much of that as can be done without anything else, and whether the plugin can read
 * what is listed (NULL: nothing is known of that): for `parti config check`. */
int consumer_check(const struct conf *conf, const char *plugin_dir,
                   const struct listing *listing, struct conf_errors *errors);

/* Ends at once and writes no record; waits for message() calls.  Nothing is called any
 * more; the functions here can still be called, to no effect.  Accepts NULL. */
void consumer_end(struct consumer *c);

/* consumer_end(), and frees.  Accepts NULL. */
void consumer_destroy(struct consumer *c);

/* Where the positions are: connects, or goes there at the next connect.  'options' but
 * for its url must live as long as the consumer.  Any thread. */
void consumer_link(struct consumer *c, const struct nats_link_options *options);

/* What the group says, in its order, from one thread; none of these blocks. */
void consumer_granted(struct consumer *c, const struct part_view *part,
                      const struct parti_hold *hold, uint32_t n);
void consumer_revoked(struct consumer *c, const struct parti_hold *hold, uint32_t n,
                      uint64_t deadline_ms); /* CLOCK_BOOTTIME; UINT64_MAX: none */
void consumer_fenced(struct consumer *c);

/* The application was told of this grant: messages may come.  Any thread. */
void consumer_told(struct consumer *c, const struct parti_partition *partition, size_t n);

/* The application's word.  Any thread. */
void consumer_answer(struct consumer *c, struct parti_ticket ticket,
                     enum consume_verdict verdict, uint64_t delay_ms);

/* Asked last before a message that was put aside is begun; then the rule is the
 * application's that, with [consume] deliver_max = 1, each of a partition waits for the
 * ack of the one before it.  False: parti_return() is the answer.  Any thread. */
bool consumer_may_begin(struct consumer *c, const struct parti_ticket *ticket);

/* This partition, which is revoked, is waited for no more, since the plugin hangs:
 * clear() comes at once, or when the message() call that runs returns.  Any thread. */
void consumer_give_up(struct consumer *c, struct parti_hold hold);

/* Now and then, from a thread that is not the consumer's: says so when the plugin does
 * not return.  True: it hangs at this time. */
bool consumer_watch(struct consumer *c);

#endif
