/* fuzz_sched.c - events of a scheduler in any order, which no reader has put right: the analysis
 * takes them, the course adds up, and all of it can be drawn and written.
 *
 *   event   kind span from to | target p | text stack | time, 2 bytes | value, 2 bytes
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "go_sched.h"
#include "signatures.h"
#include "trace_view.h"

enum { EVENT_BYTES = 12, SLOTS = 24, PROCS = 5, BATCH = 64 };

/* What events name: as many texts as there are, of all classes of reasons. */
static const char *const words[] = {"sync",         "chan receive",
                                    "select",       "sleep",
                                    "network",      "GC mark termination",
                                    "start trace",  "GC (dedicated)",
                                    "<script>&\"",  "GC mark assist wait for work",
                                    "put",          "runtime.mapassign_fast64",
                                    "main.work",    "runtime.(*Map).growToTable",
                                    "runtime.main", "sync.(*Mutex).Lock"};
enum { WORDS = sizeof(words) / sizeof(words[0]), STACKS = 2 * WORDS };

/* Stack 0 has no frames; the others have one or two. */
static size_t make_frames(fl_gotrace_frame *frames, size_t *starts)
{
    size_t count = 0;
    starts[0] = starts[1] = 0;
    for (size_t i = 1; i < STACKS; i++) {
        frames[count++] = (fl_gotrace_frame){.function = (fl_sym)(i % WORDS), .line = (uint32_t)i};
        if (i >= WORDS)
            frames[count++] = (fl_gotrace_frame){.function = 12, .file = 10, .line = 7};
        starts[i + 1] = count;
    }
    return count;
}

/* Whatever the bytes, within what the reader holds to: slots, stacks and texts are there.
 * Processors are small numbers, and times do not fall. */
static fl_gotrace_event event_of(const uint8_t *at, int64_t *time_ns)
{
    /* a shift makes traces of microseconds and of days */
    *time_ns += (int64_t)(at[8] | at[9] << 8) << (at[3] >> 4);
    uint32_t g = at[4] % (SLOTS + 1), p = at[5] % (PROCS + 1);
    return (fl_gotrace_event){.time_ns = *time_ns,
                              .value = (uint64_t)(at[10] | at[11] << 8) << (at[2] >> 3),
                              .g = g < SLOTS ? g : FL_GOTRACE_NONE,
                              .p = p < PROCS ? p : FL_GOTRACE_NONE,
                              .m = FL_GOTRACE_NONE,
                              .target = at[4] % SLOTS,
                              .stack = at[7] % STACKS,
                              .extra = at[6] % STACKS,
                              .text = at[6] % WORDS,
                              .kind = at[0] % FL_GOTRACE_KIND_COUNT,
                              .span = at[1] % FL_GOTRACE_SPAN_COUNT,
                              .from = at[2] % FL_GOTRACE_STATE_COUNT,
                              .to = at[3] % FL_GOTRACE_STATE_COUNT};
}

static void show(const fl_sched_report *report)
{
    fl_error err = {0};
    const fl_trace_title title = {.name = "fuzz"};
    fl_buf out = fl_buf_of(16 << 20);
    const fl_sched_course *course = report->course;
    assert(course != NULL && course->step_count <= FL_SCHED_STEPS);
    assert(course->step_ns * (int64_t)course->step_count >= report->to_ns - report->from_ns);
    for (int shown = 0; shown < FL_TRACE_SHOWN_COUNT; shown++)
        if (fl_trace_view_text(&out, report, &title, (fl_trace_shown)shown, 3, &err) != FL_OK)
            assert(err.status == FL_E_LIMIT);
    fl_buf_clear(&out);
    if (fl_trace_view_json(&out, report, &title, 0, &err) != FL_OK)
        assert(err.status == FL_E_LIMIT);
    fl_buf_clear(&out);
    assert(fl_trace_view_svg(&out, report, &title, &err) == FL_OK);
    assert(out.len < 200 << 10);
    fl_buf_char(&out, '\0');
    assert(strstr(out.ptr, "<script") == NULL && strstr(out.ptr, "</svg>") != NULL);
    fl_buf_dispose(&out);
}

static void analyse(const fl_gotrace_view *view, const uint8_t *data, size_t size)
{
    fl_error err = {0};
    fl_sched *sched = NULL;
    fl_sched_report report;
    fl_gotrace_event events[BATCH];
    const fl_sched_criteria criteria = {0};
    fl_arena arena = fl_arena_of(64u << 20);
    size_t count = 0;
    int64_t time_ns = 1;
    fl_status status = fl_sched_create(&sched, &err);
    if (status == FL_OK)
        status = fl_sched_follow(sched, &err);
    for (; size >= EVENT_BYTES && status == FL_OK; data += EVENT_BYTES, size -= EVENT_BYTES) {
        events[count++] = event_of(data, &time_ns);
        if (count == BATCH || size < 2 * EVENT_BYTES) {
            status = fl_sched_add(sched, view, events, count, &err);
            count = 0;
        }
    }
    if (status == FL_OK)
        status = fl_sched_report_make(&report, sched, view, &criteria, &arena, &err);
    assert(status == FL_OK);
    show(&report);
    fl_sched_destroy(sched);
    fl_arena_dispose(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_gotrace_frame frames[2 * STACKS] = {{0}};
    size_t starts[STACKS + 1];
    uint64_t ids[SLOTS];
    fl_intern *texts = NULL;
    fl_error err = {0};
    (void)make_frames(frames, starts);
    fl_status status = fl_intern_create(&texts, 1 << 16, &err);
    for (size_t i = 0; i < WORDS && status == FL_OK; i++) {
        fl_sym sym;
        status = fl_intern_put(&sym, texts, fl_slice_of(words[i]), &err);
        assert(status != FL_OK || sym == i);
    }
    for (size_t i = 0; i < SLOTS; i++)
        ids[i] = i + 1;
    const fl_gotrace_view view = {.texts = texts,
                                  .frames = frames,
                                  .stack_starts = starts,
                                  .stack_count = STACKS,
                                  .goroutine_ids = ids,
                                  .slot_count = SLOTS};
    if (status == FL_OK && size < 1 << 16)
        analyse(&view, data, size);
    fl_intern_destroy(texts);
    return 0;
}
