/* core/host/source: sources on their threads, well or badly behaved, and their merging.
 */
#include "source_frame.h"

START_TEST(lists_are_merged_in_bytewise_order)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "well", "b/10\na\nb/2");
    (void)fixture_add(&f, "source:two", "well", "b\nz\nb/1");
    (void)fixture_add(&f, "source:three", "well", NULL);
    fixture_create(&f);
    const struct source_result *r = ask(&f, false);
    lists(r, "a b b/1 b/10 b/2 z");
    ck_assert_uint_eq(r->listing->weight[0], 100);
    fixture_finish(&f);
}
END_TEST

START_TEST(no_partition_is_a_legal_list)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "well", NULL);
    fixture_create(&f);
    lists(ask(&f, true), "");
    lists(ask(&f, false), "");
    fixture_finish(&f);
}
END_TEST

START_TEST(a_partition_of_two_sources_is_an_error_that_names_both)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "well", "a\norders%/3");
    (void)fixture_add(&f, "source:two", "well", "orders%/3\nx");
    fixture_create(&f);
    const struct source_result *r = ask(&f, false);
    ck_assert_int_eq(r->status, STATUS_CONFLICT);
    ck_assert_int_eq(r->code, ERR_SOURCE_TWICE);
    ck_assert_says(f.box.text[0], "PARTI-E503 partition orders%25/3 is listed by source "
                                  "puppet and by source:two puppet");
    fixture_finish(&f);
}
END_TEST

/* A list that is refused, and with which sentence. */
static void refused(const char *behave, const char *partitions, int code,
                    const char *text)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", behave, partitions);
    fixture_create(&f);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_int_eq(ask(&f, true)->code, code);
        ck_assert_says(f.box.text[i], text);
    }
    fixture_finish(&f);
}

START_TEST(rows_that_break_the_rules_are_refused_in_words)
{
    refused("well", "a\nb\na", ERR_SOURCE_TWICE,
            "partition a is in its list twice. Take one of them out");
    refused("empty_id", "a", ERR_SOURCE_ROWS,
            "partition 1 of its list, '', cannot be used: it is empty");
    refused("empty_key", NULL, ERR_SOURCE_ROWS,
            "'a//b', cannot be used: it has an empty key");
    refused("too_long", NULL, ERR_SOURCE_ROWS, "it is longer than 512 bytes");
    refused("too_many", NULL, ERR_SOURCE_MANY, "more than 2000000 partitions");
    refused("retry", "a", ERR_SOURCE_FAILED,
            "PARTI-E500 source puppet could not list its partitions: the network "
            "is away");
    refused("missing", "a", ERR_SOURCE_MISSING,
            "PARTI-E506 source puppet could not list its partitions: no such");
    refused("denied", "a", ERR_SOURCE_DENIED,
            "PARTI-E507 source puppet could not list its partitions: not for");
    refused("timeout", "a", ERR_SOURCE_TIMEOUT,
            "PARTI-E501 source puppet could not list its partitions: no word");
}
END_TEST

/* A host of ABI 1.0 is told what it knows. */
START_TEST(newer_codes_are_retry_for_an_older_host)
{
    struct parti_host old = {.size = sizeof old, .abi_minor = 0};
    struct parti_host now = {.size = sizeof now, .abi_minor = PARTI_ABI_MINOR};

    for (int32_t code = PARTI_OK; code <= PARTI_TIMEOUT; code++) {
        ck_assert_int_eq(parti_code(&old, code),
                         code < PARTI_MISSING ? code : PARTI_RETRY);
        ck_assert_int_eq(parti_code(&now, code), code);
    }
}
END_TEST

START_TEST(a_broken_contract_shuts_the_source_off)
{
    refused("bug", NULL, ERR_SOURCE_BROKEN, "answered BUG (7)");
    refused("unknown", NULL, ERR_SOURCE_BROKEN, "answered an unknown code (-5)");
    refused("keep", NULL, ERR_SOURCE_BROKEN, "answered KEEP (8)");
    refused("backwards", NULL, ERR_SOURCE_BROKEN, "ends before it starts");
    refused("deaf", NULL, ERR_SOURCE_BROKEN,
            "it is empty, and it went on when that was refused");
}
END_TEST

START_TEST(asks_that_stand_share_an_answer_and_later_ones_get_their_own)
{
    struct fixture f;
    int gate[2];

    ck_assert_int_eq(pipe(gate), 0);
    fixture_init(&f);
    struct section *s = fixture_add(&f, "source", "hang", "a");
    (void)snprintf(f.number, sizeof f.number, "%d", gate[0]);
    section_set(s, "gate", f.number);
    f.setup.budget_ms = 10 * DEADLINE_MS;
    fixture_create(&f);
    /* Whichever asks the first listing has taken in, the later ones need another one,
     * and the command among them is not lost. */
    for (int i = 0; i < 5; i++)
        sources_ask(f.sources, i == 4);
    ck_assert_int_eq(write(gate[1], "xx", 2), 2);
    uint32_t n = 1;
    while (!await(&f, n)->commanded)
        n++;
    ck_assert_uint_le(n, 5);
    for (uint32_t i = 0; i < n; i++)
        ck_assert(f.box.result[i].asked);
    fixture_finish(&f);
}
END_TEST

START_TEST(the_last_list_stays_when_one_source_fails)
{
    struct fixture f;
    int gate[2];

    ck_assert_int_eq(pipe(gate), 0);
    fixture_init(&f);
    struct section *s = fixture_add(&f, "source", "hang_second", "a");
    (void)fixture_add(&f, "source:two", "count", NULL);
    (void)snprintf(f.number, sizeof f.number, "%d", gate[0]);
    section_set(s, "gate", f.number);
    f.setup.budget_ms = 50;
    fixture_create(&f);
    lists(ask(&f, false), "a call-0");
    sources_watch(f.sources, true);
    const struct source_result *r = ask(&f, false);
    ck_assert_int_eq(r->status, STATUS_TIMEOUT);
    ck_assert_says(f.box.text[1], "PARTI-E501 source puppet does not return from list()");
    /* The other source's news come with the last list of the stuck one. */
    lists(await(&f, 3), "a call-1");
    ck_assert(!f.box.result[2].asked);
    /* Asked again it fails at once, though the thread is still away. */
    ck_assert_int_eq(ask(&f, true)->status, STATUS_TIMEOUT);
    lists(await(&f, 5), "a call-2");
    /* It returns: listed again by itself, and then asks are answered. */
    ck_assert_int_eq(write(gate[1], "x", 1), 1);
    for (uint32_t n = 6;; n++) {
        sources_ask(f.sources, true);
        if (await(&f, n)->asked && f.box.result[n - 1].status == STATUS_OK)
            break;
    }
    fixture_finish(&f);
}
END_TEST

START_TEST(a_listing_over_its_budget_is_canceled)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "until_cancel", NULL);
    (void)fixture_add(&f, "source:two", "obey", NULL);
    f.setup.budget_ms = 30;
    fixture_create(&f);
    const struct source_result *r = ask(&f, true);
    ck_assert_int_eq(r->status, STATUS_TIMEOUT);
    ck_assert_says(f.box.text[0], "did not list its partitions within 30 ms");
    fixture_finish(&f);
}
END_TEST

START_TEST(ending_cancels_what_runs)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "until_cancel", NULL);
    (void)fixture_add(&f, "source:two", "obey", NULL);
    f.setup.budget_ms = 600000;
    fixture_create(&f);
    sources_ask(f.sources, false);
    uint64_t start = threads_now_ms();
    sources_destroy(f.sources);
    ck_assert_uint_lt(threads_now_ms() - start, SOURCE_GRACE_MS);
    f.sources = NULL;
    fixture_finish(&f);
}
END_TEST

START_TEST(ending_does_not_wait_for_a_source_that_hangs)
{
    struct fixture f;
    int gate[2], told[2];
    char byte, number[16];

    ck_assert_int_eq(pipe(gate), 0);
    ck_assert_int_eq(pipe(told), 0);
    fixture_init(&f);
    struct section *s = fixture_add(&f, "source", "hang", NULL);
    (void)snprintf(f.number, sizeof f.number, "%d", gate[0]);
    (void)snprintf(number, sizeof number, "%d", told[1]);
    section_set(s, "gate", f.number);
    section_set(s, "told", number);
    f.setup.budget_ms = 20;
    fixture_create(&f);
    ck_assert_int_eq(ask(&f, false)->status, STATUS_TIMEOUT); /* so list() is running */
    uint64_t start = threads_now_ms();
    sources_destroy(f.sources);
    ck_assert_uint_lt(threads_now_ms() - start, SOURCE_GRACE_MS + 2000);
    f.sources = NULL;
    ck_assert_int_eq(write(gate[1], "x", 1), 1);
    ck_assert_int_eq(read(told[0], &byte, 1), 1); /* its thread ended it */
    fixture_finish(&f);
}
END_TEST

START_TEST(mistakes_of_every_section_are_told_with_their_lines)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "badconf", NULL);
    fixture_add(&f, "source:two", "well", NULL)->conf.plugin = "nothing_there";
    fixture_add(&f, "source:three", "bug_create", NULL)->conf.plugin_line = 33;
    ck_assert_int_ne(try_create(&f), STATUS_OK);
    ck_assert_uint_eq(conf_errors_count(&f.section[0].errors), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct conf_error *e = &f.section[0].errors.at[i];

        if (e->line == 12)
            ck_assert_str_eq(e->text,
                             "source puppet: the value 'badconf' does not please");
        else if (e->line == 11)
            ck_assert_says(e->text, "PARTI-E201");
        else
            ck_assert_says(e->text, "PARTI-E505 source:three puppet answered BUG (7)");
    }
    fixture_finish(&f);
}
END_TEST

START_TEST(a_source_that_cannot_start_yet_is_started_later)
{
    struct fixture f;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "nostart", NULL);
    fixture_create(&f);
    const struct source_result *r = ask(&f, true);
    ck_assert_int_eq(r->status, STATUS_IO);
    ck_assert_says(f.box.text[0], "could not start: the value 'nostart'");
    fixture_finish(&f);
}
END_TEST

START_TEST(a_source_that_hangs_at_its_start_fails_asks_and_lists_when_it_is_back)
{
    struct fixture f;
    int gate[2];

    ck_assert_int_eq(pipe(gate), 0);
    fixture_init(&f);
    struct section *s = fixture_add(&f, "source", "hang_create", "a");
    (void)snprintf(f.number, sizeof f.number, "%d", gate[0]);
    section_set(s, "gate", f.number);
    f.setup.budget_ms = 50;
    fixture_create(&f);
    ck_assert_int_eq(ask(&f, true)->status, STATUS_TIMEOUT);
    ck_assert_says(f.box.text[0], "did not come back from create() within 50 ms");
    sources_watch(f.sources, true);
    ck_assert_int_eq(write(gate[1], "x", 1), 1);
    uint32_t n = f.box.n + 1; /* a failure that is news may still come before */
    while (await(&f, n)->status != STATUS_OK)
        n++;
    lists(&f.box.result[n - 1], "a");
    fixture_finish(&f);
}
END_TEST

START_TEST(one_listing_can_be_waited_for)
{
    struct fixture f;
    struct listing *listing = NULL;

    fixture_init(&f);
    (void)fixture_add(&f, "source", "well", "a\nb");
    f.conf[0] = f.section[0].conf;
    f.setup.source_n = 1;
    ck_assert_int_eq(sources_list_once(&f.setup, &f.section[0].errors, &listing), 0);
    ck_assert_uint_eq(listing->n, 2);
    listing_unref(listing);
    fixture_finish(&f);

    fixture_init(&f);
    (void)fixture_add(&f, "source", "retry", NULL);
    f.conf[0] = f.section[0].conf;
    f.setup.source_n = 1;
    ck_assert_int_ne(sources_list_once(&f.setup, &f.section[0].errors, &listing), 0);
    section_says(&f.section[0], 0, "the network is away");
    fixture_finish(&f);
}
END_TEST

/* One of tests/plugins/evil_*, which takes no options of ours. */
static void evil(const char *plugin, int code, const char *text)
{
    struct fixture f;

    fixture_init(&f);
    struct section *s = fixture_add(&f, "source", "", NULL);
    s->conf.plugin = plugin;
    s->conf.section.raw_n = 0;
    f.setup.budget_ms = DEADLINE_MS;
    fixture_create(&f);
    ck_assert_int_eq(ask(&f, true)->code, code);
    ck_assert_says(f.box.text[0], text);
    fixture_finish(&f);
}

START_TEST(evil_sources_are_found_out)
{
    evil("evil_source_dup", ERR_SOURCE_TWICE, "partition orders/0 is in its list twice");
    evil("evil_source_empty_key", ERR_SOURCE_ROWS, "'orders//1', cannot be used");
    evil("evil_source_huge", ERR_SOURCE_MANY, "more than 2000000 partitions");
}
END_TEST

START_TEST(what_a_failed_listing_added_does_not_count)
{
    struct fixture f;

    fixture_init(&f);
    struct section *s = fixture_add(&f, "source", "", NULL);
    s->conf.plugin = "evil_source_partial";
    s->conf.section.raw_n = 0;
    (void)fixture_add(&f, "source:two", "count", NULL);
    fixture_create(&f);
    lists(ask(&f, true), "call-0 orders/0 orders/1");
    sources_watch(f.sources, true);
    ck_assert_int_eq(ask(&f, true)->status, STATUS_IO);
    ck_assert_says(f.box.text[1], "the far end went away in the middle");
    lists(await(&f, 3), "call-1 orders/0 orders/1");
    fixture_finish(&f);
}
END_TEST

UNIT_MAIN("source_runner", lists_are_merged_in_bytewise_order,
          no_partition_is_a_legal_list,
          a_partition_of_two_sources_is_an_error_that_names_both,
          rows_that_break_the_rules_are_refused_in_words,
          newer_codes_are_retry_for_an_older_host, a_broken_contract_shuts_the_source_off,
          asks_that_stand_share_an_answer_and_later_ones_get_their_own,
          the_last_list_stays_when_one_source_fails,
          a_listing_over_its_budget_is_canceled, ending_cancels_what_runs,
          ending_does_not_wait_for_a_source_that_hangs,
          mistakes_of_every_section_are_told_with_their_lines,
          a_source_that_cannot_start_yet_is_started_later,
          a_source_that_hangs_at_its_start_fails_asks_and_lists_when_it_is_back,
          one_listing_can_be_waited_for, evil_sources_are_found_out,
          what_a_failed_listing_added_does_not_count)
