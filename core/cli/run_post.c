#include "cli/run_post.h"

#include "base/bytes.h"
#include "base/json.h"
#include "base/must.h"
#include "host/message_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 64 };

void run_post_init(struct run_post *p, void *ctx,
                   void (*answer)(void *ctx, struct parti_ticket ticket,
                                  enum run_answer answer, uint64_t delay_ms))
{
    *p = (struct run_post){.ctx = ctx, .answer = answer, .oldest = 1, .next = 1};
    p->last = &p->first;
}

static void free_letter(struct run_letter *l)
{
    if (l != NULL)
        free(l->text);
    free(l);
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
    free(p->bar);
    *p = (struct run_post){0};
}

/* ---- in and out -------------------------------------------------------------------- */

static bool is_of(const struct run_letter *l, uint32_t slot, uint64_t position)
{
    return l->ticket.hold.slot == slot && l->ticket.position >= position;
}

/* What was sent before the oldest that is unanswered is over. */
static void trim(struct run_post *p)
{
    uint64_t before = p->oldest;

    while (p->oldest < p->next && *place(p, p->oldest) == NULL)
        p->oldest++;
    /* From now on the time of this one runs. */
    if (p->oldest != before && p->oldest < p->next)
        p->answer(p->ctx, (*place(p, p->oldest))->ticket, RUN_ANSWER_PROGRESS, 0);
}

static void drop_sent(struct run_post *p, uint32_t slot, uint64_t position)
{
    for (uint64_t n = p->oldest; n < p->next; n++) {
        struct run_letter **at = place(p, n);

        if (*at == NULL || !is_of(*at, slot, position))
            continue;
        free_letter(*at);
        *at = NULL;
    }
    trim(p);
}

static void drop_waiting(struct run_post *p, uint32_t slot, uint64_t position,
                         bool must_return)
{
    struct run_letter **at = &p->first;

    while (*at != NULL) {
        struct run_letter *l = *at;

        if (!is_of(l, slot, position)) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        if (must_return)
            p->answer(p->ctx, l->ticket, RUN_ANSWER_RETURN, 0);
        must_return = false; /* it speaks for all behind it */
        free_letter(l);
    }
    p->last = at;
}

/* Stretches ascend, and may wrap around. */
static bool is_barred(const struct run_post *p, const struct parti_ticket *t)
{
    const struct run_post_bar *bar;

    if (t->hold.slot >= p->bars)
        return false;
    bar = &p->bar[t->hold.slot];
    return bar->serial == t->hold.serial && (int32_t)(t->stretch - bar->stretch) <= 0;
}

static void set_bar(struct run_post *p, const struct parti_ticket *t)
{
    if (t->hold.slot >= p->bars) {
        uint32_t n = t->hold.slot + ROOM_FIRST;
        struct run_post_bar *more = realloc(p->bar, n * sizeof *more);

        must(more != NULL);
        memset(more + p->bars, 0, (n - p->bars) * sizeof *more);
        p->bar = more;
        p->bars = n;
    }
    if (!is_barred(p, t))
        p->bar[t->hold.slot] = (struct run_post_bar){t->hold.serial, t->stretch};
}

bool run_post_add(struct run_post *p, struct parti_ticket ticket, struct event_line *line)
{
    struct run_letter *l = is_barred(p, &ticket) ? NULL : malloc(sizeof *l);

    if (is_barred(p, &ticket))
        return true; /* it comes again */
    if (l == NULL)
        return false;
    *l = (struct run_letter){.ticket = ticket, .text = line->at, .n = line->n};
    *line = (struct event_line){0};
    if (ticket.attempt > 1) {
        drop_sent(p, ticket.hold.slot, ticket.position);
        drop_waiting(p, ticket.hold.slot, ticket.position, false);
    }
    *p->last = l;
    p->last = &l->next;
    return true;
}

const char *run_post_next(const struct run_post *p, char opening[RUN_POST_OPENING],
                          size_t *ret_n)
{
    if (p->first == NULL)
        return NULL;
    (void)snprintf(opening, RUN_POST_OPENING, "%s%" PRIu64, message_line_opening,
                   p->next);
    *ret_n = p->first->n;
    return p->first->text;
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
    struct run_letter *l = p->first;

    if (p->next - p->oldest == p->room && !grow(p))
        return false;
    p->first = l->next;
    if (p->first == NULL)
        p->last = &p->first;
    l->next = NULL;
    free(l->text);
    l->text = NULL;
    *place(p, p->next++) = l;
    return true;
}

/* ---- answers ----------------------------------------------------------------------- */

static const struct {
    const char *word;
    enum run_answer answer;
} words[] = {{"ack", RUN_ANSWER_ACK},
             {"nak", RUN_ANSWER_NAK},
             {"term", RUN_ANSWER_TERM},
             {"progress", RUN_ANSWER_PROGRESS}};
enum { WORDS = sizeof words / sizeof *words };

/* {"WORD": N} with, behind a nak, "delay_ms": MS; nothing else on the line. */
static bool parse(const char *line, size_t n, enum run_answer *ret_answer,
                  uint64_t *ret_n, uint64_t *ret_delay_ms)
{
    struct bytes key = {NULL, 0};
    struct json_in in;
    int word = 0;

    if (n == 0 || memchr(line, '{', n) == NULL)
        return false;
    json_in_init(&in, line, n);
    json_enter(&in, '{');
    if (!json_next_key(&in, &key))
        return false;
    while (word < WORDS && !bytes_equal(key, bytes_of(words[word].word)))
        word++;
    if (word == WORDS)
        return false;
    *ret_answer = words[word].answer;
    *ret_n = json_get_u64(&in);
    *ret_delay_ms = 0;
    if (json_next_key(&in, &key)) {
        if (*ret_answer != RUN_ANSWER_NAK || !bytes_equal(key, bytes_of("delay_ms")))
            return false;
        *ret_delay_ms = json_get_u64(&in);
        if (json_next_key(&in, &key))
            return false;
    }
    while (!in.is_bad && in.at < in.end &&
           (*in.at == ' ' || *in.at == '\t' || *in.at == '\r'))
        in.at++;
    return !in.is_bad && in.at == in.end;
}

bool run_post_take(struct run_post *p, const char *line, size_t n)
{
    enum run_answer answer;
    uint64_t number, delay_ms;
    struct run_letter **at;

    if (!parse(line, n, &answer, &number, &delay_ms))
        return false;
    /* An answer to what is over counts as little as it does for libparti. */
    if (number < p->oldest || number >= p->next || *(at = place(p, number)) == NULL)
        return true;
    const struct parti_ticket ticket = (*at)->ticket;
    p->answer(p->ctx, ticket, answer, delay_ms);
    if (answer == RUN_ANSWER_PROGRESS)
        return true;
    free_letter(*at);
    *at = NULL;
    if (answer != RUN_ANSWER_ACK) {
        set_bar(p, &ticket);
        drop_waiting(p, ticket.hold.slot, 0, false);
    } else if (p->is_stacked) {
        /* It speaks for what was given before it. */
        for (uint64_t i = p->oldest; i < number; i++) {
            at = place(p, i);
            if (*at == NULL || (*at)->ticket.hold.slot != ticket.hold.slot)
                continue;
            free_letter(*at);
            *at = NULL;
        }
    }
    trim(p);
    return true;
}

/* ---- losses ------------------------------------------------------------------------ */

void run_post_lost(struct run_post *p)
{
    enum run_answer answer = RUN_ANSWER_NAK;

    for (; p->oldest < p->next; p->oldest++) {
        struct run_letter **at = place(p, p->oldest);

        if (*at == NULL)
            continue;
        p->answer(p->ctx, (*at)->ticket, answer, 0);
        answer = RUN_ANSWER_RETURN;
        free_letter(*at);
        *at = NULL;
    }
    /* What waits may lie behind such a one. */
    for (const struct run_letter *l = p->first; l != NULL; l = l->next)
        p->answer(p->ctx, l->ticket, RUN_ANSWER_RETURN, 0);
    run_post_forget_all(p);
}

void run_post_revoke(struct run_post *p, uint32_t slot)
{
    drop_waiting(p, slot, 0, true);
}

void run_post_forget(struct run_post *p, uint32_t slot)
{
    drop_sent(p, slot, 0);
    drop_waiting(p, slot, 0, false);
}

void run_post_forget_all(struct run_post *p)
{
    for (; p->oldest < p->next; p->oldest++) {
        struct run_letter **at = place(p, p->oldest);

        free_letter(*at);
        *at = NULL;
    }
    while (p->first != NULL) {
        struct run_letter *l = p->first;

        p->first = l->next;
        free_letter(l);
    }
    p->last = &p->first;
}

void run_post_speak(struct run_post *p)
{
    for (uint64_t n = p->oldest + 1; n < p->next; n++) {
        const struct run_letter *l = *place(p, n);

        if (l != NULL)
            p->answer(p->ctx, l->ticket, RUN_ANSWER_PROGRESS, 0);
    }
    for (const struct run_letter *l = p->first; l != NULL; l = l->next)
        p->answer(p->ctx, l->ticket, RUN_ANSWER_PROGRESS, 0);
}
