#include "json/schema.h"

#include "json/schema-ecs.h"
#include "json/schema-otlp.h"
#include "json/schema-shnek.h"
#include "json/schema-text.h"
#include "syslog/pri.h"

const char *const *schema_members(enum schema schema)
{
    return schema == SCHEMA_ECS    ? ecs_members
           : schema == SCHEMA_OTLP ? otlp_members
                                   : shnek_members;
}

static bool schema_find_member(const char *const *members, struct slice name, unsigned *index)
{
    for (*index = 0; members[*index]; ++*index)
        if (slice_equal((struct slice){members[*index], strlen(members[*index])}, name))
            return true;
    return false;
}

bool schema_parse_members(enum schema schema, const char *list, uint32_t *members,
                          struct slice *unknown)
{
    unsigned index;
    for (const char *p = list;; p += unknown->len + 1) {
        *unknown = (struct slice){p, strcspn(p, ",")};
        if (!schema_find_member(schema_members(schema), *unknown, &index))
            return false;
        *members |= (uint32_t)1 << index;
        if (p[unknown->len] == '\0')
            return true;
    }
}

bool schema_is_plain(const struct schema_config *config)
{
    return config->schema == SCHEMA_SHNEK && !config->members && !config->severity_number;
}

bool schema_needs_time(const struct schema_config *config)
{
    return config->meta || config->schema != SCHEMA_SHNEK;
}

void schema_writer_init(struct schema_writer *w, const struct schema_config *config)
{
    static const schema_write_function writers[] = {shnek_write, ecs_write, otlp_write};
    *w =
        (struct schema_writer){.config = config,
                               .has_extras = config->meta || config->raw || config->severity_number,
                               .clock = {.utc = true}};
    for (unsigned i = 0; i <= PRI_MAX; i++)
        schema_put_number(w->pri[i], i);
    if (config->schema == SCHEMA_ECS)
        ecs_init(w);
    else if (config->schema == SCHEMA_OTLP)
        otlp_init(w);
    if (!schema_is_plain(config))
        w->write = writers[config->schema];
}

void schema_writer_free(struct schema_writer *w)
{
    buffer_free(&w->meta);
}

void schema_set_origin(struct schema_writer *w, const struct record_origin *origin,
                       uint64_t received_ns)
{
    static void (*const formats[])(struct buffer *, const struct record_origin *) = {
        record_format_meta, ecs_format_meta, otlp_format_meta};
    struct record_origin full = *origin;
    w->received_len = (size_t)(timestamp_write(&w->clock, received_ns, w->received) - w->received);
    full.received = (struct slice){w->received, w->received_len};
    if (w->config->schema == SCHEMA_OTLP)
        otlp_set_observed_time(w, received_ns);
    w->meta.len = 0;
    if (w->config->meta)
        formats[w->config->schema](&w->meta, &full);
}

static __attribute__((noinline)) void schema_write_plain(struct schema_writer *w,
                                                         struct buffer *out,
                                                         const struct syslog_message *m,
                                                         struct slice raw)
{
    const struct schema_config *c = w->config;
    struct record_extras extras = {0};
    record_write(out, m);
    if (c->meta)
        extras.meta = (struct slice){w->meta.data, w->meta.len};
    if (c->raw)
        extras.raw = raw;
    if (w->has_extras)
        record_append_extras(out, &extras);
}

void schema_write(struct schema_writer *w, struct buffer *out, const struct syslog_message *m,
                  struct slice raw)
{
    if (!w->write)
        schema_write_plain(w, out, m, raw);
    else
        buffer_commit(out, w->write(w, buffer_reserve(out, SCHEMA_CAPACITY(w, m, raw)), m, raw));
}
