#include "host/consumer_stuck.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t hash_of(const char *text)
{
    char bare[STUCK_CAUSE_ROOM];
    size_t n = 0;

    for (; *text != '\0' && n < sizeof bare; text++)
        if (*text < '0' || *text > '9')
            bare[n++] = *text;
    uint64_t hash = hash_bytes(bare, n);
    return hash != 0 ? hash : 1;
}

static bool is_past(const struct stuck_cause *c, uint64_t now_ms)
{
    return c->hash == 0 || (c->parts == 0 && now_ms - c->parted_ms >= STUCK_PAST_MS);
}

/* The cause with this hash, else a place for it; NULL: there is none. */
static struct stuck_cause *find(struct stuck *s, uint64_t hash, uint64_t now_ms)
{
    struct stuck_cause *place = NULL;

    for (uint32_t i = 0; i < STUCK_MAX; i++) {
        struct stuck_cause *c = &s->at[i];

        if (is_past(c, now_ms))
            place = place != NULL ? place : c;
        else if (c->hash == hash)
            return c;
    }
    if (place != NULL)
        *place = (struct stuck_cause){.due_ms = UINT64_MAX};
    return place;
}

void stuck_add(struct stuck *s, uint32_t *mark, const char *id, const char *cause,
               uint64_t now_ms)
{
    uint64_t hash = hash_of(cause);
    struct stuck_cause *c = *mark != 0 ? &s->at[*mark - 1] : NULL;

    if (c == NULL || c->hash != hash) {
        stuck_end(s, mark, now_ms);
        c = find(s, hash, now_ms);
        if (c == NULL)
            return;
        c->parts++;
        *mark = (uint32_t)(c - s->at) + 1;
    }
    if (c->hash == 0) {
        c->hash = hash;
        c->due_ms = now_ms + STUCK_GATHER_MS;
    } else if (c->due_ms == UINT64_MAX && now_ms - c->told_ms >= STUCK_AGAIN_MS) {
        c->due_ms = now_ms;
    } else if (c->parts > 1 || c->due_ms == UINT64_MAX) {
        return; /* the words are those of the first */
    }
    (void)snprintf(c->id, sizeof c->id, "%s", id);
    (void)snprintf(c->text, sizeof c->text, "%s", cause);
}

void stuck_end(struct stuck *s, uint32_t *mark, uint64_t now_ms)
{
    struct stuck_cause *c = *mark != 0 ? &s->at[*mark - 1] : NULL;

    *mark = 0;
    if (c == NULL || --c->parts > 0)
        return;
    c->parted_ms = now_ms;
    if (c->due_ms != UINT64_MAX && c->told_ms == 0)
        c->hash = 0; /* it passed before it was told */
    c->due_ms = UINT64_MAX;
}

bool stuck_next(struct stuck *s, uint64_t now_ms, char text[STUCK_TEXT_ROOM])
{
    for (uint32_t i = 0; i < STUCK_MAX; i++) {
        struct stuck_cause *c = &s->at[i];

        if (c->hash == 0 || now_ms < c->due_ms)
            continue;
        c->due_ms = UINT64_MAX;
        c->told_ms = now_ms;
        if (c->parts == 1)
            (void)snprintf(text, STUCK_TEXT_ROOM,
                           "partition %s cannot be read: %s. It is tried again", c->id,
                           c->text);
        else
            (void)snprintf(text, STUCK_TEXT_ROOM,
                           "%" PRIu32 " partitions, one of them %s, cannot be read: %s. "
                           "They are tried again",
                           c->parts, c->id, c->text);
        return true;
    }
    return false;
}

uint64_t stuck_due_ms(const struct stuck *s)
{
    uint64_t due_ms = UINT64_MAX;

    for (uint32_t i = 0; i < STUCK_MAX; i++)
        if (s->at[i].hash != 0 && s->at[i].due_ms < due_ms)
            due_ms = s->at[i].due_ms;
    return due_ms;
}
