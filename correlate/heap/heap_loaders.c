/*
 * heap_loaders.c - loaders gathered from the classes, then compared by the names that they have in
 * common.
 *
 * Names are sorted with their loaders: those of one name and one class of loader stand together,
 * those with one URL beside each other, and each of them is compared with the few before it. Not
 * with the first alone: programs that bring the same library each have it in common with others
 * than their copies. Linear in the classes but for the sort, so that ten thousand loaders of one
 * class each (plug-ins, reflection) cost nothing.
 */
#include "heap_loaders.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "hash.h"
#include "heap_groups.h"
#include "map.h"
#include "mem.h"
#include "slice.h"
#include "sort.h"

/* Of the loaders that have a class of one name: so many before each one are compared with it. */
enum { MAX_COMPARED = 8 };

/* A class that tells what its loader is about. */
typedef struct told {
    uint32_t loader_class;
    fl_slice name;
    uint64_t url; /* of the loader, hashed; 0: not known */
    size_t row;   /* of the loader */
} told;

typedef struct comparing {
    const fl_heap *heap;
    fl_heap_loaders *out;
    fl_map *rows; /* loader to row */
    told *told;
    size_t told_count;
    uint32_t *told_by; /* [row] how many of them */
    uint64_t *urls;    /* [row] hashed; 0: not known */
    size_t *first;     /* [row] of its copies, or a row that has the same first */
    bool *is_loader;   /* [class] whether its instances are loaders */
    size_t *defined;   /* [class] the row that defines it, or FL_HEAP_NO_GROUP */
    fl_map *common;    /* two rows, the smaller one in the upper half, to names in common */
} comparing;

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the class loaders");
}

/* --- what a loader says of itself --- */

static bool text_of(const fl_heap *heap, fl_heap_object of, const char *field, char *out,
                    size_t cap)
{
    fl_heap_object text = fl_heap_follow(heap, of, field);
    return text != FL_HEAP_NONE && fl_heap_string(heap, text, out, cap);
}

/* The URLClassPath of a loader that has one. */
static fl_heap_object path_of(const fl_heap *heap, fl_heap_object loader)
{
    return loader != FL_HEAP_NONE ? fl_heap_follow(heap, loader, "ucp") : FL_HEAP_NONE;
}

bool fl_heap_loader_url(const fl_heap *heap, fl_heap_object loader, char out[FL_HEAP_URL_BYTES])
{
    char protocol[16] = "", file[FL_HEAP_URL_BYTES - 17];
    fl_heap_item item;
    fl_heap_object at = path_of(heap, loader);
    at = at != FL_HEAP_NONE ? fl_heap_follow(heap, at, "path") : at;
    at = at != FL_HEAP_NONE ? fl_heap_follow(heap, at, "elementData") : at;
    out[0] = '\0';
    if (at == FL_HEAP_NONE || !fl_heap_item_of(heap, at, &item) ||
        item.kind != FL_HEAP_ITEM_OBJECTS || item.count == 0)
        return false;
    uint64_t id = fl_heap_value(heap, &item, FL_HEAP_REFERENCE, 0);
    fl_heap_object url = id != 0 ? fl_heap_find(heap, id) : FL_HEAP_NONE;
    if (url == FL_HEAP_NONE || !text_of(heap, url, "file", file, sizeof(file)))
        return false;
    (void)text_of(heap, url, "protocol", protocol, sizeof(protocol));
    int len = snprintf(out, FL_HEAP_URL_BYTES, "%s:%s", protocol, file);
    assert(len > 0 && len < FL_HEAP_URL_BYTES);
    return true;
}

/* Known of URLClassLoader and what inherits from it, from Java 9 on. */
static bool is_closed(const fl_heap *heap, fl_heap_object loader)
{
    fl_heap_type type;
    uint64_t bits = 0;
    fl_heap_object path = path_of(heap, loader);
    return path != FL_HEAP_NONE && fl_heap_field(heap, path, FL_SLICE("closed"), &type, &bits) &&
           bits != 0;
}

/* --- gathering --- */

/* Names that are made up when a program runs: the same program has others the next time. */
static bool is_made_up(fl_slice name)
{
    return fl_slice_find(name, FL_SLICE("$$")) < name.len ||
           fl_slice_find(name, FL_SLICE("+0x")) < name.len;
}

static uint64_t hash_of_url(const fl_heap *heap, fl_heap_object loader)
{
    char url[FL_HEAP_URL_BYTES];
    return fl_heap_loader_url(heap, loader, url) ? fl_hash_stable(fl_slice_of(url)) | 1 : 0;
}

/* The row of a loader, made when it is met first; the boot loader is FL_HEAP_NONE. */
static fl_status row_of(size_t *out, comparing *c, fl_heap_object loader, fl_error *err)
{
    bool added;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, c->rows, loader, &added, err);
    if (status != FL_OK)
        return status;
    if (added) {
        *slot = c->out->count++;
        c->out->rows[*slot] = (fl_heap_loader){.object = loader, .copies = 1};
        c->first[*slot] = (size_t)*slot;
        c->urls[*slot] = hash_of_url(c->heap, loader);
    }
    *out = (size_t)*slot;
    return FL_OK;
}

/* What tells nothing of its loader is counted and not compared. */
static fl_status take_class(comparing *c, uint32_t index, fl_error *err)
{
    const fl_heap_class *facts = fl_heap_class_at(c->heap, index);
    size_t row = 0;
    fl_status status = row_of(&row, c, facts->loader, err);
    if (status != FL_OK)
        return status;
    fl_heap_loader *loader = &c->out->rows[row];
    if (facts->loader != FL_HEAP_NONE)
        c->defined[index] = row;
    loader->objects += facts->count;
    loader->bytes += facts->bytes;
    loader->classes += !facts->is_array;
    if (facts->loader == FL_HEAP_NONE || facts->is_array || is_made_up(facts->name) ||
        !fl_heap_is_reached(c->heap, facts->loader))
        return FL_OK;
    c->told[c->told_count++] = (told){.loader_class = fl_heap_class_of(c->heap, facts->loader),
                                      .name = facts->name,
                                      .url = c->urls[row],
                                      .row = row};
    c->told_by[row]++;
    return FL_OK;
}

/* Loaders that define nothing are loaders, too. */
static fl_status take_idle(comparing *c, fl_error *err)
{
    fl_status status = FL_OK;
    size_t row;
    for (fl_heap_object i = 0; i < fl_heap_count(c->heap) && status == FL_OK; i++)
        if (c->is_loader[fl_heap_class_of(c->heap, i)])
            status = row_of(&row, c, i, err);
    return status;
}

/* Classes whose instances are loaders; how many there may be at most. What a class says of its
 * instances may come out of an index: they are counted. */
static size_t mark_loaders(bool *is_loader, const fl_heap *heap)
{
    size_t classes = fl_heap_class_count(heap), most = 1 + classes;
    uint32_t base = fl_heap_find_class(heap, FL_SLICE("java.lang.ClassLoader"), 0);
    for (uint32_t i = 0; base != FL_HEAP_NONE && i < classes; i++)
        is_loader[i] = fl_heap_inherits(heap, i, base);
    for (fl_heap_object o = 0; o < fl_heap_count(heap); o++)
        most += is_loader[fl_heap_class_of(heap, o)];
    return most;
}

/* Room for every class and every loader, so that no row moves while others point at it. */
static fl_status gather(comparing *c, fl_error *err)
{
    size_t classes = fl_heap_class_count(c->heap);
    c->is_loader = fl_mem_calloc(classes + 1, sizeof(*c->is_loader));
    size_t most = c->is_loader != NULL ? mark_loaders(c->is_loader, c->heap) : 0;
    c->defined = fl_mem_calloc(classes + 1, sizeof(*c->defined));
    c->out->rows = fl_mem_calloc(most, sizeof(*c->out->rows));
    c->first = fl_mem_calloc(most, sizeof(*c->first));
    c->told_by = fl_mem_calloc(most, sizeof(*c->told_by));
    c->urls = fl_mem_calloc(most, sizeof(*c->urls));
    c->told = fl_mem_calloc(classes + 1, sizeof(*c->told));
    fl_status status = FL_OK;
    if (c->is_loader == NULL || c->defined == NULL || c->out->rows == NULL || c->first == NULL ||
        c->told_by == NULL || c->urls == NULL || c->told == NULL)
        status = no_memory(err);
    for (uint32_t i = 0; i < classes && status == FL_OK; i++) {
        c->defined[i] = FL_HEAP_NO_GROUP;
        if (fl_heap_class_at(c->heap, i)->id > FL_HEAP_LONG) /* ids of classes that are dumped */
            status = take_class(c, i, err);
    }
    return status == FL_OK ? take_idle(c, err) : status;
}

/* --- comparing --- */

static int by_name(const void *a, const void *b)
{
    const told *x = a, *y = b;
    if (x->loader_class != y->loader_class)
        return x->loader_class < y->loader_class ? -1 : 1;
    int order = fl_slice_compare(x->name, y->name);
    if (order != 0)
        return order;
    if (x->url != y->url)
        return x->url < y->url ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Both are known to load from somewhere, and not from the same place. */
static bool are_apart(const comparing *c, size_t a, size_t b)
{
    return c->urls[a] != c->urls[b] && c->urls[a] != 0 && c->urls[b] != 0;
}

/* A name that two loaders have in common; of one that was unloaded and loaded again, nothing, and
 * nothing where the two load from different places. */
static fl_status add_common(comparing *c, size_t a, size_t b, fl_error *err)
{
    uint64_t *slot, low = a < b ? a : b, high = a < b ? b : a;
    if (a == b || are_apart(c, a, b))
        return FL_OK;
    fl_status status = fl_map_slot(&slot, c->common, low << 32 | high, NULL, err);
    if (status == FL_OK)
        ++*slot;
    return status;
}

/* Runs of one name: what stands near each other in one has that name in common. Copies that came
 * between others of their URL are found by the chain from one to the next. */
static fl_status count_common(comparing *c, fl_error *err)
{
    fl_status status = FL_OK;
    if (c->told_count > 1)
        qsort(c->told, c->told_count, sizeof(*c->told), by_name);
    for (size_t first = 0, i = 1; i < c->told_count; i++) {
        const told *a = &c->told[first], *b = &c->told[i];
        if (a->loader_class != b->loader_class || !fl_slice_equal(a->name, b->name))
            first = i;
        size_t from = i - first > MAX_COMPARED ? i - MAX_COMPARED : first;
        for (size_t k = from; k < i && status == FL_OK; k++)
            status = add_common(c, c->told[k].row, b->row, err);
    }
    return status;
}

/* How many of so many names two loaders must have in common. Where they load from is not known, as
 * of the loaders of application servers, it is nearly all: two programs may have the same
 * libraries, and each has classes of its own. */
static uint64_t least_common(const comparing *c, size_t a, size_t b, uint64_t names)
{
    assert(!are_apart(c, a, b));
    return c->urls[a] == 0 || c->urls[b] == 0 ? names - names / 50 : (names + 1) / 2;
}

/* Each search halves the way for those that follow (Tarjan, van Leeuwen, JACM 1984). */
static size_t first_of(comparing *c, size_t row)
{
    while (c->first[row] != row) {
        c->first[row] = c->first[c->first[row]];
        row = c->first[row];
    }
    return row;
}

static bool are_alike(const comparing *c, size_t a, size_t b, uint64_t common)
{
    uint64_t fewer = c->told_by[a] < c->told_by[b] ? c->told_by[a] : c->told_by[b];
    return common >= least_common(c, a, b, fewer);
}

/* One that has loaded little may be like two that are not like each other: it goes with the first.
 * Of two that were not compared nothing is known against it. */
static void join_pair(comparing *c, size_t low, size_t high, uint64_t common)
{
    size_t a = first_of(c, low), b = first_of(c, high);
    uint64_t first = a < b ? a : b, other = a < b ? b : a;
    const uint64_t *of_firsts = fl_map_find(c->common, first << 32 | other);
    if (a == b || are_apart(c, a, b) || !are_alike(c, low, high, common) ||
        (of_firsts != NULL && !are_alike(c, a, b, *of_firsts)))
        return;
    c->first[other] = (size_t)first;
}

/* In the order of their numbers, whatever that of the map: the smaller number is the first. */
static fl_status join(comparing *c, fl_error *err)
{
    size_t cursor = 0, count = fl_map_count(c->common), kept = 0;
    uint64_t key, common;
    fl_keyed *pairs = fl_mem_calloc(2 * count + 1, sizeof(*pairs));
    if (pairs == NULL)
        return no_memory(err);
    while (fl_map_next(c->common, &cursor, &key, &common)) {
        assert(key >> 32 < (key & UINT32_MAX) && (key & UINT32_MAX) < c->out->count);
        pairs[kept++].key = key;
    }
    fl_sort_keyed(pairs, pairs + count, kept);
    for (size_t i = 0; i < kept; i++)
        join_pair(c, (size_t)(pairs[i].key >> 32), (size_t)(pairs[i].key & UINT32_MAX),
                  *fl_map_find(c->common, pairs[i].key));
    fl_mem_free(pairs);
    return FL_OK;
}

/* --- the whole --- */

static int by_retained(const void *a, const void *b)
{
    const fl_heap_loader *x = a, *y = b;
    if (x->retained_bytes != y->retained_bytes)
        return x->retained_bytes < y->retained_bytes ? 1 : -1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->object > y->object) - (x->object < y->object);
}

/* Sets are numbered in the order of the rows, which is that of sizes. */
static void order(fl_heap_loaders *out, comparing *c)
{
    size_t *number = c->first; /* free for use once each row has its set */
    for (size_t i = 0; i < out->count; i++)
        out->rows[i].set = first_of(c, i);
    for (size_t i = 0; i < out->count; i++)
        number[i] = 0;
    for (size_t i = 0; i < out->count; i++)
        number[out->rows[i].set]++;
    for (size_t i = 0; i < out->count; i++)
        out->rows[i].copies = number[out->rows[i].set];
    if (out->count > 1)
        qsort(out->rows, out->count, sizeof(*out->rows), by_retained);
    for (size_t i = 0; i < out->count; i++)
        number[i] = 0;
    for (size_t i = 0; i < out->count; i++) {
        fl_heap_loader *row = &out->rows[i];
        if (row->copies > 1 && number[row->set] == 0)
            number[row->set] = ++out->set_count;
        row->set = number[row->set];
    }
}

/* One walk over the heap for all of them, and none where there are no copies. */
static fl_status find_ways(fl_heap_loaders *out, const fl_heap *heap, size_t most, fl_error *err)
{
    size_t count = 0;
    fl_heap_object *wanted = fl_mem_calloc(out->count + 1, sizeof(*wanted));
    size_t *of_set = fl_mem_calloc(out->set_count + 1, sizeof(*of_set));
    for (size_t i = 0; wanted != NULL && of_set != NULL && i < out->count; i++) {
        size_t set = out->rows[i].set;
        if (set > 0 && (most == 0 || (set <= most && of_set[set]++ < most)))
            wanted[count++] = out->rows[i].object;
    }
    out->ways = fl_mem_calloc(count + 1, sizeof(*out->ways));
    fl_status status = FL_OK;
    if (wanted == NULL || of_set == NULL || out->ways == NULL)
        status = no_memory(err);
    else if (count > 0)
        status = fl_heap_ways_find(out->ways, heap, wanted, count, err);
    for (size_t i = 0, way = 0; status == FL_OK && i < out->count; i++)
        if (way < count && wanted[way] == out->rows[i].object)
            out->rows[i].way = &out->ways[way++];
    fl_mem_free(wanted);
    fl_mem_free(of_set);
    return status;
}

/* A loader, its classes and their instances are of one group; what the virtual machine itself
 * defines is of none. */
static size_t group_of(void *payload, fl_heap_object object)
{
    const comparing *c = payload;
    uint32_t index = fl_heap_class_of(c->heap, object);
    uint32_t meant = fl_heap_class_meant(c->heap, object);
    const uint64_t *row = c->is_loader[index] ? fl_map_find(c->rows, object) : NULL;
    if (row != NULL)
        return (size_t)*row;
    return c->defined[meant != FL_HEAP_NONE ? meant : index];
}

/* Together, so that what a class keeps and its loader keeps as well is counted once. */
static fl_status measure(comparing *c, fl_error *err)
{
    fl_heap_loaders *out = c->out;
    uint64_t *bytes = fl_mem_calloc(out->count + 1, sizeof(*bytes));
    if (bytes == NULL)
        return no_memory(err);
    fl_status status = fl_heap_groups_retain(bytes, c->heap, out->count, group_of, c, err);
    for (size_t i = 0; i < out->count; i++) {
        out->rows[i].retained_bytes = bytes[i];
        out->rows[i].is_closed = is_closed(c->heap, out->rows[i].object);
    }
    fl_mem_free(bytes);
    return status;
}

/* Rows first, then names in common, then sizes: each step needs those before it. */
fl_status fl_heap_loaders_find(fl_heap_loaders *out, const fl_heap *heap, size_t most,
                               fl_error *err)
{
    comparing c = {.heap = heap, .out = out};
    *out = (fl_heap_loaders){.count = 0};
    fl_status status = fl_map_create(&c.rows, UINT32_MAX, err);
    if (status == FL_OK)
        status = fl_map_create(&c.common, UINT32_MAX, err);
    if (status == FL_OK)
        status = gather(&c, err);
    if (status == FL_OK)
        status = count_common(&c, err);
    if (status == FL_OK)
        status = join(&c, err);
    if (status == FL_OK)
        status = measure(&c, err);
    if (status == FL_OK) {
        order(out, &c);
        status = find_ways(out, heap, most, err);
    }
    fl_map_destroy(c.rows);
    fl_map_destroy(c.common);
    fl_mem_free(c.told);
    fl_mem_free(c.told_by);
    fl_mem_free(c.urls);
    fl_mem_free(c.first);
    fl_mem_free(c.is_loader);
    fl_mem_free(c.defined);
    return status;
}

void fl_heap_loaders_dispose(fl_heap_loaders *loaders)
{
    fl_mem_free(loaders->rows);
    fl_mem_free(loaders->ways);
    *loaders = (fl_heap_loaders){.count = 0};
}
