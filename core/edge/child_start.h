/* Starts guardian and command (edge/child.h).  For child.c alone. */
#ifndef PARTI_EDGE_CHILD_START_H
#define PARTI_EDGE_CHILD_START_H

#include "edge/child_guard.h"

#include <stddef.h>
#include <sys/types.h>

struct child_start {
    int in_fd;   /* writes to the command's standard input; not blocking */
    int out_fd;  /* reads its standard output; not blocking */
    int socket;  /* to the guardian */
    int gone_fd; /* readable when the guardian is gone */
    pid_t guardian, command;
};

/* As child_create().  From now on this process adopts what a killed guardian leaves. */
int child_start(struct child_start *ret_run, char *const *argv,
                const struct child_guard *guard, char *text, size_t room);

/* Closes what is open. */
void child_start_finish(struct child_start *run);

#endif
