/*
 * heap_strays.h - entries of a map that stand where their keys belonged before they changed: they
 * can be neither found nor removed.
 *
 * An entry keeps the hash that its key had when it was put. What the key's hashCode() gives now no
 * dump says, but it can be told from the entries whose keys did not change: of the ways in which
 * such methods are written (heap_strays.c), one that gives the very hash of several entries is the
 * method of that class. An entry that it does not fit is a stray where it fits once one field has a
 * value that other keys of the map have there: the value of that field when it was put.
 *
 * Known are hashes of numbers, Strings, boxed numbers and UUIDs. What depends on anything else, or
 * is worked out in another way, is not judged, and neither is a map all of whose keys have changed.
 */
#ifndef FL_HEAP_STRAYS_H
#define FL_HEAP_STRAYS_H

#include "heap.h"

typedef struct fl_heap_strays {
    uint64_t looked_at;          /* entries: of a large map some, evenly spread */
    uint64_t strays;             /* of these, at least */
    const fl_heap_member *field; /* that changed in most of them; NULL: there are none */
} fl_heap_strays;

/* What may still be spent, of all maps together: hashes that are worked out, bytes of texts. */
#define FL_HEAP_STRAYS_BUDGET (UINT64_C(1) << 27)

/* `table` is an array of chains, of which there are `entries` entries; with `is_concurrent` one of
 * a ConcurrentHashMap, and with `is_plain` of a Hashtable. *budget becomes less, and where it does
 * not suffice the map is not looked at. FL_E_NOMEM. */
typedef struct fl_heap_chains {
    fl_heap_object table;
    uint64_t entries;
    bool is_concurrent, is_plain;
} fl_heap_chains;

FL_NODISCARD fl_status fl_heap_strays_find(fl_heap_strays *out, const fl_heap *heap,
                                           const fl_heap_chains *chains, uint64_t *budget,
                                           fl_error *err);

/* What hashCode() of an object gives, where the class library says how: 0 of null. False where it
 * does not. */
bool fl_heap_hash_code(uint32_t *out, const fl_heap *heap, fl_heap_object object);

#endif
