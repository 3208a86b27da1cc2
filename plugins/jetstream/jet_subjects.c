/* From the subject of a message to the lane that it belongs to, and one pattern for the
 * subjects of all lanes. */
#include "plugins/jetstream/jet_consumer.h"

static size_t token(const char *at)
{
    return strcspn(at, ".");
}

/* What lane a subject belongs to: the same with the template's wildcards in it.  0: none.
 */
static int32_t lane_subject(const char *template, const char *subject,
                            char to[JET_TEMPLATE_ROOM])
{
    size_t at = 0;

    for (;;) {
        size_t pattern_n = token(template), n = token(subject);
        int32_t is_rest = pattern_n == 1 && *template == '>';
        int32_t is_any = is_rest || (pattern_n == 1 && *template == '*');
        size_t put_n = is_any ? 1 : n;

        if (n == 0 || at + put_n + 1 >= JET_TEMPLATE_ROOM)
            return 0;
        memcpy(to + at, is_any ? template : subject, put_n);
        at += put_n;
        to[at] = '\0';
        if (is_rest)
            return 1;
        template += pattern_n;
        subject += n;
        if (*template != *subject)
            return 0;
        if (*template == '\0')
            return 1;
        to[at++] = '.';
        template ++;
        subject++;
    }
}

/* The narrowest pattern that covers both; all lanes have as many tokens.  Nonzero: it is
 * another than before. */
static int32_t widen(char pattern[JET_TEMPLATE_ROOM], const char *subject)
{
    char wide[JET_TEMPLATE_ROOM];
    const char *old = pattern;
    size_t at = 0;

    if (pattern[0] == '\0') {
        (void)snprintf(pattern, JET_TEMPLATE_ROOM, "%s", subject);
        return 1;
    }
    for (;;) {
        size_t old_n = token(old), n = token(subject);
        int32_t is_same = old_n == n && memcmp(old, subject, n) == 0;

        if (is_same)
            memcpy(wide + at, old, n);
        else
            wide[at] = '*';
        at += is_same ? n : 1;
        old += old_n;
        subject += n;
        if (*old == '\0' || *subject == '\0')
            break;
        wide[at++] = '.';
        old++;
        subject++;
    }
    wide[at] = '\0';
    if (strcmp(wide, pattern) == 0)
        return 0;
    memcpy(pattern, wide, at + 1);
    return 1;
}

/* ---- the table ------------------------------------------------------------------- */

uint64_t jet_hash(const char *bytes, uint64_t n)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (uint64_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return h;
}

static struct jet_lane **bucket(const struct jet_turns *t, const char *subject)
{
    uint64_t h = jet_hash(subject, strlen(subject));

    return &t->table[(h ^ h >> 32) & (t->table_room - 1)];
}

static void put(struct jet_turns *t, struct jet_lane *l)
{
    struct jet_lane **to = bucket(t, l->subject);

    l->turn.same = *to;
    *to = l;
}

/* Twice as large; where memory is short the old one does. */
static int32_t grow(struct jet_turns *t)
{
    uint32_t old_room = t->table_room, room = old_room > 0 ? 2 * old_room : 64;
    struct jet_lane **old = t->table, **more = calloc(room, sizeof(struct jet_lane *));

    if (more == NULL)
        return old != NULL;
    t->table = more;
    t->table_room = room;
    for (uint32_t i = 0; i < old_room; i++) {
        for (struct jet_lane *l = old[i], *next; l != NULL; l = next) {
            next = l->turn.same;
            put(t, l);
        }
    }
    free(old);
    return 1;
}

/* Both have all of its messages, which nobody can want.  Once a subject. */
static void tell_shared(struct jet_consumer *c, const struct jet_lane *l)
{
    struct jet_turns *t = &c->turns;
    char text[2 * JET_TEMPLATE_ROOM + 256];
    uint64_t subject = jet_hash(l->subject, strlen(l->subject));

    for (uint32_t i = 0; i < t->shared_n; i++)
        if (t->shared[i] == subject)
            return;
    if (t->shared_n == JET_SHARED_TOLD)
        return;
    t->shared[t->shared_n++] = subject;
    (void)snprintf(text, sizeof text,
                   "two partitions have the same subject, '%s': each is given all of its "
                   "messages. 'subject = %s' in [consume] must name every key in which "
                   "partitions differ, as {1}, {2} and so on",
                   l->subject, c->template);
    parti_log(c->host, PARTI_WARN, text);
}

static void look_for_shared(struct jet_consumer *c, const struct jet_lane *l)
{
    const struct jet_lane *other =
        c->turns.table_room > 0 ? *bucket(&c->turns, l->subject) : NULL;

    for (; other != NULL; other = other->turn.same) {
        if (other->hash == l->hash || strcmp(other->subject, l->subject) != 0)
            continue;
        tell_shared(c, l);
        return;
    }
}

int32_t jet_subjects_add(struct jet_consumer *c, struct jet_lane *l)
{
    struct jet_turns *t = &c->turns;

    if (t->table_n >= t->table_room && !grow(t))
        return 0;
    look_for_shared(c, l);
    put(t, l);
    if (t->table_n++ == 0)
        t->pattern[0] = '\0';
    t->is_outgrown |= widen(t->pattern, l->subject);
    return 1;
}

void jet_subjects_drop(struct jet_consumer *c, struct jet_lane *l)
{
    struct jet_turns *t = &c->turns;

    if (t->table_room == 0)
        return;
    for (struct jet_lane **at = bucket(t, l->subject); *at != NULL;
         at = &(*at)->turn.same) {
        if (*at != l)
            continue;
        *at = l->turn.same;
        t->table_n--;
        return;
    }
}

struct jet_lane *jet_subjects_find(const struct jet_consumer *c, const char *subject,
                                   char key[JET_TEMPLATE_ROOM])
{
    if (c->turns.table_room == 0 || !lane_subject(c->template, subject, key))
        return NULL;
    return *bucket(&c->turns, key);
}
