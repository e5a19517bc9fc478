/*
 * gc_again.c - how to see a line of a log again.
 *
 * The path is what a user typed, or what stood in a folder: it is quoted, since the command is
 * there to be copied into a shell.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "faultline/gc.h"

/* What a shell takes as it is, in any place of a word. */
static bool is_plain(const char *path)
{
    for (const char *p = path; *p != '\0'; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') &&
            strchr("_./:@%+,-", *p) == NULL)
            return false;
    return path[0] != '\0';
}

/* As one word; "./" before what would be an option. False where it does not fit. */
static bool quote(char *out, size_t room, const char *path)
{
    size_t used = 0;
    bool quoted = !is_plain(path);
    int head = snprintf(out, room, "%s%s", quoted ? "'" : "", path[0] == '-' ? "./" : "");
    assert(head >= 0 && room > 8);
    used = (size_t)head;
    for (const char *p = path; *p != '\0'; p++) {
        const char inner[2] = {*p, '\0'};
        const char *text = *p == '\'' ? "'\\''" : inner;
        if (used + strlen(text) + 2 > room)
            return false;
        used += (size_t)snprintf(out + used, room - used, "%s", text);
    }
    if (quoted)
        used += (size_t)snprintf(out + used, room - used, "'");
    return used < room;
}

static bool ends_with(const char *path, const char *end)
{
    size_t len = strlen(path), tail = strlen(end);
    return len >= tail && strcmp(path + len - tail, end) == 0;
}

const char *fl_gc_again(char out[FL_GC_AGAIN_TEXT], const char *file, uint64_t line)
{
    char path[FL_GC_AGAIN_TEXT - 48]; /* room for the rest of the longest command */
    unsigned long long number = line;
    assert(out != NULL && file != NULL);
    out[0] = '\0';
    if (strcmp(file, "-") == 0 || !quote(path, sizeof(path), file))
        return out;
    if (line == 0)
        (void)snprintf(out, FL_GC_AGAIN_TEXT, "faultline jfr --view gc %s", path);
    else if (ends_with(file, ".gz") || ends_with(file, ".zst"))
        (void)snprintf(out, FL_GC_AGAIN_TEXT, "%s %s | sed -n %llup",
                       ends_with(file, ".gz") ? "zcat" : "zstdcat", path, number);
    else
        (void)snprintf(out, FL_GC_AGAIN_TEXT, "sed -n %llup %s", number, path);
    return out;
}
