#include "proto/term.h"

#include <string.h>

enum heard term_hear(struct term *t, const struct beacon *b, uint64_t now_ms)
{
    bool is_known = session_equal(b->leader, t->leader);

    if (b->term < t->seen)
        return HEARD_STALE;
    if (b->term == t->seen && !session_is_none(t->leader) && !is_known)
        return HEARD_STALE;
    t->seen = b->term;
    t->leader = b->leader;
    t->leader_addr = b->addr;
    if (b->allowance_ms > 0)
        t->heard_ms = now_ms;
    if (is_known && t->told_term == b->term && strcmp(t->leader_id, b->id) == 0)
        return HEARD_KNOWN;
    t->told_term = b->term;
    memcpy(t->leader_id, b->id, sizeof t->leader_id);
    return HEARD_NEW;
}

void term_wait(struct term *t, const struct node_timing *timing, bool is_member,
               uint32_t rank, uint32_t members, struct rand_state *rand, uint64_t from_ms)
{
    uint64_t spread = timing->election_timeout * 2 / 5;
    uint64_t late = spread * 5 / 4 + rand_below(rand, spread + 1);

    if (is_member && members > 0)
        late = spread * rank / members + rand_below(rand, spread / (members + 1) + 1);
    t->elect_at_ms = from_ms + timing->election_timeout + late;
}

uint64_t term_auth_end_ms(const struct term *t, const struct node_timing *timing)
{
    return t->t_kv_ms + timing->leader_authority;
}

bool term_is_candidate(const struct term *t)
{
    return t->role == ROLE_ASKING_INFO || t->role == ROLE_READING_LEASE ||
           t->role == ROLE_WRITING_LEASE;
}
