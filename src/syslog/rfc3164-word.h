#ifndef SHNEK_SYSLOG_RFC3164_WORD_H
#define SHNEK_SYSLOG_RFC3164_WORD_H

#include "base/slice.h"

/* Classes of the characters in words. All bytes from 0x80 count as letters; blanks have none. */
enum {
    WORD_LETTER = 1,
    WORD_DIGIT = 2,
    WORD_NAME_SIGN = 4,     /* . _ - */
    WORD_HOST_SIGN = 8,     /* / @ */
    WORD_COMMA = 16,        /* in a HOSTNAME, but not in a TAG */
    WORD_ADDRESS_SIGN = 32, /* : [ ] % */
    WORD_TAG_SIGN = 64,     /* % ( ) # + $ ~ * & ! */
    WORD_OTHER = 128
};

extern const unsigned char word_classes[256];

static inline bool word_has(char c, unsigned classes)
{
    return (word_classes[(unsigned char)c] & classes) != 0;
}

static inline bool word_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Whether there is a blank at `p`, or the message ends. */
static inline bool word_ends(const char *p, const char *end)
{
    return p == end || word_is_blank(*p);
}

static inline const char *word_skip_blanks(const char *p, const char *end)
{
    while (p < end && word_is_blank(*p))
        p++;
    return p;
}

/* Returns the byte after a separate ':' at `p` and its blanks, or `p` if there is none. */
static inline const char *word_skip_colon(const char *p, const char *end)
{
    return p < end && *p == ':' && word_ends(p + 1, end) ? word_skip_blanks(p + 1, end) : p;
}

/* The text between two blanks. */
struct word {
    struct slice text;
    unsigned classes;  /* those of all its characters */
    const char *after; /* the byte after it and its blanks */
};

/* Reads the word at `p`; its text is empty at the end and at a blank. */
struct word word_read(const char *p, const char *end);

/* Returns the word without the ':' at its end, or an empty one if it does not end with one. */
struct word word_without_colon(const struct word *w);

/* Whether it has the form of a HOSTNAME: a name, or an IP address, perhaps in brackets. */
bool word_may_be_host(const struct word *w);

/* word_may_be_host(), except for words that never are: levels, facility.severity, AM and PM,
 * topics. */
bool word_is_host(const struct word *w);

/* Reads "HOST:" before a blank or the end. Returns the byte after it, or NULL. */
const char *word_read_host_colon(const char *p, const char *end, struct slice *host);

bool word_is_address(const struct word *w);

/* Whether it is a name that has a letter, and a digit, '.', '-' or '_'. */
bool word_looks_like_host(const struct word *w);

/* Whether the text at `p` begins with `text`. */
bool word_begins_with(const char *p, const char *end, const char *text);

#endif
