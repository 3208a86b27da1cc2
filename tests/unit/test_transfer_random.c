/* core/proto/transfer under random plans, listings, releases, losses, new lives and
 * takeovers: after each step every partition is listed by at most one member, the
 * records say what the table says, and of workers that do what their records say no two
 * ever hold the same partition.
 */
#include "proto/transfer.h"

#include "base/rand.h"
#include "base/status.h"

#include "unit.h"

#include <string.h>

enum { PARTS = 20, SEATS = 5, STEPS = 3000, GEN = 1 };

/* A worker that obeys the heads it hears of. */
struct worker {
    struct session session;
    uint64_t applied;
    uint64_t held[PARTS]; /* token, 0: not held */
    uint64_t stop[PARTS]; /* not 0: being stopped, and one more than what is released */
    bool is_dead;         /* its lease has ended: holds nothing */
    bool is_back;         /* and a new session waits for its place */
};

static struct transfer t;
static struct rand_state rnd;
static struct worker worker[SEATS]; /* by number; session none: empty seat */
static struct head_member member[SEATS];
static struct head head;
static uint8_t record[SEATS][4096];
static size_t record_n[SEATS]; /* 0: none yet */
static bool is_listed[PARTS];
static uint64_t sessions, grants;

static char ids[PARTS][2];

/* Check's own assertions note each one that holds: too slow for millions of them. */
#define sure(condition)                             \
    do {                                            \
        if (!(condition))                           \
            ck_abort_msg("not so: %s", #condition); \
    } while (0)

static bool chance(uint32_t percent)
{
    return rand_below(&rnd, 100) < percent;
}

static uint32_t part_of(struct bytes id)
{
    return (uint32_t)(id.at[0] - 'a') * 10 + (uint32_t)(id.at[1] - '0');
}

/* ---- the leader ------------------------------------------------------------------ */

/* A head with the members that there are. */
static void write_head(uint64_t epoch)
{
    head.stamp = (struct stamp){GEN, epoch};
    head.n = 0;
    for (uint32_t num = 0; num < SEATS; num++)
        if (!session_is_none(member[num].session))
            head.member[head.n++] = member[num];
    transfer_sweep(&t, &head);
}

static void seat_worker(uint32_t num, uint64_t epoch)
{
    struct session session = {1, ++sessions};

    worker[num] = (struct worker){.session = session, .applied = epoch};
    member[num] = (struct head_member){
        .num = num, .session = session, .born = epoch, .released = epoch};
}

static void empty_seat(uint32_t num)
{
    worker[num] = (struct worker){0};
    member[num] = (struct head_member){0};
    record_n[num] = 0;
}

static void fill_seats(void)
{
    bool again = true;

    for (uint32_t num = 0; num < SEATS; num++) {
        t.seat[num].session = member[num].session;
        t.seat[num].released = member[num].released;
        t.seat[num].is_dropped = worker[num].is_dead;
    }
    while (again) {
        again = false;
        for (uint32_t num = 0; num < SEATS; num++)
            if (t.seat[num].is_dropped && !worker[num].is_back &&
                transfer_blocks_drop(&t, num)) {
                t.seat[num].is_dropped = false;
                again = true;
            }
    }
    for (uint32_t num = 0; num < SEATS; num++) {
        struct session next = {1, sessions + 1};

        t.seat[num].next_session = t.seat[num].session;
        if (!t.seat[num].is_dropped)
            continue;
        t.seat[num].next_session = worker[num].is_back ? next : (struct session){0};
        sessions += worker[num].is_back ? 1 : 0;
    }
}

/* Carries out what is desired, as node_plan.c and node_head.c do. */
static void carry_out(void)
{
    uint64_t epoch = head.stamp.epoch + 1;

    fill_seats();
    if (!transfer_begin(&t, epoch))
        return;
    if (chance(10)) {
        transfer_abort(&t);
        return;
    }
    for (uint32_t num = 0; num < SEATS; num++) {
        if (!t.seat[num].is_changed)
            continue;
        sure(!session_is_none(t.seat[num].next_session));
        record_n[num] = transfer_encode(&t, num, GEN, record[num], sizeof record[num]);
        sure(record_n[num] > 0);
    }
    transfer_commit(&t);
    for (uint32_t num = 0; num < SEATS; num++) {
        if (!t.seat[num].is_dropped)
            continue;
        struct session next = t.seat[num].next_session;

        if (session_is_none(next)) {
            empty_seat(num);
        } else {
            seat_worker(num, epoch);
            worker[num].session = member[num].session = next;
            if (!t.seat[num].is_changed)
                record_n[num] = 0; /* a new member that is given nothing has none */
        }
    }
    write_head(epoch);
}

static void plan(void)
{
    struct plan_request q = {.prev_n = SEATS};
    uint32_t to[PARTS], from, many = (uint32_t)rand_below(&rnd, 3);

    transfer_request(&t, &q);
    for (uint32_t i = 0; i < q.part_n; i++) {
        to[i] = (uint32_t)rand_below(&rnd, SEATS);
        from = q.part_prev[i];
        if (from < SEATS && !chance(20 + 30 * many))
            to[i] = from;
        if (chance(8) || session_is_none(worker[to[i]].session) ||
            (worker[to[i]].is_dead && !worker[to[i]].is_back))
            to[i] = NUM_NONE;
    }
    transfer_desire(&t, to, q.part_n);
    carry_out();
}

static void tidy(void)
{
    transfer_desire_present(&t);
    carry_out();
}

static void list_source(void)
{
    struct bytes id[PARTS];
    uint32_t weight[PARTS], n = 0;
    struct listing_change change;

    for (uint32_t p = 0; p < PARTS; p++) {
        if (!is_listed[p])
            continue;
        id[n] = (struct bytes){ids[p], 2};
        weight[n++] = 1 + p;
    }
    sure(transfer_list(&t, id, weight, n, &change) == 0);
}

static void change_listing(void)
{
    for (uint32_t p = 0; p < PARTS; p++)
        if (chance(10))
            is_listed[p] = !is_listed[p];
    list_source();
}

/* A head that only adds, drops or records releases. */
static void small_head(void)
{
    uint64_t epoch = head.stamp.epoch + 1;

    for (uint32_t num = 0; num < SEATS; num++) {
        struct worker *w = &worker[num];

        if (session_is_none(w->session)) {
            if (chance(30))
                seat_worker(num, epoch);
        } else if (w->is_dead) {
            if (transfer_is_free(&t, num))
                empty_seat(num);
        } else if (chance(70)) {
            uint64_t through = w->applied;

            for (uint32_t p = 0; p < PARTS; p++)
                if (w->stop[p] != 0 && w->stop[p] - 1 < through)
                    through = w->stop[p] - 1;
            if (through > member[num].released)
                member[num].released = through;
        }
    }
    write_head(epoch);
}

/* Another leader reads everything from the log. */
static void take_over(void)
{
    transfer_clear(&t);
    for (uint32_t num = 0; num < SEATS; num++)
        if (record_n[num] > 0)
            sure(transfer_load(&t, num, record[num], record_n[num]) == 0);
    sure(transfer_load_end(&t) == 0);
    transfer_sweep(&t, &head);
    list_source();
    transfer_sweep(&t, &head);
}

/* ---- the workers ----------------------------------------------------------------- */

/* Takes over the newest head: stops what it takes, takes what it gives. */
static void apply(uint32_t num)
{
    static struct own_coder c;
    struct worker *w = &worker[num];
    uint64_t may[PARTS] = {0}, before = w->applied;
    struct own_item item;
    int got = 0;

    if (session_is_none(w->session) || w->is_dead)
        return;
    if (record_n[num] > 0) {
        sure(own_read_begin(&c, record[num], record_n[num]) == 0);
        sure(session_equal(c.session, w->session));
    }
    while (record_n[num] > 0 && (got = own_read(&c, &item)) > 0)
        if (!item.is_parked && head_is_open(&head, item.from.session, item.from.epoch))
            may[part_of(item.id)] = item.since;
    sure(got == 0);
    for (uint32_t p = 0; p < PARTS; p++) {
        if (w->held[p] != 0 && w->held[p] != may[p]) {
            w->held[p] = 0;
            w->stop[p] = before + 1;
        }
        if (may[p] != 0 && w->stop[p] == 0 && w->held[p] == 0) {
            w->held[p] = may[p];
            grants++;
        }
    }
    w->applied = head.stamp.epoch;
}

static void finish_stops(uint32_t num)
{
    for (uint32_t p = 0; p < PARTS; p++)
        if (chance(60))
            worker[num].stop[p] = 0;
}

static void die(uint32_t num)
{
    struct worker *w = &worker[num];

    memset(w->held, 0, sizeof w->held);
    memset(w->stop, 0, sizeof w->stop);
    w->is_dead = !session_is_none(w->session);
    w->is_back = w->is_dead && chance(50);
}

/* ---- the judge ------------------------------------------------------------------- */

static void nobody_shares(void)
{
    for (uint32_t p = 0; p < PARTS; p++) {
        uint32_t holders = 0;

        for (uint32_t num = 0; num < SEATS; num++)
            holders += worker[num].held[p] != 0 || worker[num].stop[p] != 0 ? 1 : 0;
        if (holders > 1)
            ck_abort_msg("%.2s is held by %u", ids[p], holders);
    }
}

static const struct part *row_of(struct bytes id)
{
    for (uint32_t i = 0; i < t.now.n; i++) {
        const struct part *p = &t.now.part[i];

        if (bytes_equal((struct bytes){t.now.text + p->id_at, p->id_n}, id))
            return p;
    }
    return NULL;
}

/* Each record says what the table says, save for demands that have been met. */
static void records_are_the_table(void)
{
    static struct own_coder c;
    uint32_t listed = 0, owned = 0;
    struct own_item item;
    int got;

    for (uint32_t num = 0; num < SEATS; num++) {
        if (record_n[num] == 0)
            continue;
        sure(own_read_begin(&c, record[num], record_n[num]) == 0);
        sure(session_equal(c.session, member[num].session));
        while ((got = own_read(&c, &item)) > 0) {
            const struct part *p = row_of(item.id);

            sure(p != NULL);
            sure(p->owner == num); /* so no two list it */
            sure(p->since == item.since);
            sure(p->is_parked == item.is_parked);
            if (session_is_none(p->from.session)) {
                sure(head_is_open(&head, item.from.session, item.from.epoch));
            } else {
                sure(session_equal(p->from.session, item.from.session));
                sure(p->from.epoch == item.from.epoch);
            }
            listed++;
        }
        sure(got == 0);
    }
    for (uint32_t i = 0; i < t.now.n; i++)
        owned += t.now.part[i].owner != NUM_NONE ? 1 : 0;
    sure(owned == listed);
}

static void run(uint64_t seed)
{
    grants = 0;
    rand_seed(&rnd, seed);
    for (uint32_t p = 0; p < PARTS; p++) {
        ids[p][0] = (char)('a' + p / 10);
        ids[p][1] = (char)('0' + p % 10);
        is_listed[p] = true;
    }
    for (uint32_t num = 0; num < SEATS; num++)
        seat_worker(num, 1);
    write_head(1);
    list_source();
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t num = (uint32_t)rand_below(&rnd, SEATS);

        switch (rand_below(&rnd, 16)) {
        case 0: change_listing(); break;
        case 1: tidy(); break;
        case 2: take_over(); break;
        case 3:
            if (chance(15))
                die(num);
            break;
        case 4:
        case 5: plan(); break;
        case 6:
        case 7:
        case 8: small_head(); break;
        case 9:
        case 10:
        case 11: finish_stops(num); break;
        default: apply(num); break;
        }
        nobody_shares();
        records_are_the_table();
    }
    sure(grants > 100); /* it was no empty exercise */
}

static void *block;

static void setup(void)
{
    struct arena arena;

    block = calloc(1, transfer_size(PARTS, SEATS));
    arena_init(&arena, block, transfer_size(PARTS, SEATS));
    memset(&t, 0, sizeof t);
    ck_assert(transfer_init(&t, &arena, PARTS, SEATS));
    transfer_clear(&t);
    static struct head_member room[SEATS];

    head = (struct head){.member = room};
    memset(record_n, 0, sizeof record_n);
    sessions = 0;
}

static void teardown(void)
{
    free(block);
}

START_TEST(no_sequence_of_steps_makes_two_hold_one_partition)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        run(seed);
        teardown();
        setup();
    }
}
END_TEST

UNIT_MAIN_WITH("transfer_random", setup, teardown,
               no_sequence_of_steps_makes_two_hold_one_partition)
