/* The inside of struct parti_worker (sdk/parti.h).  For worker*.c alone. */
#ifndef PARTI_HOST_WORKER_H
#define PARTI_HOST_WORKER_H

#include "edge/loop.h"
#include "host/alert.h"
#include "host/aside.h"
#include "host/conf.h"
#include "host/consumer.h"
#include "host/dispatch.h"
#include "host/log.h"
#include "host/release.h"
#include "host/source.h"
#include "host/strategy.h"
#include "host/worker_setup.h"
#include "parti.h"
#include "proto/life.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WORKER_IDS_KEPT = 16, WORKER_TEXT_ROOM = 1024 };

struct parti_worker {
    struct conf conf;
    const char *plugin_dir;
    aside_over over; /* NULL: an application that handles in message() */
    struct worker_setup setup;
    struct parti_callbacks callbacks;
    struct strategy *strategy;
    struct sources *sources;
    struct dispatch *dispatch;
    struct loop *loop;
    struct consumer *consumer; /* NULL: no [consume] */
    struct release *release;   /* with the consumer */
    struct nats_link_options nats;

    _Atomic uint64_t *word; /* WORKER_PARTS_MAX of them, mapped, mostly untouched */
    _Atomic uint64_t deadline_ns;
    uint32_t word_n; /* words used; the loop's thread only, like the next five */
    uint32_t serial;
    bool is_fenced; /* told of a fence: the words end before the next deadline */
    bool is_cut;    /* gave everything up, see cut() */
    struct parti_hold *hold;
    uint32_t hold_room;

    pthread_mutex_t lock; /* state, id */
    pthread_cond_t changed;
    enum parti_state state;
    const char *id;
    char ids[WORKER_IDS_KEPT][ID_ROOM];
    uint32_t ids_n;
    _Atomic uint64_t degraded_ms; /* since when, 0: not */
    struct alert alert;
};

/* worker.c: the loop's and the consumer's word; 'ctx' is the worker. */
void worker_problem(void *ctx, int code, const char *text);

/* worker.c: parti_holds(), and when that is (boot time; set if it does).  Any thread. */
bool worker_holds(const struct parti_worker *w, struct parti_hold hold,
                  uint64_t *ret_now_ns);

/* worker.c: parti_create() without 'over', or aside_create(). */
int worker_create(struct parti_worker **ret_worker, const struct parti_options *options,
                  aside_over over, char *text, size_t room);

/* worker_consume.c: the worker's side of [consume].  PARTI_ERR_* with text[room]; 0 also
 * where the file has no such section. */
int worker_consume_start(struct parti_worker *w, char *text, size_t room);

/* The positions' server is at this address; 'ctx' is the worker. */
void worker_consume_link(void *ctx, const char *url);

/* The loop's thread: what is granted or revoked, with its rights; and now and then. */
void worker_consume_parts(struct parti_worker *w, const struct action *a,
                          const struct parti_hold *hold);
void worker_consume_watch(struct parti_worker *w);
void worker_consume_fence(struct parti_worker *w); /* all is lost */

#endif
