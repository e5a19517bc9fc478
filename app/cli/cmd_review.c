/*
 * cmd_review.c - proposals that wait: listed, answered one by one by id, or walked on a terminal.
 *
 * The walk asks on the terminal's input and writes to standard output; what was answered before it
 * is left is kept. From a script, --accept, --reject and --edit answer one proposal each.
 *
 * An answer is final: what a person said is evidence, and evidence is never taken away. To change
 * one's mind is to say the opposite of the edge with 'confirm' or 'reject'.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report_learn.h"
#include "slice.h"
#include "stored.h"

enum { ANSWER_BYTES = 1024 };

/* Of this user, where the environment says who that is. */
static const char *author_of(const fl_args *args)
{
    const char *given = fl_args_text(args, "author"), *user = getenv("USER");
    if (given != NULL)
        return given;
    return user != NULL && user[0] != '\0' ? user : "unknown";
}

static const char *const verdict_names[] = {
    [FL_REVIEW_ACCEPT] = "accepted", [FL_REVIEW_REJECT] = "rejected", [FL_REVIEW_EDIT] = "edited"};

/* One run of the command. */
struct reviewing {
    fl_cli *cli;
    const fl_args *args;
    fl_stored stored;
    fl_waiting_list list;
    fl_buf out;
    fl_error err;
};

/* Say it and append what moved. */
static fl_status answer(struct reviewing *r, const fl_waiting *waiting, const fl_review *review)
{
    assert(waiting != NULL && review->author != NULL);
    fl_reviewed reviewed;
    const char *what = verdict_names[review->verdict];
    fl_status status =
        fl_review_say(&reviewed, r->stored.store, waiting, review, &r->stored.arena, &r->err);
    if (status != FL_OK)
        return status;
    return fl_args_wants_json(r->args)
               ? fl_report_reviewed_json(&r->out, what, &reviewed, &r->err)
               : fl_report_reviewed_text(&r->out, what, &reviewed, &r->cli->style, &r->err);
}

/* ---- by id ---- */

/* The words of an edit: by side, or the end that is a cause. */
static void take_words(fl_review *review, const fl_args *args, const fl_proposal *proposal)
{
    const char *cause = fl_args_text(args, "cause");
    review->from = fl_args_text(args, "from");
    review->to = fl_args_text(args, "to");
    if (cause != NULL && proposal->to.kind == FL_NODE_CAUSE)
        review->to = cause;
    else if (cause != NULL && proposal->from.kind == FL_NODE_CAUSE)
        review->from = cause;
}

static fl_status answer_one(struct reviewing *r)
{
    static const struct {
        const char *option;
        fl_verdict_of_person verdict;
    } options[] = {
        {"accept", FL_REVIEW_ACCEPT}, {"reject", FL_REVIEW_REJECT}, {"edit", FL_REVIEW_EDIT}};
    const char *id = NULL;
    fl_review review = {.author = author_of(r->args),
                        .why = fl_args_text(r->args, "why"),
                        .now_ns = r->cli->now_ns};
    for (size_t i = 0; i < FL_COUNT(options); i++) {
        const char *given = fl_args_text(r->args, options[i].option);
        if (given != NULL && id != NULL)
            return fl_fail(&r->err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "review answers one proposal at a time: --accept, --reject or --edit");
        if (given != NULL)
            review.verdict = options[i].verdict;
        id = given != NULL ? given : id;
    }
    assert(id != NULL); /* the caller has looked */
    const fl_waiting *waiting;
    fl_status status = fl_review_find(&waiting, &r->list, id, &r->err);
    if (status == FL_OK && review.verdict == FL_REVIEW_EDIT)
        take_words(&review, r->args, &waiting->proposal);
    return status == FL_OK ? answer(r, waiting, &review) : status;
}

/* ---- the walk ---- */

/* Write what is in the buffer, and forget it. */
static bool show(struct reviewing *r)
{
    bool written = fl_cli_write(r->cli, fl_buf_slice(&r->out));
    fl_buf_clear(&r->out);
    fflush(r->cli->out);
    return written;
}

/* A line from the terminal, without its end; false at the end of the input. */
static bool ask(struct reviewing *r, const char *question, char line[ANSWER_BYTES])
{
    fl_buf_text(&r->out, question);
    if (!show(r) || fgets(line, ANSWER_BYTES, stdin) == NULL)
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

/* An empty line leaves an end as it is. */
static bool ask_words(struct reviewing *r, fl_review *review, char from[ANSWER_BYTES],
                      char to[ANSWER_BYTES])
{
    if (!ask(r, "  from (empty: as it is)> ", from) || !ask(r, "  to (empty: as it is)> ", to))
        return false;
    review->from = from[0] != '\0' ? from : NULL;
    review->to = to[0] != '\0' ? to : NULL;
    return true;
}

/* One proposal; *more is false where the reviewer leaves. An answer that cannot be kept is said,
 * and the same proposal is asked about again. */
static fl_status walk_one(struct reviewing *r, size_t at, bool *more)
{
    assert(at < r->list.count);
    char line[ANSWER_BYTES], from[ANSWER_BYTES], to[ANSWER_BYTES];
    fl_review review = {.author = author_of(r->args), .now_ns = r->cli->now_ns};
    for (;;) {
        fl_buf_printf(&r->out, "\n%zu of %zu\n", at + 1, r->list.count);
        fl_report_waiting_one(&r->out, &r->list.items[at], &r->cli->style);
        *more = ask(r, "[a]ccept, [e]dit, [r]eject, [s]kip, [q]uit> ", line) && line[0] != 'q';
        if (!*more || line[0] == 's')
            return FL_OK;
        bool known = line[0] == 'a' || line[0] == 'r' || line[0] == 'e';
        review.verdict = line[0] == 'a'   ? FL_REVIEW_ACCEPT
                         : line[0] == 'r' ? FL_REVIEW_REJECT
                                          : FL_REVIEW_EDIT;
        if (line[0] == 'e' && !ask_words(r, &review, from, to)) {
            *more = false;
            return FL_OK;
        }
        fl_status status = known ? answer(r, &r->list.items[at], &review) : FL_E_SYNTAX;
        if (status != FL_E_SYNTAX)
            return status;
        fl_buf_printf(&r->out, "%s\n", known ? r->err.message : "a, e, r, s or q");
        r->err = (fl_error){0};
    }
}

static fl_status walk(struct reviewing *r)
{
    fl_status status = FL_OK;
    bool more = true;
    for (size_t i = 0; status == FL_OK && more && i < r->list.count; i++)
        status = walk_one(r, i, &more);
    if (status == FL_OK && r->list.count == 0)
        fl_buf_text(&r->out, "no proposal waits for a review\n");
    return status;
}

/* ---- the command ---- */

static fl_status list(struct reviewing *r)
{
    return fl_args_wants_json(r->args)
               ? fl_report_waiting_json(&r->out, &r->list, &r->err)
               : fl_report_waiting_text(&r->out, &r->list, &r->cli->style, &r->err);
}

/* Without an answer and off a terminal, what waits is listed: a walk would wait for ever. */
static fl_status review(struct reviewing *r)
{
    const fl_args *args = r->args;
    bool has_answer =
        fl_args_has(args, "accept") || fl_args_has(args, "reject") || fl_args_has(args, "edit");
    if (has_answer)
        return answer_one(r);
    bool walks = !fl_args_flag(args, "list") && !fl_args_wants_json(args) &&
                 (fl_args_flag(args, "walk") || isatty(STDIN_FILENO) == 1);
    return walks ? walk(r) : list(r);
}

static fl_exit run_review(fl_cli *cli, const fl_args *args)
{
    struct reviewing r = {.cli = cli, .args = args, .out = fl_buf_of(FL_MAX_PROPOSAL_BYTES)};
    fl_status status = fl_stored_open(&r.stored, args, NULL, &r.err);
    fl_arena arena = fl_arena_of(FL_MAX_PROPOSAL_BYTES);
    if (status == FL_OK)
        status = fl_review_list(&r.list, r.stored.store, &arena, &r.err);
    if (status == FL_OK)
        status = review(&r);
    fl_arena_dispose(&arena);
    fl_stored_dispose(&r.stored);
    return fl_cli_finish(cli, &r.out, status, &r.err);
}

static const fl_option options[] = {
    {.name = "list", .kind = FL_OPTION_FLAG, .help = "Print what waits, and ask nothing"},
    {.name = "walk",
     .kind = FL_OPTION_FLAG,
     .help = "Ask about each, also where the input is no terminal"},
    {.name = "accept",
     .kind = FL_OPTION_TEXT,
     .argument = "ID",
     .help = "The sentence says this: a person's evidence for the edge"},
    {.name = "reject",
     .kind = FL_OPTION_TEXT,
     .argument = "ID",
     .help = "It does not: a person's evidence against the edge"},
    {.name = "edit",
     .kind = FL_OPTION_TEXT,
     .argument = "ID",
     .help = "It says something else: with --cause, --from or --to"},
    {.name = "cause",
     .kind = FL_OPTION_TEXT,
     .argument = "TEXT",
     .help = "edit: the cause, whichever end of the edge it is"},
    {.name = "from",
     .kind = FL_OPTION_TEXT,
     .argument = "TEXT",
     .help = "edit: the symptom, cause or change that the edge leaves"},
    {.name = "to",
     .kind = FL_OPTION_TEXT,
     .argument = "TEXT",
     .help = "edit: the cause, fix or component that it leads to"},
    {.name = "why", .kind = FL_OPTION_TEXT, .argument = "TEXT", .help = "Kept with the evidence"},
    {.name = "author",
     .kind = FL_OPTION_TEXT,
     .argument = "NAME",
     .help = "Who says it, instead of $USER"},
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store of the graph: a file, sqlite:FILE or postgresql://HOST/NAME"},
    FL_OPTION_FORMAT("How to print it"),
};

static const fl_example examples[] = {
    {"faultline review", "walk the proposals: accept, edit, reject"},
    {"faultline review --list --format json", "what waits, for a program"},
    {"faultline review --edit 3f2a --cause 'pool of 8 connections'",
     "the sentence names another cause"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "it was said, or listed"},
    {FL_EXIT_ERROR, "no such proposal waits, or the store could not be used"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_review = {
    .name = "review",
    .summary = "accept, edit or reject what documents propose",
    .description =
        "Shows the proposals of 'faultline learn' that nobody has answered, each with its sentence."
        " Accepting one adds a person's evidence for its edge, rejecting one adds it against; an"
        " edit does the latter, and adds evidence for the edge as it should be. Nothing is taken"
        " away: the graph keeps who said what, and when.\n"
        "On a terminal it asks about one after the other. An ID may be shortened.",
    .options = options,
    .option_count = FL_COUNT(options),
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_review,
};
