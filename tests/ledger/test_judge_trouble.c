/* The judge of the ledger, of messages that are not done: doctored ledgers again. */
#include "config.h"

#include "judge_rig.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Attempts of 10 ms each, back to back: "h0 n1 h1" is one by which 0 is handled, one by
 * which 1 is naked, and one by which it is handled; x: naked at every attempt, t: termed,
 * s: silent.  Behind a '/' is the stretch, if it is known.  They begin at 'at_ms'; when
 * the last ends. */
static uint64_t attempts(int worker, uint64_t at_ms, const char *script)
{
    static const struct {
        char letter;
        enum ledger_kind kind;
    } kinds[] = {{'h', LEDGER_HANDLED},
                 {'n', LEDGER_NAKED},
                 {'x', LEDGER_HOPELESS},
                 {'t', LEDGER_TERMED},
                 {'s', LEDGER_SILENT}};
    char *end;

    for (const char *at = script; *at != '\0'; at = *end == ' ' ? end + 1 : end) {
        struct ledger_row *row =
            rig_handle(worker, (uint32_t)strtoul(at + 1, &end, 10), at_ms);

        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (kinds[i].letter == *at)
                row->kind = (uint16_t)kinds[i].kind;
        if (*end == '/')
            row->stretch = (uint32_t)strtoul(end + 1, &end, 10);
        at_ms += 10;
    }
    return at_ms;
}

struct trouble {
    uint32_t deliver_max;
    const char *first, *second; /* of w1, and then w2 */
    bool is_released;           /* by w1, in order */
    const char *dead;
    size_t fault; /* the figure that is not 0; 0: it holds */
};

#define FAULT(name) offsetof(struct verdict, name)

/* Six numbers. */
static void look_at(const struct trouble *c)
{
    rig_clear();
    rig.produced = "6\n";
    rig.deliver_max = c->deliver_max;
    rig.dead = c->dead;
    uint64_t at_ms = attempts(1, 1000, c->first);
    if (c->is_released)
        (void)rig_note(1, LEDGER_RELEASED, at_ms + 1);
    (void)attempts(2, at_ms + 10, c->second);
    bool holds = rig_judge();
    ck_assert_msg(holds == (c->fault == 0), "deliver_max %u: %s | %s", c->deliver_max,
                  c->first, c->second);
    if (c->fault > 0) {
        uint64_t n;

        memcpy(&n, (const char *)&rig.verdict + c->fault, sizeof n);
        ck_assert_msg(n > 0, "another fault: %s | %s", c->first, c->second);
    }
}

static void look_at_all(const struct trouble *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        look_at(&c[i]);
}

#define LOOK_AT_ALL(cases) look_at_all(cases, sizeof(cases) / sizeof *(cases))

START_TEST(what_was_not_done_comes_again_and_nothing_before_it)
{
    static const struct trouble cases[] = {
        {1, "h0 n1 h1 h2 h3 h4 h5", "", false, "", 0},
        {1, "h0 s1 n1 h1 h2 h3 h4 h5", "", false, "", 0},
        {1, "h0 n1", "h1 h2 h3 h4 h5", true, "", 0},
        {1, "h0 n1", "h0 n1 h1 h2 h3 h4 h5", false, "", 0},
        {1, "h0 n1 h2 h3 h4 h5", "", false, "", FAULT(ahead)},
        {1, "h0 n1 h2 h1 h2 h3 h4 h5", "", false, "", FAULT(ahead)},
        {1, "h0 s1 h2 h3 h4 h5", "", false, "", FAULT(lost)},
        {1, "h0 n1", "h2 h3 h4 h5", true, "", FAULT(lost)},
        {1, "h0 n1", "h2 h3 h4 h5 h1", true, "", FAULT(out_of_order)},
        {1, "h0 n1 h0 h1 h2 h3 h4 h5", "", false, "", FAULT(out_of_holder)},
        {1, "h0 h1 h1 h2 h3 h4 h5", "", false, "", FAULT(out_of_holder)},
        {1, "h0 h1", "h1 h2 h3 h4 h5", true, "", FAULT(after_release)},
    };

    LOOK_AT_ALL(cases);
}
END_TEST

START_TEST(what_is_dead_has_a_letter_and_nothing_else_has)
{
    static const struct trouble cases[] = {
        {1, "h0 t1 h2 h3 h4 h5", "", false, "0 1\n", 0},
        {1, "x0 x0 x0 h1 h2 h3 h4 x5 x5", "", false, "0 0\n0 5\n", 0},
        {1, "h0 x1", "x1 x1 h2 h3 h4 h5", false, "0 1\n", 0},
        {1, "h0 t1 h2 h3 h4 h5", "", false, "", FAULT(unburied)},
        {1, "h0 x1 x1 h2 h3 h4 h5", "", false, "", FAULT(lost)},
        {1, "h0 h1 h2 h3 h4 h5", "", false, "0 1\n", FAULT(dead_wrongly)},
        {1, "h0 n1 h1 h2 h3 h4 h5", "", false, "0 1\n", FAULT(dead_wrongly)},
        {1, "h0 n1 h2 h3 h4 h5", "", false, "0 1\n", FAULT(dead_wrongly)},
        {1, "h0 t1", "h1 h2 h3 h4 h5", false, "0 1\n", FAULT(dead_wrongly)},
        {1, "h0 t1", "t1 h2 h3 h4 h5", false, "0 1\n0 1\n", 0}, /* w1 died */
        {1, "h0 t1", "t1 h2 h3 h4 h5", true, "0 1\n0 1\n", FAULT(after_release)},
        {1, "h0 t1", "h2 h3 h4 h5", true, "0 1\n0 1\n", FAULT(dead_again)},
        {1, "h0 t1 h2 h3 h4 h5", "", false, "0 1\n0 1\n", FAULT(dead_again)},
        {1, "h0 t1 t1 h2 h3 h4 h5", "", false, "0 1\n", FAULT(out_of_holder)},
    };

    LOOK_AT_ALL(cases);
}
END_TEST

START_TEST(what_is_handled_behind_it_is_void_within_deliver_max)
{
    static const struct trouble cases[] = {
        {3, "h0 n1 h2 h3 h1 h2 h3 h4 h5", "", false, "", 0},
        {3, "h0 n1 h2 h3 h4 h1 h2 h3 h4 h5", "", false, "", FAULT(ahead)},
        {3, "h0 n1 h2 h3 h4 h5", "", false, "", FAULT(ahead)},
        {3, "h0 n1 h2 h3", "h1 h2 h3 h4 h5", true, "", 0},
        {3, "h0 n1 h2 h3", "h2 h3 h4 h5", false, "", FAULT(lost)},
        {3, "h0 n1 h2 h3", "h4 h5", false, "", FAULT(lost)},
        {3, "h0 n1 h2 h3 h2 h3 h4 h5", "", false, "", FAULT(out_of_holder)},
        {3, "h0 t1 h2 h3 h2 h3 h4 h5", "", false, "0 1\n", 0},
        {3, "h0 t1 h2 h3 h4 h5", "", false, "0 1\n", 0}, /* it had nothing of them then */
        {3, "h0 t1 h2", "h2 h3 h4 h5", true, "0 1\n", 0},
        {3, "h0 t1 n2 h3 n2 h3 h2 h3 h4 h5", "", false, "0 1\n", 0},
        {3, "h0 h1 h2 h1 h2 h3 h4 h5", "", false, "", FAULT(out_of_holder)},
        /* A term behind a nak counts for nothing, either. */
        {3, "h0 n1 t2 h1 h2 h3 h4 h5", "", false, "", 0},
        {3, "h0 n1 t2 h1 h2 h3 h4 h5", "", false, "0 2\n", FAULT(dead_wrongly)},
    };

    LOOK_AT_ALL(cases);
    look_at(&cases[0]);
    ck_assert_uint_eq(rig.verdict.voided, 2);
}
END_TEST

START_TEST(a_stretch_that_is_known_leaves_no_doubt)
{
    static const struct trouble cases[] = {
        {3, "h0/1 t1/1 h2/1 h3/1 h2/2 h3/2 h4/2 h5/2", "", false, "0 1\n", 0},
        {3, "h0/1 t1/1 h2/1 h3/2 h4/2 h5/2", "", false, "0 1\n", FAULT(ahead)},
        {3, "h0/1 t1/1 h2/2 h3/2 h2/3 h3/3 h4/3 h5/3", "", false, "0 1\n",
         FAULT(out_of_holder)},
        {3, "h0/1 n1/1 h2/1 h3/2 h1/3 h2/3 h3/3 h4/3 h5/3", "", false, "", FAULT(ahead)},
        {3, "h0/1 t1/1 s2/1 h2/2 h3/2 h4/2 h5/2", "", false, "0 1\n", 0},
        {1, "h0/1 t1/1 s2/2 h2/3 h3/3 h4/3 h5/3", "", false, "0 1\n", 0},
        {3, "h0/1 t1/1 h2/1", "h2/1 h3/1 h4/1 h5/1", true, "0 1\n", 0},
        {3, "h0/1 t1/1 h2/2", "h2/1 h3/1 h4/1 h5/1", true, "0 1\n", FAULT(after_release)},
        {3, "h0/1 t1/1 h2/1", "h3/1 h4/1 h5/1", true, "0 1\n", FAULT(lost)},
    };

    LOOK_AT_ALL(cases);
}
END_TEST

START_TEST(a_handling_that_came_too_late_may_come_again)
{
    static const struct trouble late = {1, "h0 h1 h1 h2 h3 h4 h5", "", false, "", 0};

    rig_clear();
    rig.produced = "6\n";
    (void)attempts(1, 1000, late.first);
    rig.timeout_ms = 20; /* each takes 10 */
    ck_assert(rig_judge());
    ck_assert_uint_eq(rig.verdict.slow, 1);
    rig.timeout_ms = 22;
    ck_assert(!rig_judge());
}
END_TEST

START_TEST(a_record_says_only_what_was_done)
{
    static const struct {
        uint64_t position, at_ms;
        size_t fault;
    } cases[] = {
        {101, 1010, 0}, /* h0 until 1010, n1 until 1020, h1 until 1030 */
        {102, 1030, 0},
        {102, 1029, FAULT(unearned)},
        {102, 1019, FAULT(after_ack)},
        {101, 1009, FAULT(unearned)},
        {106, 1065, FAULT(unearned)},
        {106, 1070, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t n = 1;

        rig_clear();
        rig.produced = "6\n";
        (void)attempts(1, 1000, "h0 n1 h1 h2 h3 h4 h5");
        rig_note(1, LEDGER_SETTLED, cases[i].at_ms)->position = cases[i].position;
        ck_assert_int_eq(rig_judge(), cases[i].fault == 0);
        if (cases[i].fault > 0)
            memcpy(&n, (const char *)&rig.verdict + cases[i].fault, sizeof n);
        ck_assert_uint_gt(n, 0);
    }
}
END_TEST

START_TEST(letters_that_cannot_be_read_do_not_hold)
{
    static const char *const bad[] = {"0\n", "0 x\n", "1 3\n", "x 3\n"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rig_fill();
        rig.dead = bad[i];
        ck_assert(!rig_judge() && !rig.is_read);
    }
}
END_TEST

UNIT_MAIN("ledger judge, trouble", what_was_not_done_comes_again_and_nothing_before_it,
          what_is_dead_has_a_letter_and_nothing_else_has,
          what_is_handled_behind_it_is_void_within_deliver_max,
          a_stretch_that_is_known_leaves_no_doubt,
          a_handling_that_came_too_late_may_come_again, a_record_says_only_what_was_done,
          letters_that_cannot_be_read_do_not_hold)
