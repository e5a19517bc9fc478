/*
 * terminal.c - the rules of no-color.org and of a quiet program.
 *
 * The environment is looked at once (fl_terminal_look) and judged by functions of those facts
 * alone, so that each rule is tested without a terminal. Progress goes to stderr, only where that
 * is a terminal, only after a second, and at most ten times a second: a short run stays silent.
 */
#include "terminal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "number.h"
#include "page.h"
#include "slice.h"
#include "timestamp.h"

#define PROGRESS_AFTER_NS (FL_NS_PER_S)
#define PROGRESS_EVERY_NS (100 * FL_NS_PER_MS)

enum { MAX_WIDTH = 200, PROGRESS_BYTES = 1024, PROGRESS_COLUMNS = 60 };

/* The environment's convention: an empty value is none. */
static bool is_set(const char *value)
{
    return value != NULL && *value != '\0';
}

bool fl_terminal_understands(const fl_terminal_facts *facts)
{
    return is_set(facts->term) && strcmp(facts->term, "dumb") != 0;
}

/* The order of the header's rules; the command line comes later and wins. */
static bool wants_color(const fl_terminal_facts *facts)
{
    if (is_set(facts->no_color))
        return false;
    if (is_set(facts->force_color))
        return strcmp(facts->force_color, "0") != 0;
    return facts->is_terminal && fl_terminal_understands(facts);
}

/* The locale's name is read, not set: a set locale would change how numbers are written. */
static bool is_utf8(const fl_terminal_facts *facts)
{
    const char *locale = is_set(facts->lc_all)     ? facts->lc_all
                         : is_set(facts->lc_ctype) ? facts->lc_ctype
                         : is_set(facts->lang)     ? facts->lang
                                                   : "";
    return strstr(locale, "UTF-8") != NULL || strstr(locale, "utf8") != NULL ||
           strstr(locale, "utf-8") != NULL || strstr(locale, "UTF8") != NULL;
}

fl_report_style fl_terminal_style(const fl_terminal_facts *facts)
{
    uint64_t width = 0;
    if (facts->is_terminal) {
        if (!is_set(facts->columns) || !fl_parse_u64(fl_slice_of(facts->columns), &width))
            width = facts->width;
        if (width > MAX_WIDTH) /* what stands side by side has room enough */
            width = MAX_WIDTH;
    }
    return (fl_report_style){.width = (size_t)width,
                             .color = wants_color(facts),
                             .unicode = facts->is_terminal && is_utf8(facts)};
}

fl_terminal_facts fl_terminal_look(int fd)
{
    assert(fd >= 0);
    struct winsize size = {0};
    fl_terminal_facts facts = {
        .is_terminal = isatty(fd) == 1,
        .no_color = getenv("NO_COLOR"),
        .force_color = getenv("FORCE_COLOR"),
        .term = getenv("TERM"),
        .columns = getenv("COLUMNS"),
        .lc_all = getenv("LC_ALL"),
        .lc_ctype = getenv("LC_CTYPE"),
        .lang = getenv("LANG"),
    };
    if (facts.is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0)
        facts.width = size.ws_col;
    return facts;
}

bool fl_terminal_is_live(FILE *out)
{
    int fd = fileno(out);
    if (fd < 0 || isatty(STDIN_FILENO) != 1)
        return false;
    fl_terminal_facts facts = fl_terminal_look(fd);
    return facts.is_terminal && fl_terminal_understands(&facts);
}

void fl_terminal_override(fl_report_style *style, const fl_args *args)
{
    if (fl_args_flag(args, "color"))
        style->color = true;
    if (fl_args_flag(args, "no-color"))
        style->color = false;
}

fl_progress fl_progress_begin(fl_cli *cli)
{
    assert(cli != NULL);
    return (fl_progress){.cli = cli, .started_ns = fl_time_monotonic()};
}

void fl_progress_show(void *payload, const char *what, uint64_t done, uint64_t total)
{
    fl_progress *progress = payload;
    assert(progress != NULL && what != NULL);
    if (!progress->cli->progress)
        return;
    int64_t now_ns = fl_time_monotonic();
    if (now_ns - progress->started_ns < PROGRESS_AFTER_NS ||
        (progress->is_shown && now_ns - progress->shown_ns < PROGRESS_EVERY_NS))
        return;
    fl_buf line = fl_buf_of(PROGRESS_BYTES);
    fl_page page = fl_page_on(&line, &(fl_report_style){0});
    size_t len = strlen(what); /* a path is told by its end */
    fl_page_put(&page, FL_INK_PLAIN, len > PROGRESS_COLUMNS ? what + len - PROGRESS_COLUMNS : what);
    if (total > 0)
        fl_page_printf(&page, FL_INK_PLAIN, " %.0f %%",
                       100.0 * (double)(done < total ? done : total) / (double)total);
    if (line.status == FL_OK)
        fprintf(progress->cli->err, "\r\033[K%.*s", (int)line.len, line.ptr);
    fflush(progress->cli->err);
    fl_buf_dispose(&line);
    progress->shown_ns = now_ns;
    progress->is_shown = true;
}

void fl_progress_end(fl_progress *progress)
{
    assert(progress->cli != NULL);
    if (progress->is_shown)
        fprintf(progress->cli->err, "\r\033[K");
    progress->is_shown = false;
}
