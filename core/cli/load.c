#include "cli/load.h"

#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int load_conf(const struct cli *cli, const char *file, struct conf *c)
{
    char why[256];
    int status;

    *c = (struct conf){0};
    if (file == NULL)
        return cli_misused(cli, "which configuration? Give -c FILE");
    status = conf_load(c, file);
    if (status == STATUS_OK && cli->server != NULL) {
        status = conf_url_set(c, cli->server, why, sizeof why);
        if (status == STATUS_INVALID) {
            char shown[512];

            conf_url_shown(cli->server, shown, sizeof shown);
            cli_say(0, "the server '%s': %s", shown, why);
            return CLI_USAGE;
        }
    }
    if (status == STATUS_NOMEM) {
        cli_say(0, "out of memory");
        return CLI_FAILED;
    }
    if (status != STATUS_OK) {
        conf_errors_print(&c->errors, stderr);
        return CLI_USAGE;
    }
    return CLI_OK;
}

void load_say_errors(struct conf *c)
{
    bool is_of_file = false;

    for (size_t i = 0; i < c->errors.n; i++)
        is_of_file = is_of_file || c->errors.at[i].line > 0;
    if (is_of_file) {
        conf_errors_print(&c->errors, stderr);
        return;
    }
    for (size_t i = 0; i < c->errors.n; i++)
        cli_say(0, "%s", c->errors.at[i].text);
}

int load_no_words(const struct cli *cli, int words, char **argv)
{
    if (words > 0)
        return cli_misused(cli, "'%s' is one word too many", argv[1]);
    return CLI_OK;
}

int load_finish_output(int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    cli_say(0, "standard output takes no more: %s", strerror(errno != 0 ? errno : EIO));
    return CLI_FAILED;
}
