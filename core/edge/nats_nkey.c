#include "config.h"

#include "edge/nats_nkey.h"

#include "base/must.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef HAVE_CRYPTO
#include <openssl/evp.h>

enum {
    KEY_BYTES = 32,
    SEED_BYTES = 2 + KEY_BYTES + 2,
    SEED_TEXT = 58, /* base32 of SEED_BYTES */
    PUBLIC_BYTES = 1 + KEY_BYTES + 2,
    PREFIX_SEED = 18 << 3,
    PREFIX_USER = 20 << 3,
    LINE_ROOM = 256,
    LINES_MAX = 64
};

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static bool base32_decode(const char *text, size_t text_n, uint8_t *to, size_t n)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t at = 0;

    for (size_t i = 0; i < text_n; i++) {
        const char *digit = text[i] != '\0' ? strchr(base32, text[i]) : NULL;
        if (digit == NULL)
            return false;
        bits = (bits << 5 | (uint32_t)(digit - base32)) & 0xfff;
        held += 5;
        if (held >= 8 && at < n) {
            held -= 8;
            to[at++] = (uint8_t)(bits >> held);
        }
    }
    return at == n;
}

static void base32_encode(const uint8_t *from, size_t n, char *to)
{
    uint32_t bits = 0;
    unsigned held = 0;

    for (size_t i = 0; i < n; i++) {
        bits = (bits << 8 | from[i]) & 0xffff;
        for (held += 8; held >= 5; held -= 5)
            *to++ = base32[bits >> (held - 5) & 31];
    }
    if (held > 0)
        *to++ = base32[bits << (5 - held) & 31];
    *to = '\0';
}

/* CRC-16/XMODEM: polynomial 0x1021, start 0. */
static uint16_t crc16(const uint8_t *data, size_t n)
{
    uint16_t crc = 0;

    for (size_t i = 0; i < n; i++) {
        crc = (uint16_t)(crc ^ data[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static int public_of(const uint8_t seed[KEY_BYTES], uint8_t key[KEY_BYTES])
{
    size_t n = KEY_BYTES;
    EVP_PKEY *pair =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_BYTES);

    if (pair == NULL)
        return STATUS_NOMEM;
    int done = EVP_PKEY_get_raw_public_key(pair, key, &n);
    EVP_PKEY_free(pair);
    return done == 1 && n == KEY_BYTES ? STATUS_OK : STATUS_NOMEM;
}

static int public_text(const char *line, char to[NATS_NKEY_PUBLIC_ROOM])
{
    uint8_t raw[SEED_BYTES], public[PUBLIC_BYTES];
    int status = STATUS_CORRUPT;

    /* The prefix spreads over two bytes: 5 bits "seed", then 8 bits "user". */
    if (base32_decode(line, SEED_TEXT, raw, sizeof raw) &&
        crc16(raw, SEED_BYTES - 2) == (raw[SEED_BYTES - 2] | raw[SEED_BYTES - 1] << 8) &&
        (raw[0] & 0xf8) == PREFIX_SEED &&
        ((raw[0] & 7) << 5 | raw[1] >> 3) == PREFIX_USER) {
        public[0] = PREFIX_USER;
        status = public_of(raw + 2, public + 1);
    }
    explicit_bzero(raw, sizeof raw);
    if (status != STATUS_OK)
        return status;

    uint16_t crc = crc16(public, PUBLIC_BYTES - 2);
    public[PUBLIC_BYTES - 2] = (uint8_t)crc;
    public[PUBLIC_BYTES - 1] = (uint8_t)(crc >> 8);
    base32_encode(public, sizeof public, to);
    return STATUS_OK;
}

int nats_nkey_public(const char *path, char to[NATS_NKEY_PUBLIC_ROOM])
{
    char line[LINE_ROOM];
    int status = STATUS_CORRUPT;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return STATUS_IO;
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of the seed in a buffer */
    for (int i = 0; i < LINES_MAX && fgets(line, sizeof line, file) != NULL; i++) {
        if (strncmp(line, "SU", 2) != 0 || strcspn(line, " \r\n") != SEED_TEXT)
            continue;
        status = public_text(line, to);
        break;
    }
    explicit_bzero(line, sizeof line);
    must(fclose(file) == 0);
    return status;
}

#else

int nats_nkey_public(const char *path, char to[NATS_NKEY_PUBLIC_ROOM])
{
    (void)path;
    to[0] = '\0';
    return STATUS_UNSUPPORTED;
}

#endif
