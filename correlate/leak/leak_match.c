/*
 * leak_match.c - signatures: their expressions compiled once, their conditions tried on a subject.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "leak_priv.h"
#include "leak_signature.h"
#include "mem.h"
#include "slice.h"

/* Patterns lie in the order of conditions, signature after signature. */
fl_status fl_leak_compile(fl_leak *leak, fl_error *err)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < leak->options.signature_count; i++)
        count += fl_leak_condition_count(&leak->options.signatures[i]);
    leak->patterns = fl_mem_calloc(count + 1, sizeof(*leak->patterns));
    if (leak->patterns == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for signatures");
    leak->pattern_count = count;
    for (size_t i = 0; i < leak->options.signature_count; i++) {
        const fl_leak_signature *s = &leak->options.signatures[i];
        for (size_t k = 0; k < fl_leak_condition_count(s); k++, at++) {
            const fl_leak_condition *condition = fl_leak_condition_at(s, k);
            if (!fl_leak_feature_info_of(condition->feature)->is_text)
                continue;
            assert(condition->pattern != NULL);
            fl_status status =
                fl_regex_create(&leak->patterns[at], fl_slice_of(condition->pattern), false, err);
            if (status != FL_OK)
                return status;
        }
    }
    return FL_OK;
}

void fl_leak_release(fl_leak *leak)
{
    for (size_t i = 0; i < leak->pattern_count; i++)
        fl_regex_destroy(leak->patterns[i]);
    fl_mem_free(leak->patterns);
    leak->patterns = NULL;
    leak->pattern_count = 0;
}

/* Whether any frame of any stack matches; each function is tried once. */
static fl_status frames_match(bool *out, const fl_leak *leak, const leak_subject *subject,
                              const fl_regex *regex, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < subject->stack_count && !*out && status == FL_OK; i++) {
        const leak_stack *stack = &leak->stacks[subject->stacks[i]];
        for (uint32_t k = 0; k < stack->frame_count && !*out && status == FL_OK; k++) {
            const leak_frame *frame = &leak->frames[stack->frame_at + k];
            status = fl_regex_match(out, regex, fl_leak_name_at(leak, frame), err);
        }
    }
    return status;
}

/* The same in the runtime's frames below the subject's function in processor samples. */
static fl_status hidden_match(bool *out, const leak_case *c, const leak_subject *subject,
                              const fl_regex *regex, fl_error *err)
{
    const fl_leak *leak = c->leak;
    fl_status status = FL_OK;
    for (size_t s = 0; s < c->used_count[SET_CPU] && subject->cpu.samples > 0; s++) {
        const leak_snapshot *snapshot = c->used[SET_CPU][s];
        for (size_t i = 0; i < snapshot->cell_count && !*out && status == FL_OK; i++) {
            uint32_t at = leak->sites[snapshot->cells[i].site].stack;
            const leak_stack *stack = &leak->stacks[at];
            for (uint32_t k = 0; k < stack->frame_count && !*out && status == FL_OK; k++) {
                const leak_frame *frame = &leak->frames[stack->frame_at + k];
                if (fl_leak_is_runtime_frame(leak, subject, at, k))
                    status = fl_regex_match(out, regex, fl_leak_name_at(leak, frame), err);
            }
        }
    }
    return status;
}

/* The innermost frame, or the one that the user's frame called. */
static fl_status inner_match(bool *out, const fl_leak *leak, const leak_subject *subject,
                             const fl_leak_condition *condition, const fl_regex *regex,
                             fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < subject->stack_count && !*out && status == FL_OK; i++) {
        const leak_stack *stack = &leak->stacks[subject->stacks[i]];
        fl_slice name = fl_leak_name_at(leak, &leak->frames[stack->frame_at]);
        if (condition->feature == FL_LEAK_F_CALLEE) {
            bool calls = stack->user != NO_ID && stack->user > 0;
            name = calls ? fl_leak_name_at(leak, &leak->frames[stack->frame_at + stack->user - 1])
                         : FL_SLICE("");
        }
        status = fl_regex_match(out, regex, name, err);
    }
    return status;
}

/* The one text of a feature that has one; an unknown text is empty. */
static fl_slice text_of(const fl_leak *leak, const leak_subject *subject, fl_leak_feature feature)
{
    switch (feature) {
    case FL_LEAK_F_FUNCTION:
        return subject->function == NO_ID
                   ? FL_SLICE("")
                   : fl_intern_text(leak->texts, leak->functions[subject->function].name);
    case FL_LEAK_F_CREATED_BY:
        return subject->creator.len > 0 ? subject->creator : FL_SLICE("");
    case FL_LEAK_F_STATE:
        return subject->text_state.len > 0 ? subject->text_state : fl_slice_of(subject->state);
    case FL_LEAK_F_SHAPE:
        return fl_slice_of(
            fl_leak_shape_name(subject->grows_by_total ? FL_SHAPE_GROWING : subject->trend.shape));
    case FL_LEAK_F_LOG:
        return leak->has_crash ? fl_intern_text(leak->texts, leak->crash_line) : FL_SLICE("");
    default:
        return FL_SLICE("");
    }
}

fl_status fl_leak_holds(bool *out, const leak_case *c, const leak_subject *subject,
                        const fl_leak_condition *condition, const fl_regex *regex, fl_error *err)
{
    const fl_leak *leak = c->leak;
    fl_leak_feature feature = condition->feature;
    bool matched = false;
    *out = false;
    if (!fl_leak_feature_info_of(feature)->is_text) {
        double value = subject->number[feature];
        *out = condition->op == FL_LEAK_AT_LEAST ? value >= condition->value
                                                 : value <= condition->value;
        return FL_OK; /* NaN meets neither */
    }
    assert(regex != NULL);
    fl_status status = FL_OK;
    if (feature == FL_LEAK_F_FRAMES) {
        status = frames_match(&matched, leak, subject, regex, err);
        if (!matched && status == FL_OK)
            status = hidden_match(&matched, c, subject, regex, err);
    } else if (feature == FL_LEAK_F_LEAF || feature == FL_LEAK_F_CALLEE)
        status = inner_match(&matched, leak, subject, condition, regex, err);
    else
        status = fl_regex_match(&matched, regex, text_of(leak, subject, feature), err);
    *out = matched == (condition->op == FL_LEAK_MATCHES);
    if (status == FL_E_LIMIT) { /* a pattern that takes too long on this text tells nothing */
        *out = false;
        status = FL_OK;
    }
    return status;
}

/* A version that is not known is in every range. */
static bool runs_on(const fl_leak_signature *s, int go_minor)
{
    return go_minor == 0 ||
           ((s->go_min == 0 || go_minor >= s->go_min) && (s->go_max == 0 || go_minor <= s->go_max));
}

/* Whether all of `must` and one of `any` hold. */
static fl_status matches(bool *out, const leak_case *c, const leak_subject *subject, size_t at,
                         size_t signature, fl_error *err)
{
    const fl_leak_signature *s = &c->leak->options.signatures[signature];
    fl_status status = FL_OK;
    bool all = true, one = s->any_count == 0;
    for (size_t i = 0; i < s->must_count && all && status == FL_OK; i++)
        status = fl_leak_holds(&all, c, subject, &s->must[i], c->leak->patterns[at + i], err);
    for (size_t i = 0; i < s->any_count && all && !one && status == FL_OK; i++)
        status = fl_leak_holds(&one, c, subject, &s->any[i],
                               c->leak->patterns[at + s->must_count + i], err);
    *out = all && one;
    return status;
}

fl_status fl_leak_best_signature(const fl_leak_signature **out, const leak_case *c,
                                 const leak_subject *subject, fl_leak_verdict verdict,
                                 fl_error *err)
{
    const fl_leak *leak = c->leak;
    size_t at = 0;
    *out = NULL;
    for (size_t i = 0; i < leak->options.signature_count; i++) {
        const fl_leak_signature *s = &leak->options.signatures[i];
        bool fits = s->subject == subject->kind && s->verdict == verdict &&
                    fl_leak_signature_measured(s) == FL_LEAK_IN_PROFILES &&
                    runs_on(s, leak->go_minor);
        bool holds = false;
        fl_status status = fits ? matches(&holds, c, subject, at, i, err) : FL_OK;
        if (status != FL_OK)
            return status;
        if (holds && (*out == NULL || fl_leak_signature_beats(s, *out)))
            *out = s;
        at += fl_leak_condition_count(s);
    }
    return FL_OK;
}

size_t fl_leak_first_pattern(const fl_leak *leak, const fl_leak_signature *signature)
{
    size_t at = 0;
    for (const fl_leak_signature *s = leak->options.signatures; s != signature; s++)
        at += fl_leak_condition_count(s);
    return at;
}
