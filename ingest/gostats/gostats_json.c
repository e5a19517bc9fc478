/*
 * gostats_json.c - memory statistics out of JSON objects.
 *
 * Members are named as Go's struct names them or in lower case with underscores: a key is compared
 * without its underscores and case. Of what is nested only `memstats` is looked into (expvar).
 * An object that cannot be read costs itself: reading goes on at the next line that begins with a
 * brace.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "gostats_priv.h"
#include "json.h"
#include "number.h"
#include "slice.h"
#include "timestamp.h"

/* The times of a row, by falling precedence. */
enum { SINCE_START = FL_GOSTAT_COUNT, WALL_TIME, LAST_GC, MEMSTATS };
enum { MAX_KEY = 24 };

static const struct {
    const char *folded;
    int member; /* fl_gostat, or one of the above */
} MEMBERS[] = {
    {"heapalloc", FL_GOSTAT_HEAP_ALLOC_BYTES},
    {"heapinuse", FL_GOSTAT_HEAP_INUSE_BYTES},
    {"heapidle", FL_GOSTAT_HEAP_IDLE_BYTES},
    {"heapreleased", FL_GOSTAT_HEAP_RELEASED_BYTES},
    {"heapsys", FL_GOSTAT_HEAP_SYS_BYTES},
    {"heapobjects", FL_GOSTAT_HEAP_OBJECTS},
    {"stackinuse", FL_GOSTAT_STACK_INUSE_BYTES},
    {"sys", FL_GOSTAT_SYS_BYTES},
    {"nextgc", FL_GOSTAT_NEXT_GC_BYTES},
    {"goroutines", FL_GOSTAT_GOROUTINES},
    {"numgoroutine", FL_GOSTAT_GOROUTINES},
    {"gccpufraction", FL_GOSTAT_GC_CPU_RATIO},
    {"gccpu", FL_GOSTAT_GC_CPU_RATIO},
    {"numgc", FL_GOSTAT_NUM_GC},
    {"numforcedgc", FL_GOSTAT_NUM_FORCED_GC},
    {"pausetotalns", FL_GOSTAT_PAUSE_TOTAL_NS},
    {"totalalloc", FL_GOSTAT_TOTAL_ALLOC_BYTES},
    {"mallocs", FL_GOSTAT_MALLOCS},
    {"frees", FL_GOSTAT_FREES},
    {"requests", FL_GOSTAT_REQUESTS},
    {"t", SINCE_START},
    {"time", WALL_TIME},
    {"timestamp", WALL_TIME},
    {"lastgc", LAST_GC},
    {"memstats", MEMSTATS},
};

/* One object while it is read. Members may come in any order, so that it is dated at its end. */
typedef struct fl_gostats_object {
    fl_gostats_row row;
    double since_start_s; /* NaN: absent */
    int64_t wall_ns, last_gc_ns;
    bool has_wall, has_heap, has_memstats;
} fl_gostats_object;

/* The member that `key` names, or -1. */
static int member_of(fl_slice key)
{
    char folded[MAX_KEY + 1];
    size_t len = 0;
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = key.ptr[i];
        if (c == '_')
            continue;
        if (len == MAX_KEY)
            return -1;
        folded[len++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    folded[len] = '\0';
    for (size_t i = 0; i < sizeof(MEMBERS) / sizeof(MEMBERS[0]); i++)
        if (strcmp(MEMBERS[i].folded, folded) == 0)
            return MEMBERS[i].member;
    return -1;
}

/* Text is RFC 3339 or an epoch in a string; a number is an epoch, in seconds where it is small. */
static void read_wall_time(fl_json *in, fl_gostats_object *object)
{
    fl_error err = {0};
    size_t at = in->pos;
    bool is_text = fl_json_peek(in) == FL_JSON_STRING;
    fl_slice text = is_text ? fl_json_string(in) : fl_json_raw(in);
    if (!fl_json_ok(in))
        return;
    const unsigned char *dot = is_text ? NULL : memchr(text.ptr, '.', text.len);
    double seconds = 0;
    if (dot != NULL && fl_parse_double(text, &seconds) && seconds >= 0 && seconds < 9e9)
        object->wall_ns = (int64_t)(seconds * 1e9);
    else if (fl_time_parse(&object->wall_ns, text, 0, &err) != FL_OK) {
        fl_json_fail(in, at, "%s", err.message);
        return;
    }
    object->has_wall = true;
}

/* Counts and bytes; the neutral value of a failed read is not kept. */
static void read_number(fl_json *in, int member, fl_gostats_object *object)
{
    size_t at = in->pos;
    if (member == LAST_GC) { /* nanoseconds: a double would round them */
        uint64_t last_gc = fl_json_u64(in);
        object->last_gc_ns = last_gc <= INT64_MAX ? (int64_t)last_gc : 0;
        return;
    }
    double value = fl_json_double(in);
    if (!fl_json_ok(in))
        return;
    if (!(value >= 0) || isinf(value)) {
        fl_json_fail(in, at, "a memory statistic is not a number of at least 0");
        return;
    }
    if (member == SINCE_START)
        object->since_start_s = value;
    else {
        assert(member >= 0 && member < FL_GOSTAT_COUNT);
        object->row.values[member] = value;
        object->has_heap |= member <= FL_GOSTAT_HEAP_SYS_BYTES;
    }
}

/* What is not known, and what is no number (lists of pauses, sizes by class), is stepped over. */
static void read_member(fl_json *in, fl_slice key, fl_gostats_object *object)
{
    int member = member_of(key);
    fl_json_kind kind = fl_json_peek(in);
    if (member == WALL_TIME)
        read_wall_time(in, object);
    else if (member < 0 || member == MEMSTATS || kind == FL_JSON_OBJECT || kind == FL_JSON_ARRAY ||
             kind == FL_JSON_NULL)
        fl_json_skip(in);
    else
        read_number(in, member, object);
}

/* expvar: the runtime's own struct among variables of the program. */
static void read_memstats(fl_json *in, fl_gostats_object *object)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    object->has_memstats = true;
    while (fl_json_next_member(in, &key))
        read_member(in, key, object);
}

/* The next object; false where it is broken or is no object. */
static bool read_object(fl_json *in, fl_gostats_object *object)
{
    fl_slice key;
    *object = (fl_gostats_object){.since_start_s = (double)NAN};
    fl_gostats_row_clear(&object->row);
    if (!fl_json_enter_object(in))
        return false;
    while (fl_json_next_member(in, &key))
        if (member_of(key) == MEMSTATS && fl_json_peek(in) == FL_JSON_OBJECT)
            read_memstats(in, object);
        else
            read_member(in, key, object);
    return fl_json_ok(in);
}

/* Date the row; true where its kind of time is that of the rows before it. */
static bool date_row(fl_gostats_rows *rows, fl_gostats_object *object, int64_t default_ns)
{
    bool is_since_start = !isnan(object->since_start_s) && object->since_start_s < 9e9;
    if (is_since_start)
        object->row.time_ns = (int64_t)(object->since_start_s * 1e9);
    else if (object->has_wall)
        object->row.time_ns = object->wall_ns;
    else
        object->row.time_ns = object->last_gc_ns > 0 ? object->last_gc_ns : default_ns;
    if (rows->seen == 0)
        rows->is_since_start = is_since_start;
    return rows->is_since_start == is_since_start;
}

/* The next line that begins with a brace, from the line after `pos` on. */
static size_t next_object(fl_slice bytes, size_t pos)
{
    assert(pos <= bytes.len);
    while (pos < bytes.len) {
        const unsigned char *feed = memchr(bytes.ptr + pos, '\n', bytes.len - pos);
        if (feed == NULL)
            return bytes.len;
        pos = (size_t)(feed - bytes.ptr) + 1;
        while (pos < bytes.len && (bytes.ptr[pos] == ' ' || bytes.ptr[pos] == '\t'))
            pos++;
        if (pos < bytes.len && bytes.ptr[pos] == '{')
            return pos;
    }
    return bytes.len;
}

/* An object becomes a row where it tells of the heap and its time can be compared. */
static fl_status keep_object(fl_gostats_rows *rows, fl_gostats_object *object, size_t offset,
                             int64_t default_ns, fl_error *err)
{
    if (!object->has_heap)
        return FL_OK; /* an object of something else */
    if (!date_row(rows, object, default_ns)) {
        fl_gostats_reject(rows, offset, "times since the start and dates are mixed in one file");
        return FL_OK;
    }
    return fl_gostats_rows_add(rows, &object->row, err);
}

/* Objects until the end, or until one breaks: it is rejected and *resume is where the search for
 * the next one begins. */
static fl_status read_objects(fl_gostats_rows *rows, fl_json *in, size_t begin, int64_t default_ns,
                              size_t *resume, bool *is_expvar)
{
    fl_gostats_object object;
    fl_error err = {0};
    while (fl_json_peek(in) != FL_JSON_END) {
        size_t at = fl_json_here(in).pos;
        while (at < in->bytes.len && in->bytes.ptr[at] <= ' ')
            at++;
        *resume = begin + at;
        if (!read_object(in, &object))
            break;
        *is_expvar |= object.has_memstats;
        if (keep_object(rows, &object, begin + at, default_ns, &err) != FL_OK)
            return fl_fail(&in->err, err.status, FL_NO_OFFSET, "%s", err.message);
    }
    if (in->err.status == FL_E_NOMEM)
        return FL_E_NOMEM;
    if (!fl_json_ok(in))
        fl_gostats_reject(rows, begin + in->err.offset, in->err.message);
    return FL_OK;
}

fl_status fl_gostats_read_json(fl_gostats_rows *rows, fl_slice bytes, int64_t default_ns,
                               bool *is_expvar, fl_error *err)
{
    assert(rows->seen == 0);
    size_t begin = fl_slice_starts_with(bytes, FL_SLICE("\xef\xbb\xbf")) ? 3 : 0;
    while (begin < bytes.len) {
        fl_json in = fl_json_over((fl_slice){bytes.ptr + begin, bytes.len - begin}, rows->arena);
        size_t resume = begin;
        if (read_objects(rows, &in, begin, default_ns, &resume, is_expvar) != FL_OK)
            return fl_fail(err, in.err.status, FL_NO_OFFSET, "%s", in.err.message);
        if (fl_json_ok(&in))
            break;
        begin = next_object(bytes, resume);
    }
    return FL_OK;
}
