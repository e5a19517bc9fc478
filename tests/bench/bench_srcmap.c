/*
 * bench_srcmap [SEGMENTS [FOLDER]] - a made-up source map of SEGMENTS segments (1,471,770), as a
 * bundler writes it for minified code: 40 segments a line, 800 sources, 20,000 names.
 *
 * Prints milliseconds of CPU time, the first and the best of five rounds in this process, for the
 * whole JSON, and for a million look-ups. Where FOLDER has node_modules/@jridgewell/sourcemap-codec
 * and node_modules/source-map, these decode the same mappings (their JSON is parsed before and does
 * not count).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "srcmap.h"

enum { ROUNDS = 5, SOURCES = 800, NAMES = 20000, A_LINE = 40, LOOKUPS = 1000000 };

static uint64_t seed = 42;

static uint64_t next_random(uint64_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % below;
}

static void add_number(fl_buf *text, int64_t value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t rest = value < 0 ? (uint64_t)-value << 1 | 1 : (uint64_t)value << 1;
    do {
        unsigned digit = rest & 31;
        rest >>= 5;
        fl_buf_char(text, digits[digit | (rest > 0 ? 32 : 0)]);
    } while (rest > 0);
}

static void add_mappings(fl_buf *text, size_t segments)
{
    int64_t source = 0, line = 0, column = 0, name = 0;
    for (size_t i = 0; i < segments; i++) {
        if (i > 0)
            fl_buf_char(text, i % A_LINE == 0 ? ';' : ',');
        int64_t next_source = next_random(60) == 0 ? (int64_t)next_random(SOURCES) : source;
        int64_t next_line =
            next_source == source ? line + (int64_t)next_random(3) : (int64_t)next_random(900);
        int64_t next_column =
            next_line == line ? column + (int64_t)next_random(24) : (int64_t)next_random(30);
        add_number(text, i % A_LINE == 0 ? 0 : (int64_t)next_random(20) + 1);
        add_number(text, next_source - source);
        add_number(text, next_line - line);
        add_number(text, next_column - column);
        if (next_random(4) == 0) {
            int64_t next_name = (int64_t)next_random(NAMES);
            add_number(text, next_name - name);
            name = next_name;
        }
        source = next_source;
        line = next_line;
        column = next_column;
    }
}

static void make_map(fl_buf *text, size_t segments)
{
    fl_buf_text(text, "{\"version\":3,\"file\":\"bundle.js\",\"sources\":[\"src/0.ts\"");
    for (int i = 1; i < SOURCES; i++)
        fl_buf_printf(text, ",\"src/modules/%d.ts\"", i);
    fl_buf_text(text, "],\"names\":[\"name0\"");
    for (int i = 1; i < NAMES; i++)
        fl_buf_printf(text, ",\"name%d\"", i);
    fl_buf_text(text, "],\"mappings\":\"");
    add_mappings(text, segments);
    fl_buf_text(text, "\"}");
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* The JavaScript decoders over the same file, which they print themselves. */
static void run_peers(const char *folder, const char *path)
{
    static const char program[] =
        "const fs=require('fs');const m=JSON.parse(fs.readFileSync(process.argv[1],'utf8'));"
        "const cpu=()=>process.cpuUsage().user/1e3;"
        "const time=async(name,f)=>{let b=1e9,first=0;for(let i=0;i<5;i++){const t=cpu();await f();"
        "const d=cpu()-t;if(i==0)first=d;b=Math.min(b,d)}"
        "console.log(name+': first '+first.toFixed(1)+' ms, best '+b.toFixed(1)+' ms')};"
        "(async()=>{const c=require('@jridgewell/sourcemap-codec');"
        "await time('@jridgewell/sourcemap-codec decode',()=>c.decode(m.mappings));"
        "const s=require('source-map');"
        "await time('source-map (wasm) parse',async()=>{const c=await new s.SourceMapConsumer(m);"
        "c.originalPositionFor({line:1,column:1});c.destroy()})})()";
    char command[4096];
    fflush(stdout);
    snprintf(command, sizeof(command), "cd '%s' && node -e \"%s\" '%s'", folder, program, path);
    if (system(command) != 0)
        printf("no node, or it failed\n");
}

int main(int argc, char **argv)
{
    size_t segments = argc > 1 ? strtoul(argv[1], NULL, 10) : 1471770, hits = 0;
    char path[] = "/tmp/faultline-bench-XXXXXX";
    fl_buf text = fl_buf_of((size_t)1 << 30);
    double best = 1e9, first = 0, lookups = 1e9;
    make_map(&text, segments);
    for (int round = 0; round < ROUNDS; round++) {
        fl_srcmap *map;
        fl_srcplace place;
        double begin = now_ms();
        if (text.status != FL_OK || fl_srcmap_read(&map, fl_buf_slice(&text), NULL) != FL_OK ||
            fl_srcmap_segment_count(map) != segments)
            return 1;
        double took = now_ms() - begin;
        first = round == 0 ? took : first;
        best = took < best ? took : best;
        begin = now_ms();
        uint32_t lines = (uint32_t)fl_srcmap_line_count(map);
        for (int i = 0; i < LOOKUPS; i++)
            hits += fl_srcmap_find(&place, map, 1 + (uint32_t)next_random(lines),
                                   (uint32_t)next_random(500));
        took = now_ms() - begin;
        lookups = took < lookups ? took : lookups;
        fl_srcmap_destroy(map);
    }
    printf("source map of %zu segments, %.1f MB: first %.1f ms, best %.1f ms with its JSON; 1 "
           "million look-ups %.0f ms "
           "(%zu found)\n",
           segments, (double)text.len / 1e6, first, best, lookups, hits / ROUNDS);
    int fd = argc > 2 ? mkstemp(path) : -1;
    if (fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len)
        run_peers(argv[2], path);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    fl_buf_dispose(&text);
    return 0;
}
