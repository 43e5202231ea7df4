#ifndef SHNEK_PUBLISH_STREAM_CONFIG_H
#define SHNEK_PUBLISH_STREAM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Settings of a stream that are numbers, words or booleans. */
enum stream_setting {
    STREAM_RETENTION, /* limits, interest, workqueue */
    STREAM_DISCARD,   /* old, new */
    STREAM_STORAGE,   /* file, memory */
    STREAM_REPLICAS,
    STREAM_MAX_MSGS, /* for this and the other limits 0 and -1 are unlimited */
    STREAM_MAX_BYTES,
    STREAM_MAX_AGE, /* ns */
    STREAM_MAX_MSG_SIZE,
    STREAM_MAX_MSGS_PER_SUBJECT,
    STREAM_MAX_CONSUMERS,
    STREAM_DUPE_WINDOW, /* ns; 0 is the default of the server */
    STREAM_DENY_DELETE,
    STREAM_DENY_PURGE,
    STREAM_ALLOW_ROLLUP,
    STREAM_ALLOW_DIRECT,
    STREAM_MIRROR_DIRECT,
    STREAM_DISCARD_NEW_PER_SUBJECT,
    STREAM_NO_ACK, /* the stream acknowledges nothing */
    STREAM_SEALED,
    STREAM_SETTINGS
};

struct stream_list {
    char **texts; /* owned */
    size_t count;
};

/* A stream that the user describes, or that exists. All zero is the default of the server. */
struct stream_config {
    const char *name; /* NULL: whichever stream has the subject */
    bool create;      /* if it does not exist */
    struct stream_list subjects;
    bool default_subjects;
    int64_t values[STREAM_SETTINGS];
    uint32_t given; /* a bit for each setting that is not the default */
    char *description;
    char *cluster; /* the placement */
    struct stream_list tags;
    char *file_name;          /* owns `name` if that is from a file */
    const char *file;         /* --stream-config, or NULL */
    const char *first_option; /* that requires `create`, or NULL */
    uint64_t timeout_ns;      /* for one API request */
};

/* The longest name of nats-server, in bytes. */
enum { STREAM_NAME_MAX = 255 };

/* Sets a setting from the option `flag`. Returns false and logs the reason if it is invalid. */
bool stream_config_set(struct stream_config *c, enum stream_setting setting, const char *flag,
                       const char *text);

/* Sets the name from --stream. Returns false and logs the reason if it is invalid. */
bool stream_config_set_name(struct stream_config *c, const char *text);

/* Replaces the subjects by those of a list, which are separated by commas. Returns false and logs
 * the reason if one is invalid. */
bool stream_config_set_subjects(struct stream_config *c, const char *flag, const char *list);

/* Adds a subject unless the list has it. */
void stream_config_add_subject(struct stream_config *c, const char *subject);

/*
 * Sets the subjects of a stream that is created if the user has named none: those that the program
 * publishes to, which may contain wildcards. They are not compared with an existing stream.
 */
void stream_config_set_default_subjects(struct stream_config *c, const char *const *subjects,
                                        size_t count);

/* The same for tags of the placement. */
void stream_config_add_tag(struct stream_config *c, const char *tag);

/*
 * Reads the JSON of "nats stream info --json": the whole, or its member "config". Returns false and
 * logs the reason if it is invalid, or has a setting that nats.c does not have.
 */
bool stream_config_read(struct stream_config *c, const char *path);

/* Writes how the existing stream differs from the expected one, as "replicas is 1 instead of 3,
 * ...", or nothing. */
void stream_config_compare(const struct stream_config *expected,
                           const struct stream_config *existing, char *text, size_t size);

void stream_config_free(struct stream_config *c);

#endif
