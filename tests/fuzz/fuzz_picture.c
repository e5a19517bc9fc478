/* fuzz_picture.c - a picture out of a store that others write to: it is refused, or it can be drawn
 * and written, and what was written is read as the same. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "report.h"
#include "report_picture.h"
#include "svg_chart.h"

/* Every lane as a row of the terminal, below a sentence and before one. */
static void check_rows(const fl_picture *picture)
{
    fl_error err = {0};
    fl_buf page = fl_buf_of(64u << 20);
    for (size_t i = 0; i < picture->lane_count; i++) {
        const fl_evidence evidence = {.text = "", .query = picture->lanes[i].query};
        const fl_hypothesis hypothesis = {
            .rank = picture->lanes[i].hypothesis, .evidence = &evidence, .evidence_count = 1};
        const fl_incident incident = {.id = "", .hypotheses = &hypothesis, .hypothesis_count = 1};
        const fl_report_style style = {.width = i % 2 == 0 ? 80 : 200, .unicode = i % 3 == 0};
        fl_status status = fl_report_text(&page, &incident, picture, &style, &err);
        assert(status == FL_OK || status == FL_E_LIMIT);
        (void)status;
        fl_buf_clear(&page);
    }
    fl_buf_dispose(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fl_picture *picture = NULL, *back = NULL;
    fl_error err = {0};
    fl_arena arena = fl_arena_of(32u << 20);
    fl_buf once = fl_buf_of(16u << 20), twice = fl_buf_of(16u << 20), drawn = fl_buf_of(16u << 20);
    fl_status status =
        fl_report_picture_load(&picture, &arena, (fl_slice){.ptr = data, .len = size}, &err);
    assert((status == FL_OK) == (picture != NULL));
    assert((status == FL_OK) == (err.message[0] == '\0'));
    if (status == FL_OK) {
        for (size_t i = 0; i < picture->lane_count; i++)
            fl_svg_lane(&drawn, picture, i);
        fl_svg_overview(&drawn, picture, 30);
        check_rows(picture);
        assert(drawn.ptr != NULL && strstr(drawn.ptr, "<script") == NULL);
        assert(fl_report_picture_json(&once, picture, &err) == FL_OK);
        assert(fl_report_picture_load(&back, &arena, fl_buf_slice(&once), &err) == FL_OK);
        assert(fl_report_picture_json(&twice, back, &err) == FL_OK);
        assert(once.len == twice.len && memcmp(once.ptr, twice.ptr, once.len) == 0);
    }
    fl_buf_dispose(&once);
    fl_buf_dispose(&twice);
    fl_buf_dispose(&drawn);
    fl_arena_dispose(&arena);
    return 0;
}
