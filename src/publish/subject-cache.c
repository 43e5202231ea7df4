#include "publish/subject-cache.h"

#include <string.h>

#include "base/clock.h"

static const uint64_t subject_cache_time_ns = 5 * NS_PER_S;

static size_t subject_cache_index(const char *subject)
{
    uint32_t hash = UINT32_C(2166136261);
    for (; *subject; subject++)
        hash = (hash ^ (unsigned char)*subject) * UINT32_C(16777619);
    return hash % SUBJECT_CACHE_SIZE;
}

void subject_cache_add(struct subject_cache *c, const char *subject, uint64_t now_ns)
{
    struct subject_cache_entry *entry = &c->entries[subject_cache_index(subject)];
    memcpy(entry->subject, subject, strlen(subject) + 1);
    entry->until_ns = now_ns + subject_cache_time_ns;
}

bool subject_cache_has(const struct subject_cache *c, const char *subject, uint64_t now_ns)
{
    const struct subject_cache_entry *entry = &c->entries[subject_cache_index(subject)];
    return now_ns < entry->until_ns && strcmp(entry->subject, subject) == 0;
}
