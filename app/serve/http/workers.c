/*
 * workers.c - threads that take jobs from one queue, first come, first served.
 *
 * Invariants, under `lock`: `queued` is the length of the list from `first` to `last`; `busy` is
 * the number of threads that run a job, `idle` of those that sleep; nothing is added once
 * `is_closing`.
 */
#include "workers.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "mem.h"

struct fl_workers {
    pthread_mutex_t lock;
    pthread_cond_t work;
    fl_job *first, *last;
    size_t queued, max_queued;
    unsigned busy, idle, threads;
    uint64_t done, refused;
    bool is_closing;
    pthread_t ids[FL_MAX_WORKERS];
};

/* The first job, or NULL when there will be none. Called and left with the lock held. */
static fl_job *next_job(fl_workers *workers)
{
    while (workers->first == NULL && !workers->is_closing) {
        workers->idle++;
        (void)pthread_cond_wait(&workers->work, &workers->lock);
        workers->idle--;
    }
    fl_job *job = workers->first;
    if (job == NULL)
        return NULL;
    workers->first = job->next;
    if (workers->first == NULL)
        workers->last = NULL;
    workers->queued--;
    return job;
}

/* A thread's life: one job after the other, none of them under the lock. */
static void *work(void *payload)
{
    fl_workers *workers = payload;
    (void)pthread_mutex_lock(&workers->lock);
    for (fl_job *job = next_job(workers); job != NULL; job = next_job(workers)) {
        workers->busy++;
        (void)pthread_mutex_unlock(&workers->lock);
        job->run(job); /* it may be gone afterwards */
        (void)pthread_mutex_lock(&workers->lock);
        workers->busy--;
        workers->done++;
    }
    (void)pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* By the cores that there are; one where the system does not say. */
static unsigned usual_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    long threads = FL_WORKERS_PER_CORE * (cores > 0 ? cores : 1);
    if (threads < FL_MIN_WORKERS)
        return FL_MIN_WORKERS;
    return threads > FL_MAX_WORKERS ? FL_MAX_WORKERS : (unsigned)threads;
}

fl_status fl_workers_create(fl_workers **out, unsigned threads, size_t max_queued, fl_error *err)
{
    assert(out != NULL && threads <= FL_MAX_WORKERS && max_queued > 0);
    *out = NULL;
    fl_workers *workers = fl_mem_calloc(1, sizeof(*workers));
    if (workers == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for workers");
    workers->max_queued = max_queued;
    (void)pthread_mutex_init(&workers->lock, NULL);
    (void)pthread_cond_init(&workers->work, NULL);
    unsigned wanted = threads > 0 ? threads : usual_threads();
    /* Signals are for the thread that waits for them. */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (workers->threads < wanted &&
           pthread_create(&workers->ids[workers->threads], NULL, work, workers) == 0)
        workers->threads++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (workers->threads < wanted) {
        fl_workers_destroy(workers);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "cannot start %u threads", wanted);
    }
    *out = workers;
    return FL_OK;
}

void fl_workers_destroy(fl_workers *workers)
{
    if (workers == NULL)
        return;
    (void)pthread_mutex_lock(&workers->lock);
    workers->is_closing = true;
    (void)pthread_cond_broadcast(&workers->work);
    (void)pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->threads; i++)
        (void)pthread_join(workers->ids[i], NULL);
    assert(workers->first == NULL && workers->busy == 0);
    (void)pthread_cond_destroy(&workers->work);
    (void)pthread_mutex_destroy(&workers->lock);
    fl_mem_free(workers);
}

/* One job wakes one thread, where one sleeps: outside of the lock, which it would run into. */
bool fl_workers_submit(fl_workers *workers, fl_job *job)
{
    assert(workers != NULL && job != NULL && job->run != NULL);
    (void)pthread_mutex_lock(&workers->lock);
    assert(!workers->is_closing);
    bool taken = workers->queued < workers->max_queued, wakes = false;
    if (taken) {
        job->next = NULL;
        if (workers->last != NULL)
            workers->last->next = job;
        else
            workers->first = job;
        workers->last = job;
        workers->queued++;
        wakes = workers->idle > 0;
    } else {
        workers->refused++;
    }
    (void)pthread_mutex_unlock(&workers->lock);
    if (wakes)
        (void)pthread_cond_signal(&workers->work);
    return taken;
}

fl_workers_stats fl_workers_stats_of(fl_workers *workers)
{
    assert(workers != NULL);
    (void)pthread_mutex_lock(&workers->lock);
    fl_workers_stats stats = {.threads = workers->threads,
                              .busy = workers->busy,
                              .queued = workers->queued,
                              .max_queued = workers->max_queued,
                              .done = workers->done,
                              .refused = workers->refused};
    (void)pthread_mutex_unlock(&workers->lock);
    return stats;
}

/* Lock-free: each piece of each body comes through here. */
bool fl_budget_take(fl_budget *budget, size_t bytes)
{
    size_t used = atomic_load(&budget->used);
    do {
        if (bytes > budget->max || used > budget->max - bytes)
            return false;
    } while (!atomic_compare_exchange_weak(&budget->used, &used, used + bytes));
    return true;
}

void fl_budget_give(fl_budget *budget, size_t bytes)
{
    size_t before = atomic_fetch_sub(&budget->used, bytes);
    assert(before >= bytes);
    (void)before;
}
