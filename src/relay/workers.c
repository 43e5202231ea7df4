#include "relay/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"

struct jobs {
    struct jobs_tasks tasks;
    struct batch *batches; /* a ring: the nth is at n % batch_count */
    unsigned batch_count;
    struct batch *open; /* what is being collected, or NULL */
    struct batch_origin origin;
    pthread_mutex_t lock; /* of what follows, and of `done` */
    pthread_cond_t filled;
    pthread_cond_t freed;
    uint64_t handed_over; /* batches */
    uint64_t taken;
    uint64_t written;
    bool writing; /* one of the threads is */
    bool failed;
    bool ending;
    unsigned threads;
    pthread_t thread[JOBS_MOST];
};

static struct batch *batch_at(const struct jobs *j, uint64_t n)
{
    return &j->batches[n % j->batch_count];
}

static void *run(void *argument)
{
    struct jobs *j = argument;
    j->tasks.work(j->tasks.argument, j);
    return NULL;
}

static void stop(struct jobs *j)
{
    pthread_mutex_lock(&j->lock);
    j->ending = true;
    pthread_cond_broadcast(&j->filled);
    pthread_mutex_unlock(&j->lock);
    for (unsigned i = 0; i < j->threads; i++)
        pthread_join(j->thread[i], NULL);
    pthread_cond_destroy(&j->filled);
    pthread_cond_destroy(&j->freed);
    pthread_mutex_destroy(&j->lock);
    for (unsigned i = 0; i < j->batch_count; i++) {
        buffer_free(&j->batches[i].bytes);
        buffer_free(&j->batches[i].records);
        buffer_free(&j->batches[i].rejects);
    }
    free(j->batches);
    free(j);
}

static struct jobs *make(const struct jobs_tasks *tasks, unsigned batch_count)
{
    struct jobs *j = calloc(1, sizeof *j);
    struct batch *batches = calloc(batch_count, sizeof *batches);
    if (!j || !batches) {
        log_printf("--jobs: %m");
        free(j);
        free(batches);
        return NULL;
    }
    *j = (struct jobs){.tasks = *tasks, .batches = batches, .batch_count = batch_count};
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->filled, NULL);
    pthread_cond_init(&j->freed, NULL);
    return j;
}

struct jobs *jobs_start(unsigned threads, const struct jobs_tasks *tasks)
{
    struct jobs *j = make(tasks, 2 * threads + 2);
    for (; j && j->threads < threads; j->threads++) {
        errno = pthread_create(&j->thread[j->threads], NULL, run, j);
        if (errno) {
            log_printf("--jobs: thread: %m");
            stop(j);
            return NULL;
        }
    }
    return j;
}

void jobs_origin(struct jobs *j, const struct batch_origin *origin)
{
    bool same = j->origin.source == origin->source && j->origin.arrived == origin->arrived;
    j->origin = *origin;
    if (!same)
        jobs_hand_over(j);
}

/* Waits for a batch that is free. */
static bool open_batch(struct jobs *j)
{
    pthread_mutex_lock(&j->lock);
    while (!j->failed && j->handed_over - j->written == j->batch_count)
        pthread_cond_wait(&j->freed, &j->lock);
    bool good = !j->failed;
    pthread_mutex_unlock(&j->lock);
    if (!good)
        return false;
    j->open = batch_at(j, j->handed_over);
    j->open->origin = j->origin;
    buffer_reserve(&j->open->bytes, BATCH_BYTES);
    return true;
}

static inline bool has_room(const struct batch *b, size_t bytes)
{
    return b->count < BATCH_FRAMES && b->bytes.len < BATCH_BYTES &&
           bytes <= BATCH_BYTES - b->bytes.len;
}

bool jobs_add(struct jobs *j, enum frame_kind kind, const struct frame *frame)
{
    size_t length = frame->message.len;
    if (j->open && !has_room(j->open, length) && !jobs_hand_over(j))
        return false;
    if (!j->open && !open_batch(j))
        return false;
    struct batch *b = j->open;
    size_t i = b->count++;
    b->frames[i] = (struct batch_frame){frame->number, (uint32_t)length, kind != FRAME_MESSAGE};
    if (kind != FRAME_MESSAGE)
        b->defects[i] = frame->defect;
    buffer_append(&b->bytes, frame->message);
    return true;
}

bool jobs_hand_over(struct jobs *j)
{
    pthread_mutex_lock(&j->lock);
    if (j->open) {
        j->open = NULL;
        j->handed_over++;
        pthread_cond_signal(&j->filled);
    }
    bool good = !j->failed;
    pthread_mutex_unlock(&j->lock);
    return good;
}

bool jobs_settle(struct jobs *j)
{
    jobs_hand_over(j);
    pthread_mutex_lock(&j->lock);
    while (!j->failed && j->written != j->handed_over)
        pthread_cond_wait(&j->freed, &j->lock);
    bool good = !j->failed;
    pthread_mutex_unlock(&j->lock);
    return good;
}

bool jobs_end(struct jobs *j)
{
    bool good = jobs_settle(j);
    stop(j);
    return good;
}

bool jobs_collecting(const struct jobs *j)
{
    return j->open != NULL;
}

bool jobs_written(struct jobs *j)
{
    pthread_mutex_lock(&j->lock);
    bool all = j->written == j->handed_over;
    pthread_mutex_unlock(&j->lock);
    return all;
}

bool jobs_failed(struct jobs *j)
{
    pthread_mutex_lock(&j->lock);
    bool failed = j->failed;
    pthread_mutex_unlock(&j->lock);
    return failed;
}

struct batch *jobs_take(struct jobs *j)
{
    struct batch *b = NULL;
    pthread_mutex_lock(&j->lock);
    while (!j->failed && !j->ending && j->taken == j->handed_over)
        pthread_cond_wait(&j->filled, &j->lock);
    if (!j->failed && j->taken != j->handed_over)
        b = batch_at(j, j->taken++);
    pthread_mutex_unlock(&j->lock);
    return b;
}

/* To be called with the lock held, which it lets go while it writes. */
static bool write_batch(struct jobs *j, struct batch *b)
{
    pthread_mutex_unlock(&j->lock);
    bool good = j->tasks.write(j->tasks.argument, b);
    b->count = b->refused = 0;
    b->bytes.len = b->records.len = b->rejects.len = 0;
    pthread_mutex_lock(&j->lock);
    b->done = false;
    return good;
}

/* What is done while another thread writes is left to that one. */
void jobs_done(struct jobs *j, struct batch *b)
{
    pthread_mutex_lock(&j->lock);
    b->done = true;
    while (!j->writing && !j->failed && batch_at(j, j->written)->done) {
        j->writing = true;
        if (write_batch(j, batch_at(j, j->written))) {
            j->written++;
        } else {
            j->failed = true;
            pthread_cond_broadcast(&j->filled);
        }
        j->writing = false;
        pthread_cond_signal(&j->freed);
    }
    pthread_mutex_unlock(&j->lock);
}
