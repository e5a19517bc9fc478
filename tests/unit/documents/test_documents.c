/*
 * Documents to blocks: what each markup becomes, where it stands in the file, what is refused and
 * with which words.
 */
#include "documents.h"

#include <stdio.h>

#include "buf.h"
#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_buf seen;
static fl_slice file;  /* that is being read */
static bool check_raw; /* offsets of raw blocks point to their text */
static size_t documents;

static const char *const kinds[] = {"title", "heading", "text",  "item",
                                    "code",  "row",     "field", "break"};

static fl_status see(const fl_document *d, void *payload, fl_error *e)
{
    (void)payload;
    (void)e;
    documents++;
    if (d->kind == FL_DOCUMENT_ISSUE || d->kind == FL_DOCUMENT_PLAN)
        fl_buf_printf(&seen, "[%.*s|%.*s|%.*s|%lld]\n", FL_SLICE_ARG(d->name), FL_SLICE_ARG(d->id),
                      FL_SLICE_ARG(d->author), (long long)(d->at_ns / 1000000000));
    for (size_t i = 0; i < d->count; i++) {
        const fl_block *b = &d->blocks[i];
        fl_buf_printf(&seen, "%s%.0u", kinds[b->kind], b->level); /* no 0 */
        if (b->kind == FL_BLOCK_FIELD)
            fl_buf_printf(&seen, " %.*s", FL_SLICE_ARG(b->label));
        fl_buf_printf(&seen, "|%.*s\n", FL_SLICE_ARG(b->text));
        ck_assert_uint_le(b->offset, file.len);
        if (check_raw && b->is_raw)
            ck_assert_int_eq(memcmp(file.ptr + b->offset, b->text.ptr, b->text.len), 0);
    }
    return FL_OK;
}

static void setup(void)
{
    err = (fl_error){0};
    seen = fl_buf_of(1 << 20);
    check_raw = true;
    documents = 0;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&seen);
}

static fl_status read_slice(fl_slice bytes)
{
    file = bytes;
    fl_buf_clear(&seen);
    fl_buf_char(&seen, '\0');
    fl_buf_clear(&seen);
    return fl_documents_read(bytes, "file", see, NULL, &err);
}

static const char *read_text(const char *text)
{
    ck_assert_ok(read_slice(SLICE(text)));
    return seen.len > 0 ? seen.ptr : "";
}

/* clang-format off */
static const struct {
    const char *text, *blocks;
} texts[] = {
    {"", ""},
    {" \n\n", ""},
    {"\xEF\xBB\xBFone", "heading6|one\n"},
    {"# Title\nprose\n", "heading1|Title\ntext|prose\n"},
    {"## Cause ##\n", "heading2|Cause\n"},
    {"h2. Cause\r\nthe pool\r\n", "heading2|Cause\ntext|the pool\n"},
    {"Title\n=====\nprose", "heading1|Title\ntext|prose\n"},
    {"Cause\n---\nprose", "heading2|Cause\ntext|prose\n"},
    {"one\ntwo\n\nthree.\n", "text|one\ntwo\ntext|three.\n"},
    {"alone\n\nA sentence that ends.\n", "heading6|alone\ntext|A sentence that ends.\n"},
    {"Fix:\n- a\n", "heading3|Fix\nitem|a\n"},
    {"Fix: restart it\n", "text|Fix: restart it\n"},
    {"- a\n* b\n+ c\n\xE2\x80\xA2 d\n12. e\n3) f\n", "item|a\nitem|b\nitem|c\nitem|d\nitem12|e\nitem3|f\n"},
    {"- [ ] a task\n- [x] done\n", "item|a task\nitem|done\n"},
    {"- a\n  goes on\nnot\n", "item|a\n  goes on\ntext|not\n"},
    {"```go\nx := 1\n\n```\nafter", "code|x := 1\ntext|after\n"},
    {"{noformat}\nat X\n{noformat}\n{code:java}\ny\n{code}", "code|at X\ncode|y\n"},
    {"it logged:\n\n    panic: x\n    more\n\nend", "heading3|it logged\ncode|panic: x\ncode|more\nheading6|end\n"},
    {"| a | b |\n|---|---|\n|c|d|\n", "row|| a | b |\nrow||---|---|\nrow||c|d|\n"},
    {"> quoted\n", "text|quoted\n"},
    {"---\ntitle: x\nempty:\n---\nprose.", "field title|x\ntext|prose.\n"},
    {"[09:12] bob: it is down\n[2024-01-01 09:13] <ann>: yes\n", "item|it is down\nitem|yes\n"},
    {"[1, 2] is a list: so", "item|so\n"},
    {"2.1 A topic\ntext.", "heading2|A topic\ntext|text.\n"},
    {"2 topics\nof text.", "text|2 topics\nof text.\n"},
    {"\xE7\xAC\xAC\xE4\xBA\x8C\xE7\xAB\xA0:x\n", "heading2|x\n"},
    {"\xE4\xBA\x8C\xE3\x80\x81x\n", "heading2|x\n"},
    {"1.\xE7\x9B\xB4\xE6\x8E\xA5", "item1|\xE7\x9B\xB4\xE6\x8E\xA5\n"},
    {"***\n", "heading6|***\n"},
    {"<p>One &amp; two</p><p>three&#39;s &#x41; &unknown; &#0;</p>", "heading6|One & two\ntext|three's A &unknown; &#0;\n"},
    {"<html><head><title>T</title><style>p{x:y}</style></head><body><h1>A</h1><h2>B</h2><ul><li>c</li><li>d</li></ul></body>",
     "heading1|T\nheading1|A\nheading2|B\nitem|c\nitem|d\n"},
    {"<div><script>alert('<p>no</p>')</script>yes.</div>", "text|yes.\n"},
    {"<table><tr><th>Cause</th><td>pool</td></tr></table>", "row||Cause | pool |\n"},
    {"<pre>a\n  b</pre>", "code|a\ncode|b\n"},
    {"<p>a<!-- > --> b<br>c.", "text|a b\nc.\n"},
    {"<p>1 < 2 and a <b", "heading6|1 < 2 and a\n"},
};

static const struct {
    const char *text, *blocks;
} exports[] = {
    {"{\"title\":\"down\",\"body\":\"## Cause\\nthe \\\"pool\\\"\",\"html_url\":\"https://h/o/r/issues/7\",\"user\":{\"id\":1,\"login\":\"ann\"},"
     "\"created_at\":\"2023-11-02T10:00:00Z\",\"comments\":2}",
     "[file (7)|https://h/o/r/issues/7|ann|1698919200]\ntitle|down\nheading2|Cause\ntext|the \"pool\"\n"},
    {"[{\"title\":\"a\",\"description\":null,\"web_url\":\"u\",\"author\":{\"username\":\"x\"},\"notes\":[{\"body\":\"n1.\"},"
     "{\"body\":\"moved\",\"system\":true},{\"body\":\"n2.\",\"system\":false},3]}]",
     "[file (u)|u|x|0]\ntitle|a\nbreak|\ntext|n1.\nbreak|\ntext|n2.\n"},
    {"{\"total\":1,\"issues\":[{\"key\":\"OPS-1\",\"fields\":{\"summary\":\"s\",\"description\":\"d.\",\"reporter\":{\"displayName\":\"P N\"},"
     "\"created\":\"2023-02-01T03:12:00.000+0000\",\"comment\":{\"total\":1,\"comments\":[{\"body\":\"c.\"}]}}}],\"after\":[]}",
     "[file (OPS-1)|OPS-1|P N|1675221120]\ntitle|s\ntext|d.\nbreak|\ntext|c.\n"},
    {"{\"key\":\"A-1\",\"fields\":{\"summary\":\"s\",\"fields\":{\"summary\":\"t\"}}}", "[file (A-1)|A-1||0]\ntitle|s\n"},
    {"{\"plan\":\"p\",\"run\":\"r\",\"step\":2,\"action\":\"restart\",\"outcome\":\"cleared\",\"at\":\"2024-05-21T06:20:00Z\",\"deep\":{\"x\":1}}",
     "[file (p/r/2)|p/r/2||1716272400]\nfield plan|p\nfield run|r\nfield step|2\nfield action|restart\nfield outcome|cleared\nfield at|2024-05-21T06:20:00Z\n"},
};

static const struct {
    fl_slice bytes;
    fl_status status;
    uint64_t offset;
    const char *message;
} bad[] = {
    {BYTES_INIT("a\xFFz"), FL_E_SYNTAX, 1, "file is not UTF-8 at byte 1"},
    {BYTES_INIT("\xC0\x80"), FL_E_SYNTAX, 0, "file is not UTF-8 at byte 0"},
    {BYTES_INIT("a\0b"), FL_E_SYNTAX, 1, "file holds a NUL byte at 1: it is no text"},
    {BYTES_INIT("{}"), FL_E_UNSUPPORTED, FL_NO_OFFSET,
     "file: JSON without an issue of GitLab, GitHub or Jira and without a step of a plan"},
    {BYTES_INIT("[]"), FL_E_UNSUPPORTED, FL_NO_OFFSET,
     "file: JSON without an issue of GitLab, GitHub or Jira and without a step of a plan"},
    {BYTES_INIT("{\"resourceSpans\":[]}"), FL_E_UNSUPPORTED, FL_NO_OFFSET,
     "file: JSON without an issue of GitLab, GitHub or Jira and without a step of a plan"},
    {BYTES_INIT("{\"title\":\"a\","), FL_E_SYNTAX, 13, NULL},
    {BYTES_INIT("{\"title\":tru}"), FL_E_SYNTAX, 9, NULL},
    {BYTES_INIT("[{\"title\":\"a\"},]"), FL_E_SYNTAX, 15, NULL},
    {BYTES_INIT("{\"title\":\"a\"} x"), FL_E_SYNTAX, 14, NULL},
    {BYTES_INIT("{\"title\":\"a\",\"comments\":[{\"body\":1e}]}"), FL_E_SYNTAX, 35, NULL},
};
/* clang-format on */

START_TEST(markup_becomes_blocks)
{
    check_raw = texts[_i].text[0] != '<';
    ck_assert_str_eq(read_text(texts[_i].text), texts[_i].blocks);
}
END_TEST

START_TEST(issues_and_plans_become_blocks)
{
    ck_assert_str_eq(read_text(exports[_i].text), exports[_i].blocks);
}
END_TEST

START_TEST(two_objects_are_two_documents_and_a_nul_is_no_text)
{
    ck_assert_str_eq(read_text("{\"title\":\"a\"}\n{\"title\":\"b\"}"),
                     "[file|||0]\ntitle|a\n[file|||0]\ntitle|b\n");
    ck_assert_str_eq(read_text("{\"title\":\"\\u4e0b\\ud83d\\ude00\",\"body\":\"x\\u0000y\"}"),
                     "[file|||0]\ntitle|\xE4\xB8\x8B\xF0\x9F\x98\x80\n");
}
END_TEST

static fl_status find_offsets(const fl_document *d, void *payload, fl_error *e)
{
    uint64_t *offsets = payload;
    (void)e;
    for (size_t i = 0; i < d->count && i < 4; i++)
        offsets[i] = d->blocks[i].offset;
    return FL_OK;
}

START_TEST(blocks_of_escaped_and_of_html_texts_are_found_in_the_file)
{
    uint64_t at[4] = {0};
    const char *json = "{\"title\":\"t\",\"body\":\"\\u00e9\\ud83d\\ude00\\tx.\\n\\nsecond one.\"}";
    ck_assert_ok(fl_documents_read(SLICE(json), "f", find_offsets, at, &err));
    ck_assert_uint_eq(at[2], (uint64_t)(strstr(json, "second") - json));
    const char *html = "<p>first.</p>\n<p class='x'>second.</p>";
    ck_assert_ok(fl_documents_read(SLICE(html), "f", find_offsets, at, &err));
    ck_assert_uint_eq(at[1], (uint64_t)(strstr(html, "second") - html));
}
END_TEST

START_TEST(what_is_broken_is_refused_with_its_place)
{
    ck_assert_fails(bad[_i].status, read_slice(bad[_i].bytes));
    ck_assert_uint_eq(err.offset, bad[_i].offset);
    if (bad[_i].message != NULL)
        ck_assert_str_eq(err.message, bad[_i].message);
    else
        ck_assert_int_eq(strncmp(err.message, "file: ", 6), 0);
}
END_TEST

START_TEST(every_prefix_of_an_export_fails_cleanly_or_is_text)
{
    check_raw = false;
    for (size_t i = 0; i < 3; i++) {
        fl_slice whole = SLICE(exports[i].text);
        for (size_t len = 0; len < whole.len; len++) {
            err = (fl_error){0};
            fl_status status = read_slice((fl_slice){.ptr = whole.ptr, .len = len});
            ck_assert(status == FL_OK || err.message[0] != '\0');
            ck_assert_msg(len < 2 || status != FL_OK, "%zu bytes of export %zu", len, i);
        }
    }
}
END_TEST

START_TEST(every_prefix_of_a_text_is_a_text)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fl_slice whole = SLICE(texts[i].text);
        check_raw = false;
        for (size_t len = 0; len < whole.len; len++) {
            err = (fl_error){0};
            fl_status status = read_slice((fl_slice){.ptr = whole.ptr, .len = len});
            ck_assert(status == FL_OK || status == FL_E_SYNTAX); /* inside of a character */
        }
    }
}
END_TEST

START_TEST(want_of_memory_is_said_and_leaks_nothing)
{
    check_raw = false;
    const char *inputs[] = {exports[0].text, exports[2].text, exports[4].text, texts[3].text,
                            "<p>a</p><p>b</p>"};
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        fl_status status = FL_E_NOMEM;
        for (long n = 0; status != FL_OK; n++) {
            ck_assert_int_lt(n, 1000);
            err = (fl_error){0};
            fl_buf_dispose(&seen);
            seen = fl_buf_of(0); /* what is seen takes no memory here */
            fl_mem_fail_after(n);
            file = SLICE(inputs[i]);
            status = fl_documents_read(file, "file", see, NULL, &err);
            fl_mem_fail_after(-1);
            ck_assert(status == FL_OK || status == FL_E_NOMEM);
        }
    }
}
END_TEST

static fl_status refuse(const fl_document *d, void *payload, fl_error *e)
{
    (void)d;
    (void)payload;
    return fl_fail(e, FL_E_STOPPED, FL_NO_OFFSET, "enough");
}

START_TEST(a_visit_that_fails_ends_the_reading)
{
    ck_assert_fails(FL_E_STOPPED, fl_documents_read(SLICE("x"), "f", refuse, NULL, &err));
    err = (fl_error){0};
    ck_assert_fails(FL_E_STOPPED,
                    fl_documents_read(SLICE(exports[0].text), "f", refuse, NULL, &err));
    ck_assert_str_eq(err.message, "enough");
}
END_TEST

START_TEST(a_line_of_a_megabyte_is_one_block)
{
    enum { LONG = 1 << 20 };
    char *text = malloc(LONG + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, '[', LONG);
    text[LONG] = '\0';
    fl_buf_dispose(&seen);
    seen = fl_buf_of(2 * LONG);
    ck_assert_ok(read_slice(SLICE(text)));
    ck_assert_uint_eq(documents, 1);
    free(text);
}
END_TEST

START_TEST(files_of_a_folder_are_told_by_their_names)
{
    ck_assert(fl_documents_is_candidate("a.md"));
    ck_assert(fl_documents_is_candidate("a.jsonl.zst"));
    ck_assert(fl_documents_is_candidate("x.txt.gz"));
    ck_assert(!fl_documents_is_candidate(".hidden.md"));
    ck_assert(!fl_documents_is_candidate("a.png"));
    ck_assert(!fl_documents_is_candidate(""));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("documents");
    TCase *tests = tcase_create("blocks");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, markup_becomes_blocks, 0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_loop_test(tests, issues_and_plans_become_blocks, 0,
                        sizeof(exports) / sizeof(exports[0]));
    tcase_add_test(tests, two_objects_are_two_documents_and_a_nul_is_no_text);
    tcase_add_test(tests, blocks_of_escaped_and_of_html_texts_are_found_in_the_file);
    tcase_add_loop_test(tests, what_is_broken_is_refused_with_its_place, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tests, every_prefix_of_an_export_fails_cleanly_or_is_text);
    tcase_add_test(tests, every_prefix_of_a_text_is_a_text);
    tcase_add_test(tests, want_of_memory_is_said_and_leaks_nothing);
    tcase_add_test(tests, a_visit_that_fails_ends_the_reading);
    tcase_add_test(tests, a_line_of_a_megabyte_is_one_block);
    tcase_add_test(tests, files_of_a_folder_are_told_by_their_names);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
