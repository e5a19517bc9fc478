/*
 * config_load.c - the one place that hands the environment to a configuration.
 */
#include "config_load.h"

#include <assert.h>
#include <stdlib.h>

extern char **environ; /* POSIX declares it in no header */

/* A run's stream, and how many mistakes went there. */
struct heard {
    fl_cli *cli;
    size_t mistakes;
};

/* fl_config_say */
static void say(void *payload, bool is_mistake, const char *sentence)
{
    struct heard *heard = payload;
    heard->mistakes += is_mistake;
    fl_cli_complain(heard->cli, is_mistake ? "%s" : "notice: %s", sentence);
}

fl_exit fl_config_of(fl_config **out, fl_cli *cli, const char *path, const fl_config_flag *flags,
                     size_t flag_count)
{
    assert(out != NULL && cli != NULL && (flags != NULL || flag_count == 0));
    fl_error err = {0};
    struct heard heard = {.cli = cli};
    const fl_config_input input = {.path = path,
                                   .environment = (const char *const *)environ,
                                   .flags = flags,
                                   .flag_count = flag_count,
                                   .credentials = getenv("CREDENTIALS_DIRECTORY"),
                                   .say = say,
                                   .payload = &heard};
    fl_status status = fl_config_load(out, &input, &err);
    if (status == FL_OK)
        return FL_EXIT_OK;
    /* each mistake was told already */
    return heard.mistakes > 0 ? FL_EXIT_ERROR : fl_cli_fail(cli, &err);
}
