#include "base/partid.h"

#include "base/must.h"
#include "base/status.h"
#include "base/utf8.h"

#include <string.h>

const char *partid_fault(struct bytes id)
{
    if (id.n == 0)
        return "it is empty";
    if (id.n > PARTID_BYTES_MAX)
        return "it is longer than 512 bytes";
    if (id.at[0] == '\0' || id.at[id.n - 1] == '\0')
        return "it has an empty key";
    for (const char *nul = memchr(id.at, '\0', id.n); nul != NULL;
         nul = memchr(nul + 1, '\0', (size_t)(id.at + id.n - nul - 1)))
        if (nul[1] == '\0')
            return "it has an empty key";
    return NULL;
}

/* The character at at[0..n) as it is shown: to shown[], its length to *ret_shown; the
 * bytes used up are returned. */
static size_t show_one(const unsigned char *at, size_t n, char shown[4],
                       size_t *ret_shown)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t used = utf8_length(at, n);
    bool is_c1 = used == 2 && at[0] == 0xc2 && at[1] < 0xa0; /* U+0080 .. U+009F */

    if (at[0] == '\0') {
        shown[0] = '/';
        *ret_shown = 1;
        return 1;
    }
    if (used == 0 || at[0] < 0x20 || at[0] == 0x7f || at[0] == '/' || at[0] == '%' ||
        is_c1) {
        shown[0] = '%';
        shown[1] = hex[at[0] >> 4];
        shown[2] = hex[at[0] & 15];
        *ret_shown = 3;
        /* The second byte of a C1 control is no UTF-8 on its own and follows as %XX. */
        return 1;
    }
    memcpy(shown, at, used);
    *ret_shown = used;
    return used;
}

size_t partid_encode(struct bytes id, char *to, size_t room)
{
    const unsigned char *at = (const unsigned char *)id.at;
    size_t n = 0;

    must(room > 0);
    for (size_t i = 0; i < id.n;) {
        char shown[4];
        size_t shown_n;
        size_t used = show_one(at + i, id.n - i, shown, &shown_n);

        if (n + shown_n >= room)
            break;
        memcpy(to + n, shown, shown_n);
        n += shown_n;
        i += used;
    }
    to[n] = '\0';
    return n;
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

int partid_decode(struct bytes text, char *to, size_t room, size_t *ret_n)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i];

        if (c == '\0')
            return STATUS_INVALID;
        if (c == '/') {
            c = '\0';
        } else if (c == '%') {
            int high = i + 2 < text.n ? hex_digit(text.at[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_digit(text.at[i + 2]) : -1;

            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return STATUS_INVALID;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (n == room || n == PARTID_BYTES_MAX)
            return STATUS_LIMIT;
        to[n++] = c;
    }
    if (partid_fault((struct bytes){to, n}) != NULL)
        return STATUS_INVALID;
    *ret_n = n;
    return STATUS_OK;
}

bool partid_key(struct bytes *rest, struct bytes *ret_key)
{
    if (rest->at == NULL)
        return false;
    const char *nul = rest->n > 0 ? memchr(rest->at, '\0', rest->n) : NULL;
    size_t n = nul != NULL ? (size_t)(nul - rest->at) : rest->n;

    *ret_key = (struct bytes){rest->at, n};
    if (nul == NULL)
        *rest = (struct bytes){NULL, 0};
    else
        *rest = (struct bytes){nul + 1, rest->n - n - 1};
    return true;
}
