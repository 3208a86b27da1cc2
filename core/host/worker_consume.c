/* The worker's side of [consume]: between the group's word and the consumer's. */
#include "host/worker.h"

#include "base/status.h"
#include "edge/clock.h"
#include "host/aside.h"

/* ---- what the consumer asks -------------------------------------------------------- */

static bool on_holds(void *ctx, struct parti_hold hold, uint64_t *ret_now_ms)
{
    uint64_t now_ns;

    if (!worker_holds(ctx, hold, &now_ns))
        return false;
    *ret_now_ms = now_ns / CLOCK_NS_PER_MS;
    return true;
}

static void on_message(void *ctx, const struct parti_message *message)
{
    struct parti_worker *w = ctx;

    w->callbacks.message(w->callbacks.ctx, message);
}

static void on_over(void *ctx, struct parti_hold hold, uint32_t stretch)
{
    struct parti_worker *w = ctx;

    w->over(w->callbacks.ctx, hold, stretch);
}

static void on_settled(void *ctx, const struct parti_partition *partition, uint64_t next)
{
    struct parti_worker *w = ctx;

    dispatch_settled(w->dispatch, partition, next);
}

static void on_clear(void *ctx, struct parti_hold hold)
{
    struct parti_worker *w = ctx;

    release_clear(w->release, hold);
}

static void on_told(void *ctx, const struct parti_partition *partition, size_t n)
{
    struct parti_worker *w = ctx;

    consumer_told(w->consumer, partition, n);
}

static void on_release(void *ctx, uint64_t epoch)
{
    struct parti_worker *w = ctx;

    loop_released(w->loop, epoch);
}

static void on_unread(void *ctx, uint32_t n, const char *why)
{
    struct parti_worker *w = ctx;

    loop_unread(w->loop, n, why);
}

int worker_consume_start(struct parti_worker *w, char *text, size_t room)
{
    const struct consumer_setup setup = {.conf = &w->conf,
                                         .plugin_dir = w->plugin_dir,
                                         .is_aside = w->over != NULL,
                                         .ctx = w,
                                         .holds = on_holds,
                                         .message = on_message,
                                         .settled = on_settled,
                                         .over = w->over != NULL ? on_over : NULL,
                                         .clear = on_clear,
                                         .problem = worker_problem,
                                         .unread = on_unread};
    const struct conf_plugin *base = &w->conf.consume.base;
    int status;

    if (base->plugin == NULL)
        return 0;
    w->release = release_create(CONSUMER_LANES_MAX, w, on_release);
    if (w->release == NULL)
        return PARTI_ERR_MEMORY;
    if (w->callbacks.message == NULL)
        conf_errors_add(
            &w->conf.errors, base->section.line,
            "[consume] is there, but this application takes no messages. Take "
            "the section out, or give the application a handler: 'parti run' "
            "needs a command for it, libparti the callback 'message'");
    status = w->callbacks.message == NULL
                 ? STATUS_INVALID
                 : consumer_create(&w->consumer, &setup, &w->conf.errors);
    if (status < 0) {
        worker_errors_text(&w->conf, text, room);
        return status == STATUS_NOMEM ? PARTI_ERR_MEMORY : PARTI_ERR_CONFIG;
    }
    dispatch_on_told(w->dispatch, w, on_told);
    return 0;
}

/* ---- what the group says ----------------------------------------------------------- */

void worker_consume_link(void *ctx, const char *url)
{
    struct parti_worker *w = ctx;

    if (w->consumer == NULL)
        return;
    w->nats.url = url;
    consumer_link(w->consumer, &w->nats);
}

/* Messages of what is granted are read from now on, of what is revoked no more. */
void worker_consume_parts(struct parti_worker *w, const struct action *a,
                          const struct parti_hold *hold)
{
    uint64_t now_ms = clock_boot_ms(), deadline_ms = UINT64_MAX;

    if (w->conf.worker.on_revoke_timeout == CONF_REVOKE_KILL)
        deadline_ms = now_ms + w->conf.worker.revoke_timeout_ms;
    if (a->type == ACT_GRANTED) {
        consumer_granted(w->consumer, a->parts.part, hold, a->parts.n);
    } else if (a->type == ACT_REVOKING) {
        release_revoked(w->release, a->parts.epoch, hold, a->parts.n,
                        sat_add(deadline_ms, WORKER_HANG_MS));
        consumer_revoked(w->consumer, hold, a->parts.n, deadline_ms);
    }
}

static void give_up(void *ctx, struct parti_hold hold)
{
    consumer_give_up(ctx, hold);
}

void worker_consume_watch(struct parti_worker *w)
{
    if (consumer_watch(w->consumer))
        release_overdue(w->release, clock_boot_ms(), w->consumer, give_up);
}

void worker_consume_fence(struct parti_worker *w)
{
    if (w->consumer == NULL)
        return;
    consumer_fenced(w->consumer);
    release_fenced(w->release);
}

/* ---- what the application answers -------------------------------------------------- */

static void answer(struct parti_worker *w, struct parti_ticket ticket,
                   enum consume_verdict verdict, uint64_t delay_ms)
{
    if (w->consumer != NULL)
        consumer_answer(w->consumer, ticket, verdict, delay_ms);
}

void parti_ack(struct parti_worker *w, struct parti_ticket ticket)
{
    answer(w, ticket, VERDICT_ACK, 0);
}

void parti_nak(struct parti_worker *w, struct parti_ticket ticket, uint64_t delay_ms)
{
    answer(w, ticket, VERDICT_NAK, delay_ms);
}

void parti_term(struct parti_worker *w, struct parti_ticket ticket)
{
    answer(w, ticket, VERDICT_TERM, 0);
}

void parti_progress(struct parti_worker *w, struct parti_ticket ticket)
{
    answer(w, ticket, VERDICT_PROGRESS, 0);
}

void parti_return(struct parti_worker *w, struct parti_ticket ticket)
{
    answer(w, ticket, VERDICT_RETURN, 0);
}

/* ---- for `parti run` --------------------------------------------------------------- */

int aside_create(struct parti_worker **ret_worker, const struct parti_options *options,
                 aside_over over, char *text, size_t room)
{
    return worker_create(ret_worker, options, over, text, room);
}

bool aside_may_begin(const struct parti_worker *w, const struct parti_ticket *ticket)
{
    return w->consumer != NULL && consumer_may_begin(w->consumer, ticket);
}
