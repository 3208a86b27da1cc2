/* Trouble with a plugin, as the leader sees it: when it is worth the state Degraded.
 *
 * The last good answer stays whatever a plugin says, so its trouble changes what is shown
 * and nothing else.  It shows once it has lasted degraded_enter, and until the plugin has
 * answered well for degraded_exit.  Pure bookkeeping on the caller's memory; zeroed
 * memory is "no trouble".  Called only from node*.c.
 */
#ifndef PARTI_PROTO_TROUBLE_H
#define PARTI_PROTO_TROUBLE_H

#include "proto/node.h"

struct trouble {
    bool is_on;    /* the plugin's newest answer was none, or that is not long ago */
    bool is_shown; /* it has lasted long enough */
    bool is_well;  /* the newest answer was good: it ends when that has lasted, too */
    uint64_t since_ms;
    uint64_t well_ms;
    char text[TROUBLE_ROOM]; /* why, for people; "": no trouble */
};

/* The plugin had no answer.  'why' is cut to TROUBLE_ROOM between characters. */
void trouble_failed(struct trouble *t, const char *why, uint64_t now_ms);

/* It had one. */
void trouble_answered(struct trouble *t, uint64_t now_ms);

/* What has become due by now. */
void trouble_run(struct trouble *t, const struct node_timing *timing, uint64_t now_ms);

/* When trouble_run() has something to do; UINT64_MAX: not by time. */
uint64_t trouble_wake_ms(const struct trouble *t, const struct node_timing *timing);

#endif
