/* The servers named in a [nats] url: parsed once, printed without credentials ever
 * after.  For core/edge.  Any thread.
 */
#ifndef PARTI_EDGE_NATS_URL_H
#define PARTI_EDGE_NATS_URL_H

#include <stdbool.h>
#include <stddef.h>

enum {
    NATS_URL_HOST_ROOM = 256, /* a DNS name has at most 253 bytes */
    NATS_URL_WORD_ROOM = 256, /* user, password, token */
    NATS_URL_TEXT_ROOM = NATS_URL_HOST_ROOM + 16
};

struct nats_url {
    bool tls;                      /* scheme tls:// */
    char host[NATS_URL_HOST_ROOM]; /* without the brackets of an IPv6 address */
    int port;
    char user[NATS_URL_WORD_ROOM]; /* "" if none; a token if there is no password */
    char password[NATS_URL_WORD_ROOM];
    bool has_password;
};

/* A list separated by commas: [nats://|tls://][user[:password]@]host[:port].  User and
 * password are percent-decoded.  STATUS_OK with *ret_n >= 1; STATUS_INVALID or
 * STATUS_LIMIT with a sentence in text[room] that shows no credentials.
 */
int nats_url_parse(const char *list, struct nats_url *urls, size_t urls_max,
                   size_t *ret_n, char *text, size_t room);

/* "nats://host:4222", no credentials. */
void nats_url_text(const struct nats_url *url, char to[NATS_URL_TEXT_ROOM]);

#endif
