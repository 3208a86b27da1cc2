/* From the subject of a message, the name of a consumer or the key of a bucket to the
 * keys of a partition.
 *
 *     (nothing)        every token is a key: orders.eu.7 -> orders/eu/7
 *     depth            only the first tokens: what differs behind them is one partition
 *     orders/{3}/{2}   a template: orders.eu.7 -> orders/7/eu
 *     x-{2}            -> x-eu; text and tokens may stand in one key
 *     all/{2>}         the second token and all behind it: -> all/eu.7
 *
 * Tokens are what stands between dots, or another character where one is given; they are
 * counted from 1.  Once made it does not change: any thread.
 */
#ifndef PARTI_PLUGINS_JET_KEYS_H
#define PARTI_PLUGINS_JET_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum {
    JET_KEYS_ID_MAX = 512, /* bytes of an id; the host's own limit */
    JET_KEYS_MAX = 64,     /* keys of an id; the host's own limit */
    JET_KEYS_TOKENS_MAX = 128,
    JET_KEYS_PIECES_MAX = 128,
    JET_KEYS_TEXT_MAX = 255 /* bytes of a template */
};

enum jet_keys_result {
    JET_KEYS_OK = 0,
    JET_KEYS_SHORT, /* it lacks a token, or one of them is empty */
    JET_KEYS_LONG   /* more than JET_KEYS_ID_MAX or JET_KEYS_MAX */
};

struct jet_keys_piece {
    uint8_t token;     /* from 1; 0: text, or the end of a key */
    uint8_t with_rest; /* and all behind it */
    uint8_t at, n;     /* of the text; n == 0 and no token: the end of a key */
};

struct jet_keys {
    char split;
    uint32_t depth; /* tokens to take without a template; 0: all */
    uint32_t piece_n;
    char text[JET_KEYS_TEXT_MAX + 1];
    struct jet_keys_piece piece[JET_KEYS_PIECES_MAX];
};

/* 'template' NULL: none.  NULL, or what is wrong with it: static storage. */
const char *jet_keys_init(struct jet_keys *keys, const char *template, uint32_t depth,
                          char split);

/* The id, keys joined by NUL. */
enum jet_keys_result jet_keys_id(const struct jet_keys *keys, const char *name, size_t n,
                                 char id[JET_KEYS_ID_MAX], size_t *ret_n);

/* Tokens before the first one that is a wildcard. */
uint32_t jet_keys_fixed(const char *filter);

/* NULL if it may stand as a filter, else why not: static storage. */
const char *jet_keys_filter_fault(const char *filter);

/* Can a subject match both filters? */
int32_t jet_keys_overlap(const char *a, const char *b);

/* Does a name match a pattern in which '*' stands for any characters? */
int32_t jet_keys_match(const char *pattern, const char *name);

#endif
