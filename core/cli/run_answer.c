/* What a line of a supervised command's output answers (run_post.h). */
#include "cli/run_post.h"

#include "base/bytes.h"
#include "base/json.h"

#include <string.h>

enum { DIGITS_MAX = 18 };

static const struct {
    const char *word;
    enum run_answer answer;
} words[] = {{"ack", RUN_ANSWER_ACK},
             {"nak", RUN_ANSWER_NAK},
             {"term", RUN_ANSWER_TERM},
             {"progress", RUN_ANSWER_PROGRESS}};
enum { WORDS = sizeof words / sizeof *words };

/* {"ack":N} as nearly every line is, without a blank. */
static bool parse_plain(const char *line, size_t n, uint64_t *ret_n)
{
    static const char opening[] = {'{', '"', 'a', 'c', 'k', '"', ':'};
    uint64_t number = 0;
    size_t i = sizeof opening;

    if (n < i + 2 || n > i + DIGITS_MAX || line[n - 1] != '}' ||
        memcmp(line, opening, i) != 0 || (line[i] == '0' && n > i + 2))
        return false;
    for (; i < n - 1; i++) {
        if (line[i] < '0' || line[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(line[i] - '0');
    }
    *ret_n = number;
    return true;
}

/* {"WORD": N} with, behind a nak, "delay_ms": MS; nothing else on the line. */
bool run_answer_parse(const char *line, size_t n, enum run_answer *ret_answer,
                      uint64_t *ret_n, uint64_t *ret_delay_ms)
{
    struct bytes key = {NULL, 0};
    struct json_in in;
    int word = 0;

    *ret_answer = RUN_ANSWER_ACK;
    *ret_delay_ms = 0;
    if (parse_plain(line, n, ret_n))
        return true;
    if (n == 0 || memchr(line, '{', n) == NULL)
        return false;
    json_in_init(&in, line, n);
    json_enter(&in, '{');
    if (!json_next_key(&in, &key))
        return false;
    while (word < WORDS && !bytes_equal(key, bytes_of(words[word].word)))
        word++;
    if (word == WORDS)
        return false;
    *ret_answer = words[word].answer;
    *ret_n = json_get_u64(&in);
    if (json_next_key(&in, &key)) {
        if (*ret_answer != RUN_ANSWER_NAK || !bytes_equal(key, bytes_of("delay_ms")))
            return false;
        *ret_delay_ms = json_get_u64(&in);
        if (json_next_key(&in, &key))
            return false;
    }
    while (!in.is_bad && in.at < in.end &&
           (*in.at == ' ' || *in.at == '\t' || *in.at == '\r'))
        in.at++;
    return !in.is_bad && in.at == in.end;
}
