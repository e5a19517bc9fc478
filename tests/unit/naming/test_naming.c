#include <stdio.h>

#include "fl_file.h"
#include "fl_folder.h"
#include "fl_test.h"
#include "mem.h"
#include "naming.h"
#include "pprof.h"
#include "profile_build.h"
#include "slice.h"

static fl_error err;
static fl_naming *naming;
static fl_profile *in, *out;
static fl_naming_result result;
static fl_folder folder;

static void setup(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_naming_create(&naming, &err));
    ck_assert_ok(fl_profile_create(&in, &err));
    ck_assert_ok(fl_profile_create(&out, &err));
    fl_folder_open(&folder);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_naming_destroy(naming);
    fl_profile_destroy(in);
    fl_profile_destroy(out);
    fl_folder_remove(&folder);
}

/* A stripped program of Go 1.26, on disk. */
static const char *write_program(void)
{
    fl_bytes elf = fl_file_read("tests/fixtures/symbol/go126.elf.zst");
    const char *path = fl_folder_write(&folder, "program", fl_bytes_slice(elf));
    free(elf.ptr);
    return path;
}

/* The stack of a sample: "FUNCTION FILE:LINE[ inlined]|...". */
static const char *stack_of(const fl_profile *profile, size_t sample)
{
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
    for (uint32_t k = 0; k < profile->samples[sample].stack_count; k++) {
        uint32_t at = profile->stack[profile->samples[sample].stack_at + k];
        const fl_profile_frame *frame = &profile->frames[at];
        const fl_profile_function *f = fl_profile_function_of(profile, at);
        if (f == NULL)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%#llx", k > 0 ? "|" : "",
                                    (unsigned long long)frame->address);
        else
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s %.*s:%lld%s",
                                    k > 0 ? "|" : "", FL_SLICE_ARG(f->name), FL_SLICE_ARG(f->file),
                                    (long long)frame->line, frame->inlined ? " inlined" : "");
    }
    return text;
}

/* Addresses in the text are return addresses: the call is one before. */
#define HEAP_TEXT                                                                                  \
    "heap profile: 2: 4096 [3: 8192] @ heap/1048576\n"                                             \
    "2: 4096 [3: 8192] @ 0x47a748 0x47a741 0x9999\n"                                               \
    "#\t0x9998\tmain.known+0x1\t/src/known.go:7\n\n"

START_TEST(addresses_of_a_text_profile_are_named_by_the_program)
{
    ck_assert_ok(fl_naming_add_binary(naming, write_program(), &err));
    ck_assert_ok(fl_profile_read_bytes(in, SLICE(HEAP_TEXT), "x", NULL, &err));
    ck_assert_str_eq(stack_of(in, 0), "0x47a747|0x47a740|main.known /src/known.go:7");
    ck_assert_ok(fl_naming_apply(out, naming, in, &result, &err));
    ck_assert_str_eq(stack_of(out, 0), "main.sum example.com/tiny/main.go:7 inlined|main.outer "
                                       "example.com/tiny/main.go:10|main.outer "
                                       "example.com/tiny/main.go:10|main.known /src/known.go:7");
    ck_assert_uint_eq(result.named_addresses, 2);
    ck_assert_uint_eq(result.unnamed_addresses, 0);
    ck_assert_uint_eq(result.mapped_places, 0);
    ck_assert(!result.is_other_build);
    /* All else is as it was. */
    ck_assert_int_eq(out->kind, in->kind);
    ck_assert_int_eq(out->form, in->form);
    ck_assert_uint_eq(out->default_type, in->default_type);
    ck_assert_int_eq(out->period, in->period);
    ck_assert_uint_eq(out->sample_count, in->sample_count);
    for (size_t t = 0; t < in->type_count; t++)
        ck_assert_int_eq(fl_profile_value(out, 0, t), fl_profile_value(in, 0, t));
    const fl_profile_label *label = fl_profile_label_find(in, 0, SLICE("bytes"));
    const fl_profile_label *copied = fl_profile_label_find(out, 0, SLICE("bytes"));
    ck_assert_int_eq(label != NULL, copied != NULL);
    ck_assert_int_eq(label != NULL ? label->number : 0, copied != NULL ? copied->number : 0);
}
END_TEST

/* A profile of one sample: an address in a mapping. */
static void make_mapped(fl_slice build_id, uint64_t start, uint64_t address, bool is_library)
{
    fl_profile_mapping program = {
        .start = start, .limit = start + 0x200000, .file = SLICE("/bin/app")};
    fl_profile_mapping library = {
        .start = 0x7f0000000000, .limit = 0x7f0000200000, .file = SLICE("libc.so")};
    program.build_id = build_id;
    fl_profile_begin(in);
    ck_assert_ok(fl_profile_add_type(in, SLICE("samples"), SLICE("count"), &err));
    ck_assert_ok(fl_profile_add_mapping(in, &program, &err));
    ck_assert_ok(fl_profile_add_mapping(in, &library, &err));
    fl_profile_frame frame = {
        .function = FL_PROFILE_NONE, .mapping = is_library, .address = address};
    ck_assert_ok(fl_profile_add_frame(in, &frame, &err));
    ck_assert_ok(fl_profile_sample_begin(in, &err));
    ck_assert_ok(fl_profile_push_stack(in, 0, &err));
    fl_profile_set_value(in, 0, 5);
    fl_profile_sample_end(in);
    fl_profile_finish(in, SLICE(""), FL_PROFILE_OTHER);
}

#define BUILD_ID "efaab868d3fe2f68fd94183aab8da3f88ed5080e"

START_TEST(a_program_names_only_addresses_of_its_own_mapping)
{
    static const char named[] = "main.sum example.com/tiny/main.go:7 inlined|main.outer "
                                "example.com/tiny/main.go:10";
    ck_assert_ok(fl_naming_add_binary(naming, write_program(), &err));
    make_mapped(SLICE(BUILD_ID), 0x555500000000, 0x55550007a747, false);
    ck_assert_ok(fl_naming_apply(out, naming, in, &result, &err));
    ck_assert_str_eq(stack_of(out, 0), named);
    make_mapped(SLICE(""), 0x400000, 0x47a747, false);
    ck_assert_ok(fl_naming_apply(out, naming, in, &result, &err));
    ck_assert_str_eq(stack_of(out, 0), named);
    ck_assert_int_eq(fl_profile_value(out, 0, 0), 5);
    make_mapped(SLICE("0123456789"), 0x400000, 0x47a747, false);
    ck_assert_ok(fl_naming_apply(out, naming, in, &result, &err));
    ck_assert_str_eq(stack_of(out, 0), "0x47a747");
    ck_assert(result.is_other_build);
    ck_assert_uint_eq(result.unnamed_addresses, 1);
    make_mapped(SLICE(BUILD_ID), 0x400000, 0x7f000007a747, true);
    ck_assert_ok(fl_naming_apply(out, naming, in, &result, &err));
    ck_assert_str_eq(stack_of(out, 0), "0x7f000007a747");
    ck_assert(!result.is_other_build);
}
END_TEST

/* Line 1 is minified: two sources. Line 3 is of one line of b.ts. */
#define MAP                                                                                        \
    "{\"version\":3,\"file\":\"dist/"                                                              \
    "out.js\",\"sources\":[\"a.ts\",\"b.ts\"],\"names\":[\"foo\",\"bar\"],"                        \
    "\"mappings\":\"AAAA,SAASA,G,ICEP;;IADFC\"}"

static void add_js(const char *name, const char *file, int64_t line)
{
    fl_profile_function function = {.name = SLICE(name), .file = SLICE(file)};
    ck_assert_ok(fl_profile_add_function(in, &function, &err));
    fl_profile_frame frame = {.function = (uint32_t)in->function_count - 1,
                              .mapping = FL_PROFILE_NONE,
                              .location = (uint32_t)in->frame_count,
                              .line = line};
    ck_assert_ok(fl_profile_add_frame(in, &frame, &err));
    ck_assert_ok(fl_profile_push_stack(in, (uint32_t)in->frame_count - 1, &err));
}

static void make_js(void)
{
    fl_profile_begin(in);
    ck_assert_ok(fl_profile_add_type(in, SLICE("samples"), SLICE("count"), &err));
    ck_assert_ok(fl_profile_sample_begin(in, &err));
    add_js("hot", "/app/dist/out.js", 3);
    add_js("minified", "/app/dist/out.js", 1);
    add_js("(anonymous:L#1:C#10)", "file:///app/dist/out.js", 1);
    add_js("(anonymous:L#2:C#10)", "/app/dist/out.js", 3);
    add_js("(anonymous:L#x:C#)", "/app/dist/out.js", 9);
    add_js("other", "/app/dist/other.js", 3);
    add_js("(idle)", "", 0);
    fl_profile_sample_end(in);
    fl_profile_finish(in, SLICE(""), FL_PROFILE_OTHER);
}

#define MAPPED                                                                                     \
    "hot b.ts:2|minified /app/dist/out.js:1|(anonymous:L#1:C#10) a.ts:1|(anonymous:L#2:C#10) "     \
    "b.ts:2|(anonymous:L#x:C#) /app/dist/out.js:9|other /app/dist/other.js:3|(idle) :0"

START_TEST(places_in_generated_javascript_become_those_of_their_sources)
{
    make_js();
    ck_assert(!fl_naming_has_any(naming));
    ck_assert_ok(fl_naming_add_map(naming, fl_folder_write(&folder, "x.js.map", SLICE(MAP)), &err));
    ck_assert(fl_naming_has_any(naming));
    ck_assert_ok(fl_naming_apply(out, naming, in, &result, &err));
    ck_assert_str_eq(stack_of(out, 0), MAPPED);
    ck_assert_uint_eq(result.mapped_places, 3);
    /* Again, over what was there. */
    ck_assert_ok(fl_naming_apply(out, naming, in, &result, &err));
    ck_assert_str_eq(stack_of(out, 0), MAPPED);
}
END_TEST

START_TEST(a_folder_of_maps_is_read_whole)
{
    fl_bytes zip = fl_gzip(SLICE("{\"version\":3,\"sources\":[\"o.ts\"],\"mappings\":\";;AAAA\"}"));
    fl_folder_write(&folder, "x.js.map", SLICE(MAP));
    fl_folder_write(&folder, "other.js.map.gz", fl_bytes_slice(zip));
    fl_folder_write(&folder, "notes.txt", SLICE("{"));
    make_js();
    ck_assert_ok(fl_naming_add_map(naming, folder.path, &err));
    ck_assert_ok(fl_naming_apply(out, naming, in, &result, &err));
    ck_assert_uint_eq(result.mapped_places, 4);
    ck_assert_ptr_nonnull(strstr(stack_of(out, 0), "|other o.ts:1|"));
    free(zip.ptr);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
    char expected[256];
    const char *path =
        fl_folder_write(&folder, "bad.map", SLICE("{\"version\":2,\"mappings\":\"\"}"));
    snprintf(expected, sizeof(expected), "%s: a source map of version 2, not 3", path);
    ck_assert_fails(FL_E_UNSUPPORTED, fl_naming_add_map(naming, path, &err));
    ck_assert_str_eq(err.message, expected);
    err = (fl_error){0};
    ck_assert_fails(FL_E_UNSUPPORTED, fl_naming_add_binary(naming, path, &err));
    snprintf(expected, sizeof(expected), "%s: not an ELF file", path);
    ck_assert_str_eq(err.message, expected);
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, fl_naming_add_map(naming, "/nonexistent.map", &err));
    unlink(path);
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, fl_naming_add_map(naming, folder.path, &err));
    snprintf(expected, sizeof(expected), "%s holds no .map files", folder.path);
    ck_assert_str_eq(err.message, expected);
    ck_assert(!fl_naming_has_any(naming));
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    ck_assert_ok(fl_naming_add_binary(naming, write_program(), &err));
    const char *path = fl_folder_write(&folder, "out.js.map", SLICE(MAP));
    for (long allowed = 0;; allowed++) {
        fl_naming *made = NULL;
        err = (fl_error){0};
        fl_mem_fail_after(allowed);
        fl_status status = fl_naming_create(&made, &err);
        if (status == FL_OK)
            status = fl_naming_add_map(made, path, &err);
        fl_mem_fail_after(-1);
        fl_naming_destroy(made);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_ok(fl_profile_read_bytes(in, SLICE(HEAP_TEXT), "x", NULL, &err));
    for (long allowed = 0;; allowed++) {
        fl_profile *fresh;
        err = (fl_error){0};
        ck_assert_ok(fl_profile_create(&fresh, &err));
        fl_mem_fail_after(allowed);
        fl_status status = fl_naming_apply(fresh, naming, in, &result, &err);
        fl_mem_fail_after(-1);
        ck_assert_uint_eq(fresh->sample_count, status == FL_OK);
        fl_profile_destroy(fresh);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("naming");
    TCase *tc = tcase_create("core");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, addresses_of_a_text_profile_are_named_by_the_program);
    tcase_add_test(tc, a_program_names_only_addresses_of_its_own_mapping);
    tcase_add_test(tc, places_in_generated_javascript_become_those_of_their_sources);
    tcase_add_test(tc, a_folder_of_maps_is_read_whole);
    tcase_add_test(tc, what_cannot_be_read_is_named);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
