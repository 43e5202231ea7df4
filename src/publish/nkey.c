#include "publish/nkey.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * A NATS key is base32 (RFC 4648) of a prefix, 32 bytes of Ed25519 and a CRC-16. A seed's prefix
 * has two bytes: five bits for "seed", then the kind of key; that of a public key has one.
 */
enum {
    SEED_TEXT_LEN = 58,
    SEED_BYTES = 36,
    PUBLIC_BYTES = 35,
    KEY_BYTES = 32,
    PREFIX_SEED = 18 << 3,
    PREFIX_USER = 20 << 3
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static uint16_t nkey_crc16(const uint8_t *bytes, size_t n)
{
    unsigned crc = 0;
    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    }
    return (uint16_t)crc;
}

static bool nkey_decode_seed(const char *text, uint8_t *seed)
{
    unsigned bits = 0;
    unsigned count = 0;
    size_t n = 0;
    for (size_t i = 0; i < SEED_TEXT_LEN; i++) {
        const char *digit = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!digit)
            return false;
        bits = bits << 5 | (unsigned)(digit - alphabet);
        count += 5;
        if (count >= 8 && n < SEED_BYTES) {
            count -= 8;
            seed[n++] = (uint8_t)(bits >> count);
        }
    }
    unsigned kind = (unsigned)(seed[0] & 7) << 5 | seed[1] >> 3;
    uint16_t crc = (uint16_t)(seed[SEED_BYTES - 2] | seed[SEED_BYTES - 1] << 8);
    return (seed[0] & 0xF8) == PREFIX_SEED && kind == PREFIX_USER &&
           crc == nkey_crc16(seed, SEED_BYTES - 2);
}

static void nkey_encode(const uint8_t *bytes, size_t n, char *text)
{
    unsigned bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 5; count -= 5)
            *text++ = alphabet[bits >> (count - 5) & 31];
    }
    *text = '\0';
}

static bool nkey_derive_public(const uint8_t *seed, char *key)
{
    uint8_t bytes[PUBLIC_BYTES] = {PREFIX_USER};
    size_t len = KEY_BYTES;
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed + 2, KEY_BYTES);
    bool derived = pair && EVP_PKEY_get_raw_public_key(pair, bytes + 1, &len) == 1;
    EVP_PKEY_free(pair);
    if (!derived)
        return false;
    uint16_t crc = nkey_crc16(bytes, KEY_BYTES + 1);
    bytes[KEY_BYTES + 1] = (uint8_t)crc;
    bytes[KEY_BYTES + 2] = (uint8_t)(crc >> 8);
    nkey_encode(bytes, sizeof bytes, key);
    return true;
}

bool nkey_public_key(const char *path, char *key, char *error_text)
{
    char line[128];
    uint8_t seed[SEED_BYTES];
    bool found = false;
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(error_text, NKEY_ERROR_MAX, "%s: %m", path);
        return false;
    }
    while (!found && fgets(line, sizeof line, file))
        found = strncmp(line, "SU", 2) == 0 && nkey_decode_seed(line, seed) &&
                nkey_derive_public(seed, key);
    fclose(file);
    OPENSSL_cleanse(line, sizeof line);
    OPENSSL_cleanse(seed, sizeof seed);
    if (!found)
        snprintf(error_text, NKEY_ERROR_MAX, "%s: contains no user seed (a line SU...)", path);
    return found;
}

bool nkey_is_user_seed(const char *text)
{
    uint8_t seed[SEED_BYTES];
    bool valid = strlen(text) == SEED_TEXT_LEN && nkey_decode_seed(text, seed);
    OPENSSL_cleanse(seed, sizeof seed);
    return valid;
}
