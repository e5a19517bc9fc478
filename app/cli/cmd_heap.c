/*
 * cmd_heap.c - heap dumps of Java programs: what fills the heap.
 *
 * The dump stays open while the answer is written, since names point into it. Damage of the dump
 * costs the answer nothing that stands before it: it is said above the figures, on standard error
 * and by the exit code.
 */
#include <assert.h>
#include <string.h>

#include "args.h"
#include "census.h"
#include "heap.h"
#include "heap_collections_view.h"
#include "heap_open.h"
#include "heap_oql_view.h"
#include "heap_paths_view.h"
#include "heap_show.h"
#include "heap_view.h"
#include "hprof.h"
#include "location.h"
#include "mem.h"
#include "oql.h"
#include "slice.h"

enum { DEFAULT_TOP = 30, DEFAULT_DEPTH = 3, MAX_DEPTH = 100 };

static const char *const views[] = {"histogram",  "paths", "collections", "loaders",     "threads",
                                    "finalizers", "top",   "dominators",  "unreachable", NULL};

static const char *const layouts[] = {"infer",   "compressed",   "wide", "full",
                                      "compact", "compact-wide", "32",   NULL};
_Static_assert(FL_COUNT(layouts) == FL_HEAP_LAYOUT_COUNT + 1, "each layout can be asked for");

static size_t top_of(const fl_args *args)
{
    return fl_args_has(args, "top") ? fl_args_count(args, "top") : DEFAULT_TOP;
}

/* The table has made sure that it is one of them. */
static fl_heap_layout layout_of(const fl_args *args)
{
    const char *name = fl_args_text(args, "layout");
    size_t i = 0;
    while (strcmp(layouts[i], name) != 0)
        i++;
    assert(i < FL_HEAP_LAYOUT_COUNT);
    return (fl_heap_layout)i;
}

static bool is_indexed(const fl_args *args)
{
    return fl_args_flag(args, "index") || fl_args_has(args, "index-file");
}

static const char *folder_of(const fl_args *args)
{
    const char *given = fl_args_text(args, "temp");
    return given != NULL ? given : fl_location_temp();
}

/* What is wrong with the dump, which the answer suffers from, and with the index, which it does
 * not. */
static bool warn_of_damage(fl_cli *cli, const fl_heap_opened *opened)
{
    const fl_error *damage = fl_hprof_damage(opened->dump);
    if (opened->note.status != FL_OK)
        fl_cli_complain(cli, "%s: %s", opened->index, opened->note.message);
    if (damage != NULL)
        fl_cli_complain(cli, "%s: %s (byte %llu)", opened->path, damage->message,
                        (unsigned long long)damage->offset);
    return damage != NULL;
}

/* Damage is known once the dump was read: the title is made last. `heap` NULL: the census alone was
 * asked for. */
static fl_heap_title title_of(const fl_args *args, const char *path, const fl_hprof *dump,
                              const fl_census *census, const fl_heap *heap)
{
    fl_hprof_facts facts = fl_hprof_facts_of(dump);
    fl_census_totals totals = fl_census_totals_of(census);
    return (fl_heap_title){
        .file = path,
        .version = facts.version,
        .id_bytes = facts.id_bytes,
        .time_ns = facts.time_ns,
        .file_bytes = facts.bytes,
        .damage = fl_hprof_damage(dump),
        .layout = totals.layout,
        .layout_given = layout_of(args) != FL_HEAP_LAYOUT_INFER,
        .without_roots = heap != NULL && !fl_heap_has_roots(heap),
        .objects = totals.objects,
        .bytes = totals.bytes,
    };
}

static fl_status put_histogram(fl_buf *out, const fl_args *args, const fl_hprof *dump,
                               const fl_census *census, const fl_heap *heap, fl_error *err)
{
    size_t count = fl_census_class_count(census);
    const fl_heap_class **rows = fl_mem_calloc(count, sizeof(fl_heap_class *));
    if (rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    for (size_t i = 0; i < count; i++)
        rows[i] = fl_census_class_at(census, (uint32_t)i);
    fl_heap_title title = title_of(args, args->operand, dump, census, heap);
    fl_heap_histogram histogram = fl_heap_histogram_of(rows, count, top_of(args), heap != NULL);
    (fl_args_wants_json(args) ? fl_heap_view_histogram_json : fl_heap_view_histogram)(out, &title,
                                                                                      &histogram);
    fl_mem_free(rows);
    return FL_OK;
}

/* The heap as the command line wants it, with as much as the question needs. */
static fl_status make_heap(fl_heap_opened *opened, const fl_args *args, bool without_tree,
                           bool classes_only, fl_error *err)
{
    const fl_heap_wanted wanted = {.options = {.layout = layout_of(args),
                                               .weak_keeps = fl_args_flag(args, "weak"),
                                               .without_tree = without_tree},
                                   .with_index = is_indexed(args),
                                   .index = fl_args_text(args, "index-file"),
                                   .classes_only = classes_only};
    return fl_heap_make(opened, &wanted, err);
}

/* Needs the census alone, where no index is wanted: memory by class, whatever the size of the
 * heap. */
static fl_status show_histogram(fl_buf *out, const fl_args *args, fl_heap_opened *opened,
                                fl_error *err)
{
    fl_census *census = NULL;
    fl_heap_source source = fl_hprof_source(opened->dump);
    if (is_indexed(args)) {
        fl_status made = make_heap(opened, args, true, true, err);
        return made != FL_OK ? made
                             : put_histogram(out, args, opened->dump, fl_heap_census(opened->heap),
                                             NULL, err);
    }
    fl_hprof_let_go(opened->dump);
    fl_status status = fl_census_create(&census, &source, layout_of(args), err);
    if (status == FL_OK)
        status = put_histogram(out, args, opened->dump, census, NULL, err);
    fl_census_destroy(census);
    return status;
}

/* The same with what each class retains: needs the whole graph. */
static fl_status show_retained(fl_buf *out, const fl_args *args, fl_heap_opened *opened,
                               fl_error *err)
{
    fl_status status = make_heap(opened, args, false, true, err);
    if (status != FL_OK)
        return status;
    return put_histogram(out, args, opened->dump, fl_heap_census(opened->heap), opened->heap, err);
}

/* The graph with as much as the question needs. */
static fl_status make_asked(fl_heap_opened *opened, const fl_oql *oql, const fl_args *args,
                            fl_error *err)
{
    fl_status status = make_heap(opened, args, !fl_oql_needs_tree(oql), false, err);
    if (status == FL_OK && fl_oql_needs_inbound(oql))
        status = fl_heap_index_inbound(opened->heap, err);
    return status;
}

/* Where in a query something is wrong is a place in the query, not in the dump. */
static fl_status fail_in_query(const fl_error *asked, fl_error *err)
{
    assert(asked->status != FL_OK);
    if (asked->offset == FL_NO_OFFSET)
        return fl_fail(err, asked->status, FL_NO_OFFSET, "%s", asked->message);
    return fl_fail(err, asked->status, FL_NO_OFFSET, "--oql, byte %llu: %s",
                   (unsigned long long)asked->offset, asked->message);
}

/* A query that is wrong is refused before the graph is made. */
static fl_status show_oql(fl_buf *out, const fl_args *args, fl_heap_opened *opened, fl_error *err)
{
    fl_oql *oql = NULL;
    fl_oql_answer *answer = NULL;
    fl_error asked = {0};
    const char *text = fl_args_text(args, "oql");
    size_t top = top_of(args);
    const fl_oql_options options = {.limit = top > 0 ? top : SIZE_MAX};
    fl_status status = fl_oql_parse(&oql, fl_slice_of(text), &asked);
    if (status == FL_OK)
        status = make_asked(opened, oql, args, err);
    if (status == FL_OK)
        status = fl_oql_run(&answer, oql, opened->heap, &options, &asked);
    if (status == FL_OK) {
        const fl_heap *heap = opened->heap;
        fl_heap_title title =
            title_of(args, opened->path, opened->dump, fl_heap_census(heap), heap);
        const fl_heap_oql_view view = {&title, heap, text, fl_oql_table_of(answer)};
        (fl_args_wants_json(args) ? fl_heap_view_oql_json : fl_heap_view_oql)(out, &view);
        status = fl_buf_check(out, "the answer", err);
    } else if (asked.status != FL_OK) {
        status = fail_in_query(&asked, err);
    }
    fl_oql_answer_destroy(answer);
    fl_oql_destroy(oql);
    return status;
}

/* All that is found, while it is there. */
static fl_status put_collections(fl_buf *out, const fl_args *args, const fl_heap_title *title,
                                 const fl_heap *heap, fl_error *err)
{
    fl_heap_collections collections = {0};
    fl_heap_strings strings = {0};
    fl_heap_locals locals = {0};
    fl_heap_faults faults = {0};
    size_t top = top_of(args);
    fl_status status = fl_heap_collections_find(&collections, heap, err);
    if (status == FL_OK)
        status = fl_heap_strings_find(&strings, heap, top > 0 ? top : SIZE_MAX, err);
    if (status == FL_OK)
        status = fl_heap_locals_find(&locals, heap, err);
    if (status == FL_OK)
        status = fl_heap_faults_find(&faults, heap, &collections, &locals, &strings, err);
    const fl_heap_contents contents = {title, heap, &faults, &collections, &strings, &locals, top};
    if (status == FL_OK)
        status = (fl_args_wants_json(args) ? fl_heap_view_collections_json
                                           : fl_heap_view_collections)(out, &contents, err);
    fl_heap_faults_dispose(&faults);
    fl_heap_locals_dispose(&locals);
    fl_heap_strings_dispose(&strings);
    fl_heap_collections_dispose(&collections);
    return status;
}

static fl_status show_collections(fl_buf *out, const fl_args *args, fl_heap_opened *opened,
                                  fl_error *err)
{
    fl_status status = make_heap(opened, args, false, false, err);
    if (status != FL_OK)
        return status;
    const fl_heap *heap = opened->heap;
    fl_heap_title title = title_of(args, opened->path, opened->dump, fl_heap_census(heap), heap);
    return put_collections(out, args, &title, heap, err);
}

/* An address as every view writes it. */
static fl_status object_of(fl_heap_object *out, const fl_args *args, const fl_heap *heap,
                           fl_error *err)
{
    static const char digits[] = "0123456789abcdef";
    const char *text = fl_args_text(args, "object"), *digit = digits;
    uint64_t id = 0;
    if (text == NULL)
        return FL_OK;
    bool is_hex = text[0] == '0' && text[1] == 'x' && text[2] != '\0' && strlen(text) <= 18;
    for (size_t i = 2; is_hex && text[i] != '\0' && digit != NULL; i++) {
        digit = strchr(digits, text[i]);
        id = id << 4 | (uint64_t)(digit != NULL ? digit - digits : 0);
    }
    is_hex = is_hex && digit != NULL;
    *out = is_hex ? fl_heap_find(heap, id) : FL_HEAP_NONE;
    if (*out == FL_HEAP_NONE)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "--object %.40s: no object of the dump has this address; write it as 0x7f00",
                       text);
    return FL_OK;
}

static size_t depth_of(const fl_args *args)
{
    size_t depth = fl_args_has(args, "depth") ? fl_args_count(args, "depth") : DEFAULT_DEPTH;
    return depth > 0 && depth < MAX_DEPTH ? depth : MAX_DEPTH;
}

/* A view over the whole graph. */
static fl_status show_graph(fl_buf *out, const fl_args *args, fl_heap_opened *opened,
                            fl_heap_show_fn *view, fl_error *err)
{
    fl_status status = make_heap(opened, args, false, false, err);
    if (status != FL_OK)
        return status;
    const fl_heap *heap = opened->heap;
    fl_heap_title title = title_of(args, opened->path, opened->dump, fl_heap_census(heap), heap);
    fl_heap_object object = FL_HEAP_NONE;
    status = object_of(&object, args, heap, err);
    if (status != FL_OK)
        return status;
    const fl_heap_asked asked = {.title = &title,
                                 .heap = heap,
                                 .top = top_of(args),
                                 .as_json = fl_args_wants_json(args),
                                 .depth = depth_of(args),
                                 .object = object};
    return view(out, &asked, err);
}

/* One view a run: the question, or one of those over classes, collections, the graph. */
static fl_status show(fl_buf *out, const fl_args *args, fl_heap_opened *opened, fl_error *err)
{
    if (fl_args_has(args, "oql"))
        return show_oql(out, args, opened, err);
    fl_heap_show_fn *view = fl_heap_show_of(fl_args_text(args, "view"));
    if (view != NULL)
        return show_graph(out, args, opened, view, err);
    if (strcmp(fl_args_text(args, "view"), "collections") == 0)
        return show_collections(out, args, opened, err);
    return fl_args_flag(args, "retained") ? show_retained(out, args, opened, err)
                                          : show_histogram(out, args, opened, err);
}

/* --- paths --- */

/* A dump and what is remembered of its heap; the graph itself is gone. */
typedef struct kept {
    fl_heap_opened opened;
    fl_heap_record record; /* of one dump alone its paths only */
    fl_heap_title title;
} kept;

static fl_status read_kept(kept *out, const fl_args *args, const char *path, fl_error *err)
{
    fl_heap_opened *opened = &out->opened;
    fl_status status = fl_heap_open(opened, path, folder_of(args), err);
    if (status == FL_OK)
        status = make_heap(opened, args, false, false, err);
    if (status == FL_OK) {
        out->title = title_of(args, path, opened->dump, fl_heap_census(opened->heap), opened->heap);
        uint64_t least = (uint64_t)((double)out->title.bytes * FL_HEAP_RECORD_SHARE);
        if (args->more_count == 0)
            status =
                fl_heap_paths_create(&out->record.paths, opened->heap, least > 0 ? least : 1, err);
        else
            status = fl_heap_record_make(&out->record, opened->heap, err);
    }
    fl_heap_unmake(opened);
    return status;
}

/* Records first: names in titles point into the dumps. */
static void drop_kept(kept *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fl_heap_record_dispose(&all[i].record);
        fl_heap_close(&all[i].opened);
    }
}

/* By the times that they carry; of one time as they were given. */
static void order_kept(kept *all, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        kept here = all[i];
        size_t k = i;
        for (; k > 0 && all[k - 1].title.time_ns > here.title.time_ns; k--)
            all[k] = all[k - 1];
        all[k] = here;
    }
}

/* The dumps in the order of time, what grew in each of them, as text or as JSON. */
static fl_status show_growth(fl_buf *out, const fl_args *args, kept *all, size_t count,
                             fl_error *err)
{
    fl_heap_signs signs;
    const fl_heap_record *records[FL_HEAP_MAX_DUMPS];
    const fl_heap_title *titles[FL_HEAP_MAX_DUMPS];
    fl_arena arena = fl_arena_of(FL_MAX_HEAP_VIEW_BYTES);
    fl_heap_compared compared = {
        .titles = titles, .records = records, .count = count, .signs = &signs};
    assert(count >= 2 && count <= FL_HEAP_MAX_DUMPS);
    order_kept(all, count);
    for (size_t i = 0; i < count; i++) {
        records[i] = &all[i].record;
        titles[i] = &all[i].title;
    }
    fl_status status = fl_heap_signs_find(&signs, records, count, &arena, err);
    if (status == FL_OK)
        (fl_args_wants_json(args) ? fl_heap_view_growth_json : fl_heap_view_growth)(out, &compared);
    fl_arena_dispose(&arena);
    return status;
}

/* One dump: the tree; several: what grew. */
static fl_status show_kept(fl_buf *out, fl_cli *cli, const fl_args *args, bool *is_damaged,
                           fl_error *err)
{
    fl_status status = FL_OK;
    size_t count = args->more_count + 1, done = 0;
    kept *all = fl_mem_calloc(count, sizeof(*all));
    if (all == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    for (; done < count && status == FL_OK; done++)
        status = read_kept(&all[done], args, done == 0 ? args->operand : args->more[done - 1], err);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        *is_damaged |= warn_of_damage(cli, &all[i].opened);
    if (status == FL_OK && count > 1)
        status = show_growth(out, args, all, count, err);
    else if (status == FL_OK)
        (fl_args_wants_json(args) ? fl_heap_view_paths_json : fl_heap_view_paths)(
            out, &all[0].title, all[0].record.paths, top_of(args));
    drop_kept(all, done);
    fl_mem_free(all);
    return status;
}

static fl_status show_classes(fl_buf *out, fl_cli *cli, const fl_args *args, bool *is_damaged,
                              fl_error *err)
{
    fl_heap_opened opened;
    fl_status status = fl_heap_open(&opened, args->operand, folder_of(args), err);
    if (status == FL_OK)
        status = show(out, args, &opened, err);
    if (status == FL_OK)
        *is_damaged = warn_of_damage(cli, &opened);
    fl_heap_close(&opened);
    return status;
}

/* An option that would change nothing was meant for something else: NULL, or what to say of it. */
static const char *misuse_of(const fl_args *args)
{
    const char *view = fl_args_text(args, "view");
    bool has_query = fl_args_has(args, "oql"), has_view = fl_args_has(args, "view");
    if (args->more_count > 0 && has_view && strcmp(view, "paths") != 0)
        return "heap: --view is of one dump; several are compared by their paths";
    if (args->more_count > 0 && fl_args_has(args, "index-file"))
        return "heap: --index-file is of one dump; --index keeps one beside each";
    if (has_query && has_view)
        return "heap: --oql asks a question of its own, without --view";
    if ((fl_args_has(args, "object") || fl_args_has(args, "depth")) &&
        strcmp(view, "dominators") != 0)
        return "heap: --object and --depth are of --view dominators";
    if (fl_args_flag(args, "retained") &&
        (args->more_count > 0 || has_query || strcmp(view, "histogram") != 0))
        return "heap: --retained is of the histogram; the other views have it anyhow";
    return NULL;
}

/* A dump that ends early is an answer with a warning, and an exit code of its own. */
static fl_exit run_heap(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_buf out = fl_buf_of(FL_MAX_HEAP_VIEW_BYTES);
    bool is_damaged = false;
    assert(args->operand != NULL);
    if (args->more_count >= FL_HEAP_MAX_DUMPS ||
        (args->more_count > 0 && fl_args_has(args, "oql"))) {
        fl_cli_complain(cli, "heap: one dump, or up to %d to compare; --oql asks about one",
                        FL_HEAP_MAX_DUMPS);
        return FL_EXIT_USAGE;
    }
    bool by_path = args->more_count > 0 ||
                   (strcmp(fl_args_text(args, "view"), "paths") == 0 && !fl_args_has(args, "oql"));
    const char *misuse = misuse_of(args);
    if (misuse != NULL) {
        fl_cli_complain(cli, "%s", misuse);
        return FL_EXIT_USAGE;
    }
    fl_status status = (by_path ? show_kept : show_classes)(&out, cli, args, &is_damaged, &err);
    fl_exit code = fl_cli_finish(cli, &out, status, &err);
    return code == FL_EXIT_OK && is_damaged ? FL_EXIT_PARTIAL : code;
}

static const fl_option options[] = {
    {.name = "view",
     .kind = FL_OPTION_CHOICE,
     .argument = "VIEW",
     .choices = views,
     .fallback = "histogram",
     .help =
         "histogram: the classes; paths: who keeps the heap, from the roots down; collections:"
         " how full maps and lists are and how their entries spread, repeated texts,"
         " ThreadLocals, and what that proves; loaders: class loaders, and those that are there"
         " more than once; threads: what each thread keeps, with its stack and its ThreadLocals,"
         " and virtual threads; finalizers: what waits for its finalizer, and references;"
         " top: what keeps most, by object, class, package and loader; dominators: the tree of"
         " what keeps what; unreachable: what no root keeps"},
    {.name = "top",
     .letter = 'n',
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .help = "At most so many rows (30); 0 is all"},
    {.name = "depth",
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .help = "Levels of the tree of --view dominators (3, at most 100); 0 is all of these"},
    {.name = "object",
     .kind = FL_OPTION_TEXT,
     .argument = "ADDRESS",
     .help = "Where the tree of --view dominators begins: an address out of another view"},
    {.name = "retained",
     .kind = FL_OPTION_FLAG,
     .help = "What the instances of each class keep alive, together; needs some 35 bytes of memory"
             " an object"},
    {.name = "oql",
     .kind = FL_OPTION_TEXT,
     .argument = "QUERY",
     .help = "Ask about objects in the query language of Eclipse MAT (docs/oql.md)"},
    {.name = "weak",
     .kind = FL_OPTION_FLAG,
     .help = "Soft, weak and phantom references keep what they refer to, which they do not"
             " otherwise"},
    {.name = "layout",
     .kind = FL_OPTION_CHOICE,
     .argument = "LAYOUT",
     .choices = layouts,
     .fallback = "infer",
     .help = "How the virtual machine lays objects out, which the dump does not say: by default"
             " the layout in which most neighbours of the dump touch"},
    {.name = "index",
     .kind = FL_OPTION_FLAG,
     .help = "Keep what was found in FILE.flx, and answer out of that where it is of this dump:"
             " opening it again then takes a fraction of the time (docs/formats/flx.md)"},
    {.name = "index-file",
     .kind = FL_OPTION_FILE,
     .argument = "PATH",
     .help = "The same with the index in PATH, where FILE's folder is not to be written to"},
    {.name = "temp",
     .kind = FL_OPTION_FOLDER,
     .argument = "DIR",
     .help = "Where a compressed dump is unpacked for the time of the run ($TMPDIR, or /var/tmp)"},
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_operand operand = {
    .name = "FILE",
    .help = "A heap dump in the format HPROF, as jmap, jcmd GC.heap_dump and"
            " -XX:+HeapDumpOnOutOfMemoryError write it; plain, gzip or zstd",
    .required = true,
    .is_path = true,
    .more = "FILE",
    .more_help =
        "later dumps of the same program: what grew in each of them, with the verdict leak,"
        " no-leak or, where one was cut, not-enough-data",
};

static const fl_example examples[] = {
    {"faultline heap app.hprof", "which classes fill the heap"},
    {"faultline heap app.hprof --view paths", "who keeps them"},
    {"faultline heap early.hprof app.hprof", "what grew, and through which static"},
    {"faultline heap app.hprof --retained --index", "the first time slow, from then on at once"},
    {"faultline heap a.hprof b.hprof c.hprof", "what grew each time: what was only loaded between"
                                               " the first two is none of it"},
    {"faultline heap app.hprof.gz --top 0 --format json", "all of them, for a program"},
    {"faultline heap app.hprof --oql \"SELECT h, h.size FROM INSTANCEOF java.util.HashMap h WHERE"
     " h.table.@length > 1000\"",
     "the large maps"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the view was printed"},
    {FL_EXIT_ERROR, "the file is no heap dump, or cannot be read"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "the dump is cut or damaged, and what stands before that was used"},
};

const fl_command fl_cmd_heap = {
    .name = "heap",
    .summary = "what fills the heap of a Java program, from heap dumps",
    .description =
        "Reads a heap dump (HPROF 1.0.1 and 1.0.2, of Java 8 to 25 and of any collector) and says"
        " how many instances each class has, how many bytes they take, and with --retained what "
        "they keep alive.\n"
        "A dump is mapped into memory and may be larger than it. One that ends early is read as"
        " far as it goes.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_heap,
};
