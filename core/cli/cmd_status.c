/* parti status: the group as it is now. */
#include "cli/cli.h"

#include "base/errors.h"
#include "cli/load.h"
#include "cli/print_json.h"
#include "cli/print_status.h"

#include <stdio.h>

/* The state of the live group; what fails is in g->code and g->text. */
static int look(struct group *g, struct state *s)
{
    struct group_view view = {0};
    int status = group_bind(g);

    if (status == CLI_OK)
        (void)group_listen(g); /* none may live: then the log alone speaks */
    if (status == CLI_OK)
        status = group_read(g, &view);
    if (status == CLI_OK && state_from_group(s, g, &view) < 0)
        status = group_fail(g, CLI_FAILED, ERR_LOG_LOST,
                            "the records of the group '%s' on %s contradict each other.",
                            g->conf->group, g->server);
    group_view_finish(&view);
    return status;
}

static int run(int argc, char **argv, struct cli *cli)
{
    const char *file = NULL;
    const struct cli_option options[] = {
        {'c', "config", "FILE", "the configuration", .text = &file},
        {0},
    };
    struct state state = {0};
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
            status = look(&group, &state);
        if (status != CLI_OK)
            cli_say(group.code, "%s", group.text);
        else if (cli->output == CLI_JSON)
            print_json(state_json(&state), stdout);
        else
            print_status(&state, table_terminal(), cli->is_colour, stdout);
        group_close(&group);
    }
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
