/*
 * demangle_types.c - types of mangled names.
 *
 * A type is two texts, since what is declared stands in its middle: "int (*" and ")()". A pack (Dp)
 * is read again for each of its elements.
 */
#include <assert.h>
#include <string.h>

#include "demangle_priv.h"

/* ---- types ---- */

/* "int", then "," and the next; what an empty pack leaves is no element. */
void fl_dm_op_join(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node more = fl_dm_take(m), list = fl_dm_take(m);
    fl_slice text = fl_dm_whole(m, &more);
    if (list.left.len > 0 && text.len > 0)
        text = FL_DM_TEXT(m, list.left, FL_SLICE(", "), text);
    fl_dm_put_text(m, text.len > 0 ? text : list.left);
}

/* Two texts without anything between them: "vtable for " and a class. */
void fl_dm_op_glue(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node last = fl_dm_take(m), first = fl_dm_take(m);
    fl_slice base = last.base;
    last.left = FL_DM_TEXT(m, first.left, fl_dm_whole(m, &last));
    last.right = (fl_slice){0};
    last.base = base;
    fl_dm_put(m, last);
}

/* Behind what they qualify, as c++filt writes them. Behind the parameters of a function; in
 * front of the dimensions of an array. What an argument brought along is not said again. */
void fl_dm_op_qualify(fl_dm_machine *m, fl_dm_task now)
{
    static const char *const words[] = {" const", " volatile", " __restrict"};
    fl_dm_node value = fl_dm_take(m);
    for (size_t i = 0; i < 3; i++) {
        fl_slice word = fl_slice_of(words[i]);
        if ((now.number >> i & 1) == 0)
            continue;
        if (value.kind == FL_DM_IS_FUNCTION)
            value.right = FL_DM_TEXT(m, value.right, word);
        else if (value.kind == FL_DM_IS_ARRAY)
            value.left = FL_DM_TEXT(m, fl_slice_trim(value.left), word, FL_SLICE(" "));
        else if (!fl_slice_ends_with(value.left, word))
            value.left = FL_DM_TEXT(m, value.left, word);
    }
    /* "int& const" does not end with its mark: a reference to it is written behind */
    if (value.kind == FL_DM_IS_LVALUE || value.kind == FL_DM_IS_RVALUE)
        value.kind = FL_DM_IS_PLAIN;
    fl_dm_put(m, value);
}

/* References to references are one: & wins. */
void fl_dm_op_pointer(fl_dm_machine *m, fl_dm_task now)
{
    fl_slice mark = now.number == 'P'   ? FL_SLICE("*")
                    : now.number == 'R' ? FL_SLICE("&")
                                        : FL_SLICE("&&");
    fl_dm_node value = fl_dm_take(m);
    bool is_reference = now.number != 'P';
    if (is_reference &&
        (value.kind == FL_DM_IS_LVALUE || (value.kind == FL_DM_IS_RVALUE && now.number == 'O'))) {
        fl_dm_put(m, value);
        return;
    }
    if (is_reference && value.kind == FL_DM_IS_RVALUE) /* "&&" becomes "&" */
        value.left = fl_slice_part(value.left, 0, value.left.len - 1);
    else if (value.kind == FL_DM_IS_FUNCTION || value.kind == FL_DM_IS_ARRAY) {
        value.left = FL_DM_TEXT(m, value.left, FL_SLICE("("), mark);
        value.right =
            FL_DM_TEXT(m, FL_SLICE(")"),
                       value.kind == FL_DM_IS_ARRAY ? FL_SLICE(" ") : FL_SLICE(""), value.right);
    } else
        value.left = FL_DM_TEXT(m, value.left, mark);
    value.kind = !is_reference       ? FL_DM_IS_PLAIN
                 : now.number == 'R' ? FL_DM_IS_LVALUE
                                     : FL_DM_IS_RVALUE;
    fl_dm_put(m, value);
}

/* "&" and "&&" behind the parameters. */
fl_slice fl_dm_take_reference(fl_dm_machine *m)
{
    return fl_dm_take_letter(m, 'R')   ? FL_SLICE(" &")
           : fl_dm_take_letter(m, 'O') ? FL_SLICE(" &&")
                                       : FL_SLICE("");
}

/* F [Y] result parameter... [R | O] E: the result stands in front of the declared, the
 * parameters behind it. */
void fl_dm_op_function(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node parameters = fl_dm_take(m), returned = fl_dm_take(m);
    fl_slice reference = fl_dm_take_reference(m);
    fl_dm_expect(m, 'E');
    fl_dm_put(
        m, (fl_dm_node){.left = FL_DM_TEXT(m, returned.left,
                                           returned.right.len == 0 ? FL_SLICE(" ") : FL_SLICE("")),
                        .right = FL_DM_TEXT(m, parameters.left, reference, returned.right),
                        .kind = FL_DM_IS_FUNCTION});
}

/* A size _ type. The dimensions of an array of arrays follow each other behind the element. */
void fl_dm_op_array(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node value = fl_dm_take(m), size = fl_dm_take(m);
    bool needs_space = value.kind != FL_DM_IS_ARRAY && value.right.len == 0;
    value.left = FL_DM_TEXT(m, value.left, needs_space ? FL_SLICE(" ") : FL_SLICE(""));
    value.right = FL_DM_TEXT(m, FL_SLICE("["), size.left, FL_SLICE("]"), value.right);
    if (needs_space || value.kind == FL_DM_IS_ARRAY)
        value.kind = FL_DM_IS_ARRAY;
    fl_dm_put(m, value);
}

/* M class type: "int (A::*)()" of a function, "int (A::*) [3]" of an array, "int A::*" of anything
 * else. */
void fl_dm_op_member(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node value = fl_dm_take(m), class_name = fl_dm_take(m);
    bool is_array = value.kind == FL_DM_IS_ARRAY;
    if (value.kind == FL_DM_IS_FUNCTION || is_array) {
        value.left =
            FL_DM_TEXT(m, value.left, FL_SLICE("("), fl_dm_whole(m, &class_name), FL_SLICE("::*"));
        value.right =
            FL_DM_TEXT(m, FL_SLICE(")"), is_array ? FL_SLICE(" ") : FL_SLICE(""), value.right);
    } else
        value.left =
            FL_DM_TEXT(m, value.left, FL_SLICE(" "), fl_dm_whole(m, &class_name), FL_SLICE("::*"));
    value.kind = FL_DM_IS_PLAIN;
    fl_dm_put(m, value);
}

/* As a step of its own, behind the steps that make the value. */
void fl_dm_op_substitute(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_substitute(m);
}

/* Arguments behind what has a template's name. */
void fl_dm_begin_arguments(fl_dm_machine *m, bool is_own)
{
    fl_dm_push(m, FL_DM_APPEND, is_own, 0);
    fl_dm_push(m, FL_DM_ARGUMENTS, is_own, 0);
}

/* Begins to read a pack, for its first element. */
static void begin_pack(fl_dm_machine *m)
{
    if (m->pack_count == FL_DM_MAX_PACKS) {
        fl_dm_fail(m);
        return;
    }
    m->at += 2;
    m->packs[m->pack_count++] = (fl_dm_pack){.start = m->at,
                                             .substitutions = m->substitution_count,
                                             .count = SIZE_MAX,
                                             .id = ++m->last_pack};
    fl_dm_put_text(m, (fl_slice){0});
    fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
    fl_dm_push(m, FL_DM_PACK, false, 0);
    fl_dm_push(m, FL_DM_JOIN, false, 0);
    fl_dm_push(m, FL_DM_TYPE, false, 0);
}

/* Again for the next element; the substitutions of one reading count. */
void fl_dm_op_pack(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    assert(m->pack_count > 0);
    fl_dm_pack *p = &m->packs[m->pack_count - 1];
    if (p->count == SIZE_MAX) { /* of a lambda's own parameters */
        fl_dm_node value = fl_dm_take(m);
        fl_dm_put_text(m, FL_DM_TEXT(m, value.left, FL_SLICE("...")));
    } else if (p->count == 0) {
        (void)fl_dm_take(m);
        fl_dm_put_text(m, (fl_slice){0});
    } else if (++p->index < p->count) {
        m->at = p->start;
        m->substitution_count = p->substitutions;
        fl_dm_push(m, FL_DM_PACK, false, 0);
        fl_dm_push(m, FL_DM_JOIN, false, 0);
        fl_dm_push(m, FL_DM_TYPE, false, 0);
        return;
    }
    m->pack_count--;
}

/* "A10_i": the size is kept under the type. */
static void begin_array(fl_dm_machine *m)
{
    size_t begin = ++m->at, size;
    if (fl_dm_peek(m, 0) != '_' && !fl_dm_take_number(m, &size))
        fl_dm_fail(m);
    fl_dm_put_text(m, fl_slice_part(m->in, begin, m->at));
    fl_dm_expect(m, '_');
    fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
    fl_dm_push(m, FL_DM_ARRAY, false, 0);
    fl_dm_push(m, FL_DM_TYPE, false, 0);
}

/* "rVK" in front of a type are one substitution. */
size_t fl_dm_take_qualifiers(fl_dm_machine *m)
{
    size_t mask = fl_dm_take_letter(m, 'r') ? 4 : 0;
    mask |= fl_dm_take_letter(m, 'V') ? 2 : 0;
    return mask | (fl_dm_take_letter(m, 'K') ? 1 : 0);
}

/* 'D' and a letter. */
static void begin_long_type(fl_dm_machine *m)
{
    const char *name = fl_demangle_long_builtin(fl_dm_two(m));
    if (name != NULL) {
        m->at += 2;
        fl_dm_put_text(m, fl_slice_of(name));
    } else if (fl_dm_peek(m, 1) == 'p')
        begin_pack(m);
    else
        fl_dm_fail(m);
}

/* What has a name, new or told before. */
static void begin_named_type(fl_dm_machine *m)
{
    bool is_word = fl_dm_peek(m, 0) == 'T' && memchr("sue", fl_dm_peek(m, 1), 3) != NULL;
    if (is_word) /* struct, union, enum of an elaborated type */
        m->at += 2;
    if (fl_dm_peek(m, 0) == 'T' && !is_word) {
        fl_dm_take_parameter(m);
        fl_dm_substitute(m);
    } else if (fl_dm_peek(m, 0) == 'S' && fl_dm_peek(m, 1) != 't')
        fl_dm_take_substitution(m);
    else {
        fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
        fl_dm_push(m, FL_DM_NAME, false, 0);
        return;
    }
    if (fl_dm_peek(m, 0) == 'I') {
        fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
        fl_dm_begin_arguments(m, false);
    }
}

/* By the first letter. A builtin type is no substitution; everything else becomes one, after
 * its parts. */
void fl_dm_op_type(fl_dm_machine *m, fl_dm_task now)
{
    unsigned char c = fl_dm_peek(m, 0);
    const char *name = fl_demangle_builtin(c);
    size_t mask = fl_dm_take_qualifiers(m);
    (void)now;
    if (mask != 0) {
        fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
        fl_dm_push(m, FL_DM_QUALIFY, false, mask);
        fl_dm_push(m, FL_DM_TYPE, false, 0);
    } else if (name != NULL) {
        m->at++;
        fl_dm_put_text(m, fl_slice_of(name));
    } else if (c == 'P' || c == 'R' || c == 'O') {
        m->at++;
        fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
        fl_dm_push(m, FL_DM_POINTER, false, c);
        fl_dm_push(m, FL_DM_TYPE, false, 0);
    } else if (c == 'F') {
        m->at++;
        (void)fl_dm_take_letter(m, 'Y'); /* extern "C" */
        fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
        fl_dm_push(m, FL_DM_FUNCTION, false, 0);
        fl_dm_push(m, FL_DM_PARAMETERS, false, 0);
        fl_dm_push(m, FL_DM_TYPE, false, 0);
    } else if (c == 'M') {
        m->at++;
        fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
        fl_dm_push(m, FL_DM_MEMBER, false, 0);
        fl_dm_push(m, FL_DM_TYPE, false, 0);
        fl_dm_push(m, FL_DM_TYPE, false, 0);
    } else if (c == 'A')
        begin_array(m);
    else if (c == 'D')
        begin_long_type(m);
    else
        begin_named_type(m);
}
