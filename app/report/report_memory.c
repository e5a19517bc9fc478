/*
 * report_memory.c - confidence in words: the mean, its 90 % interval, and how much it rests on.
 *
 * A mean alone would make 1 of 1 look better than 48 of 50, so that no line shows one without its
 * interval and n. The JSON documents have the members of their schemas, in that order; numbers have
 * six decimals, as in the triage's.
 */
#include "report_memory.h"

#include <assert.h>
#include <jansson.h>

#include "json_put.h"
#include "page.h"
#include "timestamp.h"

enum { INDENT = 2, BODY = 12, WHY = 24, BELIEF_TEXT = 80, MOST_TITLES = 5 };

static const fl_page_row row = {INDENT, BODY}, why = {BODY, WHY};

/* "0.82 (90 % interval 0.61 to 0.94, n = 7)" */
static const char *belief_text(char out[BELIEF_TEXT], const fl_confidence *c, size_t items)
{
    assert(c->low <= c->mean && c->mean <= c->high);
    snprintf(out, BELIEF_TEXT, "%.2f (90 %% interval %.2f to %.2f, n = %zu)", c->mean, c->low,
             c->high, items);
    return out;
}

/* The cause and the author stand in the head, so that a line names only the other end. */
static void write_moved(fl_page *page, const fl_moved *moved)
{
    char before[BELIEF_TEXT], after[BELIEF_TEXT];
    bool is_fix = moved->kind == FL_EDGE_RESOLVED_BY;
    fl_page_labelled(page, row, is_fix ? "fixed by" : "explains", FL_INK_PLAIN,
                     is_fix ? moved->to : moved->from);
    fl_page_pad(page, BODY);
    fl_page_printf(page, FL_INK_DIM, "%s -> ",
                   belief_text(before, &moved->before, moved->items_before));
    fl_page_put(page, moved->after.mean >= moved->before.mean ? FL_INK_GOOD : FL_INK_BAD,
                belief_text(after, &moved->after, moved->items_after));
    fl_page_newline(page);
}

fl_status fl_report_learnt_text(fl_buf *out, const char *what, const fl_lesson *lesson,
                                const fl_learnt *learnt, const fl_report_style *style,
                                fl_error *err)
{
    assert(lesson->incident != NULL && lesson->cause != NULL);
    fl_page page = fl_page_on(out, style);
    fl_page_printf(&page, FL_INK_PLAIN, "Incident %.64s %s by %.64s", lesson->incident->id, what,
                   lesson->author);
    fl_page_put(&page, FL_INK_WARN, learnt->added.evidence == 0 ? "; this was known before" : "");
    fl_page_newline(&page);
    fl_page_labelled(&page, row, "cause", FL_INK_BOLD, lesson->cause->title);
    for (size_t i = 0; i < learnt->count; i++)
        write_moved(&page, &learnt->moved[i]);
    return fl_buf_check(out, "the answer", err);
}

/* "fixed by" under the cause that it fixes. */
static void write_fix(fl_page *page, const fl_path_fix *fix)
{
    char belief[BELIEF_TEXT];
    fl_page_labelled(page, row, "fixed by", FL_INK_PLAIN, fix->title);
    fl_page_pad(page, BODY);
    fl_page_put(page, FL_INK_DIM, belief_text(belief, &fix->confidence, fix->count));
    fl_page_newline(page);
}

/* In how many of the incidents and documents that tell of such symptoms, and how sure that makes.
 */
static void write_path(fl_page *page, const fl_path *path)
{
    char belief[BELIEF_TEXT], last[FL_TIME_TEXT];
    fl_page_labelled(page, row, "cause", FL_INK_BOLD, path->title);
    fl_page_pad(page, BODY);
    fl_page_printf(page, FL_INK_PLAIN, "explained %zu of %zu: %s", path->supporting,
                   fl_path_items(path),
                   belief_text(belief, &path->confidence, fl_path_items(path)));
    if (path->contradicting > 0)
        fl_page_printf(page, FL_INK_BAD, "; %zu against", path->contradicting);
    if (path->automatic > 0)
        fl_page_printf(page, FL_INK_WARN, "; %zu not confirmed", path->automatic);
    if (path->last_ns != 0)
        fl_page_printf(page, FL_INK_DIM, "; last %s", fl_time_format(last, path->last_ns));
    fl_page_newline(page);
    for (size_t i = 0; i < path->fix_count; i++)
        write_fix(page, &path->fixes[i]);
}

/* Texts under a word; a few, and how many more there are. */
static void write_titles(fl_page *page, const char *word, const char *const *titles, size_t count)
{
    for (size_t i = 0; i < count && i < MOST_TITLES; i++)
        fl_page_labelled(page, why, i == 0 ? word : "", FL_INK_PLAIN, titles[i]);
    if (count <= MOST_TITLES)
        return;
    fl_page_pad(page, WHY);
    fl_page_printf(page, FL_INK_DIM, "and %zu more", count - MOST_TITLES);
    fl_page_newline(page);
}

/* How alike, in what, and what it was then. */
static void write_similar(fl_page *page, const fl_similar *similar)
{
    char overlap[FL_PERCENT_TEXT];
    fl_page_pad(page, INDENT);
    fl_page_put(page, FL_INK_DIM, "alike");
    fl_page_pad(page, BODY);
    fl_page_printf(page, FL_INK_PLAIN, "%.64s: %s, %zu of %zu symptoms shared", similar->incident,
                   fl_page_percent(overlap, similar->overlap), similar->shared, similar->ours);
    if (similar->theirs > similar->shared)
        fl_page_printf(page, FL_INK_DIM, "; %zu others there", similar->theirs - similar->shared);
    fl_page_newline(page);
    write_titles(page, "in common", similar->both, similar->shared);
    write_titles(page, "only here", similar->here, similar->ours - similar->shared);
    write_titles(page, "only there", similar->there, similar->there_count);
    write_titles(page, "it was", similar->causes, similar->cause_count);
    write_titles(page, "helped", similar->fixes, similar->fix_count);
}

fl_status fl_report_memory_text(fl_buf *out, const fl_memory *memory, const fl_report_style *style,
                                fl_error *err)
{
    assert(memory->paths != NULL || memory->path_count == 0);
    fl_page page = fl_page_on(out, style);
    fl_page_put(&page, FL_INK_BOLD, "Seen before");
    fl_page_printf(&page, FL_INK_PLAIN, " in %zu incident%s%s", memory->seen,
                   memory->seen == 1 ? "" : "s", memory->cut ? " or more" : "");
    fl_page_newline(&page);
    for (size_t i = 0; i < memory->path_count; i++)
        write_path(&page, &memory->paths[i]);
    for (size_t i = 0; i < memory->similar_count; i++)
        write_similar(&page, &memory->similar[i]);
    return fl_buf_check(out, "the answer", err);
}

fl_status fl_report_similar_text(fl_buf *out, const fl_memory *memory, const fl_report_style *style,
                                 fl_error *err)
{
    assert(memory->similar_count <= memory->seen);
    fl_page page = fl_page_on(out, style);
    if (memory->seen == 0)
        fl_page_put(&page, FL_INK_PLAIN, "No other incident shows any of these symptoms");
    else
        fl_page_printf(&page, FL_INK_PLAIN, "%zu incident%s%s any of these symptoms", memory->seen,
                       memory->cut ? " or more" : "", memory->seen == 1 ? " shows" : "s show");
    fl_page_newline(&page);
    for (size_t i = 0; i < memory->similar_count; i++)
        write_similar(&page, &memory->similar[i]);
    return fl_buf_check(out, "the answer", err);
}

/* ---- JSON: jansson passes the NULL of a failed constructor on ---- */

static json_t *belief_json(const fl_confidence *c, size_t items)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "mean", c->mean, "low", c->low, "high", c->high, "n",
                     (json_int_t)items);
}

/* null for no time. */
static json_t *time_json(int64_t at_ns)
{
    char at[FL_TIME_TEXT];
    return at_ns != 0 ? json_string(fl_time_format(at, at_ns)) : json_null();
}

/* Takes the document. */
static fl_status dump(fl_buf *out, json_t *document, fl_error *err)
{
    bool failed = !fl_put_dump(out, document, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    fl_buf_char(out, '\n');
    json_decref(document);
    fl_status status = fl_buf_check(out, "the answer", err);
    if (status == FL_OK && failed)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the answer");
    return status;
}

fl_status fl_report_learnt_json(fl_buf *out, const char *what, const fl_lesson *lesson,
                                const fl_learnt *learnt, fl_error *err)
{
    assert(lesson->incident != NULL && lesson->cause != NULL);
    json_t *moved = json_array();
    for (size_t i = 0; i < learnt->count; i++) {
        const fl_moved *m = &learnt->moved[i];
        json_array_append_new(moved,
                              json_pack("{s:s, s:s, s:s, s:o, s:o}", "kind",
                                        fl_edge_kind_name(m->kind), "from", m->from, "to", m->to,
                                        "before", belief_json(&m->before, m->items_before), "after",
                                        belief_json(&m->after, m->items_after)));
    }
    bool whole = json_array_size(moved) == learnt->count;
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "schema", "faultline.learnt/1", "incident",
                  lesson->incident->id, "what", what, "author", lesson->author, "cause",
                  lesson->cause->title, "new", learnt->added.evidence > 0, "moved", moved);
    if (!whole) {
        json_decref(document);
        document = NULL;
    }
    return dump(out, document, err);
}

/* Best first, as the path has them. */
static json_t *fixes_json(const fl_path *path)
{
    json_t *fixes = json_array();
    for (size_t i = 0; i < path->fix_count; i++) {
        const fl_path_fix *fix = &path->fixes[i];
        json_array_append_new(fixes, json_pack("{s:s, s:o, s:o}", "fix", fix->title, "confidence",
                                               belief_json(&fix->confidence, fix->count), "last",
                                               time_json(fix->last_ns)));
    }
    return fixes;
}

/* All of them: the text shows a few. */
static json_t *paths_json(const fl_memory *memory)
{
    json_t *paths = json_array();
    for (size_t i = 0; i < memory->path_count; i++) {
        const fl_path *path = &memory->paths[i];
        json_array_append_new(
            paths, json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "cause", path->title,
                             "confidence", belief_json(&path->confidence, fl_path_items(path)),
                             "shared_symptoms", (json_int_t)path->shared, "supporting",
                             (json_int_t)path->supporting, "contradicting",
                             (json_int_t)path->contradicting, "elsewhere",
                             (json_int_t)path->elsewhere, "automatic", (json_int_t)path->automatic,
                             "last", time_json(path->last_ns), "fixes", fixes_json(path)));
    }
    return paths;
}

static json_t *titles_json(const char *const *titles, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, json_string(titles[i]));
    return out;
}

/* Counts beside the overlap, and the symptoms, so that it can be understood. */
static json_t *similar_json(const fl_memory *memory)
{
    json_t *similar = json_array();
    for (size_t i = 0; i < memory->similar_count; i++) {
        const fl_similar *s = &memory->similar[i];
        json_array_append_new(
            similar, json_pack("{s:s, s:f, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "incident",
                               s->incident, "overlap", s->overlap, "shared", (json_int_t)s->shared,
                               "theirs", (json_int_t)s->theirs, "ours", (json_int_t)s->ours,
                               "in_common", titles_json(s->both, s->shared), "only_here",
                               titles_json(s->here, s->ours - s->shared), "only_there",
                               titles_json(s->there, s->there_count), "causes",
                               titles_json(s->causes, s->cause_count), "fixes",
                               titles_json(s->fixes, s->fix_count)));
    }
    return similar;
}

static json_t *keys_json(const fl_symptoms *symptoms)
{
    json_t *keys = json_array();
    assert(symptoms->nodes != NULL || symptoms->count == 0);
    for (size_t i = 0; i < symptoms->count; i++)
        json_array_append_new(keys, json_string(symptoms->nodes[i].key));
    return keys;
}

/* NULL for want of memory, which a list that is too short shows. */
static json_t *checked(json_t *list, size_t count)
{
    if (json_array_size(list) == count)
        return list;
    json_decref(list);
    return NULL;
}

fl_status fl_report_memory_json(fl_buf *out, const fl_symptoms *symptoms, const fl_memory *memory,
                                fl_error *err)
{
    return dump(out,
                json_pack("{s:s, s:o, s:I, s:b, s:o, s:o}", "schema", "faultline.paths/1",
                          "symptoms", checked(keys_json(symptoms), symptoms->count), "seen",
                          (json_int_t)memory->seen, "cut", memory->cut, "paths",
                          checked(paths_json(memory), memory->path_count), "similar",
                          checked(similar_json(memory), memory->similar_count)),
                err);
}

fl_status fl_report_similar_json(fl_buf *out, const fl_symptoms *symptoms, const fl_memory *memory,
                                 fl_error *err)
{
    return dump(out,
                json_pack("{s:s, s:o, s:I, s:b, s:o}", "schema", "faultline.similar/1", "symptoms",
                          checked(keys_json(symptoms), symptoms->count), "seen",
                          (json_int_t)memory->seen, "cut", memory->cut, "similar",
                          checked(similar_json(memory), memory->similar_count)),
                err);
}
