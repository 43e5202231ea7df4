#include "publish/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "publish/nkey.h"
#include "publish/subject.h"

enum { SETTINGS_SOURCE_MAX = 384, SETTINGS_PREFIX_MAX = 128 };

static const char settings_default_url[] = "nats://localhost:4222";

static const struct {
    const char *option;
    const char *variable;
    const char *member; /* of a context */
    enum context_kind kind;
} settings_names[SETTINGS_KEYS] = {
    [SETTINGS_URL] = {"--server", "NATS_URL", "url", CONTEXT_TEXT},
    [SETTINGS_USER] = {"--user", "NATS_USER", "user", CONTEXT_TEXT},
    [SETTINGS_PASSWORD] = {"--password", "NATS_PASSWORD", "password", CONTEXT_SECRET},
    [SETTINGS_TOKEN] = {"--token", "NATS_TOKEN", "token", CONTEXT_SECRET},
    [SETTINGS_CREDS] = {"--creds", "NATS_CREDS", "creds", CONTEXT_PATH},
    [SETTINGS_NKEY] = {"--nkey", "NATS_NKEY", "nkey", CONTEXT_PATH},
    [SETTINGS_JWT] = {NULL, "NATS_JWT", "user_jwt", CONTEXT_SECRET},
    [SETTINGS_SEED] = {NULL, "NATS_SEED", "user_seed", CONTEXT_SECRET},
    [SETTINGS_CERT] = {"--tlscert", "NATS_CERT", "cert", CONTEXT_PATH},
    [SETTINGS_KEY] = {"--tlskey", "NATS_KEY", "key", CONTEXT_PATH},
    [SETTINGS_CA] = {"--tlsca", "NATS_CA", "ca", CONTEXT_PATH},
    [SETTINGS_NAME] = {"--connection-name", "NATS_CONNECTION_NAME", NULL, CONTEXT_TEXT},
    [SETTINGS_INBOX_PREFIX] = {"--inbox-prefix", NULL, "inbox_prefix", CONTEXT_TEXT},
    [SETTINGS_JS_DOMAIN] = {"--js-domain", NULL, "jetstream_domain", CONTEXT_TEXT},
    [SETTINGS_JS_API_PREFIX] = {"--js-api-prefix", NULL, "jetstream_api_prefix", CONTEXT_TEXT},
};

/* The ways to log in, apart from credentials in a URL and certificates. */
static const int settings_logins[] = {SETTINGS_USER, SETTINGS_TOKEN, SETTINGS_CREDS, SETTINGS_NKEY,
                                      SETTINGS_JWT};

static const char *settings_text(const struct settings *s, enum settings_key key)
{
    return s->values[key].text;
}

/* Writes the place that a setting comes from. */
static const char *settings_source(const struct settings *s, enum settings_key key,
                                   char text[SETTINGS_SOURCE_MAX])
{
    const struct settings_value *v = &s->values[key];
    enum settings_key origin = v->origin;
    const char *note = origin == key ? "" : " (a token, because there is no password)";
    if (v->level == SETTINGS_CONTEXT)
        snprintf(text, SETTINGS_SOURCE_MAX, "\"%s\" of context %s", settings_names[key].member,
                 s->context.name);
    else
        snprintf(text, SETTINGS_SOURCE_MAX, "%s%s",
                 v->level == SETTINGS_VARIABLE ? settings_names[origin].variable
                                               : settings_names[origin].option,
                 note);
    return text;
}

static void settings_put(struct settings *s, enum settings_key key, const char *text,
                         enum settings_level level)
{
    if (s->values[key].level == SETTINGS_UNSET && text)
        s->values[key] = (struct settings_value){text, level, key};
}

bool settings_set(struct settings *s, struct nats_conn_config *config, enum settings_key key,
                  const char *text)
{
    const char *option = settings_names[key].option;
    if (key == SETTINGS_URL && !nats_conn_add_servers(config, option, text))
        return false;
    if (!*text && key != SETTINGS_PASSWORD) {
        log_printf("%s: the value is empty", option);
        return false;
    }
    s->values[key] = (struct settings_value){text, SETTINGS_OPTION, key};
    return true;
}

/* Returns NULL also if the variable is empty. */
static const char *settings_variable(const char *name)
{
    const char *value = name ? getenv(name) : NULL;
    return value && *value ? value : NULL;
}

/* A user without a password is a token, as in nats(1); a context states what it is. */
static void settings_read_variables(struct settings *s)
{
    struct settings_value *user = &s->values[SETTINGS_USER];
    for (enum settings_key key = 0; key < SETTINGS_KEYS; key++)
        settings_put(s, key, settings_variable(settings_names[key].variable), SETTINGS_VARIABLE);
    if (user->text && !settings_text(s, SETTINGS_PASSWORD) && !settings_text(s, SETTINGS_TOKEN)) {
        s->values[SETTINGS_TOKEN] = *user;
        *user = (struct settings_value){0};
    }
}

static bool settings_find_context(struct settings *s)
{
    const char *variable = settings_variable("NATS_CONTEXT");
    if (s->context_option)
        return context_find(&s->context, "--context", s->context_option);
    if (s->no_context)
        return true;
    return context_find(&s->context, "NATS_CONTEXT", variable);
}

static bool settings_read_context(struct settings *s)
{
    if (!s->context.name)
        return true;
    size_t count = 0;
    for (enum settings_key key = 0; key < SETTINGS_KEYS; key++)
        if (settings_names[key].member)
            s->members[count++] =
                (struct context_member){settings_names[key].member, settings_names[key].kind, NULL};
    if (!context_read(&s->context, s->members, count))
        return false;
    count = 0;
    for (enum settings_key key = 0; key < SETTINGS_KEYS; key++)
        if (settings_names[key].member)
            settings_put(s, key, s->members[count++].text, SETTINGS_CONTEXT);
    return true;
}

/* Checks */

static bool settings_has_url_login(const struct nats_conn_config *config)
{
    for (size_t i = 0; i < config->server_count; i++)
        if (strchr(config->servers[i], '@'))
            return true;
    return false;
}

static bool settings_check_logins(const struct settings *s, const struct nats_conn_config *config)
{
    char first[SETTINGS_SOURCE_MAX + 16] = "";
    char second[SETTINGS_SOURCE_MAX];
    if (settings_has_url_login(config))
        snprintf(first, sizeof first, "the URL in %s", settings_source(s, SETTINGS_URL, second));
    for (size_t i = 0; i < sizeof settings_logins / sizeof *settings_logins; i++) {
        enum settings_key key = (enum settings_key)settings_logins[i];
        if (!settings_text(s, key))
            continue;
        if (*first) {
            log_printf("%s and %s are two ways to log in; remove one%s", first,
                       settings_source(s, key, second),
                       s->context.name && !s->context_option ? ", or use --no-context" : "");
            return false;
        }
        settings_source(s, key, first);
    }
    return true;
}

/* `key` has no effect without `required`. */
static bool settings_check_required(const struct settings *s, enum settings_key key,
                                    enum settings_key required)
{
    char source[SETTINGS_SOURCE_MAX];
    if (!settings_text(s, key) || settings_text(s, required))
        return true;
    bool in_context = s->values[key].level == SETTINGS_CONTEXT;
    const char *quote = in_context ? "\"" : "";
    const char *name = in_context                        ? settings_names[required].member
                       : settings_names[required].option ? settings_names[required].option
                                                         : settings_names[required].variable;
    log_printf("%s requires %s%s%s", settings_source(s, key, source), quote, name, quote);
    return false;
}

static bool settings_check_certificate(const struct settings *s)
{
    bool has_cert = settings_text(s, SETTINGS_CERT);
    if (has_cert == (settings_text(s, SETTINGS_KEY) != NULL))
        return true;
    if (s->values[has_cert ? SETTINGS_CERT : SETTINGS_KEY].level == SETTINGS_CONTEXT)
        return has_cert ? settings_check_required(s, SETTINGS_CERT, SETTINGS_KEY)
                        : settings_check_required(s, SETTINGS_KEY, SETTINGS_CERT);
    log_printf("--tlscert and --tlskey must be given together; %s is missing",
               has_cert ? "--tlskey" : "--tlscert");
    return false;
}

/* nats.c inserts these into subjects. A prefix may end in a dot. */
static bool settings_check_subject(const struct settings *s, enum settings_key key)
{
    char source[SETTINGS_SOURCE_MAX];
    char text[SETTINGS_PREFIX_MAX + 1];
    const char *value = settings_text(s, key);
    if (!value)
        return true;
    size_t len = strlen(value);
    const char *defect = "it is longer than 128 bytes";
    if (len <= SETTINGS_PREFIX_MAX) {
        memcpy(text, value, len + 1);
        if (len > 1 && key == SETTINGS_JS_API_PREFIX && text[len - 1] == '.')
            text[len - 1] = '\0';
        defect = subject_defect(text);
    }
    if (defect)
        log_printf("%s: '%s': %s", settings_source(s, key, source), value, defect);
    return !defect;
}

/* Of a domain and a prefix, an option overrides what the context has. */
static void settings_drop_overridden(struct settings *s, enum settings_key key,
                                     enum settings_key other)
{
    if (s->values[key].level == SETTINGS_CONTEXT && s->values[other].level == SETTINGS_OPTION)
        s->values[key] = (struct settings_value){0};
}

static bool settings_check_prefixes(const struct settings *s)
{
    char domain[SETTINGS_SOURCE_MAX];
    char prefix[SETTINGS_SOURCE_MAX];
    if (!settings_check_subject(s, SETTINGS_INBOX_PREFIX) ||
        !settings_check_subject(s, SETTINGS_JS_DOMAIN) ||
        !settings_check_subject(s, SETTINGS_JS_API_PREFIX))
        return false;
    if (!settings_text(s, SETTINGS_JS_DOMAIN) || !settings_text(s, SETTINGS_JS_API_PREFIX))
        return true;
    log_printf("%s and %s exclude each other", settings_source(s, SETTINGS_JS_DOMAIN, domain),
               settings_source(s, SETTINGS_JS_API_PREFIX, prefix));
    return false;
}

static bool settings_check_seed(const struct settings *s)
{
    char source[SETTINGS_SOURCE_MAX];
    const char *seed = settings_text(s, SETTINGS_SEED);
    if (!seed || nkey_is_user_seed(seed))
        return true;
    log_printf("%s: the value is not a user seed (SU...)",
               settings_source(s, SETTINGS_SEED, source));
    return false;
}

static bool settings_check(const struct settings *s, const struct nats_conn_config *config)
{
    return settings_check_logins(s, config) &&
           settings_check_required(s, SETTINGS_PASSWORD, SETTINGS_USER) &&
           settings_check_required(s, SETTINGS_SEED, SETTINGS_JWT) && settings_check_seed(s) &&
           settings_check_certificate(s) && settings_check_prefixes(s);
}

static bool settings_add_servers(const struct settings *s, struct nats_conn_config *config)
{
    char source[SETTINGS_SOURCE_MAX] = "";
    const char *url = settings_text(s, SETTINGS_URL);
    if (config->server_count)
        return true;
    if (url)
        settings_source(s, SETTINGS_URL, source);
    return nats_conn_add_servers(config, source, url ? url : settings_default_url);
}

static void settings_fill(const struct settings *s, struct nats_conn_config *config)
{
    config->user = settings_text(s, SETTINGS_USER);
    config->password = settings_text(s, SETTINGS_PASSWORD);
    config->token = settings_text(s, SETTINGS_TOKEN);
    config->creds = settings_text(s, SETTINGS_CREDS);
    config->nkey = settings_text(s, SETTINGS_NKEY);
    config->jwt = settings_text(s, SETTINGS_JWT);
    config->seed = settings_text(s, SETTINGS_SEED);
    config->tlscert = settings_text(s, SETTINGS_CERT);
    config->tlskey = settings_text(s, SETTINGS_KEY);
    config->tlsca = settings_text(s, SETTINGS_CA);
    config->name = settings_text(s, SETTINGS_NAME);
    config->inbox_prefix = settings_text(s, SETTINGS_INBOX_PREFIX);
    config->js_domain = settings_text(s, SETTINGS_JS_DOMAIN);
    config->js_api_prefix = settings_text(s, SETTINGS_JS_API_PREFIX);
}

bool settings_resolve(struct settings *s, struct nats_conn_config *config, bool *is_usage)
{
    *is_usage = true;
    if (s->context_option && s->no_context) {
        log_printf("--context and --no-context exclude each other");
        return false;
    }
    settings_read_variables(s);
    if (!settings_find_context(s))
        return false;
    if (!settings_read_context(s)) {
        *is_usage = false;
        return false;
    }
    settings_drop_overridden(s, SETTINGS_JS_DOMAIN, SETTINGS_JS_API_PREFIX);
    settings_drop_overridden(s, SETTINGS_JS_API_PREFIX, SETTINGS_JS_DOMAIN);
    if (!settings_add_servers(s, config) || !settings_check(s, config))
        return false;
    settings_fill(s, config);
    return true;
}

static bool settings_check_file(const struct settings *s, enum settings_key key)
{
    char source[SETTINGS_SOURCE_MAX];
    const char *path = settings_text(s, key);
    if (!path || access(path, R_OK) == 0)
        return true;
    log_printf("%s: %s: %m", settings_source(s, key, source), path);
    return false;
}

/* The file is read again for each connection. */
static bool settings_check_nkey(const struct settings *s)
{
    char source[SETTINGS_SOURCE_MAX];
    char key[NKEY_PUBLIC_SIZE];
    char error_text[NKEY_ERROR_MAX];
    const char *path = settings_text(s, SETTINGS_NKEY);
    if (!path || nkey_public_key(path, key, error_text))
        return true;
    log_printf("%s: %s", settings_source(s, SETTINGS_NKEY, source), error_text);
    return false;
}

bool settings_check_files(const struct settings *s)
{
    return settings_check_file(s, SETTINGS_CREDS) && settings_check_nkey(s) &&
           settings_check_file(s, SETTINGS_CERT) && settings_check_file(s, SETTINGS_KEY) &&
           settings_check_file(s, SETTINGS_CA);
}

void settings_free(struct settings *s)
{
    for (size_t i = 0; i < SETTINGS_KEYS; i++)
        free(s->members[i].text);
    context_free(&s->context);
}
