#include "publish/spool-file.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/log.h"

static_assert(sizeof(struct spool_block) == 64, "a descriptor does not straddle two sectors");
static_assert(sizeof(union spool_slot) == SPOOL_SECTOR, "a cursor fits into a sector");
static_assert(sizeof(struct spool_header) <= SPOOL_HEADER_SIZE, "a header fits into a page");

static uint64_t spool_checksum(const void *bytes, size_t n)
{
    return crc32c_update(0, (struct slice){bytes, n});
}

uint64_t spool_identity_check(const struct spool_identity *i)
{
    return spool_checksum(i, offsetof(struct spool_identity, check));
}

uint64_t spool_cursor_check(const struct spool_cursor *c)
{
    uint32_t crc =
        crc32c_update(0, (struct slice){(const char *)c, offsetof(struct spool_cursor, last)});
    return crc32c_update(
        crc, (struct slice){(const char *)&c->last, offsetof(struct spool_block, check)});
}

uint32_t spool_block_check(const struct spool_block *b)
{
    return (uint32_t)spool_checksum(b, offsetof(struct spool_block, check));
}

uint64_t spool_read_check(const struct spool_read *r)
{
    return spool_checksum(r, offsetof(struct spool_read, check));
}

/* gcc does not vectorize the plain loop at -O2. */
static uint32_t spool_count_lines(const char *p, size_t n)
{
    typedef unsigned char lanes __attribute__((vector_size(16)));
    uint32_t count = 0;
    while (n >= sizeof(lanes)) {
        size_t rounds = n / sizeof(lanes) < 255 ? n / sizeof(lanes) : 255;
        lanes sums = {0};
        n -= rounds * sizeof(lanes);
        for (; rounds; rounds--, p += sizeof(lanes)) {
            lanes bytes;
            memcpy(&bytes, p, sizeof bytes);
            sums -= (lanes)(bytes == '\n'); /* -1 in each lane that is equal */
        }
        for (size_t i = 0; i < sizeof(lanes); i++)
            count += sums[i];
    }
    for (; n; n--)
        count += *p++ == '\n';
    return count;
}

void spool_extend(struct spool_extent *e, const char *data, size_t n)
{
    e->crc = crc32c_update(e->crc, (struct slice){data, n});
    e->lines += spool_count_lines(data, n);
    e->length += (uint32_t)n;
}

size_t spool_file_ring_offset(uint64_t capacity)
{
    uint64_t tables =
        capacity / SPOOL_BLOCK * (sizeof(struct spool_block) + SPOOL_MARKS * sizeof(uint64_t));
    return (size_t)((2 * SPOOL_HEADER_SIZE + tables + RING_UNIT - 1) / RING_UNIT * RING_UNIT);
}

bool spool_file_log(const char *path, const char *defect)
{
    if (defect)
        log_printf("--spool: %s: %s; leaving it unchanged", path, defect);
    else
        log_printf("--spool: %s: %m", path);
    return false;
}

bool spool_file_map(struct spool_file *f, uint64_t capacity, bool is_private)
{
    size_t size = spool_file_ring_offset(capacity);
    char *map =
        mmap(NULL, size, PROT_READ | PROT_WRITE, is_private ? MAP_PRIVATE : MAP_SHARED, f->fd, 0);
    if (map == MAP_FAILED)
        return spool_file_log(f->path, NULL);
    f->map = map;
    f->map_size = size;
    f->block_count = capacity / SPOOL_BLOCK;
    f->blocks = (struct spool_block *)(void *)(map + 2 * SPOOL_HEADER_SIZE);
    f->marks = (uint64_t *)(void *)(f->blocks + f->block_count);
    if (is_private)
        return ring_open(f->ring, capacity);
    return ring_open_file(f->ring, f->fd, size, (size_t)capacity) || spool_file_log(f->path, NULL);
}

void spool_file_close(struct spool_file *f)
{
    if (f->map)
        munmap(f->map, f->map_size);
    if (f->fd >= 0)
        close(f->fd);
    f->map = NULL;
    f->fd = -1;
}

struct spool_header *spool_file_header(const struct spool_file *f, int copy)
{
    return (struct spool_header *)(void *)(f->map + copy * SPOOL_HEADER_SIZE);
}

uint64_t *spool_file_marks(const struct spool_file *f, uint64_t number)
{
    return f->marks + number % f->block_count * SPOOL_MARKS;
}

uint64_t spool_mark_of(uint64_t offset)
{
    return spool_checksum(&offset, sizeof offset) << 32 | (offset & UINT32_MAX);
}

bool spool_mark_is_valid(uint64_t mark, uint64_t number, uint64_t *offset)
{
    *offset = number * SPOOL_BLOCK + mark % SPOOL_BLOCK;
    return mark == spool_mark_of(*offset);
}

uint64_t spool_batch_mark_of(uint64_t offset, uint32_t count)
{
    uint64_t values[2] = {offset, count};
    return spool_checksum(values, sizeof values) << 32 | (uint64_t)count * SPOOL_BLOCK |
           offset % SPOOL_BLOCK;
}

uint32_t spool_batch_mark_count(uint64_t mark, uint64_t number, uint64_t *offset)
{
    uint32_t count = (uint32_t)mark / SPOOL_BLOCK;
    *offset = number * SPOOL_BLOCK + mark % SPOOL_BLOCK;
    return mark == spool_batch_mark_of(*offset, count) ? count : 0;
}
