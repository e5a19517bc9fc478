/*
 * screen.c - control sequences of ECMA-48 and of xterm's private modes, as every terminal of today
 * knows them: 1049 the alternate screen, 25 the cursor, 7 wrapping at the edge.
 *
 * Handlers only note that a signal came. A stop is acted on outside of its handler: the screen is
 * given back, the process stops itself, and takes the screen again when it goes on.
 */
#include "screen.h"

#include <assert.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t got_end, got_size, got_stop;

static void on_signal(int number)
{
    if (number == SIGWINCH)
        got_size = 1;
    else if (number == SIGTSTP)
        got_stop = 1;
    else
        got_end = 1;
}

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP};

static void set_handlers(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
        (void)sigaction(caught[i], &action, NULL);
}

/* A terminal that does not tell its size is as the first ones were. */
static void measure(fl_screen *screen)
{
    struct winsize size = {0};
    bool is_told = ioctl(fileno(screen->out), TIOCGWINSZ, &size) == 0;
    screen->rows = is_told && size.ws_row > 1 ? size.ws_row : 24;
    screen->columns = is_told && size.ws_col > 0 ? size.ws_col : 80;
    screen->is_stale = true;
}

/* Keys at once and unseen; interrupt and stop stay signals. */
static bool enter(fl_screen *screen)
{
    struct termios own = screen->before;
    own.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    own.c_cc[VMIN] = 0;
    own.c_cc[VTIME] = 0;
    if (tcsetattr(screen->in, TCSANOW, &own) != 0)
        return false;
    fputs("\033[?1049h\033[?25l\033[?7l", screen->out);
    (void)fflush(screen->out);
    measure(screen);
    return true;
}

static void leave(fl_screen *screen)
{
    fputs("\033[?7h\033[?25h\033[?1049l", screen->out);
    (void)fflush(screen->out);
    (void)tcsetattr(screen->in, TCSANOW, &screen->before);
}

fl_status fl_screen_open(fl_screen *screen, FILE *out, int in, fl_error *err)
{
    assert(out != NULL && in >= 0);
    *screen = (fl_screen){.out = out, .in = in};
    got_end = got_size = got_stop = 0;
    if (tcgetattr(in, &screen->before) != 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "the terminal does not tell its settings");
    set_handlers(on_signal);
    if (enter(screen))
        return FL_OK;
    set_handlers(SIG_DFL);
    return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "the terminal does not take its settings");
}

void fl_screen_close(fl_screen *screen)
{
    assert(screen->out != NULL);
    leave(screen);
    set_handlers(SIG_DFL);
}

/* Until somebody lets the process go on. */
static void stop_for_a_while(fl_screen *screen)
{
    got_stop = 0;
    leave(screen);
    (void)raise(SIGSTOP);
    screen->is_ended = !enter(screen) || screen->is_ended;
}

/* By so many lines; the last line stays in sight. */
static void scroll(fl_screen *screen, long by)
{
    long shown = (long)screen->rows - 1, last = (long)screen->line_count - shown;
    long first = (long)screen->first + by;
    assert(screen->rows > 1);
    first = first > last ? last : first;
    first = first < 0 ? 0 : first;
    screen->is_stale = screen->is_stale || (size_t)first != screen->first;
    screen->first = (size_t)first;
}

/* One key; arrows and their like are told as three bytes or four. Returns how many it takes. */
static size_t take_key(fl_screen *screen, const char *keys, size_t len)
{
    static const struct screen_key {
        const char *bytes;
        int lines, pages;
    } known[] = {{"j", 1, 0},      {"k", -1, 0},       {"\n", 1, 0},     {" ", 0, 1},
                 {"b", 0, -1},     {"\033[A", -1, 0},  {"\033[B", 1, 0}, {"\033OA", -1, 0},
                 {"\033OB", 1, 0}, {"\033[5~", 0, -1}, {"\033[6~", 0, 1}};
    assert(len > 0);
    if (keys[0] == 'q') {
        screen->is_ended = true;
        return 1;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t own = strlen(known[i].bytes);
        if (own <= len && memcmp(keys, known[i].bytes, own) == 0) {
            scroll(screen, known[i].lines + known[i].pages * ((long)screen->rows - 2));
            return own;
        }
    }
    return 1;
}

void fl_screen_poll(fl_screen *screen)
{
    char keys[64];
    ssize_t len = read(screen->in, keys, sizeof(keys));
    for (size_t i = 0; len > 0 && i < (size_t)len;)
        i += take_key(screen, keys + i, (size_t)len - i);
    if (got_stop)
        stop_for_a_while(screen);
    if (got_size) {
        got_size = 0;
        measure(screen);
    }
    screen->is_ended = screen->is_ended || got_end;
}

size_t fl_screen_lines(fl_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count + (text.len > 0 && text.ptr[text.len - 1] != '\n');
}

/* Each line is overwritten and its rest deleted, so that nothing flickers. */
void fl_screen_draw(fl_screen *screen, fl_slice text, const char *status)
{
    size_t line = 0, at = 0;
    screen->line_count = fl_screen_lines(text);
    scroll(screen, 0);
    fputs("\033[H", screen->out);
    for (; line < screen->first; line++) {
        const unsigned char *end = memchr(text.ptr + at, '\n', text.len - at);
        assert(end != NULL);
        at = (size_t)(end - text.ptr) + 1;
    }
    for (size_t row = 0; row + 1 < screen->rows; row++) {
        size_t len = 0;
        while (at + len < text.len && text.ptr[at + len] != '\n')
            len++;
        fprintf(screen->out, "%.*s\033[0m\033[K\n", (int)len,
                at < text.len ? (const char *)text.ptr + at : "");
        at = at + len < text.len ? at + len + 1 : text.len;
    }
    fprintf(screen->out, "%s\033[0m\033[K", status);
    (void)fflush(screen->out);
    screen->is_stale = false;
}
