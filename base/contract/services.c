#include "services.h"

uint32_t fl_service_find(const fl_timeline *timeline, fl_slice name)
{
    size_t low = 0, high = timeline->service_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = fl_slice_compare(fl_slice_of(timeline->services[middle]), name);
        if (order == 0)
            return (uint32_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return FL_NO_INDEX;
}
