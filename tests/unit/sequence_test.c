/* The sequence element: CRC-32C, the values that it covers, and MSG read back from JSON. */

#include "base/crc32c.h"
#include "json/escape.h"
#include "json/unescape.h"
#include "load/sequence.h"
#include "unit.h"

static struct slice text(const char *literal)
{
    return (struct slice){literal, strlen(literal)};
}

/* Test vectors of RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
static void crc_vectors(void)
{
    char bytes[32] = {0};
    struct slice all = {bytes, sizeof bytes};
    unit(crc32c_update(0, text("123456789")) == 0xE3069283, "check value");
    unit(crc32c_update(0, all) == 0x8A9136AA, "zeros");
    memset(bytes, 0xFF, sizeof bytes);
    unit(crc32c_update(0, all) == 0x62A8AB43, "ones");
    for (int i = 0; i < 32; i++)
        bytes[i] = (char)i;
    unit(crc32c_update(0, all) == 0x46DD794E, "increasing");
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct slice head = {bytes, n};
        struct slice tail = {bytes + n, sizeof bytes - n};
        unit(crc32c_update_by_table(0, head) == crc32c_update(0, head), "by table, %zu bytes", n);
        unit(crc32c_update(crc32c_update(0, head), tail) == 0x46DD794E, "continued at %zu", n);
    }
    unit(crc32c_update_value(0, text("ab")) == crc32c_update(0, text("ab\xFF")), "a value");
    unit(crc32c_update_value(0, (struct slice){0}) == crc32c_update(0, text("\xFE")), "no value");
}

static void written_crc(uint32_t crc)
{
    char got[SEQUENCE_CRC_DIGITS + 1] = "";
    char expected[SEQUENCE_CRC_DIGITS + 1];
    snprintf(expected, sizeof expected, "%08" PRIx32, crc);
    unit(sequence_write_crc(got, crc) == got + SEQUENCE_CRC_DIGITS && strcmp(got, expected) == 0,
         "%s", expected);
}

/* Changing any value, or moving a byte between two values, changes the checksum. */
static void covered_values(void)
{
    struct sequence_values v = {
        .pri = 34, .msg = text("hi"), .run = text("x"), .connection_count = text("1")};
    uint32_t crc = sequence_compute_crc(sequence_compute_shared_crc(&v), &v);
    struct slice *values[] = {
        &v.timestamp, &v.hostname, &v.appname,    &v.procid, &v.msgid,
        &v.msg,       &v.run,      &v.connection, &v.number, &v.connection_count};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct slice old = *values[i];
        *values[i] = text("y");
        unit(sequence_compute_crc(sequence_compute_shared_crc(&v), &v) != crc, "value %zu, changed",
             i);
        *values[i] = text("");
        unit(sequence_compute_crc(sequence_compute_shared_crc(&v), &v) != crc, "value %zu, empty",
             i);
        *values[i] = old;
    }
    v.pri = 35;
    unit(sequence_compute_crc(sequence_compute_shared_crc(&v), &v) != crc, "PRI");
    v.pri = 34;
    v.hostname = text("ab");
    v.appname = text("c");
    crc = sequence_compute_crc(sequence_compute_shared_crc(&v), &v);
    v.hostname = text("a");
    v.appname = text("bc");
    unit(sequence_compute_crc(sequence_compute_shared_crc(&v), &v) != crc,
         "a byte moved between values");
}

/* Normalizing MSG has the result of escaping it as JSON and unescaping that. */
static void normalized_as_json(struct slice msg)
{
    char json[1024];
    char back[1024];
    struct buffer scratch = {0};
    char *json_end = json_escape(json, msg);
    char *back_end = json_unescape(back, slice_between(json, json_end));
    unit(slice_equal(slice_between(back, back_end), sequence_normalize_msg(msg, &scratch)), "%.*s",
         SHOW(msg));
    buffer_free(&scratch);
}

static void normalized_texts(void)
{
    unsigned seed = 3;
    struct buffer scratch = {0};
    normalized_as_json(text(""));
    normalized_as_json(text("plain"));
    normalized_as_json(text("\"\\/\b\f\n\r\t\x01\x7F end"));
    normalized_as_json(text("\xC3\xA9 \xF0\x9F\x98\x80 \xE2\x82\xAC"));
    for (int i = 0; i < 2000; i++) {
        char bytes[65];
        size_t n = (size_t)rand_r(&seed) % 64;
        for (size_t k = 0; k < n; k++)
            bytes[k] = (char)(rand_r(&seed) >> 4);
        bytes[n] = 'x';
        normalized_as_json((struct slice){bytes, n + 1});
    }
    unit(slice_equal(sequence_normalize_msg(text("a\r\n"), &scratch), text("a")),
         "a trailing line end");
    unit(sequence_normalize_msg((struct slice){0}, &scratch).data == NULL, "no MSG");
    buffer_free(&scratch);
}

static bool unescapes(const char *json, const char *expected)
{
    char back[64];
    return slice_equal(slice_between(back, json_unescape(back, text(json))), text(expected));
}

static void escapes(void)
{
    unit(unescapes("\\u0041\\u00e9\\u20AC", "A\xC3\xA9\xE2\x82\xAC"), "hex");
    unit(unescapes("\\ud83d\\ude00", "\xF0\x9F\x98\x80"), "a surrogate pair");
    unit(unescapes("\\ud83dx", "\xEF\xBF\xBDx") && unescapes("\\ude00", "\xEF\xBF\xBD"),
         "single surrogates");
    unit(unescapes("\\ud83d\\u0041", "\xEF\xBF\xBD"
                                     "A"),
         "a surrogate before another escape");
    unit(unescapes("a\\/\\\\\\\"b", "a/\\\"b"), "escapes of single characters");
}

int main(void)
{
    crc32c_init_tables();
    crc_vectors();
    written_crc(0);
    written_crc(0xFFFFFFFF);
    for (uint32_t i = 1; i; i = i << 1)
        written_crc(i * 0x9E3779B9U);
    covered_values();
    normalized_texts();
    escapes();
    return unit_end("sequence");
}
