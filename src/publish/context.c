#include "publish/context.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/log.h"
#include "publish/config-file.h"

enum { CONTEXT_NAME_MAX = 256 };

/* Members without effect on a publisher. */
static const char *const context_ignored[] = {"name", "description", "color_scheme",
                                              "jetstream_event_prefix", NULL};

static const struct {
    const char *name;
    const char *reason;
} context_refused[] = {
    {"socks_proxy", "SOCKS proxies are not supported"},
    {"tls_first", "a TLS handshake before the INFO of the server is not supported"},
    {"nsc", "nsc is not supported; export the credentials to a file for \"creds\""},
    {"windows_cert_store", "the certificate store of Windows is not available"},
    {"windows_cert_match", "the certificate store of Windows is not available"},
    {"windows_cert_match_by", NULL},
    {"windows_ca_certs_match", "the certificate store of Windows is not available"},
};

/* Schemes of other resolvers of nats(1). */
static const char *const context_schemes[] = {"nsc://", "op://", "env://", "data:", NULL};

static const char *context_home(void)
{
    const char *home = getenv("HOME");
    if (home && *home)
        return home;
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_dir : NULL;
}

/* Returns the path of a file of nats(1) below the user's configuration, which the caller frees. */
static char *context_config_path(const char *format, const char *name)
{
    char *file = NULL;
    char *path = NULL;
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = context_home();
    if (asprintf(&file, format, name) < 0)
        return NULL;
    int n = config && *config ? asprintf(&path, "%s/nats/%s", config, file)
            : home            ? asprintf(&path, "%s/.config/nats/%s", home, file)
                              : -1;
    free(file);
    return n < 0 ? NULL : path;
}

/* Writes the name that is selected to `name`, or nothing. */
static void context_get_selected(char name[CONTEXT_NAME_MAX])
{
    char *path = context_config_path("context.txt%s", "");
    FILE *file = path ? fopen(path, "re") : NULL;
    name[0] = '\0';
    bool failed = path && !file && errno != ENOENT && errno != ENOTDIR;
    if (file) {
        size_t len = fread(name, 1, CONTEXT_NAME_MAX - 1, file);
        failed = ferror(file);
        while (len && strchr(" \t\r\n", name[len - 1]))
            len--;
        name[len] = '\0';
    }
    if (failed)
        log_warning("%s: %m; no context is used", path);
    if (file)
        fclose(file);
    free(path);
}

static bool context_ends_in_json(const char *text)
{
    size_t len = strlen(text);
    return len > 5 && strcmp(text + len - 5, ".json") == 0;
}

bool context_find(struct context *c, const char *source, const char *name)
{
    char selected[CONTEXT_NAME_MAX];
    *c = (struct context){0};
    if (!name) {
        context_get_selected(selected);
        if (!*selected)
            return true;
        name = selected;
        source = "context.txt";
    }
    bool is_path = name != selected && context_ends_in_json(name);
    if (!is_path && (!*name || strcmp(name, ".") == 0 || strchr(name, '/') || strstr(name, ".."))) {
        log_printf("%s: '%s' is not the name of a context, or a path that ends in .json", source,
                   name);
        return false;
    }
    c->name = strdup(name);
    c->path = is_path ? strdup(name) : context_config_path("context/%s.json", name);
    if (!c->name || !c->path)
        log_printf("%s: %s: out of memory, or no home directory", source, name);
    return c->name && c->path;
}

/* Values */

/* Appends the value of the variable at p, after its '$', and returns the end of its name. */
static const char *context_expand_variable(const char *p, struct buffer *b, const char **missing)
{
    static const char letters[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char letters_digits[] =
        "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    char name[CONTEXT_NAME_MAX];
    const char *start = *p == '{' ? p + 1 : p;
    size_t len = strchr(letters, *start) ? strspn(start, letters_digits) : 0;
    bool closed = start == p || start[len] == '}';
    if (len == 0 || !*start || len >= sizeof name || !closed) {
        buffer_puts(b, "$");
        return p;
    }
    snprintf(name, sizeof name, "%.*s", (int)len, start);
    const char *value = getenv(name);
    if (value)
        buffer_puts(b, value);
    else
        *missing = start;
    return start + len + (start != p);
}

/* Replaces variables and a leading ~, as nats(1) does. Returns false if a variable is not set. */
static bool context_expand(char **text, const char **missing)
{
    struct buffer b = {0};
    const char *home = context_home();
    const char *p = *text;
    *missing = NULL;
    if (home && *p == '~' && (p[1] == '/' || p[1] == '\0')) {
        buffer_puts(&b, home);
        p++;
    }
    while (*p && !*missing) {
        if (*p == '$')
            p = context_expand_variable(p + 1, &b, missing);
        else
            buffer_append(&b, (struct slice){p++, 1});
    }
    if (*missing) {
        buffer_free(&b);
        return false;
    }
    *buffer_reserve(&b, 1) = '\0';
    free(*text);
    *text = b.data;
    return true;
}

/* Replaces env://VARIABLE with its value. */
static bool context_resolve_secret(const struct config_file *f, struct slice value,
                                   struct context_member *m)
{
    if (strncmp(m->text, "env://", 6) != 0)
        return true;
    const char *variable = getenv(m->text + 6);
    if (!variable || !*variable)
        return config_file_report(f, config_file_at(value), "\"%s\": the variable %s is not set",
                                  m->name, m->text + 6);
    free(m->text);
    m->text = strdup(variable);
    return m->text || config_file_report(f, config_file_at(value), "out of memory");
}

static bool context_check_scheme(const struct config_file *f, struct slice value,
                                 const struct context_member *m)
{
    for (size_t i = 0; context_schemes[i]; i++)
        if (m->kind != CONTEXT_TEXT &&
            strncasecmp(m->text, context_schemes[i], strlen(context_schemes[i])) == 0)
            return config_file_report(
                f, config_file_at(value), "\"%s\": %s is not supported; use %s", m->name,
                context_schemes[i],
                m->kind == CONTEXT_PATH ? "a file" : "the value, or env://VARIABLE");
    return true;
}

static bool context_resolve_path(const struct config_file *f, struct slice value,
                                 struct context_member *m)
{
    const char *missing;
    if (strncmp(m->text, "file://", 7) == 0)
        memmove(m->text, m->text + 7, strlen(m->text + 7) + 1);
    if (context_expand(&m->text, &missing))
        return true;
    return config_file_report(f, config_file_at(value), "\"%s\": a variable in '%s' is not set",
                              m->name, m->text);
}

/* Members */

static bool context_read_member(const struct config_file *f, struct slice value,
                                struct context_member *m)
{
    free(m->text);
    m->text = NULL;
    if (json_get_kind(value) == JSON_NULL)
        return true;
    if (!config_file_get_text(f, m->name, value, &m->text))
        return false;
    if (!*m->text) {
        free(m->text);
        m->text = NULL;
        return true;
    }
    if (m->kind == CONTEXT_SECRET && !context_resolve_secret(f, value, m))
        return false;
    if (!context_check_scheme(f, value, m))
        return false;
    return m->kind != CONTEXT_PATH || context_resolve_path(f, value, m);
}

static bool context_is_name(struct slice name, const char *text)
{
    return name.len == strlen(text) && strncasecmp(name.data, text, name.len) == 0;
}

/* A member that the caller does not read. */
static bool context_check_other(const struct config_file *f, struct slice name, struct slice value)
{
    if (config_file_is_zero(value))
        return true;
    for (size_t i = 0; context_ignored[i]; i++)
        if (context_is_name(name, context_ignored[i]))
            return true;
    for (size_t i = 0; i < sizeof context_refused / sizeof *context_refused; i++)
        if (context_is_name(name, context_refused[i].name))
            return !context_refused[i].reason ||
                   config_file_report(f, config_file_at(value), "\"%s\": %s",
                                      context_refused[i].name, context_refused[i].reason);
    config_file_report(f, name.data - 1, "unknown key \"%.*s\"; ignored", (int)name.len, name.data);
    return true;
}

/* Names are those of any case, and the last one counts, as in Go. */
static bool context_read_members(const struct config_file *f, struct context_member *members,
                                 size_t count)
{
    struct json_walk w;
    struct slice name;
    struct slice value;
    bool valid = true;
    json_walk_begin(&w, f->text);
    while (valid && json_walk_next(&w, &name, &value)) {
        size_t i = 0;
        while (i < count && !context_is_name(name, members[i].name))
            i++;
        valid = i < count ? context_read_member(f, value, &members[i])
                          : context_check_other(f, name, value);
    }
    json_walk_free(&w);
    return valid;
}

bool context_read(const struct context *c, struct context_member *members, size_t count)
{
    char what[CONTEXT_NAME_MAX];
    struct config_file f;
    snprintf(what, sizeof what, "context%s%s", context_ends_in_json(c->name) ? "" : " ",
             context_ends_in_json(c->name) ? "" : c->name);
    if (!config_file_read(&f, what, c->path))
        return false;
    bool valid = context_read_members(&f, members, count);
    config_file_free(&f);
    return valid;
}

void context_free(struct context *c)
{
    free(c->name);
    free(c->path);
    *c = (struct context){0};
}
