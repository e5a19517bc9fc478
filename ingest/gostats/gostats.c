/*
 * gostats.c - rows to columns, and what the columns are called.
 *
 * Decoders push rows in the order of the file. What exceeds FL_MAX_GOSTATS_ROWS is thinned out by
 * doubling the distance between kept rows, which needs no second look at the file and gives the
 * same rows whatever the file's length was thought to be.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "faultline/limits.h"
#include "gostats_priv.h"
#include "slice.h"

static const struct {
    const char *name, *unit;
} STATS[] = {
    [FL_GOSTAT_HEAP_ALLOC_BYTES] = {"heap-alloc", "bytes"},
    [FL_GOSTAT_HEAP_INUSE_BYTES] = {"heap-inuse", "bytes"},
    [FL_GOSTAT_HEAP_IDLE_BYTES] = {"heap-idle", "bytes"},
    [FL_GOSTAT_HEAP_RELEASED_BYTES] = {"heap-released", "bytes"},
    [FL_GOSTAT_HEAP_SYS_BYTES] = {"heap-sys", "bytes"},
    [FL_GOSTAT_HEAP_LIVE_BYTES] = {"heap-live", "bytes"},
    [FL_GOSTAT_HEAP_OBJECTS] = {"heap-objects", ""},
    [FL_GOSTAT_STACK_INUSE_BYTES] = {"stack-inuse", "bytes"},
    [FL_GOSTAT_SYS_BYTES] = {"sys", "bytes"},
    [FL_GOSTAT_NEXT_GC_BYTES] = {"next-gc", "bytes"},
    [FL_GOSTAT_GOROUTINES] = {"goroutines", ""},
    [FL_GOSTAT_GC_CPU_RATIO] = {"gc-cpu", "ratio"},
    [FL_GOSTAT_NUM_GC] = {"num-gc", ""},
    [FL_GOSTAT_NUM_FORCED_GC] = {"num-forced-gc", ""},
    [FL_GOSTAT_PAUSE_TOTAL_NS] = {"pause-total", "ns"},
    [FL_GOSTAT_MARK_ASSIST_NS] = {"mark-assist", "ns"},
    [FL_GOSTAT_GC_CPU_NS] = {"gc-cpu-time", "ns"},
    [FL_GOSTAT_TOTAL_ALLOC_BYTES] = {"total-alloc", "bytes"},
    [FL_GOSTAT_MALLOCS] = {"mallocs", ""},
    [FL_GOSTAT_FREES] = {"frees", ""},
    [FL_GOSTAT_REQUESTS] = {"requests", ""},
};

_Static_assert(sizeof(STATS) / sizeof(STATS[0]) == FL_GOSTAT_COUNT, "each column has a name");
enum { FIRST_ROWS = 32 };
_Static_assert(FL_MAX_GOSTATS_ROWS % FIRST_ROWS == 0, "doubling meets the limit");
_Static_assert((FL_MAX_GOSTATS_ROWS & (FL_MAX_GOSTATS_ROWS - 1)) == 0, "and so does thinning out");

const char *fl_gostat_name(fl_gostat stat)
{
    assert((unsigned)stat < FL_GOSTAT_COUNT);
    return STATS[stat].name;
}

const char *fl_gostat_unit(fl_gostat stat)
{
    assert((unsigned)stat < FL_GOSTAT_COUNT);
    return STATS[stat].unit;
}

/* The enumeration holds the counters last. */
bool fl_gostat_is_counter(fl_gostat stat)
{
    assert((unsigned)stat < FL_GOSTAT_COUNT);
    return stat >= FL_GOSTAT_NUM_GC;
}

void fl_gostats_row_clear(fl_gostats_row *row)
{
    assert(row != NULL);
    row->time_ns = 0;
    for (size_t s = 0; s < FL_GOSTAT_COUNT; s++)
        row->values[s] = (double)NAN;
}

/* Keep every second row: twice the stride, room for as many again. */
static void thin_out(fl_gostats_rows *rows)
{
    assert(rows->count == FL_MAX_GOSTATS_ROWS);
    for (size_t i = 0; i < rows->count / 2; i++)
        rows->rows[i] = rows->rows[2 * i];
    rows->count /= 2;
    rows->stride *= 2;
}

/* Room for one more row; the old rows stay behind in the arena. */
static fl_status grow(fl_gostats_rows *rows, fl_error *err)
{
    assert(rows->count == rows->cap && rows->cap < FL_MAX_GOSTATS_ROWS);
    size_t cap = rows->cap == 0 ? FIRST_ROWS : rows->cap * 2;
    fl_gostats_row *grown = fl_arena_alloc(rows->arena, cap, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for memory statistics");
    if (rows->count > 0)
        memcpy(grown, rows->rows, rows->count * sizeof(*grown));
    rows->rows = grown;
    rows->cap = cap;
    return FL_OK;
}

fl_status fl_gostats_rows_add(fl_gostats_rows *rows, const fl_gostats_row *row, fl_error *err)
{
    if (rows->seen == 0)
        rows->stride = 1;
    if (rows->count == FL_MAX_GOSTATS_ROWS)
        thin_out(rows);
    if (rows->seen % rows->stride == 0) {
        fl_status status = rows->count == rows->cap ? grow(rows, err) : FL_OK;
        if (status != FL_OK)
            return status;
        rows->rows[rows->count++] = *row;
    }
    rows->last = *row;
    rows->seen++;
    return FL_OK;
}

void fl_gostats_reject(fl_gostats_rows *rows, uint64_t offset, const char *message)
{
    assert(message != NULL);
    if (rows->rejected++ == 0)
        (void)fl_fail(&rows->first_reject, FL_E_SYNTAX, offset, "%s", message);
}

/* The last row is kept whatever the stride, in place of the one before it where there is no room.
 */
static void keep_last(fl_gostats_rows *rows)
{
    assert(rows->seen > 0 && rows->count > 0);
    if ((rows->seen - 1) % rows->stride == 0)
        return;
    if (rows->count == rows->cap)
        rows->count--;
    rows->rows[rows->count++] = rows->last;
}

/* Whether any row tells of the column. */
static bool has_column(const fl_gostats_rows *rows, size_t stat)
{
    for (size_t i = 0; i < rows->count; i++)
        if (!isnan(rows->rows[i].values[stat]))
            return true;
    return false;
}

/* Transpose the kept rows; the rows themselves stay behind in the arena. */
static fl_status to_columns(fl_gostats *out, fl_gostats_rows *rows, fl_error *err)
{
    keep_last(rows);
    int64_t *times = fl_arena_alloc(rows->arena, rows->count, sizeof(*times));
    if (times == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for memory statistics");
    for (size_t i = 0; i < rows->count; i++)
        times[i] = rows->rows[i].time_ns;
    for (size_t s = 0; s < FL_GOSTAT_COUNT; s++) {
        if (!has_column(rows, s))
            continue;
        double *column = fl_arena_alloc(rows->arena, rows->count, sizeof(*column));
        if (column == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for memory statistics");
        for (size_t i = 0; i < rows->count; i++)
            column[i] = rows->rows[i].values[s];
        out->values[s] = column;
    }
    out->times_ns = times;
    out->row_count = rows->count;
    out->left_out = rows->seen - rows->count;
    out->is_since_start = rows->is_since_start;
    return FL_OK;
}

/* JSON begins with a brace; a byte order mark may stand before it. */
static bool begins_as_json(fl_slice bytes)
{
    if (fl_slice_starts_with(bytes, FL_SLICE("\xef\xbb\xbf")))
        bytes = (fl_slice){.ptr = bytes.ptr + 3, .len = bytes.len - 3};
    bytes = fl_slice_trim(bytes);
    return bytes.len > 0 && bytes.ptr[0] == '{';
}

fl_status fl_gostats_read(fl_gostats *out, fl_slice bytes, int64_t default_ns, fl_arena *arena,
                          fl_error *err)
{
    assert(out != NULL && arena != NULL);
    /* The first byte decides: gctrace lines stand in text that never begins with a brace alone. */
    *out = (fl_gostats){0};
    fl_gostats_rows rows = {.arena = arena};
    bool is_expvar = false;
    bool is_json = begins_as_json(bytes);
    fl_status status = is_json ? fl_gostats_read_json(&rows, bytes, default_ns, &is_expvar, err)
                               : fl_gostats_read_gctrace(&rows, bytes, err);
    if (status != FL_OK)
        return status;
    out->source = !is_json ? FL_GOSTATS_GCTRACE : is_expvar ? FL_GOSTATS_EXPVAR : FL_GOSTATS_LINES;
    out->rejected = rows.rejected;
    out->first_reject = rows.first_reject;
    if (rows.seen == 0 && rows.rejected > 0)
        return fl_fail(err, FL_E_SYNTAX, rows.first_reject.offset, "%s", rows.first_reject.message);
    if (rows.seen == 0)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "no memory statistics of a Go program");
    return to_columns(out, &rows, err);
}

/* Our own short needles only: the search is quadratic at worst. */
static bool holds(fl_slice text, fl_slice needle)
{
    return fl_slice_find(text, needle) < text.len;
}

/* Members that no other JSON that we read has; or one line of gctrace. */
bool fl_gostats_sniff(fl_slice head)
{
    if (begins_as_json(head))
        return holds(head, FL_SLICE("\"memstats\"")) || holds(head, FL_SLICE("\"HeapAlloc\"")) ||
               holds(head, FL_SLICE("\"heap_alloc\"")) || holds(head, FL_SLICE("\"HeapInuse\"")) ||
               holds(head, FL_SLICE("\"heap_inuse\""));
    while (head.len > 0) {
        const unsigned char *feed = memchr(head.ptr, '\n', head.len);
        size_t len = feed != NULL ? (size_t)(feed - head.ptr) : head.len, at;
        if (fl_gctrace_find(&at, (fl_slice){.ptr = head.ptr, .len = len}))
            return true;
        len += feed != NULL;
        head = (fl_slice){.ptr = head.ptr + len, .len = head.len - len};
    }
    return false;
}
