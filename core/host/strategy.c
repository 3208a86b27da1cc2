#include "host/strategy.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "host/log.h"
#include "host/strategy_engine.h"
#include "host/strategy_judge.h"
#include "host/threads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CANCELED_MAX = 64 }; /* plans given up while one call runs */

struct strategy {
    struct gate gate;
    pthread_t keeper;
    void (*done)(void *ctx, const struct plan_result *result);
    void *ctx;
    struct strategy_policy policy;
    uint64_t limit_ms;
    char *name;
    struct strategy_thread *thread; /* one of the two */
    struct strategy_child *child;

    /* Under the lock. */
    struct strategy_world *pending;
    uint64_t canceled[CANCELED_MAX];
    size_t canceled_n;
    bool is_busy;
    bool is_ending;

    /* The keeper's. */
    uint32_t crashes; /* in a row */
    int fault;        /* nonzero: shut off, for this reason */
    int fault_status;
    char text[STRATEGY_TEXT_ROOM];
    char fault_text[STRATEGY_TEXT_ROOM];
};

/* ---- answers ----------------------------------------------------------------------- */

__attribute__((format(printf, 5, 6))) static void fail(struct strategy *s,
                                                       struct plan_result *r, int status,
                                                       int code, const char *format, ...)
{
    char why[STRATEGY_TEXT_ROOM - 128];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    (void)snprintf(s->text, sizeof s->text, "PARTI-E%d strategy %s %s", code, s->name,
                   why);
    r->status = status;
    r->code = code;
    r->text = s->text;
}

/* The fault that fail() has just told is for good. */
static void shut_off(struct strategy *s, struct plan_result *r)
{
    s->fault = r->code;
    s->fault_status = r->status;
    memcpy(s->fault_text, s->text, sizeof s->fault_text);
    r->text = s->fault_text;
    r->is_shut_off = true;
    log_error("%s", s->fault_text);
}

static void answer_owners(struct strategy *s, struct plan_result *r,
                          const struct engine_outcome *o)
{
    const struct parti_world *w = &o->world->world;
    struct judgement j;
    char why[160];

    if (judge_check(w, o->owner, why, sizeof why) != STATUS_OK) {
        fail(s, r, STATUS_BUG, ERR_STRATEGY_BROKEN,
             "broke the rules: %s. It is shut off until this process starts anew; the "
             "last good assignment stays. Tell its author, or name another [strategy]",
             why);
        shut_off(s, r);
        return;
    }
    if (judge_answer(w, o->owner, &j) != STATUS_OK) {
        fail(s, r, STATUS_NOMEM, ERR_STRATEGY_FAILED,
             "was not heard: there is no memory to judge its answer");
        return;
    }
    for (uint64_t i = 0; i < w->part_n; i++)
        o->owner[i] = o->world->order[o->owner[i]];
    r->n = (uint32_t)w->part_n;
    r->owner = o->owner;
    r->moved = j.moved;
    r->moved_least = j.moved_least;
    r->max_over_mean = j.max_over_mean;
}

static void answer_keep(struct strategy *s, struct plan_result *r,
                        const struct engine_outcome *o)
{
    const struct parti_world *w = &o->world->world;
    uint64_t homeless = judge_homeless(w);

    if (homeless > 0) {
        fail(s, r, STATUS_INVALID, ERR_STRATEGY_FAILED,
             "wants to keep everything where it is, but %" PRIu64
             " partitions have no worker or one that leaves",
             homeless);
        return;
    }
    for (uint64_t i = 0; i < w->part_n; i++)
        o->owner[i] = strategy_world_held(w, i);
    r->keep = true;
    answer_owners(s, r, o);
}

static void answer_code(struct strategy *s, struct plan_result *r,
                        struct engine_outcome *o, bool was_stopped)
{
    const char *text = instance_error_text(&o->error);

    s->crashes = 0;
    switch (o->code) {
    case PARTI_OK: answer_owners(s, r, o); return;
    case PARTI_KEEP: answer_keep(s, r, o); return;
    case PARTI_CANCELED:
        if (was_stopped) {
            r->status = STATUS_CANCELED;
        } else if (o->took_us / 1000 >= s->limit_ms) {
            fail(s, r, STATUS_TIMEOUT, ERR_STRATEGY_TIMEOUT,
                 "gave up at its time limit of %" PRIu64
                 " ms; the last good assignment stays. Raise [strategy] time_limit",
                 s->limit_ms);
        } else {
            fail(s, r, STATUS_CANCELED, ERR_STRATEGY_FAILED,
                 "gave up though nobody asked it to: %s", text);
        }
        return;
    case PARTI_RETRY:
    case PARTI_BADCONF:
    case PARTI_BADINPUT:
    case PARTI_NOMEM:
    case PARTI_UNSUPPORTED:
        fail(s, r,
             o->code == PARTI_NOMEM      ? STATUS_NOMEM
             : o->code == PARTI_BADINPUT ? STATUS_INVALID
                                         : STATUS_IO,
             ERR_STRATEGY_FAILED,
             "could not make a plan (%s): %s. The last good assignment stays",
             instance_code_name(o->code), text);
        return;
    default:
        fail(s, r, STATUS_BUG, ERR_STRATEGY_BROKEN,
             "answered %s (%" PRId32
             "): %s. It is shut off until this process starts anew; the last good "
             "assignment stays. Tell its author, or name another [strategy]",
             instance_code_name(o->code), o->code, text);
        shut_off(s, r);
    }
}

static void answer_overtime(struct strategy *s, struct plan_result *r)
{
    if (s->thread != NULL) {
        fail(s, r, STATUS_TIMEOUT, ERR_STRATEGY_TIMEOUT,
             "did not return within %" PRIu64
             " ms and %d ms grace. Its thread is abandoned and it is shut off until this "
             "process starts anew; the last good assignment stays. Raise [strategy] "
             "time_limit, or set isolation = process",
             s->limit_ms, ENGINE_GRACE_MS);
        shut_off(s, r);
        return;
    }
    fail(s, r, STATUS_TIMEOUT, ERR_STRATEGY_TIMEOUT,
         "did not return within %" PRIu64
         " ms and %d ms grace; its process was killed (%" PRIu32
         " of %d failures in a row before it is shut off). The last good assignment "
         "stays. Raise [strategy] time_limit",
         s->limit_ms, ENGINE_GRACE_MS, ++s->crashes, ENGINE_CRASHES_MAX);
    if (s->crashes >= ENGINE_CRASHES_MAX)
        shut_off(s, r);
}

static void answer_crash(struct strategy *s, struct plan_result *r,
                         struct engine_outcome *o)
{
    fail(
        s, r, STATUS_BUG, ERR_STRATEGY_CRASHED,
        "failed: %s (%" PRIu32
        " of %d failures in a row before it is shut off). The last good assignment stays",
        instance_error_text(&o->error), ++s->crashes, ENGINE_CRASHES_MAX);
    if (s->crashes >= ENGINE_CRASHES_MAX)
        shut_off(s, r);
}

/* ---- the keeper -------------------------------------------------------------------- */

static bool was_stopped(struct strategy *s)
{
    gate_lock(&s->gate);
    bool yes = s->pending != NULL || s->is_ending;
    gate_unlock(&s->gate);
    return yes;
}

static void run_plan(struct strategy *s, struct strategy_world *world,
                     struct plan_result *r)
{
    struct engine_outcome o;

    if (s->thread != NULL)
        strategy_thread_run(s->thread, world, s->limit_ms, &o);
    else
        strategy_child_run(s->child, world, s->limit_ms, &o);
    r->took_us = o.took_us;
    switch (o.end) {
    case ENGINE_ANSWERED: answer_code(s, r, &o, was_stopped(s)); break;
    case ENGINE_STOPPED: r->status = STATUS_CANCELED; break;
    case ENGINE_OVERTIME: answer_overtime(s, r); break;
    case ENGINE_CRASHED: answer_crash(s, r, &o); break;
    case ENGINE_NOMEM:
        fail(s, r, STATUS_NOMEM, ERR_STRATEGY_FAILED,
             "was not asked: there is no memory for the question");
        break;
    }
}

static void answer(struct strategy *s, struct strategy_world *world)
{
    struct plan_result r = {.plan = world->plan, .text = ""};

    if (s->fault != 0) {
        r.status = s->fault_status;
        r.code = s->fault;
        r.text = s->fault_text;
        r.is_shut_off = true;
        strategy_world_destroy(world);
    } else if (!world->can_place) {
        fail(s, &r, STATUS_INVALID, ERR_STRATEGY_NOBODY,
             "was not asked: there is no worker that could be given partitions");
        strategy_world_destroy(world);
    } else {
        run_plan(s, world, &r);
    }
    s->done(s->ctx, &r);
}

static void stop_engine(struct strategy *s, bool is_wanted)
{
    if (s->thread != NULL)
        strategy_thread_stop(s->thread, is_wanted);
    else
        strategy_child_stop(s->child, is_wanted);
}

static void *keep(void *ctx)
{
    struct strategy *s = ctx;
    uint64_t canceled[CANCELED_MAX];

    gate_lock(&s->gate);
    while (!s->is_ending) {
        struct strategy_world *world = s->pending;
        size_t n = s->canceled_n;

        if (world == NULL && n == 0) {
            (void)gate_wait(&s->gate, UINT64_MAX);
            continue;
        }
        memcpy(canceled, s->canceled, n * sizeof *canceled);
        s->canceled_n = 0;
        s->pending = NULL;
        s->is_busy = world != NULL;
        stop_engine(s, false);
        gate_unlock(&s->gate);
        for (size_t i = 0; i < n; i++)
            s->done(s->ctx, &(struct plan_result){.plan = canceled[i],
                                                  .status = STATUS_CANCELED,
                                                  .text = "",
                                                  .is_shut_off = s->fault != 0});
        if (world != NULL)
            answer(s, world);
        gate_lock(&s->gate);
        s->is_busy = false;
    }
    gate_unlock(&s->gate);
    return NULL;
}

/* ---- from outside ------------------------------------------------------------------ */

static int start_engine(struct strategy *s, const struct strategy_setup *setup,
                        struct conf_errors *errors)
{
    const struct plugin *plugin = NULL;
    struct option_conf *options = NULL;
    int status = instance_load(setup->conf, setup->plugin_dir, PLUGIN_STRATEGY, errors,
                               &plugin, &options);

    if (status != STATUS_OK)
        return status;
    s->name = strdup(plugin->name);
    if (s->name == NULL) {
        option_conf_free(options);
        conf_errors_add(errors, 0, "%s", status_text(STATUS_NOMEM));
        return STATUS_NOMEM;
    }
    if (setup->conf->isolation == CONF_ISOLATION_PROCESS)
        return strategy_child_create(setup->host_program, plugin, options, setup->conf,
                                     errors, &s->child);
    return strategy_thread_create(plugin, options, setup->conf, errors, &s->thread);
}

int strategy_create(const struct strategy_setup *setup, struct conf_errors *errors,
                    struct strategy **ret)
{
    struct strategy *s = calloc(1, sizeof *s);
    int status = STATUS_NOMEM;

    if (s == NULL || gate_init(&s->gate) != STATUS_OK) {
        conf_errors_add(errors, 0, "%s", status_text(status));
        free(s);
        return status;
    }
    s->done = setup->done;
    s->ctx = setup->ctx;
    s->policy = setup->policy;
    s->limit_ms = setup->conf->time_limit_ms;
    status = start_engine(s, setup, errors);
    if (status != STATUS_OK)
        goto fail;
    status = threads_start(&s->keeper, keep, s);
    if (status != STATUS_OK) {
        conf_errors_add(errors, 0, "no thread can be started");
        goto fail;
    }
    *ret = s;
    return STATUS_OK;
fail:
    strategy_thread_destroy(s->thread);
    strategy_child_destroy(s->child);
    gate_finish(&s->gate);
    free(s->name);
    free(s);
    return status;
}

int strategy_submit(struct strategy *s, const struct plan_request *request)
{
    struct strategy_world *world = NULL;
    int status = strategy_world_create(request, &s->policy, &world);

    if (status != STATUS_OK)
        return status;
    gate_lock(&s->gate);
    if (s->pending != NULL) {
        if (s->canceled_n == CANCELED_MAX) {
            gate_unlock(&s->gate);
            strategy_world_destroy(world);
            return STATUS_LIMIT;
        }
        s->canceled[s->canceled_n++] = s->pending->plan;
        strategy_world_destroy(s->pending);
    }
    s->pending = world;
    if (s->is_busy)
        stop_engine(s, true);
    gate_tell(&s->gate);
    gate_unlock(&s->gate);
    return STATUS_OK;
}

void strategy_destroy(struct strategy *s)
{
    if (s == NULL)
        return;
    gate_lock(&s->gate);
    s->is_ending = true;
    gate_tell(&s->gate);
    gate_unlock(&s->gate);
    if (s->thread != NULL)
        strategy_thread_hurry(s->thread);
    else
        strategy_child_stop(s->child, true);
    (void)pthread_join(s->keeper, NULL);
    strategy_thread_destroy(s->thread);
    strategy_child_destroy(s->child);
    strategy_world_destroy(s->pending);
    gate_finish(&s->gate);
    free(s->name);
    free(s);
}

const char *strategy_name(const struct strategy *s)
{
    return s->name;
}
