/*
 * demangle.h - names that C++ and Rust compilers give functions, as their sources have them.
 */
#ifndef FL_DEMANGLE_H
#define FL_DEMANGLE_H

#include <stdbool.h>

#include "arena.h"
#include "slice.h"

enum { FL_DEMANGLE_MAX_BYTES = 4096 };

/* Whether a name is one to ask about: "_ZN3geo3Box4areaEv". */
bool fl_demangle_is_mangled(fl_slice name);

/*
 * "geo::Box::area()" of "_ZN3geo3Box4areaEv", "core::fmt::write" of Rust's
 * "_ZN4core3fmt5write17h0123456789abcdefE"; in `arena`. *out is the name as it stands where that is
 * not mangled, is longer than the limit, or has something that is not read (demangle_parse.c).
 * False only where the arena ran out.
 */
FL_NODISCARD bool fl_demangle(fl_slice *out, fl_slice name, fl_arena *arena);

#endif
