/* The state of a group for people.  For cmd_status.c. */
#ifndef PARTI_CLI_PRINT_STATUS_H
#define PARTI_CLI_PRINT_STATUS_H

#include "cli/positions.h"
#include "cli/state.h"
#include "cli/table.h"

/* A few lines on the group, one of them on its positions where they are known, then one
 * row a worker; a bar each where 'width' columns have room for it. */
void print_status(const struct state *s, const struct positions_sum *sum, size_t width,
                  bool is_colour, FILE *to);

/* Green, yellow or red for a public state. */
enum table_colour print_life_colour(const char *life);

#endif
