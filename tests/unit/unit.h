/* The frame of every Check program here: unit_run("name", tests, count) is its main. */
#ifndef PARTI_TESTS_UNIT_H
#define PARTI_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

/* With something to do before and after each test; both may be NULL. */
static inline int unit_run_with(const char *name, const TTest *const *tests, size_t n,
                                void (*setup)(void), void (*teardown)(void))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < n; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline int unit_run(const char *name, const TTest *const *tests, size_t n)
{
    return unit_run_with(name, tests, n, NULL, NULL);
}

#define UNIT_MAIN(name, ...)                                        \
    int main(void)                                                  \
    {                                                               \
        const TTest *const tests[] = {__VA_ARGS__};                 \
        return unit_run(name, tests, sizeof tests / sizeof *tests); \
    }

#define UNIT_MAIN_WITH(name, setup, teardown, ...)                             \
    int main(void)                                                             \
    {                                                                          \
        const TTest *const tests[] = {__VA_ARGS__};                            \
        return unit_run_with(name, tests, sizeof tests / sizeof *tests, setup, \
                             teardown);                                        \
    }

#endif
