/* core/host/strategy: a strategy in a process of its own, well or badly behaved. */
#include "strategy_frame.h"

#include <errno.h>
#include <sys/wait.h>

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

UNIT_MAIN("strategy_child", a_process_answers_like_a_thread, no_process_is_left_behind,
          a_broken_rule_in_a_process_shuts_off_at_once, a_crash_hurts_only_the_process,
          a_process_that_does_not_answer_is_killed, after_a_crash_a_new_process_answers,
          a_process_may_not_devour_the_memory, a_new_plan_does_not_wait_for_a_process,
          a_missing_helper_is_told)
