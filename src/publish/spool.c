#include "publish/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/exit-status.h"
#include "base/log.h"
#include "publish/spool-recovery.h"

enum {
    PIPEFS = 0x50495045, /* statfs(2) */
    FIFO_SIZE = 512 * 1024
};

static const char magic[8] = "shnekspl";

/* Errors of the mapped file */

static char sigbus_message[512];
static size_t sigbus_length;

static void spool_on_sigbus(int signal)
{
    (void)signal;
    ssize_t ignored = write(STDERR_FILENO, sigbus_message, sigbus_length);
    (void)ignored;
    _exit(STATUS_FAILED);
}

static void spool_handle_sigbus(const char *path)
{
    struct sigaction action = {.sa_handler = spool_on_sigbus};
    int n = snprintf(sigbus_message, sizeof sigbus_message - 1,
                     "%s: --spool: %s: cannot be accessed (truncated, or an I/O error)",
                     program_invocation_short_name, path);
    sigbus_length = n < (int)sizeof sigbus_message - 1 ? (size_t)n : sizeof sigbus_message - 2;
    sigbus_message[sigbus_length++] = '\n';
    sigaction(SIGBUS, &action, NULL);
}

/* Saving */

static void spool_fence(void)
{
    atomic_signal_fence(memory_order_seq_cst); /* SIGKILL finds the stores in this order */
}

static void spool_save_cursor(struct spool *s)
{
    struct spool_cursor *c = &s->cursor;
    c->version++;
    c->last.check = spool_block_check(&c->last);
    c->check = spool_cursor_check(c);
    spool_fence();
    for (int i = 0; i < 2; i++) {
        memcpy(&spool_file_header(&s->file, i)->slots[c->version % 2].cursor, c, sizeof *c);
        spool_fence();
    }
}

static void spool_save_block(struct spool *s)
{
    struct spool_block *b = &s->cursor.last;
    b->check = spool_block_check(b);
    memcpy(spool_file_block(&s->file, b->number), b, sizeof *b);
    spool_fence();
}

static void spool_begin_block(struct spool *s)
{
    struct spool_block *b = &s->cursor.last;
    spool_save_block(s);
    b->number++;
    b->first_line += b->all.lines;
    b->all = b->synced = (struct spool_extent){0};
    b->starts_line = *ring_byte(s->file.ring, b->number * SPOOL_BLOCK - 1) == '\n';
}

void spool_append(struct spool *s, size_t n, bool skipping)
{
    struct spool_block *b = &s->cursor.last;
    if (!s->file.map)
        return;
    while (n) {
        if (b->all.length == SPOOL_BLOCK)
            spool_begin_block(s);
        size_t space = SPOOL_BLOCK - b->all.length;
        size_t take = n < space ? n : space;
        spool_extend(&b->all, spool_file_data(&s->file, b->number) + b->all.length, take);
        n -= take;
    }
    s->cursor.skipping = skipping;
    spool_save_cursor(s);
    spool_file_header(&s->file, 0)->read.check = 0;
}

void spool_confirm(struct spool *s, uint64_t confirmed)
{
    if (!s->file.map)
        return;
    s->cursor.confirmed = confirmed;
    spool_save_cursor(s);
}

/* The checksum of a block is of no use without all of its data. */
uint64_t spool_released(const struct spool *s, uint64_t confirmed)
{
    return s->file.map ? confirmed / SPOOL_BLOCK * SPOOL_BLOCK : confirmed;
}

void spool_prepare_read(struct spool *s, size_t n)
{
    if (!s->file.map)
        return;
    struct spool_read *r = &spool_file_header(&s->file, 0)->read;
    struct spool_read next = {.offset = spool_cursor_end(&s->cursor), .size = n};
    next.check = spool_read_check(&next);
    r->check = 0;
    spool_fence();
    memset(ring_byte(s->file.ring, next.offset), 0, n);
    spool_fence();
    r->offset = next.offset;
    r->size = next.size;
    spool_fence();
    r->check = next.check;
    spool_fence();
}

bool spool_get_mark(const struct spool *s, uint64_t block, unsigned i, uint64_t *offset)
{
    return s->file.map && i < SPOOL_MARKS &&
           spool_mark_is_valid(spool_file_marks(&s->file, block)[i], block, offset);
}

/* Returns whether a place contains no mark of the block. */
static bool spool_place_is_free(const struct spool *s, uint64_t block, unsigned i)
{
    uint64_t offset;
    uint64_t mark = spool_file_marks(&s->file, block)[i];
    return !spool_mark_is_valid(mark, block, &offset) &&
           !spool_batch_mark_count(mark, block, &offset);
}

void spool_mark(struct spool *s, uint64_t offset)
{
    uint64_t block = offset / SPOOL_BLOCK;
    if (!s->file.map)
        return;
    if (s->mark_count == 0 || s->mark_block != block) {
        s->mark_block = block;
        s->mark_count = 1;
    }
    while (s->mark_count < SPOOL_MARKS && !spool_place_is_free(s, block, s->mark_count))
        s->mark_count++;
    if (s->mark_count < SPOOL_MARKS)
        spool_file_marks(&s->file, block)[s->mark_count++] = spool_mark_of(offset);
}

uint32_t spool_find_batch(const struct spool *s, uint64_t offset)
{
    uint64_t block = offset / SPOOL_BLOCK;
    uint64_t other;
    if (!s->file.map)
        return 0;
    for (unsigned i = SPOOL_MARKS - SPOOL_BATCH_MARKS; i < SPOOL_MARKS; i++) {
        uint32_t count =
            spool_batch_mark_count(spool_file_marks(&s->file, block)[i], block, &other);
        if (count && other == offset)
            return count;
    }
    return 0;
}

bool spool_mark_batch(struct spool *s, uint64_t offset, uint32_t count)
{
    uint64_t block = offset / SPOOL_BLOCK;
    unsigned i = SPOOL_MARKS;
    if (!s->file.map || spool_find_batch(s, offset) == count)
        return true;
    if (count > SPOOL_BATCH_COUNT_MAX)
        return false;
    while (i > SPOOL_MARKS - SPOOL_BATCH_MARKS)
        if (spool_place_is_free(s, block, --i)) {
            spool_file_marks(&s->file, block)[i] = spool_batch_mark_of(offset, count);
            spool_fence();
            return true;
        }
    return false;
}

bool spool_sync(struct spool *s)
{
    if (!s->file.map || s->is_private)
        return true;
    /* Later cursors may reach the disk before the descriptor does. */
    spool_save_block(s);
    if (fdatasync(s->file.fd) != 0)
        return spool_file_log(s->file.path, NULL);
    s->cursor.last.synced = s->cursor.last.all;
    spool_save_cursor(s);
    return true;
}

bool spool_close(struct spool *s)
{
    bool synced = true;
    if (s->file.map) {
        s->cursor.closed = 1;
        spool_save_cursor(s);
        synced = spool_sync(s);
    }
    spool_file_close(&s->file);
    return synced;
}

/* Opening */

/* A pipe is the same one if its identity is, and a FIFO if it has also been open all the time,
 * which its size proves: it is neither the default nor what our other programs set. */
static bool spool_identify_input(uint64_t input[2])
{
    struct stat s;
    struct statfs fs;
    input[0] = input[1] = 0;
    if (fstat(STDIN_FILENO, &s) != 0 || !S_ISFIFO(s.st_mode) || fstatfs(STDIN_FILENO, &fs) != 0)
        return false;
    bool continues = fs.f_type == PIPEFS || fcntl(STDIN_FILENO, F_GETPIPE_SZ) == FIFO_SIZE;
    if (fs.f_type != PIPEFS && fcntl(STDIN_FILENO, F_SETPIPE_SZ, FIFO_SIZE) != FIFO_SIZE)
        return false;
    input[0] = (uint64_t)s.st_dev;
    input[1] = (uint64_t)s.st_ino;
    return continues;
}

static void spool_identify_file(int fd, uint64_t file[3])
{
    struct statx s = {0};
    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &s) != 0)
        return;
    file[0] = s.stx_ino;
    if (s.stx_mask & STATX_BTIME) {
        file[1] = (uint64_t)s.stx_btime.tv_sec;
        file[2] = s.stx_btime.tv_nsec;
    }
}

/* Leaves `boot` empty if it is unknown. */
static void spool_identify_boot(char boot[40])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (read(fd, boot, 36) != 36)
        memset(boot, 0, 40);
    close(fd);
}

/* Writes the headers last, so that an incomplete file is not taken for a spool. */
static bool spool_create(int fd, const char *path, uint64_t size)
{
    char page[SPOOL_HEADER_SIZE] = {0};
    struct spool_header *h = (struct spool_header *)(void *)page;
    struct spool_header header;
    memset(&header, 0, sizeof header);
    memcpy(header.identity.magic, magic, sizeof magic);
    header.identity.version = SPOOL_VERSION;
    header.identity.capacity = ring_round_size(size);
    header.identity.id = ring_random_id();
    spool_identify_file(fd, header.identity.file);
    spool_identify_boot(header.identity.boot);
    header.identity.check = spool_identity_check(&header.identity);
    struct spool_cursor *c = &header.slots[0].cursor;
    c->closed = 1;
    c->last.starts_line = 1;
    c->last.check = spool_block_check(&c->last);
    c->check = spool_cursor_check(c);
    memcpy(h, &header, sizeof header);
    /* Without blocks of its own, the mapped file would raise SIGBUS when the disk is full. */
    uint64_t capacity = header.identity.capacity;
    errno = posix_fallocate(fd, 0, (off_t)(spool_file_ring_offset(capacity) + capacity));
    if (errno || pwrite(fd, page, sizeof page, SPOOL_HEADER_SIZE) != sizeof page ||
        pwrite(fd, page, sizeof page, 0) != sizeof page || fsync(fd) != 0) {
        spool_file_log(path, NULL);
        unlink(path);
        return false;
    }
    return true;
}

static const char *spool_identity_defect(const struct spool_identity *i, off_t file_size)
{
    if (memcmp(i->magic, magic, sizeof magic) != 0)
        return "not a spool";
    if (i->version == 1)
        return "a spool of shnek-pub 0.1.0, which must publish its lines";
    if (i->check != spool_identity_check(i) || i->version != SPOOL_VERSION || i->capacity == 0 ||
        i->capacity % RING_UNIT)
        return "damaged header, or a spool of another version";
    if ((uint64_t)file_size != spool_file_ring_offset(i->capacity) + i->capacity)
        return "truncated or too long";
    return NULL;
}

/* Returns the defect of one of the headers, or NULL. */
static const char *spool_read_header(int fd, int copy, off_t file_size,
                                     struct spool_identity *identity)
{
    ssize_t n = pread(fd, identity, sizeof *identity, copy * (off_t)SPOOL_HEADER_SIZE);
    if (n < 0)
        return strerror(errno);
    if (n < (ssize_t)sizeof *identity)
        return "not a spool";
    return spool_identity_defect(identity, file_size);
}

/* One of the headers may be damaged. */
static bool spool_read_identity(int fd, const char *path, struct spool_identity *identity)
{
    struct stat s;
    if (fstat(fd, &s) != 0)
        return spool_file_log(path, NULL);
    const char *defect = spool_read_header(fd, 0, s.st_size, identity);
    return !defect || !spool_read_header(fd, 1, s.st_size, identity) ||
           spool_file_log(path, defect);
}

/* Whether the process that created the file was killed before it had written a header. */
static bool spool_is_blank(int fd)
{
    static const char zeros[4096];
    char bytes[sizeof zeros];
    off_t offset = 0;
    ssize_t n;
    while ((n = pread(fd, bytes, sizeof bytes, offset)) > 0 && memcmp(bytes, zeros, (size_t)n) == 0)
        offset += n;
    return n == 0;
}

static bool spool_prepare_file(int fd, const char *path, uint64_t size, bool is_private)
{
    struct stat s;
    if (flock(fd, (is_private ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return spool_file_log(path, NULL);
        log_printf("--spool: %s: in use by another process", path);
        return false;
    }
    if (fstat(fd, &s) != 0)
        return spool_file_log(path, NULL);
    if (!S_ISREG(s.st_mode))
        return spool_file_log(path, "not a regular file");
    if (is_private || !spool_is_blank(fd))
        return true;
    return ftruncate(fd, 0) == 0 ? spool_create(fd, path, size) : spool_file_log(path, NULL);
}

/* Compares the identity with that of the previous process, and saves the new one. */
static void spool_update_identity(struct spool *s, struct spool_identity *identity,
                                  struct spool_state *state)
{
    struct spool_identity new = *identity;
    bool input_continues = !s->is_private && spool_identify_input(new.input);
    memset(new.boot, 0, sizeof new.boot);
    spool_identify_boot(new.boot);
    spool_identify_file(s->file.fd, new.file);
    bool is_copy = memcmp(new.file, identity->file, sizeof new.file) != 0;
    bool same_boot = new.boot[0] && memcmp(new.boot, identity->boot, sizeof new.boot) == 0;
    state->same_input = input_continues && same_boot && !is_copy &&
                        memcmp(new.input, identity->input, sizeof new.input) == 0;
    if (same_boot && !is_copy && !state->has_loss)
        state->unsaved = spool_find_unsaved(&s->file, &s->cursor);
    if (!same_boot && !s->cursor.closed) {
        log_printf(
            "--spool: %s: the system stopped while it was in use; lines that were read after "
            "the last sync may be missing",
            s->file.path);
        state->has_loss = true;
    }
    if (is_copy)
        new.id = ring_random_id();
    new.check = spool_identity_check(&new);
    s->file.ring->id = new.id;
    for (int i = 0; i < 2; i++) {
        spool_file_header(&s->file, i)->identity = new;
        spool_fence();
    }
}

static bool spool_load(struct spool *s, uint64_t size, struct spool_state *state)
{
    struct spool_identity identity = {0};
    if (!spool_read_identity(s->file.fd, s->file.path, &identity))
        return false;
    if (size && ring_round_size(size) != identity.capacity) {
        log_printf("--window: spool %s was created with %" PRIu64
                   " bytes; omit --window, or drain the spool first",
                   s->file.path, identity.capacity);
        return false;
    }
    if (!spool_file_map(&s->file, identity.capacity, s->is_private) ||
        !spool_recover(&s->file, s->is_private, &s->cursor, &state->has_loss))
        return false;
    spool_update_identity(s, &identity, state);
    state->confirmed = s->cursor.confirmed;
    state->read = spool_cursor_end(&s->cursor);
    state->skipping = s->cursor.skipping;
    s->cursor.closed = 0;
    spool_save_cursor(s);
    return true;
}

bool spool_open(struct spool *s, struct ring *r, const char *path, uint64_t size, bool is_private,
                struct spool_state *state)
{
    crc32c_init_tables();
    memset(s, 0, sizeof *s);
    *state = (struct spool_state){0};
    s->is_private = is_private;
    s->file.ring = r;
    s->file.path = path;
    s->file.fd = open(path, is_private ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->file.fd < 0)
        return spool_file_log(path, NULL);
    spool_handle_sigbus(path);
    if (spool_prepare_file(s->file.fd, path, size, is_private) && spool_load(s, size, state))
        return true;
    ring_close(r);
    spool_file_close(&s->file);
    return false;
}
