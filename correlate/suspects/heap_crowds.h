/*
 * heap_crowds.h - threads that run, by what they run; loaders of classes, by their class. Objects
 * that leak as such, however little each of them keeps.
 */
#ifndef FL_HEAP_CROWDS_H
#define FL_HEAP_CROWDS_H

#include "arena.h"
#include "heap.h"

typedef struct fl_heap_crowd {
    const char *name; /* threads: "poller-#", each run of digits one #; loaders: their class */
    const char *what; /* threads: the class of the task, or of the thread; loaders: a class of which
                         several of them have one each, or "" */
    uint64_t count, bytes; /* of objects; retained by them */
    uint64_t twins;        /* loaders that have a class of a name that another one has, too */
    const char *holder;    /* of the largest; NULL: not known */
} fl_heap_crowd;

typedef struct fl_heap_crowds {
    fl_heap_crowd *rows; /* by name, then by what; in the arena */
    size_t count;
} fl_heap_crowds;

/* Threads that are roots as such: they were started, and have not ended. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_crowds_of_threads(fl_heap_crowds *out, const fl_heap *heap,
                                                 fl_arena *arena, fl_error *err);
/* FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_crowds_of_loaders(fl_heap_crowds *out, const fl_heap *heap,
                                                 fl_arena *arena, fl_error *err);

#endif
