#include "publish/envelope.h"

#include <stdlib.h>
#include <strings.h>

#include "base/log.h"

bool envelope_set_subject(struct envelope *e, const char *source)
{
    char error_text[LINE_TEMPLATE_TEXT_MAX];
    e->subject_source = source;
    if (!line_template_init(&e->subject_template, LINE_TEMPLATE_SUBJECT, source, &e->scan,
                            error_text)) {
        log_printf("SUBJECT '%s': %s", source, error_text);
        return false;
    }
    e->subject_len = line_template_expand(&e->subject_template, &e->scan, NULL, e->subject);
    return true;
}

/* Returns what is wrong with the name of a header, or NULL. */
static const char *envelope_name_defect(struct slice name)
{
    static const struct {
        const char *name; /* or its beginning */
        const char *defect;
    } reserved[] = {{"Nats-Msg-Id", "it is set by --msg-id"},
                    {"Nats-Expected-", "the stream would refuse messages; use --stream"},
                    {"Nats-Rollup", "it deletes the messages of the stream"},
                    {"Shnek-", "names that begin with Shnek- are reserved"}};
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= ' ' || name.data[i] >= 127)
            return "its name contains white space, or a byte that is not ASCII";
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (name.len >= strlen(reserved[i].name) &&
            strncasecmp(name.data, reserved[i].name, strlen(reserved[i].name)) == 0)
            return reserved[i].defect;
    return name.len ? NULL : "it has no name";
}

static bool envelope_refuse_header(const char *text, const char *reason)
{
    log_printf("--header: '%s': %s", text, reason);
    return false;
}

bool envelope_add_header(struct envelope *e, const char *text)
{
    char error_text[LINE_TEMPLATE_TEXT_MAX];
    const char *colon = strchr(text, ':');
    size_t i = e->header_count;
    if (!colon)
        return envelope_refuse_header(text, "it is not NAME: VALUE");
    const char *defect = envelope_name_defect(slice_between(text, colon));
    if (defect)
        return envelope_refuse_header(text, defect);
    if (i == ENVELOPE_HEADERS_MAX)
        return envelope_refuse_header(text, "at most 32 headers are accepted");
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (!line_template_init(&e->header_templates[i], LINE_TEMPLATE_HEADER, value, &e->scan,
                            error_text)) {
        line_template_free(&e->header_templates[i]);
        return envelope_refuse_header(text, error_text);
    }
    char *name = strndup(text, (size_t)(colon - text));
    e->header_values[i] = malloc(LINE_TEMPLATE_CAPACITY);
    e->headers[i] = (struct nats_conn_header){name, e->header_values[i]};
    e->header_count++;
    if (!name || !e->header_values[i])
        return envelope_refuse_header(text, "out of memory");
    line_template_expand(&e->header_templates[i], &e->scan, NULL, e->header_values[i]);
    return true;
}

bool envelope_has_header(const struct envelope *e, const char *name)
{
    for (size_t i = 0; i < e->header_count; i++)
        if (strcmp(e->headers[i].name, name) == 0)
            return true;
    return false;
}

void envelope_expand(struct envelope *e, struct slice line)
{
    struct defect defect;
    const char *limit = line.data + line.len;
    if (e->checks_lines && !json_is_valid(&e->checker, line, &defect))
        member_scan_clear(&e->scan);
    else
        member_scan_run(&e->scan, line);
    if (e->subject_template.field_count)
        e->subject_len = line_template_expand(&e->subject_template, &e->scan, limit, e->subject);
    for (size_t i = 0; i < e->header_count; i++)
        if (e->header_templates[i].field_count)
            line_template_expand(&e->header_templates[i], &e->scan, limit, e->header_values[i]);
}

struct slice envelope_key(void *envelope, struct slice line, struct buffer *to)
{
    struct envelope *e = envelope;
    if (!e->scan.path_count)
        return (struct slice){0};
    envelope_expand(e, line);
    to->len = 0;
    buffer_append(to, (struct slice){e->subject, e->subject_len + 1});
    for (size_t i = 0; i < e->header_count; i++)
        if (e->header_templates[i].field_count)
            buffer_append(to, (struct slice){e->header_values[i], strlen(e->header_values[i]) + 1});
    return (struct slice){to->data, to->len};
}

void envelope_free(struct envelope *e)
{
    for (size_t i = 0; i < e->header_count; i++) {
        line_template_free(&e->header_templates[i]);
        free(e->header_values[i]);
        free((void *)(uintptr_t)e->headers[i].name);
    }
    line_template_free(&e->subject_template);
    member_scan_free(&e->scan);
    json_checker_free(&e->checker);
    *e = (struct envelope){0};
}
