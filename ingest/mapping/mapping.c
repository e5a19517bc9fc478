/*
 * mapping.c - a mapping file line by line, of which the wanted classes are kept.
 *
 *   org.example.Basket -> a:                            a class
 *   # {"id":"sourceFile","fileName":"Basket.java"}      about the class
 *       java.util.List rules -> a                       a field
 *       1:5:int total(int):41:45 -> a                   a method: its lines, short and in the
 * source 2:2:int Discount.zero():20:20 -> b              one that was inlined ... 2:2:int
 * total(int):13 -> b                      ... into this, which called it there #
 * {"id":"com.android.tools.r8.residualsignature","signature":"(I)V"}    about the method
 *
 * Cost: a class that is not wanted costs the search for its ends of lines. Invariant: members of a
 * class are neighbours, as they stand in the file until it is read and by their short names after;
 * a class that comes again is passed over.
 */
#include "mapping.h"

#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "mapping_priv.h"
#include "mem.h"
#include "number.h"
#include "sort.h"

enum { MAX_LINE_BYTES = 64 << 10, FIRST_MEMBERS = 256 };

fl_status fl_mapping_create(fl_mapping **out, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_mapping *made = fl_mem_calloc(1, sizeof(*made));
    if (made == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a mapping");
    made->arena = fl_arena_of(FL_MAX_MAPPING_BYTES);
    fl_status status = fl_intern_create(&made->wanted, FL_MAX_MAPPING_BYTES, err);
    if (status != FL_OK) {
        fl_mapping_destroy(made);
        return status;
    }
    *out = made;
    return FL_OK;
}

/* Frees whatever a failed create had, too. */
void fl_mapping_destroy(fl_mapping *mapping)
{
    if (mapping == NULL)
        return;
    fl_intern_destroy(mapping->wanted);
    fl_mem_free(mapping->entries);
    fl_mem_free(mapping->members);
    fl_arena_dispose(&mapping->arena);
    fl_mem_free(mapping);
}

/* Twice the room, where there is none left. */
static bool make_room(void **rows, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return true;
    size_t more = *cap == 0 ? FIRST_MEMBERS : *cap * 2;
    void *grown = fl_mem_realloc(*rows, more, size);
    if (grown == NULL)
        return false;
    *rows = grown;
    *cap = more;
    return true;
}

/* ---- what is wanted ---- */

/* One name; again is no harm. What is longer than a class file can tell (4.4.7 of the Java virtual
 * machine's specification) is no class. */
static fl_status want(fl_mapping *mapping, fl_slice name, fl_error *err)
{
    fl_sym sym;
    if (name.len > UINT16_MAX)
        return FL_OK;
    size_t before = fl_intern_count(mapping->wanted);
    void *rows = mapping->entries;
    if (!make_room(&rows, &mapping->entry_cap, before, sizeof(*mapping->entries)))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a mapping");
    mapping->entries = rows;
    fl_status status = fl_intern_put(&sym, mapping->wanted, name, err);
    if (status == FL_OK && fl_intern_count(mapping->wanted) > before)
        mapping->entries[sym] = (fl_mapping_entry){0};
    return status;
}

bool fl_mapping_take_type(fl_slice *in, fl_mapping_type *out)
{
    size_t at = 0;
    while (at < in->len && in->ptr[at] == '[')
        at++;
    if (at == in->len || at > 255 || strchr("BCDFIJSZVL", in->ptr[at]) == NULL ||
        in->ptr[at] == '\0')
        return false;
    *out = (fl_mapping_type){.letter = (char)in->ptr[at], .dimensions = (unsigned)at};
    at++;
    if (out->letter == 'L') {
        size_t len = fl_slice_find(fl_slice_part(*in, at, in->len), FL_SLICE(";"));
        if (at + len == in->len)
            return false;
        out->class_name = fl_slice_part(*in, at, at + len);
        at += len + 1;
    }
    *in = fl_slice_part(*in, at, in->len);
    return true;
}

/* "a/d" is "a.d" in the file. */
static fl_status want_type(fl_mapping *mapping, fl_slice name, fl_error *err)
{
    unsigned char dotted[512];
    if (name.len == 0 || name.len > sizeof(dotted))
        return FL_OK;
    for (size_t i = 0; i < name.len; i++)
        dotted[i] = name.ptr[i] == '/' ? '.' : name.ptr[i];
    return want(mapping, (fl_slice){.ptr = dotted, .len = name.len}, err);
}

fl_status fl_mapping_want(fl_mapping *mapping, fl_slice class_name, fl_slice descriptor,
                          fl_error *err)
{
    assert(mapping != NULL && !mapping->was_read);
    fl_mapping_type type;
    fl_status status = want(mapping, class_name, err);
    while (status == FL_OK && descriptor.len > 0) {
        if (descriptor.ptr[0] == '(' || descriptor.ptr[0] == ')')
            descriptor = fl_slice_part(descriptor, 1, descriptor.len);
        else if (fl_mapping_take_type(&descriptor, &type))
            status = want_type(mapping, type.class_name, err);
        else
            break;
    }
    return status;
}

/* ---- lines ---- */

/* "12:" in front. */
static bool take_number(fl_slice *in, uint32_t *out)
{
    uint64_t value;
    size_t end = fl_slice_find(*in, FL_SLICE(":"));
    if (end == 0 || end == in->len || end > 9 || in->ptr[0] < '0' || in->ptr[0] > '9' ||
        !fl_parse_u64(fl_slice_part(*in, 0, end), &value))
        return false;
    *out = (uint32_t)value;
    *in = fl_slice_part(*in, end + 1, in->len);
    return true;
}

/* ":41:45", ":13" or nothing, behind the arguments. */
static bool parse_source_lines(fl_mapping_member *out, fl_slice text)
{
    uint32_t *const to[] = {&out->source_from, &out->source_to};
    for (size_t i = 0; i < 2 && text.len > 0; i++) {
        uint64_t value;
        if (text.ptr[0] != ':')
            return false;
        size_t end = 1 + fl_slice_find(fl_slice_part(text, 1, text.len), FL_SLICE(":"));
        if (end > 10 || !fl_parse_u64(fl_slice_part(text, 1, end), &value))
            return false;
        *to[i] = (uint32_t)value;
        text = fl_slice_part(text, end, text.len);
    }
    return text.len == 0;
}

/* Where the last of it stands; text.len: nowhere. */
static size_t find_last(fl_slice text, char what)
{
    for (size_t at = text.len; at > 0; at--)
        if (text.ptr[at - 1] == (unsigned char)what)
            return at - 1;
    return text.len;
}

bool fl_mapping_parse_member(fl_mapping_member *out, fl_slice line, bool *is_field)
{
    size_t arrow = fl_slice_find(line, FL_SLICE(" -> "));
    *out = (fl_mapping_member){0};
    *is_field = false;
    if (arrow == line.len)
        return false;
    fl_slice left = fl_slice_part(line, 0, arrow);
    out->short_name = fl_slice_part(line, arrow + 4, line.len);
    if (take_number(&left, &out->from) && !take_number(&left, &out->to))
        out->to = out->from;
    size_t space = fl_slice_find(left, FL_SLICE(" ")), open = fl_slice_find(left, FL_SLICE("("));
    if (space == 0 || space + 1 >= left.len || out->short_name.len == 0 ||
        fl_slice_find(fl_slice_part(left, 0, space), FL_SLICE(":")) < space)
        return false;
    *is_field = open == left.len;
    size_t close = fl_slice_find(left, FL_SLICE(")"));
    if (*is_field || open <= space + 1 || close == left.len || close < open)
        return false;
    fl_slice name = fl_slice_part(left, space + 1, open);
    size_t dot = find_last(name, '.');
    out->returned = fl_slice_part(left, 0, space);
    out->arguments = fl_slice_part(left, open + 1, close);
    if (dot < name.len) {
        out->class_name = fl_slice_part(name, 0, dot);
        name = fl_slice_part(name, dot + 1, name.len);
    }
    out->method = name;
    return name.len > 0 && out->to >= out->from &&
           parse_source_lines(out, fl_slice_part(left, close + 1, left.len));
}

/* The text behind a key of a comment; empty where it has none. A backslash is nothing that a name
 * of a file or a descriptor has. */
static fl_slice comment_text(fl_slice comment, fl_slice key)
{
    size_t at = fl_slice_find(comment, key);
    if (at == comment.len)
        return (fl_slice){0};
    fl_slice rest = fl_slice_part(comment, at + key.len, comment.len);
    size_t open = fl_slice_find(rest, FL_SLICE("\""));
    if (open == rest.len || open > 4) /* a colon, and perhaps spaces */
        return (fl_slice){0};
    rest = fl_slice_part(rest, open + 1, rest.len);
    size_t close = fl_slice_find(rest, FL_SLICE("\""));
    return close < rest.len ? fl_slice_part(rest, 0, close) : (fl_slice){0};
}

/* ---- the file ---- */

typedef struct reading {
    fl_mapping *mapping;
    fl_mapping_entry *entry; /* NULL: the class is not wanted */
    bool failed;             /* no memory */
} reading;

/* Texts of members repeat, but seldom as neighbours: each is kept. */
static void keep(reading *in, fl_slice *text)
{
    if (text->len == 0)
        return;
    *text = fl_arena_copy(&in->mapping->arena, *text);
    in->failed |= text->ptr == NULL;
}

/* The first is what a person looks at. */
static void note_bad(fl_mapping *mapping, uint64_t number)
{
    if (mapping->bad_lines++ == 0)
        mapping->first_bad_line = number;
}

/* "org.example.Basket -> a:" */
static void take_class(reading *in, const fl_line *line)
{
    static const fl_slice arrow = FL_SLICE_INIT(" -> ");
    fl_mapping *mapping = in->mapping;
    fl_slice text = fl_slice_trim(line->text);
    size_t at = fl_slice_find(text, arrow);
    fl_sym sym;
    in->entry = NULL;
    if (at == 0 || at == text.len || text.ptr[text.len - 1] != ':' ||
        at + arrow.len + 1 >= text.len) {
        if (text.len > 0)
            note_bad(mapping, line->number);
        return;
    }
    mapping->class_count++;
    fl_slice name = fl_slice_part(text, at + arrow.len, text.len - 1);
    if (!fl_intern_find(&sym, mapping->wanted, name) || mapping->entries[sym].class_name.len > 0)
        return;
    in->entry = &mapping->entries[sym];
    in->entry->class_name = fl_slice_part(text, 0, at);
    in->entry->first = mapping->member_count;
    keep(in, &in->entry->class_name);
}

/* About the class, or about the method before it. */
static void take_comment(reading *in, fl_slice text)
{
    fl_mapping_entry *entry = in->entry;
    fl_slice file = comment_text(text, FL_SLICE("\"fileName\""));
    if (file.len > 0 && fl_slice_find(text, FL_SLICE("\"sourceFile\"")) < text.len) {
        keep(in, &file);
        entry->file = file;
    }
    if (entry->count == 0)
        return;
    fl_mapping_member *member = &in->mapping->members[in->mapping->member_count - 1];
    fl_slice signature = comment_text(text, FL_SLICE("\"signature\""));
    if (signature.len > 0 && fl_slice_find(text, FL_SLICE("residualsignature")) < text.len) {
        keep(in, &signature);
        member->signature = signature;
    }
    member->is_synthesized |= fl_slice_find(text, FL_SLICE("r8.synthesized\"")) < text.len;
}

/* A method of a wanted class. */
static void take_member(reading *in, const fl_line *line)
{
    fl_mapping *mapping = in->mapping;
    fl_mapping_member member;
    bool is_field;
    if (!fl_mapping_parse_member(&member, fl_slice_trim(line->text), &is_field)) {
        if (!is_field)
            note_bad(mapping, line->number);
        return;
    }
    fl_slice *const texts[] = {&member.short_name, &member.class_name, &member.method,
                               &member.arguments, &member.returned};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        keep(in, texts[i]);
    void *rows = mapping->members;
    in->failed |=
        !make_room(&rows, &mapping->member_cap, mapping->member_count, sizeof(*mapping->members));
    mapping->members = rows;
    if (in->failed)
        return;
    member.position = mapping->member_count;
    mapping->members[mapping->member_count++] = member;
    in->entry->count++;
}

/* By its first byte: what is indented belongs to the class before. */
static void take_line(reading *in, const fl_line *line)
{
    unsigned char first = line->text.len > 0 ? line->text.ptr[0] : '#';
    bool is_inside = first == ' ' || first == '\t';
    if (in->entry == NULL && is_inside)
        return;
    fl_slice text = fl_slice_trim(line->text);
    if (in->entry == NULL && (text.len == 0 || text.ptr[0] == '#'))
        return;
    if (line->too_long)
        note_bad(in->mapping, line->number);
    else if (text.len > 0 && text.ptr[0] == '#')
        take_comment(in, text);
    else if (!is_inside)
        take_class(in, line);
    else if (text.len > 0)
        take_member(in, line);
}

/* Up to the end of the stream. */
static fl_status read_lines(reading *in, fl_lines *lines, fl_error *err)
{
    fl_line line;
    bool more = true;
    for (;;) {
        fl_status status = fl_lines_next(lines, &line, &more, err);
        if (status != FL_OK || !more)
            return status;
        take_line(in, &line);
        if (in->failed)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a mapping");
    }
}

/* By name, so that a frame's are found by halving; those of one name stay in the order of the file,
 * which tells chains of inlined calls. */
static int compare_members(const void *a, const void *b)
{
    const fl_mapping_member *x = a, *y = b;
    int by_name = fl_slice_compare(x->short_name, y->short_name);
    if (by_name != 0)
        return by_name;
    return x->position < y->position ? -1 : x->position > y->position;
}

/* Each class by itself, when comments can no longer speak of its last member. */
static void sort_members(fl_mapping *mapping)
{
    static const fl_row_order order = {.compare = compare_members};
    for (size_t i = 0; i < fl_intern_count(mapping->wanted); i++) {
        const fl_mapping_entry *entry = &mapping->entries[i];
        assert(entry->first + entry->count <= mapping->member_count);
        if (entry->count > 1)
            fl_sort_rows(&mapping->members[entry->first], entry->count, sizeof(*mapping->members),
                         &order);
    }
}

fl_status fl_mapping_read(fl_mapping *mapping, fl_stream *stream, fl_error *err)
{
    fl_lines *lines = NULL;
    assert(mapping != NULL && !mapping->was_read);
    mapping->was_read = true;
    fl_status status = fl_lines_create(&lines, stream, MAX_LINE_BYTES, err);
    if (status == FL_OK)
        status = read_lines(&(reading){.mapping = mapping}, lines, err);
    fl_lines_destroy(lines);
    if (status == FL_OK)
        sort_members(mapping);
    if (status == FL_OK && mapping->class_count == 0)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "no mapping file of ProGuard or R8");
    return status;
}

uint64_t fl_mapping_bad_lines(const fl_mapping *mapping, uint64_t *first)
{
    *first = mapping->first_bad_line;
    return mapping->bad_lines;
}

const fl_mapping_entry *fl_mapping_entry_of(const fl_mapping *mapping, fl_slice short_name)
{
    fl_sym sym;
    if (!fl_intern_find(&sym, mapping->wanted, short_name) ||
        mapping->entries[sym].class_name.len == 0)
        return NULL;
    return &mapping->entries[sym];
}

fl_slice fl_mapping_class(const fl_mapping *mapping, fl_slice class_name)
{
    const fl_mapping_entry *entry = fl_mapping_entry_of(mapping, class_name);
    return entry != NULL ? entry->class_name : (fl_slice){0};
}
