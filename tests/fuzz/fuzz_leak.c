/*
 * fuzz_leak.c - snapshots made of bytes, judged: the report keeps the contract of faultline/leak.h,
 * and the order in which snapshots came does not show.
 *
 * Each snapshot begins with a byte for its kind and minute; pairs of bytes are its samples: a stack
 * and block size, and a value. A byte of 0xff ends it.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "fuzz.h"
#include "leak_analysis.h"
#include "slice.h"

enum { MOST_SNAPSHOTS = 24, MOST_SAMPLES = 24, STACKS = 8, SIZES = 8 };

static const char *const names[] = {
    "main.(*store).put",
    "main.serve",
    "fmt.Sprintf",
    "runtime.gopark",
    "runtime.chanrecv",
    "runtime/pprof.build",
    "net/http.(*persistConn).readLoop",
    "runtime.main",
    "",
};
static const uint8_t stacks[STACKS][3] = {{0, 1, 7}, {2, 0, 1}, {2, 1, 7}, {3, 4, 1},
                                          {3, 6, 8}, {5, 1, 7}, {6, 6, 6}, {8, 8, 8}};
static const int64_t sizes[SIZES] = {0, 32, 144, 2304, 27264, 1 << 20, 1 << 21, 1 << 22};

/* One profile over its own arrays. */
typedef struct made {
    fl_profile profile;
    fl_profile_type types[4];
    fl_profile_function functions[9];
    fl_profile_frame frames[9];
    uint32_t stack[3 * MOST_SAMPLES];
    fl_profile_sample samples[MOST_SAMPLES];
    fl_profile_label labels[MOST_SAMPLES];
    int64_t values[4 * MOST_SAMPLES];
} made;

static void begin(made *m, uint8_t head)
{
    static const fl_profile_kind kinds[] = {FL_PROFILE_HEAP, FL_PROFILE_HEAP, FL_PROFILE_GOROUTINE,
                                            FL_PROFILE_MUTEX};
    static const char *const heap[] = {"alloc_objects", "alloc_space", "inuse_objects",
                                       "inuse_space"};
    static const char *const delays[] = {"contentions", "delay"};
    fl_profile_kind kind = kinds[head >> 6];
    size_t types = kind == FL_PROFILE_HEAP ? 4 : kind == FL_PROFILE_MUTEX ? 2 : 1;
    memset(m, 0, sizeof(*m));
    for (size_t i = 0; i < types; i++)
        m->types[i].name = fl_slice_of(types == 4 ? heap[i] : types == 2 ? delays[i] : "goroutine");
    for (uint32_t i = 0; i < 9; i++) {
        m->functions[i].name = fl_slice_of(names[i]);
        m->functions[i].file = fl_slice_of(i < 2 ? "/srv/a.go" : "/go/src/runtime/a.go");
        m->frames[i] = (fl_profile_frame){
            .function = i < 8 ? i : FL_PROFILE_NONE, .mapping = FL_PROFILE_NONE, .line = 12 + i};
    }
    m->profile = (fl_profile){.kind = kind,
                              .types = m->types,
                              .type_count = types,
                              .period = 524288,
                              .time_ns = (1 + (head & 63)) * INT64_C(60000000000),
                              .functions = m->functions,
                              .function_count = 9,
                              .frames = m->frames,
                              .frame_count = 9,
                              .stack = m->stack,
                              .labels = m->labels,
                              .samples = m->samples,
                              .values = m->values};
}

static void add_sample(made *m, uint8_t what, uint8_t value)
{
    fl_profile *p = &m->profile;
    size_t at = p->sample_count;
    if (at == MOST_SAMPLES)
        return;
    for (size_t k = 0; k < 3; k++)
        m->stack[3 * at + k] = stacks[what % STACKS][k];
    int64_t size = sizes[what / STACKS % SIZES];
    m->labels[at] = (fl_profile_label){.key = FL_SLICE("bytes"), .number = size};
    m->samples[at] = (fl_profile_sample){.stack_at = (uint32_t)(3 * at),
                                         .stack_count = 3,
                                         .label_at = (uint32_t)at,
                                         .label_count = size > 0};
    /* The high bit of `what` makes values that a counter never has. */
    int64_t scale = what >= 128 ? INT64_C(1) << (value % 62) : 40000 * (int64_t)value;
    for (size_t t = 0; t < p->type_count; t++)
        m->values[at * p->type_count + t] = t % 2 == 0 && size > 0 ? scale / size : scale;
    p->sample_count++;
}

static size_t read_made(made *all, const uint8_t *data, size_t size)
{
    size_t count = 0, at = 0;
    while (at < size && count < MOST_SNAPSHOTS) {
        begin(&all[count], data[at++]);
        while (at + 1 < size && data[at] != 0xff) {
            add_sample(&all[count], data[at], data[at + 1]);
            at += 2;
        }
        at++;
        count++;
    }
    return count;
}

static void check_finding(const fl_leak_finding *f)
{
    assert((unsigned)f->verdict < FL_LEAK_VERDICT_COUNT);
    assert((unsigned)f->subject < FL_LEAK_SUBJECT_COUNT);
    assert(f->confidence >= 0 && f->confidence <= 1);
    const fl_leak_interval *g = &f->growth_bytes_per_hour;
    assert(isnan(g->value) || (g->low <= g->value && g->value <= g->high));
    for (size_t i = 0; i < f->evidence_count; i++)
        assert(f->evidence[i].text != NULL && f->evidence[i].text[0] != '\0');
    for (size_t i = 0; i < f->against_count; i++)
        assert(f->against[i] != NULL);
}

static void check_report(const fl_leak_report *r)
{
    assert((unsigned)r->verdict < FL_LEAK_VERDICT_COUNT);
    assert(r->confidence >= 0 && r->confidence <= 1);
    assert(r->used_count <= r->snapshot_count && r->from_ns <= r->to_ns);
    for (size_t i = 0; i < r->finding_count; i++)
        check_finding(&r->findings[i]);
    for (size_t i = 0; i < r->ruled_out_count; i++)
        assert(r->ruled_out[i].kind != NULL && r->ruled_out[i].text != NULL);
}

static fl_status judge(fl_leak_report *out, fl_arena *arena, const made *all, size_t count,
                       bool backwards)
{
    const fl_leak_options options = {.limit_bytes = 1u << 30};
    fl_leak *leak = NULL;
    fl_status status = fl_leak_create(&leak, &options, NULL);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = fl_leak_add(leak, &all[backwards ? count - 1 - i : i].profile, 0, NULL);
    if (status == FL_OK)
        status = fl_leak_judge(out, leak, arena, NULL);
    fl_leak_destroy(leak);
    return status;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Snapshots of one moment are told apart by what they hold and not by which came first, so that
 * only their values decide; sums of doubles may differ in the last place. */
static void check_same(const fl_leak_report *a, const fl_leak_report *b)
{
    assert(a->verdict == b->verdict && a->finding_count == b->finding_count);
    assert(fabs(a->confidence - b->confidence) < 1e-6);
    for (size_t i = 0; i < a->finding_count; i++) {
        assert(a->findings[i].verdict == b->findings[i].verdict);
        assert(same_text(a->findings[i].function, b->findings[i].function));
    }
}

static bool times_differ(const made *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            bool same = all[i].profile.time_ns == all[k].profile.time_ns;
            if (same && all[i].profile.kind == all[k].profile.kind)
                return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static made all[MOST_SNAPSHOTS];
    fl_arena first = fl_arena_of(64u << 20), second = fl_arena_of(64u << 20);
    fl_leak_report a, b;
    size_t count = read_made(all, data, size);
    if (judge(&a, &first, all, count, false) == FL_OK) {
        check_report(&a);
        if (times_differ(all, count) && judge(&b, &second, all, count, true) == FL_OK)
            check_same(&a, &b);
    }
    fl_arena_dispose(&first);
    fl_arena_dispose(&second);
    return 0;
}
