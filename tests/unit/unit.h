#ifndef SHNEK_TESTS_UNIT_H
#define SHNEK_TESTS_UNIT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/slice.h"

/* Checks with unit(), prints those that fail, and a summary by unit_end(), which main() returns. */

static unsigned unit_passed;
static unsigned unit_failed;

#define SHOW(s) (int)((s).len < 400 ? (s).len : 400), (s).data

#define unit(good, ...)                                                                            \
    do {                                                                                           \
        bool unit_good = (good);                                                                   \
        unit_good ? unit_passed++ : unit_failed++;                                                 \
        if (!unit_good) {                                                                          \
            printf("not ok %s:%d: ", __FILE__, __LINE__);                                          \
            printf(__VA_ARGS__);                                                                   \
            putchar('\n');                                                                         \
        }                                                                                          \
    } while (0)

static inline int unit_end(const char *name)
{
    printf("%s: %u passed, %u failed\n", name, unit_passed, unit_failed);
    return unit_failed || !unit_passed;
}

/* Memory between two guard pages, one for each process. */
enum { UNIT_GUARDED_SIZE = 1 << 20 };
static inline char *unit_guarded_memory(struct slice bytes)
{
    static char *memory;
    if (!memory) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *base =
            mmap(NULL, UNIT_GUARDED_SIZE + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memory = base + page;
        if (base == MAP_FAILED || mprotect(memory, UNIT_GUARDED_SIZE, PROT_READ | PROT_WRITE) != 0)
            abort();
    }
    if (bytes.len > UNIT_GUARDED_SIZE)
        abort();
    return memory;
}

/* Copies bytes to the end of the guarded memory. */
static inline struct slice unit_guarded(struct slice bytes)
{
    char *copy = unit_guarded_memory(bytes) + UNIT_GUARDED_SIZE - bytes.len;
    if (bytes.len)
        memmove(copy, bytes.data, bytes.len);
    return (struct slice){copy, bytes.len};
}

/* Copies bytes to the begin of the guarded memory. */
static inline struct slice unit_guarded_before(struct slice bytes)
{
    char *copy = unit_guarded_memory(bytes);
    if (bytes.len)
        memmove(copy, bytes.data, bytes.len);
    return (struct slice){copy, bytes.len};
}

/*
 * A table of cases: NAME, INPUT and EXPECTED, separated by TABs; '#' begins a comment. In INPUT and
 * EXPECTED, %HH is a byte, and %(X*N) is X, a character or %HH, N times.
 */
struct unit_case {
    char *name;
    struct slice input;
    struct slice expected;
};

static inline int unit_hex(const char *p)
{
    unsigned value;
    return sscanf(p, "%2x", &value) == 1 ? (int)value : -1;
}

static inline struct slice unit_decode(const char *text)
{
    char *bytes = malloc(1 << 18);
    size_t n = 0;
    if (!bytes)
        abort();
    while (*text) {
        if (*text != '%') {
            bytes[n++] = *text++;
        } else if (text[1] == '(') {
            bool hex = text[2] == '%';
            char c = hex ? (char)unit_hex(text + 3) : text[2];
            char *end;
            unsigned long times = strtoul(text + (hex ? 6 : 4), &end, 10);
            memset(bytes + n, c, times);
            n += times;
            text = end + 1;
        } else {
            bytes[n++] = (char)unit_hex(text + 1);
            text += 3;
        }
    }
    return (struct slice){bytes, n};
}

/* Reads the next case, which unit_case_free() frees. Returns false at the end of the table. */
static inline bool unit_next_case(FILE *table, struct unit_case *c)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    while ((len = getline(&line, &capacity, table)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        char *input = strchr(line, '\t');
        char *expected = input ? strchr(input + 1, '\t') : NULL;
        if (line[0] == '#' || line[0] == '\0')
            continue;
        if (!expected) {
            printf("not ok a case without three columns: %s\n", line);
            exit(1);
        }
        *input++ = *expected++ = '\0';
        *c = (struct unit_case){line, unit_decode(input), unit_decode(expected)};
        return true;
    }
    free(line);
    return false;
}

static inline void unit_case_free(struct unit_case *c)
{
    free(c->name);
    free((void *)(uintptr_t)c->input.data);
    free((void *)(uintptr_t)c->expected.data);
}

static inline FILE *unit_table(const char *path)
{
    FILE *table = fopen(path, "r");
    if (!table) {
        perror(path);
        exit(1);
    }
    return table;
}

#endif
