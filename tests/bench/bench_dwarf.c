/*
 * bench_dwarf [FILE [COUNT]] - COUNT (20,000) random addresses of a native program or its .debug
 * file to functions, inlined calls, files and lines.
 *
 * Prints processor milliseconds: opening the file, all addresses for the first time (sections are
 * inflated, units read), and again as the best of five rounds; the largest memory of this process;
 * and llvm-symbolizer with the same addresses, where it is installed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "symbol.h"

enum { ROUNDS = 5 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/* Addresses of 64 MB that have a line, by a handle of their own. */
static void draw(const char *path, uint64_t *addresses, size_t count)
{
    fl_symbols *symbols;
    fl_symbol found[FL_MAX_INLINED];
    uint64_t seed = 42;
    if (fl_symbols_open(&symbols, path, NULL) != FL_OK)
        exit(1);
    for (size_t i = 0, tries = 0; i < count && tries < 1000 * count; tries++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        addresses[i] = seed >> 38;
        i += fl_symbols_find(symbols, addresses[i], found) > 0 && found[0].line > 0;
    }
    fl_symbols_close(symbols);
}

static double ask_all(const fl_symbols *symbols, const uint64_t *addresses, size_t count,
                      size_t *frames)
{
    fl_symbol found[FL_MAX_INLINED];
    double begin = now_ms();
    *frames = 0;
    for (size_t i = 0; i < count; i++)
        *frames += fl_symbols_find(symbols, addresses[i], found);
    return now_ms() - begin;
}

static void ask_llvm(const char *path, const uint64_t *addresses, size_t count)
{
    char list[] = "/tmp/faultline-bench-XXXXXX", command[2048];
    struct rusage used;
    int fd = mkstemp(list);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL)
        exit(1);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%#llx\n", (unsigned long long)addresses[i]);
    fclose(file);
    snprintf(command, sizeof(command), "llvm-symbolizer --obj='%s' --inlines <'%s' >/dev/null 2>&1",
             path, list);
    bool worked = system(command) == 0;
    getrusage(RUSAGE_CHILDREN, &used);
    if (worked)
        printf("llvm-symbolizer %.0f ms, %ld MB\n",
               1e3 * (seconds(used.ru_utime) + seconds(used.ru_stime)), used.ru_maxrss / 1024);
    else
        printf("llvm-symbolizer failed or is not installed\n");
    remove(list);
}

int main(int argc, char **argv)
{
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000, frames;
    fl_symbols *symbols;
    fl_error err = {0};
    struct rusage used;
    if (argc < 2) {
        printf("skipped: no program with DWARF given\n");
        return 0;
    }
    uint64_t *addresses = calloc(count + 1, sizeof(*addresses));
    if (addresses == NULL)
        return 1;
    draw(argv[1], addresses, count);
    double begin = now_ms();
    if (fl_symbols_open(&symbols, argv[1], &err) != FL_OK) {
        printf("%s\n", err.message);
        return 1;
    }
    double opened = now_ms() - begin, first = ask_all(symbols, addresses, count, &frames);
    double best = first;
    for (int i = 0; i < ROUNDS; i++) {
        double took = ask_all(symbols, addresses, count, &frames);
        best = took < best ? took : best;
    }
    getrusage(RUSAGE_SELF, &used);
    printf("DWARF: %zu addresses, %zu frames: open %.1f ms, first %.0f ms, again %.1f ms, memory "
           "%ld MB\n",
           count, frames, opened, first, best, used.ru_maxrss / 1024);
    fl_symbols_close(symbols);
    ask_llvm(argv[1], addresses, count);
    free(addresses);
    return 0;
}
