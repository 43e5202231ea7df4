#include "syslog/name-hash.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/buffer.h"

struct name_hash_slot {
    struct slice name; /* data == NULL if the slot is free */
    uint32_t index;
};

struct name_hash {
    uint64_t seed[2];
    struct name_hash_slot *slots;
    size_t capacity; /* of the array */
    size_t mask;     /* size of the part in use, a power of two, less one */
};

struct name_hash *name_hash_reset(struct name_hash *t, size_t names)
{
    if (!t) {
        size_t one = 0;
        t = array_grow(NULL, &one, 0, sizeof *t);
        *t = (struct name_hash){0};
        if (getrandom(t->seed, sizeof t->seed, 0) != sizeof t->seed)
            t->seed[0] = (uintptr_t)t; /* early in boot the kernel has no randomness */
    }
    size_t size = 16;
    while (size < 2 * names)
        size *= 2;
    while (t->capacity < size)
        t->slots = array_grow(t->slots, &t->capacity, t->capacity, sizeof *t->slots);
    t->mask = size - 1;
    memset(t->slots, 0, size * sizeof *t->slots);
    return t;
}

static uint64_t name_hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t name_hash_of(const struct name_hash *t, struct slice name)
{
    uint64_t hash = t->seed[0] ^ name.len;
    for (size_t i = 0; i < name.len; i += 8) {
        uint64_t word = 0;
        memcpy(&word, name.data + i, name.len - i < 8 ? name.len - i : 8);
        hash = name_hash_mix(hash ^ word, t->seed[1] | 1);
    }
    return name_hash_mix(hash, UINT64_C(0x9E3779B97F4A7C15));
}

uint32_t name_hash_replace(struct name_hash *t, struct slice name, uint32_t index)
{
    size_t i = name_hash_of(t, name) & t->mask;
    while (t->slots[i].name.data && !slice_equal(t->slots[i].name, name))
        i = (i + 1) & t->mask;
    uint32_t previous = t->slots[i].name.data ? t->slots[i].index : NAME_HASH_NONE;
    t->slots[i] = (struct name_hash_slot){name, index};
    return previous;
}

void name_hash_destroy(struct name_hash *t)
{
    if (t)
        free(t->slots);
    free(t);
}
