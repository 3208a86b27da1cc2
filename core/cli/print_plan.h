/* A plan for people and as JSON.  For cmd_plan.c. */
#ifndef PARTI_CLI_PRINT_PLAN_H
#define PARTI_CLI_PRINT_PLAN_H

#include "cli/plan.h"

enum { PRINT_PLAN_MOVES = 20 }; /* told one by one, unless all are asked for */

void print_plan(const struct planned *p, bool is_verbose, bool is_colour, FILE *to);

/* format_version, before, after, moves, moved, moved_least, max_over_mean. */
json_t *plan_json(const struct planned *p);

#endif
