/*
 * rdkafka_tsan.h - librdkafka below ThreadSanitizer; include it in one file of a program.
 *
 * librdkafka makes its threads with thrd_create() of <threads.h>, which ThreadSanitizer of GCC 12
 * does not know: a thread that it did not see begin ends in a fault at its first call. What the
 * library, which is not instrumented, does inside is not ours to judge.
 */
#ifndef RDKAFKA_TSAN_H
#define RDKAFKA_TSAN_H

#ifdef __SANITIZE_THREAD__
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

struct rdkafka_begin {
    thrd_start_t run;
    void *arg;
};

static void *rdkafka_run(void *payload)
{
    struct rdkafka_begin begin = *(struct rdkafka_begin *)payload;
    free(payload);
    return (void *)(intptr_t)begin.run(begin.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
    struct rdkafka_begin *begin = malloc(sizeof(*begin));
    if (begin == NULL)
        return thrd_nomem;
    *begin = (struct rdkafka_begin){run, arg};
    return pthread_create(thread, NULL, rdkafka_run, begin) == 0 ? thrd_success : thrd_error;
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int code = pthread_join(thread, &value);
    if (result != NULL)
        *result = (int)(intptr_t)value;
    return code == 0 ? thrd_success : thrd_error;
}

const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:librdkafka.so\n";
}
#endif

#endif
