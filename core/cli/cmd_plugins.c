/* parti plugins: what is found where, and what a plugin takes. */
#include "cli/cli.h"

#include "cli/load.h"
#include "host/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum option_format format_of(const struct cli *cli)
{
    return cli->output == CLI_JSON ? OPTION_JSON : OPTION_TEXT;
}

static int list(const struct cli *cli, const char *dir)
{
    if (plugin_list(dir, format_of(cli), stdout) < 0) {
        cli_say(0, "the folder '%s' cannot be read: %s", dir, strerror(errno));
        return CLI_FAILED;
    }
    return CLI_OK;
}

static int describe(const struct cli *cli, const char *dir, const char *name)
{
    const struct plugin *plugin = NULL;
    struct plugin_error error;

    if (plugin_load(name, dir, PLUGIN_ANY, &plugin, &error) < 0) {
        cli_say(0, "%s", error.text);
        return CLI_FAILED;
    }
    plugin_describe(plugin, format_of(cli), stdout);
    return CLI_OK;
}

static int run(int argc, char **argv, struct cli *cli)
{
    const char *dir = NULL;
    const struct cli_option options[] = {
        {'\0', "plugin-dir", "DIR", "where plugins lie, instead of the usual folder",
         .text = &dir},
        {0},
    };
    int words = 0;
    int status = cli_parse(cli, options, argc, argv, &words);

    if (status != CLI_OK)
        return status < 0 ? CLI_OK : status;
    if (dir == NULL)
        dir = plugin_dir_default();
    if (words == 0 || (words == 1 && strcmp(argv[1], "list") == 0))
        status = list(cli, dir);
    else if (strcmp(argv[1], "describe") == 0 && words == 2)
        status = describe(cli, dir, argv[2]);
    else if (strcmp(argv[1], "describe") == 0)
        status = cli_misused(cli, words < 2 ? "describe which plugin?"
                                            : "describe takes one plugin's name");
    else
        status = cli_misused(cli, "'%s' is neither list nor describe",
                             argv[strcmp(argv[1], "list") == 0 ? 2 : 1]);
    return load_finish_output(status);
}

const struct command cmd_plugins = {
    .name = "plugins",
    .summary = "shows which plugins are found where, and what options they take",
    .usage = "plugins [list] [--plugin-dir DIR] [-o json]\n"
             "plugins describe NAME [--plugin-dir DIR] [-o json]",
    .run = run,
};
