/* fuzz_triage.c - bytes to an answer: records, timeline, streams, hypotheses, JSON. Bit 0 of the
 * first byte chooses protobuf, one message behind its length in two bytes, big-endian, after
 * another; else JSON lines. Read backwards, with each request sent twice, the answer is the same.
 */
#include "fuzz.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "miner.h"
#include "otlp.h"
#include "rank.h"
#include "report.h"
#include "slice.h"
#include "timeline_build.h"
#include "trace_streams.h"

enum { MAX_REQUESTS = 64, MAX_TEMPLATES = 4096, ANSWER_BYTES = 4 << 20 };

/* As in made_incident.h, which the seeds were made with. */
static const int64_t at_ns = INT64_C(1700000000) * 1000000000;
static const int64_t step_ns = INT64_C(60) * 1000000000;
static const int64_t window_ns = INT64_C(300) * 1000000000;

struct input {
    fl_slice requests[MAX_REQUESTS];
    size_t count;
    bool is_proto;
};

static const fl_roles *roles(void)
{
    static const char yaml[] = "rules:\n"
                               "- {match: cpu, unit: '%', role: cpu, scale: share, of: 100}\n"
                               "- {match: mem, role: memory}\n"
                               "- {match: error, role: errors}\n"
                               "- {match: net, role: network, host: true, bad: either}\n"
                               "- {match: pool, role: pool}\n"
                               "- {match: 'duration|latency', role: latency}\n";
    static fl_roles *table;
    if (table == NULL) {
        fl_status status = fl_roles_create(&table, NULL);
        assert(status == FL_OK);
        status = fl_roles_add(table, FL_SLICE(yaml), "fuzz", NULL);
        assert(status == FL_OK);
    }
    return table;
}

static void split(struct input *in, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    in->is_proto = size > 0 && (*data++ & 1) != 0;
    in->count = 0;
    while (data < end && in->count < MAX_REQUESTS) {
        size_t len;
        if (in->is_proto) {
            if (end - data < 2)
                return;
            len = (size_t)data[0] << 8 | data[1];
            data += 2;
            if (len > (size_t)(end - data))
                len = (size_t)(end - data);
        } else {
            const uint8_t *feed = memchr(data, '\n', (size_t)(end - data));
            len = (size_t)((feed != NULL ? feed : end) - data);
        }
        in->requests[in->count++] = (fl_slice){data, len};
        data += len + (!in->is_proto && len < (size_t)(end - data));
    }
}

static fl_status classify(uint32_t *form, void *payload, uint32_t service, fl_slice line,
                          int severity, fl_error *err)
{
    return fl_miner_add(form, payload, service, line, severity, err);
}

static void decode(fl_timeline_builder *builder, const struct input *in, bool backwards)
{
    fl_otlp *otlp;
    fl_sink sink = fl_timeline_sink(builder, true);
    fl_status status = fl_otlp_create(&otlp, &sink, NULL);
    assert(status == FL_OK);
    for (size_t i = 0; i < in->count * (backwards ? 2 : 1) && status == FL_OK; i++) {
        fl_slice request = in->requests[backwards ? (2 * in->count - 1 - i) % in->count : i];
        status = in->is_proto ? fl_otlp_proto(otlp, request, FL_OTLP_UNKNOWN, "fuzz", 0, NULL)
                              : fl_otlp_json(otlp, request, "fuzz", i + 1, 0, NULL);
    }
    assert(status == FL_OK);
    fl_otlp_destroy(otlp);
}

static void check_hypotheses(const fl_incident *incident)
{
    double total = 0;
    for (size_t i = 0; i < incident->hypothesis_count; i++) {
        const fl_hypothesis *h = &incident->hypotheses[i];
        assert(isfinite(h->score) && h->probability >= 0 && h->probability <= 1);
        assert(h->rank >= 1 && h->rank <= i + 1 && h->service != NULL);
        assert(i == 0 || h->score <= incident->hypotheses[i - 1].score);
        total += h->probability;
    }
    assert(total <= 1 + 1e-6);
}

/* The answer as JSON, in `answer`. */
static void triage(fl_buf *answer, const struct input *in, bool backwards)
{
    static fl_template templates[MAX_TEMPLATES];
    static uint32_t template_of[MAX_TEMPLATES];
    fl_arena arena = fl_arena_of(64u << 20);
    fl_miner *miner;
    fl_timeline_builder *builder;
    const fl_timeline *timeline;
    fl_streams streams;
    fl_incident incident = {.id = "fuzz", .at_ns = at_ns, .window = {at_ns, at_ns + window_ns}};
    fl_rank_question question = {0};

    fl_status status = fl_miner_create(&miner, MAX_TEMPLATES - 32, 1u << 20, NULL);
    assert(status == FL_OK);
    fl_timeline_options options = {.at_ns = at_ns,
                                   .window_ns = window_ns,
                                   .step_ns = step_ns,
                                   .roles = roles(),
                                   .classifier = {.payload = miner, .classify = classify}};
    status = fl_timeline_create(&builder, &options, NULL);
    assert(status == FL_OK);
    decode(builder, in, backwards);
    status = fl_miner_finish(miner, NULL);
    assert(status == FL_OK && fl_miner_form_count(miner) <= MAX_TEMPLATES &&
           !fl_miner_is_full(miner));
    for (size_t i = 0; i < fl_miner_template_count(miner); i++) {
        const fl_log_template *from = fl_miner_template(miner, i);
        templates[i] = (fl_template){.id = from->id,
                                     .text = from->text,
                                     .location = from->location,
                                     .severity = from->severity,
                                     .is_error = from->is_error};
    }
    for (uint32_t form = 0; form < fl_miner_form_count(miner); form++)
        template_of[form] = (uint32_t)fl_miner_template_of(miner, form);
    fl_template_list list = {templates, fl_miner_template_count(miner), template_of};
    status = fl_timeline_finish(&timeline, builder, &list, NULL, 0, NULL);
    assert(status == FL_OK);
    status = fl_streams_build(&streams, timeline, &arena, NULL);
    assert(status == FL_OK);
    status = fl_rank(&incident, &streams, &question, &arena, NULL);
    assert(status == FL_OK);
    check_hypotheses(&incident);
    status = fl_report_json(answer, &incident, NULL);
    assert(status == FL_OK);
    fl_timeline_destroy(builder);
    fl_miner_destroy(miner);
    fl_arena_dispose(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct input in;
    fl_buf first = fl_buf_of(ANSWER_BYTES), second = fl_buf_of(ANSWER_BYTES);
    split(&in, data, size);
    triage(&first, &in, false);
    triage(&second, &in, true);
    assert(fl_slice_equal(fl_buf_slice(&first), fl_buf_slice(&second)));
    fl_buf_dispose(&first);
    fl_buf_dispose(&second);
    return 0;
}
