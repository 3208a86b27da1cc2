#include "host/consumer_store.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "consume/record.h"
#include "edge/clock.h"

#include <stdio.h>
#include <string.h>

enum { ITEMS_MAX = 4096, BYTES_MAX = 16 * 1024 * 1024, TAG = 1, BATCH = 1024 };
enum { OP_OPEN = NATS_POSITIONS_OPS_MAX }; /* behind the numbers of places */
enum { TEXT_ROOM = 1024 };

int consumer_store_init(struct store *s)
{
    struct inbox_limits limits = {ITEMS_MAX, BYTES_MAX, ITEMS_MAX};

    for (int i = 0; i < NATS_POSITIONS_OPS_MAX; i++)
        s->op[i].next = i + 1 < NATS_POSITIONS_OPS_MAX ? i + 1 : -1;
    s->free = 0;
    return inbox_create(&s->inbox, &limits);
}

void consumer_store_finish(struct store *s)
{
    nats_positions_destroy(s->positions);
    nats_link_destroy(s->link);
    inbox_destroy(s->inbox);
    s->positions = NULL;
    s->link = NULL;
    s->inbox = NULL;
}

static void say(struct store *s, int code, const char *text)
{
    if (code == s->problem)
        return;
    s->problem = code;
    s->say(s->ctx, code, text);
}

void consumer_store_link(struct store *s, const struct nats_link_options *options)
{
    struct nats_positions_options positions = {s->group, s->replicas, TAG};
    char text[TEXT_ROOM] = "out of memory";

    if (s->link != NULL) {
        if (nats_link_set_url(s->link, options->url, text, sizeof text) < 0)
            say(s, ERR_NATS_OPTIONS, text);
        return;
    }
    if (nats_link_create(&s->link, s->inbox, options, text, sizeof text) < 0) {
        s->link = NULL;
        say(s, ERR_NATS_OPTIONS, text);
        return;
    }
    must(nats_positions_create(&s->positions, s->link, s->inbox, &positions) ==
         STATUS_OK);
}

/* ---- asking ------------------------------------------------------------------------ */

/* A place for the engine's operation; its index is the store's number. */
static int begin(struct store *s, const struct consume_action *a, bool is_write)
{
    int i = s->free;

    must(i >= 0); /* the engine asks for less than there are places */
    s->free = s->op[i].next;
    s->op[i] = (struct store_op){.op = a->op, .lane = a->lane, .is_write = is_write};
    return i;
}

static int begun(struct store *s, int i, int status)
{
    if (status == STATUS_OK)
        return STATUS_OK;
    s->op[i].next = s->free;
    s->free = i;
    return status;
}

int consumer_store_read(struct store *s, const struct consume_action *a, struct bytes id)
{
    if (!s->is_open)
        return STATUS_OFFLINE;
    int i = begin(s, a, false);
    return begun(s, i, nats_positions_read(s->positions, (uint64_t)i, id, STORE_OP_MS));
}

int consumer_store_write(struct store *s, const struct consume_action *a, struct bytes id)
{
    char record[RECORD_ROOM];

    if (!s->is_open)
        return STATUS_OFFLINE;
    size_t n = record_encode(&a->record, id, record, sizeof record);
    must(n > 0);
    int i = begin(s, a, true);
    return begun(s, i,
                 nats_positions_write(s->positions, (uint64_t)i, id, a->version, record,
                                      n, STORE_OP_MS));
}

/* ---- hearing ----------------------------------------------------------------------- */

static void on_open(struct store *s, const struct inbox_item *item)
{
    if (item->status == STATUS_OK) {
        s->is_open = true;
        s->problem = 0;
        s->opened(s->ctx);
        return;
    }
    say(s, item->code != 0 ? item->code : ERR_NATS_FAILED, item->data);
    s->open_at_ms = clock_boot_ms() + STORE_RETRY_MS;
}

static void on_answer(struct store *s, const struct inbox_item *item)
{
    struct consume_event ev = {
        .now_ms = clock_boot_ms(), .status = item->status, .version = item->seq};

    if (item->op == OP_OPEN) {
        on_open(s, item);
        return;
    }
    must(item->op < OP_OPEN);
    struct store_op *op = &s->op[item->op];
    ev.type = op->is_write ? CONSUME_WRITTEN : CONSUME_READ;
    ev.op = op->op;
    ev.lane = op->lane;
    if (!op->is_write && item->status == STATUS_OK)
        ev.status =
            record_decode(&ev.record, s->id(s->ctx, op->lane), item->data, item->n);
    op->next = s->free;
    s->free = (int)item->op;
    if (item->status != STATUS_OK && item->code != 0)
        say(s, item->code, item->data);
    else
        s->problem = 0;
    /* Somebody may have removed the bucket: then it is made anew. */
    if (item->status == STATUS_OFFLINE && s->open_at_ms == 0 && s->is_open)
        s->open_at_ms = clock_boot_ms() + STORE_RETRY_MS;
    s->answer(s->ctx, &ev);
}

static void take(struct store *s, const struct inbox_item *item)
{
    if (s->positions != NULL && nats_positions_feed(s->positions, item))
        return;
    switch (item->kind) {
    case INBOX_LINK_UP:
        s->is_open = false;
        s->open_at_ms = clock_boot_ms();
        break;
    case INBOX_LINK_DOWN:
        s->is_open = false;
        s->open_at_ms = 0;
        say(s, item->code, item->data);
        break;
    case INBOX_LINK_ERROR:
    case INBOX_LINK_DENIED:
    case INBOX_LOG_NOTE: say(s, item->code, item->data); break;
    case INBOX_LOG_ANSWER: on_answer(s, item); break;
    default: break;
    }
}

int consumer_store_fd(const struct store *s)
{
    return inbox_fd(s->inbox);
}

uint64_t consumer_store_deadline_ms(const struct store *s)
{
    uint64_t ns =
        s->positions != NULL ? nats_positions_deadline_ns(s->positions) : UINT64_MAX;
    uint64_t ms = ns != UINT64_MAX ? ns / CLOCK_NS_PER_MS + 1 : UINT64_MAX;

    return s->open_at_ms != 0 && s->open_at_ms < ms ? s->open_at_ms : ms;
}

void consumer_store_turn(struct store *s)
{
    struct inbox_item *item;

    for (int i = 0; i < BATCH && (item = inbox_pop(s->inbox)) != NULL; i++) {
        take(s, item);
        inbox_item_free(item);
    }
    if (s->positions == NULL)
        return;
    nats_positions_tick(s->positions, clock_boot_ns());
    if (s->open_at_ms != 0 && clock_boot_ms() >= s->open_at_ms) {
        s->open_at_ms = 0;
        if (nats_positions_open(s->positions, OP_OPEN, STORE_OP_MS) != STATUS_OK)
            s->open_at_ms = clock_boot_ms() + STORE_RETRY_MS;
    }
}
