#ifndef SHNEK_JSON_SCHEMA_SHNEK_H
#define SHNEK_JSON_SCHEMA_SHNEK_H

#include "json/schema.h"

extern const char *const shnek_members[];

/* Writes the selected members, as record_write() would, and the extras. Returns the end. `to` needs
 * SCHEMA_CAPACITY. */
char *shnek_write(struct schema_writer *w, char *to, const struct syslog_message *m,
                  struct slice raw);

#endif
