#include "load/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/defect.h"
#include "base/log.h"
#include "base/options.h"
#include "load/mixed.h"
#include "load/split.h"
#include "syslog/rfc5424.h"

bool profile_parse_fresh(struct message_config *c, const char *text)
{
    static const char *const names[] = {"time", "host", "counter", NULL};
    char list[64];
    char *rest = list;
    char *name;
    if (snprintf(list, sizeof list, "%s", text) >= (int)sizeof list)
        *list = '\0';
    while ((name = strsep(&rest, ","))) {
        int index;
        if (!option_choice("--fresh", name, names, &index))
            return false;
        c->fresh |= 1U << index;
    }
    return true;
}

/* The fields of the line, except those that options set or --fresh replaces. */
static struct message_config profile_line_config(struct template_set *set,
                                                 const struct message_config *c,
                                                 const struct syslog_message *m,
                                                 const struct message_parts *parts)
{
    static const unsigned bits[] = {MESSAGE_FIELD_TIMESTAMP, MESSAGE_FIELD_HOSTNAME,
                                    MESSAGE_FIELD_APPNAME, MESSAGE_FIELD_PROCID,
                                    MESSAGE_FIELD_MSGID};
    struct message_config line = *c;
    unsigned replaced = message_config_replaced_fields(c);
    const char **const values[] = {&line.timestamp, &line.hostname, &line.appname, &line.procid,
                                   &line.msgid};
    for (int i = 0; i < 5; i++)
        if (!(replaced & bits[i]))
            *values[i] = template_set_copy(set, parts->fields[i]);
    if (!(replaced & MESSAGE_FIELD_PRI))
        line.pri = m->pri;
    if (!(replaced & MESSAGE_FIELD_SD))
        line.sd = template_set_copy(set, slice_between(parts->sd, parts->sd_end));
    if (!(replaced & MESSAGE_FIELD_TEXT) && parts->sd_end == parts->end)
        line.text = NULL;
    else if (!(replaced & MESSAGE_FIELD_TEXT))
        line.text = template_set_copy(set, slice_between(parts->sd_end + 1, parts->end));
    return line;
}

/* Otherwise lines are sent unchanged and may have any content. */
static bool profile_needs_parsing(const struct message_config *c)
{
    return c->fresh || c->given_fields || c->checksum || c->require_rfc5424;
}

static bool profile_add_line(struct template_set *set, const struct message_config *c,
                             struct slice line, uint64_t number, struct syslog_message *m)
{
    struct defect defect = {0};
    struct template *t = template_set_add(set);
    if (!profile_needs_parsing(c)) {
        template_init_line(t, line);
        return true;
    }
    *t = (struct template){0};
    if (!rfc5424_parse(line, m, &defect)) {
        log_printf("%s:%" PRIu64 ": %s: %s", c->profile, number, defect.field, defect.reason);
        return false;
    }
    if (memchr(line.data, '\0', line.len)) {
        log_printf("%s:%" PRIu64 ": a line with a NUL can only be replayed unchanged", c->profile,
                   number);
        return false;
    }
    struct message_parts parts = split_message(line);
    struct message_config line_config = profile_line_config(set, c, m, &parts);
    template_init(t, &line_config);
    return true;
}

static bool profile_read_lines(struct template_set *set, const struct message_config *c, FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    bool good = true;
    struct syslog_message m = {0};
    for (uint64_t number = 1; good && (len = getline(&line, &capacity, file)) > 0; number++) {
        if (line[len - 1] == '\n')
            line[--len] = '\0';
        if (len)
            good = profile_add_line(set, c, (struct slice){line, (size_t)len}, number, &m);
    }
    if (good && ferror(file)) {
        log_printf("%s: %m", c->profile);
        good = false;
    } else if (good && set->count == 0) {
        log_printf("%s: the file contains no messages", c->profile);
        good = false;
    }
    syslog_message_free(&m);
    free(line);
    return good;
}

bool profile_load(struct template_set *set, const struct message_config *c, bool *random_order)
{
    *random_order = strcmp(c->profile, PROFILE_MIXED) == 0;
    if (*random_order)
        return mixed_generate(set, c);
    FILE *file = fopen(c->profile, "re");
    if (!file) {
        log_printf("--profile: %s: %m", c->profile);
        return false;
    }
    bool good = profile_read_lines(set, c, file);
    fclose(file);
    return good;
}
