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
            struct message *m = pool->free[i];

            pool->free[i] = m->next;
            free(m);
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

static size_t room_of(const struct parti_consumer_message *g)
{
    return sizeof(struct message) + g->header_name.n * sizeof(struct parti_header) +
           strs_room(&g->header_name) + strs_room(&g->header_value) + strlen(g->subject) +
           1 + g->key_n + 1 + g->data_n + 1;
}

static uint32_t class_of(size_t room)
{
    uint32_t class = 0;

    while (class < MESSAGE_CLASSES && ((size_t)LEAST << class) < room)
        class ++;
    return class;
}

/* With the lock. */
static struct message *take(struct message_pool *pool, size_t room)
{
    uint32_t class = class_of(room);
    struct message *m = class < MESSAGE_CLASSES ? pool->free[class] : NULL;

    room = class < MESSAGE_CLASSES ? (size_t)LEAST << class : room;
    if (m != NULL) {
        pool->free[class] = m->next;
        pool->kept -= room;
    } else {
        m = malloc(room);
        if (m == NULL)
            return NULL;
    }
    m->class = class;
    m->room = room;
    pool->used += room;
    return m;
}

/* With the lock. */
static void give(struct message_pool *pool, struct message *m)
{
    pool->used -= m->room;
    if (m->class == MESSAGE_CLASSES || pool->kept + m->room > MESSAGE_KEPT_MAX) {
        free(m);
        return;
    }
    pool->kept += m->room;
    m->next = pool->free[m->class];
    pool->free[m->class] = m;
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

static void fill(struct message *m, const struct parti_consumer_message *g)
{
    struct parti_header *header = (struct parti_header *)(void *)(m + 1);
    uint64_t *ends = (uint64_t *)(void *)(header + g->header_name.n);
    char *at = (char *)(ends + 2 * g->header_name.n);

    m->next = NULL;
    atomic_init(&m->refs, 1);
    atomic_init(&m->is_lent, false);
    m->header = header;
    m->given = (struct parti_consumer_message){.size = sizeof m->given,
                                               .redelivered = g->redelivered,
                                               .position = g->position,
                                               .time_ms = g->time_ms,
                                               .key_n = g->key_n,
                                               .data_n = g->data_n};
    m->given.subject = put(&at, g->subject, strlen(g->subject));
    m->given.key = g->key != NULL ? put(&at, g->key, g->key_n) : NULL;
    m->given.data = put(&at, g->data, g->data_n);
    if (g->header_name.n == 0)
        return;
    put_column(&at, &ends, &m->given.header_name, &g->header_name);
    put_column(&at, &ends, &m->given.header_value, &g->header_value);
    put_headers(&at, header, g);
}

int message_copy(struct message_pool *pool, const struct parti_consumer_message *given,
                 size_t n, bool must_fit, struct message **ret_list)
{
    struct message *list = NULL, **last = &list;
    int status = STATUS_OK;

    must(pthread_mutex_lock(&pool->lock) == 0);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        size_t room = room_of(message_nth(given, i));

        if (pool->used + room > MESSAGE_BYTES_MAX && !must_fit) {
            status = STATUS_LIMIT;
            break;
        }
        *last = take(pool, room);
        if (*last == NULL)
            status = STATUS_NOMEM;
        else
            last = &(*last)->next;
    }
    *last = NULL;
    for (struct message *m = list; status != STATUS_OK && m != NULL; m = list) {
        list = m->next;
        give(pool, m);
    }
    must(pthread_mutex_unlock(&pool->lock) == 0);
    if (status != STATUS_OK)
        return status;
    struct message *m = list;
    for (size_t i = 0; m != NULL; i++) {
        struct message *next = m->next;

        fill(m, message_nth(given, i));
        m->next = next;
        m = next;
    }
    *ret_list = list;
    return STATUS_OK;
}

static bool is_last(struct message *m)
{
    return atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1;
}

struct hands_delivery *message_lend(struct message *m)
{
    bool is_free = !atomic_exchange_explicit(&m->is_lent, true, memory_order_acquire);
    struct hands_delivery *d = is_free ? &m->delivery : malloc(sizeof *d);

    if (d == NULL)
        return NULL;
    *d = (struct hands_delivery){.message = m, .is_lent = is_free};
    message_ref(m);
    return d;
}

void message_drop(struct message_pool *pool, struct hands_delivery *d)
{
    struct message *m = d->message;

    if (d->is_lent)
        atomic_store_explicit(&m->is_lent, false, memory_order_release);
    else
        free(d);
    message_unref(pool, m);
}

void message_unref(struct message_pool *pool, struct message *m)
{
    if (!is_last(m))
        return;
    must(pthread_mutex_lock(&pool->lock) == 0);
    give(pool, m);
    must(pthread_mutex_unlock(&pool->lock) == 0);
}

void message_unref_all(struct message_pool *pool, struct message *list)
{
    struct message *last = NULL;

    while (list != NULL) {
        struct message *m = list;

        list = m->next;
        if (is_last(m)) {
            m->next = last;
            last = m;
        }
    }
    must(pthread_mutex_lock(&pool->lock) == 0);
    while (last != NULL) {
        struct message *m = last;

        last = m->next;
        give(pool, m);
    }
    must(pthread_mutex_unlock(&pool->lock) == 0);
}
