/* fuzz_service.c - a service's file: what is read is within its limits, in YAML and in JSON. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "service.h"
#include "utf8.h"

static void check_text(const char *text)
{
    fl_slice bytes = {.ptr = (const unsigned char *)text, .len = strlen(text)};
    assert(bytes.len <= FL_MAX_SERVICE_TEXT_BYTES);
    assert(fl_utf8_valid_prefix(bytes) == bytes.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_service service;
    fl_error err = {0};
    fl_arena arena = fl_arena_of(64 << 20);
    fl_slice text = {.ptr = data, .len = size};
    fl_status status = fl_service_read(&service, &arena, text, "service", &err);
    assert(status == FL_OK || err.message[0] != '\0');
    if (status == FL_OK) {
        check_text(service.name);
        for (size_t i = 0; i < service.component_count; i++)
            check_text(service.components[i].name);
        for (size_t i = 0; i < service.setting_count; i++) {
            check_text(service.settings[i].name);
            check_text(service.settings[i].value);
        }
        for (size_t i = 0; i < service.depends_on_count; i++)
            check_text(service.depends_on[i]);
    }
    fl_arena_dispose(&arena);
    return 0;
}
