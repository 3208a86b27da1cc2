#include "edge/mail.h"

#include "base/must.h"
#include "base/status.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mail {
    int fd;
    pthread_mutex_t mutex; /* guards all below, and the eventfd's being in step */
    bool is_waiting;
    struct mail_bag bag;
};

int mail_create(struct mail **ret_mail)
{
    struct mail *m = calloc(1, sizeof *m);

    if (m == NULL)
        return STATUS_NOMEM;
    m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->fd < 0) {
        free(m);
        return STATUS_IO;
    }
    must(pthread_mutex_init(&m->mutex, NULL) == 0);
    *ret_mail = m;
    return STATUS_OK;
}

void mail_destroy(struct mail *m)
{
    if (m == NULL)
        return;
    mail_bag_finish(&m->bag);
    must(pthread_mutex_destroy(&m->mutex) == 0);
    (void)close(m->fd);
    free(m);
}

int mail_fd(const struct mail *m)
{
    return m->fd;
}

void mail_bag_finish(struct mail_bag *bag)
{
    if (bag->has_listing)
        bag->listing.drop(bag->listing.owner);
    free(bag->owner);
    *bag = (struct mail_bag){0};
}

bool mail_take(struct mail *m, struct mail_bag *ret_bag)
{
    uint64_t ignored;

    must(pthread_mutex_lock(&m->mutex) == 0);
    bool had_any = m->is_waiting;
    if (had_any) {
        must(read(m->fd, &ignored, sizeof ignored) == (ssize_t)sizeof ignored);
        m->is_waiting = false;
        *ret_bag = m->bag;
        m->bag = (struct mail_bag){0};
    }
    must(pthread_mutex_unlock(&m->mutex) == 0);
    return had_any;
}

static struct mail_bag *enter(struct mail *m)
{
    must(pthread_mutex_lock(&m->mutex) == 0);
    return &m->bag;
}

static void leave(struct mail *m)
{
    const uint64_t one = 1;

    if (!m->is_waiting)
        must(write(m->fd, &one, sizeof one) == (ssize_t)sizeof one);
    m->is_waiting = true;
    must(pthread_mutex_unlock(&m->mutex) == 0);
}

void mail_listed(struct mail *m, const struct loop_listing *listing)
{
    struct mail_bag *bag = enter(m);
    struct loop_listing old = bag->listing;
    bool had_old = bag->has_listing;

    bag->listing = *listing;
    bag->listing.commanded = listing->commanded || (had_old && old.commanded);
    bag->has_listing = true;
    bag->is_failure_first = bag->has_failure;
    leave(m);
    if (had_old)
        old.drop(old.owner);
}

void mail_list_failed(struct mail *m, const char *text)
{
    struct mail_bag *bag = enter(m);

    bytes_to_text(bytes_of(text), bag->failure, sizeof bag->failure);
    bag->has_failure = true;
    bag->is_failure_first = false;
    leave(m);
}

/* 'owner' becomes the mail's.  An answer may be overtaken on its way here: the one to the
 * newest question stays. */
static void put_plan(struct mail *m, uint64_t plan, int status, const char *why,
                     bool keep, uint32_t *owner, uint32_t n)
{
    struct mail_bag *bag = enter(m);
    uint32_t *old = bag->owner;

    if (bag->has_plan && plan < bag->plan) {
        leave(m);
        free(owner);
        return;
    }
    bag->has_plan = true;
    bag->plan = plan;
    bag->plan_status = status;
    bytes_to_text(bytes_of(why), bag->plan_why, sizeof bag->plan_why);
    bag->keep = keep;
    bag->owner = owner;
    bag->owner_n = n;
    leave(m);
    free(old);
}

void mail_planned(struct mail *m, uint64_t plan, bool keep, const uint32_t *owner,
                  uint32_t n)
{
    uint32_t *copy = n > 0 ? malloc(n * sizeof *copy) : NULL;

    if (n > 0 && copy == NULL) {
        mail_plan_failed(m, plan, STATUS_NOMEM, "there is no memory for a plan");
        return;
    }
    if (copy != NULL)
        memcpy(copy, owner, n * sizeof *copy);
    put_plan(m, plan, STATUS_OK, "", keep, copy, n);
}

void mail_plan_failed(struct mail *m, uint64_t plan, int status, const char *why)
{
    put_plan(m, plan, status, why, false, NULL, 0);
}

void mail_released(struct mail *m, uint64_t epoch)
{
    struct mail_bag *bag = enter(m);

    bag->released = epoch > bag->released ? epoch : bag->released;
    bag->has_released = true;
    leave(m);
}

void mail_stop(struct mail *m, bool restart)
{
    struct mail_bag *bag = enter(m);

    bag->restart = bag->has_stop ? bag->restart : restart;
    bag->has_stop = true;
    leave(m);
}

void mail_refresh(struct mail *m)
{
    enter(m)->has_refresh = true;
    leave(m);
}

void mail_unread(struct mail *m, uint32_t n, const char *why)
{
    struct mail_bag *bag = enter(m);

    bag->unread = n;
    bytes_to_text(bytes_of(why), bag->unread_why, sizeof bag->unread_why);
    bag->has_unread = true;
    leave(m);
}

void mail_quit(struct mail *m)
{
    enter(m)->has_quit = true;
    leave(m);
}
