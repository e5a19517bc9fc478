/* fuzz_config.c - a configuration: what loads is whole, can be shown, and is the same as itself. */
#include <assert.h>
#include <string.h>

#include "config.h"
#include "fuzz.h"

static void hear(void *payload, bool is_mistake, const char *sentence)
{
    *(size_t *)payload += is_mistake;
    assert(sentence[0] != '\0');
}

static void check(const fl_config *config)
{
    for (size_t i = 0; i < config->listen.http.count; i++)
        assert(config->listen.http.items[i].host[0] != '\0');
    for (size_t i = 0; i < config->sources.prometheus.count; i++) {
        const fl_config_source *source = &config->sources.prometheus.items[i];
        assert(source->name != NULL && strncmp(source->url, "http", 4) == 0);
        assert(fl_config_where(config, &source->url)->origin == FL_CONFIG_FILE);
    }
    for (size_t i = 0; i < config->redaction.rules.count; i++)
        assert(config->redaction.rules.items[i].pattern != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_config *config;
    size_t mistakes = 0;
    fl_buf page = fl_buf_of(16 << 20);
    const fl_config_input input = {.path = "c.yaml",
                                   .text = {size > 0 ? data : (const uint8_t *)"", size},
                                   .without_files = true,
                                   .say = hear,
                                   .payload = &mistakes};
    fl_status status = fl_config_load(&config, &input, NULL);
    assert((status == FL_E_SYNTAX) == (mistakes > 0));
    if (status == FL_OK) {
        check(config);
        assert(fl_config_compare(config, config, NULL, NULL) == 0);
        (void)!fl_config_show(&page, config, NULL);
    }
    fl_config_destroy(config);
    fl_buf_dispose(&page);
    return 0;
}
