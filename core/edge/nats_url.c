#include "config.h"

#include "edge/nats_url.h"

#include "base/bytes.h"
#include "base/must.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PORT_DEFAULT = 4222, PORT_MAX = 65535 };

static bool hex_digit(char c, int *ret_value)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    if (at == NULL)
        return false;
    *ret_value = (int)(at - digits);
    return true;
}

/* Undoes %40 and the like; false if malformed, too long, or holding a NUL. */
static bool decode(struct bytes from, char *to, size_t room)
{
    size_t n = 0;
    int high, low;

    for (size_t i = 0; i < from.n; i++) {
        char c = from.at[i];
        if (c == '%') {
            if (from.n - i < 3 || !hex_digit(from.at[i + 1], &high) ||
                !hex_digit(from.at[i + 2], &low))
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0' || n + 1 >= room)
            return false;
        to[n++] = c;
    }
    to[n] = '\0';
    return true;
}

static bool parse_port(struct bytes digits, int *ret_port)
{
    int port = 0;

    if (digits.n == 0 || digits.n > 5)
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return false;
        port = port * 10 + (digits.at[i] - '0');
    }
    *ret_port = port;
    return port >= 1 && port <= PORT_MAX;
}

/* Cuts 'text' at the last (or first) 'c'; false and unchanged if there is none. */
static bool split(struct bytes text, char c, bool last, struct bytes *before,
                  struct bytes *after)
{
    const char *at = text.n == 0 ? NULL
                     : last      ? memrchr(text.at, c, text.n)
                                 : memchr(text.at, c, text.n);

    if (at == NULL)
        return false;
    size_t n = (size_t)(at - text.at);
    *before = (struct bytes){text.at, n};
    *after = (struct bytes){at + 1, text.n - n - 1};
    return true;
}

static const char *parse_host(struct bytes text, struct nats_url *url)
{
    struct bytes host = text, port;
    struct bytes inside, behind;

    url->port = PORT_DEFAULT;
    if (text.n > 0 && text.at[0] == '[') {
        if (!split(text, ']', true, &inside, &behind))
            return "an IPv6 address lacks its ]";
        host = (struct bytes){inside.at + 1, inside.n - 1};
        if (behind.n > 0 && behind.at[0] != ':')
            return "after ] only :port may follow";
        if (behind.n > 0 &&
            !parse_port((struct bytes){behind.at + 1, behind.n - 1}, &url->port))
            return "the port is not a number from 1 to 65535";
    } else if (split(text, ':', true, &host, &port) && !parse_port(port, &url->port)) {
        return "the port is not a number from 1 to 65535";
    }
    if (memchr(host.at, ':', host.n) != NULL && text.at[0] != '[')
        return "an IPv6 address must stand in [ ]";
    if (host.n == 0)
        return "the host name is missing";
    if (host.n >= sizeof url->host)
        return "the host name is too long";
    for (size_t i = 0; i < host.n; i++) {
        if ((unsigned char)host.at[i] <= ' ' || strchr("/@?#[]", host.at[i]) != NULL)
            return "the host name holds a character that none may hold";
    }
    bytes_to_text(host, url->host, sizeof url->host);
    return NULL;
}

/* NULL, or why it is no good. */
static const char *parse_one(struct bytes text, struct nats_url *url)
{
    static const char separator[] = "://";
    struct bytes user, password, host = text;
    const char *scheme_end = memmem(text.at, text.n, separator, sizeof separator - 1);

    *url = (struct nats_url){0};
    if (scheme_end != NULL) {
        size_t n = (size_t)(scheme_end - text.at);
        url->tls = n == 3 && strncasecmp(text.at, "tls", n) == 0;
        if (!url->tls && !(n == 4 && strncasecmp(text.at, "nats", n) == 0))
            return "the scheme must be nats:// or tls://";
        host = (struct bytes){scheme_end + 3, text.n - n - 3};
    }
    if (host.n > 0 && host.at[host.n - 1] == '/')
        host.n--;
    if (split(host, '@', true, &user, &host)) {
        url->has_password = split(user, ':', false, &user, &password);
        if (!decode(user, url->user, sizeof url->user) ||
            (url->has_password && !decode(password, url->password, sizeof url->password)))
            return "user or password is too long or has a malformed % in it";
    }
    return parse_host(host, url);
}

static struct bytes trim(struct bytes text)
{
    while (text.n > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
        text.at++;
        text.n--;
    }
    while (text.n > 0 && (text.at[text.n - 1] == ' ' || text.at[text.n - 1] == '\t'))
        text.n--;
    return text;
}

int nats_url_parse(const char *list, struct nats_url *urls, size_t urls_max,
                   size_t *ret_n, char *text, size_t room)
{
    struct bytes rest = bytes_of(list);
    size_t n = 0;
    bool more = true;

    while (more) {
        struct bytes one = rest;
        more = split(rest, ',', false, &one, &rest);
        if (n == urls_max) {
            (void)snprintf(text, room, "[nats] url names more than %zu servers.",
                           urls_max);
            return STATUS_LIMIT;
        }
        const char *why = parse_one(trim(one), &urls[n]);
        if (why != NULL) {
            (void)snprintf(text, room,
                           "[nats] url, server %zu: %s. Write it as "
                           "nats://host:4222, several separated by commas.",
                           n + 1, why);
            return STATUS_INVALID;
        }
        n++;
    }
    must(n > 0);
    *ret_n = n;
    return STATUS_OK;
}

void nats_url_text(const struct nats_url *url, char to[NATS_URL_TEXT_ROOM])
{
    bool is_v6 = strchr(url->host, ':') != NULL;

    (void)snprintf(to, NATS_URL_TEXT_ROOM, "%s://%s%s%s:%d", url->tls ? "tls" : "nats",
                   is_v6 ? "[" : "", url->host, is_v6 ? "]" : "", url->port);
}
