/* core/host/strategy: a strategy on its thread, well or badly behaved. */
#include "strategy_frame.h"

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

/* One of tests/plugins/evil_*, which takes no options of ours. */
static void evil(const char *plugin, int code, bool is_shut_off_by_it, const char *text)
{
    struct fixture f;

    fixture_init(&f, "");
    f.section.conf.plugin = plugin;
    f.section.conf.section.raw_n = 0;
    f.section.conf.time_limit_ms = 20;
    for (uint32_t i = 0; i < PARTS; i++)
        f.question.prev[i] = WORKERS;
    fixture_create(&f);
    for (uint32_t plan = 1; plan <= 2; plan++) {
        const struct plan_result *r = ask(&f, plan);

        ck_assert_int_eq(r->code, code);
        ck_assert(r->is_shut_off == is_shut_off_by_it);
        ck_assert_says(f.box.text[plan - 1], text);
    }
    fixture_finish(&f);
}

START_TEST(evil_strategies_are_found_out)
{
    evil("evil_code", ERR_STRATEGY_BROKEN, true, "an unknown code (4711): xxxx");
    evil("evil_owner_range", ERR_STRATEGY_BROKEN, true, "there are only 3");
    evil("evil_skip", ERR_STRATEGY_BROKEN, true, "left partition 6 without an owner");
    evil("evil_keep_on_cold", ERR_STRATEGY_FAILED, false, "12 partitions have no worker");
    evil("evil_slow", ERR_STRATEGY_TIMEOUT, true, "did not return within 20 ms");
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
          one_plan_can_be_waited_for, evil_strategies_are_found_out)
