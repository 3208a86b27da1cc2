/* parti_consumer.h - the extension parti.consumer/1: messages of partitions
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that can read the messages of a broker answers extension("parti.consumer/1")
 * of its descriptor with a struct parti_consumer.  [consume] plugin = NAME chooses it.
 *
 * WHO DOES WHAT
 *  The plugin reads: it delivers the messages of a partition in order from a position
 *  on, writes a dead letter when told to, and lets the broker forget what is done.
 *  The host does all the rest: which partitions are read, order, concurrency, retries,
 *  limits, and *the position*.  The position of each partition lies in a record that the
 *  host alone writes, on condition of the fencing token, so that a stale worker's commit
 *  is refused whatever the broker can do.  What the broker keeps (a consumer's acks, the
 *  offsets of a group) follows that record and never leads it.
 *
 * POSITIONS
 *  A position is an unsigned number that ascends along a partition, with gaps: the
 *  stream sequence of JetStream, the offset of Kafka.  'next' is the first position that
 *  is not done.  'origin' names the life of what is read (a stream that was deleted and
 *  made again is another); positions of different origins are not comparable.
 *
 * LANES AND RUNS
 *  A lane is a small number by which the host knows a partition it holds.  Between
 *  start() and stop() the lane is in a run; run numbers of a lane only grow.  What the
 *  plugin tells of an old run is passed over by the host.
 *
 * TRUST
 *  The host checks what comes through the inlet.  A lane or run that it never started, a
 *  message before begun() or beyond the credit, positions that do not ascend or lie below
 *  'from', begun() twice in a run: the call is refused with PARTI_BADINPUT where it can
 *  answer, the host says so in words and calls the plugin no more but for stop() and
 *  destroy().
 *
 * THREADS, MEMORY, ERRORS  as parti_plugin.h has them: create() to destroy() are [seq]
 *  and, except create() and destroy(), must return within a few ms: the plugin has
 *  threads of its own for what takes time.  The inlet is [any].
 */
#ifndef PARTI_CONSUMER_H
#define PARTI_CONSUMER_H

#include "parti_plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PARTI_CONSUMER_ID "parti.consumer/1"

/* One message.  Borrowed until the call returns. */
struct parti_consumer_message {
    uint32_t size;
    uint32_t redelivered; /* nonzero: the broker says that it gave this out before */
    uint64_t position;
    int64_t time_ms;     /* when the broker took it, Unix time; 0: not known */
    const char *subject; /* subject or topic, ends with NUL */
    const char *key;     /* Kafka's key; NULL: none */
    uint64_t key_n;
    const char *data;
    uint64_t data_n;
    struct parti_strs header_name; /* n == 0: none; a name may stand several times */
    struct parti_strs header_value;
};

/* What the plugin calls. */
struct parti_inlet {
    uint32_t size;
    uint32_t reserved;
    void *ctx;
    /* The run reads: this is the life and the first position that will be looked at.
     * Once a run, before its first deliver().
     * 'from' lies above the 'next' that start() asked for when messages of this partition
     * from there on are no more to be had (deleted by limits), which the host then says;
     * below it never. */
    void (*begun)(const struct parti_inlet *inlet, uint32_t lane, uint64_t run,
                  uint64_t origin, uint64_t from); /* [any] */
    /* Messages of one lane, ascending, each once a run.  Takes copies.  No more than the
     * credit given; PARTI_BADINPUT for one beyond it (the host refuses all of them),
     * PARTI_CANCELED when the run is over, PARTI_NOMEM: deliver them again later. */
    int32_t (*deliver)(const struct parti_inlet *inlet, uint32_t lane, uint64_t run,
                       const struct parti_consumer_message *message,
                       uint64_t n); /* [any] */
    /* The dead letter of this position is safe (code PARTI_OK) or not (any other). */
    void (*buried)(const struct parti_inlet *inlet, uint32_t lane, uint64_t run,
                   uint64_t position, int32_t code, const char *text); /* [any] */
    /* This lane cannot be read at present (code PARTI_RETRY: the plugin goes on trying;
     * PARTI_OK: it reads again) or will not be readable without somebody's help
     * (PARTI_BADINPUT, for instance no permission; tried again by stop() and start()). */
    void (*trouble)(const struct parti_inlet *inlet, uint32_t lane, uint64_t run,
                    int32_t code, const char *text); /* [any] */
};

struct parti_consumer_start {
    uint32_t size;
    uint32_t lane;
    uint64_t run;
    const char *id; /* the partition: its keys joined by NUL */
    uint64_t id_n;
    uint64_t token_gen; /* the fencing token of the grant */
    uint64_t token_since;
    uint64_t origin; /* of 'next'; 0: there is no position yet, 'next' is 0 */
    uint64_t next;
};

struct parti_consumer {
    uint32_t size;
    uint32_t caps;                     /* none so far: 0 */
    const struct parti_option *option; /* rows of [consume]; may be NULL.  The host takes
                                          for itself: plugin, handlers, children,
                                          in_flight*, deliver_max, handle_timeout,
                                          attempts_max, retry_*, dead_letter, commit_*,
                                          format; declare none of them */
    /* Must not wait for the broker.  'inlet' is valid until destroy() returns. */
    int32_t (*create)(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, const struct parti_inlet *inlet,
                      struct parti_error *error); /* [seq] */
    /* Begins a run.  PARTI_BADINPUT: this partition does not fit the configuration (too
     * few keys for the template); anything that may pass is told through trouble(). */
    int32_t (*start)(void *self, const struct parti_consumer_start *start,
                     struct parti_error *error); /* [seq] */
    /* So many messages more may be delivered to this lane in this run. */
    void (*credit)(void *self, uint32_t lane, uint64_t n); /* [seq] */
    /* Everything below 'next' is done, and the host's record says so durably: tell the
     * broker, as far as it has a word for it, when convenient. */
    void (*done)(void *self, uint32_t lane, uint64_t next); /* [seq] */
    /* Write a dead letter: the message as it came, with these headers more, to 'target'
     * ([consume] dead_letter).  Answered once through buried(), by the end of the run at
     * the latest. */
    void (*bury)(void *self, uint32_t lane, const struct parti_consumer_message *message,
                 const char *target, const struct parti_strs *header_name,
                 const struct parti_strs *header_value); /* [seq] */
    /* Ends the run.  'is_last' != 0: the partition leaves this worker; whatever the
     * broker holds for it is let go so that the next holder can read at once. */
    void (*stop)(void *self, uint32_t lane, uint32_t is_last); /* [seq] */
    void (*destroy)(void *self);                               /* [seq] */
};

#ifdef __cplusplus
}
#endif
#endif
