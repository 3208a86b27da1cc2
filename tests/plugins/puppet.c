/* A plugin that behaves as its section tells it to, well or badly: strategy and source.
 *
 * 'gate' is the number of a file descriptor of the test: a call that hangs reads one
 * byte from it, so that the test decides when it returns.
 */
#include "parti_plugin.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct puppet {
    const struct parti_host *host;
    char behave[32];
    int gate;
    int told; /* descriptor: 'o' when obey() begins, 'd' at destroy() */
    atomic_uint calls;
    int cancel; /* eventfd */
    char partitions[512];
    uint64_t changes;
    pthread_t thread;
    int32_t has_thread;
};

static int32_t does(const struct puppet *p, const char *what)
{
    return strcmp(p->behave, what) == 0;
}

/* Returns when the test says so, or never; deaf to stop_wanted(). */
static void hang(const struct puppet *p)
{
    char byte;

    if (p->gate >= 0)
        (void)!read(p->gate, &byte, 1);
    else
        for (;;)
            (void)poll(NULL, 0, 1000);
}

/* Says that it runs, returns when told to stop; asks often. */
static int32_t obey(const struct puppet *p)
{
    if (p->told >= 0)
        (void)!write(p->told, "o", 1);
    while (!p->host->stop_wanted(p->host))
        (void)poll(NULL, 0, 5);
    return PARTI_CANCELED;
}

static int32_t puppet_create(void **self, const struct parti_host *host,
                             const struct parti_conf *conf, struct parti_error *error)
{
    const char *given = parti_conf_text(conf, "behave");
    const char *behave = given != NULL ? given : "well";
    const char *partitions = parti_conf_text(conf, "partitions");
    struct puppet *p = calloc(1, sizeof *p);

    if (p == NULL)
        return PARTI_NOMEM;
    p->host = host;
    (void)snprintf(p->behave, sizeof p->behave, "%s", behave);
    (void)snprintf(p->partitions, sizeof p->partitions, "%s",
                   partitions != NULL ? partitions : "");
    p->gate = (int)parti_conf_int(conf, "gate", -1);
    p->told = (int)parti_conf_int(conf, "told", -1);
    p->changes = (uint64_t)parti_conf_int(conf, "changes", 0);
    p->cancel = eventfd(0, EFD_CLOEXEC);
    if (does(p, "hang_create"))
        hang(p);
    if (does(p, "badconf") || does(p, "nostart") || does(p, "bug_create")) {
        int32_t code = does(p, "badconf")   ? PARTI_BADCONF
                       : does(p, "nostart") ? PARTI_RETRY
                                            : PARTI_BUG;

        error->line = parti_conf_line(conf, "behave");
        (void)close(p->cancel);
        free(p);
        return parti_fail(error, code, "the value '%s' does not please", behave);
    }
    parti_log(host, PARTI_DEBUG, "a puppet is made");
    *self = p;
    return PARTI_OK;
}

static void puppet_destroy(void *self)
{
    struct puppet *p = self;

    if (p->has_thread)
        (void)pthread_join(p->thread, NULL);
    if (p->told >= 0)
        (void)!write(p->told, "d", 1);
    (void)close(p->cancel);
    free(p);
}

/* ---- strategy ---------------------------------------------------------------------- */

/* Is the world what the interface promises?  The test's world has these rows. */
static int32_t check_world(const struct parti_world *w, struct parti_error *error)
{
    uint64_t before = 0;

    for (uint32_t i = 1; i < w->worker_n; i++)
        if (w->worker_slot[i - 1] >= w->worker_slot[i])
            return parti_fail(error, PARTI_BADINPUT, "workers do not ascend");
    if (w->prev_to_now[w->prev_n] != w->worker_n)
        return parti_fail(error, PARTI_BADINPUT, "nobody is somebody now");
    for (uint64_t i = 0; i < w->part_n; i++) {
        if (w->part_id.end[i] <= before || w->part_prev[i] > w->prev_n ||
            w->part_hash[i] == 0)
            return parti_fail(error, PARTI_BADINPUT, "row %llu is unsound",
                              (unsigned long long)i);
        before = w->part_id.end[i];
    }
    if (w->seed != 7 || w->tolerance_ppm != 10000 || w->moves_max != UINT64_MAX)
        return parti_fail(error, PARTI_BADINPUT, "the policy is not as expected");
    return PARTI_OK;
}

/* Partition i to worker i modulo their number, draining ones passed over. */
static void by_index(const struct parti_world *w, uint32_t *owner)
{
    uint32_t next = 0;

    for (uint64_t i = 0; i < w->part_n; i++) {
        while ((w->worker_flags[next] & PARTI_WORKER_DRAINING) != 0)
            next = (next + 1) % w->worker_n;
        owner[i] = next;
        next = (next + 1) % w->worker_n;
    }
}

static int32_t puppet_assign(void *self, const struct parti_world *w, uint32_t *owner,
                             struct parti_error *error)
{
    struct puppet *p = self;
    unsigned call = atomic_fetch_add(&p->calls, 1);

    by_index(w, owner);
    if (does(p, "check"))
        return check_world(w, error);
    if (does(p, "keep"))
        return PARTI_KEEP;
    if (does(p, "retry"))
        return parti_fail(error, PARTI_RETRY, "not today");
    if (does(p, "retry_once"))
        return call == 0 ? PARTI_RETRY : PARTI_OK;
    if (does(p, "nomem"))
        return PARTI_NOMEM;
    if (does(p, "bug"))
        return parti_fail(error, PARTI_BUG, "I am broken");
    if (does(p, "unknown"))
        return 4711;
    if (does(p, "range"))
        owner[w->part_n - 1] = w->worker_n + 5;
    if (does(p, "skip"))
        owner[0] = w->worker_n;
    if (does(p, "to_first"))
        for (uint64_t i = 0; i < w->part_n; i++)
            owner[i] = 0;
    if (does(p, "hang") || (does(p, "hang_once") && call == 0))
        hang(p);
    if (does(p, "obey"))
        return obey(p);
    if (does(p, "obey_once") && call == 0)
        return obey(p);
    if (does(p, "crash") || (does(p, "crash_once") && w->epoch == 1))
        abort();
    if (does(p, "exit"))
        _exit(3);
    if (does(p, "devour"))
        for (;;) { /* address space, hardly any memory */
            volatile char *block = malloc(256u << 20);

            block[0] = 1;
        }
    if (does(p, "spin"))
        for (volatile uint64_t i = 0;; i++)
            continue;
    return PARTI_OK;
}

/* ---- source ------------------------------------------------------------------------ */

static int32_t add(struct parti_sink *sink, const char *bytes, uint64_t n)
{
    uint64_t end[1] = {n};
    struct parti_rows rows = {.size = sizeof rows, .id = {bytes, end, 1}};

    return sink->add(sink, &rows);
}

/* Its 'partitions', one a line, '/' between keys, shown as they stand. */
static int32_t add_all(const struct puppet *p, struct parti_sink *sink)
{
    int32_t code = PARTI_OK;

    for (const char *at = p->partitions; *at != '\0' && code == PARTI_OK;) {
        size_t n = strcspn(at, "\n");
        char id[512];

        for (size_t i = 0; i < n; i++)
            id[i] = (char)(at[i] == '/' ? '\0' : at[i]);
        code = add(sink, id, n);
        at += n + (at[n] != '\0');
    }
    return code;
}

/* Its name is the number of the call: every listing differs from the last. */
static int32_t add_count(struct parti_sink *sink, unsigned call)
{
    char id[32];

    return add(sink, id, (uint64_t)snprintf(id, sizeof id, "call-%u", call));
}

static int32_t add_wrong(const struct puppet *p, struct parti_sink *sink)
{
    static const char long_id[600];
    uint64_t end[2] = {5, 2};
    struct parti_rows rows = {.size = sizeof rows, .id = {"abcde", end, 2}};

    if (does(p, "empty_id"))
        return add(sink, "", 0);
    if (does(p, "empty_key"))
        return add(sink, "a\0\0b", 4);
    if (does(p, "too_long"))
        return add(sink, long_id, sizeof long_id);
    if (does(p, "backwards"))
        return sink->add(sink, &rows);
    if (does(p, "too_many")) {
        rows.id.n = UINT64_MAX / 16;
        return sink->add(sink, &rows);
    }
    if (does(p, "deaf")) { /* goes on when it is refused, and says all is well */
        (void)add(sink, "", 0);
        (void)add(sink, "a", 1);
    }
    return PARTI_OK;
}

/* A storm of words that the list has changed. */
static void *cry(void *ctx)
{
    struct puppet *p = ctx;

    for (uint64_t i = 0; i < p->changes; i++)
        p->host->changed(p->host);
    return NULL;
}

static int32_t puppet_list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                           struct parti_error *error)
{
    struct puppet *p = self;
    unsigned call = atomic_fetch_add(&p->calls, 1);
    struct pollfd wait = {p->cancel, POLLIN, 0};
    int32_t code = add_all(p, sink);

    (void)budget_ms;
    if (code != PARTI_OK)
        return code;
    if (p->changes > 0 && !p->has_thread)
        p->has_thread = pthread_create(&p->thread, NULL, cry, p) == 0;
    if (does(p, "count"))
        return add_count(sink, call);
    if (does(p, "retry"))
        return parti_fail(error, PARTI_RETRY, "the network is away");
    if (does(p, "missing"))
        return parti_fail(error, parti_code(p->host, PARTI_MISSING), "no such thing");
    if (does(p, "denied"))
        return parti_fail(error, parti_code(p->host, PARTI_DENIED), "not for you");
    if (does(p, "timeout"))
        return parti_fail(error, parti_code(p->host, PARTI_TIMEOUT), "no word came");
    if (does(p, "retry_twice"))
        return call < 2 ? parti_fail(error, PARTI_RETRY, "not yet") : PARTI_OK;
    if (does(p, "bug"))
        return parti_fail(error, PARTI_BUG, "I am broken");
    if (does(p, "unknown"))
        return -5;
    if (does(p, "keep"))
        return PARTI_KEEP;
    if (does(p, "hang") || (does(p, "hang_second") && call == 1))
        hang(p);
    if (does(p, "obey"))
        return obey(p);
    if (does(p, "until_cancel")) {
        (void)poll(&wait, 1, -1);
        return PARTI_CANCELED;
    }
    return add_wrong(p, sink);
}

static void puppet_cancel(void *self)
{
    struct puppet *p = self;
    uint64_t one = 1;

    (void)!write(p->cancel, &one, sizeof one);
}

/* ---- the plugin -------------------------------------------------------------------- */

#define BOTH                                                                          \
    {.name = "behave", .fallback = "well", .help = "What to do.", .type = PARTI_STR}, \
        {.name = "gate", .help = "Descriptor to hang on.", .type = PARTI_INT},        \
    {                                                                                 \
        .name = "told", .help = "Descriptor to tell of the end.", .type = PARTI_INT   \
    }

static const struct parti_option strategy_option[] = {BOTH, {.name = NULL}};

static const struct parti_option source_option[] = {
    BOTH,
    {.name = "partitions", .help = "One a line.", .type = PARTI_STR, .flags = PARTI_LIST},
    {.name = "changes", .help = "How often to cry.", .type = PARTI_INT},
    {.name = NULL},
};

static const struct parti_strategy strategy = {
    .size = sizeof strategy,
    .create = puppet_create,
    .assign = puppet_assign,
    .destroy = puppet_destroy,
};

static const struct parti_source source = {
    .size = sizeof source,
    .create = puppet_create,
    .list = puppet_list,
    .cancel = puppet_cancel,
    .destroy = puppet_destroy,
};

static const struct parti_plugin puppet = {
    .size = sizeof puppet,
    .abi_minor = PARTI_ABI_MINOR,
    .id = "org.parti.test.puppet",
    .version = "1.0.0",
    .vendor = "Parti",
    .license = "Apache-2.0",
    .summary = "Behaves as told, well or badly.",
    .strategy_option = strategy_option,
    .source_option = source_option,
    .strategy = &strategy,
    .source = &source,
};

PARTI_PLUGIN_ENTRY(puppet)
