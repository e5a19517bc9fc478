/*
 * bench_goroutine [COUNT] - goroutine texts made up in memory: COUNT goroutines (1 million), most
 * of them leaked on a few stacks, the rest a server's on 400 stacks, with arguments that differ.
 *
 * Prints MB/s (10^6 bytes) of debug=2, the best of three rounds, CPU time of this process, beside
 * the lines alone, which is what reading the same text costs without understanding it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "buf.h"
#include "goroutine_read.h"

enum { ROUNDS = 3, LEAKED_STACKS = 3, SERVER_STACKS = 400, SERVER_FRAMES = 9 };

static uint64_t seed = 42;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void add_leaked(fl_buf *text, size_t id)
{
    unsigned which = (unsigned)(next_random() % LEAKED_STACKS);
    unsigned long long a = next_random() & 0xffffffffff, b = next_random() & 0xffffffffff;
    fl_buf_printf(text,
                  "goroutine %zu [chan receive, %u minutes]:\n"
                  "example.com/shop/orders.(*Watcher).wait%u(0xc0%llx, {0x7ca080, 0xc0%llx})\n"
                  "\t/src/shop/orders/watcher%u.go:%u +0x2d\n"
                  "created by example.com/shop/orders.(*Service).Start in goroutine %llu\n"
                  "\t/src/shop/orders/service.go:88 +0x1c5\n\n",
                  id + 20, 1 + (unsigned)(next_random() % 600), which, a, b, which, 61 + which,
                  b % 1000000);
}

static void add_server(fl_buf *text, size_t id)
{
    unsigned which = (unsigned)(next_random() % SERVER_STACKS);
    fl_buf_printf(text, "goroutine %zu [IO wait]:\n", id + 20);
    for (unsigned i = 0; i < SERVER_FRAMES; i++)
        fl_buf_printf(text,
                      "net/http.(*layer%u).handle%u(0xc0%llx, {0x7cc6d0?, 0xc0%llx}, 0x%x?)\n"
                      "\t/usr/local/go/src/net/http/layer%u.go:%u +0x%x\n",
                      i, which, (unsigned long long)next_random() & 0xffffffffff,
                      (unsigned long long)next_random() & 0xffffffffff, which, i, 100 + which, i);
    fl_buf_text(text, "created by net/http.(*Server).Serve in goroutine 20\n"
                      "\t/usr/local/go/src/net/http/server.go:3484 +0x485\n\n");
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double read_lines(fl_slice text)
{
    fl_stream *in;
    fl_lines *lines;
    fl_line line;
    bool more = true;
    double begin = cpu_seconds();
    if (fl_stream_over(&in, text, "made", NULL) != FL_OK ||
        fl_lines_create(&lines, in, 65536, NULL) != FL_OK)
        return -1;
    while (more)
        if (fl_lines_next(lines, &line, &more, NULL) != FL_OK)
            return -1;
    fl_lines_destroy(lines);
    fl_stream_close(in);
    return cpu_seconds() - begin;
}

static double read_goroutines(fl_slice text, uint64_t *total, size_t *groups)
{
    fl_stream *in;
    fl_goroutines *found;
    double begin = cpu_seconds();
    if (fl_stream_over(&in, text, "made", NULL) != FL_OK ||
        fl_goroutines_read(&found, in, NULL) != FL_OK)
        return -1;
    *total = found->total;
    *groups = found->group_count;
    fl_goroutines_destroy(found);
    fl_stream_close(in);
    return cpu_seconds() - begin;
}

static long peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000, groups = 0;
    fl_buf text = fl_buf_of((size_t)4 << 30);
    for (size_t i = 0; i < count; i++)
        if (next_random() % 10 != 0)
            add_leaked(&text, i);
        else
            add_server(&text, i);
    if (text.status != FL_OK)
        return 1;
    fl_slice bytes = fl_buf_slice(&text);
    uint64_t total = 0;
    double best = 1e9, lines = 1e9, mb = (double)bytes.len / 1e6;
    long before = peak_mb();
    for (int i = 0; i < ROUNDS; i++) {
        double took = read_goroutines(bytes, &total, &groups);
        best = took < best ? took : best;
        took = read_lines(bytes);
        lines = took < lines ? took : lines;
    }
    if (total != count || best < 0)
        return 1;
    printf(
        "goroutines %.0f MB, %zu of them on %zu stacks: %.0f MB/s (%.3f s), %ld MB more than the "
        "text\nlines alone %.0f MB/s\n",
        mb, count, groups, mb / best, best, peak_mb() - before, mb / lines);
    fl_buf_dispose(&text);
    return 0;
}
