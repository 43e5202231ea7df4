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
enum { HEADER = 64 * 1024, UNIT = 64 * 1024, DEFAULT_SIZE = 16 * 1024 * 1024, VERSION = 1 };

static const char magic[8] = "shnekspl";

struct slot {
    uint64_t turn;
    struct cursors cursors;
    uint64_t checksum;
};

struct spool {
    char magic[8];
    uint64_t version;
    uint64_t capacity;
    uint64_t id;
    uint64_t checksum; /* of what stands before it */
    struct slot slots[2];
    uint64_t expected_from; /* where a read that may be under way begins */
    uint64_t expected;      /* the most bytes that it gives */
};

/* FNV-1a, 64 bits. */
static uint64_t checksum(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    while (n--)
        hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t slot_checksum(const struct slot *s)
{
    return checksum(s, offsetof(struct slot, checksum));
}

static uint64_t random_id(void)
{
    uint64_t id;
    if (getrandom(&id, sizeof id, 0) != sizeof id)
        id = (uint64_t)getpid();
    return id;
}

/* The same pages twice, side by side. */
static char *map_twice(int fd, off_t offset, size_t capacity)
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

static size_t rounded(uint64_t size)
{
    return (size_t)((size + UNIT - 1) / UNIT * UNIT);
}

bool ring_open(struct ring *r, uint64_t size)
{
    *r =
        (struct ring){.capacity = rounded(size ? size : DEFAULT_SIZE), .id = random_id(), .fd = -1};
    int fd = memfd_create("window", MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)r->capacity) == 0)
        r->at = map_twice(fd, 0, r->capacity);
    if (!r->at)
        log_printf("--window: %zu bytes: %m", r->capacity);
    if (fd >= 0)
        close(fd);
    return r->at != NULL;
}

static bool refuse(const char *path, const char *why)
{
    log_printf("--spool: %s: %s; the file was left as it is", path, why);
    return false;
}

static bool fail(const char *path)
{
    log_printf("--spool: %s: %m", path);
    return false;
}

/* The whole header at once, by a write that comes before anything else: no torn one is taken. */
static bool create(struct ring *r, const char *path, uint64_t size)
{
    struct spool header = {.version = VERSION, .id = random_id()};
    memcpy(header.magic, magic, sizeof magic);
    header.capacity = rounded(size ? size : DEFAULT_SIZE);
    header.checksum = checksum(&header, offsetof(struct spool, checksum));
    header.slots[0].checksum = slot_checksum(&header.slots[0]);
    /* Blocks are allocated now: a full disk later would end the process with SIGBUS. */
    errno = posix_fallocate(r->fd, 0, (off_t)(HEADER + header.capacity));
    if (errno || pwrite(r->fd, &header, sizeof header, 0) != sizeof header || fsync(r->fd) != 0) {
        fail(path);
        unlink(path);
        return false;
    }
    return true;
}

static const char *header_defect(const struct spool *h, off_t file_size)
{
    if (memcmp(h->magic, magic, sizeof magic) != 0)
        return "it is not a spool";
    if (h->version != VERSION)
        return "it is a spool of another version";
    if (h->checksum != checksum(h, offsetof(struct spool, checksum)) || h->capacity == 0 ||
        h->capacity % UNIT)
        return "its header is damaged";
    if ((uint64_t)file_size != HEADER + h->capacity)
        return "it is cut short, or too long";
    return NULL;
}

static bool slot_good(const struct spool *h, const struct slot *s)
{
    const struct cursors *c = &s->cursors;
    return s->checksum == slot_checksum(s) && c->confirmed <= c->checked && c->checked <= c->read &&
           c->read - c->confirmed <= h->capacity;
}

static const struct slot *last_slot(const struct spool *h)
{
    bool good[2] = {slot_good(h, &h->slots[0]), slot_good(h, &h->slots[1])};
    if (good[0] && good[1])
        return &h->slots[h->slots[1].turn > h->slots[0].turn];
    return good[0] ? &h->slots[0] : good[1] ? &h->slots[1] : NULL;
}

/* Bytes that were read by a process that could not keep its cursor any more. */
static size_t find_read(const struct ring *r, const struct cursors *c)
{
    const struct spool *h = r->header;
    uint64_t room = r->capacity - (c->read - c->confirmed);
    if (h->expected_from != c->read || h->expected > room)
        return 0;
    uint64_t n = h->expected;
    while (n && *ring_byte(r, c->read + n - 1) == '\0')
        n--;
    return (size_t)n;
}

static bool map_file(struct ring *r, const char *path, struct cursors *cursors, size_t *found)
{
    struct spool *h = mmap(NULL, HEADER, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (h == MAP_FAILED)
        return fail(path);
    r->header = h;
    r->capacity = (size_t)h->capacity;
    r->id = h->id;
    const struct slot *last = last_slot(h);
    if (!last)
        return refuse(path, "its cursors are damaged");
    r->at = map_twice(r->fd, HEADER, r->capacity);
    if (!r->at)
        return fail(path);
    *cursors = last->cursors;
    *found = find_read(r, cursors);
    return true;
}

static bool open_file(struct ring *r, const char *path, uint64_t size, struct cursors *cursors,
                      size_t *found)
{
    struct spool header = {0};
    struct stat s;
    if (fstat(r->fd, &s) != 0)
        return fail(path);
    if (!S_ISREG(s.st_mode))
        return refuse(path, "it is not a file");
    if (s.st_size == 0 && (!create(r, path, size) || fstat(r->fd, &s) != 0))
        return false;
    ssize_t n = pread(r->fd, &header, sizeof header, 0);
    if (n < 0)
        return fail(path);
    const char *defect =
        (size_t)n < sizeof header ? "it is not a spool" : header_defect(&header, s.st_size);
    if (defect)
        return refuse(path, defect);
    if (size && rounded(size) != header.capacity) {
        log_printf("--window: %s has %" PRIu64
                   " bytes; leave --window out, or empty that spool first",
                   path, header.capacity);
        return false;
    }
    return map_file(r, path, cursors, found);
}

bool ring_open_file(struct ring *r, const char *path, uint64_t size, struct cursors *cursors,
                    size_t *found)
{
    *r = (struct ring){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (r->fd < 0)
        return fail(path);
    bool good = false;
    if (flock(r->fd, LOCK_EX | LOCK_NB) == 0)
        good = open_file(r, path, size, cursors, found);
    else if (errno == EWOULDBLOCK)
        log_printf("--spool: %s: another process uses it", path);
    else
        fail(path);
    if (!good)
        ring_close(r);
    return good;
}

void ring_keep(struct ring *r, const struct cursors *cursors)
{
    if (!r->header)
        return;
    struct slot *slots = r->header->slots;
    uint64_t turn = slots[0].turn > slots[1].turn ? slots[0].turn : slots[1].turn;
    struct slot next;
    memset(&next, 0, sizeof next);
    next.turn = turn + 1;
    next.cursors = *cursors;
    next.checksum = slot_checksum(&next);
    slots[next.turn % 2] = next;
    atomic_signal_fence(memory_order_seq_cst); /* before what the caller does next */
}

void ring_expect(struct ring *r, uint64_t from, size_t n)
{
    struct spool *h = r->header;
    if (!h)
        return;
    h->expected = 0;
    atomic_signal_fence(memory_order_seq_cst);
    memset(ring_byte(r, from), 0, n); /* JSON has no NUL: what is not one was read */
    h->expected_from = from;
    atomic_signal_fence(memory_order_seq_cst);
    h->expected = n;
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
    if (r->at)
        munmap(r->at, 2 * r->capacity);
    if (r->header)
        munmap(r->header, HEADER);
    if (r->fd >= 0)
        close(r->fd);
    *r = (struct ring){.fd = -1};
}
