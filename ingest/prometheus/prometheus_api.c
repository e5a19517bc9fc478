/*
 * prometheus_api.c - answers of the HTTP API, and lines of VictoriaMetrics' export.
 *
 *   answer  := { "status": "success" | "error", "data"?: DATA, "errorType"?, "error"?, "warnings"?
 * } DATA    := { "resultType", "result": [ SERIES* ] | SAMPLE }  query, query_range | [ LABELS* ]
 * series: names without samples | { NAME: [ { "type", "help", "unit" }* ]* }        metadata SERIES
 * := { "metric": LABELS, "values": [ SAMPLE* ] | "value": SAMPLE, "histograms"? | "histogram"? }
 *   SAMPLE  := [ seconds, "value" ]
 *   export  := { "metric": LABELS, "values": [ number* ], "timestamps": [ milliseconds* ] }*
 *
 * Whether a result is a matrix, a vector or a scalar is told by its shape, so that members may come
 * in any order. Values in front of "metric" are stepped over and read afterwards.
 */
#include <assert.h>
#include <math.h>

#include "number.h"
#include "prometheus_priv.h"
#include "slice.h"
#include "timestamp.h"

#define MAX_TIME_S 9223372036.0 /* the year 2262 */

/* An answer as it is being read. */
struct answer {
    fl_prometheus *p;
    fl_json *in;
    bool is_error;
    bool is_told;               /* that its JSON breaks */
    fl_slice error_type, error; /* in p->body: the other arena is reset with each series */
    fl_error *err;
};

/* Where the parts of a series stand in the payload; ptr is NULL where there is none. */
struct series {
    bool has_metric;
    fl_slice values, value, timestamps;
};

/* As Prometheus and VictoriaMetrics write what JSON has no number for. */
static bool parse_value(double *out, fl_slice text)
{
    if (fl_parse_double(text, out))
        return true;
    if (fl_slice_equal(text, FL_SLICE("+Inf")) || fl_slice_equal(text, FL_SLICE("Inf")))
        *out = INFINITY;
    else if (fl_slice_equal(text, FL_SLICE("-Inf")))
        *out = -INFINITY;
    else
        return false;
    return true;
}

static double read_value(fl_json *in)
{
    size_t at = in->pos;
    double value = 0;
    if (fl_json_peek(in) != FL_JSON_STRING)
        return fl_json_null(in) ? (double)NAN : fl_json_double(in);
    fl_slice text = fl_json_string(in);
    if (fl_json_ok(in) && !parse_value(&value, text))
        fl_json_fail(in, at, "expected a number, found \"%.*s\"",
                     text.len < 32 ? (int)text.len : 32, (const char *)text.ptr);
    return value;
}

/* Seconds with at most three decimals, which is what the servers keep. */
static int64_t read_time(fl_json *in)
{
    size_t at = in->pos;
    double seconds = fl_json_double(in);
    if (fl_json_ok(in) && !(seconds >= 0 && seconds < MAX_TIME_S)) {
        fl_json_fail(in, at, "a sample's time is not between the years 1970 and 2262");
        return 0;
    }
    return (int64_t)(seconds * 1000 + 0.5) * FL_NS_PER_MS;
}

/* [seconds, "value"], the array not yet entered. */
static fl_status read_sample(struct answer *a, fl_json *in)
{
    size_t at = in->pos;
    if (!fl_json_enter_array(in))
        return FL_OK;
    bool has_time = fl_json_next_element(in);
    int64_t time_ns = has_time ? read_time(in) : 0;
    bool has_value = has_time && fl_json_next_element(in);
    double value = has_value ? read_value(in) : 0;
    if (fl_json_ok(in) && (!has_value || fl_json_next_element(in)))
        fl_json_fail(in, at, "a sample is not [seconds, value]");
    return fl_json_ok(in) ? fl_prometheus_sample(a->p, time_ns, value, a->err) : FL_OK;
}

static fl_status read_samples(struct answer *a, fl_json *in)
{
    fl_status status = FL_OK;
    if (fl_json_enter_array(in))
        while (status == FL_OK && fl_json_next_element(in))
            status = read_sample(a, in);
    return status;
}

static void read_labels(fl_prometheus *p, fl_json *in)
{
    fl_slice name;
    fl_labels_clear(&p->labels);
    if (fl_json_enter_object(in))
        while (fl_json_next_member(in, &name)) {
            fl_slice value = fl_json_string(in);
            if (fl_json_ok(in))
                fl_labels_add(&p->labels, name, value);
        }
}

static fl_json reader_at(const struct answer *a, fl_slice part)
{
    return fl_intake_reader(&a->p->to, part, &a->p->text);
}

/* Two arrays, side by side. */
static fl_status read_export(struct answer *a, const struct series *series, fl_json *failed)
{
    fl_json values = reader_at(a, series->values), times = reader_at(a, series->timestamps);
    fl_status status = FL_OK;
    bool more = fl_json_enter_array(&values) && fl_json_enter_array(&times);
    assert(series->values.ptr != NULL && series->timestamps.ptr != NULL);
    while (more && status == FL_OK) {
        bool has_value = fl_json_next_element(&values), has_time = fl_json_next_element(&times);
        int64_t time_ns = 0;
        if (has_value != has_time && fl_json_ok(&values) && fl_json_ok(&times))
            fl_json_fail(&times, (size_t)(series->timestamps.ptr - a->in->bytes.ptr),
                         "not as many timestamps as values");
        more = has_value && has_time;
        if (!more)
            break;
        double value = read_value(&values);
        int64_t time_ms = fl_json_i64(&times);
        if (fl_json_ok(&times) && !fl_intake_time(&time_ns, time_ms, FL_NS_PER_MS))
            fl_json_fail(&times, times.pos,
                         "a sample's time is not between the years 1970 and 2262");
        more = fl_json_ok(&values) && fl_json_ok(&times);
        if (more)
            status = fl_prometheus_sample(a->p, time_ns, value, a->err);
    }
    *failed = fl_json_ok(&values) ? times : values;
    return status;
}

/* What was stepped over because its labels or its other half came later. */
static fl_status read_later(struct answer *a, const struct series *series)
{
    fl_json in = *a->in;
    fl_status status = FL_OK;
    if (series->timestamps.ptr != NULL && series->values.ptr != NULL) {
        status = read_export(a, series, &in);
    } else if (series->values.ptr != NULL) {
        in = reader_at(a, series->values);
        status = read_samples(a, &in);
    }
    if (status == FL_OK && fl_json_ok(&in) && series->value.ptr != NULL) {
        in = reader_at(a, series->value);
        status = read_sample(a, &in);
    }
    if (!fl_json_ok(&in) && fl_json_ok(a->in)) {
        a->in->err = in.err;
        a->in->pos = a->in->bytes.len;
    }
    return status;
}

/* The labels are known: begin, so that what follows can be read in one pass. */
static fl_status begin_series(struct answer *a, size_t at)
{
    const char *complaint;
    fl_status status = fl_prometheus_begin(a->p, &complaint, a->err);
    if (status == FL_OK && complaint != NULL)
        fl_json_fail(a->in, at, "%s", complaint);
    return status;
}

static bool is_pair_next(fl_json *in)
{
    fl_json look = *in; /* cheap: an answer has one of these a series */
    return fl_json_enter_array(&look) && fl_json_next_element(&look) &&
           fl_json_peek(&look) == FL_JSON_ARRAY;
}

static fl_status read_member(struct answer *a, fl_slice key, struct series *series)
{
    fl_json *in = a->in;
    size_t at = in->pos;
    if (fl_slice_equal(key, FL_SLICE("metric"))) {
        read_labels(a->p, in);
        series->has_metric = fl_json_ok(in);
        return fl_json_ok(in) ? begin_series(a, at) : FL_OK;
    }
    if (fl_slice_equal(key, FL_SLICE("values"))) {
        if (series->has_metric && is_pair_next(in))
            return read_samples(a, in);
        series->values = fl_json_raw(in);
    } else if (fl_slice_equal(key, FL_SLICE("value"))) {
        series->value = fl_json_raw(in);
    } else if (fl_slice_equal(key, FL_SLICE("timestamps"))) {
        series->timestamps = fl_json_raw(in);
    } else {
        bool is_native = fl_slice_equal(key, FL_SLICE("histograms")) ||
                         fl_slice_equal(key, FL_SLICE("histogram"));
        a->p->counts.native_histograms += is_native;
        fl_json_skip(in);
    }
    return FL_OK;
}

/* One series; false in *sound where its JSON breaks so that nothing behind it can be read. */
static fl_status read_series(struct answer *a, bool *sound)
{
    fl_json *in = a->in;
    fl_slice key;
    struct series series = {0};
    fl_status status = FL_OK;
    fl_arena_reset(&a->p->text);
    fl_json_mark mark = fl_json_here(in);
    if (fl_json_enter_object(in))
        while (status == FL_OK && fl_json_next_member(in, &key))
            status = read_member(a, key, &series);
    if (status == FL_OK && fl_json_ok(in) && !series.has_metric)
        fl_json_fail(in, mark.pos, "a series without 'metric'");
    if (status == FL_OK && fl_json_ok(in))
        status = read_later(a, &series);
    *sound = fl_json_ok(in);
    if (status == FL_OK && !*sound)
        status = fl_intake_pass_over(&a->p->to, in, mark, sound, a->err);
    a->is_told = !*sound;
    return status;
}

/* A scalar is [seconds, "value"], where others have a list of series. */
static fl_status read_result(struct answer *a)
{
    fl_json *in = a->in;
    fl_status status = FL_OK;
    bool sound = true;
    fl_json look = *in;
    if (fl_json_enter_array(&look) && fl_json_next_element(&look) &&
        fl_json_peek(&look) == FL_JSON_NUMBER) {
        size_t at = in->pos;
        fl_labels_clear(&a->p->labels);
        status = begin_series(a, at);
        return status == FL_OK && fl_json_ok(in) ? read_sample(a, in) : status;
    }
    if (fl_json_enter_array(in))
        while (status == FL_OK && sound && fl_json_next_element(in))
            status = read_series(a, &sound);
    return status;
}

struct type_words {
    fl_slice type, unit;
};

static void read_type(fl_json *in, struct type_words *words)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("type")))
            words->type = fl_json_string(in);
        else if (fl_slice_equal(key, FL_SLICE("unit")))
            words->unit = fl_json_string(in);
        else
            fl_json_skip(in);
}

/* [ { "type", "help", "unit" }* ]: the first one counts; targets seldom disagree. */
static fl_status read_types(struct answer *a, fl_slice family)
{
    fl_json *in = a->in;
    struct type_words words = {0};
    prometheus_type known = TYPE_UNKNOWN;
    bool more = fl_json_enter_array(in) && fl_json_next_element(in);
    if (more)
        read_type(in, &words);
    while (more && fl_json_next_element(in))
        fl_json_skip(in);
    if (!fl_json_ok(in) || !fl_prometheus_type_parse(&known, words.type))
        return FL_OK;
    return fl_prometheus_note(a->p, family, known, words.unit, a->err);
}

static fl_status read_data(struct answer *a)
{
    fl_json *in = a->in;
    fl_slice key;
    fl_status status = FL_OK;
    if (fl_json_peek(in) != FL_JSON_OBJECT) { /* names of series or labels: no samples */
        fl_json_skip(in);
        return FL_OK;
    }
    (void)fl_json_enter_object(in);
    while (status == FL_OK && fl_json_next_member(in, &key)) {
        bool is_list = fl_json_peek(in) == FL_JSON_ARRAY;
        if (fl_slice_equal(key, FL_SLICE("result")) && is_list)
            status = read_result(a);
        else if (fl_slice_equal(key, FL_SLICE("resultType")) || !is_list)
            fl_json_skip(in);
        else
            status = read_types(a, key);
    }
    return status;
}

static fl_status read_top(struct answer *a, fl_slice key)
{
    fl_json *in = a->in;
    if (fl_slice_equal(key, FL_SLICE("status"))) {
        fl_slice word = fl_json_string(in);
        a->is_error = fl_slice_equal(word, FL_SLICE("error"));
    } else if (fl_slice_equal(key, FL_SLICE("data")) && fl_json_peek(in) == FL_JSON_OBJECT) {
        return read_data(a);
    } else if (fl_slice_equal(key, FL_SLICE("errorType"))) {
        a->error_type = fl_arena_copy(&a->p->body, fl_json_string(in));
    } else if (fl_slice_equal(key, FL_SLICE("error"))) {
        a->error = fl_arena_copy(&a->p->body, fl_json_string(in));
    } else if (fl_slice_equal(key, FL_SLICE("warnings")) && fl_json_peek(in) == FL_JSON_ARRAY) {
        (void)fl_json_enter_array(in);
        for (; fl_json_next_element(in); a->p->counts.warnings++)
            fl_json_skip(in);
    } else {
        fl_json_skip(in);
    }
    return FL_OK;
}

static fl_status read_answer(struct answer *a)
{
    fl_slice key;
    fl_status status = FL_OK;
    (void)fl_json_enter_object(a->in);
    while (status == FL_OK && fl_json_next_member(a->in, &key))
        status = read_top(a, key);
    if (status == FL_OK && fl_json_ok(a->in))
        (void)fl_json_finish(a->in);
    if (status == FL_OK && a->is_error)
        return fl_fail(a->err, FL_E_IO, FL_NO_OFFSET, "%s: the server answered %.*s: %.*s",
                       a->p->to.source, a->error_type.len < 40 ? (int)a->error_type.len : 40,
                       (const char *)a->error_type.ptr,
                       a->error.len < 120 ? (int)a->error.len : 120, (const char *)a->error.ptr);
    if (status == FL_OK && !fl_json_ok(a->in) && !a->is_told)
        status = fl_intake_refuse_error(&a->p->to, &a->in->err, 0, 1, a->err);
    return status;
}

/* The start of the line behind the one that `at` is in. */
static size_t next_line(fl_slice bytes, size_t at)
{
    assert(at <= bytes.len);
    const unsigned char *feed =
        at < bytes.len ? memchr(bytes.ptr + at, '\n', bytes.len - at) : NULL;
    return feed != NULL ? (size_t)(feed - bytes.ptr) + 1 : bytes.len;
}

/* Lines: where one breaks, the next one is read. */
static fl_status read_lines(struct answer *a)
{
    fl_json *in = a->in;
    fl_slice bytes = in->bytes;
    fl_status status = FL_OK;
    while (status == FL_OK) {
        size_t at = in->pos;
        bool sound = fl_json_peek(in) != FL_JSON_END;
        if (!sound && fl_json_ok(in))
            break;
        status = sound ? read_series(a, &sound)
                       : fl_intake_refuse_error(&a->p->to, &in->err, at, 1, a->err);
        if (!sound) {
            *in = fl_json_over(bytes, &a->p->text);
            in->pos = next_line(bytes, at + 1 < bytes.len && bytes.ptr[at] == '\n' ? at + 1 : at);
        }
    }
    return status;
}

/* Told by the first member: an answer's are few and no line of an export begins like them. */
static bool is_export(fl_slice body, fl_arena *arena, bool *is_answer)
{
    static const fl_slice first[] = {FL_SLICE_INIT("status"), FL_SLICE_INIT("data"),
                                     FL_SLICE_INIT("errorType"), FL_SLICE_INIT("error"),
                                     FL_SLICE_INIT("warnings")};
    fl_json in = fl_json_over(body, arena);
    fl_slice key = {0};
    *is_answer = false;
    if (fl_json_peek(&in) != FL_JSON_OBJECT || !fl_json_enter_object(&in) ||
        !fl_json_next_member(&in, &key))
        return false;
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
        *is_answer |= fl_slice_equal(key, first[i]);
    return fl_slice_equal(key, FL_SLICE("metric"));
}

fl_status fl_prometheus_answer(fl_prometheus *p, fl_slice body, fl_error *err)
{
    bool is_answer;
    body = fl_intake_text(body);
    fl_arena_reset(&p->text);
    fl_arena_reset(&p->body);
    bool export = is_export(body, &p->text, &is_answer);
    if (!export && !is_answer)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s holds no answer of Prometheus",
                       p->to.source);
    p->rejects += p->to.rejects;
    fl_intake_begin(&p->to, body, true);
    fl_json in = fl_json_over(body, &p->text);
    struct answer a = {.p = p, .in = &in, .err = err};
    return export ? read_lines(&a) : read_answer(&a);
}
