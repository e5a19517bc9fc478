/*
 * learn_sentence.c - one sentence of prose: what its cues say, and what it says by where it stands.
 *
 * Cues divide a sentence: "EFFECT because CAUSE". A part that names nothing ("this") makes no node.
 * Where the effect is only "the incident", the cause is the account's. A sentence that asks is no
 * statement, but for "why": the next sentence is its answer.
 *
 *   explained-by   "X was slow because Y": X -explained-by-> Y
 *   explains       "Y led to X", "Y导致X": the same, the other way round
 *   because-first  "Because Y, X", "由于Y,X"
 *   root           "the root cause was Y": of the account
 *   fix            "fixed by Z"; fix-left "Z fixed it"; fix-between "通过Z解决"
 *   introduced     "introduced by C"; between: "由C引入"
 *   ruled-out      "we ruled out Y"; left: "Y is unrelated"
 *   suspected      "we suspected Y": nothing, or against, as the next sentence says
 *   list           "causes include: Y1; Y2"
 *   why            "why was X?" and the sentence behind it
 *
 * The left side begins where its clause begins, or behind the cue before it; the right side ends
 * where its clause ends, or before the next cue. In "A led to B, which caused C" so B is both the
 * effect of A and the cause of C.
 *
 * What a section's role adds: its first statement is the root cause, each of its statements a fix,
 * and so on. A cue says more than the section: "the pool was starved because of the timeout" under
 * "Root cause" names the pool as the cause of what was seen, and the timeout as that of the pool.
 *
 * Invariants: cues are in rising order and do not overlap; a claim's text points into its sentence,
 * whose bytes live until the document has been read.
 */
#include <assert.h>
#include <stdio.h>

#include "learn_priv.h"
#include "slice.h"

enum { MAX_CUES = 12, FEW_WORDS = 2 };

#define ALL_CUES (FL_PHRASES(FL_WORD_HEDGE) - 1)
#define CAUSAL_CUES                                                                                \
    (FL_PHRASES(FL_CUE_EXPLAINED_BY) | FL_PHRASES(FL_CUE_EXPLAINS) |                               \
     FL_PHRASES(FL_CUE_BECAUSE_FIRST) | FL_PHRASES(FL_CUE_ROOT))
#define EXCLUDING_CUES                                                                             \
    (FL_PHRASES(FL_CUE_RULED_OUT) | FL_PHRASES(FL_CUE_RULED_OUT_LEFT) |                            \
     FL_PHRASES(FL_CUE_SUSPECTED))

struct cue {
    const fl_phrase *phrase;
    size_t start, end;
};

/* A sentence and what was found in it. */
struct said {
    learning *l;
    const fl_sentence *s;
    struct cue cues[MAX_CUES];
    size_t count;
    uint64_t kinds; /* of its cues */
    claim cause;    /* that it gives for what stands in it */
    claim effect;   /* that it explains */
    bool gave_fix;
};

/* Whether the sentence has a cue of the kind. */
static bool has(const struct said *in, fl_phrase_kind kind)
{
    return (in->kinds & FL_PHRASES(kind)) != 0;
}

place fl_learn_place(const learning *l, const fl_sentence *s, const char *rule)
{
    assert(l->block != NULL);
    uint64_t offset = l->block->offset + (l->block->is_raw ? s->at : 0);
    return (place){.sentence = s->text,
                   .offset = offset,
                   .rule = rule,
                   .is_hedged = fl_learn_has(l->rules, FL_PHRASES(FL_WORD_HEDGE), s->lower)};
}

claim fl_learn_claim(learning *l, const fl_sentence *s, size_t start, size_t end, const char *rule)
{
    claim out = {.at = fl_learn_place(l, s, rule)};
    out.text = start < end ? fl_sentence_phrase(l->rules, s, start, end) : (fl_slice){0};
    return out;
}

/* The phrase of that kind which ends right before `at`, blanks apart. */
static bool ends_with(const struct said *in, fl_phrase_kind kind, size_t at)
{
    enum { LONGEST = 16 };
    while (at > 0 && in->s->lower.ptr[at - 1] == ' ')
        at--;
    for (size_t len = 2; len <= LONGEST && len <= at; len++) {
        const fl_phrase *phrase =
            fl_learn_phrase_at(in->l->rules, FL_PHRASES(kind), in->s->lower, at - len);
        if (phrase != NULL && phrase->text.len == len)
            return true;
    }
    return false;
}

/* "does not cause", "the causes of", "check what caused it": no statement. */
static bool is_blocked(const struct said *in, size_t start, size_t end)
{
    assert(start < end && end <= in->s->lower.len);
    const fl_learn_rules *rules = in->l->rules;
    fl_slice lower = in->s->lower;
    size_t behind = end, clause = fl_sentence_clause_start(in->s, start);
    while (behind < lower.len && lower.ptr[behind] == ' ')
        behind++;
    while (clause < lower.len && lower.ptr[clause] == ' ')
        clause++;
    return ends_with(in, FL_WORD_NOT_BEFORE, start) ||
           fl_learn_phrase_at(rules, FL_PHRASES(FL_WORD_NOT_BEHIND), lower, behind) != NULL ||
           (clause < start &&
            fl_learn_phrase_at(rules, FL_PHRASES(FL_WORD_INSTRUCTION), lower, clause) != NULL);
}

/* From left to right, the longest at each place; they do not overlap. */
static void find_cues(struct said *in)
{
    fl_slice lower = in->s->lower;
    for (size_t at = 0; at < lower.len && in->count < MAX_CUES;) {
        const fl_phrase *phrase = fl_learn_phrase_from(in->l->rules, ALL_CUES, lower, at, &at);
        if (phrase == NULL)
            break;
        size_t end = at + phrase->text.len;
        bool is_relation = phrase->kind == FL_CUE_EXPLAINS || phrase->kind == FL_CUE_EXPLAINED_BY;
        if (!is_relation || !is_blocked(in, at, end)) {
            in->cues[in->count++] = (struct cue){phrase, at, end};
            in->kinds |= FL_PHRASES(phrase->kind);
        }
        at = end;
    }
}

/* From the border of the clause, or the cue before it, up to this cue. */
static size_t left_start(const struct said *in, size_t i)
{
    assert(i < in->count);
    enum { SHORT_BYTES = 10 };
    size_t start = fl_sentence_clause_start(in->s, in->cues[i].start);
    size_t before = i > 0 ? in->cues[i - 1].end : 0;
    if (start >= before)
        return start;
    /* "first triggered a resize, which led to": a word alone is not the cause. */
    bool is_short = in->cues[i].start - before < SHORT_BYTES;
    return is_short && in->cues[i - 1].phrase->kind == FL_CUE_EXPLAINS ? start : before;
}

/* From this cue up to the end of the clause, or the next causal cue. */
static size_t right_end(const struct said *in, size_t i)
{
    size_t end = fl_sentence_clause_end(in->s, in->cues[i].end);
    bool more = i + 1 < in->count && in->cues[i + 1].start < end;
    return more ? in->cues[i + 1].start : end;
}

/* The first that names something stays. */
static void set_once(claim *at, const claim *value)
{
    if (at->text.len == 0 && value->text.len > 0)
        *at = *value;
}

/* A cause and its effect; either may name nothing. */
static void relate(struct said *in, const claim *effect, const claim *cause)
{
    learning *l = in->l;
    account *a = &l->account;
    if (effect->text.len > 0)
        l->topic = *effect;
    if (effect->text.len > 0 && l->in_title)
        a->title = *effect;
    set_once(&in->effect, effect);
    set_once(&in->cause, cause);
    if (cause->text.len == 0)
        return;
    if (effect->text.len == 0) {
        if (!cause->at.is_hedged)
            set_once(&a->root, cause);
        return;
    }
    fl_propose_pair(l, FL_EDGE_EXPLAINED_BY, effect, cause, false);
    if (cause->at.is_hedged || l->section == FL_SECTION_SKIP)
        return;
    set_once(&a->said, cause);
    set_once(&a->effect, effect);
}

/* The cue's own words name the rule. */
static const char *rule_of(const struct said *in, size_t i)
{
    return (const char *)in->cues[i].phrase->text.ptr; /* rules' texts end with NUL */
}

/* The first comma from `at` on; the end where there is none. */
static size_t comma_from(const fl_sentence *s, size_t at)
{
    assert(at <= s->text.len);
    while (at < s->text.len && s->text.ptr[at] != ',')
        at++;
    return at;
}

/* "Because CAUSE, EFFECT". Where a later cue divides the sentence, that one says more. */
static void because_first(struct said *in, size_t i)
{
    assert(in->cues[i].end <= in->s->text.len);
    const struct cue *cue = &in->cues[i];
    size_t comma = comma_from(in->s, cue->end);
    bool more = i + 1 < in->count && in->cues[i + 1].phrase->kind == FL_CUE_EXPLAINS;
    if (more || comma == in->s->text.len)
        return;
    claim cause = fl_learn_claim(in->l, in->s, cue->end, comma, rule_of(in, i));
    claim effect = fl_learn_claim(in->l, in->s, comma,
                                  right_end(in, i) > comma ? right_end(in, i) : in->s->text.len,
                                  rule_of(in, i));
    relate(in, &effect, &cause);
}

/* Which side is the cause is the cue's kind; what the sides are is told by clauses and other
 * cues. */
static void causal(struct said *in, size_t i)
{
    assert((FL_PHRASES(in->cues[i].phrase->kind) & CAUSAL_CUES) != 0);
    const struct cue *cue = &in->cues[i];
    const char *rule = rule_of(in, i);
    /* ", because of X that led to Y": what it led to is beside it, and not before the comma. */
    bool opens = cue->phrase->text.ptr[0] == ',';
    if (opens && i + 1 < in->count && in->cues[i + 1].phrase->kind == FL_CUE_EXPLAINS &&
        in->cues[i + 1].start < fl_sentence_clause_end(in->s, cue->end))
        return;
    claim none = {.at = {.offset = 0}};
    fl_slice before = fl_sentence_strip(in->l->rules, in->s, left_start(in, i), cue->start);
    bool leads = before.len == 0 && (i == 0 || cue->start == 0);
    if (cue->phrase->kind == FL_CUE_BECAUSE_FIRST ||
        (cue->phrase->kind == FL_CUE_EXPLAINED_BY && leads && cue->start == 0)) {
        because_first(in, i);
        return;
    }
    claim left = fl_learn_claim(in->l, in->s, left_start(in, i), cue->start, rule);
    claim right = fl_learn_claim(in->l, in->s, cue->end, right_end(in, i), rule);
    switch (cue->phrase->kind) {
    case FL_CUE_EXPLAINED_BY:
        relate(in, &left, &right);
        break;
    case FL_CUE_EXPLAINS:
        if (left.text.len > 0)
            relate(in, &right, &left);
        else if (right.text.len > 0)
            in->l->topic = right;
        break;
    default: /* the root */
        relate(in, &none, &right);
    }
}

/* From a cue up to one of the words that end it. */
static claim between(struct said *in, size_t i)
{
    const struct cue *cue = &in->cues[i];
    for (size_t at = cue->end; at < in->s->lower.len; at++)
        if (fl_learn_end_at(in->l->rules, cue->phrase->kind, in->s->lower, at) > 0)
            return fl_learn_claim(in->l, in->s, cue->end, at, rule_of(in, i));
    return fl_learn_claim(in->l, in->s, cue->end, cue->end, rule_of(in, i));
}

/* A sentence that gave a fix by a cue gives none by its section. */
static void keep_fix(struct said *in, const claim *fix)
{
    assert(in->l->account.fix_count <= MAX_FIXES);
    account *a = &in->l->account;
    fl_account_keep(a->fixes, &a->fix_count, MAX_FIXES, fix);
    in->gave_fix |= fix->text.len > 0;
}

/* One that was ruled out is evidence against, and so is never a guess. */
static void keep_excluded(struct said *in, const claim *cause)
{
    assert(in->l->account.excluded_count <= MAX_EXCLUDED);
    account *a = &in->l->account;
    claim sure = *cause;
    sure.at.is_hedged = false; /* "as first suspected" hedges what was ruled out, not that it was */
    fl_account_keep(a->excluded, &a->excluded_count, MAX_EXCLUDED, &sure);
}

/* What was ruled out ends where its reason begins. */
static void exclude_right(struct said *in, size_t i)
{
    size_t end = right_end(in, i), start = in->cues[i].end;
    while (start < end && in->s->lower.ptr[start] == ' ')
        start++;
    /* "it was not" + "caused by" the disk */
    const fl_phrase *by =
        fl_learn_phrase_at(in->l->rules, FL_PHRASES(FL_CUE_EXPLAINED_BY), in->s->lower, start);
    if (by != NULL && start + by->text.len <= end)
        start += by->text.len;
    size_t stop = start;
    while (stop < end && in->s->text.ptr[stop] != ':' && in->s->text.ptr[stop] != ',' &&
           fl_learn_end_at(in->l->rules, FL_CUE_RULED_OUT, in->s->lower, stop) == 0)
        stop++;
    claim cause = fl_learn_claim(in->l, in->s, start, stop, rule_of(in, i));
    keep_excluded(in, &cause);
}

/* A change names itself by a number, a version or words. */
static void changed(struct said *in, const claim *change)
{
    account *a = &in->l->account; /* "#398" is enough of a name */
    if (change->text.len > 1 && change->text.len <= FL_MAX_PHRASE_BYTES)
        fl_account_keep(a->changes, &a->change_count, MAX_CHANGES, change);
}

/* It waits for the sentence that says whether it held. */
static void suspected(struct said *in, size_t i)
{
    account *a = &in->l->account;
    a->suspect = fl_learn_claim(in->l, in->s, in->cues[i].end, right_end(in, i), rule_of(in, i));
}

/* A list of causes is about what the account is about. */
static void list_item(learning *l, const fl_sentence *s, size_t start)
{
    claim cause = fl_learn_claim(l, s, start, s->text.len, "list of causes");
    const claim *effect = l->account.title.text.len > 0 ? &l->account.title : &l->topic;
    fl_propose_pair(l, FL_EDGE_EXPLAINED_BY, effect, &cause, false);
}

/* Cues of cause and effect need more thought than the others: see causal(). */
static void take_cue(struct said *in, size_t i)
{
    learning *l = in->l;
    const struct cue *cue = &in->cues[i];
    claim right = fl_learn_claim(l, in->s, cue->end, right_end(in, i), rule_of(in, i));
    claim left = fl_learn_claim(l, in->s, left_start(in, i), cue->start, rule_of(in, i));
    switch (cue->phrase->kind) {
    case FL_CUE_FIX:
        keep_fix(in, &right);
        break;
    case FL_CUE_FIX_LEFT:
        keep_fix(in, &left);
        break;
    case FL_CUE_FIX_BETWEEN:
        right = between(in, i);
        keep_fix(in, &right);
        break;
    case FL_CUE_INTRODUCED:
        right.text = fl_sentence_strip(l->rules, in->s, cue->end, comma_from(in->s, cue->end));
        changed(in, &right);
        break;
    case FL_CUE_INTRODUCED_BETWEEN:
        right = between(in, i);
        changed(in, &right);
        break;
    case FL_CUE_RULED_OUT:
        exclude_right(in, i);
        break;
    case FL_CUE_RULED_OUT_LEFT:
        keep_excluded(in, &left);
        break;
    case FL_CUE_SUSPECTED:
        suspected(in, i);
        break;
    case FL_CUE_LIST:
        list_item(l, in->s, cue->end);
        l->in_list = true;
        break;
    case FL_CUE_WHY: /* asks, or "that is why" */
        break;
    default:
        causal(in, i);
    }
}

/* A suspicion that this sentence, or the one after it, takes back. */
static void judge_suspect(struct said *in)
{
    account *a = &in->l->account;
    bool discards = fl_learn_has(in->l->rules, FL_PHRASES(FL_WORD_DISCARD), in->s->lower);
    if (a->suspect.text.len == 0 || !discards)
        return;
    keep_excluded(in, &a->suspect);
    a->suspect.text.len = 0;
}

/* ---- why ---- */

/* "Why was the pool empty?" asks for the cause of the rest. */
static bool take_question(learning *l, const fl_sentence *s)
{
    size_t at;
    const fl_phrase *why = fl_learn_phrase_from(l->rules, FL_PHRASES(FL_CUE_WHY), s->lower, 0, &at);
    if (why == NULL)
        return false;
    l->why = fl_sentence_phrase(l->rules, s, at + why->text.len, s->text.len);
    return true;
}

/* The answer, without the "because" in front of it. */
static void take_answer(struct said *in)
{
    assert(in->l->why.len > 0);
    learning *l = in->l;
    size_t start = 0;
    if (in->count > 0 && in->cues[0].start == 0 &&
        (in->cues[0].phrase->kind == FL_CUE_EXPLAINED_BY ||
         in->cues[0].phrase->kind == FL_CUE_BECAUSE_FIRST))
        start = in->cues[0].end;
    claim cause = fl_learn_claim(l, in->s, start, in->s->text.len, "why");
    claim effect = {.text = l->why, .at = cause.at};
    l->why.len = 0;
    fl_propose_pair(l, FL_EDGE_EXPLAINED_BY, &effect, &cause, false);
    if (cause.text.len > 0)
        l->account.answer = cause;
}

/* ---- what a sentence says by its section ---- */

/* Latin words, or Chinese characters. */
static size_t word_count(fl_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] >= 0x80 ? i % 3 == 0 : (i == 0 || text.ptr[i - 1] == ' ');
    return count;
}

/* Prose of such a section also holds greetings and numbers: it counts where it says that
 * something fails. */
static void take_symptom(struct said *in)
{
    learning *l = in->l;
    account *a = &l->account;
    bool is_listed = l->block->kind == FL_BLOCK_ITEM || l->block->kind == FL_BLOCK_FIELD;
    if (!is_listed && !fl_learn_has(l->rules, FL_PHRASES(FL_WORD_FAILURE), in->s->lower))
        return;
    claim whole = fl_learn_claim(l, in->s, 0, in->s->text.len, "section");
    const claim *symptom = in->effect.text.len > 0 ? &in->effect : &whole;
    if (!symptom->at.is_hedged && (in->kinds & EXCLUDING_CUES) == 0)
        fl_account_keep(a->symptoms, &a->symptom_count, MAX_SYMPTOMS, symptom);
}

/* "The pool was starved because of the timeout": the pool is the cause, and has one itself. Where
 * the effect is a word or two it says too little. */
static void take_root(struct said *in)
{
    learning *l = in->l;
    claim whole = fl_learn_claim(l, in->s, 0, in->s->text.len, "section");
    const claim *root = &whole;
    if (has(in, FL_CUE_EXPLAINS) || has(in, FL_CUE_BECAUSE_FIRST))
        root = &in->cause;
    else if (in->effect.text.len > 0)
        root = word_count(in->effect.text) > FEW_WORDS ? &in->effect : &in->cause;
    bool excludes = (in->kinds & EXCLUDING_CUES) != 0;
    bool is_action = has(in, FL_CUE_FIX) || has(in, FL_CUE_INTRODUCED);
    if (!root->at.is_hedged && !excludes && !is_action)
        set_once(&l->account.root, root);
}

/* Items are steps by themselves; a Chinese sentence must say what was done. */
static void take_fix(struct said *in)
{
    learning *l = in->l;
    bool is_listed = l->block->kind == FL_BLOCK_ITEM || l->block->kind == FL_BLOCK_FIELD;
    bool acts = fl_learn_has(l->rules, FL_PHRASES(FL_WORD_ACTION), in->s->lower);
    claim fix = fl_learn_claim(l, in->s, 0, in->s->text.len, "section");
    bool is_prose = is_listed || acts || (!in->s->is_chinese && word_count(fix.text) > FEW_WORDS);
    if (!in->gave_fix && is_prose && !fix.at.is_hedged && (in->kinds & EXCLUDING_CUES) == 0)
        keep_fix(in, &fix);
}

/* "Broker disk: utilisation below 30 %": what stands before the reason. */
static void take_excluded(struct said *in)
{
    size_t end = 0;
    while (end < in->s->text.len && in->s->text.ptr[end] != ':' && in->s->text.ptr[end] != '(')
        end++;
    claim cause = fl_learn_claim(in->l, in->s, 0, end, "section");
    if ((in->kinds & EXCLUDING_CUES) == 0)
        keep_excluded(in, &cause);
}

/* "Fixed in 1.2.3: what was done". */
static void take_release_note(struct said *in)
{
    fl_slice lower = in->s->lower;
    const fl_phrase *phrase =
        fl_learn_phrase_at(in->l->rules, FL_PHRASES(FL_WORD_FIXED_IN), lower, 0);
    size_t colon = fl_slice_find(lower, FL_SLICE(": "));
    if (phrase == NULL || colon >= lower.len)
        return;
    claim fix = fl_learn_claim(in->l, in->s, colon + 1, lower.len, "fixed in");
    keep_fix(in, &fix);
}

/* ---- components and settings ---- */

/* A version without a name is that of the component whose versions begin alike, where one was
 * named. */
static bool complete(const learning *l, fl_mention *m)
{
    if (m->name.len > 0)
        return true;
    fl_slice known = l->component.version;
    size_t same = 0, dots = 0;
    while (same < known.len && same < m->version.len && known.ptr[same] == m->version.ptr[same])
        dots += known.ptr[same++] == '.';
    bool is_same_block = l->component.block == l->block;
    if (l->component.name.len == 0 || (dots == 0 && !is_same_block))
        return false;
    m->name = l->component.name;
    m->versions = l->component.versions;
    return true;
}

/* The first range of a component counts: later sentences repeat it loosely. */
static void require(learning *l, const fl_mention *m, const place *at)
{
    assert(m->name.len > 0);
    account *a = &l->account;
    for (size_t i = 0; i < a->required_count; i++)
        if (fl_slice_equal(a->required[i].mention.name, m->name))
            return;
    if (a->required_count < MAX_REQUIRED)
        a->required[a->required_count++] = (requirement){*m, *at};
}

/* What the service was made of when it failed. */
static void propose_runs(learning *l, const fl_mention *m, const place *at)
{
    assert(!m->is_config);
    char qualifier[FL_QUALIFIER_TEXT];
    fl_mention_qualifier(qualifier, m);
    fl_propose(l, &(edge_claim){.kind = FL_EDGE_RUNS,
                                .from = l->service,
                                .to = m->name,
                                .from_kind = FL_NODE_SERVICE,
                                .to_kind = FL_NODE_COMPONENT,
                                .qualifier = qualifier,
                                .at = *at});
}

/* What the cause needs: a setting or a version in a sentence about the cause; a version that a
 * sentence says is affected, or repaired. */
static void take_mentions(struct said *in)
{
    assert(in->l->block != NULL);
    learning *l = in->l;
    fl_mention found[FL_MAX_MENTIONS];
    size_t count = fl_mentions_find(found, l->rules, in->s);
    bool is_causal = l->section == FL_SECTION_CAUSE || (in->kinds & CAUSAL_CUES) != 0;
    place at = fl_learn_place(l, in->s, "version or setting");
    bool is_affected = fl_learn_has(l->rules, FL_PHRASES(FL_WORD_AFFECTED), in->s->lower);
    bool is_negated = fl_learn_has(l->rules, FL_PHRASES(FL_WORD_NEGATION), in->s->lower);
    if ((in->kinds & EXCLUDING_CUES) != 0 || (is_affected && is_negated))
        return;
    for (size_t i = 0; i < count; i++) {
        fl_mention *m = &found[i];
        bool is_sure = m->is_config ? is_causal && l->section != FL_SECTION_FIX
                                    : m->is_bound || (is_causal && m->version.len > 0 &&
                                                      l->section != FL_SECTION_FIX);
        if (!m->is_config && !complete(l, m))
            continue;
        if (is_sure || (!m->is_config && is_affected && m->version.len > 0))
            require(l, m, &at);
        if (!m->is_config && m->version.len > 0 && l->section == FL_SECTION_ENVIRONMENT)
            propose_runs(l, m, &at);
        if (!m->is_config && m->version.len > 0 && l->component.name.len == 0) {
            l->component.name = m->name;
            l->component.version = m->version;
            l->component.versions = m->versions;
        }
        if (!m->is_config && m->version.len == 0) {
            l->component.name = m->name;
            l->component.versions = m->versions;
            l->component.version.len = 0;
            l->component.block = l->block;
        }
    }
}

/* "A 1.2 + B 3.4 → k=v → EFFECT": the last part is what the others together lead to. */
static bool take_arrows(learning *l, const fl_sentence *s)
{
    static const fl_slice arrow = FL_SLICE_INIT("→");
    fl_mention found[FL_MAX_MENTIONS];
    size_t last = 0, at = 0, arrows = 0;
    for (; at + arrow.len <= s->text.len; at++) {
        if (!fl_slice_equal(fl_slice_part(s->text, at, at + arrow.len), arrow))
            continue;
        arrows++;
        last = at + arrow.len;
    }
    fl_sentence head = *s;
    head.text.len = head.lower.len = last;
    size_t count = arrows > 0 ? fl_mentions_find(found, l->rules, &head) : 0;
    if (arrows < 2 || count == 0)
        return false;
    fl_slice rest = fl_slice_part(s->text, last, s->text.len);
    size_t end = last + fl_slice_find(rest, FL_SLICE("”"));
    claim cause = fl_learn_claim(l, s, last, end, "arrows");
    for (size_t i = 0; i < count && cause.text.len > 0; i++) {
        char qualifier[FL_QUALIFIER_TEXT] = "";
        const fl_mention *m = &found[i];
        if (!m->is_config)
            fl_mention_qualifier(qualifier, m);
        fl_propose(l, &(edge_claim){.kind = FL_EDGE_REQUIRES,
                                    .from = cause.text,
                                    .to = m->name,
                                    .from_kind = FL_NODE_CAUSE,
                                    .to_kind = m->is_config ? FL_NODE_CONFIG : FL_NODE_COMPONENT,
                                    .qualifier = m->is_config ? NULL : qualifier,
                                    .at = cause.at});
    }
    return true;
}

/* ---- a sentence ---- */

/* By the role of the heading or label above it. */
static void take_section(struct said *in)
{
    switch (in->l->section) {
    case FL_SECTION_SYMPTOM:
        take_symptom(in);
        break;
    case FL_SECTION_CAUSE:
        take_root(in);
        break;
    case FL_SECTION_FIX:
        take_fix(in);
        break;
    case FL_SECTION_RULED_OUT:
        take_excluded(in);
        break;
    default:
        break;
    }
}

/* The first sentence of an account without sections that says that something is wrong. */
static void take_first_trouble(struct said *in)
{
    learning *l = in->l;
    claim whole = fl_learn_claim(l, in->s, 0, in->s->text.len, "first trouble");
    bool fails = fl_learn_has(l->rules, FL_PHRASES(FL_WORD_FAILURE), in->s->lower);
    if (l->section == FL_SECTION_NONE && in->kinds == 0 && fails && !whole.at.is_hedged &&
        l->block->kind != FL_BLOCK_HEADING)
        set_once(&l->account.effect, &whole);
}

/* A line of a program or of a drawing that stands in the text without a fence. */
static bool is_code(fl_slice text)
{
    static const fl_slice marks[] = {FL_SLICE_INIT("-->"),   FL_SLICE_INIT(" := "),
                                     FL_SLICE_INIT("();"),   FL_SLICE_INIT("= new "),
                                     FL_SLICE_INIT(" // "),  FL_SLICE_INIT("\") {"),
                                     FL_SLICE_INIT(" => {"), FL_SLICE_INIT("){")};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (fl_slice_find(text, marks[i]) < text.len)
            return true;
    return false;
}

void fl_learn_sentence(learning *l, const fl_sentence *s)
{
    assert(s->text.len == s->lower.len && s->text.len > 0);
    struct said in = {.l = l, .s = s};
    if (l->section == FL_SECTION_SKIP || is_code(s->text) || take_arrows(l, s))
        return;
    bool announces = s->text.ptr[s->text.len - 1] == ':';
    find_cues(&in);
    if (s->is_question && take_question(l, s))
        return;
    if (l->why.len > 0 && !s->is_question) {
        take_answer(&in);
        return;
    }
    if (l->in_list)
        list_item(l, s, 0);
    for (size_t i = 0; i < in.count; i++)
        if (!s->is_question || in.cues[i].phrase->kind == FL_CUE_SUSPECTED)
            take_cue(&in, i);
    l->in_list = l->in_list && s->text.ptr[s->text.len - 1] == ';';
    if (s->is_question)
        return;
    judge_suspect(&in);
    take_release_note(&in);
    take_mentions(&in);
    if (!announces)
        take_section(&in);
    take_first_trouble(&in);
}
