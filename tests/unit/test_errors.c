/* core/base/errors: one table, ascending, every code with one line for people. */
#include "base/errors.h"

#include "unit.h"

#include <string.h>

START_TEST(codes_ascend_and_none_stands_twice)
{
    int last = 0;
    size_t n = 0;

    for (const struct error_entry *e = errors_all(); e->code != 0; e++, n++) {
        ck_assert_int_gt(e->code, last);
        last = e->code;
    }
    ck_assert_uint_gt(n, 0);
}
END_TEST

START_TEST(codes_have_three_digits_and_belong_to_a_field)
{
    /* E1yy server, E2yy plugins, E3yy membership, E4yy configuration, E5yy sources,
     * E6yy worker, E7yy messages */
    for (const struct error_entry *e = errors_all(); e->code != 0; e++) {
        ck_assert_int_ge(e->code, 100);
        ck_assert_int_lt(e->code, 800);
    }
}
END_TEST

START_TEST(every_code_has_a_line_of_its_own)
{
    for (const struct error_entry *e = errors_all(); e->code != 0; e++) {
        ck_assert_str_eq(error_summary(e->code), e->summary);
        ck_assert_uint_gt(strlen(e->summary), 10);
        ck_assert(strchr(e->summary, '\n') == NULL);
        for (const struct error_entry *f = errors_all(); f != e; f++)
            ck_assert_str_ne(f->summary, e->summary);
    }
}
END_TEST

START_TEST(published_codes_never_change_their_meaning)
{
    ck_assert_int_eq(ERR_NATS_NO_JETSTREAM, 102);
    ck_assert_str_eq(error_summary(102), "the server has no JetStream");
    ck_assert_int_eq(ERR_PLUGIN_NEWER, 207);
    ck_assert_int_eq(ERR_ID_NONE_FREE, 310);
    ck_assert_int_eq(ERR_LOG_FORKED, 311);
    ck_assert_int_eq(ERR_CONF_MISTAKES, 401);
    ck_assert_int_eq(ERR_SOURCE_TWICE, 503);
}
END_TEST

START_TEST(a_code_that_is_none_is_said_to_be_unknown)
{
    ck_assert_str_eq(error_summary(0), "unknown error");
    ck_assert_str_eq(error_summary(-1), "unknown error");
    ck_assert_str_eq(error_summary(999), "unknown error");
}
END_TEST

UNIT_MAIN("errors", codes_ascend_and_none_stands_twice,
          codes_have_three_digits_and_belong_to_a_field, every_code_has_a_line_of_its_own,
          published_codes_never_change_their_meaning,
          a_code_that_is_none_is_said_to_be_unknown)
