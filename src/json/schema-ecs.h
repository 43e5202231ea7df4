#ifndef SHNEK_JSON_SCHEMA_ECS_H
#define SHNEK_JSON_SCHEMA_ECS_H

#include "json/schema.h"

/* Elastic Common Schema, with dotted names. Absent values have no member. */
#define ECS_VERSION "9.5.0"

extern const char *const ecs_members[];

/* Sets w->severity and w->facility. */
void ecs_init(struct schema_writer *w);

/* Appends the members of --meta. */
void ecs_format_meta(struct buffer *out, const struct record_origin *origin);

/* Writes a record. Returns the end. `to` needs SCHEMA_CAPACITY. */
char *ecs_write(struct schema_writer *w, char *to, const struct syslog_message *m,
                struct slice raw);

#endif
