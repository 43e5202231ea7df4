#include "publish/line-template.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "json/unescape.h"

enum line_template_type { PART_LITERAL, PART_FIELD, PART_PARTITION };

struct line_template_part {
    enum line_template_type type;
    struct slice text;   /* the literal, or the default of a field; data == NULL: '_' */
    size_t path;         /* of a field, in the scan */
    uint32_t partitions; /* of a partition, whose fields are the next field_count parts */
    size_t field_count;
};

/* Parsing: each function returns false and writes error_text if the text is invalid */

struct line_template_parser {
    struct line_template *t;
    struct member_scan *scan;
    const char *p; /* the rest of the text */
    char *to;      /* the end of t->text */
    char *error_text;
};

static bool __attribute__((format(printf, 2, 3)))
line_template_fail(struct line_template_parser *r, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(r->error_text, LINE_TEMPLATE_TEXT_MAX, format, values);
    va_end(values);
    return false;
}

static struct line_template_part *line_template_add(struct line_template_parser *r,
                                                    enum line_template_type type)
{
    struct line_template *t = r->t;
    t->parts = array_grow(t->parts, &t->part_capacity, t->part_count, sizeof *t->parts);
    struct line_template_part *part = &t->parts[t->part_count++];
    *part = (struct line_template_part){.type = type};
    return part;
}

static void line_template_add_byte(struct line_template_parser *r, char c)
{
    struct line_template *t = r->t;
    struct line_template_part *last = t->part_count ? &t->parts[t->part_count - 1] : NULL;
    if (!last || last->type != PART_LITERAL) {
        last = line_template_add(r, PART_LITERAL);
        last->text.data = r->to;
    }
    last->text.len++;
    *r->to++ = c;
}

/* The members that shnek-parse writes. */
static const char *const line_template_names[] = {
    "severity", "facility", "version", "timestamp", "hostname",  "appname",  "procid",
    "msgid",    "sd",       "msg",     "peer",      "transport", "received", "raw"};

static bool line_template_knows(struct slice name)
{
    for (size_t i = 0; i < sizeof line_template_names / sizeof *line_template_names; i++)
        if (slice_equal(name,
                        (struct slice){line_template_names[i], strlen(line_template_names[i])}))
            return true;
    return false;
}

static bool line_template_check_path(struct line_template_parser *r, const struct slice *names,
                                     size_t depth, bool quoted)
{
    bool known = line_template_knows(names[0]);
    int len = (int)(names[0].len < 64 ? names[0].len : 64);
    if (!known && !quoted && r->t->kind != LINE_TEMPLATE_ID)
        return line_template_fail(
            r, "unknown field '%.*s'; a member that shnek-parse does not write is {[\"%.*s\"]}",
            len, names[0].data, len, names[0].data);
    if (slice_equal(names[0], (struct slice){"sd", 2})) {
        if (depth < 3)
            return line_template_fail(
                r, "sd is an object; a value in it is {sd.ID.NAME} or {sd[\"ID\"].NAME}");
    } else if (known && depth > 1 && r->t->kind != LINE_TEMPLATE_ID) {
        return line_template_fail(r, "%.*s is not an object", len, names[0].data);
    }
    return true;
}

/* NAME, or ["NAME"]. */
static bool line_template_parse_name(struct line_template_parser *r, struct slice *name)
{
    const char *start = r->p;
    if (*start == '[') {
        const char *close = start[1] == '"' ? strstr(start + 2, "\"]") : NULL;
        if (!close)
            return line_template_fail(r, "a name in brackets is written as [\"NAME\"]");
        *name = slice_between(start + 2, close);
        r->p = close + 2;
    } else {
        r->p += strcspn(start, ".[]{}|,:\" ");
        *name = slice_between(start, r->p);
    }
    return name->len > 0 || line_template_fail(r, "the name of a field is missing");
}

static bool line_template_parse_path(struct line_template_parser *r, size_t *path)
{
    struct slice names[MEMBER_SCAN_DEPTH] = {0};
    size_t depth = 0;
    bool quoted = *r->p == '[';
    do {
        if (depth == MEMBER_SCAN_DEPTH)
            return line_template_fail(r, "more than %d names in a field", MEMBER_SCAN_DEPTH);
        if (!line_template_parse_name(r, &names[depth++]))
            return false;
    } while (*r->p == '[' || (*r->p == '.' && *++r->p != '\0'));
    if (*r->p == '\0')
        return line_template_fail(r, "a brace is not closed");
    if (!line_template_check_path(r, names, depth, quoted))
        return false;
    *path = member_scan_add(r->scan, names, depth);
    return true;
}

static bool line_template_parse_default(struct line_template_parser *r, const char *ends,
                                        struct slice *text)
{
    size_t len = strcspn(r->p, ends);
    *text = (struct slice){r->to, len};
    memcpy(r->to, r->p, len);
    r->to += len;
    r->p += len;
    if (r->t->kind != LINE_TEMPLATE_SUBJECT)
        return true;
    if (len == 0)
        return line_template_fail(r, "the default of a field is empty");
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text->data[i] <= ' ' || strchr(".*>\x7F", text->data[i]))
            return line_template_fail(r, "the default '%.*s' is not a token", (int)len, text->data);
    return len <= SUBJECT_TOKEN_MAX ||
           line_template_fail(r, "a default is longer than %d bytes", SUBJECT_TOKEN_MAX);
}

/* A field, up to one of the bytes `ends`. */
static bool line_template_parse_field(struct line_template_parser *r, const char *ends)
{
    struct line_template_part *part = line_template_add(r, PART_FIELD);
    r->t->field_count++;
    if (!line_template_parse_path(r, &part->path))
        return false;
    if (*r->p == '|') {
        r->p++;
        if (!line_template_parse_default(r, ends, &part->text))
            return false;
    }
    if (*r->p == '\0')
        return line_template_fail(r, "a brace is not closed");
    return strchr(ends, *r->p) || line_template_fail(r, "unexpected '%c' in braces", *r->p);
}

/* COUNT:FIELD,FIELD... */
static bool line_template_parse_partition(struct line_template_parser *r)
{
    size_t index = r->t->part_count;
    struct line_template_part *part = line_template_add(r, PART_PARTITION);
    uint64_t count = 0;
    size_t digits = strspn(r->p, "0123456789");
    for (size_t i = 0; i < digits && count <= INT32_MAX; i++)
        count = count * 10 + (uint64_t)(r->p[i] - '0');
    if (count == 0 || count > INT32_MAX)
        return line_template_fail(
            r, "the number of partitions must be from 1 to %d, as in {#16:hostname}", INT32_MAX);
    part->partitions = (uint32_t)count;
    r->p += digits;
    if (*r->p != ':')
        return line_template_fail(r, "a partition requires fields, as in {#16:hostname,appname}");
    do {
        r->p++;
        if (!line_template_parse_field(r, ",}"))
            return false;
    } while (*r->p == ',');
    r->t->parts[index].field_count = r->t->part_count - index - 1;
    return true;
}

static bool line_template_has_control(const char *source)
{
    for (; *source; source++)
        if ((unsigned char)*source < ' ' || *source == 127)
            return true;
    return false;
}

static bool line_template_parse(struct line_template_parser *r)
{
    while (*r->p) {
        char c = *r->p++;
        if ((c == '{' || c == '}') && *r->p == c) {
            line_template_add_byte(r, c);
            r->p++;
        } else if (c == '{') {
            bool partition = *r->p == '#';
            r->p += partition;
            if (!(partition ? line_template_parse_partition(r) : line_template_parse_field(r, "}")))
                return false;
            r->p++;
        } else if (c == '}') {
            return line_template_fail(r, "a brace is not opened; '}}' is a literal one");
        } else {
            line_template_add_byte(r, c);
        }
    }
    return true;
}

static const struct line_template_part *line_template_next(const struct line_template_part *part)
{
    return part + 1 + part->field_count;
}

/* The length of the literals. */
static size_t line_template_literal_len(const struct line_template *t)
{
    size_t len = 0;
    for (size_t i = 0; i < t->part_count; i++)
        if (t->parts[i].type == PART_LITERAL)
            len += t->parts[i].text.len;
    return len;
}

/* A subject whose fields are one byte each: empty tokens and wildcards are those of the literals.
 */
static void line_template_write_sample(const struct line_template *t, char *to)
{
    const struct line_template_part *end = t->parts + t->part_count;
    for (const struct line_template_part *part = t->parts; part < end;
         part = line_template_next(part)) {
        struct slice text = part->type == PART_LITERAL ? part->text : (struct slice){"0", 1};
        memcpy(to, text.data, text.len);
        to += text.len;
    }
    *to = '\0';
}

static bool line_template_check_subject(struct line_template_parser *r)
{
    char sample[2 * LINE_TEMPLATE_SUBJECT_MAX];
    struct line_template *t = r->t;
    const char *subject = t->text;
    if (t->field_count) {
        if (line_template_literal_len(t) + t->field_count > LINE_TEMPLATE_SUBJECT_MAX)
            return line_template_fail(r, "it is longer than %d bytes without its fields",
                                      LINE_TEMPLATE_SUBJECT_MAX);
        struct slice first = t->parts[0].text;
        t->starts_with_field = t->parts[0].type != PART_LITERAL;
        t->fields_in_first_token = t->starts_with_field || !memchr(first.data, '.', first.len);
        line_template_write_sample(t, sample);
        subject = sample;
    }
    const char *defect = subject_defect(subject);
    return !defect || line_template_fail(r, "%s", defect);
}

static bool line_template_check_header(struct line_template_parser *r)
{
    return line_template_literal_len(r->t) <= LINE_TEMPLATE_HEADER_MAX ||
           line_template_fail(r, "its value is longer than %d bytes without its fields",
                              LINE_TEMPLATE_HEADER_MAX);
}

bool line_template_init(struct line_template *t, enum line_template_kind kind, const char *source,
                        struct member_scan *scan, char *error_text)
{
    struct buffer text = {0};
    *t = (struct line_template){.kind = kind};
    t->text = buffer_reserve(&text, strlen(source) + 1);
    struct line_template_parser r = {
        .t = t, .scan = scan, .p = source, .to = t->text, .error_text = error_text};
    if (line_template_has_control(source))
        return line_template_fail(&r, kind == LINE_TEMPLATE_SUBJECT
                                          ? "it contains white space or a control character"
                                          : "it contains a control character");
    if (!line_template_parse(&r))
        return false;
    *r.to = '\0';
    return kind == LINE_TEMPLATE_SUBJECT  ? line_template_check_subject(&r)
           : kind == LINE_TEMPLATE_HEADER ? line_template_check_header(&r)
                                          : true;
}

/* Expansion */

struct line_template_output {
    const struct line_template *t;
    const struct member_scan *scan;
    const char *limit; /* the end of the line */
    char *to;
    const char *end; /* for text that is not a token */
    bool failed;     /* there is no id */
};

static void line_template_put(struct line_template_output *o, struct slice text)
{
    memcpy(o->to, text.data, text.len);
    o->to += text.len;
}

static void line_template_put_default(struct line_template_output *o,
                                      const struct line_template_part *field)
{
    line_template_put(o, field->text.data ? field->text : (struct slice){"_", 1});
}

static void line_template_put_token(struct line_template_output *o,
                                    const struct line_template_part *field)
{
    struct slice text = member_scan_text(o->scan, field->path);
    if (text.len)
        o->to = subject_put_token(o->to, text, o->limit);
    else
        line_template_put_default(o, field);
}

/* The same number as that of the subject mapping {{partition(N,...)}} of nats-server: FNV-1a. */
static void line_template_put_partition(struct line_template_output *o,
                                        const struct line_template_part *partition)
{
    char token[SUBJECT_TOKEN_CAPACITY];
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 1; i <= partition->field_count; i++) {
        struct line_template_output field = {.scan = o->scan, .limit = o->limit, .to = token};
        line_template_put_token(&field, partition + i);
        for (const char *p = token; p < field.to; p++)
            hash = (hash ^ (unsigned char)*p) * UINT32_C(16777619);
    }
    char digits[16];
    char *first = digits + sizeof digits;
    uint32_t number = hash % partition->partitions;
    do
        *--first = (char)('0' + number % 10);
    while (number /= 10);
    line_template_put(o, slice_between(first, digits + sizeof digits));
}

/* Puts what fits of text without escapes; fails if that is not all of it. */
static void line_template_put_most(struct line_template_output *o, struct slice text)
{
    size_t space = (size_t)(o->end - o->to);
    o->failed = o->failed || text.len > space;
    line_template_put(o, (struct slice){text.data, utf8_truncate(text, space)});
}

static void line_template_put_text(struct line_template_output *o,
                                   const struct line_template_part *field)
{
    struct slice text = member_scan_text(o->scan, field->path);
    const char *data = text.data ? text.data : "";
    struct json_pieces pieces = {.p = data, .end = data + text.len};
    struct slice piece;
    bool is_id = o->t->kind == LINE_TEMPLATE_ID;
    const char *start = o->to;
    while (!o->failed && json_next_piece(&pieces, &piece)) {
        if (is_id && (unsigned char)*piece.data < ' ')
            o->failed = true;
        else if (!memchr("\r\n", *piece.data, 3))
            line_template_put_most(o, piece);
    }
    if (o->to > start || o->failed)
        return;
    if (!is_id || field->text.data)
        line_template_put_most(o, field->text.data ? field->text : (struct slice){"_", 1});
    else
        o->failed = !text.data;
}

static size_t line_template_expand_text(const struct line_template *t,
                                        const struct member_scan *scan, const char *limit, char *to)
{
    bool is_id = t->kind == LINE_TEMPLATE_ID;
    size_t max = is_id ? LINE_TEMPLATE_ID_MAX : LINE_TEMPLATE_HEADER_MAX;
    struct line_template_output o = {
        .t = t, .scan = scan, .limit = limit, .to = to, .end = to + max};
    const struct line_template_part *end = t->parts + t->part_count;
    for (const struct line_template_part *part = t->parts; part < end && !o.failed;
         part = line_template_next(part)) {
        char digits[SUBJECT_TOKEN_CAPACITY];
        struct line_template_output number = {.scan = scan, .limit = limit, .to = digits};
        switch (part->type) {
        case PART_LITERAL:
            line_template_put_most(&o, part->text);
            break;
        case PART_FIELD:
            line_template_put_text(&o, part);
            break;
        case PART_PARTITION:
            line_template_put_partition(&number, part);
            line_template_put_most(&o, slice_between(digits, number.to));
        }
    }
    return is_id && o.failed ? 0 : (size_t)(o.to - to);
}

/*
 * Limits what a field at the beginning can do: subjects that begin with '$' are those of the
 * server, and _INBOX those of replies.
 */
static void line_template_guard(const struct line_template *t, char *subject, size_t len)
{
    static const char inbox[] = "_INBOX";
    const size_t inbox_len = sizeof inbox - 1;
    if (t->starts_with_field && *subject == '$')
        *subject = '_';
    if (t->fields_in_first_token && len >= inbox_len && memcmp(subject, inbox, inbox_len) == 0 &&
        (len == inbox_len || subject[inbox_len] == '.'))
        memcpy(subject, "_inbox", inbox_len);
}

static size_t line_template_expand_subject(const struct line_template *t,
                                           const struct member_scan *scan, const char *limit,
                                           char *to)
{
    struct line_template_output o = {.t = t, .scan = scan, .limit = limit, .to = to};
    const struct line_template_part *end = t->parts + t->part_count;
    for (const struct line_template_part *part = t->parts;
         part < end && o.to - to <= LINE_TEMPLATE_SUBJECT_MAX; part = line_template_next(part)) {
        if (part->type == PART_LITERAL)
            line_template_put(&o, part->text);
        else if (part->type == PART_FIELD)
            line_template_put_token(&o, part);
        else
            line_template_put_partition(&o, part);
    }
    size_t len = (size_t)(o.to - to);
    if (len > LINE_TEMPLATE_SUBJECT_MAX && t->field_count) {
        len = utf8_truncate((struct slice){to, len}, LINE_TEMPLATE_SUBJECT_MAX);
        while (to[len - 1] == '.')
            len--;
    }
    line_template_guard(t, to, len);
    return len;
}

size_t line_template_expand(const struct line_template *t, const struct member_scan *scan,
                            const char *limit, char *to)
{
    size_t len = t->kind == LINE_TEMPLATE_SUBJECT ? line_template_expand_subject(t, scan, limit, to)
                                                  : line_template_expand_text(t, scan, limit, to);
    to[len] = '\0';
    return len;
}

size_t line_template_filter(const struct line_template *t, char *to)
{
    char *start = to;
    char *token = to;
    bool has_field = false;
    for (size_t i = 0; i < t->part_count; i++) {
        struct slice text = t->parts[i].type == PART_LITERAL ? t->parts[i].text : (struct slice){0};
        has_field = has_field || t->parts[i].type != PART_LITERAL;
        for (size_t k = 0; k < text.len; k++) {
            if (text.data[k] == '.') {
                if (has_field) {
                    *token = '*';
                    to = token + 1;
                }
                has_field = false;
                token = to + 1;
            }
            *to++ = text.data[k];
        }
    }
    if (has_field) {
        *token = '*';
        to = token + 1;
    }
    *to = '\0';
    return (size_t)(to - start);
}

void line_template_free(struct line_template *t)
{
    free(t->parts);
    free(t->text);
    *t = (struct line_template){0};
}
