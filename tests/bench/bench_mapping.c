/*
 * bench_mapping [MB] - a stack trace of 100 frames against a mapping file of MB (100) megabytes,
 * made for it: classes of 20 methods, some inlined, in the form that R8 writes.
 *
 * Prints the processor milliseconds of the best of five rounds, and the largest memory of this
 * process before and after; then the same for 2,000 frames of one class of 100,000 methods.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "mapping.h"
#include "slice.h"

enum { ROUNDS = 5, FRAMES = 100, METHODS = 20, LARGE_METHODS = 100000, LARGE_FRAMES = 2000 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static long peak_kb(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}

/* Returns how many classes it took. */
static unsigned write_file(FILE *to, long bytes)
{
    unsigned n = 0;
    for (; ftell(to) < bytes; n++) {
        fprintf(to, "com.example.some.package%u.Component%u -> a.%c%u:\n", n % 500, n,
                (char)('a' + n % 26), n);
        fprintf(to, "# {\"id\":\"sourceFile\",\"fileName\":\"Component%u.java\"}\n", n);
        for (unsigned m = 0; m < METHODS; m++) {
            unsigned line = 10 * m + 1;
            fprintf(to, "    java.lang.String field%u -> f%u\n", m, m);
            if (m % 3 == 0)
                fprintf(to, "    %u:%u:int com.example.util.Numbers.clamp(int,int):40:41 -> m%u\n",
                        line, line + 1, m);
            fprintf(to, "    %u:%u:void method%u(int,java.util.List):%u%s -> m%u\n", line, line + 1,
                    m, 100 + line, m % 3 == 0 ? "" : ":999", m);
        }
    }
    return n;
}

static size_t trace(const char *path, unsigned classes, fl_buf *page)
{
    fl_mapping *mapping;
    fl_stream *in;
    fl_error err = {0};
    char line[FRAMES][128];
    if (fl_mapping_create(&mapping, &err) != FL_OK)
        exit(1);
    for (unsigned i = 0; i < FRAMES; i++) {
        unsigned n = (unsigned)((uint64_t)i * classes / FRAMES);
        snprintf(line[i], sizeof(line[i]), "\tat a.%c%u.m%u(SourceFile:%u)", (char)('a' + n % 26),
                 n, i % METHODS, 10 * (i % METHODS) + 1);
        if (fl_mapping_want_line(mapping, fl_slice_of(line[i]), &err) != FL_OK)
            exit(1);
    }
    if (fl_stream_open(&in, path, &err) != FL_OK || fl_mapping_read(mapping, in, &err) != FL_OK) {
        printf("%s\n", err.message);
        exit(1);
    }
    fl_stream_close(in);
    fl_buf_clear(page);
    for (unsigned i = 0; i < FRAMES; i++) {
        fl_mapping_write_line(page, mapping, fl_slice_of(line[i]));
        fl_buf_char(page, '\n');
    }
    fl_mapping_destroy(mapping);
    return page->len;
}

/* One class, as generated code and merged lambdas make them. */
static fl_mapping *read_large(void)
{
    fl_mapping *mapping;
    fl_stream *in;
    fl_buf text = fl_buf_of(16 << 20);
    fl_buf_text(&text, "com.example.Large -> a:\n");
    for (unsigned m = 0; m < LARGE_METHODS; m++)
        fl_buf_printf(&text, "    %u:%u:int method%u(int):%u:%u -> m%u\n", 3 * m + 1, 3 * m + 2, m,
                      m, m + 1, m);
    if (fl_mapping_create(&mapping, NULL) != FL_OK ||
        fl_mapping_want(mapping, FL_SLICE("a"), FL_SLICE(""), NULL) != FL_OK ||
        fl_stream_over(&in, fl_buf_slice(&text), "large", NULL) != FL_OK ||
        fl_mapping_read(mapping, in, NULL) != FL_OK)
        exit(1);
    fl_stream_close(in);
    fl_buf_dispose(&text);
    return mapping;
}

/* Methods all over the class. */
static void name_large(const fl_mapping *mapping, fl_buf *page)
{
    char line[64];
    fl_buf_clear(page);
    for (unsigned i = 0; i < LARGE_FRAMES; i++) {
        unsigned m = i * 49 % LARGE_METHODS;
        snprintf(line, sizeof(line), "\tat a.m%u(X:%u)", m, 3 * m + 1);
        fl_mapping_write_line(page, mapping, fl_slice_of(line));
    }
}

static void bench_large(fl_buf *page)
{
    double best = 1e9, begin = now_ms();
    fl_mapping *mapping = read_large();
    double reading = now_ms() - begin;
    for (int i = 0; i < ROUNDS; i++) {
        begin = now_ms();
        name_large(mapping, page);
        double took = now_ms() - begin;
        best = took < best ? took : best;
    }
    printf("a class of %d methods: read in %.1f ms, %d frames to %zu bytes in %.2f ms\n",
           LARGE_METHODS, reading, LARGE_FRAMES, page->len, best);
    fl_mapping_destroy(mapping);
}

int main(int argc, char **argv)
{
    long megabytes = argc > 1 ? strtol(argv[1], NULL, 10) : 100;
    char path[] = "/tmp/faultline-bench-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    fl_buf page = fl_buf_of(1 << 20);
    if (file == NULL)
        return 1;
    unsigned classes = write_file(file, megabytes * 1000 * 1000);
    fclose(file);
    double best = 1e9;
    long before = peak_kb();
    size_t written = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double begin = now_ms();
        written = trace(path, classes, &page);
        double took = now_ms() - begin;
        best = took < best ? took : best;
    }
    printf("mapping of %ld MB, %u classes: %d frames to %zu bytes in %.1f ms, memory %ld KB before,"
           " %ld KB after\n",
           megabytes, classes, FRAMES, written, best, before, peak_kb());
    remove(path);
    bench_large(&page);
    fl_buf_dispose(&page);
    return 0;
}
