#include "field.h"

#include "crew.h"

#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct field field;

static void lock(void)
{
    must(pthread_mutex_lock(&field.lock) == 0);
}

static void unlock(void)
{
    must(pthread_cond_broadcast(&field.changed) == 0);
    must(pthread_mutex_unlock(&field.lock) == 0);
}

void field_begin(int program)
{
    pthread_condattr_t attr;

    field = (struct field){.entries = 0};
    must(pthread_mutex_init(&field.lock, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&field.changed, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    server_start(&field.server,
                 &(struct server_options){.program = rig_program(program)});
    make_dir(field.dir);
}

void field_end(void)
{
    for (int i = 0; i < field.apps; i++)
        field_drop(field.app[i]);
    server_finish(&field.server);
    remove_tree(field.dir);
    free(field.entry);
    must(pthread_cond_destroy(&field.changed) == 0);
    must(pthread_mutex_destroy(&field.lock) == 0);
}

/* ---- files ------------------------------------------------------------------------- */

static void path_of(const char *name, char path[1024])
{
    format(path, 1024, "%s/%s", field.dir, name);
}

static void append(const char *name, const char *mode, const char *text)
{
    char path[1024];

    path_of(name, path);
    FILE *to = fopen(path, mode);
    ck_assert_ptr_nonnull(to);
    ck_assert_int_ge(fputs(text, to), 0);
    ck_assert_int_eq(fclose(to), 0);
}

void field_write(const char *name, const char *text)
{
    append(name, "we", text);
}

void field_put_line(int part, const char *line)
{
    char name[64], text[8192];

    format(name, sizeof name, "q.p.%d", part);
    format(text, sizeof text, "%s\n", line);
    append(name, "ae", text);
}

void field_put(int part, int from, int n)
{
    char name[64], *text = malloc((size_t)n * 12 + 1), *at = text;

    ck_assert_ptr_nonnull(text);
    format(name, sizeof name, "q.p.%d", part);
    for (int i = from; i < from + n; i++)
        at += snprintf(at, 12, "%d\n", i);
    *at = '\0';
    append(name, "ae", text);
    free(text);
}

const char *field_file(const char *name)
{
    static char text[1 << 20];
    char path[1024];

    path_of(name, path);
    FILE *in = fopen(path, "re");
    text[0] = '\0';
    if (in == NULL)
        return text;
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    (void)fclose(in);
    return text;
}

const char *field_conf(int parts, const char *more)
{
    static char path[1024];
    const char *build = getenv("PARTI_BUILDDIR");
    char text[4096];

    ck_assert_ptr_nonnull(build);
    format(text, sizeof text,
           "[parti]\ngroup = g\nplugin_dir = %s/plugins/.libs\n"
           "[nats]\nurl = %s\n"
           "[strategy]\nplugin = round_robin\n"
           "[source]\nplugin = static\npartitions = p/0..%d\n"
           "[timing]\nprofile = fast\n%s"
           "[consume]\nplugin = %s/tests/plugins/.libs/broker.so\ndir = %s\n%s",
           build, field.server.url, parts - 1, field.timing != NULL ? field.timing : "",
           build, field.dir, more);
    field_write("parti.ini", text);
    path_of("parti.ini", path);
    return path;
}

/* ---- the application --------------------------------------------------------------- */

static int part_of(const struct parti_partition *p)
{
    ck_assert_int_eq(strncmp(p->id, "p/", 2), 0);
    return (int)strtol(p->id + 2, NULL, 10);
}

static void on_message(void *ctx, const struct parti_message *m)
{
    struct field_app *app = ctx;

    lock();
    if (field.entries == field.room) {
        field.room = field.room > 0 ? 2 * field.room : 1024;
        field.entry = realloc(field.entry, field.room * sizeof *field.entry);
        must(field.entry != NULL);
    }
    size_t i = field.entries++;
    field.entry[i] = (struct field_entry){.app = app->number,
                                          .part = part_of(m->partition),
                                          .position = m->position,
                                          .attempt = m->attempt,
                                          .token = m->partition->token,
                                          .ticket = m->ticket,
                                          .begin_ns = clock_boot_ns()};
    (void)snprintf(field.entry[i].data, FIELD_TEXT, "%.*s", (int)m->data_n, m->data);
    unlock();
    if (app->handle != NULL)
        app->handle(app, m);
    else
        parti_ack(app->worker, m->ticket);
    lock();
    field.entry[i].end_ns = clock_boot_ns();
    unlock();
}

void field_keep(struct field_app *app, const struct parti_message *m)
{
    struct field_copy *c = &field.copy;
    size_t n = 0;

    lock();
    *c = (struct field_copy){
        .data_n = m->data_n, .time_ms = m->time_ms, .attempt = m->attempt};
    format(c->id, sizeof c->id, "%s", m->partition->id);
    format(c->subject, sizeof c->subject, "%s", m->subject);
    format(c->key, sizeof c->key, "%s", m->key != NULL ? m->key : "(none)");
    for (uint32_t i = 0; i < m->header_n; i++)
        n += (size_t)snprintf(c->headers + n, sizeof c->headers - n, "%s=%s;",
                              m->header[i].name, m->header[i].value);
    must(m->data_n <= sizeof c->data);
    memcpy(c->data, m->data, m->data_n);
    unlock();
    parti_ack(app->worker, m->ticket);
}

static void on_settled(void *ctx, const struct parti_partition *p, uint64_t next)
{
    struct field_app *app = ctx;

    lock();
    app->settled[part_of(p)] = next;
    unlock();
}

static void on_assigned(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n)
{
    struct field_app *app = ctx;

    (void)epoch;
    (void)p;
    lock();
    app->assigned += n;
    unlock();
}

static void on_revoking(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n, uint64_t deadline_ms)
{
    struct field_app *app = ctx;

    (void)p;
    (void)deadline_ms;
    lock();
    app->revoking += n;
    app->revoke_epoch = epoch;
    bool keeps = app->keeps;
    unlock();
    if (!keeps)
        parti_released(app->worker, epoch);
}

static void on_released(void *ctx, uint64_t epoch, const struct parti_partition *p,
                        size_t n)
{
    struct field_app *app = ctx;

    (void)epoch;
    (void)p;
    lock();
    app->released += n;
    unlock();
}

static void on_error(void *ctx, int code, const char *text)
{
    struct field_app *app = ctx;

    lock();
    (void)fprintf(stderr, "app %d: PARTI-E%d %s\n", app->number, code, text);
    if (app->errors < (int)(sizeof app->error / sizeof app->error[0])) {
        struct field_error *e = &app->error[app->errors++];

        e->code = code;
        (void)snprintf(e->text, sizeof e->text, "%s", text);
    }
    unlock();
}

static void on_fenced(void *ctx, const char *reason, uint64_t deadline_ns)
{
    struct field_app *app = ctx;

    (void)deadline_ns;
    lock();
    (void)fprintf(stderr, "app %d: fenced: %s\n", app->number, reason);
    app->is_fenced = true;
    unlock();
}

struct field_app *field_start(const char *conf, field_handler handle, void *ctx)
{
    struct field_app *app = calloc(1, sizeof *app);
    const struct parti_callbacks callbacks = {.size = sizeof callbacks,
                                              .ctx = app,
                                              .assigned = on_assigned,
                                              .revoking = on_revoking,
                                              .released = on_released,
                                              .fenced = on_fenced,
                                              .error = on_error,
                                              .message = on_message,
                                              .settled = on_settled};
    const struct parti_options options = {
        .size = sizeof options, .config = conf, .callbacks = &callbacks};
    char text[2048] = "";

    ck_assert_ptr_nonnull(app);
    must(field.apps < FIELD_APPS);
    app->field = &field;
    app->number = field.apps;
    app->handle = handle;
    app->ctx = ctx;
    ck_assert_msg(parti_create(&app->worker, &options, text, sizeof text) == 0, "%s",
                  text);
    field.app[field.apps++] = app;
    return app;
}

void field_drop(struct field_app *app)
{
    if (app == NULL)
        return;
    parti_destroy(app->worker);
    field.app[app->number] = NULL;
    free(app);
}

void field_leave(struct field_app *app)
{
    parti_stop(app->worker, 0);
    ck_assert_int_eq(parti_wait(app->worker, PARTI_SHUTDOWN, FIELD_MS), 0);
    field_drop(app);
}

/* ---- waiting ----------------------------------------------------------------------- */

void field_await(bool (*is_it)(void *ctx), void *ctx, const char *what)
{
    struct timespec until = clock_after_ms(FIELD_MS);
    int failed = 0;

    must(pthread_mutex_lock(&field.lock) == 0);
    while (!is_it(ctx) && failed == 0)
        failed = pthread_cond_timedwait(&field.changed, &field.lock, &until);
    must(pthread_mutex_unlock(&field.lock) == 0);
    ck_assert_msg(failed == 0, "%s: it does not come (%zu calls)", what, field.entries);
}

static bool has_calls(void *ctx)
{
    size_t n = 0;

    for (size_t i = 0; i < field.entries; i++)
        n += field.entry[i].end_ns != 0;
    return n >= *(const size_t *)ctx;
}

void field_await_calls(size_t n)
{
    field_await(has_calls, &n, "calls of handlers");
}

struct wanted {
    const struct field_app *app;
    int part, code;
    uint64_t next;
    size_t n;
};

static bool is_settled(void *ctx)
{
    const struct wanted *w = ctx;

    return w->app->settled[w->part] >= w->next;
}

void field_await_settled(const struct field_app *app, int part, uint64_t next)
{
    field_await(is_settled, &(struct wanted){.app = app, .part = part, .next = next},
                "a settled position");
}

static bool has_error(void *ctx)
{
    const struct wanted *w = ctx;

    for (int i = 0; i < w->app->errors; i++)
        if (w->app->error[i].code == w->code)
            return true;
    return false;
}

const char *field_await_error(const struct field_app *app, int code)
{
    int i = 0;

    field_await(has_error, &(struct wanted){.app = app, .code = code}, "an error");
    while (app->error[i].code != code)
        i++;
    return app->error[i].text;
}

static bool is_assigned(void *ctx)
{
    const struct wanted *w = ctx;

    return w->app->assigned >= w->n;
}

void field_await_assigned(const struct field_app *app, size_t n)
{
    field_await(is_assigned, &(struct wanted){.app = app, .n = n}, "an assignment");
}

static bool is_revoking(void *ctx)
{
    const struct wanted *w = ctx;

    return w->app->revoking >= w->n;
}

void field_await_revoking(const struct field_app *app, size_t n)
{
    field_await(is_revoking, &(struct wanted){.app = app, .n = n}, "a revoke");
}

static bool is_fenced(void *ctx)
{
    const struct wanted *w = ctx;

    return w->app->is_fenced;
}

void field_await_fenced(const struct field_app *app)
{
    field_await(is_fenced, &(struct wanted){.app = app}, "a fence");
}

static bool has_entries(void *ctx)
{
    return field.entries >= *(const size_t *)ctx;
}

void field_await_entries(size_t n)
{
    field_await(has_entries, &n, "a call of the handler");
}

static bool has_last(void *ctx)
{
    const struct wanted *w = ctx;

    for (size_t i = field.entries; i-- > 0;) {
        const struct field_entry *e = &field.entry[i];

        if (e->part == w->part && e->end_ns != 0)
            return strtol(e->data, NULL, 10) == w->code;
    }
    return false;
}

void field_await_last(int part, int number)
{
    field_await(has_last, &(struct wanted){.part = part, .code = number},
                "the last message");
}

/* ---- judging ----------------------------------------------------------------------- */

void field_check_order(int parts, int n)
{
    int *next = calloc((size_t)parts, sizeof *next);
    uint64_t *end_ns = calloc((size_t)parts, sizeof *end_ns);

    ck_assert(next != NULL && end_ns != NULL);
    for (size_t i = 0; i < field.entries; i++) {
        const struct field_entry *e = &field.entry[i];

        ck_assert_int_lt(e->part, parts);
        ck_assert_msg(e->begin_ns >= end_ns[e->part], "p/%d: two calls at once", e->part);
        end_ns[e->part] = e->end_ns != 0 ? e->end_ns : UINT64_MAX;
        ck_assert_msg(strtol(e->data, NULL, 10) == next[e->part],
                      "p/%d: '%s' comes where %d must", e->part, e->data, next[e->part]);
        next[e->part]++;
    }
    for (int p = 0; p < parts; p++)
        ck_assert_msg(next[p] == n, "p/%d: %d of %d messages", p, next[p], n);
    free(next);
    free(end_ns);
}

/* ---- the frame --------------------------------------------------------------------- */

int field_run(const char *name, const TTest *const *tests, size_t n)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 120);
    for (size_t i = 0; i < n; i++)
        tcase_add_loop_test(tcase, tests[i], 0, 1);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int field_crew(const char *name, const TTest *const *tests, size_t n)
{
    return crew_run(name, tests, n, 1);
}
