#include "edge/nats_probe.h"

#include "base/bytes.h"
#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ADDRESSES_MAX = 16, GREETING_MAX = 16384 };

struct probe {
    const struct nats_url *url;
    int timeout_ms;
    uint64_t deadline_ms;
    char address[NATS_URL_TEXT_ROOM]; /* numeric, as last tried */
    struct nats_greeting greeting;
    struct nats_error *e;
};

static int remaining_ms(const struct probe *p)
{
    return (int)sat_sub(p->deadline_ms, clock_boot_ms());
}

static int fail_late(struct probe *p)
{
    nats_error_set(
        p->e, STATUS_TIMEOUT, ERR_NATS_TIMEOUT,
        "%s does not answer within %d ms. The server is stopped or overloaded, "
        "or a firewall drops the packets.",
        p->address, p->timeout_ms);
    return p->e->status;
}

static void name_address(struct probe *p, const struct addrinfo *a)
{
    char host[NI_MAXHOST];

    if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST) != 0)
        (void)snprintf(host, sizeof host, "%s", p->url->host);
    bool is_v6 = a->ai_family == AF_INET6;
    (void)snprintf(p->address, sizeof p->address, "%s%.200s%s:%d", is_v6 ? "[" : "", host,
                   is_v6 ? "]" : "", p->url->port);
}

static int fail_connect(struct probe *p, int error)
{
    char name[NATS_URL_HOST_ROOM + 4] = "";

    if (error == ETIMEDOUT)
        return fail_late(p);
    if (strncmp(p->address, p->url->host, strlen(p->url->host)) != 0)
        (void)snprintf(name, sizeof name, " (%s)", p->url->host);
    if (error == ECONNREFUSED)
        nats_error_set(p->e, STATUS_OFFLINE, ERR_NATS_REFUSED,
                       "nothing listens on %s%s. Start nats-server there, or correct "
                       "[nats] url.",
                       p->address, name);
    else
        nats_error_set(p->e, STATUS_OFFLINE, ERR_NATS_REFUSED,
                       "%s%s cannot be reached: %s. Check the network and [nats] url.",
                       p->address, name, strerror(error));
    return p->e->status;
}

/* A connected socket, or -1 with *ret_error. */
static int connect_to(struct probe *p, const struct addrinfo *a, int *ret_error)
{
    socklen_t error_n = sizeof *ret_error;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        *ret_error = errno;
        return -1;
    }
    *ret_error = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (*ret_error == EINPROGRESS) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        if (poll(&ready, 1, remaining_ms(p)) != 1)
            *ret_error = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, ret_error, &error_n) != 0)
            *ret_error = errno;
    }
    if (*ret_error == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* Every NATS server greets with one line "INFO {...}". */
static int read_greeting(struct probe *p, int fd)
{
    static const char word[] = "INFO {";
    char got[GREETING_MAX];
    size_t n = 0;

    while (n < sizeof got - 1 && memchr(got, '\n', n) == NULL) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, remaining_ms(p)) != 1)
            return fail_late(p);
        ssize_t more = recv(fd, got + n, sizeof got - 1 - n, 0);
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            break;
        n += (size_t)more;
    }
    got[n] = '\0';
    if (strncmp(got, word, sizeof word - 1) == 0) {
        p->greeting.wants_client_certificate = strstr(got, "\"tls_verify\":true") != NULL;
        return STATUS_OK;
    }
    nats_error_set(p->e, STATUS_INVALID, ERR_NATS_FAILED,
                   "something listens on %s, but it does not greet as a NATS server. "
                   "Correct host and port in [nats] url.",
                   p->address);
    return p->e->status;
}

static int probe_addresses(struct probe *p, const struct addrinfo *list)
{
    int error = 0, tried = 0;

    for (const struct addrinfo *a = list; a != NULL && tried < ADDRESSES_MAX;
         a = a->ai_next, tried++) {
        name_address(p, a);
        int fd = connect_to(p, a, &error);
        if (fd < 0)
            continue;
        int status = read_greeting(p, fd);
        (void)close(fd);
        return status;
    }
    return fail_connect(p, error);
}

int nats_probe(const struct nats_url *url, int timeout_ms,
               struct nats_greeting *ret_greeting, struct nats_error *e)
{
    struct addrinfo want = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char port[16];
    struct probe p = {.url = url, .timeout_ms = timeout_ms, .e = e};

    (void)snprintf(port, sizeof port, "%d", url->port);
    int gai = getaddrinfo(url->host, port, &want, &list);
    if (gai != 0) {
        nats_error_set(e, STATUS_OFFLINE, ERR_NATS_NAME,
                       "the name '%s' does not resolve (%s). Correct [nats] url, or this "
                       "machine's resolver.",
                       url->host, gai_strerror(gai));
        return e->status;
    }
    p.deadline_ms = sat_add(clock_boot_ms(), (uint64_t)timeout_ms);
    int status = probe_addresses(&p, list);
    freeaddrinfo(list);
    if (status == STATUS_OK && ret_greeting != NULL)
        *ret_greeting = p.greeting;
    return status;
}
