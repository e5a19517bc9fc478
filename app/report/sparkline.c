/*
 * sparkline.c - numbers to cells, cells to characters.
 *
 * The scale is that of svg_chart.c, so that the terminal and the page show the same shape.
 */
#include "sparkline.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { LEVELS = 8 };

/* What a row is made of. The ASCII levels grow darker, since letters have no heights. */
static const struct spark_marks {
    const char *levels[LEVELS];
    const char *gap, *window, *onset, *open, *close;
} marks[] = {
    {.levels = {".", ":", "-", "=", "+", "*", "#", "@"},
     .gap = " ",
     .window = "|",
     .onset = ">",
     .open = "[",
     .close = "]"},
    {.levels = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
     .gap = "·",
     .window = "│",
     .onset = "▸",
     .open = "",
     .close = ""},
};

typedef struct scale {
    double low, high, usual;
} scale;

/* What the numbers, and what is usual, take of the axis. */
static scale scale_of(const fl_sparkline *line)
{
    scale s = {.low = INFINITY, .high = -INFINITY, .usual = NAN};
    for (size_t i = 0; i < line->count; i++)
        if (isfinite(line->values[i])) {
            s.low = fmin(s.low, line->values[i]);
            s.high = fmax(s.high, line->values[i]);
        }
    if (isfinite(line->usual_low) && isfinite(line->usual_high)) {
        s.low = fmin(s.low, fmin(line->usual_low, line->usual_high));
        s.high = fmax(s.high, fmax(line->usual_low, line->usual_high));
        s.usual = line->usual_low + (line->usual_high - line->usual_low) / 2;
    }
    if (s.low > 0 && s.low < 0.7 * s.high)
        s.low = 0;
    assert(!(s.low > s.high) || s.low == INFINITY);
    return s;
}

size_t fl_sparkline_steps(const fl_sparkline *line)
{
    assert(line->most > 0 && line->most <= FL_SPARKLINE_CELLS);
    size_t steps = (line->count + line->most - 1) / line->most;
    return steps > 0 ? steps : 1;
}

static size_t cells_of(const fl_sparkline *line)
{
    size_t steps = fl_sparkline_steps(line);
    return (line->count + steps - 1) / steps;
}

/* Whether a mark that belongs before `step` stands before this cell. */
static bool is_marked(const fl_sparkline *line, size_t step, size_t cell)
{
    return step > 0 && step < line->count && step / fl_sparkline_steps(line) == cell;
}

static bool is_edge(const fl_sparkline *line, size_t cell)
{
    return is_marked(line, line->window_from, cell) || is_marked(line, line->window_to, cell);
}

size_t fl_sparkline_columns(const fl_sparkline *line)
{
    size_t cells = cells_of(line), columns = cells;
    for (size_t i = 0; i < cells; i++)
        columns += (size_t)is_edge(line, i) + (size_t)is_marked(line, line->onset, i);
    return columns + (line->unicode ? 0 : 2);
}

/* NaN where none of the cell's numbers is known. Without a usual, the largest is shown. */
static double value_of(const fl_sparkline *line, const scale *s, size_t cell)
{
    size_t steps = fl_sparkline_steps(line);
    double found = NAN;
    assert(steps > 0 && cell * steps < line->count);
    for (size_t i = cell * steps; i < line->count && i < (cell + 1) * steps; i++) {
        double value = line->values[i];
        if (!isfinite(value))
            continue;
        if (isnan(found) ||
            (isnan(s->usual) ? value > found : fabs(value - s->usual) > fabs(found - s->usual)))
            found = value;
    }
    return found;
}

/* The middle of the axis where all numbers are the same, but nothing where that is zero. Divided
 * before it is subtracted: the difference of two doubles may be none. */
static size_t level_of(const scale *s, double value)
{
    if (!(s->high / 2 > s->low / 2)) /* of the smallest number half is nothing */
        return value == 0 ? 0 : LEVELS / 2;
    double share = (value / 2 - s->low / 2) / (s->high / 2 - s->low / 2);
    assert(!isnan(share));
    size_t level = (size_t)(fmin(fmax(share, 0), 1) * LEVELS);
    return level < LEVELS ? level : LEVELS - 1;
}

/* Where to write on. */
static char *append(char *to, const char *text)
{
    size_t len = strlen(text);
    memcpy(to, text, len + 1);
    return to + len;
}

const char *fl_sparkline_write(char out[FL_SPARKLINE_TEXT], const fl_sparkline *line)
{
    assert(out != NULL && (line->values != NULL || line->count == 0));
    const struct spark_marks *with = &marks[line->unicode ? 1 : 0];
    size_t cells = cells_of(line);
    assert(cells <= line->most);
    scale s = scale_of(line);
    char *to = append(out, with->open);
    for (size_t i = 0; i < cells; i++) {
        /* Of two marks at one cell the earlier stands first. */
        bool is_late = line->onset >= line->window_from;
        if (is_marked(line, line->onset, i) && !is_late)
            to = append(to, with->onset);
        if (is_edge(line, i))
            to = append(to, with->window);
        if (is_marked(line, line->onset, i) && is_late)
            to = append(to, with->onset);
        double value = value_of(line, &s, i);
        to = append(to, isnan(value) ? with->gap : with->levels[level_of(&s, value)]);
    }
    to = append(to, with->close);
    assert(to < out + FL_SPARKLINE_TEXT);
    return out;
}
