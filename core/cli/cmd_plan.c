/* parti plan: what would move, and what any plan as even would; nothing is changed. */
#include "cli/cli.h"

#include "base/must.h"
#include "base/status.h"
#include "cli/load.h"
#include "cli/look.h"
#include "cli/plan.h"
#include "cli/print_json.h"
#include "cli/print_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WHY_ROOM = 1024, AWAY_ROOM = 1024, CLI_CHANGES = CLI_USAGE };

struct wish {
    const char *file, *from, *strategy, *plugin_dir;
    struct cli_list add, remove;
    bool is_detailed, is_verbose;
};

static int read_file(struct state *s, const char *path)
{
    char why[WHY_ROOM] = "";
    int status = state_from_file(s, path, why, sizeof why);

    if (status == STATUS_IO)
        cli_say(0, "the state '%s' cannot be read: %s", path, strerror(errno));
    else if (status < 0)
        cli_say(0, "the state '%s': %s", path, why);
    return status < 0 ? CLI_USAGE : CLI_OK;
}

/* From the live group; where there is none, or no server, a first assignment over the
 * workers of --add, if there are any. */
static int read_live(struct state *s, const struct conf *c, const struct wish *wish)
{
    char text[GROUP_TEXT_ROOM];
    bool is_absent = false;
    int code = 0;
    int status = look_at_group(s, c, &code, &is_absent, text);

    if (status == CLI_OK)
        return CLI_OK;
    cli_say(code, "%s", text);
    if (wish->add.n == 0 || !(is_absent || status == CLI_NO_SERVER))
        return status;
    cli_say(0, "no group was looked at: this is a first assignment to the workers of "
               "--add.");
    state_finish(s);
    bytes_to_text(bytes_of(c->group), s->group, sizeof s->group);
    return CLI_OK;
}

static int change_fleet(struct state *s, const struct wish *wish)
{
    char why[WHY_ROOM] = "";
    int status = CLI_OK;

    for (size_t i = 0; status == CLI_OK && i < wish->remove.n; i++)
        status = plan_remove(s, wish->remove.at[i], why, sizeof why);
    for (size_t i = 0; status == CLI_OK && i < wish->add.n; i++)
        status = plan_add(s, wish->add.at[i], why, sizeof why);
    if (status != CLI_OK)
        cli_say(0, "%s", why);
    return status;
}

/* The keys of [strategy] belong to the strategy that the file names. */
static struct conf_plugin choose_strategy(const struct conf *c, const char *name)
{
    struct conf_plugin p = c->strategy;

    if (name != NULL && strcmp(name, p.plugin) != 0) {
        p.plugin = name;
        p.plugin_line = 0;
        p.section.raw_n = 0;
    }
    return p;
}

static int ask(const struct cli *cli, struct conf *c, struct state *s,
               const struct wish *wish, bool *ret_moves)
{
    struct conf_plugin strategy = choose_strategy(c, wish->strategy);
    struct planned planned = {0};
    char why[WHY_ROOM] = "";
    int status = plan_ask(&planned, s, c, &strategy, why, sizeof why);

    if (status == CLI_FAILED)
        cli_say(0, "%s", why);
    else if (status != CLI_OK)
        load_say_errors(c);
    else if (cli->output == CLI_JSON)
        print_json(plan_json(&planned), stdout);
    else
        print_plan(&planned, wish->is_verbose, cli->is_colour, stdout);
    *ret_moves = status == CLI_OK && planned.moved > 0;
    planned_finish(&planned);
    return status;
}

static int plan(const struct cli *cli, struct conf *c, struct state *s,
                const struct wish *wish, bool *ret_moves)
{
    char twice[WHY_ROOM];
    int status = wish->from != NULL ? read_file(s, wish->from) : read_live(s, c, wish);

    if (status == CLI_OK) {
        state_drop_leavers(s);
        status = change_fleet(s, wish);
    }
    if (status == CLI_OK && s->part_n == 0) {
        char away[AWAY_ROOM] = "";

        status = plan_list(s, c, away, sizeof away);
        if (status == CLI_FAILED)
            cli_say(0, "%s", away);
        else if (status != CLI_OK)
            load_say_errors(c);
    }
    if (status != CLI_OK)
        return status;
    must(state_sort(s, twice, sizeof twice) == 0); /* all names were looked at before */
    return ask(cli, c, s, wish, ret_moves);
}

static int run(int argc, char **argv, struct cli *cli)
{
    struct wish wish = {0};
    const struct cli_option options[] = {
        {'c', "config", "FILE", "the configuration", .text = &wish.file},
        {'\0', "from", "STATE", "a file of 'parti status -o json' in place of the group",
         .text = &wish.from},
        {'\0', "add", "W[,WORD]", "one more worker; words: capacity=N, zone=Z",
         .list = &wish.add},
        {'\0', "remove", "W", "without this worker", .list = &wish.remove},
        {'\0', "strategy", "NAME", "by this strategy", .text = &wish.strategy},
        {'\0', "plugin-dir", "DIR", "look for plugins here, before the file's plugin_dir",
         .text = &wish.plugin_dir},
        {'\0', "detailed-exitcode", NULL, "2 when something would move, 1 for mistakes",
         .flag = &wish.is_detailed},
        {'v', "verbose", NULL, "list every move", .flag = &wish.is_verbose},
        {0},
    };
    struct state state = {0};
    struct conf conf = {0};
    bool has_moves = false;
    int words = 0;
    int status = cli_parse(cli, options, argc, argv, &words);

    if (status != CLI_OK)
        return status < 0 ? CLI_OK : status;
    status = load_no_words(cli, words, argv);
    if (status == CLI_OK)
        status = load_conf(cli, wish.file, &conf);
    if (wish.plugin_dir != NULL)
        conf.plugin_dir = wish.plugin_dir;
    if (status == CLI_OK)
        status = plan(cli, &conf, &state, &wish, &has_moves);
    status = load_finish_output(status);
    if (wish.is_detailed && status == CLI_USAGE)
        status = CLI_FAILED;
    else if (wish.is_detailed && status == CLI_OK && has_moves)
        status = CLI_CHANGES;
    state_finish(&state);
    conf_finish(&conf);
    return status;
}

const struct command cmd_plan = {
    .name = "plan",
    .summary = "shows what would move, and what would have to; changes nothing",
    .usage = "plan -c FILE [--from STATE.json] [--add W[,capacity=N][,zone=Z]] ...\n"
             "     [--remove W] ... [--strategy NAME] [--plugin-dir DIR] [-v]\n"
             "     [-o table|json] [--detailed-exitcode]",
    .run = run,
};
