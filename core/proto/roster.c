#include "proto/roster.h"

#include "base/status.h"

#include <string.h>

size_t roster_size(uint32_t seats)
{
    return seats * sizeof(struct mate) + 64;
}

bool roster_init(struct roster *r, struct arena *arena, uint32_t seats)
{
    r->n = seats;
    r->mate = arena_carve(arena, seats * sizeof *r->mate);
    return r->mate != NULL;
}

void roster_clear(struct roster *r)
{
    memset(r->mate, 0, r->n * sizeof *r->mate);
    r->joiners = 0;
}

/* Whoever sat here is gone: the number is kept for him for a while. */
static void vacate(struct mate *m, uint64_t now_ms)
{
    bool has_joiner = m->has_joiner;
    struct join joiner = m->joiner;
    uint64_t joiner_ms = m->joiner_ms, heard_ms = m->joiner_heard_ms;

    *m = (struct mate){.was_freed = true, .freed_ms = now_ms};
    m->has_joiner = has_joiner;
    m->joiner = joiner;
    m->joiner_ms = joiner_ms;
    m->joiner_heard_ms = heard_ms;
}

static void seat(struct mate *m, const struct head_member *member, uint64_t now_ms)
{
    if (!m->is_member || !session_equal(m->head.session, member->session)) {
        vacate(m, now_ms);
        m->was_freed = false;
        m->is_member = true;
        m->seated_ms = now_ms;
        m->away_ms = now_ms;
    }
    if (member->state == MEMBER_AWAY && m->head.state != MEMBER_AWAY)
        m->away_ms = now_ms;
    m->head = *member;
    if (m->has_joiner && session_equal(m->joiner.session, member->session))
        m->has_joiner = false;
}

int roster_load(struct roster *r, const struct head *head, uint64_t now_ms)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < head->n; i++)
        if (head->member[i].num >= r->n)
            return STATUS_LIMIT;
    r->joiners = 0;
    for (uint32_t num = 0; num < r->n; num++) {
        struct mate *m = &r->mate[num];

        if (at < head->n && head->member[at].num == num)
            seat(m, &head->member[at++], now_ms);
        else if (m->is_member)
            vacate(m, now_ms);
        r->joiners += m->has_joiner ? 1 : 0;
    }
    r->first_joiner_ms = now_ms;
    return 0;
}

static bool is_session_of(const struct mate *m, struct session session)
{
    return m->is_member && session_equal(m->head.session, session);
}

struct mate *roster_find(struct roster *r, struct session session)
{
    for (uint32_t num = 0; num < r->n; num++)
        if (is_session_of(&r->mate[num], session))
            return &r->mate[num];
    return NULL;
}

static struct mate *find_joiner(struct roster *r, struct session session)
{
    for (uint32_t num = 0; num < r->n; num++)
        if (r->mate[num].has_joiner &&
            session_equal(r->mate[num].joiner.session, session))
            return &r->mate[num];
    return NULL;
}

/* Has the holder of this number shown itself since 'since'?  Then it is not the former
 * life of whoever asks for the number. */
static bool holder_lives(const struct mate *m, uint64_t since_ms)
{
    return m->is_member && !m->is_expired && m->is_heard && m->heard_ms > since_ms;
}

/* A joiner repeats itself every two beats; this one has fallen silent.  One whose seat
 * is being made free is not replaced: a plan may count on it. */
static bool joiner_is_stale(const struct mate *m, const struct node_timing *timing,
                            uint64_t now_ms)
{
    return !m->is_expired &&
           now_ms > m->joiner_heard_ms + SUSPECT_BEATS * timing->heartbeat_interval;
}

static void set_joiner(struct roster *r, struct mate *m, const struct join *j,
                       uint64_t since_ms)
{
    if (r->joiners == 0)
        r->first_joiner_ms = since_ms;
    r->joiners++;
    m->has_joiner = true;
    m->joiner = *j;
    m->joiner_ms = since_ms;
    m->joiner_heard_ms = since_ms;
}

/* The lowest number that is free and not kept for a former holder; if all free ones are
 * kept, the lowest of those: a worker without an id helps nobody. */
static struct mate *lowest_free(struct roster *r, const struct node_timing *timing,
                                uint64_t now_ms)
{
    struct mate *kept = NULL;

    for (uint32_t num = 0; num < r->n; num++) {
        struct mate *m = &r->mate[num];

        if (m->is_member || m->has_joiner)
            continue;
        if (!m->was_freed || now_ms >= m->freed_ms + timing->worker_id_ttl)
            return m;
        if (kept == NULL)
            kept = m;
    }
    return kept;
}

enum join_answer roster_join(struct roster *r, const struct join *j,
                             const struct node_timing *timing, uint64_t now_ms)
{
    struct mate *m;

    if (roster_find(r, j->session) != NULL)
        return JOIN_KNOWN;
    m = find_joiner(r, j->session);
    if (m != NULL) {
        m->joiner_heard_ms = now_ms;
        if (!holder_lives(m, m->joiner_ms))
            return JOIN_KNOWN;
        m->has_joiner = false; /* the wish is not to be had: look for another number */
        r->joiners--;
    } else if (j->wish >= 0 && (uint64_t)j->wish < r->n) {
        struct mate *wish = &r->mate[j->wish];

        if (wish->has_joiner && joiner_is_stale(wish, timing, now_ms)) {
            wish->has_joiner = false;
            r->joiners--;
        }
        if (!wish->has_joiner) {
            set_joiner(r, wish, j, now_ms);
            return JOIN_WAITS;
        }
    }
    m = lowest_free(r, timing, now_ms);
    if (m == NULL)
        return JOIN_REFUSED;
    set_joiner(r, m, j, now_ms);
    return JOIN_WAITS;
}

void roster_forget_silent(struct roster *r, const struct node_timing *timing,
                          uint64_t now_ms)
{
    for (uint32_t num = 0; num < r->n && r->joiners > 0; num++) {
        struct mate *m = &r->mate[num];

        if (m->is_member && m->has_joiner && joiner_is_stale(m, timing, now_ms)) {
            m->has_joiner = false;
            r->joiners--;
        }
    }
}

struct mate *roster_heartbeat(struct roster *r, const struct heartbeat *h, bool is_echo,
                              bool is_report, uint64_t now_ms)
{
    struct mate *m;

    if (h->num < r->n && is_session_of(&r->mate[h->num], h->session))
        m = &r->mate[h->num];
    else
        m = roster_find(r, h->session);
    if (m == NULL)
        return NULL;
    m->is_heard = true;
    m->heard_ms = now_ms;
    m->flags = h->flags;
    m->unread = h->unread;
    bytes_to_text(bytes_of(h->unread_why), m->unread_why, sizeof m->unread_why);
    if (is_echo && h->k > m->echo_k) {
        m->echo_k = h->k;
        m->echo_ms = now_ms;
    }
    if (is_report && (!m->has_report || h->released > m->reported)) {
        m->has_report = true;
        m->reported = h->released;
    }
    return m;
}

void roster_bits(struct roster *r, struct beacon *b)
{
    for (uint32_t num = 0; num < r->n; num++) {
        struct mate *m = &r->mate[num];

        if (!m->is_member || m->is_expired || m->echo_k == 0)
            continue;
        uint64_t lag = b->k - 1 - m->echo_k;
        if (lag >= BEACON_LAGS)
            continue;
        b->bits[lag][num / 8] = (uint8_t)(b->bits[lag][num / 8] | 1u << (num % 8));
        b->bits_n[lag] = num / 8 + 1;
        m->has_bit = true;
        /* Its deadline is anchored at its send time, which lies before this arrival. */
        m->bit_ms = m->echo_ms;
    }
}

void roster_unread(const struct roster *r, struct beacon *b)
{
    for (uint32_t num = 0; num < r->n; num++) {
        const struct mate *m = &r->mate[num];

        if (!m->is_member || m->is_expired || m->unread == 0)
            continue;
        if (b->unread_workers == 0) {
            b->unread_num = num;
            bytes_to_text(bytes_of(m->unread_why), b->unread_why, sizeof b->unread_why);
        }
        b->unread_workers++;
        b->unread += m->unread < UINT32_MAX - b->unread ? m->unread : 0;
    }
}

uint64_t roster_stretch(uint64_t duration_ms, const struct node_timing *timing)
{
    return duration_ms + duration_ms * 2 * timing->clock_drift_ppm / 1000000 +
           ROUNDING_MS;
}

uint64_t roster_lapse_ms(const struct mate *m, const struct node_timing *timing)
{
    return m->has_bit ? m->bit_ms + roster_stretch(timing->heartbeat_ttl, timing) : 0;
}

bool roster_seat_is_open(const struct mate *m)
{
    return m->has_joiner && (!m->is_member || m->is_expired);
}
