#ifndef SHNEK_PUBLISH_SPOOL_FILE_H
#define SHNEK_PUBLISH_SPOOL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "publish/ring.h"

/*
 * The format of a spool: a file that contains the ring of a window and describes it, so that a
 * later process can continue. The kernel writes the pages of the mapped file in any order, so after
 * a power failure it is a mixture of old and new pages. Therefore all that is read back has a
 * checksum (CRC-32C) and a number that no older content of its place has:
 *
 *     header | header | descriptors | marks | ring
 *
 * - The input is a sequence of blocks of SPOOL_BLOCK bytes. Block `number` starts at the offset
 *   number * SPOOL_BLOCK. Its data does not change before all of its lines are confirmed; later the
 *   block number + block_count uses its place in the ring and in the tables.
 * - A descriptor contains the length and the checksum of a block, now and at the last fdatasync(2).
 * - The cursor contains the descriptor of the last block. It is saved to both headers, to one of
 *   two slots in turn, so that a process that is killed or one damaged header loses nothing.
 * - A mark is the offset of a line that must not be sent: it was rejected, or is incomplete; or it
 *   is the offset of the first record of a batch and their number. The former are stored from the
 *   first place of the block on, the latter from the last one down.
 */
enum {
    SPOOL_BLOCK = 16 * 1024,
    SPOOL_MARKS = 64, /* for each block; the first one is for an incomplete line */
    SPOOL_BATCH_MARKS = SPOOL_MARKS / 2,
    SPOOL_BATCH_COUNT_MAX = (1 << 18) - 1, /* records */
    SPOOL_HEADER_SIZE = 4096,
    SPOOL_VERSION = 2
};

/* The first `length` bytes of a block, which contain `lines` line feeds. */
struct spool_extent {
    uint32_t length;
    uint32_t lines;
    uint32_t crc;
};

struct spool_block {
    uint64_t number;
    uint64_t first_line; /* line feeds before the block, since the spool was created */
    struct spool_extent all;
    struct spool_extent synced; /* on disk for certain; length 0 if unknown */
    uint32_t starts_line;       /* 1: the byte before the block is a line feed, or there is none */
    uint32_t check;             /* of the members before it */
    uint64_t reserved[2];       /* so that none straddles two sectors of a disk */
};

struct spool_cursor {
    uint64_t version;        /* the higher one is the later one */
    uint64_t confirmed;      /* offset of the first unconfirmed line */
    uint64_t skipping;       /* 1: the next bytes are the rest of a line that was too long */
    uint64_t closed;         /* 1: the process closed the spool */
    struct spool_block last; /* contains the end of the input */
    uint64_t check;          /* of the members before it */
};

struct spool_identity {
    char magic[8];
    uint64_t version;
    uint64_t capacity;
    uint64_t id;
    uint64_t file[3];  /* inode and time of birth, which differ in a copy */
    uint64_t input[2]; /* device and inode of stdin if it is a pipe, else 0 */
    char boot[40];     /* of the last process */
    uint64_t check;    /* of the members before it */
};

/* A read that may be in progress: up to `size` bytes to `offset`. Only used in the first header. */
struct spool_read {
    uint64_t offset;
    uint64_t size;
    uint64_t check; /* of the members before it */
};

enum { SPOOL_SECTOR = 512 };

union spool_slot {
    struct spool_cursor cursor;
    char sector[SPOOL_SECTOR];
};

struct spool_header {
    union {
        struct spool_identity identity;
        char identity_sector[SPOOL_SECTOR];
    };
    union spool_slot slots[2];
    struct spool_read read;
};

/* The file as it is mapped. */
struct spool_file {
    char *map;                  /* everything before the ring; NULL if there is no file */
    size_t map_size;            /* bytes */
    struct spool_block *blocks; /* block_count descriptors */
    uint64_t *marks;            /* SPOOL_MARKS for each block */
    uint64_t block_count;
    struct ring *ring;
    int fd;
    const char *path;
};

/* Returns the bytes before a ring of `capacity` bytes. */
size_t spool_file_ring_offset(uint64_t capacity);

/*
 * Maps the open file `fd` and its ring. If `is_private`, changes are not written to the file, and
 * the ring is empty. Returns false and logs the reason on failure.
 */
bool spool_file_map(struct spool_file *f, uint64_t capacity, bool is_private);

/* Unmaps and closes what is open. */
void spool_file_close(struct spool_file *f);

/* Logs a defect of the file or, if `defect` is NULL, errno. Returns false. */
bool spool_file_log(const char *path, const char *defect);

uint64_t spool_identity_check(const struct spool_identity *i);
uint64_t spool_cursor_check(const struct spool_cursor *c);
uint32_t spool_block_check(const struct spool_block *b);
uint64_t spool_read_check(const struct spool_read *r);

/* Appends `n` bytes to an extent. */
void spool_extend(struct spool_extent *e, const char *data, size_t n);

struct spool_header *spool_file_header(const struct spool_file *f, int copy);

static inline struct spool_block *spool_file_block(const struct spool_file *f, uint64_t number)
{
    return &f->blocks[number % f->block_count];
}

static inline char *spool_file_data(const struct spool_file *f, uint64_t number)
{
    return ring_byte(f->ring, number * SPOOL_BLOCK);
}

/* Returns the marks of a block: each is 0 or from an older block unless spool_mark_is_valid(). */
uint64_t *spool_file_marks(const struct spool_file *f, uint64_t number);
uint64_t spool_mark_of(uint64_t offset);

/* Returns whether the mark is of a line in the block, and its offset. */
bool spool_mark_is_valid(uint64_t mark, uint64_t number, uint64_t *offset);

uint64_t spool_batch_mark_of(uint64_t offset, uint32_t count);

/* Returns the number of records if the mark is of a batch in the block, and its offset; else 0. */
uint32_t spool_batch_mark_count(uint64_t mark, uint64_t number, uint64_t *offset);

#endif
