/* Connecting to one server: whom as, how, and what went wrong. */
#include "plugins/jetstream/jet_session.h"

#include <netdb.h>

/* nats.c puts "(file.c:line): " before its texts: no news to anybody. */
const char *jet_connect_text(const char *text)
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

/* ---- how ----------------------------------------------------------------- */

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

static natsStatus set_options(natsOptions *o, struct jet_session *session,
                              natsConnectionHandler on_closed, natsErrHandler on_error)
{
    natsStatus s = natsOptions_SetURL(o, session->server);

    if (s == NATS_OK)
        s = natsOptions_SetAllowReconnect(o, false);
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, JET_LINK_CONNECT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetPingInterval(o, JET_LINK_PING_MS);
    if (s == NATS_OK)
        s = natsOptions_SetMaxPingsOut(o, session->pings);
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
            server, jet_connect_text(text));
    else if (s == NATS_TIMEOUT)
        say(why, "%.80s takes connections but does not answer: stopped or overloaded",
            server);
    else if (s != NATS_NO_SERVER)
        say(why, "%.80s breaks the connection off (%.60s); its log says why", server,
            jet_connect_text(text));
    else if (!resolves(url->host))
        say(why, "the name '%.120s' does not resolve; correct url", url->host);
    else
        say(why, "nothing answers at %.80s; start the server, or correct url", server);
}

natsStatus jet_connect(struct jet_session *session, const struct jet_url *url,
                       natsConnectionHandler on_closed, natsErrHandler on_error,
                       char why[200])
{
    natsOptions *o = NULL;
    natsStatus s = natsOptions_Create(&o);

    if (s == NATS_OK)
        s = set_options(o, session, on_closed, on_error);
    if (s == NATS_OK)
        s = set_login(o, session->link, url);
    if (s == NATS_OK)
        s = set_tls(o, session->link, url);
    if (s == NATS_OK)
        s = natsConnection_Connect(&session->nc, o);
    if (s != NATS_OK) {
        const char *text = nats_GetLastError(NULL);

        if (text == NULL || text[0] == '\0')
            text = natsStatus_GetText(s);
        say_connect(why, session, url, s, text);
    }
    natsOptions_Destroy(o);
    return s;
}
