#include "edge/nats_session.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/nats_diagnose.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* One subscription of one connection.  Freed when nats.c is done with it: destroying it
 * earlier crashes nats.c before 3.6.1.
 */
struct nats_session_sub {
    struct nats_session_sub *next;
    struct nats_session *session;
    natsSubscription *sub;
    atomic_bool is_gone; /* unsubscribed: drop what still comes */
    bool is_complete;    /* under the mutex: the library is done with it */
    int kind, tag;
    char subject[NATS_LINK_SUBJECT_MAX + 1];
};

/* ---- callbacks: threads of nats.c */

static void on_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg,
                       void *closure)
{
    struct nats_session_sub *entry = closure;
    const char *value = NULL;

    (void)nc;
    (void)sub;
    if (!atomic_load(&entry->is_gone)) {
        struct inbox_item *item =
            inbox_item_create(entry->kind, natsMsg_GetSubject(msg), natsMsg_GetReply(msg),
                              natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg));
        if (item != NULL) {
            item->tag = entry->tag;
            if (natsMsg_IsNoResponders(msg))
                item->status = STATUS_NOTFOUND;
            /* Set by the server on what a stream republishes. */
            if (natsMsgHeader_Get(msg, "Nats-Sequence", &value) == NATS_OK)
                item->seq = strtoull(value, NULL, 10);
        }
        (void)inbox_put(entry->session->setup->inbox, item);
    }
    natsMsg_Destroy(msg);
}

static void on_complete(void *closure)
{
    struct nats_session_sub *entry = closure;
    struct nats_setup *setup = entry->session->setup;

    must(pthread_mutex_lock(&setup->mutex) == 0);
    entry->is_complete = true;
    must(pthread_cond_broadcast(&setup->cond) == 0);
    must(pthread_mutex_unlock(&setup->mutex) == 0);
}

static void on_closed(natsConnection *nc, void *closure)
{
    struct nats_session *session = closure;
    const char *text = NULL;
    natsStatus s = natsConnection_GetLastError(nc, &text);
    struct nats_error why;

    if (s == NATS_OK || text == NULL || text[0] == '\0')
        text = s == NATS_OK ? "closed" : natsStatus_GetText(s);
    nats_diagnose_lost(&why, session->server, s, text);
    must(pthread_mutex_lock(&session->setup->mutex) == 0);
    session->why = why;
    session->closed = true;
    must(pthread_cond_broadcast(&session->setup->cond) == 0);
    must(pthread_mutex_unlock(&session->setup->mutex) == 0);
}

static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus s,
                     void *closure)
{
    struct nats_session *session = closure;
    const char *text = nats_GetLastError(NULL); /* this thread's: set for this call */
    char subject[NATS_LINK_SUBJECT_MAX + 1];
    struct nats_error e;

    (void)nc;
    (void)sub;
    if (s != NATS_NOT_PERMITTED)
        return; /* slow consumers show in the inbox; the rest ends the connection */
    nats_diagnose_denied(&e, session->server, text != NULL ? text : "", subject,
                         sizeof subject);
    struct inbox_item *item =
        inbox_item_create(INBOX_LINK_DENIED, subject, NULL, e.text, strlen(e.text));
    if (item != NULL) {
        item->status = e.status;
        item->code = e.code;
    }
    (void)inbox_put(session->setup->inbox, item);
}

/* ---- connecting */

static natsStatus set_credentials(natsOptions *o, const struct nats_setup *setup,
                                  const struct nats_url *url)
{
    natsStatus s = NATS_OK;

    if (url->user[0] != '\0' && !url->has_password)
        s = natsOptions_SetToken(o, url->user);
    else if (url->user[0] != '\0')
        s = natsOptions_SetUserInfo(o, url->user, url->password);
    else if (setup->user != NULL)
        s = natsOptions_SetUserInfo(o, setup->user,
                                    setup->password != NULL ? setup->password : "");
    if (s == NATS_OK && setup->creds != NULL)
        s = natsOptions_SetUserCredentialsFromFiles(o, setup->creds, NULL);
    if (s == NATS_OK && setup->nkey != NULL)
        s = natsOptions_SetNKeyFromSeed(o, setup->nkey_public, setup->nkey);
    return s;
}

/* Where the server demands TLS unasked, nats.c turns to it by itself.  That is left to
 * it: a URL that does not ask for TLS is open to whoever sits between anyway, and the
 * context that any of these calls makes costs 46 ms and 1.8 MB (measured).
 */
static natsStatus set_tls(natsOptions *o, const struct nats_setup *setup,
                          const struct nats_url *url)
{
    if (!url->tls && setup->tls_ca == NULL && setup->tls_cert == NULL)
        return NATS_OK;
    natsStatus s = natsOptions_SetSecure(o, true);
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, NATS_LINK_CONNECT_TLS_MS);
    /* Without this nats.c 3.4.1 takes a certificate that names any host. */
    if (s == NATS_OK)
        s = natsOptions_SetExpectedHostname(o, url->host);
    if (s == NATS_OK && setup->tls_ca != NULL)
        s = natsOptions_LoadCATrustedCertificates(o, setup->tls_ca);
    if (s == NATS_OK && setup->tls_cert != NULL)
        s = natsOptions_LoadCertificatesChain(o, setup->tls_cert, setup->tls_key);
    return s;
}

static natsStatus set_options(natsOptions *o, struct nats_session *session,
                              const struct nats_url *url)
{
    const struct nats_setup *setup = session->setup;
    natsStatus s = natsOptions_SetURL(o, session->server);

    if (s == NATS_OK)
        s = natsOptions_SetAllowReconnect(o, false);
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, NATS_LINK_CONNECT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetPingInterval(o, NATS_LINK_PING_MS);
    if (s == NATS_OK)
        s = natsOptions_SetMaxPingsOut(o, 2);
    if (s == NATS_OK)
        s = natsOptions_SetSendAsap(o, true);
    if (s == NATS_OK)
        s = natsOptions_SetWriteDeadline(o, NATS_LINK_WRITE_MS);
    /* One delivery thread of the library for all: keeps order, costs least. */
    if (s == NATS_OK)
        s = natsOptions_UseGlobalMessageDelivery(o, true);
    if (s == NATS_OK && setup->name != NULL)
        s = natsOptions_SetName(o, setup->name);
    if (s == NATS_OK)
        s = natsOptions_SetClosedCB(o, on_closed, session);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(o, on_error, session);
    if (s == NATS_OK)
        s = set_credentials(o, setup, url);
    return s;
}

static int session_connect(struct nats_session *session, const struct nats_url *url,
                           struct nats_error *e)
{
    natsOptions *o = NULL;
    natsStatus s = natsOptions_Create(&o);

    if (s == NATS_OK)
        s = set_options(o, session, url);
    if (s == NATS_OK) {
        s = set_tls(o, session->setup, url);
        if (s != NATS_OK)
            s = NATS_SSL_ERROR; /* a file of ours that OpenSSL does not take */
    }
    if (s == NATS_OK)
        s = natsConnection_Connect(&session->nc, o);
    if (s != NATS_OK) {
        const char *text = nats_GetLastError(NULL);
        if (text == NULL || text[0] == '\0')
            text = natsStatus_GetText(s);
        nats_diagnose_connect(e, url, s, text);
    }
    natsOptions_Destroy(o);
    return s == NATS_OK ? STATUS_OK : e->status;
}

int nats_session_create(struct nats_session **ret_session, struct nats_setup *setup,
                        const struct nats_url *url, struct nats_error *e)
{
    struct nats_session *session = calloc(1, sizeof *session);

    if (session == NULL) {
        nats_error_set(e, STATUS_NOMEM, ERR_NATS_FAILED, "out of memory");
        return STATUS_NOMEM;
    }
    session->setup = setup;
    nats_url_text(url, session->server);
    int status = session_connect(session, url, e);
    if (status != STATUS_OK) {
        free(session);
        return status;
    }
    int64_t max_payload = natsConnection_GetMaxPayload(session->nc);
    session->max_payload = max_payload > 0 ? (size_t)max_payload : 0;
    *ret_session = session;
    return STATUS_OK;
}

static bool subs_are_complete(const struct nats_session *session)
{
    for (const struct nats_session_sub *s = session->subs; s != NULL; s = s->next) {
        if (!s->is_complete)
            return false;
    }
    return true;
}

void nats_session_destroy(struct nats_session *session)
{
    if (session == NULL)
        return;
    struct nats_setup *setup = session->setup;

    natsConnection_Close(session->nc);
    must(pthread_mutex_lock(&setup->mutex) == 0);
    while (!session->closed || !subs_are_complete(session))
        must(pthread_cond_wait(&setup->cond, &setup->mutex) == 0);
    must(pthread_mutex_unlock(&setup->mutex) == 0);

    while (session->subs != NULL) {
        struct nats_session_sub *entry = session->subs;
        session->subs = entry->next;
        natsSubscription_Destroy(entry->sub);
        free(entry);
    }
    natsConnection_Destroy(session->nc);
    free(session);
}

/* ---- subscriptions, under the mutex */

/* Frees the entries that were unsubscribed and that the library is done with. */
static void reap(struct nats_session *session)
{
    for (struct nats_session_sub **at = &session->subs; *at != NULL;) {
        struct nats_session_sub *entry = *at;
        if (!entry->is_complete || !atomic_load(&entry->is_gone)) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        natsSubscription_Destroy(entry->sub);
        free(entry);
    }
}

int nats_session_subscribe(struct nats_session *session, const char *subject, int kind,
                           int tag)
{
    struct nats_session_sub *entry = calloc(1, sizeof *entry);
    size_t n = strlen(subject);

    reap(session);
    if (entry == NULL)
        return STATUS_NOMEM;
    must(n < sizeof entry->subject);
    memcpy(entry->subject, subject, n + 1);
    entry->session = session;
    entry->kind = kind;
    entry->tag = tag;
    if (natsConnection_Subscribe(&entry->sub, session->nc, subject, on_message, entry) !=
        NATS_OK) {
        free(entry);
        return STATUS_OFFLINE;
    }
    if (natsSubscription_SetOnCompleteCB(entry->sub, on_complete, entry) != NATS_OK) {
        /* Lost in this very instant.  Nobody will say when the library is done with the
           entry, so it stays: some bytes, once in a blue moon. */
        atomic_store(&entry->is_gone, true);
        return STATUS_OFFLINE;
    }
    entry->next = session->subs;
    session->subs = entry;
    return STATUS_OK;
}

void nats_session_unsubscribe(struct nats_session *session, const char *subject, int tag)
{
    for (struct nats_session_sub *s = session->subs; s != NULL; s = s->next) {
        if (s->tag == tag && !atomic_load(&s->is_gone) &&
            strcmp(s->subject, subject) == 0) {
            atomic_store(&s->is_gone, true);
            (void)natsSubscription_Unsubscribe(s->sub);
        }
    }
}

int nats_session_flush(struct nats_session *session, struct nats_error *e)
{
    natsStatus s = natsConnection_FlushTimeout(session->nc, NATS_LINK_CONNECT_MS);

    if (s == NATS_OK)
        return STATUS_OK;
    nats_diagnose_lost(e, session->server, s == NATS_TIMEOUT ? NATS_STALE_CONNECTION : s,
                       natsStatus_GetText(s));
    return e->status;
}
