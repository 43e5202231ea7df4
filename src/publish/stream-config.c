#include "publish/stream-config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/options.h"
#include "publish/config-file.h"
#include "publish/subject.h"

static const char *const stream_retentions[] = {"limits", "interest", "workqueue", NULL};
static const char *const stream_discards[] = {"old", "new", NULL};
static const char *const stream_storages[] = {"file", "memory", NULL};

enum stream_kind { STREAM_WORD, STREAM_COUNT, STREAM_LIMIT, STREAM_TIME, STREAM_BOOLEAN };

static const struct {
    const char *name; /* in the API of the server */
    enum stream_kind kind;
    const char *const *words;
} stream_settings[STREAM_SETTINGS] = {
    [STREAM_RETENTION] = {"retention", STREAM_WORD, stream_retentions},
    [STREAM_DISCARD] = {"discard", STREAM_WORD, stream_discards},
    [STREAM_STORAGE] = {"storage", STREAM_WORD, stream_storages},
    [STREAM_REPLICAS] = {"num_replicas", STREAM_COUNT, NULL},
    [STREAM_MAX_MSGS] = {"max_msgs", STREAM_LIMIT, NULL},
    [STREAM_MAX_BYTES] = {"max_bytes", STREAM_LIMIT, NULL},
    [STREAM_MAX_AGE] = {"max_age", STREAM_TIME, NULL},
    [STREAM_MAX_MSG_SIZE] = {"max_msg_size", STREAM_LIMIT, NULL},
    [STREAM_MAX_MSGS_PER_SUBJECT] = {"max_msgs_per_subject", STREAM_LIMIT, NULL},
    [STREAM_MAX_CONSUMERS] = {"max_consumers", STREAM_LIMIT, NULL},
    [STREAM_DUPE_WINDOW] = {"duplicate_window", STREAM_TIME, NULL},
    [STREAM_DENY_DELETE] = {"deny_delete", STREAM_BOOLEAN, NULL},
    [STREAM_DENY_PURGE] = {"deny_purge", STREAM_BOOLEAN, NULL},
    [STREAM_ALLOW_ROLLUP] = {"allow_rollup_hdrs", STREAM_BOOLEAN, NULL},
    [STREAM_ALLOW_DIRECT] = {"allow_direct", STREAM_BOOLEAN, NULL},
    [STREAM_MIRROR_DIRECT] = {"mirror_direct", STREAM_BOOLEAN, NULL},
    [STREAM_DISCARD_NEW_PER_SUBJECT] = {"discard_new_per_subject", STREAM_BOOLEAN, NULL},
    [STREAM_NO_ACK] = {"no_ack", STREAM_BOOLEAN, NULL},
    [STREAM_SEALED] = {"sealed", STREAM_BOOLEAN, NULL},
};

static void stream_config_put(struct stream_config *c, enum stream_setting setting, int64_t value)
{
    c->values[setting] = value;
    c->given |= UINT32_C(1) << setting;
}

/* Options */

static bool stream_config_parse(enum stream_setting setting, const char *flag, const char *text,
                                uint64_t *value)
{
    int word = 0;
    switch (setting) {
    case STREAM_REPLICAS:
        return option_count(flag, text, 1, 5, value);
    case STREAM_MAX_AGE:
    case STREAM_DUPE_WINDOW:
        return option_duration(flag, text, 0, INT64_MAX, value);
    case STREAM_MAX_BYTES:
        return option_size(flag, text, 1, INT64_MAX, value);
    case STREAM_MAX_MSG_SIZE:
        return option_size(flag, text, 1, INT32_MAX, value);
    case STREAM_MAX_MSGS:
        return option_count(flag, text, 1, INT64_MAX, value);
    default:
        if (!option_choice(flag, text, stream_settings[setting].words, &word))
            return false;
        *value = (uint64_t)word;
        return true;
    }
}

bool stream_config_set(struct stream_config *c, enum stream_setting setting, const char *flag,
                       const char *text)
{
    uint64_t value;
    if (!stream_config_parse(setting, flag, text, &value))
        return false;
    if (!c->first_option)
        c->first_option = flag;
    stream_config_put(c, setting, (int64_t)value);
    return true;
}

/* Returns what is wrong with the name of a stream, or NULL. nats.c does not escape it. */
static const char *stream_config_name_defect(const char *name)
{
    if (strlen(name) <= STREAM_NAME_MAX && !subject_defect(name) && !strchr(name, '.'))
        return NULL;
    return "1 to 255 bytes without white space, '.', '*' and '>'";
}

bool stream_config_set_name(struct stream_config *c, const char *text)
{
    const char *defect = stream_config_name_defect(text);
    c->name = text;
    if (defect)
        log_printf("--stream: '%s' is not a stream name: %s", text, defect);
    return !defect;
}

/* Lists of texts, which they own */

static void stream_list_append(struct stream_list *l, char *text)
{
    size_t capacity = l->count;
    l->texts = array_grow(l->texts, &capacity, l->count, sizeof *l->texts);
    l->texts[l->count++] = text;
}

static void stream_list_free(struct stream_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->texts[i]);
    free(l->texts);
    *l = (struct stream_list){0};
}

static bool stream_list_has(const struct stream_list *l, const char *text)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->texts[i], text) == 0)
            return true;
    return false;
}

static bool stream_list_equal(const struct stream_list *a, const struct stream_list *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!stream_list_has(b, a->texts[i]))
            return false;
    return a->count == b->count;
}

static void stream_list_format(const struct stream_list *l, char *text, size_t size)
{
    size_t len = 0;
    *text = '\0';
    for (size_t i = 0; i < l->count && len < size - 1; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s", i ? "," : "", l->texts[i]);
}

bool stream_config_set_subjects(struct stream_config *c, const char *flag, const char *list)
{
    stream_list_free(&c->subjects);
    while (*list) {
        size_t len = strcspn(list, ",");
        char *subject = strndup(list, len);
        if (!subject || strcspn(subject, " \t\r\n\"\\") != len || len == 0) {
            log_printf("%s: '%s' is not a subject", flag, subject ? subject : "");
            free(subject);
            return false;
        }
        stream_list_append(&c->subjects, subject);
        list += len + (list[len] == ',');
    }
    if (!c->subjects.count)
        log_printf("%s: the list of subjects is empty", flag);
    return c->subjects.count != 0;
}

/* Exits if memory runs out: a stream with fewer subjects would be another one. */
static char *stream_config_copy(const char *text)
{
    struct buffer b = {0};
    buffer_append(&b, (struct slice){text, strlen(text) + 1});
    return b.data;
}

void stream_config_add_subject(struct stream_config *c, const char *subject)
{
    if (!stream_list_has(&c->subjects, subject))
        stream_list_append(&c->subjects, stream_config_copy(subject));
}

void stream_config_set_default_subjects(struct stream_config *c, const char *const *subjects,
                                        size_t count)
{
    if (c->subjects.count)
        return;
    c->default_subjects = true;
    for (size_t i = 0; i < count; i++)
        stream_config_add_subject(c, subjects[i]);
}

void stream_config_add_tag(struct stream_config *c, const char *tag)
{
    stream_list_append(&c->tags, stream_config_copy(tag));
}

/* Files */

static bool stream_config_read_value(struct stream_config *c, const struct config_file *f,
                                     enum stream_setting setting, struct slice value)
{
    const char *name = stream_settings[setting].name;
    const char *const *words = stream_settings[setting].words;
    enum json_kind kind = json_get_kind(value);
    char text[24];
    char *end;
    if (value.len < sizeof text) {
        snprintf(text, sizeof text, "%.*s", (int)value.len, value.data);
        for (int i = 0; words && words[i]; i++)
            if (kind == JSON_STRING && strcmp(words[i], text) == 0)
                return stream_config_put(c, setting, i), true;
        if (stream_settings[setting].kind == STREAM_BOOLEAN && kind == JSON_BOOLEAN)
            return stream_config_put(c, setting, *text == 't'), true;
        int64_t number = strtoll(text, &end, 10);
        if (kind == JSON_NUMBER && !words && stream_settings[setting].kind != STREAM_BOOLEAN &&
            !*end)
            return stream_config_put(c, setting, number), true;
    }
    return config_file_report(f, config_file_at(value), "\"%s\": the value is invalid", name);
}

static bool stream_config_read_list(const struct config_file *f, const char *name,
                                    struct slice array, struct stream_list *l)
{
    struct json_walk w;
    struct slice none;
    struct slice value;
    bool valid = true;
    if (json_get_kind(array) != JSON_ARRAY)
        return config_file_report(f, array.data, "\"%s\" is not an array", name);
    stream_list_free(l);
    json_walk_begin(&w, array);
    while (valid && json_walk_next(&w, &none, &value)) {
        char *text = NULL;
        valid = config_file_get_text(f, name, value, &text);
        if (valid)
            stream_list_append(l, text);
    }
    json_walk_free(&w);
    return valid;
}

static bool stream_config_read_text(const struct config_file *f, const char *name,
                                    struct slice value, char **to)
{
    free(*to);
    *to = NULL;
    return config_file_get_text(f, name, value, to);
}

static bool stream_config_is(struct slice name, const char *text)
{
    return slice_equal(name, (struct slice){text, strlen(text)});
}

static bool stream_config_refuse(const struct config_file *f, struct slice name)
{
    return config_file_report(f, name.data - 1, "\"%.*s\" is not supported", (int)name.len,
                              name.data);
}

static bool stream_config_read_placement(struct stream_config *c, const struct config_file *f,
                                         struct slice object)
{
    struct json_walk w;
    struct slice name;
    struct slice value;
    bool valid = true;
    if (json_get_kind(object) != JSON_OBJECT)
        return config_file_report(f, object.data, "\"placement\" is not an object");
    json_walk_begin(&w, object);
    while (valid && json_walk_next(&w, &name, &value)) {
        if (config_file_is_zero(value))
            continue;
        valid = stream_config_is(name, "cluster")
                    ? stream_config_read_text(f, "cluster", value, &c->cluster)
                : stream_config_is(name, "tags")
                    ? stream_config_read_list(f, "tags", value, &c->tags)
                    : stream_config_refuse(f, name);
    }
    json_walk_free(&w);
    return valid;
}

/* Members that newer servers add. */
static bool stream_config_is_server_metadata(struct slice object)
{
    struct json_walk w;
    struct slice name;
    struct slice value;
    bool all = json_get_kind(object) == JSON_OBJECT;
    json_walk_begin(&w, object);
    while (all && json_walk_next(&w, &name, &value))
        all = name.len >= 6 && memcmp(name.data, "_nats.", 6) == 0;
    json_walk_free(&w);
    return all;
}

static bool stream_config_read_member(struct stream_config *c, const struct config_file *f,
                                      struct slice name, struct slice value)
{
    if (stream_config_is(name, "name"))
        return stream_config_read_text(f, "name", value, &c->file_name);
    if (stream_config_is(name, "description"))
        return stream_config_read_text(f, "description", value, &c->description);
    if (stream_config_is(name, "subjects"))
        return stream_config_read_list(f, "subjects", value, &c->subjects);
    for (enum stream_setting i = 0; i < STREAM_SETTINGS; i++)
        if (stream_config_is(name, stream_settings[i].name))
            return stream_config_read_value(c, f, i, value);
    if (config_file_is_zero(value) ||
        (stream_config_is(name, "compression") && stream_config_is(value, "none")) ||
        (stream_config_is(name, "metadata") && stream_config_is_server_metadata(value)))
        return true;
    if (stream_config_is(name, "placement"))
        return stream_config_read_placement(c, f, value);
    return stream_config_refuse(f, name);
}

/* Returns the member "config" of the object, or the object. */
static struct slice stream_config_find(struct slice object)
{
    struct json_walk w;
    struct slice name;
    struct slice value;
    struct slice found = object;
    json_walk_begin(&w, object);
    while (json_walk_next(&w, &name, &value))
        if (stream_config_is(name, "config") && json_get_kind(value) == JSON_OBJECT)
            found = value;
    json_walk_free(&w);
    return found;
}

static bool stream_config_check_file(const struct stream_config *c, const struct config_file *f)
{
    if (!c->file_name)
        return config_file_report(f, f->text.data, "\"name\" is missing");
    if (stream_config_name_defect(c->file_name))
        return config_file_report(f, f->text.data, "\"name\": '%s' is not a stream name",
                                  c->file_name);
    if (c->name && strcmp(c->name, c->file_name) != 0)
        return config_file_report(f, f->text.data, "\"name\" is '%s', but --stream is '%s'",
                                  c->file_name, c->name);
    if (c->values[STREAM_NO_ACK] || c->values[STREAM_SEALED])
        return config_file_report(f, f->text.data, "\"%s\": such a stream cannot be published to",
                                  c->values[STREAM_NO_ACK] ? "no_ack" : "sealed");
    return true;
}

bool stream_config_read(struct stream_config *c, const char *path)
{
    struct config_file f;
    struct json_walk w;
    struct slice name;
    struct slice value;
    bool valid = true;
    if (!config_file_read(&f, "--stream-config", path))
        return false;
    json_walk_begin(&w, stream_config_find(f.text));
    while (valid && json_walk_next(&w, &name, &value))
        valid = stream_config_read_member(c, &f, name, value);
    json_walk_free(&w);
    valid = valid && stream_config_check_file(c, &f);
    config_file_free(&f);
    c->name = c->file_name;
    c->create = true;
    return valid;
}

/* Comparison */

static int64_t stream_config_normal(enum stream_setting setting, int64_t value)
{
    if (stream_settings[setting].kind == STREAM_LIMIT && value <= 0)
        return -1;
    return setting == STREAM_REPLICAS && value == 0 ? 1 : value;
}

static void stream_config_format_time(char text[32], int64_t ns)
{
    static const struct {
        const char *suffix;
        int64_t ns;
    } units[] = {{"d", 86400 * (int64_t)NS_PER_S},
                 {"h", 3600 * (int64_t)NS_PER_S},
                 {"m", 60 * (int64_t)NS_PER_S},
                 {"s", (int64_t)NS_PER_S},
                 {"ms", 1000000},
                 {"ns", 1}};
    size_t i = 0;
    while (ns % units[i].ns != 0)
        i++;
    snprintf(text, 32, "%" PRId64 "%s", ns / units[i].ns, units[i].suffix);
}

static void stream_config_format(char text[32], enum stream_setting setting, int64_t value)
{
    switch (stream_settings[setting].kind) {
    case STREAM_WORD:
        snprintf(text, 32, "%s", stream_settings[setting].words[value]);
        break;
    case STREAM_BOOLEAN:
        snprintf(text, 32, "%s", value ? "true" : "false");
        break;
    case STREAM_TIME:
        stream_config_format_time(text, value);
        if (value == 0)
            snprintf(text, 32, "unlimited");
        break;
    default:
        snprintf(text, 32, "%" PRId64, value);
        if (value < 0)
            snprintf(text, 32, "unlimited");
    }
}

static void stream_config_add_difference(char *text, size_t size, const char *name,
                                         const char *existing, const char *expected)
{
    size_t len = strlen(text);
    snprintf(text + len, size - len, "%s%s is %s instead of %s", len ? ", " : "", name, existing,
             expected);
}

static void stream_config_compare_lists(const char *name, const struct stream_list *expected,
                                        const struct stream_list *existing, char *text, size_t size)
{
    char before[128];
    char after[128];
    if (!expected->count || stream_list_equal(expected, existing))
        return;
    stream_list_format(existing, before, sizeof before);
    stream_list_format(expected, after, sizeof after);
    stream_config_add_difference(text, size, name, before, after);
}

void stream_config_compare(const struct stream_config *expected,
                           const struct stream_config *existing, char *text, size_t size)
{
    char before[32];
    char after[32];
    *text = '\0';
    if (!expected->default_subjects)
        stream_config_compare_lists("subjects", &expected->subjects, &existing->subjects, text,
                                    size);
    for (enum stream_setting i = 0; i < STREAM_SETTINGS; i++) {
        int64_t old = stream_config_normal(i, existing->values[i]);
        int64_t new = stream_config_normal(i, expected->values[i]);
        bool is_default = i == STREAM_DUPE_WINDOW && new == 0;
        if (!(expected->given >> i & 1) || old == new || is_default)
            continue;
        stream_config_format(before, i, old);
        stream_config_format(after, i, new);
        stream_config_add_difference(text, size, stream_settings[i].name, before, after);
    }
    if (expected->cluster &&
        strcmp(expected->cluster, existing->cluster ? existing->cluster : "") != 0)
        stream_config_add_difference(text, size, "cluster",
                                     existing->cluster ? existing->cluster : "any",
                                     expected->cluster);
    stream_config_compare_lists("tags", &expected->tags, &existing->tags, text, size);
}

void stream_config_free(struct stream_config *c)
{
    stream_list_free(&c->subjects);
    stream_list_free(&c->tags);
    free(c->description);
    free(c->cluster);
    free(c->file_name);
    *c = (struct stream_config){0};
}
