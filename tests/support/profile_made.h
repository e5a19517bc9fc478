/*
 * profile_made.h - profile.proto messages made field by field, and a profile as text.
 */
#ifndef PROFILE_MADE_H
#define PROFILE_MADE_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "faultline/profile.h"
#include "fl_test.h"

enum { MADE_BYTES = 4096 };

typedef struct made {
    unsigned char bytes[MADE_BYTES];
    size_t len;
} made;

static inline void made_varint(made *to, uint64_t value)
{
    ck_assert_uint_lt(to->len + 10, sizeof(to->bytes));
    for (; value > 0x7f; value >>= 7)
        to->bytes[to->len++] = (unsigned char)(value | 0x80);
    to->bytes[to->len++] = (unsigned char)value;
}

static inline void made_number(made *to, unsigned field, uint64_t value)
{
    made_varint(to, field << 3 | 0u);
    made_varint(to, value);
}

static inline void made_bytes(made *to, unsigned field, const void *bytes, size_t len)
{
    made_varint(to, field << 3 | 2u);
    made_varint(to, len);
    ck_assert_uint_lt(to->len + len, sizeof(to->bytes));
    if (len > 0)
        memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

static inline void made_text(made *to, unsigned field, const char *text)
{
    made_bytes(to, field, text, strlen(text));
}

static inline void made_message(made *to, unsigned field, const made *child)
{
    made_bytes(to, field, child->bytes, child->len);
}

/* Up to `count` numbers, each a field {number, value} of one message. */
typedef struct made_field {
    unsigned number;
    uint64_t value;
} made_field;

static inline void made_fields(made *to, unsigned field, const made_field *fields, size_t count)
{
    made child = {.len = 0};
    for (size_t i = 0; i < count; i++)
        made_number(&child, fields[i].number, fields[i].value);
    made_message(to, field, &child);
}
#define MADE_FIELDS(to, field, ...)                                                                \
    made_fields((to), (field), (const made_field[]){__VA_ARGS__},                                  \
                sizeof((const made_field[]){__VA_ARGS__}) / sizeof(made_field))

/* The strings of the made profile, by their indexes. */
enum {
    S_EMPTY,
    S_SPACE,
    S_BYTES,
    S_OBJECTS,
    S_COUNT,
    S_INNER,
    S_OUTER,
    S_MAIN,
    S_FILE,
    S_KIND,
    S_RED,
    S_APP,
    S_BUILD_ID
};
static inline void made_strings(made *to)
{
    static const char *const strings[] = {
        "",          "inuse_space", "bytes", "inuse_objects", "count",    "pkg.inner", "pkg.outer",
        "main.main", "/src/f.go",   "kind",  "red",           "/bin/app", "0badcafe"};
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        made_text(to, 6, strings[i]);
}

/* Two functions that were inlined into each other at location 7 and a caller at location 300000,
 * two samples. The samples stand first and the strings last, as Go writes them. */
static inline void made_samples(made *to)
{
    made sample = {.len = 0}, label = {.len = 0};
    made_bytes(&sample, 1, "\x07\xe0\xa7\x12", 4); /* packed: 7, 300000 */
    made_bytes(&sample, 2, "\x02\x80\x01", 3);     /* packed: 2, 128 */
    made_number(&label, 1, S_BYTES);
    made_number(&label, 3, 64);
    made_message(&sample, 3, &label);
    made_message(to, 2, &sample);
    sample.len = label.len = 0;
    made_number(&sample, 1, 300000); /* one by one */
    made_number(&sample, 2, 1);
    made_number(&sample, 2, 4096);
    made_number(&label, 1, S_KIND);
    made_number(&label, 2, S_RED);
    made_message(&sample, 3, &label);
    made_message(to, 2, &sample);
}

static inline void made_tables(made *to)
{
    made location = {.len = 0};
    MADE_FIELDS(to, 3, {1, 1}, {2, 0x1000}, {3, 0x2000}, {5, S_APP}, {6, S_BUILD_ID});
    MADE_FIELDS(&location, 4, {1, 1}, {2, 11});
    MADE_FIELDS(&location, 4, {1, 2}, {2, 22});
    made_number(&location, 1, 7); /* the id may stand behind the lines */
    made_number(&location, 2, 1);
    made_number(&location, 3, 0x1234);
    made_message(to, 4, &location);
    location.len = 0;
    made_number(&location, 1, 300000);
    made_number(&location, 2, 1);
    made_number(&location, 3, 0x1400);
    MADE_FIELDS(&location, 4, {1, 90}, {2, 33});
    made_message(to, 4, &location);
    MADE_FIELDS(to, 5, {1, 1}, {2, S_INNER}, {3, S_INNER}, {4, S_FILE}, {5, 10});
    MADE_FIELDS(to, 5, {1, 2}, {2, S_OUTER}, {3, S_OUTER}, {4, S_FILE}, {5, 20});
    MADE_FIELDS(to, 5, {1, 90}, {2, S_MAIN}, {3, S_MAIN}, {4, S_FILE}, {5, 30});
}

static inline void made_types(made *to)
{
    MADE_FIELDS(to, 1, {1, S_OBJECTS}, {2, S_COUNT});
    MADE_FIELDS(to, 1, {1, S_SPACE}, {2, S_BYTES});
}

static inline made made_profile(void)
{
    made out = {.len = 0};
    made_types(&out);
    made_samples(&out);
    made_tables(&out);
    made_strings(&out);
    made_number(&out, 9, UINT64_C(1700000000000000000));
    made_number(&out, 10, 5000000000);
    MADE_FIELDS(&out, 11, {1, S_SPACE}, {2, S_BYTES});
    made_number(&out, 12, 524288);
    made_number(&out, 13, S_RED);
    return out;
}

static inline fl_slice made_slice(const made *message)
{
    return (fl_slice){message->bytes, message->len};
}

/* --- a profile as text: everything that a reader can see, one item a line --- */

static inline void profile_dump_frame(fl_buf *out, const fl_profile *p, uint32_t index)
{
    const fl_profile_frame *frame = &p->frames[index];
    const fl_profile_function *function = fl_profile_function_of(p, index);
    fl_buf_printf(out, "  %#" PRIx64, frame->address);
    if (function != NULL)
        fl_buf_printf(out, " %.*s %.*s:%" PRId64 " from %" PRId64, (int)function->name.len,
                      (const char *)function->name.ptr, (int)function->file.len,
                      (const char *)function->file.ptr, frame->line, function->start_line);
    fl_buf_printf(out, "%s\n", frame->inlined ? " inlined" : "");
}

static inline void profile_dump_sample(fl_buf *out, const fl_profile *p, size_t index)
{
    const fl_profile_sample *sample = &p->samples[index];
    fl_buf_text(out, "sample");
    for (size_t t = 0; t < p->type_count; t++)
        fl_buf_printf(out, " %" PRId64, fl_profile_value(p, index, t));
    for (size_t k = 0; k < sample->label_count; k++) {
        const fl_profile_label *label = &p->labels[sample->label_at + k];
        fl_buf_printf(out, " %.*s=", (int)label->key.len, (const char *)label->key.ptr);
        if (label->text.len > 0)
            fl_buf_add(out, label->text);
        else
            fl_buf_printf(out, "%" PRId64, label->number);
    }
    fl_buf_text(out, "\n");
    for (size_t k = 0; k < sample->stack_count; k++)
        profile_dump_frame(out, p, p->stack[sample->stack_at + k]);
}

static inline void profile_dump(fl_buf *out, const fl_profile *p)
{
    fl_buf_printf(out, "%s period %" PRId64 " time %" PRId64 " duration %" PRId64 "\n",
                  fl_profile_kind_name(p->kind), p->period, p->time_ns, p->duration_ns);
    for (size_t t = 0; t < p->type_count; t++)
        fl_buf_printf(out, "type %.*s/%.*s%s\n", (int)p->types[t].name.len,
                      (const char *)p->types[t].name.ptr, (int)p->types[t].unit.len,
                      (const char *)p->types[t].unit.ptr, t == p->default_type ? " default" : "");
    for (size_t i = 0; i < p->mapping_count; i++)
        fl_buf_printf(out, "mapping %#" PRIx64 "-%#" PRIx64 " %.*s %.*s\n", p->mappings[i].start,
                      p->mappings[i].limit, (int)p->mappings[i].file.len,
                      (const char *)p->mappings[i].file.ptr, (int)p->mappings[i].build_id.len,
                      (const char *)p->mappings[i].build_id.ptr);
    for (size_t i = 0; i < p->comment_count; i++)
        fl_buf_printf(out, "comment %.*s\n", (int)p->comments[i].len,
                      (const char *)p->comments[i].ptr);
    for (size_t i = 0; i < p->sample_count; i++)
        profile_dump_sample(out, p, i);
}

#endif
