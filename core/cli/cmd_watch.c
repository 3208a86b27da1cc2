/* parti watch: one line for everything that happens in a group, until interrupted. */
#include "cli/cli.h"

#include "base/errors.h"
#include "base/status.h"
#include "cli/load.h"
#include "cli/watch.h"
#include "edge/clock.h"
#include "edge/sig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGAIN_MS = 1000 }; /* before a log that cannot be read is read again */

struct watch {
    struct group group;
    struct group_view view;
    struct state known; /* what was told last */
    struct watch_out out;
    bool is_known;     /* 'known' holds something */
    bool is_bound;     /* the group's log is there */
    bool wants_read;   /* the log holds more than 'known' says */
    struct stamp head; /* newest one told */
    bool has_leader;
    char leader[ID_ROOM];
    uint64_t term;
    uint32_t unread; /* as told last */
    char life[32];
    char problem[GROUP_TEXT_ROOM]; /* told last, so that it is told once */
};

/* ---- from beacons */

/* A leader that is not heard for a lease is none. */
static uint64_t silence_ms(const struct watch *w)
{
    return w->group.beacon_ms + w->group.conf->timing.heartbeat_ttl_ms;
}

static bool hears_leader(struct watch *w)
{
    struct group *g = &w->group;

    if (g->has_beacon && clock_boot_ms() >= silence_ms(w))
        g->has_beacon = false;
    return g->has_beacon && (g->beacon.flags & BEACON_RESIGNS) == 0;
}

static void note_leader(struct watch *w)
{
    w->has_leader = hears_leader(w);
    if (w->has_leader) {
        w->term = w->group.beacon.term;
        bytes_to_text(bytes_of(w->group.beacon.id), w->leader, sizeof w->leader);
    }
    bytes_to_text(bytes_of(state_life(&w->group)), w->life, sizeof w->life);
}

static void look_at_leader(struct watch *w)
{
    struct group *g = &w->group;

    bool has = hears_leader(w), had = w->has_leader;
    bool is_new = has && (!had || w->term != g->beacon.term ||
                          strcmp(w->leader, g->beacon.id) != 0);
    char life[sizeof w->life];

    bytes_to_text(bytes_of(w->life), life, sizeof life);
    note_leader(w);
    if (is_new || (had && !has))
        watch_leader(&w->out, has ? w->leader : NULL, w->term);
    if (strcmp(life, w->life) != 0)
        watch_life(&w->out, life, w->life, state_why(&w->group));
    if (w->is_known && g->is_deserted && !g->is_empty && group_is_silent(g))
        w->wants_read = true; /* all have left */
    if (has && g->beacon.head.epoch > 0 && stamp_compare(g->beacon.head, w->head) > 0)
        w->wants_read = true;
}

static void look_for_unread(struct watch *w)
{
    if (!w->is_known || !w->has_leader || w->group.beacon.unread == w->unread)
        return;
    w->known.has_leader = true;
    state_take_unread(&w->known, &w->group);
    w->unread = w->known.unread;
    watch_unread(&w->out, &w->known);
}

/* ---- from heads */

static void tell_epoch(struct watch *w, const struct head *h)
{
    if (stamp_compare(h->stamp, w->head) <= 0)
        return;
    w->head = h->stamp;
    watch_epoch(&w->out, h);
}

static void take_head(struct watch *w, const struct inbox_item *item)
{
    struct head h = {.member = calloc(STATE_WORKERS_MAX, sizeof *h.member)};

    w->wants_read = true;
    if (h.member != NULL && head_decode(&h, STATE_WORKERS_MAX, item->data, item->n) == 0)
        tell_epoch(w, &h);
    free(h.member);
}

static void take(struct watch *w, const struct inbox_item *item)
{
    if (item->kind == INBOX_MESSAGE && item->tag == GROUP_HEAD) {
        take_head(w, item);
    } else if (item->kind == INBOX_LINK_DOWN) {
        watch_server(&w->out, false, item->data);
    } else if (item->kind == INBOX_LINK_UP) {
        watch_server(&w->out, true, item->data);
        w->is_bound = false; /* it may be another server, with another past */
        w->wants_read = true;
    } else if (item->kind == INBOX_LINK_ERROR) {
        watch_problem(&w->out, item->code, item->data);
    }
}

/* ---- from records */

/* What came while the records were read came before them. */
static void take_backlog(struct watch *w)
{
    while (w->group.first != NULL) {
        struct inbox_item *item = group_next(&w->group, 0);

        take(w, item);
        inbox_item_free(item);
    }
}

static void tell_state(struct watch *w, struct state *now)
{
    take_backlog(w);
    if (w->is_known) {
        tell_epoch(w, &w->view.head);
        watch_changes(&w->out, &w->known, now);
    } else {
        w->head =
            stamp_compare(w->head, w->view.head.stamp) < 0 ? w->view.head.stamp : w->head;
        watch_begin(&w->out, now);
    }
    state_finish(&w->known);
    w->known = *now;
    w->is_known = true;
    w->wants_read = stamp_compare(w->head, w->view.head.stamp) > 0;
}

static int read_group(struct watch *w)
{
    struct group *g = &w->group;
    struct state now = {0};
    int status = w->is_bound ? CLI_OK : group_bind(g);

    w->is_bound = status == CLI_OK;
    if (status == CLI_OK)
        status = group_read(g, &w->view);
    if (status == CLI_OK && state_from_group(&now, g, &w->view) < 0)
        status = group_fail(g, CLI_FAILED, ERR_LOG_LOST,
                            "the records of the group '%s' on %s contradict each other.",
                            g->conf->group, g->server);
    if (status == CLI_OK) {
        tell_state(w, &now);
        return CLI_OK;
    }
    state_finish(&now);
    return status;
}

/* A group that is not there yet is waited for; so is a server that was there once. */
static int catch_up(struct watch *w)
{
    int status = read_group(w);

    if (status == CLI_OK)
        w->problem[0] = '\0';
    if (status == CLI_OK || status == GROUP_STOPPED)
        return status;
    w->wants_read = false; /* the next beacon or connect asks again */
    if (strcmp(w->problem, w->group.text) != 0)
        watch_problem(&w->out, w->group.code, w->group.text);
    memcpy(w->problem, w->group.text, sizeof w->problem);
    return CLI_OK;
}

/* ---- the loop */

/* When something is to be told that no message tells of. */
static uint64_t wake_ms(const struct watch *w)
{
    const struct group *g = &w->group;
    uint64_t silent_ms = g->heard_ms + g->conf->timing.heartbeat_ttl_ms;
    uint64_t now_ms = clock_boot_ms();

    if (w->has_leader)
        return silence_ms(w);
    if (!w->is_known || !g->is_deserted || g->is_empty || !g->is_up)
        return UINT64_MAX;
    /* Where the log could not be read, again now and then. */
    return silent_ms > now_ms ? silent_ms : now_ms + AGAIN_MS;
}

static int follow(struct watch *w)
{
    int status = CLI_OK;

    w->wants_read = true;
    (void)group_listen(&w->group);
    note_leader(w);
    while (status == CLI_OK && !group_is_stopped(&w->group) && !watch_is_deaf(&w->out)) {
        struct inbox_item *item;

        look_at_leader(w);
        if (w->wants_read && w->group.is_up && w->group.first == NULL)
            status = catch_up(w);
        look_at_leader(w); /* what was read may say that all have left */
        look_for_unread(w);
        item = group_next(&w->group, wake_ms(w));
        if (item != NULL)
            take(w, item);
        inbox_item_free(item);
    }
    return status == GROUP_STOPPED ? CLI_OK : status;
}

static int watch(const struct cli *cli, const struct conf *conf, int stop_fd)
{
    struct watch w = {
        .out = {.is_json = cli->output == CLI_JSON, .is_colour = cli->is_colour}};
    int status = group_open(&w.group, conf, stop_fd);

    if (status == CLI_OK)
        status = follow(&w);
    else if (status == GROUP_STOPPED)
        status = CLI_OK;
    else
        cli_say(w.group.code, "%s", w.group.text);
    group_view_finish(&w.view);
    state_finish(&w.known);
    group_close(&w.group);
    return status;
}

static int run(int argc, char **argv, struct cli *cli)
{
    const char *file = NULL;
    const struct cli_option options[] = {
        {'c', "config", "FILE", "the configuration", .text = &file},
        {0},
    };
    struct conf conf = {0};
    int words = 0, stop_fd = -1;
    int status = cli_parse(cli, options, argc, argv, &words);

    if (status != CLI_OK)
        return status < 0 ? CLI_OK : status;
    status = load_no_words(cli, words, argv);
    if (status == CLI_OK)
        status = load_conf(cli, file, &conf);
    if (status == CLI_OK && sig_open(&stop_fd) < 0) {
        cli_say(0, "no descriptor for signals is to be had");
        status = CLI_FAILED;
    }
    if (status == CLI_OK)
        status = watch(cli, &conf, stop_fd);
    if (stop_fd >= 0)
        (void)close(stop_fd);
    conf_finish(&conf);
    return load_finish_output(status);
}

const struct command cmd_watch = {
    .name = "watch",
    .summary = "prints a line for everything that happens, until interrupted",
    .usage = "watch -c FILE [-o table|json]",
    .run = run,
};
