/*
 * made_jfr.h - recordings of the Flight Recorder, byte by byte, as the JDK writes them: one writer
 * for compressed numbers and for those that are not.
 */
#ifndef FL_MADE_JFR_H
#define FL_MADE_JFR_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/status.h"

enum { MADE_JFR_BYTES = 1 << 16 };

struct made_class;

typedef struct made_jfr {
    unsigned char bytes[MADE_JFR_BYTES];
    size_t len;
    const struct made_class *allocation; /* in place of the usual one; NULL: that */
    bool is_compressed;
    bool is_old; /* version 1.0, as JDK 9 and 10 wrote it: other names of the same classes */
    size_t event_at, metadata_at, pool_at;
} made_jfr;

/* The types of made_jfr_standard(). */
enum {
    MADE_LONG = 2,
    MADE_INT,
    MADE_SHORT,
    MADE_CHAR,
    MADE_BYTE,
    MADE_BOOLEAN,
    MADE_FLOAT,
    MADE_DOUBLE,
    MADE_STRING,
    MADE_SYMBOL,
    MADE_CLASS,
    MADE_METHOD,
    MADE_FRAME,
    MADE_STACK,
    MADE_WHEN,
    MADE_SPACE,
    MADE_ALLOCATION,
    MADE_HEAP,
    MADE_LOAD,
    MADE_ODD,
    MADE_TYPE_COUNT
};

/* The room is enough for all that tests make: more is a mistake of the test. */
static inline void made_byte(made_jfr *m, unsigned byte)
{
    if (m->len == MADE_JFR_BYTES)
        abort();
    m->bytes[m->len++] = (unsigned char)byte;
}

/* Big-endian, whatever the flag: the header, floats and doubles. */
static inline void made_fixed(made_jfr *m, uint64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--)
        made_byte(m, (unsigned)(value >> 8 * i & 0xff));
}

/* A number of an event: LEB128 of at most nine bytes, or `width` bytes where numbers are not
 * compressed. */
static inline void made_number(made_jfr *m, uint64_t value, int width)
{
    if (!m->is_compressed) {
        made_fixed(m, value, width);
        return;
    }
    for (int i = 0; i < 8 && value >= 0x80; i++, value >>= 7)
        made_byte(m, (unsigned)(value & 0x7f) | 0x80);
    made_byte(m, (unsigned)(value & 0xff));
}

/* UTF-8, which has the tag 3. */
static inline void made_text(made_jfr *m, const char *text)
{
    made_byte(m, 3);
    made_number(m, strlen(text), 4);
    for (size_t i = 0; text[i] != '\0'; i++)
        made_byte(m, (unsigned char)text[i]);
}

/* The size is written at the end: four bytes, of which the last one ends the number. */
static inline void made_begin(made_jfr *m, uint64_t type)
{
    m->event_at = m->len;
    made_fixed(m, 0, 4);
    made_number(m, type, 8);
}

static inline void made_end(made_jfr *m)
{
    size_t size = m->len - m->event_at;
    for (size_t i = 0; i < 4; i++) {
        size_t part = m->is_compressed ? (size >> 7 * i & 0x7f) | (i < 3 ? 0x80u : 0u)
                                       : size >> 8 * (3 - i) & 0xff;
        m->bytes[m->event_at + i] = (unsigned char)part;
    }
}

/* Eight bytes of the header, written again. */
static inline void made_patch(made_jfr *m, size_t at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        m->bytes[at + (size_t)i] = (unsigned char)(value >> 8 * (7 - i));
}

/* 1,000 ticks a microsecond, from tick 500 on, at second 1,700,000,000. */
static inline void made_header(made_jfr *m)
{
    static const unsigned char magic[8] = {'F', 'L', 'R', 0, 0, 2, 0, 1};
    for (size_t i = 0; i < sizeof(magic); i++)
        made_byte(m, magic[i]);
    if (m->is_old) {
        m->bytes[5] = 1;
        m->bytes[7] = 0;
    }
    made_fixed(m, 0, 8); /* size */
    made_fixed(m, 0, 8); /* checkpoint */
    made_fixed(m, 0, 8); /* metadata */
    made_fixed(m, UINT64_C(1700000000000000000), 8);
    made_fixed(m, UINT64_C(2000000000), 8);
    made_fixed(m, 500, 8);
    made_fixed(m, UINT64_C(1000000000), 8);
    made_fixed(m, 0, 4 - 1);
    made_byte(m, m->is_compressed ? 1 : 0);
}

/* Sizes and places of the header; the chunk begins at 0. */
static inline void made_finish(made_jfr *m)
{
    made_patch(m, 8, m->len);
    made_patch(m, 16, m->pool_at);
    made_patch(m, 24, m->metadata_at);
}

typedef struct made_field {
    const char *name;
    int type;
    bool is_constant, is_array;
} made_field;

typedef struct made_class {
    const char *name;
    made_field fields[8];
} made_class;

static const made_class made_classes[MADE_TYPE_COUNT] = {
    [MADE_LONG] = {"long", {{0}}},
    [MADE_INT] = {"int", {{0}}},
    [MADE_SHORT] = {"short", {{0}}},
    [MADE_CHAR] = {"char", {{0}}},
    [MADE_BYTE] = {"byte", {{0}}},
    [MADE_BOOLEAN] = {"boolean", {{0}}},
    [MADE_FLOAT] = {"float", {{0}}},
    [MADE_DOUBLE] = {"double", {{0}}},
    [MADE_STRING] = {"java.lang.String", {{0}}},
    [MADE_SYMBOL] = {"jdk.types.Symbol", {{"string", MADE_STRING, false, false}}},
    [MADE_CLASS] = {"java.lang.Class",
                    {{"name", MADE_SYMBOL, true, false}, {"modifiers", MADE_INT, false, false}}},
    [MADE_METHOD] = {"jdk.types.Method",
                     {{"type", MADE_CLASS, true, false},
                      {"name", MADE_SYMBOL, true, false},
                      {"hidden", MADE_BOOLEAN, false, false}}},
    [MADE_FRAME] = {"jdk.types.StackFrame",
                    {{"method", MADE_METHOD, true, false}, {"lineNumber", MADE_INT, false, false}}},
    [MADE_STACK] = {"jdk.types.StackTrace",
                    {{"truncated", MADE_BOOLEAN, false, false},
                     {"frames", MADE_FRAME, false, true}}},
    [MADE_WHEN] = {"jdk.types.GCWhen", {{"when", MADE_STRING, false, false}}},
    [MADE_SPACE] = {"jdk.types.VirtualSpace",
                    {{"start", MADE_LONG, false, false},
                     {"committedSize", MADE_LONG, false, false}}},
    [MADE_ALLOCATION] = {"jdk.ObjectAllocationSample",
                         {{"startTime", MADE_LONG, false, false},
                          {"stackTrace", MADE_STACK, true, false},
                          {"objectClass", MADE_CLASS, true, false},
                          {"weight", MADE_LONG, false, false}}},
    [MADE_HEAP] = {"jdk.GCHeapSummary",
                   {{"startTime", MADE_LONG, false, false},
                    {"gcId", MADE_INT, false, false},
                    {"when", MADE_WHEN, true, false},
                    {"heapSpace", MADE_SPACE, false, false},
                    {"heapUsed", MADE_LONG, false, false}}},
    [MADE_LOAD] = {"jdk.CPULoad",
                   {{"startTime", MADE_LONG, false, false},
                    {"jvmUser", MADE_FLOAT, false, false},
                    {"jvmSystem", MADE_FLOAT, false, false},
                    {"machineTotal", MADE_FLOAT, false, false}}},
    /* Of no kind that is told: every type, and an array of structs. */
    [MADE_ODD] = {"shop.Odd",
                  {{"startTime", MADE_LONG, false, false},
                   {"c", MADE_CHAR, false, false},
                   {"s", MADE_SHORT, false, false},
                   {"b", MADE_BYTE, false, false},
                   {"d", MADE_DOUBLE, false, false},
                   {"text", MADE_STRING, false, false},
                   {"spaces", MADE_SPACE, false, true}}},
};

/* Texts of the metadata, each once. */
typedef struct made_texts {
    char items[256][64];
    size_t count;
} made_texts;

/* The number of a text, which is added where it is new. */
static inline size_t made_text_of(made_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0)
            return i;
    if (texts->count == 256 || strlen(text) >= sizeof(texts->items[0]))
        abort();
    strncat(texts->items[texts->count], text, sizeof(texts->items[0]) - 1);
    return texts->count++;
}

/* Key and value are numbers of texts. */
static inline void made_attribute(made_jfr *m, made_texts *texts, const char *key,
                                  const char *value)
{
    made_number(m, made_text_of(texts, key), 4);
    made_number(m, made_text_of(texts, value), 4);
}

/* Ids of classes are decimal texts in the metadata, and numbers everywhere else. */
static inline void made_id(char out[16], int id)
{
    char digits[16];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + id % 10);
    while ((id /= 10) > 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = '\0';
}

/* An attribute that is false is left out, as the JDK does. */
static inline void made_element_field(made_jfr *m, made_texts *texts, const made_field *field)
{
    char id[16];
    made_id(id, field->type);
    made_number(m, made_text_of(texts, "field"), 4);
    made_number(m, 2u + field->is_constant + field->is_array, 4);
    made_attribute(m, texts, "name", field->name);
    made_attribute(m, texts, "class", id);
    if (field->is_constant)
        made_attribute(m, texts, "constantPool", "true");
    if (field->is_array)
        made_attribute(m, texts, "dimension", "1");
    made_number(m, 0, 4);
}

/* The name of a class as JDK 9 has it, where that is another. */
static inline const char *made_old_name(char out[64], const char *name)
{
    static const char types[] = "jdk.types.", events[] = "jdk.";
    bool is_type = strncmp(name, types, sizeof(types) - 1) == 0;
    if (strncmp(name, events, sizeof(events) - 1) != 0)
        return name;
    const char *prefix = is_type ? "com.oracle.jfr.types." : "com.oracle.jdk.";
    const char *rest = name + (is_type ? sizeof(types) : sizeof(events)) - 1;
    if (strlen(prefix) + strlen(rest) >= 64)
        abort();
    memcpy(out, prefix, strlen(prefix));
    memcpy(out + strlen(prefix), rest, strlen(rest) + 1);
    return out;
}

/* root > metadata > class > field, and a region beside the metadata, which a reader passes over. */
static inline void made_elements(made_jfr *m, made_texts *texts)
{
    char id[16];
    made_number(m, made_text_of(texts, "root"), 4);
    made_number(m, 0, 4);
    made_number(m, 2, 4);
    made_number(m, made_text_of(texts, "metadata"), 4);
    made_number(m, 0, 4);
    made_number(m, MADE_TYPE_COUNT - 2, 4);
    for (int i = 2; i < MADE_TYPE_COUNT; i++) {
        size_t fields = 0;
        bool is_other = i == MADE_ALLOCATION && m->allocation != NULL;
        const made_class *class = is_other ? m->allocation : &made_classes[i];
        while (fields < 8 && class->fields[fields].name != NULL)
            fields++;
        made_id(id, i);
        made_number(m, made_text_of(texts, "class"), 4);
        made_number(m, 2, 4);
        made_attribute(m, texts, "id", id);
        char old[64];
        const char *name = class->name;
        made_attribute(m, texts, "name", m->is_old ? made_old_name(old, name) : name);
        made_number(m, fields, 4);
        for (size_t k = 0; k < fields; k++)
            made_element_field(m, texts, &class->fields[k]);
    }
    made_number(m, made_text_of(texts, "region"), 4);
    made_number(m, 1, 4);
    made_attribute(m, texts, "locale", "en_US");
    made_number(m, 0, 4);
}

/* Texts come before the elements that need them: these are made first, apart. */
static inline void made_metadata(made_jfr *m)
{
    static made_texts texts;
    static made_jfr elements;
    texts = (made_texts){0};
    elements = (made_jfr){
        .is_compressed = m->is_compressed, .is_old = m->is_old, .allocation = m->allocation};
    made_elements(&elements, &texts);
    m->metadata_at = m->len;
    made_begin(m, 0);
    made_number(m, 1000, 8);
    made_number(m, 0, 8);
    made_number(m, 1, 8);
    made_number(m, texts.count, 4);
    for (size_t i = 0; i < texts.count; i++)
        made_text(m, texts.items[i]);
    for (size_t i = 0; i < elements.len; i++)
        made_byte(m, elements.bytes[i]);
    made_end(m);
}

/* `delta` leads to the checkpoint before; 0: this is the first. */
static inline void made_checkpoint(made_jfr *m, uint64_t delta, size_t pools)
{
    m->pool_at = m->len;
    made_begin(m, 1);
    made_number(m, 900, 8);
    made_number(m, 0, 8);
    made_number(m, delta, 8);
    made_byte(m, 0);
    made_number(m, pools, 4);
}

/* The keys and values follow. */
static inline void made_pool(made_jfr *m, uint64_t type, size_t count)
{
    made_number(m, type, 8);
    made_number(m, count, 4);
}

/* Its fields in the order of its class. */
static inline void made_allocation(made_jfr *m, uint64_t tick, uint64_t stack, uint64_t type,
                                   uint64_t weight)
{
    made_begin(m, MADE_ALLOCATION);
    made_number(m, tick, 8);
    made_number(m, stack, 8);
    made_number(m, type, 8);
    made_number(m, weight, 8);
    made_end(m);
}

/* Names, then who refers to them. Stack 7: Cart.add:12 below Shop.main:3. Class 4: byte[]. */
static inline void made_pools(made_jfr *m)
{
    size_t first = m->len;
    made_checkpoint(m, 0, 2);
    made_pool(m, MADE_SYMBOL, 5);
    static const char *const symbols[] = {"[B", "shop/Cart", "add", "shop/Shop", "main"};
    for (size_t i = 0; i < 5; i++) {
        made_number(m, i + 1, 8);
        made_text(m, symbols[i]);
    }
    made_pool(m, MADE_CLASS, 3);
    static const uint64_t classes[][2] = {{4, 1}, {5, 2}, {6, 4}};
    for (size_t i = 0; i < 3; i++) {
        made_number(m, classes[i][0], 8);
        made_number(m, classes[i][1], 8);
        made_number(m, 1, 4);
    }
    made_end(m);
    made_checkpoint(m, (uint64_t)0 - (uint64_t)(m->len - first), 3);
    made_pool(m, MADE_METHOD, 2);
    static const uint64_t methods[][3] = {{1, 5, 3}, {2, 6, 5}};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 3; k++)
            made_number(m, methods[i][k], 8);
        made_byte(m, 0);
    }
    made_pool(m, MADE_STACK, 1);
    made_number(m, 7, 8);
    made_byte(m, 0);
    made_number(m, 2, 4);
    made_number(m, 1, 8);
    made_number(m, 12, 4);
    made_number(m, 2, 8);
    made_number(m, 3, 4);
    made_pool(m, MADE_WHEN, 2);
    made_number(m, 0, 8);
    made_text(m, "Before GC");
    made_number(m, 1, 8);
    made_text(m, "After GC");
    made_end(m);
}

/* Two structs in the array, each of two numbers. */
static inline void made_odd(made_jfr *m)
{
    made_begin(m, MADE_ODD);
    made_number(m, 700, 8);
    made_number(m, 0x20ac, 2);
    made_number(m, 0xfffe, 2);
    made_byte(m, 9);
    made_fixed(m, UINT64_C(0x3ff0000000000000), 8);
    made_text(m, "text");
    made_number(m, 2, 4);
    for (int i = 0; i < 4; i++)
        made_number(m, 1, 8);
    made_end(m);
}

/* What test_jfr.c calls STANDARD, with an event between that is not told. */
static inline void made_events(made_jfr *m)
{
    made_allocation(m, 1500, 7, 4, 4096);
    made_allocation(m, 2500, 7, 4, UINT64_C(1) << 40);
    made_odd(m);
    made_begin(m, MADE_HEAP);
    made_number(m, 3500, 8);
    made_number(m, 11, 4);
    made_number(m, 1, 8);
    made_number(m, 0, 8);
    made_number(m, 1 << 20, 8);
    made_number(m, 777, 8);
    made_end(m);
    made_begin(m, MADE_LOAD);
    made_number(m, 4500, 8);
    made_fixed(m, 0x3f000000, 4);
    made_fixed(m, 0x3e800000, 4);
    made_fixed(m, 0x3f800000, 4);
    made_end(m);
}

/* What follows the flags that are set in `m`. */
static inline void made_jfr_chunk(made_jfr *m)
{
    made_header(m);
    made_events(m);
    made_pools(m);
    made_metadata(m);
    made_finish(m);
}

/* One chunk: two allocations, an event that is not told, a heap, a load; then its tables. */
static inline void made_jfr_standard(made_jfr *m, bool is_compressed)
{
    *m = (made_jfr){.is_compressed = is_compressed};
    made_jfr_chunk(m);
}

static inline fl_slice made_jfr_slice(const made_jfr *m)
{
    return (fl_slice){.ptr = m->bytes, .len = m->len};
}

#endif
