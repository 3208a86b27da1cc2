#include "rig.h"

#include "crew.h"

#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rig_init_options(struct rig *rig, const struct nats_link_options *options)
{
    const struct inbox_limits limits = {8192, 64 << 20, 1024};
    char text[RIG_TEXT_ROOM] = "";

    *rig = (struct rig){0};
    ck_assert_int_eq(inbox_create(&rig->inbox, &limits), STATUS_OK);
    int status = nats_link_create(&rig->link, rig->inbox, options, text, sizeof text);
    ck_assert_msg(status == STATUS_OK, "%s", text);
}

void rig_init(struct rig *rig, const char *url)
{
    rig_init_options(rig, &(struct nats_link_options){.url = url});
}

void rig_finish(struct rig *rig)
{
    nats_log_destroy(rig->log);
    nats_positions_destroy(rig->positions);
    nats_link_destroy(rig->link);
    while (rig->first != NULL) {
        struct inbox_item *item = rig->first;
        rig->first = item->next;
        inbox_item_free(item);
    }
    if (rig->inbox != NULL)
        ck_assert_uint_eq(inbox_counts(rig->inbox).lost, 0);
    inbox_destroy(rig->inbox);
}

static void keep(struct rig *rig, struct inbox_item *item)
{
    item->next = NULL;
    if (rig->first == NULL)
        rig->first = item;
    else
        rig->last->next = item;
    rig->last = item;
}

static struct inbox_item *take(struct rig *rig, int kind, uint64_t op)
{
    struct inbox_item *before = NULL;

    for (struct inbox_item *i = rig->first; i != NULL; before = i, i = i->next) {
        if (i->kind != kind || (op != 0 && i->op != op))
            continue;
        if (before == NULL)
            rig->first = i->next;
        else
            before->next = i->next;
        if (rig->last == i)
            rig->last = before;
        return i;
    }
    return NULL;
}

/* What the loop does each time round. */
static void turn(struct rig *rig, uint64_t deadline_ns)
{
    uint64_t now = clock_boot_ns();
    uint64_t until = deadline_ns;
    struct inbox_item *item;

    if (rig->log != NULL && nats_log_deadline_ns(rig->log) < until)
        until = nats_log_deadline_ns(rig->log);
    if (rig->positions != NULL && nats_positions_deadline_ns(rig->positions) < until)
        until = nats_positions_deadline_ns(rig->positions);
    struct pollfd ready = {.fd = inbox_fd(rig->inbox), .events = POLLIN};
    (void)poll(&ready, 1, until > now ? (int)((until - now) / CLOCK_NS_PER_MS) + 1 : 0);
    while ((item = inbox_pop(rig->inbox)) != NULL) {
        if ((rig->log != NULL && nats_log_feed(rig->log, item)) ||
            (rig->positions != NULL && nats_positions_feed(rig->positions, item)))
            inbox_item_free(item);
        else
            keep(rig, item);
    }
    if (rig->log != NULL)
        nats_log_tick(rig->log, clock_boot_ns());
    if (rig->positions != NULL)
        nats_positions_tick(rig->positions, clock_boot_ns());
}

struct inbox_item *rig_try(struct rig *rig, int kind, uint64_t op, uint64_t ms)
{
    uint64_t deadline_ns = clock_boot_ns() + ms * CLOCK_NS_PER_MS;
    struct inbox_item *item = take(rig, kind, op);

    while (item == NULL && clock_boot_ns() < deadline_ns) {
        turn(rig, deadline_ns);
        item = take(rig, kind, op);
    }
    return item;
}

struct inbox_item *rig_next(struct rig *rig, int kind, uint64_t op)
{
    struct inbox_item *item = rig_try(rig, kind, op, RIG_WAIT_MS);

    if (item == NULL) {
        for (struct inbox_item *i = rig->first; i != NULL; i = i->next)
            (void)fprintf(stderr, "came: kind %d status %d code %d '%s'\n", i->kind,
                          i->status, i->code, i->data);
    }
    ck_assert_msg(item != NULL, "no item of kind %d came", kind);
    return item;
}

void rig_expect(struct rig *rig, int kind)
{
    inbox_item_free(rig_next(rig, kind, 0));
}

void rig_expect_error(struct rig *rig, int kind, int code, const char *const words[])
{
    struct inbox_item *item = rig_next(rig, kind, 0);

    ck_assert_msg(item->code == code, "code %d: %s", item->code, item->data);
    for (int i = 0; words[i] != NULL; i++)
        ck_assert_msg(strstr(item->data, words[i]) != NULL, "'%s' is not in: %s",
                      words[i], item->data);
    (void)printf("  PARTI-E%d %s\n", item->code, item->data);
    inbox_item_free(item);
}

void rig_log(struct rig *rig, const char *group, int replicas)
{
    struct nats_log_options options = {.group = group, .replicas = replicas, .tag = 7};
    uint64_t deadline = clock_boot_ms() + SERVER_META_MS;
    int status;

    ck_assert_int_eq(nats_log_create(&rig->log, rig->link, rig->inbox, &options),
                     STATUS_OK);
    rig_expect(rig, INBOX_LINK_UP);
    do {
        ck_assert_msg(clock_boot_ms() < deadline, "the log does not open");
        ck_assert_int_eq(nats_log_open(rig->log, ++rig->op, 5000), STATUS_OK);
        struct inbox_item *item = rig_next(rig, INBOX_LOG_ANSWER, rig->op);
        status = item->status;
        if (status != STATUS_OK)
            (void)fprintf(stderr, "open: %s\n", item->data);
        inbox_item_free(item);
    } while (status != STATUS_OK);
}

int rig_write(struct rig *rig, const char *key, uint64_t expect, const char *text,
              uint64_t *ret_seq)
{
    const struct nats_log_write write = {
        .key = key, .expect_seq = expect, .data = text, .n = strlen(text)};

    ck_assert_int_eq(nats_log_write(rig->log, ++rig->op, &write, 0), STATUS_OK);
    struct inbox_item *item = rig_next(rig, INBOX_LOG_ANSWER, rig->op);
    int status = item->status;
    ck_assert_str_eq(item->subject, key);
    if (ret_seq != NULL)
        *ret_seq = item->seq;
    inbox_item_free(item);
    return status;
}

int rig_read(struct rig *rig, const char *key, uint64_t *ret_seq,
             char text[RIG_TEXT_ROOM])
{
    ck_assert_int_eq(nats_log_read(rig->log, ++rig->op, key, 0), STATUS_OK);
    struct inbox_item *item = rig_next(rig, INBOX_LOG_ANSWER, rig->op);
    int status = item->status;
    ck_assert_uint_lt(item->n, RIG_TEXT_ROOM);
    (void)snprintf(text, RIG_TEXT_ROOM, "%s", item->data);
    if (ret_seq != NULL)
        *ret_seq = item->seq;
    inbox_item_free(item);
    return status;
}

uint64_t rig_info(struct rig *rig)
{
    ck_assert_int_eq(nats_log_info(rig->log, ++rig->op, 0), STATUS_OK);
    struct inbox_item *item = rig_next(rig, INBOX_LOG_ANSWER, rig->op);
    ck_assert_msg(item->status == STATUS_OK, "%s", item->data);
    uint64_t seq = item->seq;
    inbox_item_free(item);
    return seq;
}

/* ---- the frame */

const struct server_program *rig_program(int i)
{
    const struct server_program *programs;

    must((size_t)i < server_programs(&programs));
    return &programs[i];
}

static int show_programs(void)
{
    const struct server_program *programs;
    size_t n = server_programs(&programs);
    bool is_new = false;

    for (size_t i = 0; i < n; i++) {
        (void)printf("server %zu: %s (%s)\n", i, programs[i].version, programs[i].path);
        is_new = is_new || server_is_at_least(&programs[i], 2, 11);
    }
    if (!is_new)
        (void)printf("SKIPPED: no server of 2.11 or newer is here; "
                     "tools/fetch-servers.sh gets one.\n");
    (void)fflush(stdout);
    return (int)n;
}

int rig_crew(const char *name, const TTest *const *tests, size_t n)
{
    return crew_run(name, tests, n, show_programs());
}

int rig_run(const char *name, const TTest *const *tests, size_t n)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    int programs = show_programs();

    tcase_set_timeout(tcase, 120);
    for (size_t i = 0; i < n; i++)
        tcase_add_loop_test(tcase, tests[i], 0, programs);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
