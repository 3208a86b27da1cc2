/* For programs under ThreadSanitizer that use librdkafka, which starts its threads with
 * C11's thrd_create().  gcc 12's runtime does not know that function, and crashes in a
 * thread that it has not seen begin.  So these stand in its place.
 */
#if defined(__SANITIZE_THREAD__)
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#define SEEN __attribute__((visibility("default")))

struct start {
    thrd_start_t run;
    void *ctx;
};

static void *begin(void *ctx)
{
    struct start start = *(struct start *)ctx;

    free(ctx);
    return (void *)(intptr_t)start.run(start.ctx);
}

SEEN int thrd_create(thrd_t *ret, thrd_start_t run, void *ctx)
{
    struct start *start = malloc(sizeof *start);

    if (start == NULL)
        return thrd_nomem;
    *start = (struct start){run, ctx};
    if (pthread_create(ret, NULL, begin, start) == 0)
        return thrd_success;
    free(start);
    return thrd_error;
}

SEEN int thrd_join(thrd_t thread, int *ret)
{
    void *result;

    if (pthread_join(thread, &result) != 0)
        return thrd_error;
    if (ret != NULL)
        *ret = (int)(intptr_t)result;
    return thrd_success;
}

SEEN int thrd_detach(thrd_t thread)
{
    return pthread_detach(thread) == 0 ? thrd_success : thrd_error;
}
#else
typedef int c11_threads_are_not_needed;
#endif
