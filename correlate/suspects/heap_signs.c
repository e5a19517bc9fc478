/*
 * heap_signs.c - from growth by path to a kind of leak, the most special one first.
 *
 * The kind is read off the rows of one path: those below the container are what fills it, the
 * container and the next two above it are the collection itself (a table in a map in a set). What
 * the same rows look like in a healthy program is not told: nothing is, unless it grows.
 */
#include "heap_signs.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MAX_GROWTHS = 8, MAX_STEPS = 12, COLLECTION_ROWS = 3, MAX_SHOWN_DUMPS = 12 };

static const struct {
    const char *name, *hint;
} KINDS[FL_HEAP_SIGN_KIND_COUNT] = {
    [FL_HEAP_SIGN_THREAD_LOCAL] =
        {"thread-local-in-pool", "call remove() in a finally block where the value was set: threads"
                                 " of a pool do not end"},
    [FL_HEAP_SIGN_LOADERS] = {"class-loaders-stay",
                              "find what still refers to an object or a class of the old loader: a"
                              " thread, a ThreadLocal, a driver or a listener that was registered"
                              " with the JDK, a cache in a shared library"},
    [FL_HEAP_SIGN_THREADS] = {"threads-never-end",
                              "run tasks in one pool of a fixed size, and shut pools and timers"
                              " down where what made them ends"},
    [FL_HEAP_SIGN_KEYS_WITHOUT_EQUALS] =
        {"keys-without-equals", "give the key's class equals() and hashCode() over its fields (a"
                                " record has them), so that a look-up finds what was put"},
    [FL_HEAP_SIGN_KEYS_CHANGED] =
        {"keys-changed", "make the key's fields final: an entry whose key changed stays under its"
                         " old hash and can be neither found nor removed"},
    [FL_HEAP_SIGN_QUEUE] = {"queue-unbounded",
                            "give the queue a capacity and decide what happens when it is full"
                            " (CallerRunsPolicy, offer with a timeout); find out why what empties"
                            " it is slower than what fills it"},
    [FL_HEAP_SIGN_LISTENERS] = {"listeners-never-removed",
                                "remove the listener where what it belongs to ends, or let the"
                                " list refer to its listeners weakly"},
    [FL_HEAP_SIGN_LAMBDAS] = {"lambda-captures",
                              "store the value and not a lambda over the request: what a lambda"
                              " captures lives as long as its entry; bound the map"},
    [FL_HEAP_SIGN_INNER] = {"inner-class-holds-outer",
                            "make the inner class static (or a lambda that captures only what it"
                            " needs): each instance keeps the one that made it"},
    [FL_HEAP_SIGN_MAP] = {"map-grows",
                          "bound the map by size or by age (Caffeine, LinkedHashMap with"
                          " removeEldestEntry), or remove entries where what they stand for ends"},
    [FL_HEAP_SIGN_COLLECTION] = {"collection-grows",
                                 "remove elements where what they stand for ends, or bound the"
                                 " collection"},
    [FL_HEAP_SIGN_OTHER] = {"heap-grows",
                            "follow the path from the roots to the first class of your own, and"
                            " ask who should have let go of it"},
    [FL_HEAP_SIGN_COLLISIONS] = {"hashes-collide",
                                 "let the key's hashCode() depend on all that tells keys apart;"
                                 " keys that outsiders choose need Comparable or a keyed hash"},
    [FL_HEAP_SIGN_TEXTS] = {"repeated-texts",
                            "keep one String of each text where it is read (a small map, or"
                            " String.intern()), or run G1 with -XX:+UseStringDeduplication"},
};

const char *fl_heap_sign_name(fl_heap_sign_kind kind)
{
    assert(kind < FL_HEAP_SIGN_KIND_COUNT);
    return KINDS[kind].name;
}

const char *fl_heap_sign_hint(fl_heap_sign_kind kind)
{
    assert(kind < FL_HEAP_SIGN_KIND_COUNT);
    return KINDS[kind].hint;
}

/* What is worked on: all records, and where findings go. */
typedef struct signs_run {
    const fl_heap_record *const *records;
    size_t count;
    fl_arena *arena;
    fl_heap_signs *out;
} signs_run;

/* The dump that holders, paths and faults are named by. */
static const fl_heap_record *last_of(const signs_run *run)
{
    assert(run->count > 0);
    return run->records[run->count - 1];
}

/* A sentence that could not be made is one that is missing; the caller asks once, at the end. */
static void say(fl_heap_sign *sign, const char *text, double value, const char *unit)
{
    assert(sign->evidence_count < FL_HEAP_SIGN_SENTENCES);
    sign->evidence[sign->evidence_count].text = text;
    sign->evidence[sign->evidence_count].value = value;
    sign->evidence[sign->evidence_count++].unit = unit;
}

const char *fl_heap_sign_way(const fl_heap_paths *last, const fl_heap_growth *growth,
                             fl_arena *arena)
{
    size_t row = growth->row;
    const char *text = fl_heap_paths_at(last, row)->label;
    for (size_t steps = 1; steps < MAX_STEPS && text != NULL; steps++) {
        row = fl_heap_paths_at(last, row)->parent;
        const fl_heap_path *above = fl_heap_paths_at(last, row);
        if (above->depth == 0)
            return text;
        text = fl_arena_printf(arena, "%s > %s", above->label, text);
    }
    return text;
}

/* --- the kind of a growth --- */

/* The finding of the last dump about one of the collection's rows; NULL: none. */
static const fl_heap_map_fault *fault_at(const fl_heap_record *last, size_t row)
{
    for (int up = 0; up < COLLECTION_ROWS && row != FL_HEAP_NONE; up++) {
        const fl_heap_path *here = fl_heap_paths_at(last->paths, row);
        for (size_t i = 0; i < last->fault_count; i++)
            if (last->faults[i].fault.object == here->largest &&
                last->faults[i].fault.kind != FL_HEAP_TEXTS_REPEATED)
                return &last->faults[i];
        row = here->parent;
    }
    return NULL;
}

/* Marks of the rows from `row` upwards, `up` of them at most, to `end` exclusively. */
static unsigned marks_from(const fl_heap_record *last, size_t row, size_t end, size_t up)
{
    unsigned marks = 0;
    for (; up > 0 && row != end && row != FL_HEAP_NONE; up--) {
        marks |= last->clues[row].marks;
        row = fl_heap_paths_at(last->paths, row)->parent;
    }
    return marks;
}

/* Where the growth comes together in an entry of the JDK's, what it is an entry of stands below. */
static unsigned marks_below(const fl_heap_record *last, size_t row)
{
    unsigned marks = 0;
    if (strncmp(fl_heap_paths_at(last->paths, row)->label, "java.", 5) != 0)
        return 0;
    for (size_t i = row + 1; i < fl_heap_paths_count(last->paths); i++)
        if (fl_heap_paths_at(last->paths, i)->parent == row)
            marks |= last->clues[i].marks;
    return marks & (FL_HEAP_MARK_LAMBDA | FL_HEAP_MARK_INNER | FL_HEAP_MARK_LISTENER);
}

/* Marks of the collection that grew: of a class, those of what its statics refer to. */
static unsigned marks_around(const fl_heap_record *last, size_t container)
{
    unsigned marks = 0;
    if (fl_heap_paths_at(last->paths, container)->meant == FL_HEAP_NONE)
        return marks_from(last, container, FL_HEAP_NONE, COLLECTION_ROWS);
    for (size_t i = container + 1; i < fl_heap_paths_count(last->paths); i++) {
        const fl_heap_path *here = fl_heap_paths_at(last->paths, i);
        if (here->parent == container && here->holder != NULL)
            marks |= last->clues[i].marks;
    }
    return marks;
}

/* The most special kind that fits. */
static fl_heap_sign_kind kind_of(const fl_heap_record *last, const fl_heap_growth *growth)
{
    const size_t all = fl_heap_paths_count(last->paths);
    unsigned inside =
        marks_from(last, growth->row, growth->container, all) | marks_below(last, growth->row);
    unsigned around = marks_around(last, growth->container);
    unsigned way = marks_from(last, growth->row, FL_HEAP_NONE, all);
    const fl_heap_map_fault *fault = fault_at(last, growth->container);
    if (way & FL_HEAP_MARK_LOCAL)
        return FL_HEAP_SIGN_THREAD_LOCAL;
    if (inside & FL_HEAP_MARK_THREAD)
        return FL_HEAP_SIGN_THREADS;
    if (fault != NULL && fault->fault.kind == FL_HEAP_KEYS_WITHOUT_EQUALS)
        return FL_HEAP_SIGN_KEYS_WITHOUT_EQUALS;
    if (fault != NULL && fault->fault.kind == FL_HEAP_KEYS_CHANGED)
        return FL_HEAP_SIGN_KEYS_CHANGED;
    if (around & FL_HEAP_MARK_QUEUE)
        return FL_HEAP_SIGN_QUEUE;
    if ((inside | around) & FL_HEAP_MARK_LISTENER)
        return FL_HEAP_SIGN_LISTENERS;
    if ((inside & FL_HEAP_MARK_LAMBDA) && (around & FL_HEAP_MARK_CONCURRENT_MAP))
        return FL_HEAP_SIGN_LAMBDAS;
    if (inside & FL_HEAP_MARK_INNER)
        return FL_HEAP_SIGN_INNER;
    if (around & FL_HEAP_MARK_MAP)
        return FL_HEAP_SIGN_MAP;
    return around & FL_HEAP_MARK_COLLECTION ? FL_HEAP_SIGN_COLLECTION : FL_HEAP_SIGN_OTHER;
}

/* --- sentences --- */

/* "1, 2, 3": what the container kept, dump by dump; of many the first ones and the last. */
static const char *series_text(const signs_run *run, const fl_heap_growth *growth)
{
    const char *text = "";
    for (size_t i = 0; i < run->count && text != NULL; i++) {
        if (run->count > MAX_SHOWN_DUMPS && i >= MAX_SHOWN_DUMPS - 1 && i + 1 < run->count)
            continue;
        text =
            fl_arena_printf(run->arena, "%s%s%" PRIu64, text, i > 0 ? ", " : "", growth->bytes[i]);
    }
    return text;
}

/* The first sentence: who keeps how much, and each dump's figure where there are more than two. */
static void say_bytes(fl_heap_sign *sign, const signs_run *run)
{
    const fl_heap_growth *growth = &sign->growth;
    const char *text =
        fl_arena_printf(run->arena, "%s keeps %" PRIu64 " bytes alive, in the first dump %" PRIu64,
                        sign->holder, growth->after_bytes, growth->before_bytes);
    if (run->count > 2 && text != NULL)
        text = fl_arena_printf(run->arena, "%s; more in each of %zu dumps: %s", text, run->count,
                               series_text(run, growth));
    say(sign, text, (double)(growth->after_bytes - growth->before_bytes), "bytes");
}

/* What the collection says of its own size, where it is one. */
static void say_entries(fl_heap_sign *sign, const signs_run *run)
{
    const fl_heap_record *last = last_of(run);
    size_t row = sign->growth.container;
    if (fl_heap_paths_at(last->paths, row)->meant != FL_HEAP_NONE)
        return;
    for (int up = 0; up < COLLECTION_ROWS && row != FL_HEAP_NONE; up++) {
        const fl_heap_clue *clue = &last->clues[row];
        const fl_heap_path *here = fl_heap_paths_at(last->paths, row);
        if (clue->marks & (FL_HEAP_MARK_MAP | FL_HEAP_MARK_COLLECTION)) {
            const char *text = fl_arena_printf(run->arena, "%s has %" PRIu64 " entries",
                                               here->label, clue->entries);
            if (clue->capacity > 0 && text != NULL)
                text =
                    fl_arena_printf(run->arena, "%s in an array of %" PRIu32, text, clue->capacity);
            say(sign, text, NAN, "");
            return;
        }
        row = here->parent;
    }
}

/* How many entries a finding about a map is of; the words are those of --view collections. */
static void say_fault(fl_heap_sign *sign, const fl_heap_map_fault *fault, fl_arena *arena)
{
    static const char *const what[] = {
        [FL_HEAP_KEYS_WITHOUT_EQUALS] = "have a key whose fields are those of another key",
        [FL_HEAP_KEYS_CHANGED] = "have a key that is also the key of another entry",
        [FL_HEAP_HASHES_COLLIDE] = "are in chains of 8 and more",
    };
    assert(fault->fault.kind < sizeof(what) / sizeof(what[0]));
    if (fault->changed != NULL) {
        say(sign,
            fl_arena_printf(arena,
                            "%" PRIu64 " of %" PRIu64
                            " entries of a %s stand under the hash that their key had before its "
                            "field %s changed; the keys are of %s",
                            fault->fault.part, fault->fault.whole, fault->map_class, fault->changed,
                            fault->key_class != NULL ? fault->key_class : "a class not known"),
            NAN, "");
        return;
    }
    say(sign,
        fl_arena_printf(arena, "%" PRIu64 " of %" PRIu64 " entries of a %s %s; the keys are of %s",
                        fault->fault.part, fault->fault.whole, fault->map_class,
                        what[fault->fault.kind],
                        fault->key_class != NULL ? fault->key_class : "a class not known"),
        NAN, "");
}

/* The row below the container that has the mark: what captures, or is held. */
static void say_marked(fl_heap_sign *sign, const fl_heap_record *last, unsigned mark,
                       const char *what, fl_arena *arena)
{
    size_t row = sign->growth.row, below = FL_HEAP_NONE;
    for (; row != sign->growth.container && row != FL_HEAP_NONE;
         below = row, row = fl_heap_paths_at(last->paths, row)->parent)
        if ((last->clues[row].marks & mark) && below != FL_HEAP_NONE) {
            say(sign,
                fl_arena_printf(arena, "each %s %s a %s", fl_heap_paths_at(last->paths, row)->label,
                                what, fl_heap_paths_at(last->paths, below)->label),
                NAN, "");
            return;
        }
}

/* How much, of what, how full, what is special to the kind, and by which way: in this order. */
static void say_growth(fl_heap_sign *sign, const signs_run *run)
{
    const fl_heap_record *last = last_of(run);
    const fl_heap_growth *growth = &sign->growth;
    const fl_heap_path *row = fl_heap_paths_at(last->paths, growth->row);
    say_bytes(sign, run);
    say(sign,
        fl_arena_printf(run->arena, "of %s there are %" PRIu64 ", in the first dump %" PRIu64,
                        row->label, growth->after_objects, growth->before_objects),
        (double)growth->after_objects - (double)growth->before_objects, "objects");
    say_entries(sign, run);
    if (sign->kind == FL_HEAP_SIGN_KEYS_WITHOUT_EQUALS || sign->kind == FL_HEAP_SIGN_KEYS_CHANGED)
        say_fault(sign, fault_at(last, growth->container), run->arena);
    else if (sign->kind == FL_HEAP_SIGN_LAMBDAS)
        say_marked(sign, last, FL_HEAP_MARK_LAMBDA, "captures", run->arena);
    else if (sign->kind == FL_HEAP_SIGN_INNER)
        say_marked(sign, last, FL_HEAP_MARK_INNER, "alone keeps, by this$0,", run->arena);
    if (sign->field != NULL)
        say(sign, fl_arena_printf(run->arena, "held by the field %s", sign->field), NAN, "");
    const char *way = fl_heap_sign_way(last->paths, growth, run->arena);
    say(sign, way != NULL ? fl_arena_printf(run->arena, "kept by way of %s", way) : NULL, NAN, "");
}

/* --- findings --- */

/* Room for one more; NULL: there are enough. */
static fl_heap_sign *next_sign(signs_run *run, fl_heap_sign_kind kind)
{
    fl_heap_signs *out = run->out;
    assert(out->count <= FL_HEAP_MAX_SIGNS);
    if (out->count == FL_HEAP_MAX_SIGNS)
        return NULL;
    fl_heap_sign *sign = &out->rows[out->count++];
    *sign = (fl_heap_sign){.kind = kind};
    out->leaks += fl_heap_sign_is_leak(kind);
    return sign;
}

/* Whether there is a finding of a kind about a holder; NULL: about any. */
static bool is_told(const signs_run *run, fl_heap_sign_kind kind, const char *holder)
{
    for (size_t i = 0; i < run->out->count; i++) {
        const fl_heap_sign *row = &run->out->rows[i];
        if (row->kind == kind && (holder == NULL || strcmp(row->holder, holder) == 0))
            return true;
    }
    return false;
}

/* What grows by path, but for what threads and loaders have said already. */
static fl_status add_growths(signs_run *run, fl_error *err)
{
    fl_heap_growth growths[MAX_GROWTHS];
    const fl_heap_paths *series[FL_HEAP_MAX_DUMPS];
    size_t count;
    for (size_t i = 0; i < run->count; i++)
        series[i] = run->records[i]->paths;
    fl_status status = fl_heap_growth_find(&count, growths, MAX_GROWTHS, series, run->count, err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        const char *field;
        const char *holder = fl_heap_growth_holder(&field, series[run->count - 1], &growths[i]);
        fl_heap_sign_kind kind = kind_of(last_of(run), &growths[i]);
        /* of threads the numbers tell, not the bytes */
        bool is_crowd = growths[i].is_crowd &&
                        fl_heap_paths_at(series[run->count - 1], growths[i].container)->is_thread;
        bool is_again = is_crowd || (kind == FL_HEAP_SIGN_THREADS && is_told(run, kind, NULL)) ||
                        is_told(run, FL_HEAP_SIGN_LOADERS, holder);
        fl_heap_sign *sign = is_again ? NULL : next_sign(run, kind);
        if (sign == NULL)
            continue;
        sign->has_growth = true;
        sign->growth = growths[i];
        sign->row = growths[i].row;
        sign->holder = holder;
        sign->field = field;
        sign->before_bytes = growths[i].before_bytes;
        sign->after_bytes = growths[i].after_bytes;
        say_growth(sign, run);
    }
    return status;
}

/* The group of the same name in another dump; an empty one where there is none. */
static fl_heap_crowd group_in(const fl_heap_crowds *groups, const fl_heap_crowd *like, bool by_what)
{
    for (size_t i = 0; i < groups->count; i++)
        if (strcmp(groups->rows[i].name, like->name) == 0 &&
            (!by_what || strcmp(groups->rows[i].what, like->what) == 0))
            return groups->rows[i];
    return (fl_heap_crowd){0};
}

/* More in every dump, by a half and by so many in all. */
static bool counts_grow(const uint64_t *counts, size_t count, uint64_t least)
{
    assert(count >= 2);
    for (size_t i = 1; i < count; i++)
        if (counts[i] <= counts[i - 1])
            return false;
    return counts[count - 1] >= counts[0] + least &&
           (double)counts[count - 1] >= FL_HEAP_COUNT_RATIO * (double)counts[0];
}

/* One group of the last dump against itself in those before: it is known by name and by task. */
static void add_threads(signs_run *run, const fl_heap_crowd *group)
{
    uint64_t counts[FL_HEAP_MAX_DUMPS];
    fl_heap_crowd first = group_in(&run->records[0]->threads, group, true);
    for (size_t i = 0; i < run->count; i++)
        counts[i] = group_in(&run->records[i]->threads, group, true).count;
    fl_heap_sign *sign = counts_grow(counts, run->count, FL_HEAP_LEAST_THREADS)
                             ? next_sign(run, FL_HEAP_SIGN_THREADS)
                             : NULL;
    if (sign == NULL)
        return;
    sign->holder = group->what;
    sign->before_bytes = first.bytes;
    sign->after_bytes = group->bytes;
    say(sign,
        fl_arena_printf(run->arena,
                        "%" PRIu64 " threads \"%s\" run a %s, in the first dump %" PRIu64,
                        group->count, group->name, group->what, first.count),
        (double)group->count - (double)first.count, "objects");
    say(sign,
        fl_arena_printf(run->arena,
                        "they keep %" PRIu64 " bytes in the heap, in the first dump %" PRIu64
                        ", and a stack each outside of it",
                        group->bytes, first.bytes),
        (double)group->bytes - (double)first.bytes, "bytes");
}

/* Loaders that have twins are counted; of generated code's there are many, and none. */
static void add_loaders(signs_run *run, const fl_heap_crowd *group)
{
    uint64_t counts[FL_HEAP_MAX_DUMPS];
    fl_heap_crowd first = group_in(&run->records[0]->loaders, group, false);
    for (size_t i = 0; i < run->count; i++)
        counts[i] = group_in(&run->records[i]->loaders, group, false).twins;
    fl_heap_sign *sign = counts_grow(counts, run->count, FL_HEAP_LEAST_LOADERS)
                             ? next_sign(run, FL_HEAP_SIGN_LOADERS)
                             : NULL;
    if (sign == NULL)
        return;
    sign->holder = group->holder != NULL ? group->holder : group->name;
    sign->before_bytes = first.bytes;
    sign->after_bytes = group->bytes;
    say(sign,
        fl_arena_printf(run->arena,
                        "%" PRIu64 " loaders %s have a class %s each, in the first dump %" PRIu64,
                        group->twins, group->name, group->what, first.twins),
        (double)group->twins - (double)first.twins, "objects");
    say(sign,
        fl_arena_printf(run->arena, "they keep %" PRIu64 " bytes, in the first dump %" PRIu64,
                        group->bytes, first.bytes),
        (double)group->bytes - (double)first.bytes, "bytes");
    if (group->holder != NULL)
        say(sign, fl_arena_printf(run->arena, "the largest is held by %s", group->holder), NAN, "");
}

/* The row of which an object is the largest, of several the one nearest to the roots; 0: none. */
static size_t row_of(const fl_heap_paths *paths, fl_heap_object object)
{
    for (size_t row = 1; row < fl_heap_paths_count(paths); row++)
        if (fl_heap_paths_at(paths, row)->largest == object)
            return row;
    return 0;
}

/* What needs no growth to be a fault, where it was not told with a growth. */
static void add_faults(signs_run *run)
{
    const fl_heap_record *last = last_of(run);
    for (size_t i = 0; i < last->fault_count; i++) {
        const fl_heap_map_fault *fault = &last->faults[i];
        bool is_texts = fault->fault.kind == FL_HEAP_TEXTS_REPEATED;
        if (!is_texts && fault->fault.kind != FL_HEAP_HASHES_COLLIDE)
            continue;
        const char *holder = fault->holder != NULL ? fault->holder : fault->map_class;
        fl_heap_sign *sign =
            next_sign(run, is_texts ? FL_HEAP_SIGN_TEXTS : FL_HEAP_SIGN_COLLISIONS);
        if (sign == NULL)
            return;
        sign->holder = holder;
        sign->before_bytes = sign->after_bytes = fault->fault.bytes;
        if (!is_texts) {
            sign->row = row_of(last->paths, fault->fault.object);
            say_fault(sign, fault, run->arena);
            continue;
        }
        say(sign,
            fl_arena_printf(run->arena,
                            "%" PRIu64 " of %" PRIu64
                            " Strings stand for a text that another has: %" PRIu64 " bytes",
                            fault->fault.part, fault->fault.whole, fault->fault.bytes),
            NAN, "");
    }
}

fl_status fl_heap_signs_find(fl_heap_signs *out, const fl_heap_record *const *records, size_t count,
                             fl_arena *arena, fl_error *err)
{
    assert(count > 0 && count <= FL_HEAP_MAX_DUMPS);
    *out = (fl_heap_signs){.count = 0};
    signs_run run = {.records = records, .count = count, .arena = arena, .out = out};
    fl_status status = FL_OK;
    const fl_heap_record *last = last_of(&run);
    for (size_t i = 0; i < last->threads.count && count > 1; i++)
        add_threads(&run, &last->threads.rows[i]);
    for (size_t i = 0; i < last->loaders.count && count > 1; i++)
        add_loaders(&run, &last->loaders.rows[i]);
    if (count > 1)
        status = add_growths(&run, err);
    add_faults(&run);
    for (size_t i = 0; i < out->count && status == FL_OK; i++)
        for (size_t k = 0; k < out->rows[i].evidence_count && status == FL_OK; k++)
            if (out->rows[i].evidence[k].text == NULL)
                status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for findings");
    return status;
}
