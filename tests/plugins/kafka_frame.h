/* The kafka plugin under the source runner: a section made by hand, what it lists, and
 * waiting for what it tells unasked.  For the tests against the mock cluster and against
 * a real broker. */
#ifndef PARTI_TESTS_KAFKA_FRAME_H
#define PARTI_TESTS_KAFKA_FRAME_H

#include "source_frame.h"

/* [source] plugin = kafka, brokers = ...; further keys with section_set(). */
static inline struct section *kafka_add(struct fixture *f, const char *brokers)
{
    struct section *s = &f->section[f->n++];

    section_init(s, "source", "kafka");
    section_set(s, "brokers", brokers);
    f->setup.plugin_dir = plugins_dir();
    return s;
}

/* Waits for a result after the first 'from' of that status, and of that code if it is a
 * failure; its index. */
static inline uint32_t kafka_await(struct fixture *f, uint32_t from, int status, int code)
{
    for (;; from++) {
        const struct source_result *r = await(f, from + 1);

        if (r->status == status && (status == STATUS_OK || r->code == code))
            return from;
    }
}

/* Waits for a listing of so many partitions. */
static inline uint32_t kafka_await_count(struct fixture *f, uint32_t from, uint32_t n)
{
    for (;; from++) {
        const struct source_result *r = await(f, from + 1);

        if (r->status == STATUS_OK && r->listing->n == n)
            return from;
    }
}

/* An ask that fails so, with that in its text; how long it took. */
static inline uint64_t kafka_fails(struct fixture *f, int status, int code,
                                   const char *text)
{
    uint64_t start = threads_now_ms();
    const struct source_result *r = ask(f, true);
    uint64_t took = threads_now_ms() - start;

    ck_assert_msg(r->status == status && r->code == code, "status %d, E%d: %s", r->status,
                  r->code, f->box.text[r - f->box.result]);
    ck_assert_says(f->box.text[r - f->box.result], text);
    return took;
}

#endif
