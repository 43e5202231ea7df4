#ifndef SHNEK_PUBLISH_CONFIG_FILE_H
#define SHNEK_PUBLISH_CONFIG_FILE_H

#include "json/walk.h"

/* A file of one JSON object, whose errors are reported with their position. */
struct config_file {
    const char *what; /* it is for: the name of an option, or "context NAME"; borrowed */
    const char *path; /* borrowed */
    struct slice text;
};

/* Reads the file. Returns false and logs the reason if it is not readable or not one JSON object.
 */
bool config_file_read(struct config_file *f, const char *what, const char *path);

/* Returns the first byte of a value in the text: of a string the quote. */
const char *config_file_at(struct slice value);

/* Logs a message with the position of `at` in the text. Returns false. */
bool config_file_report(const struct config_file *f, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Decodes a string of the file to `to`, which the caller frees. Returns false and logs the reason
 * if the value is not a string, or contains a NUL. `name` is for messages.
 */
bool config_file_get_text(const struct config_file *f, const char *name, struct slice value,
                          char **to);

/* Returns whether a value is the zero of its kind: null, false, 0, or an empty string, array or
 * object. */
bool config_file_is_zero(struct slice value);

/* Overwrites the text, which may contain secrets, and frees it. */
void config_file_free(struct config_file *f);

#endif
