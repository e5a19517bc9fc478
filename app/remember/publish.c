/*
 * publish.c - lines of a draft to lessons.
 *
 * People edit with whatever they like: bullets and blanks may differ, lines may be moved. What
 * counts is what cannot be meant otherwise. A mark out of the telemetry cannot be mistaken for
 * one of ours: a draft escapes the backquotes of every text that is not its own, and what is in a
 * query stands before the row's own mark, of which the last counts.
 */
#include "publish.h"

#include <assert.h>
#include <string.h>

#include "number.h"
#include "slice.h"

static const char HEAD[] = "<!-- faultline.postmortem/1 ";
static const char NOTE_REMOVED[] = "taken out of the postmortem";
static const char NOTE_CONFIRMED[] = "confirmed in the postmortem";

enum { MAX_SAID_BYTES = 400, RANKING_DIGITS = 16 };

/* ---- lines ---- */

/* As many digits as a draft has, most significant first. */
static bool read_hash(uint64_t *out, fl_slice text)
{
    unsigned char bytes[RANKING_DIGITS / 2];
    if (text.len != RANKING_DIGITS || !fl_parse_hex(text, bytes, sizeof(bytes)))
        return false;
    *out = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        *out = *out << 8 | bytes[i];
    return true;
}

/* "ID factors=N ranking=HASH -->" */
static fl_status read_head(fl_draft *out, fl_slice rest, fl_arena *arena, fl_error *err)
{
    static const char word[] = " ranking=";
    uint64_t factors = 0;
    size_t gap = fl_slice_find(rest, fl_slice_of(" factors="));
    size_t end = fl_slice_find(rest, fl_slice_of(" -->"));
    size_t digits = gap + strlen(" factors="), then = fl_slice_find(rest, fl_slice_of(word));
    size_t hash = then + strlen(word);
    bool is_good = gap > 0 && gap < rest.len && end < rest.len && digits < then &&
                   hash + RANKING_DIGITS == end &&
                   fl_parse_u64(fl_slice_part(rest, digits, then), &factors) &&
                   read_hash(&out->ranking, fl_slice_part(rest, hash, end));
    if (!is_good || factors > FL_DRAFT_FACTORS)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "the head of the draft is damaged: it is '%sID factors=N ranking=HASH -->', "
                       "with N up to %d: make a new draft",
                       HEAD, FL_DRAFT_FACTORS);
    out->incident = fl_arena_cstr(arena, fl_slice_part(rest, 0, gap));
    out->factors = (size_t)factors;
    return out->incident != NULL ? FL_OK
                                 : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a draft");
}

/* The number of the line's last mark, where that is "`auto:F12`"; 0: it is another, as that of a
 * piece of evidence is ("F1.2"). One inside of a query stands before the row's own. */
static size_t mark_of(fl_slice line)
{
    static const char mark[] = "`auto:"; /* as postmortem_write.c ends its rows */
    uint64_t number = 0;
    fl_slice rest = {0};
    for (size_t at = fl_slice_find(line, fl_slice_of(mark)); at < line.len;
         at = fl_slice_find(line, fl_slice_of(mark))) {
        rest = fl_slice_part(line, at + strlen(mark), line.len);
        line = rest;
    }
    if (rest.len == 0 || rest.ptr[0] != 'F')
        return 0;
    rest = fl_slice_part(rest, 1, rest.len);
    size_t end = fl_slice_find(rest, fl_slice_of("`"));
    if (end >= rest.len || !fl_parse_u64(fl_slice_part(rest, 0, end), &number))
        return 0;
    return number <= FL_DRAFT_FACTORS ? (size_t)number : 0;
}

/* Without its bullet and the blanks around it. */
static fl_slice without_bullet(fl_slice line)
{
    fl_slice text = fl_slice_trim(line);
    if (text.len > 0 && strchr("-*+", text.ptr[0]) != NULL)
        text = fl_slice_trim(fl_slice_part(text, 1, text.len));
    return text;
}

/* A row that was not drafted is somebody's own, and is not read. */
static fl_status read_factor(fl_draft *out, fl_slice line, size_t number, fl_error *err)
{
    fl_slice text = without_bullet(line);
    bool is_ticked = fl_slice_starts_with(text, fl_slice_of("[x]")) ||
                     fl_slice_starts_with(text, fl_slice_of("[X]"));
    bool is_struck = fl_slice_find(text, fl_slice_of("~~")) < text.len;
    assert(number >= 1 && number <= FL_DRAFT_FACTORS);
    if (is_ticked && is_struck)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "factor F%zu is ticked and struck through: keep one of the two", number);
    out->is_there[number - 1] = !is_struck;
    out->is_ticked[number - 1] = is_ticked;
    return FL_OK;
}

/* The rest of the line behind `label`; *out stays where the line is another or says nothing. */
static fl_status read_said(const char **out, fl_slice line, const char *label, fl_arena *arena,
                           fl_error *err)
{
    fl_slice text = without_bullet(line), name = fl_slice_of(label);
    if (!fl_slice_starts_with(text, name))
        return FL_OK;
    fl_slice said = fl_slice_trim(fl_slice_part(text, name.len, text.len));
    if (said.len == 0)
        return FL_OK;
    if (said.len > MAX_SAID_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "'%s' is followed by more than %d bytes",
                       label, MAX_SAID_BYTES);
    *out = fl_arena_cstr(arena, said);
    return *out != NULL ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a draft");
}

/* A line is one thing at most. */
static fl_status read_line(fl_draft *out, fl_slice line, fl_arena *arena, fl_error *err)
{
    fl_slice head = fl_slice_of(HEAD);
    if (out->incident == NULL && fl_slice_starts_with(line, head))
        return read_head(out, fl_slice_part(line, head.len, line.len), arena, err);
    size_t number = mark_of(line);
    if (number > 0)
        return read_factor(out, line, number, err);
    fl_status status = read_said(&out->cause, line, "Confirmed cause:", arena, err);
    return status == FL_OK ? read_said(&out->fix, line, "What fixed it:", arena, err) : status;
}

/* Lines end as the editor ends them; a carriage return is trimmed with the blanks. */
fl_status fl_draft_read(fl_draft *out, fl_slice text, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && arena != NULL);
    *out = (fl_draft){0};
    fl_status status = FL_OK;
    while (text.len > 0 && status == FL_OK) {
        size_t end = fl_slice_find(text, fl_slice_of("\n"));
        end = end < text.len ? end : text.len;
        status = read_line(out, fl_slice_part(text, 0, end), arena, err);
        text = fl_slice_part(text, end < text.len ? end + 1 : end, text.len);
    }
    if (status == FL_OK && out->incident == NULL)
        status = fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                         "this is no draft of a postmortem in Markdown: no line is '%sID factors=N "
                         "ranking=HASH -->'",
                         HEAD);
    return status;
}

/* ---- lessons ---- */

/* One publication under way. */
typedef struct publishing {
    const fl_incident *incident;
    const fl_draft *draft;
    const fl_publish_options *options;
    fl_arena *arena;
    fl_published *items;
    size_t count;
} publishing;

/* A person says it, whatever the program thought: that is the heaviest source there is. */
static fl_published *add(publishing *p, bool supports, size_t factor)
{
    assert(p->count <= FL_DRAFT_FACTORS);
    fl_published *item = &p->items[p->count++];
    item->supports = supports;
    item->factor = factor;
    item->lesson = (fl_lesson){.incident = p->incident,
                               .cause = &item->cause,
                               .supports = supports,
                               .source = FL_SOURCE_PERSON,
                               .fix_source = FL_SOURCE_PERSON,
                               .author = p->options->author,
                               .note = supports ? NOTE_CONFIRMED : NOTE_REMOVED,
                               .now_ns = p->options->now_ns};
    return item;
}

/* What fixed it fixed the cause that is named first. */
static fl_status add_fix(publishing *p, fl_error *err)
{
    if (p->draft->fix == NULL)
        return FL_OK;
    if (p->count == 0)
        return fl_fail(
            err, FL_E_SYNTAX, FL_NO_OFFSET,
            "the draft says what fixed it and confirms no cause: tick a factor, or write "
            "one behind 'Confirmed cause:'");
    fl_published *item = &p->items[0];
    item->lesson.fix = &item->fix;
    return fl_symptoms_said(&item->fix, FL_NODE_FIX, p->draft->fix, p->options->now_ns, p->arena,
                            err);
}

/* A number means the same cause only where the ranking is still the one that was drafted. */
static fl_status check_ranking(const publishing *p, fl_error *err)
{
    const fl_incident *incident = p->incident;
    size_t factors = p->draft->factors;
    if (factors <= incident->hypothesis_count &&
        fl_symptoms_ranking(incident, factors) == p->draft->ranking)
        return FL_OK;
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                   "incident %.64s was triaged again: make a new draft", incident->id);
}

/* The hypothesis of the same number, as it is in the store now. */
static fl_status add_factors(publishing *p, bool supports, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < p->draft->factors && status == FL_OK; i++) {
        bool is_said = supports ? p->draft->is_ticked[i] : !p->draft->is_there[i];
        if (!is_said)
            continue;
        assert(i < p->incident->hypothesis_count); /* check_ranking() */
        fl_published *item = add(p, supports, i + 1);
        status = fl_symptoms_cause(&item->cause, &p->incident->hypotheses[i], p->options->now_ns,
                                   p->arena, err);
    }
    return status;
}

/* What was confirmed before what was not, so that a fix finds its cause. */
static fl_status gather(publishing *p, fl_error *err)
{
    fl_status status = FL_OK;
    assert(p->count == 0);
    if (p->draft->cause != NULL)
        status = fl_symptoms_said(&add(p, true, 0)->cause, FL_NODE_CAUSE, p->draft->cause,
                                  p->options->now_ns, p->arena, err);
    if (status == FL_OK)
        status = add_factors(p, true, err);
    if (status == FL_OK)
        status = add_fix(p, err);
    return status == FL_OK ? add_factors(p, false, err) : status;
}

/* Everything is understood before anything is written. */
fl_status fl_publish(fl_publication *out, fl_store *store, const fl_publish_options *options,
                     fl_arena *arena, fl_error *err)
{
    assert(out != NULL && store != NULL && options->author != NULL);
    assert(strcmp(options->incident->id, options->draft->incident) == 0);
    publishing p = {.incident = options->incident,
                    .draft = options->draft,
                    .options = options,
                    .arena = arena,
                    .items = fl_arena_alloc(arena, FL_DRAFT_FACTORS + 1, sizeof(fl_published))};
    *out = (fl_publication){0};
    if (p.items == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for what a draft says");
    fl_status status = check_ranking(&p, err);
    if (status == FL_OK)
        status = gather(&p, err);
    for (size_t i = 0; i < p.count && status == FL_OK && !options->is_dry; i++)
        status = fl_memory_learn(&p.items[i].learnt, store, &p.items[i].lesson, arena, err);
    if (status == FL_OK)
        *out = (fl_publication){.items = p.items, .count = p.count};
    return status;
}
