/* parti-plugin-host: the process of an isolated strategy.  Started by strategy_child.c
 * with a socket as descriptor 3, never by people; strategy_wire.h says what is spoken.
 *
 * One thread; ends at the end of file.  A call that its host no longer bounds (it may be
 * dead) is ended by the alarm set before it: nobody but us lifts the default action.
 */
#include "base/status.h"
#include "host/instance.h"
#include "host/log.h"
#include "host/strategy_wire.h"
#include "host/threads.h"

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SOCKET = 3,
    MEMORY_MAX_GB = 4, /* address space */
    FILES_MAX = 64,
    ALARM_SLACK_S = 5, /* beyond limit and grace: then the host is dead or stopped */
    CPU_SLACK_S = 2
};

/* Without sanitizers, which reserve terabytes of address space. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { LIMITS_MEMORY = 0 };
#else
enum { LIMITS_MEMORY = 1 };
#endif

static bool read_all(void *to, size_t n)
{
    char *at = to;

    while (n > 0) {
        ssize_t got = read(SOCKET, at, n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static bool send_all(const void *from, size_t n)
{
    const char *at = from;

    while (n > 0) {
        ssize_t sent = send(SOCKET, at, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool send_frame(enum wire_kind kind, const void *a, size_t a_n, const void *b,
                       size_t b_n)
{
    struct wire_head head = {WIRE_MAGIC, kind, a_n + b_n};

    return send_all(&head, sizeof head) && send_all(a, a_n) && send_all(b, b_n);
}

static bool read_head(enum wire_kind kind, uint64_t least, struct wire_head *ret)
{
    return read_all(ret, sizeof *ret) && ret->magic == WIRE_MAGIC && ret->kind == kind &&
           ret->n >= least;
}

static void limit(int what, rlim_t value)
{
    struct rlimit now;

    if (getrlimit(what, &now) != 0)
        return;
    if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max)
        value = now.rlim_max;
    now.rlim_cur = value;
    (void)setrlimit(what, &now);
}

static void limit_all(void)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, FILES_MAX);
    if (LIMITS_MEMORY)
        limit(RLIMIT_AS, (rlim_t)MEMORY_MAX_GB << 30);
}

/* CPU seconds are counted over the life of a process: leave so many from now. */
static void limit_call(uint64_t limit_ms)
{
    uint64_t seconds = limit_ms / 1000 + 1;
    struct rusage used;

    if (getrusage(RUSAGE_SELF, &used) == 0)
        limit(RLIMIT_CPU, (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                              (rlim_t)seconds + CPU_SLACK_S);
    (void)alarm((unsigned)(seconds < 86400 ? seconds : 86400) + ALARM_SLACK_S);
}

static void fill_answer(struct wire_answer *to, int32_t code, struct parti_error *error)
{
    *to = (struct wire_answer){.code = code, .line = error->line};
    error->text[sizeof error->text - 1] = '\0';
    memcpy(to->text, error->text, sizeof to->text);
}

/* Reads CONF, loads the plugin as every host does, calls create(), says CREATED. */
static bool start(struct instance *in, const struct plugin **ret_plugin, void **ret_self)
{
    struct parti_error error;
    struct plugin_error why;
    struct wire_answer answer;
    struct wire_conf conf; /* lives as long as the process: create() may keep it */
    struct wire_head head;
    char *block;
    int32_t code;

    if (!read_head(WIRE_CONF, 1, &head) || head.n > WIRE_CONF_MAX)
        return false;
    block = malloc((size_t)head.n);
    if (block == NULL || !read_all(block, (size_t)head.n) ||
        wire_conf_open(block, (size_t)head.n, &conf) != STATUS_OK)
        return false;
    log_init(2, (enum log_level)conf.log_level);
    instance_error_init(&error);
    if (plugin_load(conf.path, NULL, PLUGIN_STRATEGY, ret_plugin, &why) != STATUS_OK) {
        code = parti_fail(&error, PARTI_RETRY, "%.240s", why.text);
    } else {
        const struct parti_strategy *s = &(*ret_plugin)->strategy;

        instance_init(in, "strategy", (*ret_plugin)->name, NULL, NULL);
        code = s->create == NULL ? PARTI_OK
                                 : s->create(ret_self, &in->table, &conf.conf, &error);
    }
    fill_answer(&answer, code, &error);
    return send_frame(WIRE_CREATED, &answer, sizeof answer, NULL, 0) && code == PARTI_OK;
}

/* One WORLD, one ANSWER. */
static bool serve(struct instance *in, const struct plugin *plugin, void *self)
{
    struct wire_answer answer;
    struct parti_error error;
    struct parti_world world;
    struct wire_world about;
    struct wire_head head;
    uint32_t *owner = NULL;
    char *block = NULL;
    bool is_sound = false;

    if (!read_head(WIRE_WORLD, sizeof about, &head) || !read_all(&about, sizeof about))
        return false;
    block = malloc((size_t)(head.n - sizeof about) + 1);
    owner = malloc((size_t)(about.part_n + 1) * sizeof *owner);
    if (block == NULL || owner == NULL ||
        !read_all(block, (size_t)(head.n - sizeof about)) ||
        wire_world_open(&about, block, head.n - sizeof about, &world) != STATUS_OK)
        goto out;
    for (uint64_t i = 0; i < world.part_n; i++)
        owner[i] = world.worker_n;
    instance_error_init(&error);
    instance_deadline(in, about.deadline_ms);
    limit_call(about.limit_ms);
    int32_t code = plugin->strategy.assign(self, &world, owner, &error);
    (void)alarm(0);
    fill_answer(&answer, code, &error);
    is_sound = send_frame(WIRE_ANSWER, &answer, sizeof answer, owner,
                          (size_t)world.part_n * sizeof *owner);
out:
    free(owner);
    free(block);
    return is_sound;
}

int main(void)
{
    static struct instance instance;
    struct wire_ready ready = {.version = PACKAGE_VERSION};
    const struct plugin *plugin = NULL;
    void *self = NULL;

    if (!send_frame(WIRE_READY, &ready, sizeof ready, NULL, 0)) {
        static const char text[] = "parti-plugin-host is started by parti for a strategy "
                                   "with isolation = process, not by hand\n";

        (void)!write(2, text, sizeof text - 1);
        return 2;
    }
    limit_all();
    if (!start(&instance, &plugin, &self))
        return 0;
    while (serve(&instance, plugin, self))
        continue;
    if (plugin->strategy.destroy != NULL)
        plugin->strategy.destroy(self);
    return 0;
}
