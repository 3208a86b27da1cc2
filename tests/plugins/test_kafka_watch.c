/* plugins/kafka/kafka_watch: when it looks, what it tells, when it rests, and how it
 * ends. Linked in, with looks made by the test; no broker.
 */
#include "plugins/kafka/kafka_watch.h"

#include "unit.h"

#include "host/threads.h"

enum { WAIT_MS = 30000 };

/* The host and the brokers of one watch. */
struct world {
    struct parti_host host;
    struct gate gate;
    /* Under the gate. */
    uint32_t looks, blocked, words, rests;
    uint32_t weight;  /* of the one partition */
    int32_t code;     /* of the next look */
    bool is_blocking; /* looks last until they are given up */
    bool is_stopping; /* the host wants the call to end */
    struct kafka_watch *watch;
};

static struct world *world_of(const struct parti_host *host)
{
    return host->ctx;
}

static void on_changed(const struct parti_host *host)
{
    struct world *w = world_of(host);

    gate_lock(&w->gate);
    w->words++;
    gate_tell(&w->gate);
    gate_unlock(&w->gate);
}

static int32_t on_stop_wanted(const struct parti_host *host)
{
    return world_of(host)->is_stopping;
}

static struct kafka_rows *one_row(uint32_t weight)
{
    struct kafka_rows *rows = calloc(1, sizeof *rows);

    ck_assert_ptr_nonnull(rows);
    rows->refs = 1;
    rows->n = 1;
    rows->end = malloc(sizeof *rows->end);
    rows->weight = malloc(sizeof *rows->weight);
    rows->bytes = malloc(3);
    rows->end[0] = 3;
    rows->weight[0] = weight;
    memcpy(rows->bytes, "a\0b", 3);
    return rows;
}

static int32_t look(void *ctx, uint64_t deadline_ms, struct kafka_rows **ret,
                    struct parti_error *error)
{
    struct world *w = ctx;

    (void)deadline_ms;
    gate_lock(&w->gate);
    bool is_blocking = w->is_blocking;
    w->looks++;
    w->blocked += is_blocking;
    gate_tell(&w->gate);
    int32_t code = w->code;
    uint32_t weight = w->weight;
    gate_unlock(&w->gate);
    if (is_blocking) {
        while (!kafka_watch_is_stopped(w->watch)) {
            gate_lock(&w->gate);
            (void)gate_wait(&w->gate, threads_now_ms() + 1);
            gate_unlock(&w->gate);
        }
        return PARTI_CANCELED;
    }
    if (code != PARTI_OK)
        return parti_fail(error, code, "so the test says");
    *ret = one_row(weight);
    return PARTI_OK;
}

static void serve(void *ctx)
{
    (void)ctx;
}

static void rest(void *ctx)
{
    struct world *w = ctx;

    gate_lock(&w->gate);
    w->rests++;
    gate_tell(&w->gate);
    gate_unlock(&w->gate);
}

static void begin(struct world *w, uint64_t poll_ms, uint64_t rest_ms)
{
    *w = (struct world){.weight = 100};
    ck_assert_int_eq(gate_init(&w->gate), 0);
    w->host = (struct parti_host){.size = sizeof w->host,
                                  .abi_minor = PARTI_ABI_MINOR,
                                  .ctx = w,
                                  .changed = on_changed,
                                  .stop_wanted = on_stop_wanted};
    struct kafka_watch_setup setup = {.host = &w->host,
                                      .poll_ms = poll_ms,
                                      .timeout_ms = 1000,
                                      .rest_ms = rest_ms,
                                      .look = look,
                                      .serve = serve,
                                      .rest = rest,
                                      .ctx = w};
    w->watch = kafka_watch_create(&setup);
    ck_assert_ptr_nonnull(w->watch);
}

static void end(struct world *w)
{
    kafka_watch_destroy(w->watch);
    gate_finish(&w->gate);
}

/* Waits until *counter is at least n. */
static void await(struct world *w, const uint32_t *counter, uint32_t n)
{
    uint64_t deadline = threads_now_ms() + WAIT_MS;

    gate_lock(&w->gate);
    while (*counter < n && threads_now_ms() < deadline)
        (void)gate_wait(&w->gate, deadline);
    ck_assert_uint_ge(*counter, n);
    gate_unlock(&w->gate);
}

static uint32_t count(struct world *w, const uint32_t *counter)
{
    gate_lock(&w->gate);
    uint32_t n = *counter;
    gate_unlock(&w->gate);
    return n;
}

static void set(struct world *w, int32_t code, uint32_t weight, bool is_blocking)
{
    gate_lock(&w->gate);
    w->code = code;
    w->weight = weight;
    w->is_blocking = is_blocking;
    gate_unlock(&w->gate);
}

static int32_t ask(struct world *w, uint32_t weight)
{
    struct parti_error error = {.size = sizeof error};
    struct kafka_rows *rows = NULL;
    uint64_t now = kafka_now_ms();
    int32_t code = kafka_watch_ask(w->watch, now + WAIT_MS, now + WAIT_MS, &rows, &error);

    if (code == PARTI_OK) {
        ck_assert_uint_eq(rows->weight[0], weight);
        kafka_watch_release(w->watch, rows);
    }
    return code;
}

START_TEST(nobody_looks_before_the_first_list_and_each_list_is_fresh)
{
    struct world w;

    begin(&w, 1, 1000);
    ck_assert_int_eq(ask(&w, 100), PARTI_OK);
    ck_assert_uint_ge(count(&w, &w.looks), 1);
    set(&w, PARTI_OK, 200, false);
    ck_assert_int_eq(ask(&w, 200), PARTI_OK);
    set(&w, PARTI_MISSING, 200, false);
    ck_assert_int_eq(ask(&w, 0), PARTI_MISSING);
    end(&w);
    /* Without an ask there is no look. */
    begin(&w, 1, 1000);
    end(&w);
    ck_assert_uint_eq(w.looks, 0);
}
END_TEST

START_TEST(a_change_is_told_once_however_many_looks_see_it)
{
    struct world w;

    begin(&w, 1, 60000);
    ck_assert_int_eq(ask(&w, 100), PARTI_OK);
    set(&w, PARTI_OK, 200, false);
    await(&w, &w.words, 1);
    uint32_t looks = count(&w, &w.looks);
    await(&w, &w.looks, looks + 20);
    ck_assert_uint_eq(count(&w, &w.words), 1);
    /* Listed, it is news no more; the next change is. */
    ck_assert_int_eq(ask(&w, 200), PARTI_OK);
    set(&w, PARTI_RETRY, 0, false);
    await(&w, &w.words, 2);
    ck_assert_int_eq(ask(&w, 0), PARTI_RETRY);
    set(&w, PARTI_OK, 200, false);
    await(&w, &w.words, 3);
    end(&w);
}
END_TEST

START_TEST(when_nobody_listens_it_rests_until_the_next_list)
{
    struct world w;

    begin(&w, 1, 50);
    ck_assert_int_eq(ask(&w, 100), PARTI_OK);
    /* Nothing changes: after some looks the word is said to see who listens. */
    await(&w, &w.rests, 1);
    ck_assert_uint_eq(count(&w, &w.words), 1);
    ck_assert_uint_ge(count(&w, &w.looks), KAFKA_WORD_POLLS);
    uint32_t looks = count(&w, &w.looks);
    ck_assert_int_eq(ask(&w, 100), PARTI_OK);
    await(&w, &w.looks, looks + 3); /* the ask and looks of its own again */
    end(&w);
}
END_TEST

static void *ask_slowly(void *ctx)
{
    struct world *w = ctx;

    ck_assert_int_eq(ask(w, 0), PARTI_CANCELED);
    return NULL;
}

START_TEST(cancel_ends_a_list_and_the_look_for_it)
{
    struct world w;
    pthread_t asker;

    begin(&w, 0, 1000);
    set(&w, PARTI_OK, 100, true);
    ck_assert_int_eq(pthread_create(&asker, NULL, ask_slowly, &w), 0);
    await(&w, &w.blocked, 1);
    kafka_watch_cancel(w.watch);
    ck_assert_int_eq(pthread_join(asker, NULL), 0);
    /* A word that came before the list began holds for it, too. */
    w.is_stopping = true;
    kafka_watch_cancel(w.watch);
    ck_assert_int_eq(ask(&w, 0), PARTI_CANCELED);
    w.is_stopping = false;
    set(&w, PARTI_OK, 300, false);
    ck_assert_int_eq(ask(&w, 300), PARTI_OK);
    end(&w);
}
END_TEST

START_TEST(a_list_does_not_wait_for_a_look_of_our_own)
{
    struct world w;

    begin(&w, 1, 60000);
    ck_assert_int_eq(ask(&w, 100), PARTI_OK);
    set(&w, PARTI_OK, 100, true);
    await(&w, &w.blocked, 1);
    set(&w, PARTI_OK, 300, false);
    uint64_t start = threads_now_ms();
    ck_assert_int_eq(ask(&w, 300), PARTI_OK);
    ck_assert_uint_lt(threads_now_ms() - start, WAIT_MS / 2);
    end(&w);
}
END_TEST

START_TEST(the_end_does_not_wait_for_a_look)
{
    struct world w;

    begin(&w, 1, 60000);
    ck_assert_int_eq(ask(&w, 100), PARTI_OK);
    set(&w, PARTI_OK, 100, true);
    await(&w, &w.blocked, 1);
    uint64_t start = threads_now_ms();
    end(&w);
    ck_assert_uint_lt(threads_now_ms() - start, WAIT_MS / 2);
}
END_TEST

UNIT_MAIN("kafka_watch", nobody_looks_before_the_first_list_and_each_list_is_fresh,
          a_change_is_told_once_however_many_looks_see_it,
          when_nobody_listens_it_rests_until_the_next_list,
          cancel_ends_a_list_and_the_look_for_it,
          a_list_does_not_wait_for_a_look_of_our_own, the_end_does_not_wait_for_a_look)
