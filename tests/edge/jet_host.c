#include "config.h"

#include "jet_host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the host's table ------------------------------------------------------------ */

static int32_t on_log_on(const struct parti_host *host, int32_t level)
{
    (void)host;
    return level >= PARTI_WARN;
}

static void on_log(const struct parti_host *host, int32_t level, const char *text,
                   uint64_t n)
{
    struct jet_host *h = host->ctx;

    (void)level;
    (void)fprintf(stderr, "plugin: %.*s\n", (int)n, text);
    gate_lock(&h->gate);
    h->logged++;
    (void)snprintf(h->log_line, sizeof h->log_line, "%.*s", (int)n, text);
    gate_tell(&h->gate);
    gate_unlock(&h->gate);
}

static int32_t on_stop_wanted(const struct parti_host *host)
{
    (void)host;
    return 0;
}

static void on_changed(const struct parti_host *host)
{
    (void)host;
}

static const void *on_extension(const struct parti_host *host, const char *id)
{
    (void)host;
    (void)id;
    return NULL;
}

/* One call of the plugin at a time. */
#define CALL(h, call)                            \
    do {                                         \
        (void)pthread_mutex_lock(&(h)->calls);   \
        call;                                    \
        (void)pthread_mutex_unlock(&(h)->calls); \
    } while (0)

/* ---- the inlet ------------------------------------------------------------------- */

/* Check's own assertions are for one thread, and these calls come from any. */
static void rule(int is_kept, const char *text, uint64_t a, uint64_t b)
{
    if (is_kept)
        return;
    (void)fprintf(stderr, "the inlet's rule is broken: %s (%llu, %llu)\n", text,
                  (unsigned long long)a, (unsigned long long)b);
    abort();
}

/* The lane, locked, if this is its run; else NULL and not locked. */
static struct host_lane *enter(const struct parti_inlet *inlet, uint32_t lane,
                               uint64_t run)
{
    struct jet_host *h = inlet->ctx;

    rule(lane < HOST_LANES, "a lane that there is", lane, HOST_LANES);
    gate_lock(&h->gate);
    struct host_lane *l = &h->lane[lane];
    rule(run > 0 && run <= l->runs, "a run that there was", run, l->runs);
    if (l->run == run)
        return l;
    gate_unlock(&h->gate);
    return NULL;
}

static void leave(const struct parti_inlet *inlet)
{
    struct jet_host *h = inlet->ctx;

    gate_tell(&h->gate);
    gate_unlock(&h->gate);
}

static void on_begun(const struct parti_inlet *inlet, uint32_t lane, uint64_t run,
                     uint64_t origin, uint64_t from)
{
    struct host_lane *l = enter(inlet, lane, run);

    if (l == NULL)
        return;
    l->begun_n++;
    l->origin = origin;
    l->from = l->least = from;
    leave(inlet);
}

static void show_headers(const struct parti_consumer_message *m, char *to, size_t room)
{
    size_t at = 0;

    to[0] = '\0';
    for (uint64_t i = 0; i < m->header_name.n; i++) {
        uint64_t name_n = 0, value_n = 0;
        const char *name = parti_str(&m->header_name, i, &name_n);
        const char *value = parti_str(&m->header_value, i, &value_n);

        at += (size_t)snprintf(to + at, room - at, "%.*s=%.*s ", (int)name_n, name,
                               (int)value_n, value);
        rule(at < room, "few headers", at, room);
    }
}

static void take(struct host_lane *l, const struct parti_consumer_message *m)
{
    char text[32] = "";

    rule(l->n < HOST_MESSAGES, "few messages", l->n, HOST_MESSAGES);
    if (l->n == l->room) {
        l->room = l->room > 0 ? 2 * l->room : 16;
        l->position = realloc(l->position, l->room * sizeof *l->position);
        l->number = realloc(l->number, l->room * sizeof *l->number);
        rule(l->position != NULL && l->number != NULL, "memory", l->room, 0);
    }
    (void)memcpy(text, m->data, m->data_n < sizeof text - 1 ? m->data_n : 31);
    l->position[l->n] = m->position;
    l->number[l->n++] = (int)strtol(text, NULL, 10);
    (void)snprintf(l->subject, sizeof l->subject, "%s", m->subject);
    (void)snprintf(l->key, sizeof l->key, "%.*s", m->key != NULL ? (int)m->key_n : 6,
                   m->key != NULL ? m->key : "(none)");
    l->time_ms = m->time_ms;
    l->redelivered += m->redelivered != 0;
    show_headers(m, l->headers, sizeof l->headers);
}

static int32_t on_deliver(const struct parti_inlet *inlet, uint32_t lane, uint64_t run,
                          const struct parti_consumer_message *m, uint64_t n)
{
    struct jet_host *h = inlet->ctx;
    struct host_lane *l = enter(inlet, lane, run);
    uint64_t back = 0;

    if (l == NULL)
        return PARTI_CANCELED;
    rule(n <= l->credit, "credit", n, l->credit);
    rule(l->begun_n == 1, "begun() once, and first", (uint64_t)l->begun_n, run);
    if (h->refuses > 0) {
        h->refuses--;
        gate_unlock(&h->gate);
        return PARTI_NOMEM;
    }
    if (l->n == 0)
        l->first = h->taken + 1;
    h->taken += n;
    for (uint64_t i = 0; i < n; i++) {
        rule(m[i].position >= l->least, "positions ascend", m[i].position, l->least);
        l->least = m[i].position + 1;
        if (h->is_counting)
            l->n++;
        else
            take(l, &m[i]);
    }
    l->credit -= n;
    h->used[lane] += n;
    if (h->is_counting && h->used[lane] >= h->window / 2) {
        back = h->used[lane];
        h->used[lane] = 0;
        l->credit += back;
    }
    if (!h->is_counting || back > 0 || l->n >= h->target)
        gate_tell(&h->gate);
    gate_unlock(&h->gate);
    if (back > 0)
        CALL(h, h->consumer->credit(h->self, lane, back));
    return PARTI_OK;
}

static void on_buried(const struct parti_inlet *inlet, uint32_t lane, uint64_t run,
                      uint64_t position, int32_t code, const char *text)
{
    struct host_lane *l = enter(inlet, lane, run);

    if (l == NULL)
        return;
    l->buried_n++;
    l->buried_code = code;
    l->buried_position = position;
    (void)snprintf(l->buried_text, sizeof l->buried_text, "%s", text);
    leave(inlet);
}

static void on_trouble(const struct parti_inlet *inlet, uint32_t lane, uint64_t run,
                       int32_t code, const char *text)
{
    struct host_lane *l = enter(inlet, lane, run);

    if (l == NULL)
        return;
    l->code = code;
    if (code != PARTI_OK) {
        l->trouble = code;
        (void)snprintf(l->text, sizeof l->text, "%s", text);
    }
    leave(inlet);
}

/* ---- begin and end --------------------------------------------------------------- */

static const struct parti_consumer *load(struct jet_host *h, const char *plugin)
{
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s.so", plugins_dir(), plugin);
    /* As the host does: threads of nats.c leave its callbacks after they have said so. */
    h->library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    ck_assert_msg(h->library != NULL, "%s", dlerror());
    parti_plugin_entry entry = NULL;
    void *symbol = dlsym(h->library, "parti_plugin_v1");
    ck_assert_ptr_nonnull(symbol);
    memcpy(&entry, &symbol, sizeof entry);
    const struct parti_plugin *about = entry(&h->table);
    ck_assert_ptr_nonnull(about->extension);
    ck_assert_ptr_null(about->extension("parti.consumer/0"));
    return about->extension(PARTI_CONSUMER_ID);
}

void host_start(struct jet_host *h, const char *const pairs[])
{
    host_start_plugin(h, "jetstream", pairs);
}

void host_start_plugin(struct jet_host *h, const char *plugin, const char *const pairs[])
{
    for (uint32_t lane = 0; lane < HOST_LANES; lane++) {
        free(h->lane[lane].position);
        free(h->lane[lane].number);
    }
    memset(h, 0, sizeof *h);
    ck_assert_int_eq(gate_init(&h->gate), 0);
    ck_assert_int_eq(pthread_mutex_init(&h->calls, NULL), 0);
    h->table = (struct parti_host){.size = sizeof h->table,
                                   .abi_minor = PARTI_ABI_MINOR,
                                   .ctx = h,
                                   .version = "test",
                                   .log_on = on_log_on,
                                   .log = on_log,
                                   .changed = on_changed,
                                   .stop_wanted = on_stop_wanted,
                                   .extension = on_extension};
    h->inlet = (struct parti_inlet){.size = sizeof h->inlet,
                                    .ctx = h,
                                    .begun = on_begun,
                                    .deliver = on_deliver,
                                    .buried = on_buried,
                                    .trouble = on_trouble};
    h->conf = (struct parti_conf){.size = sizeof h->conf,
                                  .key = h->key,
                                  .value = h->value,
                                  .line = h->line,
                                  .file = "test.ini",
                                  .section = "consume"};
    for (; pairs[0] != NULL; pairs += 2) {
        ck_assert_uint_lt(h->conf.n, HOST_PAIRS);
        h->key[h->conf.n] = pairs[0];
        h->line[h->conf.n] = 10 + h->conf.n;
        h->value[h->conf.n++] = pairs[1];
    }
    h->error.size = sizeof h->error;
    h->consumer = load(h, plugin);
    ck_assert_ptr_nonnull(h->consumer);
    int32_t code =
        h->consumer->create(&h->self, &h->table, &h->conf, &h->inlet, &h->error);
    ck_assert_int_eq(code == PARTI_OK, h->self != NULL);
}

void host_finish(struct jet_host *h)
{
    h->consumer->destroy(h->self);
    gate_finish(&h->gate);
    (void)pthread_mutex_destroy(&h->calls);
    (void)dlclose(h->library);
}

/* ---- runs ------------------------------------------------------------------------ */

int32_t host_run(struct jet_host *h, uint32_t lane, const char *id, uint64_t gen,
                 uint64_t origin, uint64_t next, uint64_t credit)
{
    char keys[HOST_TEXT_ROOM];
    size_t n = strlen(id);

    ck_assert_uint_lt(n, sizeof keys);
    for (size_t i = 0; i < n; i++)
        keys[i] = id[i] == '/' ? '\0' : id[i];
    gate_lock(&h->gate);
    struct host_lane *l = &h->lane[lane];
    l->run = ++l->runs;
    l->credit = credit;
    l->begun_n = 0;
    l->code = l->trouble = PARTI_OK;
    l->text[0] = '\0';
    const struct parti_consumer_start start = {.size = sizeof start,
                                               .lane = lane,
                                               .run = l->run,
                                               .id = keys,
                                               .id_n = n,
                                               .token_gen = gen,
                                               .token_since = gen,
                                               .origin = origin,
                                               .next = next};
    gate_unlock(&h->gate);
    memset(h->error.text, 0, sizeof h->error.text);
    int32_t code;
    CALL(h, code = h->consumer->start(h->self, &start, &h->error));
    if (code == PARTI_OK && credit > 0)
        CALL(h, h->consumer->credit(h->self, lane, credit));
    return code;
}

void host_credit(struct jet_host *h, uint32_t lane, uint64_t n)
{
    gate_lock(&h->gate);
    h->lane[lane].credit += n;
    gate_unlock(&h->gate);
    CALL(h, h->consumer->credit(h->self, lane, n));
}

void host_done(struct jet_host *h, uint32_t lane, uint64_t next)
{
    CALL(h, h->consumer->done(h->self, lane, next));
}

void host_stop(struct jet_host *h, uint32_t lane, int is_last)
{
    gate_lock(&h->gate);
    h->lane[lane].run = 0;
    gate_unlock(&h->gate);
    CALL(h, h->consumer->stop(h->self, lane, (uint32_t)is_last));
}

void host_bury_message(struct jet_host *h, uint32_t lane,
                       const struct parti_consumer_message *m, const char *target)
{
    const uint64_t add_end = 12, why_end = 4;
    const struct parti_strs add = {"Parti-Reason", &add_end, 1};
    const struct parti_strs why = {"test", &why_end, 1};

    CALL(h, h->consumer->bury(h->self, lane, m, target, &add, &why));
}

void host_bury(struct jet_host *h, uint32_t lane, uint64_t position, const char *target,
               const char *text)
{
    const uint64_t name_end[] = {4, 29}, value_end[] = {3, 4};
    const struct parti_consumer_message m = {
        .size = sizeof m,
        .position = position,
        .subject = "p.0",
        .data = text,
        .data_n = strlen(text),
        .header_name = {"KindNats-Expected-Last-Msg-Id", name_end, 2},
        .header_value = {"oldx", value_end, 2}};

    host_bury_message(h, lane, &m, target);
}

/* ---- waiting --------------------------------------------------------------------- */

static void show(const struct jet_host *h, uint32_t lane, const char *what)
{
    const struct host_lane *l = &h->lane[lane];

    ck_abort_msg(
        "lane %u: %s did not come; %u messages, begun %d times, trouble %d '%s', "
        "buried %d '%s'",
        lane, what, l->n, l->begun_n, (int)l->code, l->text, l->buried_n, l->buried_text);
}

/* With the lock; unlocks. */
#define AWAIT(h, lane, what, condition)                     \
    do {                                                    \
        uint64_t deadline = threads_now_ms() + DEADLINE_MS; \
        gate_lock(&(h)->gate);                              \
        while (!(condition) && threads_now_ms() < deadline) \
            (void)gate_wait(&(h)->gate, deadline);          \
        int is_so = (condition);                            \
        gate_unlock(&(h)->gate);                            \
        if (!is_so)                                         \
            show((h), (lane), (what));                      \
    } while (0)

void host_await(struct jet_host *h, uint32_t lane, uint32_t n)
{
    AWAIT(h, lane, "a message", h->lane[lane].n >= n);
}

void host_await_begun(struct jet_host *h, uint32_t lane, int n)
{
    AWAIT(h, lane, "the beginning", h->lane[lane].begun_n >= n);
}

void host_await_trouble(struct jet_host *h, uint32_t lane, int32_t code, const char *text)
{
    AWAIT(h, lane, text,
          code == PARTI_OK ? h->lane[lane].code == PARTI_OK
                           : h->lane[lane].trouble == code &&
                                 strstr(h->lane[lane].text, text) != NULL);
}

void host_await_word(struct jet_host *h, uint32_t lane)
{
    AWAIT(h, lane, "a word",
          h->lane[lane].begun_n > 0 || h->lane[lane].trouble != PARTI_OK);
}

void host_await_buried(struct jet_host *h, uint32_t lane, int n)
{
    AWAIT(h, lane, "the word about a dead letter", h->lane[lane].buried_n >= n);
}

void host_expect(struct jet_host *h, uint32_t lane, uint32_t n, int first)
{
    const struct host_lane *l = &h->lane[lane];

    gate_lock(&h->gate);
    ck_assert_uint_eq(l->n, n);
    for (uint32_t i = 0; i < n; i++)
        ck_assert_int_eq(l->number[i], first + (int)i);
    gate_unlock(&h->gate);
}
