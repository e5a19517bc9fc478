/*
 * library.h - the curated library: what is publicly known to go wrong, and what helps.
 *
 * The built-in documents are in schemas/library/, their form in schemas/json/library.schema.json:
 *
 *   components: [{name: lettuce, aliases: ['io.lettuce:lettuce-core']}]
 *   settings:   [{name: redis.timeout, aliases: [spring.redis.timeout]}]
 *   items:
 *     - name: small-letters-and-dashes    # the cause's key in the graph, for ever
 *       title: What is wrong
 *       revision: 2                       # counts up when an item comes back; absent: 1
 *       runtime: go                       # go, jvm, python or any
 *       benign: true                      # looks like trouble and is none; absent: false
 *       cause: Why it goes wrong
 *       symptoms:                         # how it is seen; each as one of
 *         - {leak: map-only-grows}                         # a kind of schemas/signatures
 *         - {metric: name, is: pool}                       # and a cause kind of incident.h
 *         - {exception: Type, message: its text}
 *         - {said: words of people}
 *       needs:                            # when it applies, all of them; absent: never asked
 *         - {component: go, versions: 'semver <1.23'}          # gate.h
 *         - {setting: redis.timeout, is: '>=1s'}
 *       fixes:
 *         - {do: 'set redis.timeout=500ms', why: ..., plan: ...}   # advice.h
 *       references: ['https://...']
 *       grade: read                       # cause and fix stand in the references; practice: the
 *   superseded:                           # fix is what is usually done
 *     - {name: an-item-that-was, by: another, why: ...}
 *
 * A name that was released stands for ever in `items` or in `superseded`, so that a graph that was
 * made from an older library can be told what no longer holds.
 */
#ifndef FL_LIBRARY_H
#define FL_LIBRARY_H

#include <stdbool.h>

#include "faultline/incident.h"
#include "faultline/status.h"

typedef enum fl_library_sign {
    FL_LIBRARY_LEAK,
    FL_LIBRARY_METRIC,
    FL_LIBRARY_EXCEPTION,
    FL_LIBRARY_SAID
} fl_library_sign;

typedef struct fl_library_symptom {
    fl_library_sign sign;
    const char *text;    /* a leak's kind, a metric, an exception's type, words */
    const char *message; /* of an exception; NULL: none */
    fl_cause cause;      /* of a metric */
} fl_library_symptom;

typedef struct fl_library_need {
    bool is_component; /* else a setting */
    const char *name;
    const char *gate; /* gate.h; NULL: any version, or any value */
} fl_library_need;

typedef struct fl_library_fix {
    const char *text; /* advice.h */
    const char *why;
    const char *plan; /* that carries it out; NULL: none */
} fl_library_fix;

typedef struct fl_library_item {
    const char *name, *title, *cause;
    const char *runtime;
    unsigned revision;
    bool benign, is_practice;
    const fl_library_symptom *symptoms;
    size_t symptom_count;
    const fl_library_need *needs;
    size_t need_count;
    const fl_library_fix *fixes;
    size_t fix_count;
    const char *const *references;
    size_t reference_count;
} fl_library_item;

typedef struct fl_library_gone { /* an item that was */
    const char *name, *why;
    const char *by; /* NULL: nothing */
} fl_library_gone;

typedef struct fl_library fl_library;

/* An empty library. The caller owns *out. */
FL_NODISCARD fl_status fl_library_create(fl_library **out, fl_error *err);
void fl_library_destroy(fl_library *library); /* NULL is a no-op */

/* Add a document. All or nothing: after a failure the library is as it was. FL_E_SYNTAX:
 * "SOURCE:LINE:COLUMN: what is wrong", also for a name that stands in the library already;
 * FL_E_LIMIT: too many; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_library_add(fl_library *library, fl_slice yaml, const char *source,
                                      fl_error *err);
/* Add schemas/library/. */
FL_NODISCARD fl_status fl_library_add_built_in(fl_library *library, fl_error *err);

/* In the order in which they were added. Borrowed until the next add. */
const fl_library_item *fl_library_items(const fl_library *library, size_t *count);
/* Items that an earlier library had. */
const fl_library_gone *fl_library_gone_items(const fl_library *library, size_t *count);

enum { FL_LIBRARY_NAME_BYTES = 512 };

/* The library's own name for a component: small letters, white space as '-', aliases resolved; what
 * the library does not know keeps its own. Returns `out`. */
const char *fl_library_component(char out[FL_LIBRARY_NAME_BYTES], const fl_library *library,
                                 fl_slice name);
/* The same for the name of a setting, with '_' as '-' and letters small, as relaxed binding has it,
 * so that SPRING_REDIS_TIMEOUT is found as well. */
const char *fl_library_setting(char out[FL_LIBRARY_NAME_BYTES], const fl_library *library,
                               fl_slice name);

#endif
