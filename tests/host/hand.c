/* A supervised command that handles messages as their data says, for the tests of
 * `parti run`.  Every message is told by a line "handled PID PARTITION POSITION ATTEMPT
 * DATA" on its standard output, which parti passes through; then comes the answer:
 *
 *   nak...    at the first attempt {"nak":N,"delay_ms":50}
 *   term...   {"term":N}
 *   die...    at the first attempt the process ends with exit code 3
 *   hang...   at the first attempt none
 *   mute...   none at any attempt
 *   later-... at the first attempt that of the word behind it, in one write with the next
 *             answer that is not such a one
 *   still...  {"progress":N} three times, 100 ms apart, then {"ack":N}
 *   deaf...   reads nothing more until the file that argv[1] names is there, then acks
 *   else      {"ack":N}
 *
 * A revoke is answered at once.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 1 << 20 };

static char line[ROOM], data[ROOM], kept[1024];

static void fail(const char *what)
{
    (void)fprintf(stderr, "hand: %s: %s\n", what, line);
    exit(9);
}

/* The text behind "name": */
static const char *value_of(const char *name)
{
    char key[64];

    (void)snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(line, key);
    return at != NULL ? at + strlen(key) : NULL;
}

static unsigned long long number_of(const char *name)
{
    const char *at = value_of(name);

    if (at == NULL)
        fail(name);
    return strtoull(at, NULL, 10);
}

/* A text without escapes. */
static void text_of(const char *name, char *to, size_t room)
{
    const char *at = value_of(name);

    if (at == NULL || at[0] != '"')
        fail(name);
    (void)snprintf(to, room, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
}

static void read_raw(size_t n)
{
    if (n + 1 > ROOM || fread(data, 1, n, stdin) != n || getchar() != '\n')
        fail("raw data");
    data[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)data[i] < ' ')
            data[i] = '.';
}

static const char later[] = "later-";

static bool is_later(void)
{
    return strncmp(data, later, strlen(later)) == 0;
}

static bool is(const char *word)
{
    return strncmp(data + (is_later() ? strlen(later) : 0), word, strlen(word)) == 0;
}

static void say(const char *word, unsigned long long n)
{
    (void)printf("%s{\"%s\":%llu}\n", kept, word, n);
    (void)fflush(stdout);
    kept[0] = '\0';
}

static void keep(const char *word, unsigned long long n)
{
    size_t used = strlen(kept);

    (void)snprintf(kept + used, sizeof kept - used, "{\"%s\":%llu}\n", word, n);
}

static void on_message(const char *wake)
{
    unsigned long long n = number_of("n"), attempt = number_of("attempt");
    char partition[128];

    text_of("partition", partition, sizeof partition);
    if (value_of("length") != NULL)
        read_raw((size_t)number_of("length"));
    else if (value_of("data_base64") != NULL)
        text_of("data_base64", data, sizeof data);
    else
        text_of("data", data, sizeof data);
    (void)printf("handled %d %s %llu %llu %s\n", (int)getpid(), partition,
                 number_of("position"), attempt, data);
    (void)fflush(stdout);
    if (is("die") && attempt == 1)
        _exit(3);
    if (is("mute") || (is("hang") && attempt == 1))
        return;
    if (is_later() && attempt == 1) {
        keep(is("nak") ? "nak" : "ack", n);
        return;
    }
    if (is("nak") && attempt == 1) {
        (void)printf("{\"nak\":%llu,\"delay_ms\":50}\n", n);
        (void)fflush(stdout);
        return;
    }
    for (int i = 0; i < 3 && is("still"); i++) {
        (void)poll(NULL, 0, 100);
        say("progress", n);
    }
    while (is("deaf") && access(wake, F_OK) != 0)
        (void)poll(NULL, 0, 5);
    say(is("term") ? "term" : "ack", n);
}

int main(int argc, char **argv)
{
    char event[32];

    while (fgets(line, sizeof line, stdin) != NULL) {
        text_of("event", event, sizeof event);
        if (strcmp(event, "message") == 0)
            on_message(argc > 1 ? argv[1] : "");
        else if (strcmp(event, "revoking") == 0)
            say("released", number_of("epoch"));
        else if (strcmp(event, "assigned") == 0)
            (void)printf("told %d %s", (int)getpid(), strstr(line, "\"partitions\""));
        (void)fflush(stdout);
    }
    return 0;
}
