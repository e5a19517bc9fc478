/* Any bytes: no crash; what is read has names and stacks that can be walked, and a profile can be
 * made of it. */
#include <assert.h>

#include "fuzz.h"
#include "jfr_answers.h"

static void walk(const fl_jfr_recording *recording)
{
    fl_arena arena = fl_arena_of(16u << 20);
    fl_jfr_holdings holdings;
    fl_jfr_places places;
    for (int i = 0; i < FL_JFR_GROUP_COUNT; i++) {
        if (fl_jfr_places_of(&places, recording, (fl_jfr_group)i, &arena, NULL) == FL_OK)
            assert(places.count <= recording->groups[i].count);
    }
    if (fl_jfr_holdings_of(&holdings, recording, &arena, NULL) == FL_OK)
        for (size_t i = 0; i < holdings.count; i++)
            (void)fl_jfr_chain_text(recording, holdings.items[i].example, 6, &arena);
    fl_arena_dispose(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_jfr_recording *recording;
    fl_stream *in;
    fl_profile *profile;
    fl_error err = {0};
    if (fl_stream_over(&in, (fl_slice){.ptr = data, .len = size}, "fuzz", &err) != FL_OK)
        return 0;
    if (fl_jfr_recording_read(&recording, in, "fuzz", &err) != FL_OK) {
        assert(err.message[0] != '\0');
        fl_stream_close(in);
        return 0;
    }
    fl_stream_close(in);
    walk(recording);
    if (fl_profile_create(&profile, NULL) == FL_OK) {
        if (fl_jfr_profile(profile, recording, NULL) == FL_OK)
            assert(profile->sample_count <= recording->totals.events);
        fl_profile_destroy(profile);
    }
    fl_jfr_recording_destroy(recording);
    return 0;
}
