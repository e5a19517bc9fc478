/* fuzz_miner.c - each line of the input is a log line, its first byte modulo 25 the severity, what
 * is left of it modulo 3 the scope. The form keeps its promises, and the templates depend neither
 * on the order of the lines nor on the numbers of the scopes. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "logmask.h"
#include "mem.h"
#include "miner.h"
#include "utf8.h"

enum { MAX_LINES = 256 };

struct line {
    fl_slice text;
    int severity;
    uint32_t scope, form;
};

static size_t split(struct line *lines, const uint8_t *data, size_t size)
{
    size_t count = 0;
    const uint8_t *end = data + size;
    while (data < end && count < MAX_LINES) {
        const uint8_t *stop = memchr(data, '\n', (size_t)(end - data));
        if (stop == NULL)
            stop = end;
        if (stop > data)
            lines[count++] =
                (struct line){{data + 1, (size_t)(stop - data - 1)}, *data % 25, *data / 25 % 3, 0};
        data = stop < end ? stop + 1 : end;
    }
    return count;
}

static void check_text(fl_slice text)
{
    assert(fl_utf8_valid_prefix(text) == text.len);
    for (size_t i = 0; i < text.len; i++)
        assert(text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f);
    for (size_t i = 0; i + 1 < text.len; i++)
        assert(text.ptr[i] != 0xc2 || text.ptr[i + 1] >= 0xa0);
}

static void check_form(const struct line *line)
{
    static fl_log_form form;
    fl_log_form_of(&form, line->text, line->severity);
    assert(form.len <= FL_MAX_LOG_TEXT_BYTES);
    assert(form.location_at + form.location_len <= form.len);
    check_text(fl_log_form_text(&form));
}

static fl_miner *mine(struct line *lines, size_t count, int is_reversed)
{
    fl_miner *miner;
    fl_status status = fl_miner_create(&miner, MAX_LINES, 1u << 20, NULL);
    assert(status == FL_OK);
    for (size_t i = 0; i < count; i++) {
        struct line *line = &lines[is_reversed ? count - 1 - i : i];
        uint32_t scope = is_reversed ? 1000 - 7 * line->scope : line->scope;
        status = fl_miner_add(&line->form, miner, scope, line->text, line->severity, NULL);
        assert(status == FL_OK);
    }
    assert(!fl_miner_is_full(miner));
    status = fl_miner_finish(miner, NULL);
    assert(status == FL_OK);
    return miner;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct line lines[MAX_LINES];
    static uint64_t ids[MAX_LINES];
    size_t count = split(lines, data, size);
    for (size_t i = 0; i < count; i++)
        check_form(&lines[i]);

    fl_miner *first = mine(lines, count, 0);
    for (size_t i = 0; i < count; i++)
        ids[i] = fl_miner_template(first, fl_miner_template_of(first, lines[i].form))->id;
    fl_miner *second = mine(lines, count, 1);
    size_t templates = fl_miner_template_count(first);
    assert(templates == fl_miner_template_count(second) && templates <= count);
    for (size_t i = 0; i < templates; i++) {
        const fl_log_template *a = fl_miner_template(first, i), *b = fl_miner_template(second, i);
        assert(a->id == b->id && a->severity == b->severity && strcmp(a->text, b->text) == 0);
        check_text((fl_slice){(const unsigned char *)a->text, strlen(a->text)});
    }
    for (size_t i = 0; i < count; i++)
        assert(ids[i] ==
               fl_miner_template(second, fl_miner_template_of(second, lines[i].form))->id);
    fl_miner_destroy(first);
    fl_miner_destroy(second);
    return 0;
}
