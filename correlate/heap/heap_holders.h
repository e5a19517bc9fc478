/*
 * heap_holders.h - who holds an object, in the words of the program: a static, a field.
 */
#ifndef FL_HEAP_HOLDERS_H
#define FL_HEAP_HOLDERS_H

#include "arena.h"
#include "heap.h"

/* Whether a class is the program's own, and not of the JDK: by its package. */
bool fl_heap_is_own_class(const fl_heap *heap, uint32_t class_index);
/* Whether instances are threads, or loaders of classes. */
bool fl_heap_is_thread_class(const fl_heap *heap, uint32_t class_index);
bool fl_heap_is_loader_class(const fl_heap *heap, uint32_t class_index);

/* The static of a class that refers to the object; NULL: none does directly. */
const fl_heap_member *fl_heap_static_of(const fl_heap *heap, uint32_t class_index,
                                        fl_heap_object object);
/* "shop.Cache.ENTRIES", in the arena; NULL: no memory. */
const char *fl_heap_member_text(const fl_heap *heap, uint32_t class_index,
                                const fl_heap_member *member, fl_arena *arena);
/* "shop.Cart.items": the field of an object of the program's own class by which it refers to
 * `kid`; NULL: it does not, its class is not one, or no memory. */
const char *fl_heap_field_text(const fl_heap *heap, fl_heap_object object, fl_heap_object kid,
                               fl_arena *arena);

/* The static without which the object would go, upwards by dominators; else the nearest such field;
 * NULL: neither. */
const char *fl_heap_holder_text(const fl_heap *heap, fl_heap_object object, fl_arena *arena);

/* The nearest static of the program's own by which an object is reached that several keep: upwards
 * by references, a few thousand objects far. Needs fl_heap_index_inbound(). *out NULL: none.
 * FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_holder_search(const char **out, const fl_heap *heap,
                                             fl_heap_object object, fl_arena *arena, fl_error *err);

#endif
