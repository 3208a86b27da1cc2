/* The strategies linked in, with malloc() under the test's control: none once they have
 * grown, and each that fails is answered by PARTI_NOMEM. */
#include "../../plugins/builtin.h"
#include "strategy_weights.h"

#include "unit.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool watched;           /* a strategy is at work; Check allocates too */
static uint32_t calls;         /* of malloc(), while watched */
static uint32_t fail_at = ~0u; /* which of them fails */

void *__wrap_malloc(size_t size)
{
    return watched && calls++ == fail_at ? NULL : __real_malloc(size);
}

static const struct subject {
    parti_plugin_entry entry;
    const char *mode;
} subjects[] = {
    {parti_plugin_v1_round_robin, NULL},     {parti_plugin_v1_round_robin, "strict"},
    {parti_plugin_v1_consistent_hash, NULL}, {parti_plugin_v1_consistent_hash, "pure"},
    {parti_plugin_v1_weighted, NULL},
};

enum { SUBJECTS = sizeof subjects / sizeof *subjects, PARTS = 4000 };

static struct rig *open_subject(int s)
{
    struct rig *rig = rig_builtin(subjects[s].entry, subjects[s].mode ? "mode" : NULL,
                                  subjects[s].mode);
    struct rand_state rand;

    rand_seed(&rand, 61);
    rig_parts(rig, PARTS, 61);
    for (uint32_t i = 0; i < PARTS; i++)
        rig->weight[i] = draw_weight(KIND_PARETO, &rand);
    return rig;
}

static int32_t assign_watched(struct rig *rig)
{
    int32_t code;

    watched = true;
    code = rig_assign(rig);
    watched = false;
    return code;
}

START_TEST(nothing_is_allocated_once_grown)
{
    struct rand_state rand;
    static struct rig_set set;

    for (int s = 0; s < SUBJECTS; s++) {
        struct rig *rig = open_subject(s);

        for (int lap = 0; lap < 2; lap++) { /* the same changes twice over */
            uint32_t before = calls;

            rand_seed(&rand, 62);
            rig_parts(rig, PARTS, 61);
            rig_set_first(&set, 40, 60);
            for (int round = 0; round < 60; round++) {
                rig_workers(rig, set.slot, set.n);
                ck_assert_int_eq(assign_watched(rig), PARTI_OK);
                rig_set_change(&set, &rand);
            }
            ck_assert_msg((calls > before) == (lap == 0), "lap %d: %u", lap,
                          calls - before);
        }
        rig_close(rig);
    }
}
END_TEST

START_TEST(each_allocation_that_fails_is_answered)
{
    static const uint32_t first[] = {0, 1, 2, 3, 4, 5, 6, 7}, next[] = {9, 3, 2, 5, 7, 1};

    for (int s = 0; s < SUBJECTS; s++) {
        uint32_t failed = 0;

        for (uint32_t k = 0;; k++) {
            struct rig *rig = open_subject(s);
            int32_t code;

            rig_workers(rig, first, 8);
            calls = 0;
            fail_at = k;
            code = assign_watched(rig);
            if (code == PARTI_OK) {
                rig_workers(rig, next, 6); /* not in order: more to allocate */
                code = assign_watched(rig);
            }
            if (code != PARTI_OK)
                ck_assert_int_eq(code, PARTI_NOMEM);
            failed += code != PARTI_OK;
            fail_at = ~0u;
            ck_assert_int_eq(assign_watched(rig), PARTI_OK);
            rig_close(rig);
            if (code == PARTI_OK)
                break;
        }
        ck_assert_uint_ge(failed, 3);
    }
}
END_TEST

UNIT_MAIN("strategy memory", nothing_is_allocated_once_grown,
          each_allocation_that_fails_is_answered)
