/* core/host/strategy: a strategy on its thread or in its process, well or badly behaved.
 *
 * The world of these tests: P partitions "p" NUL "000".. of weight 100, W workers with
 * numbers 0.., everything held before by worker i modulo W unless said otherwise.
 */
#include "base/errors.h"
#include "base/status.h"
#include "host/strategy.h"
#include "host/strategy_engine.h"

#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { PARTS = 12, WORKERS = 3, RESULTS = 16 };

struct question {
    struct plan_request request;
    char key[PARTS][8];
    struct bytes id[PARTS];
    uint32_t weight[PARTS], prev[PARTS];
    struct plan_worker worker[WORKERS];
    uint32_t prev_to_now[WORKERS + 1];
};

static void question_init(struct question *q, uint64_t plan)
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

static void on_done(void *ctx, const struct plan_result *r)
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

static void box_wait(struct box *box, uint32_t n)
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

static void fixture_init(struct fixture *f, const char *behave)
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

static void fixture_number(struct fixture *f, size_t at, const char *key, int value)
{
    (void)snprintf(f->number[at], sizeof f->number[at], "%d", value);
    section_set(&f->section, key, f->number[at]);
}

static void fixture_create(struct fixture *f)
{
    int status = strategy_create(&f->setup, &f->section.errors, &f->strategy);

    if (status != STATUS_OK)
        conf_errors_print(&f->section.errors, stderr);
    ck_assert_int_eq(status, STATUS_OK);
}

/* One plan and its answer. */
static const struct plan_result *ask(struct fixture *f, uint64_t plan)
{
    uint32_t before = f->box.n;

    f->question.request.plan = plan;
    f->question.request.stamp.epoch = plan;
    ck_assert_int_eq(strategy_submit(f->strategy, &f->question.request), STATUS_OK);
    box_wait(&f->box, before + 1);
    ck_assert_uint_eq(f->box.result[before].plan, plan);
    return &f->box.result[before];
}

static void fixture_finish(struct fixture *f)
{
    strategy_destroy(f->strategy);
    gate_finish(&f->box.gate);
    section_finish(&f->section);
}

/* ---- on a thread ---------------------------------------------------------------------
 */

START_TEST(a_plan_is_answered_and_counted_by_the_host)
{
    struct fixture f;

    fixture_init(&f, "check");
    fixture_create(&f);
    ck_assert_str_eq(strategy_name(f.strategy), "puppet");
    const struct plan_result *r = ask(&f, 1);
    ck_assert_msg(r->status == STATUS_OK, "%s", f.box.text[0]);
    ck_assert(!r->keep);
    for (uint32_t i = 0; i < PARTS; i++)
        ck_assert_uint_eq(f.box.owner[0][i], i % WORKERS);
    ck_assert_uint_eq(r->moved, 0);
    ck_assert_uint_eq(r->moved_least, 0);
    ck_assert_double_eq(r->max_over_mean, 1.0);
    fixture_finish(&f);
}
END_TEST

START_TEST(owners_are_told_in_the_order_of_the_request)
{
    struct fixture f;

    fixture_init(&f, "check");
    fixture_create(&f);
    /* The request names its workers in another order than their numbers'. */
    f.question.worker[0].num = 5;
    f.question.worker[1].num = 3;
    f.question.worker[2].num = 4;
    ck_assert_int_eq(ask(&f, 1)->status, STATUS_OK);
    for (uint32_t i = 0; i < PARTS; i++) {
        static const uint32_t by_number[] = {1, 2, 0};

        ck_assert_uint_eq(f.box.owner[0][i], by_number[i % WORKERS]);
    }
    ck_assert_uint_eq(f.box.result[0].moved, PARTS);
    fixture_finish(&f);
}
END_TEST

START_TEST(keep_leaves_every_partition_where_it_is)
{
    struct fixture f;

    fixture_init(&f, "keep");
    fixture_create(&f);
    const struct plan_result *r = ask(&f, 1);
    ck_assert_int_eq(r->status, STATUS_OK);
    ck_assert(r->keep);
    for (uint32_t i = 0; i < PARTS; i++)
        ck_assert_uint_eq(f.box.owner[0][i], i % WORKERS);
    /* With an orphan it is no answer, but no fault either. */
    f.question.prev[4] = WORKERS;
    r = ask(&f, 2);
    ck_assert_int_eq(r->status, STATUS_INVALID);
    ck_assert(!r->is_shut_off);
    ck_assert_says(f.box.text[1], "PARTI-E220");
    ck_assert_says(f.box.text[1], "1 partitions have no worker");
    f.question.prev[4] = 1;
    ck_assert_int_eq(ask(&f, 3)->status, STATUS_OK);
    fixture_finish(&f);
}
END_TEST

/* A fault that may pass: failed, and asked again. */
static void fails_but_stays(const char *behave, int status, const char *text)
{
    struct fixture f;

    fixture_init(&f, behave);
    fixture_create(&f);
    for (uint32_t plan = 1; plan <= 2; plan++) {
        const struct plan_result *r = ask(&f, plan);

        ck_assert_int_eq(r->status, status);
        ck_assert(!r->is_shut_off);
        ck_assert_int_eq(r->code, ERR_STRATEGY_FAILED);
        ck_assert_says(f.box.text[plan - 1], text);
    }
    fixture_finish(&f);
}

START_TEST(retry_and_nomem_fail_and_may_be_tried_again)
{
    struct fixture f;

    fails_but_stays("retry", STATUS_IO, "(RETRY): not today");
    fails_but_stays("nomem", STATUS_NOMEM, "(NOMEM): it gave no reason");
    fixture_init(&f, "retry_once");
    fixture_create(&f);
    ck_assert_int_eq(ask(&f, 1)->status, STATUS_IO);
    ck_assert_int_eq(ask(&f, 2)->status, STATUS_OK);
    fixture_finish(&f);
}
END_TEST

/* A broken rule: shut off, and every later plan gets the sentence of the first. */
static void is_shut_off(const char *behave, const char *text, bool with_draining)
{
    struct fixture f;

    fixture_init(&f, behave);
    fixture_create(&f);
    f.question.worker[0].is_draining = with_draining;
    for (uint32_t plan = 1; plan <= 3; plan++) {
        const struct plan_result *r = ask(&f, plan);

        ck_assert_int_eq(r->status, STATUS_BUG);
        ck_assert_int_eq(r->code, ERR_STRATEGY_BROKEN);
        ck_assert(r->is_shut_off);
        ck_assert_says(f.box.text[plan - 1], "PARTI-E222 strategy puppet");
        ck_assert_says(f.box.text[plan - 1], text);
        ck_assert_str_eq(f.box.text[0], f.box.text[plan - 1]);
    }
    fixture_finish(&f);
}

START_TEST(a_broken_rule_shuts_the_strategy_off)
{
    is_shut_off("bug", "answered BUG (7): I am broken", false);
    is_shut_off("unknown", "answered an unknown code (4711)", false);
    is_shut_off("range", "partition 11 to worker 8, but there are only 3", false);
    is_shut_off("skip", "left partition 0 without an owner", false);
    is_shut_off("to_first", "partition 0 to worker 0, which is draining", true);
}
END_TEST

START_TEST(a_strategy_without_a_choice_is_not_asked)
{
    struct fixture f;

    fixture_init(&f, "bug");
    fixture_create(&f);
    for (uint32_t i = 0; i < WORKERS; i++)
        f.question.worker[i].is_draining = true;
    ck_assert_int_eq(ask(&f, 1)->code, ERR_STRATEGY_NOBODY);
    f.question.request.worker_n = 0;
    for (uint32_t i = 0; i <= WORKERS; i++)
        f.question.prev_to_now[i] = 0;
    ck_assert_int_eq(ask(&f, 2)->code, ERR_STRATEGY_NOBODY);
    ck_assert(!f.box.result[1].is_shut_off);
    fixture_finish(&f);
}
END_TEST

START_TEST(stop_wanted_says_yes_at_the_time_limit)
{
    struct fixture f;

    fixture_init(&f, "obey_once");
    f.section.conf.time_limit_ms = 50;
    fixture_create(&f);
    const struct plan_result *r = ask(&f, 1);
    ck_assert_int_eq(r->status, STATUS_TIMEOUT);
    ck_assert_int_eq(r->code, ERR_STRATEGY_TIMEOUT);
    ck_assert(!r->is_shut_off);
    ck_assert_uint_ge(r->took_us, 50000);
    ck_assert_uint_lt(r->took_us, 50000 + ENGINE_GRACE_MS * 1000);
    ck_assert_int_eq(ask(&f, 2)->status, STATUS_OK);
    fixture_finish(&f);
}
END_TEST

START_TEST(a_call_that_does_not_return_shuts_the_strategy_off)
{
    struct fixture f;
    int gate[2], told[2];
    char byte;

    ck_assert_int_eq(pipe(gate), 0);
    ck_assert_int_eq(pipe(told), 0);
    fixture_init(&f, "hang");
    fixture_number(&f, 0, "gate", gate[0]);
    fixture_number(&f, 1, "told", told[1]);
    f.section.conf.time_limit_ms = 20;
    fixture_create(&f);
    const struct plan_result *r = ask(&f, 1);
    ck_assert_int_eq(r->status, STATUS_TIMEOUT);
    ck_assert(r->is_shut_off);
    ck_assert_says(f.box.text[0],
                   "PARTI-E221 strategy puppet did not return within 20 ms");
    ck_assert_int_eq(ask(&f, 2)->code, ERR_STRATEGY_TIMEOUT);
    ck_assert_str_eq(f.box.text[0], f.box.text[1]);
    fixture_finish(&f);
    /* The call comes back after all: its thread destroys the instance by itself. */
    ck_assert_int_eq(write(gate[1], "x", 1), 1);
    ck_assert_int_eq(read(told[0], &byte, 1), 1);
}
END_TEST

START_TEST(a_new_plan_takes_the_place_of_one_that_is_computed)
{
    struct fixture f;
    int told[2];
    char byte;

    ck_assert_int_eq(pipe(told), 0);
    fixture_init(&f, "obey_once");
    fixture_number(&f, 0, "told", told[1]);
    f.section.conf.time_limit_ms = 10 * DEADLINE_MS;
    fixture_create(&f);
    ck_assert_int_eq(strategy_submit(f.strategy, &f.question.request), STATUS_OK);
    ck_assert_int_eq(read(told[0], &byte, 1), 1); /* plan 1 is being computed */
    for (f.question.request.plan = 2; f.question.request.plan <= 4;
         f.question.request.plan++)
        ck_assert_int_eq(strategy_submit(f.strategy, &f.question.request), STATUS_OK);
    box_wait(&f.box, 4);
    ck_assert_uint_eq(f.box.result[0].plan, 1);
    ck_assert_int_eq(f.box.result[0].status, STATUS_CANCELED);
    for (uint32_t i = 1; i < 4; i++)
        ck_assert_uint_eq(f.box.result[i].plan, i + 1);
    ck_assert_int_eq(f.box.result[3].status, STATUS_OK);
    fixture_finish(&f);
}
END_TEST

START_TEST(ending_does_not_wait_for_the_plugin)
{
    struct fixture f;
    uint64_t start;

    fixture_init(&f, "hang");
    f.section.conf.time_limit_ms = 600000;
    fixture_create(&f);
    ck_assert_int_eq(strategy_submit(f.strategy, &f.question.request), STATUS_OK);
    start = threads_now_ms();
    strategy_destroy(f.strategy);
    ck_assert_uint_lt(threads_now_ms() - start, 2 * ENGINE_GRACE_MS + 2000);
    f.strategy = NULL;
    fixture_finish(&f);
}
END_TEST

START_TEST(a_section_that_does_not_please_is_told_with_its_line)
{
    struct fixture f;

    fixture_init(&f, "badconf");
    ck_assert_int_eq(strategy_create(&f.setup, &f.section.errors, &f.strategy),
                     STATUS_INVALID);
    section_says(&f.section, 12, "strategy puppet: the value 'badconf' does not please");
    fixture_finish(&f);

    fixture_init(&f, "nostart");
    ck_assert_int_ne(strategy_create(&f.setup, &f.section.errors, &f.strategy), 0);
    section_says(&f.section, 11, "PARTI-E210 strategy puppet cannot start (RETRY)");
    fixture_finish(&f);

    fixture_init(&f, "well");
    f.section.conf.plugin = "nothing_there";
    ck_assert_int_eq(strategy_create(&f.setup, &f.section.errors, &f.strategy),
                     STATUS_NOTFOUND);
    section_says(&f.section, 11, "PARTI-E201");
    fixture_finish(&f);
}
END_TEST

START_TEST(one_plan_can_be_waited_for)
{
    struct fixture f;
    struct plan_answer answer;

    fixture_init(&f, "well");
    ck_assert_int_eq(
        strategy_plan_once(&f.setup, &f.question.request, &f.section.errors, &answer),
        STATUS_OK);
    ck_assert_int_eq(answer.result.status, STATUS_OK);
    ck_assert_uint_eq(answer.result.owner[4], 1);
    plan_answer_finish(&answer);
    fixture_finish(&f);

    fixture_init(&f, "bug");
    ck_assert_int_eq(
        strategy_plan_once(&f.setup, &f.question.request, &f.section.errors, &answer),
        STATUS_OK);
    ck_assert_int_eq(answer.result.status, STATUS_BUG);
    ck_assert_says(answer.text, "I am broken");
    plan_answer_finish(&answer);
    fixture_finish(&f);
}
END_TEST

/* ---- in a process --------------------------------------------------------------------
 */

static void isolated_init(struct fixture *f, const char *behave, uint64_t limit_ms)
{
    fixture_init(f, behave);
    f->section.conf.isolation = CONF_ISOLATION_PROCESS;
    f->section.conf.time_limit_ms = limit_ms;
    fixture_create(f);
}

START_TEST(a_process_answers_like_a_thread)
{
    struct fixture f;

    isolated_init(&f, "check", 5000);
    for (uint32_t plan = 1; plan <= 3; plan++) {
        const struct plan_result *r = ask(&f, plan);

        ck_assert_msg(r->status == STATUS_OK, "%s", f.box.text[plan - 1]);
        for (uint32_t i = 0; i < PARTS; i++)
            ck_assert_uint_eq(f.box.owner[plan - 1][i], i % WORKERS);
    }
    fixture_finish(&f);

    isolated_init(&f, "keep", 5000);
    ck_assert(ask(&f, 1)->keep);
    fixture_finish(&f);
}
END_TEST

START_TEST(no_process_is_left_behind)
{
    struct fixture f;

    isolated_init(&f, "well", 5000);
    ck_assert_int_eq(ask(&f, 1)->status, STATUS_OK);
    fixture_finish(&f);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(a_broken_rule_in_a_process_shuts_off_at_once)
{
    struct fixture f;

    isolated_init(&f, "range", 5000);
    ck_assert_int_eq(ask(&f, 1)->code, ERR_STRATEGY_BROKEN);
    ck_assert(f.box.result[0].is_shut_off);
    fixture_finish(&f);

    isolated_init(&f, "retry", 5000);
    ck_assert_int_eq(ask(&f, 1)->status, STATUS_IO);
    ck_assert(!f.box.result[0].is_shut_off);
    ck_assert_says(f.box.text[0], "not today");
    fixture_finish(&f);
}
END_TEST

/* Three deaths in a row are the end; each is told with what happened. */
static void dies(const char *behave, uint64_t limit_ms, int code, const char *text)
{
    struct fixture f;

    isolated_init(&f, behave, limit_ms);
    for (uint32_t plan = 1; plan <= ENGINE_CRASHES_MAX + 1; plan++) {
        const struct plan_result *r = ask(&f, plan);

        ck_assert_int_eq(r->code, code);
        ck_assert_msg(r->is_shut_off == (plan >= ENGINE_CRASHES_MAX), "%s",
                      f.box.text[plan - 1]);
        ck_assert_says(f.box.text[plan - 1], text);
    }
    fixture_finish(&f);
}

START_TEST(a_crash_hurts_only_the_process)
{
    dies("crash", 5000, ERR_STRATEGY_CRASHED, "its process was killed by SIGABRT");
    dies("exit", 5000, ERR_STRATEGY_CRASHED, "its process ended with status 3");
}
END_TEST

START_TEST(a_process_that_does_not_answer_is_killed)
{
    dies("hang", 20, ERR_STRATEGY_TIMEOUT, "its process was killed");
    dies("spin", 20, ERR_STRATEGY_TIMEOUT, "its process was killed");
}
END_TEST

START_TEST(after_a_crash_a_new_process_answers)
{
    struct fixture f;

    isolated_init(&f, "crash_once", 5000);
    ck_assert_int_eq(ask(&f, 1)->code, ERR_STRATEGY_CRASHED);
    ck_assert_int_eq(ask(&f, 2)->status, STATUS_OK);
    ck_assert_int_eq(ask(&f, 3)->status, STATUS_OK);
    ck_assert_int_eq(ask(&f, 1)->code, ERR_STRATEGY_CRASHED);
    ck_assert_says(f.box.text[3], "(1 of 3 failures in a row");
    fixture_finish(&f);
}
END_TEST

START_TEST(a_process_may_not_devour_the_memory)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    /* Sanitizers need the address space: there the helper sets no such limit. */
#else
    struct fixture f;

    isolated_init(&f, "devour", 20000);
    const struct plan_result *r = ask(&f, 1);
    ck_assert_int_eq(r->code, ERR_STRATEGY_CRASHED);
    ck_assert_says(f.box.text[0], "SIGSEGV");
    fixture_finish(&f);
#endif
}
END_TEST

START_TEST(a_new_plan_does_not_wait_for_a_process)
{
    struct fixture f;

    isolated_init(&f, "hang_once", 600000);
    ck_assert_int_eq(strategy_submit(f.strategy, &f.question.request), STATUS_OK);
    f.question.request.plan = 2;
    ck_assert_int_eq(strategy_submit(f.strategy, &f.question.request), STATUS_OK);
    strategy_destroy(f.strategy); /* at once, whichever of them was running */
    f.strategy = NULL;
    fixture_finish(&f);
}
END_TEST

START_TEST(a_missing_helper_is_told)
{
    struct fixture f;

    fixture_init(&f, "well");
    f.section.conf.isolation = CONF_ISOLATION_PROCESS;
    f.setup.host_program = "/nonexistent/parti-plugin-host";
    ck_assert_int_ne(strategy_create(&f.setup, &f.section.errors, &f.strategy), 0);
    section_says(&f.section, 11,
                 "/nonexistent/parti-plugin-host cannot be started: No such file");
    fixture_finish(&f);

    fixture_init(&f, "badconf");
    f.section.conf.isolation = CONF_ISOLATION_PROCESS;
    ck_assert_int_eq(strategy_create(&f.setup, &f.section.errors, &f.strategy),
                     STATUS_INVALID);
    section_says(&f.section, 12, "the value 'badconf' does not please");
    fixture_finish(&f);
}
END_TEST

UNIT_MAIN("strategy_runner", a_plan_is_answered_and_counted_by_the_host,
          owners_are_told_in_the_order_of_the_request,
          keep_leaves_every_partition_where_it_is,
          retry_and_nomem_fail_and_may_be_tried_again,
          a_broken_rule_shuts_the_strategy_off, a_strategy_without_a_choice_is_not_asked,
          stop_wanted_says_yes_at_the_time_limit,
          a_call_that_does_not_return_shuts_the_strategy_off,
          a_new_plan_takes_the_place_of_one_that_is_computed,
          ending_does_not_wait_for_the_plugin,
          a_section_that_does_not_please_is_told_with_its_line,
          one_plan_can_be_waited_for, a_process_answers_like_a_thread,
          no_process_is_left_behind, a_broken_rule_in_a_process_shuts_off_at_once,
          a_crash_hurts_only_the_process, a_process_that_does_not_answer_is_killed,
          after_a_crash_a_new_process_answers, a_process_may_not_devour_the_memory,
          a_new_plan_does_not_wait_for_a_process, a_missing_helper_is_told)
