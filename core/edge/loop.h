/* The one thread that owns a node: takes what happens out of the inbox, feeds it to the
 * node with the time, performs what comes out, sleeps until the next deadline.
 *
 * Knows NATS and the node, nothing of plugins or applications: what the node wants of
 * those goes to 'perform', on the loop's thread, which must not block.
 */
#ifndef PARTI_EDGE_LOOP_H
#define PARTI_EDGE_LOOP_H

#include "edge/nats_child.h"
#include "edge/nats_link.h"
#include "proto/node.h"

struct loop;

/* An immutable listing; 'drop' is called with 'owner' when the loop is done with it. */
struct loop_listing {
    uint32_t n;
    const struct bytes *id; /* sorted bytewise, no id twice */
    const uint32_t *weight;
    bool commanded;
    void *owner;
    void (*drop)(void *owner);
};

struct loop_options {
    const char *group;
    int replicas;
    struct node_conf node; /* chunk_max is set by the loop: half of max_payload */
    struct nats_link_options nats;
    const struct nats_child_options *embedded; /* NULL: the servers of nats.url */
    uint64_t operation_ms; /* of the log, where the node does not say */
    void *ctx;
    /* LIST, PLAN, HOLD, GRANTED, REVOKING, RELEASED, FENCED, STATE, LEADER, ID, ERROR,
     * TRACE; STOPPED is the last call. */
    void (*perform)(void *ctx, const struct action *action);
    /* Something is wrong with the server; the loop goes on trying.  code: errors.h. */
    void (*problem)(void *ctx, int code, const char *text);
    /* After a problem to connect the group's log is open again.  May be NULL. */
    void (*connected)(void *ctx, const char *server);
    /* The embedded server is at this address, from now on: for other connections.  May be
     * NULL.  The first call comes from inside loop_create(). */
    void (*server)(void *ctx, const char *url);
    /* At least once a second; may be NULL. */
    void (*tick)(void *ctx);
};

/* Copies the options (texts too) and starts the thread.  On failure text[room] says
 * why: STATUS_INVALID (settings), STATUS_NOMEM, STATUS_IO. */
int loop_create(struct loop **ret_loop, const struct loop_options *options, char *text,
                size_t room);

/* Ends the thread, left or not: 'perform' is not called any more, what others tell the
 * loop from now on is dropped.  Not from 'perform'.  Accepts NULL. */
void loop_end(struct loop *loop);

/* Ends it if that was not done, closes the connection, frees.  Accepts NULL. */
void loop_destroy(struct loop *loop);

/* What others tell the node.  Any thread, 'perform' included; never block, and nothing
 * of it is ever lost (mail.h). */
void loop_listed(struct loop *loop, const struct loop_listing *listing);
void loop_list_failed(struct loop *loop, const char *text);
/* owner[n] is copied. */
void loop_planned(struct loop *loop, uint64_t plan, bool keep, const uint32_t *owner,
                  uint32_t n);
/* 'status' is a failure; 'why' is copied, "": nothing to be told. */
void loop_plan_failed(struct loop *loop, uint64_t plan, int status, const char *why);
void loop_released(struct loop *loop, uint64_t epoch);
void loop_stop(struct loop *loop, bool restart);
void loop_refresh(struct loop *loop);
/* Of what this worker holds, so many partitions cannot be read or handled; why: of the
 * first, copied. */
void loop_unread(struct loop *loop, uint32_t n, const char *why);

/* Ends without leaving, as a crash would: 'perform' is called once more, with STOPPED,
 * and the group finds the lease run out.  Any thread, 'perform' included. */
void loop_quit(struct loop *loop);

/* Connects made so far; for metrics. */
uint64_t loop_connects(struct loop *loop);

#endif
