/* What the commands of parti have in common: the table, options, exit codes, messages.
 *
 * A command is one cmd_NAME.c that defines one `const struct command`, declared below and
 * listed in the table of main.c.  It parses its words with cli_parse(), writes data to
 * standard output and everything else to standard error.  One thread.
 */
#ifndef PARTI_CLI_CLI_H
#define PARTI_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes: in parti(1), and tested. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,     /* usage or configuration; with --detailed-exitcode: changes */
    CLI_UNSETTLED = 3, /* not converged */
    CLI_NO_SERVER = 4,
    CLI_TIMEOUT = 124
};

enum { CLI_LIST_MAX = 256 }; /* how often one option may be given */

enum cli_output { CLI_TABLE, CLI_JSON };

struct command;

/* What is known before and beside a command's own options. */
struct cli {
    const struct command *command;
    const char *server; /* --server URL > PARTI_NATS_URL > NATS_URL > NULL: the file's */
    enum cli_output output;
    bool is_colour; /* standard output is a terminal and NO_COLOR is not set */
};

struct command {
    const char *name;
    const char *summary; /* one line for the list, without a full stop */
    const char *usage;   /* what follows "parti ", one line a form */
    bool is_hidden;
    bool stops_at_word; /* options end at the first word: the rest is a command's */
    /* argv[0] is the command's name.  The exit code. */
    int (*run)(int argc, char **argv, struct cli *cli);
};

extern const struct command cmd_config, cmd_demo, cmd_demo_count, cmd_guardian, cmd_plan,
    cmd_plugins, cmd_positions, cmd_refresh, cmd_run, cmd_status, cmd_watch;

/* An option that may be given several times. */
struct cli_list {
    const char *at[CLI_LIST_MAX];
    size_t n;
};

/* One option of a command.  Exactly one of flag, text and list is set. */
struct cli_option {
    char letter;          /* '\0': none */
    const char *name;     /* without the dashes */
    const char *argument; /* "FILE", for the help; NULL with flag */
    const char *help;
    bool *flag;
    const char **text;
    struct cli_list *list;
};

/* Takes options of the command and the global ones (--server URL, -o FORMAT, --help) out
 * of argv, in any order, up to "--".  What remains, the words, is moved to argv[1] and
 * on; *ret_words is their number.  CLI_OK; CLI_USAGE after saying what is wrong; -1 after
 * --help was answered: then the command ends with CLI_OK.  'options' ends with a zeroed
 * one. */
int cli_parse(struct cli *cli, const struct cli_option *options, int argc, char **argv,
              int *ret_words);

/* "parti: text" on standard error, with "PARTI-Exyy " before the text if code != 0. */
__attribute__((format(printf, 2, 3))) void cli_say(int code, const char *format, ...);

/* Says what is wrong and how the command is used; CLI_USAGE. */
__attribute__((format(printf, 2, 3))) int cli_misused(const struct cli *cli,
                                                      const char *format, ...);

#endif
