/* The deadline in shared memory: parti writes it, the guardian reads it (edge/child.h).
 */
#include "config.h"

#include "edge/child_guard.h"

#include "base/must.h"
#include "base/status.h"
#include "edge/child.h"
#include "edge/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

struct child_guard {
    int page_fd, wake_fd;
    struct child_page *page;
    pthread_mutex_t lock; /* over the rest; a leaf, held for a few instructions */
    uint64_t lease_ns;    /* as last heard */
    uint64_t shown_ns;    /* in the page */
    bool is_armed;
    bool is_fenced; /* shown_ns stays for this run */
};

int child_guard_create(struct child_guard **ret_guard)
{
    struct child_guard *g = calloc(1, sizeof *g);

    if (g == NULL)
        return STATUS_NOMEM;
    g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g->page_fd = memfd_create("parti-lease", MFD_CLOEXEC);
    g->page = MAP_FAILED;
    if (g->page_fd >= 0 && ftruncate(g->page_fd, sizeof *g->page) == 0)
        g->page = mmap(NULL, sizeof *g->page, PROT_READ | PROT_WRITE, MAP_SHARED,
                       g->page_fd, 0);
    must(pthread_mutex_init(&g->lock, NULL) == 0);
    if (g->wake_fd < 0 || g->page == MAP_FAILED) {
        child_guard_destroy(g);
        return STATUS_IO;
    }
    *ret_guard = g;
    return STATUS_OK;
}

void child_guard_destroy(struct child_guard *g)
{
    if (g == NULL)
        return;
    if (g->page != MAP_FAILED)
        (void)munmap(g->page, sizeof *g->page);
    if (g->page_fd >= 0)
        (void)close(g->page_fd);
    if (g->wake_fd >= 0)
        (void)close(g->wake_fd);
    (void)pthread_mutex_destroy(&g->lock);
    free(g);
}

int child_guard_page_fd(const struct child_guard *g)
{
    return g->page_fd;
}

int child_guard_wake_fd(const struct child_guard *g)
{
    return g->wake_fd;
}

/* A later deadline needs no word: the guardian looks again when the earlier one comes. */
static void show(struct child_guard *g, uint64_t deadline_ns)
{
    bool must_wake = deadline_ns != 0 && (g->shown_ns == 0 || deadline_ns < g->shown_ns);
    uint64_t one = 1;

    g->shown_ns = deadline_ns;
    atomic_store_explicit(&g->page->deadline_ns, deadline_ns, memory_order_release);
    if (must_wake)
        (void)!write(g->wake_fd, &one, sizeof one);
}

static bool has_passed(const struct child_guard *g)
{
    return g->shown_ns != 0 && clock_boot_ns() >= g->shown_ns;
}

void child_guard_lease(struct child_guard *g, uint64_t deadline_ns)
{
    must(pthread_mutex_lock(&g->lock) == 0);
    g->lease_ns = deadline_ns;
    /* W2: a later bit never brings back what was being given up. */
    if (g->is_armed && has_passed(g))
        g->is_fenced = true;
    if (g->is_armed && !g->is_fenced)
        show(g, deadline_ns);
    must(pthread_mutex_unlock(&g->lock) == 0);
}

void child_guard_arm(struct child_guard *g, bool holds)
{
    must(pthread_mutex_lock(&g->lock) == 0);
    if (g->is_armed && has_passed(g))
        g->is_fenced = true;
    if (!g->is_fenced && g->is_armed != holds)
        show(g, holds ? g->lease_ns : 0);
    g->is_armed = holds;
    must(pthread_mutex_unlock(&g->lock) == 0);
}

void child_guard_fence(struct child_guard *g, uint64_t deadline_ns)
{
    must(pthread_mutex_lock(&g->lock) == 0);
    if (g->is_armed && !g->is_fenced) {
        g->is_fenced = true;
        show(g, deadline_ns);
    }
    must(pthread_mutex_unlock(&g->lock) == 0);
}

void child_guard_reset(struct child_guard *g)
{
    must(pthread_mutex_lock(&g->lock) == 0);
    g->is_armed = g->is_fenced = false;
    show(g, 0);
    must(pthread_mutex_unlock(&g->lock) == 0);
}
