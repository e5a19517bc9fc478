/*
 * bench_intern.c - hashes, interner and map: nanoseconds an operation, with malloc as the
 * yardstick.
 *
 *     bench_intern [DISTINCT]        (default 20000 distinct strings, 10 million look-ups)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "intern.h"
#include "map.h"
#include "timestamp.h"

enum { LOOKUPS = 10000000, TEXT_BYTES = 40 };

static uint64_t sum; /* keeps the work from being optimised away */

static void show(const char *what, int64_t start_ns, uint64_t count)
{
    double ns = (double)(fl_time_monotonic() - start_ns);
    printf("%-44s %8.2f ns each %10.1f M/s\n", what, ns / (double)count, (double)count * 1e3 / ns);
}

static fl_slice *make_texts(size_t count)
{
    fl_slice *texts = calloc(count, sizeof(*texts));
    char *bytes = malloc(count * TEXT_BYTES);
    if (texts == NULL || bytes == NULL)
        exit(EXIT_FAILURE);
    for (size_t i = 0; i < count; i++) {
        char *text = bytes + i * TEXT_BYTES;
        int len = snprintf(text, TEXT_BYTES, "ts-%s-service.pod-%zu/%zu",
                           i % 2 ? "order" : "travel", i % 97, i);
        texts[i] = (fl_slice){(unsigned char *)text, (size_t)len};
    }
    return texts;
}

static void bench_hashes(const fl_slice *texts, size_t count)
{
    int64_t start_ns = fl_time_monotonic();
    for (size_t i = 0; i < LOOKUPS; i++)
        sum += fl_hash_keyed(texts[i % count]);
    show("fl_hash_keyed, 25 bytes", start_ns, LOOKUPS);
    start_ns = fl_time_monotonic();
    for (size_t i = 0; i < LOOKUPS; i++)
        sum += fl_hash_stable(texts[i % count]);
    show("fl_hash_stable, 25 bytes", start_ns, LOOKUPS);

    static unsigned char block[65536];
    start_ns = fl_time_monotonic();
    for (int i = 0; i < 20000; i++) {
        block[0] = (unsigned char)i;
        sum += fl_hash_stable((fl_slice){block, sizeof(block)});
    }
    show("fl_hash_stable, bytes of 64 KiB", start_ns, 20000 * sizeof(block));
    start_ns = fl_time_monotonic();
    for (int i = 0; i < 2000; i++) {
        block[0] = (unsigned char)i;
        sum += fl_hash_keyed((fl_slice){block, sizeof(block)});
    }
    show("fl_hash_keyed, bytes of 64 KiB", start_ns, 2000 * sizeof(block));
}

static void bench_intern(const fl_slice *texts, size_t count)
{
    fl_intern *table;
    fl_sym sym = 0;
    if (fl_intern_create(&table, SIZE_MAX, NULL) != FL_OK)
        exit(EXIT_FAILURE);
    int64_t start_ns = fl_time_monotonic();
    for (size_t i = 0; i < count; i++)
        if (fl_intern_put(&sym, table, texts[i], NULL) != FL_OK)
            exit(EXIT_FAILURE);
    show("fl_intern_put, new strings", start_ns, count);
    start_ns = fl_time_monotonic();
    for (size_t i = 0; i < LOOKUPS; i++) {
        if (fl_intern_put(&sym, table, texts[i * 7919 % count], NULL) != FL_OK)
            exit(EXIT_FAILURE);
        sum += sym;
    }
    show("fl_intern_put, strings that are there", start_ns, LOOKUPS);
    fl_intern_destroy(table);
}

static void bench_map(size_t count)
{
    fl_map *map;
    uint64_t *slot;
    if (fl_map_create(&map, SIZE_MAX, NULL) != FL_OK)
        exit(EXIT_FAILURE);
    int64_t start_ns = fl_time_monotonic();
    for (uint64_t i = 0; i < count; i++) {
        if (fl_map_slot(&slot, map, fl_hash_mix(i), NULL, NULL) != FL_OK)
            exit(EXIT_FAILURE);
        *slot = i;
    }
    show("fl_map_slot, new keys", start_ns, count);
    start_ns = fl_time_monotonic();
    for (uint64_t i = 0; i < LOOKUPS; i++)
        sum += *fl_map_find(map, fl_hash_mix(i * 7919 % count));
    show("fl_map_find, keys that are there", start_ns, LOOKUPS);
    start_ns = fl_time_monotonic();
    for (uint64_t i = 0; i < LOOKUPS; i++)
        sum += fl_map_find(map, ~fl_hash_mix(i)) != NULL;
    show("fl_map_find, keys that are not there", start_ns, LOOKUPS);
    fl_map_destroy(map);
}

static void bench_malloc(void)
{
    int64_t start_ns = fl_time_monotonic();
    for (size_t i = 0; i < LOOKUPS; i++) {
        void *volatile ptr = malloc(48);
        sum += (uint64_t)(uintptr_t)ptr;
        free(ptr);
    }
    show("yardstick: malloc and free of 48 bytes", start_ns, LOOKUPS);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 20000;
    if (count == 0)
        return EXIT_FAILURE;
    fl_slice *texts = make_texts(count);
    printf("%zu distinct strings or keys\n", count);
    bench_malloc();
    bench_hashes(texts, count);
    bench_intern(texts, count);
    bench_map(count);
    printf("(%llx)\n", (unsigned long long)sum);
    free((void *)(uintptr_t)texts[0].ptr);
    free(texts);
    return EXIT_SUCCESS;
}
