#include "load/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/defect.h"
#include "base/exit-status.h"
#include "base/log.h"
#include "base/options.h"
#include "load/split.h"
#include "syslog/rfc5424.h"

struct kept {
    struct kept *next;
    char text[];
};

struct body *bodies_add(struct bodies *b)
{
    b->all = array_grow(b->all, &b->room, b->count, sizeof *b->all);
    return &b->all[b->count++];
}

const char *bodies_keep(struct bodies *b, struct slice text)
{
    struct kept *kept = malloc(sizeof *kept + text.len + 1);
    if (!kept) {
        log_printf("out of memory");
        exit(STATUS_FAILED);
    }
    if (text.len)
        memcpy(kept->text, text.data, text.len);
    kept->text[text.len] = '\0';
    kept->next = b->kept;
    b->kept = kept;
    return kept->text;
}

void kept_free(struct kept *kept)
{
    while (kept) {
        struct kept *next = kept->next;
        free(kept);
        kept = next;
    }
}

bool profile_fresh(struct message_config *c, const char *text)
{
    static const char *const parts[] = {"time", "host", "counter", NULL};
    char list[64];
    char *rest = list;
    char *part;
    if (snprintf(list, sizeof list, "%s", text) >= (int)sizeof list)
        *list = '\0';
    while ((part = strsep(&rest, ","))) {
        int choice;
        if (!option_choice("--fresh", part, parts, &choice))
            return false;
        c->fresh |= 1U << choice;
    }
    return true;
}

/* The config for a line whose fields are its own but where they are given or to be made anew. */
static struct message_config config_of(struct bodies *b, const struct message_config *c,
                                       const struct syslog_message *m, const struct parts *p)
{
    static const unsigned bits[] = {FIELD_TIMESTAMP, FIELD_HOSTNAME, FIELD_APPNAME, FIELD_PROCID,
                                    FIELD_MSGID};
    struct message_config line = *c;
    unsigned anew = c->given | (c->fresh & FRESH_TIME ? FIELD_TIMESTAMP : 0) |
                    (c->fresh & FRESH_HOST ? FIELD_HOSTNAME : 0) |
                    (c->fresh & FRESH_COUNTER ? FIELD_MSGID : 0);
    const char **const values[] = {&line.timestamp, &line.hostname, &line.appname, &line.procid,
                                   &line.msgid};
    for (int i = 0; i < 5; i++)
        if (!(anew & bits[i]))
            *values[i] = bodies_keep(b, p->fields[i]);
    if (!(anew & FIELD_PRI))
        line.pri = m->pri;
    if (!(anew & FIELD_SD))
        line.sd = bodies_keep(b, slice_between(p->sd, p->sd_end));
    if (!(anew & FIELD_TEXT) && p->sd_end == p->end)
        line.text = NULL;
    else if (!(anew & FIELD_TEXT))
        line.text = bodies_keep(b, slice_between(p->sd_end + 1, p->end));
    return line;
}

/* Whether lines have to be understood, and do not just go out as they are. */
static bool taken_apart(const struct message_config *c)
{
    return c->fresh || c->given || c->checksum || c->strict;
}

static bool add_line(struct bodies *b, const struct message_config *c, struct slice line,
                     uint64_t number, struct syslog_message *m)
{
    struct defect defect = {0};
    struct body *body = bodies_add(b);
    if (!taken_apart(c)) {
        body_start_line(body, line);
        return true;
    }
    *body = (struct body){0};
    if (!rfc5424_parse(line, m, &defect)) {
        log_printf("%s:%" PRIu64 ": %s: %s", c->profile, number, defect.field, defect.reason);
        return false;
    }
    if (memchr(line.data, '\0', line.len)) {
        log_printf("%s:%" PRIu64 ": it has a NUL, and can only go out as it is", c->profile,
                   number);
        return false;
    }
    struct parts parts = parts_of(line);
    struct message_config own = config_of(b, c, m, &parts);
    body_start(body, &own);
    return true;
}

static bool read_lines(struct bodies *b, const struct message_config *c, FILE *file)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    bool good = true;
    struct syslog_message m = {0};
    for (uint64_t number = 1; good && (length = getline(&line, &room, file)) > 0; number++) {
        if (line[length - 1] == '\n')
            line[--length] = '\0';
        if (length)
            good = add_line(b, c, (struct slice){line, (size_t)length}, number, &m);
    }
    if (good && ferror(file)) {
        log_printf("%s: %m", c->profile);
        good = false;
    } else if (good && b->count == 0) {
        log_printf("%s: there is no line in it", c->profile);
        good = false;
    }
    syslog_message_free(&m);
    free(line);
    return good;
}

bool profile_bodies(struct bodies *b, const struct message_config *c, bool *by_chance)
{
    *by_chance = strcmp(c->profile, PROFILE_MIXED) == 0;
    if (*by_chance)
        return mixed_bodies(b, c);
    FILE *file = fopen(c->profile, "re");
    if (!file) {
        log_printf("--profile: %s: %m", c->profile);
        return false;
    }
    bool good = read_lines(b, c, file);
    fclose(file);
    return good;
}
