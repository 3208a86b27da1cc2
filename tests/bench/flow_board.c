/* What the processes of the benches count in, and what their messages say. */
#include "flow.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void flow_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    _exit(1);
}

struct flow *flow_map(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || ftruncate(fd, sizeof(struct flow)) < 0)
        flow_die("cannot open %s", path);
    void *at = mmap(NULL, sizeof(struct flow), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        flow_die("cannot map %s", path);
    (void)close(fd);
    return at;
}

uint64_t flow_now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void flow_put(char *data, const struct flow_head *head)
{
    char text[FLOW_HEAD + 1];

    (void)snprintf(text, sizeof text, "%05" PRIu32 " %014" PRIu64 " %020" PRIu64 " ",
                   head->part % 100000, head->number % 100000000000000u,
                   head->published_ns);
    memcpy(data, text, FLOW_HEAD);
}

static uint64_t digits(const char *at, int n)
{
    uint64_t value = 0;

    for (int i = 0; i < n; i++)
        value = value * 10 + (uint64_t)(at[i] - '0');
    return value;
}

int flow_get(struct flow_head *ret, const char *data, size_t n)
{
    if (n < FLOW_HEAD)
        return 0;
    *ret = (struct flow_head){.part = (uint32_t)digits(data, 5) % FLOW_PARTS_MAX,
                              .number = digits(data + 6, 14),
                              .published_ns = digits(data + 21, 20)};
    return 1;
}

/* Rounds that wait for each other, and that no compiler leaves out. */
static void work(uint64_t rounds)
{
    static _Thread_local volatile uint64_t result;
    uint64_t x = result;

    for (uint64_t i = 0; i < rounds; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    result = x;
}

/* ROUNDS: how long they take, in ns */
int flow_spin(int argc, char **argv)
{
    if (argc != 1)
        flow_die("spin: one argument");
    uint64_t start_ns = flow_now_ns();
    work(strtoull(argv[0], NULL, 10));
    (void)printf("%" PRIu64 "\n", flow_now_ns() - start_ns);
    return 0;
}

void flow_count(struct flow *flow, int index, const struct flow_head *head)
{
    struct flow_place *place = &flow->place[index];
    uint64_t rounds = atomic_load_explicit(&flow->work, memory_order_relaxed);
    uint64_t now_ns = flow_now_ns();

    if (rounds > 0)
        work(rounds);
    /* One partition's messages come one after the other: no two threads meet here. */
    if (atomic_load_explicit(&flow->next[head->part], memory_order_relaxed) !=
        head->number)
        (void)atomic_fetch_add(&place->wrong, 1);
    atomic_store_explicit(&flow->next[head->part], head->number + 1,
                          memory_order_relaxed);
    if (atomic_fetch_add_explicit(&place->count, 1, memory_order_relaxed) == 0)
        atomic_store(&place->first_ns, now_ns);
    atomic_store_explicit(&place->last_ns, now_ns, memory_order_relaxed);
}
