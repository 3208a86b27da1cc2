#include "guided.h"

/* In owner[] while a call runs: may or must move, and lives away from home. */
#define AWAY UINT32_MAX

enum { STOP_EVERY = 256 }; /* blocks */

void guided_finish(struct guided *g)
{
    sticky_finish(&g->sticky);
    home_finish(&g->home);
}

/* The rest of a block when no move is left: whoever has it keeps it. */
static void keep(const struct sticky *s, const struct parti_world *w, uint32_t *owner,
                 uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        owner[i] = s->fleet.map[w->part_prev[i]];
}

static void move(struct sticky *s, uint32_t *owner, uint32_t from, uint32_t to)
{
    s->give[from]--;
    s->need[to]--;
    s->moves--;
    *owner = to;
}

/* Partitions of a giver go home where home is needy; the rest of those away from home
 * are marked.  One block. */
static void send_home(struct guided *g, const struct parti_world *w, uint32_t *owner,
                      uint64_t from, uint64_t to)
{
    struct sticky *s = &g->sticky;
    uint32_t n = 0;

    for (uint64_t i = from; i < to; i++) {
        uint32_t rank = s->fleet.map[w->part_prev[i]];

        owner[i] = rank;
        g->pick[n] = (uint32_t)(i - from);
        n += s->give[rank] != 0;
    }
    home_of(&g->home, w->part_hash + from, g->pick, n, g->at_home);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t home = g->at_home[k], *at = &owner[from + g->pick[k]];

        if (home == *at)
            continue;
        if (s->need[home] > 0 && s->give[*at] > 0) {
            move(s, at, *at, home);
        } else {
            *at = AWAY;
        }
    }
}

/* The first needy worker that the hash asks before it comes to 'from'; n when there is
 * none among the first few. */
static uint32_t find_better(const struct guided *g, uint64_t hash, uint32_t from)
{
    struct home_walk walk = home_start(hash);

    for (int probe = 0; probe < HOME_PROBES; probe++) {
        uint32_t rank = home_next(&g->home, &walk);

        if (rank == from)
            break;
        if (g->sticky.need[rank] > 0)
            return rank;
    }
    return g->sticky.fleet.n;
}

/* Gives away what 'from' has, if 'from' still must: to one that the hash prefers, else
 * to any.  'any' is where the search for that one starts. */
static void give_away(struct guided *g, uint64_t hash, uint32_t *owner, uint32_t from,
                      uint32_t *any)
{
    struct sticky *s = &g->sticky;

    *owner = from;
    if (s->give[from] == 0)
        return;

    uint32_t to = find_better(g, hash, s->fleet.n);

    if (to == s->fleet.n) {
        while (s->need[*any] == 0)
            ++*any;
        to = *any;
    }
    move(s, owner, from, to);
}

/* Orphans find a place; of the others away from home those move that prefer another
 * worker to their own.  This is how partitions that a worker had without being their
 * home find back to it. */
static void place_away(struct guided *g, const struct parti_world *w, uint32_t *owner,
                       uint64_t i, uint32_t *any)
{
    struct sticky *s = &g->sticky;
    uint32_t from = s->fleet.map[w->part_prev[i]], to;

    if (from == s->fleet.n) {
        give_away(g, w->part_hash[i], &owner[i], from, any);
    } else if (s->give[from] == 0) {
        owner[i] = from;
    } else {
        to = find_better(g, w->part_hash[i], from);
        if (to < s->fleet.n)
            move(s, &owner[i], from, to);
    }
}

int32_t guided_assign(struct guided *g, const struct parti_world *w, uint32_t *owner,
                      struct parti_error *error)
{
    struct sticky *s = &g->sticky;
    int32_t code = sticky_plan(s, w, error);
    uint64_t at = 0, blocks = 0, n = w->part_n;
    uint32_t any = 0;

    if (code != PARTI_OK)
        return code;
    if (s->moves > 0 && !home_build(&g->home, &s->fleet))
        return PARTI_NOMEM;
    for (uint64_t to; at < n && s->moves > 0; at = to) {
        to = n - at > HOME_BLOCK ? at + HOME_BLOCK : n;
        send_home(g, w, owner, at, to);
        if (++blocks % STOP_EVERY == 0 && fleet_stop(s->host))
            return PARTI_CANCELED;
    }
    keep(s, w, owner, at, n);
    if (at == 0)
        return PARTI_OK;

    for (uint64_t i = 0; i < at; i++) {
        if (owner[i] == AWAY)
            place_away(g, w, owner, i, &any);
        if (i % (STOP_EVERY * HOME_BLOCK) == 0 && fleet_stop(s->host))
            return PARTI_CANCELED;
    }
    /* What is still to be given: others away from home, then anyone.  From the end, for
     * a cold start fills homes from the beginning: so the same ones give way. */
    for (uint64_t i = at; i-- > 0;)
        if (owner[i] == AWAY)
            give_away(g, w->part_hash[i], &owner[i], s->fleet.map[w->part_prev[i]], &any);
    for (uint64_t i = n; i-- > 0 && s->moves > 0;)
        if (s->give[owner[i]] > 0)
            give_away(g, w->part_hash[i], &owner[i], owner[i], &any);
    return PARTI_OK;
}
