/*
 * symbol.c - opens a program, finds Go's table and what it refers to, and answers addresses.
 *
 * Two things of Go's table lie elsewhere: where the text begins, and where the trees of inlined
 * calls are counted from. The linker's symbols tell both; a stripped program has them in its module
 * data, a struct of words that begins with a pointer to the table and one to the names in it:
 *
 *   word 22    text
 *   word 40    go:func.*  (word 38 in Go 1.18 and 1.19, which have no coverage counters)
 *
 * (runtime.moduledata, runtime/symtab.go.) Without either, inlined calls are not told, and the text
 * begins where the table's header, or at last the section .text, says.
 */
#include "symbol.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faultline/limits.h"
#include "mem.h"
#include "slice.h"
#include "symbol_dwarf.h"
#include "symbol_priv.h"

enum { TEXT_WORD = 22, GO_FUNC_WORD = 40, GO_FUNC_WORD_118 = 38 };

/* Slices of it point into the file's bytes or the arena's, and live until the close. */
struct fl_symbols {
    fl_elf_file file;
    fl_elf elf;
    fl_elf_identity identity;
    fl_pclntab go;   /* function_count 0: there is none */
    fl_dwarf *dwarf; /* of programs without Go's table; NULL: none */
};

/* The module data's address by symbol, by its section (Go 1.26 on), or by what it begins with. */
static fl_status find_module_data(uint64_t *out, const fl_symbols *s, const fl_elf_section *table,
                                  fl_error *err)
{
    const fl_elf_section *section = fl_elf_find(&s->elf, ".go.module");
    *out = s->elf.module_data;
    if (*out == 0 && section != NULL)
        *out = section->address;
    if (*out != 0)
        return FL_OK;
    return fl_elf_find_pointers(out, &s->elf, table->address, table->address + s->go.name_at, err);
}

/* What lies outside of the table. */
static fl_status find_bases(fl_symbols *s, const fl_elf_section *table, fl_error *err)
{
    fl_pclntab *go = &s->go;
    uint64_t word = s->elf.is_64 ? 8 : 4, module = 0, text = s->elf.runtime_text;
    uint64_t trees = s->elf.go_func;
    fl_status status = FL_OK;
    if (go->version != 16 && (text == 0 || trees == 0))
        status = find_module_data(&module, s, table, err);
    if (status == FL_OK && module != 0 && text == 0)
        status = fl_elf_pointer(&text, &s->elf, module + TEXT_WORD * word, err);
    uint64_t go_func = go->version == 18 ? GO_FUNC_WORD_118 : GO_FUNC_WORD;
    if (status == FL_OK && module != 0 && trees == 0)
        status = fl_elf_pointer(&trees, &s->elf, module + go_func * word, err);
    const fl_elf_section *code = fl_elf_find(&s->elf, ".text");
    const fl_elf_section *data = fl_elf_find(&s->elf, ".rodata");
    if (text == 0)
        text = go->text_start != 0 || code == NULL ? go->text_start : code->address;
    if (trees == 0 && go->version == 16 && data != NULL)
        trees = data->address; /* before 1.18 pointers are absolute, any base will do */
    go->text_start = text;
    go->tree_base = trees;
    if (status == FL_OK && trees != 0)
        status = fl_elf_memory(&go->trees, &s->elf, trees, FL_MAX_SYMBOL_BYTES, err);
    return status;
}

/* Position independent programs of older linkers keep the table among relocated data. */
static const fl_elf_section *find_table(const fl_elf *elf)
{
    const fl_elf_section *table = fl_elf_find(elf, ".gopclntab");
    return table != NULL ? table : fl_elf_find(elf, ".data.rel.ro.gopclntab");
}

/* Everything that addresses will need; the code itself stays unread. */
static fl_status read_tables(fl_symbols *s, fl_error *err)
{
    fl_bin bytes;
    fl_status status = fl_elf_read(&s->elf, &s->file, err);
    if (status == FL_OK)
        status = fl_elf_read_symbols(&s->elf, err);
    if (status == FL_OK)
        status = fl_elf_identify(&s->identity, &s->elf, err);
    const fl_elf_section *table = status == FL_OK ? find_table(&s->elf) : NULL;
    if (table != NULL) {
        status = fl_elf_section_bytes(&bytes, &s->elf, table, err);
        if (status == FL_OK)
            status = fl_pclntab_read(&s->go, bytes.bytes, s->elf.is_big, table->offset, err);
        if (status == FL_OK)
            status = find_bases(s, table, err);
    }
    if (status == FL_OK && s->go.function_count == 0)
        s->dwarf = fl_dwarf_over(&s->elf);
    if (status == FL_OK && s->go.function_count == 0 && s->elf.function_count == 0 &&
        s->dwarf == NULL)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "a program without the names of its functions");
    return status;
}

/* Without a file yet. */
static fl_symbols *new_symbols(fl_error *err)
{
    fl_symbols *made = fl_mem_calloc(1, sizeof(*made));
    if (made == NULL)
        (void)fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the tables of a program");
    else {
        made->file.fd = -1;
        made->file.arena = fl_arena_of((size_t)2 * FL_MAX_SYMBOL_BYTES);
    }
    return made;
}

/* Names the program in front of what is wrong with it. */
static fl_status finish(fl_symbols **out, fl_symbols *made, const char *name, fl_error *err)
{
    fl_error why = {0};
    fl_status status = read_tables(made, &why);
    if (status == FL_OK) {
        *out = made;
        return FL_OK;
    }
    fl_symbols_close(made);
    return fl_fail(err, status, why.offset, "%.80s: %.100s", name, why.message);
}

fl_status fl_symbols_over(fl_symbols **out, fl_slice bytes, const char *name, fl_error *err)
{
    assert(out != NULL && name != NULL);
    *out = NULL;
    fl_symbols *made = new_symbols(err);
    if (made == NULL)
        return FL_E_NOMEM;
    /* An empty file still has a place in memory. */
    made->file.bytes = bytes.ptr != NULL ? bytes : FL_SLICE("");
    made->file.size = bytes.len;
    return finish(out, made, name, err);
}

fl_status fl_symbols_open(fl_symbols **out, const char *path, fl_error *err)
{
    assert(out != NULL && path != NULL);
    struct stat is;
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fl_fail(err, errno == ENOENT ? FL_E_NOTFOUND : FL_E_IO, FL_NO_OFFSET,
                       "cannot open %.120s: %s", path, strerror(errno));
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode)) {
        (void)close(fd);
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot open %.120s: not a file", path);
    }
    fl_symbols *made = new_symbols(err);
    if (made == NULL) {
        (void)close(fd);
        return FL_E_NOMEM;
    }
    made->file.fd = fd;
    made->file.size = (uint64_t)is.st_size;
    fl_status status = finish(out, made, path, err);
    if (status == FL_OK && made->dwarf == NULL) { /* all was read: the file may change now */
        (void)close(fd);
        made->file.fd = -1;
    }
    return status;
}

void fl_symbols_close(fl_symbols *symbols)
{
    if (symbols == NULL)
        return;
    if (symbols->file.fd >= 0)
        (void)close(symbols->file.fd);
    fl_arena_dispose(&symbols->file.arena);
    fl_mem_free(symbols);
}

/* Of the functions that begin last at or before the address, the one that covers it. A size of 0,
 * as assembly leaves it, covers all up to the next. */
static const fl_elf_function *find_native(const fl_elf *elf, uint64_t address)
{
    size_t low = 0, high = elf->function_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (elf->functions[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    uint64_t begin = elf->functions[low - 1].address;
    while (low > 1 && elf->functions[low - 2].address == begin)
        low--;
    const fl_elf_function *found = &elf->functions[low - 1];
    return found->size == 0 || address - found->address < found->size ? found : NULL;
}

/* Those of DWARF; what it has no name for has the symbol table's, where it is no inlined call. */
static size_t find_dwarf(const fl_symbols *symbols, uint64_t address, const fl_elf_function *native,
                         fl_symbol out[FL_MAX_INLINED])
{
    static const fl_slice unnamed = FL_SLICE_INIT("(no name)");
    size_t count = symbols->dwarf != NULL ? fl_dwarf_find(symbols->dwarf, address, out) : 0;
    for (size_t i = 0; i < count; i++)
        if (out[i].function.len == 0)
            out[i].function = i + 1 == count && native != NULL ? native->name : unnamed;
    return count;
}

/* Go's table first: it also knows lines, and native symbols of a Go program repeat it. */
size_t fl_symbols_find(const fl_symbols *symbols, uint64_t address, fl_symbol out[FL_MAX_INLINED])
{
    assert(symbols != NULL && out != NULL);
    size_t count = symbols->go.function_count > 0 ? fl_pclntab_find(&symbols->go, address, out) : 0;
    if (count > 0)
        return count;
    const fl_elf_function *native = find_native(&symbols->elf, address);
    count = find_dwarf(symbols, address, native, out);
    if (count > 0 || native == NULL)
        return count;
    out[0] = (fl_symbol){.function = native->name};
    return 1;
}

/* By the segment that holds the file's bytes; an address of no segment is taken as it is. */
uint64_t fl_symbols_address(const fl_symbols *symbols, uint64_t address, uint64_t start,
                            uint64_t file_offset)
{
    assert(symbols != NULL);
    uint64_t offset = address - start + file_offset;
    for (size_t i = 0; i < symbols->elf.segment_count; i++) {
        const fl_elf_segment *segment = &symbols->elf.segments[i];
        if (offset >= segment->offset && offset - segment->offset < segment->file_size)
            return offset - segment->offset + segment->address;
    }
    return address;
}

fl_slice fl_symbols_go_version(const fl_symbols *symbols)
{
    return symbols->identity.go_version;
}

fl_slice fl_symbols_main_module(const fl_symbols *symbols)
{
    return symbols->identity.main_module;
}

fl_slice fl_symbols_gnu_build_id(const fl_symbols *symbols)
{
    return symbols->identity.gnu_build_id;
}

fl_slice fl_symbols_go_build_id(const fl_symbols *symbols)
{
    return symbols->identity.go_build_id;
}

fl_slice fl_symbols_debug_link(const fl_symbols *symbols, uint32_t *crc)
{
    *crc = symbols->identity.debug_crc;
    return symbols->identity.debug_link;
}

bool fl_symbols_has_dwarf(const fl_symbols *symbols)
{
    return symbols->dwarf != NULL;
}

size_t fl_symbols_go_count(const fl_symbols *symbols)
{
    return (size_t)symbols->go.function_count;
}

size_t fl_symbols_native_count(const fl_symbols *symbols)
{
    return symbols->elf.function_count;
}
