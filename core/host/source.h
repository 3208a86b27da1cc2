/* All sources of a configuration: listed each on its own thread, merged into one listing.
 *
 * A keeper thread decides when a source is listed: when asked, when refresh_interval has
 * passed, when the plugin says that its list changed (several such words make one
 * listing), and again after a failure, waiting longer each time.  A failed list() counts
 * for nothing: the last good listing stays, and so it does when two sources list the
 * same partition, which is an error that names both.
 *
 * A list() that does not return within its budget is canceled; when it still does not
 * return within SOURCE_GRACE_MS, that is reported and the other sources go on.  No
 * thread is ever killed.  A source that breaks the plugin contract is shut off.
 *
 * Any thread, except that create and destroy are called by the owner.
 */
#ifndef PARTI_HOST_SOURCE_H
#define PARTI_HOST_SOURCE_H

#include "host/conf.h"
#include "host/world.h"

enum {
    SOURCE_GRACE_MS = 1000,      /* after cancel(), before a source counts as stuck */
    SOURCE_RETRY_MIN_MS = 250,   /* wait after a first failure, doubled with each more */
    SOURCE_RETRY_MAX_MS = 5000,  /* where refresh_interval is shorter, or 0 */
    SOURCE_RETRY_TOP_MS = 30000, /* else refresh_interval, and this at most; jitter takes
                                    up to half off */
    SOURCE_GAP_MS = 100          /* between listings that the plugin itself asks for */
};

/* A listing, or why there is none. */
struct source_result {
    int status;              /* STATUS_OK; CONFLICT, LIMIT, TIMEOUT, IO, NOTFOUND, DENIED,
                                NOMEM, BUG */
    struct listing *listing; /* OK: borrowed; listing_ref() to keep it */
    bool asked;              /* answers sources_ask() */
    bool commanded;          /* one of the asks it answers said so */
    bool is_news;            /* not OK: nobody was told of this since the last good
                                listing, or it answers a command: people are to hear it */
    int code;                /* not OK: errors.def */
    const char *text;        /* not OK: "PARTI-E5xx ...", borrowed; else "" */
};

struct sources_setup {
    const struct conf_plugin *source; /* borrowed during create */
    size_t source_n;
    const char *plugin_dir; /* NULL: the compiled-in one */
    uint64_t budget_ms;     /* for one list() or create(): [timing] operation_timeout */
    /* Called on the keeper's thread, one call at a time.  May ask, may not destroy. */
    void (*done)(void *ctx, const struct source_result *result);
    void *ctx;
    /* For sources_list_once(): where it writes why a source could not be asked ("": it
     * could), which is no mistake of the configuration.  NULL: to the errors as well. */
    char *away;
    size_t away_room;
    bool is_quiet; /* a create() that failed is not logged: the first listing tells it */
};

struct sources;

/* Loads every plugin, checks every section, calls every create().  A create() that may
 * succeed later (PARTI_RETRY, no memory, not back in time) is tried again before each
 * listing.  0; else a code, and 'errors' has what is wrong with file and line. */
int sources_create(const struct sources_setup *setup, struct conf_errors *errors,
                   struct sources **ret);

/* Lists all sources anew.  Answered by one call of done(); asks that stand when the
 * listing begins share one answer.  'commanded' does not wait for the end of a pause
 * after a failure. */
void sources_ask(struct sources *s, bool commanded);

/* While on, intervals pass, plugins are heard, failed listings are tried again, and a
 * listing that differs from the last one is delivered unasked; a failure too, when it is
 * news.  Off at first: only a leader needs it. */
void sources_watch(struct sources *s, bool is_on);

/* Cancels what runs and ends the threads; nothing is called back after it has returned.
 * Waits for plugins no longer than SOURCE_GRACE_MS.  Accepts NULL. */
void sources_destroy(struct sources *s);

/* One listing, waited for: for 'parti plan', 'parti config check' and tests.  0 and a
 * reference in *ret; else a code, and 'errors' or setup->away has why. */
int sources_list_once(const struct sources_setup *setup, struct conf_errors *errors,
                      struct listing **ret);

#endif
