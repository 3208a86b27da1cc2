#include "cli/demo_moves.h"

#include "base/must.h"
#include "host/strategy_judge.h"

enum { WORKERS_MAX = 64, CAPACITY_USUAL = 100 };

int demo_moves_count(const struct demo_input *input, const int *before, const int *after,
                     const bool *is_living, uint32_t workers_n, struct demo_moves *ret)
{
    static uint32_t weight[DEMO_SECTIONS_MAX], prev[DEMO_SECTIONS_MAX],
        owner[DEMO_SECTIONS_MAX];
    uint32_t capacity[WORKERS_MAX], flags[WORKERS_MAX], same[WORKERS_MAX + 1];
    struct judgement j = {0};
    uint64_t packages = 0;

    must(workers_n < WORKERS_MAX && input->packages > 0);
    for (uint32_t k = 0; k < workers_n; k++) {
        capacity[k] = CAPACITY_USUAL;
        flags[k] = is_living[k] ? 0 : PARTI_WORKER_DRAINING;
        same[k] = k;
    }
    same[workers_n] = workers_n;
    for (size_t i = 0; i < input->n; i++) {
        must(after[i] >= 0);
        weight[i] = input->section[i].packages;
        prev[i] = before[i] >= 0 ? (uint32_t)before[i] : workers_n;
        owner[i] = (uint32_t)after[i];
        packages += before[i] != after[i] ? weight[i] : 0;
    }
    struct parti_world world = {.size = sizeof world,
                                .event = PARTI_EVENT_SCALE,
                                .part_n = input->n,
                                .part_weight = weight,
                                .part_prev = prev,
                                .worker_n = workers_n,
                                .prev_n = workers_n,
                                .worker_capacity = capacity,
                                .worker_flags = flags,
                                .prev_to_now = same,
                                .moves_max = UINT64_MAX};
    int status = judge_answer(&world, owner, &j);

    *ret = (struct demo_moves){j.moved, j.moved_least,
                               100.0 * (double)packages / (double)input->packages};
    return status;
}
