/* The inside of struct consumer: consumer.c makes and ends it and takes what others say,
 * consumer_turn.c is its thread, consumer_perform.c does what the engine wants.  For
 * these three alone.
 */
#ifndef PARTI_HOST_CONSUMER_PRIVATE_H
#define PARTI_HOST_CONSUMER_PRIVATE_H

#include "host/consumer.h"
#include "host/consumer_hands.h"
#include "host/consumer_inlet.h"
#include "host/consumer_store.h"
#include "host/consumer_stuck.h"
#include "host/instance.h"
#include "host/log.h"

#include <pthread.h>
#include <stdatomic.h>

/* Answers that wait while others are fed: of each lane one of the store and one of the
 * plugin at most. */
enum { CONSUMER_PENDING_MAX = 2 * CONSUMER_LANES_MAX };

/* Reasons of trouble that are told until all partitions are fine, and how many lines of
 * that in how long a time, where trouble comes and goes. */
enum { CONSUMER_REASONS_MAX = 16, CONSUMER_TROUBLES = 8, CONSUMER_TROUBLES_MS = 10000 };

/* Between two looks at how many partitions are in trouble. */
enum { CONSUMER_COUNT_MS = 1000 };

/* What the consumer's thread knows of a lane. */
struct consumer_lane {
    struct hands_part *part; /* NULL: not granted */
    uint64_t run;            /* the plugin reads; 0: it does not */
    uint64_t trouble_run;    /* the run that is in trouble, 0: none */
    uint32_t stuck;          /* its mark in what is stuck */
    uint32_t stretch;        /* of what was delivered last */
    struct note *later;      /* a grant that must wait for the end of the one before */
};

struct consumer {
    struct consumer_setup setup;
    struct conf_consume conf; /* texts in it live with the setup's; these with us: */
    char *group, *dead_letter;
    const struct plugin *plugin;
    struct option_conf *options;
    struct instance instance;
    void *self; /* the plugin's */
    bool is_created, is_linked;

    struct message_pool pool;
    struct inlet inlet;
    struct hands *hands;

    pthread_t thread;
    bool has_thread;
    atomic_bool is_ending;
    pthread_mutex_t end_lock;
    pthread_cond_t end_told;
    bool has_ended;
    bool is_left; /* the thread is left behind: nobody is told anything */

    /* What runs in the plugin now, for consumer_watch(). */
    _Atomic(const char *) call;
    atomic_uint_least64_t call_ms;
    atomic_bool is_told; /* of this call */

    /* The thread's own. */
    struct nats_link_options nats;
    char *url;
    struct consume *engine;
    struct store store;
    struct consumer_lane *lane;
    uint32_t lanes_used;
    bool has_later;                    /* a lane has become free that a grant waits for */
    struct inlet_forgotten *forgotten; /* given back at the end of the turn */
    size_t forgotten_n, forgotten_room;
    struct hands_delivery *given; /* handed on at the end of the turn */
    size_t given_n, given_room;
    struct consume_event *pending; /* answers to actions, fed after the step: a ring that
                                      begins anew when it is empty */
    uint32_t pending_first, pendings;
    bool is_shut;                               /* the plugin broke a rule */
    uint64_t reason_told[CONSUMER_REASONS_MAX]; /* hashes, since all was fine */
    uint32_t reasons;
    struct log_limit trouble_limit;
    struct stuck stuck;     /* what cannot be read at all */
    char start_reason[512]; /* of the last start() that failed */
    const char *reason;     /* the plugin's, for what the engine says of it; NULL: none */
    char cause[TROUBLE_ROOM]; /* of the first trouble since all was well, */
    uint32_t cause_lane;      /* whose it is, */
    bool is_cause_new;        /* not told yet; */
    uint32_t unread;          /* and how many partitions have some, as was told last */
    uint64_t count_at_ms;
    uint64_t speak_at_ms;
    uint64_t now_ms; /* the clock, looked at every FEEDS events at least */
    uint32_t fed;    /* events since */
};

/* consumer_turn.c: the thread; and one event with all that comes of it. */
void *consumer_run(void *ctx);
void consumer_feed(struct consumer *c, struct consume_event *event);

/* consumer_perform.c */
void consumer_perform(void *ctx, const struct consume_action *action);

/* An event that stands for the answer to what is being performed. */
void consumer_pend(struct consumer *c, const struct consume_event *event);

/* Text for people about a lane's partition. */
void consumer_say(struct consumer *c, uint32_t lane, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The words to the owner, which has gone when the thread was left behind. */
void consumer_tell_clear(struct consumer *c, struct parti_hold hold);
void consumer_tell_settled(struct consumer *c, const struct parti_partition *partition,
                           uint64_t next);
void consumer_tell_problem(struct consumer *c, int code, const char *text);

/* The first reason why partitions are not read is kept until all are. */
void consumer_note(struct consumer *c, uint32_t lane, int code, const char *text);
void consumer_tell_unread(struct consumer *c, uint32_t n, const char *why);

/* Around each call of the plugin. */
void consumer_enter(struct consumer *c, const char *call);
void consumer_leave(struct consumer *c);

#endif
