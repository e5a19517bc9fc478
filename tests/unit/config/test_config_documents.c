/*
 * test_config_documents.c - what the table says about itself is what is committed, and holds.
 *
 * With FL_UPDATE_GOLDEN=1 the schema and the reference are written anew.
 */
#include "fl_test.h"

#include <stdio.h>

#include "config.h"
#include "mem.h"

enum { ROOM = 1 << 18 };

static void read_tree(char out[ROOM], const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), FL_SOURCE_DIR "/%s", name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    size_t len = fread(out, 1, ROOM - 1, file);
    out[len] = '\0';
    fclose(file);
}

static void write_tree(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), FL_SOURCE_DIR "/%s", name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(the_committed_schema_is_the_tables)
{
    static char found[ROOM];
    fl_buf schema = fl_buf_of(ROOM);
    fl_config_schema(&schema);
    if (getenv("FL_UPDATE_GOLDEN") != NULL)
        write_tree("schemas/json/config.schema.json", schema.ptr);
    read_tree(found, "schemas/json/config.schema.json");
    ck_assert_msg(strcmp(found, schema.ptr) == 0, "'faultline config schema' says something else;"
                                                  " FL_UPDATE_GOLDEN=1 writes it");
    fl_buf_dispose(&schema);
}
END_TEST

START_TEST(the_documented_settings_are_the_tables)
{
    static const char begin_mark[] = "<!-- settings: made by 'faultline config reference' -->\n";
    static char found[ROOM];
    fl_buf page = fl_buf_of(ROOM);
    read_tree(found, "docs/configuration.md");
    char *begin = strstr(found, begin_mark), *end = strstr(found, "<!-- end of settings -->\n");
    ck_assert(begin != NULL && end != NULL);
    fl_buf_add(&page,
               (fl_slice){(unsigned char *)found, (size_t)(begin - found) + strlen(begin_mark)});
    fl_config_reference(&page);
    fl_buf_text(&page, end);
    if (getenv("FL_UPDATE_GOLDEN") != NULL)
        write_tree("docs/configuration.md", page.ptr);
    else
        ck_assert_msg(strcmp(found, page.ptr) == 0, "docs/configuration.md is not what 'faultline"
                                                    " config reference' says; FL_UPDATE_GOLDEN=1"
                                                    " writes it");
    fl_buf_dispose(&page);
}
END_TEST

/* What was complained about but the one thing that an example of everything cannot avoid. */
static void hear(void *payload, bool is_mistake, const char *sentence)
{
    if (is_mistake && strstr(sentence, "a request has one Authorization") == NULL)
        snprintf(payload, 512, "%.511s", sentence);
}

START_TEST(the_example_holds_as_it_is_and_with_everything_said)
{
    fl_buf text = fl_buf_of(ROOM), said = fl_buf_of(ROOM), back = fl_buf_of(ROOM);
    fl_config *config;
    fl_error err = {0};
    char heard[512] = "";
    fl_config_example(&text);
    const fl_config_input as_it_is = {
        .path = "e.yaml", .text = {(unsigned char *)text.ptr, text.len}, .without_files = true};
    ck_assert_ok(fl_config_load(&config, &as_it_is, &err));
    ck_assert_str_eq(config->archive.folder != NULL ? "set" : "", "");
    fl_config_destroy(config);
    for (size_t i = 0; i < text.len; i++) { /* "#x" and "#  x" are settings, "# x" a comment */
        size_t spaces = text.ptr[i] == '#' ? strspn(text.ptr + i + 1, " ") : 1;
        bool begins = i == 0 || text.ptr[i - 1] == '\n' || text.ptr[i - 1] == ' ';
        if (!begins || spaces == 1)
            fl_buf_char(&said, text.ptr[i]);
    }
    const fl_config_input all = {.path = "e.yaml",
                                 .text = {(unsigned char *)said.ptr, said.len},
                                 .without_files = true,
                                 .say = hear,
                                 .payload = heard};
    ck_assert_fails(FL_E_SYNTAX, fl_config_load(&config, &all, &err));
    ck_assert_str_eq(heard, "");
    fl_buf_dispose(&text);
    fl_buf_dispose(&said);
    fl_buf_dispose(&back);
}
END_TEST

START_TEST(what_is_shown_says_who_said_it_and_hides_passwords)
{
    static const char text[] =
        "limits: {body: 1536KiB}\nlisten: {http: ['[::1]:1', 'localhost:2'], grpc: "
        "off}\nsources:\n  loki: [{url: 'http://a', tenant: 'it''s'}]\n";
    const char *const environment[] = {
        "FAULTLINE_STORE_URL=postgresql://me:hidden@db/x?password=hidden&a=b", NULL};
    const fl_config_input input = {
        .path = "c.yaml", .text = SLICE(text), .environment = environment, .without_files = true};
    static const char *const lines[] = {
        "limits.body: 1536KiB                             # c.yaml:1:10\n",
        "listen.http: [::1]:1, localhost:2                # c.yaml:2:10\n",
        "listen.grpc: []                                  # c.yaml:2:44\n",
        "store.url: postgresql://me:***@db/x?password=***&a=b # FAULTLINE_STORE_URL\n",
        "sources.loki[0].tenant: it's                     # c.yaml:4:28\n",
        "sources.loki[0].retries: 3                       # default\n",
        "sources.loki[0].timeout: 30s                     # default\n",
        "redaction.without: []                            # default\n",
    };
    fl_config *config;
    fl_error err = {0};
    fl_buf page = fl_buf_of(ROOM);
    ck_assert_ok(fl_config_load(&config, &input, &err));
    ck_assert_ok(fl_config_show(&page, config, &err));
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_msg(strstr(page.ptr, lines[i]) != NULL, "%s%s", lines[i], page.ptr);
    ck_assert_ptr_null(strstr(page.ptr, "hidden"));
    fl_buf_dispose(&page);
    page = fl_buf_of(ROOM);
    fl_mem_fail_after(0);
    fl_status status = fl_config_show(&page, config, NULL);
    fl_mem_fail_after(-1);
    ck_assert_fails(FL_E_NOMEM, status);
    fl_buf_dispose(&page);
    fl_config_destroy(config);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("config_documents");
    TCase *tests = tcase_create("config_documents");
    tcase_add_test(tests, the_committed_schema_is_the_tables);
    tcase_add_test(tests, the_documented_settings_are_the_tables);
    tcase_add_test(tests, the_example_holds_as_it_is_and_with_everything_said);
    tcase_add_test(tests, what_is_shown_says_who_said_it_and_hides_passwords);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(suite)
