#ifndef SHNEK_JSON_SCHEMA_OTLP_H
#define SHNEK_JSON_SCHEMA_OTLP_H

#include "json/schema.h"

/*
 * OpenTelemetry Protocol, JSON encoding: a LogsData object with one LogRecord, named as in the
 * Logs Data Model and its appendix. Absent values have no member.
 */

extern const char *const otlp_members[];

/* Sets w->severity and w->facility. */
void otlp_init(struct schema_writer *w);

/* Sets w->observed. */
void otlp_set_observed_time(struct schema_writer *w, uint64_t received_ns);

/* Appends the attributes of --meta. */
void otlp_format_meta(struct buffer *out, const struct record_origin *origin);

/* Writes a record. Returns the end. `to` needs SCHEMA_CAPACITY. */
char *otlp_write(struct schema_writer *w, char *to, const struct syslog_message *m,
                 struct slice raw);

#endif
