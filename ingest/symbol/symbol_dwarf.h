/*
 * symbol_dwarf.h - functions, inlined calls, files and lines out of a program's DWARF 2 to 5.
 *
 * Nothing is inflated or read before the first question. A unit is built when an address in it is
 * asked for the first time and stays: what was asked once is a search in sorted arrays.
 */
#ifndef FL_SYMBOL_DWARF_H
#define FL_SYMBOL_DWARF_H

#include "symbol_priv.h"

typedef struct fl_dwarf fl_dwarf;

/* NULL where the file has none, or there is no memory. Everything lives in the file's arena. */
fl_dwarf *fl_dwarf_over(const fl_elf *elf);
/* As fl_symbols_find, over DWARF alone; a name that is not told is empty. Damage gives fewer
 * frames. */
size_t fl_dwarf_find(fl_dwarf *dwarf, uint64_t address, fl_symbol out[FL_MAX_INLINED]);

#endif
