#include "hprof.h"

#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "fl_hprof_made.h"
#include "fl_test.h"
#include "heap_skimmed.h"
#include "mem.h"

static fl_error err;

static void set_up(void)
{
    err = (fl_error){0};
}

typedef struct counts {
    size_t of[FL_HEAP_ITEM_VALUES + 1];
    size_t all;
} counts;

/* In batches of `cap`, since where a batch ends must not matter. */
static counts count_items(fl_hprof *dump, size_t cap)
{
    counts found = {0};
    fl_heap_item items[64];
    fl_heap_source source = fl_hprof_source(dump);
    for (size_t n = 1; n > 0;) {
        n = source.read(source.payload, items, cap);
        for (size_t i = 0; i < n; i++) {
            fl_heap_item again = {0};
            found.of[items[i].kind]++;
            found.all++;
            if (items[i].kind < FL_HEAP_ITEM_ROOT)
                continue;
            ck_assert(source.at(source.payload, items[i].offset, &again));
            ck_assert_uint_eq(again.id, items[i].id);
            if (items[i].kind != FL_HEAP_ITEM_ROOT)
                ck_assert_uint_eq(again.body.len, items[i].body.len);
        }
    }
    return found;
}

START_TEST(every_item_of_a_dump_is_given_whatever_the_width_of_ids)
{
    for (unsigned width = 4; width <= 8; width += 4) {
        fl_hprof_made made = made_sample(width);
        fl_hprof *dump;
        ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
        ck_assert_str_eq(fl_hprof_facts_of(dump).version, "1.0.2");
        ck_assert_uint_eq(fl_hprof_facts_of(dump).id_bytes, width);
        ck_assert_int_eq(fl_hprof_facts_of(dump).time_ns, INT64_C(1760000000000000000));
        for (size_t cap = 1; cap <= 64; cap += 21) {
            counts found = count_items(dump, cap);
            ck_assert_uint_eq(found.of[FL_HEAP_ITEM_NAME], 21);
            ck_assert_uint_eq(found.of[FL_HEAP_ITEM_LOADED], 10);
            ck_assert_uint_eq(found.of[FL_HEAP_ITEM_CLASS], 10);
            ck_assert_uint_eq(found.of[FL_HEAP_ITEM_ROOT], 12);
            ck_assert_uint_eq(found.of[FL_HEAP_ITEM_INSTANCE], 8);
            ck_assert_uint_eq(found.of[FL_HEAP_ITEM_OBJECTS], 1);
            ck_assert_uint_eq(found.of[FL_HEAP_ITEM_VALUES], 1);
            ck_assert_ptr_null(fl_hprof_damage(dump));
        }
        fl_hprof_close(dump);
        fl_buf_dispose(&made.out);
    }
}
END_TEST

enum { MOST_ITEMS = 512, MOST_PARTS = 17 };

/* What a reading of one source gave. */
typedef struct reading {
    uint64_t offsets[MOST_ITEMS];
    fl_heap_item_kind kinds[MOST_ITEMS];
    size_t count;
} reading;

static void read_on(reading *r, const fl_heap_source *source)
{
    fl_heap_item items[7];
    source->rewind(source->payload);
    for (size_t n = 1; n > 0;) {
        n = source->read(source->payload, items, 7);
        ck_assert_uint_le(r->count + n, MOST_ITEMS);
        for (size_t i = 0; i < n; i++) {
            r->offsets[r->count] = items[i].offset;
            r->kinds[r->count++] = items[i].kind;
        }
    }
}

/* Parts, if there are any, give the items and the damage of the whole. Returns how many. */
static size_t compare_parts(fl_hprof *dump, size_t most)
{
    static reading whole, apart;
    fl_heap_source parts[MOST_PARTS];
    fl_heap_source source = fl_hprof_source(dump);
    fl_error damage = {0};
    whole.count = apart.count = 0;
    read_on(&whole, &source);
    if (fl_hprof_damage(dump) != NULL)
        damage = *fl_hprof_damage(dump);
    size_t count = source.split(source.payload, parts, most, 1);
    ck_assert_uint_le(count, most);
    for (size_t i = 0; i < count; i++) {
        size_t before = apart.count;
        read_on(&apart, &parts[i]);
        for (size_t n = before; n < apart.count; n++)
            ck_assert(i == 0 ? apart.kinds[n] < FL_HEAP_ITEM_ROOT
                             : apart.kinds[n] >= FL_HEAP_ITEM_ROOT);
    }
    if (count == 0)
        return 0;
    const fl_error *found = fl_hprof_damage(dump);
    ck_assert_int_eq(found != NULL ? found->status : FL_OK, damage.status);
    if (found != NULL)
        ck_assert_uint_eq(found->offset, damage.offset);
    ck_assert_uint_eq(apart.count, whole.count);
    ck_assert_mem_eq(apart.offsets, whole.offsets, whole.count * sizeof(whole.offsets[0]));
    ck_assert_mem_eq(apart.kinds, whole.kinds, whole.count * sizeof(whole.kinds[0]));
    return count;
}

START_TEST(parts_give_what_the_whole_gives)
{
    fl_hprof_made made = made_begin("1.0.2", 8);
    fl_hprof *dump;
    (void)made_name(&made, "first");
    for (unsigned i = 0; i < 40; i++) {
        made_segment(&made);
        for (unsigned j = 0; j < i % 7; j++)
            made_values(&made, 0x1000 + 64 * i + 8 * j, FL_HEAP_BYTE, "some", 4);
        made_segment_end(&made);
    }
    made_end(&made);
    ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
    for (size_t most = 2; most <= MOST_PARTS; most++) {
        size_t count = compare_parts(dump, most);
        ck_assert_uint_ge(count, most > 4 ? most / 2 + 1 : 2);
    }
    fl_heap_source parts[MOST_PARTS], source = fl_hprof_source(dump);
    ck_assert_uint_eq(source.split(source.payload, parts, MOST_PARTS, 1000), 3);
    ck_assert_uint_eq(source.split(source.payload, parts, MOST_PARTS, 1 << 20), 2);
    fl_hprof_close(dump);
    fl_buf_dispose(&made.out);
}
END_TEST

/* Objects of every kind and type, of sizes from none to more than is loaded at once, in segments of
 * uneven length with roots between. */
static fl_hprof_made many_kinds(unsigned width)
{
    static const char bytes[8 * 40];
    static const uint64_t none[40];
    fl_hprof_made made = made_begin("1.0.2", width);
    uint64_t id = 0x1000;
    (void)made_name(&made, "first");
    for (unsigned i = 0; i < 24; i++) {
        made_segment(&made);
        for (unsigned j = 0; j < i * 31 % 200; j++, id += 64) {
            unsigned n = (i * 7 + j) % 40;
            if (j % 3 == 0) {
                made_instance(&made, id, 0x100 + j % 5, n);
                for (unsigned b = 0; b < n; b++)
                    made_number(&made, b, 1);
            } else if (j % 3 == 1)
                made_objects(&made, id, 0x200, none, n);
            else
                made_values(&made, id, (fl_heap_type)(FL_HEAP_BOOLEAN + (i + j) % 8), bytes, n);
            if (j % 50 == 49)
                made_root(&made, 0xff, id);
        }
        made_segment_end(&made);
    }
    made_end(&made);
    return made;
}

START_TEST(objects_in_brief_are_those_in_full)
{
    for (unsigned width = 4; width <= 8; width += 4) {
        fl_hprof_made made = many_kinds(width);
        fl_hprof *dump;
        ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
        fl_heap_source source = fl_hprof_source(dump);
        counts found = count_items(dump, 64);
        size_t objects = found.of[FL_HEAP_ITEM_INSTANCE] + found.of[FL_HEAP_ITEM_OBJECTS] +
                         found.of[FL_HEAP_ITEM_VALUES];
        ck_assert_uint_gt(objects, 2000);
        /* five ways, of which some objects at the ends of segments are left to the other reader */
        ck_assert_uint_gt(heap_skimmed_all_ways(&source), 5 * objects * 9 / 10);
        ck_assert_ptr_null(fl_hprof_damage(dump));
        fl_hprof_close(dump);
        fl_buf_dispose(&made.out);
    }
}
END_TEST

START_TEST(damaged_objects_in_brief_end_where_the_full_ones_do)
{
    for (unsigned width = 4; width <= 8; width += 4) {
        fl_hprof_made made = made_sample(width);
        fl_slice all = made_bytes(&made);
        for (size_t i = 31; i < all.len; i++) {
            fl_hprof *dump;
            ck_assert_ok(fl_hprof_over(&dump, fl_slice_part(all, 0, i), &err));
            fl_heap_source source = fl_hprof_source(dump);
            (void)heap_skimmed_all_ways(&source);
            fl_hprof_close(dump);
            for (unsigned bit = 1 + width % 8 / 4; bit < 256; bit *= 4) {
                made.out.ptr[i] = (char)((unsigned char)made.out.ptr[i] ^ bit);
                ck_assert_ok(fl_hprof_over(&dump, all, &err));
                source = fl_hprof_source(dump);
                (void)heap_skimmed_all_ways(&source);
                fl_hprof_close(dump);
                made.out.ptr[i] = (char)((unsigned char)made.out.ptr[i] ^ bit);
            }
        }
        fl_buf_dispose(&made.out);
    }
}
END_TEST

START_TEST(names_behind_a_segment_keep_a_dump_whole)
{
    fl_hprof_made made = made_sample(8);
    fl_hprof *dump;
    (void)made_name(&made, "late");
    ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
    ck_assert_uint_eq(compare_parts(dump, MOST_PARTS), 0);
    fl_hprof_close(dump);
    fl_buf_dispose(&made.out);
}
END_TEST

START_TEST(parts_of_damaged_dumps_end_where_the_whole_does)
{
    fl_hprof_made made = made_sample(8);
    fl_slice all = made_bytes(&made);
    size_t split = 0;
    for (size_t i = 31; i < all.len; i++) {
        fl_hprof *dump;
        ck_assert_ok(fl_hprof_over(&dump, fl_slice_part(all, 0, i), &err));
        split += compare_parts(dump, MOST_PARTS) > 0;
        fl_hprof_close(dump);
        for (unsigned bit = 1; bit < 256; bit *= 16) {
            made.out.ptr[i] = (char)((unsigned char)made.out.ptr[i] ^ bit);
            ck_assert_ok(fl_hprof_over(&dump, all, &err));
            split += compare_parts(dump, MOST_PARTS) > 0;
            fl_hprof_close(dump);
            made.out.ptr[i] = (char)((unsigned char)made.out.ptr[i] ^ bit);
        }
    }
    ck_assert_uint_gt(split, all.len);
    fl_buf_dispose(&made.out);
}
END_TEST

START_TEST(an_items_numbers_are_those_of_the_dump)
{
    fl_hprof_made made = made_begin("1.0.1", 8);
    fl_heap_item items[8];
    fl_hprof *dump;
    made_segment(&made);
    made_root_of(&made, 0x03, 0xa0, 7, 3);
    made_root_of(&made, 0x08, 0xb0, 8, 9);
    made_number(&made, 0x01, 1); /* a JNI global has two ids */
    made_id(&made, 0xc0);
    made_id(&made, 0xd0);
    made_values(&made, 0xe0, FL_HEAP_INT, "\0\0\0\1\0\0\0\2", 2);
    made_segment_end(&made);
    ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
    fl_heap_source source = fl_hprof_source(dump);
    ck_assert_uint_eq(source.read(source.payload, items, 8), 4);
    ck_assert_uint_eq(items[0].type, FL_HEAP_ROOT_JAVA_FRAME);
    ck_assert_uint_eq(items[0].id, 0xa0);
    ck_assert_uint_eq(items[0].thread, 7);
    ck_assert_uint_eq(items[0].frame, 3);
    ck_assert_uint_eq(items[1].type, FL_HEAP_ROOT_THREAD);
    ck_assert_uint_eq(items[1].thread, 8);
    ck_assert_uint_eq(items[1].serial, 9);
    ck_assert_uint_eq(items[1].frame, UINT32_MAX);
    ck_assert_uint_eq(items[2].type, FL_HEAP_ROOT_JNI_GLOBAL);
    ck_assert_uint_eq(items[2].id, 0xc0);
    ck_assert_uint_eq(items[3].type, FL_HEAP_INT);
    ck_assert_uint_eq(items[3].count, 2);
    ck_assert_uint_eq(items[3].body.len, 8);
    fl_hprof_close(dump);
    fl_buf_dispose(&made.out);
}
END_TEST

static const struct {
    const char *what;
    fl_slice bytes;
    fl_status status;
    uint64_t offset;
    const char *message;
} REFUSED[] = {
    {"nothing", BYTES_INIT(""), FL_E_SYNTAX, 0,
     "no heap dump: it does not begin with 'JAVA PROFILE'"},
    {"another file", BYTES_INIT("PK\3\4"), FL_E_SYNTAX, 0,
     "no heap dump: it does not begin with 'JAVA PROFILE'"},
    {"no end of the version", BYTES_INIT("JAVA PROFILE 1.0.2"), FL_E_SYNTAX, 13,
     "the version of the heap dump has no end"},
    {"a long version", BYTES_INIT("JAVA PROFILE 1.0.2.3.4.5\0\0\0\0\10"), FL_E_SYNTAX, 13,
     "the version of the heap dump has no end"},
    {"a newer version", BYTES_INIT("JAVA PROFILE 2.0\0\0\0\0\10"), FL_E_UNSUPPORTED, 13,
     "the heap dump's version is not one of 1.0.1, 1.0.2 and 1.0.3"},
    {"a cut head", BYTES_INIT("JAVA PROFILE 1.0.2\0\0\0\0\10\0\0"), FL_E_TRUNCATED, 23,
     "the heap dump ends inside its head"},
    {"ids of 6 bytes", BYTES_INIT("JAVA PROFILE 1.0.2\0\0\0\0\6\0\0\0\0\0\0\0\0"), FL_E_SYNTAX, 19,
     "ids of 6 bytes; 4 and 8 are known"},
};

START_TEST(what_is_no_dump_is_refused_at_its_place)
{
    for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++) {
        fl_hprof *dump;
        err = (fl_error){0};
        ck_assert_fails(REFUSED[i].status, fl_hprof_over(&dump, REFUSED[i].bytes, &err));
        ck_assert_ptr_null(dump);
        ck_assert_msg(strcmp(err.message, REFUSED[i].message) == 0, "%s: %s", REFUSED[i].what,
                      err.message);
        ck_assert_uint_eq(err.offset, REFUSED[i].offset);
    }
}
END_TEST

/* Damage behind the head: what was read before it counts. `hex` follows a head of 31 bytes. */
static const struct {
    const char *what;
    fl_slice tail;
    size_t items;
    fl_status status; /* FL_OK: no damage */
    uint64_t offset;
    const char *message;
} DAMAGED[] = {
    {"no record", BYTES_INIT("\x99\0\0\0\0\0\0\0\0"), 0, FL_E_SYNTAX, 31,
     "what follows is no record of a heap dump"},
    {"a cut record's head", BYTES_INIT("\1\0\0\0"), 0, FL_E_TRUNCATED, 31,
     "the heap dump ends inside a record"},
    {"a record that is longer than the file", BYTES_INIT("\1\0\0\0\0\0\0\0\x64"), 0, FL_E_TRUNCATED,
     31, "the heap dump ends inside a record"},
    {"a name too short for its id", BYTES_INIT("\1\0\0\0\0\0\0\0\2ab"), 0, FL_OK, 0, NULL},
    {"an empty segment before a record", BYTES_INIT("\x1c\0\0\0\0\0\0\0\0\x2c\0\0\0\0\0\0\0\0"), 0,
     FL_OK, 0, NULL},
    {"a segment without a length",
     BYTES_INIT("\x1c\0\0\0\0\0\0\0\0\5\0\0\0\1\5\0\0\0\2\x2c\0\0\0\0\0\0\0\0"), 2, FL_OK, 0, NULL},
    {"the same, cut in an object", BYTES_INIT("\x1c\0\0\0\0\0\0\0\0\5\0\0\0\1\5\0\0"), 1,
     FL_E_TRUNCATED, 45, "the heap dump ends inside an object"},
    {"a segment longer than the file", BYTES_INIT("\x1c\0\0\0\0\0\0\xff\0\5\0\0\0\1"), 1,
     FL_E_TRUNCATED, 45, "the heap dump was cut: what ends it is missing"},
    {"the same in a dump without segments", BYTES_INIT("\x0c\0\0\0\0\0\0\xff\0\5\0\0\0\1"), 1,
     FL_E_TRUNCATED, 45, "the heap dump was cut: what ends it is missing"},
    {"a dump without segments", BYTES_INIT("\x0c\0\0\0\0\0\0\0\5\5\0\0\0\1"), 1, FL_OK, 0, NULL},
    {"a segment and no end of the dump", BYTES_INIT("\x1c\0\0\0\0\0\0\0\5\5\0\0\0\1"), 1,
     FL_E_TRUNCATED, 45, "the heap dump was cut: what ends it is missing"},
    {"an object larger than its segment, before a record",
     BYTES_INIT("\x1c\0\0\0\0\0\0\0\3\5\0\0\x2c\0\0\0\0\0\0\0\0"), 0, FL_E_SYNTAX, 40,
     "an object is larger than its segment"},
    {"a segment above 4 GiB keeps the rest of its length",
     BYTES_INIT("\x1c\0\0\0\0\0\0\0\3\5\0\0\0\1\5\0\0\0\2\x2c\0\0\0\0\0\0\0\0"), 2, FL_OK, 0, NULL},
    {"no object", BYTES_INIT("\x1c\0\0\0\0\0\0\0\5\x55\0\0\0\1\x2c\0\0\0\0\0\0\0\0"), 0,
     FL_E_SYNTAX, 40, "what follows is no object of a heap dump"},
    {"an array of no type", BYTES_INIT("\x1c\0\0\0\0\0\0\0\16\x23\0\0\0\1\0\0\0\0\0\0\0\0\3"), 0,
     FL_E_SYNTAX, 40, "what follows is no object of a heap dump"},
    {"an array of 2^31 elements",
     BYTES_INIT("\x1c\0\0\0\0\0\0\0\16\x23\0\0\0\1\0\0\0\0\x80\0\0\0\13"), 0, FL_E_TRUNCATED, 40,
     "the heap dump ends inside an object"},
    {"a class with a field of no type",
     BYTES_INIT("\x1c\0\0\0\0\0\0\0\x30\x20\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                "\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\7\1"),
     0, FL_E_TRUNCATED, 40, "the heap dump ends inside an object"},
};

START_TEST(damage_ends_the_reading_where_it_is)
{
    for (size_t i = 0; i < sizeof(DAMAGED) / sizeof(DAMAGED[0]); i++) {
        fl_hprof_made made = made_begin("1.0.2", 4);
        fl_hprof *dump;
        ck_assert_uint_eq(made.out.len, 31);
        fl_buf_add(&made.out, DAMAGED[i].tail);
        ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
        size_t found = count_items(dump, 3).all;
        const fl_error *damage = fl_hprof_damage(dump);
        ck_assert_msg(found == DAMAGED[i].items, "%s: %zu items", DAMAGED[i].what, found);
        ck_assert_msg((damage == NULL) == (DAMAGED[i].status == FL_OK), "%s: %s", DAMAGED[i].what,
                      damage != NULL ? damage->message : "no damage");
        if (damage != NULL) {
            ck_assert_str_eq(damage->message, DAMAGED[i].message);
            ck_assert_uint_eq(damage->status, DAMAGED[i].status);
            ck_assert_msg(damage->offset == DAMAGED[i].offset, "%s: %llu", DAMAGED[i].what,
                          (unsigned long long)damage->offset);
        }
        fl_hprof_close(dump);
        fl_buf_dispose(&made.out);
    }
}
END_TEST

START_TEST(every_prefix_gives_what_is_whole_in_it)
{
    fl_hprof_made made = made_sample(8);
    fl_slice whole = made_bytes(&made);
    size_t before = 0, first_segment = 0;
    while (whole.ptr[first_segment] != 0x1c) /* names have no such character */
        first_segment++;
    for (size_t len = 0; len < whole.len; len++) {
        fl_hprof *dump;
        err = (fl_error){0};
        if (fl_hprof_over(&dump, fl_slice_part(whole, 0, len), &err) != FL_OK) {
            ck_assert_uint_lt(len, 31);
            continue;
        }
        size_t found = count_items(dump, 64).all;
        ck_assert_uint_ge(found, before);
        ck_assert_uint_le(found, before + 1);
        bool has_objects = len > first_segment;
        ck_assert_msg(!has_objects || fl_hprof_damage(dump) != NULL, "%zu bytes are whole", len);
        before = found;
        fl_hprof_close(dump);
    }
    ck_assert_uint_eq(before, 63);
    fl_buf_dispose(&made.out);
}
END_TEST

static void write_file(const char *path, fl_slice bytes)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_packed_file_is_read_like_a_plain_one)
{
    char plain[] = "/tmp/fl-hprof-XXXXXX", packed[64];
    fl_hprof_made made = made_sample(8);
    int fd = mkstemp(plain);
    ck_assert_int_ge(fd, 0);
    close(fd);
    snprintf(packed, sizeof(packed), "%s.gz", plain);
    write_file(plain, made_bytes(&made));
    gzFile out = gzopen(packed, "wb");
    ck_assert_int_eq(gzwrite(out, made.out.ptr, (unsigned)made.out.len), (int)made.out.len);
    gzclose(out);
    const char *paths[] = {plain, packed};
    for (size_t i = 0; i < 2; i++) {
        fl_hprof *dump;
        ck_assert_ok(fl_hprof_open(&dump, paths[i], "/tmp", &err));
        ck_assert_uint_eq(fl_hprof_facts_of(dump).bytes, made.out.len);
        ck_assert_uint_eq(count_items(dump, 64).all, 63);
        ck_assert_ptr_null(fl_hprof_damage(dump));
        fl_hprof_close(dump);
    }
    /* A packed file that is cut gives what can be unpacked, and says so. */
    ck_assert_int_eq(truncate(packed, 300), 0);
    fl_hprof *dump;
    ck_assert_ok(fl_hprof_open(&dump, packed, "/tmp", &err));
    ck_assert_uint_lt(count_items(dump, 64).all, 63);
    ck_assert_fails(FL_E_TRUNCATED, fl_hprof_damage(dump)->status);
    fl_hprof_close(dump);
    unlink(plain);
    unlink(packed);
    fl_buf_dispose(&made.out);
}
END_TEST

/* 96 MiB of zeros in some 100 KB. */
START_TEST(a_part_that_was_let_go_of_can_be_read_again)
{
    char path[] = "/tmp/fl-test-hprof-XXXXXX";
    fl_hprof_made made = many_kinds(8);
    fl_hprof *dump;
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    write_file(path, made_bytes(&made));
    ck_assert_ok(fl_hprof_open(&dump, path, "/tmp", &err));
    fl_hprof_let_go(dump);
    for (size_t most = 2; most <= MOST_PARTS; most += 5) {
        fl_heap_source source = fl_hprof_source(dump), parts[MOST_PARTS];
        ck_assert_uint_ge(source.split(source.payload, parts, most, 1), most < 8 ? 2 : 6);
        ck_assert_uint_gt(heap_skimmed_all_ways(&source), 0); /* reads each part twice and more */
    }
    fl_hprof_close(dump);
    unlink(path);
    fl_buf_dispose(&made.out);
}
END_TEST

/* Nobody waits for the last part when all are about as long. */
START_TEST(parts_are_of_even_length)
{
    enum { SEGMENTS = 400 };
    fl_hprof_made made = made_begin("1.0.2", 8);
    fl_heap_source parts[64];
    fl_hprof *dump;
    static const char filler[1000];
    (void)made_name(&made, "first");
    for (uint64_t i = 0; i < SEGMENTS; i++) {
        made_segment(&made);
        made_values(&made, 0x1000 + 64 * i, FL_HEAP_BYTE, filler, sizeof(filler));
        made_segment_end(&made);
    }
    made_end(&made);
    ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
    fl_heap_source source = fl_hprof_source(dump);
    for (size_t most = 3; most <= 64; most++) {
        size_t count = source.split(source.payload, parts, most, 2000), all = 0;
        size_t even = SEGMENTS / (most - 1);
        ck_assert_uint_le(count, most);
        ck_assert_uint_ge(count, most * 3 / 4);
        for (size_t i = 1; i < count; i++) {
            size_t objects = 0;
            fl_heap_item item;
            while (parts[i].read(parts[i].payload, &item, 1) == 1)
                objects++;
            ck_assert_uint_le(objects, even + 3);
            ck_assert_uint_ge(objects, i + 1 < count ? 2 : 1);
            all += objects;
        }
        ck_assert_uint_eq(all, SEGMENTS);
    }
    fl_hprof_close(dump);
    fl_buf_dispose(&made.out);
}
END_TEST

START_TEST(a_dump_of_zeros_is_no_bomb)
{
    char packed[] = "/tmp/fl-hprof-XXXXXX";
    static const char zeros[1 << 20];
    enum { BLOCKS = 96 };
    fl_hprof_made made = made_begin("1.0.2", 8);
    made_record(&made, 0x1c, 18 + BLOCKS * sizeof(zeros));
    made_number(&made, 0x23, 1);
    made_id(&made, 0x1000);
    made_number(&made, 0, 4);
    made_number(&made, BLOCKS * sizeof(zeros), 4);
    made_number(&made, FL_HEAP_BYTE, 1);
    int fd = mkstemp(packed);
    ck_assert_int_ge(fd, 0);
    gzFile out = gzdopen(fd, "wb");
    ck_assert_int_eq(gzwrite(out, made.out.ptr, (unsigned)made.out.len), (int)made.out.len);
    for (int i = 0; i < BLOCKS; i++)
        ck_assert_int_eq(gzwrite(out, zeros, sizeof(zeros)), sizeof(zeros));
    ck_assert_int_eq(gzwrite(out, "\x2c\0\0\0\0\0\0\0", 9), 9); /* the end */
    gzclose(out);
    fl_hprof *dump;
    ck_assert_ok(fl_hprof_open(&dump, packed, "/tmp", &err));
    ck_assert_uint_eq(count_items(dump, 64).all, 1);
    ck_assert_ptr_null(fl_hprof_damage(dump));
    fl_hprof_close(dump);
    err = (fl_error){0};
    ck_assert_fails(FL_E_IO, fl_hprof_open(&dump, packed, "/nowhere", &err));
    ck_assert_str_eq(err.message,
                     "cannot unpack the heap dump in /nowhere: No such file or directory");
    unlink(packed);
    fl_buf_dispose(&made.out);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_refused_by_name)
{
    fl_hprof *dump;
    ck_assert_fails(FL_E_NOTFOUND, fl_hprof_open(&dump, "/nowhere/a.hprof", "/tmp", &err));
    ck_assert_str_eq(err.message, "cannot open /nowhere/a.hprof: No such file or directory");
    err = (fl_error){0};
    ck_assert_fails(FL_E_IO, fl_hprof_open(&dump, "/tmp", "/tmp", &err));
    ck_assert_str_eq(err.message, "cannot map /tmp: it is no file");
}
END_TEST

START_TEST(running_out_of_memory_is_reported)
{
    fl_hprof_made made = made_sample(8);
    fl_hprof *dump;
    fl_mem_fail_after(0);
    fl_status status = fl_hprof_over(&dump, made_bytes(&made), &err);
    fl_mem_fail_after(-1);
    ck_assert_fails(FL_E_NOMEM, status);
    fl_buf_dispose(&made.out);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("hprof/hprof");
    TCase *tcase = tcase_create("hprof");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, every_item_of_a_dump_is_given_whatever_the_width_of_ids);
    tcase_add_test(tcase, parts_give_what_the_whole_gives);
    tcase_add_test(tcase, objects_in_brief_are_those_in_full);
    tcase_add_test(tcase, damaged_objects_in_brief_end_where_the_full_ones_do);
    tcase_add_test(tcase, names_behind_a_segment_keep_a_dump_whole);
    tcase_add_test(tcase, parts_of_damaged_dumps_end_where_the_whole_does);
    tcase_add_test(tcase, an_items_numbers_are_those_of_the_dump);
    tcase_add_test(tcase, what_is_no_dump_is_refused_at_its_place);
    tcase_add_test(tcase, damage_ends_the_reading_where_it_is);
    tcase_add_test(tcase, every_prefix_gives_what_is_whole_in_it);
    tcase_add_test(tcase, a_packed_file_is_read_like_a_plain_one);
    tcase_add_test(tcase, a_part_that_was_let_go_of_can_be_read_again);
    tcase_add_test(tcase, parts_are_of_even_length);
    tcase_add_test(tcase, a_dump_of_zeros_is_no_bomb);
    tcase_add_test(tcase, files_that_cannot_be_read_are_refused_by_name);
    tcase_add_test(tcase, running_out_of_memory_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
