/* Any bytes: no crash; whatever was read can be shown, and time adds up. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "trace_run.h"
#include "trace_view.h"

static void check(const fl_sched_report *report)
{
    int64_t span = report->to_ns - report->from_ns;
    assert(span >= 0 && report->latency.p50_ns <= report->latency.p999_ns);
    for (size_t i = 0; i < report->wait_count; i++)
        assert(report->waits[i].total_ns >= report->waits[i].max_ns &&
               report->waits[i].max_ns <= span);
    for (size_t i = 0; i < report->site_count; i++)
        assert(report->sites[i].before + report->sites[i].started ==
               report->sites[i].ended + report->sites[i].alive);
    for (size_t i = 0; i < report->proc_count; i++)
        assert(report->proc_use[i].idle_ns >= 0 && report->proc_use[i].running_ns >= 0);
    for (size_t i = 0; report->course != NULL && i < report->course->step_count; i++)
        assert(report->course->steps[i].idle_ns >= 0 && report->course->steps[i].goroutines >= 0);
}

/* Made once, like that of a command. */
static const fl_signatures *library(void)
{
    static fl_signatures *made;
    if (made == NULL && (fl_signatures_create(&made, NULL) != FL_OK ||
                         fl_signatures_add_built_in(made, NULL) != FL_OK))
        abort(); /* without it nothing is tried */
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_slice bytes = {.ptr = data, .len = size};
    fl_trace_run *run = NULL;
    fl_stream *in;
    fl_error err = {0};
    if (fl_stream_over(&in, bytes, "fuzz", &err) != FL_OK)
        return 0;
    const fl_trace_options options = {.library = library(), .with_course = size % 2 == 0};
    if (fl_trace_run_create(&run, in, &options, &err) == FL_OK) {
        fl_trace_title title = {.name = "fuzz", .version = fl_trace_run_info(run)->version};
        title.warnings = fl_trace_run_warnings(run, &title.warning_count);
        check(fl_trace_run_report(run));
        fl_buf out = fl_buf_of(16 << 20);
        for (int shown = 0; shown < FL_TRACE_SHOWN_COUNT; shown++)
            if (fl_trace_view_text(&out, fl_trace_run_report(run), &title, (fl_trace_shown)shown, 3,
                                   &err) != FL_OK)
                assert(err.status == FL_E_LIMIT);
        fl_buf_clear(&out);
        if (fl_trace_view_json(&out, fl_trace_run_report(run), &title, 0, &err) != FL_OK)
            assert(err.status == FL_E_LIMIT);
        fl_buf_clear(&out);
        if (fl_trace_run_report(run)->course != NULL) {
            assert(fl_trace_view_svg(&out, fl_trace_run_report(run), &title, &err) == FL_OK);
            assert(out.len < 200 << 10);
        }
        fl_buf_dispose(&out);
    } else
        assert(err.message[0] != '\0');
    fl_trace_run_destroy(run);
    fl_stream_close(in);
    return 0;
}
