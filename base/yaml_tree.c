/*
 * yaml_tree.c - libyaml's events become a tree, with a stack of the open lists and mappings.
 *
 *   document := node;  node := text | list | map;  list := node*;  map := (text node)*
 *
 * Why a tree and not events: a reader of rules wants a member by its name, in whatever order a
 * person wrote them, and to say later what is wrong with one that it has already passed.
 *
 * Cost: a node is an allocation in the arena and its text another. Depth is bounded by the stack.
 *
 * Invariants: stack[depth - 1] is the innermost open list or mapping and tail[depth - 1] its last
 * child; in a mapping, `key` holds the member's name from its event until the value's.
 */
#include "yaml_tree.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "slice.h"

/* One document being read. */
struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    fl_arena *arena;
    fl_slice text;
    const char *source;
    fl_yaml *stack[FL_YAML_MAX_DEPTH], *tail[FL_YAML_MAX_DEPTH];
    size_t depth;
    fl_yaml *root;
    bool has_key; /* of the innermost mapping */
    fl_slice key;
    yaml_mark_t key_at;
    fl_error *err;
};

/* libyaml gives only the byte where its reader stopped: control characters, broken UTF-8. */
static yaml_mark_t reader_mark(const struct reader *in)
{
    yaml_mark_t at = {.index = in->parser.problem_offset};
    for (size_t i = 0; i < at.index && i < in->text.len; i++) {
        bool is_break = in->text.ptr[i] == '\n';
        at.line += is_break;
        at.column = is_break ? 0 : at.column + ((in->text.ptr[i] & 0xC0) != 0x80);
    }
    return at;
}

/* The first complaint counts; libyaml counts lines and columns from 0. */
static fl_status complain_at(struct reader *in, yaml_mark_t at, const char *what)
{
    return fl_fail(in->err, FL_E_SYNTAX, at.index, "%.100s:%zu:%zu: %s", in->source, at.line + 1,
                   at.column + 1, what);
}

/* About the event that is being taken. */
static fl_status complain(struct reader *in, const char *what)
{
    return complain_at(in, in->event.start_mark, what);
}

/* The same sentence for libyaml's memory and ours. */
static fl_status no_memory(struct reader *in)
{
    return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %.100s", in->source);
}

/* The parser stops at its first failure, and says where in one of two ways. */
static fl_status next_event(struct reader *in)
{
    yaml_event_delete(&in->event);
    in->event = (yaml_event_t){0};
    if (yaml_parser_parse(&in->parser, &in->event))
        return FL_OK;
    if (in->parser.error == YAML_MEMORY_ERROR)
        return no_memory(in);
    return complain_at(
        in, in->parser.error == YAML_READER_ERROR ? reader_mark(in) : in->parser.problem_mark,
        in->parser.problem != NULL ? in->parser.problem : "not YAML");
}

/* libyaml refuses a NUL in its input, but makes one of the escape "\0". */
static fl_status copy_scalar(fl_slice *out, struct reader *in)
{
    fl_slice from = {.ptr = in->event.data.scalar.value, .len = in->event.data.scalar.length};
    if (from.len > 0 && memchr(from.ptr, '\0', from.len) != NULL)
        return complain(in, "a text holds no NUL");
    char *copy = fl_arena_cstr(in->arena, from);
    *out = (fl_slice){.ptr = (unsigned char *)copy, .len = from.len};
    return copy != NULL ? FL_OK : no_memory(in);
}

/* In a mapping, names and values take turns. */
static bool awaits_key(const struct reader *in)
{
    return in->depth > 0 && in->stack[in->depth - 1]->kind == FL_YAML_MAP && !in->has_key;
}

/* Keys are few: a list is walked to find one that is given twice. */
static fl_status take_key(struct reader *in)
{
    assert(in->depth > 0 && !in->has_key);
    if (in->event.type != YAML_SCALAR_EVENT)
        return complain(in, "a key is a plain word");
    fl_status status = copy_scalar(&in->key, in);
    if (status == FL_OK && fl_yaml_member(in->stack[in->depth - 1], in->key) != NULL)
        status = complain(in, "this key is given twice");
    in->key_at = in->event.start_mark;
    in->has_key = status == FL_OK;
    return status;
}

/* Hang a new node below the innermost open one. */
static fl_status add_node(fl_yaml **out, struct reader *in, fl_yaml_kind kind)
{
    fl_yaml *node = fl_arena_alloc(in->arena, 1, sizeof(*node));
    if (node == NULL)
        return no_memory(in);
    yaml_mark_t at = in->has_key ? in->key_at : in->event.start_mark;
    *node = (fl_yaml){.kind = kind,
                      .key = in->has_key ? in->key : (fl_slice){0},
                      .offset = in->event.start_mark.index,
                      .line = at.line + 1,
                      .column = at.column + 1};
    in->has_key = false;
    *out = node;
    if (in->depth == 0) {
        assert(in->root == NULL);
        in->root = node;
        return FL_OK;
    }
    fl_yaml *parent = in->stack[in->depth - 1];
    if (parent->first == NULL)
        parent->first = node;
    else
        in->tail[in->depth - 1]->next = node;
    in->tail[in->depth - 1] = node;
    parent->count++;
    return FL_OK;
}

/* A list or a mapping, into which the next nodes go until its end. */
static fl_status open_node(struct reader *in, fl_yaml_kind kind)
{
    fl_yaml *node;
    if (in->depth == FL_YAML_MAX_DEPTH)
        return complain(in, "nested more than 16 deep");
    fl_status status = add_node(&node, in, kind);
    if (status == FL_OK)
        in->stack[in->depth++] = node;
    return status;
}

/* One event of the document's body. */
static fl_status take_event(struct reader *in)
{
    fl_yaml *node;
    fl_status status;
    yaml_event_type_t type = in->event.type;
    if (type == YAML_ALIAS_EVENT)
        return complain(in, "aliases are not taken here");
    if (type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT) {
        assert(in->depth > 0 && !in->has_key);
        in->depth--;
        return FL_OK;
    }
    if (awaits_key(in))
        return take_key(in);
    if (type == YAML_SEQUENCE_START_EVENT)
        return open_node(in, FL_YAML_LIST);
    if (type == YAML_MAPPING_START_EVENT)
        return open_node(in, FL_YAML_MAP);
    assert(type == YAML_SCALAR_EVENT);
    status = add_node(&node, in, FL_YAML_TEXT);
    return status == FL_OK ? copy_scalar(&node->text, in) : status;
}

/* Exactly one document, which libyaml makes sure is closed before it ends. */
static fl_status read_document(struct reader *in)
{
    fl_status status = next_event(in); /* the stream's start */
    if (status == FL_OK)
        status = next_event(in);
    if (status == FL_OK && in->event.type != YAML_DOCUMENT_START_EVENT)
        return complain(in, "the document is empty");
    if (status == FL_OK)
        status = next_event(in);
    while (status == FL_OK && in->event.type != YAML_DOCUMENT_END_EVENT) {
        status = take_event(in);
        if (status == FL_OK)
            status = next_event(in);
    }
    if (status == FL_OK)
        status = next_event(in);
    if (status == FL_OK && in->event.type != YAML_STREAM_END_EVENT)
        return complain(in, "one document only");
    return status;
}

fl_status fl_yaml_read(const fl_yaml **out, fl_arena *arena, fl_slice text, const char *source,
                       fl_error *err)
{
    assert(out != NULL && arena != NULL && source != NULL);
    struct reader in = {.arena = arena, .text = text, .source = source, .err = err};
    *out = NULL;
    if (!yaml_parser_initialize(&in.parser))
        return no_memory(&in);
    yaml_parser_set_input_string(&in.parser, text.ptr, text.len);
    fl_status status = read_document(&in);
    yaml_event_delete(&in.event);
    yaml_parser_delete(&in.parser);
    if (status == FL_OK)
        *out = in.root;
    assert(status != FL_OK || in.root != NULL);
    return status;
}

const fl_yaml *fl_yaml_member(const fl_yaml *map, fl_slice key)
{
    assert(map != NULL);
    const fl_yaml *at = map->kind == FL_YAML_MAP ? map->first : NULL;
    while (at != NULL && !fl_slice_equal(at->key, key))
        at = at->next;
    return at;
}

fl_status fl_yaml_fail(const fl_yaml *at, const char *source, fl_error *err, const char *format,
                       ...)
{
    char what[160];
    va_list args;
    assert(at != NULL && source != NULL);
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return fl_fail(err, FL_E_SYNTAX, at->offset, "%.100s:%zu:%zu: %s", source, at->line, at->column,
                   what);
}
