/*
 * bench_symbol [BINARY [COUNT]] - COUNT (20,000) random addresses of a Go program to functions,
 * files and lines; without BINARY the `go` on the path.
 *
 * Prints the milliseconds of the best of five rounds: opening the file and all addresses, in this
 * process; and `go tool addr2line` and `addr2line -i` with the same addresses, their processes
 * included, where they are installed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "symbol.h"

enum { ROUNDS = 5 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* Best of some rounds of a shell command; below 0 where it fails. */
static double time_command(const char *command)
{
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        double begin = now_ms();
        if (system(command) != 0)
            return -1;
        double took = now_ms() - begin;
        best = took < best ? took : best;
    }
    return best;
}

static bool find_go(char path[512])
{
    FILE *said = popen("readlink -f \"$(command -v go)\" 2>/dev/null", "r");
    bool ok = said != NULL && fgets(path, 512, said) != NULL;
    if (said != NULL)
        pclose(said);
    path[strcspn(path, "\n")] = '\0';
    return ok && path[0] != '\0';
}

static size_t ask_all(const char *path, const uint64_t *addresses, size_t count, size_t *frames)
{
    fl_symbols *symbols;
    fl_error err = {0};
    fl_symbol found[FL_MAX_INLINED];
    size_t named = 0;
    if (fl_symbols_open(&symbols, path, &err) != FL_OK) {
        printf("%s\n", err.message);
        exit(1);
    }
    *frames = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = fl_symbols_find(symbols, addresses[i], found);
        named += n > 0;
        *frames += n;
    }
    fl_symbols_close(symbols);
    return named;
}

/* Addresses that have names, drawn from 64 MB behind the usual start of a program's text. */
static void draw(const char *path, uint64_t *addresses, size_t count)
{
    fl_symbols *symbols;
    fl_symbol found[FL_MAX_INLINED];
    uint64_t seed = 42;
    if (fl_symbols_open(&symbols, path, NULL) != FL_OK)
        exit(1);
    for (size_t i = 0; i < count;) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        addresses[i] = 0x400000 + (seed >> 38);
        i += fl_symbols_find(symbols, addresses[i], found) > 0;
    }
    fl_symbols_close(symbols);
}

int main(int argc, char **argv)
{
    char path[512], command[2048], list[] = "/tmp/faultline-bench-XXXXXX";
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000, frames = 0, named = 0;
    if (argc > 1)
        snprintf(path, sizeof(path), "%s", argv[1]);
    else if (!find_go(path)) {
        printf("skipped: no Go program given and no go installed\n");
        return 0;
    }
    uint64_t *addresses = malloc(count * sizeof(*addresses));
    int fd = mkstemp(list);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (addresses == NULL || file == NULL)
        return 1;
    draw(path, addresses, count);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%#llx\n", (unsigned long long)addresses[i]);
    fclose(file);
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double begin = now_ms();
        named = ask_all(path, addresses, count, &frames);
        double took = now_ms() - begin;
        best = took < best ? took : best;
    }
    printf("symbols of %s: %zu addresses, %zu named, %zu frames: %.1f ms with opening the file\n",
           strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path, count, named, frames, best);
    snprintf(command, sizeof(command), "go tool addr2line '%s' <'%s' >/dev/null 2>&1", path, list);
    printf("go tool addr2line %.1f ms (innermost line only), ", time_command(command));
    snprintf(command, sizeof(command), "addr2line -fie '%s' <'%s' >/dev/null 2>&1", path, list);
    printf("addr2line %.1f ms (below 0: failed)\n", time_command(command));
    remove(list);
    free(addresses);
    return 0;
}
