/*
 * fl_store_place.h - a fresh store for a test: an SQLite file, or where FL_TEST_STORE names a
 * PostgreSQL server (tests/integration/with_postgres), an empty schema there. So one suite holds
 * for every kind of store.
 */
#ifndef FL_STORE_PLACE_H
#define FL_STORE_PLACE_H

#include <stdio.h>
#include <unistd.h>

#include "fl_test.h"

typedef struct fl_store_place {
    char folder[64];
    char url[256];
    bool is_shared; /* a server's */
} fl_store_place;

static inline void fl_store_place_make(fl_store_place *place)
{
    const char *shared = getenv("FL_TEST_STORE");
    snprintf(place->folder, sizeof(place->folder), "/tmp/fl_store_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place->folder));
    place->is_shared = shared != NULL;
    if (shared == NULL) {
        snprintf(place->url, sizeof(place->url), "%s/store.db", place->folder);
        return;
    }
    snprintf(place->url, sizeof(place->url), "%s", shared);
    ck_assert_int_eq(system("psql -qXc 'SET client_min_messages = warning;"
                            " DROP SCHEMA IF EXISTS faultline CASCADE'"),
                     0);
}

static inline void fl_store_place_clear(const fl_store_place *place)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
    ck_assert_int_eq(system(command), 0);
}

#endif
