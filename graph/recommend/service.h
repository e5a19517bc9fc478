/*
 * service.h - the description of a service that is about to be: YAML or JSON.
 *
 *   name: checkout
 *   kind: http-service                # any word
 *   components:
 *     - {name: spring-boot, version: 2.7.18}
 *   config:                           # nested or dotted: {redis: {timeout: 2000ms}} is
 *     redis.timeout: 2000ms           # redis.timeout=2000ms
 *   depends_on: [redis, ledger]
 *
 * schemas/json/service.schema.json is the same as a contract. What begins with '{' is JSON.
 */
#ifndef FL_SERVICE_H
#define FL_SERVICE_H

#include "arena.h"

enum {
    FL_MAX_SERVICE_BYTES = 4 << 20,
    FL_MAX_SERVICE_COMPONENTS = 1000,
    FL_MAX_SERVICE_SETTINGS = 10000,
    FL_MAX_SERVICE_TEXT_BYTES = 400 /* of a name, a version or a value: keys of the graph end */
};

typedef struct fl_service_part { /* a component with its version, a setting with its value */
    const char *name, *value;    /* value NULL: a component whose version is not said */
} fl_service_part;

typedef struct fl_service {
    const char *name, *kind; /* kind NULL: not said */
    const fl_service_part *components, *settings;
    size_t component_count, setting_count;
    const char *const *depends_on;
    size_t depends_on_count;
} fl_service;

/* Texts in `arena`. FL_E_SYNTAX: "SOURCE:LINE:COLUMN: what is wrong", at its offset; FL_E_LIMIT
 * above what is said above; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_service_read(fl_service *out, fl_arena *arena, fl_slice text,
                                       const char *source, fl_error *err);

#endif
