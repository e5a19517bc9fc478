/* fuzz_report_load.c - documents out of a store file: what loads is shown and written, and reads
 * back to the same bytes. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "report.h"

static void check(const fl_incident *incident)
{
    fl_arena arena = fl_arena_of(64 << 20);
    fl_buf once = fl_buf_of(64 << 20), twice = fl_buf_of(64 << 20), page = fl_buf_of(64 << 20);
    const fl_incident *back = NULL;
    fl_error err = {0};
    fl_status status = fl_report_json(&once, incident, &err);
    assert(status == FL_OK);
    if (once.len <= FL_MAX_DOCUMENT_BYTES) {
        status = fl_report_load(&back, &arena, fl_buf_slice(&once), &err);
        assert(status == FL_OK);
        status = fl_report_json(&twice, back, &err);
        assert(status == FL_OK && once.len == twice.len &&
               memcmp(once.ptr, twice.ptr, once.len) == 0);
    }
    status =
        fl_report_text(&page, incident, NULL, &(fl_report_style){.width = 80, .color = true}, &err);
    assert(status == FL_OK);
    (void)status;
    fl_buf_dispose(&once);
    fl_buf_dispose(&twice);
    fl_buf_dispose(&page);
    fl_arena_dispose(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena arena = fl_arena_of(64 << 20);
    const fl_incident *incident = NULL;
    if (fl_report_load(&incident, &arena, (fl_slice){.ptr = data, .len = size}, NULL) == FL_OK)
        check(incident);
    fl_arena_dispose(&arena);
    return 0;
}
