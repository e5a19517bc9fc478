/*
 * symbol_elf.c - ELF: headers, sections, what is loaded where, relocated pointers.
 *
 *   ident     7F "ELF", class u8 (1: 32 bit, 2: 64 bit), data u8 (1: little endian, 2: big)
 *   header    type u16, machine u16, version u32, entry, phoff, shoff (words), flags u32,
 *             ehsize, phentsize, phnum, shentsize, shnum, shstrndx (u16)
 *   segment   64 bit: type u32, flags u32, offset, vaddr, paddr, filesz ...
 *             32 bit: type u32, offset, vaddr, paddr, filesz ...
 *   section   name u32, type u32, flags, addr, offset, size (words), link u32, info u32,
 *             align, entry size (words)
 *   rela      offset, info, addend (words); x86-64 8, aarch64 1027 and others' "relative" put the
 *             addend, moved by the load, at the offset
 *
 * (System V ABI, chapter 4; Tool Interface Standard 1.2.) Counts that do not fit their u16 are in
 * section 0. Files are read part by part: what nobody asks for, the code above all, is not read.
 */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "faultline/limits.h"
#include "slice.h"
#include "symbol_priv.h"

enum { LOADED = 1 };

fl_status fl_elf_part(fl_slice *out, fl_elf_file *file, uint64_t offset, uint64_t len,
                      const char *what, fl_error *err)
{
    *out = (fl_slice){0};
    if (offset > file->size || len > file->size - offset)
        return fl_fail(err, FL_E_TRUNCATED, offset, "%s lies outside of the file", what);
    if (len > FL_MAX_SYMBOL_BYTES)
        return fl_fail(err, FL_E_LIMIT, offset, "%s is larger than %u bytes", what,
                       FL_MAX_SYMBOL_BYTES);
    if (len == 0)
        return FL_OK;
    if (file->bytes.ptr != NULL) {
        *out = (fl_slice){.ptr = file->bytes.ptr + offset, .len = (size_t)len};
        return FL_OK;
    }
    unsigned char *room = fl_arena_bytes(&file->arena, (size_t)len);
    if (room == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the tables of a program");
    for (size_t have = 0; have < len;) {
        ssize_t got = pread(file->fd, room + have, (size_t)len - have, (off_t)(offset + have));
        if (got <= 0)
            return fl_fail(err, got == 0 ? FL_E_TRUNCATED : FL_E_IO, offset + have,
                           "%s cannot be read whole", what);
        have += (size_t)got;
    }
    *out = (fl_slice){.ptr = room, .len = (size_t)len};
    return FL_OK;
}

/* Where the fields of the two classes stand. */
typedef struct elf_layout {
    unsigned word, header, phoff, shoff, counts; /* counts: phentsize and what follows */
    unsigned segment, segment_offset, segment_address, segment_size;
    unsigned section;
} elf_layout;

static const elf_layout LAYOUTS[2] = {
    {4, 52, 28, 32, 42, 32, 4, 8, 16, 40},
    {8, 64, 32, 40, 54, 56, 8, 16, 32, 64},
};

typedef struct elf_header {
    const elf_layout *layout;
    uint64_t phoff, shoff;
    uint64_t segment_size, segment_count, section_size, section_count, names;
} elf_header;

/* Class and byte order decide how all that follows is read. */
static fl_status read_header(elf_header *out, fl_elf *elf, fl_error *err)
{
    fl_slice bytes;
    uint64_t len = elf->file->size < 64 ? elf->file->size : 64;
    fl_status status = fl_elf_part(&bytes, elf->file, 0, len, "the header", err);
    if (status != FL_OK)
        return status;
    fl_bin in = {.bytes = bytes};
    uint64_t kind = fl_bin_uint(&in, 4, 1), data = fl_bin_uint(&in, 5, 1);
    if (!fl_slice_starts_with(bytes, FL_SLICE("\x7f"
                                              "ELF")) ||
        in.is_short)
        return fl_fail(err, FL_E_UNSUPPORTED, 0, "not an ELF file");
    if (kind < 1 || kind > 2 || data < 1 || data > 2)
        return fl_fail(err, FL_E_UNSUPPORTED, 4,
                       "an ELF file of the unknown class %u and byte order %u", (unsigned)kind,
                       (unsigned)data);
    const elf_layout *l = &LAYOUTS[kind - 1];
    elf->is_64 = kind == 2;
    elf->is_big = in.is_big = data == 2;
    *out = (elf_header){.layout = l,
                        .phoff = fl_bin_uint(&in, l->phoff, l->word),
                        .shoff = fl_bin_uint(&in, l->shoff, l->word),
                        .segment_size = fl_bin_uint(&in, l->counts, 2),
                        .segment_count = fl_bin_uint(&in, l->counts + 2, 2),
                        .section_size = fl_bin_uint(&in, l->counts + 4, 2),
                        .section_count = fl_bin_uint(&in, l->counts + 6, 2),
                        .names = fl_bin_uint(&in, l->counts + 8, 2)};
    if (in.is_short)
        return fl_fail(err, FL_E_TRUNCATED, len, "the header ends early");
    if ((out->segment_count > 0 && out->segment_size < l->segment) ||
        out->section_size < l->section)
        return fl_fail(err, FL_E_SYNTAX, l->counts,
                       "headers of segments or sections are too short");
    return FL_OK;
}

/* Only what is loaded, in the order of the file, which is that of the addresses. */
static fl_status read_segments(fl_elf *elf, const elf_header *header, fl_error *err)
{
    fl_slice bytes;
    const elf_layout *l = header->layout;
    fl_status status =
        fl_elf_part(&bytes, elf->file, header->phoff, header->segment_count * header->segment_size,
                    "the table of segments", err);
    if (status != FL_OK)
        return status;
    fl_bin in = {.bytes = bytes, .is_big = elf->is_big};
    for (uint64_t i = 0; i < header->segment_count && elf->segment_count < FL_ELF_MAX_SEGMENTS;
         i++) {
        uint64_t at = i * header->segment_size;
        if (fl_bin_uint(&in, at, 4) != LOADED)
            continue;
        elf->segments[elf->segment_count++] =
            (fl_elf_segment){.offset = fl_bin_uint(&in, at + l->segment_offset, l->word),
                             .address = fl_bin_uint(&in, at + l->segment_address, l->word),
                             .file_size = fl_bin_uint(&in, at + l->segment_size, l->word)};
    }
    assert(!in.is_short);
    return FL_OK;
}

/* Both classes have the same fields in the same order; words are 4 or 8 bytes. */
static fl_elf_section section_at(fl_bin *in, uint64_t at, unsigned word)
{
    assert(word == 4 || word == 8);
    fl_elf_section out = {.type = (uint32_t)fl_bin_uint(in, at + 4, 4),
                          .flags = fl_bin_uint(in, at + 8, word),
                          .address = fl_bin_uint(in, at + 8 + word, word),
                          .offset = fl_bin_uint(in, at + 8 + 2 * word, word),
                          .size = fl_bin_uint(in, at + 8 + 3 * word, word)};
    uint64_t behind = at + 8 + 4 * word;
    out.link = (uint32_t)fl_bin_uint(in, behind, 4);
    out.info = (uint32_t)fl_bin_uint(in, behind + 4, 4);
    out.entry_size = fl_bin_uint(in, behind + 8 + word, word);
    out.name.len = (size_t)fl_bin_uint(in, at, 4); /* a place in the names until these are read */
    return out;
}

/* Names are the text at their place in the section of names. */
static fl_status name_sections(fl_elf *elf, uint64_t names, fl_error *err)
{
    fl_bin text = {0};
    if (names < elf->section_count) {
        fl_status status = fl_elf_section_bytes(&text, elf, &elf->sections[names], err);
        if (status != FL_OK)
            return status;
    }
    for (size_t i = 0; i < elf->section_count; i++)
        elf->sections[i].name = fl_bin_text(&text, elf->sections[i].name.len);
    return FL_OK;
}

/* A file without sections is a program still, of which nothing can be told. */
fl_status fl_elf_read(fl_elf *out, fl_elf_file *file, fl_error *err)
{
    elf_header header = {0};
    fl_slice bytes;
    *out = (fl_elf){.file = file};
    fl_status status = read_header(&header, out, err);
    if (status == FL_OK)
        status = read_segments(out, &header, err);
    if (status == FL_OK)
        status = fl_elf_part(&bytes, file, header.shoff, header.section_count * header.section_size,
                             "the table of sections", err);
    if (status != FL_OK)
        return status;
    if (header.section_count > FL_ELF_MAX_SECTIONS)
        return fl_fail(err, FL_E_LIMIT, header.shoff, "more than %d sections", FL_ELF_MAX_SECTIONS);
    fl_bin in = {.bytes = bytes, .is_big = out->is_big};
    out->sections =
        fl_arena_alloc(&file->arena, (size_t)header.section_count + 1, sizeof(*out->sections));
    if (out->sections == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the tables of a program");
    for (uint64_t i = 0; i < header.section_count; i++)
        out->sections[out->section_count++] =
            section_at(&in, i * header.section_size, header.layout->word);
    assert(!in.is_short);
    return name_sections(out, header.names, err);
}

const fl_elf_section *fl_elf_find(const fl_elf *elf, const char *name)
{
    for (size_t i = 0; i < elf->section_count; i++)
        if (fl_slice_equal(elf->sections[i].name, fl_slice_of(name)))
            return &elf->sections[i];
    return NULL;
}

/* A section that takes no place in the file is empty. */
fl_status fl_elf_section_bytes(fl_bin *out, const fl_elf *elf, const fl_elf_section *section,
                               fl_error *err)
{
    *out = (fl_bin){.is_big = elf->is_big};
    if (section->type == FL_ELF_NOBITS)
        return FL_OK;
    return fl_elf_part(&out->bytes, elf->file, section->offset, section->size, "a section", err);
}

/* Sections at address 0 are not loaded. */
static const fl_elf_section *section_of_address(const fl_elf *elf, uint64_t address)
{
    for (size_t i = 0; i < elf->section_count; i++) {
        const fl_elf_section *s = &elf->sections[i];
        if (s->address != 0 && s->type != FL_ELF_NOBITS && address >= s->address &&
            address - s->address < s->size)
            return s;
    }
    return NULL;
}

/* As the file has it, before the loader's relocations. */
fl_status fl_elf_memory(fl_bin *out, const fl_elf *elf, uint64_t address, uint64_t max,
                        fl_error *err)
{
    assert(max > 0);
    const fl_elf_section *section = section_of_address(elf, address);
    *out = (fl_bin){.is_big = elf->is_big};
    if (section == NULL)
        return FL_OK;
    uint64_t skipped = address - section->address, left = section->size - skipped;
    return fl_elf_part(&out->bytes, elf->file, section->offset + skipped, left < max ? left : max,
                       "what is loaded", err);
}

/* --- pointers --- */

/* Of the machines that Go links position independent programs for: x86-64, aarch64, riscv64,
 * ppc64, s390x, loong64; 386 and arm have no addends and keep the pointer in place. */
static bool is_relative(uint64_t info)
{
    uint64_t type = info & UINT32_MAX;
    return type == 8 || type == 1027 || type == 3 || type == 22 || type == 12;
}

/* Relocations of one section, as they are walked. */
typedef struct rela_walk {
    fl_bin in;
    uint64_t at;
    unsigned word;
} rela_walk;

/* A section of another kind has none; those of object files are not for the loader. */
static fl_status begin_relas(rela_walk *out, const fl_elf *elf, const fl_elf_section *section,
                             fl_error *err)
{
    assert(section != NULL);
    *out = (rela_walk){.word = elf->is_64 ? 8 : 4};
    if (section->type != FL_ELF_RELA || section->address == 0)
        return FL_OK;
    return fl_elf_section_bytes(&out->in, elf, section, err);
}

/* The next pointer: its place and its value. */
static bool next_rela(rela_walk *walk, uint64_t *place, uint64_t *value)
{
    unsigned word = walk->word;
    while (walk->at + 3 * word <= walk->in.bytes.len) {
        uint64_t at = walk->at;
        walk->at += 3 * word;
        if (!is_relative(fl_bin_uint(&walk->in, at + word, word)))
            continue;
        *place = fl_bin_uint(&walk->in, at, word);
        *value = fl_bin_uint(&walk->in, at + 2 * word, word);
        return true;
    }
    return false;
}

/* A pointer that is written in place wins; a zero is looked up among the relocations. */
fl_status fl_elf_pointer(uint64_t *out, const fl_elf *elf, uint64_t address, fl_error *err)
{
    fl_bin there;
    unsigned word = elf->is_64 ? 8 : 4;
    fl_status status = fl_elf_memory(&there, elf, address, word, err);
    *out = status == FL_OK ? fl_bin_uint(&there, 0, word) : 0;
    for (size_t i = 0; i < elf->section_count && status == FL_OK && *out == 0; i++) {
        rela_walk walk;
        uint64_t place, value;
        status = begin_relas(&walk, elf, &elf->sections[i], err);
        while (status == FL_OK && next_rela(&walk, &place, &value))
            if (place == address)
                *out = value;
    }
    return status;
}

/* In the bytes of one section of data. */
static uint64_t pointers_in(fl_bin *in, unsigned word, uint64_t target, uint64_t next)
{
    assert(word == 4 || word == 8);
    for (uint64_t at = 0; at + 2 * word <= in->bytes.len; at += word)
        if (fl_bin_uint(in, at, word) == target && fl_bin_uint(in, at + word, word) == next)
            return at;
    return UINT64_MAX;
}

/* In the relocations: two that follow each other, one word apart. */
static uint64_t pointers_by_rela(rela_walk *walk, uint64_t target, uint64_t next)
{
    uint64_t before = 0, place, value;
    while (next_rela(walk, &place, &value)) {
        if (before != 0 && place == before + walk->word && value == next)
            return before;
        before = value == target ? place : 0;
    }
    return UINT64_MAX;
}

/* Two neighbours make a coincidence unlikely; the sections of data are some percent of a program.
 */
fl_status fl_elf_find_pointers(uint64_t *out, const fl_elf *elf, uint64_t target, uint64_t next,
                               fl_error *err)
{
    enum { WRITABLE = 1, PROGBITS = 1 };
    unsigned word = elf->is_64 ? 8 : 4;
    *out = 0;
    for (size_t i = 0; i < elf->section_count; i++) {
        const fl_elf_section *section = &elf->sections[i];
        fl_bin bytes;
        rela_walk walk;
        fl_status status = begin_relas(&walk, elf, section, err);
        if (status != FL_OK)
            return status;
        uint64_t found = pointers_by_rela(&walk, target, next);
        if (found == UINT64_MAX && section->type == PROGBITS &&
            fl_slice_ends_with(section->name, FL_SLICE("data"))) {
            status = fl_elf_section_bytes(&bytes, elf, section, err);
            if (status != FL_OK)
                return status;
            found = pointers_in(&bytes, word, target, next);
            found = found == UINT64_MAX ? found : section->address + found;
        }
        if (found != UINT64_MAX) {
            *out = found;
            return FL_OK;
        }
    }
    return FL_OK;
}
