/*
 * fl_folder.h - a folder of its own for a test, with the files it writes there.
 */
#ifndef FL_FOLDER_H
#define FL_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faultline/status.h"

typedef struct fl_folder {
    char path[64];
} fl_folder;

static inline void fl_folder_open(fl_folder *folder)
{
    snprintf(folder->path, sizeof(folder->path), "/tmp/faultline-test-XXXXXX");
    if (mkdtemp(folder->path) == NULL)
        abort();
}

/* The path of a name in the folder, in one of a few buffers used in turn. */
static inline const char *fl_folder_path(const fl_folder *folder, const char *name)
{
    static char paths[8][512];
    static size_t turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder->path, name);
    return path;
}

static inline const char *fl_folder_write(const fl_folder *folder, const char *name, fl_slice bytes)
{
    const char *path = fl_folder_path(folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || (bytes.len > 0 && fwrite(bytes.ptr, 1, bytes.len, file) != bytes.len) ||
        fclose(file) != 0)
        abort();
    return path;
}

/* Remove it with its files; an empty sub-folder goes too. */
static inline void fl_folder_remove(const fl_folder *folder)
{
    DIR *dir = opendir(folder->path);
    for (const struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL;
         entry = readdir(dir)) {
        const char *path = fl_folder_path(folder, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(path) != 0)
            rmdir(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(folder->path);
}

#endif
