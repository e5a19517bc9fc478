/*
 * args.h - the words of a command line, checked against a command's table.
 *
 * Grammar: options and operands in any order; "--name value", "--name=value", "-x value",
 * "-xvalue", flags of one letter together ("-vq"); after "--" everything is an operand. Names are
 * not abbreviated. An option that is given again replaces the earlier value, unless it is
 * repeatable.
 */
#ifndef FL_ARGS_H
#define FL_ARGS_H

#include "cli.h"
#include "edits.h"

/* A shell may expand a pattern to the snapshots of a day. */
enum { FL_MAX_GIVEN = 256, FL_MAX_OPERANDS = 4096 };

typedef struct fl_given {
    const fl_option *option;
    const char *value; /* borrowed from argv; "" for a flag */
} fl_given;

struct fl_args {
    const fl_command *command;
    const char *operand;               /* the first; NULL: not given */
    const char *more[FL_MAX_OPERANDS]; /* those after it, where the command takes them */
    size_t more_count;
    fl_given given[FL_MAX_GIVEN];
    size_t given_count;
};

/* Parse what follows the command's name. FL_E_SYNTAX with the sentence that the user reads.
 * Required options are checked by fl_args_check(), so that --help works without them. */
FL_NODISCARD fl_status fl_args_parse(fl_args *out, const fl_command *command, int argc,
                                     char *const *argv, fl_error *err);
/* Values of the right kind, required ones there. */
FL_NODISCARD fl_status fl_args_check(const fl_args *args, int64_t now_ns, fl_error *err);

/* The words that the first operand may be, NULL at the end; returns how many, 0 for any text. */
enum { FL_MAX_CHOICES = 32 };
size_t fl_operand_choices(const fl_operand *operand, const char *out[FL_MAX_CHOICES + 1]);

/* The option of that name in the table of the command (or the common one); NULL where there is
 * none. */
const fl_option *fl_option_find(const fl_command *command, const char *name);

/* The value or the fallback; NULL where there is neither. `name` must be in the table. */
const char *fl_args_text(const fl_args *args, const char *name);
bool fl_args_flag(const fl_args *args, const char *name);
/* True when the user gave it. */
bool fl_args_has(const fl_args *args, const char *name);
/* All values of a repeatable option in order; at most FL_MAX_GIVEN. Returns how many. */
size_t fl_args_list(const fl_args *args, const char *name, const char *out[FL_MAX_GIVEN]);
/* Checked before: these do not fail. A missing value is 0. */
int64_t fl_args_time(const fl_args *args, const char *name, int64_t now_ns);
int64_t fl_args_duration(const fl_args *args, const char *name);
uint64_t fl_args_size(const fl_args *args, const char *name);
uint64_t fl_args_count(const fl_args *args, const char *name);
double fl_args_ratio(const fl_args *args, const char *name);

/* --format, the same in every command that has an answer; `sentence` is its help. */
#define FL_OPTION_FORMAT(sentence)                                                                 \
    {                                                                                              \
        .name = "format", .kind = FL_OPTION_CHOICE, .argument = "FORMAT", .choices = fl_formats,   \
        .fallback = "text", .help = (sentence)                                                     \
    }
extern const char *const fl_formats[]; /* "text" and "json" */
/* True for --format json, which the command must have. */
bool fl_args_wants_json(const fl_args *args);

#endif
