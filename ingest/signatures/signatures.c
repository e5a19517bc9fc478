/*
 * signatures.c - the entries of all documents, each in the library's arena, sorted by name.
 *
 * A document is read whole before the first of its entries is put in, so that a mistake in its last
 * line leaves the library as it was. Sorting by name makes the order of files and folders of no
 * matter for what is found, listed or decided.
 *
 * Invariants: items[i] comes from places[i]; the entries of one name stand together, come from one
 * document and are in the order of their forms.
 */
#include "signatures.h"

#include <assert.h>
#include <string.h>

#include "mem.h"
#include "signatures_priv.h"
#include "slice.h"

struct fl_signatures {
    fl_arena arena; /* texts and conditions */
    fl_leak_signature *items;
    struct signature_place *places;
    size_t count;
};

fl_status fl_signatures_create(fl_signatures **out, fl_error *err)
{
    assert(out != NULL);
    fl_signatures *library = fl_mem_calloc(1, sizeof(*library));
    *out = library;
    if (library == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for signatures");
    library->arena = fl_arena_of(MAX_LIBRARY_BYTES);
    return FL_OK;
}

void fl_signatures_destroy(fl_signatures *library)
{
    if (library == NULL)
        return;
    fl_arena_dispose(&library->arena);
    fl_mem_free(library->items);
    fl_mem_free(library->places);
    fl_mem_free(library);
}

/* The entries of `name`: where they are, or where they would be. */
static size_t find(const fl_signatures *library, const char *name, size_t *count)
{
    size_t at = 0;
    *count = 0;
    while (at < library->count && strcmp(library->items[at].name, name) < 0)
        at++;
    while (at + *count < library->count && strcmp(library->items[at + *count].name, name) == 0)
        ++*count;
    return at;
}

/* Two of one origin would be told apart by the order of files, which must not matter. */
static fl_status check_new(const fl_signatures *library, const struct signature_list *fresh,
                           fl_error *err)
{
    for (size_t i = 0; i < fresh->count; i++) {
        size_t same, at = find(library, fresh->items[i].name, &same);
        const struct signature_place *place = &fresh->places[i];
        if (same > 0 && library->places[at].origin == place->origin)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "%.60s:%zu:1: %.40s stands already in %.60s, line %zu", place->source,
                           place->line, fresh->items[i].name, library->places[at].source,
                           library->places[at].line);
    }
    return FL_OK;
}

/* Room for all, before the first is put in: nothing fails in the middle. */
static fl_status reserve(fl_signatures *library, size_t more, fl_error *err)
{
    size_t count = library->count + more;
    if (count > MAX_SIGNATURES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d signatures", MAX_SIGNATURES);
    fl_leak_signature *items = fl_mem_realloc(library->items, count, sizeof(*items));
    if (items != NULL)
        library->items = items;
    struct signature_place *places = fl_mem_realloc(library->places, count, sizeof(*places));
    if (places != NULL)
        library->places = places;
    return items != NULL && places != NULL
               ? FL_OK
               : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for signatures");
}

/* Its texts stay in the arena; there are few replacements. */
static void remove_at(fl_signatures *library, size_t at)
{
    assert(at < library->count);
    size_t rest = --library->count - at;
    memmove(&library->items[at], &library->items[at + 1], rest * sizeof(library->items[0]));
    memmove(&library->places[at], &library->places[at + 1], rest * sizeof(library->places[0]));
}

/* The entries of an older origin leave; those of the same document, the forms before, stay. */
static void insert(fl_signatures *library, const fl_leak_signature *item,
                   const struct signature_place *place)
{
    size_t same, at = find(library, item->name, &same);
    while (same > 0 && library->places[at].origin != place->origin) {
        remove_at(library, at);
        same--;
    }
    at += same;
    size_t rest = library->count++ - at;
    memmove(&library->items[at + 1], &library->items[at], rest * sizeof(*item));
    memmove(&library->places[at + 1], &library->places[at], rest * sizeof(*place));
    library->items[at] = *item;
    library->places[at] = *place;
}

fl_status fl_signatures_add(fl_signatures *library, fl_slice yaml, const char *source,
                            fl_signature_origin origin, fl_error *err)
{
    assert(library != NULL && source != NULL);
    const fl_yaml *root;
    struct signature_list fresh = {0};
    fl_arena scratch = fl_arena_of(MAX_DOCUMENT_TREE_BYTES);
    const char *name = fl_arena_printf(&library->arena, "%s", source);
    fl_status status = fl_yaml_read(&root, &scratch, yaml, source, err);
    if (status == FL_OK && name == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for signatures");
    if (status == FL_OK)
        status = fl_signatures_read(&fresh, root, name, &library->arena, err);
    for (size_t i = 0; status == FL_OK && i < fresh.count; i++)
        fresh.places[i].origin = origin;
    if (status == FL_OK)
        status = check_new(library, &fresh, err);
    if (status == FL_OK)
        status = reserve(library, fresh.count, err);
    for (size_t i = 0; status == FL_OK && i < fresh.count; i++)
        insert(library, &fresh.items[i], &fresh.places[i]);
    fl_arena_dispose(&scratch);
    return status;
}

const fl_leak_signature *fl_signatures_items(const fl_signatures *library, size_t *count)
{
    assert(library != NULL && count != NULL);
    *count = library->count;
    return library->items;
}

const char *fl_signatures_source(const fl_signatures *library, size_t at, size_t *line)
{
    assert(library != NULL && at < library->count);
    *line = library->places[at].line;
    return library->places[at].source;
}

fl_signature_origin fl_signatures_origin_of(const fl_signatures *library, size_t at)
{
    assert(library != NULL && at < library->count);
    return library->places[at].origin;
}
