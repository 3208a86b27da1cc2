/* JSON documents on standard output.  For cmd_*.c. */
#ifndef PARTI_CLI_PRINT_JSON_H
#define PARTI_CLI_PRINT_JSON_H

#include <jansson.h>
#include <stdio.h>

/* The whole document, indented, and a newline; gives 'o' up. */
void print_json(json_t *o, FILE *to);

/* The same on one line, and out at once. */
void print_json_line(json_t *o, FILE *to);

#endif
