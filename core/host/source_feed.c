#include "host/source_feed.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

struct feed {
    struct feed_hub *hub;
    pthread_t thread;
    const struct plugin *plugin;
    struct option_conf *options;
    struct instance instance;

    /* Under the gate. */
    int refs;
    bool is_busy; /* while it is, what stands last below belongs to the thread */
    bool is_ending, has_ended;
    bool is_changed;
    bool is_listing; /* list() may be running: cancel() may be called */
    int canceling;   /* cancel() calls under way: destroy() must wait */
    bool with_list;
    uint64_t budget_ms;

    void *self;
    struct source_sink sink;
    struct feed_result result;
};

int feed_hub_create(struct feed_hub **ret)
{
    struct feed_hub *hub = calloc(1, sizeof *hub);

    if (hub == NULL || gate_init(&hub->gate) != STATUS_OK) {
        free(hub);
        return STATUS_NOMEM;
    }
    hub->refs = 1;
    *ret = hub;
    return STATUS_OK;
}

void feed_hub_release(struct feed_hub *hub)
{
    gate_lock(&hub->gate);
    int left = --hub->refs;
    gate_unlock(&hub->gate);
    if (left > 0)
        return;
    gate_finish(&hub->gate);
    free(hub);
}

void feed_release(struct feed *f)
{
    if (f == NULL)
        return;
    struct feed_hub *hub = f->hub;

    gate_lock(&hub->gate);
    int left = --f->refs;
    gate_unlock(&hub->gate);
    if (left > 0)
        return;
    source_rows_finish(&f->result.rows);
    option_conf_free(f->options);
    free(f);
    feed_hub_release(hub);
}

/* ---- on the thread, the gate unlocked ---------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void tell(struct feed *f, int32_t code,
                                                       int error, const char *format, ...)
{
    char why[SOURCE_TEXT_ROOM - INSTANCE_NAME_ROOM - 32];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    f->result.code = code;
    f->result.error = error;
    (void)snprintf(f->result.text, sizeof f->result.text, "PARTI-E%d %s %s", error,
                   f->instance.name, why);
}

static int error_of(int32_t code)
{
    switch (code) {
    case PARTI_CANCELED:
    case PARTI_TIMEOUT: return ERR_SOURCE_TIMEOUT;
    case PARTI_MISSING: return ERR_SOURCE_MISSING;
    case PARTI_DENIED: return ERR_SOURCE_DENIED;
    default: return ERR_SOURCE_FAILED;
    }
}

/* Codes that a source may answer beside PARTI_OK. */
static bool is_legal(int32_t code)
{
    return (code > PARTI_OK && code < PARTI_BUG) ||
           (code >= PARTI_MISSING && code <= PARTI_TIMEOUT);
}

/* What the plugin answered, when it is not PARTI_OK. */
static void tell_code(struct feed *f, int32_t code, struct parti_error *error,
                      const char *could_not)
{
    const char *text = instance_error_text(error);

    if (is_legal(code)) {
        tell(f, code, error_of(code), "could not %s: %s", could_not, text);
        return;
    }
    f->result.is_broken = true;
    tell(f, code, ERR_SOURCE_BROKEN,
         "answered %s (%d) when asked to %s: %s. It is shut off until this process "
         "starts anew. Tell its author",
         instance_code_name(code), (int)code, could_not, text);
}

static void create(struct feed *f)
{
    const struct parti_source *s = &f->plugin->source;
    struct feed_result *r = &f->result;
    int32_t code = PARTI_OK;

    instance_error_init(&r->said);
    if (s->create != NULL)
        code = s->create(&f->self, &f->instance.table, &f->options->conf, &r->said);
    r->is_created = code == PARTI_OK;
    if (code != PARTI_OK)
        tell_code(f, code, &r->said, "start");
}

static void list(struct feed *f, uint64_t budget_ms)
{
    struct feed_result *r = &f->result;
    struct parti_error error;
    int32_t code;

    instance_error_init(&error);
    source_sink_init(&f->sink, &r->rows);
    code = f->plugin->source.list(f->self, &f->sink.sink, budget_ms, &error);
    f->sink.is_open = false;
    /* Our refusal counts, whatever the plugin made of it. */
    if (f->sink.code == PARTI_BUG || (f->sink.code != PARTI_OK && code == PARTI_OK)) {
        r->is_broken = true;
        tell(f, PARTI_BUG, ERR_SOURCE_BROKEN,
             "broke the rules: %s%s. It is shut off until this process starts anew. Tell "
             "its author",
             f->sink.why,
             f->sink.code == PARTI_BUG ? "" : ", and it went on when that was refused");
    } else if (f->sink.code != PARTI_OK) {
        tell(f, f->sink.code, f->sink.error,
             "was not heard: %s. Correct what it lists, or leave it out", f->sink.why);
    } else if (code != PARTI_OK) {
        tell_code(f, code, &error, "list its partitions");
    } else {
        char why[SOURCE_TEXT_ROOM / 2];
        int status = source_rows_sort(&r->rows, why, sizeof why);

        if (status == STATUS_CONFLICT)
            tell(f, PARTI_BADINPUT, ERR_SOURCE_TWICE,
                 "was not heard: %s. Take one of them out", why);
        else if (status != STATUS_OK)
            tell(f, PARTI_NOMEM, ERR_SOURCE_FAILED,
                 "was not heard: there is no memory to sort its list. Give this process "
                 "more, or list fewer partitions");
    }
    if (r->code != PARTI_OK)
        source_rows_finish(&r->rows);
}

static void perform(struct feed *f)
{
    struct gate *gate = &f->hub->gate;

    f->result.code = PARTI_OK;
    f->result.error = 0;
    f->result.text[0] = '\0';
    source_rows_finish(&f->result.rows);
    if (!f->result.is_created)
        create(f);
    if (f->result.code != PARTI_OK || !f->with_list)
        return;
    gate_lock(gate);
    f->is_listing = true;
    gate_unlock(gate);
    list(f, f->budget_ms);
    gate_lock(gate);
    f->is_listing = false;
    gate_unlock(gate);
}

static void *run(void *ctx)
{
    struct feed *f = ctx;
    struct gate *gate = &f->hub->gate;

    gate_lock(gate);
    while (!f->is_ending) {
        if (!f->is_busy) {
            (void)gate_wait(gate, UINT64_MAX);
            continue;
        }
        gate_unlock(gate);
        perform(f);
        gate_lock(gate);
        f->is_busy = false;
        gate_tell(gate);
    }
    while (f->canceling > 0)
        (void)gate_wait(gate, UINT64_MAX);
    gate_unlock(gate);
    if (f->result.is_created && f->plugin->source.destroy != NULL)
        f->plugin->source.destroy(f->self);
    gate_lock(gate);
    f->has_ended = true;
    gate_tell(gate);
    gate_unlock(gate);
    feed_release(f);
    return NULL;
}

/* ---- from outside ------------------------------------------------------------------ */

/* Called by the plugin, on any thread, until destroy() has returned. */
static void on_changed(void *ctx)
{
    struct feed *f = ctx;

    gate_lock(&f->hub->gate);
    f->is_changed = true;
    gate_tell(&f->hub->gate);
    gate_unlock(&f->hub->gate);
}

int feed_create(struct feed_hub *hub, const struct plugin *plugin,
                struct option_conf *options, struct feed **ret)
{
    struct feed *f = calloc(1, sizeof *f);

    if (f == NULL) {
        option_conf_free(options);
        return STATUS_NOMEM;
    }
    f->hub = hub;
    f->plugin = plugin;
    f->options = options;
    f->refs = 2; /* the caller's and the thread's */
    instance_init(&f->instance, options->conf.section, plugin->name, on_changed, f);
    gate_lock(&hub->gate);
    hub->refs++;
    gate_unlock(&hub->gate);
    int status = threads_start(&f->thread, run, f);
    if (status != STATUS_OK) {
        f->refs--;
        feed_release(f);
        return status;
    }
    *ret = f;
    return STATUS_OK;
}

const char *feed_name(const struct feed *f)
{
    return f->instance.name;
}

void feed_begin(struct feed *f, bool with_list, uint64_t budget_ms)
{
    must(!f->is_busy);
    f->is_busy = true;
    f->with_list = with_list;
    f->budget_ms = budget_ms;
    instance_stop(&f->instance, false);
    instance_deadline(&f->instance, threads_now_ms() + budget_ms);
    gate_tell(&f->hub->gate);
}

bool feed_is_busy(const struct feed *f)
{
    return f->is_busy;
}

struct feed_result *feed_result(struct feed *f)
{
    must(!f->is_busy);
    return &f->result;
}

bool feed_take_changed(struct feed *f)
{
    bool yes = f->is_changed;

    f->is_changed = false;
    return yes;
}

void feed_cancel(struct feed *f)
{
    instance_stop(&f->instance, true);
    if (!f->is_listing || f->plugin->source.cancel == NULL)
        return;
    f->canceling++;
    gate_unlock(&f->hub->gate);
    f->plugin->source.cancel(f->self);
    gate_lock(&f->hub->gate);
    f->canceling--;
    gate_tell(&f->hub->gate);
}

void feed_end(struct feed *f)
{
    f->is_ending = true;
    gate_tell(&f->hub->gate);
}

void feed_wait_end(struct feed *f, uint64_t deadline_ms)
{
    while (!f->has_ended && threads_now_ms() < deadline_ms)
        (void)gate_wait(&f->hub->gate, deadline_ms);
    if (!f->has_ended) {
        (void)pthread_detach(f->thread);
        return;
    }
    gate_unlock(&f->hub->gate);
    (void)pthread_join(f->thread, NULL);
    gate_lock(&f->hub->gate);
}
