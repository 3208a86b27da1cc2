/* plugins/weighted.so, through its vtable: thousands of changes, each held against what
 * no assignment can undercut. */
#include "strategy_weights.h"

#include "unit.h"

#include <stdio.h>

static int heavier(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* What no division among n equal workers can undercut; and the level that is left when
 * giants have a worker each. */
static int64_t makespan_least(const struct rig *rig, int64_t total, double *ret_level)
{
    static uint32_t sorted[RIG_PARTS];
    int64_t n = rig->n, least = (total + n - 1) / n, unit = 0, rest = total;
    uint32_t giants = 0;

    memcpy(sorted, rig->weight, rig->part_n * sizeof *sorted);
    qsort(sorted, rig->part_n, sizeof *sorted, heavier);
    for (uint32_t i = 0; i < rig->part_n; i++)
        for (int64_t a = sorted[i], b = unit; a != 0; unit = a, a = b % a, b = unit)
            ;
    least = unit > 0 ? (least + unit - 1) / unit * unit : least;
    if (rig->part_n > 0 && sorted[0] > least)
        least = sorted[0];
    if (rig->part_n > n && (int64_t)sorted[n - 1] + sorted[n] > least)
        least = (int64_t)sorted[n - 1] + sorted[n];
    while (giants < rig->part_n && giants + 1 < n &&
           (int64_t)sorted[giants] * (n - giants) > rest) {
        rest -= sorted[giants];
        giants++;
    }
    *ret_level = (double)rest / (double)(n - giants);
    return least;
}

/* The least weight that can move so that every load is within 'delta' of its level. */
static double moved_least(const struct rig *rig, const struct load *before, double level,
                          double delta)
{
    double orphans = (double)before->total, over = 0, under = 0;

    for (uint32_t k = 0; k < rig->n; k++) {
        double high = (1 + delta) * level, load = (double)before->load[k];

        orphans -= load;
        if ((double)before->biggest[k] > high)
            high = (double)before->biggest[k];
        else if (load < (1 - delta) * level)
            under += (1 - delta) * level - load;
        over += load > high ? load - high : 0;
    }
    under -= orphans;
    return orphans + (over > under ? over : under > 0 ? under : 0);
}

enum { DO_COLD, DO_JOIN, DO_LEAVE, DO_DRIFT, DO_MANY, DOINGS };
static const char *const doing_name[] = {"cold", "join", "leave", "drift", "many"};

struct tally {
    uint32_t steps, over, restless;
    double worst; /* the largest load over its bound */
    double moved[DOINGS], least[DOINGS];
};

static int change(struct rig *rig, struct rig_set *set, struct rand_state *rand)
{
    int doing = DO_JOIN + (int)rand_below(rand, 4);

    switch (doing) {
    case DO_JOIN: rig_set_join(set, rand); break;
    case DO_LEAVE:
        if (set->n > 1)
            rig_set_leave(set, rand);
        break;
    case DO_DRIFT:
        for (uint32_t i = 0; i < rig->part_n; i++)
            rig->weight[i] =
                1 + (uint32_t)(rig->weight[i] * (80 + rand_below(rand, 41)) / 100);
        break;
    default: rig_set_change(set, rand); break;
    }
    return doing;
}

static void step(struct rig *rig, const struct rig_set *set, int doing, struct tally *t)
{
    static struct load before, after;
    double level, delta = 0.01;

    rig_workers(rig, set->slot, set->n);
    ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    measure(rig, true, &before);
    measure(rig, false, &after);

    int64_t least = makespan_least(rig, after.total, &level);
    double mean = (double)after.total / rig->n;
    double bound = mean * 1.01 > (double)least ? mean * 1.01 : (double)least;
    double moved = moved_weight(rig), moves = moved_least(rig, &before, level, delta);

    t->steps++;
    t->over += (double)after.max > bound;
    if ((double)after.max / bound > t->worst)
        t->worst = (double)after.max / bound;
    t->moved[doing] += moved;
    t->least[doing] += moves;

    ck_assert_int_eq(rig_assign(rig), PARTI_OK);
    t->restless += rig_moved(rig) > 0;
}

static void fuzz(uint32_t per_worker, int kind, uint32_t workers, uint32_t steps,
                 struct tally *t)
{
    struct rig *rig = rig_open("weighted", NULL, NULL);
    static struct rig_set set;
    struct rand_state rand;

    memset(t, 0, sizeof *t);
    rand_seed(&rand, (uint64_t)kind * 1000 + per_worker);
    for (uint32_t k = 0; k < steps; k++) {
        int doing = DO_COLD;

        if (k % 30 == 0) {
            rig_set_first(&set, workers, workers + workers / 4);
            rig_parts(rig, per_worker * set.most, k);
            for (uint32_t i = 0; i < rig->part_n; i++)
                rig->weight[i] = draw_weight(kind, &rand);
        } else {
            doing = change(rig, &set, &rand);
            if (set.n < workers / 2)
                rig_set_join(&set, &rand);
            while (set.n > set.most)
                rig_set_leave(&set, &rand);
        }
        step(rig, &set, doing, t);
    }
    rig_close(rig);
}

/* The guarantees, on fleets of each kind of weight. */
START_TEST(loads_stay_in_bounds_at_little_movement)
{
    static const struct {
        uint32_t per_worker, workers, steps;
    } fleet[] = {{20, 40, 600}, {20, 7, 600}, {50, 40, 600}, {200, 20, 300}};

    for (int kind = 0; kind < KINDS; kind++)
        for (size_t k = 0; k < sizeof fleet / sizeof *fleet; k++) {
            struct tally t;

            fuzz(fleet[k].per_worker, kind, fleet[k].workers, fleet[k].steps, &t);
            printf("%u on each of %u, weights %s: %u of %u over, worst %.4f;",
                   fleet[k].per_worker, fleet[k].workers, kind_name[kind], t.over,
                   t.steps, t.worst);
            for (int d = 0; d < DOINGS; d++) {
                double ratio = t.least[d] > 0 ? t.moved[d] / t.least[d] : 1;

                printf(" %s %.2f", doing_name[d], ratio);
                if (fleet[k].per_worker >= 50)
                    ck_assert_msg(ratio <= 2.5, "%s moves %.2f of the least",
                                  doing_name[d], ratio);
            }
            printf(" of the least\n");
            ck_assert_msg(t.over * 100 <= t.steps * 3, "%u of %u steps over", t.over,
                          t.steps);
            ck_assert_msg(t.worst <= 1.05, "%.4f times the bound", t.worst);
            ck_assert_uint_eq(t.restless, 0);
        }
}
END_TEST

UNIT_MAIN("weighted fuzz", loads_stay_in_bounds_at_little_movement)
