#include <stdio.h>

#include "faultline/limits.h"
#include "fl_squeeze.h"
#include "fl_test.h"
#include "goroutine_read.h"
#include "mem.h"

static fl_error err;
static fl_goroutines *found;

static void setup(void)
{
    err = (fl_error){0};
    found = NULL;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_goroutines_destroy(found);
}

static fl_status read_bytes(fl_slice bytes)
{
    fl_stream *in;
    fl_goroutines_destroy(found);
    found = NULL;
    err = (fl_error){0};
    fl_status status = fl_stream_over(&in, bytes, "x", &err);
    if (status == FL_OK) {
        status = fl_goroutines_read(&found, in, &err);
        fl_stream_close(in);
    }
    return status;
}

static const char *text_of(fl_slice slice)
{
    static char texts[8][256];
    static size_t turn;
    char *text = texts[turn++ % 8];
    snprintf(text, sizeof(texts[0]), "%.*s", (int)slice.len, (const char *)slice.ptr);
    return text;
}

#define WAITER(id, header)                                                                         \
    "goroutine " id " [" header "]:\n"                                                             \
    "example.com/app.(*Store).wait(0xc000" id ", {0x7ca080?, 0x1})\n"                              \
    "\t/src/my app/store.go:61 +0x2d\n"                                                            \
    "example.com/app.(*Store).run(...)\n"                                                          \
    "\t/src/my app/store.go:70\n"                                                                  \
    "created by example.com/app.Start in goroutine " id "1\n"                                      \
    "\t/src/my app/start.go:12 +0x1c5\n\n"

START_TEST(equal_stacks_are_one_group)
{
    ck_assert_ok(read_bytes(BYTES(WAITER("7", "chan receive") WAITER("5", "chan receive, 3 minutes")
                                      WAITER("9", "chan receive, 9 minutes, locked to thread"))));
    ck_assert_int_eq(found->form, FL_GOROUTINES_STACKS);
    ck_assert_uint_eq(found->total, 3);
    ck_assert_uint_eq(found->group_count, 1);
    const fl_gogroup *group = &found->groups[0];
    ck_assert_uint_eq(group->count, 3);
    ck_assert_str_eq(text_of(group->state), "chan receive");
    ck_assert_uint_eq(group->stack_count, 2);
    ck_assert_str_eq(text_of(group->stack[0]->function), "example.com/app.(*Store).wait");
    ck_assert_str_eq(text_of(group->stack[0]->file), "/src/my app/store.go");
    ck_assert_uint_eq(group->stack[0]->line, 61);
    ck_assert_str_eq(text_of(group->stack[1]->function), "example.com/app.(*Store).run");
    ck_assert_uint_eq(group->stack[1]->line, 70);
    ck_assert_ptr_nonnull(group->created_by);
    ck_assert_str_eq(text_of(group->created_by->function), "example.com/app.Start");
    ck_assert_uint_eq(group->created_by->line, 12);
    ck_assert_uint_eq(group->waiting_count, 2);
    ck_assert_uint_eq(group->wait_min, 0);
    ck_assert_uint_eq(group->wait_median, 3);
    ck_assert_uint_eq(group->wait_max, 9);
    ck_assert_uint_eq(group->locked_count, 1);
    ck_assert_uint_eq(group->example_id, 5);
    ck_assert_uint_eq(found->rejected, 0);
    ck_assert(!found->is_cut);
}
END_TEST

/* What a header may hold, and what it means. */
static const struct {
    const char *header, *state;
    uint32_t minutes;
    bool is_leaked, is_locked;
} headers[] = {
    {"goroutine 1 [running]:", "running", 0, false, false},
    {"goroutine 1 [chan receive (nil chan), 12 minutes]:", "chan receive (nil chan)", 12, 0, 0},
    {"goroutine 1 [select (no cases), 1 minutes, locked to thread]:", "select (no cases)", 1, 0, 1},
    {"goroutine 1 [chan send (leaked)]:", "chan send", 0, true, false},
    {"goroutine 1 [chan send (leaked) (scan), 2 minutes]:", "chan send", 2, true, false},
    {"goroutine 1 [IO wait (scan)]:", "IO wait", 0, false, false},
    {"goroutine 1 [select (durable), synctest bubble 3]:", "select (durable)", 0, false, false},
    {"goroutine 1 gp=0xc000002380 m=0 mp=0x5a6f40 [syscall, locked to thread]:", "syscall", 0, 0,
     1},
    {"goroutine 1 gp=0xc000002380 m=nil [GC worker (idle), 4294967295 minutes]:",
     "GC worker (idle)", UINT32_MAX, 0, 0},
    {"goroutine 1 [sleep, 5 minutes labels:{\"a]:\": \"b, 7 minutes\"}]:", "sleep", 5, 0, 0},
    {"goroutine 1 [sleep labels:{\"a\": \"b\"}]:", "sleep", 0, 0, 0},
    {"goroutine 1 [sleep, some day]:", "sleep", 0, 0, 0},
    {"goroutine 1 []:", "", 0, 0, 0},
};

START_TEST(a_header_tells_state_and_wait)
{
    char text[512];
    snprintf(text, sizeof(text), "%s\nmain.main()\n\t/x.go:3 +0x1\n", headers[_i].header);
    ck_assert_ok(read_bytes(SLICE(text)));
    ck_assert_uint_eq(found->group_count, 1);
    const fl_gogroup *group = &found->groups[0];
    ck_assert_str_eq(text_of(group->state), headers[_i].state);
    ck_assert_uint_eq(group->wait_max, headers[_i].minutes);
    ck_assert_uint_eq(group->waiting_count, headers[_i].minutes > 0);
    ck_assert_int_eq(group->is_leaked, headers[_i].is_leaked);
    ck_assert_uint_eq(group->locked_count, headers[_i].is_locked);
    ck_assert_ptr_null(group->created_by);
}
END_TEST

/* Nothing is left, and why. */
static const struct {
    const char *text;
    fl_status status;
    uint64_t offset;
    const char *message;
} hopeless[] = {
    {"", FL_E_UNSUPPORTED, FL_NO_OFFSET, "no goroutines and no crash of a Go program"},
    {"<html>\n", FL_E_UNSUPPORTED, FL_NO_OFFSET, "no goroutines and no crash of a Go program"},
    {"panic: a word\n", FL_E_UNSUPPORTED, FL_NO_OFFSET,
     "no goroutines and no crash of a Go program"},
    {"goroutine x [running]:\n", FL_E_UNSUPPORTED, FL_NO_OFFSET,
     "no goroutines and no crash of a Go program"},
    {"a\ngoroutine 1 [running\n", FL_E_SYNTAX, 22, "a goroutine's header does not end with ]:"},
    {"goroutine 1 ]:[\n", FL_E_SYNTAX, 15, "a goroutine's header does not end with ]:"},
    {"goroutine 1 x[:]:[]:\n", FL_E_UNSUPPORTED, FL_NO_OFFSET, NULL},
    {"goroutine 18446744073709551616 [running]:\n", FL_E_SYNTAX, 10,
     "a goroutine's number is not one of 64 bits"},
    {"goroutine 1 [select, -3 minutes]:\n", FL_E_SYNTAX, 20,
     "a goroutine's wait is not a number of minutes"},
    {"goroutine 1 [select, 4294967296 minutes]:\n", FL_E_SYNTAX, 20,
     "a goroutine's wait is not a number of minutes"},
    {"goroutine 1 [running]:\nmain.main()\nmain.f()\n", FL_E_SYNTAX, 0,
     "a goroutine ends between a function and its file"},
};

START_TEST(what_holds_no_goroutines_says_why)
{
    fl_status status = read_bytes(SLICE(hopeless[_i].text));
    if (hopeless[_i].message == NULL) { /* odd, but whole */
        ck_assert_int_eq(status, FL_OK);
        return;
    }
    ck_assert_str_eq(err.message, hopeless[_i].message);
    ck_assert_fails(hopeless[_i].status, status);
    ck_assert_uint_eq(err.offset, hopeless[_i].offset);
}
END_TEST

START_TEST(a_broken_goroutine_costs_itself)
{
    ck_assert_ok(read_bytes(BYTES("goroutine 1 [running\nmain.main()\n\t/x.go:3 +0x1\n\n" WAITER(
        "2",
        "sleep") "goroutine 3 [select, x minutes]:\nmain.g()\n\t/x.go:4\n\n" WAITER("4",
                                                                                    "sleep"))));
    ck_assert_uint_eq(found->total, 2);
    ck_assert_uint_eq(found->rejected, 2);
    ck_assert_uint_eq(found->first_reject.offset, 20);
    ck_assert_str_eq(found->first_reject.message, "a goroutine's header does not end with ]:");
}
END_TEST

START_TEST(frames_that_go_left_out_and_stacks_that_it_could_not_walk_are_marked)
{
    ck_assert_ok(read_bytes(BYTES("goroutine 1 [running]:\nmain.f(0x1)\n\t/x.go:3 +0x1\n"
                                  "...additional frames elided...\n"
                                  "created by main.g\n\t/x.go:9 +0x2\n\n"
                                  "goroutine 2 [running]:\nmain.f(0x1)\n\t/x.go:3 +0x1\n"
                                  "...17 frames elided...\nmain.h(0x1)\n\t/x.go:5 +0x1\n\n"
                                  "goroutine 3 [running]:\n"
                                  "\tgoroutine running on other thread; stack unavailable\n"
                                  "created by main.g in goroutine 1\n\t/x.go:9 +0x2\n\n")));
    ck_assert_uint_eq(found->total, 3);
    ck_assert_uint_eq(found->group_count, 3);
    size_t elided = 0, empty = 0;
    for (size_t i = 0; i < 3; i++) {
        elided += found->groups[i].is_elided;
        empty += found->groups[i].stack_count == 0 && found->groups[i].created_by != NULL;
    }
    ck_assert_uint_eq(elided, 2);
    ck_assert_uint_eq(empty, 1);
    ck_assert_uint_eq(found->rejected, 0);
}
END_TEST

START_TEST(a_fatal_error_is_a_crash_with_who_was_running)
{
    ck_assert_ok(read_bytes(BYTES("started\nfatal error: concurrent map writes\n\n"
                                  "runtime stack:\nruntime.throw({0x1, 0x2})\n\t/p.go:1 +0x1\n\n"
                                  "goroutine 22 [running]:\n"
                                  "internal/runtime/maps.fatal({0x7aa8af?, 0x0?})\n"
                                  "\t/usr/src/runtime/panic.go:1181 +0x18\n"
                                  "example.com/app.write(0x0)\n\t/app.go:227 +0x4f\n"
                                  "created by example.com/app.init.28.func1 in goroutine 1\n"
                                  "\t/app.go:236 +0x1a\n\n" WAITER("1", "sleep"))));
    ck_assert_uint_eq(found->crash_count, 1);
    ck_assert_int_eq(found->crashes[0].kind, FL_GOCRASH_FATAL);
    ck_assert_str_eq(text_of(found->crashes[0].message), "concurrent map writes");
    ck_assert_uint_eq(found->crashes[0].offset, 8);
    ck_assert_uint_eq(found->crashes[0].line, 2);
    ck_assert_ptr_nonnull(found->crashes[0].group);
    ck_assert_str_eq(text_of(found->crashes[0].group->stack[1]->function), "example.com/app.write");
    ck_assert_uint_eq(found->total, 2);
}
END_TEST

START_TEST(panics_count_where_a_goroutine_follows)
{
    ck_assert_ok(read_bytes(BYTES(
        "panic: just a word of a log\n2026/11/23 02:00:00 http: panic serving 10.0.0.1:80: "
        "assignment to entry in nil map\n" WAITER(
            "34",
            "running") "panic: boom [recovered]\n"
                       "\tpanic: boom\n[signal SIGSEGV: segmentation violation]\n\n" WAITER(
                           "1",
                           "running") "fatal error: all goroutines are asleep - deadlock!\n")));
    ck_assert_uint_eq(found->crash_count, 3);
    ck_assert_int_eq(found->crashes[0].kind, FL_GOCRASH_HANDLED);
    ck_assert_int_eq(found->crashes[1].kind, FL_GOCRASH_PANIC);
    ck_assert_str_eq(text_of(found->crashes[1].message), "boom [recovered]");
    ck_assert_int_eq(found->crashes[2].kind, FL_GOCRASH_FATAL);
    ck_assert_ptr_null(found->crashes[2].group);
    ck_assert_ok(
        read_bytes(BYTES("x http: panic serving [::1]:80: nil map\n" WAITER("1", "running"))));
    ck_assert_uint_eq(found->crash_count, 1);
    ck_assert_int_eq(found->crashes[0].kind, FL_GOCRASH_HANDLED);
    ck_assert_str_eq(text_of(found->crashes[0].message), "nil map");
}
END_TEST

#define CRI "2026-11-23T02:13:06.123456789Z stderr F "

START_TEST(lines_behind_a_container_runtimes_prefix_are_read)
{
    ck_assert_ok(read_bytes(BYTES(CRI "fatal error: concurrent map writes\n" CRI "\n" CRI
                                      "goroutine 5 [running]:\n" CRI "main.f()\n" CRI
                                      "\t/x.go:3 +0x1\n" CRI "\n" CRI "bye\n")));
    ck_assert_uint_eq(found->crash_count, 1);
    ck_assert_uint_eq(found->total, 1);
    ck_assert_uint_eq(found->groups[0].stack[0]->line, 3);
}
END_TEST

#define COUNTS                                                                                     \
    "goroutine profile: total 14\n12 @ 0x48a1ae 0x41a92e\n# labels: {\"k\":\"v\"}\n"               \
    "#\t0x69f24d\texample.com/app.waitForReply+0x2d\t/src/a b.go:61\n"                             \
    "#\t0x69f25d\texample.com/app.F[...].g+0x1c\t\t\t/src/a b.go:77\n\n"                           \
    "1 @ 0x4918a1\n\n1 @ 0x48a1ae 0x41a92e 0x1\n#\t0x69f24d\tmain.main+0x2d\t/m.go:1\n"

START_TEST(counts_of_debug_1_are_groups_without_states)
{
    ck_assert_ok(read_bytes(BYTES(COUNTS)));
    ck_assert_int_eq(found->form, FL_GOROUTINES_COUNTS);
    ck_assert_uint_eq(found->total, 14);
    ck_assert_uint_eq(found->stated_total, 14);
    ck_assert(!found->is_cut);
    ck_assert_uint_eq(found->group_count, 3);
    ck_assert_uint_eq(found->groups[0].count, 12);
    ck_assert_uint_eq(found->groups[0].stack_count, 2);
    ck_assert_str_eq(text_of(found->groups[0].stack[0]->function), "example.com/app.waitForReply");
    ck_assert_str_eq(text_of(found->groups[0].stack[1]->function), "example.com/app.F[...].g");
    ck_assert_str_eq(text_of(found->groups[0].stack[1]->file), "/src/a b.go");
    ck_assert_uint_eq(found->groups[0].stack[1]->line, 77);
    ck_assert_uint_eq(found->groups[0].state.len, 0);
    ck_assert_ok(
        read_bytes(BYTES("goroutineleak profile: total 3\n2 @ 0x1\n#\t0x1\tmain.f+0x1\t/x:1\n")));
    ck_assert_int_eq(found->form, FL_GOROUTINES_LEAKED);
    ck_assert(found->groups[0].is_leaked);
    ck_assert(found->is_cut);
    ck_assert_ok(read_bytes(BYTES("goroutineleak profile: total 0\n")));
    ck_assert_uint_eq(found->total, 0);
}
END_TEST

START_TEST(every_prefix_is_read_or_refused)
{
    static const fl_slice texts[] = {
        BYTES_INIT(WAITER("7", "chan receive, 3 minutes") WAITER("8", "select")),
        BYTES_INIT(COUNTS),
        BYTES_INIT("fatal error: concurrent map writes\n\n" WAITER("7", "running"))};
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
        for (size_t len = 0; len <= texts[t].len; len++) {
            fl_status status = read_bytes((fl_slice){.ptr = texts[t].ptr, .len = len});
            ck_assert(status == FL_OK || status == FL_E_UNSUPPORTED || status == FL_E_SYNTAX);
            ck_assert_uint_le(status == FL_OK ? found->total : 0, 14);
        }
}
END_TEST

START_TEST(a_dump_that_breaks_off_gives_what_came_before)
{
    enum { COPIES = 20000 };
    fl_slice one = BYTES(WAITER("7", "chan receive"));
    unsigned char *text = malloc(one.len * COPIES);
    for (size_t i = 0; i < COPIES; i++)
        memcpy(text + i * one.len, one.ptr, one.len);
    fl_bytes zip = fl_gzip((fl_slice){.ptr = text, .len = one.len * COPIES});
    ck_assert_ok(read_bytes((fl_slice){.ptr = zip.ptr, .len = zip.len / 2}));
    ck_assert_int_eq(found->broken.status, FL_E_TRUNCATED);
    ck_assert_uint_gt(found->total, COPIES / 4);
    ck_assert_uint_lt(found->total, COPIES);
    ck_assert_ok(read_bytes(fl_bytes_slice(zip)));
    ck_assert_uint_eq(found->total, COPIES);
    ck_assert_uint_eq(found->group_count, 1);
    ck_assert_fails(FL_E_TRUNCATED, read_bytes((fl_slice){.ptr = zip.ptr, .len = 12}));
    free(zip.ptr);
    free(text);
}
END_TEST

/* Go writes exactly 64 MiB and stops there, mostly in a line. */
START_TEST(a_dump_that_go_stopped_writing_is_marked)
{
    enum { CUT_BYTES = 64 << 20 };
    fl_slice one = BYTES(WAITER("7", "chan receive"));
    unsigned char *text = malloc(CUT_BYTES + one.len);
    for (size_t len = 0; len < CUT_BYTES; len += one.len)
        memcpy(text + len, one.ptr, one.len);
    ck_assert_ok(read_bytes((fl_slice){.ptr = text, .len = CUT_BYTES}));
    ck_assert(found->is_cut);
    ck_assert_uint_ge(found->total, CUT_BYTES / one.len);
    ck_assert_uint_eq(found->rejected, 0);
    ck_assert_ok(read_bytes((fl_slice){.ptr = text, .len = CUT_BYTES / one.len * one.len}));
    ck_assert(!found->is_cut);
    free(text);
}
END_TEST

/* The order of a dump is that of a table in the runtime: it must not matter. */
START_TEST(groups_are_ordered_by_content)
{
    static const char *const parts[] = {WAITER("1", "sleep"), WAITER("2", "select"),
                                        WAITER("3", "select"),
                                        "goroutine 4 [select]:\nmain.z()\n\t/x.go:3 +0x1\n\n",
                                        "goroutine 5 [select]:\nmain.a()\n\t/x.go:3 +0x1\n\n"};
    char text[4096], first[2048], names[2048];
    for (size_t turn = 0; turn < 5; turn++) {
        text[0] = '\0';
        size_t len = 0, out = 0;
        for (size_t i = 0; i < 5; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", parts[(turn + i) % 5]);
        ck_assert_ok(read_bytes(SLICE(text)));
        for (size_t i = 0; i < found->group_count; i++)
            out += (size_t)snprintf(
                names + out, sizeof(names) - out, "%d %s %s,", (int)found->groups[i].count,
                text_of(found->groups[i].stack[0]->function), text_of(found->groups[i].state));
        if (turn == 0)
            memcpy(first, names, sizeof(first));
        ck_assert_str_eq(first, names);
    }
    ck_assert_int_eq(strncmp(first, "2 ", 2), 0);
}
END_TEST

START_TEST(a_median_wait_is_off_by_a_sixteenth_at_most)
{
    char *text = malloc(1 << 20);
    size_t len = 0;
    for (int i = 0; i < 1001; i++)
        len += (size_t)snprintf(text + len, 200,
                                "goroutine %d [select, %d minutes]:\nmain.f()\n\t/x.go:3 +0x1\n\n",
                                i + 1, 1 + (i * 7919) % 1001 * 3);
    ck_assert_ok(read_bytes((fl_slice){.ptr = (unsigned char *)text, .len = len}));
    const fl_gogroup *group = &found->groups[0];
    ck_assert_uint_eq(group->wait_min, 1);
    ck_assert_uint_eq(group->wait_max, 3001);
    ck_assert_uint_le(group->wait_median, 1501);
    ck_assert_uint_ge(group->wait_median, 1501 * 15 / 16);
    free(text);
}
END_TEST

START_TEST(more_stacks_than_fit_are_counted_and_dropped)
{
    enum { STACKS = FL_MAX_GO_STACKS + 10 };
    char *text = malloc((size_t)STACKS * 80);
    size_t len = 0;
    for (int i = 0; i < STACKS; i++)
        len += (size_t)snprintf(text + len, 80, "goroutine 1 [select]:\nmain.f()\n\t/x.go:%d\n\n",
                                i + 1);
    ck_assert_ok(read_bytes((fl_slice){.ptr = (unsigned char *)text, .len = len}));
    ck_assert_uint_eq(found->group_count, FL_MAX_GO_STACKS);
    ck_assert_uint_eq(found->total, FL_MAX_GO_STACKS);
    ck_assert_uint_eq(found->dropped, 10);
    free(text);
}
END_TEST

START_TEST(a_stack_that_is_too_deep_is_cut)
{
    char *text = malloc(FL_MAX_GO_STACK * 80);
    size_t len = (size_t)snprintf(text, 80, "goroutine 1 [select]:\n");
    for (unsigned i = 0; i < FL_MAX_GO_STACK + 7; i++)
        len += (size_t)snprintf(text + len, 80, "main.f()\n\t/x.go:%u\n", i + 1);
    ck_assert_ok(read_bytes((fl_slice){.ptr = (unsigned char *)text, .len = len}));
    ck_assert_uint_eq(found->groups[0].stack_count, FL_MAX_GO_STACK);
    ck_assert(found->groups[0].is_elided);
    free(text);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_slice text = BYTES("fatal error: x\n" WAITER("7", "select, 3 minutes") WAITER("8", "sleep"));
    for (long allowed = 0;; allowed++) {
        fl_stream *in;
        err = (fl_error){0};
        ck_assert_ok(fl_stream_over(&in, text, "x", &err));
        fl_mem_fail_after(allowed);
        fl_status status = fl_goroutines_read(&found, in, &err);
        fl_mem_fail_after(-1);
        fl_stream_close(in);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
        ck_assert_ptr_null(found);
    }
    ck_assert_uint_eq(found->total, 2);
    for (long allowed = 0;; allowed++) {
        fl_profile *profile;
        err = (fl_error){0};
        ck_assert_ok(fl_profile_create(&profile, &err));
        fl_mem_fail_after(allowed);
        fl_status status = fl_goroutines_to_profile(profile, found, &err);
        fl_mem_fail_after(-1);
        ck_assert_uint_eq(profile->sample_count, status == FL_OK ? 2 : 0);
        fl_profile_destroy(profile);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
}
END_TEST

START_TEST(what_a_file_is_shows_in_its_first_bytes)
{
    ck_assert(fl_goroutines_sniff(SLICE("goroutine 1 [running]:\n")));
    ck_assert(fl_goroutines_sniff(SLICE("hello\r\nfatal error: x")));
    ck_assert(fl_goroutines_sniff(SLICE(COUNTS)));
    ck_assert(fl_goroutines_sniff(SLICE("goroutineleak profile: total 0\n")));
    ck_assert(!fl_goroutines_sniff(SLICE("")));
    ck_assert(!fl_goroutines_sniff(SLICE("goroutine count 1 [x]\n")));
    ck_assert(!fl_goroutines_sniff(SLICE("heap profile: 1: 2 [3: 4] @ heap/1048576\n")));
}
END_TEST

START_TEST(groups_become_samples_of_a_profile)
{
    fl_profile *profile;
    ck_assert_ok(read_bytes(BYTES(WAITER("7", "chan receive") WAITER("5", "chan receive, 3 minutes")
                                      WAITER("9", "chan receive, 9 minutes")
                                          WAITER("4", "select (no cases)"))));
    ck_assert_ok(fl_profile_create(&profile, &err));
    for (int round = 0; round < 2; round++)
        ck_assert_ok(fl_goroutines_to_profile(profile, found, &err));
    fl_goroutines_destroy(found); /* texts are the profile's own */
    found = NULL;
    ck_assert_int_eq(profile->kind, FL_PROFILE_GOROUTINE);
    ck_assert_int_eq(profile->form, FL_PROFILE_FORM_STACKS);
    ck_assert_uint_eq(profile->sample_count, 2);
    ck_assert_int_eq(fl_profile_value(profile, 0, 0), 3);
    ck_assert_int_eq(fl_profile_value(profile, 1, 0), 1);
    ck_assert_uint_eq(profile->frame_count, 2);
    uint32_t leaf = profile->stack[profile->samples[0].stack_at];
    ck_assert_uint_eq(leaf, profile->stack[profile->samples[1].stack_at]);
    ck_assert_str_eq(text_of(fl_profile_function_of(profile, leaf)->name),
                     "example.com/app.(*Store).wait");
    ck_assert_int_eq(profile->frames[leaf].line, 61);
    const fl_profile_label *state = fl_profile_label_find(profile, 0, SLICE("state"));
    ck_assert_str_eq(text_of(state->text), "chan receive");
    ck_assert_int_eq(fl_profile_label_find(profile, 0, SLICE("wait"))->number, 3);
    ck_assert_ptr_null(fl_profile_label_find(profile, 1, SLICE("wait")));
    ck_assert_str_eq(text_of(fl_profile_label_find(profile, 1, SLICE("created_by"))->text),
                     "example.com/app.Start");
    fl_profile_destroy(profile);
}
END_TEST

/* The two text forms of one moment, written by Go: equal totals but for what serves the request. */
START_TEST(recorded_dumps_are_read_whole)
{
    const char *shared = getenv("FL_SHARED");
    char path[512];
    fl_stream *in;
    uint64_t totals[2];
    for (int form = 0; form < 2; form++) {
        snprintf(path, sizeof(path),
                 "%s/profiles/go/1.26/goroutine_park_map/goroutine-09.debug%d.txt.zst",
                 shared != NULL ? shared : FL_SOURCE_DIR "/../shared", form + 1);
        if (fl_stream_open(&in, path, &err) != FL_OK) {
            printf("skipped: no recordings\n");
            return;
        }
        fl_goroutines_destroy(found);
        found = NULL;
        ck_assert_ok(fl_goroutines_read(&found, in, &err));
        fl_stream_close(in);
        ck_assert_uint_eq(found->rejected, 0);
        ck_assert_uint_eq(found->dropped, 0);
        ck_assert(!found->is_cut);
        ck_assert_str_eq(text_of(found->groups[0].stack[0]->function),
                         "leaklab/cases.waitForReply");
        totals[form] = found->groups[0].count;
    }
    ck_assert_uint_gt(totals[0], 14000);
    ck_assert_uint_ge(totals[0] + 50, totals[1]);
}
END_TEST

/* `count` goroutines of one stack, in that order or the other way round. */
static void read_ids(unsigned count, bool reversed)
{
    static char text[64 << 10];
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned id = 10 * (reversed ? count - i : i + 1);
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "goroutine %u [select]:\nmain.wait()\n\t/src/main.go:7\n\n", id);
    }
    ck_assert_ok(read_bytes((fl_slice){(const unsigned char *)text, len}));
}

static uint64_t sum_of_ids(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < found->groups[0].id_count; i++)
        sum += found->groups[0].ids[i];
    return sum;
}

START_TEST(ids_of_a_group_are_told_or_sampled_alike_in_any_order)
{
    read_ids(20, false);
    ck_assert_uint_eq(found->newest_id, 200);
    ck_assert_uint_eq(found->groups[0].id_count, 20);
    ck_assert_uint_eq(sum_of_ids(), 2100);
    teardown();
    setup();
    read_ids(400, false);
    ck_assert_uint_eq(found->groups[0].id_count, FL_GO_SAMPLE);
    uint64_t sum = sum_of_ids();
    teardown();
    setup();
    read_ids(400, true);
    ck_assert_uint_eq(sum_of_ids(), sum);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("goroutine");
    TCase *tc = tcase_create("core");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, equal_stacks_are_one_group);
    tcase_add_test(tc, ids_of_a_group_are_told_or_sampled_alike_in_any_order);
    tcase_add_loop_test(tc, a_header_tells_state_and_wait, 0, sizeof(headers) / sizeof(headers[0]));
    tcase_add_loop_test(tc, what_holds_no_goroutines_says_why, 0,
                        sizeof(hopeless) / sizeof(hopeless[0]));
    tcase_add_test(tc, a_broken_goroutine_costs_itself);
    tcase_add_test(tc, frames_that_go_left_out_and_stacks_that_it_could_not_walk_are_marked);
    tcase_add_test(tc, a_fatal_error_is_a_crash_with_who_was_running);
    tcase_add_test(tc, panics_count_where_a_goroutine_follows);
    tcase_add_test(tc, lines_behind_a_container_runtimes_prefix_are_read);
    tcase_add_test(tc, counts_of_debug_1_are_groups_without_states);
    tcase_add_test(tc, every_prefix_is_read_or_refused);
    tcase_add_test(tc, a_dump_that_breaks_off_gives_what_came_before);
    tcase_add_test(tc, a_dump_that_go_stopped_writing_is_marked);
    tcase_add_test(tc, groups_are_ordered_by_content);
    tcase_add_test(tc, a_median_wait_is_off_by_a_sixteenth_at_most);
    tcase_add_test(tc, more_stacks_than_fit_are_counted_and_dropped);
    tcase_add_test(tc, a_stack_that_is_too_deep_is_cut);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    tcase_add_test(tc, what_a_file_is_shows_in_its_first_bytes);
    tcase_add_test(tc, groups_become_samples_of_a_profile);
    tcase_add_test(tc, recorded_dumps_are_read_whole);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
