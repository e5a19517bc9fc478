/*
 * symbol_names.c - an ELF file's symbol table, and by what it can be recognised.
 *
 *   symbol      64 bit: name u32, info u8, other u8, section u16, value, size
 *               32 bit: name u32, value, size, info u8, other u8, section u16
 *   debug link  name, NUL, padded to 4, CRC32 u32 of the file with that name (GDB's manual,
 *               "Separate Debug Files")
 *   note        name length u32, content length u32, type u32, name, content, each padded to 4
 *   build info  FF " Go buildinf:", pointer size u8, flags u8 (2: texts follow, at byte 32, each
 *               behind its length as a varint): version, module information. The latter stands
 *               between two marks of 16 bytes and has a line "path TAB main package".
 *
 * (debug/buildinfo of Go 1.18 and later; older ones hold pointers and are not read.)
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "slice.h"
#include "sort.h"
#include "symbol_priv.h"

enum { FUNCTION = 2, TYPE_MASK = 15, INDIRECT_FUNCTION = 10 };

typedef struct elf_symbol {
    fl_slice name;
    uint64_t value, size;
    bool is_function;
} elf_symbol;

/* Section 0 is "elsewhere": a name that the program wants and does not have. */
static elf_symbol symbol_at(fl_bin *in, uint64_t at, bool is_64, const fl_bin *names)
{
    assert(at < in->bytes.len);
    unsigned word = is_64 ? 8 : 4;
    uint64_t name = fl_bin_uint(in, at, 4), info = fl_bin_uint(in, at + (is_64 ? 4 : 12), 1);
    uint64_t section = fl_bin_uint(in, at + (is_64 ? 6 : 14), 2), value_at = at + (is_64 ? 8 : 4);
    unsigned type = (unsigned)info & TYPE_MASK;
    return (elf_symbol){.name = fl_bin_text(names, name),
                        .value = fl_bin_uint(in, value_at, word),
                        .size = fl_bin_uint(in, value_at + word, word),
                        .is_function =
                            section != 0 && (type == FUNCTION || type == INDIRECT_FUNCTION)};
}

/* Names by which Go's linker tells where its tables lie; before Go 1.20 with dots. */
static void keep_linker_name(fl_elf *elf, const elf_symbol *symbol)
{
    if (symbol->name.len < 6 || (symbol->name.ptr[0] != 'g' && symbol->name.ptr[0] != 'r'))
        return;
    if (fl_slice_equal(symbol->name, FL_SLICE("runtime.text")))
        elf->runtime_text = symbol->value;
    else if (fl_slice_equal(symbol->name, FL_SLICE("runtime.firstmoduledata")))
        elf->module_data = symbol->value;
    else if (fl_slice_equal(symbol->name, FL_SLICE("go:func.*")) ||
             fl_slice_equal(symbol->name, FL_SLICE("go.func.*")))
        elf->go_func = symbol->value;
}

/* What addresses are looked up by. */
static uint64_t by_address(const void *row)
{
    return ((const fl_elf_function *)row)->address;
}

/* The larger first, so that of several names the one that covers most comes first; then by name. */
static int compare_functions(const void *a, const void *b)
{
    const fl_elf_function *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return fl_slice_compare(x->name, y->name);
}

/* All functions, sorted, and what the linker says of Go's tables. */
static fl_status read_table(fl_elf *elf, const fl_elf_section *table, fl_error *err)
{
    static const fl_row_order order = {.numbers = {by_address}, .compare = compare_functions};
    fl_bin in, names;
    uint64_t entry = elf->is_64 ? 24 : 16;
    if (table->link >= elf->section_count || table->entry_size < entry)
        return FL_OK;
    fl_status status = fl_elf_section_bytes(&in, elf, table, err);
    if (status == FL_OK)
        status = fl_elf_section_bytes(&names, elf, &elf->sections[table->link], err);
    if (status != FL_OK)
        return status;
    size_t count = in.bytes.len / (size_t)table->entry_size;
    elf->functions = fl_arena_alloc(&elf->file->arena, count + 1, sizeof(*elf->functions));
    if (elf->functions == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the tables of a program");
    for (size_t i = 0; i < count; i++) {
        elf_symbol symbol = symbol_at(&in, i * table->entry_size, elf->is_64, &names);
        keep_linker_name(elf, &symbol);
        if (symbol.is_function && symbol.name.len > 0)
            elf->functions[elf->function_count++] = (fl_elf_function){
                .address = symbol.value, .size = symbol.size, .name = symbol.name};
    }
    assert(!in.is_short && elf->function_count <= count);
    fl_sort_rows(elf->functions, elf->function_count, sizeof(*elf->functions), &order);
    return FL_OK;
}

/* A stripped library still has the names that others link against. */
fl_status fl_elf_read_symbols(fl_elf *elf, fl_error *err)
{
    static const uint32_t types[] = {FL_ELF_SYMTAB, FL_ELF_DYNSYM};
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < elf->section_count; i++)
            if (elf->sections[i].type == types[t])
                return read_table(elf, &elf->sections[i], err);
    return FL_OK;
}

/* The content of the first note in a section. */
static fl_status read_note(fl_slice *out, const fl_elf *elf, const char *name, fl_error *err)
{
    const fl_elf_section *section = fl_elf_find(elf, name);
    *out = (fl_slice){0};
    if (section == NULL || section->size > 4096)
        return FL_OK;
    fl_bin in;
    fl_status status = fl_elf_section_bytes(&in, elf, section, err);
    uint64_t name_len = fl_bin_uint(&in, 0, 4), len = fl_bin_uint(&in, 4, 4);
    if (status == FL_OK && !in.is_short)
        *out = fl_bin_slice(&in, 12 + (name_len + 3) / 4 * 4, len);
    return status;
}

/* In place of the bytes; as tools and profiles write it. */
static fl_status to_hex(fl_slice *text, fl_elf_file *file, fl_error *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char *hex = fl_arena_bytes(&file->arena, 2 * text->len + 1);
    if (hex == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the tables of a program");
    for (size_t i = 0; i < text->len; i++) {
        hex[2 * i] = (unsigned char)digits[text->ptr[i] >> 4];
        hex[2 * i + 1] = (unsigned char)digits[text->ptr[i] & 15];
    }
    *text = (fl_slice){.ptr = hex, .len = 2 * text->len};
    return FL_OK;
}

/* A text behind its length. */
static fl_slice counted_text(fl_bin *in, uint64_t *at)
{
    assert(in != NULL && at != NULL);
    uint64_t len = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint64_t byte = fl_bin_uint(in, (*at)++, 1);
        len |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    fl_slice text = fl_bin_slice(in, *at, len);
    *at += text.len;
    return text;
}

/* "mod TAB path TAB version": absent in programs built outside of a module. */
static fl_slice module_path(fl_slice info)
{
    enum { MARK = 16 };
    static const fl_slice mod = FL_SLICE_INIT("\nmod\t");
    if (info.len < 2 * MARK)
        return (fl_slice){0};
    info = (fl_slice){.ptr = info.ptr + MARK, .len = info.len - 2 * MARK};
    size_t at = fl_slice_find(info, mod);
    if (at == info.len)
        return (fl_slice){0};
    fl_slice path = {.ptr = info.ptr + at + mod.len, .len = info.len - at - mod.len};
    const unsigned char *tab = memchr(path.ptr, '\t', path.len);
    path.len = tab != NULL ? (size_t)(tab - path.ptr) : 0;
    return path;
}

/* Readable in stripped programs too. */
static fl_status read_build_info(fl_elf_identity *out, const fl_elf *elf, fl_error *err)
{
    enum { FLAGS = 15, INLINE_TEXTS = 2, TEXTS = 32 };
    const fl_elf_section *section = fl_elf_find(elf, ".go.buildinfo");
    if (section == NULL || section->size > FL_MAX_BUILD_INFO_BYTES)
        return FL_OK;
    fl_bin in;
    fl_status status = fl_elf_section_bytes(&in, elf, section, err);
    if (status != FL_OK || !fl_slice_starts_with(in.bytes, FL_SLICE("\xff Go buildinf:")) ||
        (fl_bin_uint(&in, FLAGS, 1) & INLINE_TEXTS) == 0)
        return status;
    uint64_t at = TEXTS;
    out->go_version = counted_text(&in, &at);
    out->main_module = module_path(counted_text(&in, &at));
    return FL_OK;
}

/* A name with a folder in it is none that strip or objcopy write, and would lead elsewhere. */
static fl_status read_debug_link(fl_elf_identity *out, const fl_elf *elf, fl_error *err)
{
    enum { MAX_NAME = 255 };
    const fl_elf_section *section = fl_elf_find(elf, ".gnu_debuglink");
    if (section == NULL || section->size > 4096)
        return FL_OK;
    fl_bin in;
    fl_status status = fl_elf_section_bytes(&in, elf, section, err);
    if (status != FL_OK)
        return status;
    fl_slice name = fl_bin_text(&in, 0);
    uint64_t crc = fl_bin_uint(&in, (name.len + 1 + 3) / 4 * 4, 4);
    if (in.is_short || name.len == 0 || name.len > MAX_NAME ||
        fl_slice_find(name, FL_SLICE("/")) < name.len)
        return FL_OK;
    out->debug_link = name;
    out->debug_crc = (uint32_t)crc;
    return FL_OK;
}

fl_status fl_elf_identify(fl_elf_identity *out, const fl_elf *elf, fl_error *err)
{
    *out = (fl_elf_identity){0};
    fl_status status = read_note(&out->gnu_build_id, elf, ".note.gnu.build-id", err);
    if (status == FL_OK && out->gnu_build_id.len > 0)
        status = to_hex(&out->gnu_build_id, elf->file, err);
    if (status == FL_OK)
        status = read_note(&out->go_build_id, elf, ".note.go.buildid", err);
    if (status == FL_OK)
        status = read_debug_link(out, elf, err);
    return status == FL_OK ? read_build_info(out, elf, err) : status;
}
