/*
 * symbol.h - addresses of a program to functions, files and lines.
 *
 * Reads ELF files: Go's own table (.gopclntab, Go 1.16 and later, stripped programs too) with calls
 * that were inlined; for native code DWARF 2 to 5, with inlined calls, too, else symbol tables
 * (.symtab, else .dynsym), which give functions without lines. Only the tables are read, not the
 * code. docs/formats/symbols.md has the layouts. DWARF is read when the first address is asked for,
 * unit by unit: such a handle is for one thread at a time.
 */
#ifndef FL_SYMBOL_H
#define FL_SYMBOL_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_symbols fl_symbols;

/* One function at an address; of several, each but the last was inlined into the next. */
typedef struct fl_symbol {
    fl_slice function; /* as the linker has it, but for "[go.shape...]"; of DWARF with its scopes */
    fl_slice file;     /* empty where not told */
    uint32_t line;     /* 0: not told */
    uint32_t start_line; /* of the function; 0: not told */
} fl_symbol;

enum { FL_MAX_INLINED = 64 };

/*
 * Read the tables of a program. FL_E_UNSUPPORTED: no ELF file, one without any functions, or a
 * .gopclntab of before Go 1.16 or of a version not known yet; FL_E_SYNTAX, FL_E_TRUNCATED: the
 * tables are broken, with the offset in the file; FL_E_LIMIT: one is larger than
 * FL_MAX_SYMBOL_BYTES; FL_E_NOTFOUND, FL_E_IO; FL_E_NOMEM. The caller closes *out.
 */
FL_NODISCARD fl_status fl_symbols_open(fl_symbols **out, const char *path, fl_error *err);
/* The same over the bytes of a whole file, which are borrowed until the close. */
FL_NODISCARD fl_status fl_symbols_over(fl_symbols **out, fl_slice bytes, const char *name,
                                       fl_error *err);
void fl_symbols_close(fl_symbols *symbols); /* NULL is a no-op */

/* What stands at `address`, as the program's file counts addresses, innermost first; returns how
 * many, 0 where nothing is known. For a return address ask for the address before it: the call.
 * Slices live as long as `symbols`. Damage inside a table gives fewer frames, never a failure. */
size_t fl_symbols_find(const fl_symbols *symbols, uint64_t address, fl_symbol out[FL_MAX_INLINED]);

/* Where a program is loaded elsewhere than its file says (position independent): the file's address
 * of one in a mapping that begins at `start` and shows the file from `file_offset` on. */
uint64_t fl_symbols_address(const fl_symbols *symbols, uint64_t address, uint64_t start,
                            uint64_t file_offset);

/* "go1.22.12", the path of the main module, the GNU build id in hexadecimal, Go's own build id;
 * empty where the file does not tell. */
fl_slice fl_symbols_go_version(const fl_symbols *symbols);
fl_slice fl_symbols_main_module(const fl_symbols *symbols);
fl_slice fl_symbols_gnu_build_id(const fl_symbols *symbols);
fl_slice fl_symbols_go_build_id(const fl_symbols *symbols);
/* The name of the file that strip left this one's DWARF in (.gnu_debuglink), without a folder, and
 * the CRC32 of that file; empty where the file does not tell. */
fl_slice fl_symbols_debug_link(const fl_symbols *symbols, uint32_t *crc);
/* Whether there is DWARF, which has lines and inlined calls. */
bool fl_symbols_has_dwarf(const fl_symbols *symbols);
/* Functions of Go's table and of the symbol table. */
size_t fl_symbols_go_count(const fl_symbols *symbols);
size_t fl_symbols_native_count(const fl_symbols *symbols);

#endif
