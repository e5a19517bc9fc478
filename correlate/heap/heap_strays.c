/*
 * heap_strays.c - hashes of fields, then the way in which a class makes its own of them.
 *
 * hashCode() of programs. Fields, in the order in which the class has them or in reverse, are
 * folded: hash = hash * factor + (hash of the field), or by exclusive or. Beginnings and factors
 * are those of Objects.hash() and lists (1, 31), of records and of what editors write (0, 31), of
 * "Effective Java" (17, 31), of Lombok (1, 59) and of Apache's HashCodeBuilder (17, 37). Which of
 * the fields take part is tried out: all subsets of at most MAX_FIELDS.
 *
 * A hash has 32 bits. Of some 1,500 ways by 4,096 entries, one that fits by chance is met once in
 * 700 maps, and eight that fit with hashes of their own (PROOF) never.
 *
 * Entries that any of the ways fits are no strays: a method that hashes some keys in one way and
 * some in another is not taken for keys that changed.
 */
#include "heap_strays.h"

#include <assert.h>
#include <string.h>

#include "mem.h"
#include "slice.h"

enum { MAX_FIELDS = 6, MAX_LOOKED = 4096, MAX_SUPER_CLASSES = 256, PROOF = 8, MAX_VALUES = 16 };
/* A longer text in a key is not looked at; to read an entry costs as much as so many hashes. */
enum { MAX_TEXT_BYTES = 1 << 16, READ_COST = 64 };

/* HotSpot's String.hashCode(), Arrays.hashCode() and most of what is written after them. */
enum { FACTOR = 31 };

/* --- what the class library says of its own --- */

/* Long.hashCode(), and of doubles by their bits. */
static uint32_t fold(uint64_t bits)
{
    return (uint32_t)(bits ^ bits >> 32);
}

/* Of a primitive as its box would have it. */
static uint32_t hash_of_bits(fl_heap_type type, uint64_t bits)
{
    if (type == FL_HEAP_LONG || type == FL_HEAP_DOUBLE)
        return fold(bits);
    if (type == FL_HEAP_BOOLEAN)
        return bits != 0 ? 1231 : 1237;
    return (uint32_t)bits;
}

/* Over the units of UTF-16, whatever they are kept as. What is read is taken from *budget: a dump
 * may have one long text in all of its keys. */
static bool hash_of_text(uint32_t *out, const fl_heap *heap, fl_heap_object string,
                         uint64_t *budget)
{
    fl_heap_item item;
    fl_heap_type type;
    uint64_t bits, coder = 0;
    if (fl_heap_field(heap, string, FL_SLICE("hash"), &type, &bits) && (uint32_t)bits != 0) {
        *out = (uint32_t)bits;
        return true;
    }
    fl_heap_object array = fl_heap_follow(heap, string, "value");
    if (array == FL_HEAP_NONE || !fl_heap_item_of(heap, array, &item) ||
        item.kind != FL_HEAP_ITEM_VALUES || item.body.len > MAX_TEXT_BYTES ||
        item.body.len > *budget)
        return false;
    *budget -= item.body.len;
    (void)fl_heap_field(heap, string, FL_SLICE("coder"), &type, &coder);
    bool is_wide = item.type == FL_HEAP_BYTE && coder == 1;
    uint32_t hash = 0;
    size_t width = is_wide || item.type == FL_HEAP_CHAR ? 2 : 1;
    for (size_t i = 0; i + width <= item.body.len; i += width) {
        const unsigned char *at = item.body.ptr + i;
        uint32_t unit = at[0];
        if (item.type == FL_HEAP_CHAR)
            unit = unit << 8 | at[1];
        else if (is_wide) /* in the order of the machine, which is x86 or ARM */
            unit |= (uint32_t)at[1] << 8;
        hash = FACTOR * hash + unit;
    }
    *out = hash;
    return true;
}

static bool hash_of_uuid(uint32_t *out, const fl_heap *heap, fl_heap_object object)
{
    fl_heap_type type;
    uint64_t most, least;
    if (!fl_heap_field(heap, object, FL_SLICE("mostSigBits"), &type, &most) ||
        !fl_heap_field(heap, object, FL_SLICE("leastSigBits"), &type, &least))
        return false;
    *out = fold(most ^ least);
    return true;
}

static bool hash_code(uint32_t *out, const fl_heap *heap, fl_heap_object object, uint64_t *budget)
{
    static const char *const boxes[] = {
        "java.lang.Integer", "java.lang.Long",      "java.lang.Short",  "java.lang.Byte",
        "java.lang.Boolean", "java.lang.Character", "java.lang.Double", "java.lang.Float"};
    fl_heap_type type;
    uint64_t bits;
    *out = 0;
    if (object == FL_HEAP_NONE)
        return true;
    fl_slice name = fl_heap_class_at(heap, fl_heap_class_of(heap, object))->name;
    if (fl_slice_equal(name, FL_SLICE("java.lang.String")))
        return hash_of_text(out, heap, object, budget);
    if (fl_slice_equal(name, FL_SLICE("java.util.UUID")))
        return hash_of_uuid(out, heap, object);
    for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++)
        if (fl_slice_equal(name, fl_slice_of(boxes[i]))) {
            if (!fl_heap_field(heap, object, FL_SLICE("value"), &type, &bits))
                return false;
            *out = hash_of_bits(type, bits);
            return true;
        }
    return false;
}

bool fl_heap_hash_code(uint32_t *out, const fl_heap *heap, fl_heap_object object)
{
    uint64_t budget = MAX_TEXT_BYTES;
    return hash_code(out, heap, object, &budget);
}

/* --- samples --- */

/* An entry: the hash that it was put under, and those of its key's fields now. */
typedef struct sample {
    uint32_t stored;
    uint32_t fields[MAX_FIELDS];
    bool is_explained;
} sample;

typedef struct field {
    const fl_heap_member *member;
    uint32_t at;   /* in the values of an instance */
    bool is_known; /* the hash of its value, in every sample */
} field;

typedef struct looking {
    const fl_heap *heap;
    const fl_heap_chains *chains;
    uint32_t class_index; /* of the keys that are looked at; FL_HEAP_NONE: none was met yet */
    field fields[MAX_FIELDS];
    size_t field_count;
    sample *samples;
    size_t count;
    uint64_t *budget;
} looking;

/* How a class makes a hash of its fields. */
typedef struct way {
    unsigned subset;          /* a bit a field */
    bool is_reversed, is_bit; /* booleans count as 0 and 1 */
    unsigned form;
} way;

static const struct {
    uint32_t start, factor; /* factor 0: exclusive or */
} FORMS[] = {{1, 31}, {0, 31}, {17, 31}, {1, 59}, {17, 37}, {0, 0}};
enum { FORM_COUNT = sizeof(FORMS) / sizeof(FORMS[0]) };

/* Fields of the class and of those that it inherits from. False where they are too many. */
static bool take_class(looking *l, uint32_t class_index)
{
    const uint32_t bytes = fl_heap_class_at(l->heap, class_index)->value_bytes;
    uint32_t index = class_index;
    l->class_index = class_index;
    for (int i = 0; index != FL_HEAP_NONE && i < MAX_SUPER_CLASSES; i++) {
        const fl_heap_class *class = fl_heap_class_at(l->heap, index);
        for (uint32_t k = 0; k < class->field_count; k++) {
            if (l->field_count == MAX_FIELDS || bytes < class->value_bytes)
                return false;
            const fl_heap_member *member = &class->fields[k];
            l->fields[l->field_count++] =
                (field){member, bytes - class->value_bytes + member->at, true};
        }
        index = class->super;
    }
    return l->field_count > 0;
}

/* Of a field of which once nothing is known nothing is made use of. */
static void read_fields(looking *l, sample *out, const fl_heap_item *item)
{
    for (size_t i = 0; i < l->field_count; i++) {
        field *f = &l->fields[i];
        uint64_t bits = fl_heap_value(l->heap, item, f->member->type, f->at);
        if (f->member->type != FL_HEAP_REFERENCE) {
            out->fields[i] = hash_of_bits(f->member->type, bits);
            continue;
        }
        fl_heap_object object = bits != 0 ? fl_heap_find(l->heap, bits) : FL_HEAP_NONE;
        f->is_known = f->is_known && (bits == 0 || object != FL_HEAP_NONE) &&
                      hash_code(&out->fields[i], l->heap, object, l->budget);
    }
}

/* False where no entry of this map is to be looked at. Keys of other classes are passed over. */
static bool take_entry(looking *l, fl_heap_object entry)
{
    fl_heap_item item;
    fl_heap_type type;
    uint64_t hash;
    fl_heap_object key = fl_heap_follow(l->heap, entry, "key");
    if (key == FL_HEAP_NONE || !fl_heap_field(l->heap, entry, FL_SLICE("hash"), &type, &hash))
        return true;
    uint32_t class_index = fl_heap_class_of(l->heap, key);
    if (l->class_index == FL_HEAP_NONE && !take_class(l, class_index))
        return false;
    if (class_index != l->class_index || !fl_heap_item_of(l->heap, key, &item) ||
        item.kind != FL_HEAP_ITEM_INSTANCE)
        return true;
    sample *out = &l->samples[l->count++];
    *out = (sample){.stored = (uint32_t)hash};
    read_fields(l, out, &item);
    return true;
}

/* Every so many of the entries; as many steps as there are entries, however they are linked. */
static void take_samples(looking *l)
{
    fl_heap_item table;
    uint64_t stride = 1 + l->chains->entries / MAX_LOOKED, steps = 0;
    if (!fl_heap_item_of(l->heap, l->chains->table, &table) || table.kind != FL_HEAP_ITEM_OBJECTS ||
        table.count == 0)
        return;
    uint64_t width = table.body.len / table.count;
    for (uint32_t i = 0; i < table.count && steps < l->chains->entries; i++) {
        uint64_t id = fl_heap_value(l->heap, &table, FL_HEAP_REFERENCE, i * width);
        fl_heap_object entry = id != 0 ? fl_heap_find(l->heap, id) : FL_HEAP_NONE;
        fl_heap_object first =
            entry != FL_HEAP_NONE ? fl_heap_follow(l->heap, entry, "first") : FL_HEAP_NONE;
        entry = first != FL_HEAP_NONE ? first : entry; /* a tree of a ConcurrentHashMap */
        while (entry != FL_HEAP_NONE && steps < l->chains->entries) {
            if (steps++ % stride == 0 && l->count < MAX_LOOKED && !take_entry(l, entry)) {
                l->count = 0;
                return;
            }
            entry = fl_heap_follow(l->heap, entry, "next");
        }
    }
}

/* --- ways --- */

/* HashMap.hash(), ConcurrentHashMap.spread(); a Hashtable keeps what it is given. */
static uint32_t spread(const fl_heap_chains *chains, uint32_t hash)
{
    if (chains->is_plain)
        return hash;
    hash ^= hash >> 16;
    return chains->is_concurrent ? hash & INT32_MAX : hash;
}

/* A boolean's hash, as Boolean.hashCode() has it or as a number. */
static uint32_t part_of(const looking *l, const way *w, const uint32_t *fields, size_t i)
{
    if (w->is_bit && l->fields[i].member->type == FL_HEAP_BOOLEAN)
        return fields[i] == 1231;
    return fields[i];
}

/* The hash that an entry with such fields is put under. */
static uint32_t hash_by(const looking *l, const way *w, const uint32_t *fields)
{
    uint32_t hash = FORMS[w->form].start, factor = FORMS[w->form].factor;
    for (size_t k = 0; k < l->field_count; k++) {
        size_t i = w->is_reversed ? l->field_count - 1 - k : k;
        if ((w->subset >> i & 1u) == 0)
            continue;
        uint32_t part = part_of(l, w, fields, i);
        hash = factor != 0 ? hash * factor + part : hash ^ part;
    }
    return spread(l->chains, hash);
}

/* How many entries it fits; these are explained. */
static uint64_t count_fits(looking *l, const way *w)
{
    uint64_t fits = 0;
    for (size_t i = 0; i < l->count; i++) {
        bool is_fit = hash_by(l, w, l->samples[i].fields) == l->samples[i].stored;
        l->samples[i].is_explained |= is_fit;
        fits += is_fit;
    }
    return fits;
}

/* Whether it fits entries of so many hashes that it cannot be by chance, nor be a constant. */
static bool is_proven(const looking *l, const way *w)
{
    uint32_t seen[PROOF];
    size_t count = 0;
    for (size_t i = 0; i < l->count && count < PROOF; i++) {
        size_t k = 0;
        if (hash_by(l, w, l->samples[i].fields) != l->samples[i].stored)
            continue;
        while (k < count && seen[k] != l->samples[i].stored)
            k++;
        if (k == count)
            seen[count++] = l->samples[i].stored;
    }
    return count == PROOF;
}

/* All fields whose values have hashes. */
static unsigned known_fields(const looking *l)
{
    unsigned all = 0;
    for (size_t i = 0; i < l->field_count; i++)
        all |= l->fields[i].is_known ? 1u << i : 0;
    return all;
}

/* The way that fits most entries; of equal ones the first. False where there is none, or where it
 * would cost more than may be spent. */
static bool find_way(way *out, looking *l, uint64_t *budget)
{
    unsigned all = known_fields(l);
    uint64_t best = 0, cost = (uint64_t)FORM_COUNT * 4 * (all + 1) * l->count;
    if (all == 0 || cost > *budget)
        return false;
    *budget -= cost;
    for (unsigned subset = 1; subset <= all; subset++) {
        for (unsigned k = 0; (subset & ~all) == 0 && k < FORM_COUNT * 4; k++) {
            const way w = {.subset = subset,
                           .is_reversed = (k & 1) != 0,
                           .is_bit = (k & 2) != 0,
                           .form = k / 4};
            uint64_t fits = count_fits(l, &w);
            if (fits > best) {
                best = fits;
                *out = w;
            }
        }
    }
    return best > 0 && is_proven(l, out);
}

/* --- strays --- */

/* Values of one field that keys have whose entries the way fits. */
static size_t values_of(uint32_t out[MAX_VALUES], const looking *l, const way *w, size_t at)
{
    size_t count = 0;
    for (size_t i = 0; i < l->count && count < MAX_VALUES; i++) {
        const sample *s = &l->samples[i];
        size_t k = 0;
        if (hash_by(l, w, s->fields) != s->stored)
            continue;
        while (k < count && out[k] != s->fields[at])
            k++;
        if (k == count)
            out[count++] = s->fields[at];
    }
    return count;
}

/* Whether an entry was put when one field had another value. */
static bool is_stray(const looking *l, const way *w, const sample *s, size_t at,
                     const uint32_t *values, size_t count)
{
    uint32_t fields[MAX_FIELDS];
    memcpy(fields, s->fields, sizeof(fields));
    for (size_t k = 0; k < count; k++) {
        fields[at] = values[k];
        if (hash_by(l, w, fields) == s->stored)
            return true;
    }
    return false;
}

/* The field that changed in most entries is the one that is told of. Where the hash is of that
 * field alone, any hash in a small range (`id % 16`) is that of some other key: no entry is told by
 * it. */
static void count_strays(fl_heap_strays *out, const looking *l, const way *w)
{
    uint32_t values[MAX_VALUES];
    for (size_t at = 0; at < l->field_count; at++) {
        uint64_t strays = 0;
        if ((w->subset >> at & 1u) == 0 || w->subset == 1u << at)
            continue;
        size_t count = values_of(values, l, w, at);
        for (size_t i = 0; i < l->count; i++)
            strays +=
                !l->samples[i].is_explained && is_stray(l, w, &l->samples[i], at, values, count);
        if (strays > out->strays) {
            out->strays = strays;
            out->field = l->fields[at].member;
        }
    }
}

fl_status fl_heap_strays_find(fl_heap_strays *out, const fl_heap *heap,
                              const fl_heap_chains *chains, uint64_t *budget, fl_error *err)
{
    way w;
    looking l = {.heap = heap, .chains = chains, .class_index = FL_HEAP_NONE, .budget = budget};
    uint64_t most = chains->entries < MAX_LOOKED ? chains->entries : MAX_LOOKED;
    *out = (fl_heap_strays){.looked_at = 0};
    if (most * READ_COST > *budget)
        return FL_OK;
    *budget -= most * READ_COST;
    l.samples = fl_mem_calloc(MAX_LOOKED, sizeof(*l.samples));
    if (l.samples == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the keys of a map");
    take_samples(&l);
    assert(l.count <= MAX_LOOKED && l.field_count <= MAX_FIELDS);
    out->looked_at = l.count;
    if (l.count > PROOF && find_way(&w, &l, budget))
        count_strays(out, &l, &w);
    fl_mem_free(l.samples);
    return FL_OK;
}
