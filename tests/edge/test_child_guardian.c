/* The guardian: the command ends at the lease deadline, whatever becomes of parti. */
#include "config.h"

#include "bench.h"

#include "unit.h"

#include "base/status.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS CLOCK_NS_PER_MS

/* A command that never stops by itself, with a child in its group and one outside.  (tail
 * stops when nobody reads its output any more, so it gets none.) */
#define STUBBORN                                                    \
    "tail -f /dev/null >/dev/null & echo $!\n"                      \
    "setsid sh -c 'echo $$; exec tail -f /dev/null >/dev/null' &\n" \
    "echo up; exec tail -f /dev/null >/dev/null"

static struct bench bench;

/* In time: not before, and at most BENCH_LATE_MS after. */
static void is_on_time(uint64_t ended_ns, uint64_t deadline_ns)
{
    ck_assert_uint_ge(ended_ns, deadline_ns);
    ck_assert_msg(ended_ns - deadline_ns <= BENCH_LATE_MS * MS,
                  "%" PRIu64 " us after the deadline", (ended_ns - deadline_ns) / 1000);
}

static void start_stubborn(void)
{
    bench_start(&bench, STUBBORN, 0);
    bench_until_numbers(&bench, 2);
    bench_until_output(&bench, "up\n");
}

static void are_gone(void)
{
    ck_assert(bench_is_gone(child_pid(bench.child)));
    ck_assert(bench_is_gone(bench_number(&bench, 0)));
    ck_assert(bench_is_gone(bench_number(&bench, 1)));
}

START_TEST(all_of_it_dies_at_the_deadline)
{
    start_stubborn();
    uint64_t deadline_ns = clock_boot_ns() + 200 * MS;
    child_guard_lease(bench.guard, deadline_ns);
    child_arm(bench.child, true);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_EXPIRED);
    is_on_time(bench.ended_ns, deadline_ns);
    are_gone();
    bench_finish(&bench);
}
END_TEST

START_TEST(a_renewed_lease_keeps_it_alive)
{
    uint64_t deadline_ns = 0;

    start_stubborn();
    child_guard_lease(bench.guard, clock_boot_ns() + 200 * MS);
    child_arm(bench.child, true);
    /* Ten renewals of 100 ms each outlive every deadline but the last. */
    for (int i = 0; i < 10; i++) {
        uint64_t next_ms = clock_boot_ms() + 100;

        deadline_ns = clock_boot_ns() + 200 * MS;
        child_guard_lease(bench.guard, deadline_ns);
        while (clock_boot_ms() < next_ms) {
            bench_turn(&bench, false, (int)(next_ms - clock_boot_ms()) + 1);
            ck_assert(!bench.has_ended);
        }
    }
    bench_until_ended(&bench);
    is_on_time(bench.ended_ns, deadline_ns);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_lease_that_is_taken_back_ends_it_at_once)
{
    start_stubborn();
    child_guard_lease(bench.guard, clock_boot_ns() + 60 * CLOCK_NS_PER_S);
    child_arm(bench.child, true);
    uint64_t now_ns = clock_boot_ns();
    child_guard_lease(bench.guard, now_ns);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_EXPIRED);
    is_on_time(bench.ended_ns, now_ns);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_lease_without_limit_ends_nothing)
{
    bench_start(&bench, "read -r line; echo alive", 0);
    child_guard_lease(bench.guard, UINT64_MAX);
    child_arm(bench.child, true);
    bench_tell(&bench, "go\n");
    bench_until_ended(&bench);
    ck_assert_str_eq(bench.out, "alive\n");
    ck_assert_int_eq(bench.how, CHILD_EXITED);
    bench_finish(&bench);
}
END_TEST

/* Turns until the time has passed. */
static void pass(uint64_t until_ns)
{
    while (clock_boot_ns() <= until_ns)
        bench_turn(&bench, false, (int)((until_ns - clock_boot_ns()) / MS) + 1);
}

START_TEST(who_holds_nothing_has_no_deadline)
{
    uint64_t deadline_ns = clock_boot_ns() + 300 * MS;

    bench_start(&bench, "while read -r line; do echo \"$line\"; done", 0);
    child_guard_lease(bench.guard, deadline_ns);
    child_arm(bench.child, true);
    child_arm(bench.child, false);
    pass(deadline_ns + 2 * BENCH_LATE_MS * MS);
    bench_tell(&bench, "alive\n");
    bench_until_output(&bench, "alive\n");
    ck_assert(!bench.has_ended);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_fence_stands_whatever_lease_comes_after)
{
    start_stubborn();
    uint64_t deadline_ns = clock_boot_ns() + 200 * MS;
    child_guard_lease(bench.guard, deadline_ns);
    child_arm(bench.child, true);
    child_fence(bench.child, deadline_ns);
    child_guard_lease(bench.guard, deadline_ns + 60 * CLOCK_NS_PER_S);
    bench_until_ended(&bench);
    is_on_time(bench.ended_ns, deadline_ns);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_lease_renewed_too_late_does_not_save_it)
{
    start_stubborn();
    pid_t guardian = bench_guardian(&bench);
    uint64_t deadline_ns = clock_boot_ns() + 200 * MS;
    child_guard_lease(bench.guard, deadline_ns);
    child_arm(bench.child, true);
    /* Kept from looking at the deadline, the guardian finds out afterwards. */
    ck_assert_int_eq(kill(guardian, SIGSTOP), 0);
    pass(deadline_ns);
    child_guard_lease(bench.guard, clock_boot_ns() + 60 * CLOCK_NS_PER_S);
    ck_assert_int_eq(kill(guardian, SIGCONT), 0);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_EXPIRED);
    bench_finish(&bench);
}
END_TEST

START_TEST(the_next_run_starts_without_the_old_deadline)
{
    char text[256], cat[] = "cat", *argv[] = {cat, NULL};
    struct child_options options = {.argv = argv};
    struct child *child = NULL;

    ck_assert_int_eq(child_guard_create(&options.guard), 0);
    for (int run = 0; run < 3; run++) {
        struct pollfd fds[CHILD_FDS];

        ck_assert_int_eq(child_create(&child, &options, text, sizeof text), 0);
        child_fds(child, fds, true);
        /* The last one's deadline has passed; nothing ends this one. */
        ck_assert_int_eq(poll(fds, CHILD_FDS, 100), 0);
        child_guard_lease(options.guard, clock_boot_ns());
        child_arm(child, true);
        ck_assert_int_eq(poll(fds, CHILD_FDS, BENCH_WAIT_MS), 1);
        child_destroy(child);
    }
    child_guard_destroy(options.guard);
}
END_TEST

START_TEST(no_signal_but_kill_moves_the_guardian)
{
    static const int signals[] = {SIGTERM, SIGINT,  SIGHUP, SIGQUIT,
                                  SIGUSR1, SIGPIPE, SIGALRM};

    bench_start(&bench, "while read -r line; do echo \"$line\"; done", 0);
    pid_t guardian = bench_guardian(&bench);
    ck_assert_int_ne(getsid(guardian), getsid(0));
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        ck_assert_int_eq(kill(guardian, signals[i]), 0);
    bench_tell(&bench, "alive\n");
    bench_until_output(&bench, "alive\n");
    ck_assert_int_eq(bench_guardian(&bench), guardian);
    bench_finish(&bench);
}
END_TEST

START_TEST(the_command_dies_with_its_guardian)
{
    bench_start(&bench, "tail -f /dev/null & echo $!; exec tail -f /dev/null", 0);
    bench_until_numbers(&bench, 1);
    ck_assert_int_eq(kill(bench_guardian(&bench), SIGKILL), 0);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_UNGUARDED);
    ck_assert(bench_is_gone(child_pid(bench.child)));
    int other = pidfd_open(bench_number(&bench, 0), 0);
    if (other >= 0)
        (void)bench_end_of(other);
    bench_finish(&bench);
}
END_TEST

/* A number that is free may soon be somebody else's: kill() must come before that. */
START_TEST(what_a_killed_guardian_leaves_keeps_its_number_until_it_is_killed)
{
    siginfo_t info;

    bench_start(&bench, "tail -f /dev/null & echo $!; exec tail -f /dev/null", 0);
    bench_until_numbers(&bench, 1);
    pid_t command = child_pid(bench.child), guardian = bench_guardian(&bench),
          other = bench_number(&bench, 0);

    ck_assert_int_eq(kill(guardian, SIGKILL), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)guardian, &info, WEXITED | WNOWAIT), 0);
    /* The kernel has killed the command; the number stays taken as long as we like. */
    ck_assert_int_eq(waitid(P_PID, (id_t)command, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(info.si_status, SIGKILL);
    ck_assert_int_eq(getpgid(other), command);
    ck_assert(!bench_is_gone(other));
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_UNGUARDED);
    /* Its whole group is gone by the time that we hear of the end, and reaped. */
    ck_assert(bench_is_gone(other));
    ck_assert_int_eq(kill(-command, 0), -1);
    ck_assert_int_eq(errno, ESRCH);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_command_that_its_killed_guardian_has_reaped_is_gone)
{
    siginfo_t info;

    bench_start(&bench, "echo up; read -r line", 0);
    bench_until_output(&bench, "up\n");
    pid_t command = child_pid(bench.child), guardian = bench_guardian(&bench);

    ck_assert_int_eq(kill(guardian, SIGKILL), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)guardian, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(waitpid(command, NULL, 0), command); /* as a guardian would */
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_UNGUARDED);
    bench_finish(&bench);
}
END_TEST

/* Is it a child of this process (a dead one that waits to be collected, too)? */
static bool is_ours(pid_t pid)
{
    siginfo_t info;

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

START_TEST(what_left_the_group_of_a_killed_guardian_is_collected_and_nobody_else)
{
    siginfo_t info;

    bench_start(&bench, STUBBORN, 0);
    bench_until_numbers(&bench, 2);
    bench_until_output(&bench, "up\n");
    pid_t outside = bench_number(&bench, 1);
    pid_t own = fork(); /* like a server, or a strategy: in a group of its own */
    if (own == 0) {
        (void)setpgid(0, 0);
        _exit(7);
    }
    ck_assert_int_eq(waitid(P_PID, (id_t)own, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(kill(bench_guardian(&bench), SIGKILL), 0);
    child_reap_adopted(bench.child); /* too early for anything */
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_UNGUARDED);
    child_reap_adopted(bench.child);
    ck_assert(is_ours(outside)); /* it lives, adopted */
    ck_assert_int_eq(kill(outside, SIGKILL), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)outside, &info, WEXITED | WNOWAIT), 0);
    child_reap_adopted(bench.child);
    ck_assert(!is_ours(outside));
    ck_assert(is_ours(own));
    ck_assert_int_eq(waitid(P_PID, (id_t)own, &info, WEXITED), 0);
    ck_assert_int_eq(info.si_status, 7);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    bench_finish(&bench);
}
END_TEST

/* ---- a start that nobody can watch ------------------------------------------------ */

/* From now on pidfd_open() fails in this process, as without free descriptors. */
static int refuse_pidfds(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof code / sizeof *code, code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The command: as a set-user-id program it does not die with its guardian. */
static int outlive(void)
{
    if (prctl(PR_SET_PDEATHSIG, 0) != 0)
        return 1;
    for (;;)
        (void)pause();
}

START_TEST(a_command_that_cannot_be_watched_is_killed_and_not_waited_for_in_vain)
{
    char self[] = "/proc/self/exe", word[] = "outlive", text[256] = "";
    char *argv[] = {self, word, NULL};
    struct child_options options = {.argv = argv};
    struct child *child = NULL;
    int status;

    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        bool is_good = child_guard_create(&options.guard) == 0 && refuse_pidfds() == 0;

        (void)alarm(BENCH_WAIT_MS / 1000); /* it would wait for ever */
        status = is_good ? child_create(&child, &options, text, sizeof text) : 0;
        is_good = is_good && status == STATUS_IO && strstr(text, "watched") != NULL &&
                  waitpid(-1, NULL, WNOHANG) < 0;
        _exit(is_good ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- parti stopped, parti dead ---------------------------------------------------- */

/* In a process of its own that plays parti: tells the command's numbers and sits there.
 */
static void play_parti(int lease_ms, int to)
{
    uint64_t told[4] = {0};

    start_stubborn();
    if (lease_ms > 0) {
        told[0] = clock_boot_ns() + (uint64_t)lease_ms * MS;
        child_guard_lease(bench.guard, told[0]);
        child_arm(bench.child, true);
    }
    told[1] = (uint64_t)child_pid(bench.child);
    told[2] = (uint64_t)bench_number(&bench, 0);
    told[3] = (uint64_t)bench_number(&bench, 1);
    ck_assert_int_eq(write(to, told, sizeof told), sizeof told);
    for (;;)
        (void)pause();
}

/* Does this to "parti" while its command holds a lease of lease_ms; when the last of the
 * three ended, and the deadline. */
static uint64_t strike(int signal_number, int lease_ms, uint64_t *ret_deadline_ns)
{
    uint64_t told[4], ended_ns = 0;
    int fds[2], number[3], status;

    ck_assert_int_eq(pipe(fds), 0);
    pid_t parti = fork();
    ck_assert_int_ge(parti, 0);
    if (parti == 0)
        play_parti(lease_ms, fds[1]);
    ck_assert_int_eq(read(fds[0], told, sizeof told), sizeof told);
    for (int i = 0; i < 3; i++) {
        number[i] = pidfd_open((pid_t)told[i + 1], 0);
        ck_assert_int_ge(number[i], 0);
    }
    uint64_t struck_ns = clock_boot_ns();
    ck_assert_int_eq(kill(parti, signal_number), 0);
    for (int i = 0; i < 3; i++) {
        uint64_t end_ns = bench_end_of(number[i]);

        ck_assert_uint_ge(end_ns, told[0]); /* none before the deadline */
        ended_ns = end_ns > ended_ns ? end_ns : ended_ns;
        (void)close(number[i]);
    }
    (void)kill(parti, SIGKILL);
    ck_assert_int_eq(waitpid(parti, &status, 0), parti);
    (void)close(fds[0]);
    (void)close(fds[1]);
    *ret_deadline_ns = told[0] != 0 ? told[0] : struck_ns;
    return ended_ns;
}

START_TEST(a_stopped_parti_does_not_lengthen_the_lease)
{
    uint64_t deadline_ns;
    uint64_t ended_ns = strike(SIGSTOP, 300, &deadline_ns);

    is_on_time(ended_ns, deadline_ns);
}
END_TEST

START_TEST(a_killed_parti_does_not_lengthen_the_lease)
{
    uint64_t deadline_ns;
    uint64_t ended_ns = strike(SIGKILL, 300, &deadline_ns);

    is_on_time(ended_ns, deadline_ns);
}
END_TEST

START_TEST(without_a_lease_the_command_dies_with_parti_at_once)
{
    uint64_t struck_ns;
    uint64_t ended_ns = strike(SIGKILL, 0, &struck_ns);

    is_on_time(ended_ns, struck_ns);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {
        all_of_it_dies_at_the_deadline,
        a_renewed_lease_keeps_it_alive,
        a_lease_that_is_taken_back_ends_it_at_once,
        a_lease_without_limit_ends_nothing,
        who_holds_nothing_has_no_deadline,
        a_fence_stands_whatever_lease_comes_after,
        a_lease_renewed_too_late_does_not_save_it,
        the_next_run_starts_without_the_old_deadline,
        no_signal_but_kill_moves_the_guardian,
        the_command_dies_with_its_guardian,
        what_a_killed_guardian_leaves_keeps_its_number_until_it_is_killed,
        a_command_that_its_killed_guardian_has_reaped_is_gone,
        what_left_the_group_of_a_killed_guardian_is_collected_and_nobody_else,
        a_command_that_cannot_be_watched_is_killed_and_not_waited_for_in_vain,
        a_stopped_parti_does_not_lengthen_the_lease,
        a_killed_parti_does_not_lengthen_the_lease,
        without_a_lease_the_command_dies_with_parti_at_once,
    };

    if (argc > 1 && strcmp(argv[1], "outlive") == 0)
        return outlive();
    if (argc > 1 && strcmp(argv[1], "guardian") == 0)
        return child_guardian(argc - 1, argv + 1);
    return unit_run("child_guardian", tests, sizeof tests / sizeof *tests);
}
