#include "static_watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What tells one state of the file from another, links followed. */
struct mark {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed; /* ctime: moves with every write and rename */
    int32_t is_there;
};

struct static_watch {
    const struct parti_host *host;
    char *path;
    char *folder;
    const char *name; /* the last part of the path */
    int inotify;
    int stop;      /* eventfd */
    int folder_wd; /* -1: the folder is not there */
    int file_wd;   /* the file itself, links followed; -1: not there */
    struct mark mark;
    pthread_t thread;
};

static struct mark look(const char *path)
{
    struct mark mark = {0};
    struct stat st;

    if (stat(path, &st) == 0) {
        mark.dev = st.st_dev;
        mark.ino = st.st_ino;
        mark.size = st.st_size;
        mark.changed = st.st_ctim;
        mark.is_there = 1;
    }
    return mark;
}

static int32_t mark_equal(const struct mark *a, const struct mark *b)
{
    return a->is_there == b->is_there && a->dev == b->dev && a->ino == b->ino &&
           a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Watches are set before the file is looked at, so no change falls between the two.
 * inotify hands out the same number for a file that is watched already. */
static void set_watches(struct static_watch *w)
{
    int old_folder = w->folder_wd;
    int old_file = w->file_wd;

    w->folder_wd = inotify_add_watch(w->inotify, w->folder,
                                     IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                         IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF |
                                         IN_MOVE_SELF | IN_ONLYDIR);
    w->file_wd = inotify_add_watch(w->inotify, w->path,
                                   IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF |
                                       IN_MOVE_SELF | IN_ATTRIB);
    /* What was moved away is no longer ours; what was deleted is gone already. */
    if (old_folder >= 0 && old_folder != w->folder_wd)
        (void)inotify_rm_watch(w->inotify, old_folder);
    if (old_file >= 0 && old_file != w->file_wd)
        (void)inotify_rm_watch(w->inotify, old_file);
}

/* Reads what has happened.  Bit 0: something did; bit 1: surely to our file, though its
 * mark may look the same. */
static int drain(struct static_watch *w)
{
    _Alignas(struct inotify_event) char room[8192];
    ssize_t n = read(w->inotify, room, sizeof room);
    int what = 0;

    for (ssize_t i = 0; i < n;) {
        struct inotify_event event;

        memcpy(&event, room + i, sizeof event);
        const char *name = room + i + sizeof event;

        what |= 1;
        if ((event.mask & IN_Q_OVERFLOW) != 0)
            what |= 2;
        if ((event.mask & (IN_MODIFY | IN_CLOSE_WRITE)) != 0 &&
            (event.wd == w->file_wd || (event.len > 0 && strcmp(name, w->name) == 0)))
            what |= 2;
        i += (ssize_t)(sizeof event + event.len);
    }
    return what;
}

/* Waits for an event until 'deadline' (UINT64_MAX: for ever).  0: stop; 1: time is up;
 * 2: there are events. */
static int wait_event(struct static_watch *w, uint64_t deadline)
{
    struct pollfd fd[2] = {{w->stop, POLLIN, 0}, {w->inotify, POLLIN, 0}};

    for (;;) {
        uint64_t now = now_ms();
        int timeout = deadline == UINT64_MAX ? -1
                      : deadline <= now      ? 0
                                             : (int)(deadline - now);
        int n = poll(fd, 2, timeout);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || fd[0].revents != 0)
            return 0;
        return n == 0 ? 1 : 2;
    }
}

static void *run(void *ctx)
{
    struct static_watch *w = ctx;

    for (;;) {
        int32_t has_folder = w->folder_wd >= 0;
        int got = wait_event(w, has_folder ? UINT64_MAX : now_ms() + STATIC_AGAIN_MS);
        uint64_t burst_end = now_ms() + STATIC_BURST_MS;
        int what = 0;

        while (got == 2) {
            uint64_t quiet_end = now_ms() + STATIC_QUIET_MS;

            what |= drain(w);
            if (now_ms() >= burst_end)
                break;
            got = wait_event(w, quiet_end < burst_end ? quiet_end : burst_end);
        }
        if (got == 0)
            return NULL;
        set_watches(w);
        struct mark mark = look(w->path);
        if ((what & 2) != 0 || !mark_equal(&mark, &w->mark)) {
            w->mark = mark;
            w->host->changed(w->host);
        }
    }
}

static int32_t start(struct static_watch *w)
{
    sigset_t all, old;
    int failed;

    /* Signals are the host's business. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    failed = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = failed;
    return failed == 0;
}

static void release(struct static_watch *w)
{
    int kept = errno;

    if (w->inotify >= 0)
        (void)close(w->inotify);
    if (w->stop >= 0)
        (void)close(w->stop);
    free(w->folder);
    free(w->path);
    free(w);
    errno = kept;
}

struct static_watch *static_watch_create(const char *path, const struct parti_host *host)
{
    struct static_watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->host = host;
    w->folder_wd = w->file_wd = -1;
    w->stop = eventfd(0, EFD_CLOEXEC);
    w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    w->path = strdup(path);
    w->folder = strdup(path);
    if (w->stop < 0 || w->inotify < 0 || w->path == NULL || w->folder == NULL)
        goto fail;
    char *slash = strrchr(w->folder, '/');
    w->name = w->path + (slash - w->folder) + 1;
    slash[slash == w->folder] = '\0';
    set_watches(w);
    w->mark = look(w->path);
    if (!start(w))
        goto fail;
    return w;
fail:
    release(w);
    return NULL;
}

void static_watch_destroy(struct static_watch *w)
{
    uint64_t one = 1;

    if (w == NULL)
        return;
    while (write(w->stop, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    (void)pthread_join(w->thread, NULL);
    release(w);
}
