/*
 * fl_hprof_made.h - heap dumps made by hand: records and sub-records, one call each.
 */
#ifndef FL_HPROF_MADE_H
#define FL_HPROF_MADE_H

#include "buf.h"
#include "faultline/heapdump.h"
#include "slice.h"

typedef struct fl_hprof_made {
    fl_buf out;
    unsigned id_bytes;
    size_t segment; /* where the length of the segment stands */
    uint64_t last_name;
} fl_hprof_made;

typedef struct made_member {
    const char *name;
    fl_heap_type type;
    uint64_t value; /* of a static */
} made_member;

static inline void made_number(fl_hprof_made *m, uint64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;)
        fl_buf_char(&m->out, (char)(value >> (8 * i)));
}

static inline void made_id(fl_hprof_made *m, uint64_t id)
{
    made_number(m, id, m->id_bytes);
}

static inline fl_hprof_made made_begin(const char *version, unsigned id_bytes)
{
    fl_hprof_made m = {.out = fl_buf_of(64u << 20), .id_bytes = id_bytes};
    fl_buf_printf(&m.out, "JAVA PROFILE %s", version);
    fl_buf_char(&m.out, 0);
    made_number(&m, id_bytes, 4);
    made_number(&m, UINT64_C(1760000000000), 8);
    return m;
}

static inline void made_record(fl_hprof_made *m, unsigned tag, uint64_t length)
{
    made_number(m, tag, 1);
    made_number(m, 0, 4);
    made_number(m, length, 4);
}

/* Names have the ids 0x10001, 0x10002 ... */
static inline uint64_t made_name(fl_hprof_made *m, const char *text)
{
    uint64_t id = 0x10000 + ++m->last_name;
    made_record(m, 0x01, m->id_bytes + strlen(text));
    made_id(m, id);
    fl_buf_text(&m->out, text);
    return id;
}

static inline void made_loaded(fl_hprof_made *m, uint64_t class_id, const char *name)
{
    uint64_t name_id = made_name(m, name);
    made_record(m, 0x02, 8 + 2 * m->id_bytes);
    made_number(m, class_id & 0xffff, 4);
    made_id(m, class_id);
    made_number(m, 0, 4);
    made_id(m, name_id);
}

static inline void made_segment(fl_hprof_made *m)
{
    made_record(m, 0x1c, 0);
    m->segment = m->out.len;
}

static inline void made_segment_end(fl_hprof_made *m)
{
    size_t length = m->out.len - m->segment;
    for (unsigned i = 0; i < 4; i++)
        m->out.ptr[m->segment - 4 + i] = (char)(length >> (24 - 8 * i));
}

static inline void made_root(fl_hprof_made *m, unsigned tag, uint64_t id)
{
    made_number(m, tag, 1);
    made_id(m, id);
}

/* Local variables (3), a thread (8): with two numbers. */
static inline void made_root_of(fl_hprof_made *m, unsigned tag, uint64_t id, uint32_t thread,
                                uint32_t second)
{
    made_root(m, tag, id);
    made_number(m, thread, 4);
    made_number(m, second, 4);
}

static inline unsigned made_width(const fl_hprof_made *m, fl_heap_type type)
{
    return fl_heap_type_bytes(type, m->id_bytes);
}

/* Names of members are made before the segment, by made_names(): their ids follow one another. */
static inline uint64_t made_names(fl_hprof_made *m, const made_member *members, size_t count)
{
    uint64_t first = 0x10000 + m->last_name + 1;
    for (size_t i = 0; i < count; i++)
        (void)made_name(m, members[i].name);
    return first;
}

typedef struct made_class {
    uint64_t id, super, loader;
    const made_member *statics;
    size_t static_count;
    uint64_t static_names; /* of made_names() */
    const made_member *fields;
    size_t field_count;
    uint64_t field_names;
} made_class;

static inline void made_class_item(fl_hprof_made *m, const made_class *c)
{
    made_number(m, 0x20, 1);
    made_id(m, c->id);
    made_number(m, 0, 4);
    made_id(m, c->super);
    made_id(m, c->loader);
    for (int i = 0; i < 4; i++)
        made_id(m, 0);
    made_number(m, 0, 4);
    made_number(m, 1, 2); /* one constant, which is to be passed over */
    made_number(m, 7, 2);
    made_number(m, FL_HEAP_INT, 1);
    made_number(m, 99, 4);
    made_number(m, c->static_count, 2);
    for (size_t i = 0; i < c->static_count; i++) {
        made_id(m, c->static_names + i);
        made_number(m, c->statics[i].type, 1);
        made_number(m, c->statics[i].value, made_width(m, c->statics[i].type));
    }
    made_number(m, c->field_count, 2);
    for (size_t i = 0; i < c->field_count; i++) {
        made_id(m, c->field_names + i);
        made_number(m, c->fields[i].type, 1);
    }
}

/* The values follow, `bytes` of them. */
static inline void made_instance(fl_hprof_made *m, uint64_t id, uint64_t class_id, uint32_t bytes)
{
    made_number(m, 0x21, 1);
    made_id(m, id);
    made_number(m, 0, 4);
    made_id(m, class_id);
    made_number(m, bytes, 4);
}

static inline void made_objects(fl_hprof_made *m, uint64_t id, uint64_t class_id,
                                const uint64_t *elements, uint32_t count)
{
    made_number(m, 0x22, 1);
    made_id(m, id);
    made_number(m, 0, 4);
    made_number(m, count, 4);
    made_id(m, class_id);
    for (uint32_t i = 0; i < count; i++)
        made_id(m, elements[i]);
}

static inline void made_values(fl_hprof_made *m, uint64_t id, fl_heap_type type, const void *bytes,
                               uint32_t count)
{
    made_number(m, 0x23, 1);
    made_id(m, id);
    made_number(m, 0, 4);
    made_number(m, count, 4);
    made_number(m, type, 1);
    fl_buf_add(&m->out, (fl_slice){.ptr = bytes, .len = count * made_width(m, type)});
}

static inline void made_end(fl_hprof_made *m)
{
    made_record(m, 0x2c, 0);
}

static inline fl_slice made_bytes(const fl_hprof_made *m)
{
    return fl_buf_slice(&m->out);
}

/* --- one heap for many tests --- */

/* Ids of the sample. Objects lie one behind the other, as 64 bits with compressed references have
 * them: a String 24 bytes, an Entry 32, the Object[2] 24, the byte[5] 24. */
enum {
    MADE_OBJECT = 0x1000, /* classes */
    MADE_CLASS = 0x1100,
    MADE_STRING = 0x1200,
    MADE_CACHE = 0x1300,
    MADE_ENTRY = 0x1400,
    MADE_OBJECTS = 0x1500,
    MADE_BYTES = 0x1600,
    MADE_REFERENCE = 0x1700,
    MADE_WEAK = 0x1800,
    MADE_THREAD = 0x1900,
    MADE_TABLE = 0x8000, /* objects */
    MADE_FIRST = 0x8018,
    MADE_SECOND = 0x8038,
    MADE_KEY = 0x8058,
    MADE_TEXT = 0x8070,
    MADE_GARBAGE = 0x8088,
    MADE_WEAKLY = 0x80a8,
    MADE_HELD = 0x80c8,
    MADE_WORKER = 0x80e8,
    MADE_LOCAL = 0x8100
};

static inline void made_entry(fl_hprof_made *m, uint64_t id, uint64_t key, uint64_t next)
{
    made_instance(m, id, MADE_ENTRY, 2 * m->id_bytes + 8);
    made_id(m, key);
    made_id(m, next);
    made_number(m, 42, 8);
}

/* Cache.ENTRIES (a static) -> Object[2] -> Entry -> Entry -> String "hello"; a WeakReference and
 * what it refers to; a thread with one local variable; an Entry that nothing keeps. */
static inline fl_hprof_made made_sample(unsigned id_bytes)
{
    static const made_member string[] = {{"value", FL_HEAP_REFERENCE, 0},
                                         {"coder", FL_HEAP_BYTE, 0}};
    static const made_member cache[] = {{"ENTRIES", FL_HEAP_REFERENCE, MADE_TABLE},
                                        {"LIMIT", FL_HEAP_INT, 10},
                                        {"WEAK", FL_HEAP_REFERENCE, MADE_WEAKLY}};
    static const made_member entry[] = {
        {"key", FL_HEAP_REFERENCE, 0}, {"next", FL_HEAP_REFERENCE, 0}, {"count", FL_HEAP_LONG, 0}};
    static const made_member reference[] = {{"referent", FL_HEAP_REFERENCE, 0},
                                            {"queue", FL_HEAP_REFERENCE, 0}};
    static const made_member thread[] = {{"name", FL_HEAP_REFERENCE, 0}};
    static const char text[] = "hello";
    const uint64_t elements[] = {MADE_FIRST, 0};
    fl_hprof_made m = made_begin("1.0.2", id_bytes);
    made_loaded(&m, MADE_OBJECT, "java/lang/Object");
    made_loaded(&m, MADE_CLASS, "java/lang/Class");
    made_loaded(&m, MADE_STRING, "java/lang/String");
    made_loaded(&m, MADE_CACHE, "shop/Cache");
    made_loaded(&m, MADE_ENTRY, "shop/Cache$Entry");
    made_loaded(&m, MADE_OBJECTS, "[Ljava/lang/Object;");
    made_loaded(&m, MADE_BYTES, "[B");
    made_loaded(&m, MADE_REFERENCE, "java/lang/ref/Reference");
    made_loaded(&m, MADE_WEAK, "java/lang/ref/WeakReference");
    made_loaded(&m, MADE_THREAD, "java/lang/Thread");
    uint64_t strings = made_names(&m, string, 2), caches = made_names(&m, cache, 3);
    uint64_t entries = made_names(&m, entry, 3), references = made_names(&m, reference, 2);
    uint64_t threads = made_names(&m, thread, 1);
    made_segment(&m);
    const made_class classes[] = {
        {.id = MADE_OBJECT},
        {.id = MADE_CLASS, .super = MADE_OBJECT},
        {MADE_STRING, MADE_OBJECT, 0, NULL, 0, 0, string, 2, strings},
        {MADE_CACHE, MADE_OBJECT, 0, cache, 3, caches, NULL, 0, 0},
        {MADE_ENTRY, MADE_OBJECT, 0, NULL, 0, 0, entry, 3, entries},
        {.id = MADE_OBJECTS, .super = MADE_OBJECT},
        {.id = MADE_BYTES, .super = MADE_OBJECT},
        {MADE_REFERENCE, MADE_OBJECT, 0, NULL, 0, 0, reference, 2, references},
        {.id = MADE_WEAK, .super = MADE_REFERENCE},
        {MADE_THREAD, MADE_OBJECT, 0, NULL, 0, 0, thread, 1, threads},
    };
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        made_class_item(&m, &classes[i]);
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        made_root(&m, 0x05, classes[i].id);
    made_root_of(&m, 0x08, MADE_WORKER, 1, 1);
    made_root_of(&m, 0x03, MADE_LOCAL, 1, 0);
    made_segment_end(&m);
    made_segment(&m);
    made_objects(&m, MADE_TABLE, MADE_OBJECTS, elements, 2);
    made_entry(&m, MADE_FIRST, MADE_KEY, MADE_SECOND);
    made_entry(&m, MADE_SECOND, MADE_KEY, 0);
    made_instance(&m, MADE_KEY, MADE_STRING, m.id_bytes + 1);
    made_id(&m, MADE_TEXT);
    made_number(&m, 0, 1);
    made_values(&m, MADE_TEXT, FL_HEAP_BYTE, text, 5);
    made_entry(&m, MADE_GARBAGE, MADE_KEY, 0);
    made_instance(&m, MADE_WEAKLY, MADE_WEAK, 2 * m.id_bytes);
    made_id(&m, MADE_HELD);
    made_id(&m, 0);
    made_entry(&m, MADE_HELD, 0, 0);
    made_instance(&m, MADE_WORKER, MADE_THREAD, m.id_bytes);
    made_id(&m, MADE_KEY);
    made_entry(&m, MADE_LOCAL, 0, 0);
    made_segment_end(&m);
    made_end(&m);
    return m;
}

#endif
