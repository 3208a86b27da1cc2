#include "plugins/jetstream/jet_watch.h"

#include <pthread.h>
#include <time.h>

struct jet_watch {
    const struct parti_host *host;
    const struct jet_api *api;
    enum jet_watch_kind kind;
    uint64_t interval_ms;
    struct jet_task task; /* of the look under way */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t cond;
    int32_t is_ending;
    int32_t is_awake;   /* somebody has listed, and is thought to listen */
    int32_t is_listing; /* right now */
    int32_t has_state;  /* the last listing went well */
    int32_t is_advised; /* an advisory has come since the last word */
    int32_t is_told;    /* said that it changed, and nobody has listed since */
    int32_t is_away;    /* the last look failed */
    uint64_t told_ms;   /* when */
    uint64_t listed;    /* listings so far */
    uint64_t pause_ms;  /* between looks */
    struct jet_state state;
};

/* Has what is listed changed, by the state of the stream?
 *
 * Where no message has gone, the set of subjects has grown or is the same.  Where some
 * have, one subject may have gone and another come: that is left to refresh_interval,
 * since on a full stream messages go all the time.  In a bucket any write may delete a
 * key. */
static int32_t differs(const struct jet_watch *w, const struct jet_state *now)
{
    const struct jet_state *was = &w->state;

    if (strcmp(now->created, was->created) != 0)
        return 1;
    switch (w->kind) {
    case JET_WATCH_SUBJECTS: return now->subject_n != was->subject_n;
    case JET_WATCH_CONSUMERS: return now->consumer_n != was->consumer_n;
    case JET_WATCH_KEYS:
        return now->subject_n != was->subject_n || now->last_seq != was->last_seq ||
               now->messages != was->messages;
    }
    return 0;
}

static int32_t on_advisory(void *ctx, natsMsg *msg)
{
    struct jet_watch *w = ctx;

    (void)msg;
    (void)pthread_mutex_lock(&w->mutex);
    w->is_advised = 1;
    (void)pthread_cond_broadcast(&w->cond);
    (void)pthread_mutex_unlock(&w->mutex);
    return 0;
}

/* With the lock, which is open meanwhile. */
static void tell(struct jet_watch *w)
{
    w->is_told = 1;
    w->is_advised = 0;
    w->told_ms = jet_now_ms();
    (void)pthread_mutex_unlock(&w->mutex);
    w->host->changed(w->host);
    (void)pthread_mutex_lock(&w->mutex);
}

/* With the lock, which is open meanwhile. */
static void look(struct jet_watch *w)
{
    struct parti_error error = {.size = sizeof error};
    struct jet_state now = {.messages = 0};
    uint64_t listed = w->listed;
    json_t *info = NULL;

    w->task.deadline_ms = jet_now_ms() + JET_WATCH_ASK_MS;
    (void)pthread_mutex_unlock(&w->mutex);
    int32_t code =
        jet_api_ask(w->api, "STREAM.INFO", NULL, NULL, &w->task, &info, &error);
    jet_api_state(info, &now);
    json_decref(info);
    (void)pthread_mutex_lock(&w->mutex);
    if (w->is_ending || w->is_listing || w->listed != listed)
        return; /* somebody lists: what was seen is old */
    int32_t was_away = w->is_away;
    w->is_away = code != PARTI_OK;
    /* Its listing fails, too, and says why; or goes well again. */
    if (w->is_away != was_away || (w->has_state && !w->is_away && differs(w, &now)))
        tell(w);
}

static void wait_until(struct jet_watch *w, uint64_t when_ms)
{
    struct timespec t = {.tv_sec = (time_t)(when_ms / 1000),
                         .tv_nsec = (long)(when_ms % 1000) * 1000000};

    if (when_ms == UINT64_MAX)
        (void)pthread_cond_wait(&w->cond, &w->mutex);
    else
        (void)pthread_cond_timedwait(&w->cond, &w->mutex, &t);
}

/* With the lock: one step; until when there is nothing to do. */
static uint64_t step(struct jet_watch *w, uint64_t *look_ms)
{
    uint64_t now = jet_now_ms();

    if (!w->is_awake || w->is_listing)
        return UINT64_MAX;
    if (w->is_told) {
        if (now < w->told_ms + JET_WATCH_UNHEARD_MS)
            return w->told_ms + JET_WATCH_UNHEARD_MS;
        w->is_awake = w->is_told = 0;
        jet_link_rest(w->api->link);
        return UINT64_MAX;
    }
    if (w->is_advised) {
        tell(w);
        return now;
    }
    if (w->interval_ms == 0)
        return UINT64_MAX;
    if (now < *look_ms)
        return *look_ms;
    look(w);
    *look_ms = jet_now_ms() + w->pause_ms;
    return now;
}

static void *watch(void *ctx)
{
    struct jet_watch *w = ctx;
    uint64_t look_ms = 0, listed = 0;

    (void)pthread_mutex_lock(&w->mutex);
    while (!w->is_ending) {
        if (listed != w->listed) {
            listed = w->listed;
            look_ms = jet_now_ms() + w->pause_ms;
        }
        uint64_t when = step(w, &look_ms);
        if (!w->is_ending && when > jet_now_ms() && listed == w->listed)
            wait_until(w, when);
    }
    (void)pthread_mutex_unlock(&w->mutex);
    nats_ReleaseThreadMemory();
    return NULL;
}

/* Those that a server sends: the stream itself, and its consumers where they count. */
static int32_t stand(struct jet_watch *w)
{
    static const char *const of_stream[] = {"STREAM.CREATED", "STREAM.DELETED",
                                            "STREAM.UPDATED"};
    static const char *const of_consumer[] = {"CONSUMER.CREATED", "CONSUMER.DELETED"};
    char subject[JET_LINK_SUBJECT_MAX + 1];
    int32_t code = PARTI_OK;

    for (size_t i = 0; i < 3 && code == PARTI_OK; i++) {
        (void)snprintf(subject, sizeof subject, "$JS.EVENT.ADVISORY.%s.%s", of_stream[i],
                       w->api->stream);
        code = jet_link_stand(w->api->link, subject, on_advisory, w);
    }
    for (size_t i = 0; i < 2 && code == PARTI_OK && w->kind == JET_WATCH_CONSUMERS; i++) {
        (void)snprintf(subject, sizeof subject, "$JS.EVENT.ADVISORY.%s.%s.*",
                       of_consumer[i], w->api->stream);
        code = jet_link_stand(w->api->link, subject, on_advisory, w);
    }
    return code;
}

int32_t jet_watch_create(struct jet_watch **ret, const struct jet_api *api,
                         enum jet_watch_kind kind, uint64_t interval_ms,
                         const struct parti_host *host)
{
    struct jet_watch *w = calloc(1, sizeof *w);
    pthread_condattr_t clock;

    if (w == NULL)
        return PARTI_NOMEM;
    w->host = host;
    w->api = api;
    w->kind = kind;
    w->interval_ms = w->pause_ms = interval_ms;
    (void)pthread_mutex_init(&w->mutex, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->cond, &clock);
    (void)pthread_condattr_destroy(&clock);
    int32_t code = stand(w);
    if (code == PARTI_OK && pthread_create(&w->thread, NULL, watch, w) != 0)
        code = PARTI_NOMEM;
    if (code != PARTI_OK) {
        (void)pthread_cond_destroy(&w->cond);
        (void)pthread_mutex_destroy(&w->mutex);
        free(w);
        return code;
    }
    *ret = w;
    return PARTI_OK;
}

void jet_watch_listing(struct jet_watch *w)
{
    (void)pthread_mutex_lock(&w->mutex);
    w->is_listing = w->is_awake = 1;
    w->is_told = w->is_advised = 0;
    (void)pthread_mutex_unlock(&w->mutex);
}

void jet_watch_listed(struct jet_watch *w, const struct jet_state *state,
                      uint64_t took_ms)
{
    (void)pthread_mutex_lock(&w->mutex);
    w->listed++;
    w->is_listing = 0;
    w->is_away = state == NULL;
    w->has_state = state != NULL;
    if (state != NULL)
        w->state = *state;
    w->pause_ms = took_ms * JET_WATCH_SHARE > w->interval_ms ? took_ms * JET_WATCH_SHARE
                                                             : w->interval_ms;
    (void)pthread_cond_broadcast(&w->cond);
    (void)pthread_mutex_unlock(&w->mutex);
}

void jet_watch_stop(struct jet_watch *w)
{
    if (w == NULL)
        return;
    (void)pthread_mutex_lock(&w->mutex);
    w->is_ending = 1;
    (void)pthread_cond_broadcast(&w->cond);
    (void)pthread_mutex_unlock(&w->mutex);
    jet_link_stop(w->api->link, &w->task);
    (void)pthread_join(w->thread, NULL);
}

void jet_watch_destroy(struct jet_watch *w)
{
    if (w == NULL)
        return;
    (void)pthread_cond_destroy(&w->cond);
    (void)pthread_mutex_destroy(&w->mutex);
    free(w);
}
