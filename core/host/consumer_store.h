/* The positions as the consumer sees them: a connection and a bucket that come and go,
 * and the engine's numbered reads and writes, each answered once.  The consumer's thread
 * alone.
 */
#ifndef PARTI_HOST_CONSUMER_STORE_H
#define PARTI_HOST_CONSUMER_STORE_H

#include "consume/engine.h"
#include "edge/nats_positions.h"

enum { STORE_RETRY_MS = 500, STORE_OP_MS = 5000 };

struct store_op {
    uint64_t op; /* the engine's */
    uint32_t lane;
    bool is_write;
    int next; /* free places */
};

struct store {
    const char *group;
    int replicas;
    struct inbox *inbox;
    struct nats_link *link;
    struct nats_positions *positions;
    bool is_open;
    uint64_t open_at_ms; /* try then; 0: not wanted */
    int problem;         /* told last, so that it is told once */
    struct store_op op[NATS_POSITIONS_OPS_MAX];
    int free; /* -1: none */
    void *ctx;
    void (*answer)(void *ctx, const struct consume_event *event); /* READ, WRITTEN */
    void (*opened)(void *ctx);                    /* asking makes sense from now on */
    struct bytes (*id)(void *ctx, uint32_t lane); /* of its partition */
    void (*say)(void *ctx, int code, const char *text);
};

/* The rest of 'store' is filled in by the caller.  STATUS_NOMEM, STATUS_IO. */
int consumer_store_init(struct store *store);
void consumer_store_finish(struct store *store);

/* Connects, or goes elsewhere at the next connect. */
void consumer_store_link(struct store *store, const struct nats_link_options *options);

/* What DO_READ and DO_WRITE ask for.  STATUS_OK: answered later; else at once with that
 * code, by the caller. */
int consumer_store_read(struct store *store, const struct consume_action *action,
                        struct bytes id);
int consumer_store_write(struct store *store, const struct consume_action *action,
                         struct bytes id);

/* To be polled; then, and when the time has come, consumer_store_turn(). */
int consumer_store_fd(const struct store *store);
uint64_t consumer_store_deadline_ms(const struct store *store);
void consumer_store_turn(struct store *store);

#endif
