#include <stdio.h>

#include "buf.h"
#include "fl_file.h"
#include "fl_test.h"
#include "jfr.h"
#include "jfr_priv.h"
#include "made_jfr.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_jfr *jfr;
static fl_buf told;
static made_jfr made;

static void setup(void)
{
    err = (fl_error){0};
    told = fl_buf_of(1 << 20);
    ck_assert_ok(fl_jfr_create(&jfr, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_jfr_destroy(jfr);
    fl_buf_dispose(&told);
}

/* A line an event: kind, nanoseconds since the start, numbers, class, text, stack. */
static fl_status tell(void *payload, const fl_jfr_event *event, fl_error *failed)
{
    fl_jfr_frame frame;
    (void)failed;
    fl_jfr *from = payload;
    fl_buf_printf(&told, "%d +%lld %lld %lld %lld", (int)event->kind,
                  (long long)(event->time_ns - INT64_C(1700000000000000000)), (long long)event->a,
                  (long long)event->b, (long long)event->c);
    if (event->kind == FL_JFR_CPU_LOAD)
        fl_buf_printf(&told, " %.2f %.2f %.2f", event->real[0], event->real[1], event->real[2]);
    if (event->type != FL_JFR_NONE)
        fl_buf_printf(&told, " %.*s", FL_SLICE_ARG(fl_jfr_name(from, event->type)));
    if (event->text != FL_JFR_NONE)
        fl_buf_printf(&told, " '%.*s'", FL_SLICE_ARG(fl_jfr_name(from, event->text)));
    for (uint32_t at = event->stack; at != FL_JFR_NONE;) {
        at = fl_jfr_frame_of(&frame, from, at);
        fl_buf_printf(&told, " <%.*s:%u", FL_SLICE_ARG(fl_jfr_name(from, frame.function)),
                      frame.line);
    }
    fl_buf_char(&told, '\n');
    return FL_OK;
}

static fl_status read_bytes(fl_slice bytes)
{
    fl_stream *in;
    err = (fl_error){0};
    fl_buf_clear(&told);
    fl_status status = fl_stream_over(&in, bytes, "rec.jfr", &err);
    if (status != FL_OK)
        return status;
    status = fl_jfr_read(jfr, in, "rec.jfr", tell, jfr, &err);
    fl_stream_close(in);
    return status;
}

/* The last event of what was made. */
static fl_status keep(void *payload, const fl_jfr_event *event, fl_error *failed)
{
    (void)failed;
    *(fl_jfr_event *)payload = *event;
    return FL_OK;
}

static fl_status read_into(fl_jfr_event *last)
{
    fl_stream *in;
    ck_assert_ok(fl_stream_over(&in, made_jfr_slice(&made), "rec.jfr", &err));
    fl_status status = fl_jfr_read(jfr, in, "rec.jfr", keep, last, &err);
    fl_stream_close(in);
    return status;
}

/* Forget what was read before. */
static void anew(void)
{
    fl_jfr_destroy(jfr);
    jfr = NULL;
    err = (fl_error){0};
    ck_assert_ok(fl_jfr_create(&jfr, &err));
}

static const char *first_warning(void)
{
    fl_jfr_totals totals = fl_jfr_totals_of(jfr);
    return totals.warning_count > 0 ? totals.warnings[0] : "-";
}

#define STANDARD                                                                                   \
    "0 +1000 4096 0 0 byte[] <shop.Cart.add:12 <shop.Shop.main:3\n"                                \
    "0 +2000 1099511627776 0 0 byte[] <shop.Cart.add:12 <shop.Shop.main:3\n"                       \
    "6 +3000 11 1048576 777 'After GC'\n"                                                          \
    "7 +4000 1056964608 1048576000 1065353216 0.50 0.25 1.00\n"

START_TEST(events_are_told_with_names_and_stacks_whether_numbers_are_compressed_or_not)
{
    made_jfr_standard(&made, _i == 1);
    ck_assert_ok(read_bytes(made_jfr_slice(&made)));
    ck_assert_str_eq(told.ptr, STANDARD);
    ck_assert_str_eq(first_warning(), "-");
    fl_jfr_totals totals = fl_jfr_totals_of(jfr);
    ck_assert_uint_eq(totals.events, 5);
    ck_assert_uint_eq(totals.chunks, 1);
    ck_assert_uint_eq(totals.unresolved, 0);
    ck_assert_int_eq(totals.to_ns - totals.from_ns, 2000000000);
    ck_assert_uint_eq(totals.bytes, made.len);
    ck_assert_uint_eq(totals.major, 2);
    ck_assert_uint_eq(totals.minor, 1);
}
END_TEST

/* Version 1.0 is the same layout with other names of the classes. */
START_TEST(what_jdk_9_and_10_wrote_is_read_by_its_own_names)
{
    made = (made_jfr){.is_compressed = _i == 1, .is_old = true};
    made_jfr_chunk(&made);
    ck_assert_ok(read_bytes(made_jfr_slice(&made)));
    ck_assert_str_eq(told.ptr, STANDARD);
    ck_assert_str_eq(first_warning(), "-");
    fl_jfr_totals totals = fl_jfr_totals_of(jfr);
    ck_assert_uint_eq(totals.major, 1);
    ck_assert_uint_eq(totals.minor, 0);
    ck_assert(fl_slice_equal(totals.counts[0].name, FL_SLICE("jdk.ObjectAllocationSample")));
}
END_TEST

/* Numbers of types and constants are the chunk's own: the second must not be read by the tables of
 * the first. */
START_TEST(chunks_in_a_row_have_their_own_numbers_and_share_names_and_stacks)
{
    made_jfr_standard(&made, true);
    fl_slice one = made_jfr_slice(&made);
    fl_bytes two = fl_joined(one, one);
    ck_assert_ok(read_bytes(fl_bytes_slice(two)));
    ck_assert_str_eq(told.ptr, STANDARD STANDARD);
    ck_assert_uint_eq(fl_jfr_frame_count(jfr), 2);
    ck_assert_uint_eq(fl_jfr_totals_of(jfr).counts[0].events, 4);
    free(two.ptr);
}
END_TEST

/* Events of a kind that nobody asks for, a megabyte each, at the end of the chunk. */
static void append_padded(fl_buf *to, size_t megabytes)
{
    static unsigned char event[1 << 20] = {0x80, 0x80, 0xc0, 0, 0xff, 0x7f};
    fl_slice chunk = made_jfr_slice(&made);
    size_t at = to->len + 8, size = chunk.len + megabytes * sizeof(event);
    fl_buf_add(to, chunk);
    for (size_t i = 0; i < megabytes; i++)
        fl_buf_add(to, (fl_slice){.ptr = event, .len = sizeof(event)});
    for (size_t i = 0; i < 8; i++)
        to->ptr[at + i] = (char)(unsigned char)(size >> (56 - 8 * i));
}

/* Several at once but for the large one, which is let go as soon as it was told. */
START_TEST(a_large_chunk_among_others_is_told_in_its_turn)
{
    fl_buf all = fl_buf_of(128 << 20);
    made_jfr_standard(&made, true);
    const size_t megabytes[] = {2, 2, 66, 2, 2};
    for (size_t i = 0; i < 5; i++)
        append_padded(&all, megabytes[i]);
    ck_assert_ok(read_bytes(fl_buf_slice(&all)));
    ck_assert_str_eq(told.ptr, STANDARD STANDARD STANDARD STANDARD STANDARD);
    ck_assert_uint_eq(fl_jfr_totals_of(jfr).chunks, 5);
    ck_assert_uint_eq(fl_jfr_totals_of(jfr).warning_count, 0);
    fl_buf_dispose(&all);
}
END_TEST

/* A chunk of many stacks, then some of a few events: the memory that is cleared for each is in
 * proportion to the one before it. */
START_TEST(small_chunks_behind_a_large_one_cost_little)
{
    enum { STACKS = 100000, CHUNKS = 3 }; /* too few for threads */
    fl_buf all = fl_buf_of(1 << 20);
    fl_jfr_event last;
    fl_stream *in;
    made_jfr_standard(&made, true);
    append_padded(&all, 0);
    for (uint32_t i = 0; i < STACKS; i++) {
        const unsigned char event[] = {9,
                                       MADE_ALLOCATION,
                                       1,
                                       (i & 0x7f) | 0x80,
                                       (i >> 7 & 0x7f) | 0x80,
                                       (unsigned char)(i >> 14),
                                       4,
                                       1,
                                       0};
        fl_buf_add(&all, (fl_slice){.ptr = event, .len = sizeof(event)});
    }
    for (size_t i = 0; i < 8; i++)
        all.ptr[8 + i] = (char)(unsigned char)(all.len >> (56 - 8 * i));
    for (size_t i = 0; i < CHUNKS; i++)
        append_padded(&all, 0);
    ck_assert_ok(fl_stream_over(&in, fl_buf_slice(&all), "rec.jfr", &err));
    ck_assert_ok(fl_jfr_read_sums(jfr, in, "rec.jfr", keep, &last, &err));
    fl_stream_close(in);
    ck_assert_uint_eq(fl_jfr_totals_of(jfr).chunks, CHUNKS + 1);
    ck_assert_uint_gt(fl_jfr_totals_of(jfr).events, STACKS);
    ck_assert_uint_lt(jfr->chunks[0].tally.index_cap, STACKS);
    fl_buf_dispose(&all);
}
END_TEST

START_TEST(gzip_and_zstd_are_undone)
{
    made_jfr_standard(&made, true);
    fl_bytes gzip = fl_gzip(made_jfr_slice(&made)), zstd = fl_zstd(made_jfr_slice(&made), 3);
    ck_assert_ok(read_bytes(fl_bytes_slice(gzip)));
    ck_assert_str_eq(told.ptr, STANDARD);
    ck_assert_ok(read_bytes(fl_bytes_slice(zstd)));
    ck_assert_str_eq(told.ptr, STANDARD);
    free(gzip.ptr);
    free(zstd.ptr);
}
END_TEST

/* As a JVM that was killed leaves it: state 255, no size, no places. */
START_TEST(a_chunk_that_was_not_finished_is_read_without_what_its_header_would_say)
{
    made_jfr_standard(&made, true);
    made_patch(&made, 8, 0);
    made_patch(&made, 16, 0);
    made_patch(&made, 24, 0);
    made.bytes[64] = 255;
    ck_assert_ok(read_bytes(made_jfr_slice(&made)));
    ck_assert_str_eq(told.ptr, STANDARD);
    ck_assert_str_eq(first_warning(),
                     "rec.jfr: chunk 1, byte 0: it was not finished; what is there is read");
    ck_assert_uint_eq(fl_jfr_totals_of(jfr).unfinished_chunks, 1);
}
END_TEST

/* Nor does its header say how long it is: it ends with the last event that is told. */
START_TEST(a_chunk_without_a_duration_ends_with_its_events)
{
    made_jfr_standard(&made, true);
    made_patch(&made, 40, 0);
    ck_assert_ok(read_bytes(made_jfr_slice(&made)));
    fl_jfr_totals totals = fl_jfr_totals_of(jfr);
    ck_assert_int_gt(totals.to_ns, totals.from_ns);
}
END_TEST

START_TEST(a_chunk_that_is_too_large_says_so_before_it_is_read)
{
    made_jfr_standard(&made, true);
    made_patch(&made, 8, UINT64_C(1) << 33);
    ck_assert_fails(FL_E_LIMIT, read_bytes(made_jfr_slice(&made)));
    ck_assert_str_eq(err.message, "rec.jfr: a chunk has 8589934592 bytes, more than 1073741824:"
                                  " record with -XX:FlightRecorderOptions=maxchunksize=64M");
}
END_TEST

/* Few bytes that take minutes or hours where nothing bounds them: structs in structs that end in an
 * empty one, and tables of which each begins within the one before. */
START_TEST(what_multiplies_is_bounded)
{
    static const char *const names[] = {"structs-in-structs.jfr", "overlapping-tables.jfr.gz"};
    char path[512];
    fl_stream *in;
    snprintf(path, sizeof(path), "%s/tests/fixtures/bounds/%s", FL_SOURCE_DIR, names[_i]);
    ck_assert_ok(fl_stream_open(&in, path, &err));
    ck_assert_ok(fl_jfr_read(jfr, in, "rec.jfr", tell, jfr, &err));
    fl_stream_close(in);
    ck_assert_uint_eq(fl_jfr_totals_of(jfr).chunks, 1);
}
END_TEST

/* 40,000 methods, each of which says that the next is its class: not as many calls. */
START_TEST(names_that_lead_to_names_cost_no_calls)
{
    fl_bytes bytes = fl_file_read("tests/fixtures/bounds/methods-of-methods.jfr.gz");
    ck_assert_ok(read_bytes(fl_bytes_slice(bytes)));
    ck_assert_str_eq(told.ptr, "1 +0 0 0 0 <m:3\n");
    free(bytes.ptr);
}
END_TEST

/* The header points behind the last event, where no checkpoint is. */
START_TEST(a_broken_chain_of_tables_is_replaced_by_all_that_there_are)
{
    made_jfr_standard(&made, true);
    made_patch(&made, 16, made.len - 1);
    ck_assert_ok(read_bytes(made_jfr_slice(&made)));
    ck_assert_str_eq(told.ptr, STANDARD);
}
END_TEST

/* The first chunk was told before anybody could know of the second. */
START_TEST(what_breaks_in_a_second_chunk_costs_that_one_only)
{
    made_jfr_standard(&made, true);
    fl_slice one = made_jfr_slice(&made), bad = BYTES("no chunk is here, but enough of bytes for "
                                                      "the header of one, sixty-eight.......");
    fl_bytes both = fl_joined(one, bad);
    ck_assert_ok(read_bytes(fl_bytes_slice(both)));
    ck_assert_str_eq(told.ptr, STANDARD);
    ck_assert_ptr_nonnull(strstr(first_warning(), "this is not a JFR recording"));
    free(both.ptr);
}
END_TEST

/* Bytes that are put over the standard recording's, and what is said of it. */
static const struct {
    size_t at;
    unsigned char bytes[8];
    size_t count;
    fl_status status;
    uint64_t offset;
    const char *message;
} malformed[] = {
    {0, "GIF8", 4, FL_E_UNSUPPORTED, 0, "rec.jfr: this is not a JFR recording"},
    {4, {0, 3, 0, 1}, 4, FL_E_UNSUPPORTED, 0, "rec.jfr: version 3.1 is newer than this program"},
    {4,
     {0, 0, 0, 9},
     4,
     FL_E_UNSUPPORTED,
     0,
     "rec.jfr: version 0.9 is that of Oracle's JDK 7 and 8, which JDK Mission Control reads; record"
     " with OpenJDK 8u262, JDK 11 or later"},
};

START_TEST(what_is_no_recording_or_of_another_version_is_refused)
{
    made_jfr_standard(&made, true);
    memcpy(made.bytes + malformed[_i].at, malformed[_i].bytes, malformed[_i].count);
    ck_assert_fails(malformed[_i].status, read_bytes(made_jfr_slice(&made)));
    ck_assert_str_eq(err.message, malformed[_i].message);
    ck_assert_uint_eq(err.offset, malformed[_i].offset);
    ck_assert_str_eq(told.len > 0 ? told.ptr : "", "");
}
END_TEST

/* A chunk with one thing wrong; the rest of it is read. */
static const struct {
    const char *what;
    const char *warning;
    const char *events; /* that are told all the same */
} damaged[] = {
    {"event of no size",
     "rec.jfr: chunk 1, byte 68: here is no event; the rest of the chunk is not read", ""},
    {"no metadata", "rec.jfr: chunk 1, byte 0: it does not describe its events, and cannot be read",
     ""},
    {"text number", "the events' description ends inside element", ""},
    {"class of pool", "a table is of class 99, which is not described", NULL},
};

/* Each case breaks one byte or few of one place that only it has. */
START_TEST(damage_inside_a_chunk_is_a_warning)
{
    made_jfr_standard(&made, true);
    switch (_i) {
    case 0:
        memset(made.bytes + 68, 0, 4);
        break;
    case 1:
        made.bytes[made.metadata_at + 4] = MADE_ODD;
        break;
    case 2: /* the root's name */
        made.bytes[made.len - 1] = 0x7f;
        made.bytes[made.len - 2] = 0x7f;
        made.bytes[made.len - 3] = 0x7f;
        break;
    default: /* of the last checkpoint: type of its first pool */
        for (size_t i = made.pool_at + 4; i < made.metadata_at; i++)
            if (made.bytes[i] == MADE_METHOD && made.bytes[i + 1] == 2) {
                made.bytes[i] = 99;
                break;
            }
    }
    ck_assert_ok(read_bytes(made_jfr_slice(&made)));
    ck_assert_msg(strstr(first_warning(), damaged[_i].warning) != NULL, "%s: %s", damaged[_i].what,
                  first_warning());
    if (damaged[_i].events != NULL)
        ck_assert_str_eq(told.len > 0 ? told.ptr : "", damaged[_i].events);
    else /* allocations without stacks */
        ck_assert_ptr_nonnull(strstr(told.ptr, "0 +1000 4096 0 0 byte[]\n"));
}
END_TEST

/* A cut of the header is an error, one behind it is what a killed JVM leaves. */
START_TEST(every_prefix_is_refused_or_read_with_a_warning)
{
    made_jfr_standard(&made, _i == 1);
    for (size_t len = 0; len < made.len; len++) {
        anew();
        fl_status status = read_bytes((fl_slice){.ptr = made.bytes, .len = len});
        if (len < 68) {
            ck_assert_fails(len < 4 ? FL_E_UNSUPPORTED : FL_E_TRUNCATED, status);
            ck_assert(err.message[0] != '\0');
        } else {
            ck_assert_ok(status);
            ck_assert_str_ne(first_warning(), "-");
        }
    }
}
END_TEST

/* Whatever byte is wrong: an error or a warning, or another recording, but nothing beyond it. */
START_TEST(every_wrong_byte_is_survived)
{
    static const unsigned char wrong[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    made_jfr_standard(&made, true);
    for (size_t at = 0; at < made.len; at++) {
        unsigned char was = made.bytes[at];
        for (size_t i = 0; i < sizeof(wrong); i++) {
            made.bytes[at] = wrong[i];
            anew();
            if (read_bytes(made_jfr_slice(&made)) != FL_OK)
                ck_assert(err.message[0] != '\0');
        }
        made.bytes[at] = was;
    }
}
END_TEST

/* From the first to the last that creating and reading make. */
/* So many classes whose name is one symbol, a text of 20,000 characters, and an event of each. */
static void make_classes_of_one_name(size_t count)
{
    enum { LONG_TEXT = 20000 };
    made = (made_jfr){.is_compressed = true};
    made_header(&made);
    for (size_t i = 0; i < count; i++)
        made_allocation(&made, 1500, 0, i + 1, 16);
    made_checkpoint(&made, 0, 2);
    made_pool(&made, MADE_SYMBOL, 1);
    made_number(&made, 1, 8);
    made_byte(&made, 4); /* UTF-16 */
    made_number(&made, LONG_TEXT, 4);
    for (size_t i = 0; i < LONG_TEXT; i++)
        made_number(&made, 'a' + i % 26, 2);
    made_pool(&made, MADE_CLASS, count);
    for (size_t i = 0; i < count; i++) {
        made_number(&made, i + 1, 8);
        made_number(&made, 1, 8);
        made_number(&made, 0, 4);
    }
    made_end(&made);
    made_metadata(&made);
    made_finish(&made);
}

/* What it costs is counted: reading the text for each class would be 30 MB. */
START_TEST(a_text_is_read_once_however_many_classes_have_it)
{
    make_classes_of_one_name(1500);
    fl_jfr_event event;
    ck_assert_ok(read_into(&event));
    ck_assert_str_eq(first_warning(), "-");
    fl_jfr_totals totals = fl_jfr_totals_of(jfr);
    ck_assert_uint_eq(totals.events, 1500);
    ck_assert_uint_lt(totals.looked_bytes, made.len);
    fl_slice name = fl_jfr_name(jfr, event.type);
    ck_assert_uint_eq(name.len, 4096);
    ck_assert(fl_slice_starts_with(name, FL_SLICE("abcdefghijklmnopqrstuvwxyzabc")));
    ck_assert_uint_lt(fl_jfr_name_count(jfr), 10);
}
END_TEST

/* Whoever is told may ask as often as they like, as may a recording with as many old objects. */
static fl_status ask_without_end(void *payload, const fl_jfr_event *event, fl_error *failed)
{
    fl_jfr_holder holders[256];
    fl_jfr_chain chain = {.items = holders, .cap = 256};
    size_t *steps = payload;
    fl_status status = FL_OK;
    for (int i = 0; i < 4000 && event->kind == FL_JFR_OLD_OBJECT && status == FL_OK; i++) {
        status = fl_jfr_holders(&chain, jfr, event, failed);
        *steps += chain.count;
    }
    return status;
}

START_TEST(looking_for_holders_has_an_end)
{
    fl_stream *in;
    size_t steps = 0;
    ck_assert_ok(fl_stream_open(&in, FL_SOURCE_DIR "/tests/fixtures/jfr/17-leak.jfr.gz", &err));
    ck_assert_ok(fl_jfr_read(jfr, in, "rec.jfr", ask_without_end, &steps, &err));
    fl_stream_close(in);
    fl_jfr_totals totals = fl_jfr_totals_of(jfr);
    ck_assert_uint_gt(steps, 10000);
    ck_assert_uint_gt(totals.looked_bytes, 64 << 20);
    ck_assert_uint_lt(totals.looked_bytes, (64 << 20) + 32 * totals.bytes);
    ck_assert_ptr_nonnull(strstr(first_warning(), "some names and holders are missing"));
}
END_TEST

START_TEST(each_allocation_that_fails_is_an_error)
{
    made_jfr_standard(&made, true);
    long n = 0;
    fl_status status = FL_E_NOMEM;
    for (; status != FL_OK && n < 100000; n++) {
        fl_jfr_destroy(jfr);
        jfr = NULL;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_jfr_create(&jfr, &err);
        if (status == FL_OK)
            status = read_bytes(made_jfr_slice(&made));
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_int_gt(n, 10);
    ck_assert_int_lt(n, 100000);
}
END_TEST

static fl_status stop(void *payload, const fl_jfr_event *event, fl_error *failed)
{
    (void)payload;
    (void)event;
    return fl_fail(failed, FL_E_STOPPED, FL_NO_OFFSET, "enough");
}

/* Its status and its sentence come back unchanged. */
START_TEST(a_visitor_can_stop_the_reading)
{
    fl_stream *in;
    made_jfr_standard(&made, true);
    ck_assert_ok(fl_stream_over(&in, made_jfr_slice(&made), "rec.jfr", &err));
    ck_assert_fails(FL_E_STOPPED, fl_jfr_read(jfr, in, "rec.jfr", stop, NULL, &err));
    ck_assert_str_eq(err.message, "enough");
    fl_stream_close(in);
}
END_TEST

/* Real ones, by the JDK's own count ("jfr summary"): name, events, bytes. */
static const char *const recordings[] = {"11-leak.jfr.gz",  "17-leak.jfr.gz", "17-healthy.jfr.gz",
                                         "21-list.jfr.zst", "25-leak.jfr.gz", "25-mixed.jfr.zst"};

START_TEST(events_of_real_recordings_are_as_many_as_the_jdk_counts)
{
    char path[256], line[256];
    size_t lines = 0;
    int stem = (int)(strchr(recordings[_i], '.') - recordings[_i]);
    snprintf(path, sizeof(path), "tests/fixtures/jfr/%s", recordings[_i]);
    fl_bytes bytes = fl_file_read(path);
    ck_assert_ok(read_bytes(fl_bytes_slice(bytes)));
    ck_assert_str_eq(first_warning(), "-");
    fl_jfr_totals totals = fl_jfr_totals_of(jfr);
    ck_assert_uint_eq(totals.unresolved, 0);
    snprintf(path, sizeof(path), "%s/tests/fixtures/jfr/%.*s.counts", FL_SOURCE_DIR, stem,
             recordings[_i]);
    FILE *counts = fopen(path, "r");
    ck_assert_ptr_nonnull(counts);
    for (; fgets(line, sizeof(line), counts) != NULL; lines++) {
        bool found = false;
        for (size_t i = 0; i < totals.count_count; i++) {
            const fl_jfr_count *count = &totals.counts[i];
            snprintf(path, sizeof(path), "%.*s %llu %llu\n", FL_SLICE_ARG(count->name),
                     (unsigned long long)count->events, (unsigned long long)count->bytes);
            found |= strcmp(path, line) == 0;
        }
        ck_assert_msg(found, "%s", line);
    }
    ck_assert_uint_eq(lines, totals.count_count);
    fclose(counts);
    free(bytes.ptr);
}
END_TEST

/* Four bytes are enough, plain or compressed. */
START_TEST(a_recording_is_known_by_its_first_bytes)
{
    ck_assert(fl_jfr_sniff(BYTES("FLR\0")));
    ck_assert(!fl_jfr_sniff(BYTES("FLR")));
    ck_assert(!fl_jfr_sniff(BYTES("FLR\1")));
    ck_assert(fl_jfr_sniff_file(FL_SOURCE_DIR "/tests/fixtures/jfr/21-list.jfr.zst"));
    ck_assert(!fl_jfr_sniff_file(FL_SOURCE_DIR "/tests/fixtures/jfr/17-leak.counts"));
    ck_assert(!fl_jfr_sniff_file(FL_SOURCE_DIR "/no such file"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("jfr");
    TCase *tests = tcase_create("reader");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(
        tests, events_are_told_with_names_and_stacks_whether_numbers_are_compressed_or_not, 0, 2);
    tcase_add_test(tests, chunks_in_a_row_have_their_own_numbers_and_share_names_and_stacks);
    tcase_add_test(tests, a_large_chunk_among_others_is_told_in_its_turn);
    tcase_add_test(tests, small_chunks_behind_a_large_one_cost_little);
    tcase_add_test(tests, gzip_and_zstd_are_undone);
    tcase_add_test(tests, a_chunk_that_was_not_finished_is_read_without_what_its_header_would_say);
    tcase_add_test(tests, a_broken_chain_of_tables_is_replaced_by_all_that_there_are);
    tcase_add_test(tests, a_chunk_without_a_duration_ends_with_its_events);
    tcase_add_test(tests, a_chunk_that_is_too_large_says_so_before_it_is_read);
    tcase_add_loop_test(tests, what_multiplies_is_bounded, 0, 2);
    tcase_add_test(tests, what_breaks_in_a_second_chunk_costs_that_one_only);
    tcase_add_loop_test(tests, what_is_no_recording_or_of_another_version_is_refused, 0,
                        sizeof(malformed) / sizeof(malformed[0]));
    tcase_add_loop_test(tests, damage_inside_a_chunk_is_a_warning, 0,
                        sizeof(damaged) / sizeof(damaged[0]));
    tcase_add_loop_test(tests, every_prefix_is_refused_or_read_with_a_warning, 0, 2);
    tcase_add_test(tests, every_wrong_byte_is_survived);
    tcase_add_test(tests, names_that_lead_to_names_cost_no_calls);
    tcase_add_test(tests, a_text_is_read_once_however_many_classes_have_it);
    tcase_add_test(tests, looking_for_holders_has_an_end);
    tcase_add_test(tests, each_allocation_that_fails_is_an_error);
    tcase_add_loop_test(tests, what_jdk_9_and_10_wrote_is_read_by_its_own_names, 0, 2);
    tcase_add_test(tests, a_visitor_can_stop_the_reading);
    tcase_add_loop_test(tests, events_of_real_recordings_are_as_many_as_the_jdk_counts, 0,
                        sizeof(recordings) / sizeof(recordings[0]));
    tcase_add_test(tests, a_recording_is_known_by_its_first_bytes);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
