/*
 * leak_owner.c - whose code a function is: the user's own, a dependency's, the standard library's.
 *
 * Where the toolchain's folder is known (from the file of a runtime function) the standard library
 * is what lies in it; a binary built with -trimpath has "runtime/proc.go" there, and then the first
 * element of the package's path decides. A dependency lies in a module cache, a vendor folder or
 * node_modules, or is, where the main module is known, of another path with a domain in it.
 */
#include <assert.h>
#include <string.h>

#include "go_packages.h"
#include "leak_priv.h"
#include "slice.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool contains(fl_slice text, const char *part)
{
    return fl_slice_find(text, fl_slice_of(part)) < text.len;
}

/* The name up to the dot that ends its package: the first after the last slash that stands before
 * any bracket (type arguments hold slashes too). */
fl_slice fl_leak_package_of(fl_slice function)
{
    size_t end = 0, slash = 0;
    while (end < function.len && function.ptr[end] != '(' && function.ptr[end] != '[')
        end++;
    for (size_t i = 0; i < end; i++) {
        if (function.ptr[i] == '/')
            slash = i + 1;
    }
    for (size_t i = slash; i < end; i++) {
        if (function.ptr[i] == '.')
            return (fl_slice){function.ptr, i};
    }
    return (fl_slice){function.ptr, 0};
}

fl_slice fl_leak_receiver_of(fl_slice function)
{
    fl_slice package = fl_leak_package_of(function);
    if (package.len == 0)
        return (fl_slice){function.ptr, 0};
    fl_slice rest = {function.ptr + package.len + 1, function.len - package.len - 1};
    if (rest.len > 2 && rest.ptr[0] == '(') {
        size_t from = rest.ptr[1] == '*' ? 2 : 1, to = from;
        while (to < rest.len && rest.ptr[to] != ')' && rest.ptr[to] != '[')
            to++;
        return (fl_slice){rest.ptr + from, to - from};
    }
    /* A value receiver: Type.Method, where a closure's parts are named func1 and a number. */
    size_t bracket = fl_slice_find(rest, FL_SLICE("["));
    size_t dot = fl_slice_find((fl_slice){rest.ptr, bracket}, FL_SLICE("."));
    rest.len = dot < bracket ? rest.len : dot;
    fl_slice after = {rest.ptr + dot, rest.len - dot};
    bool is_closure = dot == rest.len || fl_slice_starts_with(after, FL_SLICE(".func")) ||
                      (after.len > 1 && after.ptr[1] >= '0' && after.ptr[1] <= '9');
    return (fl_slice){rest.ptr, is_closure ? 0 : dot};
}

bool fl_leak_is_standard_package(fl_slice package)
{
    size_t end = 0;
    while (end < package.len && package.ptr[end] != '/')
        end++;
    return fl_go_is_standard((fl_slice){package.ptr, end});
}

/* The folder of the toolchain's sources, with its slash; empty where it is not known. */
static fl_slice toolchain_of(const fl_leak *leak)
{
    for (size_t i = 0; i < leak->function_count; i++) {
        fl_slice name = fl_intern_text(leak->texts, leak->functions[i].name);
        fl_slice file = fl_intern_text(leak->texts, leak->functions[i].file);
        if (!fl_slice_starts_with(name, FL_SLICE("runtime.")))
            continue;
        size_t at = fl_slice_find(file, FL_SLICE("/src/runtime/"));
        if (at < file.len)
            return (fl_slice){file.ptr, at + sizeof("/src/") - 1};
    }
    return (fl_slice){(const unsigned char *)"", 0};
}

static bool is_observer(fl_slice package)
{
    return fl_slice_equal(package, FL_SLICE("runtime/pprof")) ||
           fl_slice_equal(package, FL_SLICE("net/http/pprof")) ||
           fl_slice_equal(package, FL_SLICE("runtime/trace"));
}

static fl_owner owner_of(const fl_leak *leak, fl_slice name, fl_slice file, fl_slice toolchain)
{
    fl_slice package = fl_leak_package_of(name);
    bool in_toolchain = toolchain.len > 0 && fl_slice_starts_with(file, toolchain);
    if (in_toolchain || fl_slice_starts_with(name, FL_SLICE("node:")))
        return OWNER_STANDARD;
    bool knows_place = toolchain.len > 0 && file.len > 0;
    if (!knows_place && fl_leak_is_standard_package(package))
        return OWNER_STANDARD;
    if (package.len == 0 && name.len == 0)
        return OWNER_UNKNOWN;
    if (contains(file, "/pkg/mod/") || contains(file, "/vendor/") ||
        contains(file, "/node_modules/"))
        return OWNER_DEPENDENCY;
    size_t version = fl_slice_find(file, FL_SLICE("@v"));
    if (version < file.len && file.ptr[0] != '/')
        return OWNER_DEPENDENCY; /* -trimpath: module@version/file */
    if (leak->options.module != NULL && !fl_slice_equal(package, FL_SLICE("main"))) {
        fl_slice module = fl_slice_of(leak->options.module);
        if (!fl_slice_starts_with(package, module) && contains(package, "."))
            return OWNER_DEPENDENCY;
    }
    return OWNER_USER;
}

void fl_leak_decide_owners(fl_leak *leak)
{
    fl_slice toolchain = toolchain_of(leak);
    for (size_t i = 0; i < leak->function_count; i++) {
        leak_function *function = &leak->functions[i];
        fl_slice name = fl_intern_text(leak->texts, function->name);
        function->owner =
            owner_of(leak, name, fl_intern_text(leak->texts, function->file), toolchain);
        function->is_observer = is_observer(fl_leak_package_of(name));
        assert(!function->is_observer || function->owner != OWNER_UNKNOWN);
    }
    for (size_t i = 0; i < leak->stack_count; i++) {
        leak_stack *stack = &leak->stacks[i];
        stack->user = NO_ID;
        stack->is_observer = false;
        for (uint32_t k = 0; k < stack->frame_count; k++) {
            uint32_t id = leak->frames[stack->frame_at + k].function;
            if (id == NO_ID)
                continue;
            stack->is_observer = stack->is_observer || leak->functions[id].is_observer;
            if (stack->user == NO_ID && leak->functions[id].owner == OWNER_USER)
                stack->user = k;
        }
    }
}

/* Frames that park a goroutine, and the words that goroutine texts use for them
 * (runtime2.go, waitReasonStrings). The first that is found from the inside counts. */
static const struct {
    const char *frame, *state;
} states[] = {
    {"runtime.chanrecv", "chan receive"},
    {"runtime.chansend", "chan send"},
    {"runtime.selectgo", "select"},
    {"runtime.block", "select (no cases)"},
    {"runtime.netpollblock", "IO wait"},
    {"internal/poll.runtime_pollWait", "IO wait"},
    {"time.Sleep", "sleep"},
    {"sync.runtime_SemacquireMutex", "sync.Mutex.Lock"},
    {"internal/sync.runtime_SemacquireMutex", "sync.Mutex.Lock"},
    {"sync.runtime_SemacquireRWMutex", "sync.RWMutex.Lock"},
    {"sync.runtime_SemacquireRWMutexR", "sync.RWMutex.RLock"},
    {"sync.runtime_SemacquireWaitGroup", "sync.WaitGroup.Wait"},
    {"sync.runtime_Semacquire", "semacquire"},
    {"sync.runtime_notifyListWait", "sync.Cond.Wait"},
    {"runtime.gcBgMarkWorker", "GC worker (idle)"},
};

const char *fl_leak_state_of(const fl_leak *leak, uint32_t stack)
{
    assert(stack < leak->stack_count);
    const leak_stack *s = &leak->stacks[stack];
    for (uint32_t k = 0; k < s->frame_count && k < 8; k++) {
        fl_slice name = fl_leak_name_at(leak, &leak->frames[s->frame_at + k]);
        for (size_t i = 0; i < COUNT(states); i++) {
            if (fl_slice_equal(name, fl_slice_of(states[i].frame)))
                return states[i].state;
        }
    }
    return "";
}
