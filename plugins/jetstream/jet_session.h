/* One connection of jet_link.c, from its connect to its end. */
#ifndef PARTI_PLUGINS_JET_SESSION_H
#define PARTI_PLUGINS_JET_SESSION_H

#include "plugins/jetstream/jet_link.h"
#include "plugins/jetstream/jet_nkey.h"
#include "plugins/jetstream/jet_url.h"

#include <pthread.h>

struct jet_standing {
    char subject[JET_LINK_SUBJECT_MAX + 1];
    int32_t (*heard)(void *ctx, natsMsg *msg);
    void *ctx;
};

struct jet_session;

struct jet_link {
    /* Set at the beginning. */
    struct jet_url url[JET_URLS_MAX];
    size_t url_n;
    char *name, *creds, *nkey, *user, *password, *tls_ca, *tls_cert, *tls_key;
    char nkey_public[JET_NKEY_ROOM];
    struct jet_standing standing[JET_LINK_STANDING_MAX];
    size_t standing_n;
    struct jet_standing hearing; /* no subject of its own; heard NULL: none */
    pthread_t keeper;

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t cond;
    int32_t is_ending, is_resting;
    int32_t is_wanted;           /* a round over the list of servers is to begin */
    uint64_t rounds;             /* that failed so far */
    uint64_t sessions;           /* so far */
    uint64_t inboxes;            /* so far */
    int pings;                   /* that may be unanswered; 0: JET_LINK_PINGS */
    struct jet_session *session; /* NULL: none */
    struct jet_inbox *inbox;     /* those that are open */
    char server[JET_URL_TEXT_ROOM];
    char why[200]; /* the last round failed, with why_code */
    int32_t why_code;
    void (*denied)(void *ctx, const char *subject); /* with hearing's ctx; may be NULL */
};

struct jet_standing_use {
    struct jet_session *session;
    const struct jet_standing *standing;
};

/* The subscription of an inbox that is fed from a stream.  nats.c may use it until it
 * says that it is done with it. */
struct jet_feed {
    struct jet_feed *next;
    struct jet_session *session;
    uint64_t number; /* of the inbox */
    natsSubscription *sub;
    int32_t is_shut, is_complete;
};

struct jet_session {
    struct jet_link *link;
    uint64_t number;
    int pings;
    natsConnection *nc;
    natsSubscription *sub[JET_LINK_STANDING_MAX + 2];
    size_t sub_n;
    struct jet_standing_use use[JET_LINK_STANDING_MAX + 1];
    char prefix[48]; /* of the inboxes' subjects, with its dot */
    char server[JET_URL_TEXT_ROOM];
    char why[200];
    /* Under the link's mutex. */
    struct jet_feed *feed;
    size_t complete_n;          /* subscriptions that the library is done with */
    int32_t is_closed, is_told; /* the second: and all have been told */
    int32_t is_deaf;            /* our inboxes are not permitted */
    int32_t is_lost; /* nobody will tell when the library is done: never to be freed */
};

/* jet_connect.c: the connection alone, into session->nc.  NATS_OK; else 'why' says it. */
natsStatus jet_connect(struct jet_session *session, const struct jet_url *url,
                       natsConnectionHandler on_closed, natsErrHandler on_error,
                       char why[200]);

/* A text of nats.c without the place in its source. */
const char *jet_connect_text(const char *text);

/* Connects to one server and subscribes, nothing locked.  PARTI_OK; else a code, and
 * 'why' says it.  'ret_is_plain': no server is there, as opposed to one that refuses. */
int32_t jet_session_create(struct jet_session **ret, struct jet_link *link,
                           const struct jet_url *url, char why[200],
                           int32_t *ret_is_plain);

/* Under the link's mutex: says of an inbox that it is not permitted. */
void jet_session_deaf(const struct jet_session *session, struct jet_inbox *inbox);

/* Under the link's mutex: a subscription for an inbox, and its end.  PARTI_OK,
 * PARTI_NOMEM, PARTI_RETRY. */
int32_t jet_session_feed(struct jet_session *session, const struct jet_inbox *inbox);
void jet_session_shut(struct jet_session *session, const struct jet_inbox *inbox);

/* Closes and waits until the library is done with it; nothing locked.  Accepts NULL. */
void jet_session_destroy(struct jet_session *session);

#endif
