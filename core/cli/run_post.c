#include "cli/run_post.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 64 };

void run_post_init(struct run_post *p, void *ctx,
                   void (*answer)(void *ctx, struct parti_ticket ticket,
                                  enum run_answer answer, uint64_t delay_ms))
{
    *p = (struct run_post){
        .ctx = ctx, .answer = answer, .oldest = 1, .next = 1, .spoken = 1};
    p->last = &p->first;
}

struct run_letter *run_letter_create(const struct parti_message *message)
{
    struct run_letter *l = calloc(1, sizeof *l);

    if (l != NULL)
        hands_keep(&l->kept, message);
    return l;
}

struct run_letter *run_letter_create_over(struct parti_hold hold, uint32_t stretch)
{
    struct run_letter *l = calloc(1, sizeof *l);

    must(l != NULL); /* small, and whoever is not told waits for ever */
    l->is_over = true;
    l->kept.message.ticket = (struct parti_ticket){.hold = hold, .stretch = stretch};
    return l;
}

void run_letter_destroy(struct run_letter *l)
{
    if (l != NULL)
        hands_unkeep(&l->kept);
    free(l);
}

static const struct parti_ticket *ticket_of(const struct run_letter *l)
{
    return &l->kept.message.ticket;
}

static struct run_letter **place(const struct run_post *p, uint64_t n)
{
    return &p->sent[n & (p->room - 1)];
}

void run_post_finish(struct run_post *p)
{
    if (p->last == NULL)
        return;
    run_post_forget_all(p);
    free(p->sent);
    free(p->slot);
    *p = (struct run_post){0};
}

/* ---- partitions -------------------------------------------------------------------- */

static struct run_post_slot *slot_at(struct run_post *p, uint32_t number)
{
    if (number >= p->slots) {
        uint32_t n = number + ROOM_FIRST;
        struct run_post_slot *more = realloc(p->slot, n * sizeof *more);

        must(more != NULL);
        memset(more + p->slots, 0, (n - p->slots) * sizeof *more);
        p->slot = more;
        p->slots = n;
    }
    return &p->slot[number];
}

static struct run_post_slot *slot_of(struct run_post *p, const struct run_letter *l)
{
    return slot_at(p, ticket_of(l)->hold.slot);
}

/* Serials and stretches ascend, and may wrap around. */
static bool is_barred(const struct run_post_slot *s, uint32_t serial, uint32_t stretch)
{
    int32_t age = (int32_t)(serial - s->serial);

    return s->serial != 0 &&
           (age < 0 || (age == 0 && (int32_t)(stretch - s->stretch) <= 0));
}

static void set_bar(struct run_post_slot *s, uint32_t serial, uint32_t stretch)
{
    if (is_barred(s, serial, stretch))
        return;
    s->serial = serial;
    s->stretch = stretch;
}

static void append(struct run_letter ***last, struct run_letter *l)
{
    l->next = NULL;
    **last = l;
    *last = &l->next;
}

/* The partition has nothing ready or sent any more: the next one's turn. */
static void promote(struct run_post *p, struct run_post_slot *s)
{
    struct run_letter *l = s->first;

    s->is_busy = l != NULL;
    if (l == NULL)
        return;
    s->first = l->next;
    append(&p->last, l);
}

/* ---- acks -------------------------------------------------------------------------- */

/* Passed on with the others of this turn: one ack speaks for what its stretch had before
 * it, so the last one of each partition will do. */
static void keep_ack(struct run_post *p, struct run_letter *l)
{
    struct run_post_slot *s = slot_of(p, l);
    const struct parti_ticket *t = ticket_of(l);

    if (s->acked == NULL) {
        s->acked = l;
        l->next = p->acked;
        p->acked = l;
        return;
    }
    struct parti_ticket *before = &s->acked->kept.message.ticket;
    bool is_same = before->hold.serial == t->hold.serial && before->run == t->run &&
                   before->stretch == t->stretch;
    if (!is_same)
        p->answer(p->ctx, *before, RUN_ANSWER_ACK, 0);
    if (!is_same || before->position < t->position)
        *before = *t;
    run_letter_destroy(l);
}

static void pass_acks(struct run_post *p)
{
    while (p->acked != NULL) {
        struct run_letter *l = p->acked;

        p->acked = l->next;
        slot_of(p, l)->acked = NULL;
        p->answer(p->ctx, *ticket_of(l), RUN_ANSWER_ACK, 0);
        run_letter_destroy(l);
    }
}

/* Any other answer; behind the acks that came before it. */
static void say(struct run_post *p, const struct run_letter *l, enum run_answer answer,
                uint64_t delay_ms)
{
    pass_acks(p);
    p->answer(p->ctx, *ticket_of(l), answer, delay_ms);
}

static void trim(struct run_post *p)
{
    while (p->oldest < p->next && *place(p, p->oldest) == NULL)
        p->oldest++;
}

void run_post_settle(struct run_post *p)
{
    pass_acks(p);
    if (p->oldest != p->spoken && p->oldest < p->next)
        say(p, *place(p, p->oldest), RUN_ANSWER_PROGRESS, 0);
    p->spoken = p->oldest;
}

/* ---- what is over ------------------------------------------------------------------ */

/* An attempt is over, and its letter is dropped,
 *   - by its answer; and by any answer but an ack to one that its hold had before it, of
 *     whatever stretch, for the engine gives again all that lies behind such a one (C5);
 *   - by a new attempt at its position or at one before it;
 *   - when the engine waits no longer for anything of the hold: run_post_over().
 * Neither by its age nor by another partition's or hold's letters.  An answer that still
 * comes names nothing (C6), and no time runs for it. */

/* This hold's (serial 0: any hold's of the slot) from this position on. */
static bool is_of(const struct run_letter *l, struct parti_hold hold, uint64_t position)
{
    const struct parti_ticket *t = ticket_of(l);

    return t->hold.slot == hold.slot && t->position >= position &&
           (hold.serial == 0 || t->hold.serial == hold.serial);
}

static bool drop_sent(struct run_post *p, struct parti_hold hold, uint64_t position)
{
    bool any = false;

    for (uint64_t n = p->oldest; n < p->next; n++) {
        struct run_letter **at = place(p, n);

        if (*at == NULL || !is_of(*at, hold, position))
            continue;
        run_letter_destroy(*at);
        *at = NULL;
        any = true;
    }
    trim(p);
    return any;
}

/* Drops from a list; with 'must_return' the first goes back, which speaks for all. */
static bool drop_list(struct run_post *p, struct run_letter **at,
                      struct run_letter ***ret_last, struct parti_hold hold,
                      uint64_t position, bool *must_return)
{
    bool any = false;

    while (*at != NULL) {
        struct run_letter *l = *at;

        if (!is_of(l, hold, position)) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        if (*must_return)
            say(p, l, RUN_ANSWER_RETURN, 0);
        *must_return = false;
        any = true;
        run_letter_destroy(l);
    }
    *ret_last = at;
    return any;
}

/* What is ready or lies behind it.  True: something ready was dropped. */
static bool drop_waiting(struct run_post *p, struct parti_hold hold, uint64_t position,
                         bool must_return)
{
    struct run_post_slot *s = slot_at(p, hold.slot);
    bool any = drop_list(p, &p->first, &p->last, hold, position, &must_return);

    (void)drop_list(p, &s->first, &s->last, hold, position, &must_return);
    return any;
}

/* All of it from this position on. */
static void drop(struct run_post *p, struct parti_hold hold, uint64_t position)
{
    bool was_sent = drop_sent(p, hold, position);
    bool was_ready = drop_waiting(p, hold, position, false);

    if (!p->is_stacked && (was_sent || was_ready))
        promote(p, slot_at(p, hold.slot));
}

/* This letter, which is in no list any more, has such an answer: with it goes what its
 * hold has behind it. */
static void drop_behind(struct run_post *p, const struct run_letter *l)
{
    const struct parti_ticket *t = ticket_of(l);
    struct run_post_slot *s = slot_of(p, l);

    set_bar(s, t->hold.serial, t->stretch);
    (void)drop_sent(p, t->hold, t->position);
    (void)drop_waiting(p, t->hold, t->position, false);
}

void run_post_over(struct run_post *p, struct parti_hold hold, uint32_t stretch)
{
    set_bar(slot_at(p, hold.slot), hold.serial, stretch);
    drop(p, hold, 0);
}

/* ---- in and out -------------------------------------------------------------------- */

void run_post_add(struct run_post *p, struct run_letter *l)
{
    const struct parti_ticket *t = ticket_of(l);
    struct run_post_slot *s = slot_of(p, l);

    if (l->is_over) {
        run_post_over(p, t->hold, t->stretch);
        run_letter_destroy(l);
        return;
    }
    if (s->revoked == t->hold.serial)
        say(p, l, RUN_ANSWER_RETURN, 0);
    if (s->revoked == t->hold.serial ||
        is_barred(s, t->hold.serial, t->stretch)) { /* it comes again */
        run_letter_destroy(l);
        return;
    }
    if (t->attempt > 1)
        drop(p, t->hold, t->position);
    if (p->is_stacked || !s->is_busy) {
        s->is_busy = true;
        append(&p->last, l);
    } else {
        if (s->first == NULL)
            s->last = &s->first;
        append(&s->last, l);
    }
}

const struct run_letter *run_post_next(const struct run_post *p, uint64_t *ret_number)
{
    *ret_number = p->next;
    return p->first;
}

static struct run_letter *take_first(struct run_post *p)
{
    struct run_letter *l = p->first;

    p->first = l->next;
    if (p->first == NULL)
        p->last = &p->first;
    return l;
}

static bool grow(struct run_post *p)
{
    size_t room = p->room > 0 ? 2 * p->room : ROOM_FIRST;
    struct run_letter **more = calloc(room, sizeof *more);

    if (more == NULL)
        return false;
    for (uint64_t n = p->oldest; n < p->next; n++)
        more[n & (room - 1)] = *place(p, n);
    free(p->sent);
    p->sent = more;
    p->room = room;
    return true;
}

bool run_post_sent(struct run_post *p)
{
    if (p->next - p->oldest == p->room && !grow(p))
        return false;
    struct run_letter *l = take_first(p);
    hands_unkeep(&l->kept);
    *place(p, p->next++) = l;
    return true;
}

void run_post_refuse(struct run_post *p, enum run_answer answer)
{
    struct run_letter *l = take_first(p);

    say(p, l, answer, 0);
    drop_behind(p, l);
    if (!p->is_stacked)
        promote(p, slot_of(p, l));
    run_letter_destroy(l);
}

/* ---- answers ----------------------------------------------------------------------- */

bool run_post_take(struct run_post *p, const char *line, size_t n)
{
    enum run_answer answer;
    uint64_t number, delay_ms;
    struct run_letter **at, *l;

    if (!run_answer_parse(line, n, &answer, &number, &delay_ms))
        return false;
    /* An answer to what is over counts as little as it does for libparti. */
    if (number < p->oldest || number >= p->next || (l = *place(p, number)) == NULL)
        return true;
    struct run_post_slot *s = slot_of(p, l);
    if (answer == RUN_ANSWER_PROGRESS) {
        say(p, l, answer, 0);
        return true;
    }
    *place(p, number) = NULL;
    if (answer != RUN_ANSWER_ACK) {
        say(p, l, answer, delay_ms);
        drop_behind(p, l);
    }
    /* It speaks for what was given before it. */
    for (uint64_t i = p->oldest; answer == RUN_ANSWER_ACK && p->is_stacked && i < number;
         i++) {
        at = place(p, i);
        if (*at == NULL || ticket_of(*at)->hold.slot != ticket_of(l)->hold.slot)
            continue;
        run_letter_destroy(*at);
        *at = NULL;
    }
    if (!p->is_stacked)
        promote(p, s);
    if (answer == RUN_ANSWER_ACK)
        keep_ack(p, l);
    else
        run_letter_destroy(l);
    trim(p);
    return true;
}

/* ---- losses ------------------------------------------------------------------------ */

void run_post_lost(struct run_post *p)
{
    enum run_answer answer = RUN_ANSWER_NAK;

    pass_acks(p);
    for (; p->oldest < p->next; p->oldest++) {
        struct run_letter **at = place(p, p->oldest);

        if (*at == NULL)
            continue;
        say(p, *at, answer, 0);
        answer = RUN_ANSWER_RETURN;
        run_letter_destroy(*at);
        *at = NULL;
    }
    /* What is ready may lie behind such a one; what lies behind that it speaks for. */
    for (const struct run_letter *l = p->first; l != NULL; l = l->next)
        say(p, l, RUN_ANSWER_RETURN, 0);
    run_post_forget_all(p);
}

void run_post_revoke(struct run_post *p, struct parti_hold hold)
{
    struct run_post_slot *s = slot_at(p, hold.slot);
    bool was_ready = drop_waiting(p, hold, 0, true);

    s->revoked = hold.serial;
    if (!p->is_stacked && was_ready)
        promote(p, s);
}

void run_post_forget(struct run_post *p, uint32_t slot)
{
    pass_acks(p);
    drop(p, (struct parti_hold){.slot = slot}, 0);
}

static void free_list(struct run_letter *l)
{
    while (l != NULL) {
        struct run_letter *next = l->next;

        run_letter_destroy(l);
        l = next;
    }
}

void run_post_forget_all(struct run_post *p)
{
    for (; p->oldest < p->next; p->oldest++) {
        struct run_letter **at = place(p, p->oldest);

        run_letter_destroy(*at);
        *at = NULL;
    }
    for (uint32_t i = 0; i < p->slots; i++) {
        struct run_post_slot *s = &p->slot[i];

        free_list(s->first);
        s->first = s->acked = NULL;
        s->is_busy = false;
    }
    free_list(p->first);
    free_list(p->acked);
    p->first = p->acked = NULL;
    p->last = &p->first;
    p->spoken = p->oldest;
}

void run_post_speak(struct run_post *p)
{
    pass_acks(p);
    for (uint64_t n = p->oldest + 1; n < p->next; n++) {
        const struct run_letter *l = *place(p, n);

        if (l != NULL)
            say(p, l, RUN_ANSWER_PROGRESS, 0);
    }
    /* Behind these wait only those whose partition's time is that of one before. */
    for (const struct run_letter *l = p->first; l != NULL; l = l->next)
        say(p, l, RUN_ANSWER_PROGRESS, 0);
}
