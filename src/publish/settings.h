#ifndef SHNEK_PUBLISH_SETTINGS_H
#define SHNEK_PUBLISH_SETTINGS_H

#include "publish/context.h"
#include "publish/nats-conn.h"

/* Settings of the connection, which have the same names in options, variables and contexts of
 * nats(1). */
enum settings_key {
    SETTINGS_URL,
    SETTINGS_USER,
    SETTINGS_PASSWORD,
    SETTINGS_TOKEN,
    SETTINGS_CREDS,
    SETTINGS_NKEY,
    SETTINGS_JWT,
    SETTINGS_SEED,
    SETTINGS_CERT,
    SETTINGS_KEY,
    SETTINGS_CA,
    SETTINGS_NAME,
    SETTINGS_INBOX_PREFIX,
    SETTINGS_JS_DOMAIN,
    SETTINGS_JS_API_PREFIX,
    SETTINGS_KEYS
};

enum settings_level { SETTINGS_UNSET, SETTINGS_OPTION, SETTINGS_VARIABLE, SETTINGS_CONTEXT };

struct settings {
    const char *context_option; /* the value of --context, or NULL */
    bool no_context;            /* --no-context */
    struct settings_value {
        const char *text;
        enum settings_level level;
        enum settings_key origin; /* SETTINGS_USER for a token without a password */
    } values[SETTINGS_KEYS];
    struct context context;
    struct context_member members[SETTINGS_KEYS]; /* of the context; own their texts */
};

/* Sets an option; `text` is borrowed. A list of URLs is appended to those in `config` immediately.
 * Returns false and logs the reason if the value is invalid. */
bool settings_set(struct settings *s, struct nats_conn_config *config, enum settings_key key,
                  const char *text);

/*
 * Adds what is missing from environment variables, then from the context, and fills in `config`,
 * which borrows the texts. Returns false and logs the reason on failure. *is_usage is then whether
 * the options are wrong, and not a file.
 */
bool settings_resolve(struct settings *s, struct nats_conn_config *config, bool *is_usage);

/* Checks that the files are readable, because errors of nats.c do not always name them. Returns
 * false and logs the reason if one is not. */
bool settings_check_files(const struct settings *s);

void settings_free(struct settings *s);

#endif
