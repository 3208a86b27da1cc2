/* core/host/message_line: a message as the supervised command reads it. */
#include "host/message_line.h"

#include "unit.h"

#include <string.h>

static void line_is(const struct parti_message *m, bool is_raw, const char *wanted)
{
    static const char opening[] = "{\"event\":\"message\",\"n\":17";
    struct event_line line = {0};

    ck_assert_int_eq(message_line_make(&line, m, 17, is_raw), 0);
    ck_assert_uint_gt(line.n, sizeof opening - 1);
    ck_assert_int_eq(memcmp(line.at, opening, sizeof opening - 1), 0);
    ck_assert_msg(line.n == sizeof opening - 1 + strlen(wanted) &&
                      memcmp(line.at + sizeof opening - 1, wanted, strlen(wanted)) == 0,
                  "%.*s", (int)line.n, line.at);
    event_line_finish(&line);
}

START_TEST(lines_hold_text_or_base64)
{
    const struct parti_header headers[] = {{"a", "1", 1, 1}, {"a", "\"2\"", 1, 3}};
    const struct parti_partition p = {.id = "o/3", .token = {12, 34}};
    struct parti_message m = {.partition = &p,
                              .position = 9,
                              .attempt = 2,
                              .subject = "o.3",
                              .data = "h\xc3\xa9\n",
                              .data_n = 4};

    line_is(&m, false,
            ",\"partition\":\"o/3\",\"token\":\"12-34\",\"position\":9,\"attempt\":2,"
            "\"subject\":\"o.3\",\"data\":\"h\xc3\xa9\\u000a\"}\n");
    m.data = "\xff\0";
    m.data_n = 2;
    m.key = "k\xfe";
    m.key_n = 2;
    m.time_ms = 5;
    m.header = headers;
    m.header_n = 2;
    line_is(&m, false,
            ",\"partition\":\"o/3\",\"token\":\"12-34\",\"position\":9,\"attempt\":2,"
            "\"time_ms\":5,\"subject\":\"o.3\",\"key_base64\":\"a/4=\","
            "\"headers\":[[\"a\",\"1\"],[\"a\",\"\\\"2\\\"\"]],"
            "\"data_base64\":\"/wA=\"}\n");
    m.data = "raw\n";
    m.data_n = 4;
    m.key = NULL;
    m.header_n = 0;
    line_is(&m, true,
            ",\"partition\":\"o/3\",\"token\":\"12-34\",\"position\":9,\"attempt\":2,"
            "\"time_ms\":5,\"subject\":\"o.3\",\"length\":4}\nraw\n\n");
}
END_TEST

UNIT_MAIN("message_line", lines_hold_text_or_base64)
