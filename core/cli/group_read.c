/* Reading a group's log: lease, head and the own records that the head names. */
#include "cli/group.h"

#include "base/errors.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_FIRST = 128, MEMBERS_MAX = CONF_WORKER_IDS_MAX + 1 };

/* One chunk of one member's record. */
struct want {
    uint32_t member, chunk;
    struct inbox_item *answer;
};

struct fetch {
    struct want *want;
    uint32_t n;
    uint32_t asked, answered;
    uint64_t op; /* of want[0] */
};

/* ---- answers */

/* Waits for the answer to an operation from 'first' to 'last'; NULL: the end of time. */
static struct inbox_item *await(struct group *g, uint64_t first, uint64_t last,
                                uint64_t until_ms)
{
    struct inbox_item *item;

    while ((item = group_fresh(g, until_ms)) != NULL) {
        if (item->kind == INBOX_LOG_ANSWER && item->op >= first && item->op <= last)
            return item;
        if (item->kind == INBOX_LOG_ANSWER || item->kind == INBOX_LOG_NOTE)
            inbox_item_free(item);
        else
            group_keep(g, item);
    }
    return NULL;
}

/* What a failed operation means when there is no time left to try it again. */
static int give_up(struct group *g)
{
    if (group_is_stopped(g))
        return GROUP_STOPPED;
    if (!g->is_up && g->code == 0)
        return group_fail(g, CLI_NO_SERVER, ERR_NATS_FAILED,
                          "the connection to %s is lost.", g->server);
    if (g->code == 0)
        return group_fail(g, CLI_TIMEOUT, ERR_NATS_TIMEOUT, "%s does not answer in time.",
                          g->server);
    return g->is_up ? CLI_TIMEOUT : CLI_NO_SERVER;
}

static void note_failure(struct group *g, const struct inbox_item *item)
{
    (void)group_fail(g, 0, item->code != 0 ? item->code : ERR_NATS_FAILED, "%s",
                     item->data);
}

/* May the next attempt end otherwise? */
static bool is_passing(int status)
{
    return status == STATUS_TIMEOUT || status == STATUS_OFFLINE || status == STATUS_LIMIT;
}

/* Lets a little time pass, with an eye on what happens. */
static void pause_a_little(struct group *g, uint64_t until_ms)
{
    uint64_t wake_ms = clock_boot_ms() + GROUP_RETRY_MS;
    struct inbox_item *item;

    wake_ms = wake_ms < until_ms ? wake_ms : until_ms;
    while ((item = group_fresh(g, wake_ms)) != NULL)
        group_keep(g, item);
}

static uint64_t deadline_ms(const struct group *g)
{
    return clock_boot_ms() + g->conf->timing.operation_timeout_ms;
}

int group_bind(struct group *g)
{
    uint64_t until_ms = deadline_ms(g);

    g->code = 0;
    while (clock_boot_ms() < until_ms && !group_is_stopped(g)) {
        uint64_t op = ++g->op;
        int status = nats_log_bind(g->log, op, 0);
        struct inbox_item *item = status == STATUS_OK ? await(g, op, op, until_ms) : NULL;

        if (item != NULL) {
            status = item->status;
            if (status != STATUS_OK && status != STATUS_NOTFOUND)
                note_failure(g, item);
            inbox_item_free(item);
            if (status == STATUS_OK)
                return CLI_OK;
            if (status == STATUS_NOTFOUND)
                return group_fail(g, CLI_FAILED, 0,
                                  "there is no group '%s' on %s. The first worker makes "
                                  "it: 'parti run -c FILE'.",
                                  g->conf->group, g->server);
            if (!is_passing(status))
                return CLI_NO_SERVER;
        }
        pause_a_little(g, until_ms);
    }
    return give_up(g);
}

/* The newest record of a key, tried until the deadline.  CLI_OK: *ret_item is it, NULL if
 * there is none. */
static int read_key(struct group *g, const char *key, uint64_t until_ms,
                    struct inbox_item **ret_item)
{
    while (clock_boot_ms() < until_ms && !group_is_stopped(g)) {
        uint64_t op = ++g->op;
        int status = nats_log_read(g->log, op, key, 0);
        struct inbox_item *item = status == STATUS_OK ? await(g, op, op, until_ms) : NULL;

        if (item != NULL &&
            (item->status == STATUS_OK || item->status == STATUS_NOTFOUND)) {
            *ret_item = item->status == STATUS_OK ? item : NULL;
            if (*ret_item == NULL)
                inbox_item_free(item);
            return CLI_OK;
        }
        if (item != NULL) {
            note_failure(g, item);
            status = item->status;
            inbox_item_free(item);
            if (!is_passing(status))
                return CLI_NO_SERVER;
        }
        pause_a_little(g, until_ms);
    }
    return give_up(g);
}

/* ---- lease and head */

static int damaged(struct group *g, const char *what)
{
    return group_fail(g, CLI_FAILED, ERR_LOG_LOST,
                      "the record '%s' of the group '%s' on %s cannot be read: it is "
                      "damaged, or of a newer version of Parti.",
                      what, g->conf->group, g->server);
}

static int read_lease(struct group *g, uint64_t until_ms, struct group_view *v)
{
    struct inbox_item *item = NULL;
    int status = read_key(g, "lease", until_ms, &item);

    v->has_lease = item != NULL;
    if (status == CLI_OK && item != NULL &&
        lease_decode(&v->lease, item->data, item->n) < 0)
        status = damaged(g, "lease");
    inbox_item_free(item);
    return status;
}

/* Decodes into room that grows as needed. */
static int decode_head(struct group_view *v, const void *data, size_t n)
{
    int status = STATUS_LIMIT;

    for (uint32_t max = MEMBERS_FIRST; status == STATUS_LIMIT && max <= 4 * MEMBERS_MAX;
         max *= 4) {
        free(v->head.member);
        v->head.member = calloc(max, sizeof *v->head.member);
        must(v->head.member != NULL);
        v->members_max = max;
        status = head_decode(&v->head, max, data, n);
    }
    return status;
}

static int read_head(struct group *g, uint64_t until_ms, struct group_view *v)
{
    struct inbox_item *item = NULL;
    int status = read_key(g, "head", until_ms, &item);

    if (status != CLI_OK)
        return status;
    if (item == NULL)
        return group_fail(g, CLI_FAILED, 0,
                          "the group '%s' on %s has no assignment yet: no worker has "
                          "joined it so far.",
                          g->conf->group, g->server);
    if (decode_head(v, item->data, item->n) < 0)
        status = damaged(g, "head");
    v->head.seq = item->seq;
    inbox_item_free(item);
    return status;
}

/* ---- records */

static bool has_record(const struct head_member *m)
{
    return m->own.slot != OWN_SLOT_NONE && m->own.chunks > 0;
}

/* Takes over what is the same in the view before; the rest is wanted. */
static void list_wants(struct fetch *f, struct group_view *v, struct group_view *before)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->head.n; i++)
        n += has_record(&v->head.member[i]) ? v->head.member[i].own.chunks : 0;
    v->record = calloc((size_t)v->head.n + 1, sizeof *v->record);
    f->want = calloc((size_t)n + 1, sizeof *f->want);
    must(v->record != NULL && f->want != NULL);
    for (uint32_t i = 0, k = 0; i < v->head.n; i++) {
        const struct head_member *m = &v->head.member[i];

        while (k < before->head.n && before->head.member[k].num < m->num)
            k++;
        if (k < before->head.n && before->record[k].bytes != NULL && has_record(m) &&
            session_equal(before->head.member[k].session, m->session) &&
            before->head.member[k].own.hash == m->own.hash &&
            before->record[k].n == m->own.size) {
            v->record[i] = before->record[k];
            before->record[k] = (struct group_record){0};
            continue;
        }
        for (uint32_t c = 0; has_record(m) && c < m->own.chunks; c++)
            f->want[f->n++] = (struct want){i, c, NULL};
    }
}

/* One more request or answer.  CLI_OK; CLI_UNSETTLED: a record is gone; else the end. */
static int fetch_step(struct group *g, struct fetch *f, const struct group_view *v,
                      uint64_t until_ms)
{
    char key[KEY_ROOM];

    while (f->asked < f->n && f->asked - f->answered < GROUP_WINDOW) {
        const struct want *w = &f->want[f->asked];
        const struct head_member *m = &v->head.member[w->member];

        own_key(key, m->id, m->own.slot, w->chunk);
        if (nats_log_read(g->log, f->op + f->asked, key, 0) != STATUS_OK)
            return CLI_UNSETTLED; /* not connected just now: from the start */
        f->asked++;
    }
    struct inbox_item *item = await(g, f->op, f->op + f->n - 1, until_ms);

    if (item == NULL)
        return give_up(g);
    f->answered++;
    if (item->status == STATUS_OK) {
        f->want[item->op - f->op].answer = item;
        return CLI_OK;
    }
    int status = item->status == STATUS_NOTFOUND || is_passing(item->status)
                     ? CLI_UNSETTLED
                     : CLI_NO_SERVER;

    if (item->status != STATUS_NOTFOUND)
        note_failure(g, item);
    inbox_item_free(item);
    return status;
}

/* Puts a member's chunks together, want[0 .. chunks) being its own.  False: the slot has
 * been written anew since the head was read. */
static bool join_chunks(const struct want *want, const struct head_member *m,
                        struct group_record *ret)
{
    struct own_coder coder;
    struct group_record r = {.bytes = malloc((size_t)m->own.size + 1)};

    must(r.bytes != NULL);
    for (uint32_t c = 0; c < m->own.chunks; c++) {
        const struct inbox_item *item = want[c].answer;

        if (item->n > m->own.size - r.n)
            break;
        memcpy(r.bytes + r.n, item->data, item->n);
        r.n += item->n;
    }
    if (r.n == m->own.size && hash_bytes(r.bytes, r.n) == m->own.hash &&
        own_read_begin(&coder, r.bytes, r.n) == 0 &&
        session_equal(coder.session, m->session)) {
        *ret = r;
        return true;
    }
    free(r.bytes);
    return false;
}

static int read_records(struct group *g, uint64_t until_ms, struct group_view *v,
                        struct group_view *before)
{
    struct fetch f = {.op = g->op + 1};
    int status = CLI_OK;

    list_wants(&f, v, before);
    g->op += f.n;
    while (status == CLI_OK && f.answered < f.n)
        status = fetch_step(g, &f, v, until_ms);
    for (uint32_t i = 0; status == CLI_OK && i < f.n;) {
        const struct head_member *m = &v->head.member[f.want[i].member];

        if (!join_chunks(&f.want[i], m, &v->record[f.want[i].member]))
            status = CLI_UNSETTLED;
        i += m->own.chunks;
    }
    for (uint32_t i = 0; i < f.n; i++)
        inbox_item_free(f.want[i].answer);
    free(f.want);
    return status;
}

/* ---- all of it */

void group_view_finish(struct group_view *v)
{
    for (uint32_t i = 0; v->record != NULL && i < v->head.n; i++)
        free(v->record[i].bytes);
    free(v->record);
    free(v->head.member);
    *v = (struct group_view){0};
}

/* The last who leave stay in the head, for nobody is there who could drop them. */
static void note_leavers(struct group *g, const struct head *h)
{
    g->is_deserted = true;
    for (uint32_t i = 0; i < h->n; i++)
        g->is_deserted = g->is_deserted && h->member[i].state == MEMBER_DRAINING;
    g->is_empty = g->is_deserted && (g->is_empty || group_is_silent(g));
}

int group_read(struct group *g, struct group_view *v)
{
    uint64_t until_ms = deadline_ms(g);
    int status = CLI_UNSETTLED;

    g->code = 0;
    for (int i = 0; status == CLI_UNSETTLED && i < GROUP_TRIES_MAX; i++) {
        struct group_view now = {0};

        if (i > 0)
            pause_a_little(g, until_ms);
        status = read_lease(g, until_ms, &now);
        if (status == CLI_OK)
            status = read_head(g, until_ms, &now);
        if (status == CLI_OK)
            status = read_records(g, until_ms, &now, v);
        if (status != CLI_OK && status != CLI_UNSETTLED) {
            group_view_finish(&now);
            break;
        }
        /* Also what was read of an assignment that changed is good for the next try. */
        group_view_finish(v);
        *v = now;
    }
    if (status == CLI_UNSETTLED && g->code != 0)
        return give_up(g);
    if (status == CLI_UNSETTLED)
        return group_fail(g, CLI_UNSETTLED, 0,
                          "the assignment of the group '%s' changes faster than it can "
                          "be read.",
                          g->conf->group);
    if (status == CLI_OK)
        note_leavers(g, &v->head);
    return status;
}
