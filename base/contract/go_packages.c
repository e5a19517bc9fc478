/*
 * go_packages.c - the one list of them.
 */
#include "go_packages.h"

#include "slice.h"

/* First elements of the standard library's paths, go1.0 to go1.26 (`go list std`). */
static const char *const standard[] = {
    "archive",  "bufio",   "bytes",   "cmp",      "compress", "container", "context", "crypto",
    "database", "debug",   "embed",   "encoding", "errors",   "expvar",    "flag",    "fmt",
    "go",       "hash",    "html",    "image",    "index",    "internal",  "io",      "iter",
    "log",      "maps",    "math",    "mime",     "net",      "os",        "path",    "plugin",
    "reflect",  "regexp",  "runtime", "slices",   "sort",     "strconv",   "strings", "structs",
    "sync",     "syscall", "testing", "text",     "time",     "type",      "unicode", "unique",
    "unsafe",   "vendor",  "weak",
};

bool fl_go_is_standard(fl_slice first_element)
{
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
        if (fl_slice_equal(first_element, fl_slice_of(standard[i])))
            return true;
    return false;
}
