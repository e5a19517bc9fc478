/*
 * rdkafka_lazy.c - librdkafka, where Kafka is read. The soname is that of the interface which the
 * header describes: librdkafka has kept it since 0.8.
 */
#define FL_RDKAFKA_OWN_NAMES
#include "rdkafka_lazy.h"

FL_RDKAFKA_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_RDKAFKA_FUNCTIONS(FL_LAZY_SYMBOL)};

static fl_lazy_library library = FL_LAZY_LIBRARY("librdkafka.so.1", symbols);

fl_status fl_rdkafka_load(fl_error *err)
{
    return fl_lazy_load(&library, err);
}
