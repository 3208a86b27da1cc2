#include "plugins/jetstream/jet_keys.h"

#include <string.h>

/* ---- the template --------------------------------------------------------------- */

/* {N} or {N>} at text[*at]. */
static const char *read_token(struct jet_keys *keys, size_t *at,
                              struct jet_keys_piece *piece)
{
    const char *digit = keys->text + *at + 1;
    uint32_t n = 0;

    for (; *digit >= '0' && *digit <= '9' && n <= JET_KEYS_TOKENS_MAX; digit++)
        n = n * 10 + (uint32_t)(*digit - '0');
    piece->with_rest = *digit == '>';
    digit += piece->with_rest;
    if (n == 0 || n > JET_KEYS_TOKENS_MAX || *digit != '}')
        return "write a token as {N}, or {N>} for it and all behind it, N from 1 to 128";
    piece->token = (uint8_t)n;
    *at = (size_t)(digit + 1 - keys->text);
    return NULL;
}

static const char *read_template(struct jet_keys *keys)
{
    size_t at = 0, key_n = 0, ends = 0;

    while (keys->text[at] != '\0') {
        struct jet_keys_piece *piece = &keys->piece[keys->piece_n];
        const char *why = NULL;

        if (keys->piece_n == JET_KEYS_PIECES_MAX || ends + 1 == JET_KEYS_MAX)
            return "it has too many parts";
        if (keys->text[at] == '{') {
            why = read_token(keys, &at, piece);
            key_n++;
        } else if (keys->text[at] == '/') {
            if (key_n == 0)
                return "a key is empty";
            at++;
            ends++;
            key_n = 0;
        } else {
            piece->at = (uint8_t)at;
            piece->n = (uint8_t)strcspn(keys->text + at, "{/");
            at += piece->n;
            key_n++;
        }
        if (why != NULL)
            return why;
        keys->piece_n++;
    }
    return key_n == 0 ? "a key is empty" : NULL;
}

const char *jet_keys_init(struct jet_keys *keys, const char *template, uint32_t depth,
                          char split)
{
    *keys = (struct jet_keys){.depth = depth, .split = split};
    if (template == NULL)
        return NULL;
    if (strlen(template) > JET_KEYS_TEXT_MAX)
        return "it is longer than 255 bytes";
    memcpy(keys->text, template, strlen(template) + 1);
    return read_template(keys);
}

/* ---- one name ------------------------------------------------------------------- */

struct out {
    char *id;
    size_t n, keys;
};

static enum jet_keys_result put(struct out *out, const char *at, size_t n)
{
    if (n > JET_KEYS_ID_MAX - out->n)
        return JET_KEYS_LONG;
    memcpy(out->id + out->n, at, n);
    out->n += n;
    return JET_KEYS_OK;
}

/* The first tokens, each a key. */
static enum jet_keys_result take_first(const struct jet_keys *keys, const char *name,
                                       size_t n, struct out *out)
{
    enum jet_keys_result result = JET_KEYS_OK;

    for (size_t at = 0; result == JET_KEYS_OK; out->keys++) {
        const char *end = memchr(name + at, keys->split, n - at);
        size_t length = end != NULL ? (size_t)(end - name) - at : n - at;

        if (length == 0)
            return JET_KEYS_SHORT;
        if (out->keys == JET_KEYS_MAX)
            return JET_KEYS_LONG;
        if (out->keys > 0)
            result = put(out, "", 1);
        if (result == JET_KEYS_OK)
            result = put(out, name + at, length);
        if (end == NULL || out->keys + 1 == keys->depth)
            break;
        at += length + 1;
    }
    return result;
}

/* Where token 'wanted' begins, and its length; 0: there is none. */
static size_t find_token(const struct jet_keys *keys, const char *name, size_t n,
                         uint32_t wanted, const char **ret_at)
{
    size_t at = 0;

    for (uint32_t token = 1; token < wanted; token++) {
        const char *end = memchr(name + at, keys->split, n - at);

        if (end == NULL)
            return 0;
        at = (size_t)(end - name) + 1;
    }
    const char *end = memchr(name + at, keys->split, n - at);
    *ret_at = name + at;
    return end != NULL ? (size_t)(end - name) - at : n - at;
}

enum jet_keys_result jet_keys_id(const struct jet_keys *keys, const char *name, size_t n,
                                 char id[JET_KEYS_ID_MAX], size_t *ret_n)
{
    struct out out = {.id = id};
    enum jet_keys_result result = JET_KEYS_OK;

    if (keys->piece_n == 0)
        result = take_first(keys, name, n, &out);
    for (uint32_t i = 0; i < keys->piece_n && result == JET_KEYS_OK; i++) {
        const struct jet_keys_piece *piece = &keys->piece[i];
        const char *at = keys->text + piece->at;
        size_t length = piece->n;

        if (piece->token != 0) {
            length = find_token(keys, name, n, piece->token, &at);
            if (length == 0)
                return JET_KEYS_SHORT;
            if (piece->with_rest)
                length = n - (size_t)(at - name);
        } else if (length == 0) {
            at = "";
            length = 1;
        }
        result = put(&out, at, length);
    }
    *ret_n = out.n;
    return result;
}

/* ---- filters -------------------------------------------------------------------- */

uint32_t jet_keys_fixed(const char *filter)
{
    uint32_t n = 0;

    for (const char *at = filter;; at++) {
        size_t length = strcspn(at, ".");

        if (length == 1 && (*at == '*' || *at == '>'))
            return n;
        n++;
        at += length;
        if (*at == '\0')
            return n;
    }
}

const char *jet_keys_filter_fault(const char *filter)
{
    for (const char *at = filter;; at++) {
        size_t length = strcspn(at, ".");

        if (length == 0)
            return "a token is empty";
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)at[i] <= ' ' || at[i] == 127)
                return "it holds a blank or a control character";
        if (length == 1 && *at == '>' && at[1] != '\0')
            return "nothing may follow '>'";
        at += length;
        if (*at == '\0')
            return at - filter > 255 ? "it is longer than 255 bytes" : NULL;
    }
}

static int32_t is_wild(const char *token, size_t n, char wildcard)
{
    return n == 1 && *token == wildcard;
}

int32_t jet_keys_overlap(const char *a, const char *b)
{
    for (;;) {
        size_t m = strcspn(a, "."), n = strcspn(b, ".");

        if (is_wild(a, m, '>') || is_wild(b, n, '>'))
            return 1;
        if (!is_wild(a, m, '*') && !is_wild(b, n, '*') &&
            (m != n || memcmp(a, b, n) != 0))
            return 0;
        if (a[m] == '\0' || b[n] == '\0')
            return a[m] == b[n];
        a += m + 1;
        b += n + 1;
    }
}

int32_t jet_keys_match(const char *pattern, const char *name)
{
    const char *star = NULL, *again = NULL;

    /* The last star gives way, one character more each time. */
    while (*name != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            again = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star;
            name = ++again;
        } else {
            return 0;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
