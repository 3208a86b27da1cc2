/* The implementation of sdk/parti.h: one worker of a group in this process. */
#include "host/worker.h"

#include "base/errors.h"
#include "base/status.h"
#include "edge/clock.h"
#include "host/worker_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT_REASON "the application does not take its events"
#define CUT_TEXT                                                     \
    "the application does not take its events; this worker gave up " \
    "everything and left"

/* ---- what is held
 * ------------------------------------------------------------------------
 *
 * word[slot] is serial * 2 + 1 while the grant with that serial is held.  A hold is good
 * while its word says so and the deadline has not passed; both are plain atomics, so the
 * check costs two loads and one read of the clock. */

bool worker_holds(const struct parti_worker *w, struct parti_hold hold,
                  uint64_t *ret_now_ns)
{
    uint64_t deadline_ns, word;

    if (hold.slot >= WORKER_PARTS_MAX)
        return false;
    /* The deadline first: a later one is stored only after the words that it does not
     * speak for are cleared, so an old word can never meet a new deadline. */
    deadline_ns = atomic_load_explicit(&w->deadline_ns, memory_order_acquire);
    word = atomic_load_explicit(&w->word[hold.slot], memory_order_acquire);
    if (word != (uint64_t)hold.serial * 2 + 1)
        return false;
    *ret_now_ns = clock_boot_ns();
    return *ret_now_ns < deadline_ns;
}

int parti_holds(const struct parti_worker *w, struct parti_hold hold)
{
    uint64_t now_ns;

    return worker_holds(w, hold, &now_ns);
}

static void clear_words(struct parti_worker *w)
{
    for (uint32_t i = 0; i < w->word_n; i++)
        atomic_store_explicit(&w->word[i], 0, memory_order_release);
    w->word_n = 0;
    w->is_fenced = false;
}

/* Rights for the partitions of an action, in their order; NULL: no memory. */
static const struct parti_hold *holds_of(struct parti_worker *w, const struct action *a)
{
    if (a->parts.n > w->hold_room) {
        struct parti_hold *more = realloc(w->hold, a->parts.n * sizeof *more);

        if (more == NULL)
            return NULL;
        w->hold = more;
        w->hold_room = a->parts.n;
    }
    for (uint32_t i = 0; i < a->parts.n; i++) {
        uint32_t slot = a->parts.part[i].slot;

        if (a->type == ACT_GRANTED) {
            w->serial = w->serial == UINT32_MAX ? 1 : w->serial + 1;
            atomic_store_explicit(&w->word[slot], (uint64_t)w->serial * 2 + 1,
                                  memory_order_release);
            w->word_n = slot >= w->word_n ? slot + 1 : w->word_n;
        }
        w->hold[i].slot = slot;
        w->hold[i].serial = (uint32_t)(atomic_load(&w->word[slot]) / 2);
        if (a->type == ACT_RELEASED)
            atomic_store_explicit(&w->word[slot], 0, memory_order_release);
    }
    return w->hold;
}

static void on_hold(struct parti_worker *w, uint64_t until_ms)
{
    uint64_t ns = until_ms >= UINT64_MAX / CLOCK_NS_PER_MS ? UINT64_MAX
                                                           : until_ms * CLOCK_NS_PER_MS;

    /* What was held before a fence is not held again by a later deadline. */
    if (w->is_fenced)
        clear_words(w);
    atomic_store_explicit(&w->deadline_ns, ns, memory_order_release);
    if (w->callbacks.lease != NULL)
        w->callbacks.lease(w->callbacks.ctx, ns);
}

/* ---- state
 * ------------------------------------------------------------------------------- */

static void set_state(struct parti_worker *w, enum parti_state state)
{
    (void)pthread_mutex_lock(&w->lock);
    w->state = state;
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
    atomic_store(&w->degraded_ms, state == PARTI_DEGRADED ? clock_boot_ms() : 0);
}

static void set_id(struct parti_worker *w, const char *id)
{
    (void)pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < w->ids_n; i++) {
        if (strcmp(w->ids[i], id) == 0) {
            w->id = w->ids[i];
            (void)pthread_mutex_unlock(&w->lock);
            return;
        }
    }
    /* Texts of parti_id() live as long as the worker: each id is kept once. */
    if (w->ids_n < WORKER_IDS_KEPT) {
        bytes_to_text(bytes_of(id), w->ids[w->ids_n], ID_ROOM);
        w->id = w->ids[w->ids_n++];
    }
    (void)pthread_mutex_unlock(&w->lock);
}

/* ---- what the loop wants
 * --------------------------------------------------------------------- */

/* An action that the application cannot be told of.  A revoke among them would never be
 * answered, and a grant never given up, so nothing is held from this instant on, the
 * application is told so with what is reserved for it, and the group finds this worker
 * silent: no release is reported that did not happen. */
static void cut(struct parti_worker *w)
{
    uint64_t now_ns = clock_boot_ns();

    w->is_cut = true;
    atomic_store_explicit(&w->deadline_ns, 0, memory_order_release);
    clear_words(w);
    if (w->callbacks.lease != NULL)
        w->callbacks.lease(w->callbacks.ctx, now_ns);
    worker_consume_fence(w);
    log_error("PARTI-E%03d %s", (int)ERR_EVENTS_UNTAKEN, CUT_TEXT);
    sources_watch(w->sources, false);
    dispatch_cut(w->dispatch, CUT_REASON, now_ns);
    loop_quit(w->loop);
}

static void deliver(struct parti_worker *w, const struct action *a,
                    const struct parti_hold *hold)
{
    if (dispatch_put(w->dispatch, a, hold) < 0)
        cut(w);
}

static void on_parts(struct parti_worker *w, const struct action *a)
{
    const struct parti_hold *hold = holds_of(w, a);

    if (hold == NULL) {
        cut(w);
        return;
    }
    if (w->consumer != NULL)
        worker_consume_parts(w, a, hold);
    deliver(w, a, hold);
    if (a->type == ACT_REVOKING && w->callbacks.revoking == NULL)
        parti_released(w, a->parts.epoch); /* nobody who could object */
}

static void on_plan(struct parti_worker *w, const struct plan_request *request)
{
    if (strategy_submit(w->strategy, request) < 0)
        loop_plan_failed(w->loop, request->plan, STATUS_NOMEM,
                         "there is no memory to ask the strategy");
}

static void on_stopped(struct parti_worker *w)
{
    atomic_store(&w->deadline_ns, 0);
    set_state(w, PARTI_SHUTDOWN);
    dispatch_stopped(w->dispatch, w->is_cut ? ERR_EVENTS_UNTAKEN : 0,
                     w->is_cut ? CUT_TEXT : "");
}

static void perform(void *ctx, const struct action *a)
{
    struct parti_worker *w = ctx;

    if (w->is_cut && a->type != ACT_STOPPED)
        return;
    switch (a->type) {
    case ACT_LEAD: sources_watch(w->sources, a->lead.is_on); break;
    case ACT_LIST: sources_ask(w->sources, a->list.commanded); break;
    case ACT_PLAN: on_plan(w, a->plan); break;
    case ACT_HOLD: on_hold(w, a->hold.until_ms); break;
    case ACT_GRANTED:
    case ACT_REVOKING:
    case ACT_RELEASED: on_parts(w, a); break;
    case ACT_FENCED:
        w->is_fenced = true;
        worker_consume_fence(w);
        deliver(w, a, NULL);
        break;
    case ACT_STATE:
        set_state(w, (enum parti_state)a->state.to);
        deliver(w, a, NULL);
        break;
    case ACT_ID:
        set_id(w, a->id.id);
        deliver(w, a, NULL);
        break;
    case ACT_LEADER:
    case ACT_ERROR: deliver(w, a, NULL); break;
    case ACT_TRACE: log_debug("%s", a->trace); break;
    case ACT_STOPPED: on_stopped(w); break;
    case ACT_SEND:
    case ACT_LOG_INFO:
    case ACT_LOG_READ:
    case ACT_LOG_WRITE:
    case ACT_REFRESHED: break;
    }
}

void worker_problem(void *ctx, int code, const char *text)
{
    struct parti_worker *w = ctx;

    (void)dispatch_error(w->dispatch, code, text);
}

static void on_connected(void *ctx, const char *server)
{
    (void)ctx;
    log_info("connected again to %s", server);
}

static void tick(void *ctx)
{
    struct parti_worker *w = ctx;
    uint64_t since = atomic_load(&w->degraded_ms);

    alert_check(&w->alert, &w->conf.timing, since, clock_boot_ms());
    if (w->consumer != NULL)
        worker_consume_watch(w);
}

/* ---- what strategy and sources answer
 * ----------------------------------------------------------- */

/* What sources and strategies say begins with its code, which callbacks have apart. */
static const char *without_code(int code, const char *text)
{
    char prefix[32];
    int n = snprintf(prefix, sizeof prefix, "PARTI-E%d ", code);

    return strncmp(text, prefix, (size_t)n) == 0 ? text + n : text;
}

static void on_planned(void *ctx, const struct plan_result *r)
{
    struct parti_worker *w = ctx;

    if (r->status == STATUS_OK) {
        loop_planned(w->loop, r->plan, r->keep, r->owner, r->n);
        return;
    }
    if (r->code != 0)
        (void)dispatch_error(w->dispatch, r->code, without_code(r->code, r->text));
    loop_plan_failed(w->loop, r->plan, r->status, r->code != 0 ? r->text : "");
}

static void drop_listing(void *owner)
{
    listing_unref(owner);
}

static void on_listed(void *ctx, const struct source_result *r)
{
    struct parti_worker *w = ctx;

    if (r->status != STATUS_OK) {
        if (r->is_news)
            (void)dispatch_error(w->dispatch, r->code, without_code(r->code, r->text));
        loop_list_failed(w->loop, r->text);
        return;
    }
    struct loop_listing listing = {.n = r->listing->n,
                                   .id = r->listing->id,
                                   .weight = r->listing->weight,
                                   .commanded = r->commanded,
                                   .owner = listing_ref(r->listing),
                                   .drop = drop_listing};

    loop_listed(w->loop, &listing);
}

/* ---- parti.h
 * ----------------------------------------------------------------------------------------
 */

static int start(struct parti_worker *w, const struct parti_options *options, char *text,
                 size_t room)
{
    struct strategy_setup strategy = {.conf = &w->conf.strategy,
                                      .plugin_dir = w->plugin_dir,
                                      .done = on_planned,
                                      .ctx = w};
    struct sources_setup sources = {.source = w->conf.source,
                                    .source_n = w->conf.source_n,
                                    .plugin_dir = w->plugin_dir,
                                    .budget_ms = w->conf.timing.operation_timeout_ms,
                                    .done = on_listed,
                                    .ctx = w};
    struct loop_options loop = {.ctx = w,
                                .perform = perform,
                                .problem = worker_problem,
                                .connected = on_connected,
                                .server = worker_consume_link,
                                .tick = tick};
    char why[WORKER_TEXT_ROOM];
    int status;

    status = strategy_create(&strategy, &w->conf.errors, &w->strategy);
    if (status == 0)
        status = sources_create(&sources, &w->conf.errors, &w->sources);
    if (status < 0) {
        worker_errors_text(&w->conf, text, room);
        return status == STATUS_NOMEM ? PARTI_ERR_MEMORY : PARTI_ERR_CONFIG;
    }
    status = dispatch_create(&w->dispatch, options->callbacks,
                             w->conf.worker.revoke_timeout_ms);
    if (status < 0)
        return PARTI_ERR_MEMORY;
    status = worker_consume_start(w, text, room);
    if (status < 0)
        return status;
    status = worker_loop_options(&w->conf, strategy_name(w->strategy), &w->setup, &loop,
                                 text, room);
    if (status < 0)
        return PARTI_ERR_CONFIG;
    w->nats = loop.nats;
    w->nats.name = w->setup.positions_name;
    status = loop_create(&w->loop, &loop, why, sizeof why);
    if (status == STATUS_INVALID)
        (void)snprintf(text, room, "PARTI-E%d %s", ERR_NATS_OPTIONS, why);
    else if (status < 0)
        bytes_to_text(bytes_of(why), text, room);
    if (status == STATUS_NOMEM)
        return PARTI_ERR_MEMORY;
    if (status < 0)
        return status == STATUS_INVALID ? PARTI_ERR_CONFIG : PARTI_ERR_OFFLINE;
    if (!w->conf.nats.embedded)
        worker_consume_link(w, w->conf.nats.url);
    return 0;
}

int worker_create(struct parti_worker **ret_worker, const struct parti_options *options,
                  aside_over over, char *text, size_t room)
{
    struct parti_worker *w = calloc(1, sizeof *w);
    int status;

    bytes_to_text(bytes_of("out of memory"), text, room);
    if (w == NULL)
        return PARTI_ERR_MEMORY;
    w->over = over;
    (void)pthread_mutex_init(&w->lock, NULL);
    worker_cond_init(&w->changed);
    w->id = "";
    w->word = worker_words_map();
    if (w->word == NULL) {
        parti_destroy(w);
        return PARTI_ERR_MEMORY;
    }
    if (options->callbacks != NULL)
        memcpy(&w->callbacks, options->callbacks,
               options->callbacks->size < sizeof w->callbacks ? options->callbacks->size
                                                              : sizeof w->callbacks);
    status = conf_load(&w->conf, options->config);
    if (status == 0 && options->server != NULL) {
        char why[256];

        if (conf_url_set(&w->conf, options->server, why, sizeof why) < 0) {
            (void)snprintf(text, room, "server '%s': %s", options->server, why);
            parti_destroy(w);
            return PARTI_ERR_CONFIG;
        }
    }
    w->plugin_dir =
        options->plugin_dir != NULL ? options->plugin_dir : w->conf.plugin_dir;
    if (status < 0) {
        worker_errors_text(&w->conf, text, room);
        status = status == STATUS_NOMEM ? PARTI_ERR_MEMORY : PARTI_ERR_CONFIG;
    } else {
        status = start(w, options, text, room);
    }
    if (status < 0) {
        parti_destroy(w);
        return status;
    }
    *ret_worker = w;
    dispatch_begin(w->dispatch); /* from now on a callback may use *ret_worker */
    return 0;
}

int parti_create(struct parti_worker **ret_worker, const struct parti_options *options,
                 char *text, size_t room)
{
    return worker_create(ret_worker, options, NULL, text, room);
}

void parti_destroy(struct parti_worker *w)
{
    if (w == NULL)
        return;
    /* Nobody is called back by what is gone: first the loop stops asking, then those who
     * answer it end, then it goes. */
    loop_end(w->loop);
    consumer_end(w->consumer);
    strategy_destroy(w->strategy);
    sources_destroy(w->sources);
    dispatch_destroy(w->dispatch); /* its last callbacks may still speak to the loop */
    loop_destroy(w->loop);
    consumer_destroy(w->consumer);
    release_destroy(w->release);
    worker_words_unmap(w->word);
    worker_setup_finish(&w->setup);
    conf_finish(&w->conf);
    free(w->hold);
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

void parti_released(struct parti_worker *w, uint64_t epoch)
{
    if (w->release != NULL)
        release_application(w->release, epoch);
    else
        loop_released(w->loop, epoch);
}

uint64_t parti_event_ns(const struct parti_worker *w)
{
    return dispatch_event_ns(w->dispatch);
}

const char *parti_id(const struct parti_worker *worker)
{
    struct parti_worker *w = (struct parti_worker *)(uintptr_t)worker; /* for the lock */
    const char *id;

    (void)pthread_mutex_lock(&w->lock);
    id = w->id;
    (void)pthread_mutex_unlock(&w->lock);
    return id;
}

enum parti_state parti_state(const struct parti_worker *worker)
{
    struct parti_worker *w = (struct parti_worker *)(uintptr_t)worker; /* for the lock */
    enum parti_state state;

    (void)pthread_mutex_lock(&w->lock);
    state = w->state;
    (void)pthread_mutex_unlock(&w->lock);
    return state;
}

const char *parti_state_name(enum parti_state state)
{
    return life_name((enum life_state)state);
}

int parti_wait(struct parti_worker *w, enum parti_state state, uint64_t timeout_ms)
{
    struct timespec until = clock_after_ms(timeout_ms);
    int rc = 0;

    (void)pthread_mutex_lock(&w->lock);
    while (w->state != state && rc == 0)
        rc = pthread_cond_timedwait(&w->changed, &w->lock, &until);
    rc = w->state == state ? 0 : PARTI_ERR_TIMEOUT;
    (void)pthread_mutex_unlock(&w->lock);
    return rc;
}

void parti_refresh(struct parti_worker *w)
{
    loop_refresh(w->loop);
}

void parti_stop(struct parti_worker *w, int restart)
{
    loop_stop(w->loop, restart != 0);
}
