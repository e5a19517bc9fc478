/*
 * picture.h - what is drawn of an incident: numbers on one time axis, what happened, who called
 * whom.
 *
 * An incident says what was concluded; its picture shows the telemetry around it, small enough to
 * be kept: at most FL_PICTURE_LANES lanes of FL_PICTURE_STEPS numbers each, over the incident's
 * window and what is near it of the baseline. As JSON it is faultline.timeline/1
 * (schemas/json/timeline.schema.json).
 *
 * Numbers of profiles have no axis: what two of them hold is a tree of stacks, of which the frames
 * that carry the change are kept.
 *
 * All lanes have the same steps: number i is for [from_ns + i * step_ns, from_ns + (i + 1) *
 * step_ns). A lane belongs to the evidence whose `service` and `query` are its own. Texts are
 * NUL-terminated UTF-8, NULL where there is none; a number that is not known is NaN. Times are
 * nanoseconds since the epoch, UTC.
 */
#ifndef FAULTLINE_PICTURE_H
#define FAULTLINE_PICTURE_H

#include "faultline/incident.h"
#include "faultline/triage.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FL_PICTURE_LANES  200u
#define FL_PICTURE_STEPS  240u
#define FL_PICTURE_EVENTS 500u
#define FL_PICTURE_CALLS  300u
#define FL_PICTURE_STACKS 4u
#define FL_PICTURE_FRAMES 300u

typedef enum fl_picture_kind {
    FL_PICTURE_CHANGE,  /* events only */
    FL_PICTURE_ALERT,   /* events only */
    FL_PICTURE_METRIC,  /* lanes only, as is each of the next two */
    FL_PICTURE_LOG,     /* lines of one template */
    FL_PICTURE_TRACE,   /* requests of a service, or times that spans took */
    FL_PICTURE_PROFILE, /* lanes: totals of a service's profiles; events: what they found */
    FL_PICTURE_KIND_COUNT
} fl_picture_kind;
const char *fl_picture_kind_name(fl_picture_kind kind); /* "metric" */

typedef struct fl_lane {
    fl_picture_kind kind;
    const char *service, *instance; /* instance NULL: of all */
    const char *name;               /* of the metric with its statistic and attributes, the log
                                       template, the operation, "requests", "errors", "p50", "p99" */
    const char *unit;               /* UCUM; "1" for what is counted in a step */
    const char *role;               /* fl_role_name(): "traffic", "errors", "latency", "cpu" ... */
    bool is_entry;       /* of a service that is called from outside, whole and not of one
                            operation: what users met */
    uint32_t hypothesis; /* rank of the first hypothesis whose evidence it is; 0: of none */
    double weight_nats;  /* of that evidence; 0: none */
    double deviations;   /* how far the worst step of the window is from what is usual, in usual
                            deviations; below 0: under it; NaN: nothing to compare with */
    const char *why;     /* one sentence: why it is here */
    const char *query;   /* shows the raw data again */
    /* Over the whole baseline, near and far: the median, and what nine in ten steps are within. */
    double usual, usual_low, usual_high;
    const double *values; /* step_count of them; NaN: nothing was measured */
} fl_lane;

typedef struct fl_picture_event {
    int64_t at_ns, until_ns; /* until 0: a moment, or not known to be over */
    fl_picture_kind kind;
    const char *service; /* NULL: everything, or not known */
    const char *text;    /* one sentence */
    const char *query;   /* a command, query or URL that shows it again */
} fl_picture_event;

typedef struct fl_picture_side {
    uint64_t calls, errors; /* that the traces which were kept tell of */
    double per_minute;      /* of all, as far as is known */
    double p50_ms, p99_ms;  /* as the caller waits */
    double gap_ms;          /* median of what the caller waits beyond what the callee takes */
} fl_picture_side;

typedef struct fl_picture_call {
    const char *caller, *callee;
    bool is_traced; /* else only the topology tells of it: the sides are empty */
    fl_picture_side before, during;
} fl_picture_call;

/* A function as it was called on one way: what its stacks held. */
typedef struct fl_picture_frame {
    const char *name;
    uint32_t parent; /* who calls it: a frame that stands before it; 0 for the first, the root */
    double before, after; /* with all that it calls */
} fl_picture_frame;

/* Of a finding in profiles: the stacks of an early and a late profile in one tree. Frames are depth
 * first, those of one caller by name; of a large tree those that carry the change are kept. */
typedef struct fl_picture_stacks {
    const char *service;
    const char *type, *unit; /* of the samples: "inuse_space", "bytes" */
    int64_t before_ns, after_ns;
    const char *query; /* a command that draws it from the profiles */
    const fl_picture_frame *frames;
    size_t frame_count, frames_left_out;
} fl_picture_stacks;

typedef struct fl_picture {
    const char *incident; /* its id */
    int64_t at_ns;
    int64_t from_ns, step_ns;
    size_t step_count;
    fl_range window;
    fl_range baseline; /* what is shown of it; both 0: all of it is elsewhere */
    fl_onset onset;
    double spans_kept,
        logs_kept;        /* shares in (0, 1]; counts of steps are already divided by them */
    const fl_lane *lanes; /* entry services, then by hypothesis and weight, then by deviations */
    size_t lane_count;
    size_t lanes_left_out;          /* that stood out too, and for which there is no room */
    const fl_picture_event *events; /* by time */
    size_t event_count, events_left_out;
    const fl_picture_call *calls; /* what changed most first */
    size_t call_count, calls_left_out;
    const fl_picture_stacks *stacks; /* in the order of the findings */
    size_t stack_count;
} fl_picture;

/* Of a triage, after fl_triage_weigh() where that is used. Lives as long as the triage. The same
 * triage gives the same picture. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_triage_picture(const fl_picture **out, fl_triage *triage, fl_error *err);

#ifdef __cplusplus
}
#endif

#endif
