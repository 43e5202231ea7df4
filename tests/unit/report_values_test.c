/* One table of values, printed as text, summary, CSV and JSON. */

#include "base/clock.h"
#include "report/values.h"
#include "unit.h"

static void prints(struct buffer *out, const char *format, const char *expected)
{
    *buffer_reserve(out, 1) = '\0';
    unit(strcmp(out->data, expected) == 0, "%s: '%s', expected '%s'", format, out->data, expected);
    out->len = 0;
}

static void add_text(struct values *v, const char *name, const char *text)
{
    values_add_text(v, name, (struct slice){text, strlen(text)});
}

static void all_kinds(void)
{
    struct values v = {0};
    struct buffer out = {0};
    values_add_count(&v, "sent", 1234);
    values_add_id(&v, "id", 5678);
    values_add_bytes(&v, "bytes", 1234567);
    values_add_real(&v, "seconds", 1.5, 6);
    values_add_rate(&v, "rate", 1234567.25, 1);
    values_add_duration(&v, "lag", 1234567);
    add_text(&v, "asked", "a \"b\", c");
    values_add_absent(&v, "seed", VALUE_COUNT);
    values_print_text(&v, &out);
    prints(&out, "text",
           "sent: 1,234\nid: 5678\nbytes: 1,234,567\nseconds: 1.500\nrate: 1,234,567/s\nlag: 1.235 "
           "ms\n"
           "asked: a \"b\", c\nseed: -\n");
    values_print_csv_header(&v, &out);
    prints(&out, "CSV header", "sent,id,bytes,seconds,rate_per_second,lag_seconds,asked,seed\n");
    values_print_csv_row(&v, &out);
    prints(&out, "CSV row", "1234,5678,1234567,1.500000,1234567.2,0.001235,\"a \"\"b\"\", c\",\n");
    values_print_json(&v, &out);
    prints(&out, "JSON",
           "{\"sent\":1234,\"id\":5678,\"bytes\":1234567,\"seconds\":1.500000,\"rate\":1234567.2,"
           "\"lag\":0.001235,\"asked\":\"a \\\"b\\\", c\",\"seed\":null}\n");
    values_free(&v);
    buffer_free(&out);
}

static void groups_and_empty_texts(void)
{
    struct values v = {0};
    struct buffer out = {0};
    values_print_json(&v, &out);
    prints(&out, "an empty table", "{}\n");
    values_add_count(&v, "all", 3)->group = "bad";
    values_add_count(&v, "pri", 2)->group = "bad";
    values_print_json(&v, &out);
    prints(&out, "a group at the end", "{\"bad\":{\"all\":3,\"pri\":2}}\n");
    add_text(&v, "empty", "");
    values_add_count(&v, "x", 1)->group = "other";
    values_print_json(&v, &out);
    prints(&out, "two groups",
           "{\"bad\":{\"all\":3,\"pri\":2},\"empty\":\"\",\"other\":{\"x\":1}}\n");
    values_print_text(&v, &out);
    prints(&out, "groups as text", "bad-all: 3\nbad-pri: 2\nempty: \nother-x: 1\n");
    values_print_csv_header(&v, &out);
    prints(&out, "groups as CSV columns", "bad_all,bad_pri,empty,other_x\n");
    values_clear(&v);
    add_text(&v, "only", "line\nend");
    values_print_csv_row(&v, &out);
    prints(&out, "a newline in a cell", "\"line\nend\"\n");
    values_free(&v);
    buffer_free(&out);
}

static void identifiers(void)
{
    struct values v = {0};
    struct buffer out = {0};
    values_add_duration(&v, "latency-p99.9", 1000)->group = "a-b";
    values_print_text(&v, &out);
    prints(&out, "text", "a-b-latency-p99.9: 0.001 ms\n");
    values_print_csv_header(&v, &out);
    prints(&out, "CSV header", "a_b_latency_p99_9_seconds\n");
    values_print_json(&v, &out);
    prints(&out, "JSON", "{\"a_b\":{\"latency_p99_9\":0.000001}}\n");
    values_free(&v);
    buffer_free(&out);
}

static void hostile_texts(void)
{
    static const char *const formulas[] = {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"};
    struct values v = {0};
    struct buffer out = {0};
    add_text(&v, "name", "a\nsent: 9\x1B[31m\xC2\x9B\xE2\x80\xAE\xE2\x80\xAC\xE2\x82");
    values_print_text(&v, &out);
    prints(&out, "filtered text", "name: a?sent: 9?[31m????\n");
    values_print_json(&v, &out);
    prints(&out, "escaped JSON",
           "{\"name\":\"a\\nsent: 9\\u001b[31m\xC2\x9B\xE2\x80\xAE\xE2\x80\xAC\xEF\xBF\xBD\"}\n");
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        char cell[32];
        snprintf(cell, sizeof cell, "\"'%s\"\n", formulas[i]);
        values_clear(&v);
        add_text(&v, "cell", formulas[i]);
        values_print_csv_row(&v, &out);
        prints(&out, "a formula", cell);
    }
    values_clear(&v);
    add_text(&v, "cell", "1-2 =");
    values_print_csv_row(&v, &out);
    prints(&out, "no formula", "1-2 =\n");
    values_free(&v);
    buffer_free(&out);
}

int main(void)
{
    hostile_texts();
    all_kinds();
    identifiers();
    groups_and_empty_texts();
    return unit_end("report values");
}
