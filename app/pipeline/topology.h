/*
 * topology.h - a call graph given as a file: a JSON list of {"client": …, "server": …}, or with the
 * words caller and callee, or source and target.
 */
#ifndef FL_TOPOLOGY_H
#define FL_TOPOLOGY_H

#include "arena.h"

/* names[2 i] calls names[2 i + 1]; in the arena. FL_E_SYNTAX: "PATH: what is wrong". */
FL_NODISCARD fl_status fl_topology_read(const char *const **names, size_t *edge_count,
                                        const char *path, fl_arena *arena, fl_error *err);

#endif
