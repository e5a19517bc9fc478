/*
 * prometheus.c - which metric a series is, and what kind of point its samples are.
 *
 * The types that metadata tells count first. Without it the name's ending does, as the naming
 * rules of Prometheus and OpenMetrics reserve them:
 *   _total             a counter
 *   _bucket with le    how many values of a histogram were at most le
 *   _sum, _count       of a histogram or summary
 *   any with quantile  of a summary
 *   _created           when a counter began: passed over
 * else it is a gauge. The numbers of a histogram or summary go under the family's name, each by
 * itself: they are series of their own, and a sender with several shards does not keep them
 * together. A unit comes from metadata, else from the family's last word.
 */
#include "prometheus.h"

#include <assert.h>
#include <math.h>

#include "bytes.h"
#include "faultline/limits.h"
#include "mem.h"
#include "number.h"
#include "prometheus_priv.h"
#include "slice.h"

static const fl_slice type_words[TYPE_COUNT] = {
    FL_SLICE_INIT("unknown"),   FL_SLICE_INIT("counter"),        FL_SLICE_INIT("gauge"),
    FL_SLICE_INIT("histogram"), FL_SLICE_INIT("gaugehistogram"), FL_SLICE_INIT("summary"),
    FL_SLICE_INIT("info"),      FL_SLICE_INIT("stateset"),
};

/* UCUM, by the last word of a family's name. */
static const struct {
    fl_slice word, unit;
} units[] = {
    {FL_SLICE_INIT("_seconds"), FL_SLICE_INIT("s")},
    {FL_SLICE_INIT("_milliseconds"), FL_SLICE_INIT("ms")},
    {FL_SLICE_INIT("_microseconds"), FL_SLICE_INIT("us")},
    {FL_SLICE_INIT("_bytes"), FL_SLICE_INIT("By")},
    {FL_SLICE_INIT("_ratio"), FL_SLICE_INIT("1")},
    {FL_SLICE_INIT("_percent"), FL_SLICE_INIT("%")},
    {FL_SLICE_INIT("_celsius"), FL_SLICE_INIT("Cel")},
    {FL_SLICE_INIT("_meters"), FL_SLICE_INIT("m")},
    {FL_SLICE_INIT("_volts"), FL_SLICE_INIT("V")},
    {FL_SLICE_INIT("_amperes"), FL_SLICE_INIT("A")},
    {FL_SLICE_INIT("_joules"), FL_SLICE_INIT("J")},
    {FL_SLICE_INIT("_grams"), FL_SLICE_INIT("g")},
};

/* What an ending makes of a series. */
enum ending { END_NONE, END_TOTAL, END_BUCKET, END_SUM, END_COUNT, END_CREATED };

static const struct {
    fl_slice text;
    enum ending ending;
} endings[] = {
    {FL_SLICE_INIT("_total"), END_TOTAL},     {FL_SLICE_INIT("_bucket"), END_BUCKET},
    {FL_SLICE_INIT("_sum"), END_SUM},         {FL_SLICE_INIT("_count"), END_COUNT},
    {FL_SLICE_INIT("_created"), END_CREATED},
};

fl_status fl_prometheus_create(fl_prometheus **out, const fl_intake *to, fl_error *err)
{
    assert(to->sink->resource != NULL && to->sink->point != NULL && to->sink->reject != NULL);
    *out = NULL;
    fl_prometheus *p = fl_mem_calloc(1, sizeof(*p));
    if (p == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    p->sink = *to->sink;
    p->to = *to;
    p->to.sink = &p->sink;
    p->text = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    p->body = fl_arena_of(FL_MAX_REMOTE_WRITE_BYTES);
    fl_status status = fl_intern_create(&p->texts, FL_MAX_NAME_BYTES, err);
    fl_sym none;
    if (status == FL_OK) /* the first symbol is the unit of those without one */
        status = fl_intern_put(&none, p->texts, FL_SLICE(""), err);
    if (status != FL_OK) {
        fl_prometheus_destroy(p);
        return status;
    }
    *out = p;
    return FL_OK;
}

void fl_prometheus_destroy(fl_prometheus *p)
{
    if (p == NULL)
        return;
    fl_intern_destroy(p->texts);
    fl_mem_free(p->families);
    fl_arena_dispose(&p->text);
    fl_arena_dispose(&p->body);
    fl_mem_free(p);
}

void fl_prometheus_set_source(fl_prometheus *p, const char *source)
{
    assert(source != NULL);
    p->to.source = source;
}

void fl_prometheus_set_name(fl_prometheus *p, fl_slice name)
{
    assert(p != NULL);
    p->default_name = name;
}

const fl_prometheus_counts *fl_prometheus_counts_of(const fl_prometheus *p)
{
    assert(p != NULL);
    return &p->counts;
}

uint64_t fl_prometheus_rejects(const fl_prometheus *p)
{
    return p->rejects + p->to.rejects;
}

bool fl_prometheus_type_parse(prometheus_type *out, fl_slice word)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (fl_slice_equal(word, type_words[i])) {
            *out = (prometheus_type)i;
            return true;
        }
    return false;
}

/* ---- types ---- */

/* Room for `count` families by symbol; those that were not told of are TYPE_UNKNOWN, which is 0. */
static fl_status grow_families(fl_prometheus *p, size_t count, fl_error *err)
{
    size_t cap = p->family_count > 0 ? p->family_count : 64;
    while (cap < count)
        cap *= 2;
    struct prometheus_family *grown = fl_mem_realloc(p->families, cap, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu metric types", cap);
    for (size_t i = p->family_count; i < cap; i++)
        grown[i] = (struct prometheus_family){0};
    p->families = grown;
    p->family_count = cap;
    return FL_OK;
}

/* Keep what a family is; *is_news where that was not known. Over the budget it is forgotten. */
static fl_status keep_family(bool *is_news, fl_prometheus *p, const fl_prometheus_family *family,
                             fl_error *err)
{
    fl_sym name, unit = 0;
    fl_error own = {0};
    *is_news = false;
    if (family->name.len == 0 || fl_intern_count(p->texts) >= FL_MAX_METRICS)
        return FL_OK;
    fl_status status = fl_intern_put(&name, p->texts, family->name, &own);
    if (status == FL_OK && family->unit.len > 0)
        status = fl_intern_put(&unit, p->texts, family->unit, &own);
    if (status == FL_E_LIMIT)
        return FL_OK;
    if (status == FL_OK && name >= p->family_count)
        status = grow_families(p, (size_t)name + 1, &own);
    if (status != FL_OK)
        return fl_fail(err, status, own.offset, "%s", own.message);
    struct prometheus_family *kept = &p->families[name];
    *is_news = kept->type != (prometheus_type)family->type || kept->unit != unit;
    *kept = (struct prometheus_family){.type = (prometheus_type)family->type, .unit = unit};
    return FL_OK;
}

fl_status fl_prometheus_note(fl_prometheus *p, fl_slice family, prometheus_type type, fl_slice unit,
                             fl_error *err)
{
    bool is_news;
    fl_prometheus_family told = {.name = family, .unit = unit, .type = type};
    assert(type < TYPE_COUNT);
    p->counts.metadata++;
    fl_status status = keep_family(&is_news, p, &told, err);
    if (status == FL_OK && is_news && p->told != NULL)
        p->told(p->told_payload, &told);
    return status;
}

void fl_prometheus_on_family(fl_prometheus *p, fl_prometheus_told *told, void *payload)
{
    assert(p != NULL);
    p->told = told;
    p->told_payload = payload;
}

fl_status fl_prometheus_tell(fl_prometheus *p, const fl_prometheus_family *family, fl_error *err)
{
    bool is_news;
    assert(family->type < TYPE_COUNT);
    return keep_family(&is_news, p, family, err);
}

/* NULL where nothing was told of it. */
static const struct prometheus_family *find_family(const fl_prometheus *p, fl_slice name)
{
    fl_sym sym;
    if (p->family_count == 0 || !fl_intern_find(&sym, p->texts, name) || sym >= p->family_count)
        return NULL;
    return p->families[sym].type != TYPE_UNKNOWN ? &p->families[sym] : NULL;
}

/* ---- from a name to a kind ---- */

/* The name without its ending, and which one that is; the first of the table that fits, of which
 * none is another one's end. */
static enum ending ending_of(fl_slice name, fl_slice *stem)
{
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (name.len > endings[i].text.len && fl_slice_ends_with(name, endings[i].text)) {
            *stem = (fl_slice){.ptr = name.ptr, .len = name.len - endings[i].text.len};
            return endings[i].ending;
        }
    *stem = name;
    return END_NONE;
}

/* One number of a histogram or summary, under the name of its family. */
static void be_part(fl_prometheus *p, fl_slice family, fl_point_part part, double param)
{
    p->point.kind = FL_POINT_PART;
    p->point.metric = family;
    p->point.part = part;
    p->point.param = param;
}

/* Prometheus' counters only rise, and begin again at zero with their process. */
static void be_counter(fl_prometheus *p)
{
    p->point.kind = FL_POINT_SUM;
    p->point.monotonic = true;
    p->point.temporality = FL_TEMPORALITY_CUMULATIVE;
}

/* A bound or a quantile; Prometheus writes infinity as +Inf. */
static bool take_number(double *out, fl_prometheus *p, fl_slice label)
{
    fl_slice text = fl_labels_find(&p->labels, label);
    if (fl_slice_equal(text, FL_SLICE("+Inf")))
        *out = INFINITY;
    else if (text.len == 0 || !fl_parse_double(text, out) || isnan(*out))
        return false;
    (void)fl_labels_take(&p->labels, label);
    return true;
}

/* A series of a family whose type was told; false where its name has nothing to do with that. */
static bool kind_by_type(fl_prometheus *p, fl_slice name, fl_slice stem, enum ending ending)
{
    const struct prometheus_family *family = find_family(p, name);
    double param;
    if (family != NULL) {
        p->point.unit = fl_intern_text(p->texts, family->unit);
        if (family->type == TYPE_COUNTER)
            be_counter(p);
        else if (family->type == TYPE_SUMMARY && take_number(&param, p, FL_SLICE("quantile")))
            be_part(p, name, FL_PART_QUANTILE, param);
        return true;
    }
    family = ending != END_NONE ? find_family(p, stem) : NULL;
    if (family == NULL)
        return false;
    p->point.unit = fl_intern_text(p->texts, family->unit);
    bool is_set = family->type == TYPE_HISTOGRAM || family->type == TYPE_SUMMARY;
    if (family->type == TYPE_COUNTER && ending == END_TOTAL)
        be_counter(p);
    else if (ending == END_CREATED)
        p->is_skipped = true;
    else if (is_set && ending == END_COUNT)
        be_part(p, stem, FL_PART_COUNT, 0);
    else if (is_set && ending == END_SUM)
        be_part(p, stem, FL_PART_SUM, 0);
    else if (is_set && ending == END_BUCKET && take_number(&param, p, FL_SLICE("le")))
        be_part(p, stem, FL_PART_BELOW, param);
    return true;
}

/* A series of which nothing was told: by the naming rules at the top of this file. A name that only
 * looks like a rule's, as "disk_count" of a gauge, is taken for what it looks like. */
static void kind_by_name(fl_prometheus *p, fl_slice name, fl_slice stem, enum ending ending)
{
    double param;
    if (ending == END_TOTAL)
        be_counter(p);
    else if (ending == END_CREATED)
        p->is_skipped = true;
    else if (ending == END_COUNT)
        be_part(p, stem, FL_PART_COUNT, 0);
    else if (ending == END_SUM)
        be_part(p, stem, FL_PART_SUM, 0);
    else if (ending == END_BUCKET && take_number(&param, p, FL_SLICE("le")))
        be_part(p, stem, FL_PART_BELOW, param);
    else if (take_number(&param, p, FL_SLICE("quantile")))
        be_part(p, name, FL_PART_QUANTILE, param);
}

/* By the family's last word; empty where that is no unit. */
static fl_slice unit_of(fl_slice family)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (fl_slice_ends_with(family, units[i].word))
            return units[i].unit;
    return (fl_slice){0};
}

static bool is_told(const fl_prometheus *p, fl_attrs attrs)
{
    bool is_same = p->has_who && p->who_count == attrs.count;
    for (size_t i = 0; is_same && i < attrs.count; i++)
        is_same = fl_slice_equal(p->who[i].key, attrs.items[i].key) &&
                  fl_slice_equal(p->who[i].value.text, attrs.items[i].value.text);
    return is_same;
}

/* Who the series is about: the labels that say so leave the set. */
static fl_status announce(fl_prometheus *p, fl_error *err)
{
    fl_attr told[FL_WHO_LABELS];
    const fl_resource who = fl_labels_take_who(&p->labels, told);
    if (is_told(p, who.attrs))
        return FL_OK;
    p->has_who = false;
    fl_status status = p->sink.resource(p->sink.payload, &who, &p->resource, err);
    if (status == FL_OK && p->keeps_texts) {
        memcpy(p->who, told, sizeof(told));
        p->who_count = who.attrs.count;
        p->has_who = true;
    }
    return status;
}

fl_status fl_prometheus_begin(fl_prometheus *p, const char **complaint, fl_error *err)
{
    fl_slice name = fl_labels_take(&p->labels, FL_SLICE("__name__")), stem;
    bool is_bare = name.len == 0; /* what a function made: its labels say nothing of its kind */
    if (is_bare)
        name = p->default_name;
    *complaint = name.len == 0 ? "a series without __name__" : NULL;
    if (name.len == 0)
        return FL_OK;
    enum ending ending = ending_of(name, &stem);
    p->point =
        (fl_point){.metric = name, .kind = FL_POINT_GAUGE, .sum = NAN, .min = NAN, .max = NAN};
    p->is_skipped = false;
    if (!is_bare && !kind_by_type(p, name, stem, ending))
        kind_by_name(p, name, stem, ending);
    p->counts.created += p->is_skipped;
    if (p->point.unit.len == 0)
        p->point.unit =
            unit_of(p->point.kind == FL_POINT_SUM && ending == END_TOTAL ? stem : p->point.metric);
    if (p->point.kind == FL_POINT_PART && p->point.part == FL_PART_QUANTILE &&
        !(p->point.param >= 0 && p->point.param <= 1))
        *complaint = "a quantile that is not between 0 and 1";
    if (*complaint != NULL || p->is_skipped)
        return FL_OK;
    fl_status status = announce(p, err);
    p->point.attrs = (fl_attrs){.items = p->labels.items, .count = p->labels.count};
    p->counts.series += status == FL_OK;
    p->counts.dropped_labels = p->labels.dropped;
    return status;
}

/* The NaN that marks where a series ended: math/value.StaleNaN. */
static bool is_stale(double value)
{
    return fl_bits_of(value) == UINT64_C(0x7ff0000000000002);
}

fl_status fl_prometheus_sample(fl_prometheus *p, int64_t time_ns, double value, fl_error *err)
{
    assert(p->is_skipped || p->point.metric.len > 0);
    if (p->is_skipped)
        return FL_OK;
    if (!isfinite(value)) {
        bool stale = is_stale(value);
        p->counts.stale += stale;
        p->counts.not_finite += !stale;
        return FL_OK;
    }
    p->counts.samples++;
    p->point.time_ns = time_ns;
    p->point.value = value;
    return p->sink.point(p->sink.payload, p->resource, &p->point, err);
}
