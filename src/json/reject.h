#ifndef SHNEK_JSON_REJECT_H
#define SHNEK_JSON_REJECT_H

#include "base/buffer.h"
#include "base/defect.h"

/*
 * Appends a rejected message as one JSON object and LF: source, number, error ("FIELD: reason"),
 * offset, raw, or raw_base64 (RFC 4648, section 4) if the bytes are not UTF-8, and `meta`, members
 * in the form of record_format_meta().
 */
void reject_write(struct buffer *out, const char *source, uint64_t number,
                  const struct defect *defect, struct slice raw, struct slice meta);

#endif
