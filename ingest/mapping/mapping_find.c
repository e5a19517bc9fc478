/*
 * mapping_find.c - a short frame to what it was.
 *
 * Lines of one short method that follow each other with the same range, of which each later one has
 * a single number behind its arguments, are one chain of inlined calls, innermost first; the last
 * is the method that the short one is. (R8's retrace documentation, "Inlined frames".)
 *
 *   a line in a range          the chain of that range; several such chains: alternatives
 *   a line in none, or none    each different method of that short name, without its line, unless
 *                              the descriptor tells which
 */
#include <assert.h>
#include <string.h>

#include "mapping_priv.h"

typedef struct chain {
    size_t first, end; /* members; the last is the method itself */
} chain;

/* What goes over one class for one question. */
typedef struct finding {
    const fl_mapping *mapping;
    const fl_mapping_entry *entry;
    const fl_mapping_query *query;
    fl_mapping_frame *out;
    size_t first; /* the first member of the short method */
    size_t count;
    uint32_t alternatives;
} finding;

/* All places come from the entry, whose members are there. */
static const fl_mapping_member *member_at(const finding *f, size_t i)
{
    assert(i < f->mapping->member_count);
    return &f->mapping->members[i];
}

/* Where the members of the short method begin. */
static size_t first_member(const finding *f)
{
    size_t low = f->entry->first, high = low + f->entry->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fl_slice_compare(member_at(f, middle)->short_name, f->query->method) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The next chain of the short method from *at on: its members are neighbours in the file, too. */
static bool next_chain(const finding *f, size_t *at, chain *out)
{
    size_t end = f->entry->first + f->entry->count;
    if (*at >= end || !fl_slice_equal(member_at(f, *at)->short_name, f->query->method))
        return false;
    *out = (chain){.first = *at, .end = *at + 1};
    for (; out->end < end; out->end++) {
        const fl_mapping_member *inner = member_at(f, out->end - 1),
                                *outer = member_at(f, out->end);
        if (inner->source_from == 0 || outer->source_from == 0 || outer->source_to != 0 ||
            inner->to == 0 || inner->from != outer->from || inner->to != outer->to ||
            outer->position != inner->position + 1 ||
            !fl_slice_equal(inner->short_name, outer->short_name))
            break;
    }
    *at = out->end;
    return true;
}

/* ---- descriptors ---- */

/* Whether `text` begins with what a descriptor's type is in the source. Steps over it. */
static bool takes_type(const finding *f, fl_slice *text, const fl_mapping_type *type)
{
    static const char letters[] = "BCDFIJSZV";
    static const fl_slice names[] = {
        FL_SLICE_INIT("byte"),  FL_SLICE_INIT("char"),    FL_SLICE_INIT("double"),
        FL_SLICE_INIT("float"), FL_SLICE_INIT("int"),     FL_SLICE_INIT("long"),
        FL_SLICE_INIT("short"), FL_SLICE_INIT("boolean"), FL_SLICE_INIT("void")};
    unsigned char dotted[512];
    fl_slice name;
    if (type->letter == 'L') {
        if (type->class_name.len > sizeof(dotted))
            return false;
        for (size_t i = 0; i < type->class_name.len; i++)
            dotted[i] = type->class_name.ptr[i] == '/' ? '.' : type->class_name.ptr[i];
        name = (fl_slice){.ptr = dotted, .len = type->class_name.len};
        fl_slice plain = fl_mapping_class(f->mapping, name);
        name = plain.len > 0 ? plain : name;
    } else
        name = names[strchr(letters, type->letter) - letters];
    if (!fl_slice_starts_with(*text, name))
        return false;
    *text = fl_slice_part(*text, name.len, text->len);
    for (unsigned i = 0; i < type->dimensions; i++) {
        if (!fl_slice_starts_with(*text, FL_SLICE("[]")))
            return false;
        *text = fl_slice_part(*text, 2, text->len);
    }
    return true;
}

/* "(I[La;)V" of "int,org.example.Basket[]" and "void". */
static bool has_descriptor(const finding *f, const fl_mapping_member *member)
{
    fl_slice in = f->query->descriptor, arguments = member->arguments, returned = member->returned;
    fl_mapping_type type;
    bool is_first = true;
    assert(in.len > 0);
    if (in.ptr[0] != '(')
        return false;
    in = fl_slice_part(in, 1, in.len);
    for (; in.len > 0 && in.ptr[0] != ')'; is_first = false) {
        if (!is_first && !fl_slice_starts_with(arguments, FL_SLICE(",")))
            return false;
        arguments = is_first ? arguments : fl_slice_part(arguments, 1, arguments.len);
        if (!fl_mapping_take_type(&in, &type) || !takes_type(f, &arguments, &type))
            return false;
    }
    if (in.len == 0 || arguments.len > 0)
        return false;
    in = fl_slice_part(in, 1, in.len);
    return fl_mapping_take_type(&in, &type) && takes_type(f, &returned, &type) && returned.len == 0;
}

/* R8 may have changed the arguments; it says so behind one of the method's lines. */
static bool is_asked(const finding *f, const chain *c)
{
    for (size_t i = c->first; i < c->end; i++)
        if (member_at(f, i)->signature.len > 0)
            return fl_slice_equal(member_at(f, i)->signature, f->query->descriptor);
    return has_descriptor(f, member_at(f, c->end - 1));
}

/* ---- answers ---- */

/* A single number is a place; a range moves with the line as far as it goes. */
static uint32_t source_line(const fl_mapping_member *member, uint32_t line)
{
    if (member->source_from == 0 || line == 0)
        return line;
    if (member->to == 0 || member->source_to <= member->source_from)
        return member->source_from;
    uint32_t moved = member->source_from + (line - member->from);
    return moved < member->source_to ? moved : member->source_to;
}

/* Files of other classes are not known; the holder's own is. */
static void put_frame(finding *f, const fl_mapping_member *member, uint32_t line)
{
    bool is_own =
        member->class_name.len == 0 || fl_slice_equal(member->class_name, f->entry->class_name);
    if (f->count == FL_MAPPING_MAX_FRAMES)
        return;
    f->out[f->count++] =
        (fl_mapping_frame){.class_name = is_own ? f->entry->class_name : member->class_name,
                           .method = member->method,
                           .arguments = member->arguments,
                           .returned = member->returned,
                           .file = is_own ? f->entry->file : (fl_slice){0},
                           .line = source_line(member, line),
                           .alternative = f->alternatives};
}

/* What the compiler made is left out where something else stands in the chain. */
static void put_chain(finding *f, const chain *c, uint32_t line)
{
    size_t before = f->count;
    assert(c->first < c->end);
    for (size_t i = c->first; i < c->end; i++)
        if (!member_at(f, i)->is_synthesized)
            put_frame(f, member_at(f, i), line);
    if (f->count == before)
        put_frame(f, member_at(f, c->end - 1), line);
    f->alternatives += f->count > before;
}

/* Chains whose range has the line; where there are none, those without a range. */
static void find_by_line(finding *f, bool has_range, bool by_descriptor)
{
    uint32_t line = f->query->line;
    size_t at = f->first;
    chain c;
    while (next_chain(f, &at, &c)) {
        const fl_mapping_member *member = member_at(f, c.first);
        bool fits = has_range ? member->to > 0 && line >= member->from && line <= member->to
                              : member->to == 0;
        if (fits && (!by_descriptor || is_asked(f, &c)))
            put_chain(f, &c, line);
    }
}

/* Each different method once, without its lines. */
static void find_methods(finding *f, bool by_descriptor)
{
    size_t at = f->first;
    chain c;
    while (next_chain(f, &at, &c)) {
        const fl_mapping_member *method = member_at(f, c.end - 1);
        bool is_known = by_descriptor && !is_asked(f, &c);
        for (size_t i = 0; i < f->count && !is_known; i++)
            is_known = fl_slice_equal(f->out[i].method, method->method) &&
                       fl_slice_equal(f->out[i].arguments, method->arguments) &&
                       fl_slice_equal(f->out[i].returned, method->returned);
        if (!is_known)
            put_chain(f, &(chain){.first = c.end - 1, .end = c.end}, 0);
    }
}

/* The descriptor first; where no method has it, as if it were not known. */
size_t fl_mapping_find(const fl_mapping *mapping, const fl_mapping_query *query,
                       fl_mapping_frame out[FL_MAPPING_MAX_FRAMES])
{
    assert(mapping != NULL && query != NULL && out != NULL);
    const fl_mapping_entry *entry = fl_mapping_entry_of(mapping, query->class_name);
    if (entry == NULL)
        return 0;
    finding f = {.mapping = mapping, .entry = entry, .query = query, .out = out};
    f.first = first_member(&f);
    for (int by_descriptor = query->descriptor.len > 0; by_descriptor >= 0 && f.count == 0;
         by_descriptor--) {
        if (query->line > 0)
            find_by_line(&f, true, by_descriptor != 0);
        if (query->line > 0 && f.count == 0)
            find_by_line(&f, false, by_descriptor != 0);
        if (f.count == 0)
            find_methods(&f, by_descriptor != 0);
    }
    return f.count;
}
