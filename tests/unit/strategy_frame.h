/* A strategy under test, its questions and its answers.
 *
 * The world: PARTS partitions "p" NUL "000".. of weight 100, WORKERS workers with numbers
 * 0.., everything held before by worker i modulo WORKERS unless said otherwise.
 */
#ifndef PARTI_TESTS_STRATEGY_FRAME_H
#define PARTI_TESTS_STRATEGY_FRAME_H

#include "base/errors.h"
#include "base/status.h"
#include "host/strategy.h"
#include "host/strategy_engine.h"

#include "runner.h"

enum { PARTS = 12, WORKERS = 3, RESULTS = 16 };

struct question {
    struct plan_request request;
    char key[PARTS][8];
    struct bytes id[PARTS];
    uint32_t weight[PARTS], prev[PARTS];
    struct plan_worker worker[WORKERS];
    uint32_t prev_to_now[WORKERS + 1];
};

static inline void question_init(struct question *q, uint64_t plan)
{
    static const char *const name[] = {"w-0", "w-1", "w-2"};

    memset(q, 0, sizeof *q);
    for (uint32_t i = 0; i < PARTS; i++) {
        (void)snprintf(q->key[i], sizeof q->key[i], "p.%03u", (unsigned)i);
        q->key[i][1] = '\0';
        q->id[i] = (struct bytes){q->key[i], 5};
        q->weight[i] = 100;
        q->prev[i] = i % WORKERS;
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        q->worker[i] =
            (struct plan_worker){.id = name[i], .num = i, .capacity = 100, .zone = ""};
        q->prev_to_now[i] = i;
    }
    q->prev_to_now[WORKERS] = WORKERS;
    q->request = (struct plan_request){
        .plan = plan,
        .cause = CAUSE_SCALE,
        .stamp = {1, plan},
        .part_n = PARTS,
        .part_id = q->id,
        .part_weight = q->weight,
        .part_prev = q->prev,
        .worker_n = WORKERS,
        .worker = q->worker,
        .prev_n = WORKERS,
        .prev_to_now = q->prev_to_now,
    };
}

/* Answers as they came, texts and owners copied. */
struct box {
    struct gate gate;
    uint32_t n;
    struct plan_result result[RESULTS];
    uint32_t owner[RESULTS][PARTS];
    char text[RESULTS][STRATEGY_TEXT_ROOM];
};

static inline void on_done(void *ctx, const struct plan_result *r)
{
    struct box *box = ctx;

    gate_lock(&box->gate);
    ck_assert_uint_lt(box->n, RESULTS);
    box->result[box->n] = *r;
    (void)snprintf(box->text[box->n], STRATEGY_TEXT_ROOM, "%s", r->text);
    if (r->status == STATUS_OK) {
        ck_assert_uint_eq(r->n, PARTS);
        memcpy(box->owner[box->n], r->owner, sizeof box->owner[0]);
    }
    box->n++;
    gate_tell(&box->gate);
    gate_unlock(&box->gate);
}

static inline void box_wait(struct box *box, uint32_t n)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;

    gate_lock(&box->gate);
    while (box->n < n && threads_now_ms() < deadline)
        (void)gate_wait(&box->gate, deadline);
    ck_assert_uint_ge(box->n, n);
    gate_unlock(&box->gate);
}

struct fixture {
    struct section section;
    struct strategy_setup setup;
    struct strategy *strategy;
    struct box box;
    struct question question;
    char program[4096];
    char number[2][16];
};

static inline void fixture_init(struct fixture *f, const char *behave)
{
    memset(f, 0, sizeof *f);
    section_init(&f->section, "strategy", "puppet");
    section_set(&f->section, "behave", behave);
    build_path(f->program, "parti-plugin-host");
    ck_assert_int_eq(gate_init(&f->box.gate), 0);
    f->setup = (struct strategy_setup){
        .conf = &f->section.conf,
        .plugin_dir = test_plugins_dir(),
        .host_program = f->program,
        .policy = {.seed = 7},
        .done = on_done,
        .ctx = &f->box,
    };
    question_init(&f->question, 1);
}

static inline void fixture_number(struct fixture *f, size_t at, const char *key,
                                  int value)
{
    (void)snprintf(f->number[at], sizeof f->number[at], "%d", value);
    section_set(&f->section, key, f->number[at]);
}

static inline void fixture_create(struct fixture *f)
{
    int status = strategy_create(&f->setup, &f->section.errors, &f->strategy);

    if (status != STATUS_OK)
        conf_errors_print(&f->section.errors, stderr);
    ck_assert_int_eq(status, STATUS_OK);
}

/* One plan and its answer. */
static inline const struct plan_result *ask(struct fixture *f, uint64_t plan)
{
    uint32_t before = f->box.n;

    f->question.request.plan = plan;
    f->question.request.stamp.epoch = plan;
    ck_assert_int_eq(strategy_submit(f->strategy, &f->question.request), STATUS_OK);
    box_wait(&f->box, before + 1);
    ck_assert_uint_eq(f->box.result[before].plan, plan);
    return &f->box.result[before];
}

static inline void fixture_finish(struct fixture *f)
{
    strategy_destroy(f->strategy);
    gate_finish(&f->box.gate);
    section_finish(&f->section);
}

#endif
