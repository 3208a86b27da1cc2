#include "cli/positions.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "consume/record.h"
#include "edge/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint64_t until_ms(const struct positions *p)
{
    return clock_boot_ms() + p->group->conf->timing.operation_timeout_ms;
}

/* The answer to an operation from 'first' to 'last'; NULL at the end of time.  An older
 * one may come yet: nobody waits for it any more. */
static struct inbox_item *answer(struct positions *p, uint64_t first, uint64_t last,
                                 uint64_t until)
{
    for (;;) {
        uint64_t due_ns = nats_positions_deadline_ns(p->store);
        uint64_t due_ms =
            due_ns != UINT64_MAX ? due_ns / CLOCK_NS_PER_MS + 1 : UINT64_MAX;
        struct inbox_item *item = group_fresh(p->group, due_ms < until ? due_ms : until);

        nats_positions_tick(p->store, clock_boot_ns());
        if (item == NULL) {
            if (clock_boot_ms() >= until || group_is_stopped(p->group))
                return NULL;
            continue;
        }
        if (item->kind == INBOX_LOG_ANSWER && item->tag == GROUP_POSITIONS &&
            item->op >= first && item->op <= last)
            return item;
        (void)nats_positions_feed(p->store, item);
        inbox_item_free(item);
    }
}

static int late(const struct positions *p)
{
    struct group *g = p->group;

    if (group_is_stopped(g))
        return GROUP_STOPPED;
    if (!g->is_up)
        return group_fail(g, CLI_NO_SERVER, ERR_NATS_FAILED,
                          "the connection to %s is lost.", g->server);
    return group_fail(g, CLI_TIMEOUT, ERR_NATS_TIMEOUT, "%s does not answer in time.",
                      g->server);
}

static int refused(const struct positions *p, const struct inbox_item *item)
{
    int status = item->status == STATUS_TIMEOUT   ? CLI_TIMEOUT
                 : item->status == STATUS_OFFLINE ? CLI_NO_SERVER
                                                  : CLI_FAILED;

    return group_fail(p->group, status, item->code != 0 ? item->code : ERR_NATS_FAILED,
                      "%s", item->data);
}

int positions_open(struct positions *p, struct group *g)
{
    const struct nats_positions_options options = {.group = g->conf->group,
                                                   .replicas =
                                                       (int)g->conf->nats.replicas,
                                                   .tag = GROUP_POSITIONS};
    struct inbox_item *item;
    int status = CLI_OK;

    *p = (struct positions){.group = g};
    if (nats_positions_create(&p->store, g->link, g->inbox, &options) < 0 ||
        nats_positions_bind(p->store, 0, g->conf->timing.operation_timeout_ms) < 0)
        return group_fail(g, CLI_FAILED, 0, "out of memory");
    item = answer(p, 0, 0, until_ms(p));
    if (item == NULL)
        return late(p);
    p->is_absent = item->status == STATUS_NOTFOUND;
    if (p->is_absent)
        status = group_fail(g, CLI_FAILED, 0,
                            "the group '%s' has no positions on %s: no worker with "
                            "[consume] has held a partition yet.",
                            g->conf->group, g->server);
    else if (item->status != STATUS_OK)
        status = refused(p, item);
    inbox_item_free(item);
    return status;
}

void positions_close(struct positions *p)
{
    nats_positions_destroy(p->store);
    *p = (struct positions){0};
}

static int understand(struct positions *p, struct bytes id, const struct inbox_item *item,
                      struct position *ret)
{
    char name[PARTID_TEXT_ROOM];
    int status;

    *ret = (struct position){.version = item->seq};
    if (item->status == STATUS_NOTFOUND)
        return CLI_OK;
    if (item->status != STATUS_OK)
        return refused(p, item);
    status = record_decode(&ret->record, id, item->data, item->n);
    ret->exists = status == STATUS_OK;
    if (ret->exists)
        return CLI_OK;
    (void)partid_encode(id, name, sizeof name);
    return group_fail(p->group, CLI_FAILED, 0,
                      "the position of %s in %s cannot be read: %s.", name,
                      nats_positions_stream(p->store), status_text(status));
}

/* ids first to first + n - 1. */
static int read_window(struct positions *p, const struct bytes *id, size_t n,
                       struct position *ret)
{
    uint64_t first = p->op + 1, until = until_ms(p);
    int status = CLI_OK;

    for (size_t i = 0; i < n; i++)
        if (nats_positions_read(p->store, ++p->op, id[i],
                                p->group->conf->timing.operation_timeout_ms) < 0)
            return group_fail(p->group, CLI_NO_SERVER, ERR_NATS_FAILED,
                              "the connection to %s is lost.", p->group->server);
    for (size_t i = 0; i < n && status == CLI_OK; i++) {
        struct inbox_item *item = answer(p, first, p->op, until);
        size_t at = item != NULL ? (size_t)(item->op - first) : 0;

        if (item == NULL)
            return late(p);
        status = understand(p, id[at], item, &ret[at]);
        inbox_item_free(item);
    }
    return status;
}

int positions_read(struct positions *p, const struct bytes *id, size_t n,
                   struct position *ret)
{
    int status = CLI_OK;

    for (size_t at = 0; at < n && status == CLI_OK; at += POSITIONS_WINDOW)
        status = read_window(
            p, id + at, n - at < POSITIONS_WINDOW ? n - at : POSITIONS_WINDOW, ret + at);
    return status;
}

int positions_sum_up(struct group *g, const struct state *s, struct positions_sum *ret)
{
    struct positions p = {0};
    struct bytes *id = calloc((size_t)s->part_n + 1, sizeof *id);
    struct position *at = calloc((size_t)s->part_n + 1, sizeof *at);
    int status = CLI_OK;

    *ret = (struct positions_sum){.parts = s->part_n};
    if (id == NULL || at == NULL)
        status = group_fail(g, CLI_FAILED, 0, "out of memory");
    for (uint32_t i = 0; status == CLI_OK && i < s->part_n; i++)
        id[i] = s->part[i].id;
    if (status == CLI_OK && s->part_n <= POSITIONS_SUM_MAX) {
        status = positions_open(&p, g);
        if (status == CLI_OK)
            status = positions_read(&p, id, s->part_n, at);
        ret->is_known = status == CLI_OK;
        if (p.is_absent)
            status = CLI_OK;
    }
    for (uint32_t i = 0; ret->is_known && i < s->part_n; i++) {
        ret->recorded += at[i].exists;
        ret->failing += at[i].exists && at[i].record.attempts > 0;
    }
    positions_close(&p);
    free(id);
    free(at);
    return status;
}

/* The greatest token below: who holds the partition all the same sees that its claim is
 * gone and claims anew (C2), and no older holder comes in between (C3). */
static struct consume_token below(struct consume_token t)
{
    if (t.since > 0)
        return (struct consume_token){t.gen, t.since - 1};
    return (struct consume_token){t.gen > 0 ? t.gen - 1 : 0, t.gen > 0 ? UINT64_MAX : 0};
}

int positions_set(struct positions *p, struct bytes id, const struct position *old,
                  uint64_t next)
{
    const struct consume_record record = {.token = below(old->record.token),
                                          .origin = old->record.origin,
                                          .next = next,
                                          .at = next,
                                          .is_released = true};
    uint64_t timeout_ms = p->group->conf->timing.operation_timeout_ms;
    char bytes[RECORD_ROOM];
    size_t n = record_encode(&record, id, bytes, sizeof bytes);
    struct inbox_item *item;
    int status = CLI_OK;

    must(old->exists && n > 0);
    if (nats_positions_write(p->store, ++p->op, id, old->version, bytes, n, timeout_ms) <
        0)
        return group_fail(p->group, CLI_NO_SERVER, ERR_NATS_FAILED,
                          "the connection to %s is lost.", p->group->server);
    item = answer(p, p->op, p->op, until_ms(p));
    if (item == NULL)
        return late(p);
    if (item->status == STATUS_CONFLICT)
        status = group_fail(p->group, CLI_FAILED, 0,
                            "the position was written by somebody else meanwhile; "
                            "nothing was set. Is a worker still running?");
    else if (item->status != STATUS_OK)
        status = refused(p, item);
    inbox_item_free(item);
    return status;
}
