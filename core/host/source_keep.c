/* The keeper of a set of sources: when is each listed, and what is told? */
#include "host/source_set.h"

#include "base/errors.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/status.h"
#include "host/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int status_of(int32_t code)
{
    switch (code) {
    case PARTI_OK: return STATUS_OK;
    case PARTI_NOMEM: return STATUS_NOMEM;
    case PARTI_CANCELED:
    case PARTI_TIMEOUT: return STATUS_TIMEOUT;
    case PARTI_MISSING: return STATUS_NOTFOUND;
    case PARTI_DENIED: return STATUS_DENIED;
    case PARTI_BADCONF:
    case PARTI_BADINPUT: return STATUS_INVALID;
    case PARTI_RETRY:
    case PARTI_UNSUPPORTED: return STATUS_IO;
    default: return STATUS_BUG;
    }
}

/* ---- one source -------------------------------------------------------------------- */

/* Causes may take turns (one address, then the other): each is news once. */
static bool is_news(struct slot *slot)
{
    uint64_t hash = hash_bytes(slot->text, strlen(slot->text));

    for (uint32_t i = 0; i < slot->told_n; i++)
        if (slot->told[i] == hash)
            return false;
    if (slot->told_n == SOURCE_TOLD_MAX)
        return false;
    slot->told[slot->told_n++] = hash;
    return true;
}

static uint64_t longest_pause_ms(const struct slot *slot)
{
    if (slot->interval_ms <= SOURCE_RETRY_MAX_MS)
        return SOURCE_RETRY_MAX_MS;
    return slot->interval_ms < SOURCE_RETRY_TOP_MS ? slot->interval_ms
                                                   : SOURCE_RETRY_TOP_MS;
}

void source_slot_fail(struct sources *s, struct slot *slot, int status, int error,
                      const char *text, uint64_t now)
{
    slot->is_ok = false;
    slot->status = status;
    slot->error = error;
    (void)snprintf(slot->text, sizeof slot->text, "%s", text);
    if (is_news(slot))
        slot->is_untold = s->is_fail_new = true;
    slot->retry_ms = now + slot->pause_ms / 2 +
                     rand_below(&s->random, slot->pause_ms - slot->pause_ms / 2 + 1);
    slot->pause_ms *= 2;
    if (slot->pause_ms > longest_pause_ms(slot))
        slot->pause_ms = longest_pause_ms(slot);
}

static void take_result(struct sources *s, struct slot *slot, uint64_t now)
{
    struct feed_result *r = feed_result(slot->feed);

    slot->is_running = false;
    slot->is_broken = r->is_broken;
    if (slot->is_stuck) {
        slot->is_stuck = false; /* reported long ago; try anew */
        slot->is_dirty = true;
        if (!r->is_broken)
            return;
    }
    slot->ended_ask = slot->begun_ask;
    if (r->code == PARTI_CANCELED && slot->is_canceled) {
        char text[SOURCE_TEXT_ROOM];

        (void)snprintf(text, sizeof text,
                       "PARTI-E%d %s did not list its partitions within %" PRIu64
                       " ms. It is asked again. Raise [timing] operation_timeout, or "
                       "find out why it is slow",
                       ERR_SOURCE_TIMEOUT, feed_name(slot->feed), s->budget_ms);
        source_slot_fail(s, slot, STATUS_TIMEOUT, ERR_SOURCE_TIMEOUT, text, now);
        return;
    }
    if (r->code != PARTI_OK) {
        source_slot_fail(s, slot, status_of(r->code), r->error, r->text, now);
        return;
    }
    if (!slot->is_ok && slot->text[0] != '\0')
        log_info("%s lists its partitions again", feed_name(slot->feed));
    source_rows_finish(&slot->rows);
    slot->rows = r->rows;
    r->rows = (struct source_rows){0};
    slot->has_rows = slot->is_ok = true;
    slot->text[0] = '\0';
    slot->is_untold = false;
    slot->told_n = 0;
    slot->retry_ms = 0;
    slot->pause_ms = SOURCE_RETRY_MIN_MS;
    s->is_fresh = true;
}

/* When this slot, which is idle, is to be listed; UINT64_MAX: not by time. */
static uint64_t due_ms(const struct sources *s, const struct slot *slot, uint64_t now)
{
    uint64_t due = UINT64_MAX;

    if (slot->is_broken)
        return UINT64_MAX;
    if (s->commanded_last > slot->begun_ask)
        return now;
    if (s->asked > slot->begun_ask)
        due = slot->retry_ms > now ? slot->retry_ms : now;
    if (!s->is_watching)
        return due;
    if (slot->is_dirty && slot->begun_ms + SOURCE_GAP_MS < due)
        due = slot->begun_ms + SOURCE_GAP_MS;
    if (slot->retry_ms != 0 && slot->retry_ms < due)
        due = slot->retry_ms;
    if (slot->interval_ms != 0 && slot->retry_ms == 0 && slot->begun_ms != 0 &&
        slot->begun_ms + slot->interval_ms < due)
        due = slot->begun_ms + slot->interval_ms;
    return due;
}

static void begin_slot(struct sources *s, struct slot *slot, uint64_t now)
{
    slot->is_running = true;
    slot->is_canceled = false;
    slot->is_dirty = false;
    slot->begun_ms = now;
    slot->begun_ask = s->asked;
    feed_begin(slot->feed, true, s->budget_ms);
}

/* Brings one slot up to date; returns when it wants to be looked at again. */
static uint64_t step_slot(struct sources *s, struct slot *slot, uint64_t now)
{
    if (feed_take_changed(slot->feed))
        slot->is_dirty = true;
    if (slot->is_running && !feed_is_busy(slot->feed))
        take_result(s, slot, now);
    if (slot->is_broken || slot->is_stuck) {
        slot->begun_ask = slot->ended_ask = s->asked; /* the answer is known: no */
        return UINT64_MAX;
    }
    if (!slot->is_running) {
        uint64_t due = due_ms(s, slot, now);

        if (due > now)
            return due;
        begin_slot(s, slot, now);
    }
    uint64_t cancel_ms = slot->begun_ms + s->budget_ms;
    if (now >= cancel_ms && !slot->is_canceled) {
        slot->is_canceled = true;
        feed_cancel(slot->feed);
        return now; /* the lock was open: look again before waiting */
    }
    if (now < cancel_ms + SOURCE_GRACE_MS)
        return now < cancel_ms ? cancel_ms : cancel_ms + SOURCE_GRACE_MS;
    char text[SOURCE_TEXT_ROOM];
    (void)snprintf(text, sizeof text,
                   "PARTI-E%d %s does not return from list(), %" PRIu64
                   " ms and %d ms grace after it began, though it was told to. It is "
                   "listed again when it returns. Raise [timing] operation_timeout, or "
                   "restart this process",
                   ERR_SOURCE_TIMEOUT, feed_name(slot->feed), s->budget_ms,
                   SOURCE_GRACE_MS);
    slot->is_stuck = true;
    slot->begun_ask = slot->ended_ask = s->asked;
    source_slot_fail(s, slot, STATUS_TIMEOUT, ERR_SOURCE_TIMEOUT, text, now);
    return UINT64_MAX;
}

/* ---- delivery ---------------------------------------------------------------------- */

__attribute__((format(printf, 5, 6))) static void fail_result(struct sources *s,
                                                              struct source_result *r,
                                                              int status, int error,
                                                              const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(s->text, sizeof s->text, format, args);
    va_end(args);
    r->status = status;
    r->code = error;
    r->text = s->text;
}

/* Whoever reads of a failure asks what becomes of the partitions. */
static const char *stays(bool has_last)
{
    return has_last ? ". The last list stays" : "";
}

/* The rows of all sources into r->listing, which is the caller's to release. */
static void merge(struct sources *s, struct source_result *r)
{
    const struct source_rows **rows = calloc(s->slot_n + 1, sizeof *rows);
    char shown[SOURCE_SHOWN_ROOM];
    size_t a = 0, b = 0;
    int status = STATUS_NOMEM;

    for (size_t i = 0; i < s->slot_n && rows != NULL; i++) {
        must(s->slot[i].has_rows);
        rows[i] = &s->slot[i].rows;
    }
    if (rows != NULL)
        status = source_merge(rows, s->slot_n, &r->listing, &a, &b, shown, sizeof shown);
    free(rows);
    if (status == STATUS_CONFLICT)
        fail_result(s, r, status, ERR_SOURCE_TWICE,
                    "PARTI-E%d partition %s is listed by %s and by %s. Take it out of "
                    "one%s",
                    ERR_SOURCE_TWICE, shown, feed_name(s->slot[a].feed),
                    feed_name(s->slot[b].feed), stays(s->last != NULL));
    else if (status == STATUS_LIMIT)
        fail_result(s, r, status, ERR_SOURCE_MANY,
                    "PARTI-E%d the sources together list more than %d partitions. List "
                    "fewer, or divide them among several groups%s",
                    ERR_SOURCE_MANY, SOURCE_ROWS_MAX, stays(s->last != NULL));
    else if (status != STATUS_OK)
        fail_result(
            s, r, status, ERR_SOURCE_FAILED,
            "PARTI-E%d there is no memory to merge the lists. Give this process more, or "
            "list fewer partitions%s",
            ERR_SOURCE_FAILED, stays(s->last != NULL));
}

/* What one source could not do is the result; what others could not do is logged. */
static void tell_failures(struct sources *s, struct source_result *r, struct slot *failed)
{
    fail_result(s, r, failed->status, failed->error, "%s%s", failed->text,
                stays(failed->has_rows));
    r->is_news = failed->is_untold || r->commanded;
    failed->is_untold = false;
    for (size_t i = 0; i < s->slot_n; i++) {
        struct slot *slot = &s->slot[i];

        if (!slot->is_untold)
            continue;
        slot->is_untold = false;
        log_warn("%s%s", slot->text, stays(slot->has_rows));
    }
}

/* Without the lock: merges, tells, keeps. */
static void deliver(struct sources *s, struct source_result *r, struct slot *failed)
{
    if (failed != NULL) {
        tell_failures(s, r, failed);
        s->done(s->ctx, r);
        return;
    }
    merge(s, r);
    if (r->status != STATUS_OK) {
        r->is_news = r->commanded || strcmp(s->merge_told, r->text) != 0;
        (void)snprintf(s->merge_told, sizeof s->merge_told, "%s", r->text);
        s->done(s->ctx, r);
        return;
    }
    s->merge_told[0] = '\0';
    if (r->listing->n == 0 && !s->is_empty_told)
        log_warn("the sources list no partition at all, so there is nothing to divide; "
                 "where that is not meant correct [source]");
    s->is_empty_told = r->listing->n == 0;
    if (r->asked || !listing_equal(s->last, r->listing))
        s->done(s->ctx, r);
    listing_unref(s->last);
    s->last = r->listing;
}

/* What may be delivered now. */
enum ready { READY_NOTHING, READY_ANSWER, READY_FAILURE, READY_LISTING };

/* 'failed' is the first source whose last attempt failed, 'complete' the newest ask that
 * every source has dealt with. */
static enum ready look(struct sources *s, struct slot **ret_failed,
                       uint64_t *ret_complete)
{
    struct slot *failed = NULL;
    uint64_t complete = s->asked;
    bool has_all = true;

    for (size_t i = 0; i < s->slot_n; i++) {
        struct slot *slot = &s->slot[i];

        if (slot->ended_ask < complete)
            complete = slot->ended_ask;
        if (!slot->is_ok && slot->text[0] != '\0' && failed == NULL)
            failed = slot;
        has_all = has_all && slot->has_rows;
    }
    *ret_failed = failed;
    *ret_complete = complete;
    if (complete > s->answered)
        return READY_ANSWER;
    if (s->asked > s->answered || !s->is_watching)
        return READY_NOTHING; /* an answer is under way, or nobody listens */
    if (s->is_fail_new && failed != NULL)
        return READY_FAILURE;
    /* A source that fails now is there with its last good rows. */
    return s->is_fresh && has_all ? READY_LISTING : READY_NOTHING;
}

/* With the lock: tells what there is to tell, the lock being open meanwhile. */
static bool try_deliver(struct sources *s)
{
    struct source_result r = {.text = ""};
    struct slot *failed;
    uint64_t complete;

    switch (look(s, &failed, &complete)) {
    case READY_NOTHING: return false;
    case READY_ANSWER:
        r.asked = true;
        r.commanded = s->commanded_first != 0 && s->commanded_first <= complete;
        if (r.commanded)
            s->commanded_first = s->commanded_last > complete ? s->commanded_last : 0;
        s->answered = complete;
        s->is_fail_new = false;
        break;
    case READY_FAILURE: s->is_fail_new = false; break;
    case READY_LISTING: failed = NULL; break;
    }
    if (failed == NULL)
        s->is_fresh = false;
    gate_unlock(&s->hub->gate);
    deliver(s, &r, failed);
    gate_lock(&s->hub->gate);
    return true;
}

/* Rows that were listed long before the next ask must not be mixed with its answer. */
static void forget(struct sources *s)
{
    if (!s->is_forgetting || s->asked > s->answered)
        return;
    s->is_forgetting = s->is_fresh = false;
    for (size_t i = 0; i < s->slot_n; i++) {
        source_rows_finish(&s->slot[i].rows);
        s->slot[i].has_rows = false;
    }
    listing_unref(s->last);
    s->last = NULL;
}

void *source_keep(void *ctx)
{
    struct sources *s = ctx;

    gate_lock(&s->hub->gate);
    while (!s->is_ending) {
        uint64_t next = UINT64_MAX;

        for (size_t i = 0; i < s->slot_n && !s->is_ending; i++) {
            uint64_t when = step_slot(s, &s->slot[i], threads_now_ms());

            if (when < next)
                next = when;
        }
        if (s->is_ending || try_deliver(s))
            continue;
        forget(s);
        (void)gate_wait(&s->hub->gate, next);
    }
    gate_unlock(&s->hub->gate);
    return NULL;
}
