#ifndef SHNEK_JSON_SCHEMA_H
#define SHNEK_JSON_SCHEMA_H

#include "base/buffer.h"
#include "json/record.h"
#include "syslog/message.h"
#include "syslog/timestamp.h"

enum schema {
    SCHEMA_SHNEK,
    SCHEMA_ECS, /* Elastic Common Schema */
    SCHEMA_OTLP /* OpenTelemetry Protocol, JSON encoding */
};

/* The contents of records. */
struct schema_config {
    enum schema schema;
    uint32_t members; /* a bit for each of schema_members(); 0 for all */
    bool severity_number;
    bool meta;
    bool raw;
};

/* Members that depend on the severity or on the facility only; at most SCHEMA_TEXT_SIZE bytes. */
enum { SCHEMA_TEXT_SIZE = 96 };
struct schema_text {
    char bytes[SCHEMA_TEXT_SIZE];
    size_t len;
};

/* The second of the last TIMESTAMP: its text, and that of the seconds since 1970. */
struct schema_second {
    char head[20];      /* up to the fraction */
    uint64_t tail;      /* 'Z' or the offset, as a word */
    uint64_t tail_mask; /* of its bytes; 0 if nothing is remembered */
    char seconds[16];
    size_t seconds_len;
};

struct schema_writer;

/* Writes a record. Returns the end. `to` needs SCHEMA_CAPACITY of schema-text.h. */
typedef char *(*schema_write_function)(struct schema_writer *w, char *to,
                                       const struct syslog_message *m, struct slice raw);

/* State of one thread. */
struct schema_writer {
    schema_write_function write; /* NULL for record_write() */
    const struct schema_config *config;
    bool has_extras; /* members that are added to those of the schema */
    struct schema_text severity[8];
    struct schema_text facility[24];
    char received[TIMESTAMP_MAX];
    size_t received_len;
    char observed[48]; /* a member with the same time in OTLP */
    size_t observed_len;
    char pri[192][4];                   /* decimal digits */
    struct buffer meta;                 /* members that --meta adds */
    struct timestamp_writer clock;      /* of `received` */
    struct timestamp_reader timestamps; /* of the messages */
    struct schema_second second;
};

/* Returns the members that can be selected, a NULL-terminated list in the order of their bits. */
const char *const *schema_members(enum schema schema);

/* Sets the bits of a list of members separated by commas. Returns false and sets `unknown` if one
 * is not a member. */
bool schema_parse_members(enum schema schema, const char *list, uint32_t *members,
                          struct slice *unknown);

/* Whether records are those of record_write(). */
bool schema_is_plain(const struct schema_config *config);

/* Whether records contain the time of arrival. */
bool schema_needs_time(const struct schema_config *config);

/* The configuration must outlive the writer. */
void schema_writer_init(struct schema_writer *w, const struct schema_config *config);
void schema_writer_free(struct schema_writer *w);

/* Sets the origin of the next messages; origin->received is not used. */
void schema_set_origin(struct schema_writer *w, const struct record_origin *origin,
                       uint64_t received_ns);

/* Appends a message as one JSON object and LF. `raw` is the message as it was received. */
void schema_write(struct schema_writer *w, struct buffer *out, const struct syslog_message *m,
                  struct slice raw);

#endif
