/*
 * pprof_plain.c - samples as Go writes them, which are nearly all of a profile's bytes.
 *
 *   sample := 12 length  0A length id*   12 length value*   (1A length label)*
 *
 * Ids and values are packed, labels were read before with an earlier sample. Such a sample is read
 * straight through into the profile's tables, or passed over when it has no value that counts; in
 * both cases every number of it was looked at. A sample that differs in anything (other order,
 * numbers one by one, an id that is not there, a value too large or too few of them, new labels)
 * changes nothing here and takes the long way (pprof_sample.c), which says what is wrong.
 *
 * Of a heap's samples nine in ten have no value that counts. Those are checked 16 bytes at a time
 * where the machine can: a number ends at a byte below 0x80, so that masks of the other bytes tell
 * how many numbers there are and how long each is (as in Lemire, Kurz, Rupp, "Stream VByte", 2018).
 */
#include <assert.h>
#include <limits.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "pprof_proto_priv.h"

enum {
    TAG_IDS = 1 << 3 | FL_PROTO_BYTES,
    TAG_VALUES = 2 << 3 | FL_PROTO_BYTES,
    TAG_LABEL = 3 << 3 | FL_PROTO_BYTES,
    SPARE = 64, /* frames of a stack beyond one for each byte: inlined calls */
    WIDTH = 16  /* bytes that are checked at a time */
};

/* Its parts; labels may have no bytes. */
typedef struct plain_sample {
    fl_slice ids, values, labels;
} plain_sample;

/* The packed field that begins with `tag` at `at`; NULL where there is another. */
static inline const unsigned char *packed_at(fl_slice *out, const unsigned char *at,
                                             const unsigned char *end, unsigned tag)
{
    uint64_t len;
    if (end - at < 2 || *at != tag)
        return NULL;
    at = fl_pprof_short_varint(at + 1, end, &len);
    if (at == NULL || len > (uint64_t)(end - at))
        return NULL;
    *out = (fl_slice){.ptr = at, .len = (size_t)len};
    return at + len;
}

/* False: it is not plain. */
static inline bool split(plain_sample *out, fl_slice body)
{
    const unsigned char *at = body.ptr, *end = at + body.len;
    at = packed_at(&out->ids, at, end, TAG_IDS);
    if (at == NULL)
        return false;
    at = packed_at(&out->values, at, end, TAG_VALUES);
    if (at == NULL || (at < end && *at != TAG_LABEL))
        return false;
    out->labels = (fl_slice){.ptr = at, .len = (size_t)(end - at)};
    return out->ids.len > 0 && out->values.len > 0;
}

/* --- number by number --- */

/* The varint at `p` < `end`, of 8 bytes at most without a loop or a guess: of a word the bytes up
 * to the one that ends it, their groups of 7 bits moved together in three steps. */
static inline const unsigned char *word_varint(const unsigned char *p, const unsigned char *end,
                                               uint64_t *value)
{
    uint64_t word, ends;
    if (end - p < (ptrdiff_t)sizeof(word))
        return fl_pprof_short_varint(p, end, value);
    (void)fl_proto_fixed(p, end, sizeof(word), &word);
    ends = ~word & UINT64_C(0x8080808080808080);
    if (ends == 0)
        return fl_proto_long_varint(p, end, value);
    word &= ends ^ (ends - 1);
    word = (word & UINT64_C(0x007f007f007f007f)) | (word & UINT64_C(0x7f007f007f007f00)) >> 1;
    word = (word & UINT64_C(0x00003fff00003fff)) | (word & UINT64_C(0x3fff00003fff0000)) >> 2;
    *value = (word & UINT64_C(0x0fffffff)) | (word & UINT64_C(0x0fffffff00000000)) >> 4;
    return p + ((unsigned)__builtin_ctzll(ends) >> 3) + 1;
}

/* One value for each type, each positive and none to be clamped. `input_end` is behind the sample:
 * a value is checked against the end of its field. */
static bool read_values(int64_t *out, fl_slice body, size_t type_count,
                        const unsigned char *input_end)
{
    const unsigned char *at = body.ptr, *end = at + body.len;
    for (size_t i = 0; i < type_count; i++) {
        uint64_t value;
        if (at >= end)
            return false;
        at = word_varint(at, input_end, &value);
        if (at == NULL || value > (uint64_t)FL_PROFILE_VALUE_MAX)
            return false;
        out[i] = (int64_t)value;
    }
    return at == end;
}

/* Whether all ids are there. */
static bool are_known(fl_slice body, uint64_t known_end)
{
    const unsigned char *at = body.ptr, *end = at + body.len;
    while (at < end) {
        uint64_t id;
        at = fl_pprof_short_varint(at, end, &id);
        if (at == NULL || id == 0 || id >= known_end)
            return false;
    }
    return true;
}

/* The frames of all ids; false where an id is not there, or `room` is too small. */
static bool read_frames(uint32_t *room, size_t room_count, size_t *used, fl_slice body,
                        const fl_pprof_proto *p)
{
    const unsigned char *at = body.ptr, *end = at + body.len;
    const fl_pprof_span *by_id = p->by_id;
    const uint64_t known_end = p->known.end;
    size_t count = 0;
    while (at < end) {
        uint64_t id;
        at = fl_pprof_short_varint(at, end, &id);
        if (at == NULL || id == 0 || id >= known_end)
            return false;
        fl_pprof_span frames = by_id[id];
        if (frames.count > room_count - count)
            return false;
        room[count++] = frames.first;
        for (uint32_t i = 1; i < frames.count; i++)
            room[count++] = frames.first + i;
    }
    *used = count;
    return true;
}

/* Any plain sample: false, and nothing has changed, where it is none. */
static bool take_one(fl_pprof_proto *p, const plain_sample *sample, const unsigned char *end)
{
    fl_profile *profile = p->r->profile;
    int64_t values[FL_MAX_PROFILE_TYPES];
    const fl_profile_sample *labels = NULL;
    assert(profile->type_count <= FL_MAX_PROFILE_TYPES);
    if (!read_values(values, sample->values, profile->type_count, end))
        return false;
    const fl_pprof_memo *memo = NULL;
    if (sample->labels.len > 0 && (memo = fl_pprof_recall(p, sample->labels)) == NULL)
        return false;
    if (p->skip_type != FL_PROFILE_NONE && values[p->skip_type] == 0)
        return are_known(sample->ids, p->known.end);
    if (memo != NULL) {
        if (memo->sample == FL_PROFILE_NONE)
            return false;
        labels = &profile->samples[memo->sample];
    }
    size_t used, room_count = sample->ids.len + SPARE;
    uint32_t *room = fl_profile_stack_room(profile, room_count, NULL);
    return room != NULL && read_frames(room, room_count, &used, sample->ids, p) &&
           fl_profile_add_sample(profile, used, values, labels);
}

/* --- many bytes at a time: samples that are left out --- */

void fl_pprof_know(fl_pprof_known *known, uint64_t end)
{
    uint64_t last = end - 1;
    assert(end > 0);
    *known = (fl_pprof_known){.end = end};
    while (last >> 7 * known->digits > 0)
        known->digits++;
    for (unsigned i = 0; i < known->digits && i < FL_PPROF_DIGITS; i++)
        known->digit[i] = (unsigned char)(last >> 7 * (known->digits - 1 - i) & 0x7f);
}

#ifdef __SSE2__

static inline __m128i load(const unsigned char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Bit j: byte j has the bit 0x80. Of a number that means that it goes on. */
static inline unsigned mask_of(__m128i bytes)
{
    return (unsigned)_mm_movemask_epi8(bytes);
}

/* The bits of the first `count` bytes. */
static inline unsigned first(size_t count)
{
    return count < WIDTH ? (1u << count) - 1 : (1u << WIDTH) - 1;
}

/* The last id that is known, digit by digit in every byte, and what counts of two more digits. */
typedef struct bounds {
    __m128i digit[FL_PPROF_DIGITS], use1, use2;
    unsigned if_one, if_two; /* all bits where the last id has one digit, or two at most */
} bounds;

static bounds bounds_of(const fl_pprof_known *known)
{
    const __m128i low = _mm_set1_epi8(0x7f), none = _mm_setzero_si128();
    bounds out = {.use1 = known->digits > 1 ? low : none,
                  .use2 = known->digits > 2 ? low : none,
                  .if_one = known->digits > 1 ? 0 : UINT_MAX,
                  .if_two = known->digits > 2 ? 0 : UINT_MAX};
    for (size_t i = 0; i < FL_PPROF_DIGITS; i++)
        out.digit[i] = _mm_set1_epi8((char)known->digit[i]);
    return out;
}

/* The ids that end in the WIDTH bytes from `at` on, of which `left` are ids: none is 0 or above the
 * last that is known. Of a number that ends at byte j the digits to the base 128 are bytes j, j - 1
 * and j - 2, highest first: what has fewer digits than the last id is below it, what has as many is
 * compared digit by digit, what has more is for the long way. The bytes before the first id are a
 * length and a tag, at which no number goes on. */
static inline bool ids_are_known(const unsigned char *at, size_t left, const bounds *last)
{
    const unsigned valid = first(left);
    __m128i byte0 = load(at), byte1 = load(at - 1), byte2 = load(at - 2);
    unsigned ends = ~mask_of(byte0) & valid, on1 = mask_of(byte1), on2 = on1 & mask_of(byte2);
    unsigned on3 = on2 & mask_of(load(at - 3));
    unsigned as_long = (on1 | last->if_one) & (on2 | last->if_two);
    unsigned longer = on1 & (on2 | last->if_one) & (on3 | last->if_two);
    __m128i digit1 = _mm_and_si128(byte1, last->use1), digit2 = _mm_and_si128(byte2, last->use2);
    __m128i above2 = _mm_cmpgt_epi8(digit2, last->digit[2]);
    __m128i above1 = _mm_or_si128(_mm_cmpgt_epi8(digit1, last->digit[1]),
                                  _mm_and_si128(_mm_cmpeq_epi8(digit1, last->digit[1]), above2));
    __m128i above0 = _mm_or_si128(_mm_cmpgt_epi8(byte0, last->digit[0]),
                                  _mm_and_si128(_mm_cmpeq_epi8(byte0, last->digit[0]), above1));
    unsigned above = mask_of(above0) & as_long;
    unsigned zeros = mask_of(_mm_cmpeq_epi8(byte0, _mm_setzero_si128()));
    return (((above | zeros) & ends) | (longer & valid)) == 0;
}

/* One value for each type, 0 of type `skip`, none as long as those that are clamped. */
static inline bool is_zero_of(fl_slice body, size_t skip, size_t type_count)
{
    if (body.len > WIDTH)
        return false;
    unsigned valid = (1u << body.len) - 1, on = mask_of(load(body.ptr)) & valid, ends = ~on & valid;
    unsigned run = on & on >> 1;
    run &= run >> 2;
    run &= run >> 4;
    if (run != 0 || on >> (body.len - 1) != 0)
        return false;
    for (size_t i = 0; i < skip; i++)
        ends &= ends - 1;
    if (ends == 0)
        return false;
    unsigned here = ends & (0 - ends), at = (unsigned)__builtin_ctz(ends);
    for (size_t i = skip; i < type_count; i++) {
        if (ends == 0)
            return false;
        ends &= ends - 1;
    }
    return ends == 0 && body.ptr[at] == 0 && (here >> 1 & on) == 0;
}

/* Whether the labels are those that are remembered at their place. */
static inline bool are_seen(fl_pprof_proto *p, fl_slice labels)
{
    if (labels.len == 0)
        return true;
    if (labels.len < MEMO_MIN || labels.len > WIDTH)
        return false;
    const fl_pprof_memo *memos = fl_pprof_memos_of(p, labels);
    __m128i mine = load(labels.ptr);
    for (size_t i = 0; i < MEMO_WAYS; i++) {
        if (memos[i].tail.len != labels.len)
            continue;
        unsigned differ = ~mask_of(_mm_cmpeq_epi8(mine, load(memos[i].tail.ptr)));
        if ((differ & first(labels.len)) == 0)
            return true;
    }
    return false;
}

/* True only for a plain sample without a value that counts. `end` is that of the input: up to WIDTH
 * bytes behind each part are read, and not looked at. What is remembered stands before this. */
static inline bool is_left_out(fl_pprof_proto *p, const plain_sample *sample, const bounds *last,
                               const unsigned char *end)
{
    fl_slice ids = sample->ids;
    if (p->skip_type == FL_PROFILE_NONE || p->known.digits > FL_PPROF_DIGITS ||
        end - (sample->labels.ptr + sample->labels.len) < WIDTH)
        return false;
    if (!is_zero_of(sample->values, p->skip_type, p->r->profile->type_count) ||
        !are_seen(p, sample->labels) || ids.ptr[ids.len - 1] >= 0x80)
        return false;
    for (size_t at = 0; at < ids.len; at += WIDTH)
        if (!ids_are_known(ids.ptr + at, ids.len - at, last))
            return false;
    return true;
}

#else

typedef struct bounds {
    uint64_t end;
} bounds;

static bounds bounds_of(const fl_pprof_known *known)
{
    return (bounds){known->end};
}

/* Without wide registers each takes the general way. */
static inline bool is_left_out(fl_pprof_proto *p, const plain_sample *sample, const bounds *last,
                               const unsigned char *end)
{
    (void)p;
    (void)sample;
    (void)last;
    (void)end;
    return false;
}

#endif

/* --- a run of samples --- */

void fl_pprof_take_run(fl_pprof_proto *p, fl_proto *in)
{
    const unsigned char *begin = in->bytes.ptr, *end = begin + in->bytes.len;
    const unsigned char *at = begin + in->pos;
    fl_slice body;
    plain_sample sample;
    const bounds last = bounds_of(&p->known);
    while (p->sample_number < p->sample_count) {
        const unsigned char *next = packed_at(&body, at, end, F_SAMPLE << 3 | FL_PROTO_BYTES);
        if (next == NULL || !split(&sample, body))
            break;
        if (!is_left_out(p, &sample, &last, end) && !take_one(p, &sample, end))
            break;
        p->sample_number++;
        at = next;
    }
    in->pos = (size_t)(at - begin);
}

size_t fl_pprof_count_run(fl_proto *in)
{
    const unsigned char *begin = in->bytes.ptr, *end = begin + in->bytes.len;
    const unsigned char *at = begin + in->pos, *next;
    fl_slice body;
    size_t count = 0;
    while ((next = packed_at(&body, at, end, F_SAMPLE << 3 | FL_PROTO_BYTES)) != NULL) {
        at = next;
        count++;
    }
    in->pos = (size_t)(at - begin);
    return count;
}
