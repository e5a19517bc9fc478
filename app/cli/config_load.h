/*
 * config_load.h - a configuration with what the outside world adds to it, its mistakes told as
 * every command tells them.
 */
#ifndef FL_CONFIG_LOAD_H
#define FL_CONFIG_LOAD_H

#include "cli.h"
#include "config.h"

/* From `path` (NULL: no file), the environment and `flags`. Mistakes and notices go to `cli->err`,
 * a line each. FL_EXIT_OK with *out, which the caller owns, or FL_EXIT_ERROR. */
fl_exit fl_config_of(fl_config **out, fl_cli *cli, const char *path, const fl_config_flag *flags,
                     size_t flag_count);

#endif
