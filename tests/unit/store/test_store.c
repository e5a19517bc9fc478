#include "store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"

#include "fl_incidents.h"
#include "fl_test.h"

static fl_error err;
static char folder[64], path[128];

static void setup(void)
{
    err = (fl_error){0};
    snprintf(folder, sizeof(folder), "/tmp/fl_store_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/store.db", folder);
}

static void teardown(void)
{
    char command[256];
    fl_mem_fail_after(-1);
    snprintf(command, sizeof(command), "chmod -R u+w '%s' && rm -rf '%s'", folder, folder);
    ck_assert_int_eq(system(command), 0);
}

static fl_store *opened(void)
{
    fl_store *store = NULL;
    ck_assert_ok(fl_store_open(&store, path, FL_STORE_CREATE, &err));
    return store;
}

static void put(fl_store *store, const char *id, const char *document, int64_t now_ns)
{
    fl_incident incident = fl_test_incident;
    incident.id = id;
    ck_assert_ok(fl_store_put(store, &incident, SLICE(document), now_ns, &err));
}

typedef struct seen {
    char ids[256];
    size_t count;
    fl_store_row last;
} seen;

static fl_status see(const fl_store_row *row, void *payload, fl_error *e)
{
    seen *all = payload;
    (void)e;
    snprintf(all->ids + strlen(all->ids), sizeof(all->ids) - strlen(all->ids), "%s%s",
             all->count > 0 ? " " : "", row->id);
    all->count++;
    all->last = *row;
    return FL_OK;
}

static void write_file(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(what_was_put_is_there_after_opening_again)
{
    char *document = NULL;
    seen all = {0};
    fl_store *store = opened();
    put(store, "3f9a", "{\"a\": \"\u00e9\"}", 5);
    fl_store_close(store);
    store = opened();
    ck_assert_ok(fl_store_get(store, "3f9a", &document, &err));
    ck_assert_str_eq(document, "{\"a\": \"\u00e9\"}");
    fl_mem_free(document);
    ck_assert_ok(fl_store_list(store, 0, see, &all, &err));
    ck_assert_uint_eq(all.count, 1);
    ck_assert_int_eq(all.last.at_ns, FL_TEST_AT_NS);
    ck_assert_int_eq(all.last.stored_ns, 5);
    ck_assert_double_eq(all.last.probability, fl_test_incident.hypotheses[0].probability);
    fl_store_close(store);
}
END_TEST

static int64_t stamp_of(fl_store *store, const char *id)
{
    int64_t stored_ns = -1;
    ck_assert_ok(fl_store_stamp(&stored_ns, store, id, &err));
    return stored_ns;
}

START_TEST(the_stamp_of_an_incident_grows_with_each_other_document)
{
    int64_t stored_ns;
    fl_store *store = opened();
    put(store, "one", "{\"a\": 1}", 5);
    ck_assert_int_eq(stamp_of(store, "one"), 5);
    put(store, "one", "{\"a\": 1}", 5);
    ck_assert_int_eq(stamp_of(store, "one"), 5);
    put(store, "one", "{\"a\": 2}", 5);
    ck_assert_int_eq(stamp_of(store, "one"), 6);
    put(store, "one", "{\"a\": 3}", 2); /* a clock that was set back */
    ck_assert_int_eq(stamp_of(store, "one"), 7);
    put(store, "one", "{\"a\": 3}", 9);
    ck_assert_int_eq(stamp_of(store, "one"), 9);
    ck_assert_fails(FL_E_NOTFOUND, fl_store_stamp(&stored_ns, store, "on", &err));
    ck_assert_str_eq(err.message, "there is no incident on");
    fl_store_close(store);
}
END_TEST

static fl_status check_row(const fl_store_row *row, void *payload, fl_error *e)
{
    (void)payload;
    (void)e;
    ck_assert_str_eq(row->verdict, "no-confident-cause");
    ck_assert_ptr_null(row->service);
    ck_assert_ptr_null(row->cause);
    ck_assert(isnan(row->probability));
    return FL_OK;
}

START_TEST(an_incident_without_hypotheses_has_no_service_and_no_probability)
{
    fl_store *store = opened();
    ck_assert_ok(fl_store_put(store, &fl_test_empty_incident, SLICE("{}"), 1, &err));
    ck_assert_ok(fl_store_list(store, 0, check_row, NULL, &err));
    fl_store_close(store);
}
END_TEST

START_TEST(the_newest_is_listed_first_and_the_limit_holds)
{
    seen all = {0}, two = {0};
    fl_store *store = opened();
    put(store, "b", "{}", 20);
    put(store, "a", "{}", 30);
    put(store, "c", "{}", 10);
    ck_assert_ok(fl_store_list(store, 0, see, &all, &err));
    ck_assert_str_eq(all.ids, "a b c");
    ck_assert_ok(fl_store_list(store, 2, see, &two, &err));
    ck_assert_str_eq(two.ids, "a b");
    fl_store_close(store);
}
END_TEST

START_TEST(the_same_id_replaces_the_older_copy)
{
    char *document = NULL;
    seen all = {0};
    fl_store *store = opened();
    put(store, "3f9a", "{\"n\": 1}", 1);
    put(store, "3f9a", "{\"n\": 2}", 2);
    ck_assert_ok(fl_store_list(store, 0, see, &all, &err));
    ck_assert_uint_eq(all.count, 1);
    ck_assert_ok(fl_store_get(store, "3f9a", &document, &err));
    ck_assert_str_eq(document, "{\"n\": 2}");
    fl_mem_free(document);
    fl_store_close(store);
}
END_TEST

static fl_status stop(const fl_store_row *row, void *payload, fl_error *e)
{
    (void)row;
    ++*(int *)payload;
    return fl_fail(e, FL_E_STOPPED, FL_NO_OFFSET, "enough");
}

START_TEST(a_visit_that_stops_ends_the_list)
{
    int visits = 0;
    fl_store *store = opened();
    put(store, "a", "{}", 1);
    put(store, "b", "{}", 2);
    ck_assert_fails(FL_E_STOPPED, fl_store_list(store, 0, stop, &visits, &err));
    ck_assert_int_eq(visits, 1);
    fl_store_close(store);
}
END_TEST

/* Which document a beginning of an id finds, or what is said. */
static const struct {
    const char *prefix, *document, *message_start;
} prefixes[] = {
    {"3f9a2c", "{\"n\": 1}", NULL},
    {"3f9a", "{\"n\": 3}", NULL}, /* an id itself, though it begins others */
    {"40", "{\"n\": 4}", NULL},
    {"3f9", NULL, "'3f9' begins several ids: 3f9a, 3f9a2c, 3f9b"},
    {"", NULL, "'' begins several ids: 3f9a, 3f9a2c, 3f9b, 40%_"},
    {"5", NULL, "no incident '5' in store /tmp/fl_store_"},
    {"4_", NULL, "no incident '4_' in store /tmp/fl_store_"},
    {"3f9a' OR '1'='1", NULL, "no incident '3f9a' OR '1'='1' in store /tmp/fl_store_"},
    {"40%_", "{\"n\": 4}", NULL},
    {"3F9A2C", NULL, "no incident '3F9A2C' in store /tmp/fl_store_"},
};

START_TEST(an_id_is_found_by_a_unique_beginning)
{
    char *document = NULL;
    fl_store *store = opened();
    put(store, "3f9a2c", "{\"n\": 1}", 1);
    put(store, "3f9b", "{\"n\": 2}", 2);
    put(store, "3f9a", "{\"n\": 3}", 3);
    put(store, "40%_", "{\"n\": 4}", 4);
    fl_status status = fl_store_get(store, prefixes[_i].prefix, &document, &err);
    if (prefixes[_i].document != NULL) {
        ck_assert_ok(status);
        ck_assert_str_eq(document, prefixes[_i].document);
    } else {
        ck_assert_fails(FL_E_NOTFOUND, status);
        ck_assert_ptr_null(document);
        ck_assert_msg(strncmp(err.message, prefixes[_i].message_start,
                              strlen(prefixes[_i].message_start)) == 0,
                      "%s", err.message);
    }
    fl_mem_free(document);
    fl_store_close(store);
}
END_TEST

static const struct {
    const char *url;
    fl_status status;
    const char *message;
} bad_urls[] = {
    {"mysql://db/x", FL_E_UNSUPPORTED, "unknown store 'mysql'; known: sqlite, postgresql"},
    {"file:x.db", FL_E_UNSUPPORTED, "unknown store 'file'; known: sqlite, postgresql"},
    {"sqlite:", FL_E_SYNTAX, "store 'sqlite:' names no place"},
    {"", FL_E_SYNTAX, "store '' names no place"},
    {"/nowhere/at/all.db", FL_E_IO,
     "opening store /nowhere/at/all.db failed: unable to open database file: No such file or"
     " directory"},
    {"/dev/null/x.db", FL_E_IO,
     "opening store /dev/null/x.db failed: unable to open database file: Not a directory"},
};

START_TEST(a_url_that_leads_nowhere_is_explained)
{
    fl_store *store = NULL;
    ck_assert_fails(bad_urls[_i].status,
                    fl_store_open(&store, bad_urls[_i].url, FL_STORE_CREATE, &err));
    ck_assert_str_eq(err.message, bad_urls[_i].message);
    ck_assert_ptr_null(store);
}
END_TEST

START_TEST(a_url_with_the_scheme_and_a_plain_path_are_the_same_store)
{
    char url[160];
    seen all = {0};
    fl_store *store = opened();
    put(store, "a", "{}", 1);
    fl_store_close(store);
    snprintf(url, sizeof(url), "sqlite:%s", path);
    ck_assert_ok(fl_store_open(&store, url, FL_STORE_EXISTING, &err));
    ck_assert_ok(fl_store_list(store, 0, see, &all, &err));
    ck_assert_str_eq(all.ids, "a");
    fl_store_close(store);
}
END_TEST

START_TEST(a_missing_store_is_not_made_for_reading)
{
    fl_store *store = NULL;
    char expected[160];
    ck_assert_fails(FL_E_NOTFOUND, fl_store_open(&store, path, FL_STORE_EXISTING, &err));
    snprintf(expected, sizeof(expected), "no store at %s", path);
    ck_assert_str_eq(err.message, expected);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

static const struct {
    const char *bytes;
    size_t len;
} strangers[] = {
    {"x", 1},
    {"not a database, but a text of some length that goes on for more than a header has bytes. "
     "And on.",
     96},
    {"SQLite format 3\0 and then nothing of it", 38},
};

START_TEST(a_file_that_is_no_store_is_refused_and_left_alone)
{
    fl_store *store = NULL;
    char now[128] = "";
    write_file(strangers[_i].bytes, strangers[_i].len);
    ck_assert_fails(FL_E_SYNTAX, fl_store_open(&store, path, FL_STORE_CREATE, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "is not a Faultline store"));
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(now, 1, sizeof(now), file), strangers[_i].len);
    fclose(file);
    ck_assert_mem_eq(now, strangers[_i].bytes, strangers[_i].len);
}
END_TEST

START_TEST(a_database_of_someone_else_is_refused_and_left_alone)
{
    fl_store *store = NULL;
    run_sql("CREATE TABLE customer (name TEXT)");
    ck_assert_fails(FL_E_SYNTAX, fl_store_open(&store, path, FL_STORE_CREATE, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "is an SQLite file but not a Faultline store"));
    run_sql("INSERT INTO customer VALUES ('still there')");
}
END_TEST

START_TEST(a_newer_version_is_refused_and_left_alone)
{
    fl_store_close(opened());
    run_sql("PRAGMA user_version = 99");
    fl_store *store = NULL;
    ck_assert_fails(FL_E_UNSUPPORTED, fl_store_open(&store, path, FL_STORE_CREATE, &err));
    ck_assert_ptr_nonnull(
        strstr(err.message, "has version 99; this program knows up to 6: upgrade it"));
    run_sql("SELECT id FROM incident");
}
END_TEST

START_TEST(a_damaged_store_is_an_error_and_not_a_crash)
{
    fl_store *store = opened();
    for (int i = 0; i < 50; i++) {
        char id[16], document[512];
        snprintf(id, sizeof(id), "id%d", i);
        snprintf(document, sizeof(document), "{\"pad\": \"%0400d\"}", i);
        put(store, id, document, i);
    }
    fl_store_close(store);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, 4096, SEEK_SET);
    for (int i = 0; i < 20000; i++)
        fputc(0xA5, file);
    fclose(file);
    seen all = {0};
    fl_status status = fl_store_open(&store, path, FL_STORE_EXISTING, &err);
    if (status == FL_OK) {
        status = fl_store_list(store, 0, see, &all, &err);
        fl_store_close(store);
    }
    ck_assert_fails(FL_E_SYNTAX, status);
    ck_assert_ptr_nonnull(strstr(err.message, "is damaged"));
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_is_explained)
{
    fl_store *store = NULL;
    ck_assert_int_eq(chmod(folder, 0555), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(folder, 65534, 65534), 0);
        ck_assert_int_eq(setuid(65534),
                         0); /* root may write anywhere; the fork dies with the test */
    }
    ck_assert_fails(FL_E_IO, fl_store_open(&store, path, FL_STORE_CREATE, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "unable to open database file"));
}
END_TEST

/* A child that opens the store when the gate opens and puts `count` incidents. */
static pid_t writer(int gate, int number, int count)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    char byte;
    fl_store *store = NULL;
    fl_incident incident = fl_test_incident;
    fl_error own = {0};
    if (read(gate, &byte, 1) < 0)
        _exit(2);
    fl_status status = fl_store_open(&store, path, FL_STORE_CREATE, &own);
    for (int i = 0; status == FL_OK && i < count; i++) {
        char id[32];
        snprintf(id, sizeof(id), "w%d-%03d", number, i);
        incident.id = id;
        status = fl_store_put(store, &incident, SLICE("{}"), i, &own);
    }
    fl_store_close(store);
    if (status != FL_OK)
        fprintf(stderr, "writer %d: %s\n", number, own.message);
    _exit(status == FL_OK ? 0 : 1);
}

START_TEST(processes_that_begin_and_write_at_once_all_succeed)
{
    enum { WRITERS = 4, EACH = 25 };
    int gate[2];
    pid_t children[WRITERS];
    ck_assert_int_eq(pipe(gate), 0);
    for (int i = 0; i < WRITERS; i++) {
        children[i] = writer(gate[0], i, EACH);
        ck_assert_int_gt(children[i], 0);
    }
    ck_assert_int_eq(write(gate[1], "go!!", WRITERS), WRITERS);
    for (int i = 0; i < WRITERS; i++) {
        int result = -1;
        ck_assert_int_eq(waitpid(children[i], &result, 0), children[i]);
        ck_assert(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    }
    close(gate[0]);
    close(gate[1]);
    seen all = {0};
    fl_store *store = opened();
    ck_assert_ok(fl_store_list(store, 0, see, &all, &err));
    ck_assert_uint_eq(all.count, WRITERS * EACH);
    fl_store_close(store);
}
END_TEST

START_TEST(a_closed_null_store_is_a_no_op)
{
    fl_store_close(NULL);
}
END_TEST

/* SQLite's own allocations through the countdown too: a block's size stands in front of it. */
enum { HEAD = 16 };

static void *count_alloc(int size)
{
    char *block = fl_mem_alloc((size_t)size + HEAD);
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof(size));
    return block + HEAD;
}

static void count_free(void *block)
{
    if (block != NULL)
        fl_mem_free((char *)block - HEAD);
}

static int count_size(void *block)
{
    int size = 0;
    if (block != NULL)
        memcpy(&size, (char *)block - HEAD, sizeof(size));
    return size;
}

static void *count_realloc(void *block, int size)
{
    char *moved = fl_mem_realloc((char *)block - HEAD, (size_t)size + HEAD, 1);
    if (moved == NULL)
        return NULL;
    memcpy(moved, &size, sizeof(size));
    return moved + HEAD;
}

static int count_roundup(int size)
{
    return (size + 7) & ~7;
}

static int count_init(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void count_shutdown(void *unused)
{
    (void)unused;
}

static void count_sqlite_allocations(void)
{
    static const sqlite3_mem_methods methods = {
        count_alloc,   count_free, count_realloc,  count_size,
        count_roundup, count_init, count_shutdown, NULL,
    };
    ck_assert_int_eq(sqlite3_shutdown(), SQLITE_OK);
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
    ck_assert_int_eq(sqlite3_initialize(), SQLITE_OK);
}

static fl_status use_store(fl_error *own)
{
    fl_store *store = NULL;
    char *document = NULL;
    seen all = {0};
    fl_status status = fl_store_open(&store, path, FL_STORE_CREATE, own);
    if (status == FL_OK)
        status = fl_store_put(store, &fl_test_incident, SLICE("{}"), 1, own);
    if (status == FL_OK)
        status = fl_store_list(store, 0, see, &all, own);
    if (status == FL_OK)
        status = fl_store_get(store, "3f", &document, own);
    if (status == FL_OK)
        ck_assert_str_eq(document, "{}");
    fl_mem_free(document);
    fl_store_close(store);
    return status;
}

/* SQLite survives a few failures on its own (a cache that stays smaller), so the run is repeated
 * until it succeeds with no failure left to serve. */
START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    long failures = 0;
    count_sqlite_allocations();
    for (; status != FL_OK; failures++) {
        fl_error own = {0};
        fl_mem_fail_after(failures);
        status = use_store(&own);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM || status == FL_E_IO,
                      "allocation %ld: %s", failures, own.message);
    }
    ck_assert_int_gt(failures, 50);
    ck_assert_ok(use_store(&err));
}
END_TEST

static Suite *store_suite(void)
{
    Suite *suite = suite_create("store/store");
    TCase *cases = tcase_create("store");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, what_was_put_is_there_after_opening_again);
    tcase_add_test(cases, the_stamp_of_an_incident_grows_with_each_other_document);
    tcase_add_test(cases, an_incident_without_hypotheses_has_no_service_and_no_probability);
    tcase_add_test(cases, the_newest_is_listed_first_and_the_limit_holds);
    tcase_add_test(cases, the_same_id_replaces_the_older_copy);
    tcase_add_test(cases, a_visit_that_stops_ends_the_list);
    tcase_add_loop_test(cases, an_id_is_found_by_a_unique_beginning, 0,
                        sizeof(prefixes) / sizeof(prefixes[0]));
    tcase_add_loop_test(cases, a_url_that_leads_nowhere_is_explained, 0,
                        sizeof(bad_urls) / sizeof(bad_urls[0]));
    tcase_add_test(cases, a_url_with_the_scheme_and_a_plain_path_are_the_same_store);
    tcase_add_test(cases, a_missing_store_is_not_made_for_reading);
    tcase_add_loop_test(cases, a_file_that_is_no_store_is_refused_and_left_alone, 0,
                        sizeof(strangers) / sizeof(strangers[0]));
    tcase_add_test(cases, a_database_of_someone_else_is_refused_and_left_alone);
    tcase_add_test(cases, a_newer_version_is_refused_and_left_alone);
    tcase_add_test(cases, a_damaged_store_is_an_error_and_not_a_crash);
    tcase_add_test(cases, a_folder_that_cannot_be_written_is_explained);
    tcase_add_test(cases, processes_that_begin_and_write_at_once_all_succeed);
    tcase_add_test(cases, a_closed_null_store_is_a_no_op);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(store_suite)
