/*
 * demangle_machine.c - the stacks of the machine that reads mangled names, and what they hold
 * again: substitutions (S_) and the arguments of the function's template (T_).
 *
 * A part of a name that was read inside of an expansion stands for a pack outside of it, which is
 * no text: such a reference fails the name.
 */
#include <assert.h>
#include <string.h>

#include "demangle_priv.h"

/* ---- the stacks, the input ---- */

/* The first thing that is not understood ends the reading: the machine stops before its next
 * step. */
void fl_dm_fail(fl_dm_machine *m)
{
    m->failed = true;
}

/* What is pushed last is done first. */
void fl_dm_push(fl_dm_machine *m, fl_dm_op what, bool is_own, size_t number)
{
    if (m->task_count == FL_DM_MAX_TASKS)
        fl_dm_fail(m);
    else
        m->tasks[m->task_count++] = (fl_dm_task){.op = what, .is_own = is_own, .number = number};
}

/* Values are copied: texts lie in the arena and are never changed, so a copy costs a few words. */
void fl_dm_put(fl_dm_machine *m, fl_dm_node value)
{
    if (m->node_count == FL_DM_MAX_NODES)
        fl_dm_fail(m);
    else
        m->nodes[m->node_count++] = value;
}

/* A text that is a name or a whole type by itself. */
void fl_dm_put_text(fl_dm_machine *m, fl_slice text)
{
    fl_dm_put(m, (fl_dm_node){.left = text, .base = text});
}

fl_dm_node fl_dm_take(fl_dm_machine *m)
{
    if (m->node_count == 0) {
        fl_dm_fail(m);
        return (fl_dm_node){0};
    }
    return m->nodes[--m->node_count];
}

/* The byte `ahead` of the place; 0 behind the end, which is no letter of any rule. */
unsigned char fl_dm_peek(const fl_dm_machine *m, size_t ahead)
{
    return m->at + ahead < m->in.len ? m->in.ptr[m->at + ahead] : 0;
}

/* Two letters, as most words of the ABI have; fewer at the end of the name. */
fl_slice fl_dm_two(const fl_dm_machine *m)
{
    size_t end = m->at + 2 < m->in.len ? m->at + 2 : m->in.len;
    return fl_slice_part(m->in, m->at, end);
}

/* Steps over a letter that is there. */
bool fl_dm_take_letter(fl_dm_machine *m, unsigned char letter)
{
    if (fl_dm_peek(m, 0) != letter)
        return false;
    m->at++;
    return true;
}

/* A letter without which the name is none. */
void fl_dm_expect(fl_dm_machine *m, unsigned char letter)
{
    if (!fl_dm_take_letter(m, letter))
        fl_dm_fail(m);
}

bool fl_dm_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Decimal; false where there is no digit, or more than any name has. */
bool fl_dm_take_number(fl_dm_machine *m, size_t *out)
{
    bool has = false;
    for (*out = 0; fl_dm_is_digit(fl_dm_peek(m, 0)) && *out < 100000; has = true)
        *out = *out * 10 + (size_t)(m->in.ptr[m->at++] - '0');
    return has && *out < 100000;
}

/* The parts one after the other; a text that grows beyond the bound ends the reading. */
fl_slice fl_dm_join(fl_dm_machine *m, const fl_slice *parts, size_t count)
{
    size_t len = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    unsigned char *made = len <= FL_DM_MAX_TEXT ? fl_arena_bytes(m->arena, len + 1) : NULL;
    if (made == NULL) {
        fl_dm_fail(m);
        return (fl_slice){0};
    }
    for (size_t i = 0; i < count; i++)
        if (parts[i].len > 0) {
            memcpy(made + at, parts[i].ptr, parts[i].len);
            at += parts[i].len;
        }
    assert(at == len);
    return (fl_slice){.ptr = made, .len = len};
}

/* With what is declared left out: as an argument or a parameter is written. */
fl_slice fl_dm_whole(fl_dm_machine *m, const fl_dm_node *value)
{
    return value->right.len == 0 ? value->left : FL_DM_TEXT(m, value->left, value->right);
}

/* ---- substitutions ---- */

/* It is told as counted, so that a nested name can take back its last component's. */
void fl_dm_substitute(fl_dm_machine *m)
{
    if (m->substitution_count == FL_DM_MAX_SUBSTITUTIONS || m->node_count == 0) {
        fl_dm_fail(m);
        return;
    }
    fl_dm_node *value = &m->nodes[m->node_count - 1];
    value->is_counted = true;
    fl_dm_node kept = *value;
    kept.pack = m->pack_count > 0 ? m->packs[m->pack_count - 1].id : 0;
    m->substitutions[m->substitution_count++] = kept;
}

/* What was read inside of an expansion stands for a pack outside of it, which no text is. */
static bool is_in_reach(const fl_dm_machine *m, const fl_dm_node *value)
{
    for (size_t i = 0; i < m->pack_count; i++)
        if (m->packs[i].id == value->pack)
            return true;
    return value->pack == 0;
}

/* "S_" is the first, "S0_" the second, in base 36; "Sa" an abbreviation. */
void fl_dm_take_substitution(fl_dm_machine *m)
{
    const char *base;
    size_t index = 0, digits = 0;
    fl_dm_expect(m, 'S');
    const char *text = fl_demangle_abbreviation(fl_dm_peek(m, 0), &base);
    if (text != NULL) {
        m->at++;
        fl_dm_put(m, (fl_dm_node){.left = fl_slice_of(text), .base = fl_slice_of(base)});
        return;
    }
    for (; fl_dm_peek(m, 0) != '_' && digits < 4; digits++, m->at++) {
        unsigned char c = fl_dm_peek(m, 0);
        if (!fl_dm_is_digit(c) && (c < 'A' || c > 'Z'))
            fl_dm_fail(m);
        index = index * 36 + (size_t)(fl_dm_is_digit(c) ? c - '0' : c - 'A' + 10);
    }
    fl_dm_expect(m, '_');
    index += digits > 0;
    if (m->failed || index >= m->substitution_count || !is_in_reach(m, &m->substitutions[index])) {
        fl_dm_fail(m);
        return;
    }
    fl_dm_put(m, m->substitutions[index]);
    m->nodes[m->node_count - 1].is_counted = false;
}

/* ---- parameters of the template ---- */

/* All elements of a pack that is not expanded. */
static void put_pack(fl_dm_machine *m, const fl_dm_parameter *of)
{
    fl_slice text = {0};
    for (size_t i = 0; i < of->count && !m->failed; i++)
        text = FL_DM_TEXT(m, text, i > 0 ? FL_SLICE(", ") : FL_SLICE(""),
                          fl_dm_whole(m, &m->elements[of->first + i]));
    fl_dm_put_text(m, text);
}

/* "T_" is the first, "T0_" the second. Those of a template that stands behind (a conversion's) and
 * of generic lambdas are not known. */
void fl_dm_take_parameter(fl_dm_machine *m)
{
    size_t index = 0;
    fl_dm_expect(m, 'T');
    index = fl_dm_take_number(m, &index) ? index + 1 : 0;
    fl_dm_expect(m, '_');
    if (m->failed || index >= m->now.live_count) {
        fl_dm_fail(m);
        return;
    }
    const fl_dm_parameter *of = &m->parameters[m->now.live_first + index];
    if (!of->is_pack)
        fl_dm_put(m, m->elements[of->first]);
    else if (m->pack_count == 0)
        put_pack(m, of);
    else {
        fl_dm_pack *p = &m->packs[m->pack_count - 1];
        p->count = p->count == SIZE_MAX || p->count < of->count ? of->count : p->count;
        if (p->index < of->count)
            fl_dm_put(m, m->elements[of->first + p->index]);
        else
            fl_dm_put_text(m, FL_SLICE(""));
    }
}
