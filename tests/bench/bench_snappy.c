/*
 * bench_snappy FILE... - the block decoder against libsnappy, on blocks as they were
 * recorded.
 *
 * Both decode every file again and again; printed is MB/s of output (10^6 bytes, best round, CPU
 * time of this process) of ours, of libsnappy's where the bench was built with it, and the ratio.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "snappy.h"
#ifdef FL_HAVE_LIBSNAPPY
#include <snappy-c.h>
#endif

enum { MAX_FILES = 16, MAX_BYTES = 16 << 20, REPEATS = 200, ROUNDS = 15 };

static fl_slice blocks[MAX_FILES];
static size_t block_count;
static unsigned char *reference;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool read_block(const char *path)
{
    unsigned char *bytes = malloc(MAX_BYTES);
    FILE *file = fopen(path, "rb");
    if (bytes == NULL || file == NULL)
        return false;
    blocks[block_count++] = (fl_slice){.ptr = bytes, .len = fread(bytes, 1, MAX_BYTES, file)};
    return fclose(file) == 0;
}

/* Bytes of output; 0 on a failure. */
static size_t run_ours(fl_arena *arena)
{
    size_t total = 0;
    for (size_t i = 0; i < block_count; i++) {
        fl_slice plain;
        fl_arena_reset(arena);
        if (fl_snappy_decode(&plain, blocks[i], MAX_BYTES, arena, NULL) != FL_OK)
            return 0;
        total += plain.len;
    }
    return total;
}

static size_t run_theirs(void)
{
    size_t total = 0;
#ifdef FL_HAVE_LIBSNAPPY
    for (size_t i = 0; i < block_count; i++) {
        size_t len = MAX_BYTES;
        if (snappy_uncompress((const char *)blocks[i].ptr, blocks[i].len, (char *)reference,
                              &len) != SNAPPY_OK)
            return 0;
        total += len;
    }
#endif
    return total;
}

int main(int argc, char **argv)
{
    double best_s[2] = {1e9, 1e9};
    size_t bytes[2] = {0, 0};
    fl_arena arena = fl_arena_of(MAX_BYTES);
    reference = malloc(MAX_BYTES);
    for (int i = 1; i < argc && i <= MAX_FILES; i++)
        if (!read_block(argv[i])) {
            perror(argv[i]);
            return EXIT_FAILURE;
        }
    if (block_count == 0 || reference == NULL) {
        fprintf(stderr, "usage: bench_snappy FILE...\n");
        return 2;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double at[3];
        at[0] = seconds_now();
        for (int i = 0; i < REPEATS; i++)
            bytes[0] = run_ours(&arena);
        at[1] = seconds_now();
        for (int i = 0; i < REPEATS; i++)
            bytes[1] = run_theirs();
        at[2] = seconds_now();
        for (int who = 0; who < 2; who++)
            best_s[who] = at[who + 1] - at[who] < best_s[who] ? at[who + 1] - at[who] : best_s[who];
    }
    double ours = (double)bytes[0] * REPEATS / best_s[0] / 1e6;
    double theirs = (double)bytes[1] * REPEATS / best_s[1] / 1e6;
    printf("snappy blocks  %8.1f MB/s of output (%zu bytes a round)\n", ours, bytes[0]);
    if (bytes[1] > 0)
        printf("libsnappy      %8.1f MB/s; ours / libsnappy = %.2f\n", theirs, ours / theirs);
    fl_arena_dispose(&arena);
    return bytes[0] > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
