/*
 * bench_demangle < NAMES - names of linkers, one a line (nm -D FILE | awk '{print $3}'), as their
 * sources have them.
 *
 * Prints how many names changed, and the processor milliseconds of the best of five rounds.
 */
#include <stdio.h>
#include <time.h>

#include "buf.h"
#include "demangle.h"

enum { ROUNDS = 5 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* Returns how many lines there are, of which *changed have another name now. */
static size_t each_name(fl_slice rest, size_t *changed)
{
    size_t count = 0;
    fl_arena arena = fl_arena_of(1 << 20);
    for (*changed = 0; rest.len > 0; count++) {
        size_t end = fl_slice_find(rest, FL_SLICE("\n"));
        fl_slice name = fl_slice_part(rest, 0, end), plain;
        *changed += fl_demangle(&plain, name, &arena) && plain.ptr != name.ptr;
        fl_arena_reset(&arena);
        rest = fl_slice_part(rest, end + (end < rest.len), rest.len);
    }
    fl_arena_dispose(&arena);
    return count;
}

int main(void)
{
    char block[1 << 16];
    fl_buf text = fl_buf_of(256u << 20);
    double best = 1e9;
    size_t count = 0, changed = 0, got;
    while ((got = fread(block, 1, sizeof(block), stdin)) > 0)
        fl_buf_add(&text, (fl_slice){.ptr = (const unsigned char *)block, .len = got});
    for (int i = 0; i < ROUNDS; i++) {
        double begin = now_ms();
        count = each_name(fl_buf_slice(&text), &changed);
        double took = now_ms() - begin;
        best = took < best ? took : best;
    }
    printf("%zu names, %zu of them mangled and read: %.1f ms\n", count, changed, best);
    fl_buf_dispose(&text);
    return 0;
}
