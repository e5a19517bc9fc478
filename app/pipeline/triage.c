/*
 * triage.c - the one flow: files -> records -> timeline -> streams -> hypotheses -> incident.
 *
 * Stages, each of which frees nothing that a later one needs:
 *   prepare       rules of metric roles, the log miner, an empty timeline around the asked moment
 *   read_inputs   every record of the incident's files, then of the baseline's, into the timeline
 *   conclude      templates, series and edges; streams over them; the ranking; warnings
 *
 * Everything of an answer lives in one arena until fl_triage_destroy(). Damage in the input is
 * counted and warned of; only strict mode, a named file that cannot be read or a limit of memory
 * ends a triage.
 */
#include "faultline/triage.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cut_sink.h"
#include "faultline/limits.h"
#include "fl_metric_roles_yaml.h"
#include "hash.h"
#include "inputs.h"
#include "mem.h"
#include "miner.h"
#include "otlp.h"
#include "payloads.h"
#include "picture_priv.h"
#include "rank.h"
#include "services.h"
#include "signatures_load.h"
#include "slice.h"
#include "timeline_build.h"
#include "timestamp.h"
#include "topology.h"
#include "trace_streams.h"
#include "triage_events.h"
#include "triage_heaps.h"
#include "triage_profiles.h"
#include "triage_traces.h"

/* Minutes are what pod metrics and alert rules are scraped and evaluated by. */
static const int64_t step_ns = INT64_C(60) * 1000000000;
static const int64_t default_window_ns = INT64_C(300) * 1000000000;

enum { MAX_ROLES_BYTES = 1 << 20, MAX_WARNINGS = 24, MAX_UNREADABLE_TOLD = 4, MAX_CLOCKS_TOLD = 4 };

struct fl_triage {
    const fl_triage_request *request; /* during fl_triage_run only */
    fl_triage_request asked;          /* with what alerts tell */
    fl_roles *roles;
    fl_miner *miner;
    fl_timeline_builder *builder;
    fl_template_list templates;
    fl_triage_profiles profiles;
    fl_triage_traces traces;
    fl_triage_heaps heaps;
    fl_signatures *library; /* what traces and heaps are judged by; NULL: there are none */
    fl_streams streams;     /* and their timeline: for the picture, as is the next */
    const char *service;
    fl_picture picture;
    bool has_picture;
    fl_arena arena;
    fl_incident incident;
    fl_recheck *rechecked;
    const char *warnings[MAX_WARNINGS];
    uint64_t done_bytes, total_bytes;
    uint64_t unreadable_files, dropped; /* dropped: attributes and events over the limits */
    int64_t decode_ns, rank_ns;
};

/* The miner behind the timeline's callback: the folders do not know each other. */
static fl_status classify(uint32_t *form, void *payload, uint32_t service, fl_slice line,
                          int severity, fl_error *err)
{
    return fl_miner_add(form, payload, service, line, severity, err);
}

/* NULL, for want of memory while a text was made, is one warning less. */
static void warn(fl_triage *t, const char *text)
{
    assert(t->incident.warning_count <= MAX_WARNINGS);
    if (text != NULL && t->incident.warning_count < MAX_WARNINGS)
        t->warnings[t->incident.warning_count++] = text;
}

/* Rounded up, so that what was asked for lies in whole steps. */
static int64_t whole_steps(int64_t window_ns)
{
    assert(window_ns > 0 && window_ns <= FL_MAX_WINDOWS * step_ns);
    return (window_ns + step_ns - 1) / step_ns * step_ns;
}

/* When it began, and of whom the alert is. */
static fl_status ask_alerts(fl_triage *t, fl_error *err)
{
    fl_triage_alert alert;
    fl_status status =
        fl_triage_alerts_read(&alert, t->asked.events, t->asked.events_count, &t->arena, err);
    if (status != FL_OK)
        return status;
    if (alert.count == 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET,
                       "no alert among the events tells when it began: say it with --at TIME");
    t->asked.at_ns = alert.starts_ns;
    if (t->asked.service == NULL)
        t->asked.service = alert.service;
    return FL_OK;
}

/* The caller's role rules come before the built-in ones: the first that fits wins. */
static fl_status prepare(fl_triage *t, fl_error *err)
{
    const fl_triage_request *request = t->request;
    fl_slice own = {0};
    if (request->window_ns > FL_MAX_WINDOWS * step_ns)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "the window is longer than %u minutes",
                       FL_MAX_WINDOWS);
    fl_status status = fl_roles_create(&t->roles, err);
    if (status == FL_OK && request->roles != NULL)
        status = fl_inputs_read(&own, request->roles, MAX_ROLES_BYTES, &t->arena, err);
    if (status == FL_OK && request->roles != NULL)
        status = fl_roles_add(t->roles, own, request->roles, err);
    if (status == FL_OK)
        status = fl_roles_add(t->roles, fl_metric_roles_yaml, "metric-roles.yaml", err);
    if (status == FL_OK)
        status = fl_miner_create(&t->miner, FL_MAX_LOG_FORMS, FL_MAX_LOG_FORM_BYTES, err);
    if (status != FL_OK)
        return status;
    fl_timeline_options options = {
        .at_ns = request->at_ns,
        .window_ns = whole_steps(request->window_ns > 0 ? request->window_ns : default_window_ns),
        .step_ns = step_ns,
        .roles = t->roles,
        .classifier = {.payload = t->miner, .classify = classify}};
    t->incident.at_ns = request->at_ns;
    int64_t to_ns = request->at_ns <= INT64_MAX - options.window_ns
                        ? request->at_ns + options.window_ns
                        : INT64_MAX;
    t->incident.window = (fl_range){request->at_ns, to_ns};
    return fl_timeline_create(&t->builder, &options, err);
}

/* Bytes of files that were begun before this one. */
static void report_progress(const fl_triage *t, const char *what)
{
    if (t->request->progress != NULL)
        t->request->progress(t->request->payload, what, t->done_bytes, t->total_bytes);
}

/* A file of a folder that cannot be opened costs itself. */
static fl_status pass_over(fl_triage *t, const char *why, fl_error *err)
{
    const char *text = fl_arena_printf(&t->arena, "%s", why);
    if (text == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for warnings");
    if (t->unreadable_files++ < MAX_UNREADABLE_TOLD)
        warn(t, text);
    return FL_OK;
}

/* OTLP, or what another tool sent or answered. */
static fl_status read_file(fl_otlp *otlp, fl_payloads *payloads, const char *path, fl_error *err)
{
    fl_error own = {0};
    fl_status status = fl_otlp_file(otlp, path, &own);
    if (status != FL_E_UNSUPPORTED)
        return status == FL_OK ? FL_OK : fl_fail(err, status, own.offset, "%s", own.message);
    fl_error other = {0};
    status = fl_payloads_file(payloads, path, &other);
    if (status == FL_E_UNSUPPORTED)
        return fl_fail(err, status, own.offset, "%s, nor anything else that is read", own.message);
    return status == FL_OK ? FL_OK : fl_fail(err, status, other.offset, "%s", other.message);
}

/* What an earlier answer was about is not the baseline of what came after it. */
static fl_cut cut_of(const fl_triage *t, bool from_baseline)
{
    const fl_incident *before = t->request->recheck;
    fl_cut out = {.to = fl_timeline_sink(t->builder, from_baseline)};
    if (before == NULL || from_baseline || before->at_ns >= t->request->at_ns)
        return out;
    bool is_earlier = before->onset.at_ns != 0 && before->onset.at_ns < before->at_ns;
    out.from_ns = is_earlier ? before->onset.at_ns : before->at_ns;
    out.to_ns = t->request->at_ns;
    return out;
}

/* A file that holds no telemetry is passed over in a folder, and an error where it was named. */
static fl_status read_files(fl_triage *t, const fl_inputs *inputs, bool from_baseline,
                            fl_error *err)
{
    fl_cut cut = cut_of(t, from_baseline);
    fl_sink sink = fl_cut_sink(&cut);
    fl_otlp *otlp;
    fl_payloads *payloads;
    size_t held = 0;
    fl_status status = fl_otlp_create(&otlp, &sink, err);
    if (status != FL_OK)
        return status;
    status = fl_payloads_create(&payloads, &sink, t->request->strict, err);
    fl_otlp_set_strict(otlp, t->request->strict);
    for (size_t i = 0; i < inputs->count && status == FL_OK; i++) {
        fl_error own = {0};
        report_progress(t, inputs->items[i].path);
        status = read_file(otlp, payloads, inputs->items[i].path, &own);
        held += status == FL_OK;
        t->done_bytes += inputs->items[i].bytes;
        if (status == FL_E_UNSUPPORTED && !inputs->items[i].named)
            status = FL_OK; /* some other JSON file that lies in the folder */
        else if ((status == FL_E_IO || status == FL_E_NOTFOUND) && !inputs->items[i].named &&
                 !t->request->strict)
            status = pass_over(t, own.message, err);
        else if (status != FL_OK)
            status = fl_fail(err, own.status, own.offset, "%s", own.message);
    }
    t->dropped += fl_otlp_dropped(otlp);
    fl_otlp_destroy(otlp);
    fl_payloads_destroy(payloads);
    if (status == FL_OK && inputs->count > 0 && held == 0)
        status = fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%s and its neighbours hold no telemetry",
                         inputs->items[0].path);
    return status;
}

/* Change events: each file is named, so that one which cannot be read is an error. */
static fl_status read_events(fl_triage *t, fl_error *err)
{
    fl_sink sink = fl_timeline_sink(t->builder, false);
    fl_status status = FL_OK;
    for (size_t i = 0; i < t->request->events_count && status == FL_OK; i++) {
        report_progress(t, t->request->events[i]);
        fl_timeline_expect_changes(t->builder);
        status = fl_triage_events_read(&sink, t->request->events[i], t->request->strict, err);
    }
    return status;
}

/* A feed that fails half way gave what it could. */
static fl_status read_feeds(fl_triage *t, fl_error *err)
{
    fl_cut cut = cut_of(t, false);
    fl_sink sink = fl_cut_sink(&cut);
    fl_status status = FL_OK;
    for (size_t i = 0; i < t->request->feed_count && status == FL_OK; i++) {
        const fl_triage_feed *feed = &t->request->feeds[i];
        fl_error own = {0};
        if (feed->tells_changes)
            fl_timeline_expect_changes(t->builder);
        status = feed->read(feed->payload, &sink, &own);
        if (status == FL_E_IO && !t->request->strict)
            status = pass_over(t, own.message, err);
        else if (status != FL_OK)
            status = fl_fail(err, status, own.offset, "%s", own.message);
    }
    return status;
}

/* Their totals are series of the incident; what they found waits for the ranking. */
static fl_status read_profiles(fl_triage *t, fl_error *err)
{
    fl_sink sink = fl_timeline_sink(t->builder, false);
    const fl_triage_profile_paths from = {.paths = t->request->pprof,
                                          .count = t->request->pprof_count,
                                          .service = t->request->service,
                                          .asker = t->request->asker,
                                          .signatures = t->request->signatures,
                                          .signature_count = t->request->signature_count,
                                          .library = t->library};
    fl_status status = fl_triage_profiles_read(&t->profiles, &from, &sink, &t->arena, err);
    t->unreadable_files += t->profiles.unreadable;
    for (size_t i = 0; i < t->profiles.warning_count && status == FL_OK; i++)
        warn(t, t->profiles.warnings[i]);
    return status;
}

/* The same of traces, of which those from before are what is usual. */
static fl_status read_traces(fl_triage *t, fl_error *err)
{
    fl_cut cut = cut_of(t, false);
    fl_sink sink = fl_cut_sink(&cut);
    const fl_triage_traces_from from = {.paths = t->request->traces,
                                        .count = t->request->trace_count,
                                        .found = t->profiles.traces,
                                        .found_count = t->profiles.trace_count,
                                        .service = t->request->service,
                                        .start_ns = t->request->trace_start_ns,
                                        .library = t->library};
    fl_status status = fl_triage_traces_read(&t->traces, &from, &sink, &t->arena, err);
    t->unreadable_files += t->traces.unreadable;
    fl_triage_profiles_dispose(&t->profiles);
    for (size_t i = 0; i < t->traces.warning_count && status == FL_OK; i++)
        warn(t, t->traces.warnings[i]);
    return status;
}

/* And of heap dumps. */
static fl_status read_heaps(fl_triage *t, fl_error *err)
{
    fl_cut cut = cut_of(t, false);
    fl_sink sink = fl_cut_sink(&cut);
    const fl_triage_heaps_from from = {.paths = t->request->heaps,
                                       .count = t->request->heap_count,
                                       .service = t->request->service,
                                       .temp_folder = t->request->temp_folder,
                                       .library = t->library,
                                       .signatures = t->request->signatures,
                                       .signature_count = t->request->signature_count};
    fl_status status = fl_triage_heaps_read(&t->heaps, &from, &sink, &t->arena, err);
    t->unreadable_files += t->heaps.unreadable;
    for (size_t i = 0; i < t->heaps.warning_count && status == FL_OK; i++)
        warn(t, t->heaps.warnings[i]);
    return status;
}

/* Profiles load their own, but there may be traces among them. What lies in the user's folder does
 * not stop a triage that needs none. */
static fl_status load_signatures(fl_triage *t, fl_error *err)
{
    const fl_triage_request *request = t->request;
    if (request->trace_count + request->heap_count + request->pprof_count == 0)
        return FL_OK;
    fl_status status = fl_signatures_create(&t->library, err);
    if (status == FL_OK)
        status = fl_signatures_add_built_in(t->library, err);
    return status == FL_OK
               ? fl_signatures_load(t->library, request->signatures, request->signature_count, err)
               : status;
}

/* Both lists are made before anything is read: a missing baseline is said at once. */
static fl_status read_inputs(fl_triage *t, fl_error *err)
{
    const fl_triage_request *request = t->request;
    fl_inputs incident, baseline;
    fl_status status =
        fl_inputs_list(&incident, request->otlp, request->otlp_count, &t->arena, err);
    if (status == FL_OK)
        status =
            fl_inputs_list(&baseline, request->baseline, request->baseline_count, &t->arena, err);
    if (status != FL_OK)
        return status;
    t->total_bytes = incident.bytes + baseline.bytes;
    status = load_signatures(t, err);
    if (status == FL_OK)
        status = read_files(t, &incident, false, err);
    if (status == FL_OK)
        status = read_files(t, &baseline, true, err);
    if (status == FL_OK)
        status = read_feeds(t, err);
    if (status == FL_OK)
        status = read_events(t, err);
    if (status == FL_OK)
        status = read_profiles(t, err);
    if (status == FL_OK)
        status = read_traces(t, err);
    return status == FL_OK ? read_heaps(t, err) : status;
}

/* The miner's templates in the timeline's shape. */
static fl_status take_templates(fl_triage *t, fl_error *err)
{
    fl_status status = fl_miner_finish(t->miner, err);
    if (status != FL_OK)
        return status;
    size_t count = fl_miner_template_count(t->miner), forms = fl_miner_form_count(t->miner);
    fl_template *templates = fl_arena_alloc(&t->arena, count, sizeof(*templates));
    uint32_t *template_of = fl_arena_alloc(&t->arena, forms, sizeof(*template_of));
    if (templates == NULL || template_of == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu log templates", count);
    for (size_t i = 0; i < count; i++) {
        const fl_log_template *from = fl_miner_template(t->miner, i);
        templates[i] = (fl_template){.id = from->id,
                                     .text = from->text,
                                     .location = from->location,
                                     .severity = from->severity,
                                     .is_error = from->is_error};
    }
    for (size_t form = 0; form < forms; form++)
        template_of[form] = (uint32_t)fl_miner_template_of(t->miner, (uint32_t)form);
    t->templates =
        (fl_template_list){.templates = templates, .count = count, .template_of = template_of};
    return FL_OK;
}

/* ---- what the incident says of its data ---- */

/* A modality is missing when no window of the incident has it, whatever the baseline has. */
static void describe_windows(fl_incident *out, const fl_timeline *timeline)
{
    bool seen[FL_MODALITY_COUNT] = {[FL_MODALITY_TOPOLOGY] = true,
                                    [FL_MODALITY_PROFILES] = true,
                                    [FL_MODALITY_MEMORY] = true,
                                    [FL_MODALITY_ALERTS] = true,
                                    [FL_MODALITY_CHANGES] = timeline->has_changes};
    for (size_t w = 0; w < timeline->window_count; w++) {
        const fl_window *window = &timeline->windows[w];
        if (window->incident) {
            seen[FL_MODALITY_METRICS] |= window->has_metrics;
            seen[FL_MODALITY_LOGS] |= window->has_logs;
            seen[FL_MODALITY_TRACES] |= window->has_spans;
            continue;
        }
        if (out->baseline.to_ns == 0)
            out->baseline.from_ns = window->from_ns;
        out->baseline.to_ns = window->to_ns;
    }
    for (size_t m = 0; m < FL_MODALITY_COUNT; m++)
        out->missing[m] = !seen[m];
}

/* The moment, then a hash of the question and of what was found: the same input, the same id. */
static const char *make_id(fl_arena *arena, const fl_triage_request *request,
                           const fl_timeline *timeline)
{
    char moment[FL_TIME_TEXT], compact[FL_TIME_TEXT];
    size_t len = 0;
    fl_time_format(moment, request->at_ns);
    for (const char *c = moment; *c != '\0'; c++)
        if (*c != '-' && *c != ':')
            compact[len++] = *c;
    compact[len] = '\0';
    uint64_t hash = fl_hash_mix((uint64_t)request->at_ns) ^ (uint64_t)request->window_ns;
    hash = fl_hash_mix(hash ^ fl_hash_stable(fl_slice_of(request->service)));
    for (size_t i = 0; i < timeline->service_count; i++)
        hash = fl_hash_mix(hash ^ fl_hash_stable(fl_slice_of(timeline->services[i])));
    hash = fl_hash_mix(hash ^ timeline->span_records);
    hash = fl_hash_mix(hash ^ timeline->log_records);
    hash = fl_hash_mix(hash ^ timeline->point_records);
    if (timeline->change_count > 0) /* ids of before there were changes stay */
        hash = fl_hash_mix(hash ^ timeline->change_count);
    if (timeline->alert_count > 0)
        hash = fl_hash_mix(hash ^ timeline->alert_count);
    return fl_arena_printf(arena, "%s-%08x", compact, (unsigned)(hash >> 32));
}

/* For qsort: warnings come out in one order, however they were found. */
static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The clocks that differed, by name; one sentence for each of the first few. */
static fl_status tell_clocks(fl_triage *t, const fl_timeline *timeline, fl_error *err)
{
    fl_clock_skew *out = fl_arena_alloc(&t->arena, timeline->clock_count, sizeof(*out));
    if (out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for clocks");
    for (size_t i = 0; i < timeline->clock_count; i++) {
        const fl_clock *clock = &timeline->clocks[i];
        const fl_entity *entity = &timeline->entities[clock->entity];
        out[i] = (fl_clock_skew){.service = timeline->services[entity->service],
                                 .instance = entity->instance,
                                 .offset_ns = clock->offset_ns,
                                 .error_ns = clock->error_ns,
                                 .calls = clock->calls};
        if (i >= MAX_CLOCKS_TOLD)
            continue;
        bool has_instance = out[i].instance != NULL;
        double offset_ms = (double)out[i].offset_ns / 1e6;
        warn(t, fl_arena_printf(&t->arena,
                                "the clock of %s%s%s%s is %.1f ms %s those of most (within %.1f "
                                "ms, by %llu calls): its times were put right",
                                out[i].service, has_instance ? " (" : "",
                                has_instance ? out[i].instance : "", has_instance ? ")" : "",
                                offset_ms < 0 ? -offset_ms : offset_ms,
                                offset_ms < 0 ? "behind" : "ahead of",
                                (double)out[i].error_ns / 1e6, (unsigned long long)out[i].calls));
    }
    if (timeline->clock_count > MAX_CLOCKS_TOLD)
        warn(t, fl_arena_printf(&t->arena, "%zu clocks differ from those of most in all",
                                timeline->clock_count));
    t->incident.clocks = out;
    t->incident.clock_count = timeline->clock_count;
    return FL_OK;
}

/* Everything that was lost or left out on the way to the answer. */
static void collect_warnings(fl_triage *t, const fl_timeline *timeline)
{
    fl_timeline_losses losses = fl_timeline_losses_of(t->builder);
    t->incident.rejected_records = losses.rejected + t->unreadable_files;
    for (size_t i = 0; i < losses.first_reject_count; i++)
        warn(t, losses.first_rejects[i]);
    if (losses.rejected > losses.first_reject_count)
        warn(t, fl_arena_printf(&t->arena, "%llu records were unreadable in all; the rest was used",
                                (unsigned long long)losses.rejected));
    if (losses.over_budget > 0)
        warn(t, fl_arena_printf(&t->arena,
                                "%llu records were not counted: more distinct series, names or "
                                "minutes than the limits allow",
                                (unsigned long long)losses.over_budget));
    if (t->unreadable_files > MAX_UNREADABLE_TOLD)
        warn(t, fl_arena_printf(&t->arena, "%llu files were unreadable in all; the rest was used",
                                (unsigned long long)t->unreadable_files));
    if (t->dropped > 0)
        warn(t, fl_arena_printf(&t->arena,
                                "%llu attributes or events were left out: more in one record than "
                                "the limits allow",
                                (unsigned long long)t->dropped));
    if (timeline->span_sampling < 1)
        warn(t, fl_arena_printf(&t->arena, "spans were sampled: %.3g %% of the traces were used",
                                100 * timeline->span_sampling));
    if (timeline->log_sampling < 1)
        warn(t, fl_arena_printf(&t->arena, "logs were sampled: %.3g %% of the traces were used",
                                100 * timeline->log_sampling));
    if (timeline->metric_sampling < 1)
        warn(t, fl_arena_printf(&t->arena, "metrics were sampled: %.3g %% of the series were used",
                                100 * timeline->metric_sampling));
    if (fl_miner_is_full(t->miner))
        warn(t, "more distinct log lines than the limit: the rest counts as <other>");
    if (t->incident.baseline.to_ns == 0)
        warn(t, "there is no baseline: nothing before the incident's time, and no --baseline");
    qsort(t->warnings, t->incident.warning_count, sizeof(t->warnings[0]), compare_texts);
    t->incident.warnings = t->warnings;
}

static fl_status recheck(fl_triage *t, const fl_streams *streams, fl_error *err)
{
    const fl_incident *before = t->request->recheck;
    t->rechecked = fl_arena_alloc(&t->arena, before->hypothesis_count + 1, sizeof(*t->rechecked));
    if (t->rechecked == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to measure again");
    fl_rank_recheck(t->rechecked, streams, before);
    return FL_OK;
}

/* What one kind of files found, and the moments in which a person sees it. */
struct told {
    const fl_rank_finding *findings;
    size_t finding_count;
    const fl_moment *moments; /* by time */
    size_t moment_count;
};

/* Puts a list by time into another one; of one moment, what is there comes first. */
static size_t put_moments(fl_moment *all, size_t count, const struct told *more)
{
    for (size_t i = 0; i < more->moment_count; i++) {
        size_t k = count++;
        for (; k > 0 && all[k - 1].at_ns > more->moments[i].at_ns; k--)
            all[k] = all[k - 1];
        all[k] = more->moments[i];
    }
    return count;
}

/* The ranking asks for one list: where a finding comes from is in its words and its query. */
static fl_status take_findings(fl_triage *t, fl_rank_question *question, fl_error *err)
{
    const fl_triage_profiles *p = &t->profiles;
    const fl_triage_traces *r = &t->traces;
    const fl_triage_heaps *h = &t->heaps;
    const struct told all[] = {{p->findings, p->finding_count, p->moments, p->moment_count},
                               {r->findings, r->finding_count, r->moments, r->moment_count},
                               {h->findings, h->finding_count, h->moments, h->moment_count}};
    size_t count = 0, moment_count = 0;
    fl_rank_finding *findings = fl_arena_alloc(
        &t->arena, p->finding_count + r->finding_count + h->finding_count + 1, sizeof(*findings));
    fl_moment *moments = fl_arena_alloc(
        &t->arena, p->moment_count + r->moment_count + h->moment_count + 1, sizeof(*moments));
    if (findings == NULL || moments == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for what profiles say");
    for (size_t kind = 0; kind < sizeof(all) / sizeof(all[0]); kind++) {
        for (size_t i = 0; i < all[kind].finding_count; i++)
            findings[count++] = all[kind].findings[i];
        moment_count = put_moments(moments, moment_count, &all[kind]);
    }
    question->findings = findings;
    question->finding_count = count;
    t->incident.moments = moments;
    t->incident.moment_count = moment_count;
    return FL_OK;
}

/* Whether anything but heap dumps speaks of a service; each has an operation without a name. */
static bool is_told_of(const fl_timeline *timeline, uint32_t service)
{
    bool told = false;
    for (size_t i = 0; i < timeline->operation_count; i++)
        told |= timeline->operations[i].service == service && timeline->operations[i].name != NULL;
    for (size_t i = 0; i < timeline->log_series_count; i++)
        told |= timeline->logs[i].service == service;
    for (size_t i = 0; i < timeline->metric_series_count; i++)
        told |= timeline->entities[timeline->metrics[i].entity].service == service &&
                strcmp(timeline->metrics[i].name, "jvm.memory.used_after_last_gc") != 0;
    return told;
}

/* A name that was mistyped would be a finding that nobody sees. */
static void tell_strangers(fl_triage *t, const fl_timeline *timeline)
{
    for (size_t i = 0; i < t->heaps.service_count; i++) {
        uint32_t service = fl_service_find(timeline, fl_slice_of(t->heaps.services[i]));
        if (service == FL_NO_INDEX || !is_told_of(timeline, service))
            warn(t, fl_arena_printf(&t->arena,
                                    "no telemetry tells of the service %s, whose heap dumps were"
                                    " given",
                                    t->heaps.services[i]));
    }
}

/* From the timeline to the incident; the clock is read here only for its two figures. */
static fl_status conclude(fl_triage *t, fl_error *err)
{
    const char *const *edges = NULL;
    size_t edge_count = 0;
    const fl_timeline *timeline;
    fl_streams *streams = &t->streams;
    fl_status status = FL_OK;
    if (t->request->topology != NULL)
        status = fl_topology_read(&edges, &edge_count, t->request->topology, &t->arena, err);
    if (status == FL_OK)
        status = take_templates(t, err);
    if (status == FL_OK)
        status = fl_timeline_finish(&timeline, t->builder, &t->templates, edges, edge_count, err);
    t->decode_ns = fl_time_monotonic() - t->decode_ns;
    t->rank_ns = fl_time_monotonic();
    if (status == FL_OK)
        status = fl_streams_build(streams, timeline, &t->arena, err);
    if (status != FL_OK)
        return status;
    fl_incident *out = &t->incident;
    describe_windows(out, timeline);
    out->id = make_id(&t->arena, t->request, timeline);
    if (t->request->service != NULL)
        t->service = fl_arena_printf(&t->arena, "%s", t->request->service);
    if (out->id == NULL || (t->request->service != NULL && t->service == NULL))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an incident");
    out->metric_series = timeline->metric_series_count;
    out->log_records = timeline->log_records;
    out->log_templates = timeline->template_count;
    out->trace_spans = timeline->span_records;
    out->trace_edges = streams->edge_count;
    out->change_events = timeline->change_count;
    fl_rank_question question = {.symptom_service = t->request->service};
    status = take_findings(t, &question, err);
    if (status != FL_OK)
        return status;
    status = fl_rank(out, streams, &question, &t->arena, err);
    if (status == FL_OK && t->request->recheck != NULL)
        status = recheck(t, streams, err);
    if (status == FL_OK && timeline->clock_count > 0)
        status = tell_clocks(t, timeline, err);
    tell_strangers(t, timeline);
    collect_warnings(t, timeline);
    t->rank_ns = fl_time_monotonic() - t->rank_ns;
    return status;
}

fl_status fl_triage_run(fl_triage **out, const fl_triage_request *request, fl_error *err)
{
    assert(out != NULL && request != NULL);
    *out = NULL;
    fl_triage *t = fl_mem_calloc(1, sizeof(*t));
    if (t == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a triage");
    t->asked = *request;
    t->request = &t->asked;
    t->arena = fl_arena_of(FL_MAX_STREAMS_BYTES);
    t->decode_ns = fl_time_monotonic();
    fl_status status = request->at_from_alerts ? ask_alerts(t, err) : FL_OK;
    if (status == FL_OK)
        status = prepare(t, err);
    if (status == FL_OK)
        status = read_inputs(t, err);
    if (status == FL_OK)
        status = conclude(t, err);
    t->request = NULL;
    if (status != FL_OK) {
        fl_triage_destroy(t);
        return status;
    }
    *out = t;
    return FL_OK;
}

fl_status fl_triage_weigh(fl_triage *triage, const fl_prior *priors, size_t count, fl_error *err)
{
    assert(triage != NULL);
    return fl_rank_weigh(&triage->incident, priors, count, &triage->arena, err);
}

const fl_incident *fl_triage_incident(const fl_triage *triage)
{
    assert(triage != NULL);
    return &triage->incident;
}

/* Made when it is first asked for: not every triage is drawn. */
fl_status fl_triage_picture(const fl_picture **out, fl_triage *triage, fl_error *err)
{
    assert(out != NULL && triage != NULL);
    const fl_picture_input in = {.incident = &triage->incident,
                                 .streams = &triage->streams,
                                 .service = triage->service,
                                 .stacks = triage->profiles.stacks,
                                 .stack_count = triage->profiles.stack_count};
    fl_status status = FL_OK;
    if (!triage->has_picture)
        status = fl_picture_build(&triage->picture, &in, &triage->arena, err);
    triage->has_picture = status == FL_OK;
    *out = status == FL_OK ? &triage->picture : NULL;
    return status;
}

const fl_recheck *fl_triage_rechecked(const fl_triage *triage)
{
    assert(triage != NULL);
    return triage->rechecked;
}

int64_t fl_triage_decode_ns(const fl_triage *triage)
{
    return triage->decode_ns;
}

int64_t fl_triage_rank_ns(const fl_triage *triage)
{
    return triage->rank_ns;
}

void fl_triage_destroy(fl_triage *triage)
{
    if (triage == NULL)
        return;
    fl_triage_profiles_dispose(&triage->profiles);
    fl_timeline_destroy(triage->builder);
    fl_miner_destroy(triage->miner);
    fl_roles_destroy(triage->roles);
    fl_signatures_destroy(triage->library);
    fl_arena_dispose(&triage->arena);
    fl_mem_free(triage);
}

const char *fl_version(void)
{
    return FL_VERSION;
}
