/*
 * cmd_watch.c - one incident as it goes on: the page, drawn over again, or a line for each change.
 *
 * It ends when the incident does, with the answer; what nobody keeps open has ended already. An
 * incident that was merged into another one is followed there.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "follow.h"
#include "location.h"
#include "page.h"
#include "screen.h"
#include "shown.h"
#include "slice.h"
#include "terminal.h"
#include "timestamp.h"

enum { WORD = 64, NAME = 256, STEP_MS = 100 };
enum { MOST_MERGES = 16 }; /* of one incident after the other; more go in a circle */

/* What of an incident is worth a line. */
typedef struct aspect {
    char id[NAME], state[WORD], merged_to[NAME], verdict[WORD], service[NAME], cause[WORD];
    double probability; /* NaN: there is no hypothesis */
    bool is_followed;   /* somebody keeps it open, or did */
    bool is_diagnosed;
} aspect;

typedef struct watching {
    fl_cli *cli;
    fl_follow *follow;
    const char *where; /* that is followed, for people */
    fl_screen *screen; /* NULL: lines */
    fl_buf page;       /* as it is shown on the screen */
    char status[1024]; /* below it */
    char trouble[320]; /* why nothing new is known; "" */
    aspect last;
    int64_t seen_ns; /* when it was so for the first time */
    bool has_last, is_over;
    unsigned merges;
    fl_exit code;
} watching;

/* ---- what is to be said ---- */

static void copy_text(char *out, size_t room, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    (void)snprintf(out, room, "%s", text != NULL ? text : "");
}

/* False: it is no document of ours. */
static bool read_aspect(aspect *out, const char *document)
{
    json_t *root = json_loads(document, 0, NULL);
    const json_t *first = json_array_get(json_object_get(root, "hypotheses"), 0);
    const json_t *live = json_object_get(root, "live");
    const json_t *probability = json_object_get(first, "probability");
    *out = (aspect){
        .probability = json_is_number(probability) ? json_number_value(probability) : NAN,
        .is_followed = live != NULL,
        .is_diagnosed = live == NULL || json_is_true(json_object_get(live, "is_diagnosed"))};
    copy_text(out->id, sizeof(out->id), json_object_get(root, "incident"), "id");
    copy_text(out->verdict, sizeof(out->verdict), root, "verdict");
    copy_text(out->state, sizeof(out->state), live, "state");
    copy_text(out->merged_to, sizeof(out->merged_to), live, "merged_to");
    copy_text(out->service, sizeof(out->service), first, "service");
    copy_text(out->cause, sizeof(out->cause), first, "cause");
    json_decref(root);
    return out->id[0] != '\0' && out->verdict[0] != '\0';
}

static bool is_open(const aspect *a)
{
    return strcmp(a->state, "open") == 0;
}

static bool has_cause(const aspect *a)
{
    return strcmp(a->verdict, fl_verdict_name(FL_VERDICT_CAUSE_FOUND)) == 0;
}

/* Of what a line shows: a probability that reads the same is the same. */
static bool is_change(const aspect *a, const aspect *b)
{
    char was[FL_PERCENT_TEXT], is[FL_PERCENT_TEXT];
    return strcmp(a->id, b->id) != 0 || strcmp(a->state, b->state) != 0 ||
           strcmp(a->verdict, b->verdict) != 0 || strcmp(a->service, b->service) != 0 ||
           strcmp(a->cause, b->cause) != 0 || a->is_diagnosed != b->is_diagnosed ||
           strcmp(fl_page_percent(was, a->probability), fl_page_percent(is, b->probability)) != 0;
}

/* "open     87 %  payment: pool" */
static void put_aspect(fl_page *page, const aspect *a)
{
    char percent[FL_PERCENT_TEXT];
    size_t at = page->column;
    fl_page_put(page, FL_INK_PLAIN, a->is_followed ? a->state : "triaged");
    fl_page_pad(page, at + 9);
    if (isnan(a->probability)) {
        fl_page_put(page, FL_INK_DIM,
                    a->is_diagnosed ? "  n/a  nothing stands out from the baseline"
                                    : "  n/a  not diagnosed yet");
        return;
    }
    fl_page_printf(page, FL_INK_BOLD, "%5s  ", fl_page_percent(percent, a->probability));
    fl_page_put(page, FL_INK_PLAIN, a->service[0] != '\0' ? a->service : "(service not named)");
    fl_page_put(page, FL_INK_PLAIN, ": ");
    fl_page_put(page, FL_INK_PLAIN, a->cause);
    if (!has_cause(a))
        fl_page_put(page, FL_INK_WARN, " (no confident cause)");
}

/* ---- saying it ---- */

/* Write and flush: somebody watches. */
static fl_status write_out(watching *w, fl_buf *out, fl_error *err)
{
    fl_status status = fl_buf_check(out, "the output", err);
    if (status == FL_OK && (!fl_cli_write(w->cli, fl_buf_slice(out)) || fflush(w->cli->out) != 0))
        status = fl_fail(err, FL_E_IO, FL_NO_OFFSET, "the output is closed");
    fl_buf_dispose(out);
    return status;
}

/* A time and what is so since then. */
static fl_status write_change(watching *w, fl_error *err)
{
    char now[FL_TIME_TEXT];
    assert(w->has_last);
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_page page = fl_page_on(&out, &w->cli->style);
    fl_page_put(&page, FL_INK_DIM, fl_time_format_s(now, fl_time_now()));
    fl_page_pad(&page, 22);
    put_aspect(&page, &w->last);
    fl_page_newline(&page);
    return write_out(w, &out, err);
}

/* The answer as `show` prints it. */
static fl_status write_answer(watching *w, const fl_follow_news *news, fl_error *err)
{
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    const fl_shown shown = {.document = news->document, .picture = news->picture};
    assert(shown.document != NULL);
    fl_buf_char(&out, '\n');
    fl_status status = fl_shown_text(&out, &shown, &w->cli->style, err);
    if (status == FL_OK)
        return write_out(w, &out, err);
    fl_buf_dispose(&out);
    return status;
}

/* On standard error, without what a terminal would obey: ids and reasons come from elsewhere. */
static void complain(watching *w, const char *sentence)
{
    fl_buf clean = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_page page = fl_page_on(&clean, &(fl_report_style){0});
    fl_page_put(&page, FL_INK_PLAIN, sentence);
    if (clean.status == FL_OK && clean.len > 0)
        fl_cli_complain(w->cli, "%s", clean.ptr);
    fl_buf_dispose(&clean);
}

/* On the screen it is a part of the last line, else a line of its own beside the answer. */
static void say(watching *w, const char *sentence)
{
    if (w->screen == NULL)
        complain(w, sentence);
    (void)snprintf(w->trouble, sizeof(w->trouble), "%s", sentence);
}

static fl_status draw_page(watching *w, const fl_follow_news *news, fl_error *err)
{
    fl_report_style style = w->cli->style;
    const fl_shown shown = {.document = news->document, .picture = news->picture};
    assert(w->screen->columns > 0);
    style.width = w->screen->columns;
    fl_buf_clear(&w->page);
    return fl_shown_text(&w->page, &shown, &style, err);
}

/* What is so, or what is wrong, and how to get out. */
static void write_status(watching *w)
{
    char now[FL_TIME_TEXT];
    fl_buf line = fl_buf_of(sizeof(w->status) - 1);
    fl_page page = fl_page_on(&line, &w->cli->style);
    size_t shown = w->screen->rows - 1;
    if (w->trouble[0] != '\0') {
        fl_page_put(&page, FL_INK_WARN, w->trouble);
        fl_page_put(&page, FL_INK_DIM, "  (q ends)");
    } else {
        put_aspect(&page, &w->last);
        fl_page_printf(&page, FL_INK_DIM, "  as of %s", fl_time_format_s(now, w->seen_ns));
        fl_page_put(&page, FL_INK_DIM,
                    fl_screen_lines(fl_buf_slice(&w->page)) > shown ? "  (q ends, j and k scroll)"
                                                                    : "  (q ends)");
    }
    (void)snprintf(w->status, sizeof(w->status), "%s", line.len > 0 ? line.ptr : "");
    fl_buf_dispose(&line);
}

static fl_status redraw(watching *w, const fl_follow_news *news, fl_error *err)
{
    fl_status status = news->document != NULL ? draw_page(w, news, err) : FL_OK;
    if (status != FL_OK)
        return status;
    write_status(w);
    fl_screen_draw(w->screen, fl_buf_slice(&w->page), w->status);
    return FL_OK;
}

/* ---- what came ---- */

/* The verdict as an exit code, once it is the last one. */
static void end_with(watching *w)
{
    w->is_over = true;
    w->code = has_cause(&w->last) ? FL_EXIT_OK : FL_EXIT_NO_CAUSE;
}

/* It goes on under another id. */
static fl_status follow_merged(watching *w, fl_error *err)
{
    char sentence[2 * NAME + 64];
    (void)snprintf(sentence, sizeof(sentence), "%s was merged into %s, which is followed now",
                   w->last.id, w->last.merged_to);
    if (w->screen == NULL)
        complain(w, sentence);
    if (++w->merges > MOST_MERGES)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.100s: incidents are merged in a circle",
                       w->last.id);
    return fl_follow_turn_to(w->follow, w->last.merged_to, err);
}

static fl_status take_document(watching *w, const fl_follow_news *news, fl_error *err)
{
    aspect now;
    if (!read_aspect(&now, news->document))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.100s has no incident there", w->where);
    bool is_other = !w->has_last || strcmp(now.id, w->last.id) != 0;
    bool is_said = w->has_last && !is_change(&now, &w->last);
    w->last = now;
    w->has_last = true;
    w->seen_ns = fl_time_now();
    fl_status status = FL_OK;
    /* Whoever gave the beginning of an id meant this one. */
    if (is_other)
        status = fl_follow_turn_to(w->follow, now.id, err);
    if (status == FL_OK && w->screen == NULL && !is_said)
        status = write_change(w, err);
    if (status == FL_OK && strcmp(now.state, "merged") == 0 && now.merged_to[0] != '\0' &&
        strcmp(now.merged_to, now.id) != 0)
        return follow_merged(w, err);
    if (status == FL_OK && !is_open(&now))
        end_with(w);
    return status;
}

/* The end of watching, or that it goes on. */
static void tell_absence(watching *w, const fl_follow_news *news)
{
    char text[FL_TIME_TEXT], sentence[320];
    if (news->is_gone) {
        w->is_over = true;
        w->code = FL_EXIT_ERROR;
    } else if (news->is_lost) {
        (void)snprintf(sentence, sizeof(sentence), "%s; trying again, next in %s", news->why,
                       fl_duration_format(text, news->again_ns));
        say(w, sentence);
    } else if (news->is_back && w->trouble[0] != '\0') {
        if (w->screen == NULL)
            fl_cli_complain(w->cli, "%s answers again", w->where);
        w->trouble[0] = '\0';
    }
}

static void tell_end(watching *w)
{
    char sentence[NAME + FL_LOCATION_BYTES + 64];
    (void)snprintf(sentence, sizeof(sentence), "%s is gone from %s: it was deleted", w->last.id,
                   w->where);
    complain(w, sentence);
}

static fl_status step(watching *w, fl_error *err)
{
    fl_follow_news news;
    fl_status status = fl_follow_step(w->follow, STEP_MS * FL_NS_PER_MS, &news, err);
    bool is_news = news.is_new || news.is_lost || news.is_back;
    if (status == FL_OK)
        tell_absence(w, &news);
    if (status == FL_OK && news.is_new)
        status = take_document(w, &news, err);
    if (w->screen != NULL) {
        fl_screen_poll(w->screen);
        w->is_over = w->is_over || w->screen->is_ended;
        if (status == FL_OK && !w->is_over && (is_news || w->screen->is_stale))
            status = redraw(w, &news, err);
    }
    if (status != FL_OK || !w->is_over)
        return status;
    if (w->screen != NULL)
        fl_screen_close(w->screen);
    if (w->screen != NULL && w->has_last && !news.is_gone)
        status = write_change(w, err);
    w->screen = NULL;
    if (news.is_gone)
        tell_end(w);
    else if (status == FL_OK && !is_open(&w->last) && w->has_last)
        status = write_answer(w, &news, err);
    return status;
}

/* ---- the run ---- */

/* fl_follow_options.should_stop: keys count while an answer is waited for. */
static bool is_ended(void *payload)
{
    watching *w = payload;
    if (w->screen == NULL)
        return false;
    fl_screen_poll(w->screen);
    return w->screen->is_ended;
}

/* Everything that was opened is closed here, on every way out. */
static fl_exit watch(watching *w, const fl_follow_options *options, const char *id)
{
    fl_error err = {0};
    fl_screen screen;
    bool has_terminal = fl_terminal_is_live(w->cli->out);
    fl_status status = fl_follow_open(&w->follow, options, &err);
    if (status == FL_OK)
        status = fl_follow_turn_to(w->follow, id, &err);
    /* The first look is before the screen: a mistake of the command line is said at once. */
    while (status == FL_OK && !w->is_over) {
        status = step(w, &err);
        if (status == FL_OK && !w->is_over && has_terminal && w->screen == NULL) {
            status = fl_screen_open(&screen, w->cli->out, STDIN_FILENO, &err);
            w->screen = status == FL_OK ? &screen : NULL;
        }
    }
    bool is_stopped = status == FL_E_STOPPED && w->screen != NULL;
    if (w->screen != NULL)
        fl_screen_close(w->screen);
    fl_follow_close(w->follow);
    fl_buf_dispose(&w->page);
    if (status != FL_OK && !is_stopped)
        return fl_cli_fail(w->cli, &err);
    return w->code;
}

static fl_exit run_watch(fl_cli *cli, const fl_args *args)
{
    char location[FL_LOCATION_BYTES], shown[FL_LOCATION_BYTES];
    fl_error err = {0};
    assert(args->operand != NULL); /* required */
    watching w = {.cli = cli, .page = fl_buf_of(FL_MAX_DOCUMENT_BYTES)};
    fl_follow_options options = {.server = fl_args_text(args, "server"),
                                 .token_file = fl_args_text(args, "token-file"),
                                 .should_stop = is_ended,
                                 .payload = &w};
    if (options.server != NULL && fl_args_has(args, "store")) {
        fl_cli_complain(cli, "watch: --server and --store are two places: give one of them");
        return FL_EXIT_USAGE;
    }
    if (options.server == NULL) {
        if (fl_location_find(location, args, false, &err) != FL_OK)
            return fl_cli_fail(cli, &err);
        options.store = location;
    }
    fl_location_show(shown, options.server != NULL ? options.server : location);
    w.where = shown;
    return watch(&w, &options, args->operand);
}

static const fl_option watch_options[] = {
    {.name = "server",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The daemon that follows the incident, as http://127.0.0.1:4318"},
    {.name = "token-file",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "A file with the token to ask with, where the daemon wants one"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help =
         "Without a daemon, the store to look into: a file, sqlite:FILE or postgresql://HOST/NAME"},
};

static const fl_operand watch_operand = {
    .name = "ID", .help = "the incident's id, or enough of its beginning", .required = true};

static const fl_example watch_examples[] = {
    {"faultline watch 20230129T0934 --server http://127.0.0.1:4318",
     "the page of an open incident, drawn again as it changes, until it is closed"},
    {"faultline watch 20230129T0934 > incident.log",
     "not on a terminal, a line for each change and then the answer; here out of the user's store"},
};

static const fl_exit_note watch_exits[] = {
    {FL_EXIT_OK, "it is closed, and a cause was found; or it was ended by a key or a signal"},
    {FL_EXIT_ERROR, "no such incident, or it was deleted, or nobody answered at the start"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_NO_CAUSE, "it is closed, without a confident cause"},
};

const fl_command fl_cmd_watch = {
    .name = "watch",
    .summary = "follow an incident as it goes on",
    .description =
        "Shows an incident until it is closed. On a terminal its page is drawn again whenever it"
        " changes: j, k, the arrows, space and b scroll it, q ends. Elsewhere a line is printed for"
        " each change of its state, verdict, cause or probability. When it is closed, the answer is"
        " printed as 'faultline show' does, and the exit code is that of the verdict; an incident"
        " that nobody keeps open is closed already.\n"
        "With --server, a running 'faultline serve' tells when something changes. Without it, the"
        " store is looked into once a second. Whoever goes away is tried again, which is said.",
    .options = watch_options,
    .option_count = FL_COUNT(watch_options),
    .operand = &watch_operand,
    .examples = watch_examples,
    .example_count = FL_COUNT(watch_examples),
    .exits = watch_exits,
    .exit_count = FL_COUNT(watch_exits),
    .run = run_watch,
};
