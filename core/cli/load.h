/* What every command with a configuration does first and last.  For cmd_*.c. */
#ifndef PARTI_CLI_LOAD_H
#define PARTI_CLI_LOAD_H

#include "cli/cli.h"
#include "host/conf.h"

/* Reads the file and puts the server of --server or the environment in the place of the
 * file's.  CLI_OK; CLI_USAGE after saying what is wrong, CLI_FAILED when memory is short.
 * conf_finish() must follow in every case.  'file' NULL: -c was not given, which is
 * said, too. */
int load_conf(const struct cli *cli, const char *file, struct conf *c);

/* Says what plugins found wrong after the file was loaded. */
void load_say_errors(struct conf *c);

/* No words are expected.  CLI_OK or CLI_USAGE after saying so. */
int load_no_words(const struct cli *cli, int words, char **argv);

/* Whatever was printed has been taken: 'status'; else CLI_FAILED after saying so. */
int load_finish_output(int status);

#endif
