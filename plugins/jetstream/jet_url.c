#define _GNU_SOURCE /* memmem, memrchr */
#include "plugins/jetstream/jet_url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PORT_DEFAULT = 4222, PORT_MAX = 65535 };

/* A piece of the text. */
struct piece {
    const char *at;
    size_t n;
};

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/* Undoes %40 and the like.  0: malformed, too long, or holding a NUL. */
static int32_t decode(struct piece from, char to[JET_URL_WORD_ROOM])
{
    size_t n = 0;

    for (size_t i = 0; i < from.n; i++) {
        int c = (unsigned char)from.at[i];

        if (c == '%') {
            int high = i + 2 < from.n ? hex_digit(from.at[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(from.at[i + 2]) : -1;
            if (low < 0)
                return 0;
            c = high * 16 + low;
            i += 2;
        }
        if (c == '\0' || n + 1 == JET_URL_WORD_ROOM)
            return 0;
        to[n++] = (char)c;
    }
    to[n] = '\0';
    return 1;
}

/* What stands before the first 'c', and what behind it; 0 and unchanged without one. */
static int32_t cut(struct piece text, char c, struct piece *before, struct piece *after)
{
    const char *at = text.n > 0 ? memchr(text.at, c, text.n) : NULL;

    if (at == NULL)
        return 0;
    *before = (struct piece){text.at, (size_t)(at - text.at)};
    *after = (struct piece){at + 1, text.n - before->n - 1};
    return 1;
}

static const char *parse_port(struct piece digits, struct jet_url *url)
{
    int port = 0;

    for (size_t i = 0; i < digits.n && port <= PORT_MAX; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            port = PORT_MAX;
        port = port * 10 + (digits.at[i] - '0');
    }
    url->port = port;
    return port >= 1 && port <= PORT_MAX ? NULL
                                         : "the port is not a number from 1 to 65535";
}

static const char *parse_host(struct piece text, struct jet_url *url)
{
    struct piece host = text, port = {NULL, 0};
    const char *why = NULL;

    url->port = PORT_DEFAULT;
    if (text.n > 0 && text.at[0] == '[') {
        if (!cut((struct piece){text.at + 1, text.n - 1}, ']', &host, &port))
            return "an IPv6 address lacks its ]";
        if (port.n > 0 && port.at[0] != ':')
            return "after ] only :port may follow";
        if (port.n > 0)
            why = parse_port((struct piece){port.at + 1, port.n - 1}, url);
    } else if (cut(text, ':', &host, &port)) {
        if (memchr(port.at, ':', port.n) != NULL)
            return "an IPv6 address must stand in [ ]";
        why = parse_port(port, url);
    }
    if (why != NULL)
        return why;
    if (host.n == 0 || host.n >= sizeof url->host)
        return "the host name is missing or too long";
    for (size_t i = 0; i < host.n; i++)
        if ((unsigned char)host.at[i] <= ' ' || strchr("/@?#[]", host.at[i]) != NULL)
            return "the host name holds a character that none may hold";
    memcpy(url->host, host.at, host.n);
    url->host[host.n] = '\0';
    return NULL;
}

static const char *parse_one(struct piece text, struct jet_url *url)
{
    const char *scheme = memmem(text.at, text.n, "://", 3);
    struct piece login, name, password, rest = text;

    memset(url, 0, sizeof *url);
    if (scheme != NULL) {
        size_t n = (size_t)(scheme - text.at);

        url->is_tls = n == 3 && strncasecmp(text.at, "tls", n) == 0;
        if (!url->is_tls && !(n == 4 && strncasecmp(text.at, "nats", n) == 0))
            return "it must begin with nats:// or tls://";
        rest = (struct piece){scheme + 3, text.n - n - 3};
    }
    if (rest.n > 0 && rest.at[rest.n - 1] == '/')
        rest.n--;
    const char *at = rest.n > 0 ? memrchr(rest.at, '@', rest.n) : NULL;
    if (at != NULL) {
        login = (struct piece){rest.at, (size_t)(at - rest.at)};
        rest = (struct piece){at + 1, rest.n - login.n - 1};
        name = login;
        url->has_password = cut(login, ':', &name, &password);
        if (!decode(name, url->user) ||
            (url->has_password && !decode(password, url->password)))
            return "user or password is too long or has a malformed % in it";
    }
    return parse_host(rest, url);
}

const char *jet_url_parse(const char *list, struct jet_url urls[JET_URLS_MAX],
                          size_t *ret_n)
{
    struct piece rest = {list, strlen(list)};
    size_t n = 0;

    for (int32_t more = 1; more;) {
        struct piece one = rest;

        more = cut(rest, ',', &one, &rest);
        while (one.n > 0 && (*one.at == ' ' || *one.at == '\t')) {
            one.at++;
            one.n--;
        }
        while (one.n > 0 && (one.at[one.n - 1] == ' ' || one.at[one.n - 1] == '\t'))
            one.n--;
        if (n == JET_URLS_MAX)
            return "it names more than 16 servers";
        const char *why = parse_one(one, &urls[n++]);
        if (why != NULL)
            return why;
    }
    *ret_n = n;
    return NULL;
}

void jet_url_text(const struct jet_url *url, char to[JET_URL_TEXT_ROOM])
{
    int is_v6 = strchr(url->host, ':') != NULL;

    (void)snprintf(to, JET_URL_TEXT_ROOM, "%s://%s%s%s:%d", url->is_tls ? "tls" : "nats",
                   is_v6 ? "[" : "", url->host, is_v6 ? "]" : "", url->port);
}
