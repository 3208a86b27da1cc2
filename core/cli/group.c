#include "cli/group.h"

#include "base/errors.h"
#include "base/status.h"
#include "edge/clock.h"
#include "edge/nats_child.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 16384, BYTES_MAX = 64 * 1024 * 1024, RESERVE_MAX = 1024 };

int group_fail(struct group *g, int status, int code, const char *format, ...)
{
    va_list args;

    g->code = code;
    va_start(args, format);
    (void)vsnprintf(g->text, sizeof g->text, format, args);
    va_end(args);
    return status;
}

bool group_is_stopped(const struct group *g)
{
    struct pollfd fd = {.fd = g->stop_fd, .events = POLLIN};

    return g->stop_fd >= 0 && poll(&fd, 1, 0) > 0;
}

/* ---- items */

static void take_beacon(struct group *g, const struct inbox_item *item)
{
    struct message m;

    if (wire_decode(&m, item->data, item->n) < 0 || m.type != MSG_BEACON)
        return;
    /* W4: a deposed leader that has not noticed yet tells nothing. */
    if (g->has_beacon &&
        (m.beacon.gen < g->beacon.gen ||
         (m.beacon.gen == g->beacon.gen && m.beacon.term < g->beacon.term)))
        return;
    g->beacon = m.beacon;
    g->has_beacon = true;
    g->is_empty = false;
    g->beacon_ms = g->heard_ms = item->when_ns / CLOCK_NS_PER_MS;
}

static void note_item(struct group *g, const struct inbox_item *item)
{
    if (item->kind == INBOX_MESSAGE && item->tag == GROUP_BEACON)
        take_beacon(g, item);
    else if (item->kind == INBOX_LINK_UP || item->kind == INBOX_LINK_DOWN)
        g->is_up = item->kind == INBOX_LINK_UP;
    if (item->kind == INBOX_LINK_UP)
        g->heard_ms = clock_boot_ms();
}

static int patience_ms(const struct group *g, uint64_t now_ms, uint64_t until_ms)
{
    uint64_t log_ns = g->log != NULL ? nats_log_deadline_ns(g->log) : UINT64_MAX;

    if (log_ns != UINT64_MAX && log_ns / CLOCK_NS_PER_MS + 1 < until_ms)
        until_ms = log_ns / CLOCK_NS_PER_MS + 1;
    if (until_ms <= now_ms)
        return 0;
    return until_ms - now_ms > 1000 ? 1000 : (int)(until_ms - now_ms);
}

struct inbox_item *group_fresh(struct group *g, uint64_t until_ms)
{
    for (;;) {
        struct inbox_item *item = inbox_pop(g->inbox);
        uint64_t now_ms = clock_boot_ms();

        if (item != NULL && g->log != NULL && nats_log_feed(g->log, item)) {
            inbox_item_free(item);
            continue;
        }
        if (item != NULL) {
            note_item(g, item);
            return item;
        }
        if (g->log != NULL)
            nats_log_tick(g->log, clock_boot_ns());
        if (inbox_counts(g->inbox).items > 0)
            continue;
        if (now_ms >= until_ms || group_is_stopped(g))
            return NULL;
        struct pollfd fds[] = {{.fd = inbox_fd(g->inbox), .events = POLLIN},
                               {.fd = g->stop_fd, .events = POLLIN}};

        (void)poll(fds, g->stop_fd >= 0 ? 2 : 1, patience_ms(g, now_ms, until_ms));
    }
}

void group_keep(struct group *g, struct inbox_item *item)
{
    /* What is thrown away here are messages that may be lost anyway, or news that
     * g->is_up and g->beacon tell, too. */
    if (g->backlog == GROUP_BACKLOG_MAX) {
        inbox_item_free(item);
        return;
    }
    item->next = NULL;
    if (g->last != NULL)
        g->last->next = item;
    else
        g->first = item;
    g->last = item;
    g->backlog++;
}

struct inbox_item *group_next(struct group *g, uint64_t until_ms)
{
    struct inbox_item *item = g->first;

    if (item == NULL)
        return group_fresh(g, until_ms);
    g->first = item->next;
    if (g->first == NULL)
        g->last = NULL;
    g->backlog--;
    item->next = NULL;
    return item;
}

bool group_listen(struct group *g)
{
    uint64_t until_ms =
        clock_boot_ms() + GROUP_BEACONS * g->conf->timing.heartbeat_interval_ms;

    while (!g->has_beacon) {
        struct inbox_item *item = group_fresh(g, until_ms);

        if (item == NULL)
            break;
        group_keep(g, item);
    }
    return g->has_beacon;
}

static bool has_leader(const struct group *g)
{
    return g->has_beacon && (g->beacon.flags & BEACON_RESIGNS) == 0;
}

bool group_is_silent(const struct group *g)
{
    return g->is_up && !has_leader(g) &&
           clock_boot_ms() >= g->heard_ms + g->conf->timing.heartbeat_ttl_ms;
}

bool group_await_silence(struct group *g)
{
    while (!has_leader(g) && !group_is_silent(g)) {
        struct inbox_item *item =
            group_fresh(g, g->heard_ms + g->conf->timing.heartbeat_ttl_ms);

        if (item != NULL)
            group_keep(g, item);
        else if (group_is_stopped(g) || !g->is_up)
            break;
    }
    return group_is_silent(g);
}

/* ---- begin and end */

/* The server's address and the credentials, as a worker of this configuration has them.
 */
static int find_server(struct group *g, struct nats_link_options *ret,
                       char url[NATS_CHILD_URL_ROOM])
{
    struct loop_options options = {0};
    char text[512];

    if (worker_loop_options(g->conf, "", &g->setup, &options, text, sizeof text) < 0)
        return group_fail(g, CLI_FAILED, 0, "%s", text);
    *ret = options.nats;
    if (options.embedded == NULL)
        return CLI_OK;
    if (nats_child_find(options.embedded->state_dir, url, text, sizeof text) < 0)
        return group_fail(g, CLI_NO_SERVER, ERR_NATS_REFUSED, "%s", text);
    ret->url = url;
    return CLI_OK;
}

static int subscribe(struct group *g)
{
    char beacon[96];

    (void)snprintf(beacon, sizeof beacon, "parti.%s.beacon", g->conf->group);
    if (nats_link_subscribe(g->link, beacon, INBOX_MESSAGE, GROUP_BEACON) < 0 ||
        nats_link_subscribe(g->link, nats_log_head_subject(g->log), INBOX_MESSAGE,
                            GROUP_HEAD) < 0)
        return group_fail(g, CLI_FAILED, 0, "out of memory");
    return CLI_OK;
}

/* Until connected, or until every server of the list has failed once. */
static int await_link(struct group *g)
{
    uint64_t until_ms = clock_boot_ms() + g->conf->timing.operation_timeout_ms;

    while (!g->is_up) {
        struct inbox_item *item = group_fresh(g, until_ms);

        if (item == NULL)
            return group_is_stopped(g)
                       ? GROUP_STOPPED
                       : group_fail(g, CLI_NO_SERVER, ERR_NATS_TIMEOUT,
                                    "%s cannot be reached within %" PRIu64 " ms.",
                                    g->server, g->conf->timing.operation_timeout_ms);
        if (item->kind == INBOX_LINK_ERROR) {
            (void)group_fail(g, CLI_NO_SERVER, item->code, "%s", item->data);
            inbox_item_free(item);
            return CLI_NO_SERVER;
        }
        inbox_item_free(item);
    }
    nats_link_server(g->link, g->server, sizeof g->server);
    return CLI_OK;
}

int group_open(struct group *g, const struct conf *conf, int stop_fd)
{
    const struct inbox_limits limits = {ITEMS_MAX, BYTES_MAX, RESERVE_MAX};
    const struct nats_log_options log = {
        .group = conf->group, .replicas = (int)conf->nats.replicas, .tag = GROUP_LOG};
    struct nats_link_options options;
    char url[NATS_CHILD_URL_ROOM];
    int status;

    *g = (struct group){.conf = conf, .stop_fd = stop_fd};
    status = find_server(g, &options, url);
    if (status != CLI_OK)
        return status;
    if (inbox_create(&g->inbox, &limits) < 0)
        return group_fail(g, CLI_FAILED, 0, "out of memory");
    status = nats_link_create(&g->link, g->inbox, &options, g->text, sizeof g->text);
    explicit_bzero(url, sizeof url);
    if (status == STATUS_NOMEM)
        return group_fail(g, CLI_FAILED, 0, "out of memory");
    if (status < 0) {
        g->code = ERR_NATS_OPTIONS;
        return CLI_USAGE;
    }
    nats_link_server(g->link, g->server, sizeof g->server);
    if (nats_log_create(&g->log, g->link, g->inbox, &log) < 0)
        return group_fail(g, CLI_FAILED, 0, "out of memory");
    status = subscribe(g);
    return status == CLI_OK ? await_link(g) : status;
}

void group_close(struct group *g)
{
    struct inbox_item *item;

    nats_log_destroy(g->log);
    g->log = NULL;
    nats_link_destroy(g->link);
    while (g->inbox != NULL && (item = group_next(g, 0)) != NULL)
        inbox_item_free(item);
    inbox_destroy(g->inbox);
    worker_setup_finish(&g->setup);
    g->inbox = NULL;
    g->link = NULL;
}
