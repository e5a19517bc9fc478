/*
 * heap_strings.c - equal Strings side by side: sort by the hash of their characters.
 *
 * A String is a reference `value` to an array of char (up to Java 8) or of bytes with a `coder`
 * beside it (from Java 9 on), of which 1 says UTF-16. Java 6 cut Strings out of shared arrays by
 * `offset` and `count`, which are honoured.
 *
 * The hash is of the bytes and of what they are coded in. HotSpot codes a text in one way only:
 * Latin-1 wherever it can. So Strings of different coding are never equal.
 *
 * The rows that lose most are kept in a heap of `top` of them, the least on top, so that memory
 * does not follow the number of texts; the rest is in the sort.
 */
#include "heap_strings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "slice.h"
#include "sort.h"

/* One String: its characters in the dump. */
typedef struct text {
    fl_slice bytes;
    uint32_t coding; /* the array's type, and the coder above it */
    fl_heap_object array;
} text;

typedef struct strings_run {
    const fl_heap *heap;
    fl_heap_strings *out;
    fl_keyed *items; /* hash, String */
    size_t count;
    size_t top;
} strings_run;

/* A number of a String, where its class has such a field. */
static uint64_t number_field(const fl_heap *heap, fl_heap_object object, fl_slice name,
                             uint64_t fallback)
{
    assert(object < fl_heap_count(heap));
    fl_heap_type type;
    uint64_t bits;
    bool found = fl_heap_field(heap, object, name, &type, &bits);
    return found && type != FL_HEAP_REFERENCE ? bits : fallback;
}

/* False for a String whose characters the dump does not have. */
static bool text_of(text *out, const fl_heap *heap, fl_heap_object string)
{
    fl_heap_item item;
    out->array = fl_heap_follow(heap, string, "value");
    if (out->array == FL_HEAP_NONE || !fl_heap_item_of(heap, out->array, &item) ||
        item.kind != FL_HEAP_ITEM_VALUES ||
        (item.type != FL_HEAP_CHAR && item.type != FL_HEAP_BYTE))
        return false;
    size_t width = item.type == FL_HEAP_CHAR ? 2 : 1;
    uint64_t from = number_field(heap, string, FL_SLICE("offset"), 0);
    uint64_t count = number_field(heap, string, FL_SLICE("count"), item.count);
    uint64_t have = item.body.len / width;
    from = from < have ? from : have;
    count = count < have - from ? count : have - from;
    out->bytes = fl_slice_part(item.body, from * width, (from + count) * width);
    out->coding = item.type | (uint32_t)number_field(heap, string, FL_SLICE("coder"), 0) << 8;
    return true;
}

/* Coding included: the same bytes are another text in UTF-16. */
static uint64_t hash_of(const text *t)
{
    return fl_hash_mix(fl_hash_stable(t->bytes) ^ t->coding);
}

/* ---- the rows that lose most ---- */

/* Whether `a` stands behind `b`; of equal ones the one with the higher address. */
static bool is_less(const fl_heap_text *a, const fl_heap_text *b)
{
    if (a->lost_bytes != b->lost_bytes)
        return a->lost_bytes < b->lost_bytes;
    return a->example > b->example;
}

/* The most first. */
static int by_loss(const void *a, const void *b)
{
    return is_less(a, b) ? 1 : is_less(b, a) ? -1 : 0;
}

/* The least row comes to the top again after the top was replaced. */
static void sift_down(fl_heap_text *rows, size_t count)
{
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && is_less(&rows[child + 1], &rows[child]))
            child++;
        if (!is_less(&rows[child], &rows[at]))
            return;
        fl_heap_text row = rows[at];
        rows[at] = rows[child];
        rows[child] = row;
        at = child;
    }
}

/* A row that was put at the end goes where it belongs. */
static void sift_up(fl_heap_text *rows, size_t at)
{
    assert(rows != NULL);
    while (at > 0 && is_less(&rows[at], &rows[(at - 1) / 2])) {
        fl_heap_text row = rows[at];
        rows[at] = rows[(at - 1) / 2];
        rows[(at - 1) / 2] = row;
        at = (at - 1) / 2;
    }
}

/* One of the rows that lose most so far, or none. */
static void keep_row(strings_run *r, const fl_heap_text *row)
{
    fl_heap_strings *out = r->out;
    assert(out->row_count <= r->top);
    if (out->row_count < r->top) {
        out->rows[out->row_count] = *row;
        sift_up(out->rows, out->row_count++);
    } else if (r->top > 0 && is_less(&out->rows[0], row)) {
        out->rows[0] = *row;
        sift_down(out->rows, out->row_count);
    }
}

/* ---- groups of equal texts ---- */

/* How many arrays the Strings of items [from, to) have, equal ones to the first; *strings gets how
 * many they are. Arrays are told apart by sorting them. */
static uint64_t count_arrays(strings_run *r, size_t from, size_t to, uint64_t *strings)
{
    assert(from < to && to <= r->count);
    text first, other;
    uint64_t arrays = 0;
    size_t kept = from;
    bool has_first = text_of(&first, r->heap, r->items[from].index);
    assert(has_first);
    (void)has_first; /* a hash was made of it */
    for (size_t i = from; i < to; i++) {
        bool is_equal = text_of(&other, r->heap, r->items[i].index) &&
                        other.coding == first.coding && fl_slice_equal(other.bytes, first.bytes);
        if (is_equal)
            r->items[kept++].key = other.array;
    }
    *strings = kept - from;
    fl_sort_keyed(r->items + from, r->items + r->count + from, kept - from);
    for (size_t i = from; i < kept; i++)
        arrays += i == from || r->items[i].key != r->items[i - 1].key;
    return arrays;
}

/* All Strings of one hash. */
static void add_group(strings_run *r, size_t from, size_t to)
{
    assert(from < to);
    fl_heap_text row = {.example = r->items[from].index, .strings = 1};
    r->out->texts++;
    if (to - from < 2)
        return;
    text first;
    bool has_text = text_of(&first, r->heap, row.example);
    assert(has_text);
    (void)has_text;
    row.arrays = count_arrays(r, from, to, &row.strings);
    r->out->texts += (to - from) - row.strings;
    row.lost_bytes = (row.strings - 1) * fl_heap_shallow_bytes(r->heap, row.example) +
                     (row.arrays - 1) * fl_heap_shallow_bytes(r->heap, first.array);
    r->out->lost_bytes += row.lost_bytes;
    if (row.strings > 1)
        keep_row(r, &row);
}

/* ---- all Strings ---- */

/* Arrays that several Strings share count once: those of equal text stand together later, and only
 * there it is known; here each is weighed by a bit. */
static void weigh(strings_run *r, unsigned char *seen, fl_heap_object string, fl_heap_object array)
{
    assert(array < fl_heap_count(r->heap));
    unsigned char bit = (unsigned char)(1u << array % 8);
    r->out->bytes += fl_heap_shallow_bytes(r->heap, string);
    if ((seen[array / 8] & bit) == 0)
        r->out->bytes += fl_heap_shallow_bytes(r->heap, array);
    seen[array / 8] |= bit;
}

/* One pass over the objects: which are Strings, and the hash of each. */
static fl_status gather(strings_run *r, uint32_t class_index, fl_error *err)
{
    assert(r->items == NULL);
    text t;
    fl_heap_object count = (fl_heap_object)fl_heap_count(r->heap);
    uint64_t most = fl_heap_class_at(r->heap, class_index)->count;
    unsigned char *seen = fl_mem_calloc(count / 8 + 1, 1);
    r->items = seen != NULL ? fl_mem_calloc(2 * most + 1, sizeof(*r->items)) : NULL;
    for (fl_heap_object i = 0; r->items != NULL && i < count && r->count < most; i++) {
        if (fl_heap_class_of(r->heap, i) != class_index || !text_of(&t, r->heap, i))
            continue;
        r->items[r->count++] = (fl_keyed){.key = hash_of(&t), .index = i};
        weigh(r, seen, i, t.array);
    }
    fl_mem_free(seen);
    return r->items != NULL ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
}

/* Runs of one hash in the sorted items. */
static void group(strings_run *r)
{
    r->out->strings = r->count;
    fl_sort_keyed(r->items, r->items + r->count, r->count);
    size_t from = 0;
    while (from < r->count) {
        size_t to = from + 1;
        while (to < r->count && r->items[to].key == r->items[from].key)
            to++;
        add_group(r, from, to);
        from = to;
    }
    if (r->out->row_count > 0)
        qsort(r->out->rows, r->out->row_count, sizeof(*r->out->rows), by_loss);
}

fl_status fl_heap_strings_find(fl_heap_strings *out, const fl_heap *heap, size_t top, fl_error *err)
{
    assert(out != NULL && heap != NULL);
    *out = (fl_heap_strings){0};
    uint32_t class_index = fl_heap_find_class(heap, FL_SLICE("java.lang.String"), 0);
    if (class_index == FL_HEAP_NONE)
        return FL_OK;
    uint64_t most = fl_heap_class_at(heap, class_index)->count / 2;
    strings_run r = {.heap = heap, .out = out, .top = top < most ? top : most};
    fl_status status = gather(&r, class_index, err);
    if (status == FL_OK) {
        out->rows = fl_mem_calloc(r.top + 1, sizeof(*out->rows));
        if (out->rows != NULL)
            group(&r);
        else
            status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    }
    fl_mem_free(r.items);
    return status;
}

void fl_heap_strings_dispose(fl_heap_strings *strings)
{
    assert(strings != NULL);
    fl_mem_free(strings->rows);
    *strings = (fl_heap_strings){0};
}
