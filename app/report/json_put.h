/*
 * json_put.h - what the JSON documents of all answers have in common: how a value is written.
 *
 * A text that is NULL and a number that is not finite are null; bytes that are not UTF-8 become
 * U+FFFD. Members stand in the order in which they are put.
 */
#ifndef FL_JSON_PUT_H
#define FL_JSON_PUT_H

#include <jansson.h>
#include <stdbool.h>

#include "buf.h"
#include "confidence.h"
#include "faultline/incident.h"

typedef struct fl_put {
    fl_status status; /* the first failure */
} fl_put;

/* Take `value`, which may be NULL when memory ran out while it was made. */
void fl_put_value(fl_put *w, json_t *object, const char *key, json_t *value);
/* The same at the end of an array. */
void fl_put_item(fl_put *w, json_t *array, json_t *value);
/* null for NULL. */
json_t *fl_put_text_of(const char *text);
void fl_put_text(fl_put *w, json_t *object, const char *key, const char *text);
/* RFC 3339, UTC, with as many decimals as the nanoseconds need. */
void fl_put_time(fl_put *w, json_t *object, const char *key, int64_t time_ns);
/* The same; null for 0, which is no moment. */
void fl_put_moment(fl_put *w, json_t *object, const char *key, int64_t time_ns);
/* Both ends; null twice for the range of nothing. */
void fl_put_range(fl_put *w, json_t *object, const char *key, fl_range range);
/* at, low, high: null thrice where it cannot be told when it began. */
void fl_put_onset(fl_put *w, json_t *object, const char *key, fl_onset onset);
void fl_put_count(fl_put *w, json_t *object, const char *key, uint64_t count);
void fl_put_number(fl_put *w, json_t *object, const char *key, double value);
/* Six decimals: beyond them two builds of the same sum differ. */
void fl_put_rounded(fl_put *w, json_t *object, const char *key, double value);
/* The way from the heap to what a finding is about: a list of steps. */
void fl_put_path(fl_put *w, json_t *object, const char *key, const fl_kept_step *path,
                 size_t count);
/* A posterior and how many items it rests on: mean, low, high, n (learnt.schema.json). */
void fl_put_belief(fl_put *w, json_t *object, const char *key, const fl_confidence *belief,
                   size_t items);
/* Append a value as it is, with jansson's `flags`; it stays the caller's. False when memory or the
 * buffer ran out. */
bool fl_put_dump(fl_buf *out, const json_t *value, size_t flags);
/* Append the document, which is taken, with a newline; FL_E_NOMEM or the buffer's failure. */
FL_NODISCARD fl_status fl_put_document(fl_buf *out, fl_put *w, json_t *document, fl_error *err);

#endif
