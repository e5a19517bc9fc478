/*
 * json_tree.c - the pull tokenizer's walk, with a stack of the open objects and arrays.
 *
 * Lines are counted once: places only move forward.
 *
 * Why not YAML's reader for both, since JSON is nearly YAML: it knows no surrogate pairs, which is
 * how most programs write what lies beyond the basic plane.
 */
#include "json_tree.h"

#include <assert.h>

#include "json.h"
#include "slice.h"

struct walk {
    fl_json in;
    fl_arena *arena;
    const char *source;
    fl_yaml *stack[FL_YAML_MAX_DEPTH], *tail[FL_YAML_MAX_DEPTH];
    size_t depth;
    size_t counted, line, column; /* the place that was counted last, from 1 */
    fl_error *err;
};

/* Columns are characters: bytes that continue one do not count. */
static void count_to(struct walk *w, size_t offset)
{
    for (; w->counted < offset && w->counted < w->in.bytes.len; w->counted++) {
        unsigned char c = w->in.bytes.ptr[w->counted];
        w->line += c == '\n';
        w->column = c == '\n' ? 1 : w->column + ((c & 0xC0) != 0x80);
    }
}

/* The same sentence as YAML's reader. */
static fl_status no_memory(const struct walk *w)
{
    return fl_fail(w->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %.100s", w->source);
}

/* The first complaint counts. */
static fl_status complain(struct walk *w, size_t offset, const char *what)
{
    count_to(w, offset);
    return fl_fail(w->err, FL_E_SYNTAX, offset, "%.100s:%zu:%zu: %s", w->source, w->line, w->column,
                   what);
}

/* What the tokenizer complains of, with its place. */
static fl_status pass_on(struct walk *w)
{
    const fl_error *why = &w->in.err;
    if (why->status == FL_E_NOMEM)
        return no_memory(w);
    size_t at = why->offset < w->in.bytes.len ? (size_t)why->offset : w->in.bytes.len;
    return complain(w, at, why->message);
}

/* A copy that ends with a NUL and holds none. */
static fl_status keep(fl_slice *out, struct walk *w, fl_slice text, size_t at)
{
    if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL)
        return complain(w, at, "a text holds no NUL");
    const char *copy = fl_arena_cstr(w->arena, text);
    *out = (fl_slice){.ptr = (const unsigned char *)copy, .len = text.len};
    return copy != NULL ? FL_OK : no_memory(w);
}

/* Behind the last child of the innermost container. */
static fl_status attach(struct walk *w, fl_yaml *node)
{
    if (w->depth == 0)
        return FL_OK;
    fl_yaml *parent = w->stack[w->depth - 1], **tail = &w->tail[w->depth - 1];
    if (parent->kind == FL_YAML_MAP && fl_yaml_member(parent, node->key) != NULL)
        return complain(w, (size_t)node->offset, "this key is given twice");
    if (*tail == NULL)
        parent->first = node;
    else
        (*tail)->next = node;
    *tail = node;
    parent->count++;
    return FL_OK;
}

/* The value that comes next, with its key; a container is left open. */
static fl_status take_value(struct walk *w, fl_slice key, fl_yaml **out)
{
    fl_json_kind kind = fl_json_peek(&w->in);
    if (!fl_json_ok(&w->in))
        return pass_on(w);
    size_t at = w->in.pos;
    while (at < w->in.bytes.len && memchr(" \t\r\n", w->in.bytes.ptr[at], 4) != NULL)
        at++;
    fl_yaml *node = fl_arena_alloc(w->arena, 1, sizeof(*node));
    if (node == NULL)
        return no_memory(w);
    count_to(w, at);
    *node = (fl_yaml){.key = key, .offset = at, .line = w->line, .column = w->column};
    bool is_container = kind == FL_JSON_OBJECT || kind == FL_JSON_ARRAY;
    node->kind = kind == FL_JSON_OBJECT  ? FL_YAML_MAP
                 : kind == FL_JSON_ARRAY ? FL_YAML_LIST
                                         : FL_YAML_TEXT;
    fl_status status = attach(w, node);
    if (status != FL_OK)
        return status;
    *out = node;
    if (is_container) {
        if (w->depth == FL_YAML_MAX_DEPTH)
            return complain(w, at, "nested more than 16 deep");
        w->stack[w->depth] = node;
        w->tail[w->depth++] = NULL;
        (void)(kind == FL_JSON_OBJECT ? fl_json_enter_object(&w->in) : fl_json_enter_array(&w->in));
        return fl_json_ok(&w->in) ? FL_OK : pass_on(w);
    }
    fl_slice text = kind == FL_JSON_STRING ? fl_json_string(&w->in) : fl_json_raw(&w->in);
    return fl_json_ok(&w->in) ? keep(&node->text, w, text, at) : pass_on(w);
}

/* One step in the innermost container: its next child, or its end. */
static fl_status step(struct walk *w)
{
    fl_yaml *node, *parent = w->stack[w->depth - 1];
    fl_slice key = {0};
    bool more = parent->kind == FL_YAML_MAP ? fl_json_next_member(&w->in, &key)
                                            : fl_json_next_element(&w->in);
    if (!fl_json_ok(&w->in))
        return pass_on(w);
    if (!more) {
        w->depth--;
        return FL_OK;
    }
    if (parent->kind == FL_YAML_MAP) {
        fl_status status = keep(&key, w, key, w->in.pos);
        if (status != FL_OK)
            return status;
    }
    return take_value(w, key, &node);
}

fl_status fl_json_tree_read(const fl_yaml **out, fl_arena *arena, fl_slice text, const char *source,
                            fl_error *err)
{
    assert(source != NULL);
    assert(text.len == 0 || text.ptr != NULL);
    struct walk w = {.in = fl_json_over(text, arena),
                     .arena = arena,
                     .source = source,
                     .line = 1,
                     .column = 1,
                     .err = err};
    fl_yaml *root = NULL;
    if (fl_json_peek(&w.in) == FL_JSON_END && fl_json_ok(&w.in))
        return complain(&w, text.len, "the document is empty");
    fl_status status = take_value(&w, (fl_slice){0}, &root);
    while (status == FL_OK && w.depth > 0)
        status = step(&w);
    if (status == FL_OK && !fl_json_finish(&w.in))
        status = pass_on(&w);
    *out = root;
    return status;
}
