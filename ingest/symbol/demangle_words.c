/*
 * demangle_words.c - the words of the Itanium C++ ABI, chapter 5.1: types, operators,
 * abbreviations.
 */
#include <string.h>

#include "demangle_priv.h"

/* By their letters; a gap is no type. */
const char *fl_demangle_builtin(unsigned char letter)
{
    static const char *const names[26] = {"signed char",
                                          "bool",
                                          "char",
                                          "double",
                                          "long double",
                                          "float",
                                          "__float128",
                                          "unsigned char",
                                          "int",
                                          "unsigned int",
                                          NULL,
                                          "long",
                                          "unsigned long",
                                          "__int128",
                                          "unsigned __int128",
                                          NULL,
                                          NULL,
                                          NULL,
                                          "short",
                                          "unsigned short",
                                          NULL,
                                          "void",
                                          "wchar_t",
                                          "long long",
                                          "unsigned long long",
                                          "..."};
    return letter >= 'a' && letter <= 'z' ? names[letter - 'a'] : NULL;
}

typedef struct pair {
    const char *letters, *text;
} pair;

/* The tables are short and asked once a word: a search from the front is enough. */
static const char *find(const pair *pairs, size_t count, fl_slice two)
{
    for (size_t i = 0; i < count; i++)
        if (fl_slice_equal(two, fl_slice_of(pairs[i].letters)))
            return pairs[i].text;
    return NULL;
}

/* D and a letter; Dp, Dt, DT and DC are no types by themselves. */
const char *fl_demangle_long_builtin(fl_slice two)
{
    static const pair names[] = {
        {"Dd", "decimal64"},      {"De", "decimal128"},       {"Df", "decimal32"}, {"Dh", "half"},
        {"Di", "char32_t"},       {"Ds", "char16_t"},         {"Du", "char8_t"},   {"Da", "auto"},
        {"Dc", "decltype(auto)"}, {"Dn", "decltype(nullptr)"}};
    return find(names, sizeof(names) / sizeof(names[0]), two);
}

/* All operators as names; in expressions those of which the library of C++ and LLVM make use. */
const char *fl_demangle_operator(fl_slice two, unsigned *operands)
{
    static const struct {
        pair word;
        unsigned operands;
    } words[] = {{{"nw", "operator new"}, 0},      {{"na", "operator new[]"}, 0},
                 {{"dl", "operator delete"}, 0},   {{"da", "operator delete[]"}, 0},
                 {{"aw", "operator co_await"}, 0}, {{"ps", "operator+"}, 1},
                 {{"ng", "operator-"}, 1},         {{"ad", "operator&"}, 1},
                 {{"de", "operator*"}, 1},         {{"co", "operator~"}, 1},
                 {{"pl", "operator+"}, 2},         {{"mi", "operator-"}, 2},
                 {{"ml", "operator*"}, 2},         {{"dv", "operator/"}, 2},
                 {{"rm", "operator%"}, 2},         {{"an", "operator&"}, 2},
                 {{"or", "operator|"}, 2},         {{"eo", "operator^"}, 2},
                 {{"aS", "operator="}, 0},         {{"pL", "operator+="}, 0},
                 {{"mI", "operator-="}, 0},        {{"mL", "operator*="}, 0},
                 {{"dV", "operator/="}, 0},        {{"rM", "operator%="}, 0},
                 {{"aN", "operator&="}, 0},        {{"oR", "operator|="}, 0},
                 {{"eO", "operator^="}, 0},        {{"ls", "operator<<"}, 2},
                 {{"rs", "operator>>"}, 2},        {{"lS", "operator<<="}, 0},
                 {{"rS", "operator>>="}, 0},       {{"eq", "operator=="}, 2},
                 {{"ne", "operator!="}, 2},        {{"lt", "operator<"}, 2},
                 {{"gt", "operator>"}, 2},         {{"le", "operator<="}, 2},
                 {{"ge", "operator>="}, 2},        {{"ss", "operator<=>"}, 2},
                 {{"nt", "operator!"}, 1},         {{"aa", "operator&&"}, 2},
                 {{"oo", "operator||"}, 2},        {{"pp", "operator++"}, 0},
                 {{"mm", "operator--"}, 0},        {{"cm", "operator,"}, 0},
                 {{"pm", "operator->*"}, 0},       {{"pt", "operator->"}, 0},
                 {{"cl", "operator()"}, 0},        {{"ix", "operator[]"}, 0},
                 {{"qu", "operator?"}, 0}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (fl_slice_equal(two, fl_slice_of(words[i].word.letters))) {
            *operands = words[i].operands;
            return words[i].word.text;
        }
    return NULL;
}

/* What the ABI has shorter than their namespaces; constructors have the name of the class
 * behind. */
const char *fl_demangle_abbreviation(unsigned char letter, const char **base)
{
    static const struct {
        unsigned char letter;
        const char *text, *base;
    } words[] = {{'a', "std::allocator", "allocator"},   {'b', "std::basic_string", "basic_string"},
                 {'s', "std::string", "basic_string"},   {'i', "std::istream", "basic_istream"},
                 {'o', "std::ostream", "basic_ostream"}, {'d', "std::iostream", "basic_iostream"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].letter == letter) {
            *base = words[i].base;
            return words[i].text;
        }
    return NULL;
}

/* In front of a type, or of the name of a variable (TW, TH, GV). */
const char *fl_demangle_special(fl_slice two)
{
    static const pair words[] = {{"TV", "vtable for "},
                                 {"TT", "VTT for "},
                                 {"TI", "typeinfo for "},
                                 {"TS", "typeinfo name for "},
                                 {"TW", "TLS wrapper function for "},
                                 {"TH", "TLS init function for "},
                                 {"GV", "guard variable for "}};
    return find(words, sizeof(words) / sizeof(words[0]), two);
}
