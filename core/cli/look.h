/* The state of a live group, in one go.  For cmd_status.c, cmd_plan.c and
 * cmd_positions.c. */
#ifndef PARTI_CLI_LOOK_H
#define PARTI_CLI_LOOK_H

#include "cli/state.h"

/* Connects, reads, disconnects.  CLI_OK; else an exit code, and *ret_code and text[room]
 * say why (*ret_code is 0 where no code applies).  *ret_is_absent: the server is there,
 * but nobody has made this group, or nothing has been assigned yet. */
int look_at_group(struct state *s, const struct conf *conf, int *ret_code,
                  bool *ret_is_absent, char text[GROUP_TEXT_ROOM]);

/* The same over a connection that group_open() was good for and that goes on: what fails
 * is told as group.h has it. */
int look_at_open_group(struct group *g, struct state *s, bool *ret_is_absent);

#endif
