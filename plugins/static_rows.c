#include "static_rows.h"

#include <inttypes.h>

/* One key of an item: a range, or bytes that stand for themselves. */
struct key {
    const char *at; /* decoded; of a range: unused */
    size_t n;
    int32_t is_range;
    int width; /* of a range: digits to pad to with zeros, 0 for none */
    uint64_t first, last, now;
};

struct item {
    uint32_t weight;
    uint32_t key_n;
    struct key key[STATIC_KEYS_MAX];
    size_t used;
    char decoded[STATIC_ID_MAX];
};

struct static_rows *static_rows_create(struct parti_sink *sink)
{
    struct static_rows *rows = malloc(sizeof *rows);

    if (rows == NULL)
        return NULL;
    rows->sink = sink;
    rows->total = 0;
    rows->n = 0;
    return rows;
}

void static_rows_destroy(struct static_rows *rows)
{
    free(rows);
}

__attribute__((format(printf, 2, 3))) static int32_t wrong(char *why, const char *format,
                                                           ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, STATIC_WHY_ROOM, format, args);
    va_end(args);
    return PARTI_BADCONF;
}

static int32_t is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Digits only, at most 18 of them, so that nothing here can overflow. */
static int32_t number(const char *at, size_t n, uint64_t *ret)
{
    uint64_t value = 0;

    if (n == 0 || n > 18)
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (at[i] < '0' || at[i] > '9')
            return 0;
        value = value * 10 + (uint64_t)(at[i] - '0');
    }
    *ret = value;
    return 1;
}

static const char *two_dots(const char *at, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (at[i] == '.' && at[i + 1] == '.')
            return at + i;
    return NULL;
}

/* FIRST..LAST */
static int32_t range_key(struct key *key, const char *at, size_t n, const char *dots,
                         char *why)
{
    size_t left = (size_t)(dots - at);
    size_t right = n - left - 2;

    if (!number(at, left, &key->first) || !number(dots + 2, right, &key->last))
        return wrong(why,
                     "'%.*s' is no range such as 0..31; two dots that are part of a "
                     "name are written %%2E.",
                     (int)(n < 60 ? n : 60), at);
    if (key->first > key->last)
        return wrong(why, "the range '%.*s' runs backwards; write %" PRIu64 "..%" PRIu64,
                     (int)(n < 60 ? n : 60), at, key->last, key->first);
    key->width = left > 1 && at[0] == '0' ? (int)left : 0;
    if (key->width != 0 && right != left)
        return wrong(why,
                     "the range '%.*s' starts with a zero; give both ends the same "
                     "number of digits",
                     (int)(n < 60 ? n : 60), at);
    key->is_range = 1;
    key->now = key->first;
    return PARTI_OK;
}

/* A key that stands for itself, %XX decoded. */
static int32_t plain_key(struct item *item, struct key *key, const char *at, size_t n,
                         char *why)
{
    key->at = item->decoded + item->used;
    for (size_t i = 0; i < n; i++) {
        char c = at[i];

        if ((unsigned char)c < 0x20 || c == 0x7f)
            return wrong(why, "byte 0x%02x stands in a name; write it as %%%02X",
                         (unsigned)(unsigned char)c, (unsigned)(unsigned char)c);
        if (c == '%') {
            int high = i + 2 < n ? hex_digit(at[i + 1]) : -1;
            int low = i + 2 < n ? hex_digit(at[i + 2]) : -1;

            if (high < 0 || low < 0 || high + low == 0)
                return wrong(why,
                             "'%.3s' is not %%XX with two hexadecimal digits other than "
                             "00; a percent sign is written %%25",
                             at + i);
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (item->used == sizeof item->decoded)
            return wrong(why, "a name is longer than %d bytes", STATIC_ID_MAX);
        item->decoded[item->used++] = c;
    }
    key->n = (size_t)(item->decoded + item->used - key->at);
    return PARTI_OK;
}

static int32_t parse_keys(struct item *item, const char *at, size_t n, char *why)
{
    const char *end = at + n;

    for (const char *from = at;;) {
        const char *slash = memchr(from, '/', (size_t)(end - from));
        const char *to = slash != NULL ? slash : end;
        const char *dots = two_dots(from, (size_t)(to - from));
        int32_t code;

        if (to == from)
            return wrong(why, "'%.*s' has an empty key; between slashes stands a name",
                         (int)(n < 60 ? n : 60), at);
        if (item->key_n == STATIC_KEYS_MAX)
            return wrong(why, "'%.40s...' has more than %d keys", at, STATIC_KEYS_MAX);
        struct key *key = &item->key[item->key_n++];
        *key = (struct key){0};
        code = dots != NULL ? range_key(key, from, (size_t)(to - from), dots, why)
                            : plain_key(item, key, from, (size_t)(to - from), why);
        if (code != PARTI_OK)
            return code;
        if (slash == NULL)
            return PARTI_OK;
        from = slash + 1;
    }
}

/* ID, or ID and WEIGHT with blanks between. */
static int32_t parse_item(struct item *item, const char *at, size_t n, char *why)
{
    size_t id_n = 0;

    while (id_n < n && !is_blank(at[id_n]))
        id_n++;
    size_t from = id_n;
    while (from < n && is_blank(at[from]))
        from++;
    item->weight = STATIC_WEIGHT;
    item->key_n = 0;
    item->used = 0;
    if (from < n) {
        uint64_t weight = 0;

        if (!number(at + from, n - from, &weight) || weight > UINT32_MAX)
            return wrong(why,
                         "'%.*s' after '%.*s' is no weight from 0 to 4294967295; a "
                         "blank in a name is written %%20",
                         (int)(n - from < 40 ? n - from : 40), at + from,
                         (int)(id_n < 40 ? id_n : 40), at);
        item->weight = (uint32_t)weight;
    }
    return parse_keys(item, at, id_n, why);
}

/* How many partitions the item stands for, counted before the first is made. */
static int32_t count_item(const struct static_rows *rows, const struct item *item,
                          const char *at, size_t n, char *why)
{
    uint64_t count = 1;

    for (uint32_t i = 0; i < item->key_n; i++) {
        uint64_t width = item->key[i].last - item->key[i].first + 1;

        if (!item->key[i].is_range)
            continue;
        if (width > STATIC_PARTS_MAX || count * width > STATIC_PARTS_MAX - rows->total)
            return wrong(why,
                         "'%.*s' would make %" PRIu64 " x %" PRIu64
                         " partitions beside %" PRIu64 " others; at most %d are taken",
                         (int)(n < 60 ? n : 60), at, count, width, rows->total,
                         STATIC_PARTS_MAX);
        count *= width;
    }
    if (count > STATIC_PARTS_MAX - rows->total)
        return wrong(why, "there are more than %d partitions", STATIC_PARTS_MAX);
    return PARTI_OK;
}

int32_t static_rows_flush(struct static_rows *rows)
{
    struct parti_rows out = {.size = sizeof out};
    uint32_t n = rows->n;

    rows->n = 0;
    if (rows->sink == NULL || n == 0)
        return PARTI_OK;
    out.id = (struct parti_strs){rows->bytes, rows->end, n};
    out.weight = rows->weight;
    return rows->sink->add(rows->sink, &out);
}

/* One partition: the keys as they stand now. */
static int32_t emit(struct static_rows *rows, const struct item *item, char *why)
{
    size_t start = rows->n == 0 ? 0 : (size_t)rows->end[rows->n - 1];
    size_t at = start;

    if (rows->n == STATIC_BATCH_ROWS || start + STATIC_ID_MAX > STATIC_BATCH_BYTES) {
        int32_t code = static_rows_flush(rows);

        if (code != PARTI_OK)
            return code;
        start = at = 0;
    }
    for (uint32_t i = 0; i < item->key_n; i++) {
        const struct key *key = &item->key[i];
        char digits[24];
        const char *from = key->at;
        size_t n = key->n;

        if (key->is_range) {
            n = (size_t)snprintf(digits, sizeof digits, "%0*" PRIu64, key->width,
                                 key->now);
            from = digits;
        }
        if (at - start + (i > 0) + n > STATIC_ID_MAX)
            return wrong(why, "a partition's keys are longer than %d bytes together",
                         STATIC_ID_MAX);
        if (i > 0)
            rows->bytes[at++] = '\0';
        memcpy(rows->bytes + at, from, n);
        at += n;
    }
    rows->end[rows->n] = at;
    rows->weight[rows->n++] = item->weight;
    rows->total++;
    return PARTI_OK;
}

/* The next partition of the item, the last range running fastest; 0 at the end. */
static int32_t advance(struct item *item)
{
    for (uint32_t i = item->key_n; i-- > 0;) {
        struct key *key = &item->key[i];

        if (!key->is_range)
            continue;
        if (key->now < key->last) {
            key->now++;
            return 1;
        }
        key->now = key->first;
    }
    return 0;
}

int32_t static_rows_item(struct static_rows *rows, const char *at, size_t n, char *why)
{
    struct item item;
    int32_t code = parse_item(&item, at, n, why);

    if (code == PARTI_OK)
        code = count_item(rows, &item, at, n, why);
    if (code != PARTI_OK)
        return code;
    do {
        code = emit(rows, &item, why);
    } while (code == PARTI_OK && advance(&item));
    return code;
}
