#include "edge/nats_endpoint.h"

#include "base/must.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_name[] = "endpoint.json";
enum { FILE_MAX = 512 };

static bool is_ours_alone(const struct stat *st, mode_t forbidden)
{
    return st->st_uid == geteuid() && (st->st_mode & forbidden) == 0;
}

/* The folders above it, too: on a fresh machine not even the user's state directory is
 * there.  errno tells why not. */
static bool make_dirs(const char *dir)
{
    char path[NATS_ENDPOINT_PATH_ROOM];
    int n = snprintf(path, sizeof path, "%s", dir);

    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *at = path + 1; (at = strchr(at, '/')) != NULL; *at++ = '/') {
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

int nats_endpoint_prepare(const char *dir, char *text, size_t room)
{
    struct stat st;

    if (!make_dirs(dir)) {
        (void)snprintf(
            text, room,
            "the state directory '%s' cannot be made: %s. Name another one with "
            "[nats] store_dir.",
            dir, strerror(errno));
        return STATUS_INVALID;
    }
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
        (void)snprintf(text, room, "the state directory '%s' is no directory.", dir);
        return STATUS_INVALID;
    }
    if (!is_ours_alone(&st, S_IWGRP | S_IWOTH)) {
        (void)snprintf(text, room,
                       "the state directory '%s' belongs to another user or others may "
                       "write to it. Use one of your own: chmod 700.",
                       dir);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

int nats_endpoint_write(const char *dir, const char *name, const char *text, size_t n)
{
    char path[NATS_ENDPOINT_PATH_ROOM], fresh[NATS_ENDPOINT_PATH_ROOM];

    must(snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path);
    must(snprintf(fresh, sizeof fresh, "%s/%s.%d", dir, name, (int)getpid()) <
         (int)sizeof fresh);
    if (unlink(fresh) != 0 && errno != ENOENT)
        return STATUS_IO;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return STATUS_IO;
    bool whole = write(fd, text, n) == (ssize_t)n;
    whole = close(fd) == 0 && whole;
    if (whole && rename(fresh, path) == 0)
        return STATUS_OK;
    int error = errno;
    (void)unlink(fresh);
    errno = error;
    return STATUS_IO;
}

int nats_endpoint_save(const char *dir, const struct nats_endpoint *endpoint)
{
    json_t *root = json_pack("{s:s, s:i, s:b}", "password", endpoint->password, "port",
                             endpoint->port, "ready", (int)endpoint->is_ready);
    must(root != NULL);
    char *text = json_dumps(root, JSON_COMPACT);
    must(text != NULL);
    int status = nats_endpoint_write(dir, file_name, text, strlen(text));
    int error = errno;
    explicit_bzero(text, strlen(text));
    free(text);
    json_decref(root);
    errno = error;
    return status;
}

static int parse(const char *text, size_t n, struct nats_endpoint *endpoint)
{
    const char *password = NULL;
    int port = 0, ready = 0;
    int status = STATUS_CORRUPT;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);

    if (root != NULL &&
        json_unpack(root, "{s:s, s:i, s:b}", "password", &password, "port", &port,
                    "ready", &ready) == 0 &&
        strlen(password) < sizeof endpoint->password && port >= 0 && port <= 65535) {
        (void)snprintf(endpoint->password, sizeof endpoint->password, "%s", password);
        endpoint->port = port;
        endpoint->is_ready = ready != 0;
        status = STATUS_OK;
    }
    json_decref(root);
    return status;
}

int nats_endpoint_load(const char *dir, struct nats_endpoint *endpoint)
{
    char path[NATS_ENDPOINT_PATH_ROOM], text[FILE_MAX];
    struct stat st;

    must(snprintf(path, sizeof path, "%s/%s", dir, file_name) < (int)sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return STATUS_NOTFOUND;
    int status = STATUS_DENIED;
    if (fstat(fd, &st) == 0 && is_ours_alone(&st, S_IRWXG | S_IRWXO)) {
        ssize_t n = read(fd, text, sizeof text);
        status = n > 0 ? parse(text, (size_t)n, endpoint) : STATUS_CORRUPT;
        explicit_bzero(text, sizeof text);
    }
    (void)close(fd);
    return status;
}

void nats_endpoint_init(struct nats_endpoint *endpoint)
{
    uint64_t word[2];

    must(getrandom(word, sizeof word, 0) == (ssize_t)sizeof word);
    *endpoint = (struct nats_endpoint){0};
    (void)snprintf(endpoint->password, sizeof endpoint->password,
                   "%016" PRIx64 "%016" PRIx64, word[0], word[1]);
}

void nats_endpoint_url(const struct nats_endpoint *endpoint, char *to, size_t room)
{
    (void)snprintf(to, room, "nats://parti:%s@127.0.0.1:%d", endpoint->password,
                   endpoint->port);
}
