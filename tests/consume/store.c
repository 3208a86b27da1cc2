/* The model store of records: versions, conditions, and requests and answers that are
 * lost, late or twice. */
#include "sim.h"

#include "base/status.h"

enum { WAIT_MAX_MS = 20000 };

void store_request(struct sim *s, struct worker *w, const struct consume_action *a)
{
    struct event e = {
        .what = EV_REQUEST,
        .worker = w->number,
        .life = w->life,
        .part = a->lane,
        .is_write = a->type == DO_WRITE,
        .ev = {.lane = a->lane, .op = a->op, .record = a->record, .version = a->version}};

    if (chance(s, s->fault_percent)) {
        if (chance(s, 50)) { /* lost; the driver may say so, or not */
            e.what = EV_ANSWER;
            e.ev.type = e.is_write ? CONSUME_WRITTEN : CONSUME_READ;
            e.ev.status = STATUS_TIMEOUT;
            if (chance(s, 70))
                push(s, 500 + pick(s, 3000), &e);
            return;
        }
        push(s, pick(s, WAIT_MAX_MS), &e); /* late */
        return;
    }
    push(s, pick(s, 5), &e);
}

static void write_record(struct sim *s, const struct event *e, struct consume_event *ev)
{
    struct part *p = &s->part[e->part];

    ev->type = CONSUME_WRITTEN;
    if (e->ev.version != p->version) {
        ev->status = STATUS_CONFLICT;
        s->refused++;
        return;
    }
    judge_write(s, e->part, &e->ev.record);
    tell(s, "p%u: record: since %llu next %llu%s%s%s at %llu*%d by w%u", e->part,
         (unsigned long long)e->ev.record.token.since,
         (unsigned long long)e->ev.record.next, e->ev.record.is_begun ? " begun" : "",
         e->ev.record.is_released ? " released" : "",
         e->ev.record.is_suspect ? " suspect" : "", (unsigned long long)e->ev.record.at,
         (int)e->ev.record.attempts, e->worker);
    p->exists = true;
    p->record = e->ev.record;
    p->version = ++s->version;
    ev->version = p->version;
    s->commits++;
}

void store_arrive(struct sim *s, const struct event *e)
{
    const struct part *p = &s->part[e->part];
    struct event answer = *e;

    answer.what = EV_ANSWER;
    answer.ev.status = STATUS_OK;
    if (e->is_write) {
        write_record(s, e, &answer.ev);
    } else {
        answer.ev.type = CONSUME_READ;
        answer.ev.status = p->exists ? STATUS_OK : STATUS_NOTFOUND;
        answer.ev.record = p->record;
        answer.ev.version = p->version;
    }
    if (chance(s, s->fault_percent)) {
        if (chance(s, 40)) { /* lost */
            answer.ev.status = STATUS_TIMEOUT;
            if (chance(s, 70))
                push(s, 500 + pick(s, 3000), &answer);
            return;
        }
        if (chance(s, 50))
            push(s, pick(s, WAIT_MAX_MS), &answer); /* twice, or late */
        if (chance(s, 50))
            return;
    }
    push(s, pick(s, 5), &answer);
}
