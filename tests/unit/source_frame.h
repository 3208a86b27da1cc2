/* A set of sources under test and what it tells. */
#ifndef PARTI_TESTS_SOURCE_FRAME_H
#define PARTI_TESTS_SOURCE_FRAME_H

#include "base/errors.h"
#include "base/partid.h"
#include "base/status.h"
#include "host/source.h"

#include "runner.h"

enum { SOURCES = 3, RESULTS = 64 };

/* Results as they came. */
struct box {
    struct gate gate;
    uint32_t n;
    struct source_result result[RESULTS];
    char text[RESULTS][1024];
};

static inline void on_done(void *ctx, const struct source_result *r)
{
    struct box *box = ctx;

    gate_lock(&box->gate);
    if (box->n < RESULTS) {
        box->result[box->n] = *r;
        (void)snprintf(box->text[box->n], sizeof box->text[0], "%s", r->text);
        if (r->status == STATUS_OK)
            (void)listing_ref(r->listing);
        box->n++;
    }
    gate_tell(&box->gate);
    gate_unlock(&box->gate);
}

struct fixture {
    struct section section[SOURCES];
    struct conf_plugin conf[SOURCES];
    size_t n;
    struct sources_setup setup;
    struct sources *sources;
    struct box box;
    char number[16];
};

static inline void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    ck_assert_int_eq(gate_init(&f->box.gate), 0);
    f->setup = (struct sources_setup){.source = f->conf,
                                      .plugin_dir = test_plugins_dir(),
                                      .budget_ms = 5000,
                                      .done = on_done,
                                      .ctx = &f->box};
}

/* A puppet of that kind of section ("source", "source:b"); partitions may be NULL. */
static inline struct section *fixture_add(struct fixture *f, const char *kind,
                                          const char *behave, const char *partitions)
{
    struct section *s = &f->section[f->n++];

    section_init(s, kind, "puppet");
    section_set(s, "behave", behave);
    if (partitions != NULL)
        section_set(s, "partitions", partitions);
    return s;
}

static inline int try_create(struct fixture *f)
{
    for (size_t i = 0; i < f->n; i++)
        f->conf[i] = f->section[i].conf;
    f->setup.source_n = f->n;
    return sources_create(&f->setup, &f->section[0].errors, &f->sources);
}

static inline void fixture_create(struct fixture *f)
{
    int status = try_create(f);

    if (status != STATUS_OK)
        conf_errors_print(&f->section[0].errors, stderr);
    ck_assert_int_eq(status, STATUS_OK);
}

static inline void fixture_finish(struct fixture *f)
{
    sources_destroy(f->sources);
    for (uint32_t i = 0; i < f->box.n; i++)
        listing_unref(f->box.result[i].status == STATUS_OK ? f->box.result[i].listing
                                                           : NULL);
    gate_finish(&f->box.gate);
    for (size_t i = 0; i < f->n; i++)
        section_finish(&f->section[i]);
}

static inline const struct source_result *await(struct fixture *f, uint32_t n)
{
    struct box *box = &f->box;
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;

    gate_lock(&box->gate);
    while (box->n < n && threads_now_ms() < deadline)
        (void)gate_wait(&box->gate, deadline);
    ck_assert_uint_ge(box->n, n);
    gate_unlock(&box->gate);
    return &box->result[n - 1];
}

static inline const struct source_result *ask(struct fixture *f, bool commanded)
{
    uint32_t before = f->box.n;

    sources_ask(f->sources, commanded);
    const struct source_result *r = await(f, before + 1);
    ck_assert(r->asked);
    ck_assert(r->commanded == commanded);
    return r;
}

/* The whole listing as "a/1 b/2 ...". */
static inline void lists(const struct source_result *r, const char *expected)
{
    char all[1024] = "";
    size_t n = 0;

    ck_assert_msg(r->status == STATUS_OK, "%s", r->text);
    for (uint32_t i = 0; i < r->listing->n; i++) {
        char shown[PARTID_TEXT_ROOM];

        (void)partid_encode(r->listing->id[i], shown, sizeof shown);
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i > 0 ? " " : "", shown);
    }
    ck_assert_str_eq(all, expected);
}

#endif
