/* The inside of struct child_guard (edge/child.h).  For child.c alone. */
#ifndef PARTI_EDGE_CHILD_GUARD_H
#define PARTI_EDGE_CHILD_GUARD_H

#include "edge/child_wire.h"

#include <stdbool.h>
#include <stdint.h>

struct child_guard;

int child_guard_page_fd(const struct child_guard *guard);
int child_guard_wake_fd(const struct child_guard *guard);

/* A new run begins: it holds nothing. */
void child_guard_reset(struct child_guard *guard);

/* As child_arm() and child_fence(). */
void child_guard_arm(struct child_guard *guard, bool holds);
void child_guard_fence(struct child_guard *guard, uint64_t deadline_ns);

#endif
