/* parti status: the group as it is now. */
#include "cli/cli.h"

#include "cli/load.h"
#include "cli/look.h"
#include "cli/print_json.h"
#include "cli/print_status.h"

#include <stdio.h>

static int run(int argc, char **argv, struct cli *cli)
{
    const char *file = NULL;
    const struct cli_option options[] = {
        {'c', "config", "FILE", "the configuration", .text = &file},
        {0},
    };
    struct state state = {0};
    struct conf conf = {0};
    char text[GROUP_TEXT_ROOM];
    bool is_absent = false;
    int words = 0, code = 0;
    int status = cli_parse(cli, options, argc, argv, &words);

    if (status != CLI_OK)
        return status < 0 ? CLI_OK : status;
    status = load_no_words(cli, words, argv);
    if (status == CLI_OK)
        status = load_conf(cli, file, &conf);
    if (status == CLI_OK) {
        status = look_at_group(&state, &conf, &code, &is_absent, text);
        if (status != CLI_OK)
            cli_say(code, "%s", text);
        else if (cli->output == CLI_JSON)
            print_json(state_json(&state), stdout);
        else
            print_status(&state, table_terminal(), cli->is_colour, stdout);
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
