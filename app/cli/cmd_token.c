/*
 * cmd_token.c - a new bearer token: shown once, kept as its hash.
 *
 * The token goes to standard output and nowhere else, its line into the file; so a script can take
 * the one while the daemon reads the other. The file is made for this user alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "slice.h"
#include "tokens.h"

static const char *const roles[] = {"ingest", "read", "admin", NULL};

/* One write, so that two who add a token at once both do. */
static fl_status append_line(const char *path, fl_slice line, fl_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot open %.120s: %s", path, strerror(errno));
    bool ok = write(fd, line.ptr, line.len) == (ssize_t)line.len && fsync(fd) == 0;
    int why = errno;
    ok = close(fd) == 0 && ok;
    return ok ? FL_OK
              : fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot write %.120s: %s", path, strerror(why));
}

/* The line is written before the token is shown: one that was shown is known. */
static fl_exit run_token(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    char token[FL_TOKEN_TEXT];
    fl_buf line = fl_buf_of(4096), out = fl_buf_of(4096);
    const char *path = fl_args_text(args, "file"), *name = fl_args_text(args, "name");
    fl_http_role role = fl_role_of(fl_slice_of(fl_args_text(args, "role")));
    if (name != NULL && strpbrk(name, "\r\n") != NULL) {
        fl_cli_complain(cli, "token: a name is one line");
        return FL_EXIT_USAGE;
    }
    fl_status status = fl_token_make(token, &err);
    if (status == FL_OK) {
        fl_token_line(&line, token, role, name);
        status = fl_buf_check(&line, "the line", &err);
    }
    if (status == FL_OK && path != NULL)
        status = append_line(path, fl_buf_slice(&line), &err);
    fl_buf_printf(&out, "%s\n", token);
    if (status == FL_OK && path == NULL)
        fl_cli_complain(cli, "the line for the file of tokens: %.*s", (int)(line.len - 1),
                        line.ptr);
    fl_buf_dispose(&line);
    return fl_cli_finish(cli, &out, status, &err);
}

static const fl_option token_options[] = {
    {.name = "role",
     .kind = FL_OPTION_CHOICE,
     .required = true,
     .argument = "ROLE",
     .choices = roles,
     .help = "What it is good for: to send, to ask, or both and all else"},
    {.name = "file",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "The file of tokens that its hash is added to, made where it is missing"},
    {.name = "name",
     .kind = FL_OPTION_TEXT,
     .argument = "TEXT",
     .help = "Who has it; for people, beside the hash"},
};

static const fl_example token_examples[] = {
    {"faultline token --role ingest --file tokens --name collector",
     "print a token, and let it send from the daemon's next SIGHUP on"},
};

static const fl_exit_note token_exits[] = {
    {FL_EXIT_OK, "the token was printed"},
    {FL_EXIT_ERROR, "the file could not be written"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_token = {
    .name = "token",
    .summary = "make a bearer token for the daemon",
    .description =
        "Prints a new token, once: it is kept nowhere. Its SHA-256 goes with its role into the file"
        " that `faultline serve --tokens FILE` reads. Senders give it as 'Authorization: Bearer"
        " TOKEN', or as the password of basic authentication.\n"
        "To take a token back, remove its line and send the daemon SIGHUP.",
    .options = token_options,
    .option_count = FL_COUNT(token_options),
    .examples = token_examples,
    .example_count = FL_COUNT(token_examples),
    .exits = token_exits,
    .exit_count = FL_COUNT(token_exits),
    .run = run_token,
};
