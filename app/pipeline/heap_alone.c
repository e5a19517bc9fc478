/*
 * heap_alone.c - what is found in one heap, in the words of a leak report.
 *
 * The first sentence of the evidence has the figures, the second the dominators from the roots to
 * what was found: without any of them it would go.
 */
#include "heap_alone.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "heap_faults.h"
#include "heap_finalizers.h"
#include "heap_holders.h"
#include "heap_loaders.h"
#include "heap_open.h"
#include "heap_signs.h"
#include "leak_heaps.h"
#include "slice.h"

enum { WAY_STEPS = 12, SENTENCES = 2, STATES = 2 };

/* What is said of one finding; a text that is NULL could not be made. */
struct found {
    bool is_state;    /* no leak: nothing has to grow for it */
    const char *sign; /* as signatures ask for it */
    const char *text; /* the figures */
    const char *holder;
    const char *view;
    fl_heap_object object; /* the way leads there; FL_HEAP_NONE: to nothing in particular */
    uint64_t bytes;        /* that it keeps */
};

/* The dump, while its graph is there. */
struct looking {
    const fl_heap *heap;
    fl_rules *rules;
    struct found states[STATES]; /* told behind all leaks, of each kind the heaviest */
    size_t state_count;
    fl_heap_alone *out;
    fl_arena *arena;
    fl_error *err;
};

static fl_status no_memory(const struct looking *in)
{
    return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for what a heap dump says");
}

static fl_slice class_name(const struct looking *in, uint32_t index)
{
    return index != FL_HEAP_NONE ? fl_heap_class_at(in->heap, index)->name
                                 : FL_SLICE("a class not known");
}

/* "kept by way of class shop.Cache > java.util.HashMap": the nearest dominators, the outermost
 * first. */
static const char *way_of(const struct looking *in, fl_heap_object object)
{
    const char *text = "";
    for (int i = 0; i < WAY_STEPS && object != FL_HEAP_NONE && text != NULL; i++) {
        uint32_t meant = fl_heap_class_meant(in->heap, object);
        fl_slice name =
            class_name(in, meant != FL_HEAP_NONE ? meant : fl_heap_class_of(in->heap, object));
        text = fl_arena_printf(in->arena, "%s%.*s%s%s", meant != FL_HEAP_NONE ? "class " : "",
                               FL_SLICE_ARG(name), text[0] != '\0' ? " > " : "", text);
        object = fl_heap_idom(in->heap, object);
    }
    return text != NULL ? fl_arena_printf(in->arena, "kept by way of %s", text) : NULL;
}

/* The signature that has this sign, with its odds halved: growth was not seen. */
static fl_status name_it(fl_leak_finding *leak, const struct looking *in, const struct found *found)
{
    const fl_fact items[] = {
        {.feature = FL_LEAK_F_HEAP_SIGN, .text = found->sign},
        {.feature = FL_LEAK_F_HEAP_HOLDER, .text = found->holder},
        {.feature = FL_LEAK_F_HEAP_DUMPS, .number = 1},
        {.feature = FL_LEAK_F_HEAP_RETAINED_BYTES, .number = (double)found->bytes},
    };
    const fl_facts facts = {
        .subject = FL_LEAK_SITE, .items = items, .count = sizeof(items) / sizeof(items[0])};
    fl_status status = fl_rules_best(&leak->signature, in->rules, &facts, in->err);
    if (status == FL_OK && leak->signature != NULL)
        leak->confidence = fl_rules_confidence(leak->signature, leak->against_count);
    return status;
}

/* The same dominators as steps, with what each of them keeps: a sentence cannot be drawn. */
static fl_status put_path(fl_leak_finding *leak, const struct looking *in, fl_heap_object object)
{
    fl_heap_kept kept;
    const fl_kept_step whole = {
        .kind = FL_KEPT_HEAP, .objects = in->out->objects, .retained_bytes = in->out->bytes};
    fl_status status = fl_heap_kept_object(&kept, in->heap, object, &whole, in->arena, in->err);
    return status == FL_OK ? fl_leak_heaps_keep_path(leak, &kept, in->arena, in->err) : status;
}

/* One for which there is no signature is not told: nothing says how sure it is. */
static fl_status add(struct looking *in, const struct found *found)
{
    static const char *const alone[] = {"one heap dump alone does not show that it grows"};
    static const char *const idle[] = {FL_HEAP_STATE_DOUBT};
    const fl_leak_interval unknown = {NAN, NAN, NAN};
    bool has_way = found->object != FL_HEAP_NONE;
    fl_leak_evidence *evidence = fl_arena_alloc(in->arena, SENTENCES, sizeof(*evidence));
    const char *way = has_way ? way_of(in, found->object) : "";
    if (evidence == NULL || found->text == NULL || found->holder == NULL || way == NULL)
        return no_memory(in);
    if (in->out->count == FL_HEAP_ALONE_MAX)
        return FL_OK;
    evidence[0] = (fl_leak_evidence){.source = FL_LEAK_FROM_HEAP,
                                     .text = found->text,
                                     .at_ns = in->out->time_ns,
                                     .value = (double)found->bytes,
                                     .unit = "bytes"};
    evidence[1] = evidence[0];
    evidence[1].text = way;
    fl_heap_alone_finding *row = &in->out->findings[in->out->count];
    *row = (fl_heap_alone_finding){.leak = {.verdict = FL_LEAK_LEAK,
                                            .subject = FL_LEAK_SITE,
                                            .function = found->holder,
                                            .holder = found->holder,
                                            .growth_bytes_per_hour = unknown,
                                            .growth_per_hour = unknown,
                                            .seconds_to_limit = unknown,
                                            .support = 1u << FL_LEAK_FROM_HEAP,
                                            .evidence = evidence,
                                            .evidence_count = has_way ? SENTENCES : 1,
                                            .against = found->is_state ? idle : alone,
                                            .against_count = 1},
                                   .view = found->view};
    fl_status status = name_it(&row->leak, in, found);
    if (status == FL_OK && row->leak.signature != NULL)
        row->leak.verdict = row->leak.signature->verdict;
    if (status == FL_OK && has_way)
        status = put_path(&row->leak, in, found->object);
    in->out->count += status == FL_OK && row->leak.signature != NULL;
    return status;
}

/* ---- collections and ThreadLocals ---- */

/* The static that holds an object, else its class. */
static const char *holder_of(const struct looking *in, fl_heap_object object)
{
    const char *holder = fl_heap_holder_text(in->heap, object, in->arena);
    fl_slice name = class_name(in, fl_heap_class_of(in->heap, object));
    return holder != NULL ? holder : fl_arena_cstr(in->arena, name);
}

static fl_status add_map(struct looking *in, const fl_heap_fault *fault)
{
    const char *what = "have a key whose fields are those of another key";
    if (fault->changed != NULL)
        what = fl_arena_printf(
            in->arena, "stand under the hash that their key had before its field %.*s changed",
            FL_SLICE_ARG(fault->changed->name));
    else if (fault->kind == FL_HEAP_KEYS_CHANGED)
        what = "have a key that is also the key of another entry";
    if (what == NULL)
        return no_memory(in);
    const char *text = fl_arena_printf(
        in->arena, "%" PRIu64 " of %" PRIu64 " entries of a %.*s %s; the keys are of %.*s",
        fault->part, fault->whole,
        FL_SLICE_ARG(class_name(in, fl_heap_class_of(in->heap, fault->object))), what,
        FL_SLICE_ARG(class_name(in, fault->key_class)));
    return add(in, &(struct found){.sign = fl_heap_fault_name(fault->kind),
                                   .text = text,
                                   .holder = holder_of(in, fault->object),
                                   .view = "collections",
                                   .object = fault->object,
                                   .bytes = fault->bytes});
}

static fl_status add_local(struct looking *in, const fl_heap_fault *fault,
                           const fl_heap_local_key *key)
{
    const char *text = fl_arena_printf(
        in->arena,
        "%" PRIu64 " of %" PRIu64 " threads with values keep %" PRIu64
        " bytes by it, mostly in %.*s",
        fault->part, fault->whole, fault->bytes, FL_SLICE_ARG(class_name(in, fault->key_class)));
    const char *holder = key->holder != FL_HEAP_NONE && key->member != NULL
                             ? fl_heap_member_text(in->heap, key->holder, key->member, in->arena)
                             : fl_arena_printf(in->arena, "a ThreadLocal");
    return add(in, &(struct found){.sign = fl_heap_fault_name(fault->kind),
                                   .text = text,
                                   .holder = holder,
                                   .view = "collections",
                                   .object = FL_HEAP_NONE, /* one way a thread */
                                   .bytes = fault->bytes});
}

/* Of each kind the first, which is the heaviest. */
static void keep_state(struct looking *in, const fl_heap_fault *fault)
{
    bool is_texts = fault->kind == FL_HEAP_TEXTS_REPEATED;
    const char *sign = fl_heap_fault_name(fault->kind);
    for (size_t i = 0; i < in->state_count; i++)
        if (strcmp(in->states[i].sign, sign) == 0)
            return;
    assert(in->state_count < STATES);
    const char *text =
        is_texts ? fl_arena_printf(in->arena,
                                   "%" PRIu64 " of %" PRIu64
                                   " Strings stand for a text that another has: %" PRIu64 " bytes",
                                   fault->part, fault->whole, fault->bytes)
                 : fl_arena_printf(
                       in->arena,
                       "%" PRIu64 " of %" PRIu64
                       " entries of a %.*s are in chains of 8 and more; the keys are of %.*s",
                       fault->part, fault->whole,
                       FL_SLICE_ARG(class_name(in, fl_heap_class_of(in->heap, fault->object))),
                       FL_SLICE_ARG(class_name(in, fault->key_class)));
    in->states[in->state_count++] =
        (struct found){.is_state = true,
                       .sign = sign,
                       .text = text,
                       .holder = holder_of(in, fault->object),
                       .view = "collections",
                       .object = is_texts ? FL_HEAP_NONE : fault->object, /* one of many Strings */
                       .bytes = fault->bytes};
}

static fl_status look_at_collections(struct looking *in)
{
    fl_heap_collections collections = {0};
    fl_heap_strings strings = {0};
    fl_heap_locals locals = {0};
    fl_heap_faults faults = {0};
    fl_status status = fl_heap_collections_find(&collections, in->heap, in->err);
    if (status == FL_OK)
        status = fl_heap_strings_find(&strings, in->heap, 1, in->err);
    if (status == FL_OK)
        status = fl_heap_locals_find(&locals, in->heap, in->err);
    if (status == FL_OK)
        status = fl_heap_faults_find(&faults, in->heap, &collections, &locals, &strings, in->err);
    for (size_t i = 0; i < faults.count && status == FL_OK; i++) {
        const fl_heap_fault *fault = &faults.rows[i];
        if (fault->kind == FL_HEAP_LOCALS_IN_POOL)
            status = add_local(in, fault, &locals.keys[fault->row]);
        else if (fault->kind == FL_HEAP_KEYS_WITHOUT_EQUALS || fault->kind == FL_HEAP_KEYS_CHANGED)
            status = add_map(in, fault);
        else
            keep_state(in, fault);
    }
    fl_heap_faults_dispose(&faults);
    fl_heap_locals_dispose(&locals);
    fl_heap_strings_dispose(&strings);
    fl_heap_collections_dispose(&collections);
    return status;
}

/* ---- loaders and finalizers ---- */

/* The first of each set of copies stands for it: that which keeps most. Two may be a program that
 * is given out twice; as between dumps, three are too many. */
static fl_status look_at_loaders(struct looking *in)
{
    fl_heap_loaders loaders = {0};
    fl_status status = fl_heap_loaders_find(&loaders, in->heap, 1, in->err);
    size_t told = 0;
    for (size_t i = 0; i < loaders.count && status == FL_OK; i++) {
        const fl_heap_loader *row = &loaders.rows[i];
        if (row->set != told + 1)
            continue;
        told++;
        if (row->copies < FL_HEAP_LEAST_LOADERS)
            continue;
        fl_slice name = class_name(in, fl_heap_class_of(in->heap, row->object));
        const char *text = fl_arena_printf(
            in->arena,
            "%zu copies of one class loader of %" PRIu32 " classes; one keeps %" PRIu64 " bytes%s",
            row->copies, row->classes, row->retained_bytes, row->is_closed ? " and is closed" : "");
        status = add(in, &(struct found){.sign = fl_heap_sign_name(FL_HEAP_SIGN_LOADERS),
                                         .text = text,
                                         .holder = fl_arena_cstr(in->arena, name),
                                         .view = "loaders",
                                         .object = row->object,
                                         .bytes = row->retained_bytes});
    }
    fl_heap_loaders_dispose(&loaders);
    return status;
}

static fl_status look_at_finalizers(struct looking *in)
{
    fl_heap_finalizers found = {0};
    fl_status status = fl_heap_finalizers_find(&found, in->heap, in->err);
    if (status == FL_OK && found.count > 0 && fl_heap_finalizers_wait(&found, in->out->bytes)) {
        fl_slice name = class_name(in, found.rows[0].class_index);
        const char *text = fl_arena_printf(in->arena,
                                           "%" PRIu64 " objects wait for their finalizer; %" PRIu64
                                           " bytes are alive for no other reason",
                                           found.queued, found.kept_bytes);
        status = add(in, &(struct found){.sign = "finalizers-wait",
                                         .text = text,
                                         .holder = fl_arena_cstr(in->arena, name),
                                         .view = "finalizers",
                                         .object = FL_HEAP_NONE, /* a queue of them */
                                         .bytes = found.kept_bytes});
    }
    fl_heap_finalizers_dispose(&found);
    return status;
}

/* ---- the dump ---- */

/* What the roots keep, over all classes. */
static void sum_up(struct looking *in)
{
    for (uint32_t i = 0; i < fl_heap_class_count(in->heap); i++) {
        in->out->objects += fl_heap_class_at(in->heap, i)->reached;
        in->out->bytes += fl_heap_class_at(in->heap, i)->reached_bytes;
    }
}

/* Of a dump without its roots nobody knows what is kept: it has figures and no findings. */
static fl_status look(struct looking *in)
{
    sum_up(in);
    if (!fl_heap_has_roots(in->heap))
        return FL_OK;
    fl_status status = look_at_collections(in);
    if (status == FL_OK)
        status = look_at_loaders(in);
    if (status == FL_OK)
        status = look_at_finalizers(in);
    for (size_t i = 0; i < in->state_count && status == FL_OK; i++)
        status = add(in, &in->states[i]);
    return status;
}

fl_status fl_heap_alone_read(fl_heap_alone *out, const fl_heap_alone_from *from, fl_arena *arena,
                             fl_error *err)
{
    assert(out != NULL && from->path != NULL);
    fl_heap_opened opened = {0};
    fl_error own = {0};
    const fl_heap_wanted wanted = {.options = {.layout = FL_HEAP_LAYOUT_INFER}};
    struct looking in = {.out = out, .arena = arena, .err = &own};
    *out = (fl_heap_alone){0};
    fl_status status =
        fl_rules_create(&in.rules, from->signatures, from->signature_count, FL_LEAK_IN_HEAPS, &own);
    if (status == FL_OK)
        status = fl_heap_open(&opened, from->path,
                              from->temp_folder != NULL ? from->temp_folder : "/var/tmp", &own);
    if (status == FL_OK)
        status = fl_heap_make(&opened, &wanted, &own);
    if (status == FL_OK) {
        const fl_error *damage = fl_hprof_damage(opened.dump);
        in.heap = opened.heap;
        out->time_ns = fl_hprof_facts_of(opened.dump).time_ns;
        if (damage != NULL)
            out->damage = fl_arena_printf(arena, "%s, at byte %llu", damage->message,
                                          (unsigned long long)damage->offset);
        status = look(&in);
    }
    fl_heap_close(&opened);
    fl_rules_destroy(in.rules);
    return status == FL_OK
               ? FL_OK
               : fl_fail(err, status, own.offset, "%.90s: %.90s", from->path, own.message);
}
