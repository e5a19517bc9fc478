/*
 * json_put.c - values of an answer as jansson's, so that every document writes them alike.
 *
 * A failure is kept in the writer and the rest of the document is still built: one check at its end
 * is enough, and jansson passes the NULL of a failed constructor on.
 */
#include "json_put.h"

#include <assert.h>
#include <math.h>

#include "slice.h"
#include "timestamp.h"
#include "utf8.h"

/* The first failure wins; the rest of the document is still built, and dropped at the end. */
static void failed(fl_put *w, fl_status status)
{
    if (w->status == FL_OK)
        w->status = status;
}

/* Takes `value`, which may be NULL when memory ran out while it was made. */
void fl_put_value(fl_put *w, json_t *object, const char *key, json_t *value)
{
    assert(key != NULL);
    if (json_object_set_new_nocheck(object, key, value) != 0)
        failed(w, FL_E_NOMEM);
}

/* As put(), at the end of an array. */
void fl_put_item(fl_put *w, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        failed(w, FL_E_NOMEM);
}

/* Texts are UTF-8, but for names of files, which may be anything: what is not becomes U+FFFD, byte
 * by byte, or the whole document would be unreadable. */
static json_t *repaired(fl_slice bytes)
{
    fl_buf text = fl_buf_of(3 * bytes.len);
    while (bytes.len > 0) {
        size_t good = fl_utf8_valid_prefix(bytes);
        fl_buf_add(&text, (fl_slice){.ptr = bytes.ptr, .len = good});
        bytes.ptr += good;
        bytes.len -= good;
        if (bytes.len > 0) {
            fl_buf_text(&text, "\xef\xbf\xbd");
            bytes.ptr++;
            bytes.len--;
        }
    }
    json_t *value = text.status == FL_OK ? json_stringn_nocheck(text.ptr, text.len) : NULL;
    fl_buf_dispose(&text);
    return value;
}

/* null for NULL. */
json_t *fl_put_text_of(const char *text)
{
    if (text == NULL)
        return json_null();
    fl_slice bytes = fl_slice_of(text);
    return fl_utf8_valid_prefix(bytes) == bytes.len ? json_stringn_nocheck(text, bytes.len)
                                                    : repaired(bytes);
}

/* text_of() as a member. */
void fl_put_text(fl_put *w, json_t *object, const char *key, const char *text)
{
    fl_put_value(w, object, key, fl_put_text_of(text));
}

/* RFC 3339, UTC, with as many decimals as the nanoseconds need. */
void fl_put_time(fl_put *w, json_t *object, const char *key, int64_t time_ns)
{
    char text[FL_TIME_TEXT];
    fl_put_value(w, object, key, json_string_nocheck(fl_time_format(text, time_ns)));
}

void fl_put_moment(fl_put *w, json_t *object, const char *key, int64_t time_ns)
{
    if (time_ns != 0)
        fl_put_time(w, object, key, time_ns);
    else
        fl_put_value(w, object, key, json_null());
}

/* The object is always there, so that a reader finds its members; null says that there is none. */
void fl_put_range(fl_put *w, json_t *object, const char *key, fl_range range)
{
    json_t *pair = json_object();
    if (range.from_ns == 0 && range.to_ns == 0) {
        fl_put_value(w, pair, "from", json_null());
        fl_put_value(w, pair, "to", json_null());
    } else {
        fl_put_time(w, pair, "from", range.from_ns);
        fl_put_time(w, pair, "to", range.to_ns);
    }
    fl_put_value(w, object, key, pair);
}

/* Likewise three. */
void fl_put_onset(fl_put *w, json_t *object, const char *key, fl_onset onset)
{
    assert(onset.low_ns <= onset.at_ns && onset.at_ns <= onset.high_ns);
    const char *const keys[] = {"at", "low", "high"};
    const int64_t times[] = {onset.at_ns, onset.low_ns, onset.high_ns};
    json_t *times_of = json_object();
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (onset.at_ns == 0)
            fl_put_value(w, times_of, keys[i], json_null());
        else
            fl_put_time(w, times_of, keys[i], times[i]);
    }
    fl_put_value(w, object, key, times_of);
}

/* jansson's integers are signed: a count beyond them is shown as the largest. */
void fl_put_count(fl_put *w, json_t *object, const char *key, uint64_t count)
{
    fl_put_value(w, object, key, json_integer((json_int_t)(count < INT64_MAX ? count : INT64_MAX)));
}

/* JSON has no NaN and no infinity; adding 0 turns minus zero, which prints as "-0.0", into zero. */
void fl_put_number(fl_put *w, json_t *object, const char *key, double value)
{
    fl_put_value(w, object, key, isfinite(value) ? json_real(value + 0.0) : json_null());
}

/* Six decimals: beyond them two builds of the same sum differ. */
void fl_put_rounded(fl_put *w, json_t *object, const char *key, double value)
{
    fl_put_number(w, object, key, fabs(value) < 1e9 ? round(value * 1e6) / 1e6 : value);
}

/* A callback of jansson: -1 ends the dump. The buffer keeps why. */
static int to_buf(const char *bytes, size_t len, void *payload)
{
    fl_buf *out = payload;
    fl_buf_add(out, (fl_slice){.ptr = (const unsigned char *)bytes, .len = len});
    return out->status == FL_OK ? 0 : -1;
}

/* "before_bytes" is null where there was no earlier dump, and 0 where it held nothing of note. */
void fl_put_path(fl_put *w, json_t *object, const char *key, const fl_kept_step *path, size_t count)
{
    json_t *list = json_array();
    assert(count <= FL_KEPT_STEPS);
    for (size_t i = 0; i < count; i++) {
        json_t *step = json_object();
        fl_put_text(w, step, "what", fl_kept_kind_name(path[i].kind));
        fl_put_text(w, step, "class", path[i].type);
        fl_put_text(w, step, "field", path[i].field);
        fl_put_count(w, step, "objects", path[i].objects);
        fl_put_count(w, step, "retained_bytes", path[i].retained_bytes);
        if (path[i].has_before)
            fl_put_count(w, step, "before_bytes", path[i].before_bytes);
        else
            fl_put_value(w, step, "before_bytes", json_null());
        fl_put_count(w, step, "left_out", path[i].left_out);
        fl_put_item(w, list, step);
    }
    fl_put_value(w, object, key, list);
}

void fl_put_belief(fl_put *w, json_t *object, const char *key, const fl_confidence *belief,
                   size_t items)
{
    json_t *member = json_object();
    fl_put_rounded(w, member, "mean", belief->mean);
    fl_put_rounded(w, member, "low", belief->low);
    fl_put_rounded(w, member, "high", belief->high);
    fl_put_count(w, member, "n", items);
    fl_put_value(w, object, key, member);
}

bool fl_put_dump(fl_buf *out, const json_t *value, size_t flags)
{
    return value != NULL && json_dump_callback(value, to_buf, out, flags) == 0;
}

fl_status fl_put_document(fl_buf *out, fl_put *w, json_t *document, fl_error *err)
{
    assert(out != NULL && w != NULL);
    if (w->status == FL_OK && !fl_put_dump(out, document, JSON_INDENT(2) | JSON_REAL_PRECISION(9)))
        failed(w, out->status != FL_OK ? out->status : FL_E_NOMEM);
    json_decref(document);
    fl_buf_char(out, '\n');
    if (w->status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while writing the answer");
    return fl_buf_check(out, "the JSON answer", err);
}
