/*
 * rdkafka_lazy.c - librdkafka, where Kafka is read. The soname is that of the interface which the
 * header describes: librdkafka has kept it since 0.8.
 */
#define FL_RDKAFKA_OWN_NAMES
#include "rdkafka_lazy.h"

#include <pthread.h>

FL_RDKAFKA_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_RDKAFKA_FUNCTIONS(FL_LAZY_SYMBOL)};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static fl_status loaded;
static fl_error why;

static void load(void)
{
    loaded = fl_lazy_load("librdkafka.so.1", symbols, sizeof(symbols) / sizeof(symbols[0]), &why);
}

/* By whoever comes first; what failed once fails each time. */
fl_status fl_rdkafka_load(fl_error *err)
{
    (void)pthread_once(&once, load);
    return loaded == FL_OK ? FL_OK : fl_fail(err, loaded, FL_NO_OFFSET, "%s", why.message);
}
