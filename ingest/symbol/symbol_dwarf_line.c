/*
 * symbol_dwarf_line.c - the line table of a unit: a program that writes rows of (address, file,
 * line).
 *
 *   header      length, version u16, (5: address and segment bytes u8), header length, smallest
 *               instruction u8, (4 on: operations an instruction u8), default is_stmt u8, line
 *               base i8, line range u8, first special opcode u8, numbers of operands of the
 *               opcodes below it
 *   files       2 to 4: directories as texts up to an empty one, then name, directory, time and
 *               length of each file up to an empty name
 *               5: (content, form) pairs, count, rows; first for directories, then for files
 *   program     opcodes; one of at least the first special one moves address and line at once
 *
 * (DWARF 5, 6.2.) Rows that say what the row before says are not kept. Machines with several
 * operations an instruction are read as if with one, as other readers do.
 */
#include <assert.h>

#include "mem.h"
#include "sort.h"
#include "symbol_dwarf_priv.h"

enum { MAX_FILES = 1 << 20, MAX_ROWS = 1 << 24, MAX_PAIRS = 255 };

enum opcode {
    OP_COPY = 1,
    OP_ADVANCE_PC,
    OP_ADVANCE_LINE,
    OP_SET_FILE,
    OP_CONST_ADD_PC = 8,
    OP_FIXED_ADVANCE_PC
};
enum extended { EXT_END_SEQUENCE = 1, EXT_SET_ADDRESS };

typedef struct program {
    fl_dwarf_in in;
    const fl_dwarf_sections *sections;
    fl_dwarf_unit_form form;
    unsigned version, smallest, line_range, first_special;
    int line_base;
    unsigned char operands[256];
    /* the machine */
    uint64_t address;
    uint32_t file, line;
    bool is_in_sequence, is_dropped; /* is_dropped: of code that the linker left out */
    /* rows so far */
    fl_dwarf_row *rows;
    size_t row_count, row_cap;
    bool is_sorted, failed;
} program;

/* ---- the header ---- */

/* The lengths, and where the program begins; false where the table is odd. */
static bool read_header(program *p, uint64_t *program_at)
{
    fl_dwarf_in *in = &p->in;
    uint64_t length = fl_dwarf_uint(in, 4);
    p->form.offset_bytes = length == UINT32_MAX ? 8 : 4;
    if (length == UINT32_MAX)
        length = fl_dwarf_uint(in, 8);
    if (in->is_short || length > in->bytes.len - in->at)
        return false;
    in->bytes.len = in->at + (size_t)length;
    p->version = (unsigned)fl_dwarf_uint(in, 2);
    p->form.version = p->version;
    if (p->version < 2 || p->version > 5)
        return false;
    if (p->version == 5) {
        p->form.address_bytes = (unsigned)fl_dwarf_uint(in, 1);
        fl_dwarf_skip(in, 1);
        if (p->form.address_bytes != 4 && p->form.address_bytes != 8)
            return false;
    }
    uint64_t header = fl_dwarf_uint(in, p->form.offset_bytes);
    *program_at = in->at + header;
    if (header > in->bytes.len - in->at)
        return false;
    p->smallest = (unsigned)fl_dwarf_uint(in, 1);
    fl_dwarf_skip(in, p->version >= 4 ? 2 : 1);
    p->line_base = (int)(int8_t)fl_dwarf_uint(in, 1);
    p->line_range = (unsigned)fl_dwarf_uint(in, 1);
    p->first_special = (unsigned)fl_dwarf_uint(in, 1);
    for (unsigned i = 1; i < p->first_special; i++)
        p->operands[i] = (unsigned char)fl_dwarf_uint(in, 1);
    return !in->is_short && p->line_range > 0 && p->first_special > 0;
}

/* ---- files ---- */

/* Directories and files while they are read. */
typedef struct file_list {
    fl_dwarf_file *rows;
    size_t count, cap;
} file_list;

/* One more of either. False: no memory, or more than a unit can have. */
static bool add_file(file_list *list, fl_slice directory, fl_slice name)
{
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? 64 : 2 * list->cap;
        fl_dwarf_file *rows =
            cap > MAX_FILES ? NULL : fl_mem_realloc(list->rows, cap, sizeof(*list->rows));
        if (rows == NULL)
            return false;
        list->rows = rows;
        list->cap = cap;
    }
    list->rows[list->count++] = (fl_dwarf_file){.directory = directory, .name = name};
    return true;
}

/* A number that is none gives no directory. */
static fl_slice directory_of(const file_list *directories, uint64_t number)
{
    return number < directories->count ? directories->rows[number].name : (fl_slice){0};
}

/* The tables of DWARF 5. `directories` NULL: these are the directories. */
static bool read_described(program *p, file_list *out, const file_list *directories)
{
    enum { CONTENT_PATH = 1, CONTENT_DIRECTORY = 2 };
    struct {
        uint64_t content;
        unsigned form;
    } pairs[MAX_PAIRS];
    size_t pair_count = (size_t)fl_dwarf_uint(&p->in, 1);
    for (size_t i = 0; i < pair_count; i++) {
        pairs[i].content = fl_dwarf_number(&p->in);
        pairs[i].form = (unsigned)(fl_dwarf_number(&p->in) & UINT16_MAX);
    }
    uint64_t count = fl_dwarf_number(&p->in);
    for (uint64_t i = 0; i < count && pair_count > 0; i++) {
        fl_dwarf_value value;
        fl_slice name = {0};
        uint64_t directory = 0;
        size_t before = p->in.at;
        for (size_t k = 0; k < pair_count; k++) {
            if (!fl_dwarf_take_value(&value, &p->in, p->sections, &p->form, pairs[k].form, 0))
                return false;
            if (pairs[k].content == CONTENT_PATH)
                name = value.text;
            else if (pairs[k].content == CONTENT_DIRECTORY)
                directory = value.number;
        }
        if (p->in.at == before || /* rows of no bytes would never end */
            !add_file(out,
                      directories != NULL ? directory_of(directories, directory) : (fl_slice){0},
                      name))
            return false;
    }
    return !p->in.is_short;
}

/* Those before: directory 0 is the unit's own, file 0 is none. */
static bool read_listed(program *p, file_list *files, file_list *directories, fl_slice own)
{
    bool kept =
        add_file(directories, (fl_slice){0}, own) && add_file(files, (fl_slice){0}, (fl_slice){0});
    while (kept && !p->in.is_short) {
        fl_slice name = fl_dwarf_text(&p->in);
        if (name.len == 0)
            break;
        kept = add_file(directories, (fl_slice){0}, name);
    }
    while (kept && !p->in.is_short) {
        fl_slice name = fl_dwarf_text(&p->in);
        if (name.len == 0)
            break;
        uint64_t directory = fl_dwarf_number(&p->in);
        (void)fl_dwarf_number(&p->in);
        (void)fl_dwarf_number(&p->in);
        kept = add_file(files, directory_of(directories, directory), name);
    }
    return kept && !p->in.is_short;
}

/* Copied to where the unit lives. */
static bool read_files(fl_dwarf_lines *out, program *p, fl_slice own, fl_arena *arena)
{
    file_list directories = {0}, files = {0};
    bool is_good = p->version == 5 ? read_described(p, &directories, NULL) &&
                                         read_described(p, &files, &directories)
                                   : read_listed(p, &files, &directories, own);
    if (is_good)
        out->files = fl_arena_alloc(arena, files.count + 1, sizeof(*out->files));
    is_good = is_good && out->files != NULL;
    for (size_t i = 0; i < files.count && is_good; i++)
        out->files[out->file_count++] = files.rows[i];
    fl_mem_free(directories.rows);
    fl_mem_free(files.rows);
    return is_good;
}

/* ---- the program ---- */

/* A row, unless it says again what the one before says. */
static void put_row(program *p, uint32_t line)
{
    if (p->is_dropped)
        return;
    fl_dwarf_row row = {.address = p->address, .file = p->file, .line = line};
    fl_dwarf_row *last = p->row_count > 0 ? &p->rows[p->row_count - 1] : NULL;
    if (last != NULL && p->is_in_sequence) {
        if (last->file == row.file && last->line == line && line != 0)
            return;
        if (last->address == row.address && line != 0) {
            *last = row;
            return;
        }
    }
    if (last != NULL && row.address < last->address)
        p->is_sorted = false;
    if (p->row_count == p->row_cap) {
        size_t cap = p->row_cap == 0 ? 1024 : 2 * p->row_cap;
        fl_dwarf_row *rows = cap > MAX_ROWS ? NULL : fl_mem_realloc(p->rows, cap, sizeof(*p->rows));
        p->failed |= rows == NULL;
        if (rows == NULL)
            return;
        p->rows = rows;
        p->row_cap = cap;
    }
    p->rows[p->row_count++] = row;
    p->is_in_sequence = line != 0;
}

/* The machine as it is at the beginning of each stretch of code. */
static void begin_sequence(program *p)
{
    p->address = 0;
    p->file = 1;
    p->line = 1;
    p->is_in_sequence = p->is_dropped = false;
}

/* Behind the opcode 0: a length, an opcode of its own, operands. */
static void run_extended(program *p)
{
    uint64_t len = fl_dwarf_number(&p->in);
    size_t end =
        p->in.at + (len < p->in.bytes.len - p->in.at ? (size_t)len : p->in.bytes.len - p->in.at);
    if (len == 0)
        return;
    uint64_t opcode = fl_dwarf_uint(&p->in, 1);
    if (opcode == EXT_END_SEQUENCE) {
        if (p->is_in_sequence)
            put_row(p, 0);
        begin_sequence(p);
    } else if (opcode == EXT_SET_ADDRESS && len >= 2 && len <= 9) {
        p->address = fl_dwarf_uint(&p->in, (unsigned)len - 1);
        p->is_dropped = p->address == 0 || p->address == (len == 9 ? UINT64_MAX : UINT32_MAX);
    }
    p->in.at = end;
}

/* One below the first special one. */
static void run_standard(program *p, unsigned opcode)
{
    switch (opcode) {
    case OP_COPY:
        put_row(p, p->line);
        return;
    case OP_ADVANCE_PC:
        p->address += fl_dwarf_number(&p->in) * p->smallest;
        return;
    case OP_ADVANCE_LINE:
        p->line += (uint32_t)fl_dwarf_signed(&p->in);
        return;
    case OP_SET_FILE:
        p->file = (uint32_t)fl_dwarf_number(&p->in);
        return;
    case OP_CONST_ADD_PC:
        p->address += (uint64_t)((255 - p->first_special) / p->line_range) * p->smallest;
        return;
    case OP_FIXED_ADVANCE_PC:
        p->address += fl_dwarf_uint(&p->in, 2);
        return;
    default: /* columns, blocks, statements, and what later versions add */
        for (unsigned i = 0; i < p->operands[opcode]; i++)
            (void)fl_dwarf_number(&p->in);
    }
}

/* To the end of the table, or as far as it goes: how far the last row of one that breaks off
 * reaches is not known. */
static void run(program *p)
{
    begin_sequence(p);
    p->is_sorted = true;
    while (p->in.at < p->in.bytes.len && !p->in.is_short && !p->failed) {
        unsigned opcode = (unsigned)fl_dwarf_uint(&p->in, 1);
        if (opcode >= p->first_special) {
            unsigned step = opcode - p->first_special;
            p->address += (uint64_t)(step / p->line_range) * p->smallest;
            p->line += (uint32_t)(p->line_base + (int)(step % p->line_range));
            put_row(p, p->line);
        } else if (opcode == 0)
            run_extended(p);
        else
            run_standard(p, opcode);
    }
    if (p->is_in_sequence && p->row_count > 0)
        p->rows[p->row_count - 1].line = 0;
}

/* What rows are looked up by. */
static uint64_t by_address(const void *row)
{
    return ((const fl_dwarf_row *)row)->address;
}

/* Where one stretch ends and another begins, the beginning counts: it comes last. */
static int compare_rows(const void *a, const void *b)
{
    const fl_dwarf_row *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return (x->line != 0) - (y->line != 0);
}

/* Stretches of one function each (-ffunction-sections) come in any order; rows in one rise. */
void fl_dwarf_read_lines(fl_dwarf_lines *out, const fl_dwarf_sections *sections, uint64_t at,
                         const fl_dwarf_unit_form *form, fl_slice directory, fl_arena *arena)
{
    static const fl_row_order order = {.numbers = {by_address}, .compare = compare_rows};
    assert(out != NULL && form != NULL);
    program p = {.in = fl_dwarf_in_at(sections->of[FL_DWARF_LINE], at, sections->is_big),
                 .sections = sections,
                 .form = *form};
    uint64_t program_at;
    *out = (fl_dwarf_lines){0};
    if (!read_header(&p, &program_at) || !read_files(out, &p, directory, arena))
        return;
    p.in.at = (size_t)program_at;
    run(&p);
    if (!p.is_sorted)
        fl_sort_rows(p.rows, p.row_count, sizeof(*p.rows), &order);
    out->rows = fl_arena_alloc(arena, p.row_count + 1, sizeof(*out->rows));
    for (size_t i = 0; i < p.row_count && out->rows != NULL; i++)
        out->rows[out->row_count++] = p.rows[i];
    fl_mem_free(p.rows);
}

/* The last row at or before the address; the end of a stretch covers nothing. */
const fl_dwarf_row *fl_dwarf_row_of(const fl_dwarf_lines *lines, uint64_t address)
{
    size_t low = 0, high = lines->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lines->rows[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && lines->rows[low - 1].line != 0 ? &lines->rows[low - 1] : NULL;
}

/* Joined once: units name hundreds of files, of which few are asked for. */
fl_slice fl_dwarf_file_path(fl_dwarf_lines *lines, uint64_t number, fl_arena *arena)
{
    if (number >= lines->file_count || lines->files[number].name.len == 0)
        return (fl_slice){0};
    fl_dwarf_file *file = &lines->files[number];
    if (file->path.len > 0)
        return file->path;
    if (file->directory.len == 0 || file->name.ptr[0] == '/')
        file->path = file->name;
    else {
        size_t len = file->directory.len + 1 + file->name.len;
        unsigned char *text = fl_arena_bytes(arena, len);
        if (text == NULL)
            return file->name;
        memcpy(text, file->directory.ptr, file->directory.len);
        text[file->directory.len] = '/';
        memcpy(text + file->directory.len + 1, file->name.ptr, file->name.len);
        file->path = (fl_slice){.ptr = text, .len = len};
    }
    return file->path;
}
