/*
 * report_picture_load.c - a stored picture back from its JSON.
 *
 * It comes out of a store that others can write to: each member is checked for its kind and its
 * range, and a member is named by where it stands ("lane 3: 'values' ..."). The first failure
 * wins; after it nothing is given out.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "report_picture.h"
#include "slice.h"
#include "timestamp.h"

typedef struct loader {
    fl_arena *arena;
    fl_error err;
    const char *list; /* "lane", "event", "call", "stacks"; NULL: not inside of one */
    size_t item;      /* from 1 */
} loader;

/* `what` completes the sentence "'key' ..."; later ones change nothing. */
static void complain(loader *in, const char *key, const char *what)
{
    char where[32] = "";
    if (in->list != NULL)
        (void)snprintf(where, sizeof(where), "%s %zu: ", in->list, in->item);
    (void)fl_fail(&in->err, FL_E_SYNTAX, FL_NO_OFFSET, "picture: %s'%s' %s", where, key, what);
}

/* One sentence for the arena and for jansson. */
static void out_of_memory(loader *in)
{
    (void)fl_fail(&in->err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a picture");
}

/* NULL, after a complaint, where it is missing. */
static const json_t *member(loader *in, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        complain(in, key, "is missing");
    return value;
}

/* NULL for null. */
static const char *text_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    if (value == NULL || json_is_null(value))
        return NULL;
    if (!json_is_string(value)) {
        complain(in, key, "is not a string");
        return NULL;
    }
    const char *copy = fl_arena_cstr(in->arena, fl_slice_of(json_string_value(value)));
    if (copy == NULL)
        out_of_memory(in);
    return copy;
}

/* Where a picture without it could not be shown. */
static const char *needed_at(loader *in, const json_t *object, const char *key)
{
    const char *text = text_at(in, object, key);
    if (text == NULL)
        complain(in, key, "is not a string");
    return text != NULL ? text : "";
}

/* 0 after a complaint; `most` also guards the sum that follows. */
static uint64_t count_at(loader *in, const json_t *object, const char *key, uint64_t most)
{
    const json_t *value = member(in, object, key);
    if (json_is_integer(value) && json_integer_value(value) >= 0 &&
        (uint64_t)json_integer_value(value) <= most)
        return (uint64_t)json_integer_value(value);
    complain(in, key, "is not a count");
    return 0;
}

/* NaN for null. */
static double number_in(loader *in, const json_t *value, const char *key)
{
    if (json_is_number(value))
        return json_number_value(value);
    if (!json_is_null(value))
        complain(in, key, "is not a number");
    return NAN;
}

/* The member must be there, and may be null. */
static double number_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    return value != NULL ? number_in(in, value, key) : NAN;
}

/* A number is no flag, not even 0 or 1. */
static bool flag_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    if (value != NULL && !json_is_boolean(value))
        complain(in, key, "is not true or false");
    return json_is_true(value);
}

/* 0 for null. */
static int64_t time_at(loader *in, const json_t *object, const char *key)
{
    int64_t time_ns = 0;
    const char *text = text_at(in, object, key);
    if (text != NULL && fl_time_parse(&time_ns, fl_slice_of(text), 0, NULL) != FL_OK)
        complain(in, key, "is not a time");
    return time_ns;
}

/* Lanes and events share the words; which of them fit is up to who draws. */
static fl_picture_kind kind_at(loader *in, const json_t *object)
{
    fl_picture_kind kind = FL_PICTURE_METRIC;
    if (!fl_picture_kind_parse(&kind, needed_at(in, object, "kind")))
        complain(in, "kind", "is not a kind of lane or event");
    return kind;
}

/* A list of at most `most`; its length is 0 after a complaint. */
static const json_t *list_at(loader *in, const json_t *object, const char *key, size_t most)
{
    const json_t *value = member(in, object, key);
    if (value != NULL && !json_is_array(value))
        complain(in, key, "is not a list");
    else if (json_array_size(value) > most)
        (void)fl_fail(&in->err, FL_E_LIMIT, FL_NO_OFFSET,
                      "picture: '%s' has %zu items, more than %zu", key, json_array_size(value),
                      most);
    return in->err.status == FL_OK ? value : NULL;
}

/* Zeroed, and never NULL for nothing; NULL, as a failure, when the arena is full. */
static void *room_for(loader *in, size_t count, size_t size)
{
    void *room = fl_arena_alloc(in->arena, count + 1, size);
    if (room == NULL)
        out_of_memory(in);
    return room;
}

/* A range of nothing begins and ends at 0. */
static fl_range range_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    fl_range range = {.from_ns = time_at(in, value, "from"), .to_ns = time_at(in, value, "to")};
    if (range.to_ns < range.from_ns)
        complain(in, key, "ends before it begins");
    return range;
}

/* Three members, all null where it could not be told. */
static fl_onset onset_at(loader *in, const json_t *object)
{
    const json_t *value = member(in, object, "onset");
    fl_onset onset = {.at_ns = time_at(in, value, "at"),
                      .low_ns = time_at(in, value, "low"),
                      .high_ns = time_at(in, value, "high")};
    if (onset.low_ns > onset.at_ns || onset.at_ns > onset.high_ns)
        complain(in, "onset", "is not in order");
    return onset;
}

/* ---- lists ---- */

/* As many numbers as the axis has steps: a shorter list could not be placed on it. */
static void load_lane(loader *in, fl_lane *out, const json_t *item, size_t steps)
{
    double *values = room_for(in, steps, sizeof(*values));
    *out = (fl_lane){.kind = kind_at(in, item),
                     .service = needed_at(in, item, "service"),
                     .instance = text_at(in, item, "instance"),
                     .name = needed_at(in, item, "name"),
                     .unit = text_at(in, item, "unit"),
                     .role = needed_at(in, item, "role"),
                     .is_entry = flag_at(in, item, "entry"),
                     .hypothesis = (uint32_t)count_at(in, item, "hypothesis", UINT32_MAX),
                     .weight_nats = number_at(in, item, "weight_nats"),
                     .deviations = number_at(in, item, "deviations"),
                     .why = needed_at(in, item, "why"),
                     .query = needed_at(in, item, "query"),
                     .usual = number_at(in, item, "usual"),
                     .usual_low = number_at(in, item, "usual_low"),
                     .usual_high = number_at(in, item, "usual_high"),
                     .values = values};
    const json_t *list = list_at(in, item, "values", steps);
    if (list != NULL && json_array_size(list) != steps)
        complain(in, "values", "has fewer numbers than there are steps");
    for (size_t i = 0; i < steps && in->err.status == FL_OK; i++)
        values[i] = number_in(in, json_array_get(list, i), "values");
}

/* The list is bounded before room is made for it. */
static void load_lanes(loader *in, fl_picture *out, const json_t *root)
{
    const json_t *list = list_at(in, root, "lanes", FL_PICTURE_LANES);
    fl_lane *lanes = room_for(in, json_array_size(list), sizeof(*lanes));
    in->list = "lane";
    for (size_t i = 0; i < json_array_size(list) && in->err.status == FL_OK; i++) {
        in->item = i + 1;
        load_lane(in, &lanes[i], json_array_get(list, i), out->step_count);
    }
    in->list = NULL;
    out->lanes = lanes;
    out->lane_count = json_array_size(list);
}

/* The same of what happened. */
static void load_events(loader *in, fl_picture *out, const json_t *root)
{
    const json_t *list = list_at(in, root, "events", FL_PICTURE_EVENTS);
    fl_picture_event *events = room_for(in, json_array_size(list), sizeof(*events));
    in->list = "event";
    for (size_t i = 0; i < json_array_size(list) && in->err.status == FL_OK; i++) {
        const json_t *item = json_array_get(list, i);
        in->item = i + 1;
        events[i] = (fl_picture_event){.at_ns = time_at(in, item, "at"),
                                       .until_ns = time_at(in, item, "until"),
                                       .kind = kind_at(in, item),
                                       .service = text_at(in, item, "service"),
                                       .text = needed_at(in, item, "text"),
                                       .query = text_at(in, item, "query")};
    }
    in->list = NULL;
    out->events = events;
    out->event_count = json_array_size(list);
}

/* One side of a call. */
static fl_picture_side side_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    return (fl_picture_side){.calls = count_at(in, value, "calls", INT64_MAX),
                             .errors = count_at(in, value, "errors", INT64_MAX),
                             .per_minute = number_at(in, value, "per_minute"),
                             .p50_ms = number_at(in, value, "p50_ms"),
                             .p99_ms = number_at(in, value, "p99_ms"),
                             .gap_ms = number_at(in, value, "gap_ms")};
}

/* The same of who called whom. */
static void load_calls(loader *in, fl_picture *out, const json_t *root)
{
    const json_t *list = list_at(in, root, "calls", FL_PICTURE_CALLS);
    fl_picture_call *calls = room_for(in, json_array_size(list), sizeof(*calls));
    in->list = "call";
    for (size_t i = 0; i < json_array_size(list) && in->err.status == FL_OK; i++) {
        const json_t *item = json_array_get(list, i);
        in->item = i + 1;
        calls[i] = (fl_picture_call){.caller = needed_at(in, item, "caller"),
                                     .callee = needed_at(in, item, "callee"),
                                     .is_traced = flag_at(in, item, "traced"),
                                     .before = side_at(in, item, "before"),
                                     .during = side_at(in, item, "during")};
    }
    in->list = NULL;
    out->calls = calls;
    out->call_count = json_array_size(list);
}

/* A root may be all there is; an empty list is a tree that nobody draws.
 * A frame hangs on one before it, so that places can be computed in one walk. */
static void load_frames(loader *in, fl_picture_stacks *out, const json_t *root)
{
    const json_t *list = list_at(in, root, "frames", FL_PICTURE_FRAMES);
    fl_picture_frame *frames = room_for(in, json_array_size(list), sizeof(*frames));
    for (size_t i = 0; i < json_array_size(list) && in->err.status == FL_OK; i++) {
        const json_t *item = json_array_get(list, i);
        frames[i] = (fl_picture_frame){.name = needed_at(in, item, "name"),
                                       .parent = (uint32_t)count_at(in, item, "parent", UINT32_MAX),
                                       .before = number_at(in, item, "before"),
                                       .after = number_at(in, item, "after")};
        if (frames[i].parent >= i && frames[i].parent > 0)
            complain(in, "parent", "is not before its frame");
    }
    out->frames = frames;
    out->frame_count = json_array_size(list);
}

/* Pictures of before there were stacks have no such member. */
static void load_stacks(loader *in, fl_picture *out, const json_t *root)
{
    if (json_object_get(root, "stacks") == NULL)
        return;
    const json_t *list = list_at(in, root, "stacks", FL_PICTURE_STACKS);
    fl_picture_stacks *stacks = room_for(in, json_array_size(list), sizeof(*stacks));
    in->list = "stacks";
    for (size_t i = 0; i < json_array_size(list) && in->err.status == FL_OK; i++) {
        const json_t *item = json_array_get(list, i);
        in->item = i + 1;
        stacks[i] = (fl_picture_stacks){.service = needed_at(in, item, "service"),
                                        .type = needed_at(in, item, "type"),
                                        .unit = needed_at(in, item, "unit"),
                                        .before_ns = time_at(in, item, "before"),
                                        .after_ns = time_at(in, item, "after"),
                                        .query = needed_at(in, item, "query"),
                                        .frames_left_out =
                                            (size_t)count_at(in, item, "left_out", INT32_MAX)};
        load_frames(in, &stacks[i], item);
    }
    in->list = NULL;
    out->stacks = stacks;
    out->stack_count = json_array_size(list);
}

/* ---- the whole ---- */

/* Everything that lanes are placed by: its end must be a time. */
static void load_axis(loader *in, fl_picture *out, const json_t *root)
{
    out->incident = needed_at(in, root, "incident");
    out->at_ns = time_at(in, root, "at");
    out->from_ns = time_at(in, root, "from");
    out->step_ns = (int64_t)count_at(in, root, "step_s", INT32_MAX) * FL_NS_PER_S;
    out->step_count = (size_t)count_at(in, root, "steps", FL_PICTURE_STEPS);
    out->window = range_at(in, root, "window");
    out->baseline = range_at(in, root, "baseline");
    out->onset = onset_at(in, root);
    out->spans_kept = number_at(in, root, "spans_kept");
    out->logs_kept = number_at(in, root, "logs_kept");
    if (out->step_ns <= 0)
        complain(in, "step_s", "is not above 0");
    else if (out->from_ns > INT64_MAX - (int64_t)out->step_count * out->step_ns)
        complain(in, "steps", "go beyond the year 2262");
}

/* Counts of what is not there. */
static void load_left_out(loader *in, fl_picture *out, const json_t *root)
{
    const json_t *value = member(in, root, "left_out");
    out->lanes_left_out = (size_t)count_at(in, value, "lanes", INT32_MAX);
    out->events_left_out = (size_t)count_at(in, value, "events", INT32_MAX);
    out->calls_left_out = (size_t)count_at(in, value, "calls", INT32_MAX);
}

/* In the order of the document, so that a message names the first fault. */
static void load(loader *in, fl_picture *out, const json_t *root)
{
    const char *schema = json_string_value(json_object_get(root, "schema"));
    if (schema == NULL || strcmp(schema, "faultline.timeline/1") != 0) {
        (void)fl_fail(&in->err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                      "picture: 'schema' is not faultline.timeline/1");
        return;
    }
    load_axis(in, out, root);
    if (in->err.status == FL_OK)
        load_lanes(in, out, root);
    if (in->err.status == FL_OK)
        load_events(in, out, root);
    if (in->err.status == FL_OK)
        load_calls(in, out, root);
    if (in->err.status == FL_OK)
        load_stacks(in, out, root);
    if (in->err.status == FL_OK)
        load_left_out(in, out, root);
}

fl_status fl_report_picture_load(const fl_picture **out, fl_arena *arena, fl_slice document,
                                 fl_error *err)
{
    assert(out != NULL && arena != NULL);
    *out = NULL;
    if (document.len > FL_MAX_PICTURE_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a picture is larger than %u bytes",
                       FL_MAX_PICTURE_BYTES);
    json_error_t why;
    json_t *root = json_loadb((const char *)document.ptr, document.len, 0, &why);
    if (root == NULL && json_error_code(&why) == json_error_out_of_memory)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a picture");
    if (root == NULL)
        return fl_fail(err, FL_E_SYNTAX, (uint64_t)why.position, "a picture is not JSON: %s",
                       why.text);
    loader in = {.arena = arena};
    fl_picture *picture = fl_arena_alloc(arena, 1, sizeof(*picture));
    if (picture == NULL)
        out_of_memory(&in);
    else
        load(&in, picture, root);
    json_decref(root);
    if (in.err.status != FL_OK)
        return fl_fail(err, in.err.status, in.err.offset, "%s", in.err.message);
    *out = picture;
    return FL_OK;
}
