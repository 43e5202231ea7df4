#include "relay/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"

struct worker_slot {
    struct batch batch;
    bool parsed;
};

struct workers {
    const struct relay_config *config;
    struct sink *sink;
    struct worker_slot *slots; /* a ring: batch n is in slot n % slot_count */
    unsigned slot_count;
    pthread_mutex_t lock; /* protects the fields below and `parsed` of the slots */
    pthread_cond_t submitted_more;
    pthread_cond_t written_more;
    uint64_t submitted; /* batches */
    uint64_t taken;
    uint64_t written;
    bool writing; /* a thread is writing */
    bool ending;
    unsigned thread_count;
    pthread_t threads[WORKERS_MAX];
};

static struct worker_slot *workers_slot(const struct workers *w, uint64_t n)
{
    return &w->slots[n % w->slot_count];
}

/* Returns the next batch to parse, or NULL if the thread is to end. */
static struct worker_slot *workers_take(struct workers *w)
{
    struct worker_slot *slot = NULL;
    pthread_mutex_lock(&w->lock);
    while (!sink_failed(w->sink) && !w->ending && w->taken == w->submitted)
        pthread_cond_wait(&w->submitted_more, &w->lock);
    if (!sink_failed(w->sink) && w->taken != w->submitted)
        slot = workers_slot(w, w->taken++);
    pthread_mutex_unlock(&w->lock);
    return slot;
}

/* Writes the oldest batch. Called with the lock, which it releases for the write. */
static void workers_write(struct workers *w, struct worker_slot *slot)
{
    w->writing = true;
    pthread_mutex_unlock(&w->lock);
    sink_report(w->sink, &slot->batch);
    sink_write(w->sink, &slot->batch);
    batch_clear(&slot->batch);
    pthread_mutex_lock(&w->lock);
    slot->parsed = false;
    w->writing = false;
    if (sink_failed(w->sink))
        pthread_cond_broadcast(&w->submitted_more);
    else
        w->written++;
    pthread_cond_signal(&w->written_more);
}

/* Batches that are finished during a write are left to the thread that writes. */
static void workers_finish(struct workers *w, struct worker_slot *slot)
{
    pthread_mutex_lock(&w->lock);
    slot->parsed = true;
    while (!w->writing && !sink_failed(w->sink) && workers_slot(w, w->written)->parsed)
        workers_write(w, workers_slot(w, w->written));
    pthread_mutex_unlock(&w->lock);
}

/* A thread cannot parse: the relay ends. */
static void workers_fail(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    sink_fail(w->sink);
    pthread_cond_broadcast(&w->submitted_more);
    pthread_cond_broadcast(&w->written_more);
    pthread_mutex_unlock(&w->lock);
}

static void *workers_run(void *argument)
{
    struct workers *w = argument;
    struct batch_parser parser;
    struct worker_slot *slot;
    if (!batch_parser_init(&parser, w->config)) {
        workers_fail(w);
        return NULL;
    }
    while ((slot = workers_take(w))) {
        batch_parse(&slot->batch, &parser);
        workers_finish(w, slot);
    }
    batch_parser_free(&parser);
    return NULL;
}

struct workers *workers_new(unsigned threads, const struct relay_config *config, struct sink *sink)
{
    unsigned slot_count = 2 * threads + 2;
    struct workers *w = calloc(1, sizeof *w);
    struct worker_slot *slots = calloc(slot_count, sizeof *slots);
    if (!w || !slots) {
        log_printf("--jobs: %m");
        free(w);
        free(slots);
        return NULL;
    }
    *w = (struct workers){.config = config, .sink = sink, .slots = slots, .slot_count = slot_count};
    for (unsigned i = 0; i < slot_count; i++)
        batch_init(&slots[i].batch, BATCH_FRAMES);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->submitted_more, NULL);
    pthread_cond_init(&w->written_more, NULL);
    for (; w->thread_count < threads; w->thread_count++) {
        errno = pthread_create(&w->threads[w->thread_count], NULL, workers_run, w);
        if (errno) {
            log_printf("--jobs: cannot start thread %u of %u: %m", w->thread_count + 1, threads);
            workers_destroy(w);
            return NULL;
        }
    }
    return w;
}

void workers_destroy(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->submitted_more);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->thread_count; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->submitted_more);
    pthread_cond_destroy(&w->written_more);
    pthread_mutex_destroy(&w->lock);
    for (unsigned i = 0; i < w->slot_count; i++)
        batch_free(&w->slots[i].batch);
    free(w->slots);
    free(w);
}

struct batch *workers_next_batch(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    while (!sink_failed(w->sink) && w->submitted - w->written == w->slot_count)
        pthread_cond_wait(&w->written_more, &w->lock);
    struct batch *b = sink_failed(w->sink) ? NULL : &workers_slot(w, w->submitted)->batch;
    pthread_mutex_unlock(&w->lock);
    return b;
}

void workers_submit(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    w->submitted++;
    pthread_cond_signal(&w->submitted_more);
    pthread_mutex_unlock(&w->lock);
}

void workers_wait(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    while (!sink_failed(w->sink) && w->written != w->submitted)
        pthread_cond_wait(&w->written_more, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

bool workers_idle(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    bool idle = w->written == w->submitted;
    pthread_mutex_unlock(&w->lock);
    return idle;
}
