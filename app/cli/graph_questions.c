/*
 * graph_questions.c - read a line, refresh, remember, write a line.
 *
 * Everything of one question lives in an arena that the next one uses again.
 */
#include "graph_questions.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "graph_live.h"
#include "json.h"
#include "json_put.h"
#include "path_evidence.h"
#include "quote.h"
#include "report_graph_view.h"
#include "report_memory.h"
#include "service_symptoms.h"
#include "slice.h"
#include "timestamp.h"

enum { MAX_LINE_BYTES = 1 << 20, MOST_SIMILAR = 5 };

/* What a line asks for; texts are in the arena. */
typedef struct question {
    const char *keys[FL_MAX_SYMPTOMS];
    size_t key_count;
    const char *incident, *service;
    uint64_t most; /* 0: all */
} question;

/* ---- reading ---- */

/* The next line without its end, of whatever bytes; of one that is too long the rest is passed
 * over, and the buffer says so. */
static fl_status read_line(fl_buf *line, bool *more, fl_error *err)
{
    int c = getc(stdin);
    fl_buf_clear(line);
    *more = c != EOF;
    for (; c != EOF && c != '\n'; c = getc(stdin))
        fl_buf_char(line, (char)c);
    if (ferror(stdin))
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot read standard input: %s",
                       strerror(errno));
    return FL_OK;
}

/* Of a text, which has to be there and have no NUL. */
static const char *read_text(fl_json *in)
{
    size_t at = in->pos;
    fl_slice text = fl_json_string(in);
    if (!fl_json_ok(in))
        return NULL;
    if (text.len == 0 || memchr(text.ptr, '\0', text.len) != NULL) {
        (void)fl_json_fail(in, at, "a text that is empty or has a NUL");
        return NULL;
    }
    return fl_arena_cstr(in->arena, text);
}

/* Keys that are missing for want of memory are told later. */
static void read_keys(question *out, fl_json *in)
{
    if (!fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in)) {
        if (out->key_count == FL_MAX_SYMPTOMS) {
            (void)fl_json_fail(in, in->pos, "more than %d symptoms", FL_MAX_SYMPTOMS);
            return;
        }
        out->keys[out->key_count++] = read_text(in);
    }
}

/* Members that are not known are refused: a word that was misspelt would be an answer to another
 * question. `most` holds where the question says nothing of it. */
static fl_status read_question(question *out, fl_slice line, uint64_t most, fl_arena *arena,
                               fl_error *err)
{
    fl_json in = fl_json_over(line, arena);
    fl_slice key;
    char quoted[FL_QUOTE_TEXT];
    *out = (question){.most = most};
    if (fl_json_enter_object(&in)) {
        while (fl_json_next_member(&in, &key)) {
            if (fl_slice_equal(key, FL_SLICE("symptoms")))
                read_keys(out, &in);
            else if (fl_slice_equal(key, FL_SLICE("incident")))
                out->incident = read_text(&in);
            else if (fl_slice_equal(key, FL_SLICE("service")))
                out->service = read_text(&in);
            else if (fl_slice_equal(key, FL_SLICE("most")))
                out->most = fl_json_u64(&in);
            else
                (void)fl_json_fail(&in, in.pos, "no question has a member %s",
                                   fl_quote(quoted, key));
        }
    }
    (void)fl_json_finish(&in);
    if (!fl_json_ok(&in))
        return fl_fail(err, in.err.status, in.err.offset, "%s", in.err.message);
    if ((out->key_count > 0) + (out->incident != NULL) + (out->service != NULL) != 1)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "a question has one of symptoms, incident and service");
    return FL_OK;
}

/* ---- answering ---- */

/* Symptoms as they are named. */
static fl_status name_symptoms(fl_symptoms *out, const question *asked, int64_t now_ns,
                               fl_arena *arena, fl_error *err)
{
    fl_graph_node *nodes = fl_arena_alloc(arena, FL_MAX_SYMPTOMS, sizeof(*nodes));
    if (nodes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the symptoms");
    for (size_t i = 0; i < asked->key_count; i++) {
        if (asked->keys[i] == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the symptoms");
        nodes[i] = (fl_graph_node){.id = fl_node_id(FL_NODE_SYMPTOM, fl_slice_of(asked->keys[i])),
                                   .kind = FL_NODE_SYMPTOM,
                                   .key = asked->keys[i],
                                   .recorded_ns = now_ns};
    }
    *out = (fl_symptoms){.nodes = nodes, .count = asked->key_count};
    return FL_OK;
}

/* Ages are counted to the incident, where one is asked for, as `graph paths --incident` does. */
static fl_status find_symptoms(fl_symptoms *out, fl_memory_question *memory, const question *asked,
                               fl_stored *stored, fl_error *err)
{
    if (asked->service != NULL)
        return fl_service_symptoms(out, stored->store, asked->service, memory->now_ns,
                                   &stored->arena, err);
    if (asked->incident == NULL)
        return name_symptoms(out, asked, memory->now_ns, &stored->arena, err);
    fl_status status = fl_stored_read(stored, asked->incident, err);
    if (status != FL_OK)
        return status;
    const fl_incident *incident = stored->incident;
    memory->self = incident->id;
    memory->at_ns = incident->at_ns < memory->now_ns ? incident->at_ns : memory->now_ns;
    return fl_symptoms_of(out, incident, memory->now_ns, &stored->arena, err);
}

/* One question, whose answer is left in the buffer of the call. */
static fl_status answer(fl_graph_call *call, fl_stored *stored, fl_slice line, fl_error *err)
{
    question asked;
    fl_symptoms symptoms;
    fl_memory memory;
    const fl_path_rows *rows;
    bool is_past = fl_args_has(call->args, "as-of");
    fl_memory_question wanted = {.symptoms = &symptoms,
                                 .now_ns = is_past ? call->as_of_ns : fl_time_now(),
                                 .most_similar = MOST_SIMILAR,
                                 .time_ns = fl_args_duration(call->args, "time-limit")};
    fl_status status =
        read_question(&asked, line, fl_args_count(call->args, "most"), &stored->arena, err);
    if (status == FL_OK)
        status = fl_graph_live_refresh(NULL, stored->store, err);
    if (status == FL_OK)
        status = find_symptoms(&symptoms, &wanted, &asked, stored, err);
    wanted.most_paths = wanted.most_fixes = status == FL_OK ? (size_t)asked.most : 0;
    if (status == FL_OK)
        status = fl_memory_recall(&memory, stored->store, &wanted, &stored->arena, err);
    if (status == FL_OK)
        status = fl_path_evidence(&rows, stored->store, &wanted, &memory, &stored->arena, err);
    return status == FL_OK ? fl_report_memory_json(&call->out, &symptoms, &memory, rows, err)
                           : status;
}

/* In place: line ends of a document stand between its values only, each with the indentation that
 * follows, since those inside of texts are escaped. */
static void put_on_one_line(fl_buf *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->len; i++) {
        if (out->ptr[i] != '\n') {
            out->ptr[kept++] = out->ptr[i];
            continue;
        }
        while (i + 1 < out->len && out->ptr[i + 1] == ' ')
            i++;
    }
    assert(kept <= out->len);
    out->len = kept;
    fl_buf_char(out, '\n');
}

/* Whoever asks waits for it. */
static fl_status write_answer(fl_graph_call *call, fl_error *err)
{
    put_on_one_line(&call->out);
    fl_status status = fl_graph_flush(call, err);
    if (status == FL_OK && fflush(call->cli->out) != 0)
        status =
            fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot write the answer: %s", strerror(errno));
    return status;
}

/* What is wrong with the question is its answer. */
static fl_status answer_line(fl_graph_call *call, fl_stored *stored, const fl_buf *line,
                             fl_error *err)
{
    fl_error wrong = {0};
    fl_status status = fl_buf_check(line, "a question", &wrong);
    if (status == FL_OK)
        status = answer(call, stored, fl_buf_slice(line), &wrong);
    if (status != FL_OK) {
        fl_put put = {.status = FL_OK};
        fl_buf_clear(&call->out);
        json_t *document = json_object();
        fl_put_text(&put, document, "error", wrong.message);
        status = fl_put_document(&call->out, &put, document, err);
    }
    return status == FL_OK ? write_answer(call, err) : status;
}

/* Nothing but white space. */
static bool is_blank(const fl_buf *line)
{
    return line->status == FL_OK && (line->len == 0 || strspn(line->ptr, " \t\r") == line->len);
}

fl_status fl_graph_answer_questions(fl_graph_call *call, fl_error *err)
{
    fl_stored stored = {.arena = fl_arena_of(4 * FL_MAX_DOCUMENT_BYTES)};
    fl_buf line = fl_buf_of(MAX_LINE_BYTES);
    bool more = true;
    assert(call->stored.store != NULL);
    fl_status status = fl_graph_live_open(&stored.store, call->stored.store, err);
    while (status == FL_OK && more) {
        status = read_line(&line, &more, err);
        if (status == FL_OK && more && !is_blank(&line))
            status = answer_line(call, &stored, &line, err);
        fl_arena_reset(&stored.arena);
        stored.incident = NULL;
    }
    fl_buf_dispose(&line);
    fl_stored_dispose(&stored);
    return status;
}
