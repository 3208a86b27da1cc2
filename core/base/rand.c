#include "base/rand.h"

#include "base/must.h"

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

/* splitmix64: spreads one word over the state, as the generator's authors advise. */
static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rand_seed(struct rand_state *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

void rand_seed_wide(struct rand_state *r, const uint64_t entropy[4])
{
    for (int i = 0; i < 4; i++) {
        uint64_t word = entropy[i] + (uint64_t)i;
        r->s[i] = splitmix(&word);
    }
}

uint64_t rand_next(struct rand_state *r)
{
    uint64_t result = rotl(r->s[1] * 5, 7) * 9;
    uint64_t t = r->s[1] << 17;

    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return result;
}

uint64_t rand_below(struct rand_state *r, uint64_t below)
{
    must(below > 0);
    return below <= UINT32_MAX ? ((rand_next(r) >> 32) * below) >> 32
                               : rand_next(r) % below;
}
