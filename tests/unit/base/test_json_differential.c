/* The tokenizer and jansson must take and refuse the same documents, and read the same values. */
#include <dirent.h>
#include <stdio.h>

#include "fl_test.h"
#include "json_oracle.h"

enum { MAX_DOCUMENT_BYTES = 1 << 16 };

static fl_arena arena;
static uint64_t seed;

static void setup(void)
{
    arena = fl_arena_of(1u << 20);
    seed = 20230129;
}

static void teardown(void)
{
    fl_arena_dispose(&arena);
}

/* SplitMix64, below `limit`. */
static size_t pick(size_t limit)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((z ^ z >> 31) % limit);
}

struct document {
    size_t len;
    unsigned char bytes[MAX_DOCUMENT_BYTES];
};

static void add(struct document *doc, const char *text)
{
    size_t len = strlen(text);
    ck_assert_uint_lt(doc->len + len, sizeof(doc->bytes));
    memcpy(doc->bytes + doc->len, text, len);
    doc->len += len;
}

static void add_one_of(struct document *doc, const char *const *texts, size_t count)
{
    add(doc, texts[pick(count)]);
}

#define ADD_ONE_OF(doc, texts) add_one_of(doc, texts, sizeof(texts) / sizeof((texts)[0]))

static void add_space(struct document *doc)
{
    static const char *const spaces[] = {"", "", "", "", " ", "\n", "\t", "\r\n", "    "};
    ADD_ONE_OF(doc, spaces);
}

static void add_string(struct document *doc)
{
    static const char *const parts[] = {"service.name",
                                        "a",
                                        "",
                                        "0123456789abcdef",
                                        " ",
                                        "/",
                                        "\\n",
                                        "\\\"",
                                        "\\\\",
                                        "\\/",
                                        "\\u0041",
                                        "\\u00e9",
                                        "\\u20AC",
                                        "\\ud83d\\ude00",
                                        "\\uDBFF\\uDFFF",
                                        "\\u0000",
                                        "\\b\\f\\r\\t",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80",
                                        "\xef\xbc\x9a",
                                        "\x7f"};
    add(doc, "\"");
    for (size_t n = pick(6); n > 0; n--)
        ADD_ONE_OF(doc, parts);
    add(doc, "\"");
}

static void add_number(struct document *doc)
{
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "1",
                                          "-1",
                                          "0.0",
                                          "-0.0",
                                          "1e5",
                                          "1E-5",
                                          "1.5",
                                          "1674982122406289933",
                                          "9223372036854775807",
                                          "-9223372036854775808",
                                          "9223372036854775808",
                                          "1e308",
                                          "1e400",
                                          "45.345119999999994",
                                          "0.0009992409030000001",
                                          "1e-400",
                                          "123456789012345678901234567890",
                                          "0.1e+1",
                                          "2.2250738585072011e-308"};
    char text[40];
    if (pick(3) == 0) {
        ADD_ONE_OF(doc, numbers);
        return;
    }
    snprintf(text, sizeof(text), "%s%zu.%zue%d", pick(2) ? "-" : "", pick(1u << 20), pick(1u << 30),
             (int)pick(60) - 30);
    add(doc, text);
}

static void add_scalar(struct document *doc)
{
    static const char *const words[] = {"true", "false", "null"};
    switch (pick(4)) {
    case 0:
        ADD_ONE_OF(doc, words);
        break;
    case 1:
        add_number(doc);
        break;
    default:
        add_string(doc);
        break;
    }
}

static void add_key(struct document *doc)
{
    add_string(doc);
    add_space(doc);
    add(doc, ":");
}

/* A document of about `count` values, written from the left with a stack of open brackets. */
static void generate(struct document *doc, size_t count)
{
    char closing[FL_JSON_MAX_DEPTH + 8];
    size_t depth = 0;
    bool first = true;
    doc->len = 0;
    do {
        add_space(doc);
        if (depth > 0 && (count == 0 || pick(5) == 0)) {
            add(doc, (char[]){closing[--depth], '\0'});
            first = false;
            continue;
        }
        if (!first)
            add(doc, ",");
        add_space(doc);
        if (depth > 0 && closing[depth - 1] == '}')
            add_key(doc);
        add_space(doc);
        first = pick(3) == 0 && depth < sizeof(closing);
        if (first) {
            bool object = pick(2);
            closing[depth++] = object ? '}' : ']';
            add(doc, object ? "{" : "[");
        } else {
            add_scalar(doc);
        }
        count -= count > 0;
    } while (depth > 0);
    add_space(doc);
}

static void damage(struct document *doc)
{
    static const unsigned char loud[] = "{}[]:,\"\\0-.eE+tfnu \n\x01\x80\xc3\xff";
    size_t at = pick(doc->len);
    switch (pick(5)) {
    case 0: /* cut */
        doc->len = at;
        break;
    case 1: /* drop a byte */
        memmove(doc->bytes + at, doc->bytes + at + 1, doc->len - at - 1);
        doc->len--;
        break;
    case 2: /* put one in */
        memmove(doc->bytes + at + 1, doc->bytes + at, doc->len - at);
        doc->bytes[at] = loud[pick(sizeof(loud))];
        doc->len++;
        break;
    case 3: /* flip a bit */
        doc->bytes[at] ^= (unsigned char)(1u << pick(8));
        break;
    default:
        doc->bytes[at] = loud[pick(sizeof(loud))];
        break;
    }
}

static void check_agreement(const unsigned char *bytes, size_t len)
{
    /* A copy of exactly that length, so that the sanitizer sees a read past its end. */
    unsigned char *copy = malloc(len > 0 ? len : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, len);
    const char *wrong = json_oracle_compare((fl_slice){.ptr = copy, .len = len}, &arena);
    fl_arena_reset(&arena);
    free(copy);
    if (wrong != NULL)
        ck_abort_msg("%s: %.*s", wrong, (int)len, (const char *)bytes);
}

START_TEST(generated_documents_are_read_as_jansson_reads_them)
{
    static struct document doc;
    for (unsigned i = 0; i < 10000; i++) {
        generate(&doc, 1 + pick(40));
        check_agreement(doc.bytes, doc.len);
    }
}
END_TEST

START_TEST(damaged_documents_are_judged_as_jansson_judges_them)
{
    static struct document doc;
    for (unsigned i = 0; i < 40000; i++) {
        generate(&doc, 1 + pick(10));
        for (size_t n = 1 + pick(2); n > 0 && doc.len > 0; n--)
            damage(&doc);
        check_agreement(doc.bytes, doc.len);
    }
}
END_TEST

START_TEST(the_fuzz_corpus_is_judged_as_jansson_judges_it)
{
    static unsigned char bytes[MAX_DOCUMENT_BYTES];
    static const char folder[] = FL_SOURCE_DIR "/tests/fuzz/corpus/json";
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[sizeof(folder) + 260];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        FILE *file = entry->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        if (file == NULL)
            continue;
        size_t len = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        check_agreement(bytes, len);
        count++;
    }
    closedir(dir);
    ck_assert_uint_gt(count, 10);
}
END_TEST

START_TEST(the_differences_to_jansson_are_the_documented_ones)
{
    static const struct {
        fl_slice text;
        bool ours;
    } differences[] = {
        {BYTES_INIT("{\"a\\u0000b\":1}"), true},     /* a NUL in a key */
        {BYTES_INIT("[9223372036854775808]"), true}, /* beyond int64_t: the caller's type decides */
        {BYTES_INIT("[1\0]"), false},                /* jansson 2.14 loses this NUL */
    };
    for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
        fl_slice text = differences[i].text;
        fl_json in = fl_json_over(text, &arena);
        fl_json_skip(&in);
        ck_assert_int_eq(fl_json_finish(&in), differences[i].ours);
        json_t *other = json_loadb((const char *)text.ptr, text.len, JSON_ALLOW_NUL, NULL);
        ck_assert_int_ne(other != NULL, differences[i].ours);
        json_decref(other);
    }
    char deep[2 * (FL_JSON_MAX_DEPTH + 1)];
    memset(deep, '[', sizeof(deep) / 2);
    memset(deep + sizeof(deep) / 2, ']', sizeof(deep) / 2);
    fl_json in = fl_json_over((fl_slice){(const unsigned char *)deep, sizeof(deep)}, NULL);
    fl_json_skip(&in);
    ck_assert(!fl_json_finish(&in));
    json_t *theirs = json_loadb(deep, sizeof(deep), 0, NULL);
    ck_assert_ptr_nonnull(theirs);
    json_decref(theirs);
}
END_TEST

static Suite *json_differential_suite(void)
{
    Suite *suite = suite_create("base/json_differential");
    TCase *cases = tcase_create("jansson");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, generated_documents_are_read_as_jansson_reads_them);
    tcase_add_test(cases, damaged_documents_are_judged_as_jansson_judges_them);
    tcase_add_test(cases, the_fuzz_corpus_is_judged_as_jansson_judges_it);
    tcase_add_test(cases, the_differences_to_jansson_are_the_documented_ones);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(json_differential_suite)
