/* parti: finds the command in the table and runs it. */
#include "config.h"

#include "cli/cli.h"

#include "base/nearest.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order of the help. */
static const struct command *const commands[] = {
    &cmd_run,
    &cmd_status,
    &cmd_watch,
    &cmd_plan,
    &cmd_positions,
    &cmd_refresh,
    &cmd_demo,
    &cmd_config,
    &cmd_plugins,
    /* hidden */
    &cmd_demo_count,
    &cmd_guardian,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *to)
{
    (void)fputs("Usage: parti COMMAND [OPTION ...]\n\n"
                "Divides partitions among workers, at most one holder of each at any "
                "instant.\n\nCommands:\n",
                to);
    for (int i = 0; i < COMMANDS; i++)
        if (!commands[i]->is_hidden)
            (void)fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    (void)fputs(
        "\nEvery command takes\n"
        "  --server URL   the NATS server; goes before PARTI_NATS_URL, NATS_URL and "
        "the file\n"
        "  -o FORMAT      table or json, where there is data to print\n"
        "  -h, --help     this, or the help of one command\n"
        "  --version\n",
        to);
}

static const struct command *find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    struct nearest near;

    nearest_init(&near, name);
    for (int i = 0; i < COMMANDS; i++)
        if (!commands[i]->is_hidden)
            nearest_offer(&near, commands[i]->name);
    if (near.best != NULL)
        cli_say(0, "there is no command '%s'; did you mean '%s'?", name, near.best);
    else
        cli_say(0, "there is no command '%s'; 'parti --help' lists them", name);
    return CLI_USAGE;
}

static const char *server_of_environment(void)
{
    static const char *const names[] = {"PARTI_NATS_URL", "NATS_URL"};

    for (int i = 0; i < 2; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && value[0] != '\0')
            return value;
    }
    return NULL;
}

static const struct command before = {
    .name = "", .usage = "COMMAND [OPTION ...]", .stops_at_word = true};

/* Whoever started us without them: what is opened next must not pass for one of them. */
static void open_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
}

/* glibc gives every thread that allocates an arena of its own.  Our threads allocate
 * little and rarely, and an idle worker should be small (make measure CASE=idle). */
static void share_one_arena(void)
{
#ifdef M_ARENA_MAX
    (void)mallopt(M_ARENA_MAX, 1);
#endif
}

int main(int argc, char **argv)
{
    static const struct cli_option none[] = {{0}};
    const char *no_colour = getenv("NO_COLOR");
    struct cli cli = {.command = &before, .server = server_of_environment()};
    int words = 0;

    share_one_arena();
    open_standard();
    cli.is_colour =
        isatty(STDOUT_FILENO) == 1 && (no_colour == NULL || no_colour[0] == '\0');
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        (void)puts("parti " PACKAGE_VERSION);
        return CLI_OK;
    }
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(argc < 2 ? stderr : stdout);
        return argc < 2 ? CLI_USAGE : CLI_OK;
    }
    int status = cli_parse(&cli, none, argc, argv, &words);
    if (status != CLI_OK)
        return status < 0 ? CLI_OK : status;
    if (words == 0)
        return cli_misused(&cli, "which command?");
    cli.command = find(argv[1]);
    if (cli.command == NULL)
        return unknown(argv[1]);
    return cli.command->run(words, argv + 1, &cli);
}
