/*
 * cmd_profile.c - profiles by hand: the functions, the calls, two of them compared, the picture.
 *
 * "diff A B" is "top --base A B": the same table, of what B has more or less than A.
 */
#include <assert.h>
#include <string.h>

#include "args.h"
#include "faultline/profile.h"
#include "jfr_recording.h"
#include "mem.h"
#include "naming.h"
#include "pprof.h"
#include "profile_view.h"
#include "slice.h"

/* The cut-offs of pprof, and how many rows its trees have. */
#define NODE_FRACTION 0.005
#define EDGE_FRACTION 0.001
enum { TREE_ROWS = 80 };

typedef enum view { TOP, TREE, DIFF, FLAME } view;
static const char *const views[] = {"top", "tree", "diff", "flame", NULL};
static const char *const formats[] = {"text", "json", "svg", NULL};
static const char *const orders[] = {"flat", "cum", NULL};

/* The files of the command line; sources and profiles run in parallel. */
typedef struct loaded {
    fl_call_source *sources;
    fl_profile **profiles;
    fl_profile *
        *unnamed; /* with names to give: what a profile was before, whose texts it borrows */
    fl_naming *naming;
    size_t count, cap;
    char type[64]; /* that is counted; "": of the first file its default */
    bool has_base;
} loaded;

/* One of the choices: the table has made sure of it. */
static view view_of(const char *name)
{
    size_t i = 0;
    while (strcmp(views[i], name) != 0)
        i++;
    assert(i <= FLAME);
    return (view)i;
}

/* --- files --- */

/* The last profile, with the names that programs and source maps have for it. */
static fl_status give_names(loaded *all, fl_cli *cli, const char *path, fl_error *err)
{
    size_t at = all->count - 1;
    fl_profile *named;
    fl_naming_result result;
    assert(all->count > 0);
    fl_status status = fl_profile_create(&named, err);
    if (status != FL_OK)
        return status;
    all->unnamed[at] = all->profiles[at];
    all->profiles[at] = named;
    all->sources[at].profile = named;
    status = fl_naming_apply(named, all->naming, all->unnamed[at], &result, err);
    if (status == FL_OK && result.is_other_build)
        fl_cli_complain(
            cli, "%s: it is of another build than the program given, whose names are not used",
            path);
    return status;
}

/* What --binary and --source-map name. */
static fl_status load_names(loaded *all, const fl_args *args, fl_error *err)
{
    const char *given[FL_MAX_GIVEN];
    fl_status status = fl_naming_create(&all->naming, err);
    size_t count = fl_args_list(args, "binary", given);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = fl_naming_add_binary(all->naming, given[i], err);
    count = fl_args_list(args, "source-map", given);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = fl_naming_add_map(all->naming, given[i], err);
    return status;
}

/* A profile that fails is kept too, so that one place frees them. */
static fl_status load(loaded *all, fl_cli *cli, const char *path, bool is_base, fl_error *err)
{
    fl_pprof_options options = {
        .skip_zero = true, .in_logs = true, .skip_type = all->type[0] != '\0' ? all->type : NULL};
    assert(all->count < all->cap);
    fl_profile *profile = NULL;
    fl_status status = fl_profile_create(&profile, err);
    if (status != FL_OK)
        return status;
    all->profiles[all->count] = profile;
    all->sources[all->count++] =
        (fl_call_source){.profile = profile, .name = path, .is_base = is_base};
    all->has_base |= is_base;
    status = fl_jfr_sniff_file(path) ? fl_jfr_profile_file(profile, path, err)
                                     : fl_profile_read_file(profile, path, &options, err);
    if (status == FL_OK && all->type[0] == '\0' && profile->type_count > 0)
        snprintf(all->type, sizeof(all->type), "%.*s",
                 FL_SLICE_ARG(profile->types[profile->default_type].name));
    if (status == FL_OK && fl_naming_has_any(all->naming))
        status = give_names(all, cli, path, err);
    profile = all->profiles[all->count - 1];
    if (status == FL_OK && profile->clamped_values > 0)
        fl_cli_complain(cli, "%s: %llu values were beyond 2^62 and count as that", path,
                        (unsigned long long)profile->clamped_values);
    return status;
}

static fl_status reserve(loaded *all, size_t count, fl_error *err)
{
    all->cap = count;
    all->sources = fl_mem_calloc(count, sizeof(*all->sources));
    all->profiles = fl_mem_calloc(count, sizeof(fl_profile *));
    all->unnamed = fl_mem_calloc(count, sizeof(fl_profile *));
    return all->sources != NULL && all->profiles != NULL && all->unnamed != NULL
               ? FL_OK
               : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu files", count);
}

/* Bases come last, so that the first file's default type is the one that all are asked for. */
static fl_status load_all(loaded *all, fl_cli *cli, const fl_args *args, view shown, fl_error *err)
{
    const char *bases[FL_MAX_GIVEN];
    size_t base_count = fl_args_list(args, "base", bases);
    if (args->more_count == 0 || (shown == DIFF && args->more_count != 2))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       shown == DIFF ? "diff compares two files: FROM and TO"
                                     : "FILE is missing, as in: faultline profile top heap.pb.gz");
    fl_status status = reserve(all, args->more_count + base_count, err);
    const char *type = fl_args_text(args, "sample-type");
    snprintf(all->type, sizeof(all->type), "%s", type != NULL ? type : "");
    if (status == FL_OK)
        status = load_names(all, args, err);
    for (size_t i = shown == DIFF ? 1 : 0; i < args->more_count && status == FL_OK; i++)
        status = load(all, cli, args->more[i], false, err);
    if (shown == DIFF && status == FL_OK)
        status = load(all, cli, args->more[0], true, err);
    for (size_t i = 0; i < base_count && status == FL_OK; i++)
        status = load(all, cli, bases[i], true, err);
    return status;
}

/* In any state that load_all() leaves. */
static void unload(loaded *all)
{
    for (size_t i = 0; i < all->count; i++)
        fl_profile_destroy(all->profiles[i]);
    for (size_t i = 0; i < all->count; i++)
        fl_profile_destroy(all->unnamed[i]);
    fl_naming_destroy(all->naming);
    fl_mem_free(all->profiles);
    fl_mem_free(all->unnamed);
    fl_mem_free(all->sources);
}

/* --- what is shown --- */

/* Of the first that is no base; the earliest time, and all durations together, as merged profiles
 * have them. */
static fl_profile_title title_of(const loaded *all, const fl_call_query *query)
{
    const fl_profile *first = NULL;
    fl_profile_title title = {
        .focus = query->focus, .ignore = query->ignore, .node_fraction = query->node_fraction};
    for (size_t i = 0; i < all->count; i++) {
        const fl_profile *profile = all->profiles[i];
        if (first == NULL && !all->sources[i].is_base)
            first = profile;
        if (title.time_ns == 0 || profile->time_ns < title.time_ns)
            title.time_ns = profile->time_ns;
        title.duration_ns = fl_profile_add(title.duration_ns, profile->duration_ns);
    }
    assert(first != NULL);
    if (first->mapping_count > 0) {
        title.file = fl_profile_base_name(first->mappings[0].file);
        title.build_id = first->mappings[0].build_id;
    }
    title.comments = first->comments;
    title.comment_count = first->form == FL_PROFILE_FORM_PROTO ? first->comment_count : 0;
    title.doc_url = first->doc_url;
    return title;
}

/* A pattern that finds nothing is said: else an empty table looks like an empty profile. */
static void warn_unmatched(fl_cli *cli, const fl_call_query *query, const fl_callgraph *graph)
{
    if (query->focus != NULL && !graph->focus_matched)
        fl_cli_complain(cli, "--focus '%s' matches nothing", query->focus);
    if (query->ignore != NULL && !graph->ignore_matched)
        fl_cli_complain(cli, "--ignore '%s' matches nothing", query->ignore);
}

/* top and diff without calls, tree with them. */
static fl_status show_table(fl_buf *out, fl_cli *cli, const loaded *all, fl_call_query *query,
                            bool as_json, fl_error *err)
{
    fl_callgraph *graph = NULL;
    fl_status status = fl_callgraph_create(&graph, all->sources, all->count, query, err);
    if (status != FL_OK)
        return status;
    fl_profile_title title = title_of(all, query);
    warn_unmatched(cli, query, graph);
    if (query->with_edges)
        (as_json ? fl_profile_view_tree_json : fl_profile_view_tree)(out, graph, &title);
    else
        (as_json ? fl_profile_view_top_json : fl_profile_view_top)(out, graph, &title);
    fl_callgraph_destroy(graph);
    return FL_OK;
}

/* The first file, which is no base, names the picture. */
static fl_status show_flame(fl_buf *out, const loaded *all, const fl_call_query *query,
                            const char *format, fl_error *err)
{
    fl_call_tree *tree = NULL;
    fl_status status = fl_call_tree_create(&tree, all->sources, all->count, query, err);
    if (status != FL_OK)
        return status;
    if (strcmp(format, "text") == 0)
        status = fl_profile_view_folded(out, tree, all->has_base, err);
    else if (strcmp(format, "json") == 0)
        fl_profile_view_stacks_json(out, tree, all->has_base);
    else
        status = fl_profile_view_flame(out, tree, all->has_base, all->sources[0].name, err);
    fl_call_tree_destroy(tree);
    return status;
}

/* Cut-offs are not options: those of pprof are what figures are compared with. */
static fl_call_query query_of(const fl_args *args, view shown)
{
    fl_call_query query = {.type = fl_args_text(args, "sample-type"),
                           .focus = fl_args_text(args, "focus"),
                           .ignore = fl_args_text(args, "ignore"),
                           .node_fraction = NODE_FRACTION,
                           .edge_fraction = EDGE_FRACTION,
                           .node_count = shown == TREE ? TREE_ROWS : 0,
                           .by_cum = strcmp(fl_args_text(args, "sort"), "cum") == 0,
                           .with_edges = shown == TREE};
    if (fl_args_has(args, "nodecount"))
        query.node_count = fl_args_count(args, "nodecount");
    return query;
}

/* A view that is not for that format is a mistake in the command line. */
static fl_exit run_profile(fl_cli *cli, const fl_args *args)
{
    assert(args->operand != NULL); /* required, and one of the views */
    fl_error err = {0};
    view shown = view_of(args->operand);
    const char *format = fl_args_text(args, "format");
    fl_call_query query = query_of(args, shown);
    if (format == NULL)
        format = shown == FLAME ? "svg" : "text";
    if (strcmp(format, "svg") == 0 && shown != FLAME) {
        fl_cli_complain(cli, "--format svg is for flame; choose text or json");
        return FL_EXIT_USAGE;
    }
    loaded all = {0};
    fl_buf out = fl_buf_of(FL_MAX_PROFILE_VIEW_BYTES);
    fl_status status = load_all(&all, cli, args, shown, &err);
    if (status == FL_OK && shown == FLAME)
        status = show_flame(&out, &all, &query, format, &err);
    else if (status == FL_OK)
        status = show_table(&out, cli, &all, &query, strcmp(format, "json") == 0, &err);
    bool is_usage = status == FL_E_SYNTAX && all.count == 0;
    unload(&all);
    fl_exit code = fl_cli_finish(cli, &out, status, &err);
    return is_usage ? FL_EXIT_USAGE : code;
}

static const fl_option options[] = {
    {.name = "sample-type",
     .kind = FL_OPTION_TEXT,
     .argument = "TYPE",
     .help = "What to count, such as alloc_objects; without it the profile's default"},
    {.name = "nodecount",
     .letter = 'n',
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .help = "At most so many functions; 0 is all, and the default but for tree (80)"},
    {.name = "sort",
     .kind = FL_OPTION_CHOICE,
     .argument = "ORDER",
     .choices = orders,
     .fallback = "flat",
     .help = "What the functions are ordered by"},
    {.name = "focus",
     .kind = FL_OPTION_TEXT,
     .argument = "RE",
     .help = "Only stacks with a function or file that the pattern finds"},
    {.name = "ignore",
     .kind = FL_OPTION_TEXT,
     .argument = "RE",
     .help = "Only stacks without a function or file that the pattern finds"},
    {.name = "base",
     .kind = FL_OPTION_FILE,
     .repeatable = true,
     .argument = "FILE",
     .help = "Subtract this profile; percentages are then of its total"},
    {.name = "binary",
     .kind = FL_OPTION_FILE,
     .repeatable = true,
     .argument = "FILE",
     .help = "The program, or a library of it, that names addresses without a name (ELF)"},
    {.name = "source-map",
     .kind = FL_OPTION_FOLDER,
     .repeatable = true,
     .argument = "PATH",
     .help = "A source map, or a folder of .map files, of generated JavaScript"},
    {.name = "format",
     .kind = FL_OPTION_CHOICE,
     .argument = "FORMAT",
     .choices = formats,
     .help = "text, json, or for flame svg, its default; the text of flame is folded stacks"},
};

static const fl_operand operand = {.name = "VIEW",
                                   .help = "top: the functions; tree: with their callers and"
                                           " callees; diff: the functions of two files,"
                                           " subtracted; flame: a picture of the stacks",
                                   .required = true,
                                   .choices = views,
                                   .more = "FILE",
                                   .more_help = "profiles, added up; for diff FROM and TO"};

static const fl_example examples[] = {
    {"faultline profile top heap.pb.gz", "which functions hold the memory"},
    {"faultline profile diff --sample-type inuse_objects heap-1.pb.gz heap-2.pb.gz",
     "what there is more of in the second"},
    {"faultline profile flame cpu.pb.gz > cpu.svg", "a flame graph for the browser"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the view was printed"},
    {FL_EXIT_ERROR, "a file is no profile, or has no such sample type"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_profile = {
    .name = "profile",
    .summary = "look at profiles by hand: top, tree, diff, flame graph",
    .description =
        "Reads profiles in the format of pprof (Go, Node.js, Rust, Python and others write it) and"
        " Go's texts (debug=1 and debug=2), and recordings of a JVM's Flight Recorder (.jfr), "
        "plain or"
        " compressed, FILE or - for standard input, and"
        " shows which functions hold or"
        " spend what they count. The tables have the figures and the form of 'go tool pprof -top'"
        " and '-tree'.\n"
        "Of several files the sum is shown; they must have the sample type in common.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_profile,
};
