/*
 * import_row.c - members to fields, with the checks that the store would make later and without a
 * place: limits, names of kinds, and that an id is the hash of what the row says.
 *
 * A table a kind of row says which member goes where; all rows are read by one loop.
 */
#include "import_row.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "json.h"
#include "number.h"
#include "slice.h"
#include "timestamp.h"

typedef enum field_kind {
    FIELD_ID,
    FIELD_NAME, /* of a kind or a source, looked up by the row's own function */
    FIELD_KEY,  /* a text that is not empty */
    FIELD_TEXT, /* must be there */
    FIELD_NOTE, /* may be null */
    FIELD_TIME,
    FIELD_BOOL
} field_kind;

typedef struct field {
    const char *name;
    field_kind kind;
    size_t offset; /* in the struct */
    size_t max_bytes;
    bool (*find)(void *out, fl_slice name);
} field;

enum { MAX_FIELDS = 9 };

static bool find_node_kind(void *out, fl_slice name)
{
    return fl_node_kind_of(name, out);
}

static bool find_edge_kind(void *out, fl_slice name)
{
    return fl_edge_kind_of(name, out);
}

static bool find_source(void *out, fl_slice name)
{
    return fl_source_of(name, out);
}

/* Where the next value begins. */
static size_t place_of(const fl_json *in)
{
    size_t pos = in->pos;
    while (pos < in->bytes.len && (in->bytes.ptr[pos] == ' ' || in->bytes.ptr[pos] == '\n' ||
                                   in->bytes.ptr[pos] == '\r' || in->bytes.ptr[pos] == '\t'))
        pos++;
    return pos;
}

/* NULL where it fails; the failure is in `in`. */
static const char *read_text(fl_json *in, const field *f, fl_arena *arena)
{
    size_t pos = place_of(in);
    fl_slice text = fl_json_string(in);
    if (!fl_json_ok(in))
        return NULL;
    if (text.len == 0 && f->kind == FIELD_KEY)
        (void)fl_json_fail(in, pos, "\"%s\" is empty", f->name);
    else if (text.len > f->max_bytes)
        (void)fl_json_fail(in, pos, "\"%s\" has %zu bytes; the graph keeps up to %zu", f->name,
                           text.len, f->max_bytes);
    else if (memchr(text.ptr, 0, text.len) != NULL)
        (void)fl_json_fail(in, pos, "\"%s\" holds a NUL", f->name);
    if (!fl_json_ok(in))
        return NULL;
    const char *copy = fl_arena_cstr(arena, text);
    if (copy == NULL)
        (void)fl_fail(&in->err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a row of the graph");
    return copy;
}

/* As text: a JSON number would have lost bits on its way. */
static void read_id(fl_json *in, const field *f, uint64_t *out)
{
    size_t pos = place_of(in);
    fl_slice text = fl_json_string(in);
    if (fl_json_ok(in) && !fl_parse_u64(text, out))
        (void)fl_json_fail(in, pos, "\"%s\" is not a number of 64 bits", f->name);
}

/* Only moments: what is relative to now would mean another thing at each import. */
static void read_time(fl_json *in, const field *f, int64_t *out)
{
    fl_error inner = {0};
    size_t pos = place_of(in);
    fl_slice text = fl_json_string(in);
    /* no text but a full time begins with a year and a hyphen: "now" is no answer here */
    bool is_date = text.len > 4 && text.ptr[4] == '-';
    if (fl_json_ok(in) && (!is_date || fl_time_parse(out, text, 0, &inner) != FL_OK))
        (void)fl_json_fail(in, pos, "\"%s\" is no time: %s", f->name,
                           is_date ? inner.message : "write it as RFC 3339");
}

/* A name that is not known is of a newer program, or a mistake: never a default. */
static void read_name(fl_json *in, const field *f, void *out)
{
    size_t pos = place_of(in);
    fl_slice text = fl_json_string(in);
    if (fl_json_ok(in) && !f->find(out, text))
        (void)fl_json_fail(in, pos, "there is no %s \"%.*s\"", f->name,
                           text.len < 40 ? (int)text.len : 40, (const char *)text.ptr);
}

/* One member into its place in the row. */
static void read_field(fl_json *in, const field *f, unsigned char *row, fl_arena *arena)
{
    void *at = row + f->offset;
    switch (f->kind) {
    case FIELD_ID:
        read_id(in, f, at);
        return;
    case FIELD_NAME:
        read_name(in, f, at);
        return;
    case FIELD_TIME:
        read_time(in, f, at);
        return;
    case FIELD_BOOL:
        *(bool *)at = fl_json_bool(in);
        return;
    case FIELD_NOTE:
        if (fl_json_null(in))
            return;
        *(const char **)at = read_text(in, f, arena);
        return;
    case FIELD_KEY:
    case FIELD_TEXT:
        *(const char **)at = read_text(in, f, arena);
        return;
    }
}

/* Every field but notes must be there. A member that is repeated says the last of what it says. */
static fl_status read_row(void *row, const field *fields, size_t count, fl_slice object,
                          fl_arena *arena, fl_error *err)
{
    assert(count <= MAX_FIELDS);
    unsigned seen = 0;
    fl_slice key;
    fl_json in = fl_json_over(object, arena);
    if (fl_json_enter_object(&in)) {
        while (fl_json_next_member(&in, &key)) {
            size_t f = 0;
            while (f < count && !fl_slice_equal(key, fl_slice_of(fields[f].name)))
                f++;
            if (f == count) {
                fl_json_skip(&in);
                continue;
            }
            read_field(&in, &fields[f], row, arena);
            seen |= 1u << f;
        }
    }
    (void)fl_json_finish(&in);
    for (size_t f = 0; fl_json_ok(&in) && f < count; f++)
        if (fields[f].kind != FIELD_NOTE && (seen >> f & 1) == 0)
            (void)fl_json_fail(&in, 0, "a row without \"%s\"", fields[f].name);
    if (!fl_json_ok(&in))
        return fl_fail(err, in.err.status, in.err.offset, "%s", in.err.message);
    return FL_OK;
}

/* Somebody changed a row by hand, or the document is not ours. */
static fl_status wrong_id(uint64_t said, uint64_t is, const char *what, fl_error *err)
{
    return fl_fail(err, FL_E_SYNTAX, 0, "the id %" PRIu64 " is not that of %s, which is %" PRIu64,
                   said, what, is);
}

/* What an id must be follows from the row: nobody can give a node another one's. */
fl_status fl_import_node(fl_graph_node *out, fl_arena *arena, fl_slice object, fl_error *err)
{
    static const field fields[] = {
        {"id", FIELD_ID, offsetof(fl_graph_node, id), 0, NULL},
        {"kind", FIELD_NAME, offsetof(fl_graph_node, kind), 0, find_node_kind},
        {"key", FIELD_KEY, offsetof(fl_graph_node, key), FL_MAX_NODE_KEY_BYTES, NULL},
        {"title", FIELD_NOTE, offsetof(fl_graph_node, title), FL_MAX_GRAPH_TEXT_BYTES, NULL},
        {"recorded", FIELD_TIME, offsetof(fl_graph_node, recorded_ns), 0, NULL},
    };
    *out = (fl_graph_node){0};
    fl_status status =
        read_row(out, fields, sizeof(fields) / sizeof(fields[0]), object, arena, err);
    if (status != FL_OK)
        return status;
    uint64_t id = fl_node_id(out->kind, fl_slice_of(out->key));
    return id == out->id ? FL_OK : wrong_id(out->id, id, "this kind and key", err);
}

/* Whether its ends are there is for who has the nodes. */
fl_status fl_import_edge(fl_graph_edge *out, fl_arena *arena, fl_slice object, fl_error *err)
{
    static const field fields[] = {
        {"id", FIELD_ID, offsetof(fl_graph_edge, id), 0, NULL},
        {"kind", FIELD_NAME, offsetof(fl_graph_edge, kind), 0, find_edge_kind},
        {"from", FIELD_ID, offsetof(fl_graph_edge, from), 0, NULL},
        {"to", FIELD_ID, offsetof(fl_graph_edge, to), 0, NULL},
        {"qualifier", FIELD_NOTE, offsetof(fl_graph_edge, qualifier), FL_MAX_NODE_KEY_BYTES, NULL},
        {"recorded", FIELD_TIME, offsetof(fl_graph_edge, recorded_ns), 0, NULL},
    };
    *out = (fl_graph_edge){0};
    fl_status status =
        read_row(out, fields, sizeof(fields) / sizeof(fields[0]), object, arena, err);
    if (status != FL_OK)
        return status;
    uint64_t id = fl_edge_id(out->kind, out->from, out->to, fl_slice_of(out->qualifier));
    return id == out->id ? FL_OK : wrong_id(out->id, id, "this kind, ends and qualifier", err);
}

/* Author and reference may be empty, as the store lets them be. */
fl_status fl_import_evidence(fl_graph_evidence *out, fl_arena *arena, fl_slice object,
                             fl_error *err)
{
    static const field fields[] = {
        {"id", FIELD_ID, offsetof(fl_graph_evidence, id), 0, NULL},
        {"edge", FIELD_ID, offsetof(fl_graph_evidence, edge), 0, NULL},
        {"source", FIELD_NAME, offsetof(fl_graph_evidence, source), 0, find_source},
        {"author", FIELD_TEXT, offsetof(fl_graph_evidence, author), FL_MAX_NODE_KEY_BYTES, NULL},
        {"reference", FIELD_TEXT, offsetof(fl_graph_evidence, reference), FL_MAX_REFERENCE_BYTES,
         NULL},
        {"supports", FIELD_BOOL, offsetof(fl_graph_evidence, supports), 0, NULL},
        {"at", FIELD_TIME, offsetof(fl_graph_evidence, at_ns), 0, NULL},
        {"recorded", FIELD_TIME, offsetof(fl_graph_evidence, recorded_ns), 0, NULL},
        {"note", FIELD_NOTE, offsetof(fl_graph_evidence, note), FL_MAX_GRAPH_TEXT_BYTES, NULL},
    };
    *out = (fl_graph_evidence){0};
    fl_status status =
        read_row(out, fields, sizeof(fields) / sizeof(fields[0]), object, arena, err);
    if (status != FL_OK)
        return status;
    uint64_t id = fl_graph_evidence_id(out);
    return id == out->id ? FL_OK : wrong_id(out->id, id, "what the row says", err);
}
