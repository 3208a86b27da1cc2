/* The partitions that a simulated source can list, in bytewise order of their ids. */
#include "sim.h"

#include "base/must.h"

#include <stdio.h>
#include <string.h>

static char id_text[SIM_PARTS_MAX][16];
static struct bytes id_of[SIM_PARTS_MAX];
static uint32_t index_of_number[SIM_PARTS_MAX];
static bool is_made;

static void make(void)
{
    /* Bytewise order of decimal numbers: insertion into a sorted table. */
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++) {
        int n = snprintf(id_text[i], sizeof id_text[i], "orders/%u", (unsigned)i);
        must(n > 0 && (size_t)n < sizeof id_text[i]);
        id_text[i][6] = '\0';
        struct bytes id = {id_text[i], (size_t)n};
        uint32_t at = i;
        while (at > 0 && bytes_compare(id, id_of[at - 1]) < 0) {
            id_of[at] = id_of[at - 1];
            at--;
        }
        id_of[at] = id;
    }
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        index_of_number[(id_of[i].at - id_text[0]) / (ptrdiff_t)sizeof id_text[0]] = i;
    is_made = true;
}

struct bytes sim_part_id(uint32_t i)
{
    if (!is_made)
        make();
    return id_of[i];
}

uint32_t sim_part_numbered(uint32_t number)
{
    must(number < SIM_PARTS_MAX);
    if (!is_made)
        make();
    return index_of_number[number];
}

uint32_t sim_part_find(struct bytes id)
{
    uint32_t number = 0;

    if (!is_made)
        make();
    if (id.n < 8 || id.n > 9 || memcmp(id.at, "orders", 7) != 0)
        return SIM_PARTS_MAX;
    for (size_t i = 7; i < id.n; i++) {
        if (id.at[i] < '0' || id.at[i] > '9')
            return SIM_PARTS_MAX;
        number = 10 * number + (uint32_t)(id.at[i] - '0');
    }
    return number < SIM_PARTS_MAX ? index_of_number[number] : SIM_PARTS_MAX;
}
