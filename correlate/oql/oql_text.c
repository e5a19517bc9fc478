/*
 * oql_text.c - the texts that objects stand for, and what a query does with texts.
 *
 * What is recognised, by the names of classes and fields that every JDK since 6 has: String (char[]
 * with or without offset and count, bytes with a coder), the boxed types, string builders, threads,
 * files, members of enumerations, classes, arrays of char and byte.
 *
 * A text is made in one buffer of the machine, of FL_OQL_MAX_VALUE_BYTES, and copied into the row's
 * memory where it must stay; what is longer is cut, at a whole character. Halves of a surrogate
 * pair that stand alone become U+FFFD: a text of an answer is UTF-8 whatever the heap has in it.
 */
#include <assert.h>
#include <stdio.h>

#include "oql_eval.h"
#include "slice.h"
#include "utf8.h"

/* Instances of a class stand for what one of their fields holds; of those with `inherited` also
 * instances of subclasses. */
static const struct {
    const char *class_name, *field;
    bool inherited;
} STANDS_FOR[] = {{"java.lang.Boolean", "value", false},
                  {"java.lang.Byte", "value", false},
                  {"java.lang.Character", "value", false},
                  {"java.lang.Double", "value", false},
                  {"java.lang.Enum", "name", true},
                  {"java.lang.Float", "value", false},
                  {"java.lang.Integer", "value", false},
                  {"java.lang.Long", "value", false},
                  {"java.lang.Short", "value", false},
                  {"java.lang.Thread", "name", true},
                  {"java.lang.ThreadGroup", "name", true},
                  {"java.io.File", "path", true},
                  {"java.util.concurrent.atomic.AtomicBoolean", "value", false},
                  {"java.util.concurrent.atomic.AtomicInteger", "value", false},
                  {"java.util.concurrent.atomic.AtomicLong", "value", false}};

/* The longest chain of fields that is followed to a text: a thread's name, its characters. */
enum { MAX_STEPS = 4, MAX_SUPER_CLASSES = 256 };

static bool is_class(const fl_heap *heap, uint32_t index, const char *name)
{
    assert(name != NULL);
    return fl_slice_equal(fl_heap_class_at(heap, index)->name, fl_slice_of(name));
}

/* The field in which instances of a class keep their text; NULL where they have none. */
static const char *field_of(const fl_heap *heap, uint32_t class_index)
{
    assert(class_index < fl_heap_class_count(heap));
    uint32_t at = class_index;
    for (int steps = 0; at != FL_HEAP_NONE && steps < MAX_SUPER_CLASSES; steps++) {
        for (size_t i = 0; i < sizeof(STANDS_FOR) / sizeof(STANDS_FOR[0]); i++)
            if ((at == class_index || STANDS_FOR[i].inherited) &&
                is_class(heap, at, STANDS_FOR[i].class_name))
                return STANDS_FOR[i].field;
        at = fl_heap_class_at(heap, at)->super;
    }
    return NULL;
}

/* ---- characters ---- */

/* Appends a unit of UTF-16; a high surrogate waits in *high for its low one. */
static void put_unit(fl_buf *out, uint32_t unit, uint32_t *high)
{
    assert(unit <= 0xffff);
    unsigned char bytes[4];
    bool pairs = *high != 0 && unit >= 0xdc00 && unit < 0xe000;
    uint32_t point = pairs ? 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00) : unit;
    if (*high != 0 && !pairs)
        fl_buf_text(out, "\xef\xbf\xbd");
    *high = 0;
    if (!pairs && unit >= 0xd800 && unit < 0xdc00) {
        *high = unit;
        return;
    }
    if (!pairs && unit >= 0xdc00 && unit < 0xe000)
        point = 0xfffd;
    fl_buf_add(out, (fl_slice){.ptr = bytes, .len = fl_utf8_encode(bytes, point)});
}

/* Elements [from, to) of an array of char or byte, as far as there is room. */
static bool array_text(fl_oql_machine *machine, fl_heap_object object, uint64_t count,
                       fl_slice *out)
{
    fl_heap_item item;
    if (!fl_heap_item_of(machine->heap, object, &item) || item.kind != FL_HEAP_ITEM_VALUES ||
        (item.type != FL_HEAP_CHAR && item.type != FL_HEAP_BYTE))
        return false;
    fl_heap_type type = (fl_heap_type)item.type;
    uint64_t width = type == FL_HEAP_CHAR ? 2 : 1;
    if (count > item.count)
        count = item.count;
    fl_buf buf = {.ptr = machine->text,
                  .cap = FL_OQL_MAX_VALUE_BYTES,
                  .max_bytes = FL_OQL_MAX_VALUE_BYTES - 1};
    uint32_t high = 0;
    for (uint64_t i = 0; i < count && buf.len + 16 < FL_OQL_MAX_VALUE_BYTES; i++)
        put_unit(&buf,
                 (uint32_t)fl_heap_value(machine->heap, &item, type, i * width) &
                     (type == FL_HEAP_CHAR ? 0xffffu : 0xffu),
                 &high);
    if (high != 0)
        fl_buf_text(&buf, "\xef\xbf\xbd");
    assert(buf.ptr == machine->text && buf.status == FL_OK);
    *out = fl_buf_slice(&buf);
    return true;
}

/* A builder's array is longer than what it holds. Its bytes are UTF-16 where the coder says so,
 * which a String's reader knows; here such a builder has its first bytes shown. */
static bool builder_text(fl_oql_machine *machine, fl_heap_object object, fl_slice *out)
{
    fl_heap_type type;
    uint64_t count;
    fl_heap_object value = fl_heap_follow(machine->heap, object, "value");
    if (value == FL_HEAP_NONE ||
        !fl_heap_field(machine->heap, object, FL_SLICE("count"), &type, &count))
        return false;
    return array_text(machine, value, count, out);
}

/* Numbers are written so that reading them gives the same number again. */
static bool bits_text(fl_oql_machine *machine, fl_heap_type type, uint64_t bits, fl_slice *out)
{
    assert(out != NULL);
    uint32_t low = (uint32_t)bits, high = 0;
    float single;
    double real;
    fl_buf buf = {.ptr = machine->text,
                  .cap = FL_OQL_MAX_VALUE_BYTES,
                  .max_bytes = FL_OQL_MAX_VALUE_BYTES - 1};
    switch (type) {
    case FL_HEAP_BOOLEAN:
        fl_buf_text(&buf, bits != 0 ? "true" : "false");
        break;
    case FL_HEAP_CHAR:
        put_unit(&buf, low & 0xffffu, &high);
        break;
    case FL_HEAP_FLOAT:
        memcpy(&single, &low, sizeof(single));
        fl_buf_printf(&buf, "%.9g", (double)single);
        break;
    case FL_HEAP_DOUBLE:
        memcpy(&real, &bits, sizeof(real));
        fl_buf_printf(&buf, "%.17g", real);
        break;
    default:
        fl_buf_printf(&buf, "%lld", (long long)(int64_t)bits);
        break;
    }
    assert(buf.ptr == machine->text);
    *out = fl_buf_slice(&buf);
    return true;
}

/* Goes from a thread to its name, from the name to its characters, in a few steps. */
bool fl_oql_object_text(fl_oql_machine *machine, fl_heap_object object, fl_slice *out)
{
    assert(out != NULL);
    const fl_heap *heap = machine->heap;
    for (int steps = 0; steps < MAX_STEPS && object != FL_HEAP_NONE; steps++) {
        fl_heap_type type;
        uint64_t bits;
        uint32_t class_index = fl_heap_class_of(heap, object);
        uint32_t meant = fl_heap_class_meant(heap, object);
        if (meant != FL_HEAP_NONE) {
            *out = fl_heap_class_at(heap, meant)->name;
            return true;
        }
        if (fl_heap_string(heap, object, machine->text, FL_OQL_MAX_VALUE_BYTES)) {
            *out = fl_slice_of(machine->text);
            return true;
        }
        if (is_class(heap, class_index, "java.lang.StringBuilder") ||
            is_class(heap, class_index, "java.lang.StringBuffer"))
            return builder_text(machine, object, out);
        if (fl_heap_class_at(heap, class_index)->is_array)
            return array_text(machine, object, UINT64_MAX, out);
        const char *field = field_of(heap, class_index);
        if (field == NULL || !fl_heap_field(heap, object, fl_slice_of(field), &type, &bits))
            return false;
        if (type != FL_HEAP_REFERENCE)
            return bits_text(machine, type, bits, out);
        object = bits == 0 ? FL_HEAP_NONE : fl_heap_find(heap, bits);
    }
    return false;
}

/* ---- texts of values ---- */

fl_slice fl_oql_technical_name(fl_oql_machine *machine, fl_heap_object object)
{
    assert(object < fl_heap_count(machine->heap));
    const fl_heap *heap = machine->heap;
    uint32_t meant = fl_heap_class_meant(heap, object);
    uint32_t class_index = meant != FL_HEAP_NONE ? meant : fl_heap_class_of(heap, object);
    fl_slice name = fl_heap_class_at(heap, class_index)->name;
    return fl_slice_of(fl_arena_printf(&machine->row, "%s%.*s @ 0x%llx",
                                       meant != FL_HEAP_NONE ? "class " : "", FL_SLICE_ARG(name),
                                       (unsigned long long)fl_heap_id(heap, object)));
}

/* The technical name, and for who reads it the text of what has one. */
fl_slice fl_oql_display_name(fl_oql_machine *machine, fl_heap_object object)
{
    fl_slice text, name = fl_oql_technical_name(machine, object);
    if (name.ptr == NULL || fl_heap_class_meant(machine->heap, object) != FL_HEAP_NONE ||
        !fl_oql_object_text(machine, object, &text))
        return name;
    return fl_slice_of(
        fl_arena_printf(&machine->row, "%.*s  %.*s", FL_SLICE_ARG(name), FL_SLICE_ARG(text)));
}

/* Lists have no text but their length. */
static fl_slice list_text(fl_oql_machine *machine, const fl_oql_value *value)
{
    assert(value->kind == FL_OQL_OBJECTS || value->kind == FL_OQL_VALUES);
    return fl_slice_of(fl_arena_printf(&machine->row, "[%zu]", value->count));
}

/* Every value has a text, so that texts can be joined and matched whatever they are made of. */
fl_slice fl_oql_text_of(fl_oql_machine *machine, const fl_oql_value *value)
{
    assert(value != NULL);
    fl_slice text = FL_SLICE("");
    switch (value->kind) {
    case FL_OQL_TEXT:
        return value->text;
    case FL_OQL_OBJECT:
        if (fl_oql_object_text(machine, value->object, &text))
            text = fl_arena_copy(&machine->row, text);
        break;
    case FL_OQL_OBJECTS:
    case FL_OQL_VALUES:
        text = list_text(machine, value);
        break;
    case FL_OQL_FLOAT:
        text = fl_slice_of(fl_arena_printf(&machine->row, "%.17g", value->real));
        break;
    case FL_OQL_NULL:
        return FL_SLICE("null");
    default:
        (void)bits_text(machine,
                        value->kind == FL_OQL_BOOL   ? FL_HEAP_BOOLEAN
                        : value->kind == FL_OQL_CHAR ? FL_HEAP_CHAR
                                                     : FL_HEAP_LONG,
                        (uint64_t)value->number, &text);
        text = fl_arena_copy(&machine->row, text);
        break;
    }
    if (text.ptr == NULL)
        fl_oql_fail_out_of_memory(machine);
    return text;
}

fl_slice fl_oql_text_in_place(fl_oql_machine *machine, const fl_oql_value *value)
{
    assert(value != NULL);
    fl_slice text = FL_SLICE("");
    if (value->kind == FL_OQL_CHAR)
        (void)bits_text(machine, FL_HEAP_CHAR, (uint64_t)value->number, &text);
    else if (value->kind != FL_OQL_OBJECT)
        return fl_oql_text_of(machine, value);
    else if (!fl_oql_object_text(machine, value->object, &text))
        return FL_SLICE("");
    return text;
}

/* ---- methods ---- */

/* Of ASCII letters; others stay. */
static fl_slice with_case(fl_oql_machine *machine, fl_slice text, bool upper)
{
    fl_slice copy = fl_arena_copy(&machine->row, text);
    if (copy.ptr == NULL) {
        fl_oql_fail_out_of_memory(machine);
        return text;
    }
    unsigned char *bytes = (unsigned char *)(uintptr_t)copy.ptr;
    for (size_t i = 0; i < copy.len; i++) {
        bool is_letter =
            upper ? bytes[i] >= 'a' && bytes[i] <= 'z' : bytes[i] >= 'A' && bytes[i] <= 'Z';
        if (is_letter)
            bytes[i] = (unsigned char)(bytes[i] ^ 0x20u);
    }
    return copy;
}

/* Characters that begin before `len` bytes. */
static int64_t characters(fl_slice text, size_t len)
{
    int64_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += (text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* Where the first `needle` stands, or `text.len`: both are somebody's texts, so the search is in
 * steps of one byte with a check of the first, and ends. */
static size_t find(fl_slice text, fl_slice needle)
{
    for (size_t i = 0; i + needle.len <= text.len; i++)
        if (memcmp(text.ptr + i, needle.ptr, needle.len) == 0)
            return i;
    return text.len + 1;
}

/* What Java's String has, on the text that the value stands for. */
static void text_method(fl_oql_machine *machine, uint32_t method, fl_oql_value *top)
{
    assert(method < FL_OQL_METHOD_COUNT);
    fl_slice text = fl_oql_text_of(machine, top), other = FL_SLICE("");
    if (fl_oql_methods[method].args > 0 && text.ptr != NULL)
        other = fl_oql_text_of(machine, &top[1]);
    if (text.ptr == NULL || other.ptr == NULL)
        return;
    fl_oql_value result = {.kind = FL_OQL_BOOL};
    switch (method) {
    case FL_OQL_M_CONTAINS:
        result.number = find(text, other) <= text.len;
        break;
    case FL_OQL_M_ENDS_WITH:
        result.number = fl_slice_ends_with(text, other);
        break;
    case FL_OQL_M_INDEX_OF: {
        size_t at = find(text, other);
        result.kind = FL_OQL_INT;
        result.number = at > text.len ? -1 : characters(text, at);
        break;
    }
    case FL_OQL_M_IS_EMPTY:
        result.number = text.len == 0;
        break;
    case FL_OQL_M_STARTS_WITH:
        result.number = fl_slice_starts_with(text, other);
        break;
    case FL_OQL_M_LENGTH:
    case FL_OQL_M_SIZE:
        result.kind = FL_OQL_INT;
        result.number = characters(text, text.len);
        break;
    default:
        result.kind = FL_OQL_TEXT;
        result.text = method == FL_OQL_M_TRIM ? fl_slice_trim(text)
                      : method == FL_OQL_M_TO_STRING
                          ? text
                          : with_case(machine, text, method == FL_OQL_M_TO_UPPER_CASE);
        break;
    }
    *top = result;
}

/* Of a list where it can be, else of the value's text. */
void fl_oql_step_method(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top)
{
    assert(step->op == FL_OQL_METHOD);
    uint64_t length;
    bool is_list = top->kind == FL_OQL_OBJECTS || top->kind == FL_OQL_VALUES;
    bool has_length = fl_oql_length(machine, top, &length);
    if (top->kind == FL_OQL_NULL)
        return;
    switch (step->which) {
    case FL_OQL_M_EQUALS:
        *top = (fl_oql_value){.kind = FL_OQL_BOOL, .number = fl_oql_equal(machine, top, &top[1])};
        return;
    case FL_OQL_M_GET:
        fl_oql_element(machine, top, &top[1]);
        return;
    case FL_OQL_M_CONTAINS:
        if (!is_list)
            break;
        *top =
            (fl_oql_value){.kind = FL_OQL_BOOL, .number = fl_oql_contains(machine, top, &top[1])};
        return;
    case FL_OQL_M_LENGTH:
    case FL_OQL_M_SIZE:
    case FL_OQL_M_IS_EMPTY:
        if (!has_length)
            break;
        *top = (fl_oql_value){.kind = step->which == FL_OQL_M_IS_EMPTY ? FL_OQL_BOOL : FL_OQL_INT,
                              .number =
                                  step->which == FL_OQL_M_IS_EMPTY ? length == 0 : (int64_t)length};
        return;
    default:
        break;
    }
    text_method(machine, step->which, top);
}
