/* The mark of a message: CRC-32C, the text that it is over, and the number that is read back. */

#include "load/crc32c.h"
#include "load/sequence.h"
#include "unit.h"
#include "json/escape.h"
#include "json/unescape.h"

static struct slice text(const char *literal)
{
    return (struct slice){literal, strlen(literal)};
}

/* RFC 3720, appendix B.4, and the catalogue's check value. */
static void sums(void)
{
    char bytes[32] = {0};
    struct slice all = {bytes, sizeof bytes};
    unit(crc32c_update(0, text("123456789")) == 0xE3069283, "check value");
    unit(crc32c_update(0, all) == 0x8A9136AA, "zeros");
    memset(bytes, 0xFF, sizeof bytes);
    unit(crc32c_update(0, all) == 0x62A8AB43, "ones");
    for (int i = 0; i < 32; i++)
        bytes[i] = (char)i;
    unit(crc32c_update(0, all) == 0x46DD794E, "rising");
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct slice head = {bytes, n};
        struct slice tail = {bytes + n, sizeof bytes - n};
        unit(crc32c_update_by_table(0, head) == crc32c_update(0, head), "by table, %zu bytes", n);
        unit(crc32c_update(crc32c_update(0, head), tail) == 0x46DD794E, "carried on at %zu", n);
    }
    unit(crc32c_update_value(0, text("ab")) == crc32c_update(0, text("ab\xFF")), "a value");
    unit(crc32c_update_value(0, (struct slice){0}) == crc32c_update(0, text("\xFE")), "no value");
}

static void written(uint32_t sum)
{
    char got[SEQUENCE_CRC_DIGITS + 1] = "";
    char wanted[SEQUENCE_CRC_DIGITS + 1];
    snprintf(wanted, sizeof wanted, "%08" PRIx32, sum);
    unit(sequence_write_crc(got, sum) == got + SEQUENCE_CRC_DIGITS && strcmp(got, wanted) == 0,
         "%s", wanted);
}

/* A change of any value changes the sum, and so does a byte that moves from one to the next. */
static void covered(void)
{
    struct sequence_values v = {
        .pri = 34, .msg = text("hi"), .run = text("x"), .connection_count = text("1")};
    uint32_t sum = sequence_compute_crc(sequence_compute_shared_crc(&v), &v);
    struct slice *values[] = {
        &v.timestamp, &v.hostname, &v.appname,    &v.procid, &v.msgid,
        &v.msg,       &v.run,      &v.connection, &v.number, &v.connection_count};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct slice was = *values[i];
        *values[i] = text("y");
        unit(sequence_compute_crc(sequence_compute_shared_crc(&v), &v) != sum, "value %zu", i);
        *values[i] = text("");
        unit(sequence_compute_crc(sequence_compute_shared_crc(&v), &v) != sum, "an empty value %zu",
             i);
        *values[i] = was;
    }
    v.pri = 35;
    unit(sequence_compute_crc(sequence_compute_shared_crc(&v), &v) != sum, "PRI");
    v.pri = 34;
    v.hostname = text("ab");
    v.appname = text("c");
    sum = sequence_compute_crc(sequence_compute_shared_crc(&v), &v);
    v.hostname = text("a");
    v.appname = text("bc");
    unit(sequence_compute_crc(sequence_compute_shared_crc(&v), &v) != sum, "a byte that moves");
}

/* What comes out of the JSON that shnek-parse makes of a text is what the sum of it is over. */
static void same_text(struct slice msg)
{
    char json[1024];
    char back[1024];
    struct buffer room = {0};
    char *json_end = json_escape(json, msg);
    char *back_end = json_unescape(back, slice_between(json, json_end));
    unit(slice_equal(slice_between(back, back_end), sequence_normalize_msg(msg, &room)), "%.*s",
         SHOW(msg));
    buffer_free(&room);
}

static void texts(void)
{
    unsigned seed = 3;
    struct buffer room = {0};
    same_text(text(""));
    same_text(text("plain"));
    same_text(text("\"\\/\b\f\n\r\t\x01\x7F end"));
    same_text(text("\xC3\xA9 \xF0\x9F\x98\x80 \xE2\x82\xAC"));
    for (int i = 0; i < 2000; i++) {
        char bytes[65];
        size_t n = (size_t)rand_r(&seed) % 64;
        for (size_t k = 0; k < n; k++)
            bytes[k] = (char)(rand_r(&seed) >> 4);
        bytes[n] = 'x';
        same_text((struct slice){bytes, n + 1});
    }
    unit(slice_equal(sequence_normalize_msg(text("a\r\n"), &room), text("a")), "a line end");
    unit(sequence_normalize_msg((struct slice){0}, &room).data == NULL, "no MSG");
    buffer_free(&room);
}

static bool unescapes(const char *json, const char *wanted)
{
    char back[64];
    return slice_equal(slice_between(back, json_unescape(back, text(json))), text(wanted));
}

static void escapes(void)
{
    unit(unescapes("\\u0041\\u00e9\\u20AC", "A\xC3\xA9\xE2\x82\xAC"), "hex");
    unit(unescapes("\\ud83d\\ude00", "\xF0\x9F\x98\x80"), "a pair");
    unit(unescapes("\\ud83dx", "\xEF\xBF\xBDx") && unescapes("\\ude00", "\xEF\xBF\xBD"), "halves");
    unit(unescapes("\\ud83d\\u0041", "\xEF\xBF\xBD"
                                     "A"),
         "half a pair before another");
    unit(unescapes("a\\/\\\\\\\"b", "a/\\\"b"), "by themselves");
}

int main(void)
{
    crc32c_init_tables();
    sums();
    written(0);
    written(0xFFFFFFFF);
    for (uint32_t i = 1; i; i = i << 1)
        written(i * 0x9E3779B9U);
    covered();
    texts();
    escapes();
    return unit_end("mark");
}
