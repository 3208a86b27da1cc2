#include "plugins/jetstream/jet_nkey.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef JET_HAVE_CRYPTO
#include <openssl/evp.h>

enum {
    KEY = 32,           /* bytes of an Ed25519 key */
    SEED = 2 + KEY + 2, /* with what stands around it */
    SEED_TEXT = 58,     /* the same as base32 */
    PUBLIC = 1 + KEY + 2,
    USER = 20 << 3,
    LINES_MAX = 64
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* CRC-16/XMODEM */
static unsigned crc_of(const uint8_t *data, size_t n)
{
    unsigned crc = 0;

    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned)data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc << 1 ^ ((crc & 0x8000) != 0 ? 0x1021 : 0)) & 0xffff;
    }
    return crc;
}

static int read_base32(const char *text, uint8_t to[SEED])
{
    unsigned bits = 0, held = 0;
    size_t n = 0;

    for (size_t i = 0; i < SEED_TEXT; i++) {
        const char *digit = strchr(alphabet, text[i]);

        if (digit == NULL || text[i] == '\0')
            return 0;
        bits = (bits << 5 | (unsigned)(digit - alphabet)) & 0xfff;
        for (held += 5; held >= 8 && n < SEED; held -= 8)
            to[n++] = (uint8_t)(bits >> (held - 8));
    }
    return n == SEED;
}

static void write_base32(const uint8_t from[PUBLIC], char to[JET_NKEY_ROOM])
{
    unsigned bits = 0, held = 0;

    for (size_t i = 0; i < PUBLIC; i++) {
        bits = (bits << 8 | from[i]) & 0xffff;
        for (held += 8; held >= 5; held -= 5)
            *to++ = alphabet[bits >> (held - 5) & 31];
    }
    *to = '\0'; /* 35 bytes are 56 digits, none left over */
}

static const char *public_of(const char *line, char to[JET_NKEY_ROOM])
{
    uint8_t seed[SEED], public[PUBLIC] = {USER};
    const char *why = "its line SU... is no seed of a user";
    size_t n = KEY;

    /* The two bytes in front hold 5 bits "seed" and then the 8 bits of the kind. */
    if (read_base32(line, seed) && (seed[0] & 0xf8) == 18 << 3 &&
        ((seed[0] & 7) << 5 | seed[1] >> 3) == USER &&
        crc_of(seed, SEED - 2) == (seed[SEED - 2] | (unsigned)seed[SEED - 1] << 8)) {
        EVP_PKEY *pair =
            EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed + 2, KEY);

        why = "OpenSSL makes no key of it";
        if (pair != NULL && EVP_PKEY_get_raw_public_key(pair, public + 1, &n) == 1)
            why = NULL;
        EVP_PKEY_free(pair);
    }
    explicit_bzero(seed, sizeof seed);
    if (why != NULL)
        return why;
    unsigned crc = crc_of(public, PUBLIC - 2);
    public[PUBLIC - 2] = (uint8_t)crc;
    public[PUBLIC - 1] = (uint8_t)(crc >> 8);
    write_base32(public, to);
    return NULL;
}

const char *jet_nkey_public(const char *path, char to[JET_NKEY_ROOM])
{
    const char *why = "it has no line that begins with SU";
    char line[256];
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return "it cannot be read";
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of the seed stays in a buffer */
    for (int i = 0; i < LINES_MAX && fgets(line, sizeof line, file) != NULL; i++) {
        if (strncmp(line, "SU", 2) != 0 || strcspn(line, " \r\n") != SEED_TEXT)
            continue;
        why = public_of(line, to);
        break;
    }
    explicit_bzero(line, sizeof line);
    (void)fclose(file);
    return why;
}

#else

const char *jet_nkey_public(const char *path, char to[JET_NKEY_ROOM])
{
    (void)path;
    to[0] = '\0';
    return "this plugin was built without libcrypto; use creds instead";
}

#endif
