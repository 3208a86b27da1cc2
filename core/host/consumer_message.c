#include "host/consumer_message.h"

#include "base/must.h"
#include "base/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 256, SIZE_REV_1 = 112 };

void message_pool_init(struct message_pool *pool)
{
    *pool = (struct message_pool){0};
    must(pthread_mutex_init(&pool->lock, NULL) == 0);
}

void message_pool_finish(struct message_pool *pool)
{
    must(pool->used == 0);
    for (int i = 0; i < MESSAGE_CLASSES; i++) {
        while (pool->free[i] != NULL) {
            struct message_batch *b = pool->free[i];

            pool->free[i] = b->next;
            free(b);
        }
    }
    must(pthread_mutex_destroy(&pool->lock) == 0);
}

const struct parti_consumer_message *message_nth(
    const struct parti_consumer_message *given, size_t i)
{
    return (const void *)((const char *)given + i * given->size);
}

/* ---- what a plugin gives ----------------------------------------------------------- */

static const char *strs_fault(const struct parti_strs *s, uint64_t *bytes)
{
    uint64_t before = 0;

    if (s->n > 0 && (s->end == NULL || s->bytes == NULL))
        return "has headers without their bytes";
    for (uint64_t i = 0; i < s->n; i++) {
        if (s->end[i] < before || s->end[i] > MESSAGE_DATA_MAX)
            return "has headers whose ends do not ascend";
        before = s->end[i];
    }
    *bytes += before;
    return NULL;
}

const char *message_fault(const struct parti_consumer_message *m)
{
    uint64_t bytes = 0;
    const char *why;

    if (m->size < SIZE_REV_1 || m->size % 8 != 0)
        return "is smaller than the interface says";
    if (m->subject == NULL)
        return "has no subject";
    if ((m->data == NULL && m->data_n > 0) || (m->key == NULL && m->key_n > 0))
        return "has a length without bytes";
    if (m->header_name.n != m->header_value.n || m->header_name.n > MESSAGE_HEADERS_MAX)
        return "has more header names than values, or too many";
    if (m->data_n > MESSAGE_DATA_MAX || m->key_n > MESSAGE_DATA_MAX)
        return "is larger than a message can be";
    why = strs_fault(&m->header_name, &bytes);
    if (why == NULL)
        why = strs_fault(&m->header_value, &bytes);
    if (why == NULL && bytes + m->data_n + m->key_n > MESSAGE_DATA_MAX)
        why = "is larger than a message can be";
    return why;
}

/* ---- blocks ------------------------------------------------------------------------ */

static size_t strs_room(const struct parti_strs *s)
{
    return s->n > 0 ? 2 * s->end[s->n - 1] + 1 + s->n * (1 + sizeof(uint64_t)) : 0;
}

/* Subjects are mostly the same text: 'before', of the same batch, has it already. */
static bool has_same_subject(const struct parti_consumer_message *g,
                             const struct parti_consumer_message *before)
{
    return before != NULL && before->subject == g->subject;
}

/* Bytes of a message behind its struct; a multiple of 8. */
static size_t room_of(const struct parti_consumer_message *g,
                      const struct parti_consumer_message *before)
{
    size_t room = g->header_name.n * sizeof(struct parti_header) +
                  strs_room(&g->header_name) + strs_room(&g->header_value) + g->key_n +
                  1 + g->data_n + 1;

    if (!has_same_subject(g, before))
        room += strlen(g->subject) + 1;
    return (room + 7) & ~(size_t)7;
}

/* The first of n messages that make one batch: how many, and the bytes of its block. */
static uint32_t gather(const struct parti_consumer_message *given, size_t n,
                       size_t *ret_room)
{
    const struct parti_consumer_message *before = NULL;
    size_t room = sizeof(struct message_batch);
    uint32_t i = 0;

    while (i < n && i < BATCH_MESSAGES_MAX) {
        const struct parti_consumer_message *g = message_nth(given, i);
        size_t more = sizeof(struct message) + room_of(g, before);

        if (i > 0 && room + more > BATCH_BYTES_MAX)
            break;
        room += more;
        before = g;
        i++;
    }
    *ret_room = room;
    return i;
}

static uint32_t class_of(size_t room)
{
    uint32_t class = 0;

    while (class < MESSAGE_CLASSES && ((size_t)LEAST << class) < room)
        class ++;
    return class;
}

/* With the lock. */
static struct message_batch *take(struct message_pool *pool, size_t room)
{
    uint32_t class = class_of(room);
    struct message_batch *b = class < MESSAGE_CLASSES ? pool->free[class] : NULL;

    room = class < MESSAGE_CLASSES
               ? (size_t)LEAST << class
               : (room + MESSAGE_LINE - 1) / MESSAGE_LINE * MESSAGE_LINE;
    if (b != NULL) {
        pool->free[class] = b->next;
        pool->kept -= room;
    } else {
        b = aligned_alloc(MESSAGE_LINE, room);
        if (b == NULL)
            return NULL;
    }
    b->class = class;
    b->room = room;
    pool->used += room;
    return b;
}

/* With the lock. */
static void give(struct message_pool *pool, struct message_batch *b)
{
    pool->used -= b->room;
    if (b->class == MESSAGE_CLASSES || pool->kept + b->room > MESSAGE_KEPT_MAX) {
        free(b);
        return;
    }
    pool->kept += b->room;
    b->next = pool->free[b->class];
    pool->free[b->class] = b;
}

/* ---- copies ------------------------------------------------------------------------ */

static const char *put(char **at, const void *from, size_t n)
{
    char *to = *at;

    if (n > 0)
        memcpy(to, from, n);
    to[n] = '\0';
    *at += n + 1;
    return to;
}

/* Twice: as the plugin's column, for a dead letter, and one by one, for the application.
 */
static void put_column(char **at, uint64_t **ends, struct parti_strs *to,
                       const struct parti_strs *from)
{
    *to = (struct parti_strs){.n = from->n};
    memcpy(*ends, from->end, from->n * sizeof **ends);
    to->end = *ends;
    *ends += from->n;
    to->bytes = put(at, from->bytes, from->end[from->n - 1]);
}

static void put_headers(char **at, struct parti_header *header,
                        const struct parti_consumer_message *g)
{
    uint64_t name = 0, value = 0;

    for (uint64_t i = 0; i < g->header_name.n; i++) {
        header[i].name_n = g->header_name.end[i] - name;
        header[i].value_n = g->header_value.end[i] - value;
        header[i].name = put(at, g->header_name.bytes + name, header[i].name_n);
        header[i].value = put(at, g->header_value.bytes + value, header[i].value_n);
        name = g->header_name.end[i];
        value = g->header_value.end[i];
    }
}

/* The bytes of a message at '*at', which goes on behind them. */
static void fill(struct message *m, const struct parti_consumer_message *g,
                 const struct message *before, char **ret_at)
{
    struct parti_header *header = (struct parti_header *)(void *)*ret_at;
    uint64_t *ends = (uint64_t *)(void *)(header + g->header_name.n);
    char *at = (char *)(ends + 2 * g->header_name.n);

    m->header = header;
    m->given = (struct parti_consumer_message){.size = sizeof m->given,
                                               .redelivered = g->redelivered,
                                               .position = g->position,
                                               .time_ms = g->time_ms,
                                               .key_n = g->key_n,
                                               .data_n = g->data_n};
    m->given.subject =
        before != NULL ? before->given.subject : put(&at, g->subject, strlen(g->subject));
    m->given.key = g->key != NULL ? put(&at, g->key, g->key_n) : NULL;
    m->given.data = put(&at, g->data, g->data_n);
    if (g->header_name.n > 0) {
        put_column(&at, &ends, &m->given.header_name, &g->header_name);
        put_column(&at, &ends, &m->given.header_value, &g->header_value);
        put_headers(&at, header, g);
    }
}

static void fill_batch(struct message_batch *b,
                       const struct parti_consumer_message *given)
{
    const struct parti_consumer_message *before = NULL;
    char *at = (char *)&b->message[b->n];

    b->lane = 0;
    atomic_init(&b->refs, b->n);
    for (uint32_t i = 0; i < b->n; i++) {
        const struct parti_consumer_message *g = message_nth(given, i);
        struct message *m = &b->message[i];
        char *start = at;

        m->batch = b;
        fill(m, g, has_same_subject(g, before) ? m - 1 : NULL, &at);
        at = start + room_of(g, before);
        before = g;
    }
}

int message_copy(struct message_pool *pool, const struct parti_consumer_message *given,
                 size_t n, bool must_fit, struct message_batch **ret_list)
{
    struct message_batch *list = NULL, **last = &list;
    int status = STATUS_OK;
    uint32_t taken = 0;
    size_t room;

    must(pthread_mutex_lock(&pool->lock) == 0);
    for (size_t i = 0; i < n && status == STATUS_OK; i += taken) {
        taken = gather(message_nth(given, i), n - i, &room);
        if (pool->used + room > MESSAGE_BYTES_MAX && !must_fit) {
            status = STATUS_LIMIT;
            break;
        }
        *last = take(pool, room);
        if (*last == NULL) {
            status = STATUS_NOMEM;
        } else {
            (*last)->n = taken;
            last = &(*last)->next;
        }
    }
    *last = NULL;
    for (struct message_batch *b = list; status != STATUS_OK && b != NULL; b = list) {
        list = b->next;
        give(pool, b);
    }
    must(pthread_mutex_unlock(&pool->lock) == 0);
    if (status != STATUS_OK)
        return status;
    for (struct message_batch *b = list; b != NULL; b = b->next) {
        fill_batch(b, given);
        given = message_nth(given, b->n);
    }
    *ret_list = list;
    return STATUS_OK;
}

void message_unref(struct message_pool *pool, struct message_batch *b, uint32_t n)
{
    uint32_t before = atomic_fetch_sub_explicit(&b->refs, n, memory_order_acq_rel);

    must(before >= n);
    if (before > n)
        return;
    must(pthread_mutex_lock(&pool->lock) == 0);
    give(pool, b);
    must(pthread_mutex_unlock(&pool->lock) == 0);
}
