#include "publish/ring.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"

enum { RING_DEFAULT_SIZE = 16 * 1024 * 1024 };

uint64_t ring_random_id(void)
{
    uint64_t id;
    if (getrandom(&id, sizeof id, 0) != sizeof id)
        id = (uint64_t)getpid();
    return id;
}

/* Maps the same pages twice, one after the other. */
static char *ring_map_twice(int fd, uint64_t offset, size_t capacity)
{
    char *data =
        mmap(NULL, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED)
        return NULL;
    for (int i = 0; i < 2; i++) {
        void *half = mmap(data + (size_t)i * capacity, capacity, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_FIXED, fd, (off_t)offset);
        if (half == MAP_FAILED) {
            munmap(data, 2 * capacity);
            return NULL;
        }
    }
    return data;
}

size_t ring_round_size(uint64_t size)
{
    if (size == 0)
        size = RING_DEFAULT_SIZE;
    return (size_t)((size + RING_UNIT - 1) / RING_UNIT * RING_UNIT);
}

bool ring_open(struct ring *r, uint64_t size)
{
    *r = (struct ring){.capacity = ring_round_size(size), .id = ring_random_id()};
    int fd = memfd_create("window", MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)r->capacity) == 0)
        r->data = ring_map_twice(fd, 0, r->capacity);
    if (!r->data)
        log_printf("--window: cannot allocate %zu bytes: %m", r->capacity);
    if (fd >= 0)
        close(fd);
    return r->data != NULL;
}

bool ring_open_file(struct ring *r, int fd, uint64_t offset, size_t capacity)
{
    *r = (struct ring){.data = ring_map_twice(fd, offset, capacity), .capacity = capacity};
    return r->data != NULL;
}

void ring_close(struct ring *r)
{
    if (r->data)
        munmap(r->data, 2 * r->capacity);
    *r = (struct ring){0};
}
