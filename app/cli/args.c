/*
 * args.c - a table-driven parser: what it accepts and what it says stand in one place.
 *
 * Grammar of what follows a command's name:
 *
 *   word    := "--" name ("=" value)? | "--" name value | "-" letters value? | "--" | operand
 *
 * "-" alone is an operand, and after "--" every word is one. A value may begin with '-' ("--at
 * -2h"): an option that takes one takes the next word whatever it looks like. An option that is
 * given twice counts as it stands last, unless it is repeatable. Names are never abbreviated: a
 * script must not break when an option is added.
 */
#include "args.h"

#include <assert.h>
#include <string.h>

#include "edits.h"
#include "number.h"
#include "slice.h"
#include "timestamp.h"

const char *const fl_formats[] = {"text", "json", NULL};

enum { MAX_NAMES = 64, MAX_WORD = FL_MAX_EDITS_WORD };

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The command's own options, then those that every command takes; NULL at the end. */
static const fl_option *option_at(const fl_command *command, size_t at)
{
    size_t own = command != NULL ? command->option_count : 0;
    if (at < own)
        return &command->options[at];
    return at - own < fl_common_option_count ? &fl_common_options[at - own] : NULL;
}

/* `name` of `len` bytes, as in "name=value"; NULL where there is none. */
static const fl_option *find_option(const fl_command *command, const char *name, size_t len)
{
    const fl_option *option;
    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++)
        if (strlen(option->name) == len && memcmp(option->name, name, len) == 0)
            return option;
    return NULL;
}

/* NULL where there is none, which only a caller's own table can make it. */
const fl_option *fl_option_find(const fl_command *command, const char *name)
{
    return find_option(command, name, strlen(name));
}

/* NULL where no option has that letter. */
static const fl_option *find_letter(const fl_command *command, char letter)
{
    const fl_option *option;
    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++)
        if (option->letter == letter)
            return option;
    return NULL;
}

/* An unknown name is never guessed at, only shown the nearest. */
static fl_status unknown_option(const fl_command *command, const char *name, size_t len,
                                fl_error *err)
{
    char word[MAX_WORD + 1];
    const char *names[MAX_NAMES];
    size_t count = 0;
    const fl_option *option;
    while (count < MAX_NAMES && (option = option_at(command, count)) != NULL)
        names[count++] = option->name;
    snprintf(word, sizeof(word), "%.*s", (int)min_of(len, MAX_WORD), name);
    const char *near = fl_nearest(word, names, count);
    if (near == NULL)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "unknown option '--%s'", word);
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "unknown option '--%s'; did you mean '--%s'?",
                   word, near);
}

/* Counted before it is written: the array has a fixed size. */
static fl_status add(fl_args *out, const fl_option *option, const char *value, fl_error *err)
{
    assert(option != NULL && out->given_count <= FL_MAX_GIVEN);
    if (out->given_count == FL_MAX_GIVEN)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "more than %d options", FL_MAX_GIVEN);
    out->given[out->given_count++] = (fl_given){.option = option, .value = value};
    return FL_OK;
}

/* One, unless the table names what may follow it. */
static fl_status add_operand(fl_args *out, const char *word, fl_error *err)
{
    if (out->command == NULL || out->command->operand == NULL)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "unexpected argument '%.64s'", word);
    if (out->operand != NULL && out->command->operand->more != NULL) {
        if (out->more_count == FL_MAX_OPERANDS)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "more than %d %s: name their folder",
                           FL_MAX_OPERANDS, out->command->operand->more);
        out->more[out->more_count++] = word;
        return FL_OK;
    }
    if (out->operand != NULL)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "one %s is enough: '%.40s' and '%.40s'",
                       out->command->operand->name, out->operand, word);
    out->operand = word;
    return FL_OK;
}

/* The words that are left; `value` of the next one is taken where an option needs it. */
typedef struct words {
    int count;
    char *const *items;
} words;

/* NULL when all are used up. */
static const char *next_word(words *left)
{
    if (left->count == 0)
        return NULL;
    left->count--;
    return *left->items++;
}

/* A flag takes no value, and anything else must have one. */
static fl_status parse_long(fl_args *out, const char *word, words *left, fl_error *err)
{
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const fl_option *option = find_option(out->command, name, len);
    if (option == NULL)
        return unknown_option(out->command, name, len, err);
    if (option->kind == FL_OPTION_FLAG && equals != NULL)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "option --%s takes no value", option->name);
    if (option->kind == FL_OPTION_FLAG)
        return add(out, option, "", err);
    const char *value = equals != NULL ? equals + 1 : next_word(left);
    if (value == NULL)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "option --%s needs a value: %s",
                       option->name, option->argument);
    return add(out, option, value, err);
}

/* "-vq", "-n 7", "-n7", "-vn7": the first letter that takes a value takes all that is left. */
static fl_status parse_short(fl_args *out, const char *word, words *left, fl_error *err)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        const fl_option *option = find_letter(out->command, *letter);
        if (option == NULL)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "unknown option '-%c'",
                           *letter > ' ' && *letter < 0x7F ? *letter : '?');
        if (option->kind != FL_OPTION_FLAG) {
            const char *value = letter[1] != '\0' ? letter + 1 : next_word(left);
            if (value == NULL)
                return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "option -%c needs a value: %s",
                               *letter, option->argument);
            return add(out, option, value, err);
        }
        fl_status status = add(out, option, "", err);
        if (status != FL_OK)
            return status;
    }
    return FL_OK;
}

/* One pass; what a word is depends only on those before it. */
fl_status fl_args_parse(fl_args *out, const fl_command *command, int argc, char *const *argv,
                        fl_error *err)
{
    assert(out != NULL && argc >= 0);
    *out = (fl_args){.command = command};
    words left = {.count = argc, .items = argv};
    const char *word;
    bool only_operands = false;
    fl_status status = FL_OK;
    while (status == FL_OK && (word = next_word(&left)) != NULL) {
        if (only_operands || word[0] != '-' || word[1] == '\0')
            status = add_operand(out, word, err);
        else if (strcmp(word, "--") == 0)
            only_operands = true;
        else if (word[1] == '-')
            status = parse_long(out, word, &left, err);
        else
            status = parse_short(out, word, &left, err);
    }
    return status;
}

/* "text, json" */
static fl_status not_a_choice(const char *what, const char *value, const char *const *choices,
                              fl_error *err)
{
    char list[160] = "";
    size_t used = 0, count = 0;
    for (; choices[count] != NULL && used < sizeof(list); count++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", count > 0 ? ", " : "",
                                 choices[count]);
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%s is '%.40s'; choose one of: %s", what, value,
                   list);
}

/* The words of the table, exactly. */
static bool is_choice(const char *value, const char *const *choices)
{
    for (; *choices != NULL; choices++)
        if (strcmp(*choices, value) == 0)
            return true;
    return false;
}

/* Values stay text: here it is made sure that reading them later cannot fail. */
static fl_status check_value(const fl_option *option, const char *value, int64_t now_ns,
                             fl_error *err)
{
    fl_error inner = {0};
    fl_slice text = fl_slice_of(value);
    int64_t ns;
    uint64_t count;
    double ratio;
    char what[MAX_WORD + 16];
    switch (option->kind) {
    case FL_OPTION_TIME:
        if (fl_time_parse(&ns, text, now_ns, &inner) != FL_OK)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "option --%s: %s", option->name,
                           inner.message);
        return FL_OK;
    case FL_OPTION_DURATION:
        if (fl_duration_parse(&ns, text, &inner) != FL_OK)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "option --%s: %s", option->name,
                           inner.message);
        return FL_OK;
    case FL_OPTION_SIZE:
        if (!fl_parse_size(fl_slice_of(value), &count))
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "option --%s: '%.40s' is not a size like 512MiB, 2GB or 800000",
                           option->name, value);
        return FL_OK;
    case FL_OPTION_COUNT:
        if (!fl_parse_u64(text, &count))
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "option --%s: '%.40s' is not a whole number", option->name, value);
        return FL_OK;
    case FL_OPTION_RATIO:
        if (!fl_parse_double(text, &ratio) || !(ratio >= 0 && ratio <= 1))
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "option --%s: '%.40s' is not a number from 0 to 1", option->name, value);
        return FL_OK;
    case FL_OPTION_CHOICE:
        snprintf(what, sizeof(what), "option --%s", option->name);
        return is_choice(value, option->choices) ? FL_OK
                                                 : not_a_choice(what, value, option->choices, err);
    case FL_OPTION_TEXT:
    case FL_OPTION_FILE:
    case FL_OPTION_FOLDER:
        if (text.len == 0)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "option --%s is empty", option->name);
        return FL_OK;
    case FL_OPTION_FLAG:
        return FL_OK;
    }
    return FL_OK;
}

/* From either of the two ways to list them, so that parsing and completion need not know which. */
size_t fl_operand_choices(const fl_operand *operand, const char *out[FL_MAX_CHOICES + 1])
{
    size_t count = 0;
    assert(operand != NULL && (operand->choices == NULL || operand->actions == NULL));
    if (operand->choices != NULL)
        for (; operand->choices[count] != NULL; count++) {
            assert(count < FL_MAX_CHOICES);
            out[count] = operand->choices[count];
        }
    else if (operand->actions != NULL)
        for (; operand->actions[count] != NULL; count++) {
            assert(count < FL_MAX_CHOICES);
            out[count] = operand->actions[count]->name;
        }
    out[count] = NULL;
    return count;
}

/* Required or not, and one of its choices where it has any. */
static fl_status check_operand(const fl_args *args, fl_error *err)
{
    const char *choices[FL_MAX_CHOICES + 1];
    const fl_operand *operand = args->command->operand;
    if (operand == NULL)
        return FL_OK;
    if (args->operand == NULL)
        return !operand->required
                   ? FL_OK
                   : fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%s is missing", operand->name);
    return fl_operand_choices(operand, choices) == 0 || is_choice(args->operand, choices)
               ? FL_OK
               : not_a_choice(operand->name, args->operand, choices, err);
}

/* In the order in which they were typed, so that the first mistake is the one that is said. */
fl_status fl_args_check(const fl_args *args, int64_t now_ns, fl_error *err)
{
    const fl_command *command = args->command;
    assert(command != NULL);
    for (size_t i = 0; i < args->given_count; i++) {
        fl_status status = check_value(args->given[i].option, args->given[i].value, now_ns, err);
        if (status != FL_OK)
            return status;
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const fl_option *option = &command->options[i];
        if (option->required && !fl_args_has(args, option->name))
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "option --%s %s is missing, as in: %s",
                           option->name, option->argument,
                           command->example_count > 0 ? command->examples[0].line : "");
    }
    return check_operand(args, err);
}

/* A name that is not in the table is a mistake of the caller, not of the user. */
static const fl_given *last_given(const fl_args *args, const char *name)
{
    const fl_option *option = fl_option_find(args->command, name);
    assert(option != NULL);
    for (size_t i = args->given_count; i > 0; i--)
        if (args->given[i - 1].option == option)
            return &args->given[i - 1];
    return NULL;
}

/* As it was typed: what an option means is for its command. */
const char *fl_args_text(const fl_args *args, const char *name)
{
    const fl_given *given = last_given(args, name);
    return given != NULL ? given->value : fl_option_find(args->command, name)->fallback;
}

/* Given twice is given. */
bool fl_args_flag(const fl_args *args, const char *name)
{
    assert(fl_option_find(args->command, name)->kind == FL_OPTION_FLAG);
    return last_given(args, name) != NULL;
}

bool fl_args_has(const fl_args *args, const char *name)
{
    return last_given(args, name) != NULL;
}

/* In the order in which they were typed: some commands read meaning into it. */
size_t fl_args_list(const fl_args *args, const char *name, const char *out[FL_MAX_GIVEN])
{
    const fl_option *option = fl_option_find(args->command, name);
    size_t count = 0;
    assert(option != NULL && option->repeatable && args->given_count <= FL_MAX_GIVEN);
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option == option)
            out[count++] = args->given[i].value;
    return count;
}

bool fl_args_wants_json(const fl_args *args)
{
    return strcmp(fl_args_text(args, "format"), "json") == 0;
}

/* Relative times are counted back from `now_ns`, which a run has one of. */
int64_t fl_args_time(const fl_args *args, const char *name, int64_t now_ns)
{
    int64_t time_ns = 0;
    const char *text = fl_args_text(args, name);
    if (text != NULL && fl_time_parse(&time_ns, fl_slice_of(text), now_ns, NULL) != FL_OK)
        return 0;
    return time_ns;
}

int64_t fl_args_duration(const fl_args *args, const char *name)
{
    int64_t duration_ns = 0;
    const char *text = fl_args_text(args, name);
    if (text != NULL && fl_duration_parse(&duration_ns, fl_slice_of(text), NULL) != FL_OK)
        return 0;
    return duration_ns;
}

uint64_t fl_args_size(const fl_args *args, const char *name)
{
    uint64_t bytes = 0;
    const char *text = fl_args_text(args, name);
    return text != NULL && fl_parse_size(fl_slice_of(text), &bytes) ? bytes : 0;
}

uint64_t fl_args_count(const fl_args *args, const char *name)
{
    uint64_t count = 0;
    const char *text = fl_args_text(args, name);
    return text != NULL && fl_parse_u64(fl_slice_of(text), &count) ? count : 0;
}

/* From 0 to 1: fl_args_check() has seen to it. */
double fl_args_ratio(const fl_args *args, const char *name)
{
    double ratio = 0;
    const char *text = fl_args_text(args, name);
    return text != NULL && fl_parse_double(fl_slice_of(text), &ratio) ? ratio : 0;
}
