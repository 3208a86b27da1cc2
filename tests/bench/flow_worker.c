/* The workers of the benches: one over libparti, and a command for `parti run`.  Their
 * handler does next to nothing. */
#include "flow.h"

#include "parti.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 1 << 18 };

static struct flow *flow;
static int process;
static struct parti_worker *worker;
static FILE *trace; /* NULL: none */
static pthread_mutex_t trace_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- over libparti ----------------------------------------------------------------- */

static void on_message(void *ctx, const struct parti_message *m)
{
    struct flow_head head;
    uint64_t begun_ns = trace != NULL ? flow_now_ns() : 0;

    (void)ctx;
    if (!flow_get(&head, m->data, m->data_n))
        flow_die("a message of somebody else's");
    flow_count(flow, process, &head);
    parti_ack(worker, m->ticket);
    if (trace == NULL)
        return;
    (void)pthread_mutex_lock(&trace_lock);
    (void)fprintf(trace,
                  "m %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                  head.part, head.number, head.published_ns, begun_ns, flow_now_ns());
    (void)pthread_mutex_unlock(&trace_lock);
}

static void note(const char *what, const struct parti_partition *p, size_t n)
{
    if (trace == NULL)
        return;
    (void)pthread_mutex_lock(&trace_lock);
    for (size_t i = 0; i < n; i++)
        (void)fprintf(trace, "%s %s %" PRIu64 "\n", what, p[i].id,
                      parti_event_ns(worker));
    (void)pthread_mutex_unlock(&trace_lock);
}

static void on_assigned(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n)
{
    (void)ctx;
    (void)epoch;
    note("a", p, n);
}

static void on_revoking(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n, uint64_t deadline_ms)
{
    (void)ctx;
    (void)deadline_ms;
    note("v", p, n);
    parti_released(worker, epoch);
}

static void on_released(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n)
{
    (void)ctx;
    (void)epoch;
    note("r", p, n);
}

static void on_fenced(void *ctx, const char *reason, uint64_t deadline_ns)
{
    (void)ctx;
    (void)reason;
    (void)deadline_ns;
    (void)atomic_fetch_add(&flow->place[process].fences, 1);
}

static void on_error(void *ctx, int code, const char *text)
{
    (void)ctx;
    (void)fprintf(stderr, "PARTI-E%d %s\n", code, text);
}

static void on_state(void *ctx, enum parti_state from, enum parti_state to,
                     const char *reason)
{
    (void)ctx;
    (void)from;
    (void)reason;
    atomic_store(&flow->place[process].is_ready, to == PARTI_STABLE);
}

/* INI MAP INDEX [TRACE]: until SIGTERM, which lets it leave in order */
int flow_worker(int argc, char **argv)
{
    const struct parti_callbacks callbacks = {.size = sizeof callbacks,
                                              .assigned = on_assigned,
                                              .revoking = on_revoking,
                                              .released = on_released,
                                              .fenced = on_fenced,
                                              .state = on_state,
                                              .error = on_error,
                                              .message = on_message};
    char text[4096];
    sigset_t set;
    int number;

    if (argc < 3)
        flow_die("worker: three or four arguments");
    const struct parti_options options = {
        .size = sizeof options, .config = argv[0], .callbacks = &callbacks};
    flow = flow_map(argv[1]);
    process = (int)strtol(argv[2], NULL, 10);
    if (argc > 3 && (trace = fopen(argv[3], "w")) == NULL)
        flow_die("cannot write %s", argv[3]);
    if (trace != NULL)
        (void)setvbuf(trace, NULL, _IOLBF, 0); /* it may be killed */
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (parti_create(&worker, &options, text, sizeof text) != 0)
        flow_die("%s", text);
    (void)sigwait(&set, &number);
    parti_stop(worker, 0);
    (void)parti_wait(worker, PARTI_SHUTDOWN, 10000);
    parti_destroy(worker);
    return trace != NULL ? fclose(trace) : 0;
}

/* ---- under `parti run` ------------------------------------------------------------- */

static uint64_t number_behind(const char *line, const char *name)
{
    const char *at = strstr(line, name);

    return at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void handle(const char *line, const char *data)
{
    struct flow_head head;

    if (data == NULL || !flow_get(&head, data, FLOW_HEAD))
        flow_die("a message of somebody else's: %s", line);
    flow_count(flow, process, &head);
    (void)printf("{\"ack\":%" PRIu64 "}\n", number_behind(line, "\"n\":"));
}

/* The bytes of one event at the beginning of in[n], which it handles; 0: not whole. */
static size_t take(char *in, size_t n, int is_raw)
{
    char *end = memchr(in, '\n', n);

    if (end == NULL)
        return 0;
    *end = '\0';
    size_t used = (size_t)(end - in) + 1;
    if (strncmp(in, "{\"event\":\"message\"", 18) != 0) {
        if (strstr(in, "\"event\":\"fenced\"") != NULL)
            (void)atomic_fetch_add(&flow->place[process].fences, 1);
        if (strstr(in, "\"event\":\"revoking\"") != NULL)
            (void)printf("{\"released\":%" PRIu64 "}\n", number_behind(in, "\"epoch\":"));
        return used;
    }
    if (is_raw) {
        size_t length = number_behind(in, "\"length\":");

        if (used + length + 1 > n) {
            *end = '\n';
            return 0;
        }
        handle(in, in + used);
        return used + length + 1;
    }
    char *data = strstr(in, "\"data\":\"");
    handle(in, data != NULL ? data + 8 : NULL);
    return used;
}

/* MAP INDEX json|raw: answers all that one read brought at once */
int flow_child(int argc, char **argv)
{
    static char in[ROOM], out[ROOM];
    size_t had = 0, used;
    ssize_t n;

    if (argc != 3)
        flow_die("child: three arguments");
    flow = flow_map(argv[0]);
    process = (int)strtol(argv[1], NULL, 10);
    (void)setvbuf(stdout, out, _IOFBF, sizeof out);
    while ((n = read(STDIN_FILENO, in + had, sizeof in - 1 - had)) > 0) {
        size_t at = 0;

        had += (size_t)n;
        in[had] = '\0';
        while ((used = take(in + at, had - at, strcmp(argv[2], "raw") == 0)) > 0)
            at += used;
        (void)fflush(stdout);
        had -= at;
        memmove(in, in + at, had);
    }
    return 0;
}
