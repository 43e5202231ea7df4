#ifndef SHNEK_SYSLOG_RFC3164_TAG_H
#define SHNEK_SYSLOG_RFC3164_TAG_H

#include "base/slice.h"

/* TAG (RFC 3164, section 4.1.3) and its many variants, by rule 5 in shnek-parse(1). */
struct tag {
    struct slice name;
    struct slice pid; /* data == NULL if there is none */
};

/* Reads the TAG at `p` with its ':' and PID. Returns the byte after it, or NULL if there is none.
 */
const char *tag_read(const char *p, const char *end, struct tag *tag);

/* tag_read(), but a ':' before text also ends a TAG, unless it looks like an URL, a path, a port.
 */
const char *tag_read_any_colon(const char *p, const char *end, struct tag *tag);

/* Whether a mnemonic begins at `p`, such as %SYS-5-CONFIG_I (Cisco) or %%01IFNET/4/IF_UP (Huawei).
 */
bool tag_is_mnemonic(const char *p, const char *end);

/* Returns the byte after a mnemonic with a severity, such as %ASA-session-6-302013, or NULL. */
const char *tag_skip_strict_mnemonic(const char *p, const char *end);

/* Whether CEF or LEEF begins at `p`: the name, ':', a version. It is not a TAG. */
bool tag_is_cef(const char *p, const char *end);

/* Whether it is the TAG of Snare, which a TAB ends. */
bool tag_is_snare(struct slice name);

/* Whether the TAG that tag_read() returned is a level followed by ':', as in "error: disk full". */
bool tag_is_level(const struct tag *tag);

#endif
