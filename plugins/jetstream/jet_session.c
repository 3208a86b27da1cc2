#include "plugins/jetstream/jet_session.h"

#include <netdb.h>

/* nats.c puts "(file.c:line): " before its texts: no news to anybody. */
static const char *without_place(const char *text)
{
    const char *end = text != NULL && text[0] == '(' ? strstr(text, "): ") : NULL;

    return end != NULL ? end + 3 : text;
}

static void say(char why[200], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(char why[200], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, 200, format, args);
    va_end(args);
}

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
    use->standing->heard(use->standing->ctx, msg);
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
                       session->server, without_place(text));
    }
    (void)pthread_cond_broadcast(&link->cond);
    (void)pthread_mutex_unlock(&link->mutex);
}

static void deny(const struct jet_session *session, struct jet_inbox *inbox,
                 const char *what, const char *subject, size_t n)
{
    inbox->code = PARTI_RETRY;
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
}

/* ---- connecting ----------------------------------------------------------------- */

static natsStatus set_login(natsOptions *o, const struct jet_link *link,
                            const struct jet_url *url)
{
    natsStatus s = NATS_OK;

    if (url->user[0] != '\0' && !url->has_password)
        s = natsOptions_SetToken(o, url->user);
    else if (url->user[0] != '\0')
        s = natsOptions_SetUserInfo(o, url->user, url->password);
    else if (link->user != NULL)
        s = natsOptions_SetUserInfo(o, link->user,
                                    link->password != NULL ? link->password : "");
    if (s == NATS_OK && link->creds != NULL)
        s = natsOptions_SetUserCredentialsFromFiles(o, link->creds, NULL);
    if (s == NATS_OK && link->nkey != NULL)
        s = natsOptions_SetNKeyFromSeed(o, link->nkey_public, link->nkey);
    return s;
}

static natsStatus set_tls(natsOptions *o, const struct jet_link *link,
                          const struct jet_url *url)
{
    if (!url->is_tls && link->tls_ca == NULL && link->tls_cert == NULL)
        return NATS_OK;
    natsStatus s = natsOptions_SetSecure(o, true);
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, JET_LINK_CONNECT_TLS_MS);
    /* Without this nats.c 3.4.1 takes a certificate that names any host. */
    if (s == NATS_OK)
        s = natsOptions_SetExpectedHostname(o, url->host);
    if (s == NATS_OK && link->tls_ca != NULL)
        s = natsOptions_LoadCATrustedCertificates(o, link->tls_ca);
    if (s == NATS_OK && link->tls_cert != NULL)
        s = natsOptions_LoadCertificatesChain(o, link->tls_cert, link->tls_key);
    return s == NATS_OK ? NATS_OK : NATS_SSL_ERROR;
}

static natsStatus set_options(natsOptions *o, struct jet_session *session)
{
    natsStatus s = natsOptions_SetURL(o, session->server);

    if (s == NATS_OK)
        s = natsOptions_SetAllowReconnect(o, false);
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, JET_LINK_CONNECT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetPingInterval(o, JET_LINK_PING_MS);
    if (s == NATS_OK)
        s = natsOptions_SetMaxPingsOut(o, 2);
    if (s == NATS_OK)
        s = natsOptions_SetSendAsap(o, true);
    if (s == NATS_OK)
        s = natsOptions_SetWriteDeadline(o, JET_LINK_WRITE_MS);
    if (s == NATS_OK)
        s = natsOptions_SetName(o, session->link->name);
    if (s == NATS_OK)
        s = natsOptions_SetClosedCB(o, on_closed, session);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(o, on_error, session);
    return s;
}

/* nats.c says the same of a name that nobody knows and of a port where nobody listens. */
static int32_t resolves(const char *host)
{
    struct addrinfo *list = NULL;
    int answer = getaddrinfo(host, NULL, NULL, &list);

    if (answer == 0)
        freeaddrinfo(list);
    return answer == 0;
}

static void say_connect(char why[200], const struct jet_session *session,
                        const struct jet_url *url, natsStatus s, const char *text)
{
    const char *server = session->server;

    if (s == NATS_CONNECTION_AUTH_FAILED)
        say(why,
            "%.80s refuses the credentials; check user and password, creds or nkey of "
            "this section",
            server);
    else if (s == NATS_SECURE_CONNECTION_WANTED)
        say(why, "%.80s does not offer TLS, which tls:// or a tls_ key asks for", server);
    else if (s == NATS_SSL_ERROR || s == NATS_SECURE_CONNECTION_REQUIRED)
        say(why, "TLS with %.80s fails (%.90s); check tls_ca, tls_cert and tls_key",
            server, without_place(text));
    else if (s == NATS_TIMEOUT)
        say(why, "%.80s takes connections but does not answer: stopped or overloaded",
            server);
    else if (s != NATS_NO_SERVER)
        say(why, "%.80s breaks the connection off (%.60s); its log says why", server,
            without_place(text));
    else if (!resolves(url->host))
        say(why, "the name '%.120s' does not resolve; correct url", url->host);
    else
        say(why, "nothing answers at %.80s; start the server, or correct url", server);
}

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
    return stands;
}

int32_t jet_session_create(struct jet_session **ret, struct jet_link *link,
                           const struct jet_url *url, char why[200],
                           int32_t *ret_is_plain)
{
    struct jet_session *session = calloc(1, sizeof *session);
    natsOptions *o = NULL;

    if (session == NULL)
        return PARTI_NOMEM;
    session->link = link;
    jet_url_text(url, session->server);
    (void)pthread_mutex_lock(&link->mutex);
    session->number = ++link->sessions;
    (void)pthread_mutex_unlock(&link->mutex);
    natsStatus s = natsOptions_Create(&o);
    if (s == NATS_OK)
        s = set_options(o, session);
    if (s == NATS_OK)
        s = set_login(o, link, url);
    if (s == NATS_OK)
        s = set_tls(o, link, url);
    if (s == NATS_OK)
        s = natsConnection_Connect(&session->nc, o);
    if (s != NATS_OK) {
        const char *text = nats_GetLastError(NULL);

        if (text == NULL || text[0] == '\0')
            text = natsStatus_GetText(s);
        say_connect(why, session, url, s, text);
        *ret_is_plain = s == NATS_NO_SERVER || s == NATS_TIMEOUT;
        natsOptions_Destroy(o);
        free(session);
        return PARTI_RETRY;
    }
    natsOptions_Destroy(o);
    if (!subscribe_all(session)) {
        say(why, "the connection to %.80s is lost as soon as it stands", session->server);
        *ret_is_plain = 0;
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
    return session->is_closed && session->complete_n == session->sub_n;
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
