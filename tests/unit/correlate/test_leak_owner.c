#include "leak_priv.h"

#include "fl_test.h"
#include "slice.h"

static void expect_package(const char *function, const char *package, const char *receiver)
{
    fl_slice p = fl_leak_package_of(fl_slice_of(function));
    fl_slice r = fl_leak_receiver_of(fl_slice_of(function));
    ck_assert_msg(fl_slice_equal(p, fl_slice_of(package)), "%s: package %.*s", function,
                  FL_SLICE_ARG(p));
    ck_assert_msg(fl_slice_equal(r, fl_slice_of(receiver)), "%s: receiver %.*s", function,
                  FL_SLICE_ARG(r));
}

START_TEST(packages_and_receivers_are_found_in_names)
{
    expect_package("main.main", "main", "");
    expect_package("main.main.func1", "main", "");
    expect_package("net/http.(*Server).Serve", "net/http", "Server");
    expect_package("example.com/a.b/store.(*Cache[...]).Put", "example.com/a.b/store", "Cache");
    expect_package("example.com/x.quote.annotate", "example.com/x", "quote");
    expect_package("example.com/x.init.17.func1", "example.com/x", "");
    expect_package("internal/sync.(*HashTrieMap[go.shape.interface {},go.shape.string]).Swap",
                   "internal/sync", "HashTrieMap");
    expect_package("slices.Grow[go.shape.[]uint8,a/b.c]", "slices", "");
    expect_package("memcpy", "", "");
    expect_package("", "", "");
}
END_TEST

START_TEST(the_standard_library_is_known_by_its_first_element)
{
    ck_assert(fl_leak_is_standard_package(SLICE("net/http/pprof")));
    ck_assert(fl_leak_is_standard_package(SLICE("runtime")));
    ck_assert(fl_leak_is_standard_package(SLICE("vendor/golang.org/x/net/http2")));
    ck_assert(!fl_leak_is_standard_package(SLICE("golang.org/x/net/http2")));
    ck_assert(!fl_leak_is_standard_package(SLICE("main")));
    ck_assert(!fl_leak_is_standard_package(SLICE("networks/http")));
    ck_assert(!fl_leak_is_standard_package(SLICE("")));
}
END_TEST

/* An analysis of `count` functions, each in a stack of its own with runtime.main below. */
typedef struct owners {
    fl_leak leak;
    leak_function functions[4];
    leak_stack stacks[4];
    leak_frame frames[8];
} owners;

static fl_owner owner_in(const char *runtime_file, const char *name, const char *file,
                         const char *module)
{
    owners o = {.leak = {.options = {.module = module}}};
    fl_error err = {0};
    ck_assert_ok(fl_intern_create(&o.leak.texts, 1 << 16, &err));
    const char *names[] = {name, "runtime.main"}, *files[] = {file, runtime_file};
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_ok(fl_intern_put(&o.functions[i].name, o.leak.texts, SLICE(names[i]), &err));
        ck_assert_ok(fl_intern_put(&o.functions[i].file, o.leak.texts, SLICE(files[i]), &err));
        o.frames[i].function = i;
    }
    o.stacks[0] = (leak_stack){.frame_count = 2};
    o.leak.functions = o.functions;
    o.leak.function_count = 2;
    o.leak.stacks = o.stacks;
    o.leak.stack_count = 1;
    o.leak.frames = o.frames;
    o.leak.frame_count = 2;
    fl_leak_decide_owners(&o.leak);
    ck_assert((o.stacks[0].user == 0) == (o.functions[0].owner == OWNER_USER));
    fl_intern_destroy(o.leak.texts);
    return o.functions[0].owner;
}

START_TEST(code_belongs_to_whoever_its_place_says)
{
    const char *go = "/usr/local/go/src/runtime/proc.go", *trimmed = "runtime/proc.go";
    static const char cached[] = "/root/go/pkg/mod/github.com/a/b@v1.2.3/c.go";
    ck_assert_int_eq(owner_in(go, "fmt.Sprintf", "/usr/local/go/src/fmt/print.go", NULL),
                     OWNER_STANDARD);
    ck_assert_int_eq(owner_in(go, "main.handle", "/srv/app/main.go", NULL), OWNER_USER);
    ck_assert_int_eq(owner_in(go, "github.com/a/b.C", cached, NULL), OWNER_DEPENDENCY);
    ck_assert_int_eq(owner_in(go, "example.com/x.F", "/srv/app/vendor/example.com/x/f.go", NULL),
                     OWNER_DEPENDENCY);
    /* A user's package may be called as one of the standard library. */
    ck_assert_int_eq(owner_in(go, "image/cache.Put", "/srv/app/image/cache/put.go", NULL),
                     OWNER_USER);
    ck_assert_int_eq(owner_in(trimmed, "fmt.Sprintf", "fmt/print.go", NULL), OWNER_STANDARD);
    ck_assert_int_eq(owner_in(trimmed, "github.com/a/b.C", "github.com/a/b@v1.2.3/c.go", NULL),
                     OWNER_DEPENDENCY);
    ck_assert_int_eq(owner_in(trimmed, "example.com/app/x.F", "example.com/app/x/f.go", NULL),
                     OWNER_USER);
    ck_assert_int_eq(
        owner_in(trimmed, "example.com/lib.F", "example.com/lib/f.go", "example.com/app"),
        OWNER_DEPENDENCY);
    ck_assert_int_eq(owner_in(trimmed, "main.F", "example.com/app/f.go", "example.com/app"),
                     OWNER_USER);
    ck_assert_int_eq(owner_in(go, "handler", "/srv/node_modules/x/index.js", NULL),
                     OWNER_DEPENDENCY);
}
END_TEST

static Suite *leak_owner_suite(void)
{
    Suite *suite = suite_create("correlate/leak_owner");
    TCase *cases = tcase_create("leak_owner");
    tcase_add_test(cases, packages_and_receivers_are_found_in_names);
    tcase_add_test(cases, the_standard_library_is_known_by_its_first_element);
    tcase_add_test(cases, code_belongs_to_whoever_its_place_says);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_owner_suite)
