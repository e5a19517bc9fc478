#include "lazy.h"

#include <assert.h>
#include <dlfcn.h>
#include <string.h>

/* ISO C has no conversion from an object's address to a function's; POSIX says they are alike. */
fl_status fl_lazy_load(const char *library, const fl_lazy_symbol *symbols, size_t count,
                       fl_error *err)
{
    assert(library != NULL && count > 0);
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "this needs the library %s, which is not installed: %.160s", library,
                       dlerror());
    for (size_t i = 0; i < count; i++) {
        void *address = dlsym(handle, symbols[i].name);
        if (address == NULL)
            return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                           "the library %s has no %s: it is too old", library, symbols[i].name);
        memcpy(symbols[i].pointer, &address, sizeof(address));
    }
    return FL_OK;
}
