/*
 * request_metrics.c - the names, as one table in the order of how much they tell.
 */
#include "request_metrics.h"

#include <assert.h>

#include "hash.h"
#include "slice.h"

enum { NAME_BYTES = 48 }; /* longer names are none of these */

typedef struct request_metric {
    fl_slice name;
    double ms;        /* of its sum's unit, where neither name nor point tell another; 0: counts */
    bool is_of_spans; /* of all kinds of them */
} request_metric;

static const request_metric metrics[FL_REQUEST_METRICS] = {
    {FL_SLICE_INIT("http_server_request_duration"), 1000, false},
    {FL_SLICE_INIT("http_server_duration"), 1, false},
    {FL_SLICE_INIT("rpc_server_call_duration"), 1000, false},
    {FL_SLICE_INIT("rpc_server_duration"), 1, false},
    {FL_SLICE_INIT("http_server_requests"), 1000, false},
    {FL_SLICE_INIT("http_request_duration"), 1000, false},
    {FL_SLICE_INIT("grpc_server_handling"), 1000, false},
    {FL_SLICE_INIT("http_requests"), 0, false},
    {FL_SLICE_INIT("grpc_server_handled"), 0, false},
    {FL_SLICE_INIT("traces_span_metrics_duration"), 1, true},
    {FL_SLICE_INIT("traces_spanmetrics_latency"), 1000, true},
    {FL_SLICE_INIT("traces_span_metrics_calls"), 0, true},
    {FL_SLICE_INIT("traces_spanmetrics_calls"), 0, true},
};

static const struct ending {
    fl_slice text;
    double ms;
} endings[] = {{FL_SLICE_INIT("_total"), 0},
               {FL_SLICE_INIT("_seconds"), 1000},
               {FL_SLICE_INIT("_milliseconds"), 1}};

static bool has_key(const fl_attr *attr, const fl_slice *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fl_slice_equal(attr->key, keys[i]))
            return true;
    return false;
}

/* ---- names ---- */

/* Into `out`, without endings; the unit that the last of them tells. */
static fl_slice plain_name(char out[NAME_BYTES], fl_slice metric, double *ms)
{
    *ms = 0;
    for (size_t i = 0; i < metric.len; i++)
        out[i] = metric.ptr[i] == '.' ? '_' : (char)metric.ptr[i];
    fl_slice name = {.ptr = (const unsigned char *)out, .len = metric.len};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (fl_slice_ends_with(name, endings[i].text)) {
            name.len -= endings[i].text.len;
            *ms = endings[i].ms;
        }
    return name;
}

/* Of spans, those of servers and consumers: a client's are another's requests. */
static bool is_of_server(fl_attrs attrs)
{
    static const fl_slice keys[] = {FL_SLICE_INIT("span_kind"), FL_SLICE_INIT("span.kind")};
    for (size_t i = 0; i < attrs.count; i++)
        if (has_key(&attrs.items[i], keys, 2)) {
            fl_slice kind = attrs.items[i].value.text;
            return fl_slice_ends_with(kind, FL_SLICE("SERVER")) ||
                   fl_slice_ends_with(kind, FL_SLICE("CONSUMER"));
        }
    return false;
}

/* What may be added up over time. */
static bool is_counted(const fl_point *point)
{
    if (point->kind == FL_POINT_SUM)
        return point->monotonic;
    if (point->kind == FL_POINT_PART)
        return point->part == FL_PART_COUNT || point->part == FL_PART_SUM;
    return point->kind != FL_POINT_GAUGE;
}

/* Asked of each point that comes in: most fail at the first letter. */
static unsigned find_name(fl_slice metric)
{
    char text[NAME_BYTES];
    double ms;
    if (metric.len < sizeof("http_requests") - 1 || metric.len > sizeof(text) ||
        (metric.ptr[0] != 'h' && metric.ptr[0] != 'r' && metric.ptr[0] != 'g' &&
         metric.ptr[0] != 't'))
        return FL_NO_REQUEST_METRIC;
    fl_slice name = plain_name(text, metric, &ms);
    for (unsigned i = 0; i < FL_REQUEST_METRICS; i++)
        if (fl_slice_equal(name, metrics[i].name))
            return i;
    return FL_NO_REQUEST_METRIC;
}

bool fl_request_metric_is_named(fl_slice metric)
{
    return find_name(metric) != FL_NO_REQUEST_METRIC;
}

/* A total under the name of a histogram counts other things, and a family needs more than one. */
unsigned fl_request_metric(const fl_point *point)
{
    unsigned found = find_name(point->metric);
    if (found == FL_NO_REQUEST_METRIC || !is_counted(point))
        return FL_NO_REQUEST_METRIC;
    bool is_total = point->kind == FL_POINT_SUM;
    bool is_ours = !metrics[found].is_of_spans || is_of_server(point->attrs);
    return is_ours && is_total == (metrics[found].ms == 0) ? found : FL_NO_REQUEST_METRIC;
}

double fl_request_metric_ms(unsigned metric, const fl_point *point)
{
    char text[NAME_BYTES];
    double ms;
    assert(metric < FL_REQUEST_METRICS && point->metric.len <= sizeof(text));
    if (metrics[metric].ms == 0)
        return 0;
    (void)plain_name(text, point->metric, &ms);
    if (ms > 0)
        return ms;
    if (fl_slice_equal(point->unit, FL_SLICE("s")))
        return 1000;
    if (fl_slice_equal(point->unit, FL_SLICE("ms")))
        return 1;
    return metrics[metric].ms;
}

/* ---- outcomes ---- */

/* https://opentelemetry.io/docs/specs/semconv/rpc/grpc/: what is a server's error, by number and
 * as both spellings of the words, which are compared without case and '_'. */
static const struct grpc_error {
    int64_t code;
    fl_slice word;
} grpc_errors[] = {
    {2, FL_SLICE_INIT("unknown")},        {4, FL_SLICE_INIT("deadlineexceeded")},
    {12, FL_SLICE_INIT("unimplemented")}, {13, FL_SLICE_INIT("internal")},
    {14, FL_SLICE_INIT("unavailable")},   {15, FL_SLICE_INIT("dataloss")},
};

static const fl_slice http_keys[] = {FL_SLICE_INIT("http.response.status_code"),
                                     FL_SLICE_INIT("http_response_status_code"),
                                     FL_SLICE_INIT("http.status_code"),
                                     FL_SLICE_INIT("http_status_code"),
                                     FL_SLICE_INIT("status_code"),
                                     FL_SLICE_INIT("response_code"),
                                     FL_SLICE_INIT("status"),
                                     FL_SLICE_INIT("code")};
static const fl_slice grpc_keys[] = {FL_SLICE_INIT("rpc.grpc.status_code"),
                                     FL_SLICE_INIT("rpc_grpc_status_code"),
                                     FL_SLICE_INIT("rpc.response.status_code"),
                                     FL_SLICE_INIT("rpc_response_status_code"),
                                     FL_SLICE_INIT("grpc_status"),
                                     FL_SLICE_INIT("grpc_code")};
static const fl_slice word_keys[] = {FL_SLICE_INIT("outcome"), FL_SLICE_INIT("error.type"),
                                     FL_SLICE_INIT("error_type"), FL_SLICE_INIT("status.code")};

static int64_t number_of(const fl_value *value)
{
    if (value->kind == FL_VALUE_INT)
        return value->number;
    int64_t number = 0;
    for (size_t i = 0; i < value->text.len; i++) {
        if (value->text.ptr[i] < '0' || value->text.ptr[i] > '9' || i == 3)
            return -1;
        number = 10 * number + (value->text.ptr[i] - '0');
    }
    return value->text.len > 0 ? number : -1;
}

/* Small letters of `a` without '_' are `b`. */
static bool is_word(fl_slice a, fl_slice b)
{
    size_t at = 0;
    for (size_t i = 0; i < a.len; i++) {
        unsigned char c = a.ptr[i];
        if (c == '_')
            continue;
        c = c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
        if (at == b.len || b.ptr[at++] != c)
            return false;
    }
    return at == b.len;
}

static fl_outcome grpc_outcome(const fl_value *value)
{
    int64_t code = number_of(value);
    for (size_t i = 0; i < sizeof(grpc_errors) / sizeof(grpc_errors[0]); i++)
        if (code == grpc_errors[i].code || is_word(value->text, grpc_errors[i].word))
            return FL_OUTCOME_FAILED;
    return FL_OUTCOME_ANSWERED;
}

/* "503", "5xx", or words: of span metrics (STATUS_CODE_ERROR) and of gRPC under the same key. */
static fl_outcome http_outcome(const fl_value *value)
{
    int64_t code = number_of(value);
    if (code >= 100)
        return code >= 500 ? FL_OUTCOME_FAILED : FL_OUTCOME_ANSWERED;
    if (value->text.len == 3 && value->text.ptr[1] == 'x')
        return value->text.ptr[0] == '5' ? FL_OUTCOME_FAILED : FL_OUTCOME_ANSWERED;
    if (is_word(value->text, FL_SLICE("statuscodeerror")) ||
        is_word(value->text, FL_SLICE("error")))
        return FL_OUTCOME_FAILED;
    return grpc_outcome(value);
}

/* Micrometer's SERVER_ERROR; a type of error is there only where there is one. */
static fl_outcome word_outcome(const fl_attr *attr)
{
    fl_slice word = attr->value.text;
    if (fl_slice_starts_with(attr->key, FL_SLICE("error")))
        return word.len > 0 ? FL_OUTCOME_FAILED : FL_OUTCOME_ANSWERED;
    bool is_error = is_word(word, FL_SLICE("servererror")) ||
                    is_word(word, FL_SLICE("statuscodeerror")) || is_word(word, FL_SLICE("error"));
    return is_error ? FL_OUTCOME_FAILED : FL_OUTCOME_ANSWERED;
}

/* A status goes before words: a type of error may tell of what is the client's. */
fl_outcome fl_request_outcome(fl_attrs attrs)
{
    fl_outcome found = FL_OUTCOME_UNTOLD;
    for (size_t i = 0; i < attrs.count; i++) {
        const fl_attr *attr = &attrs.items[i];
        if (has_key(attr, http_keys, sizeof(http_keys) / sizeof(http_keys[0])))
            return http_outcome(&attr->value);
        if (has_key(attr, grpc_keys, sizeof(grpc_keys) / sizeof(grpc_keys[0])))
            return grpc_outcome(&attr->value);
        if (has_key(attr, word_keys, sizeof(word_keys) / sizeof(word_keys[0])))
            found = word_outcome(attr);
    }
    return found;
}

/* ---- routes ---- */

static const fl_slice route_keys[] = {FL_SLICE_INIT("http.route"),
                                      FL_SLICE_INIT("http_route"),
                                      FL_SLICE_INIT("route"),
                                      FL_SLICE_INIT("handler"),
                                      FL_SLICE_INIT("uri"),
                                      FL_SLICE_INIT("path"),
                                      FL_SLICE_INIT("endpoint"),
                                      FL_SLICE_INIT("method"),
                                      FL_SLICE_INIT("http.request.method"),
                                      FL_SLICE_INIT("http_request_method"),
                                      FL_SLICE_INIT("http.method"),
                                      FL_SLICE_INIT("http_method"),
                                      FL_SLICE_INIT("rpc.method"),
                                      FL_SLICE_INIT("rpc_method"),
                                      FL_SLICE_INIT("rpc.service"),
                                      FL_SLICE_INIT("rpc_service"),
                                      FL_SLICE_INIT("grpc_method"),
                                      FL_SLICE_INIT("grpc_service"),
                                      FL_SLICE_INIT("span_name"),
                                      FL_SLICE_INIT("span.name")};

/* In any order: senders do not agree on one. */
uint64_t fl_request_route(fl_attrs attrs)
{
    uint64_t route = 0;
    for (size_t i = 0; i < attrs.count; i++) {
        const fl_attr *attr = &attrs.items[i];
        if (has_key(attr, route_keys, sizeof(route_keys) / sizeof(route_keys[0])))
            route += fl_hash_mix(fl_hash_stable(attr->key) ^
                                 fl_hash_mix(fl_hash_stable(attr->value.text)));
    }
    return route;
}
