/* The fenced log: one stream, the newest record per key, conditional writes; and the
 * ways in which an answer can mislead: lost, late, spurious, slow, stale, or about what
 * is under way: a replicated log takes a write before it is stored (nats-server 2.15).
 */
#include "sim.h"

#include "base/hash.h"
#include "base/must.h"
#include "base/status.h"

#include "judge.h"

#include <string.h>

enum { SLOW_US = 600 * SIM_MS };

/* A request on its way; the data follows. */
struct sim_log_request {
    uint64_t op;
    uint64_t expect_seq, expect_key_seq;
    uint64_t sent_ms; /* by its sender's clock */
    enum action_type type;
    bool has_key_seq, is_answer_lost, is_spurious, is_slow, is_taken;
    char key[KEY_ROOM];
    size_t n;
    char data[];
};

static enum event_type answer_type(enum action_type type)
{
    return type == ACT_LOG_INFO   ? EV_LOG_INFO
           : type == ACT_LOG_READ ? EV_LOG_READ
                                  : EV_LOG_WRITTEN;
}

static void answer(struct sim *s, struct proc *p, uint64_t at_us, uint64_t op,
                   enum event_type type, int status, uint64_t seq, struct blob *b)
{
    /* The type travels in the upper half of a; op numbers stay far below. */
    must(op < (UINT64_C(1) << 56));
    sim_push(s, p, at_us,
             (struct sim_event){.kind = SIM_LOG_ANSWER,
                                .a = op | (uint64_t)type << 56,
                                .b = seq,
                                .status = status,
                                .blob = b});
}

bool sim_log_settle(struct proc *p, uint64_t op)
{
    for (uint32_t i = 0; i < p->op_n; i++)
        if (p->op[i] == op) {
            p->op[i] = p->op[--p->op_n];
            return true;
        }
    return false;
}

static uint64_t leg_us(struct sim *s)
{
    return s->knobs.log_delay_us + sim_between(&s->rand, 0, s->knobs.log_jitter_us);
}

void sim_log_ask(struct sim *s, struct proc *p, const struct action *a)
{
    const struct sim_knobs *k = &s->knobs;
    enum event_type type = answer_type(a->type);

    uint64_t sent_us = s->now_us + p->stall_us;
    if (p->op_n == OPS_MAX || !p->link_up) {
        /* Refused on the spot: as many as the edge takes, or no connection. */
        int status = p->link_up ? STATUS_LIMIT : STATUS_OFFLINE;
        answer(s, p, sent_us, a->log.op, type, status, 0, NULL);
        return;
    }
    uint64_t timeout_us =
        a->log.timeout_ms > 0 ? a->log.timeout_ms * SIM_MS : k->log_timeout_us;
    p->op[p->op_n++] = a->log.op;
    answer(s, p, sent_us + timeout_us, a->log.op, type, STATUS_TIMEOUT, 0, NULL);
    if (p->cut_out || p->is_blind)
        return;
    size_t n = a->type == ACT_LOG_WRITE ? a->log.n : 0;
    struct blob *b = blob_create(&s->heap, sizeof(struct sim_log_request) + n);
    struct sim_log_request *r = (struct sim_log_request *)b->data;
    *r = (struct sim_log_request){.op = a->log.op,
                                  .expect_seq = a->log.expect_seq,
                                  .expect_key_seq = a->log.expect_key_seq,
                                  .sent_ms = proc_local_ms(p, s->now_us),
                                  .type = a->type,
                                  .has_key_seq = a->log.has_key_seq,
                                  .n = n};
    memcpy(r->key, a->log.key, sizeof r->key);
    if (n > 0)
        memcpy(r->data, a->log.data, n);
    uint64_t at_us = sent_us + leg_us(s);
    r->is_answer_lost = sim_chance(&s->rand, k->lost_ppm);
    r->is_spurious = a->type == ACT_LOG_WRITE && sim_chance(&s->rand, k->spurious_ppm);
    if (a->type == ACT_LOG_WRITE) {
        r->is_answer_lost |= s->log.next == LOG_NEXT_LOST;
        r->is_spurious |= s->log.next == LOG_NEXT_SPURIOUS;
        r->is_slow = s->log.next == LOG_NEXT_SLOW;
        at_us += s->log.next == LOG_NEXT_LATE ? 2 * k->log_timeout_us : 0;
        s->log.next = LOG_NEXT_NONE;
    }
    if (sim_chance(&s->rand, k->slow_ppm))
        at_us += rand_below(&s->rand, k->log_timeout_us);
    if (sim_chance(&s->rand, k->late_ppm))
        at_us += k->log_timeout_us + rand_below(&s->rand, 5 * k->log_timeout_us);
    sim_push(s, p, at_us, (struct sim_event){.kind = SIM_LOG_REQUEST, .blob = b});
}

static struct log_record *find(struct sim_log *log, const char *key)
{
    uint64_t hash = hash_bytes(key, strlen(key));

    for (uint32_t i = 0; i < log->n; i++)
        if (log->rec[i].hash == hash && strcmp(log->rec[i].key, key) == 0)
            return &log->rec[i];
    return NULL;
}

const struct log_record *sim_log_find(const struct sim *s, const char *key)
{
    uint64_t hash = hash_bytes(key, strlen(key));

    for (uint32_t i = 0; i < s->log.n; i++)
        if (s->log.rec[i].hash == hash && strcmp(s->log.rec[i].key, key) == 0)
            return &s->log.rec[i];
    return NULL;
}

static bool is_condition_met(struct sim_log *log, const struct sim_log_request *r)
{
    const struct log_record *rec = find(log, r->key);

    return !r->is_spurious && r->expect_seq == log->last_seq &&
           (!r->has_key_seq || r->expect_key_seq == (rec != NULL ? rec->seq : 0));
}

/* Takes a write that is stored, and answered, later.  Until then the log has it not, and
 * whatever else is written is rejected. */
static bool is_taken_for_later(struct sim *s, const struct sim_event *ev)
{
    struct sim_log_request *r = (struct sim_log_request *)ev->blob->data;
    const struct sim_knobs *k = &s->knobs;

    if (r->is_taken || s->log.is_under_way || !is_condition_met(&s->log, r))
        return false;
    if (!r->is_slow && !sim_chance(&s->rand, k->commit_ppm))
        return false;
    r->is_taken = s->log.is_under_way = true;
    struct sim_event done = *ev;
    done.at_us = s->now_us + (r->is_slow ? SLOW_US
                                         : sim_between(&s->rand, k->commit_least_us,
                                                       k->commit_most_us));
    done.blob = blob_ref(ev->blob);
    sim_heap_push(&s->heap, &done);
    return true;
}

/* The write itself.  Returns a status; the record's sequence through ret_seq. */
static int apply(struct sim *s, const struct sim_log_request *r, struct proc *writer,
                 uint64_t *ret_seq)
{
    struct sim_log *log = &s->log;
    struct log_record *rec = find(log, r->key);

    if (log->is_under_way || !is_condition_met(log, r)) {
        log->conflicts++;
        return STATUS_CONFLICT;
    }
    if (rec == NULL) {
        if (log->n == LOG_KEYS_MAX) {
            sim_fail(s, "I14", "the log has more than %d keys", LOG_KEYS_MAX);
            return STATUS_LIMIT;
        }
        rec = &log->rec[log->n++];
        memcpy(rec->key, r->key, sizeof rec->key);
        rec->hash = hash_bytes(rec->key, strlen(rec->key));
    }
    blob_unref(&s->heap, rec->old);
    rec->old = rec->now;
    rec->old_seq = rec->seq;
    rec->now = blob_copy(&s->heap, r->data, r->n);
    rec->seq = ++log->last_seq;
    log->writes++;
    judge_log(s, writer, rec, r->sent_ms);
    if (strcmp(rec->key, "head") == 0)
        sim_net_republish(s, rec->now);
    *ret_seq = rec->seq;
    return STATUS_OK;
}

static int read_record(struct sim *s, const char *key, uint64_t *ret_seq,
                       struct blob **ret_blob)
{
    struct log_record *rec = find(&s->log, key);

    if (rec == NULL)
        return STATUS_NOTFOUND;
    bool is_due = strcmp(key, s->log.stale_key) == 0;
    bool is_stale =
        rec->old != NULL && (is_due || sim_chance(&s->rand, s->knobs.stale_ppm));
    if (is_due)
        s->log.stale_key[0] = '\0';
    *ret_seq = is_stale ? rec->old_seq : rec->seq;
    *ret_blob = blob_ref(is_stale ? rec->old : rec->now);
    return STATUS_OK;
}

void sim_log_arrive(struct sim *s, const struct sim_event *ev)
{
    const struct sim_log_request *r = (const struct sim_log_request *)ev->blob->data;
    struct proc *p = &s->proc[ev->slot];
    bool is_same = proc_is_live(p) && p->life == ev->life;
    struct blob *b = NULL;
    uint64_t seq = 0;
    int status = STATUS_OK;

    if (r->is_taken)
        s->log.is_under_way = false; /* a log that is down forgets it */
    bool is_apart = is_same && s->is_split && p->side != 0;
    if (s->log.is_down || (is_apart && !r->is_taken))
        return;
    if (r->type == ACT_LOG_WRITE && is_taken_for_later(s, ev))
        return;
    if (r->type == ACT_LOG_INFO)
        seq = s->log.last_seq;
    else if (r->type == ACT_LOG_READ)
        status = read_record(s, r->key, &seq, &b);
    else
        status = apply(s, r, is_same ? p : NULL, &seq);
    if (is_same && r->type == ACT_LOG_READ && strcmp(r->key, "lease") == 0)
        judge_lease_read(s, p);
    if (is_same && !is_apart && p->link_up && !p->cut_in && !r->is_answer_lost)
        answer(s, p, s->now_us + leg_us(s), r->op, answer_type(r->type), status, seq, b);
    else
        blob_unref(&s->heap, b);
}

static void drop_records(struct sim *s, struct log_record *rec, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        blob_unref(&s->heap, rec[i].now);
        blob_unref(&s->heap, rec[i].old);
        rec[i] = (struct log_record){0};
    }
}

/* Copies hold the newest records only; what was there before them is not remembered. */
static void copy_records(struct log_record *to, const struct log_record *from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        to[i] = from[i];
        to[i].old = NULL;
        (void)blob_ref(to[i].now);
    }
}

void sim_log_keep(struct sim *s)
{
    struct sim_log_copy *kept = &s->kept;

    drop_records(s, kept->rec, kept->n);
    *kept = (struct sim_log_copy){.last_seq = s->log.last_seq, .n = s->log.n};
    copy_records(kept->rec, s->log.rec, s->log.n);
}

void sim_log_back(struct sim *s)
{
    drop_records(s, s->log.rec, s->log.n);
    s->log.n = s->kept.n;
    s->log.last_seq = s->kept.last_seq;
    copy_records(s->log.rec, s->kept.rec, s->kept.n);
    judge_log_back(s, sim_log_find(s, "head"));
}

void sim_log_lose(struct sim *s)
{
    drop_records(s, s->log.rec, s->log.n);
    s->log.n = 0;
    s->log.last_seq = 0;
    judge_log_back(s, NULL);
}

void sim_log_clear(struct sim *s)
{
    drop_records(s, s->log.rec, s->log.n);
    drop_records(s, s->kept.rec, s->kept.n);
    s->kept = (struct sim_log_copy){0};
    s->log = (struct sim_log){0};
}
