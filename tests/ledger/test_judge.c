/* The judge of the ledger is fed ledgers that somebody has doctored, and must say so. */
#include "config.h"

#include "judge.h"
#include "program.h"
#include "row.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 64, NUMBERS = 20, HALF = 10, BOUND = 3 };

#define MS(n) (UINT64_C(1000000) * (uint64_t)(n))

/* Two workers, one after the other, in one partition: w1 handles the first half of the
 * numbers under token 7-1, w2 the rest under 7-2; each takes 10 ms, back to back, and
 * between the two are 30 ms. */
static struct {
    struct ledger_row row[3][ROWS_MAX]; /* by worker */
    size_t n[3];
    const char *changes, *produced, *dead;
    uint32_t deliver_max, timeout_ms;
    size_t cut; /* bytes off the end of w2.rows */
    struct verdict verdict;
    bool is_read;
} t;

static struct ledger_row *put(int worker, enum ledger_kind kind)
{
    struct ledger_row *row = &t.row[worker][t.n[worker]++];

    ck_assert_uint_le(t.n[worker], ROWS_MAX);
    *row = (struct ledger_row){.kind = (uint16_t)kind,
                               .hold = (uint32_t)worker,
                               .gen = 7,
                               .since = (uint32_t)worker,
                               .attempt = 1};
    return row;
}

static struct ledger_row *handle(int worker, uint32_t number, uint64_t begin_ms)
{
    struct ledger_row *row = put(worker, LEDGER_HANDLED);

    row->number = number;
    row->position = 100 + number;
    row->begin_ns = MS(begin_ms);
    row->end_ns = MS(begin_ms + 10);
    row->sent_ns = MS(1);
    return row;
}

static struct ledger_row *note(int worker, enum ledger_kind kind, uint64_t at_ms)
{
    struct ledger_row *row = put(worker, kind);

    row->end_ns = MS(at_ms);
    return row;
}

/* When a number of the second half begins. */
static uint64_t second_ms(uint32_t number)
{
    return 1000 + 10 * number + 30;
}

static void fill(void)
{
    memset(&t, 0, sizeof t);
    t.changes = "1 join 1\n2 join 2\n";
    t.produced = "20\n";
    t.dead = "";
    t.deliver_max = 1;
    note(1, LEDGER_BORN, 1);
    note(2, LEDGER_BORN, 2);
    for (uint32_t i = 0; i < HALF; i++)
        handle(1, i, 1000 + 10 * i);
    for (uint32_t i = HALF; i < NUMBERS; i++)
        handle(2, i, second_ms(i));
}

/* The row of a number; they are behind LEDGER_BORN. */
static struct ledger_row *row_of(uint32_t number)
{
    return number < HALF ? &t.row[1][1 + number] : &t.row[2][1 + number - HALF];
}

static void write_file(const char *dir, const char *name, const void *data, size_t n)
{
    char path[SERVER_PATH_ROOM + 32];

    format(path, sizeof path, "%s/%s", dir, name);
    FILE *to = fopen(path, "we");
    ck_assert_ptr_nonnull(to);
    ck_assert_uint_eq(fwrite(data, 1, n, to), n);
    ck_assert_int_eq(fclose(to), 0);
}

/* Whether all of it held. */
static bool judge(void)
{
    const struct judge_options o = {.repeats_max = BOUND,
                                    .deliver_max = t.deliver_max,
                                    .timeout_ns = MS(t.timeout_ms)};
    char dir[SERVER_PATH_ROOM];
    struct ledger l;

    make_dir(dir);
    write_file(dir, "w1.rows", t.row[1], t.n[1] * sizeof t.row[1][0]);
    write_file(dir, "w2.rows", t.row[2], t.n[2] * sizeof t.row[2][0] - t.cut);
    write_file(dir, "changes", t.changes, strlen(t.changes));
    write_file(dir, "produced", t.produced, strlen(t.produced));
    write_file(dir, "dead", t.dead, strlen(t.dead));
    memset(&t.verdict, 0, sizeof t.verdict);
    t.is_read = ledger_read(&l, dir);
    if (t.is_read) {
        judge_rows(&l, &o, &t.verdict);
        judge_gaps(&l, &t.verdict);
        ledger_free(&l);
    }
    remove_tree(dir);
    return t.is_read && verdict_holds(&t.verdict);
}

START_TEST(a_ledger_without_a_fault_holds)
{
    fill();
    ck_assert(judge());
    ck_assert_uint_eq(t.verdict.produced, NUMBERS);
    ck_assert_uint_eq(t.verdict.handled, NUMBERS);
    ck_assert_uint_eq(t.verdict.wall_ms, 230);
}
END_TEST

START_TEST(a_gap_is_a_loss)
{
    fill();
    row_of(7)->kind = LEDGER_REFUSED;
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.lost, 1);
    fill();
    t.n[2]--; /* the last one */
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.lost, 1);
    fill();
    t.produced = "20\n5\n"; /* a partition that nobody had */
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.lost, 5);
}
END_TEST

START_TEST(a_swap_is_out_of_order)
{
    fill();
    row_of(5)->number = 6;
    row_of(6)->number = 5;
    row_of(5)->position = 106;
    row_of(6)->position = 105;
    /* row_of() goes by place: the first of the two is number 6 now. */
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.out_of_order, 1);
    ck_assert_uint_eq(t.verdict.out_of_holder, 3);
    ck_assert_uint_eq(t.verdict.lost, 0);
}
END_TEST

START_TEST(what_the_next_holder_makes_good_is_out_of_order)
{
    fill();
    row_of(9)->kind = LEDGER_REFUSED;
    row_of(8)->number = 9;
    row_of(8)->position = 109;
    handle(2, 8, second_ms(9))->begin_ns = MS(1105);
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.out_of_order, 1);
    ck_assert_uint_eq(t.verdict.lost, 0);
}
END_TEST

START_TEST(a_holder_that_goes_back_is_out_of_order)
{
    fill();
    for (uint32_t i = HALF; i < NUMBERS; i++) { /* 30 ms later, to make room */
        row_of(i)->begin_ns += MS(30);
        row_of(i)->end_ns += MS(30);
    }
    handle(1, 4,
           1100); /* nothing of it is durable: but who has gone on may not go back */
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.out_of_holder, 1);
    ck_assert_uint_eq(t.verdict.overlaps, 0);
}
END_TEST

START_TEST(two_at_one_instant_overlap)
{
    fill();
    row_of(10)->begin_ns = row_of(9)->end_ns - 1;
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.overlaps, 1);
    fill();
    row_of(4)->begin_ns = row_of(3)->end_ns - 1; /* of one worker, too */
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.overlaps, 1);
    fill();
    row_of(2)->end_ns = MS(5000); /* one that spans all the others */
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.overlaps, NUMBERS - 3);
    fill();
    row_of(10)->begin_ns = row_of(9)->end_ns; /* on the dot is no overlap */
    ck_assert(judge());
}
END_TEST

START_TEST(a_token_that_falls_is_noticed)
{
    fill();
    for (uint32_t i = HALF; i < NUMBERS; i++)
        row_of(i)->since = 0;
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.stale, HALF);
}
END_TEST

START_TEST(a_repeat_is_allowed_until_the_ack_is_durable)
{
    fill();
    handle(2, 9, 1110);
    ck_assert(judge());
    ck_assert_uint_eq(t.verdict.before_ack, 1);
    ck_assert_uint_eq(t.verdict.before_ack_most, 1);

    fill();
    handle(2, 9, 1110);
    note(1, LEDGER_SETTLED, 1109)->position = 110; /* above that of number 9 */
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.after_ack, 1);

    fill();
    handle(2, 9, 1110);
    note(2, LEDGER_SETTLED, 1109)->position = 110; /* whoever was told */
    ck_assert(!judge());

    fill();
    handle(2, 9, 1110);
    note(1, LEDGER_SETTLED, 1109)->position = 109; /* up to number 8 */
    note(1, LEDGER_SETTLED, 1111)->position = 110; /* too late for this one */
    ck_assert(judge());
}
END_TEST

START_TEST(what_was_given_up_in_order_is_not_handled_again)
{
    fill();
    handle(2, 9, 1110);
    note(1, LEDGER_RELEASED, 1105)->number = 3;
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.after_release, 1);
    fill();
    handle(2, 9, 1110);
    /* The hold that handled it ended by a fence; the same worker came back under the
       same token, and gave up in order what it had not handled. */
    note(1, LEDGER_RELEASED, 1105)->hold = 17;
    ck_assert(judge());
}
END_TEST

START_TEST(more_repeats_than_a_crash_may_cost_are_too_many)
{
    for (uint32_t most = BOUND; most <= BOUND + 1; most++) {
        fill();
        for (uint32_t i = HALF; i < NUMBERS; i++) {
            row_of(i)->begin_ns += MS(100);
            row_of(i)->end_ns += MS(100);
        }
        for (uint32_t i = HALF - most; i < HALF; i++)
            handle(2, i, 1110 + 10 * i);
        ck_assert_int_eq(judge(), most == BOUND);
        ck_assert_uint_eq(t.verdict.before_ack_most, most);
        ck_assert_uint_eq(t.verdict.too_many, most - BOUND);
    }
}
END_TEST

START_TEST(a_late_append_needs_a_stop_that_explains_it)
{
    static const struct {
        const char *changes;
        bool is_explained;
    } cases[] = {
        {"1 join 1\n", false},
        {"1 join 1\n1099000000 stop 1\n1200000000 cont 1\n", true},
        {"1 join 1\n1095000000 stop 1\n1200000000 cont 1\n", true},
        {"1 join 1\n1101000000 stop 1\n", true},
        {"1 join 1\n1000000000 stop 1\n1050000000 cont 1\n", false}, /* was over */
        {"1 join 1\n1099000000 stop 2\n1200000000 cont 2\n", false}, /* of another */
        {"1 join 1\n1220000000 stop 1\n", false},                    /* came later */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fill();
        t.changes = cases[i].changes;
        struct ledger_row *late = note(1, LEDGER_LATE, 1201);
        late->number = 9;
        late->begin_ns = MS(1100);
        ck_assert_int_eq(judge(), cases[i].is_explained);
        ck_assert_uint_eq(t.verdict.late, cases[i].is_explained);
        ck_assert_uint_eq(t.verdict.late_unexplained, !cases[i].is_explained);
    }
    fill(); /* late, but nobody else was there */
    note(1, LEDGER_LATE, 1120)->begin_ns = MS(1100);
    ck_assert(judge());
    ck_assert_uint_eq(t.verdict.late, 0);
}
END_TEST

START_TEST(what_was_not_produced_is_strange)
{
    fill();
    handle(2, NUMBERS, 1300);
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.strange, 1);
    fill();
    handle(2, 9, 1110)->position = 500; /* one number at two places */
    ck_assert(!judge());
    ck_assert_uint_eq(t.verdict.strange, 1);
    fill();
    row_of(3)->end_ns = row_of(3)->begin_ns - 1;
    ck_assert(!judge());
}
END_TEST

START_TEST(what_cannot_be_read_does_not_hold)
{
    fill();
    t.cut = 1;
    ck_assert(!judge() && !t.is_read);
    fill();
    row_of(3)->kind = 99;
    ck_assert(!judge() && !t.is_read);
    fill();
    row_of(3)->partition = 1;
    ck_assert(!judge() && !t.is_read);
    fill();
    t.produced = "";
    ck_assert(!judge() && !t.is_read);
    fill();
    t.changes = "5 dance 1\n";
    ck_assert(!judge() && !t.is_read);
    fill();
    t.produced = "0\n"; /* nothing to be seen proves nothing */
    t.n[1] = t.n[2] = 0;
    ck_assert(!judge() && t.is_read);
}
END_TEST

START_TEST(a_gap_is_counted_by_what_was_done_to_the_former_holder)
{
    static const struct {
        const char *changes;
        bool is_released;
        enum gap kind;
    } cases[] = {
        {"1 join 2\n", true, GAP_MOVE},
        {"1000000000 drain 1\n", true, GAP_DRAIN},
        {"1000000000 drain 1\n", false, GAP_DRAIN},
        {"1099000000 kill 1\n", false, GAP_KILL},
        {"1099000000 stop 1\n1500000000 cont 1\n", false, GAP_STOP},
        {"1000000000 stop 1\n1050000000 cont 1\n", false, GAP_FENCE},
        {"1120000000 kill 1\n", true, GAP_MOVE}, /* it had given the partition up */
        {"1 join 2\n", false, GAP_FENCE},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fill();
        t.changes = cases[i].changes;
        if (cases[i].is_released)
            note(1, LEDGER_RELEASED, 1104)->number = 3;
        note(2, LEDGER_ASSIGNED, 1112);
        (void)judge();
        const struct gap_figures *f = &t.verdict.gap[cases[i].kind];
        ck_assert_uint_eq(f->loaded, 1);
        ck_assert_uint_eq(f->p99_us, 30000);
        ck_assert_uint_eq(f->release_us, cases[i].is_released ? 4000 : 0);
    }
    fill();
    for (uint32_t i = HALF; i < NUMBERS; i++)
        row_of(i)->sent_ns = MS(1100); /* nothing waited */
    (void)judge();
    ck_assert_uint_eq(t.verdict.gap[GAP_FENCE].n, 1);
    ck_assert_uint_eq(t.verdict.gap[GAP_FENCE].loaded, 0);
}
END_TEST

UNIT_MAIN("ledger judge", a_ledger_without_a_fault_holds, a_gap_is_a_loss,
          a_swap_is_out_of_order, what_the_next_holder_makes_good_is_out_of_order,
          a_holder_that_goes_back_is_out_of_order, two_at_one_instant_overlap,
          a_token_that_falls_is_noticed, a_repeat_is_allowed_until_the_ack_is_durable,
          what_was_given_up_in_order_is_not_handled_again,
          more_repeats_than_a_crash_may_cost_are_too_many,
          a_late_append_needs_a_stop_that_explains_it, what_was_not_produced_is_strange,
          what_cannot_be_read_does_not_hold,
          a_gap_is_counted_by_what_was_done_to_the_former_holder)
