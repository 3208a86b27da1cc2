#include "edge/inbox.h"

#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct inbox {
    struct inbox_limits limits;
    int fd;
    pthread_mutex_t mutex; /* guards all below, and the eventfd's being in step */
    struct inbox_item *head, *tail;
    struct inbox_counts counts;
};

int inbox_create(struct inbox **ret_inbox, const struct inbox_limits *limits)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);

    if (inbox == NULL)
        return STATUS_NOMEM;
    inbox->limits = *limits;
    inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (inbox->fd < 0) {
        free(inbox);
        return STATUS_IO;
    }
    must(pthread_mutex_init(&inbox->mutex, NULL) == 0);
    *ret_inbox = inbox;
    return STATUS_OK;
}

void inbox_destroy(struct inbox *inbox)
{
    if (inbox == NULL)
        return;
    while (inbox->head != NULL)
        inbox_item_free(inbox_pop(inbox));
    must(pthread_mutex_destroy(&inbox->mutex) == 0);
    (void)close(inbox->fd);
    free(inbox);
}

int inbox_fd(const struct inbox *inbox)
{
    return inbox->fd;
}

/* Copies n bytes and a NUL to *at and moves it on. */
static char *inbox_copy(char **at, const void *from, size_t n)
{
    char *to = *at;

    if (n > 0)
        memcpy(to, from, n);
    to[n] = '\0';
    *at += n + 1;
    return to;
}

struct inbox_item *inbox_item_create(int kind, const char *subject, const char *reply,
                                     const void *data, size_t n)
{
    size_t subject_n = subject != NULL ? strlen(subject) : 0;
    size_t reply_n = reply != NULL ? strlen(reply) : 0;
    size_t room = sizeof(struct inbox_item) + subject_n + reply_n + 3;

    if (n > SIZE_MAX - room)
        return NULL;
    struct inbox_item *item = calloc(1, room + n);
    if (item == NULL)
        return NULL;
    char *at = (char *)(item + 1);
    item->kind = kind;
    item->subject = inbox_copy(&at, subject, subject_n);
    item->reply = inbox_copy(&at, reply, reply_n);
    item->data = inbox_copy(&at, data, n);
    item->n = n;
    return item;
}

void inbox_item_free(struct inbox_item *item)
{
    free(item);
}

static bool inbox_has_room(const struct inbox *inbox, const struct inbox_item *item)
{
    const struct inbox_limits *limits = &inbox->limits;

    if (item->kind != INBOX_MESSAGE)
        return inbox->counts.items < limits->items_max + limits->reserve_max;
    return inbox->counts.items < limits->items_max &&
           inbox->counts.bytes <= limits->bytes_max &&
           item->n <= limits->bytes_max - inbox->counts.bytes;
}

static void inbox_append(struct inbox *inbox, struct inbox_item *item)
{
    const uint64_t one = 1;

    item->next = NULL;
    item->when_ns = clock_boot_ns();
    if (inbox->tail != NULL)
        inbox->tail->next = item;
    else
        inbox->head = item;
    inbox->tail = item;
    if (item->kind == INBOX_MESSAGE)
        inbox->counts.bytes += item->n;
    /* Readable exactly while not empty: one write at the change, one read back. */
    if (inbox->counts.items++ == 0)
        must(write(inbox->fd, &one, sizeof one) == (ssize_t)sizeof one);
}

int inbox_put(struct inbox *inbox, struct inbox_item *item)
{
    must(pthread_mutex_lock(&inbox->mutex) == 0);
    bool fits = item != NULL && inbox_has_room(inbox, item);
    if (fits)
        inbox_append(inbox, item);
    else if (item != NULL && item->kind != INBOX_MESSAGE)
        inbox->counts.lost++;
    else
        inbox->counts.dropped++;
    must(pthread_mutex_unlock(&inbox->mutex) == 0);

    if (fits)
        return STATUS_OK;
    inbox_item_free(item);
    return STATUS_LIMIT;
}

struct inbox_item *inbox_pop(struct inbox *inbox)
{
    uint64_t ignored;

    must(pthread_mutex_lock(&inbox->mutex) == 0);
    struct inbox_item *item = inbox->head;
    if (item != NULL) {
        inbox->head = item->next;
        if (inbox->head == NULL)
            inbox->tail = NULL;
        if (item->kind == INBOX_MESSAGE)
            inbox->counts.bytes -= item->n;
        if (--inbox->counts.items == 0)
            must(read(inbox->fd, &ignored, sizeof ignored) == (ssize_t)sizeof ignored);
    }
    must(pthread_mutex_unlock(&inbox->mutex) == 0);

    if (item != NULL)
        item->next = NULL;
    return item;
}

struct inbox_counts inbox_counts(struct inbox *inbox)
{
    must(pthread_mutex_lock(&inbox->mutex) == 0);
    struct inbox_counts counts = inbox->counts;
    must(pthread_mutex_unlock(&inbox->mutex) == 0);
    return counts;
}
