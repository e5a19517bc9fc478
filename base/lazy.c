#include "lazy.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

/* Of all libraries: loading is rare, and a lock that is free costs a caller nothing. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ISO C has no conversion from an object's address to a function's; POSIX says they are alike. */
static fl_status load(const fl_lazy_library *library, fl_error *err)
{
    void *handle = dlopen(library->soname, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "this needs the library %s, which is not installed: %.160s", library->soname,
                       dlerror());
    for (size_t i = 0; i < library->symbol_count; i++) {
        void *address = dlsym(handle, library->symbols[i].name);
        if (address == NULL)
            return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                           "the library %s has no %s: it is too old", library->soname,
                           library->symbols[i].name);
        memcpy(library->symbols[i].pointer, &address, sizeof(address));
    }
    return library->begin != NULL ? library->begin(err) : FL_OK;
}

fl_status fl_lazy_load(fl_lazy_library *library, fl_error *err)
{
    assert(library->soname != NULL && library->symbol_count > 0);
    pthread_mutex_lock(&lock);
    if (!library->is_tried)
        library->why.status = load(library, &library->why);
    library->is_tried = true;
    pthread_mutex_unlock(&lock);
    if (library->why.status == FL_OK)
        return FL_OK;
    return fl_fail(err, library->why.status, FL_NO_OFFSET, "%s", library->why.message);
}
