#include "host/dispatch.h"

#include "base/must.h"
#include "base/partid.h"
#include "base/status.h"
#include "edge/clock.h"
#include "edge/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum note_type {
    NOTE_NONE, /* a reserved note that is not in use */
    NOTE_ASSIGNED,
    NOTE_REVOKING,
    NOTE_RELEASED,
    NOTE_FENCED,
    NOTE_STATE,
    NOTE_LEADER,
    NOTE_ID,
    NOTE_ERROR,
    NOTE_SETTLED,
    NOTE_STOPPED
};

struct note {
    struct note *next;
    enum note_type type;
    size_t bytes;
    uint64_t when_ns; /* when it was put */
    uint64_t number;  /* epoch, term, deadline in ns, position */
    int code;
    enum parti_state from, to;
    char *text;
    struct parti_partition *part;
    size_t part_n;
};

struct dispatch {
    struct parti_callbacks call;
    uint64_t revoke_timeout_ms;
    void *told_ctx;
    void (*told)(void *ctx, const struct parti_partition *partition, size_t n);
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct note *first, **last;
    size_t notes, bytes;
    bool is_ending, has_begun;
    /* Reserved: never refused, not counted, not freed.  Each is used once. */
    struct note fence, stop;
    char fence_text[DISPATCH_TEXT_MAX + 1], stop_text[DISPATCH_TEXT_MAX + 1];
    _Atomic uint64_t event_ns; /* of the note being delivered */
    pthread_t thread;
};

static void deliver(const struct dispatch *d, const struct note *n)
{
    const struct parti_callbacks *c = &d->call;

    switch (n->type) {
    case NOTE_NONE: must(!"a note"); break;
    case NOTE_ASSIGNED:
        if (c->assigned != NULL)
            c->assigned(c->ctx, n->number, n->part, n->part_n);
        if (d->told != NULL)
            d->told(d->told_ctx, n->part, n->part_n);
        break;
    case NOTE_REVOKING:
        if (c->revoking != NULL)
            c->revoking(c->ctx, n->number, n->part, n->part_n, d->revoke_timeout_ms);
        break;
    case NOTE_RELEASED:
        if (c->released != NULL)
            c->released(c->ctx, n->number, n->part, n->part_n);
        break;
    case NOTE_FENCED:
        if (c->fenced != NULL)
            c->fenced(c->ctx, n->text, n->number);
        break;
    case NOTE_STATE:
        if (c->state != NULL)
            c->state(c->ctx, n->from, n->to, n->text);
        break;
    case NOTE_LEADER:
        if (c->leader != NULL)
            c->leader(c->ctx, n->number, n->text);
        break;
    case NOTE_ID:
        if (c->id != NULL)
            c->id(c->ctx, n->text);
        break;
    case NOTE_ERROR:
        if (c->error != NULL)
            c->error(c->ctx, n->code, n->text);
        break;
    case NOTE_SETTLED: c->settled(c->ctx, n->part, n->number); break;
    case NOTE_STOPPED:
        if (c->stopped != NULL)
            c->stopped(c->ctx, n->code, n->text);
        break;
    }
}

static bool is_reserved(const struct dispatch *d, const struct note *n)
{
    return n == &d->fence || n == &d->stop;
}

static struct note *take(struct dispatch *d)
{
    struct note *n = d->first;

    d->first = n->next;
    if (d->first == NULL)
        d->last = &d->first;
    if (!is_reserved(d, n)) {
        d->notes--;
        d->bytes -= n->bytes;
    }
    return n;
}

static void drop(const struct dispatch *d, struct note *n)
{
    if (!is_reserved(d, n))
        free(n);
}

static void *run(void *arg)
{
    struct dispatch *d = arg;

    (void)pthread_mutex_lock(&d->lock);
    while (!d->is_ending || d->first != NULL) {
        if (d->first == NULL || !(d->has_begun || d->is_ending)) {
            (void)pthread_cond_wait(&d->more, &d->lock);
            continue;
        }
        struct note *n = take(d);

        (void)pthread_mutex_unlock(&d->lock);
        atomic_store(&d->event_ns, n->when_ns);
        deliver(d, n);
        drop(d, n);
        (void)pthread_mutex_lock(&d->lock);
    }
    (void)pthread_mutex_unlock(&d->lock);
    return NULL;
}

int dispatch_create(struct dispatch **ret, const struct parti_callbacks *callbacks,
                    uint64_t revoke_timeout_ms)
{
    struct dispatch *d = calloc(1, sizeof *d);

    if (d == NULL)
        return STATUS_NOMEM;
    if (callbacks != NULL) /* an older caller's struct may be shorter */
        memcpy(&d->call, callbacks,
               callbacks->size < sizeof d->call ? callbacks->size : sizeof d->call);
    d->revoke_timeout_ms = revoke_timeout_ms;
    d->last = &d->first;
    (void)pthread_mutex_init(&d->lock, NULL);
    (void)pthread_cond_init(&d->more, NULL);
    d->fence.text = d->fence_text;
    d->stop.text = d->stop_text;
    int status = thread_start(&d->thread, run, d);

    if (status != STATUS_OK) {
        (void)pthread_cond_destroy(&d->more);
        (void)pthread_mutex_destroy(&d->lock);
        free(d);
        return status;
    }
    *ret = d;
    return 0;
}

void dispatch_on_told(struct dispatch *d, void *ctx,
                      void (*told)(void *ctx, const struct parti_partition *partition,
                                   size_t n))
{
    d->told_ctx = ctx;
    d->told = told;
}

void dispatch_begin(struct dispatch *d)
{
    (void)pthread_mutex_lock(&d->lock);
    d->has_begun = true;
    (void)pthread_cond_signal(&d->more);
    (void)pthread_mutex_unlock(&d->lock);
}

void dispatch_destroy(struct dispatch *d)
{
    if (d == NULL)
        return;
    (void)pthread_mutex_lock(&d->lock);
    d->is_ending = true;
    (void)pthread_cond_signal(&d->more);
    (void)pthread_mutex_unlock(&d->lock);
    (void)pthread_join(d->thread, NULL);
    (void)pthread_cond_destroy(&d->more);
    (void)pthread_mutex_destroy(&d->lock);
    free(d);
}

/* With the lock held, so that the times ascend. */
static void append(struct dispatch *d, struct note *n)
{
    n->when_ns = clock_boot_ns();
    *d->last = n;
    d->last = &n->next;
    (void)pthread_cond_signal(&d->more);
}

static int put(struct dispatch *d, struct note *n)
{
    bool is_over, fits;

    (void)pthread_mutex_lock(&d->lock);
    is_over = d->fence.type != NOTE_NONE || d->stop.type != NOTE_NONE;
    fits = d->notes < DISPATCH_NOTES_MAX && n->bytes <= DISPATCH_BYTES_MAX - d->bytes;
    if (!is_over && fits) {
        d->notes++;
        d->bytes += n->bytes;
        append(d, n);
    }
    (void)pthread_mutex_unlock(&d->lock);
    if (is_over || !fits)
        free(n);
    return is_over || fits ? 0 : STATUS_LIMIT;
}

/* One block: the note, its partitions, their bytes, its text. */
static struct note *make_note(enum note_type type, const char *text, size_t part_n,
                              size_t part_bytes)
{
    size_t text_n = strlen(text) + 1;
    size_t bytes = sizeof(struct note) + part_n * sizeof(struct parti_partition) +
                   part_bytes + text_n;
    struct note *n = malloc(bytes);

    if (n == NULL)
        return NULL;
    *n = (struct note){.type = type, .bytes = bytes, .part_n = part_n};
    n->part = (struct parti_partition *)(void *)(n + 1);
    n->text = (char *)n + bytes - text_n;
    memcpy(n->text, text, text_n);
    return n;
}

/* What may be lost leaves half of the room to what may not. */
static bool has_half(struct dispatch *d)
{
    (void)pthread_mutex_lock(&d->lock);
    bool has = d->notes < DISPATCH_NOTES_MAX / 2 && d->bytes < DISPATCH_BYTES_MAX / 2;
    (void)pthread_mutex_unlock(&d->lock);
    return has;
}

void dispatch_settled(struct dispatch *d, const struct parti_partition *p, uint64_t next)
{
    size_t id_n = strlen(p->id) + 1;
    struct note *n;

    if (d->call.settled == NULL || !has_half(d))
        return;
    n = make_note(NOTE_SETTLED, "", 1, id_n + p->key_n);
    if (n == NULL)
        return;
    char *at = (char *)(n->part + 1);
    n->number = next;
    n->part[0] = *p;
    n->part[0].id = memcpy(at, p->id, id_n);
    n->part[0].key = memcpy(at + id_n, p->key, p->key_n);
    (void)put(d, n);
}

/* GRANTED, REVOKING, RELEASED with their partitions. */
static struct note *make_parts(enum note_type type, const struct action *a,
                               const struct parti_hold *hold)
{
    size_t bytes = 0;
    struct note *n;
    char *at;

    for (uint32_t i = 0; i < a->parts.n; i++)
        bytes += a->parts.part[i].id.n + 3 * a->parts.part[i].id.n + 1;
    n = make_note(type, "", a->parts.n, bytes);
    if (n == NULL)
        return NULL;
    n->number = a->parts.epoch;
    at = (char *)(n->part + n->part_n);
    for (uint32_t i = 0; i < a->parts.n; i++) {
        const struct part_view *v = &a->parts.part[i];
        size_t room = 3 * v->id.n + 1; /* every byte as %XX, and the end */

        n->part[i] = (struct parti_partition){.id = at,
                                              .key = at + room,
                                              .key_n = v->id.n,
                                              .weight = v->weight,
                                              .token = {v->gen, v->since}};
        if (hold != NULL)
            n->part[i].hold = hold[i];
        (void)partid_encode(v->id, at, room);
        memcpy(at + room, v->id.at, v->id.n);
        at += room + v->id.n;
    }
    return n;
}

int dispatch_put(struct dispatch *d, const struct action *a,
                 const struct parti_hold *hold)
{
    struct note *n = NULL;

    switch (a->type) {
    case ACT_GRANTED: n = make_parts(NOTE_ASSIGNED, a, hold); break;
    case ACT_REVOKING: n = make_parts(NOTE_REVOKING, a, hold); break;
    case ACT_RELEASED: n = make_parts(NOTE_RELEASED, a, hold); break;
    case ACT_FENCED:
        n = make_note(NOTE_FENCED, a->fenced.reason, 0, 0);
        if (n != NULL)
            n->number = a->fenced.at_ms * CLOCK_NS_PER_MS;
        break;
    case ACT_STATE:
        n = make_note(NOTE_STATE, a->state.reason, 0, 0);
        if (n != NULL) {
            n->from = (enum parti_state)a->state.from;
            n->to = (enum parti_state)a->state.to;
        }
        break;
    case ACT_LEADER:
        n = make_note(NOTE_LEADER, a->leader.id, 0, 0);
        if (n != NULL)
            n->number = a->leader.term;
        break;
    case ACT_ID: n = make_note(NOTE_ID, a->id.id, 0, 0); break;
    case ACT_ERROR: return dispatch_error(d, a->error.code, a->error.text);
    case ACT_SEND:
    case ACT_LOG_INFO:
    case ACT_LOG_READ:
    case ACT_LOG_WRITE:
    case ACT_LEAD:
    case ACT_LIST:
    case ACT_PLAN:
    case ACT_HOLD:
    case ACT_REFRESHED:
    case ACT_STOPPED:
    case ACT_TRACE: must(!"an action for applications"); break;
    }
    return n != NULL ? put(d, n) : STATUS_NOMEM;
}

uint64_t dispatch_event_ns(const struct dispatch *d)
{
    return atomic_load(&d->event_ns);
}

int dispatch_error(struct dispatch *d, int code, const char *text)
{
    struct note *n = make_note(NOTE_ERROR, text, 0, 0);

    if (n == NULL)
        return STATUS_NOMEM;
    n->code = code;
    return put(d, n);
}

void dispatch_cut(struct dispatch *d, const char *reason, uint64_t at_ns)
{
    struct note *rest = NULL;

    (void)pthread_mutex_lock(&d->lock);
    if (d->fence.type == NOTE_NONE && d->stop.type == NOTE_NONE) {
        rest = d->first;
        d->first = NULL;
        d->last = &d->first;
        d->notes = 0;
        d->bytes = 0;
        d->fence.type = NOTE_FENCED;
        d->fence.number = at_ns;
        bytes_to_text(bytes_of(reason), d->fence_text, sizeof d->fence_text);
        append(d, &d->fence);
    }
    (void)pthread_mutex_unlock(&d->lock);
    while (rest != NULL) {
        struct note *next = rest->next;

        free(rest);
        rest = next;
    }
}

void dispatch_stopped(struct dispatch *d, int code, const char *text)
{
    (void)pthread_mutex_lock(&d->lock);
    if (d->stop.type == NOTE_NONE) {
        d->stop.type = NOTE_STOPPED;
        d->stop.code = code;
        bytes_to_text(bytes_of(text), d->stop_text, sizeof d->stop_text);
        append(d, &d->stop);
    }
    (void)pthread_mutex_unlock(&d->lock);
}
