/*
 * symbol_debug.h - the file that has the DWARF of a stripped library.
 */
#ifndef FL_SYMBOL_DEBUG_H
#define FL_SYMBOL_DEBUG_H

#include "arena.h"
#include "symbol.h"

typedef struct fl_debug_search {
    const char *path;   /* of the library */
    const char *folder; /* looked into before the system's; NULL: none */
    const char *system; /* "/usr/lib/debug" */
} fl_debug_search;

/*
 * Opens the separate debug file of `library`: by its build id
 *
 *   ROOT/.build-id/xx/yyyy.debug                 ROOT: the folder, the library's own, the system's
 *
 * then by .gnu_debuglink, where the CRC32 of the file is that of the link
 *
 *   ROOT/NAME, ROOT/.debug/NAME                  ROOT: the library's folder, the folder
 *   SYSTEM/FOLDER/NAME                           FOLDER: the library's, as an absolute path
 *
 * NULL: there is none. *refused becomes the path of a file that a link names and whose bytes have
 * another CRC32 (in `arena`), or NULL. What is broken or cannot be read counts as not there; false
 * only where the arena ran out. The caller closes *out.
 */
FL_NODISCARD bool fl_symbols_open_debug(fl_symbols **out, const char **refused,
                                        const fl_symbols *library, const fl_debug_search *where,
                                        fl_arena *arena);

#endif
