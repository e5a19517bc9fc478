/*
 * otlp_proto_value.c - attributes, values and ids out of protobuf.
 *
 *   KeyValue     := 1 key string, 2 value AnyValue
 *   AnyValue     := 1 string | 2 bool varint | 3 int varint | 4 double | 5 ArrayValue | 6
 * KeyValueList | 7 bytes ArrayValue   := (1 AnyValue)* KeyValueList := (1 KeyValue)*
 *
 * Nested values are written as the same JSON that otlp_json_render.c makes, by a loop over a stack
 * of open lists. An empty AnyValue is "null". Bytes become base64, in an attribute as in a nested
 * value, so that a record reads the same whichever encoding brought it.
 */
#include <assert.h>

#include "bytes.h"
#include "otlp_priv.h"

fl_trace_id fl_otlp_proto_trace_id(fl_otlp *otlp, fl_proto *in)
{
    fl_slice id = fl_proto_bytes(in);
    if (id.len == FL_OTLP_TRACE_ID_BYTES)
        return (fl_trace_id){.hi = fl_bytes_be64(id.ptr), .lo = fl_bytes_be64(id.ptr + 8)};
    if (id.len > 0)
        fl_otlp_complain(otlp, "trace id is not 16 bytes");
    return (fl_trace_id){0};
}

uint64_t fl_otlp_proto_span_id(fl_otlp *otlp, fl_proto *in, const char *complaint)
{
    fl_slice id = fl_proto_bytes(in);
    if (id.len == FL_OTLP_SPAN_ID_BYTES)
        return fl_bytes_be64(id.ptr);
    if (id.len > 0)
        fl_otlp_complain(otlp, complaint);
    return 0;
}

/* An array or a map, as plain JSON in the record's arena. */
static fl_value container_value(fl_otlp *otlp, fl_proto *in, bool is_map)
{
    fl_buf_clear(&otlp->text);
    fl_otlp_proto_render(otlp, in, is_map);
    return (fl_value){.kind = FL_VALUE_OTHER, .text = fl_otlp_text_take(otlp)};
}

/* In base64, as the JSON encoding has them. */
static fl_value bytes_value(fl_otlp *otlp, fl_proto *in)
{
    fl_buf_clear(&otlp->text);
    fl_otlp_text_base64(&otlp->text, fl_proto_bytes(in));
    return (fl_value){.kind = FL_VALUE_BYTES, .text = fl_otlp_text_take(otlp)};
}

/* `in` is inside an AnyValue. */
static fl_value read_value(fl_otlp *otlp, fl_proto *in)
{
    fl_value value = {0};
    while (fl_proto_next(in))
        switch (in->field) {
        case 1:
            value = (fl_value){.kind = FL_VALUE_STRING, .text = fl_proto_text(in)};
            break;
        case 2:
            value = (fl_value){.kind = FL_VALUE_BOOL, .number = fl_proto_u64(in) != 0};
            break;
        case 3:
            value = (fl_value){.kind = FL_VALUE_INT, .number = fl_proto_i64(in)};
            break;
        case 4:
            value = (fl_value){.kind = FL_VALUE_DOUBLE, .real = fl_proto_double(in)};
            break;
        case 5:
            value = container_value(otlp, in, false);
            break;
        case 6:
            value = container_value(otlp, in, true);
            break;
        case 7:
            value = bytes_value(otlp, in);
            break;
        default:
            break;
        }
    return value;
}

fl_value fl_otlp_proto_value(fl_otlp *otlp, fl_proto *in)
{
    fl_proto child;
    fl_proto_enter(&child, in);
    fl_value value = read_value(otlp, &child);
    fl_proto_adopt(in, &child);
    return value;
}

void fl_otlp_proto_attr(fl_otlp *otlp, fl_proto *in, fl_otlp_list *list)
{
    fl_attr attr = {0};
    fl_proto pair;
    fl_proto_enter(&pair, in);
    while (fl_proto_next(&pair))
        if (pair.field == 1)
            attr.key = fl_proto_text(&pair);
        else if (pair.field == 2)
            attr.value = fl_otlp_proto_value(otlp, &pair);
    if (!fl_proto_adopt(in, &pair) || attr.key.len == 0)
        return;
    fl_attr *place = fl_otlp_attr_add(otlp, list);
    if (place == NULL)
        return;
    *place = attr;
    fl_otlp_semconv_apply(otlp, list);
}

/* --- nested values as plain JSON --- */

typedef struct fl_otlp_frames {
    fl_proto list[FL_OTLP_MAX_VALUE_DEPTH]; /* an ArrayValue or KeyValueList being read */
    bool is_map[FL_OTLP_MAX_VALUE_DEPTH];
    bool is_first[FL_OTLP_MAX_VALUE_DEPTH];
    size_t depth;
} fl_otlp_frames;

/* Write the bracket and push the list in the field in hand. */
static void open_list(fl_otlp *otlp, fl_proto *in, fl_otlp_frames *frames, bool is_map)
{
    if (frames->depth == FL_OTLP_MAX_VALUE_DEPTH) {
        fl_otlp_complain(otlp, "a value is nested more than 32 deep");
        return;
    }
    fl_buf_char(&otlp->text, is_map ? '{' : '[');
    fl_proto_enter(&frames->list[frames->depth], in);
    frames->is_map[frames->depth] = is_map;
    frames->is_first[frames->depth++] = true;
}

/* Write the value in the AnyValue `in`; one that is a list is pushed instead. */
static void write_value(fl_otlp *otlp, fl_proto *in, fl_otlp_frames *frames)
{
    fl_buf *out = &otlp->text;
    while (fl_proto_next(in))
        switch (in->field) {
        case 1:
            fl_otlp_text_string(out, fl_proto_text(in));
            return;
        case 2:
            fl_buf_text(out, fl_proto_u64(in) != 0 ? "true" : "false");
            return;
        case 3:
            fl_otlp_text_int(out, fl_proto_i64(in));
            return;
        case 4:
            fl_otlp_text_double(out, fl_proto_double(in));
            return;
        case 5:
            open_list(otlp, in, frames, false);
            return;
        case 6:
            open_list(otlp, in, frames, true);
            return;
        case 7:
            fl_buf_char(out, '"');
            fl_otlp_text_base64(out, fl_proto_bytes(in));
            fl_buf_char(out, '"');
            return;
        default:
            break;
        }
    fl_buf_text(out, "null");
}

/* Write the key of the pair in `in`; true when `value` stands inside its AnyValue. */
static bool write_key(fl_otlp *otlp, fl_proto *in, fl_proto *value)
{
    fl_proto pair;
    fl_slice key = {0};
    bool has_value = false;
    fl_proto_enter(&pair, in);
    while (fl_proto_next(&pair))
        if (pair.field == 1) {
            key = fl_proto_text(&pair);
        } else if (pair.field == 2) {
            *value = fl_proto_message(&pair);
            has_value = true;
        }
    fl_proto_adopt(in, &pair);
    fl_otlp_text_string(&otlp->text, key);
    fl_buf_text(&otlp->text, has_value ? ":" : ":null");
    return has_value && fl_proto_ok(in);
}

/* Write the next element of the innermost list, or close it. */
static void write_element(fl_otlp *otlp, fl_otlp_frames *frames)
{
    assert(frames->depth > 0);
    size_t top = frames->depth - 1;
    fl_proto *list = &frames->list[top];
    fl_proto value;
    while (fl_proto_next(list)) {
        if (list->field != 1)
            continue;
        if (!frames->is_first[top])
            fl_buf_char(&otlp->text, ',');
        frames->is_first[top] = false;
        fl_proto_enter(&value, list);
        if (frames->is_map[top] && !write_key(otlp, list, &value))
            return;
        write_value(otlp, &value, frames);
        fl_proto_adopt(list, &value);
        return;
    }
    fl_buf_char(&otlp->text, frames->is_map[top] ? '}' : ']');
    if (fl_proto_ok(list))
        frames->depth--;
}

void fl_otlp_proto_render(fl_otlp *otlp, fl_proto *in, bool is_map)
{
    fl_otlp_frames frames;
    frames.depth = 0;
    open_list(otlp, in, &frames, is_map);
    while (frames.depth > 0) {
        size_t top = frames.depth - 1;
        write_element(otlp, &frames);
        if (!fl_proto_ok(&frames.list[top])) {
            fl_proto_adopt(in, &frames.list[top]);
            return;
        }
    }
}
