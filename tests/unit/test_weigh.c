/* Weights that follow a measure but not its noise. */
#include "weigh.h"

#include "unit.h"

enum { ROWS = 4096, MIN = 60000 };

/* What the sink was given. */
struct got {
    struct parti_sink sink;
    uint32_t n;
    char id[ROWS][16];
    uint32_t weight[ROWS];
};

static int32_t on_add(struct parti_sink *sink, const struct parti_rows *rows)
{
    struct got *got = sink->ctx;

    for (uint64_t i = 0; i < rows->id.n; i++) {
        uint64_t n;
        const char *id = parti_str(&rows->id, i, &n);

        ck_assert_uint_lt(got->n, ROWS);
        ck_assert_uint_lt(n, sizeof got->id[0]);
        memcpy(got->id[got->n], id, n);
        got->weight[got->n++] = rows->weight[i];
    }
    return PARTI_OK;
}

static struct got got;

/* One listing of these measures for the partitions "a", "b", ... ; -1: not there. */
static void list(struct weigh *w, uint64_t now_ms, const int64_t *measure, size_t n)
{
    ck_assert_int_eq(weigh_begin(w), PARTI_OK);
    for (size_t i = 0; i < n; i++) {
        char id = (char)('a' + i);

        if (measure[i] >= 0)
            ck_assert_int_eq(weigh_add(w, &id, 1, (uint64_t)measure[i]), PARTI_OK);
    }
    weigh_end(w, now_ms);
    memset(&got, 0, sizeof got);
    got.sink = (struct parti_sink){.size = sizeof got.sink, .ctx = &got, .add = on_add};
    ck_assert_int_eq(weigh_give(w, &got.sink), PARTI_OK);
    ck_assert_uint_eq(got.n, weigh_count(w));
}
#define LIST(w, now_ms, ...)                            \
    list((w), (now_ms), (const int64_t[]){__VA_ARGS__}, \
         sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t))

static void weighs(const char *expected)
{
    char all[1024] = "";
    size_t n = 0;

    for (uint32_t i = 0; i < got.n; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s:%u", i > 0 ? " " : "",
                              got.id[i], got.weight[i]);
    ck_assert_str_eq(all, expected);
}

static struct weigh *make(struct weigh_rule rule)
{
    struct weigh *w = weigh_create(&rule);

    ck_assert_ptr_nonnull(w);
    return w;
}

START_TEST(the_mean_weighs_100_and_growth_of_all_alike_changes_nothing)
{
    struct weigh *w = make((struct weigh_rule){.band_percent = 25});

    LIST(w, 0, 1000, 2000, 3000);
    weighs("a:50 b:100 c:150");
    LIST(w, 1, 1000000, 2000000, 3000000);
    weighs("a:50 b:100 c:150");
    weigh_destroy(w);
}
END_TEST

START_TEST(a_unit_makes_weights_that_grow_with_the_measure)
{
    struct weigh *w = make((struct weigh_rule){.unit = 1000, .band_percent = 25});

    LIST(w, 0, 0, 500, 1000, 10000);
    weighs("a:1 b:50 c:100 d:1000");
    LIST(w, 1, INT64_MAX);
    weighs("a:1000000");
    weigh_destroy(w);
}
END_TEST

START_TEST(a_base_makes_small_numbers_alike)
{
    struct weigh *w = make((struct weigh_rule){.base = 100, .band_percent = 25});

    LIST(w, 0, 0, 1, 2, 5);
    weighs("a:100 b:100 c:100 d:100");
    LIST(w, 1, 0, 0, 0, 0);
    weighs("a:100 b:100 c:100 d:100");
    weigh_destroy(w);
}
END_TEST

START_TEST(nothing_at_all_weighs_100_each)
{
    struct weigh *w = make((struct weigh_rule){.band_percent = 25});

    LIST(w, 0, 0, 0);
    weighs("a:100 b:100");
    weigh_destroy(w);
}
END_TEST

START_TEST(inside_the_band_nothing_moves_and_beyond_it_does)
{
    struct weigh *w = make((struct weigh_rule){.unit = 1000, .band_percent = 25});

    LIST(w, 0, 1000);
    weighs("a:100");
    LIST(w, 1, 1250);
    weighs("a:100");
    LIST(w, 2, 750);
    weighs("a:100");
    LIST(w, 3, 1260);
    weighs("a:125");
    LIST(w, 4, 1000); /* back, but within the band of 125 */
    weighs("a:125");
    LIST(w, 5, 930);
    weighs("a:87");
    weigh_destroy(w);
}
END_TEST

START_TEST(half_of_a_change_comes_through_in_a_half_life)
{
    struct weigh *w = make((struct weigh_rule){.unit = 1000, .half_life_ms = MIN});

    LIST(w, 0, 1000);
    weighs("a:100");
    LIST(w, 0, 9000); /* no time has passed */
    weighs("a:100");
    LIST(w, MIN, 9000);
    weighs("a:500");
    LIST(w, MIN + MIN / 2, 9000); /* a quarter of what was left: 6000 */
    weighs("a:600");
    LIST(w, 1000 * (uint64_t)MIN, 9000);
    weighs("a:1000"); /* the next step of the scale */
    weigh_destroy(w);
}
END_TEST

START_TEST(how_often_is_looked_does_not_matter)
{
    struct weigh *w = make((struct weigh_rule){.unit = 1000, .half_life_ms = 1440 * MIN});

    LIST(w, 0, 1000);
    for (uint64_t ms = 2000; ms <= 1440 * (uint64_t)MIN; ms += 2000)
        LIST(w, ms, 9000);
    weighs("a:500");
    weigh_destroy(w);
}
END_TEST

START_TEST(a_short_burst_moves_nothing)
{
    struct weigh *w = make(
        (struct weigh_rule){.base = 100, .band_percent = 25, .half_life_ms = 2 * MIN});

    LIST(w, 0, 1000, 1000, 1000, 1000);
    LIST(w, 5000, 6000, 1000, 1000, 1000); /* six times as much for one listing */
    weighs("a:100 b:100 c:100 d:100");
    LIST(w, 10000, 1000, 1000, 1000, 1000);
    weighs("a:100 b:100 c:100 d:100");
    weigh_destroy(w);
}
END_TEST

START_TEST(noise_of_a_fifth_never_moves_a_thousand_partitions)
{
    struct weigh *w = make(
        (struct weigh_rule){.base = 100, .band_percent = 25, .half_life_ms = 2 * MIN});
    struct got *first = malloc(sizeof *first);
    uint64_t random = 1;

    ck_assert_ptr_nonnull(first);
    for (int listing = 0; listing < 200; listing++) {
        ck_assert_int_eq(weigh_begin(w), PARTI_OK);
        for (uint64_t i = 0; i < 1000; i++) {
            char id[16];
            uint64_t calm = 1000 + i * 10;

            random = random * 6364136223846793005u + 1442695040888963407u;
            int n = snprintf(id, sizeof id, "p%u", (unsigned)i);
            uint64_t noisy = calm - calm / 5 + (random >> 33) % (2 * calm / 5 + 1);
            ck_assert_int_eq(weigh_add(w, id, (size_t)n, listing == 0 ? calm : noisy),
                             PARTI_OK);
        }
        weigh_end(w, (uint64_t)listing * 5000);
        memset(&got, 0, sizeof got);
        got.sink =
            (struct parti_sink){.size = sizeof got.sink, .ctx = &got, .add = on_add};
        ck_assert_int_eq(weigh_give(w, &got.sink), PARTI_OK);
        if (listing == 0)
            *first = got;
        ck_assert_uint_eq(got.n, 1000);
        ck_assert_mem_eq(got.id, first->id, sizeof got.id);
        ck_assert_mem_eq(got.weight, first->weight, sizeof got.weight);
    }
    free(first);
    weigh_destroy(w);
}
END_TEST

START_TEST(partitions_come_go_and_come_back_as_new)
{
    struct weigh *w =
        make((struct weigh_rule){.unit = 1000, .half_life_ms = MIN, .band_percent = 25});

    LIST(w, 0, 1000, 1000);
    weighs("a:100 b:100");
    LIST(w, 0, 1000, -1, 2000);
    weighs("a:100 c:200");
    LIST(w, 0, 1000, 4000, 2000);
    weighs("a:100 c:200 b:400");
    weigh_destroy(w);
}
END_TEST

START_TEST(the_same_id_again_adds_up)
{
    struct weigh *w = make((struct weigh_rule){.unit = 1000});

    ck_assert_int_eq(weigh_begin(w), PARTI_OK);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(weigh_add(w, "a", 1, 100), PARTI_OK);
    ck_assert_uint_eq(weigh_count(w), 1);
    LIST(w, 1, 1000); /* the one given up leaves nothing behind */
    weighs("a:100");
    weigh_destroy(w);
}
END_TEST

START_TEST(a_listing_given_up_does_not_count)
{
    struct weigh *w =
        make((struct weigh_rule){.unit = 1000, .half_life_ms = MIN, .band_percent = 25});

    LIST(w, 0, 1000, 1000);
    ck_assert_int_eq(weigh_begin(w), PARTI_OK);
    ck_assert_int_eq(weigh_add(w, "a", 1, 9000), PARTI_OK);
    ck_assert_int_eq(weigh_add(w, "z", 1, 9000), PARTI_OK);
    LIST(w, 0, 9000, 9000); /* both have kept their history */
    weighs("a:100 b:100");
    weigh_destroy(w);
}
END_TEST

START_TEST(fixed_is_fixed)
{
    struct weigh *w = make((struct weigh_rule){.fixed = 7});

    LIST(w, 0, 1, 1000000);
    weighs("a:7 b:7");
    weigh_destroy(w);
}
END_TEST

START_TEST(a_million_partitions_fit_and_one_more_does_not)
{
    struct weigh *w = make((struct weigh_rule){.band_percent = 25});
    char id[16];

    for (int listing = 0; listing < 2; listing++) {
        ck_assert_int_eq(weigh_begin(w), PARTI_OK);
        for (int i = 0; i < WEIGH_ROWS_MAX; i++) {
            int n = snprintf(id, sizeof id, "%d-%d", listing, i);

            ck_assert_int_eq(weigh_add(w, id, (size_t)n, WEIGH_MEASURE_MAX), PARTI_OK);
        }
        weigh_end(w, 0);
    }
    ck_assert_uint_eq(weigh_count(w), WEIGH_ROWS_MAX);
    ck_assert_int_eq(weigh_add(w, "more", 4, 1), PARTI_BADINPUT);
    ck_assert_int_eq(weigh_add(w, "", 0, 1), PARTI_BADINPUT);
    weigh_destroy(w);
}
END_TEST

UNIT_MAIN("weigh", the_mean_weighs_100_and_growth_of_all_alike_changes_nothing,
          a_unit_makes_weights_that_grow_with_the_measure,
          a_base_makes_small_numbers_alike, nothing_at_all_weighs_100_each,
          inside_the_band_nothing_moves_and_beyond_it_does,
          half_of_a_change_comes_through_in_a_half_life,
          how_often_is_looked_does_not_matter, a_short_burst_moves_nothing,
          noise_of_a_fifth_never_moves_a_thousand_partitions,
          partitions_come_go_and_come_back_as_new, the_same_id_again_adds_up,
          a_listing_given_up_does_not_count, fixed_is_fixed,
          a_million_partitions_fit_and_one_more_does_not)
