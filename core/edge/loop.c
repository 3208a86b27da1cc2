#include "edge/loop_private.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"
#include "edge/thread.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ITEMS_MAX = 16384, BYTES_MAX = 64 * 1024 * 1024, RESERVE_MAX = 4096, BATCH = 256 };

/* ---- feeding the node
 * ------------------------------------------------------------------- */

static void feed(struct loop *l, struct event *ev)
{
    if (l->node == NULL || l->is_done)
        return;
    ev->now_ms = clock_boot_ms();
    ev->wall_s = clock_wall_s();
    node_step(l->node, ev, &l->actions);
    loop_perform(l);
}

/* The node's memory is large and mostly untouched: only what is used becomes resident. */
static bool make_node(struct loop *l)
{
    size_t payload = nats_link_max_payload(l->link) / 2;
    void *memory;

    l->options.node.chunk_max = payload < LOOP_CHUNK_MAX ? payload : LOOP_CHUNK_MAX;
    l->node_bytes = node_size(&l->options.node);
    memory = mmap(NULL, l->node_bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    l->node = node_init(memory, l->node_bytes, &l->options.node);
    return true;
}

/* Once for each outage, like what began it. */
static void tell_connected(struct loop *l)
{
    char server[LOOP_TEXT_ROOM];

    if (l->is_out && l->options.connected != NULL) {
        nats_link_server(l->link, server, sizeof server);
        l->options.connected(l->options.ctx, server);
    }
    l->is_out = false;
}

static void on_open(struct loop *l, const struct inbox_item *item)
{
    struct event up = {.type = EV_LINK, .link.up = true};

    if (item->status != STATUS_OK) {
        loop_problem(l, item->code != 0 ? item->code : ERR_NATS_FAILED, item->data);
        l->open_at_ms = clock_boot_ms() + LOOP_OPEN_RETRY_MS;
        return;
    }
    l->problem_code = 0;
    tell_connected(l);
    if (l->node == NULL && !make_node(l)) {
        loop_problem(l, ERR_RECORD_SIZE,
                     "there is not enough address space for the node");
        return;
    }
    l->is_open = true;
    feed(l, &up);
}

static void on_link(struct loop *l, bool up)
{
    struct event down = {.type = EV_LINK, .link.up = false};

    l->open_at_ms = up ? clock_boot_ms() : 0;
    if (l->is_open)
        feed(l, &down); /* also on "up" after an unseen loss: the log is opened again */
    l->is_open = false;
}

static void on_answer(struct loop *l, const struct inbox_item *item)
{
    struct event ev = {.log = {.op = item->op,
                               .status = item->status,
                               .seq = item->seq,
                               .data = item->data,
                               .n = item->n}};

    if (item->op == LOOP_OP_OPEN) {
        on_open(l, item);
        return;
    }
    /* The node knows by the number what it asked; the kind only tells it where to look.
     */
    ev.type = (enum event_type)(item->op >> LOOP_OP_BITS);
    ev.log.op = item->op & ((UINT64_C(1) << LOOP_OP_BITS) - 1);
    feed(l, &ev);
}

static void on_message(struct loop *l, const struct inbox_item *item)
{
    struct event ev = {.type = EV_MESSAGE, .message = {.data = item->data, .n = item->n}};

    if (item->tag == TAG_CONTROL && item->reply[0] != '\0' &&
        l->refreshers < LOOP_REFRESHERS_MAX) {
        struct node_view view;

        if (l->node == NULL)
            return;
        node_look(l->node, &view);
        if (!view.is_leading)
            return; /* the leader answers */
        (void)snprintf(l->refresher[l->refreshers++], sizeof l->refresher[0], "%s",
                       item->reply);
    }
    feed(l, &ev);
}

static void on_server(struct loop *l, const struct inbox_item *item)
{
    char text[LOOP_TEXT_ROOM];

    if (nats_link_set_url(l->link, item->data, text, sizeof text) < 0)
        loop_problem(l, ERR_NATS_OPTIONS, text);
    if (l->options.server != NULL)
        l->options.server(l->options.ctx, item->data);
}

/* The link says a reason once, and tries for ever. */
static void on_link_error(struct loop *l, const struct inbox_item *item)
{
    char text[LOOP_TEXT_ROOM + 64];

    (void)snprintf(text, sizeof text, "%.*s This worker goes on trying.", LOOP_TEXT_ROOM,
                   item->data);
    loop_problem(l, item->code, text);
    l->is_out = true;
}

static void take(struct loop *l, struct inbox_item *item)
{
    if (l->log != NULL && nats_log_feed(l->log, item)) {
        inbox_item_free(item);
        return;
    }
    switch (item->kind) {
    case INBOX_LINK_UP: on_link(l, true); break;
    case INBOX_LINK_DOWN: on_link(l, false); break;
    case INBOX_LINK_ERROR: on_link_error(l, item); break;
    case INBOX_LINK_DENIED:
    case INBOX_LOG_NOTE:
    case INBOX_SERVER_ERROR:
    case INBOX_SERVER_DOWN:
        loop_problem(l, item->code != 0 ? item->code : ERR_SERVER_START, item->data);
        break;
    case INBOX_SERVER_UP: on_server(l, item); break;
    case INBOX_MESSAGE: on_message(l, item); break;
    case INBOX_LOG_ANSWER: on_answer(l, item); break;
    default: break;
    }
    inbox_item_free(item);
}

/* ---- what our own threads tell
 * --------------------------------------------------------------------- */

static void on_listed(struct loop *l, const struct loop_listing *listing)
{
    struct event ev = {.type = EV_LISTED,
                       .listed = {.n = listing->n,
                                  .id = listing->id,
                                  .weight = listing->weight,
                                  .commanded = listing->commanded}};

    feed(l, &ev);
}

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static void on_list_failed(struct loop *l, const char *text)
{
    struct event ev = {.type = EV_LIST_FAILED, .list_failed.why = text_or_null(text)};

    loop_answer_refreshers(l, text);
    feed(l, &ev);
}

static void on_listings(struct loop *l, const struct mail_bag *bag)
{
    if (bag->has_failure && bag->is_failure_first)
        on_list_failed(l, bag->failure);
    if (bag->has_listing)
        on_listed(l, &bag->listing);
    if (bag->has_failure && !bag->is_failure_first)
        on_list_failed(l, bag->failure);
}

static void on_planned(struct loop *l, const struct mail_bag *bag)
{
    struct event ev = {.type = EV_PLANNED,
                       .planned = {.plan = bag->plan,
                                   .status = bag->plan_status,
                                   .why = text_or_null(bag->plan_why),
                                   .keep = bag->keep,
                                   .owner = bag->owner,
                                   .n = bag->owner_n}};

    feed(l, &ev);
}

static void take_mail(struct loop *l)
{
    struct mail_bag bag;

    if (!mail_take(l->mail, &bag))
        return;
    l->is_done = l->is_done || bag.has_quit; /* then nothing else is fed */
    on_listings(l, &bag);
    if (bag.has_plan)
        on_planned(l, &bag);
    if (bag.has_released) {
        struct event ev = {.type = EV_RELEASED, .released.epoch = bag.released};

        feed(l, &ev);
    }
    if (bag.has_refresh) {
        struct event ev = {.type = EV_REFRESH};

        feed(l, &ev);
    }
    if (bag.has_unread) {
        struct event ev = {.type = EV_UNREAD, .unread = {bag.unread, bag.unread_why}};

        feed(l, &ev);
    }
    if (bag.has_stop) {
        struct event ev = {.type = EV_STOP, .stop.restart = bag.restart};

        feed(l, &ev);
        l->is_done = l->is_done || l->node == NULL; /* never joined: nothing to leave */
    }
    mail_bag_finish(&bag);
}

/* ---- the thread
 * --------------------------------------------------------------------------- */

static int sleep_ms(const struct loop *l, uint64_t now_ms)
{
    uint64_t wake = l->node != NULL ? node_deadline_ms(l->node) : UINT64_MAX;
    uint64_t log_ns = nats_log_deadline_ns(l->log);
    uint64_t log_ms = log_ns == UINT64_MAX ? UINT64_MAX : log_ns / CLOCK_NS_PER_MS + 1;

    if (l->open_at_ms != 0 && l->open_at_ms < wake)
        wake = l->open_at_ms;
    wake = log_ms < wake ? log_ms : wake;
    if (wake <= now_ms)
        return 0;
    return wake - now_ms > 1000 ? 1000 : (int)(wake - now_ms);
}

static void run_timers(struct loop *l)
{
    struct event time = {.type = EV_TIME};
    uint64_t now_ms = clock_boot_ms();

    nats_log_tick(l->log, clock_boot_ns());
    if (l->options.tick != NULL)
        l->options.tick(l->options.ctx);
    if (l->open_at_ms != 0 && now_ms >= l->open_at_ms) {
        l->open_at_ms = 0;
        if (nats_log_open(l->log, LOOP_OP_OPEN, 0) != STATUS_OK)
            l->open_at_ms = now_ms + LOOP_OPEN_RETRY_MS;
    }
    if (l->node != NULL && now_ms >= node_deadline_ms(l->node))
        feed(l, &time);
}

static void *run(void *arg)
{
    struct loop *l = arg;
    struct action stopped = {.type = ACT_STOPPED};

    while (!l->is_done) {
        struct pollfd fd[] = {{.fd = inbox_fd(l->inbox), .events = POLLIN},
                              {.fd = mail_fd(l->mail), .events = POLLIN}};
        struct inbox_item *item;

        (void)poll(fd, 2, sleep_ms(l, clock_boot_ms()));
        for (int i = 0; i < BATCH && !l->is_done && (item = inbox_pop(l->inbox)) != NULL;
             i++)
            take(l, item);
        take_mail(l);
        if (!l->is_done)
            run_timers(l);
    }
    l->options.perform(l->options.ctx, &stopped);
    return NULL;
}

/* ---- from other threads
 * -------------------------------------------------------------------- */

void loop_listed(struct loop *l, const struct loop_listing *listing)
{
    mail_listed(l->mail, listing);
}

void loop_list_failed(struct loop *l, const char *text)
{
    mail_list_failed(l->mail, text);
}

void loop_planned(struct loop *l, uint64_t plan, bool keep, const uint32_t *owner,
                  uint32_t n)
{
    mail_planned(l->mail, plan, keep, owner, n);
}

void loop_plan_failed(struct loop *l, uint64_t plan, int status, const char *why)
{
    mail_plan_failed(l->mail, plan, status, why);
}

void loop_released(struct loop *l, uint64_t epoch)
{
    mail_released(l->mail, epoch);
}

void loop_stop(struct loop *l, bool restart)
{
    mail_stop(l->mail, restart);
}

void loop_refresh(struct loop *l)
{
    mail_refresh(l->mail);
}

void loop_unread(struct loop *l, uint32_t n, const char *why)
{
    mail_unread(l->mail, n, why);
}

void loop_quit(struct loop *l)
{
    mail_quit(l->mail);
}

uint64_t loop_connects(struct loop *l)
{
    return nats_link_connects(l->link);
}

/* ---- begin and end
 * ------------------------------------------------------------------------- */

/* A copy of a text that lives as long as the loop; NULL stays NULL. */
static const char *keep(struct loop *l, const char *text)
{
    if (text == NULL || l->texts_n == sizeof l->texts / sizeof *l->texts)
        return text;
    l->texts[l->texts_n] = strdup(text);
    return l->texts[l->texts_n++];
}

static void keep_options(struct loop *l, const struct loop_options *o)
{
    l->options = *o;
    l->options.group = keep(l, o->group);
    l->options.node.id_prefix = keep(l, o->node.id_prefix);
    l->options.node.host = keep(l, o->node.host);
    l->options.node.zone = keep(l, o->node.zone);
    l->options.node.strategy = keep(l, o->node.strategy);
    if (o->embedded != NULL)
        l->embedded = *o->embedded;
}

static int start_server(struct loop *l, char url[NATS_CHILD_URL_ROOM], char *text,
                        size_t room)
{
    int code, status;

    status = nats_child_create(&l->child, l->inbox, &l->embedded, text, room);
    if (status < 0)
        return status;
    status = nats_child_wait(l->child, url, &code, text, room);
    if (status < 0)
        l->options.problem(l->options.ctx, code, text);
    return status;
}

static int subscribe(struct loop *l)
{
    const char *group = l->options.group;

    (void)snprintf(l->beacon, sizeof l->beacon, "parti.%s.beacon", group);
    (void)snprintf(l->control, sizeof l->control, "parti.%s.ctl", group);
    (void)snprintf(l->inbox_subject, sizeof l->inbox_subject, "parti.%s.n.%016" PRIx64,
                   group, l->options.node.addr);
    if (nats_link_subscribe(l->link, l->beacon, INBOX_MESSAGE, TAG_BEACON) < 0 ||
        nats_link_subscribe(l->link, l->inbox_subject, INBOX_MESSAGE, TAG_INBOX) < 0 ||
        nats_link_subscribe(l->link, l->control, INBOX_MESSAGE, TAG_CONTROL) < 0 ||
        nats_link_subscribe(l->link, nats_log_head_subject(l->log), INBOX_MESSAGE,
                            TAG_HEAD) < 0)
        return STATUS_LIMIT;
    return 0;
}

int loop_create(struct loop **ret_loop, const struct loop_options *options, char *text,
                size_t room)
{
    struct inbox_limits limits = {ITEMS_MAX, BYTES_MAX, RESERVE_MAX};
    struct loop *l = calloc(1, sizeof *l);
    char url[NATS_CHILD_URL_ROOM];
    int status = STATUS_NOMEM;

    bytes_to_text(bytes_of("out of memory"), text, room);
    if (l == NULL)
        return STATUS_NOMEM;
    keep_options(l, options);
    status = inbox_create(&l->inbox, &limits);
    if (status == STATUS_OK)
        status = mail_create(&l->mail);
    if (status < 0)
        goto fail;
    if (options->embedded != NULL) {
        status = start_server(l, url, text, room);
        if (status < 0)
            goto fail;
        l->options.nats.url = url;
        if (options->server != NULL)
            options->server(options->ctx, url);
    }
    status = nats_link_create(&l->link, l->inbox, &l->options.nats, text, room);
    if (status < 0)
        goto fail;
    struct nats_log_options log = {l->options.group, l->options.replicas, TAG_LOG};

    status = nats_log_create(&l->log, l->link, l->inbox, &log);
    if (status < 0)
        goto fail;
    status = subscribe(l);
    if (status < 0)
        goto fail;
    *ret_loop = l; /* before the thread: what it performs may call back */
    status = thread_start(&l->thread, run, l);
    l->has_thread = status == STATUS_OK;
    if (l->has_thread)
        return 0;
    *ret_loop = NULL;

fail:
    loop_destroy(l);
    return status;
}

void loop_end(struct loop *l)
{
    if (l == NULL || !l->has_thread)
        return;
    loop_quit(l);
    (void)pthread_join(l->thread, NULL);
    l->has_thread = false;
}

void loop_destroy(struct loop *l)
{
    if (l == NULL)
        return;
    loop_end(l);
    nats_log_destroy(l->log);
    nats_link_destroy(l->link);
    nats_child_destroy(l->child);
    inbox_destroy(l->inbox);
    mail_destroy(l->mail);
    if (l->node != NULL)
        (void)munmap(l->node, l->node_bytes);
    for (size_t i = 0; i < l->texts_n; i++)
        free(l->texts[i]);
    free(l);
}
