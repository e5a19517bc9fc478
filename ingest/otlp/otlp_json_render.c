/*
 * otlp_json_render.c - nested values as plain JSON: {"kvlistValue":{"values":[{"key":"a","value":
 * {"arrayValue":{"values":[{"intValue":"1"}]}}}]}} becomes {"a":[1]}.
 *
 * A loop with a stack of the open arrays and maps. In the input each of them is three containers
 * deep (the value, its wrapper, the list), and one more in a map (the key-value pair); all of them
 * are left when the list ends. A pair whose value comes before its key is looked through once for
 * the key, which costs a second pass per level, at most FL_OTLP_MAX_VALUE_DEPTH of them.
 */
#include <assert.h>

#include "otlp_priv.h"

typedef struct fl_otlp_stack {
    bool is_map[FL_OTLP_MAX_VALUE_DEPTH];
    bool is_first[FL_OTLP_MAX_VALUE_DEPTH];
    size_t depth;
} fl_otlp_stack;

/* Leave the object that is entered, skipping the members that are left. */
static void leave_object(fl_json *in)
{
    fl_slice key;
    while (fl_json_next_member(in, &key))
        fl_json_skip(in);
}

/* Stand inside the list of an ArrayValue or KeyValueList; false where it has none (then it was
 * left). */
static bool enter_list(fl_json *in)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return false;
    while (fl_json_next_member(in, &key)) {
        if (FL_OTLP_IS(key, "values") && fl_json_peek(in) == FL_JSON_ARRAY)
            return fl_json_enter_array(in);
        fl_json_skip(in);
    }
    return false;
}

/* Open the list and push it; a list that is not there is written as an empty one. */
static void open_list(fl_otlp *otlp, fl_json *in, fl_otlp_stack *stack, bool is_map)
{
    if (stack->depth == FL_OTLP_MAX_VALUE_DEPTH) {
        fl_otlp_complain(otlp, "a value is nested more than 32 deep");
        fl_json_skip(in);
        fl_buf_text(&otlp->text, "null");
        return;
    }
    if (!enter_list(in)) {
        fl_buf_text(&otlp->text, is_map ? "{}" : "[]");
        return;
    }
    fl_buf_char(&otlp->text, is_map ? '{' : '[');
    stack->is_map[stack->depth] = is_map;
    stack->is_first[stack->depth++] = true;
}

/* `key` is one that is_scalar() knows. Base64 is text already. */
static void write_scalar(fl_buf *out, fl_json *in, fl_slice key)
{
    if (FL_OTLP_IS(key, "stringValue") || FL_OTLP_IS(key, "bytesValue"))
        fl_otlp_text_string(out, fl_json_string(in));
    else if (FL_OTLP_IS(key, "intValue"))
        fl_otlp_text_int(out, fl_json_i64(in));
    else if (FL_OTLP_IS(key, "doubleValue"))
        fl_otlp_text_double(out, fl_json_double(in));
    else if (FL_OTLP_IS(key, "boolValue"))
        fl_buf_text(out, fl_json_bool(in) ? "true" : "false");
}

/* The members whose value stands in one token. */
static bool is_scalar(fl_slice key)
{
    return FL_OTLP_IS(key, "stringValue") || FL_OTLP_IS(key, "bytesValue") ||
           FL_OTLP_IS(key, "intValue") || FL_OTLP_IS(key, "doubleValue") ||
           FL_OTLP_IS(key, "boolValue");
}

/* Write a whole scalar value and leave it, true; or stand inside a list that was pushed, false. */
static bool write_value(fl_otlp *otlp, fl_json *in, fl_otlp_stack *stack)
{
    fl_slice key;
    if (fl_json_null(in)) {
        fl_buf_text(&otlp->text, "null");
        return true;
    }
    if (!fl_json_enter_object(in))
        return true;
    while (fl_json_next_member(in, &key)) {
        bool is_map = FL_OTLP_IS(key, "kvlistValue");
        if (is_map || FL_OTLP_IS(key, "arrayValue")) {
            size_t before = stack->depth;
            open_list(otlp, in, stack, is_map);
            if (stack->depth > before)
                return false;
            leave_object(in);
            return true;
        }
        if (is_scalar(key)) {
            write_scalar(&otlp->text, in, key);
            leave_object(in);
            return true;
        }
        fl_json_skip(in);
    }
    fl_buf_text(&otlp->text, "null");
    return true;
}

/* The key of the pair that `in` stands in, looked for behind its value. */
static fl_slice find_key(fl_json *in)
{
    fl_slice name, found = {0};
    fl_json ahead = *in;
    fl_json_skip(&ahead);
    while (fl_json_next_member(&ahead, &name))
        if (FL_OTLP_IS(name, "key"))
            found = fl_json_string(&ahead);
        else
            fl_json_skip(&ahead);
    if (!fl_json_ok(&ahead))
        fl_otlp_json_take(in, &ahead.err);
    return found;
}

/* Enter a key-value pair, write its key and stand before its value; false where it has none (left).
 */
static bool begin_pair(fl_otlp *otlp, fl_json *in)
{
    fl_slice name, key = {0};
    bool has_key = false;
    if (!fl_json_enter_object(in))
        return false;
    while (fl_json_next_member(in, &name)) {
        if (FL_OTLP_IS(name, "key")) {
            key = fl_json_string(in);
            has_key = true;
        } else if (FL_OTLP_IS(name, "value")) {
            fl_otlp_text_string(&otlp->text, has_key ? key : find_key(in));
            fl_buf_char(&otlp->text, ':');
            return true;
        } else {
            fl_json_skip(in);
        }
    }
    fl_otlp_text_string(&otlp->text, key);
    fl_buf_text(&otlp->text, ":null");
    return false;
}

/* Stand before the next value of the innermost list; false when that list ended and was left. */
static bool next_value(fl_otlp *otlp, fl_json *in, fl_otlp_stack *stack)
{
    size_t top = stack->depth - 1;
    while (fl_json_next_element(in)) {
        if (!stack->is_first[top])
            fl_buf_char(&otlp->text, ',');
        stack->is_first[top] = false;
        if (!stack->is_map[top] || begin_pair(otlp, in))
            return true;
    }
    fl_buf_char(&otlp->text, stack->is_map[top] ? '}' : ']');
    leave_object(in); /* the wrapper of the list */
    stack->depth--;
    if (stack->depth == 0)
        return false;
    leave_object(in); /* the value */
    if (stack->is_map[stack->depth - 1])
        leave_object(in); /* its pair */
    return false;
}

void fl_otlp_json_render(fl_otlp *otlp, fl_json *in, bool is_map)
{
    fl_otlp_stack stack = {.depth = 0};
    open_list(otlp, in, &stack, is_map);
    while (stack.depth > 0 && fl_json_ok(in)) {
        assert(stack.depth <= FL_OTLP_MAX_VALUE_DEPTH);
        if (!next_value(otlp, in, &stack))
            continue;
        if (write_value(otlp, in, &stack) && stack.is_map[stack.depth - 1])
            leave_object(in);
    }
}
