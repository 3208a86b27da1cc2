/* parti refresh: asks the leader to list the sources again now, and waits until it has.
 */
#include "cli/cli.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "cli/group.h"
#include "cli/load.h"
#include "edge/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

/* Core messages may be lost, and a leader may fall: asked again of each new leader. */
struct request {
    char control[96], reply[64];
    bool is_sent;
    struct session leader; /* who was asked last; none: whoever hears it */
};

static int prepare(struct group *g, struct request *a)
{
    uint64_t id[2];

    must(getrandom(id, sizeof id, 0) == (ssize_t)sizeof id);
    (void)snprintf(a->control, sizeof a->control, "parti.%s.ctl", g->conf->group);
    (void)snprintf(a->reply, sizeof a->reply, "_INBOX.%016" PRIx64 "%016" PRIx64, id[0],
                   id[1]);
    if (nats_link_subscribe(g->link, a->reply, INBOX_MESSAGE, GROUP_REPLY) < 0)
        return group_fail(g, CLI_FAILED, 0, "out of memory");
    return CLI_OK;
}

static void send(struct group *g, struct request *a)
{
    struct message m = {.type = MSG_REFRESH};
    char buffer[16];
    size_t n = wire_encode(&m, buffer, sizeof buffer);

    must(n > 0);
    a->is_sent = nats_link_publish(g->link, a->control, a->reply, buffer, n) == STATUS_OK;
    a->leader = g->has_beacon ? g->beacon.leader : (struct session){0};
}

static int understand(struct group *g, const struct inbox_item *item)
{
    struct message m;

    if (wire_decode(&m, item->data, item->n) < 0 || m.type != MSG_DONE)
        return group_fail(g, CLI_FAILED, 0,
                          "the leader's answer is of another version of Parti.");
    if (m.done[0] != '\0')
        return group_fail(g, CLI_FAILED, 0, "%s", m.done);
    return CLI_OK;
}

static int no_answer(struct group *g)
{
    uint64_t ms = g->conf->timing.operation_timeout_ms;

    if (!g->is_up)
        return group_fail(g, CLI_NO_SERVER, ERR_NATS_FAILED,
                          "the connection to %s is lost.", g->server);
    if (!g->has_beacon)
        return group_fail(g, CLI_UNSETTLED, 0,
                          "no leader of the group '%s' was heard on %s within %" PRIu64
                          " ms. 'parti status' shows who is there.",
                          g->conf->group, g->server, ms);
    return group_fail(g, CLI_TIMEOUT, 0,
                      "the leader %s has not listed the sources within %" PRIu64
                      " ms; it may still do so. Its log says why.",
                      g->beacon.id, ms);
}

static int await_answer(struct group *g, struct request *a)
{
    uint64_t until_ms = clock_boot_ms() + g->conf->timing.operation_timeout_ms;
    int status = -1;

    while (status < 0) {
        struct inbox_item *item;

        if (g->is_up && (!a->is_sent ||
                         (g->has_beacon && !session_equal(a->leader, g->beacon.leader))))
            send(g, a);
        item = group_next(g, until_ms);
        if (item == NULL)
            return no_answer(g);
        if (item->kind == INBOX_LINK_DOWN)
            a->is_sent = false;
        /* The server itself answers with nothing where nobody listens. */
        if (item->kind == INBOX_MESSAGE && item->tag == GROUP_REPLY && item->n > 0)
            status = understand(g, item);
        inbox_item_free(item);
    }
    return status;
}

static int ask(struct group *g)
{
    struct request a = {.is_sent = false};
    int status = group_bind(g);

    if (status == CLI_OK)
        status = prepare(g, &a);
    if (status == CLI_OK)
        status = await_answer(g, &a);
    return status;
}

static int run(int argc, char **argv, struct cli *cli)
{
    const char *file = NULL;
    const struct cli_option options[] = {
        {'c', "config", "FILE", "the configuration", .text = &file},
        {0},
    };
    struct group group = {0};
    struct conf conf = {0};
    int words = 0;
    int status = cli_parse(cli, options, argc, argv, &words);

    if (status != CLI_OK)
        return status < 0 ? CLI_OK : status;
    status = load_no_words(cli, words, argv);
    if (status == CLI_OK)
        status = load_conf(cli, file, &conf);
    if (status == CLI_OK) {
        status = group_open(&group, &conf, -1);
        if (status == CLI_OK)
            status = ask(&group);
        if (status != CLI_OK)
            cli_say(group.code, "%s", group.text);
        else
            cli_say(0, "the leader has listed the sources of '%s'.", conf.group);
        group_close(&group);
    }
    conf_finish(&conf);
    return status;
}

const struct command cmd_refresh = {
    .name = "refresh",
    .summary = "asks the leader to list the sources again now",
    .usage = "refresh -c FILE",
    .run = run,
};
