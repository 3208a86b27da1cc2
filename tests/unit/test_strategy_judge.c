/* core/host/strategy_judge and strategy_world: the host's own counting. */
#include "base/hash.h"
#include "base/rand.h"
#include "base/status.h"
#include "host/strategy_judge.h"
#include "host/strategy_world.h"

#include "unit.h"

#include <string.h>

enum { PARTS_MAX = 64, WORKERS_MAX = 8 };

/* A request with room; set counts, weights and previous owners, then build. */
struct frame {
    struct plan_request request;
    char key[PARTS_MAX][4];
    struct bytes id[PARTS_MAX];
    uint32_t weight[PARTS_MAX], prev[PARTS_MAX];
    struct plan_worker worker[WORKERS_MAX];
    char name[WORKERS_MAX][8];
    uint32_t map[WORKERS_MAX + 1];
    struct strategy_world *world;
};

static void frame_init(struct frame *f, uint32_t parts, uint32_t workers)
{
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < parts; i++) {
        (void)snprintf(f->key[i], sizeof f->key[i], "%03u", (unsigned)i % 1000);
        f->id[i] = (struct bytes){f->key[i], 3};
        f->weight[i] = 100;
        f->prev[i] = workers;
    }
    for (uint32_t i = 0; i < workers; i++) {
        (void)snprintf(f->name[i], sizeof f->name[i], "w-%u", (unsigned)i % 100);
        f->worker[i] =
            (struct plan_worker){.id = f->name[i], .num = i, .capacity = 100, .zone = ""};
        f->map[i] = i;
    }
    f->map[workers] = workers;
    f->request = (struct plan_request){.part_n = parts,
                                       .part_id = f->id,
                                       .part_weight = f->weight,
                                       .part_prev = f->prev,
                                       .worker_n = workers,
                                       .worker = f->worker,
                                       .prev_n = workers,
                                       .prev_to_now = f->map};
}

static const struct parti_world *build(struct frame *f)
{
    static const struct strategy_policy policy;

    strategy_world_destroy(f->world);
    ck_assert_int_eq(strategy_world_create(&f->request, &policy, &f->world), STATUS_OK);
    (void)strategy_world_hash(f->world, NULL);
    return &f->world->world;
}

static struct judgement judge(struct frame *f, const uint32_t *owner)
{
    struct judgement j;
    char why[128];
    const struct parti_world *w = build(f);

    ck_assert_msg(judge_check(w, owner, why, sizeof why) == STATUS_OK, "%s", why);
    ck_assert_int_eq(judge_answer(w, owner, &j), STATUS_OK);
    return j;
}

START_TEST(three_to_four_workers_move_a_quarter)
{
    struct frame f;
    uint32_t owner[12];

    frame_init(&f, 12, 4);
    for (uint32_t i = 0; i < 12; i++) {
        f.prev[i] = i % 3;
        owner[i] = i < 3 ? 3 : i % 3;
    }
    struct judgement j = judge(&f, owner);
    ck_assert_uint_eq(j.moved, 3);
    ck_assert_uint_eq(j.moved_least, 3);
    ck_assert_double_eq(j.max_over_mean, 1.0);
    strategy_world_destroy(f.world);
}
END_TEST

START_TEST(leftovers_go_to_those_who_hold_most)
{
    struct frame f;
    uint32_t owner[5] = {0, 0, 0, 1, 1};

    /* 5 on 2: quotas 3 and 2; who holds 3 may keep them, whichever it is. */
    frame_init(&f, 5, 2);
    for (uint32_t i = 0; i < 5; i++)
        f.prev[i] = owner[i];
    ck_assert_uint_eq(judge(&f, owner).moved_least, 0);
    for (uint32_t i = 0; i < 5; i++)
        f.prev[i] = owner[i] = 1 - owner[i];
    ck_assert_uint_eq(judge(&f, owner).moved_least, 0);
    ck_assert_double_eq_tol(judge(&f, owner).max_over_mean, 1.2, 1e-9);
    strategy_world_destroy(f.world);
}
END_TEST

/* A strategy that takes no care of counts moves less than an even one would have to. */
START_TEST(an_uneven_answer_is_measured_by_its_own_unevenness)
{
    static const uint32_t prev[6] = {0, 0, 0, 0, 0, 1};
    uint32_t owner[6] = {0, 0, 0, 0, 1, 1};
    struct frame f;

    frame_init(&f, 6, 2);
    memcpy(f.prev, prev, sizeof prev);
    struct judgement j = judge(&f, owner);
    ck_assert_uint_eq(j.moved, 1);
    ck_assert_uint_eq(j.moved_least, 1); /* 3 and 3 would take two */
    memcpy(f.prev, owner, sizeof owner);
    for (uint32_t i = 0; i < 6; i++)
        owner[i] = i < 2;
    j = judge(&f, owner); /* 4 and 2 as before, others */
    ck_assert_uint_eq(j.moved, 4);
    ck_assert_uint_eq(j.moved_least, 0);
    strategy_world_destroy(f.world);
}
END_TEST

START_TEST(orphans_and_draining_workers_count_as_moves)
{
    struct frame f;
    uint32_t owner[6] = {0, 0, 0, 1, 1, 1};

    frame_init(&f, 6, 3);
    for (uint32_t i = 0; i < 6; i++)
        f.prev[i] = i / 2; /* 2 each */
    f.worker[2].is_draining = true;
    f.prev[0] = 3; /* nobody */
    owner[3] = 1;
    struct judgement j = judge(&f, owner);
    /* Held 1, 2 and 2; quotas 3, 3 and 0: five are kept but for the draining two. */
    ck_assert_uint_eq(j.moved_least, 3);
    ck_assert_uint_eq(judge_homeless(&f.world->world), 3);
    ck_assert_uint_eq(j.moved, 4);
    strategy_world_destroy(f.world);
}
END_TEST

/* Two of three workers share what the third, who is cordoned, does not keep. */
START_TEST(the_cordoned_keep_what_they_have)
{
    struct frame f;
    uint32_t owner[8] = {0, 0, 0, 0, 1, 1, 2, 2};

    frame_init(&f, 8, 3);
    for (uint32_t i = 0; i < 8; i++)
        f.prev[i] = owner[i];
    f.worker[0].is_cordoned = true;
    struct judgement j = judge(&f, owner);
    /* By quotas over all three one of the four would have had to move. */
    ck_assert_uint_eq(j.moved_least, 0);
    ck_assert_double_eq_tol(j.max_over_mean, 1.0, 1e-9);

    f.weight[4] = 300; /* one each: nothing heavier can be shed */
    j = judge(&f, owner);
    ck_assert_uint_eq(j.moved_least, 0);
    ck_assert_double_eq_tol(j.max_over_mean, 4.0 / 3, 1e-9);

    f.weight[4] = 100;
    f.prev[5] = f.prev[6] = f.prev[7] = 1;
    j = judge(&f, owner);
    ck_assert_uint_eq(j.moved_least, 2);
    strategy_world_destroy(f.world);
}
END_TEST

START_TEST(where_everybody_is_cordoned_only_leavers_and_orphans_move)
{
    struct frame f;
    uint32_t owner[4] = {0, 0, 1, 1};

    frame_init(&f, 4, 2);
    for (uint32_t i = 0; i < 4; i++)
        f.prev[i] = owner[i];
    f.worker[0].is_cordoned = f.worker[1].is_cordoned = true;
    struct judgement j = judge(&f, owner);
    ck_assert_uint_eq(j.moved, 0);
    ck_assert_uint_eq(j.moved_least, 0);
    ck_assert_double_eq(j.max_over_mean, 1.0);
    f.weight[2] = 7; /* nor do weights make a difference */
    ck_assert_uint_eq(judge(&f, owner).moved_least, 0);
    strategy_world_destroy(f.world);
}
END_TEST

START_TEST(capacities_share_by_largest_remainder)
{
    struct frame f;
    uint32_t owner[10] = {0, 0, 0, 0, 0, 0, 0, 1, 1, 1};

    frame_init(&f, 10, 2);
    f.worker[0].capacity = 200;
    /* 10 x 200/300 = 6.67 and 3.33: 7 and 3. */
    struct judgement j = judge(&f, owner);
    ck_assert_uint_eq(j.moved_least, 10);
    ck_assert_double_eq_tol(j.max_over_mean, 1.05, 1e-9);
    for (uint32_t i = 0; i < 10; i++)
        f.prev[i] = owner[i];
    ck_assert_uint_eq(judge(&f, owner).moved_least, 0);
    strategy_world_destroy(f.world);
}
END_TEST

/* The bound for unequal weights against every possible plan of a small world. */
START_TEST(no_plan_moves_less_than_the_least)
{
    struct rand_state r;

    rand_seed(&r, 11);
    for (int round = 0; round < 50; round++) {
        enum { P = 6, W = 3, PLANS = 729 };
        struct judgement all[PLANS];
        struct frame f;

        frame_init(&f, P, W);
        for (uint32_t i = 0; i < P; i++) {
            f.weight[i] = 1 + (uint32_t)rand_below(&r, 9);
            f.prev[i] = (uint32_t)rand_below(&r, W + 1);
        }
        f.worker[1].capacity = 50 + (uint32_t)rand_below(&r, 100);
        for (uint32_t plan = 0; plan < PLANS; plan++) {
            uint32_t owner[P];

            for (uint32_t i = 0, rest = plan; i < P; i++, rest /= W)
                owner[i] = rest % W;
            all[plan] = judge(&f, owner);
        }
        for (uint32_t a = 0; a < PLANS; a++)
            for (uint32_t b = 0; b < PLANS; b++)
                if (all[b].max_over_mean <= all[a].max_over_mean &&
                    all[b].moved < all[a].moved_least)
                    ck_abort_msg("plan %u moves less than the least of plan %u", b, a);
        strategy_world_destroy(f.world);
    }
}
END_TEST

START_TEST(zero_weights_and_zero_capacities_are_no_division_by_zero)
{
    struct frame f;
    uint32_t owner[4] = {0, 0, 1, 1};

    frame_init(&f, 4, 2);
    for (uint32_t i = 0; i < 4; i++)
        f.weight[i] = 0;
    f.worker[0].capacity = f.worker[1].capacity = 0;
    ck_assert_double_eq(judge(&f, owner).max_over_mean, 1.0);
    strategy_world_destroy(f.world);
    frame_init(&f, 0, 1);
    ck_assert_double_eq(judge(&f, owner).max_over_mean, 1.0);
    strategy_world_destroy(f.world);
}
END_TEST

START_TEST(the_heaviest_weights_do_not_overflow)
{
    struct frame f;
    uint32_t owner[PARTS_MAX];

    frame_init(&f, PARTS_MAX, 2);
    f.worker[0].capacity = f.worker[1].capacity = UINT32_MAX;
    for (uint32_t i = 0; i < PARTS_MAX; i++) {
        f.weight[i] = UINT32_MAX - i % 2;
        owner[i] = 0;
    }
    ck_assert_double_eq_tol(judge(&f, owner).max_over_mean, 2.0, 1e-6);
    strategy_world_destroy(f.world);
}
END_TEST

START_TEST(hashes_are_taken_over_when_the_ids_are_the_same)
{
    struct frame f, g;
    static const struct strategy_policy policy;
    struct strategy_world *other = NULL;

    frame_init(&f, 10, 2);
    build(&f);
    ck_assert_uint_eq(f.world->world.part_hash[3], hash_bytes("003", 3));
    frame_init(&g, 10, 2);
    ck_assert_int_eq(strategy_world_create(&g.request, &policy, &other), STATUS_OK);
    ck_assert(strategy_world_hash(other, f.world));
    ck_assert_uint_eq(other->world.part_hash[3], hash_bytes("003", 3));
    strategy_world_destroy(other);
    g.key[9][2] = 'x';
    ck_assert_int_eq(strategy_world_create(&g.request, &policy, &other), STATUS_OK);
    ck_assert(!strategy_world_hash(other, f.world));
    ck_assert_uint_eq(other->world.part_hash[9], hash_bytes("00x", 3));
    strategy_world_destroy(other);
    strategy_world_destroy(f.world);
}
END_TEST

START_TEST(event_and_zones_are_as_the_interface_says)
{
    struct frame f;

    frame_init(&f, 2, 3);
    f.request.cause = CAUSE_EMERGENCY;
    f.worker[0].zone = "b";
    f.worker[2].zone = "a";
    const struct parti_world *w = build(&f);
    ck_assert_uint_eq(w->event, PARTI_EVENT_COLD); /* nobody owned anything */
    ck_assert_uint_eq(w->zone.n, 2);
    ck_assert_uint_eq(w->worker_zone[0], 0);
    ck_assert_uint_eq(w->worker_zone[1], 2);
    ck_assert_uint_eq(w->worker_zone[2], 1);
    ck_assert_ptr_null(w->part_zone);
    f.prev[0] = 1;
    ck_assert_uint_eq(build(&f)->event, PARTI_EVENT_EMERGENCY);
    f.request.cause = CAUSE_REFRESH;
    f.worker[0].zone = f.worker[2].zone = "";
    w = build(&f);
    ck_assert_uint_eq(w->event, PARTI_EVENT_REFRESH);
    ck_assert_ptr_null(w->worker_zone);
    strategy_world_destroy(f.world);
}
END_TEST

UNIT_MAIN("strategy_judge", three_to_four_workers_move_a_quarter,
          leftovers_go_to_those_who_hold_most,
          an_uneven_answer_is_measured_by_its_own_unevenness,
          orphans_and_draining_workers_count_as_moves, the_cordoned_keep_what_they_have,
          where_everybody_is_cordoned_only_leavers_and_orphans_move,
          capacities_share_by_largest_remainder, no_plan_moves_less_than_the_least,
          zero_weights_and_zero_capacities_are_no_division_by_zero,
          the_heaviest_weights_do_not_overflow,
          hashes_are_taken_over_when_the_ids_are_the_same,
          event_and_zones_are_as_the_interface_says)
