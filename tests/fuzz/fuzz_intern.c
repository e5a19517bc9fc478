/*
 * fuzz_intern.c - texts, each a length byte and its bytes, into an interner and a map keyed by
 * hash.
 *
 * Checked against a list that is searched from its start.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hash.h"
#include "intern.h"
#include "map.h"

enum { MOST_TEXTS = 512, BUDGET_BYTES = 4096 };

typedef struct list {
    fl_slice texts[MOST_TEXTS];
    size_t count;
    size_t bytes;
} list;

static size_t position(const list *known, fl_slice text)
{
    size_t i = 0;
    while (i < known->count && (known->texts[i].len != text.len ||
                                memcmp(known->texts[i].ptr, text.ptr, text.len) != 0))
        i++;
    return i;
}

static void put(list *known, fl_intern *table, fl_map *map, fl_slice text)
{
    fl_sym sym, found;
    size_t expected = position(known, text);
    bool is_new = expected == known->count, added;
    assert(fl_intern_find(&found, table, text) == !is_new);
    fl_status status = fl_intern_put(&sym, table, text, NULL);
    if (is_new && known->bytes + text.len > BUDGET_BYTES) {
        assert(status == FL_E_LIMIT);
        return;
    }
    assert(status == FL_OK && sym == expected);
    uint64_t *slot;
    if (fl_map_slot(&slot, map, fl_hash_keyed(text), &added, NULL) != FL_OK)
        abort();
    assert(added == is_new && (is_new || *slot == sym));
    *slot = sym;
    if (is_new) {
        known->texts[known->count++] = text;
        known->bytes += text.len;
    }
    assert(fl_intern_count(table) == known->count && fl_map_count(map) == known->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    list known = {.count = 0};
    fl_intern *table;
    fl_map *map;
    if (fl_intern_create(&table, BUDGET_BYTES, NULL) != FL_OK ||
        fl_map_create(&map, 100000, NULL) != FL_OK)
        abort();
    for (size_t at = 0; at < size && known.count < MOST_TEXTS;) {
        size_t len = data[at++];
        if (len > size - at)
            len = size - at;
        put(&known, table, map, (fl_slice){data + at, len});
        at += len;
    }
    for (fl_sym i = 0; i < known.count; i++) {
        fl_slice text = fl_intern_text(table, i);
        assert(text.len == known.texts[i].len &&
               memcmp(text.ptr, known.texts[i].ptr, text.len) == 0);
    }
    fl_intern_destroy(table);
    fl_map_destroy(map);
    return 0;
}
