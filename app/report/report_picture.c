/*
 * report_picture.c - the picture as its JSON contract (schemas/json/timeline.schema.json).
 *
 * Without indentation and with six significant digits: it is drawn, and kept beside each incident.
 * Members without a value are null, lists are never null.
 */
#include "report_picture.h"

#include <assert.h>
#include <jansson.h>

#include "json_put.h"
#include "timestamp.h"

enum { DIGITS = 6 };

/* Members in the order of the contract; the numbers last, so that a reader who looks at the text
 * sees first what they are. */
static json_t *lane_of(fl_put *w, const fl_lane *lane, size_t step_count)
{
    json_t *object = json_object(), *values = json_array();
    assert(lane->values != NULL && step_count <= FL_PICTURE_STEPS);
    fl_put_text(w, object, "kind", fl_picture_kind_name(lane->kind));
    fl_put_text(w, object, "service", lane->service);
    fl_put_text(w, object, "instance", lane->instance);
    fl_put_text(w, object, "name", lane->name);
    fl_put_text(w, object, "unit", lane->unit);
    fl_put_text(w, object, "role", lane->role);
    fl_put_value(w, object, "entry", json_boolean(lane->is_entry));
    fl_put_count(w, object, "hypothesis", lane->hypothesis);
    fl_put_number(w, object, "weight_nats", lane->weight_nats);
    fl_put_number(w, object, "deviations", lane->deviations);
    fl_put_text(w, object, "why", lane->why);
    fl_put_text(w, object, "query", lane->query);
    fl_put_number(w, object, "usual", lane->usual);
    fl_put_number(w, object, "usual_low", lane->usual_low);
    fl_put_number(w, object, "usual_high", lane->usual_high);
    for (size_t i = 0; i < step_count; i++) {
        json_t *value = json_real(lane->values[i]); /* NULL where it is not finite */
        fl_put_item(w, values, value != NULL ? value : json_null());
    }
    fl_put_value(w, object, "values", values);
    return object;
}

/* An event whose end is not known has a null there, as has a moment. */
static json_t *event_of(fl_put *w, const fl_picture_event *event)
{
    json_t *object = json_object();
    fl_put_time(w, object, "at", event->at_ns);
    fl_put_moment(w, object, "until", event->until_ns);
    fl_put_text(w, object, "kind", fl_picture_kind_name(event->kind));
    fl_put_text(w, object, "service", event->service);
    fl_put_text(w, object, "text", event->text);
    fl_put_text(w, object, "query", event->query);
    return object;
}

/* A side without calls has zeros and nulls: nobody called, or nobody told. */
static json_t *side_of(fl_put *w, const fl_picture_side *side)
{
    json_t *object = json_object();
    fl_put_count(w, object, "calls", side->calls);
    fl_put_count(w, object, "errors", side->errors);
    fl_put_number(w, object, "per_minute", side->per_minute);
    fl_put_number(w, object, "p50_ms", side->p50_ms);
    fl_put_number(w, object, "p99_ms", side->p99_ms);
    fl_put_number(w, object, "gap_ms", side->gap_ms);
    return object;
}

/* One pair of services, whichever operations called each other. */
static json_t *call_of(fl_put *w, const fl_picture_call *call)
{
    json_t *object = json_object();
    fl_put_text(w, object, "caller", call->caller);
    fl_put_text(w, object, "callee", call->callee);
    fl_put_value(w, object, "traced", json_boolean(call->is_traced));
    fl_put_value(w, object, "before", side_of(w, &call->before));
    fl_put_value(w, object, "during", side_of(w, &call->during));
    return object;
}

/* The same of one function on one way; the root is its own parent. */
static json_t *frame_of(fl_put *w, const fl_picture_frame *frame)
{
    json_t *object = json_object();
    fl_put_text(w, object, "name", frame->name);
    fl_put_count(w, object, "parent", frame->parent);
    fl_put_number(w, object, "before", frame->before);
    fl_put_number(w, object, "after", frame->after);
    return object;
}

/* The numbers last, as of a lane. */
static json_t *stacks_of(fl_put *w, const fl_picture_stacks *stacks)
{
    json_t *object = json_object(), *frames = json_array();
    assert(stacks->frame_count <= FL_PICTURE_FRAMES);
    fl_put_text(w, object, "service", stacks->service);
    fl_put_text(w, object, "type", stacks->type);
    fl_put_text(w, object, "unit", stacks->unit);
    fl_put_time(w, object, "before", stacks->before_ns);
    fl_put_time(w, object, "after", stacks->after_ns);
    fl_put_text(w, object, "query", stacks->query);
    fl_put_count(w, object, "left_out", stacks->frames_left_out);
    for (size_t i = 0; i < stacks->frame_count; i++)
        fl_put_item(w, frames, frame_of(w, &stacks->frames[i]));
    fl_put_value(w, object, "frames", frames);
    return object;
}

/* What there was no room for is said, so that nobody takes the picture for all there is. */
static json_t *left_out_of(fl_put *w, const fl_picture *picture)
{
    json_t *object = json_object();
    fl_put_count(w, object, "lanes", picture->lanes_left_out);
    fl_put_count(w, object, "events", picture->events_left_out);
    fl_put_count(w, object, "calls", picture->calls_left_out);
    return object;
}

/* The axis before what is drawn on it. */
static json_t *document_of(fl_put *w, const fl_picture *picture)
{
    json_t *object = json_object(), *lanes = json_array(), *events = json_array();
    json_t *calls = json_array(), *stacks = json_array();
    for (size_t i = 0; i < picture->lane_count; i++)
        fl_put_item(w, lanes, lane_of(w, &picture->lanes[i], picture->step_count));
    for (size_t i = 0; i < picture->event_count; i++)
        fl_put_item(w, events, event_of(w, &picture->events[i]));
    for (size_t i = 0; i < picture->call_count; i++)
        fl_put_item(w, calls, call_of(w, &picture->calls[i]));
    for (size_t i = 0; i < picture->stack_count; i++)
        fl_put_item(w, stacks, stacks_of(w, &picture->stacks[i]));
    fl_put_value(w, object, "schema", json_string_nocheck("faultline.timeline/1"));
    fl_put_text(w, object, "incident", picture->incident);
    fl_put_time(w, object, "at", picture->at_ns);
    fl_put_time(w, object, "from", picture->from_ns);
    fl_put_count(w, object, "step_s", (uint64_t)(picture->step_ns / FL_NS_PER_S));
    fl_put_count(w, object, "steps", picture->step_count);
    fl_put_range(w, object, "window", picture->window);
    fl_put_range(w, object, "baseline", picture->baseline);
    fl_put_onset(w, object, "onset", picture->onset);
    fl_put_number(w, object, "spans_kept", picture->spans_kept);
    fl_put_number(w, object, "logs_kept", picture->logs_kept);
    fl_put_value(w, object, "lanes", lanes);
    fl_put_value(w, object, "events", events);
    fl_put_value(w, object, "calls", calls);
    fl_put_value(w, object, "stacks", stacks);
    fl_put_value(w, object, "left_out", left_out_of(w, picture));
    return object;
}

fl_status fl_report_picture_json(fl_buf *out, const fl_picture *picture, fl_error *err)
{
    assert(out != NULL && picture != NULL && picture->step_ns % FL_NS_PER_S == 0);
    fl_put w = {.status = FL_OK};
    json_t *document = document_of(&w, picture);
    if (w.status == FL_OK &&
        !fl_put_dump(out, document, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)))
        w.status = out->status != FL_OK ? out->status : FL_E_NOMEM;
    json_decref(document);
    fl_buf_char(out, '\n');
    if (w.status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while writing a picture");
    return fl_buf_check(out, "the picture", err);
}
