/*
 * heap_open.c - the index as a file: whose it is, mapped to be read, written and given its name
 * when it is whole and durable.
 *
 * Until then it has no name where the file system can do that (O_TMPFILE) and /proc is there to
 * give it one: a run that is killed leaves nothing behind. A file that already has the name is
 * replaced at once, which takes a name beside it for the moment between two calls.
 */
#define _GNU_SOURCE /* O_TMPFILE */
#include "heap_open.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faultline/triage.h"
#include "heap_index.h"
#include "sha256.h"
#include "slice.h"

/* Of a dump of 1 GB one byte in 4,000 is looked at: a dump of another time differs in more. */
enum { SAMPLES = 64, SAMPLE_BYTES = 4096, WRITE_BYTES = 64 << 20 };

/* --- whose index it is --- */

/* Evenly over the dump, its beginning and its end among them. */
static void sample_of(unsigned char out[FL_SHA256_BYTES], fl_slice bytes)
{
    unsigned char digests[SAMPLES * FL_SHA256_BYTES];
    size_t len = bytes.len < SAMPLE_BYTES ? bytes.len : SAMPLE_BYTES, last = bytes.len - len;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t at = last / (SAMPLES - 1) * i + last % (SAMPLES - 1) * i / (SAMPLES - 1);
        fl_sha256(digests + i * FL_SHA256_BYTES, fl_slice_part(bytes, at, at + len));
    }
    fl_sha256(out, (fl_slice){.ptr = digests, .len = sizeof(digests)});
}

static fl_heap_index_key key_of(const fl_hprof *dump, const struct stat *facts)
{
    const char *program = fl_version();
    fl_heap_index_key key = {.dump_bytes = fl_hprof_bytes(dump).len,
                             .file_bytes = (uint64_t)facts->st_size,
                             .mtime_ns = (int64_t)facts->st_mtim.tv_sec * 1000000000 +
                                         facts->st_mtim.tv_nsec};
    sample_of(key.sample, fl_hprof_bytes(dump));
    memcpy(key.program, program, strnlen(program, sizeof(key.program)));
    return key;
}

/* --- reading --- */

typedef enum found {
    FOUND_NOTHING, /* to be written */
    FOUND_INDEX,   /* mapped, of whatever dump */
    FOUND_OTHER,   /* something that is not ours to replace */
    FOUND_CLOSED   /* it cannot be read: a note says why */
} found;

/* An empty file is what was left of one that nobody wrote. */
static found map_index(fl_heap_opened *out)
{
    struct stat facts;
    found what = FOUND_OTHER;
    int fd = open(out->index, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno != ENOENT)
        (void)fl_fail(&out->note, FL_E_IO, FL_NO_OFFSET,
                      "the index cannot be read: %s; it stays as it is, and none is kept",
                      strerror(errno));
    if (fd < 0)
        return out->note.status == FL_OK ? FOUND_NOTHING : FOUND_CLOSED;
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode)) {
        void *mapping = MAP_FAILED;
        if (facts.st_size > 0)
            mapping = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        else
            what = FOUND_NOTHING;
        if (mapping != MAP_FAILED) {
            out->mapping = mapping;
            out->mapping_bytes = (size_t)facts.st_size;
            what = FOUND_INDEX;
        }
    }
    (void)close(fd);
    return what;
}

static void unmap_index(fl_heap_opened *out)
{
    if (out->mapping != NULL)
        (void)munmap(out->mapping, out->mapping_bytes);
    out->mapping = NULL;
}

/* Only running out of memory is a failure; anything else is a note, and no heap. */
static fl_status load(fl_heap_opened *out, const fl_heap_wanted *wanted,
                      const fl_heap_index_key *key, fl_error *err)
{
    fl_error damage = {0}, why = {0};
    const fl_heap_index_question question = {key, wanted->options, wanted->classes_only};
    fl_slice bytes = {.ptr = out->mapping, .len = out->mapping_bytes};
    fl_heap_source source = fl_hprof_source(out->dump);
    assert(out->mapping != NULL);
    fl_status status = fl_heap_index_load(&out->heap, &damage, bytes, &question, &source, &why);
    if (status == FL_OK && damage.status != FL_OK)
        fl_hprof_recall_damage(out->dump, &damage);
    if (status == FL_OK)
        return FL_OK;
    unmap_index(out);
    if (status == FL_E_NOMEM)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
    (void)fl_fail(&out->note, status, FL_NO_OFFSET, "%s; it is made anew", why.message);
    return FL_OK;
}

/* --- writing --- */

typedef struct writing {
    int fd;
    bool is_named;                     /* it has the name `path` */
    char path[FL_MAX_HEAP_INDEX_PATH]; /* of what is not renamed yet; ends in XXXXXX without one */
} writing;

/* The system may take less than it is given. */
static fl_status put(void *payload, uint64_t offset, fl_slice bytes, fl_error *err)
{
    const writing *to = payload;
    while (bytes.len > 0) {
        size_t len = bytes.len < WRITE_BYTES ? bytes.len : WRITE_BYTES;
        ssize_t done = pwrite(to->fd, bytes.ptr, len, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%s", strerror(errno));
        bytes = fl_slice_part(bytes, (size_t)done, bytes.len);
        offset += (uint64_t)done;
    }
    return FL_OK;
}

/* The name is durable as the bytes are; a folder that cannot be opened is no reason to complain. */
static void sync_folder(const char *path)
{
    char copy[FL_MAX_HEAP_INDEX_PATH];
    (void)snprintf(copy, sizeof(copy), "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

/* Where what is open is found without a name of its own. */
typedef char unnamed_path[sizeof("/proc/self/fd/") + 20];

static void name_unnamed(unnamed_path out, int fd)
{
    (void)snprintf(out, sizeof(unnamed_path), "/proc/self/fd/%d", fd);
}

/* A name beside that of the index, for what has none yet. mkstemp() makes sure that nobody has it
 * and is in the way then; what another run takes meanwhile is an error like any other. */
static bool give_name(writing *to)
{
    unnamed_path from;
    name_unnamed(from, to->fd);
    int fd = mkstemp(to->path);
    if (fd < 0)
        return false;
    (void)close(fd);
    to->is_named =
        unlink(to->path) == 0 && linkat(AT_FDCWD, from, AT_FDCWD, to->path, AT_SYMLINK_FOLLOW) == 0;
    return to->is_named;
}

static fl_status make_durable(writing *to, const char *path, fl_error *err)
{
    if (fsync(to->fd) != 0 || (!to->is_named && !give_name(to)) || rename(to->path, path) != 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%s", strerror(errno));
    sync_folder(path);
    return FL_OK;
}

/* Without a name; with one where the file system knows no files without, or where nothing could
 * give it one when it is whole: a jail may have no /proc. */
static int create_file(writing *to)
{
    unnamed_path from;
    char copy[FL_MAX_HEAP_INDEX_PATH];
    (void)snprintf(copy, sizeof(copy), "%s", to->path);
    int fd = open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) {
        name_unnamed(from, fd);
        if (access(from, F_OK) == 0)
            return fd;
        (void)close(fd);
    }
    fd = mkstemp(to->path);
    to->is_named = fd >= 0;
    return fd;
}

/* Whoever may read the dump may read its index. */
static fl_status begin(writing *to, const char *path, mode_t mode, fl_error *err)
{
    int len = snprintf(to->path, sizeof(to->path), "%s.XXXXXX", path);
    to->fd = -1;
    to->is_named = false;
    if (len < 0 || (size_t)len >= sizeof(to->path))
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%s", strerror(ENAMETOOLONG));
    to->fd = create_file(to);
    if (to->fd < 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%s", strerror(errno));
    (void)fchmod(to->fd, (mode & 0666) | 0600);
    return FL_OK;
}

/* A failure leaves no file and a note that replaces what was wrong with the old index. */
static void save(fl_heap_opened *out, const fl_heap_index_key *key, mode_t mode)
{
    writing to;
    fl_error why = {0};
    const fl_heap_index_sink sink = {.put = put, .payload = &to};
    fl_status status = begin(&to, out->index, mode, &why);
    if (status == FL_OK) {
        status = fl_heap_index_save(out->heap, key, fl_hprof_damage(out->dump), &sink, &why);
        if (status == FL_OK)
            status = make_durable(&to, out->index, &why);
        (void)close(to.fd);
        if (status != FL_OK && to.is_named)
            (void)unlink(to.path);
    }
    if (status == FL_OK)
        return;
    out->note = (fl_error){0};
    (void)fl_fail(&out->note, status, FL_NO_OFFSET, "the index is not kept: %s", why.message);
}

/* --- both --- */

/* Beside the dump, where the user does not say. */
static fl_status name_index(fl_heap_opened *out, const char *given, fl_error *err)
{
    int len = snprintf(out->index, sizeof(out->index), "%s%s", given != NULL ? given : out->path,
                       given != NULL ? "" : ".flx");
    if (len < 0 || (size_t)len >= sizeof(out->index))
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "the name of the index is too long");
    return FL_OK;
}

/* What is there under the name of the index, mapped if it is one. */
static found find_index(fl_heap_opened *out)
{
    found what = map_index(out);
    fl_slice bytes = {.ptr = out->mapping, .len = out->mapping_bytes};
    if (what != FOUND_INDEX || fl_heap_index_is(bytes))
        return what;
    unmap_index(out);
    return FOUND_OTHER;
}

/* The heap out of the index, or made and kept as one. */
static fl_status make_with_index(fl_heap_opened *out, const fl_heap_wanted *wanted, fl_error *err)
{
    struct stat facts = {0};
    fl_heap_options whole = wanted->options;
    whole.without_tree = false;
    fl_status status = name_index(out, wanted->index, err);
    if (status == FL_OK && stat(out->path, &facts) != 0)
        status =
            fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot read %s: %s", out->path, strerror(errno));
    if (status != FL_OK)
        return status;
    fl_heap_index_key key = key_of(out->dump, &facts);
    found what = find_index(out);
    if (what == FOUND_INDEX)
        status = load(out, wanted, &key, err);
    if (status != FL_OK || out->heap != NULL)
        return status;
    fl_heap_source source = fl_hprof_source(out->dump);
    status = fl_heap_create(&out->heap, &source, &whole, err);
    if (status == FL_OK && what == FOUND_OTHER)
        (void)fl_fail(&out->note, FL_E_IO, FL_NO_OFFSET,
                      "this is no index of a heap and stays as it is: none is kept");
    else if (status == FL_OK && what != FOUND_CLOSED)
        save(out, &key, facts.st_mode);
    return status;
}

fl_status fl_heap_open(fl_heap_opened *out, const char *path, const char *folder, fl_error *err)
{
    *out = (fl_heap_opened){.path = path};
    return fl_hprof_open(&out->dump, path, folder, err);
}

fl_status fl_heap_make(fl_heap_opened *opened, const fl_heap_wanted *wanted, fl_error *err)
{
    assert(opened->dump != NULL && opened->heap == NULL);
    if (wanted->with_index)
        return make_with_index(opened, wanted, err);
    fl_heap_source source = fl_hprof_source(opened->dump);
    return fl_heap_create(&opened->heap, &source, &wanted->options, err);
}

void fl_heap_unmake(fl_heap_opened *opened)
{
    fl_heap_destroy(opened->heap);
    opened->heap = NULL;
    unmap_index(opened);
}

void fl_heap_close(fl_heap_opened *opened)
{
    fl_heap_unmake(opened);
    fl_hprof_close(opened->dump);
    opened->dump = NULL;
}
