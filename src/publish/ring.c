#include "publish/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/*
 * A spool file is a header, of RING_HEADER_SIZE bytes, and the ring. The cursors are written to two
 * slots in turn, so that one of them is valid whenever the process is killed.
 */
enum {
    RING_HEADER_SIZE = 64 * 1024,
    RING_UNIT = 64 * 1024,
    RING_DEFAULT_SIZE = 16 * 1024 * 1024,
    RING_VERSION = 1
};

static const char magic[8] = "shnekspl";

struct ring_slot {
    uint64_t sequence;
    struct ring_cursors cursors;
    uint64_t checksum;
};

struct ring_header {
    char magic[8];
    uint64_t version;
    uint64_t capacity;
    uint64_t id;
    uint64_t checksum; /* of all members before it */
    struct ring_slot slots[2];
    uint64_t read_from; /* the offset of a read that may be in progress */
    uint64_t read_max;  /* its limit in bytes, 0 for no read */
};

/* FNV-1a, 64 bits. */
static uint64_t ring_checksum(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    while (n--)
        hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t ring_slot_checksum(const struct ring_slot *s)
{
    return ring_checksum(s, offsetof(struct ring_slot, checksum));
}

static uint64_t ring_random_id(void)
{
    uint64_t id;
    if (getrandom(&id, sizeof id, 0) != sizeof id)
        id = (uint64_t)getpid();
    return id;
}

/* Maps the same pages twice, one after the other. */
static char *ring_map_twice(int fd, off_t offset, size_t capacity)
{
    char *data =
        mmap(NULL, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED)
        return NULL;
    for (int i = 0; i < 2; i++) {
        void *half = mmap(data + (size_t)i * capacity, capacity, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_FIXED, fd, offset);
        if (half == MAP_FAILED) {
            munmap(data, 2 * capacity);
            return NULL;
        }
    }
    return data;
}

static size_t ring_round_size(uint64_t size)
{
    return (size_t)((size + RING_UNIT - 1) / RING_UNIT * RING_UNIT);
}

bool ring_open(struct ring *r, uint64_t size)
{
    *r = (struct ring){.capacity = ring_round_size(size ? size : RING_DEFAULT_SIZE),
                       .id = ring_random_id(),
                       .fd = -1};
    int fd = memfd_create("window", MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)r->capacity) == 0)
        r->data = ring_map_twice(fd, 0, r->capacity);
    if (!r->data)
        log_printf("--window: cannot allocate %zu bytes: %m", r->capacity);
    if (fd >= 0)
        close(fd);
    return r->data != NULL;
}

static bool ring_log_defect(const char *path, const char *defect)
{
    log_printf("--spool: %s: %s; leaving it unchanged", path, defect);
    return false;
}

static bool ring_log_errno(const char *path)
{
    log_printf("--spool: %s: %m", path);
    return false;
}

/* Writes the header last and in one piece, so that an incomplete file is not taken for a spool. */
static bool ring_create_file(struct ring *r, const char *path, uint64_t size)
{
    struct ring_header header = {.version = RING_VERSION, .id = ring_random_id()};
    memcpy(header.magic, magic, sizeof magic);
    header.capacity = ring_round_size(size ? size : RING_DEFAULT_SIZE);
    header.checksum = ring_checksum(&header, offsetof(struct ring_header, checksum));
    header.slots[0].checksum = ring_slot_checksum(&header.slots[0]);
    /* Without blocks of its own, the mapped file would raise SIGBUS when the disk is full. */
    errno = posix_fallocate(r->fd, 0, (off_t)(RING_HEADER_SIZE + header.capacity));
    if (errno || pwrite(r->fd, &header, sizeof header, 0) != sizeof header || fsync(r->fd) != 0) {
        ring_log_errno(path);
        unlink(path);
        return false;
    }
    return true;
}

static const char *ring_header_defect(const struct ring_header *h, off_t file_size)
{
    if (memcmp(h->magic, magic, sizeof magic) != 0)
        return "not a spool";
    if (h->version != RING_VERSION)
        return "a spool of another version";
    if (h->checksum != ring_checksum(h, offsetof(struct ring_header, checksum)) ||
        h->capacity == 0 || h->capacity % RING_UNIT)
        return "damaged header";
    if ((uint64_t)file_size != RING_HEADER_SIZE + h->capacity)
        return "truncated or too long";
    return NULL;
}

static bool ring_slot_is_valid(const struct ring_header *h, const struct ring_slot *s)
{
    const struct ring_cursors *c = &s->cursors;
    return s->checksum == ring_slot_checksum(s) && c->confirmed <= c->checked &&
           c->checked <= c->read && c->read - c->confirmed <= h->capacity;
}

static const struct ring_slot *ring_latest_slot(const struct ring_header *h)
{
    bool valid[2] = {ring_slot_is_valid(h, &h->slots[0]), ring_slot_is_valid(h, &h->slots[1])};
    if (valid[0] && valid[1])
        return &h->slots[h->slots[1].sequence > h->slots[0].sequence];
    return valid[0] ? &h->slots[0] : valid[1] ? &h->slots[1] : NULL;
}

/* ring_prepare_read() zeroed the space, and no JSON text contains a NUL. */
static size_t ring_find_unsaved(const struct ring *r, const struct ring_cursors *c)
{
    const struct ring_header *h = r->header;
    uint64_t space = r->capacity - (c->read - c->confirmed);
    if (h->read_from != c->read || h->read_max > space)
        return 0;
    uint64_t n = h->read_max;
    while (n && *ring_byte(r, c->read + n - 1) == '\0')
        n--;
    return (size_t)n;
}

static bool ring_map_file(struct ring *r, const char *path, struct ring_cursors *cursors,
                          size_t *unsaved)
{
    struct ring_header *h =
        mmap(NULL, RING_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (h == MAP_FAILED)
        return ring_log_errno(path);
    r->header = h;
    r->capacity = (size_t)h->capacity;
    r->id = h->id;
    const struct ring_slot *last = ring_latest_slot(h);
    if (!last)
        return ring_log_defect(path, "damaged cursors");
    r->data = ring_map_twice(r->fd, RING_HEADER_SIZE, r->capacity);
    if (!r->data)
        return ring_log_errno(path);
    *cursors = last->cursors;
    *unsaved = ring_find_unsaved(r, cursors);
    return true;
}

static bool ring_load_file(struct ring *r, const char *path, uint64_t size,
                           struct ring_cursors *cursors, size_t *unsaved)
{
    struct ring_header header = {0};
    struct stat s;
    if (fstat(r->fd, &s) != 0)
        return ring_log_errno(path);
    if (!S_ISREG(s.st_mode))
        return ring_log_defect(path, "not a regular file");
    if (s.st_size == 0 && (!ring_create_file(r, path, size) || fstat(r->fd, &s) != 0))
        return false;
    ssize_t n = pread(r->fd, &header, sizeof header, 0);
    if (n < 0)
        return ring_log_errno(path);
    const char *defect =
        (size_t)n < sizeof header ? "not a spool" : ring_header_defect(&header, s.st_size);
    if (defect)
        return ring_log_defect(path, defect);
    if (size && ring_round_size(size) != header.capacity) {
        log_printf("--window: spool %s was created with %" PRIu64
                   " bytes; omit --window, or drain the spool first",
                   path, header.capacity);
        return false;
    }
    return ring_map_file(r, path, cursors, unsaved);
}

bool ring_open_file(struct ring *r, const char *path, uint64_t size, struct ring_cursors *cursors,
                    size_t *unsaved)
{
    *r = (struct ring){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (r->fd < 0)
        return ring_log_errno(path);
    bool loaded = false;
    if (flock(r->fd, LOCK_EX | LOCK_NB) == 0)
        loaded = ring_load_file(r, path, size, cursors, unsaved);
    else if (errno == EWOULDBLOCK)
        log_printf("--spool: %s: in use by another process", path);
    else
        ring_log_errno(path);
    if (!loaded)
        ring_close(r);
    return loaded;
}

void ring_save_cursors(struct ring *r, const struct ring_cursors *cursors)
{
    if (!r->header)
        return;
    struct ring_slot *slots = r->header->slots;
    uint64_t latest = slots[0].sequence > slots[1].sequence ? slots[0].sequence : slots[1].sequence;
    struct ring_slot next;
    memset(&next, 0, sizeof next);
    next.sequence = latest + 1;
    next.cursors = *cursors;
    next.checksum = ring_slot_checksum(&next);
    slots[next.sequence % 2] = next;
    atomic_signal_fence(memory_order_seq_cst); /* so that it is saved before the caller goes on */
}

void ring_prepare_read(struct ring *r, uint64_t offset, size_t n)
{
    struct ring_header *h = r->header;
    if (!h)
        return;
    h->read_max = 0;
    atomic_signal_fence(memory_order_seq_cst);
    memset(ring_byte(r, offset), 0, n);
    h->read_from = offset;
    atomic_signal_fence(memory_order_seq_cst);
    h->read_max = n;
    atomic_signal_fence(memory_order_seq_cst);
}

bool ring_sync(struct ring *r)
{
    if (!r->header)
        return true;
    if (fdatasync(r->fd) == 0)
        return true;
    log_printf("--spool: %m");
    return false;
}

void ring_close(struct ring *r)
{
    if (r->data)
        munmap(r->data, 2 * r->capacity);
    if (r->header)
        munmap(r->header, RING_HEADER_SIZE);
    if (r->fd >= 0)
        close(r->fd);
    *r = (struct ring){.fd = -1};
}
