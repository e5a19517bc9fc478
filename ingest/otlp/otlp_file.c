/*
 * otlp_file.c - a file of requests, told apart by how it begins.
 *
 *   JSON lines           "{" ... "}" LF, each a request
 *   one JSON document    the same over several lines; more documents may follow
 *   one message          0A, the tag of a request's first field
 *   delimited messages   (4 bytes length, big-endian, message)*: begins with 00 to 04, since a
 *                        message is at most FL_MAX_RECORD_LINE_BYTES; no tag is as small
 *
 * One line, document or message is in memory at a time.
 *
 * The ending of a name decides only whether a file in a folder is looked at; what it holds is told
 * by its first HEAD_BYTES, behind any compression. A UTF-8 byte order mark and white space may come
 * first.
 *
 * What a file costs where it breaks:
 *   a line, document or message over the limit    that one; reading goes on behind it
 *   a delimited message that the file cuts off    the records that stand whole in it are used
 *   a stream that is corrupt or truncated         all before the damage is used; one reject
 *
 * No OTLP at all (some other JSON beside the telemetry, a list) is FL_E_UNSUPPORTED, which a caller
 * that reads a folder passes over. An empty file is none: a collector rotates to one.
 */
#include <assert.h>

#include "mem.h"
#include "otlp_priv.h"
#include "stream.h"

enum { HEAD_BYTES = 64 << 10, PREFIX_BYTES = 4, GROW_BYTES = 256 << 10 };

typedef enum fl_otlp_form {
    FORM_NOTHING,
    FORM_JSON_LINES,
    FORM_JSON_DOCUMENT,
    FORM_MESSAGE,
    FORM_DELIMITED,
    FORM_PACKED, /* messages compressed one by one, each behind its length */
    FORM_OTHER
} fl_otlp_form;

bool fl_otlp_is_candidate(const char *name)
{
    static const fl_slice packings[] = {FL_SLICE_INIT(".gz"), FL_SLICE_INIT(".zst")};
    static const fl_slice endings[] = {FL_SLICE_INIT(".json"),   FL_SLICE_INIT(".jsonl"),
                                       FL_SLICE_INIT(".ndjson"), FL_SLICE_INIT(".pb"),
                                       FL_SLICE_INIT(".binpb"),  FL_SLICE_INIT(".otlp")};
    fl_slice text = fl_slice_of(name);
    for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++)
        if (fl_slice_ends_with(text, packings[i])) {
            text.len -= packings[i].len;
            break;
        }
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (text.len > endings[i].len && fl_slice_ends_with(text, endings[i]))
            return true;
    return false;
}

/* --- how a file begins --- */

/* JSON's four, since a request is JSON or binary. */
static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The place of the first byte at or behind `at` that is none; text.len where all are. */
static size_t skip_space(fl_slice text, size_t at)
{
    while (at < text.len && is_space(text.ptr[at]))
        at++;
    return at;
}

/* Bytes of the UTF-8 byte order mark, which RFC 8259 lets a reader ignore. */
static size_t skip_mark(fl_slice text)
{
    return fl_slice_starts_with(text, FL_SLICE("\xef\xbb\xbf")) ? 3 : 0;
}

/* A protobuf message may begin 0A 7B, which is also LF and "{": JSON goes on with a key or "}". */
static bool is_object_start(fl_slice head, size_t at)
{
    size_t inside = skip_space(head, at + 1);
    if (inside >= head.len || head.ptr[inside] == '}')
        return true;
    return head.ptr[inside] == '"' && (inside + 1 >= head.len || head.ptr[inside + 1] >= ' ');
}

/* Several lines make one document when the first value's end is behind a line's end. A first line
 * that is merely damaged is followed by another "{" in the first column. */
static fl_otlp_form json_form(fl_otlp *otlp, fl_slice head, size_t at)
{
    assert(head.ptr[at] == '{');
    const unsigned char *feed = memchr(head.ptr + at, '\n', head.len - at);
    if (feed == NULL)
        return FORM_JSON_LINES;
    size_t line_end = (size_t)(feed - head.ptr);
    size_t end = fl_otlp_json_end(otlp, head, at);
    if (end > 0)
        return end <= line_end ? FORM_JSON_LINES : FORM_JSON_DOCUMENT;
    size_t next = line_end + 1;
    return next < head.len && head.ptr[next] == '{' ? FORM_JSON_LINES : FORM_JSON_DOCUMENT;
}

/* A length prefix begins with a byte that no tag of a request has, so the order of the questions
 * does not matter for valid files; for others the message is the likelier guess. */
static fl_otlp_form binary_form(fl_slice head)
{
    static const fl_slice zstd = FL_SLICE_INIT("\x28\xb5\x2f\xfd");
    if (fl_otlp_proto_is_plausible(head))
        return FORM_MESSAGE;
    if (head.len <= PREFIX_BYTES || head.ptr[0] > FL_MAX_RECORD_LINE_BYTES >> 24)
        return FORM_OTHER;
    fl_slice behind = {head.ptr + PREFIX_BYTES, head.len - PREFIX_BYTES};
    if (fl_slice_starts_with(behind, zstd))
        return FORM_PACKED;
    return fl_otlp_proto_is_plausible(behind) ? FORM_DELIMITED : FORM_OTHER;
}

/* A rotated file may begin inside a line: its next one tells. */
static bool has_object_line(fl_slice head)
{
    for (size_t at = 0; at + 1 < head.len; at++) {
        const unsigned char *feed = memchr(head.ptr + at, '\n', head.len - at - 1);
        if (feed == NULL)
            return false;
        at = (size_t)(feed - head.ptr);
        if (feed[1] == '{' && is_object_start(head, at + 1))
            return true;
    }
    return false;
}

/* What a file is, out of its first bytes alone: nothing is read twice to find out. */
static fl_otlp_form form_of(fl_otlp *otlp, fl_slice head)
{
    size_t start = skip_mark(head), at = skip_space(head, start);
    if (at == head.len) /* white space only */
        return head.len < HEAD_BYTES ? FORM_NOTHING : FORM_JSON_LINES;
    if (head.ptr[at] == '{' && (at == start || is_object_start(head, at)))
        return json_form(otlp, head, at);
    if (head.ptr[at] == '[') /* a JSON list, such as a call graph: never a request */
        return FORM_OTHER;
    fl_otlp_form form = binary_form(head);
    return form == FORM_OTHER && has_object_line(head) ? FORM_JSON_LINES : form;
}

/* --- reading --- */

/* Up to `cap` bytes, fewer only at the end or at a failure. */
static fl_status read_full(fl_stream *in, unsigned char *buf, size_t cap, size_t *len,
                           fl_error *err)
{
    fl_status status = FL_OK;
    size_t got = 1;
    *len = 0;
    while (status == FL_OK && *len < cap && got > 0) {
        status = fl_stream_read(in, buf + *len, cap - *len, &got, err);
        *len += got;
    }
    return status;
}

/* The whole rest of a stream, up to FL_MAX_RECORD_LINE_BYTES. */
typedef struct fl_otlp_whole {
    unsigned char *ptr;
    size_t len;
    bool is_more; /* than fits */
    fl_error why; /* what ended it early */
} fl_otlp_whole;

/* It grows by doubling, so that a small file costs one block and a large one few copies. */
static void read_whole(fl_otlp_whole *whole, fl_stream *in)
{
    size_t cap = 0, got = 1;
    while (got > 0 && whole->why.status == FL_OK) {
        if (whole->len > FL_MAX_RECORD_LINE_BYTES) {
            whole->is_more = true;
            return;
        }
        if (whole->len == cap) {
            cap = cap == 0 ? GROW_BYTES : 2 * cap;
            unsigned char *grown = fl_mem_realloc(whole->ptr, cap, 1);
            if (grown == NULL) {
                (void)fl_fail(&whole->why, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
                return;
            }
            whole->ptr = grown;
        }
        (void)read_full(in, whole->ptr + whole->len, cap - whole->len, &got, &whole->why);
        whole->len += got;
    }
}

/* Nothing of an earlier file may show in the rejects of this one. */
static void begin_file(fl_otlp *otlp, const char *path, fl_error *err)
{
    otlp->source = path;
    otlp->err = err;
    otlp->status = FL_OK;
    otlp->found = otlp->broken = otlp->input_torn = false;
    otlp->rejects = 0;
    otlp->document = NULL;
    otlp->line = otlp->base = 0;
}

/* Say what ended a file early. */
static fl_status reject_rest(fl_otlp *otlp, const fl_error *why, uint64_t line)
{
    assert(why->status != FL_OK);
    if (otlp->status != FL_OK)
        return otlp->status;
    if (why->status == FL_E_NOMEM)
        return fl_fail(otlp->err, FL_E_NOMEM, FL_NO_OFFSET, "%s", why->message);
    otlp->line = line;
    otlp->base = 0;
    otlp->document = NULL;
    fl_otlp_reject(otlp, why->offset, 1, "%s", why->message);
    return otlp->status;
}

/* One request. A line that is blank is none; one that is too long costs itself. */
static fl_status read_line(fl_otlp *otlp, const fl_line *line, const char *path, fl_error *err)
{
    if (line->too_long) {
        otlp->line = line->number;
        otlp->base = line->offset;
        fl_otlp_reject(otlp, 0, 1, "line is longer than 64 MiB");
        return otlp->status;
    }
    fl_slice text = line->text;
    uint64_t offset = line->offset;
    size_t skip = line->number == 1 ? skip_mark(text) : 0;
    skip = skip_space(text, skip);
    if (skip == text.len)
        return FL_OK;
    return fl_otlp_json(otlp, (fl_slice){text.ptr + skip, text.len - skip}, path, line->number,
                        offset + skip, err);
}

/* A failure of the stream comes after every line before it: it is the last reject. */
static fl_status read_lines(fl_otlp *otlp, fl_stream *in, const char *path, fl_error *err)
{
    fl_lines *lines = NULL;
    fl_line line = {0};
    fl_error why = {0};
    bool more = true;
    fl_status status = fl_lines_create(&lines, in, FL_MAX_RECORD_LINE_BYTES, err);
    uint64_t last = 0;
    while (status == FL_OK && more && why.status == FL_OK) {
        if (fl_lines_next(lines, &line, &more, &why) != FL_OK || !more)
            break;
        last = line.number;
        status = read_line(otlp, &line, path, err);
    }
    if (status == FL_OK && why.status != FL_OK)
        status = reject_rest(otlp, &why, last + 1);
    fl_lines_destroy(lines);
    return status;
}

/* Documents follow each other with white space between them, as `jq .` writes them. */
static fl_status read_documents(fl_otlp *otlp, fl_slice text, const char *path, fl_error *err)
{
    fl_status status = FL_OK;
    size_t at = skip_space(text, skip_mark(text));
    otlp->document = text.ptr;
    otlp->mark_at = 0;
    otlp->mark_line = 1;
    while (status == FL_OK && at < text.len) {
        size_t end = fl_otlp_json_end(otlp, text, at);
        if (end == 0)
            end = text.len;
        status = fl_otlp_json(otlp, (fl_slice){text.ptr + at, end - at}, path, 0, at, err);
        at = skip_space(text, end);
    }
    otlp->document = NULL;
    return status;
}

/* A document or a message that is the whole file. */
static fl_status read_one(fl_otlp *otlp, fl_stream *in, fl_otlp_form form, const char *path,
                          fl_error *err)
{
    assert(form == FORM_MESSAGE || form == FORM_JSON_DOCUMENT);
    fl_otlp_whole whole = {0};
    fl_status status = FL_OK;
    read_whole(&whole, in);
    if (whole.is_more)
        (void)fl_fail(&whole.why, FL_E_LIMIT, 0, "a %s is longer than 64 MiB",
                      form == FORM_MESSAGE ? "message" : "document over several lines");
    otlp->input_torn = whole.why.status != FL_OK;
    fl_slice bytes = {whole.ptr, whole.len};
    if (whole.is_more || whole.why.status == FL_E_NOMEM)
        bytes.len = 0;
    if (bytes.len > 0 && form == FORM_MESSAGE)
        status = fl_otlp_proto(otlp, bytes, FL_OTLP_UNKNOWN, path, 0, err);
    else if (bytes.len > 0)
        status = read_documents(otlp, bytes, path, err);
    if (status == FL_OK && whole.why.status != FL_OK)
        status = reject_rest(otlp, &whole.why, 0);
    fl_mem_free(whole.ptr);
    return status;
}

/* Step over `len` bytes. */
static fl_status pass_over(fl_stream *in, unsigned char *buf, size_t cap, uint64_t len,
                           fl_error *err)
{
    fl_status status = FL_OK;
    size_t got = 1;
    for (; len > 0 && got > 0 && status == FL_OK; len -= got)
        status = fl_stream_read(in, buf, len < cap ? (size_t)len : cap, &got, err);
    return status;
}

/* The messages of a delimited file, one at a time in one buffer. */
typedef struct fl_otlp_messages {
    fl_stream *in;
    unsigned char *buf;
    size_t cap;
    uint64_t offset; /* of the next byte of the stream */
    fl_error why;    /* what ended the stream early */
    bool ended;
} fl_otlp_messages;

/* Room in the buffer, which keeps its size: the next message is often as large. */
static bool reserve(fl_otlp_messages *messages, size_t len)
{
    assert(messages->cap > 0);
    if (len <= messages->cap)
        return true;
    size_t cap = messages->cap;
    while (cap < len)
        cap *= 2;
    unsigned char *grown = fl_mem_realloc(messages->buf, cap, 1);
    if (grown == NULL)
        return false;
    messages->buf = grown;
    messages->cap = cap;
    return true;
}

/* `len` bytes to the buffer, fewer at the end. */
static size_t read_part(fl_otlp_messages *messages, size_t len)
{
    size_t got = 0;
    assert(len <= messages->cap);
    (void)read_full(messages->in, messages->buf, len, &got, &messages->why);
    messages->offset += got;
    messages->ended = got < len;
    return got;
}

/* Unless the stream itself has said why. */
static void fail_inside(fl_otlp_messages *messages, const char *what)
{
    (void)fl_fail(&messages->why, FL_E_TRUNCATED, messages->offset, "the file ends inside %s",
                  what);
}

/* `len` is what the prefix says, and only believed up to the limit. */
static fl_status read_message(fl_otlp *otlp, fl_otlp_messages *messages, size_t len,
                              const char *path, fl_error *err)
{
    uint64_t start = messages->offset;
    if (len > FL_MAX_RECORD_LINE_BYTES) {
        otlp->base = start;
        fl_otlp_reject(otlp, 0, 1, "message is longer than 64 MiB");
        messages->offset += len;
        (void)pass_over(messages->in, messages->buf, messages->cap, len, &messages->why);
        return otlp->status;
    }
    if (!reserve(messages, len))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    size_t got = read_part(messages, len);
    otlp->input_torn = got < len;
    if (got < len)
        fail_inside(messages, "a message");
    if (got == 0)
        return FL_OK;
    return fl_otlp_proto(otlp, (fl_slice){messages->buf, got}, FL_OTLP_UNKNOWN, path, start, err);
}

/* Prefix and message in turn. The end of the file is right only before a prefix. */
static fl_status read_delimited(fl_otlp *otlp, fl_stream *in, const char *path, fl_error *err)
{
    fl_otlp_messages messages = {.in = in, .buf = fl_mem_alloc(GROW_BYTES), .cap = GROW_BYTES};
    if (messages.buf == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    fl_status status = FL_OK;
    while (status == FL_OK && !messages.ended && messages.why.status == FL_OK) {
        size_t got = read_part(&messages, PREFIX_BYTES);
        if (got > 0 && got < PREFIX_BYTES)
            fail_inside(&messages, "the length of a message");
        if (got < PREFIX_BYTES)
            break;
        size_t len = 0;
        for (size_t i = 0; i < PREFIX_BYTES; i++)
            len = len << 8 | messages.buf[i];
        status = read_message(otlp, &messages, len, path, err);
    }
    if (status == FL_OK && messages.why.status != FL_OK)
        status = reject_rest(otlp, &messages.why, 0);
    fl_mem_free(messages.buf);
    return status;
}

/* The form of the file, told by its first bytes; a failure here shows again when it is read. */
static fl_status sniff_file(fl_otlp_form *form, fl_otlp *otlp, const char *path, fl_error *err)
{
    fl_stream *in = NULL;
    size_t len = 0;
    fl_error why = {0};
    fl_status status = fl_stream_open(&in, path, err);
    if (status != FL_OK)
        return status;
    unsigned char *head = fl_mem_alloc(HEAD_BYTES);
    if (head == NULL) {
        fl_stream_close(in);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    }
    (void)read_full(in, head, HEAD_BYTES, &len, &why);
    *form = form_of(otlp, (fl_slice){head, len});
    if (len == 0 && why.status != FL_OK)
        *form = FORM_JSON_LINES; /* any: reading it says what is wrong */
    fl_mem_free(head);
    fl_stream_close(in);
    return FL_OK;
}

/* The file is opened anew: a stream cannot be wound back. */
static fl_status read_form(fl_otlp *otlp, fl_otlp_form form, const char *path, fl_error *err)
{
    fl_stream *in = NULL;
    fl_status status = fl_stream_open(&in, path, err);
    if (status != FL_OK)
        return status;
    if (form == FORM_JSON_LINES)
        status = read_lines(otlp, in, path, err);
    else if (form == FORM_DELIMITED)
        status = read_delimited(otlp, in, path, err);
    else
        status = read_one(otlp, in, form, path, err);
    fl_stream_close(in);
    otlp->input_torn = false;
    return status;
}

fl_status fl_otlp_file(fl_otlp *otlp, const char *path, fl_error *err)
{
    assert(path != NULL && !otlp->discard);
    fl_otlp_form form = FORM_OTHER;
    begin_file(otlp, path, err);
    fl_status status = sniff_file(&form, otlp, path, err);
    if (status != FL_OK || form == FORM_NOTHING)
        return status;
    if (form == FORM_PACKED)
        return fl_fail(
            err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
            "%s holds messages that are compressed one by one; compress the whole file instead",
            path);
    if (form != FORM_OTHER)
        status = read_form(otlp, form, path, err);
    if (status == FL_OK && !otlp->found && otlp->rejects == 0)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s holds no OTLP", path);
    return status;
}
