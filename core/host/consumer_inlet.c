#include "host/consumer_inlet.h"

#include "base/must.h"
#include "base/status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void lock(struct inlet *in)
{
    must(pthread_mutex_lock(&in->lock) == 0);
}

static void unlock(struct inlet *in)
{
    must(pthread_mutex_unlock(&in->lock) == 0);
}

/* ---- the queue --------------------------------------------------------------------- */

/* With the lock. */
static void wake(struct inlet *in)
{
    uint64_t one = 1;

    if (!in->is_asleep)
        return;
    in->is_asleep = false;
    must(write(in->wake_fd, &one, sizeof one) == (ssize_t)sizeof one);
}

struct note *inlet_note(enum note_kind kind, uint32_t lane, const char *text)
{
    size_t n = text != NULL ? strnlen(text, NOTE_TEXT_ROOM * 32) : 0;
    struct note *note = malloc(sizeof *note + n + 1);

    must(note != NULL);
    *note = (struct note){.kind = kind, .lane = lane};
    if (n > 0)
        memcpy(note->text, text, n);
    note->text[n] = '\0';
    return note;
}

/* With the lock. */
static void put(struct inlet *in, struct note *note)
{
    note->next = NULL;
    *in->last = note;
    in->last = &note->next;
    wake(in);
}

void inlet_put(struct inlet *in, struct note *note)
{
    lock(in);
    put(in, note);
    unlock(in);
}

/* An ack speaks for all of its stretch before it: one still in the queue becomes it,
 * unless a refusal stands between them, which must be told first. */
static bool merge(struct inlet *in, const struct answer *answer)
{
    const struct parti_ticket *t = &answer->ticket;

    if (answer->verdict == VERDICT_PROGRESS || t->hold.slot >= in->lanes_max)
        return false;
    struct gate_lane *l = &in->lane[t->hold.slot];
    if (answer->verdict != VERDICT_ACK) {
        l->acked_turn = 0;
        return false;
    }
    if (l->acked_turn == in->turn) {
        struct parti_ticket *before = &in->answer[l->acked_at].ticket;

        if (before->hold.serial == t->hold.serial && before->run == t->run &&
            before->stretch == t->stretch && before->position < t->position) {
            *before = *t;
            return true;
        }
    }
    l->acked_turn = in->turn;
    l->acked_at = in->answers;
    return false;
}

void inlet_answer(struct inlet *in, const struct answer *answer)
{
    lock(in);
    if (merge(in, answer)) {
        unlock(in);
        return;
    }
    if (in->answers == in->answers_room) {
        size_t room = in->answers_room > 0 ? 2 * in->answers_room : 256;
        struct answer *more = realloc(in->answer, room * sizeof *more);

        must(more != NULL);
        in->answer = more;
        in->answers_room = room;
    }
    in->answer[in->answers++] = *answer;
    wake(in);
    unlock(in);
}

struct note *inlet_take(struct inlet *in, struct answer **answers, size_t *answers_n,
                        size_t *answers_room)
{
    struct answer *mine = *answers;
    size_t room = *answers_room;

    lock(in);
    struct note *list = in->first;
    in->first = NULL;
    in->last = &in->first;
    for (struct note *n = list; n != NULL; n = n->next) {
        if (n->kind == NOTE_TROUBLE)
            in->lane[n->lane].trouble = NULL;
    }
    *answers = in->answer;
    *answers_n = in->answers;
    *answers_room = in->answers_room;
    in->answer = mine;
    in->answers = 0;
    in->answers_room = room;
    in->turn++;
    unlock(in);
    return list;
}

bool inlet_may_sleep(struct inlet *in)
{
    lock(in);
    in->is_asleep = in->first == NULL && in->answers == 0;
    bool may = in->is_asleep;
    unlock(in);
    return may;
}

void inlet_awake(struct inlet *in)
{
    uint64_t count;

    lock(in);
    in->is_asleep = false;
    unlock(in);
    (void)!read(in->wake_fd, &count, sizeof count);
}

/* ---- the rules --------------------------------------------------------------------- */

/* With the lock. */
__attribute__((format(printf, 2, 0))) static int32_t broken(struct inlet *in,
                                                            const char *format,
                                                            va_list args)
{
    if (!in->is_broken)
        (void)vsnprintf(in->why, sizeof in->why, format, args);
    in->is_broken = true;
    wake(in);
    return PARTI_BADINPUT;
}

static __attribute__((format(printf, 2, 3))) int32_t fault(struct inlet *in,
                                                           const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int32_t code = broken(in, format, args);
    va_end(args);
    return code;
}

void inlet_break(struct inlet *in, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    lock(in);
    (void)broken(in, format, args);
    unlock(in);
    va_end(args);
}

bool inlet_is_broken(struct inlet *in, char *why, size_t room)
{
    lock(in);
    bool is = in->is_broken;
    (void)snprintf(why, room, "%s", in->why);
    unlock(in);
    return is;
}

/* The lane when this run is under way; else NULL and *ret_code.  With the lock. */
static struct gate_lane *enter(struct inlet *in, uint32_t lane, uint64_t run,
                               const char *call, int32_t *ret_code)
{
    struct gate_lane *l;

    *ret_code = PARTI_CANCELED;
    if (in->is_broken)
        return NULL;
    if (lane >= in->lanes_max || in->lane[lane].newest == 0) {
        *ret_code = fault(in, "called %s() for lane %" PRIu32 ", which was never started",
                          call, lane);
        return NULL;
    }
    l = &in->lane[lane];
    if (run > l->newest || run == 0) {
        *ret_code = fault(in,
                          "called %s() for run %" PRIu64 " of lane %" PRIu32
                          ", which was never started",
                          call, run, lane);
        return NULL;
    }
    return l->run == run ? l : NULL;
}

static void on_begun(const struct parti_inlet *table, uint32_t lane, uint64_t run,
                     uint64_t origin, uint64_t from)
{
    struct inlet *in = table->ctx;
    int32_t code;

    lock(in);
    struct gate_lane *l = enter(in, lane, run, "begun", &code);
    if (l != NULL && l->has_begun) {
        (void)fault(in, "called begun() twice for run %" PRIu64 " of lane %" PRIu32, run,
                    lane);
    } else if (l != NULL) {
        struct note *note = inlet_note(NOTE_BEGUN, lane, NULL);

        note->run = run;
        note->origin = origin;
        note->number = from;
        l->has_begun = true;
        l->next = from;
        put(in, note);
    }
    unlock(in);
}

/* May these messages come now?  With the lock. */
static int32_t check(struct inlet *in, const struct gate_lane *l, uint32_t lane,
                     const struct parti_consumer_message *given, uint64_t n)
{
    uint64_t next = l->next;

    if (!l->has_begun)
        return fault(in, "delivered to lane %" PRIu32 " before begun()", lane);
    if (n > l->credit)
        return fault(in,
                     "delivered %" PRIu64 " messages to lane %" PRIu32
                     ", which had room for %" PRIu64,
                     n, lane, l->credit);
    for (uint64_t i = 0; i < n; i++) {
        const struct parti_consumer_message *m = message_nth(given, i);

        if (m->position < next || m->position == UINT64_MAX)
            return fault(in,
                         "delivered position %" PRIu64 " to lane %" PRIu32
                         " where %" PRIu64 " is the least that may come",
                         m->position, lane, next);
        next = m->position + 1;
    }
    return PARTI_OK;
}

/* Batches that the engine never saw. */
static void drop(struct inlet *in, struct message_batch *list)
{
    while (list != NULL) {
        struct message_batch *b = list;

        list = b->next;
        message_unref(in->pool, b, b->n);
    }
}

static int32_t on_deliver(const struct parti_inlet *table, uint32_t lane, uint64_t run,
                          const struct parti_consumer_message *given, uint64_t n)
{
    struct inlet *in = table->ctx;
    struct message_batch *list = NULL;
    const char *why = NULL;
    bool is_alone;
    int32_t code;

    if (n == 0)
        return PARTI_OK;
    for (uint64_t i = 0; n <= in->messages_max && why == NULL && i < n; i++) {
        const struct parti_consumer_message *m = message_nth(given, i);

        why = m->size == given->size ? message_fault(m) : "has another size";
    }
    lock(in);
    struct gate_lane *l = enter(in, lane, run, "deliver", &code);
    if (l != NULL && n > in->messages_max)
        code = fault(in, "delivered %" PRIu64 " messages at once", n);
    else if (l != NULL && why != NULL)
        code = fault(in, "delivered a message to lane %" PRIu32 " that %s", lane, why);
    else if (l != NULL)
        code = check(in, l, lane, given, n);
    is_alone = l != NULL && l->here == 0 && n == 1;
    unlock(in);
    if (code != PARTI_OK)
        return code;
    if (message_copy(in->pool, given, n, is_alone, &list) != STATUS_OK)
        return PARTI_NOMEM;
    struct note *note = malloc(sizeof *note + 1);
    if (note == NULL) {
        code = PARTI_NOMEM;
        goto give_back;
    }
    *note = (struct note){.kind = NOTE_MESSAGE, .lane = lane, .run = run, .list = list};

    for (struct message_batch *b = list; b != NULL; b = b->next)
        b->lane = lane;
    lock(in);
    /* Much may have changed meanwhile, also by another thread of the plugin. */
    l = enter(in, lane, run, "deliver", &code);
    if (l != NULL)
        code = check(in, l, lane, given, n);
    if (code == PARTI_OK) {
        l->credit -= n;
        l->here += (uint32_t)n;
        l->next = message_nth(given, n - 1)->position + 1;
        put(in, note);
    }
    unlock(in);
    if (code == PARTI_OK)
        return PARTI_OK;
    free(note);

give_back:
    drop(in, list);
    return code;
}

static void on_buried(const struct parti_inlet *table, uint32_t lane, uint64_t run,
                      uint64_t position, int32_t result, const char *text)
{
    struct inlet *in = table->ctx;
    int32_t code;

    lock(in);
    struct gate_lane *l = enter(in, lane, run, "buried", &code);
    if (l != NULL && l->buries == 0) {
        (void)fault(in, "called buried() for lane %" PRIu32 " without having been asked",
                    lane);
    } else if (l != NULL) {
        struct note *note = inlet_note(NOTE_BURIED, lane, text);

        note->run = run;
        note->number = position;
        note->code = result;
        l->buries--;
        put(in, note);
    }
    unlock(in);
}

static void on_trouble(const struct parti_inlet *table, uint32_t lane, uint64_t run,
                       int32_t result, const char *text)
{
    struct inlet *in = table->ctx;
    int32_t code;

    lock(in);
    struct gate_lane *l = enter(in, lane, run, "trouble", &code);
    if (l != NULL && l->trouble != NULL) {
        /* Only the last word counts. */
        l->trouble->run = run;
        l->trouble->code = result;
        (void)snprintf(l->trouble->text, NOTE_TEXT_ROOM, "%s", text != NULL ? text : "");
    } else if (l != NULL) {
        struct note *note = malloc(sizeof *note + NOTE_TEXT_ROOM);

        must(note != NULL);
        *note =
            (struct note){.kind = NOTE_TROUBLE, .lane = lane, .run = run, .code = result};
        (void)snprintf(note->text, NOTE_TEXT_ROOM, "%s", text != NULL ? text : "");
        l->trouble = note;
        put(in, note);
    }
    unlock(in);
}

/* ---- the consumer's thread --------------------------------------------------------- */

void inlet_begin(struct inlet *in, uint32_t lane, uint64_t run)
{
    struct gate_lane *l = &in->lane[lane];

    lock(in);
    l->run = run;
    l->newest = run > l->newest ? run : l->newest;
    l->credit = 0;
    l->next = 0;
    l->buries = 0;
    l->has_begun = false;
    unlock(in);
}

void inlet_credit(struct inlet *in, uint32_t lane, uint64_t n)
{
    lock(in);
    in->lane[lane].credit += n;
    unlock(in);
}

void inlet_bury(struct inlet *in, uint32_t lane)
{
    lock(in);
    in->lane[lane].buries++;
    unlock(in);
}

void inlet_end(struct inlet *in, uint32_t lane)
{
    lock(in);
    in->lane[lane].run = 0;
    in->lane[lane].credit = 0;
    unlock(in);
}

void inlet_forget(struct inlet *in, const struct inlet_forgotten *list, size_t n)
{
    lock(in);
    for (size_t i = 0; i < n; i++)
        in->lane[list[i].batch->lane].here -= list[i].n;
    unlock(in);
    for (size_t i = 0; i < n; i++)
        message_unref(in->pool, list[i].batch, list[i].n);
}

/* ---- begin and end ----------------------------------------------------------------- */

int inlet_init(struct inlet *in, uint32_t lanes_max, uint32_t messages_max,
               struct message_pool *pool)
{
    *in = (struct inlet){.lanes_max = lanes_max,
                         .messages_max = messages_max,
                         .pool = pool,
                         .wake_fd = -1,
                         .turn = 1,
                         .table = {.size = sizeof in->table,
                                   .ctx = in,
                                   .begun = on_begun,
                                   .deliver = on_deliver,
                                   .buried = on_buried,
                                   .trouble = on_trouble}};
    in->last = &in->first;
    must(pthread_mutex_init(&in->lock, NULL) == 0);
    in->lane = calloc(lanes_max, sizeof *in->lane);
    in->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (in->lane != NULL && in->wake_fd >= 0)
        return STATUS_OK;
    int status = in->lane == NULL ? STATUS_NOMEM : STATUS_IO;
    inlet_finish(in);
    return status;
}

void inlet_finish(struct inlet *in)
{
    struct note *next;

    for (struct note *n = in->first; n != NULL; n = next) {
        next = n->next;
        drop(in, n->list);
        hands_part_unref(n->part);
        free(n);
    }
    free(in->answer);
    free(in->lane);
    if (in->wake_fd >= 0)
        (void)close(in->wake_fd);
    must(pthread_mutex_destroy(&in->lock) == 0);
    *in = (struct inlet){.wake_fd = -1};
}
