/*
 * built_in_library.c - the library that is compiled in, one document a family.
 */
#include <assert.h>

#include "fl_library_go_yaml.h"
#include "fl_library_jvm_yaml.h"
#include "fl_library_names_yaml.h"
#include "fl_library_python_yaml.h"
#include "fl_library_services_yaml.h"
#include "library.h"

fl_status fl_library_add_built_in(fl_library *library, fl_error *err)
{
    const struct {
        const char *source;
        fl_slice text;
    } documents[] = {
        {"library/names.yaml", fl_library_names_yaml},
        {"library/go.yaml", fl_library_go_yaml},
        {"library/jvm.yaml", fl_library_jvm_yaml},
        {"library/python.yaml", fl_library_python_yaml},
        {"library/services.yaml", fl_library_services_yaml},
    };
    fl_status status = FL_OK;
    assert(library != NULL);
    for (size_t i = 0; status == FL_OK && i < sizeof(documents) / sizeof(documents[0]); i++)
        status = fl_library_add(library, documents[i].text, documents[i].source, err);
    return status;
}
