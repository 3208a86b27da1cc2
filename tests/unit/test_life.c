/* core/proto/life: the public states, and the one table of legal moves. */
#include "proto/life.h"

#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATES = LIFE_SHUTDOWN + 1 };

/* The diagram of life.h in letters: row from, column to, in the order of the enum. */
static const char diagram[STATES][STATES + 1] = {
    /*                 ICEWSCRXDZ */
    [LIFE_INIT] = /*        */ ".C.......Z", [LIFE_CLAIMING_ID] = /* */ "..E.....DZ",
    [LIFE_ELECTION] = /*    */ "...W....DZ", [LIFE_WAITING_ASSIGNMENT] = "..E.S...DZ",
    [LIFE_STABLE] = /*      */ ".C...CRXDZ", [LIFE_SCALING] = /*     */ ".C..S.RXDZ",
    [LIFE_REBALANCING] = /* */ ".C..S..XDZ", [LIFE_EMERGENCY] = /*   */ ".C..S...DZ",
    [LIFE_DEGRADED] = /*    */ ".CEWSCRX.Z", [LIFE_SHUTDOWN] = /*    */ "..........",
};

START_TEST(moves_are_those_of_the_diagram)
{
    for (int from = 0; from < STATES; from++)
        for (int to = 0; to < STATES; to++)
            ck_assert_msg(life_is_legal((enum life_state)from, (enum life_state)to) ==
                              (diagram[from][to] != '.'),
                          "%s -> %s", life_name((enum life_state)from),
                          life_name((enum life_state)to));
}
END_TEST

START_TEST(shutdown_is_the_end_and_can_be_reached_from_everywhere)
{
    for (int state = 0; state < STATES; state++) {
        ck_assert(!life_is_legal(LIFE_SHUTDOWN, (enum life_state)state));
        if (state != LIFE_SHUTDOWN)
            ck_assert(life_is_legal((enum life_state)state, LIFE_SHUTDOWN));
    }
}
END_TEST

START_TEST(init_is_never_entered_again)
{
    for (int state = 0; state < STATES; state++)
        ck_assert(!life_is_legal((enum life_state)state, LIFE_INIT));
}
END_TEST

START_TEST(every_state_is_reached_by_legal_moves_alone)
{
    for (int first = LIFE_INIT; first < LIFE_SHUTDOWN; first++) {
        for (int to = LIFE_CLAIMING_ID; to < STATES; to++) {
            enum life_state at = (enum life_state)first;
            int moves = 0;

            while (at != (enum life_state)to) {
                enum life_state next = life_towards(at, (enum life_state)to);

                ck_assert_msg(life_is_legal(at, next), "%s -> %s", life_name(at),
                              life_name(next));
                at = next;
                ck_assert_int_le(++moves, STATES);
            }
            if (first != to && life_is_legal((enum life_state)first, (enum life_state)to))
                ck_assert_int_eq(moves, 1);
        }
    }
}
END_TEST

START_TEST(a_worker_that_missed_a_phase_goes_through_stable)
{
    ck_assert_int_eq(life_towards(LIFE_EMERGENCY, LIFE_REBALANCING), LIFE_STABLE);
    ck_assert_int_eq(life_towards(LIFE_REBALANCING, LIFE_SCALING), LIFE_STABLE);
    ck_assert_int_eq(life_towards(LIFE_INIT, LIFE_STABLE), LIFE_CLAIMING_ID);
    ck_assert_int_eq(life_towards(LIFE_DEGRADED, LIFE_EMERGENCY), LIFE_EMERGENCY);
}
END_TEST

/* Asks in a process of its own for a way that no legal move begins; what it says. */
static void ask_for_no_way(enum life_state from, enum life_state to, char *text,
                           size_t room)
{
    int out[2], status;
    size_t n = 0;
    ssize_t got;

    ck_assert_int_eq(pipe(out), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        (void)dup2(out[1], STDERR_FILENO);
        (void)life_towards(from, to);
        _exit(0); /* it must not come here */
    }
    (void)close(out[1]);
    while ((got = read(out[0], text + n, room - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    (void)close(out[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s -> %s: %d",
                  life_name(from), life_name(to), status);
}

START_TEST(an_illegal_move_ends_the_process_and_says_so)
{
    char text[512];

    for (int to = LIFE_INIT; to < LIFE_SHUTDOWN; to++) {
        ask_for_no_way(LIFE_SHUTDOWN, (enum life_state)to, text, sizeof text);
        ck_assert_msg(strstr(text, "a legal way exists") != NULL &&
                          strstr(text, "life.c") != NULL,
                      "%s", text);
    }
    ask_for_no_way(LIFE_DEGRADED, LIFE_INIT, text, sizeof text);
    ck_assert_msg(strstr(text, "a legal way exists") != NULL, "%s", text);
}
END_TEST

/* All names up to 'last' are told and differ; the one after is not known. */
static void names_differ(const char *(*name_of)(int), int last)
{
    for (int i = 0; i <= last; i++) {
        ck_assert_str_ne(name_of(i), "?");
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(name_of(i), name_of(k));
    }
    ck_assert_str_eq(name_of(last + 1), "?");
}

static const char *life_at(int i)
{
    return life_name((enum life_state)i);
}

static const char *phase_at(int i)
{
    return phase_name((enum phase)i);
}

static const char *cause_at(int i)
{
    return cause_name((enum cause)i);
}

static const char *member_at(int i)
{
    return member_state_name((enum member_state)i);
}

START_TEST(names_are_those_of_the_contract_and_all_differ)
{
    /* Names of causes and members stand in the log: a change breaks old records. */
    static const char *const cause[] = {"cold_start", "scale",   "leave",
                                        "emergency",  "restart", "refresh",
                                        "join",       "release", "drop"};

    names_differ(life_at, LIFE_SHUTDOWN);
    names_differ(phase_at, PHASE_EMERGENCY);
    names_differ(cause_at, CAUSE_DROP);
    names_differ(member_at, MEMBER_AWAY);
    for (int i = 0; i <= CAUSE_DROP; i++)
        ck_assert_str_eq(cause_at(i), cause[i]);
    ck_assert_str_eq(member_at(MEMBER_ACTIVE), "active");
    ck_assert_str_eq(member_at(MEMBER_DRAINING), "draining");
    ck_assert_str_eq(member_at(MEMBER_AWAY), "away");
    ck_assert_str_eq(life_at(LIFE_CLAIMING_ID), "ClaimingID");
    ck_assert_str_eq(life_at(LIFE_WAITING_ASSIGNMENT), "WaitingAssignment");
}
END_TEST

UNIT_MAIN("life", moves_are_those_of_the_diagram,
          shutdown_is_the_end_and_can_be_reached_from_everywhere,
          init_is_never_entered_again, every_state_is_reached_by_legal_moves_alone,
          a_worker_that_missed_a_phase_goes_through_stable,
          an_illegal_move_ends_the_process_and_says_so,
          names_are_those_of_the_contract_and_all_differ)
