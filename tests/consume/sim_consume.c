/* sim_consume [--seeds N] [--first S] [--until-failure]: runs seeds, judges each.
 * sim_consume --seed S: one seed, with its story.  The last line on stdout is JSON.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHOWN_MAX = 10 };

struct totals {
    uint64_t seeds, violations, steps, handled, dead, commits, refused, grants, crashes,
        fences, again, kills_max;
};

static void add(struct totals *t, const struct sim *s)
{
    t->seeds++;
    t->steps += s->steps;
    t->handled += s->handled;
    t->dead += s->dead;
    t->commits += s->commits;
    t->refused += s->refused;
    t->grants += s->grants;
    t->crashes += s->crashes;
    t->fences += s->fences;
    t->again += s->again;
    if (s->kills_max > t->kills_max)
        t->kills_max = s->kills_max;
    if (s->failure[0] == '\0')
        return;
    if (t->violations++ < SHOWN_MAX)
        printf("seed %llu: at %llu ms: %s\n    replay: sim_consume --seed %llu\n",
               (unsigned long long)s->seed, (unsigned long long)s->failed_at, s->failure,
               (unsigned long long)s->seed);
}

static uint64_t wall_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void print_json(const struct totals *t, uint64_t ms)
{
    printf(
        "{\"target\":\"sim_consume\",\"seeds\":%llu,\"violations\":%llu,\"steps\":%llu,"
        "\"handled\":%llu,\"again\":%llu,\"dead_letters\":%llu,\"records\":%llu,"
        "\"refused\":%llu,\"grants\":%llu,\"crashes\":%llu,\"fences\":%llu,"
        "\"kills_max\":%llu,\"ms\":%llu}\n",
        (unsigned long long)t->seeds, (unsigned long long)t->violations,
        (unsigned long long)t->steps, (unsigned long long)t->handled,
        (unsigned long long)t->again, (unsigned long long)t->dead,
        (unsigned long long)t->commits, (unsigned long long)t->refused,
        (unsigned long long)t->grants, (unsigned long long)t->crashes,
        (unsigned long long)t->fences, (unsigned long long)t->kills_max,
        (unsigned long long)ms);
}

int main(int argc, char **argv)
{
    struct sim *s = calloc(1, sizeof *s);
    struct totals t = {.seeds = 0};
    uint64_t seeds = 1000, first = 1, begin = wall_ms();
    bool is_told = false, stops = false;

    if (s == NULL)
        return EXIT_FAILURE;
    for (int i = 1; i < argc; i++) {
        uint64_t value = i + 1 < argc ? strtoull(argv[i + 1], NULL, 10) : 0;

        if (strcmp(argv[i], "--until-failure") == 0) {
            stops = true;
            continue;
        }
        if (strcmp(argv[i], "--seeds") == 0) {
            seeds = value;
        } else if (strcmp(argv[i], "--first") == 0) {
            first = value;
        } else if (strcmp(argv[i], "--seed") == 0) {
            first = value;
            seeds = 1;
            is_told = true;
        } else {
            fprintf(stderr, "sim_consume: %s is not known\n", argv[i]);
            free(s);
            return EXIT_FAILURE;
        }
        i++;
    }
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        sim_run(s, seed, is_told);
        add(&t, s);
        if (stops && t.violations > 0)
            break;
    }
    print_json(&t, wall_ms() - begin);
    free(s);
    return t.violations == 0 && t.seeds > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
