/*
 * mcp_tools.c - a tool is a command: its arguments become the words of a command line, and what the
 * command prints is the answer. So an assistant sees what a person sees, with the same checks, and
 * the line itself is how to see it again.
 *
 * Values never become options: they stand behind "--name=" or after "--".
 *
 * Files: an assistant may be talked into reading some, by what it has read. A tool reads only below
 * the folders that were named when the server was started, after links were followed; without such
 * a folder the tools that read files are not there at all.
 */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "mcp_tools.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faultline/triage.h"
#include "location.h"
#include "slice.h"
#include "timestamp.h"

enum { MAX_WORDS = 3 * FL_MCP_MAX_VALUES, MAX_COMMAND_WORDS = 3, COLUMNS = 100 };
/* Who waits holds one of the daemon's workers, of which there are eight at least. */
enum { MAX_WAITING = 3 };

typedef enum use {
    AS_TEXT,
    AS_PATH,    /* of a file below the roots */
    AS_SERVED,  /* SERVICE=PATH, or PATH alone */
    AS_LIST,    /* SERVICE=PATH,PATH..., or paths alone */
    AS_DOCUMENT /* the text is the file */
} use;

/* How the arguments of a tool, in their order, become words. */
typedef struct plan {
    const char *words[MAX_COMMAND_WORDS];
    struct plan_argument {
        const char *option; /* NULL: an operand */
        use use;
    } arguments[FL_MCP_MAX_ARGUMENTS];
    bool reads_files, keeps_no_answer; /* the latter: --store none unless writing is allowed */
    bool has_no_store;
} plan;

#define INCIDENT_ID                                                                                \
    {                                                                                              \
        .name = "incident", .kind = FL_MCP_TEXT, .required = true,                                 \
        .help = "The incident's id, or enough of its beginning"                                    \
    }

static const fl_mcp_tool tools[] = {
    {.name = "incidents",
     .title = "List incidents",
     .description = "The latest incidents that are kept: id, time, verdict and first cause.",
     .arguments = {{.name = "limit",
                    .kind = FL_MCP_COUNT,
                    .most = 100,
                    .help = "How many; 20 where it is not said"}}},
    {.name = "incident",
     .title = "Show an incident",
     .description = "One incident: ranked hypotheses with probabilities, the evidence of each with "
                    "its figures and the query that shows it again, what was ruled out and what "
                    "was missing.",
     .arguments = {INCIDENT_ID}},
    {.name = "graph_paths",
     .title = "Causes and fixes that are known",
     .description = "What the knowledge graph knows for symptoms: paths from symptom to cause to "
                    "fix, best first, each with confidence, a 90 % interval and what it rests on. "
                    "Give one of incident, service and symptoms.",
     .arguments = {{.name = "incident", .help = "Symptoms of this incident: its id"},
                   {.name = "service", .help = "Symptoms of this service's incidents: its name"},
                   {.name = "symptoms",
                    .kind = FL_MCP_TEXTS,
                    .help = "Symptoms by their keys, such as metric|cpu|container.cpu.usage"},
                   {.name = "most",
                    .kind = FL_MCP_COUNT,
                    .most = 50,
                    .help = "How many causes, and fixes of each"}}},
    {.name = "similar",
     .title = "Find similar incidents",
     .description = "Incidents of the past that look like one, why, what they were and what helped "
                    "then. Give an incident or symptoms.",
     .arguments = {{.name = "incident", .help = "The id of the incident to compare with"},
                   {.name = "symptoms",
                    .kind = FL_MCP_TEXTS,
                    .help = "Symptoms by their keys, in place of an incident"},
                   {.name = "limit",
                    .kind = FL_MCP_COUNT,
                    .most = 50,
                    .help = "How many; 5 where it is not said"}}},
    {.name = "recommend",
     .title = "Advise a new service",
     .description = "What the knowledge graph advises before a service is launched: settings, "
                    "limits, upgrades, alerts and checks, each with the path that leads to it.",
     .arguments = {{.name = "service",
                    .required = true,
                    .help = "The service as YAML or JSON: name, kind, components (name, version), "
                            "config, depends_on"}}},
    {.name = "triage",
     .title = "Find the cause of an incident",
     .description = "Rank root causes from telemetry files: OTLP logs, traces and metrics (JSON "
                    "lines or protobuf, plain or compressed) around a time.",
     .arguments = {{.name = "otlp",
                    .kind = FL_MCP_TEXTS,
                    .required = true,
                    .help = "Files or folders of telemetry on the server's machine"},
                   {.name = "at",
                    .required = true,
                    .help = "When trouble was seen: RFC 3339, such as 2026-01-29T09:34:00Z"},
                   {.name = "service", .help = "The service whose symptom was reported"},
                   {.name = "baseline",
                    .kind = FL_MCP_TEXTS,
                    .help = "Files of telemetry from before, to compare with"},
                   {.name = "events", .kind = FL_MCP_TEXTS, .help = "Files of change events"},
                   {.name = "profiles",
                    .kind = FL_MCP_TEXTS,
                    .help = "Profiles beside the telemetry: SERVICE=FOLDER, or a folder with one "
                            "for each service"},
                   {.name = "traces",
                    .kind = FL_MCP_TEXTS,
                    .help = "Execution traces of Go programs: SERVICE=FILE"},
                   {.name = "heaps",
                    .kind = FL_MCP_TEXTS,
                    .help = "Heap dumps or class histograms of Java programs: "
                            "SERVICE=FILE,FILE; two of different times show what grows"},
                   {.name = "gc_logs",
                    .kind = FL_MCP_TEXTS,
                    .help = "Garbage collection logs of Java programs: SERVICE=FILE"},
                   {.name = "recordings",
                    .kind = FL_MCP_TEXTS,
                    .help = "Flight Recorder recordings of Java programs: SERVICE=FILE"}}},
    {.name = "leak_analysis",
     .title = "Find leaks in profiles",
     .description = "Memory and goroutine leaks from a series of profiles (pprof, heap, goroutine "
                    "dumps, heap dumps of Java programs): verdict, signature, the frames and types "
                    "that grow, and the fix.",
     .arguments = {{.name = "profiles",
                    .kind = FL_MCP_TEXTS,
                    .required = true,
                    .help = "Files or a folder of profiles of one program, on the server's "
                            "machine"}}},
    {.name = "confirm",
     .title = "Confirm a cause",
     .description = "Tell the knowledge graph what the cause of an incident was, and what fixed "
                    "it. Only where a person said so.",
     .arguments = {INCIDENT_ID,
                   {.name = "cause", .help = "The cause, where it is not the first hypothesis"},
                   {.name = "fix", .help = "What fixed it"},
                   {.name = "note", .help = "Kept with the evidence"}},
     .writes = true},
    {.name = "reject",
     .title = "Reject a cause",
     .description = "Tell the knowledge graph what the cause of an incident was not. Only where a "
                    "person said so.",
     .arguments = {INCIDENT_ID,
                   {.name = "why", .required = true, .help = "What speaks against it"},
                   {.name = "cause", .help = "The cause, where it is not the first hypothesis"}},
     .writes = true},
};

#define AUTHOR "--author=an assistant (MCP)"
/* In the order of `tools`. */
static const plan plans[] = {
    {.words = {"incidents"}, .arguments = {{.option = "limit"}}},
    {.words = {"show"}},
    {.words = {"graph", "paths"},
     .arguments =
         {{"incident", AS_TEXT}, {"service", AS_TEXT}, {"symptom", AS_TEXT}, {"most", AS_TEXT}}},
    {.words = {"similar"},
     .arguments = {{NULL, AS_TEXT}, {"symptom", AS_TEXT}, {"limit", AS_TEXT}}},
    {.words = {"recommend"}, .arguments = {{"service", AS_DOCUMENT}}},
    {.words = {"triage"},
     .arguments = {{"otlp", AS_PATH},
                   {"at", AS_TEXT},
                   {"service", AS_TEXT},
                   {"baseline", AS_PATH},
                   {"events", AS_PATH},
                   {"pprof", AS_SERVED},
                   {"trace", AS_SERVED},
                   {"heap", AS_LIST},
                   {"gc-log", AS_SERVED},
                   {"jfr", AS_SERVED}},
     .reads_files = true,
     .keeps_no_answer = true},
    {.words = {"leak"}, .arguments = {{NULL, AS_PATH}}, .reads_files = true, .has_no_store = true},
    {.words = {"confirm", AUTHOR},
     .arguments = {{NULL, AS_TEXT}, {"cause", AS_TEXT}, {"fix", AS_TEXT}, {"note", AS_TEXT}}},
    {.words = {"reject", AUTHOR},
     .arguments = {{NULL, AS_TEXT}, {"why", AS_TEXT}, {"cause", AS_TEXT}}},
};

static const plan *plan_of(const fl_mcp_tool *tool)
{
    for (size_t i = 0; i < FL_COUNT(tools); i++)
        if (strcmp(tools[i].name, tool->name) == 0)
            return &plans[i];
    assert(false);
    return NULL;
}

/* --- words --- */

typedef struct line {
    fl_mcp_tools *tools;
    fl_mcp_call *call;
    char *words[MAX_WORDS];
    size_t count;
    char *operands[FL_MCP_MAX_VALUES];
    size_t operand_count;
    FILE *document;
    const char *document_path;
} line;

static bool refuse(fl_mcp_call *call, const char *why, const char *what)
{
    fl_buf_printf(&call->text, "%s: '%.200s'", why, what);
    call->has_failed = true;
    return false;
}

/* `text` is the arena's, or static; NULL: there was no memory. */
static bool add_word(line *l, const char *text)
{
    if (text == NULL || l->count + 2 >= MAX_WORDS)
        return refuse(l->call, "there are too many arguments to", l->call->tool->name);
    l->words[l->count++] = (char *)(uintptr_t)text;
    return true;
}

static bool is_below(const char *path, const char *root)
{
    size_t len = strlen(root);
    assert(len > 0 && root[0] == '/');
    return strncmp(path, root, len) == 0 &&
           (path[len] == '/' || path[len] == '\0' || root[len - 1] == '/');
}

/* The file's own path, without links; NULL after a refusal, which is the same whether there is such
 * a file or not. */
static const char *allowed_path(line *l, const char *asked)
{
    char real[PATH_MAX];
    assert(asked != NULL && l->tools->root_count <= FL_MCP_MAX_ROOTS);
    if (realpath(asked, real) != NULL)
        for (size_t i = 0; i < l->tools->root_count; i++)
            if (is_below(real, l->tools->roots[i]))
                return fl_arena_cstr(l->call->arena, fl_slice_of(real));
    (void)refuse(l->call, "there is no such file below the folders of --files", asked);
    return NULL;
}

/* Bytes of "SERVICE=" before a path: as triage takes them apart, so that no part of what is checked
 * here as a path is a service there, or the other way round. */
static size_t service_bytes(const char *asked)
{
    const char *equals = strchr(asked, '='), *slash = strchr(asked, '/');
    bool is_named = equals != NULL && equals > asked && (slash == NULL || equals < slash);
    return is_named ? (size_t)(equals - asked) + 1 : 0;
}

/* Each file behind the service's name. A comma in a file's own path would be two files to triage,
 * of which nobody looked at the second. */
static const char *allowed_served(line *l, const char *asked, bool is_list)
{
    size_t head = service_bytes(asked);
    const char *text = fl_arena_printf(l->call->arena, "%.*s", (int)head, asked), *between = "";
    for (const char *rest = asked + head; rest != NULL && text != NULL;) {
        size_t len = is_list ? strcspn(rest, ",") : strlen(rest);
        const char *part =
            fl_arena_cstr(l->call->arena, (fl_slice){(const unsigned char *)rest, len});
        const char *path = part != NULL ? allowed_path(l, part) : NULL;
        if (path == NULL)
            return NULL;
        if (is_list && strchr(path, ',') != NULL) {
            (void)refuse(l->call, "a file with a comma in its path cannot be given", asked);
            return NULL;
        }
        text = fl_arena_printf(l->call->arena, "%s%s%s", text, between, path);
        between = ",";
        rest = rest[len] == ',' ? rest + len + 1 : NULL;
    }
    return text;
}

/* A file without a name, for as long as the command runs. */
static const char *document_of(line *l, const char *text)
{
    size_t len = strlen(text);
    l->document = tmpfile();
    if (l->document == NULL || fwrite(text, 1, len, l->document) != len ||
        fflush(l->document) != 0) {
        (void)refuse(l->call, "there is no room for a document of", l->call->tool->name);
        return NULL;
    }
    l->document_path = fl_arena_printf(l->call->arena, "/proc/self/fd/%d", fileno(l->document));
    return l->document_path;
}

static bool add_value(line *l, const struct plan_argument *as, const char *value)
{
    if (as->use == AS_PATH)
        value = allowed_path(l, value);
    else if (as->use == AS_SERVED || as->use == AS_LIST)
        value = allowed_served(l, value, as->use == AS_LIST);
    else if (as->use == AS_DOCUMENT)
        value = document_of(l, value);
    if (value == NULL)
        return false;
    if (as->option != NULL)
        return add_word(l, fl_arena_printf(l->call->arena, "--%s=%s", as->option, value));
    assert(l->operand_count < FL_MCP_MAX_VALUES);
    l->operands[l->operand_count++] = (char *)(uintptr_t)value;
    return true;
}

static bool add_values(line *l, const plan *how)
{
    for (size_t i = 0; i < l->call->given_count; i++) {
        const fl_mcp_given *given = &l->call->given[i];
        size_t at = (size_t)(given->argument - l->call->tool->arguments);
        assert(at < FL_MCP_MAX_ARGUMENTS && given->count <= FL_MCP_MAX_VALUES);
        for (size_t k = 0; k < given->count; k++)
            if (!add_value(l, &how->arguments[at], given->values[k]))
                return false;
    }
    return true;
}

static bool make_line(line *l, const plan *how)
{
    bool ok = add_word(l, "faultline");
    for (size_t i = 0; ok && i < MAX_COMMAND_WORDS && how->words[i] != NULL; i++)
        ok = add_word(l, how->words[i]);
    ok = ok && add_values(l, how);
    if (ok && how->keeps_no_answer && !l->tools->mcp.allows_writing)
        ok = add_word(l, "--store=none");
    else if (ok && !how->has_no_store && l->tools->store[0] != '\0')
        ok = add_word(l, fl_arena_printf(l->call->arena, "--store=%s", l->tools->store));
    if (ok && l->operand_count > 0)
        ok = add_word(l, "--");
    for (size_t i = 0; ok && i < l->operand_count; i++)
        ok = add_word(l, l->operands[i]);
    return ok;
}

/* As a shell takes it, without the store's password, and with a name for what has none. */
static void cite(const line *l)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_=./:,+@%";
    char shown[FL_LOCATION_BYTES];
    assert(l->call->again.len == 0);
    for (size_t i = 0; i < l->count; i++) {
        const char *word = l->words[i];
        if (l->document_path != NULL && strstr(word, l->document_path) != NULL)
            word = "--service=FILE";
        fl_buf_text(&l->call->again, i > 0 ? " " : "");
        if (strncmp(word, "--store=", 8) == 0) {
            fl_location_show(shown, word + 8);
            fl_buf_text(&l->call->again, "--store=");
            word = shown;
        }
        if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
            fl_buf_text(&l->call->again, word);
            continue;
        }
        fl_buf_char(&l->call->again, '\'');
        for (const char *c = word; *c != '\0'; c++)
            if (*c == '\'')
                fl_buf_text(&l->call->again, "'\\''");
            else
                fl_buf_char(&l->call->again, (unsigned char)*c >= ' ' ? *c : ' ');
        fl_buf_char(&l->call->again, '\'');
    }
}

/* --- a run --- */

/* What stands in the stream, up to what a buffer takes. */
static void read_back(fl_buf *out, FILE *from)
{
    char block[4096];
    size_t len;
    rewind(from);
    while (out->status == FL_OK && (len = fread(block, 1, sizeof(block), from)) > 0)
        fl_buf_add(out, (fl_slice){.ptr = (unsigned char *)block, .len = len});
    if (out->status == FL_E_LIMIT)
        out->status = FL_OK; /* it is cut further down anyway */
}

/* What it printed, or what it complained of; the name of a file that has none is not shown. */
static void take_output(line *l, fl_slice said)
{
    size_t len = l->document_path != NULL ? strlen(l->document_path) : 0;
    while (len > 0) {
        size_t at = fl_slice_find(said, fl_slice_of(l->document_path));
        assert(at <= said.len);
        fl_buf_add(&l->call->text, fl_slice_part(said, 0, at));
        if (at == said.len)
            return;
        fl_buf_text(&l->call->text, "the service");
        said = fl_slice_part(said, at + len, said.len);
    }
    fl_buf_add(&l->call->text, said);
}

/* Streams that a command writes to as it ever does: files without a name. */
static void run_line(line *l)
{
    fl_buf said = fl_buf_of(FL_MCP_MAX_REPLY_BYTES / 2);
    fl_cli cli = {
        .out = tmpfile(), .err = tmpfile(), .now_ns = fl_time_now(), .style = {.width = COLUMNS}};
    assert(l->count > 1 && l->count < MAX_WORDS);
    l->call->has_failed = true;
    if (cli.out != NULL && cli.err != NULL) {
        fl_exit code = fl_cli_run(&cli, (int)l->count, l->words);
        l->call->has_failed = code == FL_EXIT_ERROR || code == FL_EXIT_USAGE;
        if (!l->call->has_failed)
            read_back(&said, cli.out);
        if (said.len == 0)
            read_back(&said, cli.err);
        take_output(l, fl_buf_slice(&said));
    } else {
        fl_buf_text(&l->call->text, "there is no room for temporary files");
    }
    if (cli.out != NULL)
        (void)fclose(cli.out);
    if (cli.err != NULL)
        (void)fclose(cli.err);
    fl_buf_dispose(&said);
}

static void run_tool(void *payload, fl_mcp_call *call)
{
    fl_mcp_tools *own = payload;
    assert(own != NULL && call != NULL && call->text.len == 0);
    const plan *how = plan_of(call->tool);
    line l = {.tools = own, .call = call};
    if (own->waiting++ >= MAX_WAITING) {
        own->waiting--;
        fl_buf_text(&call->text, "too many questions at once: ask again");
        call->has_failed = true;
        return;
    }
    (void)pthread_mutex_lock(&own->lock);
    if (make_line(&l, how)) {
        run_line(&l);
        cite(&l);
    }
    if (l.document != NULL)
        (void)fclose(l.document);
    (void)pthread_mutex_unlock(&own->lock);
    own->waiting--;
}

/* --- what is offered --- */

fl_status fl_mcp_tools_init(fl_mcp_tools *out, const fl_mcp_tools_options *options, fl_error *err)
{
    size_t count = 0;
    assert(FL_COUNT(tools) == FL_COUNT(plans) && FL_COUNT(tools) <= FL_MCP_MAX_TOOLS);
    assert(out != NULL && options != NULL);
    *out = (fl_mcp_tools){.arena = fl_arena_of(FL_MCP_MAX_ROOTS * PATH_MAX)};
    (void)pthread_mutex_init(&out->lock, NULL);
    if (options->store != NULL && strlen(options->store) >= sizeof(out->store))
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "the store's name is too long");
    if (options->store != NULL)
        memcpy(out->store, options->store, strlen(options->store) + 1);
    for (size_t i = 0; i < options->root_count && i < FL_MCP_MAX_ROOTS; i++) {
        char real[PATH_MAX];
        const char *kept = realpath(options->roots[i], real) != NULL
                               ? fl_arena_cstr(&out->arena, fl_slice_of(real))
                               : NULL;
        if (kept == NULL)
            return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "there is no folder %.200s",
                           options->roots[i]);
        out->roots[out->root_count++] = kept;
    }
    for (size_t i = 0; i < FL_COUNT(tools); i++)
        if (!plans[i].reads_files || out->root_count > 0)
            out->offered[count++] = tools[i];
    out->mcp = (fl_mcp){.tools = out->offered,
                        .tool_count = count,
                        .allows_writing = options->allows_writing,
                        .version = fl_version(),
                        .max_answer_bytes = FL_MCP_MAX_ANSWER_BYTES,
                        .run = run_tool,
                        .payload = out};
    return FL_OK;
}

void fl_mcp_tools_dispose(fl_mcp_tools *own)
{
    assert(own != NULL && own->root_count <= FL_MCP_MAX_ROOTS);
    fl_arena_dispose(&own->arena);
    own->root_count = 0;
    (void)pthread_mutex_destroy(&own->lock);
}
