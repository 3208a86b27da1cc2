#include "config.h"

#include "crew.h"

#include "base/must.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CASE_S = 120 };

/* What the processes share. */
struct board {
    atomic_uint next; /* the case that nobody has taken yet */
    atomic_uint checks, failures, errors;
};

struct crew {
    const TTest *const *tests;
    unsigned n, loops;
    struct board *board;
};

static void tell(const char *test, int loop, TestResult *result)
{
    (void)fprintf(stderr, "%s:%d:%s:%s:%d: %s\n", tr_lfile(result), tr_lno(result),
                  tr_rtype(result) == CK_ERROR ? "E" : "F", test, loop, tr_msg(result));
}

static void run_case(const struct crew *c, unsigned which)
{
    const TTest *test = c->tests[which / c->loops];
    int loop = (int)(which % c->loops);
    Suite *suite = suite_create(test->name);
    TCase *tcase = tcase_create(test->name);

    tcase_set_timeout(tcase, CASE_S);
    tcase_add_loop_test(tcase, test, loop, loop + 1);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_SILENT);
    TestResult **result = srunner_results(runner);
    for (int i = 0; i < srunner_ntests_run(runner); i++) {
        (void)atomic_fetch_add(&c->board->checks, 1);
        if (tr_rtype(result[i]) == CK_PASS)
            continue;
        (void)atomic_fetch_add(
            tr_rtype(result[i]) == CK_ERROR ? &c->board->errors : &c->board->failures, 1);
        tell(test->name, loop, result[i]);
    }
    free(result);
    srunner_free(runner);
}

static void work(const struct crew *c)
{
    unsigned which;

    while ((which = atomic_fetch_add(&c->board->next, 1)) < c->n * c->loops)
        run_case(c, which);
}

static pid_t hire(const struct crew *c)
{
    pid_t parent = getpid(), pid;

    (void)fflush(NULL);
    pid = fork();
    must(pid >= 0);
    if (pid > 0)
        return pid;
    must(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0);
    if (getppid() == parent)
        work(c);
    (void)fflush(NULL);
    _exit(EXIT_SUCCESS);
}

static bool is_silent(void)
{
    const char *word = getenv("CK_VERBOSITY");

    return word != NULL && strcmp(word, "silent") == 0;
}

static unsigned hands(unsigned cases)
{
    const char *fork_word = getenv("CK_FORK"), *word = getenv("CREW");
    long n = word != NULL ? strtol(word, NULL, 10) : CREW_USUAL;

    if (fork_word != NULL && strcmp(fork_word, "no") == 0)
        n = 1;
    n = n < 1 ? 1 : n > CREW_MAX ? CREW_MAX : n;
    return cases < (unsigned)n ? cases : (unsigned)n;
}

int crew_run(const char *name, const TTest *const *tests, size_t n, int loops)
{
    struct crew c = {tests, (unsigned)n, (unsigned)loops, NULL};
    unsigned all = c.n * c.loops, hired = hands(all), lost = 0;
    pid_t pid[CREW_MAX];

    must(all > 0);
    c.board = mmap(NULL, sizeof *c.board, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(c.board != MAP_FAILED);
    if (!is_silent())
        (void)printf("Running suite(s): %s, %u at a time\n", name, hired);
    if (hired == 1)
        work(&c);
    for (unsigned i = 0; hired > 1 && i < hired; i++)
        pid[i] = hire(&c);
    for (unsigned i = 0; hired > 1 && i < hired; i++) {
        int status = 0;

        must(waitpid(pid[i], &status, 0) == pid[i]);
        lost += !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS;
    }
    /* A case that nobody came back from is an error like any other. */
    unsigned failures = atomic_load(&c.board->failures);
    unsigned ran = atomic_load(&c.board->checks);
    unsigned errors = atomic_load(&c.board->errors) + (all - ran);
    (void)munmap(c.board, sizeof *c.board);
    if (lost > 0 || ran != all)
        (void)printf("%u of %u processes are lost, %u cases did not end\n", lost, hired,
                     all - ran);
    if (!is_silent())
        (void)printf("%u%%: Checks: %u, Failures: %u, Errors: %u\n",
                     (all - failures - errors) * 100 / all, all, failures, errors);
    return failures + errors + lost == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
