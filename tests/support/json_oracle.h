/*
 * json_oracle.h - read a document with fl_json into jansson's values, and hold the two against
 * each other. Shared by the differential test and the fuzz target.
 */
#ifndef FL_JSON_ORACLE_H
#define FL_JSON_ORACLE_H

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "json.h"
#include "slice.h"

/* What fl_json takes and jansson refuses. What jansson takes and fl_json refuses: depth beyond
 * FL_JSON_MAX_DEPTH, and a NUL byte right behind a number or a word, which jansson 2.14 loses. */
typedef struct json_oracle_doubts {
    bool nul_in_key;      /* jansson keeps keys as C strings */
    bool integer_too_big; /* jansson's integers are signed, of 64 bits */
} json_oracle_doubts;

static inline json_t *json_oracle_number(fl_json *in, json_oracle_doubts *doubts)
{
    fl_json_mark mark = fl_json_here(in);
    fl_slice text = fl_json_raw(in);
    if (!fl_json_ok(in))
        return NULL;
    bool whole = true;
    for (size_t i = 0; i < text.len; i++)
        whole = whole && text.ptr[i] != '.' && (text.ptr[i] | 0x20) != 'e';
    fl_json_rewind(in, mark);
    if (!whole)
        return json_real(fl_json_double(in));
    int64_t value = fl_json_i64(in);
    if (!fl_json_ok(in)) {
        doubts->integer_too_big = true;
        fl_json_rewind(in, mark);
        fl_json_skip(in);
    }
    return json_integer(value);
}

static inline json_t *json_oracle_value(fl_json *in, json_oracle_doubts *doubts)
{
    fl_slice text;
    switch (fl_json_peek(in)) {
    case FL_JSON_OBJECT:
        return fl_json_enter_object(in) ? json_object() : NULL;
    case FL_JSON_ARRAY:
        return fl_json_enter_array(in) ? json_array() : NULL;
    case FL_JSON_STRING:
        text = fl_json_string(in);
        return text.ptr != NULL ? json_stringn_nocheck((const char *)text.ptr, text.len) : NULL;
    case FL_JSON_NUMBER:
        return json_oracle_number(in, doubts);
    case FL_JSON_TRUE:
    case FL_JSON_FALSE:
        return json_boolean(fl_json_bool(in));
    case FL_JSON_NULL:
        return fl_json_null(in) ? json_null() : NULL;
    default:
        fl_json_skip(in); /* for the sentence */
        return NULL;
    }
}

/* Put `value`, which is owned, into `parent`; false, having dropped it, on failure. */
static inline bool json_oracle_put(json_t *parent, fl_slice key, json_t *value,
                                   json_oracle_doubts *doubts)
{
    char name[4096];
    if (json_is_array(parent))
        return json_array_append_new(parent, value) == 0;
    if (key.len >= sizeof(name) || memchr(key.ptr, '\0', key.len) != NULL) {
        doubts->nul_in_key = true; /* or too long for this table: compared no further */
        key.len = 0;
    }
    memcpy(name, key.ptr, key.len);
    name[key.len] = '\0';
    return json_object_set_new_nocheck(parent, name, value) == 0;
}

/* The one document in `bytes`, or NULL with the failure in *err. */
static inline json_t *json_oracle_read(fl_slice bytes, fl_arena *arena, json_oracle_doubts *doubts,
                                       fl_error *err)
{
    fl_json in = fl_json_over(bytes, arena);
    json_t *stack[FL_JSON_MAX_DEPTH + 1] = {0}; /* borrowed from root, but for the first */
    *doubts = (json_oracle_doubts){0};
    json_t *root = json_oracle_value(&in, doubts);
    stack[in.depth] = root;
    while (fl_json_ok(&in) && in.depth > 0) {
        json_t *parent = stack[in.depth];
        fl_slice key = {0};
        if (json_is_array(parent) ? !fl_json_next_element(&in) : !fl_json_next_member(&in, &key))
            continue;
        json_t *value = json_oracle_value(&in, doubts);
        if (value == NULL || !fl_json_ok(&in)) {
            json_decref(value);
            break;
        }
        if (json_is_array(value) || json_is_object(value))
            stack[in.depth] = value;
        if (!json_oracle_put(parent, key, value, doubts))
            break;
    }
    if (fl_json_finish(&in))
        return root;
    *err = in.err;
    json_decref(root);
    return NULL;
}

/* NULL where both agree about `bytes`, or differ as is documented; else what is wrong. */
static inline const char *json_oracle_compare(fl_slice bytes, fl_arena *arena)
{
    json_oracle_doubts doubts;
    fl_error err = {0};
    json_t *ours = json_oracle_read(bytes, arena, &doubts, &err);
    json_t *theirs =
        json_loadb((const char *)bytes.ptr, bytes.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    bool doubtful = doubts.nul_in_key || doubts.integer_too_big;
    bool has_nul = bytes.len > 0 && memchr(bytes.ptr, '\0', bytes.len) != NULL;
    const char *wrong = NULL;
    if (ours != NULL && theirs == NULL && !doubtful)
        wrong = "taken here, refused by jansson";
    else if (ours == NULL && theirs != NULL && err.status != FL_E_LIMIT && !has_nul)
        wrong = "refused here, taken by jansson";
    else if (ours != NULL && theirs != NULL && !doubtful && !json_equal(ours, theirs))
        wrong = "other values than jansson's";
    json_decref(ours);
    json_decref(theirs);

    /* Stepping over it must judge as reading it does, but for numbers out of range. */
    fl_json in = fl_json_over(bytes, arena);
    fl_json_skip(&in);
    bool skipped = fl_json_finish(&in);
    bool out_of_range = strcmp(err.message, "number beyond the range of a double") == 0;
    if (wrong == NULL && !out_of_range &&
        (skipped != (err.status == FL_OK) || in.err.offset != err.offset ||
         strcmp(in.err.message, err.message) != 0))
        wrong = "skipped with another verdict than read";
    return wrong;
}

#endif
