#include "triage_heaps.h"

#include <math.h>
#include <stdio.h>

#include "faultline/triage.h"
#include "fl_folder.h"
#include "fl_test.h"
#include "heap_growing.h"
#include "made_incident.h"
#include "mem.h"
#include "signatures_load.h"
#include "slice.h"

/* Where the time stands: behind "JAVA PROFILE 1.0.2", its zero and the width of ids. */
enum { TIME_AT = 23, MINUTE_MS = 60000 };

static fl_error err;
static fl_arena arena;
static fl_signatures *library;
static fl_folder folder;
static fl_triage_heaps heaps;
static bool has_chains; /* in the maps that are made */
static const char *own; /* signatures; NULL: none */

/* What came into the sink. */
static struct came {
    char service[64];
    size_t levels, resources;
    double first, last;
    int64_t from_ns, to_ns;
    bool refuse;
} came;

static void setup(void)
{
    err = (fl_error){0};
    has_chains = false;
    own = NULL;
    arena = fl_arena_of(256u << 20);
    came = (struct came){.from_ns = INT64_MAX};
    ck_assert_ok(fl_signatures_create(&library, &err));
    ck_assert_ok(fl_signatures_add_built_in(library, &err));
    fl_folder_open(&folder);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    fl_signatures_destroy(library);
    fl_folder_remove(&folder);
}

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *error)
{
    (void)payload;
    (void)error;
    *handle = 7;
    came.resources++;
    snprintf(came.service, sizeof(came.service), "%.*s", FL_SLICE_ARG(resource->service));
    return FL_OK;
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *error)
{
    (void)payload;
    ck_assert_uint_eq(resource, 7);
    ck_assert(fl_slice_equal(point->metric, FL_SLICE("jvm.memory.used_after_last_gc")));
    came.levels++;
    came.first = point->time_ns < came.from_ns ? point->value : came.first;
    came.from_ns = point->time_ns < came.from_ns ? point->time_ns : came.from_ns;
    came.last = point->time_ns > came.to_ns ? point->value : came.last;
    came.to_ns = point->time_ns > came.to_ns ? point->time_ns : came.to_ns;
    return came.refuse ? fl_fail(error, FL_E_LIMIT, FL_NO_OFFSET, "no more of them") : FL_OK;
}

/* A dump of bank's map `minute` minutes into the incident, without its last `cut` bytes. */
static const char *dump(const char *name, uint32_t count, bool one_key, int minute, size_t cut)
{
    const growing g = {.collection = "java/util/HashMap",
                       .size = "size",
                       .array = "table",
                       .field = "CACHE",
                       .element = "shop/Item",
                       .has_nodes = true,
                       .one_key = one_key,
                       .has_chains = has_chains,
                       .count = count,
                       .threads = 2};
    fl_hprof_made made = growing_made(&g);
    made_segment_end(&made);
    made_end(&made);
    uint64_t at_ms = (uint64_t)MADE_INCIDENT_S * 1000 + (uint64_t)(minute * MINUTE_MS);
    for (size_t i = 0; i < 8; i++)
        made.out.ptr[TIME_AT + i] = (char)(at_ms >> (56 - 8 * i));
    const char *path = fl_folder_write(
        &folder, name, fl_slice_part(fl_buf_slice(&made.out), 0, made.out.len - cut));
    fl_buf_dispose(&made.out);
    return fl_arena_printf(&arena, "%s", path);
}

static fl_status read_them(const char *const *paths, size_t count)
{
    const fl_sink sink = {.resource = on_resource, .point = on_point};
    const fl_triage_heaps_from from = {.paths = paths,
                                       .count = count,
                                       .library = library,
                                       .signatures = &own,
                                       .signature_count = own != NULL};
    return fl_triage_heaps_read(&heaps, &from, &sink, &arena, &err);
}

static fl_status read_one(const char *path)
{
    return read_them(&path, 1);
}

/* "bank=A,B" of a map that doubles within a minute. */
static const char *growing_pair(void)
{
    const char *late = dump("b.hprof", 1600, false, 1, 0);
    return fl_arena_printf(&arena, "bank=%s,%s", dump("a.hprof", 400, false, 0, 0), late);
}

/* "heap > class shop.Reg > CACHE java.util.HashMap": kind or class with its field, step by step. */
static const char *way_of(const fl_rank_finding *finding)
{
    const char *text = "heap";
    for (size_t i = 1; i < finding->path_count; i++) {
        const fl_kept_step *step = &finding->path[i];
        text = fl_arena_printf(
            &arena, "%s > %s%s%s%s", text, step->kind == FL_KEPT_CLASS ? "class " : "",
            step->field != NULL ? step->field : "", step->field != NULL ? " " : "", step->type);
    }
    return text;
}

/* Nothing keeps more than what keeps it, now or before. */
static void check_steps(const fl_rank_finding *finding)
{
    ck_assert_str_eq(way_of(finding),
                     "heap > class shop.Reg > CACHE java.util.HashMap > java.lang.Object[] > "
                     "java.util.HashMap$Node");
    ck_assert_int_eq(finding->path[0].kind, FL_KEPT_HEAP);
    for (size_t i = 0; i < finding->path_count; i++) {
        const fl_kept_step *step = &finding->path[i];
        ck_assert(step->has_before && step->left_out == 0);
        ck_assert_uint_gt(step->retained_bytes, step->before_bytes);
        ck_assert_uint_gt(step->before_bytes, 0);
        if (i == 0)
            continue;
        ck_assert_uint_le(step->retained_bytes, step[-1].retained_bytes);
        ck_assert_uint_le(step->before_bytes, step[-1].before_bytes);
    }
    ck_assert_uint_eq(finding->path[4].objects, 1600);
}

START_TEST(what_grew_between_dumps_is_a_cause_with_its_way_and_its_commands)
{
    const char *pair = growing_pair();
    ck_assert_ok(read_one(pair));
    ck_assert_uint_eq(heaps.warning_count, 0);
    ck_assert_uint_eq(heaps.finding_count, 1);
    const fl_rank_finding *finding = &heaps.findings[0];
    ck_assert_int_eq(finding->cause, FL_CAUSE_MEMORY_LEAK);
    ck_assert_str_eq(finding->service, "bank");
    ck_assert_str_eq(finding->kind, "java-static-map-grows");
    ck_assert_str_eq(finding->frame, "shop.Reg.CACHE");
    ck_assert_ptr_null(strstr(finding->text, "kept by way of"));
    ck_assert_uint_eq(finding->path_count, 5);
    check_steps(finding);
    ck_assert_ptr_nonnull(strstr(finding->query, "faultline leak /"));
    ck_assert(finding->value > 0);
    ck_assert_int_eq(finding->at_ns, MADE_INCIDENT_AT + MINUTE_MS * INT64_C(1000000));
    ck_assert_uint_eq(heaps.moment_count, 6);
    ck_assert_int_eq(heaps.moments[0].at_ns, MADE_INCIDENT_AT);
    ck_assert_ptr_nonnull(strstr(heaps.moments[0].query, "a.hprof"));
    ck_assert_str_eq(heaps.moments[5].text,
                     "verification: 2 dumps agree; nothing speaks against it");
    ck_assert_str_eq(heaps.moments[5].query, "faultline signatures show java-static-map-grows");
}
END_TEST

/* Two dumps and one are judged by different parts of the program. */
START_TEST(signatures_of_ones_own_judge_one_dump_and_several)
{
    const char *sign = _i ? "map-grows" : "keys-changed";
    const char *text = fl_arena_printf(
        &arena,
        "signatures:\n  - name: mine\n    title: Mine\n    verdict: leak\n    subject: site\n"
        "    prior: 0.95\n    must:\n      - {feature: heap_sign, matches: '^%s$'}\n"
        "    cause: Because.\n    fix: Do it.\n",
        sign);
    own = fl_arena_printf(&arena, "%s", fl_folder_write(&folder, "own.yaml", fl_slice_of(text)));
    ck_assert_ok(fl_signatures_load(library, &own, 1, &err));
    ck_assert_ok(
        read_one(_i ? growing_pair()
                    : fl_arena_printf(&arena, "bank=%s", dump("a.hprof", 400, true, 0, 0))));
    ck_assert_uint_eq(heaps.finding_count, 1);
    ck_assert_str_eq(heaps.findings[0].kind, "mine");
}
END_TEST

START_TEST(what_dumps_keep_is_a_series_on_their_own_clock)
{
    ck_assert_ok(read_one(growing_pair()));
    ck_assert_str_eq(came.service, "bank");
    ck_assert_uint_eq(came.levels, 2);
    ck_assert_int_eq(came.from_ns, MADE_INCIDENT_AT);
    ck_assert_int_eq(came.to_ns, MADE_INCIDENT_AT + MINUTE_MS * INT64_C(1000000));
    ck_assert(came.last > 2 * came.first && came.first > 0);
}
END_TEST

START_TEST(one_dump_is_an_event_and_tells_what_needs_no_second_one)
{
    const char *path = fl_arena_printf(&arena, "bank=%s", dump("one.hprof", 400, true, 0, 0));
    ck_assert_ok(read_one(path));
    ck_assert_uint_eq(came.levels + came.resources, 0);
    ck_assert_uint_eq(heaps.finding_count, 1);
    ck_assert_str_eq(heaps.findings[0].kind, "java-keys-changed");
    ck_assert_str_eq(heaps.findings[0].frame, "shop.Reg.CACHE");
    ck_assert(heaps.findings[0].confidence > 0.7 && heaps.findings[0].confidence < 0.9);
    ck_assert_ptr_nonnull(strstr(heaps.findings[0].query, "faultline heap --view collections /"));
    ck_assert_str_eq(way_of(&heaps.findings[0]), "heap > class shop.Reg > CACHE java.util.HashMap");
    ck_assert(!heaps.findings[0].path[2].has_before);
    ck_assert_uint_lt(heaps.findings[0].path[2].retained_bytes,
                      heaps.findings[0].path[0].retained_bytes);
    ck_assert_uint_eq(heaps.moment_count, 5);
    ck_assert_ptr_nonnull(strstr(heaps.moments[0].text, "a heap dump: the roots keep "));
    ck_assert_ptr_nonnull(
        strstr(heaps.moments[4].text, "against it: one heap dump alone does not show that it"));
}
END_TEST

/* Of one and of two dumps, with odds that one doubt halves: 0.85 to 0.74. */
START_TEST(a_map_whose_hashes_collide_is_a_state)
{
    has_chains = true;
    const char *path = fl_arena_printf(&arena, "bank=%s", dump("a.hprof", 400, false, 0, 0));
    if (_i > 0)
        path = fl_arena_printf(&arena, "%s,%s", path, dump("b.hprof", 400, false, 1, 0));
    ck_assert_ok(read_one(path));
    ck_assert_uint_eq(heaps.finding_count, 1);
    const fl_rank_finding *finding = &heaps.findings[0];
    ck_assert_int_eq(finding->cause, FL_CAUSE_CPU);
    ck_assert_str_eq(finding->kind, "java-hashes-collide");
    ck_assert_str_eq(finding->frame, "shop.Reg.CACHE");
    ck_assert_double_eq_tol(finding->confidence, 0.5 * 0.85 / (0.5 * 0.85 + 0.15), 1e-9);
    ck_assert_ptr_nonnull(strstr(finding->text, "latency in shop.Reg.CACHE of bank"));
    ck_assert_ptr_nonnull(
        strstr(finding->text, "400 of 400 entries of a java.util.HashMap are in"));
    ck_assert_str_eq(way_of(finding), "heap > class shop.Reg > CACHE java.util.HashMap");
    const char *last = heaps.moments[heaps.moment_count - 1].text;
    ck_assert_ptr_nonnull(strstr(last, "against it: a dump shows how it is, not that anything"));
}
END_TEST

START_TEST(healthy_dumps_blame_nobody_and_two_of_them_speak_against_a_leak)
{
    const char *one = fl_arena_printf(&arena, "bank=%s", dump("a.hprof", 400, false, 0, 0));
    ck_assert_ok(read_one(one));
    ck_assert_uint_eq(heaps.finding_count, 0);
    ck_assert_uint_eq(heaps.moment_count, 1);
    const char *two[] = {one,
                         fl_arena_printf(&arena, "bank=%s", dump("b.hprof", 400, false, 1, 0))};
    ck_assert_ok(read_them(two, 2));
    ck_assert_uint_eq(heaps.finding_count, 1);
    ck_assert(heaps.findings[0].against);
    ck_assert_str_eq(heaps.findings[0].text, "2 dumps of the heap of bank show no leak");
}
END_TEST

START_TEST(the_order_of_files_and_one_given_twice_do_not_show)
{
    const char *pair = growing_pair();
    ck_assert_ok(read_one(pair));
    const fl_triage_heaps first = heaps;
    const char *turned[] = {fl_arena_printf(&arena, "bank=%s/b.hprof", folder.path),
                            fl_arena_printf(&arena, "bank=%s/a.hprof", folder.path), pair};
    ck_assert_ok(read_them(turned, 3));
    ck_assert_uint_eq(heaps.moment_count, first.moment_count);
    ck_assert_str_eq(heaps.findings[0].text, first.findings[0].text);
    ck_assert_str_eq(heaps.findings[0].query, first.findings[0].query);
    for (size_t i = 0; i < first.moment_count; i++)
        ck_assert_str_eq(heaps.moments[i].text, first.moments[i].text);
}
END_TEST

START_TEST(a_dump_that_was_cut_is_used_as_far_as_it_goes_and_told)
{
    const char *one = fl_arena_printf(&arena, "bank=%s", dump("a.hprof", 400, false, 0, 20));
    ck_assert_ok(read_one(one));
    ck_assert_uint_eq(heaps.unreadable, 1);
    ck_assert_uint_eq(heaps.warning_count, 1);
    ck_assert_ptr_nonnull(strstr(heaps.warnings[0], "a.hprof: the heap dump ends inside"));
    const char *two[] = {one,
                         fl_arena_printf(&arena, "bank=%s", dump("b.hprof", 400, false, 1, 0))};
    ck_assert_ok(read_them(two, 2));
    ck_assert_uint_eq(heaps.unreadable, 1);
    ck_assert_uint_eq(heaps.finding_count, 0);
}
END_TEST

START_TEST(class_histograms_are_compared_and_one_alone_says_so)
{
    static const char head[] = " num     #instances         #bytes  class name (module)\n"
                               "-------------------------------------------------------\n";
    static const char rows[] = "   1:          1000      100000  shop.Item\n"
                               "Total          1000      100000\n";
    char text[512];
    snprintf(text, sizeof(text), "%s%s", head, rows);
    const char *path = fl_folder_write(&folder, "a.txt", fl_slice_of(text));
    ck_assert_ok(read_one(fl_arena_printf(&arena, "bank=%s", path)));
    ck_assert_uint_eq(heaps.moment_count + heaps.finding_count + heaps.unreadable, 0);
    ck_assert_uint_eq(heaps.warning_count, 1);
    ck_assert_ptr_nonnull(strstr(heaps.warnings[0], "one class histogram alone says nothing"));
}
END_TEST

static const struct {
    const char *path;
    fl_status status;
    const char *message; /* with FL_OK: the first warning */
} bad[] = {
    {"a.hprof", FL_E_SYNTAX, "whose is a.hprof? say --heap SERVICE=a.hprof"},
    {"bank=", FL_E_SYNTAX, "--heap bank= names no file"},
    {"bank=,,", FL_E_SYNTAX, "--heap bank=,, names no file"},
    {"bank=/nowhere/a.hprof", FL_E_NOTFOUND, "/nowhere/a.hprof"},
    {"bank=" FL_SOURCE_DIR "/CHANGELOG.md", FL_OK,
     "CHANGELOG.md: this is neither a heap dump of a Java program nor a class histogram"},
};

START_TEST(what_cannot_be_read_is_said)
{
    ck_assert_int_eq(read_one(bad[_i].path), bad[_i].status);
    const char *said = bad[_i].status == FL_OK ? heaps.warnings[0] : err.message;
    ck_assert_msg(strstr(said, bad[_i].message) != NULL, "%s", said);
    ck_assert_uint_eq(heaps.unreadable, bad[_i].status == FL_OK);
}
END_TEST

START_TEST(each_beginning_of_a_dump_fails_cleanly)
{
    fl_hprof_made made = made_sample(8);
    for (size_t len = 0; len < made.out.len; len += 41) {
        const char *path =
            fl_folder_write(&folder, "cut.hprof", fl_slice_part(fl_buf_slice(&made.out), 0, len));
        ck_assert_ok(read_one(fl_arena_printf(&arena, "bank=%s", path)));
        ck_assert_uint_eq(heaps.finding_count, 0);
        ck_assert_uint_eq(heaps.unreadable, heaps.warning_count);
    }
    fl_buf_dispose(&made.out);
}
END_TEST

START_TEST(more_files_than_are_taken_are_refused)
{
    fl_buf text = fl_buf_of(4096);
    fl_buf_text(&text, "bank=");
    for (size_t i = 0; i < 65; i++)
        fl_buf_text(&text, "a,");
    ck_assert_int_eq(read_one(fl_arena_cstr(&arena, fl_buf_slice(&text))), FL_E_LIMIT);
    fl_buf_dispose(&text);
    ck_assert_str_eq(err.message, "more than 64 heap dumps");
}
END_TEST

START_TEST(what_the_sink_refuses_ends_it)
{
    came.refuse = true;
    ck_assert_int_eq(read_one(growing_pair()), FL_E_LIMIT);
    ck_assert_str_eq(err.message, "no more of them");
}
END_TEST

/* Alone, and as one of two. */
START_TEST(running_out_of_memory_is_an_error)
{
    char place[256], text[600];
    fl_status status = FL_E_NOMEM;
    (void)dump("a.hprof", 40, true, 0, 0);
    (void)dump("b.hprof", 80, true, 1, 0);
    snprintf(place, sizeof(place), "%s", folder.path);
    snprintf(text, sizeof(text), _i ? "bank=%s/a.hprof,%s/b.hprof" : "bank=%s/a.hprof", place,
             place);
    for (long n = 0; status != FL_OK; n = n < 40 ? n + 1 : n + n / 8) {
        fl_arena_dispose(&arena);
        arena = fl_arena_of(256u << 20);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = read_one(text);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_int_lt(n, 100000);
    }
}
END_TEST

/* ---- in a triage ---- */

static const fl_incident *answer(fl_triage **triage, const char *otlp, const char *path)
{
    const fl_triage_request request = {.otlp = &otlp,
                                       .otlp_count = 1,
                                       .at_ns = MADE_INCIDENT_AT,
                                       .heaps = &path,
                                       .heap_count = path != NULL};
    ck_assert_ok(fl_triage_run(triage, &request, &err));
    return fl_triage_incident(*triage);
}

/* A figure of bank's has jumped; only the dumps know why. */
static void made_jump(fl_buf *out, const char *name, const char *unit, double one)
{
    for (int minute = -30; minute < 3; minute++)
        for (int is_bank = 0; is_bank < 2; is_bank++) {
            int64_t at_ms = (INT64_C(1700000000) + 60 * minute + 1) * 1000;
            made_resource(out, "Metrics", is_bank ? "bank" : "shop");
            fl_buf_printf(out,
                          "\"metrics\":[{\"name\":\"%s\",\"unit\":\"%s\",\"gauge\":{"
                          "\"dataPoints\":[{\"timeUnixNano\":\"%" PRId64
                          "000000\",\"asDouble\":%g}]}}]}]}]}\n",
                          name, unit, at_ms,
                          one * ((is_bank && minute >= 0 ? 900 : 200) + 0.1 * (minute & 1)));
        }
}

static void made_memory(fl_buf *out)
{
    made_jump(out, "jvm.memory.used", "By", 1e6);
}

/* A map that collides costs time: it names the processor's trouble, and is told all the same where
 * there is none. */
START_TEST(a_map_that_collides_is_a_cause_of_processor_time)
{
    fl_triage *triage;
    fl_buf text = fl_buf_of(256u << 20);
    made_jump(&text, "jvm.cpu.recent_utilization", "1", 1e-3);
    const char *otlp = fl_arena_printf(
        &arena, "%s", fl_folder_write(&folder, "telemetry.jsonl", fl_buf_slice(&text)));
    const fl_incident *incident = answer(&triage, otlp, NULL);
    ck_assert_int_eq(incident->hypotheses[0].cause, FL_CAUSE_CPU);
    double before = incident->hypotheses[0].score;
    fl_triage_destroy(triage);
    has_chains = true;
    incident = answer(&triage, otlp,
                      fl_arena_printf(&arena, "bank=%s", dump("a.hprof", 400, false, 0, 0)));
    const fl_hypothesis *first = &incident->hypotheses[0];
    ck_assert_str_eq(first->service, "bank");
    ck_assert_int_eq(first->cause, FL_CAUSE_CPU);
    ck_assert_str_eq(first->locus_name, "shop.Reg.CACHE");
    ck_assert_double_eq_tol(first->score - before, log(0.5 * 0.85 / 0.15), 1e-6);
    fl_triage_destroy(triage);
    fl_buf_dispose(&text);
}
END_TEST

/* A list of Strings that are all equal, each with bytes of its own. */
static const char *dump_of_texts(void)
{
    enum { TABLE = 0x600, REG = 0x700, ROWS = 0x8000, COUNT = 300 };
    static const made_member string[] = {{"value", FL_HEAP_REFERENCE, 0},
                                         {"coder", FL_HEAP_BYTE, 0}};
    static const made_member statics[] = {{"TEXTS", FL_HEAP_REFERENCE, ROWS}};
    static const char text[] = "the same words in every one of them, over and over again";
    static uint64_t rows[COUNT];
    const built_class classes[] = {
        {GROWING_OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {GROWING_CLASS, GROWING_OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {GROWING_STRING, GROWING_OBJECT, "java/lang/String", NULL, 0, string, 2},
        {GROWING_BYTES, GROWING_OBJECT, "[B", NULL, 0, NULL, 0},
        {TABLE, GROWING_OBJECT, "[Ljava/lang/Object;", NULL, 0, NULL, 0},
        {REG, GROWING_OBJECT, "shop/Reg", statics, 1, NULL, 0},
    };
    fl_hprof_made m = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    for (uint32_t i = 0; i < COUNT; i++)
        rows[i] = growing_at(0, i);
    made_objects(&m, ROWS, TABLE, rows, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        built_string(&m, growing_at(0, i), GROWING_STRING, growing_at(1, i), 0);
        made_values(&m, growing_at(1, i), FL_HEAP_BYTE, text, sizeof(text) - 1);
    }
    made_segment_end(&m);
    made_end(&m);
    const char *path = fl_folder_write(&folder, "texts.hprof", fl_buf_slice(&m.out));
    fl_buf_dispose(&m.out);
    return fl_arena_printf(&arena, "bank=%s", path);
}

/* The other way round than a map that collides: memory, and no processor time. */
START_TEST(repeated_texts_are_a_cause_of_memory_alone)
{
    fl_triage *triage;
    fl_buf text = fl_buf_of(256u << 20);
    bool is_memory = _i > 0;
    if (is_memory)
        made_memory(&text);
    else
        made_jump(&text, "jvm.cpu.recent_utilization", "1", 1e-3);
    const char *otlp = fl_arena_printf(
        &arena, "%s", fl_folder_write(&folder, "telemetry.jsonl", fl_buf_slice(&text)));
    const fl_incident *incident = answer(&triage, otlp, dump_of_texts());
    const fl_hypothesis *first = &incident->hypotheses[0];
    ck_assert_int_eq(first->cause, is_memory ? FL_CAUSE_MEMORY : FL_CAUSE_CPU);
    ck_assert_int_eq(first->locus == FL_LOCUS_FRAME, is_memory);
    if (is_memory)
        ck_assert_str_eq(first->locus_name, "shop.Reg.TEXTS");
    bool is_told = false;
    for (size_t i = 0; i < first->evidence_count; i++)
        is_told |= first->evidence[i].finding != NULL &&
                   strcmp(first->evidence[i].finding, "java-repeated-texts") == 0;
    ck_assert_int_eq(is_told, is_memory);
    fl_triage_destroy(triage);
    fl_buf_dispose(&text);
}
END_TEST

START_TEST(a_state_is_no_cause_of_other_trouble)
{
    fl_triage *triage;
    fl_buf text = fl_buf_of(256u << 20);
    made_memory(&text);
    has_chains = true;
    const char *otlp = fl_arena_printf(
        &arena, "%s", fl_folder_write(&folder, "telemetry.jsonl", fl_buf_slice(&text)));
    const char *path = fl_arena_printf(&arena, "bank=%s", dump("a.hprof", 400, false, 0, 0));
    const fl_incident *incident = answer(&triage, otlp, path);
    ck_assert_uint_gt(incident->moment_count, 1); /* it is told all the same */
    for (size_t i = 0; i < incident->hypothesis_count; i++) {
        ck_assert_int_ne(incident->hypotheses[i].locus, FL_LOCUS_FRAME);
        ck_assert_int_ne(incident->hypotheses[i].cause, FL_CAUSE_CPU);
    }
    fl_triage_destroy(triage);
    fl_buf_dispose(&text);
}
END_TEST

START_TEST(dumps_name_the_cause_that_telemetry_only_sees_the_effect_of)
{
    fl_triage *triage;
    fl_buf text = fl_buf_of(256u << 20);
    made_memory(&text);
    const char *otlp = fl_arena_printf(
        &arena, "%s", fl_folder_write(&folder, "telemetry.jsonl", fl_buf_slice(&text)));
    const fl_incident *incident = answer(&triage, otlp, NULL);
    ck_assert_uint_gt(incident->hypothesis_count, 0);
    double before = incident->hypotheses[0].score;
    ck_assert_int_ne(incident->hypotheses[0].locus, FL_LOCUS_FRAME);
    ck_assert_uint_eq(incident->moment_count, 0);
    fl_triage_destroy(triage);
    const char *pair = growing_pair();
    incident = answer(&triage, otlp, pair);
    const fl_hypothesis *first = &incident->hypotheses[0];
    ck_assert_str_eq(first->service, "bank");
    ck_assert_int_eq(first->cause, FL_CAUSE_MEMORY_LEAK);
    ck_assert_str_eq(first->locus_name, "shop.Reg.CACHE");
    ck_assert(first->score > before + 0.3);
    size_t paths = 0;
    for (size_t i = 0; i < first->evidence_count; i++)
        paths += first->evidence[i].path_count > 0;
    ck_assert_uint_eq(paths, 1);
    ck_assert_uint_eq(incident->moment_count, 6);
    ck_assert_uint_eq(incident->warning_count, 0);
    fl_triage_destroy(triage);
    const char *stranger = fl_arena_printf(&arena, "bnak=%s", pair + strlen("bank="));
    incident = answer(&triage, otlp, stranger);
    ck_assert_uint_eq(incident->warning_count, 1);
    ck_assert_str_eq(incident->warnings[0],
                     "no telemetry tells of the service bnak, whose heap dumps were given");
    fl_triage_destroy(triage);
    fl_buf_dispose(&text);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("triage_heaps");
    TCase *tc = tcase_create("triage_heaps");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_grew_between_dumps_is_a_cause_with_its_way_and_its_commands);
    tcase_add_loop_test(tc, signatures_of_ones_own_judge_one_dump_and_several, 0, 2);
    tcase_add_test(tc, what_dumps_keep_is_a_series_on_their_own_clock);
    tcase_add_test(tc, one_dump_is_an_event_and_tells_what_needs_no_second_one);
    tcase_add_loop_test(tc, a_map_whose_hashes_collide_is_a_state, 0, 2);
    tcase_add_test(tc, healthy_dumps_blame_nobody_and_two_of_them_speak_against_a_leak);
    tcase_add_test(tc, the_order_of_files_and_one_given_twice_do_not_show);
    tcase_add_test(tc, a_dump_that_was_cut_is_used_as_far_as_it_goes_and_told);
    tcase_add_test(tc, class_histograms_are_compared_and_one_alone_says_so);
    tcase_add_loop_test(tc, what_cannot_be_read_is_said, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tc, each_beginning_of_a_dump_fails_cleanly);
    tcase_add_test(tc, more_files_than_are_taken_are_refused);
    tcase_add_test(tc, what_the_sink_refuses_ends_it);
    tcase_add_loop_test(tc, running_out_of_memory_is_an_error, 0, 2);
    tcase_add_test(tc, a_map_that_collides_is_a_cause_of_processor_time);
    tcase_add_loop_test(tc, repeated_texts_are_a_cause_of_memory_alone, 0, 2);
    tcase_add_test(tc, a_state_is_no_cause_of_other_trouble);
    tcase_add_test(tc, dumps_name_the_cause_that_telemetry_only_sees_the_effect_of);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
