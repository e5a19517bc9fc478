/*
 * fuzz_pprof.c - any bytes as a profile: what is read keeps the contract of faultline/profile.h,
 * and every view of it can be drawn. The first byte chooses the options.
 */
#include <assert.h>
#include <string.h>

#include "callgraph.h"
#include "fuzz.h"
#include "pprof.h"
#include "profile_view.h"

static void check_slice(fl_slice text)
{
    volatile unsigned char last = 0;
    if (text.len > 0)
        last = text.ptr[text.len - 1];
    (void)last;
}

static void check_frames(const fl_profile *p)
{
    for (size_t i = 0; i < p->function_count; i++) {
        check_slice(p->functions[i].name);
        check_slice(p->functions[i].file);
    }
    for (size_t i = 0; i < p->frame_count; i++) {
        const fl_profile_frame *frame = &p->frames[i];
        assert(frame->function == FL_PROFILE_NONE || frame->function < p->function_count);
        assert(frame->mapping == FL_PROFILE_NONE || frame->mapping < p->mapping_count);
        assert(frame->location < p->frame_count);
    }
}

static void check_profile(const fl_profile *p)
{
    const int64_t most = INT64_C(1) << 62;
    assert(p->type_count == 0 ? p->sample_count == 0 : p->default_type < p->type_count);
    check_frames(p);
    for (size_t i = 0; i < p->sample_count; i++) {
        const fl_profile_sample *sample = &p->samples[i];
        assert((size_t)sample->stack_at + sample->stack_count <= p->stack_count);
        assert((size_t)sample->label_at + sample->label_count <= p->label_count);
        for (size_t t = 0; t < p->type_count; t++)
            assert(fl_profile_value(p, i, t) <= most && fl_profile_value(p, i, t) >= -most);
        for (uint32_t k = 0; k < sample->stack_count; k++)
            assert(p->stack[sample->stack_at + k] < p->frame_count);
    }
    for (size_t i = 0; i < p->label_count; i++) {
        check_slice(p->labels[i].key);
        check_slice(p->labels[i].text);
    }
}

static void draw(const fl_profile *p, bool has_base)
{
    fl_call_source sources[] = {{.profile = p, .name = "a"},
                                {.profile = p, .name = "b", .is_base = true}};
    fl_call_query query = {.node_fraction = 0.005, .with_edges = true};
    fl_profile_title title = {.time_ns = p->time_ns, .duration_ns = p->duration_ns};
    fl_callgraph *graph = NULL;
    fl_call_tree *tree = NULL;
    fl_buf out = fl_buf_of(64 << 20);
    size_t count = has_base ? 2 : 1;
    if (fl_callgraph_create(&graph, sources, count, &query, NULL) == FL_OK) {
        fl_profile_view_top(&out, graph, &title);
        fl_profile_view_tree(&out, graph, &title);
        fl_profile_view_tree_json(&out, graph, &title);
    }
    if (fl_call_tree_create(&tree, sources, count, &query, NULL) == FL_OK) {
        fl_error err = {0};
        fl_status status = fl_profile_view_flame(&out, tree, has_base, "fuzz", &err);
        assert(status == FL_OK || status == FL_E_LIMIT);
        fl_profile_view_stacks_json(&out, tree, has_base);
        assert(fl_profile_view_folded(&out, tree, has_base, &err) == FL_OK);
    }
    fl_callgraph_destroy(graph);
    fl_call_tree_destroy(tree);
    fl_buf_dispose(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fl_profile *profile;
    if (size == 0 || (profile == NULL && fl_profile_create(&profile, NULL) != FL_OK))
        return 0;
    fl_error err = {0};
    fl_pprof_options options = {.normalise_names = (data[0] & 1) != 0,
                                .skip_zero = (data[0] & 4) != 0};
    fl_slice bytes = {data + 1, size - 1};
    fl_status status = fl_profile_read_bytes(profile, bytes, "fuzz", &options, &err);
    if (options.skip_zero) { /* what is left out is checked all the same */
        fl_error whole = {0};
        options.skip_zero = false;
        assert(fl_profile_read_bytes(profile, bytes, "fuzz", &options, &whole) == status);
        assert(strcmp(whole.message, err.message) == 0);
    }
    if (status != FL_OK) {
        assert(err.message[0] != '\0' && profile->sample_count == 0);
        return 0;
    }
    check_profile(profile);
    /* Locations of many lines multiply: what is slow to draw is not looked at here. */
    if (profile->stack_count < 100000)
        draw(profile, (data[0] & 2) != 0);
    return 0;
}
