/* The end of the demo: do the workers' counts add up, and what was measured. */
#include "cli/demo.h"

#include "cli/cli.h"
#include "edge/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The newest count of each section that its holder's child wrote. */
static int sum_counts(const struct demo *d, uint64_t *ret_sum)
{
    uint64_t counted[DEMO_SECTIONS_MAX] = {0};

    for (uint32_t k = 0; k < d->fleet.n; k++) {
        char path[PATH_MAX], name[DEMO_SECTION_ROOM], token[64];
        unsigned long long packages;
        FILE *f;

        (void)snprintf(path, sizeof path, "%s/count.%u", d->folder, k);
        f = fopen(path, "re");
        while (f != NULL && fscanf(f, "%63s %llu %63s", name, &packages, token) == 3)
            for (uint32_t i = 0; i < d->input.n; i++)
                if (strcmp(d->input.section[i].name, name) == 0 &&
                    ledger_holder(&d->fleet.ledger, i) == (int)k)
                    counted[i] = packages;
        if (f != NULL)
            (void)fclose(f);
    }
    *ret_sum = 0;
    for (uint32_t i = 0; i < d->input.n; i++)
        *ret_sum += counted[i];
    return 0;
}

/* The children write behind the events: wait until they have. */
static bool counts_are_complete(struct fleet *f, const void *ctx)
{
    const struct demo *d = ctx;
    uint64_t sum;

    (void)f;
    return sum_counts(d, &sum) == 0 && sum == d->input.packages;
}

int demo_finish(struct demo *d)
{
    uint32_t overlaps = ledger_overlaps(&d->fleet.ledger);
    bool is_complete = fleet_wait(&d->fleet, counts_are_complete, d, 10000) == 0;
    uint64_t sum = 0, gap = ledger_longest_gap_ns(&d->fleet.ledger, 0) / CLOCK_NS_PER_MS;

    (void)sum_counts(d, &sum);
    printf("\n%5.1f s  what the workers' own event lines say\n", demo_seconds(d));
    printf("  time to first assignment        %6" PRIu64 " ms   (all held %" PRIu64
           " ms)\n",
           d->first_ms, d->cold_ms);
    printf("  join -> holds its share         %6" PRIu64 " ms\n", d->join_ms);
    printf("  moved when one joined           %6" PRIu64 "      (a plan as even: %" PRIu64
           " at least)\n",
           d->join.moved, d->join.moved_least);
    printf("  crash -> held elsewhere         %6" PRIu64 " ms\n", d->crash_ms);
    printf("  back after a crash -> its share %6" PRIu64 " ms\n", d->return_ms);
    printf("  restart -> holds the same again %6" PRIu64 " ms\n", d->restart_ms);
    printf("  moved by the restart            %6" PRIu64 "\n", d->restart.moved);
    printf("  drain -> held elsewhere         %6" PRIu64 " ms\n", d->drain_ms);
    printf("  unowned while draining          %6" PRIu64 " ms\n", d->drain_gap_ms);
    printf("  longest unowned time            %6" PRIu64 " ms\n", gap);
    printf("  packages counted by the workers %6" PRIu64 "     (direct count %" PRIu64
           ")\n",
           sum, d->input.packages);
    printf("  held by two at once             %6u\n", overlaps);
    if (overlaps != 0)
        return demo_failed(d, "two workers held one section at the same time");
    if (!is_complete)
        return demo_failed(d, "the workers' counts do not add up to the direct count");
    return CLI_OK;
}
