#include "config.h"

#include "mutant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RARE = 97, PARTITIONS_MAX = 100000 };

enum mutant mutant;
static struct ledger_row *kept; /* by partition, what is to come later */

void mutant_set(const char *name)
{
    static const char *const names[] = {"sound",  "skip",    "early", "blind",
                                        "twice",  "jump",    "naked", "unburied",
                                        "deadly", "overtake"};

    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(name, names[i]) == 0)
            mutant = (enum mutant)i;
    if (mutant == SOUND && strcmp(name, names[SOUND]) != 0) {
        (void)fprintf(stderr, "worker: no mutant is called %s\n", name);
        exit(2);
    }
    kept = calloc(PARTITIONS_MAX, sizeof *kept);
    if (kept == NULL)
        exit(1);
}

bool mutant_is_rare(const struct ledger_row *row)
{
    return row->number % RARE == RARE - 1;
}

enum ledger_kind mutant_answer(const struct ledger_row *row)
{
    enum ledger_kind kind = (enum ledger_kind)row->kind;

    switch (mutant) {
    case NAKED: return kind == LEDGER_NAKED ? LEDGER_HANDLED : kind;
    case UNBURIED: return kind == LEDGER_TERMED ? LEDGER_HANDLED : kind;
    case DEADLY:
        return kind == LEDGER_HANDLED && mutant_is_rare(row) ? LEDGER_TERMED : kind;
    case SOUND:
    case SKIP:
    case EARLY:
    case BLIND:
    case TWICE:
    case JUMP:
    case OVERTAKE: break;
    }
    return kind;
}

void mutant_keep(const struct ledger_row *row)
{
    kept[row->partition] = *row;
}

void mutant_put_kept(const struct ledger_io *io, const struct ledger_row *row)
{
    struct ledger_row *old = &kept[row->partition];
    uint32_t after = mutant == TWICE ? RARE - 1 : 1;

    if (old->kind == LEDGER_NONE || row->number < old->number + after)
        return;
    old->begin_ns = old->end_ns = ledger_now_ns();
    ledger_put(io, old);
    *old = (struct ledger_row){0};
}
