/* Watches one file and tells the host when it changed, from a thread of its own.
 *
 * Written in place, renamed over, removed, created, or reached through a symbolic link
 * that now leads elsewhere: all are noticed.  A burst of writes is told once, when it
 * has been quiet for STATIC_QUIET_MS.  For static.c only.
 */
#ifndef PARTI_PLUGINS_STATIC_WATCH_H
#define PARTI_PLUGINS_STATIC_WATCH_H

#include "parti_plugin.h"

enum {
    STATIC_QUIET_MS = 50,   /* without an event before the host is told */
    STATIC_BURST_MS = 1000, /* but told at the latest so long after the first event */
    STATIC_AGAIN_MS = 1000  /* a folder that is not there is looked for so often */
};

struct static_watch;

/* 'path' is absolute and copied.  NULL when there is no memory, thread or inotify; why
 * goes to errno. */
struct static_watch *static_watch_create(const char *path, const struct parti_host *host);

/* Returns when the thread has ended.  Accepts NULL. */
void static_watch_destroy(struct static_watch *watch);

#endif
