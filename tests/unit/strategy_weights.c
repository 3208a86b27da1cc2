#include "strategy_weights.h"

const char *const kind_name[KINDS] = {"50..200", "10 % are 5x", "Pareto", "Zipf",
                                      "1, 2, 5, 10"};

uint32_t draw_weight(int kind, struct rand_state *rand)
{
    uint64_t u = 1 + rand_below(rand, 1u << 20);

    switch (kind) {
    case KIND_UNIFORM: return 50 + (uint32_t)(u % 151);
    case KIND_FIVEFOLD: return u % 10 == 0 ? 500 : 100;
    case KIND_PARETO: {
        /* 100 / u^(1/1.2), u in (0, 1], by ten halvings of the exponent's interval: close
         * enough for a heavy tail, and the same on every machine. */
        uint64_t weight = 100;

        while (u < 1u << 19 && weight < 100000) {
            u *= 2;
            weight = weight * 178 / 100;
        }
        return (uint32_t)(weight + weight * ((1u << 20) - u) * 78 / (100u << 19));
    }
    case KIND_ZIPF: return 100 + 1000000 / (uint32_t)(1 + u % 20000);
    default: return (const uint32_t[]){1, 2, 5, 10}[u % 4];
    }
}

void measure(const struct rig *rig, bool before, struct load *load)
{
    memset(load, 0, sizeof *load);
    for (uint32_t i = 0; i < rig->part_n; i++) {
        uint32_t at = before ? rig->prev_to_now[rig->prev[i]] : rig->owner[i];
        int64_t weight = rig->weight[i];

        load->total += weight;
        if (at == rig->n)
            continue;
        load->load[at] += weight;
        load->biggest[at] = weight > load->biggest[at] ? weight : load->biggest[at];
    }
    for (uint32_t k = 0; k < rig->n; k++)
        load->max = load->load[k] > load->max ? load->load[k] : load->max;
}

double moved_weight(const struct rig *rig)
{
    double moved = 0;

    for (uint32_t i = 0; i < rig->part_n; i++)
        if (rig->prev_to_now[rig->prev[i]] != rig->owner[i])
            moved += rig->weight[i];
    return moved;
}
