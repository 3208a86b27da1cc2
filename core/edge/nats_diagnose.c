#include "config.h"

#include "edge/nats_diagnose.h"

#include "base/bytes.h"
#include "base/errors.h"
#include "base/status.h"
#include "edge/nats_link.h"
#include "edge/nats_probe.h"

#include <stdlib.h>
#include <string.h>

static void denied_login(struct nats_error *e, const char *server)
{
    nats_error_set(
        e, STATUS_DENIED, ERR_NATS_AUTH,
        "%s refuses the credentials. Check user and password in [nats] url, or "
        "[nats] creds or nkey; they must be known to the server.",
        server);
}

/* nats.c puts "(file.c:line): " before its texts: no news to anybody. */
static const char *without_place(const char *text)
{
    const char *end = text[0] == '(' ? strstr(text, "): ") : NULL;

    return end != NULL ? end + 3 : text;
}

/* "SSL handshake error: NUMBER:REASON:depth=..." when the server's certificate is not
 * accepted; the numbers are OpenSSL's X509_V_ERR_*.
 */
static void tls_failed(struct nats_error *e, const char *server, const char *text)
{
    static const char mark[] = "SSL handshake error: ";
    const char *advice = "Check [nats] tls_ca, tls_cert and tls_key.";
    const char *at = strstr(text, mark);
    char *reason = NULL;
    long number = at != NULL ? strtol(at + sizeof mark - 1, &reason, 10) : 0;

    if (number > 0 && *reason == ':') {
        text = reason + 1;
        if (number == 62 || number == 64)
            advice = "Its certificate names another host than [nats] url.";
        else if (number == 9 || number == 10)
            advice = "Its certificate is not valid now.";
        else
            advice = "Its certificate is not signed by [nats] tls_ca.";
    }
    nats_error_set(e, STATUS_DENIED, ERR_NATS_TLS, "TLS with %s fails: %.*s. %s", server,
                   (int)strcspn(text, ":"), text, advice);
}

/* It greets, so what failed came after that. */
static void broken_off(struct nats_error *e, const char *server,
                       const struct nats_greeting *greeting, const char *text)
{
    /* With TLS 1.3 a refused client learns of it only when it reads on. */
    if (greeting->wants_client_certificate)
        nats_error_set(e, STATUS_DENIED, ERR_NATS_TLS,
                       "TLS with %s fails: the server wants a client certificate that it "
                       "knows. Set or check [nats] tls_cert and tls_key.",
                       server);
    else
        nats_error_set(e, STATUS_OFFLINE, ERR_NATS_FAILED,
                       "%s greets and then breaks the connection off (%s). The server's "
                       "log says why.",
                       server, text);
}

void nats_diagnose_connect(struct nats_error *e, const struct nats_url *url, natsStatus s,
                           const char *library_text)
{
    const char *text = without_place(library_text);
    char server[NATS_URL_TEXT_ROOM];
    struct nats_greeting greeting;

    nats_url_text(url, server);
    if (s == NATS_CONNECTION_AUTH_FAILED)
        denied_login(e, server);
    else if (s == NATS_SECURE_CONNECTION_WANTED)
        nats_error_set(e, STATUS_DENIED, ERR_NATS_TLS,
                       "%s does not offer TLS, but tls:// or a [nats] tls_ key asks for "
                       "it. Configure TLS in the server, or remove them.",
                       server);
    else if (s == NATS_SSL_ERROR || s == NATS_SECURE_CONNECTION_REQUIRED)
        tls_failed(e, server, text);
    else if (s == NATS_TIMEOUT)
        nats_error_set(e, STATUS_TIMEOUT, ERR_NATS_TIMEOUT,
                       "%s takes connections but does not answer in time. It is "
                       "stopped or overloaded.",
                       server);
    else if (nats_probe(url, NATS_LINK_PROBE_MS, &greeting, e) == STATUS_OK)
        broken_off(e, server, &greeting, text);
}

void nats_diagnose_lost(struct nats_error *e, const char *server, natsStatus s,
                        const char *library_text)
{
    if (s == NATS_STALE_CONNECTION)
        nats_error_set(e, STATUS_TIMEOUT, ERR_NATS_TIMEOUT,
                       "%s has not answered for %d ms. Connecting again.", server,
                       3 * NATS_LINK_PING_MS);
    else if (s == NATS_CONNECTION_AUTH_FAILED)
        denied_login(e, server);
    else
        nats_error_set(e, STATUS_OFFLINE, ERR_NATS_FAILED,
                       "the connection to %s is lost (%s). Connecting again.", server,
                       without_place(library_text));
}

void nats_diagnose_denied(struct nats_error *e, const char *server,
                          const char *library_text, char *subject, size_t room)
{
    /* Permissions Violation for Publish to "SUBJECT" (also Subscription). */
    const char *open = strchr(library_text, '"');
    const char *shut = open != NULL ? strchr(open + 1, '"') : NULL;
    const char *verb =
        strcasestr(library_text, "subscription") != NULL ? "subscribe to" : "publish to";

    subject[0] = '\0';
    if (open != NULL) {
        size_t n = shut != NULL ? (size_t)(shut - open - 1) : strlen(open + 1);
        bytes_to_text((struct bytes){open + 1, n}, subject, room);
    }
    nats_error_set(e, STATUS_DENIED, ERR_NATS_DENIED,
                   "%s does not permit this account to %s '%s'. Add the permission in "
                   "the server's configuration.",
                   server, verb, subject);
}
