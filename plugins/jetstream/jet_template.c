#include "plugins/jetstream/jet_template.h"
#include "plugins/jetstream/jet_keys.h"

#include <string.h>

/* The number in "{N}" and the character behind it; 0: there is none. */
static uint32_t read_number(const char *at, const char **ret_end)
{
    uint32_t n = 0;

    for (at++; *at >= '0' && *at <= '9' && n <= JET_KEYS_MAX; at++)
        n = n * 10 + (uint32_t)(*at - '0');
    if (*at != '}' || n > JET_KEYS_MAX)
        return 0;
    *ret_end = at + 1;
    return n;
}

const char *jet_template_fault(const char *template)
{
    char sample[JET_TEMPLATE_ROOM];
    size_t n = 0;

    for (const char *at = template; *at != '\0';) {
        char c = *at;

        if (c == '{' && read_number(at, &at) == 0)
            return "write {1} to {64} for the keys of a partition";
        if (c == '}')
            return "a '}' stands alone";
        if (c == '{')
            c = 'x';
        else
            at++;
        if (n + 1 >= sizeof sample)
            return "it is longer than 255 bytes";
        sample[n++] = c;
    }
    sample[n] = '\0';
    return jet_keys_filter_fault(sample);
}

/* Key number 'number', from 1. */
static const char *find_key(const char *id, size_t id_n, uint32_t number, size_t *ret_n)
{
    const char *end = id + id_n;

    for (;;) {
        const char *stop = memchr(id, '\0', (size_t)(end - id));

        *ret_n = (size_t)((stop != NULL ? stop : end) - id);
        if (--number == 0)
            return id;
        if (stop == NULL)
            return NULL;
        id = stop + 1;
    }
}

static const char *key_fault(const char *key, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (key[i] == '.')
            return "one of its keys holds a dot, which would make two tokens";
        if (key[i] == '*' || key[i] == '>')
            return "one of its keys holds '*' or '>', which stand for other subjects";
        if ((unsigned char)key[i] <= ' ' || key[i] == 127)
            return "one of its keys holds a blank or a control character";
    }
    return n == 0 ? "one of its keys is empty" : NULL;
}

const char *jet_template_fill(const char *template, const char *id, size_t id_n,
                              char to[JET_TEMPLATE_ROOM])
{
    size_t at = 0;

    for (const char *from = template; *from != '\0';) {
        const char *piece = from;
        size_t n = 1;

        if (*from == '{') {
            piece = find_key(id, id_n, read_number(from, &from), &n);
            if (piece == NULL)
                return "it has fewer keys than 'subject' asks for";
            const char *why = key_fault(piece, n);
            if (why != NULL)
                return why;
        } else {
            from++;
        }
        if (at + n >= JET_TEMPLATE_ROOM)
            return "its subject is longer than 255 bytes";
        memcpy(to + at, piece, n);
        at += n;
    }
    to[at] = '\0';
    return NULL;
}
