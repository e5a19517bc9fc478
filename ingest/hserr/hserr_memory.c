/*
 * hserr_memory.c - what a crash report says of memory and of threads.
 *
 *   Total: reserved=1493658KB, committed=125758KB               Native Memory Tracking: all of it
 *   -    Java Heap (reserved=65536KB, committed=65536KB)         ... one category; what is indented
 *                                                                below is its parts
 *   Native memory allocation (mmap) failed to map 4096 bytes for committing reserved memory.
 *   Native memory allocation (mmap) failed to map 4096 bytes. Error detail: committing ...   17 on
 *   Native memory allocation (malloc) failed to allocate 4096 bytes for Chunk::new
 *   memory_limit_in_bytes: 524288 k                              the container's (cgroup v1 and v2)
 *   =>0x00007f133002cb80 JavaThread "main" [_thread_in_vm, id=23544, stack(...)]
 *   si_signo: 11 (SIGSEGV), si_code: 0 (SI_USER), si_pid: 17591, si_uid: 0
 */
#include <assert.h>
#include <string.h>

#include "hserr_priv.h"
#include "number.h"

enum { MAX_TEXT = 1024 };

static const char *keep(fl_hserr_memory *in, fl_slice text)
{
    fl_slice trimmed = fl_slice_trim(text);
    trimmed.len = trimmed.len < MAX_TEXT ? trimmed.len : MAX_TEXT;
    const char *kept = fl_arena_cstr(in->arena, trimmed);
    *in->failed |= kept == NULL;
    return kept;
}

/* The text behind a word, up to the end of the line; false: the word is not there. */
static bool behind(fl_slice text, fl_slice word, fl_slice *out)
{
    size_t at = fl_slice_find(text, word);
    if (at == text.len)
        return false;
    *out = fl_slice_part(text, at + word.len, text.len);
    return true;
}

/* Decimal digits in front; false where there are none, or more than a number holds. */
static bool take_digits(fl_slice *in, uint64_t *out)
{
    size_t digits = 0;
    while (digits < in->len && in->ptr[digits] >= '0' && in->ptr[digits] <= '9')
        digits++;
    if (digits == 0 || !fl_parse_u64(fl_slice_part(*in, 0, digits), out))
        return false;
    *in = fl_slice_part(*in, digits, in->len);
    return true;
}

/* "reserved=65536KB": the unit is what the program asked jcmd or the report for; bytes have none.
 */
static bool take_size(fl_slice text, fl_slice word, uint64_t *out)
{
    static const struct {
        fl_slice unit;
        unsigned shift;
    } units[] = {{FL_SLICE_INIT("KB"), 10}, {FL_SLICE_INIT("MB"), 20}, {FL_SLICE_INIT("GB"), 30}};
    fl_slice rest;
    if (!behind(text, word, &rest) || !take_digits(&rest, out))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (fl_slice_starts_with(rest, units[i].unit)) {
            if (*out >> (64 - units[i].shift) != 0)
                return false;
            *out <<= units[i].shift;
        }
    return true;
}

/* ---- what could not be had ---- */

void fl_hserr_take_failure(fl_hserr_memory *in, fl_slice text)
{
    fl_crash *out = in->out;
    fl_slice rest, why;
    if (!behind(text, FL_SLICE("("), &rest) || out->memory_call != NULL)
        return;
    size_t close = fl_slice_find(rest, FL_SLICE(")"));
    if (close == rest.len)
        return;
    out->memory_call = keep(in, fl_slice_part(rest, 0, close));
    if (behind(rest, FL_SLICE(" failed to map "), &why) ||
        behind(rest, FL_SLICE(" failed to allocate "), &why))
        (void)take_digits(&why, &out->memory_bytes);
    if (behind(rest, FL_SLICE(" bytes for "), &why) ||
        behind(rest, FL_SLICE("Error detail: "), &why))
        out->memory_for = keep(
            in, fl_slice_ends_with(why, FL_SLICE(".")) ? fl_slice_part(why, 0, why.len - 1) : why);
}

/* ---- native memory ---- */

/* "-    Java Heap (reserved=..., committed=...)", whose name may have blanks, and dashes. */
static bool take_category(fl_hserr_memory *in, fl_slice text)
{
    fl_crash *out = in->out;
    fl_crash_category category = {0};
    size_t open = fl_slice_find(text, FL_SLICE("(reserved="));
    if (text.len == 0 || text.ptr[0] != '-' || open == text.len ||
        !take_size(text, FL_SLICE("(reserved="), &category.reserved_bytes) ||
        !take_size(text, FL_SLICE(" committed="), &category.committed_bytes))
        return false;
    if (out->category_count == FL_CRASH_MAX_CATEGORIES)
        out->left_out++;
    else {
        category.name = keep(in, fl_slice_part(text, 1, open));
        in->categories[out->category_count++] = category;
    }
    assert(out->category_count <= FL_CRASH_MAX_CATEGORIES);
    return true;
}

/* Both of its sizes or, where one cannot be read, none. */
static bool take_total(fl_crash *out, fl_slice text)
{
    uint64_t reserved, committed;
    if (!take_size(text, FL_SLICE("reserved="), &reserved) ||
        !take_size(text, FL_SLICE(" committed="), &committed))
        return false;
    out->reserved_bytes = reserved;
    out->committed_bytes = committed;
    return true;
}

/* The last category may be followed by anything: the section ends with its part of the report. */
bool fl_hserr_take_tracking(fl_hserr_memory *in, fl_slice text)
{
    fl_crash *out = in->out;
    if (fl_slice_starts_with(text, FL_SLICE("Native Memory Tracking:"))) {
        in->is_tracking = out->category_count == 0;
        return true;
    }
    if (!in->is_tracking)
        return false;
    if (fl_slice_starts_with(text, FL_SLICE("------"))) {
        in->is_tracking = false;
        return false;
    }
    if (fl_slice_starts_with(text, FL_SLICE("Total: reserved=")) && out->reserved_bytes == 0)
        return take_total(out, text);
    return take_category(in, text);
}

void fl_hserr_check_tracking(fl_hserr_memory *in)
{
    fl_crash *out = in->out;
    bool is_sound = out->reserved_bytes >= out->committed_bytes;
    for (size_t i = 0; i < out->category_count; i++)
        is_sound &= in->categories[i].reserved_bytes <= out->reserved_bytes &&
                    in->categories[i].committed_bytes <= out->committed_bytes;
    if (!is_sound)
        out->reserved_bytes = out->committed_bytes = 0;
}

bool fl_hserr_take_limit(fl_hserr_memory *in, fl_slice text)
{
    static const fl_slice words[] = {FL_SLICE_INIT("Memory: "),
                                     FL_SLICE_INIT("memory_limit_in_bytes: "),
                                     FL_SLICE_INIT("memory_usage_in_bytes: "),
                                     FL_SLICE_INIT("memory_max_usage_in_bytes: "),
                                     FL_SLICE_INIT("maximum number of tasks: "),
                                     FL_SLICE_INIT("current number of tasks: "),
                                     FL_SLICE_INIT("rlimit")};
    fl_crash *out = in->out;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (fl_slice_starts_with(text, words[i])) {
            bool says_nothing = fl_slice_ends_with(text, FL_SLICE("not supported")) ||
                                (i == 0 && fl_slice_find(text, FL_SLICE("physical")) == text.len);
            if (!says_nothing && out->limit_count < FL_CRASH_MAX_LIMITS)
                out->limits[out->limit_count++] = keep(in, text);
            return true;
        }
    return false;
}

/* ---- threads ---- */

/* "[_thread_in_vm," to "in_vm"; empty where there is none. */
static fl_slice state_of(fl_slice text)
{
    fl_slice rest;
    size_t len = 0;
    if (!behind(text, FL_SLICE("[_thread_"), &rest))
        return (fl_slice){0};
    while (len < rest.len && len < 32 && rest.ptr[len] != ',' && rest.ptr[len] != ']')
        len++;
    return fl_slice_part(rest, 0, len);
}

/* Few states: a search from the front. What is beyond the limit is counted among the threads only.
 */
static void count_state(fl_hserr_memory *in, fl_slice state)
{
    fl_crash *out = in->out;
    for (size_t i = 0; i < out->thread_state_count; i++)
        if (fl_slice_equal(fl_slice_of(out->thread_states[i].name), state)) {
            out->thread_states[i].count++;
            return;
        }
    if (state.len == 0 || out->thread_state_count == FL_CRASH_MAX_STATES)
        return;
    const char *name = keep(in, state);
    if (name != NULL)
        out->thread_states[out->thread_state_count++] = (fl_crash_state){name, 1};
}

void fl_hserr_take_thread(fl_hserr_memory *in, fl_slice text, bool is_java)
{
    fl_slice rest = text;
    uint64_t address;
    (void)fl_hserr_take(&rest, FL_SLICE("=>"));
    if (is_java && fl_slice_find(text, FL_SLICE("Thread \"")) < text.len) {
        in->out->java_threads++;
        count_state(in, state_of(text));
    } else if (!is_java && fl_hserr_take_hex(&rest, &address))
        in->out->other_threads++;
}

/* A name may have quotes in it: the last one in front of the state ends it. */
void fl_hserr_take_current(fl_hserr_memory *in, fl_slice text)
{
    fl_crash *out = in->out;
    fl_slice rest, state = state_of(text);
    if (out->thread_name != NULL || !behind(text, FL_SLICE("\""), &rest))
        return;
    size_t end = 0, stop = fl_slice_find(rest, FL_SLICE(" ["));
    for (size_t i = 0; i < stop; i++)
        end = rest.ptr[i] == '"' ? i : end;
    if (end > 0)
        out->thread_name = keep(in, fl_slice_part(rest, 0, end));
    if (state.len > 0)
        out->thread_state = keep(in, state);
}

/* Only the codes of kill(), sigqueue() and tgkill() have a sender. One that the program's own
 * container has not (a host's `kill`) is told as process 0. */
void fl_hserr_take_sender(fl_crash *out, fl_slice text)
{
    static const fl_slice codes[] = {FL_SLICE_INIT("(SI_USER)"), FL_SLICE_INIT("(SI_QUEUE)"),
                                     FL_SLICE_INIT("(SI_TKILL)")};
    fl_slice rest;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (fl_slice_find(text, codes[i]) < text.len) {
            out->is_sent = true;
            if (behind(text, FL_SLICE("si_pid: "), &rest) && !take_digits(&rest, &out->sender_pid))
                out->sender_pid = 0;
        }
}
