#ifndef SHNEK_REPORT_VALUES_H
#define SHNEK_REPORT_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * A report is one table of named values, built once from the results and printed as text, as a row
 * of CSV or as a JSON object. No format is derived from another. Names in CSV and JSON have '_' for
 * '-' and '.', so that jq and SQL accept them unquoted.
 */
enum value_kind {
    VALUE_COUNT,
    VALUE_ID, /* an identifier, printed without separators */
    VALUE_BYTES,
    VALUE_REAL,
    VALUE_RATE,     /* per second; the CSV column is NAME_per_second */
    VALUE_DURATION, /* printed in seconds by programs; the CSV column is NAME_seconds */
    VALUE_TEXT
};

struct value {
    const char *name; /* borrowed; a plain identifier, printed without escaping */
    const char
        *group; /* JSON object that contains the value, or NULL; consecutive values share it */
    enum value_kind kind;
    bool is_absent; /* "-" in text, an empty cell in CSV, null in JSON */
    int decimals;   /* of VALUE_REAL and VALUE_RATE */
    uint64_t count; /* or bytes, or nanoseconds */
    double number;  /* of VALUE_REAL and VALUE_RATE */
    size_t offset;  /* of VALUE_TEXT in `text` of the table */
    size_t len;
};

/* All zero is an empty table. */
struct values {
    struct value *all;
    size_t count;
    size_t capacity;
    struct buffer text;
};

/*
 * Each appends one value, and returns it so that the caller can set `group`; the
 * pointer is valid until the next call. Texts are copied.
 */
struct value *values_add_count(struct values *v, const char *name, uint64_t count);
struct value *values_add_id(struct values *v, const char *name, uint64_t id);
struct value *values_add_bytes(struct values *v, const char *name, uint64_t bytes);
struct value *values_add_real(struct values *v, const char *name, double number, int decimals);
struct value *values_add_rate(struct values *v, const char *name, double per_second, int decimals);
struct value *values_add_duration(struct values *v, const char *name, uint64_t ns);
struct value *values_add_text(struct values *v, const char *name, struct slice text);
struct value *values_add_absent(struct values *v, const char *name, enum value_kind kind);

/* Prints "name: value" lines for people: numbers as in base/number.h, rates per second, durations
 * in ms; texts are filtered by printable_copy(). */
void values_print_text(const struct values *v, struct buffer *out);

/* Prints the column names, or the cells, as one line of CSV (RFC 4180). A text that a spreadsheet
 * would execute is preceded by an apostrophe. */
void values_print_csv_header(const struct values *v, struct buffer *out);
void values_print_csv_row(const struct values *v, struct buffer *out);

/* Prints one line with a JSON object whose keys are the names, in the order of the table. */
void values_print_json(const struct values *v, struct buffer *out);

/* Empties the table and keeps its memory. */
void values_clear(struct values *v);

void values_free(struct values *v);

#endif
