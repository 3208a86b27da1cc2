/* A strategy on a thread of this process, which is abandoned when it does not return. */
#include "host/strategy_engine.h"

#include "base/must.h"
#include "base/status.h"
#include "host/threads.h"

#include <stdlib.h>

enum job { JOB_NONE, JOB_CREATE, JOB_ASSIGN, JOB_DESTROY };

/* Shared by the keeper and the thread; the last of the two frees it.  While a job is set,
 * what lies below it belongs to the thread alone; the keeper takes it back when the job
 * is JOB_NONE again.  Once abandoned it belongs to the thread for good. */
struct strategy_thread {
    struct gate gate;
    pthread_t thread;
    const struct plugin *plugin;
    uint64_t hurry_ms; /* no call is waited for beyond this; UINT64_MAX */
    int refs;
    bool is_abandoned;
    struct instance instance; /* its stop flag and deadline are atomic */
    enum job job;

    struct option_conf *options;
    void *self;
    bool is_created;
    struct strategy_world *world;
    uint32_t *owner;
    uint64_t owner_room;
    int32_t code;
    struct parti_error error;
};

static void release(struct strategy_thread *t)
{
    gate_lock(&t->gate);
    int left = --t->refs;
    gate_unlock(&t->gate);
    if (left > 0)
        return;
    strategy_world_destroy(t->world);
    option_conf_free(t->options);
    free(t->owner);
    gate_finish(&t->gate);
    free(t);
}

/* On the thread, without the lock. */
static void perform(struct strategy_thread *t, enum job job)
{
    const struct parti_strategy *s = &t->plugin->strategy;

    instance_error_init(&t->error);
    switch (job) {
    case JOB_CREATE:
        t->code = s->create == NULL ? PARTI_OK
                                    : s->create(&t->self, &t->instance.table,
                                                &t->options->conf, &t->error);
        t->is_created = t->code == PARTI_OK;
        break;
    case JOB_ASSIGN:
        t->code = s->assign(t->self, &t->world->world, t->owner, &t->error);
        break;
    case JOB_DESTROY:
        if (t->is_created && s->destroy != NULL)
            s->destroy(t->self);
        t->is_created = false;
        break;
    case JOB_NONE: break;
    }
}

static void *run(void *ctx)
{
    struct strategy_thread *t = ctx;
    enum job job;

    gate_lock(&t->gate);
    do {
        while (t->job == JOB_NONE)
            (void)gate_wait(&t->gate, UINT64_MAX);
        job = t->job;
        gate_unlock(&t->gate);
        perform(t, job);
        gate_lock(&t->gate);
        t->job = JOB_NONE;
        gate_tell(&t->gate);
    } while (job != JOB_DESTROY && !t->is_abandoned);
    gate_unlock(&t->gate);
    if (job != JOB_DESTROY)
        perform(t, JOB_DESTROY); /* abandoned, and back after all */
    release(t);
    return NULL;
}

static uint64_t limit(const struct strategy_thread *t, uint64_t deadline_ms)
{
    return deadline_ms < t->hurry_ms ? deadline_ms : t->hurry_ms;
}

/* Gives the thread a job and waits for its end: false when it did not come in time, and
 * then the thread is on its own. */
static bool do_job(struct strategy_thread *t, enum job job, uint64_t deadline_ms)
{
    gate_lock(&t->gate);
    must(t->job == JOB_NONE && !t->is_abandoned);
    t->job = job;
    gate_tell(&t->gate);
    while (t->job != JOB_NONE && threads_now_ms() < limit(t, deadline_ms))
        (void)gate_wait(&t->gate, limit(t, deadline_ms));
    bool is_done = t->job == JOB_NONE;
    if (!is_done) {
        t->is_abandoned = true;
        (void)pthread_detach(t->thread);
    }
    gate_unlock(&t->gate);
    return is_done;
}

int strategy_thread_create(const struct plugin *plugin, struct option_conf *options,
                           const struct conf_plugin *conf, struct conf_errors *errors,
                           struct strategy_thread **ret)
{
    struct strategy_thread *t = calloc(1, sizeof *t);
    int status = STATUS_NOMEM;

    if (t == NULL || gate_init(&t->gate) != STATUS_OK) {
        free(t);
        option_conf_free(options);
        conf_errors_add(errors, conf->plugin_line, "%s", status_text(status));
        return status;
    }
    t->refs = 1;
    t->plugin = plugin;
    t->options = options;
    t->hurry_ms = UINT64_MAX;
    instance_init(&t->instance, "strategy", plugin->name, NULL, NULL);
    t->refs++; /* the thread's */
    status = threads_start(&t->thread, run, t);
    if (status != STATUS_OK) {
        conf_errors_add(errors, conf->plugin_line, "%s: no thread can be started",
                        t->instance.name);
        t->refs--;
        release(t);
        return status;
    }
    uint64_t deadline = threads_now_ms() + ENGINE_CREATE_MS;
    instance_deadline(&t->instance, deadline);
    if (!do_job(t, JOB_CREATE, deadline + ENGINE_GRACE_MS)) {
        struct parti_error error;

        instance_error_init(&error);
        (void)parti_fail(&error, 0, "create() did not return within %d ms",
                         ENGINE_CREATE_MS + ENGINE_GRACE_MS);
        status = instance_refused(&t->instance, conf, PARTI_RETRY, &error, errors);
        release(t);
        return status;
    }
    if (t->code != PARTI_OK) {
        status = instance_refused(&t->instance, conf, t->code, &t->error, errors);
        strategy_thread_destroy(t);
        return status;
    }
    *ret = t;
    return STATUS_OK;
}

static bool make_room(struct strategy_thread *t, uint64_t n)
{
    if (n <= t->owner_room)
        return true;
    uint32_t *owner = realloc(t->owner, (size_t)n * sizeof *owner);
    if (owner == NULL)
        return false;
    t->owner = owner;
    t->owner_room = n;
    return true;
}

void strategy_thread_run(struct strategy_thread *t, struct strategy_world *world,
                         uint64_t limit_ms, struct engine_outcome *ret)
{
    uint64_t start_us = threads_now_us();
    uint64_t deadline = start_us / 1000 + limit_ms;
    struct strategy_world *last = t->world;

    *ret = (struct engine_outcome){.end = ENGINE_NOMEM};
    if (!make_room(t, world->world.part_n + 1)) {
        strategy_world_destroy(world);
        return;
    }
    (void)strategy_world_hash(world, last);
    strategy_world_destroy(last);
    t->world = world;
    for (uint64_t i = 0; i < world->world.part_n; i++)
        t->owner[i] = world->world.worker_n;
    instance_deadline(&t->instance, deadline);
    if (!do_job(t, JOB_ASSIGN, deadline + ENGINE_GRACE_MS)) {
        ret->end = ENGINE_OVERTIME; /* the world and the owners are the thread's now */
        ret->took_us = threads_now_us() - start_us;
        return;
    }
    ret->end = ENGINE_ANSWERED;
    ret->code = t->code;
    ret->error = t->error;
    ret->world = t->world;
    ret->owner = t->owner;
    ret->took_us = threads_now_us() - start_us;
}

void strategy_thread_stop(struct strategy_thread *t, bool is_wanted)
{
    instance_stop(&t->instance, is_wanted);
}

void strategy_thread_hurry(struct strategy_thread *t)
{
    instance_stop(&t->instance, true);
    gate_lock(&t->gate);
    t->hurry_ms = threads_now_ms() + ENGINE_GRACE_MS;
    gate_tell(&t->gate);
    gate_unlock(&t->gate);
}

void strategy_thread_destroy(struct strategy_thread *t)
{
    if (t == NULL)
        return;
    gate_lock(&t->gate);
    bool is_abandoned = t->is_abandoned;
    t->hurry_ms = UINT64_MAX;
    gate_unlock(&t->gate);
    if (!is_abandoned && do_job(t, JOB_DESTROY, threads_now_ms() + ENGINE_GRACE_MS))
        (void)pthread_join(t->thread, NULL);
    release(t);
}
