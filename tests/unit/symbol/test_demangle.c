#include <string.h>

#include "demangle.h"
#include "fl_test.h"
#include "mem.h"

static fl_arena arena;

static void setup(void)
{
    arena = fl_arena_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

/* NUL-terminated in the arena. */
static const char *plain(const char *name)
{
    fl_slice out;
    ck_assert(fl_demangle(&out, fl_slice_of(name), &arena));
    return fl_arena_cstr(&arena, out);
}

/* Of libjvm, libstdc++, LLVM and clang; the second column is what c++filt says. */
static const struct {
    const char *name, *plain;
} names[] = {
    {"_Z1fv", "f()"},
    {"_ZN3geo3Box4areaEv", "geo::Box::area()"},
    {"_ZNK3geo3Box4areaERKS0_i", "geo::Box::area(geo::Box const&, int) const"},
    {"_ZN3geo3BoxC2Ed", "geo::Box::Box(double)"},
    {"_ZN3geo3BoxD0Ev", "geo::Box::~Box()"},
    {"_ZN9JavaCalls11call_helperEP9JavaValueRK12methodHandleP17JavaCallArgumentsP10JavaThread",
     "JavaCalls::call_helper(JavaValue*, methodHandle const&, JavaCallArguments*, JavaThread*)"},
    {"_ZN2os12signal_raiseEi", "os::signal_raise(int)"},
    {"_ZTV9G1Barrier", "vtable for G1Barrier"},
    {"_ZTIN12_GLOBAL__N_18PassImplE", "typeinfo for (anonymous namespace)::PassImpl"},
    {"_ZGVZ5countvE1n", "guard variable for count()::n"},
    {"_ZThn16_N4llvm4PassD1Ev", "non-virtual thunk to llvm::Pass::~Pass()"},
    {"_ZTv0_n24_NSoD0Ev", "virtual thunk to std::ostream::~basic_ostream()"},
    {"_Z3maxIiET_S0_S0_", "int max<int>(int, int)"},
    {"_ZStplIcSt11char_traitsIcESaIcEESbIT_T0_T1_EPKS3_RKS6_",
     "std::basic_string<char, std::char_traits<char>, std::allocator<char> > std::operator+<char, "
     "std::char_traits<char>, std::allocator<char> >(char const*, std::basic_string<char, "
     "std::char_traits<char>, std::allocator<char> > const&)"},
    {"_ZNSt6vectorIiSaIiEE9push_backEOi",
     "std::vector<int, std::allocator<int> >::push_back(int&&)"},
    {"_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE6appendEPKcm",
     "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> "
     ">::append(char const*, unsigned long)"},
    {"_Z4callPFivE", "call(int (*)())"},
    {"_Z4callRA10_i", "call(int (&) [10])"},
    {"_Z4callM3BoxKFivEMS_i", "call(int (Box::*)() const, int Box::*)"},
    {"_Z1fPPKcPVKiOd", "f(char const**, int const volatile*, double&&)"},
    {"_Z1fM1AA3_i", "f(int (A::*) [3])"},
    {"_Z1fIRiEvRKT_", "void f<int&>(int& const&)"},
    {"_Z1fIOiEvRKT_", "void f<int&&>(int&& const&)"},
    {"_Z4makeIiJdcEEvDpT0_", "void make<int, double, char>(double, char)"},
    {"_Z4makeIiJEEvDpRKT0_", "void make<int>()"},
    {"_Z4makeI3BoxJRiS1_EEPT_DpOT0_", "Box* make<Box, int&, int&>(int&, int&)"},
    {"_Z3fooILb1ELj5ELin3EEvv", "void foo<true, 5u, -3>()"},
    {"_Z3fooIXaaLb1ELb0EEEvv", "void foo<(true)&&(false)>()"},
    {"_ZN1AcvPKcEv", "A::operator char const*()"},
    {"_ZN1AlsIiEERS_T_", "A& A::operator<< <int>(int)"},
    {"_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()() const"},
    {"_ZZN1A1fEiENKUliE0_clEi", "A::f(int)::{lambda(int)#2}::operator()(int) const"},
    {"_ZN1AB5cxx111fB3fooEv", "A[abi:cxx11]::f[abi:foo]()"},
    {"_ZNKR1A1fEv", "A::f() const &"},
    {"_ZL6staticv.constprop.0", "static() [clone .constprop.0]"},
    {"_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"},
    {"_ZN66_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..drop..Drop$GT$4drop17h"
     "0123456789abcdefE",
     "<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop"},
};

START_TEST(names_read_as_their_sources_have_them)
{
    ck_assert_str_eq(plain(names[_i].name), names[_i].plain);
}
END_TEST

/* Half a name would be a wrong one. */
static const char *const left[] = {
    "",
    "_Z",
    "main",
    "_RNvC4core3fmt", /* Rust's newer scheme */
    "_Z1fv_",
    "_Z9xv",
    "_Z99999999999999999999xv",
    "_ZN3geo3Box",
    "_ZN1A1A",
    "_Z1fS_",
    "_Z1fT_",
    "_Z1fSZZZZ_",
    "_ZNE",
    "_ZNIiE",
    "_ZNC1Ev",
    "_Z1fDpT_",
    "_Z1fIiEDTplT_T_E", /* decltype is not read */
    "_Z1fA_",
    "_ZZZZZZZZZZZZZZZZZZZZZZZZ",
    "_Z1fIJiEEvDpDpDpDpDpDpT_",
};

START_TEST(what_is_not_understood_stays_as_it_is)
{
    ck_assert_str_eq(plain(left[_i]), left[_i]);
}
END_TEST

START_TEST(every_prefix_is_harmless)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (size_t len = 0; len < strlen(names[i].name); len++) {
            fl_slice out;
            fl_slice part = {.ptr = (const unsigned char *)names[i].name, .len = len};
            ck_assert(fl_demangle(&out, part, &arena));
            fl_arena_reset(&arena);
        }
}
END_TEST

/* Each substitution twice the one before: 2^30 words, were they written. */
START_TEST(a_name_that_doubles_with_every_letter_is_left_alone)
{
    char name[512] = "_Z1f1AIiE";
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (size_t i = 0; i < 30; i++) {
        char more[] = "S_IS0_S0_E";
        more[4] = more[7] = digits[i];
        strcat(name, more);
    }
    ck_assert_str_eq(plain(name), name);
}
END_TEST

START_TEST(a_name_of_any_length_is_left_alone)
{
    static char name[1 << 20];
    memset(name, 'P', sizeof(name) - 1);
    memcpy(name, "_Z1f", 4);
    fl_slice out;
    ck_assert(fl_demangle(&out, fl_slice_of(name), &arena));
    ck_assert_uint_eq(out.len, sizeof(name) - 1);
    name[FL_DEMANGLE_MAX_BYTES] = '\0';
    ck_assert(fl_demangle(&out, fl_slice_of(name), &arena));
    ck_assert_uint_eq(out.len, FL_DEMANGLE_MAX_BYTES);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_slice out, name = fl_slice_of(names[5].name);
    for (long i = 0; i < 8; i++) {
        fl_arena_dispose(&arena);
        fl_mem_fail_after(i);
        bool kept = fl_demangle(&out, name, &arena);
        fl_mem_fail_after(-1);
        ck_assert(fl_slice_equal(out, name) || (kept && out.len > 0));
    }
    ck_assert_str_eq(plain(names[5].name), names[5].plain);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("demangle");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, names_read_as_their_sources_have_them, 0,
                        sizeof(names) / sizeof(names[0]));
    tcase_add_loop_test(tc, what_is_not_understood_stays_as_it_is, 0,
                        sizeof(left) / sizeof(left[0]));
    tcase_add_test(tc, every_prefix_is_harmless);
    tcase_add_test(tc, a_name_that_doubles_with_every_letter_is_left_alone);
    tcase_add_test(tc, a_name_of_any_length_is_left_alone);
    tcase_add_test(tc, every_allocation_may_fail);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
