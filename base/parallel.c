/*
 * parallel.c - threads that take the next part until there is none.
 */
#define _POSIX_C_SOURCE 200809L
#include "parallel.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

typedef struct work {
    size_t count;
    void (*task)(void *payload, size_t part);
    void *payload;
    atomic_size_t next; /* part that nobody has taken */
} work;

static void *take_parts(void *payload)
{
    work *shared = payload;
    for (;;) {
        size_t part = atomic_fetch_add(&shared->next, 1);
        if (part >= shared->count)
            return NULL;
        shared->task(shared->payload, part);
    }
}

/* One that is not told counts as one. */
static size_t processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = online > 1 ? (size_t)online : 1;
    return count < FL_MAX_PARALLEL ? count : FL_MAX_PARALLEL;
}

/* Signals are the caller's: the threads are started with none of them let through. */
void fl_parallel_run(size_t count, void (*task)(void *payload, size_t part), void *payload)
{
    work shared = {.count = count, .task = task, .payload = payload};
    pthread_t threads[FL_MAX_PARALLEL];
    size_t wanted = processors() < count ? processors() : count, started = 0;
    sigset_t all, before;
    assert(task != NULL);
    if (wanted > 1) {
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        while (started + 1 < wanted &&
               pthread_create(&threads[started], NULL, take_parts, &shared) == 0)
            started++;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)take_parts(&shared);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
}
