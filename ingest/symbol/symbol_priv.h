/*
 * symbol_priv.h - between the reading of an ELF file and of Go's table in it.
 */
#ifndef FL_SYMBOL_PRIV_H
#define FL_SYMBOL_PRIV_H

#include "arena.h"
#include "symbol.h"

/* Numbers at places, bounded: what lies outside reads as 0 and marks `is_short`. */
typedef struct fl_bin {
    fl_slice bytes;
    bool is_big; /* endian */
    bool is_short;
} fl_bin;

uint64_t fl_bin_uint(fl_bin *bin, uint64_t at, unsigned width);
/* From `at` up to `len` bytes, or fewer at the end; marks nothing. */
fl_slice fl_bin_slice(const fl_bin *bin, uint64_t at, uint64_t len);
/* The text at `at` up to its NUL; empty where there is none. */
fl_slice fl_bin_text(const fl_bin *bin, uint64_t at);

/* The file: bytes in memory, or a descriptor of which parts are read when they are asked for. */
typedef struct fl_elf_file {
    fl_slice bytes; /* ptr NULL: read from fd */
    int fd;
    uint64_t size;
    fl_arena arena; /* the parts, and everything made of them */
} fl_elf_file;

/* A part of the file. FL_E_TRUNCATED: "`what` lies outside of the file". */
FL_NODISCARD fl_status fl_elf_part(fl_slice *out, fl_elf_file *file, uint64_t offset, uint64_t len,
                                   const char *what, fl_error *err);

typedef struct fl_elf_section {
    fl_slice name;
    uint64_t flags, address, offset, size, entry_size;
    uint32_t type, link, info;
} fl_elf_section;

typedef struct fl_elf_segment {
    uint64_t offset, address, file_size;
} fl_elf_segment;

typedef struct fl_elf_function {
    uint64_t address, size;
    fl_slice name;
} fl_elf_function;

enum { FL_ELF_MAX_SECTIONS = 4096, FL_ELF_MAX_SEGMENTS = 64 };
enum { FL_ELF_NOBITS = 8, FL_ELF_SYMTAB = 2, FL_ELF_DYNSYM = 11, FL_ELF_RELA = 4, FL_ELF_NOTE = 7 };

typedef struct fl_elf {
    fl_elf_file *file;
    bool is_64, is_big;
    fl_elf_section *sections;
    size_t section_count;
    fl_elf_segment segments[FL_ELF_MAX_SEGMENTS]; /* loaded ones */
    size_t segment_count;
    fl_elf_function *functions; /* by address */
    size_t function_count;
    /* symbols of Go's linker that others build on; 0: not there */
    uint64_t runtime_text, module_data, go_func;
} fl_elf;

/* Headers and sections. */
FL_NODISCARD fl_status fl_elf_read(fl_elf *out, fl_elf_file *file, fl_error *err);
const fl_elf_section *fl_elf_find(const fl_elf *elf, const char *name);
FL_NODISCARD fl_status fl_elf_section_bytes(fl_bin *out, const fl_elf *elf,
                                            const fl_elf_section *section, fl_error *err);
/* From a loaded address to the end of its section, at most `max` bytes; empty where there is none.
 */
FL_NODISCARD fl_status fl_elf_memory(fl_bin *out, const fl_elf *elf, uint64_t address, uint64_t max,
                                     fl_error *err);
/* A pointer at a loaded address; in position independent programs it is in the relocations. 0: none
 * known. */
FL_NODISCARD fl_status fl_elf_pointer(uint64_t *out, const fl_elf *elf, uint64_t address,
                                      fl_error *err);
/* Where the loaded data hold a pointer to `target` followed by one to `next`; 0: nowhere. */
FL_NODISCARD fl_status fl_elf_find_pointers(uint64_t *out, const fl_elf *elf, uint64_t target,
                                            uint64_t next, fl_error *err);
/* The symbol table: functions, and the linker's own names. */
FL_NODISCARD fl_status fl_elf_read_symbols(fl_elf *elf, fl_error *err);

typedef struct fl_elf_identity {
    fl_slice gnu_build_id, go_build_id, go_version, main_module;
    fl_slice debug_link; /* the name of the file with this one's DWARF, without a folder */
    uint32_t debug_crc;  /* of that file's bytes */
} fl_elf_identity;
FL_NODISCARD fl_status fl_elf_identify(fl_elf_identity *out, const fl_elf *elf, fl_error *err);

/* Go's table. */
typedef struct fl_pclntab {
    fl_bin names, units, files, counters, functions; /* the parts of the table */
    unsigned version; /* 16, 18 or 20: the Go release that began it, 1.N */
    unsigned pointer_size, quantum;
    uint64_t function_count;
    uint64_t text_start;    /* from 1.18 on addresses count from here */
    uint64_t functab_entry; /* bytes of one number in the index of functions */
    uint64_t name_at;       /* where the names begin, for finding module data */
    uint64_t tree_base;     /* from 1.18 on trees of inlined calls count from here; 0: unknown */
    fl_bin trees;           /* what is loaded at tree_base, or where the absolute ones lie */
} fl_pclntab;

/* The parts of `bytes`, which lies at `offset` in the file. Trees and text_start are the caller's.
 */
FL_NODISCARD fl_status fl_pclntab_read(fl_pclntab *out, fl_slice bytes, bool is_big,
                                       uint64_t offset, fl_error *err);
size_t fl_pclntab_find(const fl_pclntab *table, uint64_t address, fl_symbol out[FL_MAX_INLINED]);

#endif
