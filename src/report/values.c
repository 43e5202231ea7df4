#include "report/values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/printable.h"
#include "json/escape.h"

static struct value *values_add(struct values *v, struct value value)
{
    v->all = array_grow(v->all, &v->capacity, v->count, sizeof *v->all);
    v->all[v->count] = value;
    return &v->all[v->count++];
}

struct value *values_add_count(struct values *v, const char *name, uint64_t count)
{
    return values_add(v, (struct value){.name = name, .kind = VALUE_COUNT, .count = count});
}

struct value *values_add_id(struct values *v, const char *name, uint64_t id)
{
    return values_add(v, (struct value){.name = name, .kind = VALUE_ID, .count = id});
}

struct value *values_add_bytes(struct values *v, const char *name, uint64_t bytes)
{
    return values_add(v, (struct value){.name = name, .kind = VALUE_BYTES, .count = bytes});
}

struct value *values_add_real(struct values *v, const char *name, double number, int decimals)
{
    return values_add(
        v,
        (struct value){.name = name, .kind = VALUE_REAL, .number = number, .decimals = decimals});
}

struct value *values_add_rate(struct values *v, const char *name, double per_second, int decimals)
{
    return values_add(
        v, (struct value){
               .name = name, .kind = VALUE_RATE, .number = per_second, .decimals = decimals});
}

struct value *values_add_duration(struct values *v, const char *name, uint64_t ns)
{
    return values_add(v, (struct value){.name = name, .kind = VALUE_DURATION, .count = ns});
}

struct value *values_add_text(struct values *v, const char *name, struct slice text)
{
    size_t offset = v->text.len;
    buffer_append(&v->text, text);
    return values_add(
        v, (struct value){.name = name, .kind = VALUE_TEXT, .offset = offset, .len = text.len});
}

struct value *values_add_absent(struct values *v, const char *name, enum value_kind kind)
{
    return values_add(v, (struct value){.name = name, .kind = kind, .is_absent = true});
}

static double value_seconds(const struct value *value)
{
    return (double)value->count / (double)NS_PER_S;
}

static struct slice value_text(const struct values *v, const struct value *value)
{
    return value->len ? (struct slice){v->text.data + value->offset, value->len}
                      : (struct slice){"", 0};
}

/* Prints any kind but VALUE_TEXT as a program reads it. */
static void value_print_number(const struct value *value, struct buffer *out)
{
    switch (value->kind) {
    case VALUE_COUNT:
    case VALUE_ID:
    case VALUE_BYTES:
        buffer_printf(out, "%" PRIu64, value->count);
        break;
    case VALUE_REAL:
    case VALUE_RATE:
        buffer_printf(out, "%.*f", value->decimals, value->number);
        break;
    case VALUE_DURATION:
        buffer_printf(out, "%.6f", value_seconds(value));
        break;
    case VALUE_TEXT:
        break;
    }
}

/* Prints any kind but VALUE_TEXT as a person reads it. */
static void value_print_readable(const struct value *value, struct buffer *out)
{
    char number[NUMBER_SIZE];
    switch (value->kind) {
    case VALUE_COUNT:
    case VALUE_BYTES:
        buffer_puts(out, number_format(number, value->count));
        break;
    case VALUE_REAL:
        buffer_printf(out, "%.3f", value->number);
        break;
    case VALUE_RATE:
        buffer_printf(out, "%s/s", number_format_real(number, value->number));
        break;
    case VALUE_DURATION:
        buffer_printf(out, "%.3f ms", value_seconds(value) * 1e3);
        break;
    case VALUE_ID:
        value_print_number(value, out);
        break;
    case VALUE_TEXT:
        break;
    }
}

/* Prints text as a person reads it. */
static void value_print_text(struct slice text, struct buffer *out)
{
    char *to = buffer_reserve(out, text.len);
    buffer_commit(out, to + printable_copy(to, text));
}

/* Prints a name as jq and SQL accept it unquoted. */
static void value_print_identifier(const char *name, struct buffer *out)
{
    size_t len = strlen(name);
    char *to = buffer_reserve(out, len);
    memcpy(to, name, len);
    for (size_t i = 0; i < len; i++)
        if (to[i] == '-' || to[i] == '.')
            to[i] = '_';
    buffer_commit(out, to + len);
}

void values_print_text(const struct values *v, struct buffer *out)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct value *value = &v->all[i];
        if (value->group)
            buffer_printf(out, "%s-", value->group);
        buffer_printf(out, "%s: ", value->name);
        if (value->is_absent)
            buffer_puts(out, "-");
        else if (value->kind == VALUE_TEXT)
            value_print_text(value_text(v, value), out);
        else
            value_print_readable(value, out);
        buffer_puts(out, "\n");
    }
}

void values_print_csv_header(const struct values *v, struct buffer *out)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct value *value = &v->all[i];
        if (i > 0)
            buffer_puts(out, ",");
        if (value->group) {
            value_print_identifier(value->group, out);
            buffer_puts(out, "_");
        }
        value_print_identifier(value->name, out);
        if (value->kind == VALUE_RATE)
            buffer_puts(out, "_per_second");
        else if (value->kind == VALUE_DURATION)
            buffer_puts(out, "_seconds");
    }
    buffer_puts(out, "\n");
}

/* A spreadsheet executes a cell that starts with one of these, unless an apostrophe precedes it. */
static bool value_is_formula(struct slice text)
{
    return text.len > 0 && memchr("=+-@\t\r", *text.data, 6);
}

static void values_print_csv_text(struct slice text, struct buffer *out)
{
    bool is_formula = value_is_formula(text);
    bool needs_quotes = is_formula;
    for (size_t i = 0; i < text.len; i++)
        needs_quotes |= memchr(",\"\r\n", text.data[i], 4) != NULL;
    if (!needs_quotes) {
        buffer_append(out, text);
        return;
    }
    buffer_puts(out, is_formula ? "\"'" : "\"");
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            buffer_puts(out, "\"");
        buffer_append(out, (struct slice){text.data + i, 1});
    }
    buffer_puts(out, "\"");
}

void values_print_csv_row(const struct values *v, struct buffer *out)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct value *value = &v->all[i];
        if (i > 0)
            buffer_puts(out, ",");
        if (value->is_absent)
            continue;
        if (value->kind == VALUE_TEXT)
            values_print_csv_text(value_text(v, value), out);
        else
            value_print_number(value, out);
    }
    buffer_puts(out, "\n");
}

void values_print_json(const struct values *v, struct buffer *out)
{
    const char *group = NULL;
    buffer_puts(out, "{");
    for (size_t i = 0; i < v->count; i++) {
        const struct value *value = &v->all[i];
        bool same_group = group && value->group && strcmp(group, value->group) == 0;
        if (group && !same_group)
            buffer_puts(out, "}");
        if (i > 0)
            buffer_puts(out, ",");
        buffer_puts(out, "\"");
        if (value->group && !same_group) {
            value_print_identifier(value->group, out);
            buffer_puts(out, "\":{\"");
        }
        group = value->group;
        value_print_identifier(value->name, out);
        buffer_puts(out, "\":");
        if (value->is_absent) {
            buffer_puts(out, "null");
        } else if (value->kind == VALUE_TEXT) {
            struct slice text = value_text(v, value);
            buffer_commit(out,
                          json_quote(buffer_reserve(out, JSON_STRING_CAPACITY(text.len)), text));
        } else {
            value_print_number(value, out);
        }
    }
    buffer_puts(out, group ? "}}\n" : "}\n");
}

void values_clear(struct values *v)
{
    v->count = 0;
    v->text.len = 0;
}

void values_free(struct values *v)
{
    free(v->all);
    buffer_free(&v->text);
    *v = (struct values){0};
}
