/* Adding an action to what a step puts out.  Called by every part of proto. */
#ifndef PARTI_PROTO_EMIT_H
#define PARTI_PROTO_EMIT_H

#include "base/must.h"
#include "proto/action.h"

/* The new action, its type set.  A step never emits more than ACTIONS_MAX. */
static inline struct action *emit(struct actions *out, enum action_type type)
{
    must(out->n < ACTIONS_MAX);
    struct action *a = &out->v[out->n++];

    a->type = type;
    return a;
}

#endif
