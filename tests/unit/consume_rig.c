#include "consume_rig.h"

#include "base/status.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct consume_options rig_options = {.lanes_max = RIG_LANES,
                                            .messages_max = 64,
                                            .lane_max = 4,
                                            .deliver_max = 2,
                                            .attempts_max = 3,
                                            .has_dead_letter = true,
                                            .handle_timeout_ms = 1000,
                                            .retry_first_ms = 10,
                                            .retry_max_ms = 40,
                                            .commit_interval_ms = 100,
                                            .commit_messages = 3,
                                            .writes_max = 4};

__attribute__((format(printf, 3, 4))) static void trace(struct rig *r,
                                                        const struct consume_action *a,
                                                        const char *format, ...)
{
    size_t n = strlen(r->trace);
    va_list list;

    n += (size_t)snprintf(r->trace + n, sizeof r->trace - n, "%s", n > 0 ? "; " : "");
    if (a->lane > 0)
        n += (size_t)snprintf(r->trace + n, sizeof r->trace - n, "%u:", a->lane);
    va_start(list, format);
    (void)vsnprintf(r->trace + n, sizeof r->trace - n, format, list);
    va_end(list);
}

static void trace_write(struct rig *r, const struct consume_action *a)
{
    const struct consume_record *w = &a->record;
    char flags[8], at[64] = "";

    (void)snprintf(flags, sizeof flags, "%s%s%s", w->is_begun ? "B" : "",
                   w->is_released ? "R" : "", w->is_suspect ? "S" : "");
    if (w->attempts > 0)
        (void)snprintf(at, sizeof at, " a%llu*%lld", (unsigned long long)w->at,
                       w->attempts == CONSUME_TERMED ? -1 : (long long)w->attempts);
    trace(r, a, "write v%llu n%llu%s%s%s", (unsigned long long)a->version,
          (unsigned long long)w->next, flags[0] != '\0' ? " " : "", flags, at);
}

static void perform(void *ctx, const struct consume_action *a)
{
    struct rig *r = ctx;
    unsigned long long position = a->position;

    switch (a->type) {
    case DO_READ:
        r->op[a->lane] = a->op;
        trace(r, a, "read");
        break;
    case DO_WRITE:
        r->op[a->lane] = a->op;
        r->sent = a->record;
        trace_write(r, a);
        break;
    case DO_START:
        ck_assert_uint_gt(a->run, r->run[a->lane]);
        r->run[a->lane] = a->run;
        r->credit[a->lane] = 0;
        trace(r, a, "start r%llu o%llu @%llu", (unsigned long long)a->run,
              (unsigned long long)a->origin, position);
        break;
    case DO_CREDIT:
        r->credit[a->lane] += a->n;
        r->credit_all += a->n;
        trace(r, a, "credit %llu", (unsigned long long)a->n);
        break;
    case DO_DELIVER:
        ck_assert_uint_eq((uintptr_t)a->message, position);
        r->count = a->count;
        trace(r, a, "deliver %llu#%u", position, a->attempt);
        r->stretch = a->stretch;
        break;
    case DO_CANCEL: trace(r, a, "cancel"); break;
    case DO_BURY:
        ck_assert_uint_eq((uintptr_t)a->message, position);
        trace(r, a, "bury %llu#%u %s", position, a->attempt,
              a->reason == REASON_TERM ? "term" : "attempts");
        break;
    case DO_DONE: trace(r, a, "done %llu", position); break;
    case DO_STOP:
        r->credit_all -= r->credit[a->lane];
        r->credit[a->lane] = 0;
        trace(r, a, a->is_last ? "stop last" : "stop");
        break;
    case DO_FORGET:
        ck_assert_uint_gt(r->here, 0);
        r->here--;
        break;
    case DO_CLEAR: trace(r, a, "clear"); break;
    case DO_SAY:
        ck_assert_uint_gt(strlen(a->text), 10);
        trace(r, a, "say PARTI-E%d", a->code);
        break;
    }
}

void rig_open(struct rig *r, const struct consume_options *o)
{
    size_t size = consume_size(o);

    *r = (struct rig){.now = 1000};
    r->memory = calloc(1, size);
    ck_assert_ptr_nonnull(r->memory);
    ck_assert_int_eq(consume_init(&r->c, r->memory, size, o, perform, r), STATUS_OK);
}

void rig_close(struct rig *r)
{
    consume_finish(r->c);
    ck_assert_uint_eq(r->here, 0);
    free(r->memory);
}

void rig_expect(struct rig *r, const char *expected)
{
    ck_assert_str_eq(r->trace, expected);
    r->trace[0] = '\0';
}

void rig_step(struct rig *r, struct consume_event ev)
{
    ev.now_ms = r->now;
    consume_step(r->c, &ev);
    ck_assert_uint_gt(consume_deadline_ms(r->c), r->now);
}

void rig_wait(struct rig *r, uint64_t ms)
{
    uint64_t end = r->now + ms;

    for (int i = 0; consume_deadline_ms(r->c) <= end; i++) {
        ck_assert_int_lt(i, 10000);
        r->now = consume_deadline_ms(r->c);
        rig_step(r, (struct consume_event){.type = CONSUME_TICK});
    }
    r->now = end;
    rig_step(r, (struct consume_event){.type = CONSUME_TICK});
}

void rig_grant(struct rig *r, uint32_t lane, uint64_t since)
{
    rig_step(r, (struct consume_event){
                    .type = CONSUME_GRANT, .lane = lane, .token = {1, since}});
}

void rig_revoke(struct rig *r, uint32_t lane, uint64_t deadline)
{
    rig_step(r, (struct consume_event){
                    .type = CONSUME_REVOKE, .lane = lane, .deadline_ms = deadline});
}

void rig_fence(struct rig *r)
{
    rig_step(r, (struct consume_event){.type = CONSUME_FENCE});
}

void rig_read(struct rig *r, uint32_t lane, const struct consume_record *record,
              uint64_t version)
{
    struct consume_event ev = {.type = CONSUME_READ,
                               .lane = lane,
                               .op = r->op[lane],
                               .version = version,
                               .status = STATUS_NOTFOUND};

    if (record != NULL) {
        ev.status = STATUS_OK;
        ev.record = *record;
    }
    rig_step(r, ev);
}

void rig_read_fails(struct rig *r, uint32_t lane, int status)
{
    rig_step(
        r, (struct consume_event){
               .type = CONSUME_READ, .lane = lane, .op = r->op[lane], .status = status});
}

void rig_written(struct rig *r, uint32_t lane, int status, uint64_t version)
{
    rig_step(r, (struct consume_event){.type = CONSUME_WRITTEN,
                                       .lane = lane,
                                       .op = r->op[lane],
                                       .status = status,
                                       .version = version});
}

void rig_begun(struct rig *r, uint32_t lane, uint64_t origin, uint64_t from)
{
    rig_step(r, (struct consume_event){.type = CONSUME_BEGUN,
                                       .lane = lane,
                                       .run = r->run[lane],
                                       .origin = origin,
                                       .position = from});
}

void rig_message(struct rig *r, uint32_t lane, uint64_t position)
{
    if (r->credit[lane] > 0) {
        r->credit[lane]--;
        r->credit_all--;
    }
    r->here++;
    rig_step(r, (struct consume_event){.type = CONSUME_MESSAGE,
                                       .lane = lane,
                                       .run = r->run[lane],
                                       .position = position,
                                       .message = (void *)(uintptr_t)position});
}

void rig_messages(struct rig *r, uint32_t lane, uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at <= to; at++)
        rig_message(r, lane, at);
}

void rig_say(struct rig *r, uint32_t lane, uint64_t position, uint32_t attempt,
             enum consume_verdict verdict)
{
    rig_step(r, (struct consume_event){.type = CONSUME_VERDICT,
                                       .lane = lane,
                                       .run = r->run[lane],
                                       .position = position,
                                       .attempt = attempt,
                                       .verdict = verdict});
}

void rig_ack(struct rig *r, uint32_t lane, uint64_t position, uint32_t attempt)
{
    rig_say(r, lane, position, attempt, VERDICT_ACK);
}

void rig_nak(struct rig *r, uint32_t lane, uint64_t position, uint32_t attempt)
{
    rig_say(r, lane, position, attempt, VERDICT_NAK);
}

void rig_buried(struct rig *r, uint32_t lane, uint64_t position, int status)
{
    rig_step(r, (struct consume_event){.type = CONSUME_BURIED,
                                       .lane = lane,
                                       .run = r->run[lane],
                                       .position = position,
                                       .status = status});
}

void rig_trouble(struct rig *r, uint32_t lane, int status)
{
    rig_step(r, (struct consume_event){.type = CONSUME_TROUBLE,
                                       .lane = lane,
                                       .run = r->run[lane],
                                       .status = status});
}

void rig_reads_from(struct rig *r, uint32_t lane, uint64_t since,
                    const struct consume_record *record, uint64_t version)
{
    rig_grant(r, lane, since);
    rig_read(r, lane, record, version);
    rig_written(r, lane, STATUS_OK, version + 1);
    rig_begun(r, lane, RIG_ORIGIN,
              record != NULL && record->origin != 0 ? record->next : 1);
    if (record == NULL || record->origin == 0)
        rig_written(r, lane, STATUS_OK, version + 2); /* where it begins */
    r->trace[0] = '\0';
}

void rig_reads(struct rig *r, uint32_t lane, uint64_t since)
{
    rig_reads_from(r, lane, since, NULL, 0);
}

struct consume_view rig_look(const struct rig *r, uint32_t lane)
{
    struct consume_view view;

    consume_look(r->c, lane, &view);
    return view;
}
