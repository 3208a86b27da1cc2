/* Notices that a list may have changed, without listing: by looking at the state of the
 * stream every so often, and by the advisories that the server sends.
 *
 * It begins with the first listing.  When nobody lists after it has said that something
 * changed, nobody listens (this worker does not lead): it gives the connection up and
 * rests until the next listing.
 */
#ifndef PARTI_PLUGINS_JET_WATCH_H
#define PARTI_PLUGINS_JET_WATCH_H

#include "plugins/jetstream/jet_api.h"

enum {
    JET_WATCH_UNHEARD_MS = 5000, /* no listing has begun so long after the word */
    JET_WATCH_ASK_MS = 2000,     /* for one look */
    JET_WATCH_SHARE = 10         /* listing takes at most one of so many parts of time */
};

enum jet_watch_kind { JET_WATCH_SUBJECTS, JET_WATCH_CONSUMERS, JET_WATCH_KEYS };

struct jet_watch;

/* Subscribes to the advisories; jet_link_open() must not have been called yet.  All that
 * is given lives longer than the watch.  PARTI_OK, PARTI_NOMEM. */
int32_t jet_watch_create(struct jet_watch **ret, const struct jet_api *api,
                         enum jet_watch_kind kind, uint64_t interval_ms,
                         const struct parti_host *host);

/* A listing begins. */
void jet_watch_listing(struct jet_watch *w);

/* It has come to its end: 'state' of before it, NULL where it failed. */
void jet_watch_listed(struct jet_watch *w, const struct jet_state *state,
                      uint64_t took_ms);

/* Joins its thread, before the link is destroyed.  Accepts NULL. */
void jet_watch_stop(struct jet_watch *w);

/* After jet_watch_stop() and after the link, which may still hand it an advisory, is
 * destroyed.  Accepts NULL. */
void jet_watch_destroy(struct jet_watch *w);

#endif
