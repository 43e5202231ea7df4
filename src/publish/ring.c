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
 * A file is a header, of HEADER bytes, and the ring. Two slots hold the cursors in turn, so that
 * one is whole at any moment at which the process may be killed.
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
    uint64_t checksum; /* of what stands before it */
    struct ring_slot slots[2];
    uint64_t read_from; /* where a read that may be under way begins */
    uint64_t read_max;  /* the most bytes that it gives */
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

/* The same pages twice, side by side. */
static char *ring_map_twice(int fd, off_t offset, size_t capacity)
{
    char *at =
        mmap(NULL, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    for (int i = 0; i < 2; i++) {
        void *half = mmap(at + (size_t)i * capacity, capacity, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_FIXED, fd, offset);
        if (half == MAP_FAILED) {
            munmap(at, 2 * capacity);
            return NULL;
        }
    }
    return at;
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
        log_printf("--window: %zu bytes: %m", r->capacity);
    if (fd >= 0)
        close(fd);
    return r->data != NULL;
}

static bool ring_log_defect(const char *path, const char *why)
{
    log_printf("--spool: %s: %s; the file was left as it is", path, why);
    return false;
}

static bool ring_log_errno(const char *path)
{
    log_printf("--spool: %s: %m", path);
    return false;
}

/* The whole header at once, by a write that comes before anything else: no torn one is taken. */
static bool ring_create_file(struct ring *r, const char *path, uint64_t size)
{
    struct ring_header header = {.version = RING_VERSION, .id = ring_random_id()};
    memcpy(header.magic, magic, sizeof magic);
    header.capacity = ring_round_size(size ? size : RING_DEFAULT_SIZE);
    header.checksum = ring_checksum(&header, offsetof(struct ring_header, checksum));
    header.slots[0].checksum = ring_slot_checksum(&header.slots[0]);
    /* Blocks are allocated now: a full disk later would end the process with SIGBUS. */
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
        return "it is not a spool";
    if (h->version != RING_VERSION)
        return "it is a spool of another version";
    if (h->checksum != ring_checksum(h, offsetof(struct ring_header, checksum)) ||
        h->capacity == 0 || h->capacity % RING_UNIT)
        return "its header is damaged";
    if ((uint64_t)file_size != RING_HEADER_SIZE + h->capacity)
        return "it is cut short, or too long";
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
    bool good[2] = {ring_slot_is_valid(h, &h->slots[0]), ring_slot_is_valid(h, &h->slots[1])};
    if (good[0] && good[1])
        return &h->slots[h->slots[1].sequence > h->slots[0].sequence];
    return good[0] ? &h->slots[0] : good[1] ? &h->slots[1] : NULL;
}

/* Bytes that were read by a process that could not keep its cursor any more. */
static size_t ring_find_unsaved(const struct ring *r, const struct ring_cursors *c)
{
    const struct ring_header *h = r->header;
    uint64_t room = r->capacity - (c->read - c->confirmed);
    if (h->read_from != c->read || h->read_max > room)
        return 0;
    uint64_t n = h->read_max;
    while (n && *ring_byte(r, c->read + n - 1) == '\0')
        n--;
    return (size_t)n;
}

static bool ring_map_file(struct ring *r, const char *path, struct ring_cursors *cursors,
                          size_t *found)
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
        return ring_log_defect(path, "its cursors are damaged");
    r->data = ring_map_twice(r->fd, RING_HEADER_SIZE, r->capacity);
    if (!r->data)
        return ring_log_errno(path);
    *cursors = last->cursors;
    *found = ring_find_unsaved(r, cursors);
    return true;
}

static bool ring_load_file(struct ring *r, const char *path, uint64_t size,
                           struct ring_cursors *cursors, size_t *found)
{
    struct ring_header header = {0};
    struct stat s;
    if (fstat(r->fd, &s) != 0)
        return ring_log_errno(path);
    if (!S_ISREG(s.st_mode))
        return ring_log_defect(path, "it is not a file");
    if (s.st_size == 0 && (!ring_create_file(r, path, size) || fstat(r->fd, &s) != 0))
        return false;
    ssize_t n = pread(r->fd, &header, sizeof header, 0);
    if (n < 0)
        return ring_log_errno(path);
    const char *defect =
        (size_t)n < sizeof header ? "it is not a spool" : ring_header_defect(&header, s.st_size);
    if (defect)
        return ring_log_defect(path, defect);
    if (size && ring_round_size(size) != header.capacity) {
        log_printf("--window: %s has %" PRIu64
                   " bytes; leave --window out, or empty that spool first",
                   path, header.capacity);
        return false;
    }
    return ring_map_file(r, path, cursors, found);
}

bool ring_open_file(struct ring *r, const char *path, uint64_t size, struct ring_cursors *cursors,
                    size_t *found)
{
    *r = (struct ring){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (r->fd < 0)
        return ring_log_errno(path);
    bool good = false;
    if (flock(r->fd, LOCK_EX | LOCK_NB) == 0)
        good = ring_load_file(r, path, size, cursors, found);
    else if (errno == EWOULDBLOCK)
        log_printf("--spool: %s: another process uses it", path);
    else
        ring_log_errno(path);
    if (!good)
        ring_close(r);
    return good;
}

void ring_save_cursors(struct ring *r, const struct ring_cursors *cursors)
{
    if (!r->header)
        return;
    struct ring_slot *slots = r->header->slots;
    uint64_t turn = slots[0].sequence > slots[1].sequence ? slots[0].sequence : slots[1].sequence;
    struct ring_slot next;
    memset(&next, 0, sizeof next);
    next.sequence = turn + 1;
    next.cursors = *cursors;
    next.checksum = ring_slot_checksum(&next);
    slots[next.sequence % 2] = next;
    atomic_signal_fence(memory_order_seq_cst); /* before what the caller does next */
}

void ring_prepare_read(struct ring *r, uint64_t from, size_t n)
{
    struct ring_header *h = r->header;
    if (!h)
        return;
    h->read_max = 0;
    atomic_signal_fence(memory_order_seq_cst);
    memset(ring_byte(r, from), 0, n); /* JSON has no NUL: what is not one was read */
    h->read_from = from;
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
