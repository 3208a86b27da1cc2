#include "edge/base64.h"

#include <stdint.h>

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

bool base64_decode(const char *from, size_t n, char *to, size_t room, size_t *ret_n)
{
    size_t written = 0;
    size_t padding = 0;
    uint32_t bits = 0;

    if (n % 4 != 0)
        return false;
    while (n > 0 && padding < 2 && from[n - padding - 1] == '=')
        padding++;
    for (size_t i = 0; i < n; i++) {
        int digit = i < n - padding ? digit_of(from[i]) : 0;
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 3)
            continue;
        size_t bytes = i == n - 1 ? 3 - padding : 3;
        if (bytes > room - written)
            return false;
        for (size_t b = 0; b < bytes; b++)
            to[written++] = (char)(bits >> (16 - 8 * b));
        bits = 0;
    }
    *ret_n = written;
    return true;
}

size_t base64_encode(const char *from, size_t n, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)from;
    size_t written = 0;

    for (size_t i = 0; i < n; i += 3) {
        size_t part = n - i < 3 ? n - i : 3;
        uint32_t bits = (uint32_t)at[i] << 16;

        bits |= part > 1 ? (uint32_t)at[i + 1] << 8 : 0;
        bits |= part > 2 ? at[i + 2] : 0;
        for (size_t d = 0; d < 4; d++)
            to[written++] = d <= part ? digits[bits >> (18 - 6 * d) & 63] : '=';
    }
    return written;
}
