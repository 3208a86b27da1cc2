/* Addresses of NATS servers as people write them: nats://user:password@host:4222 and
 * tls://[::1]:4223, several with commas between.  For jet_link.c.  Any thread.
 */
#ifndef PARTI_PLUGINS_JET_URL_H
#define PARTI_PLUGINS_JET_URL_H

#include <stddef.h>
#include <stdint.h>

enum {
    JET_URLS_MAX = 16,
    JET_URL_WORD_ROOM = 256, /* host, user, password or token, and a NUL */
    JET_URL_TEXT_ROOM = 280
};

struct jet_url {
    char host[JET_URL_WORD_ROOM]; /* without the brackets of IPv6 */
    char user[JET_URL_WORD_ROOM]; /* a token where there is no password; "": none */
    char password[JET_URL_WORD_ROOM];
    int32_t has_password;
    int32_t is_tls;
    int port;
};

/* NULL, or what is wrong, a sentence of static storage. */
const char *jet_url_parse(const char *list, struct jet_url urls[JET_URLS_MAX],
                          size_t *ret_n);

/* Without user and password: for people and for nats.c. */
void jet_url_text(const struct jet_url *url, char to[JET_URL_TEXT_ROOM]);

#endif
