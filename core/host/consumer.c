#include "host/consumer_private.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/partid.h"
#include "base/status.h"
#include "edge/clock.h"
#include "host/log.h"
#include "host/threads.h"
#include "host/worker_setup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- what others say --------------------------------------------------------------- */

void consumer_link(struct consumer *c, const struct nats_link_options *options)
{
    if (!c->is_linked) {
        c->is_linked = true;
        c->nats = *options; /* the first word, before the thread has heard of any */
        c->nats.url = NULL;
    }
    inlet_put(&c->inlet, inlet_note(NOTE_LINK, 0, options->url));
}

static void tell_too_many(struct consumer *c)
{
    char text[256];

    (void)snprintf(text, sizeof text,
                   "this worker holds more partitions than it can consume (%d); the "
                   "messages of the rest are not read. Start more workers",
                   CONSUMER_LANES_MAX);
    consumer_tell_problem(c, ERR_LANES, text);
}

void consumer_granted(struct consumer *c, const struct part_view *part,
                      const struct parti_hold *hold, uint32_t n)
{
    bool is_told = false;

    for (uint32_t i = 0; i < n; i++) {
        if (hold[i].slot >= CONSUMER_LANES_MAX) {
            if (!is_told)
                tell_too_many(c);
            is_told = true;
            continue;
        }
        const struct parti_token token = {part[i].gen, part[i].since};
        struct note *note = inlet_note(NOTE_GRANT, hold[i].slot, NULL);

        note->part = hands_part_create(part[i].id, part[i].weight, token, hold[i]);
        must(note->part != NULL);
        hands_open(c->hands, hold[i].slot, note->part);
        inlet_put(&c->inlet, note);
    }
}

void consumer_revoked(struct consumer *c, const struct parti_hold *hold, uint32_t n,
                      uint64_t deadline_ms)
{
    for (uint32_t i = 0; i < n; i++) {
        struct note *note;

        if (hold[i].slot >= CONSUMER_LANES_MAX) {
            consumer_tell_clear(c, hold[i]);
            continue;
        }
        note = inlet_note(NOTE_REVOKE, hold[i].slot, NULL);
        note->serial = hold[i].serial;
        note->number = deadline_ms;
        inlet_put(&c->inlet, note);
    }
}

void consumer_fenced(struct consumer *c)
{
    hands_fence(c->hands); /* at once, whatever the consumer's thread is at */
    inlet_put(&c->inlet, inlet_note(NOTE_FENCE, 0, NULL));
}

void consumer_told(struct consumer *c, const struct parti_partition *partition, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hands_told(c->hands, partition[i].hold);
}

void consumer_answer(struct consumer *c, struct parti_ticket ticket,
                     enum consume_verdict verdict, uint64_t delay_ms)
{
    const struct answer answer = {ticket, verdict, delay_ms};

    /* What was given behind it is not begun any more. */
    if (verdict == VERDICT_NAK || verdict == VERDICT_TERM || verdict == VERDICT_RETURN)
        (void)hands_take_back(c->hands, ticket.hold, ticket.stretch, NULL);
    inlet_answer(&c->inlet, &answer);
    /* Behind it in the queue stand the answers to what begins now. */
    if (verdict == VERDICT_ACK)
        hands_acked(c->hands, &ticket);
}

bool consumer_may_begin(struct consumer *c, const struct parti_ticket *ticket)
{
    return hands_may_begin(c->hands, ticket);
}

bool consumer_watch(struct consumer *c)
{
    const char *call = atomic_load(&c->call);
    uint64_t since_ms = atomic_load(&c->call_ms);
    char text[512];

    if (call == NULL || clock_boot_ms() - since_ms < CONSUMER_SLOW_MS)
        return false;
    if (atomic_exchange(&c->is_told, true))
        return true;
    (void)snprintf(text, sizeof text,
                   "%s has not returned from %s() for %d s, and no message is read or "
                   "settled meanwhile. Restart this process, and tell its author",
                   c->instance.name, call, CONSUMER_SLOW_MS / 1000);
    consumer_tell_problem(c, ERR_READER_BROKEN, text);
    return true;
}

void consumer_give_up(struct consumer *c, struct parti_hold hold)
{
    if (hands_close(c->hands, hold))
        consumer_tell_clear(c, hold);
}

/* ---- the words to the owner -------------------------------------------------------- */

void consumer_tell_clear(struct consumer *c, struct parti_hold hold)
{
    must(pthread_mutex_lock(&c->end_lock) == 0);
    if (!c->is_left)
        c->setup.clear(c->setup.ctx, hold);
    must(pthread_mutex_unlock(&c->end_lock) == 0);
}

void consumer_tell_settled(struct consumer *c, const struct parti_partition *partition,
                           uint64_t next)
{
    must(pthread_mutex_lock(&c->end_lock) == 0);
    if (!c->is_left)
        c->setup.settled(c->setup.ctx, partition, next);
    must(pthread_mutex_unlock(&c->end_lock) == 0);
}

void consumer_tell_problem(struct consumer *c, int code, const char *text)
{
    must(pthread_mutex_lock(&c->end_lock) == 0);
    if (!c->is_left)
        c->setup.problem(c->setup.ctx, code, text);
    must(pthread_mutex_unlock(&c->end_lock) == 0);
}

void consumer_tell_unread(struct consumer *c, uint32_t n, const char *why)
{
    must(pthread_mutex_lock(&c->end_lock) == 0);
    if (!c->is_left)
        c->setup.unread(c->setup.ctx, n, why);
    must(pthread_mutex_unlock(&c->end_lock) == 0);
}

/* ---- what the parts ask of each other ---------------------------------------------- */

static bool on_holds(void *ctx, struct parti_hold hold, uint64_t *ret_now_ms)
{
    struct consumer *c = ctx;

    return c->setup.holds(c->setup.ctx, hold, ret_now_ms);
}

static void on_call(void *ctx, const struct parti_message *message)
{
    struct consumer *c = ctx;

    c->setup.message(c->setup.ctx, message);
}

static void on_waits(void *ctx, struct parti_ticket ticket)
{
    struct consumer *c = ctx;
    const struct answer answer = {ticket, VERDICT_PROGRESS, 0};

    inlet_answer(&c->inlet, &answer);
}

static void on_quiet(void *ctx, struct parti_hold hold)
{
    consumer_tell_clear(ctx, hold);
}

static void on_store_answer(void *ctx, const struct consume_event *event)
{
    struct consume_event ev = *event;

    consumer_feed(ctx, &ev);
}

static void on_store_opened(void *ctx)
{
    struct consumer *c = ctx;

    c->has_later = true;
}

static struct bytes on_store_id(void *ctx, uint32_t lane)
{
    const struct consumer *c = ctx;
    const struct hands_part *part = c->lane[lane].part;

    /* An answer for a lane that has ended: the engine passes over it. */
    return part != NULL ? (struct bytes){part->partition.key, part->partition.key_n}
                        : (struct bytes){"", 0};
}

/* The worker has a connection of its own, with troubles of its own. */
static void on_store_say(void *ctx, int code, const char *text)
{
    struct consumer *c = ctx;
    char whole[1024];

    (void)snprintf(whole, sizeof whole, "positions: %s", text);
    if (!c->store.is_open) /* nothing is begun before */
        consumer_note(c, UINT32_MAX, code, whole);
    consumer_tell_problem(c, code, whole);
}

/* ---- begin and end ----------------------------------------------------------------- */

static int load(struct consumer *c, struct conf_errors *errors)
{
    const struct conf_plugin *base = &c->conf.base;
    struct parti_error error;
    int status = instance_load(base, c->setup.plugin_dir, PLUGIN_CONSUMER, errors,
                               &c->plugin, &c->options);

    if (status != STATUS_OK)
        return status;
    instance_init(&c->instance, "consume", c->plugin->name, NULL, NULL);
    c->inlet.name = c->instance.name;
    instance_error_init(&error);
    int32_t code = c->plugin->consumer.create(&c->self, &c->instance.table,
                                              &c->options->conf, &c->inlet.table, &error);
    if (code != PARTI_OK)
        return instance_refused(&c->instance, base, code, &error, errors);
    c->is_created = true;
    return STATUS_OK;
}

static int make_engine(struct consumer *c)
{
    const struct conf_consume *o = &c->conf;
    const struct consume_options options = {
        .lanes_max = CONSUMER_LANES_MAX,
        .messages_max = (uint32_t)o->in_flight_total + CONSUMER_LANES_MAX,
        .lane_max = (uint32_t)o->in_flight,
        .deliver_max = (uint32_t)o->deliver_max,
        .ahead_max = CONSUMER_AHEAD_MAX,
        .attempts_max = (uint32_t)o->attempts_max,
        .has_dead_letter = o->dead_letter != NULL,
        .handle_timeout_ms = o->handle_timeout_ms,
        .retry_first_ms = o->retry_first_ms,
        .retry_max_ms = o->retry_max_ms,
        .commit_interval_ms = o->commit_interval_ms,
        .commit_messages = (uint32_t)o->commit_messages,
        .writes_max = CONSUMER_WRITES_MAX};

    return consume_create(&c->engine, &options, consumer_perform, c);
}

static int make_parts(struct consumer *c)
{
    const struct conf_consume *o = &c->conf;
    const bool is_aside = c->setup.is_aside;
    const struct hands_setup hands = {.threads = is_aside ? 1 : (uint32_t)o->handlers,
                                      .lanes_max = CONSUMER_LANES_MAX,
                                      .pool = &c->pool,
                                      .is_one_by_one = o->deliver_max == 1 && !is_aside,
                                      .speak_ms = o->handle_timeout_ms / 8 + 1,
                                      .ctx = c,
                                      .holds = on_holds,
                                      .call = on_call,
                                      .waits = on_waits,
                                      .quiet = on_quiet};
    int status;

    c->lane = calloc(CONSUMER_LANES_MAX, sizeof *c->lane);
    c->pending = calloc(CONSUMER_PENDING_MAX, sizeof *c->pending);
    if (c->lane == NULL || c->pending == NULL)
        return STATUS_NOMEM;
    c->store.group = c->group;
    c->store.replicas = (int)c->setup.conf->nats.replicas;
    c->store.ctx = c;
    c->store.answer = on_store_answer;
    c->store.opened = on_store_opened;
    c->store.id = on_store_id;
    c->store.say = on_store_say;
    status = consumer_store_init(&c->store);
    if (status == STATUS_OK)
        status = make_engine(c);
    if (status == STATUS_OK)
        status = hands_create(&c->hands, &hands);
    return status;
}

static struct consumer *take(const struct consumer_setup *setup)
{
    struct consumer *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->setup = *setup;
    c->conf = setup->conf->consume;
    c->group = strdup(setup->conf->group);
    if (c->conf.dead_letter != NULL)
        c->dead_letter = strdup(c->conf.dead_letter);
    message_pool_init(&c->pool);
    must(pthread_mutex_init(&c->end_lock, NULL) == 0);
    worker_cond_init(&c->end_told);
    if (c->group != NULL && (c->conf.dead_letter == NULL || c->dead_letter != NULL) &&
        inlet_init(&c->inlet, CONSUMER_LANES_MAX, (uint32_t)c->conf.in_flight_total,
                   &c->pool) == STATUS_OK)
        return c;
    consumer_destroy(c);
    return NULL;
}

int consumer_create(struct consumer **ret, const struct consumer_setup *setup,
                    struct conf_errors *errors)
{
    struct consumer *c = take(setup);
    int status = STATUS_NOMEM;

    if (c == NULL)
        goto nomem;
    status = load(c, errors);
    if (status != STATUS_OK)
        goto fail;
    status = make_parts(c);
    if (status == STATUS_OK)
        status = threads_start(&c->thread, consumer_run, c);
    if (status != STATUS_OK)
        goto nomem;
    c->has_thread = true;
    *ret = c;
    return STATUS_OK;

nomem:
    conf_errors_add(errors, setup->conf->consume.base.section.line, "[consume]: %s",
                    status_text(status));
fail:
    consumer_destroy(c);
    return status;
}

/* One mistake for all of them: mostly they have one cause. */
static void check_listing(struct consumer *c, const struct listing *listing,
                          struct conf_errors *errors)
{
    char first[PARTID_TEXT_ROOM] = "", why[512] = "";
    uint32_t n = 0;

    if (listing == NULL || c->plugin->fits.fits == NULL)
        return;
    for (uint32_t i = 0; i < listing->n; i++) {
        const struct bytes id = listing->id[i];
        struct parti_error error;

        instance_error_init(&error);
        if (c->plugin->fits.fits(c->self, id.at, id.n, &error) == PARTI_OK || n++ > 0)
            continue;
        (void)partid_encode(id, first, sizeof first);
        (void)snprintf(why, sizeof why, "%s", instance_error_text(&error));
    }
    if (n > 0)
        conf_errors_add(errors, c->conf.base.section.line,
                        "%s: %" PRIu32 " of %" PRIu32
                        " partitions cannot be read, the first is %.150s: %s",
                        c->instance.name, n, listing->n, first, why);
}

int consumer_check(const struct conf *conf, const char *plugin_dir,
                   const struct listing *listing, struct conf_errors *errors)
{
    const struct consumer_setup setup = {.conf = conf, .plugin_dir = plugin_dir};
    struct consumer *c = take(&setup);
    int status = c != NULL ? load(c, errors) : STATUS_NOMEM;

    if (status == STATUS_OK)
        check_listing(c, listing, errors);
    consumer_destroy(c);
    return status;
}

void consumer_end(struct consumer *c)
{
    struct timespec until = clock_after_ms(CONSUMER_END_MS);
    int failed = 0;

    if (c == NULL || !c->has_thread)
        return;
    atomic_store(&c->is_ending, true);
    inlet_put(&c->inlet, inlet_note(NOTE_END, 0, NULL));
    must(pthread_mutex_lock(&c->end_lock) == 0);
    while (!c->has_ended && failed == 0)
        failed = pthread_cond_timedwait(&c->end_told, &c->end_lock, &until);
    c->is_left = !c->has_ended;
    must(pthread_mutex_unlock(&c->end_lock) == 0);
    hands_stop(c->hands);
    c->has_thread = false;
    if (!c->is_left) {
        must(pthread_join(c->thread, NULL) == 0);
        c->is_created = false; /* the thread has destroyed it */
        return;
    }
    const char *call = atomic_load(&c->call);
    log_error("%s does not return from %s(); it is left behind", c->instance.name,
              call != NULL ? call : "a call");
}

static void drop_rest(struct consumer *c)
{
    /* What lies in 'given' has no reference of its own yet. */
    for (uint32_t i = 0; i < c->lanes_used; i++) {
        hands_part_unref(c->lane[i].part);
        if (c->lane[i].later != NULL)
            hands_part_unref(c->lane[i].later->part);
        free(c->lane[i].later);
    }
    if (c->forgotten_n > 0)
        inlet_forget(&c->inlet, c->forgotten, c->forgotten_n);
    c->forgotten_n = 0;
}

void consumer_destroy(struct consumer *c)
{
    if (c == NULL)
        return;
    consumer_end(c);
    if (c->is_left)
        return; /* no thread is ever killed: it keeps what it may still use */
    if (c->is_created)
        c->plugin->consumer.destroy(c->self);
    hands_destroy(c->hands);
    consume_destroy(c->engine); /* forgets its messages */
    drop_rest(c);
    if (c->store.inbox != NULL)
        consumer_store_finish(&c->store);
    if (c->inlet.lane != NULL)
        inlet_finish(&c->inlet);
    message_pool_finish(&c->pool);
    option_conf_free(c->options);
    must(pthread_cond_destroy(&c->end_told) == 0);
    must(pthread_mutex_destroy(&c->end_lock) == 0);
    free(c->group);
    free(c->dead_letter);
    free(c->url);
    free(c->lane);
    free(c->pending);
    free(c->given);
    free(c->forgotten);
    free(c);
}
