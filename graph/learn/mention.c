/*
 * mention.c - one walk over a sentence; what a version means is told by the words around it.
 *
 * What is a version: digits with a point between, or with a "v" before them, that do not lie in a
 * word: "6.2.5", "v2", "1.21.3-rc1". "200ms" and "0.5s" are none. Which range it stands for:
 *
 *   "X 1.2"                "=1.2"          "X 1.2 and later"           ">=1.2"
 *   "X before 1.2"         "<1.2"          "fixed in X 1.2"            "<1.2"
 *   "X 1.2 to 1.4"         ">=1.2 <=1.4"   "upgraded X from 1.2 to 1.4" "<1.4"
 *
 * The last two rows tell of the same words "to": who upgrades says that the old version had it and
 * the new one has not, and not that what lies between had.
 */
#include "mention.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "slice.h"

enum { MAX_VERSION = 32, MAX_NAME = 48, MAX_CONFIG_KEY = 96, MAX_CONFIG_VALUE = 64 };

struct finding {
    const fl_learn_rules *rules;
    const fl_sentence *s;
    fl_mention *out;
    size_t count;
    bool is_upgrade; /* the sentence upgrades something */
};

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Of names of packages, and of versions. */
static bool is_name_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}

/* "v1.2.3-rc1" at `at`: its length without the v, *start behind it; 0: there is none. One number
 * alone is a version only behind a v. */
static size_t version_at(fl_slice lower, size_t at, size_t *start)
{
    assert(at <= lower.len && start != NULL);
    bool has_v = at < lower.len && lower.ptr[at] == 'v';
    size_t from = at + has_v, end = from, dots = 0;
    while (end < lower.len && end - from < MAX_VERSION &&
           (is_name_byte(lower.ptr[end]) || lower.ptr[end] == '+')) {
        dots += lower.ptr[end] == '.' && end + 1 < lower.len && is_digit(lower.ptr[end + 1]);
        end++;
    }
    while (end > from && (lower.ptr[end - 1] == '.' || lower.ptr[end - 1] == '-'))
        end--;
    bool begins = end > from && is_digit(lower.ptr[from]);
    bool in_word = at > 0 && (is_name_byte(lower.ptr[at - 1]) && lower.ptr[at - 1] != '-');
    /* "200ms", "0.5s": a unit is no version. */
    bool has_letter_last = end > from && lower.ptr[end - 1] >= 'a' && dots == 0;
    *start = from;
    return begins && !in_word && (dots > 0 || has_v) && !has_letter_last ? end - from : 0;
}

/* A phrase of the kinds at `at`, blanks before it skipped; *end is behind it and its blanks. */
static bool words_at(const struct finding *f, uint64_t kinds, size_t at, size_t *end)
{
    while (at < f->s->lower.len && f->s->lower.ptr[at] == ' ')
        at++;
    const fl_phrase *phrase = fl_learn_phrase_at(f->rules, kinds, f->s->lower, at);
    if (phrase == NULL && at < f->s->lower.len && f->s->lower.ptr[at] == '-' &&
        (kinds & FL_PHRASES(FL_WORD_TO)) != 0) {
        for (at++; at < f->s->lower.len && f->s->lower.ptr[at] == ' ';)
            at++;
        *end = at;
        return true;
    }
    if (phrase == NULL)
        return false;
    at += phrase->text.len;
    while (at < f->s->lower.len && f->s->lower.ptr[at] == ' ')
        at++;
    *end = at;
    return true;
}

/* What may stand between a name and its version. */
static size_t skip_joint(fl_slice lower, size_t at)
{
    static const fl_slice words[] = {FL_SLICE_INIT("version "), FL_SLICE_INIT("versions "),
                                     FL_SLICE_INIT("release ")};
    if (at < lower.len && strchr("@:/ ", lower.ptr[at]) != NULL)
        at++;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (fl_slice_starts_with(fl_slice_part(lower, at, lower.len), words[i]))
            return at + words[i].len;
    return at;
}

/* The last phrase of the kinds ends right before `at`. */
static bool words_before(const struct finding *f, uint64_t kinds, size_t at)
{
    while (at > 0 && f->s->lower.ptr[at - 1] == ' ')
        at--;
    enum { LONGEST = 24 };
    for (size_t len = at < LONGEST ? at : LONGEST; len >= 2; len--) {
        const fl_phrase *phrase = fl_learn_phrase_at(f->rules, kinds, f->s->lower, at - len);
        if (phrase != NULL && phrase->text.len == len)
            return true;
    }
    return false;
}

/* A sign and the version behind it. */
static void set_range(fl_mention *m, const char *sign, fl_slice version)
{
    snprintf(m->range, sizeof(m->range), "%s%.*s", sign, FL_SLICE_ARG(version));
}

/* The range that begins with the version at `at`; returns where it ends. */
static size_t read_range(fl_mention *m, const struct finding *f, size_t at, size_t name_start)
{
    fl_slice lower = f->s->lower;
    size_t start, word, to, len = version_at(lower, at, &start);
    assert(len > 0);
    fl_slice first = fl_slice_part(lower, start, start + len);
    size_t end = start + len;
    m->version = first;
    set_range(m, "=", first);
    bool is_last = f->is_upgrade || words_before(f, FL_PHRASES(FL_WORD_FIXED_IN), name_start);
    if (words_at(f, FL_PHRASES(FL_WORD_TO), end, &to) && version_at(lower, to, &start) > 0) {
        len = version_at(lower, to, &start);
        fl_slice second = fl_slice_part(lower, start, start + len);
        if (f->is_upgrade)
            set_range(m, "<", second);
        else
            snprintf(m->range, sizeof(m->range), ">=%.*s <=%.*s", FL_SLICE_ARG(first),
                     FL_SLICE_ARG(second));
        m->is_bound = true;
        return start + len;
    }
    if (words_at(f, FL_PHRASES(FL_WORD_AND_LATER), end, &word))
        set_range(m, ">=", first);
    else if (words_at(f, FL_PHRASES(FL_WORD_AND_EARLIER), end, &word))
        set_range(m, "<=", first);
    else if (is_last)
        set_range(m, "<", first);
    m->is_bound = m->range[0] != '=';
    return end;
}

/* "before 1.2.3" behind a name. */
static size_t read_bound(fl_mention *m, const struct finding *f, size_t at)
{
    assert(at <= f->s->lower.len);
    static const struct {
        fl_phrase_kind kind;
        const char *sign;
    } bounds[] = {{FL_WORD_BEFORE, "<"}, {FL_WORD_UNTIL, "<="}, {FL_WORD_SINCE, ">="}};
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        size_t from, start, len;
        if (!words_at(f, FL_PHRASES(bounds[i].kind), at, &from))
            continue;
        len = version_at(f->s->lower, from, &start);
        if (len == 0)
            continue;
        if (bounds[i].kind == FL_WORD_SINCE && f->is_upgrade) /* "upgraded X from 1.1 to 1.2" */
            return read_range(m, f, from, at);
        m->version = fl_slice_part(f->s->lower, start, start + len);
        set_range(m, bounds[i].sign, m->version);
        m->is_bound = true;
        return start + len;
    }
    return at;
}

/* What follows a name at `end`; returns where the mention ends. */
static size_t read_version(fl_mention *m, const struct finding *f, size_t name_start, size_t end)
{
    size_t start, at = skip_joint(f->s->lower, end);
    m->version = (fl_slice){.ptr = f->s->lower.ptr, .len = 0};
    snprintf(m->range, sizeof(m->range), "*");
    if (version_at(f->s->lower, at, &start) > 0)
        return read_range(m, f, at, name_start);
    size_t to;
    if (f->is_upgrade && words_at(f, FL_PHRASES(FL_WORD_TO), end, &to) &&
        version_at(f->s->lower, to, &start) > 0)
        return read_range(m, f, to, name_start);
    return read_bound(m, f, end);
}

/* The caller has checked that there is one. */
static fl_mention *next_place(struct finding *f)
{
    assert(f->count < FL_MAX_MENTIONS);
    f->out[f->count] = (fl_mention){.versions = FL_ECOSYSTEM_SEMVER};
    return &f->out[f->count++];
}

/* A known name; what follows it says which versions. */
static size_t take_component(struct finding *f, const fl_phrase *phrase, size_t at)
{
    assert(phrase->component != NULL);
    fl_mention *m = next_place(f);
    m->name = fl_slice_of(phrase->component->name);
    m->versions = phrase->component->versions;
    return read_version(m, f, at, at + phrase->text.len);
}

/* A version whose name is no known component: the word before it, where it looks like one; or no
 * name, where the words say that it is about a version: "fixed in v1.2", "versions 1.1 to 1.3". */
static size_t take_version(struct finding *f, size_t at)
{
    fl_slice lower = f->s->lower;
    size_t end = at;
    while (end > 0 && strchr("@:/ ", lower.ptr[end - 1]) != NULL)
        end--;
    size_t start = end;
    bool has_joint = false;
    while (start > 0 && is_name_byte(lower.ptr[start - 1])) {
        start--;
        has_joint |= lower.ptr[start] == '-' || lower.ptr[start] == '_';
    }
    bool is_name = has_joint && end - start >= 3 && end - start <= MAX_NAME &&
                   lower.ptr[start] >= 'a' && lower.ptr[start] <= 'z' && end < at;
    fl_mention *m = next_place(f);
    m->name = is_name ? fl_slice_part(lower, start, end) : (fl_slice){.ptr = lower.ptr, .len = 0};
    size_t after = read_range(m, f, at, is_name ? start : end);
    bool is_about = m->is_bound && (is_name || !f->is_upgrade);
    if (!is_name && !is_about)
        f->count--;
    return after;
}

/* Properties, environment variables, flags of the JVM. */
static bool is_key_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '.' ||
           c == '_' || c == '-' || c == ':' || c == '+';
}

/* "key=value" around the '=' at `at`; returns where it ends, or `at` + 1 where it is none. */
static size_t take_config(struct finding *f, size_t at)
{
    assert(f->s->text.ptr[at] == '=');
    fl_slice text = f->s->text;
    size_t start = at, end = at + 1;
    while (start > 0 && at - start < MAX_CONFIG_KEY && is_key_byte(text.ptr[start - 1]))
        start--;
    while (end < text.len && end - at < MAX_CONFIG_VALUE && text.ptr[end] > ' ' &&
           text.ptr[end] < 0x7F && strchr(",;()\"'`|[]{}<>=", text.ptr[end]) == NULL)
        end++;
    while (end > at + 1 && (text.ptr[end - 1] == '.' || text.ptr[end - 1] == ':'))
        end--;
    while (start < at && (text.ptr[start] == '.' || text.ptr[start] == ':' ||
                          (text.ptr[start] == '-' && text.ptr[start + 1] != 'X')))
        start++;
    bool is_compared = at > 0 && strchr("!<>=", text.ptr[at - 1]) != NULL;
    if (at - start < 2 || end - at < 2 || is_compared || is_digit(text.ptr[start]))
        return at + 1;
    fl_mention *m = next_place(f);
    m->is_config = true;
    m->name = fl_slice_part(text, start, end);
    return end;
}

/* "redis" of "spring.redis.timeout" and of "redis-cli" is a part of another name. */
static bool is_part_of_name(fl_slice lower, size_t at, size_t end)
{
    bool joined = end + 1 < lower.len && strchr(".-_/", lower.ptr[end]) != NULL &&
                  lower.ptr[end + 1] >= 'a' && lower.ptr[end + 1] <= 'z';
    return joined && !(lower.ptr[end + 1] == 'v' && end + 2 < lower.len &&
                       is_digit(lower.ptr[end + 2]))
               ? true
               : at > 0 && strchr(".-_", lower.ptr[at - 1]) != NULL;
}

size_t fl_mentions_find(fl_mention out[FL_MAX_MENTIONS], const fl_learn_rules *rules,
                        const fl_sentence *sentence)
{
    assert(rules != NULL && sentence->text.len == sentence->lower.len);
    struct finding f = {.rules = rules, .s = sentence, .out = out};
    fl_slice lower = sentence->lower;
    f.is_upgrade = fl_learn_has(rules, FL_PHRASES(FL_WORD_UPGRADED), lower) &&
                   !fl_learn_has(rules, FL_PHRASES(FL_WORD_AFTER_UPGRADE), lower);
    for (size_t at = 0, start; at < lower.len && f.count < FL_MAX_MENTIONS;) {
        const fl_phrase *phrase =
            fl_learn_phrase_at(rules, FL_PHRASES(FL_PHRASE_COMPONENT), lower, at);
        if (phrase != NULL && is_part_of_name(lower, at, at + phrase->text.len))
            at += phrase->text.len;
        else if (phrase != NULL)
            at = take_component(&f, phrase, at);
        else if (lower.ptr[at] == '=')
            at = take_config(&f, at);
        else if (version_at(lower, at, &start) > 0)
            at = take_version(&f, at);
        else
            at++;
    }
    return f.count;
}

void fl_mention_qualifier(char out[FL_QUALIFIER_TEXT], const fl_mention *mention)
{
    assert(!mention->is_config);
    if (mention->range[0] == '*')
        snprintf(out, FL_QUALIFIER_TEXT, "*");
    else
        snprintf(out, FL_QUALIFIER_TEXT, "%s %s", fl_ecosystem_name(mention->versions),
                 mention->range);
}
