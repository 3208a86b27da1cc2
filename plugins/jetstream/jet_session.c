#include "plugins/jetstream/jet_session.h"

/* ---- callbacks: threads of nats.c ----------------------------------------------- */

/* To the inbox of that number; the message is done with. */
static void hand_over(struct jet_session *session, uint64_t number, natsMsg *msg)
{
    struct jet_link *link = session->link;
    int32_t said = 0;

    (void)pthread_mutex_lock(&link->mutex);
    for (struct jet_inbox *i = link->inbox; i != NULL; i = i->next) {
        if (i->number != number || i->session != session->number || i->is_done)
            continue;
        said = i->take(i->ctx, msg);
        i->is_done = (said & JET_TAKE_DONE) != 0;
        if (i->is_done)
            (void)pthread_cond_broadcast(&link->cond);
        break;
    }
    (void)pthread_mutex_unlock(&link->mutex);
    if ((said & JET_TAKE_KEPT) == 0)
        natsMsg_Destroy(msg);
}

static void on_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ctx)
{
    const char *dot = strrchr(natsMsg_GetSubject(msg), '.');

    (void)nc;
    (void)sub;
    hand_over(ctx, dot != NULL ? strtoull(dot + 1, NULL, 10) : 0, msg);
}

static void on_feed(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ctx)
{
    struct jet_feed *feed = ctx;

    (void)nc;
    (void)sub;
    hand_over(feed->session, feed->number, msg);
}

static void on_standing(natsConnection *nc, natsSubscription *sub, natsMsg *msg,
                        void *ctx)
{
    const struct jet_standing_use *use = ctx;

    (void)nc;
    (void)sub;
    if (!use->standing->heard(use->standing->ctx, msg))
        natsMsg_Destroy(msg);
}

static void on_complete(void *ctx)
{
    struct jet_session *session = ctx;
    struct jet_link *link = session->link;

    (void)pthread_mutex_lock(&link->mutex);
    session->complete_n++;
    (void)pthread_cond_broadcast(&link->cond);
    (void)pthread_mutex_unlock(&link->mutex);
}

static void on_feed_complete(void *ctx)
{
    struct jet_feed *feed = ctx;
    struct jet_link *link = feed->session->link;

    (void)pthread_mutex_lock(&link->mutex);
    feed->is_complete = 1;
    (void)pthread_cond_broadcast(&link->cond);
    (void)pthread_mutex_unlock(&link->mutex);
}

static void on_closed(natsConnection *nc, void *ctx)
{
    struct jet_session *session = ctx;
    struct jet_link *link = session->link;
    const char *text = NULL;
    natsStatus s = natsConnection_GetLastError(nc, &text);

    if (text == NULL || text[0] == '\0')
        text = s == NATS_OK ? "closed" : natsStatus_GetText(s);
    (void)pthread_mutex_lock(&link->mutex);
    session->is_closed = 1;
    for (struct jet_inbox *i = link->inbox; i != NULL; i = i->next) {
        if (i->session != session->number || i->code != PARTI_OK)
            continue;
        i->code = PARTI_RETRY;
        (void)snprintf(i->text, sizeof i->text, "the connection to %.80s is lost (%.80s)",
                       session->server, jet_connect_text(text));
    }
    (void)pthread_cond_broadcast(&link->cond);
    (void)pthread_mutex_unlock(&link->mutex);
    /* Whoever hears it must see that it is closed; and the link stays until it is told.
     */
    if (link->hearing.heard != NULL)
        (void)link->hearing.heard(link->hearing.ctx, NULL);
    (void)pthread_mutex_lock(&link->mutex);
    session->is_told = 1;
    (void)pthread_cond_broadcast(&link->cond);
    (void)pthread_mutex_unlock(&link->mutex);
}

static void deny(const struct jet_session *session, struct jet_inbox *inbox,
                 const char *what, const char *subject, size_t n)
{
    inbox->code = PARTI_DENIED;
    (void)snprintf(inbox->text, sizeof inbox->text,
                   "%.80s does not permit this user to %s '%.*s'; add the permission",
                   session->server, what, (int)(n < 80 ? n : 80), subject);
}

void jet_session_deaf(const struct jet_session *session, struct jet_inbox *inbox)
{
    deny(session, inbox, "subscribe to", "_INBOX.>", 8);
}

/* 'Permissions Violation for Publish to "SUBJECT"': whoever asked there waits in vain.
 * Where it is a subscription that is refused, inboxes are, or only an advisory. */
static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *ctx)
{
    struct jet_session *session = ctx;
    struct jet_link *link = session->link;
    const char *text = nats_GetLastError(NULL); /* this thread's: set for this call */
    const char *open = text != NULL ? strchr(text, '"') : NULL;
    size_t n = open != NULL ? strcspn(open + 1, "\"") : 0;
    char subject[JET_LINK_SUBJECT_MAX + 1];

    (void)nc;
    (void)sub;
    if (s != NATS_NOT_PERMITTED || n == 0)
        return;
    int32_t is_inbox = strncmp(open + 1, session->prefix, strlen(session->prefix)) == 0;
    (void)pthread_mutex_lock(&link->mutex);
    session->is_deaf |= is_inbox;
    for (struct jet_inbox *i = link->inbox; i != NULL; i = i->next) {
        int32_t is_asked = strlen(i->asked) == n && strncmp(i->asked, open + 1, n) == 0;

        if (i->session == session->number && is_inbox)
            jet_session_deaf(session, i);
        else if (i->session == session->number && is_asked)
            deny(session, i, "publish to", open + 1, n);
    }
    (void)pthread_cond_broadcast(&link->cond);
    (void)pthread_mutex_unlock(&link->mutex);
    if (link->denied == NULL || n > JET_LINK_SUBJECT_MAX ||
        strstr(text, "Publish") == NULL)
        return;
    (void)snprintf(subject, sizeof subject, "%.*s", (int)n, open + 1);
    link->denied(link->hearing.ctx, subject);
}

/* ---- the beginning -------------------------------------------------------------------
 */

/* Sets up one subscription so that its end is told.  Nonzero: it stands. */
static int32_t subscribe(struct jet_session *session, const char *subject,
                         natsMsgHandler handler, void *ctx)
{
    natsSubscription *sub = NULL;

    if (natsConnection_Subscribe(&sub, session->nc, subject, handler, ctx) != NATS_OK)
        return 0;
    if (natsSubscription_SetOnCompleteCB(sub, on_complete, session) != NATS_OK) {
        session->is_lost = 1; /* the connection has just ended */
        return 0;
    }
    session->sub[session->sub_n++] = sub;
    return natsSubscription_SetPendingLimits(sub, JET_LINK_WAITING_MAX,
                                             JET_LINK_WAITING_BYTES_MAX) == NATS_OK;
}

static int32_t subscribe_all(struct jet_session *session)
{
    struct jet_link *link = session->link;
    natsInbox *inbox = NULL;
    char all[64];

    if (natsInbox_Create(&inbox) != NATS_OK)
        return 0;
    (void)snprintf(session->prefix, sizeof session->prefix, "%s.", inbox);
    natsInbox_Destroy(inbox);
    (void)snprintf(all, sizeof all, "%s*", session->prefix);
    int32_t stands = subscribe(session, all, on_message, session);
    for (size_t i = 0; i < link->standing_n && stands; i++) {
        session->use[i] = (struct jet_standing_use){session, &link->standing[i]};
        stands =
            subscribe(session, link->standing[i].subject, on_standing, &session->use[i]);
    }
    if (link->hearing.heard == NULL || !stands)
        return stands;
    session->use[link->standing_n] = (struct jet_standing_use){session, &link->hearing};
    (void)snprintf(all, sizeof all, "%sread.*", session->prefix);
    return subscribe(session, all, on_standing, &session->use[link->standing_n]);
}

int32_t jet_session_create(struct jet_session **ret, struct jet_link *link,
                           const struct jet_url *url, char why[200],
                           int32_t *ret_is_plain)
{
    struct jet_session *session = calloc(1, sizeof *session);

    if (session == NULL)
        return PARTI_NOMEM;
    session->link = link;
    jet_url_text(url, session->server);
    (void)pthread_mutex_lock(&link->mutex);
    session->number = ++link->sessions;
    session->pings = link->pings > 0 ? link->pings : JET_LINK_PINGS;
    (void)pthread_mutex_unlock(&link->mutex);
    natsStatus s = jet_connect(session, url, on_closed, on_error, why);
    *ret_is_plain = s == NATS_NO_SERVER || s == NATS_TIMEOUT;
    if (s != NATS_OK) {
        free(session);
        return s == NATS_CONNECTION_AUTH_FAILED ? PARTI_DENIED
               : s == NATS_TIMEOUT              ? PARTI_TIMEOUT
                                                : PARTI_RETRY;
    }
    if (!subscribe_all(session)) {
        (void)snprintf(why, 200, "the connection to %.80s is lost as soon as it stands",
                       session->server);
        jet_session_destroy(session);
        return PARTI_RETRY;
    }
    *ret = session;
    return PARTI_OK;
}

/* ---- feeds ---------------------------------------------------------------------- */

/* Frees those that are shut and done with; all that are done with at the end. */
static void reap(struct jet_session *session, int32_t is_end)
{
    for (struct jet_feed **at = &session->feed; *at != NULL;) {
        struct jet_feed *feed = *at;

        if (!feed->is_complete || !(feed->is_shut || is_end)) {
            at = &feed->next;
            continue;
        }
        *at = feed->next;
        natsSubscription_Destroy(feed->sub);
        free(feed);
    }
}

int32_t jet_session_feed(struct jet_session *session, const struct jet_inbox *inbox)
{
    struct jet_feed *feed = calloc(1, sizeof *feed);

    reap(session, 0);
    if (feed == NULL)
        return PARTI_NOMEM;
    feed->session = session;
    feed->number = inbox->number;
    if (natsConnection_Subscribe(&feed->sub, session->nc, inbox->subject, on_feed,
                                 feed) != NATS_OK) {
        free(feed);
        return PARTI_RETRY;
    }
    if (natsSubscription_SetOnCompleteCB(feed->sub, on_feed_complete, feed) != NATS_OK) {
        session->is_lost = 1;
        return PARTI_RETRY;
    }
    feed->next = session->feed;
    session->feed = feed;
    return natsSubscription_SetPendingLimits(feed->sub, JET_LINK_WAITING_MAX,
                                             JET_LINK_WAITING_BYTES_MAX) == NATS_OK
               ? PARTI_OK
               : PARTI_RETRY;
}

void jet_session_shut(struct jet_session *session, const struct jet_inbox *inbox)
{
    for (struct jet_feed *feed = session->feed; feed != NULL; feed = feed->next) {
        if (feed->number != inbox->number || feed->is_shut)
            continue;
        feed->is_shut = 1;
        (void)natsSubscription_Unsubscribe(feed->sub);
    }
}

/* ---- the end -------------------------------------------------------------------- */

static int32_t is_complete(const struct jet_session *session)
{
    for (const struct jet_feed *feed = session->feed; feed != NULL; feed = feed->next)
        if (!feed->is_complete)
            return 0;
    return session->is_told && session->complete_n == session->sub_n;
}

void jet_session_destroy(struct jet_session *session)
{
    if (session == NULL)
        return;
    struct jet_link *link = session->link;

    natsConnection_Close(session->nc);
    /* Destroying earlier crashes nats.c before 3.6.1. */
    (void)pthread_mutex_lock(&link->mutex);
    while (!is_complete(session))
        (void)pthread_cond_wait(&link->cond, &link->mutex);
    (void)pthread_mutex_unlock(&link->mutex);
    if (session->is_lost)
        return; /* some bytes, once in a blue moon */
    reap(session, 1);
    for (size_t i = 0; i < session->sub_n; i++)
        natsSubscription_Destroy(session->sub[i]);
    natsConnection_Destroy(session->nc);
    free(session);
}
