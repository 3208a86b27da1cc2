/* Server addresses: "embedded", or nats://[user[:password]@]host[:port] and tls://...
 * with commas between.  A password that stands in one is never shown. */
#include "host/conf_private.h"

#include "base/status.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVERS_MAX = 32 };

/* [host]:port behind the user's part. */
static const char *host_fault(const char *host, size_t n)
{
    const char *end = host + n, *port = NULL, *close;
    long number = 0;

    if (n > 0 && host[0] == '[') {
        close = memchr(host, ']', n);
        if (close == NULL)
            return "has a '[' without ']'";
        port = close + 1 < end ? close + 1 : NULL;
        if (port != NULL && *port != ':')
            return "has text behind ']'";
        n = (size_t)(close - host) - 1;
    } else {
        port = memchr(host, ':', n);
        n = port != NULL ? (size_t)(port - host) : n;
    }
    if (n == 0)
        return "lacks the host's name";
    for (size_t i = 0; i < n; i++)
        if (isspace((unsigned char)host[i]) || host[i] == '/')
            return "has a blank or a '/' in the host's name";
    if (port == NULL)
        return NULL;
    for (port++; port < end; port++) {
        if (!isdigit((unsigned char)*port) || number > 65535)
            return "has a port that is no number from 1 to 65535";
        number = 10 * number + (*port - '0');
    }
    return number >= 1 && number <= 65535
               ? NULL
               : "has a port that is no number from 1 to 65535";
}

/* Where the host begins: behind "scheme://" and the last '@'. */
static const char *host_start(const char *at, size_t n, size_t *ret_scheme)
{
    const char *end = at + n, *sep = NULL, *host;

    for (const char *s = at; s + 3 <= end && sep == NULL; s++)
        if (memcmp(s, "://", 3) == 0)
            sep = s;
    *ret_scheme = sep != NULL ? (size_t)(sep - at) : 0;
    host = sep != NULL ? sep + 3 : at;
    for (const char *s = host; s < end; s++)
        if (*s == '@')
            host = s + 1;
    return host;
}

static const char *server_fault(const char *at, size_t n)
{
    size_t scheme, rest;
    const char *host = host_start(at, n, &scheme);

    if (scheme > 0 && !(scheme == 4 && memcmp(at, "nats", 4) == 0) &&
        !(scheme == 3 && memcmp(at, "tls", 3) == 0))
        return "begins with something other than nats:// or tls://";
    rest = (size_t)(at + n - host);
    if (rest > 0 && host[rest - 1] == '/')
        rest--;
    return host_fault(host, rest);
}

/* The next address of a list without the blanks around it; *at moves behind it. */
static const char *next_server(const char **at, size_t *ret_n)
{
    const char *start = *at + strspn(*at, " \t");
    size_t n = strcspn(start, ",");

    *at = start[n] == ',' ? start + n + 1 : NULL;
    while (n > 0 && (start[n - 1] == ' ' || start[n - 1] == '\t'))
        n--;
    *ret_n = n;
    return start;
}

int conf_url_check(const char *url, char *why, size_t room)
{
    bool secret = strchr(url, '@') != NULL;
    int count = 0;

    if (strcmp(url, "embedded") == 0)
        return 0;
    for (const char *at = url; at != NULL;) {
        size_t n;
        const char *server = next_server(&at, &n);
        const char *fault = n == 0 ? "is empty" : server_fault(server, n);

        if (++count > SERVERS_MAX && fault == NULL)
            fault = "is one more than the 32 that are allowed";
        if (fault == NULL)
            continue;
        /* A comma in a password splits it: where one may be, no text is repeated. */
        (void)snprintf(why, room,
                       "address %d%s%.*s%s %s; addresses look like nats://host:4222, "
                       "with commas between them, or the word embedded",
                       count, secret ? "" : " ('", secret ? 0 : (int)(n > 80 ? 80 : n),
                       server, secret ? "" : "')", fault);
        return STATUS_INVALID;
    }
    return 0;
}

void conf_url_shown(const char *url, char *to, size_t room)
{
    size_t used = 0;

    to[0] = '\0';
    for (const char *at = url; at != NULL && used < room;) {
        size_t n, scheme;
        const char *server = next_server(&at, &n);
        const char *host = host_start(server, n, &scheme);
        size_t before = scheme > 0 ? scheme + 3 : 0;
        bool user = host > server + before;
        int wrote = snprintf(to + used, room - used, "%s%.*s%s%.*s", used > 0 ? "," : "",
                             (int)before, server, user ? "***@" : "",
                             (int)(server + n - host), host);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}
