/* parti status: the group as it is now. */
#include "cli/cli.h"

#include "cli/load.h"
#include "cli/look.h"
#include "cli/positions.h"
#include "cli/print_json.h"
#include "cli/print_status.h"

#include <stdio.h>

/* The positions are for whoever consumes, and not to be had is no reason to show nothing
 * else. */
static int look(const struct conf *conf, struct state *state, struct positions_sum *sum)
{
    struct group group;
    bool is_absent = false;
    int status = group_open(&group, conf, -1);

    if (status == CLI_OK)
        status = look_at_open_group(&group, state, &is_absent);
    if (status != CLI_OK)
        cli_say(group.code, "%s", group.text);
    else if (conf->consume.base.plugin != NULL &&
             positions_sum_up(&group, state, sum) != CLI_OK)
        cli_say(group.code, "%s", group.text);
    group_close(&group);
    return status;
}

static json_t *document(const struct state *state, const struct positions_sum *sum)
{
    json_t *o = state_json(state), *positions;

    if (!sum->is_known)
        return o;
    positions = json_object();
    json_object_set_new(positions, "partitions", json_integer(sum->parts));
    json_object_set_new(positions, "recorded", json_integer(sum->recorded));
    json_object_set_new(positions, "failing", json_integer(sum->failing));
    json_object_set_new(o, "positions", positions);
    return o;
}

static int run(int argc, char **argv, struct cli *cli)
{
    const char *file = NULL;
    const struct cli_option options[] = {
        {'c', "config", "FILE", "the configuration", .text = &file},
        {0},
    };
    struct state state = {0};
    struct conf conf = {0};
    struct positions_sum sum = {0};
    int words = 0;
    int status = cli_parse(cli, options, argc, argv, &words);

    if (status != CLI_OK)
        return status < 0 ? CLI_OK : status;
    status = load_no_words(cli, words, argv);
    if (status == CLI_OK)
        status = load_conf(cli, file, &conf);
    if (status == CLI_OK)
        status = look(&conf, &state, &sum);
    if (status == CLI_OK && cli->output == CLI_JSON)
        print_json(document(&state, &sum), stdout);
    else if (status == CLI_OK)
        print_status(&state, &sum, table_terminal(), cli->is_colour, stdout);
    state_finish(&state);
    conf_finish(&conf);
    return load_finish_output(status);
}

const struct command cmd_status = {
    .name = "status",
    .summary = "shows leader, epoch, workers and what each of them has",
    .usage = "status -c FILE [-o table|json]",
    .run = run,
};
