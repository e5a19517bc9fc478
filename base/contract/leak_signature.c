/*
 * leak_signature.c - a signature as a list of conditions.
 */
#include "leak_signature.h"

#include <assert.h>
#include <string.h>

size_t fl_leak_condition_count(const fl_leak_signature *signature)
{
    assert(signature != NULL);
    return signature->must_count + signature->any_count + signature->against_count;
}

const fl_leak_condition *fl_leak_condition_at(const fl_leak_signature *signature, size_t at)
{
    assert(at < fl_leak_condition_count(signature));
    if (at < signature->must_count)
        return &signature->must[at];
    at -= signature->must_count;
    return at < signature->any_count ? &signature->any[at]
                                     : &signature->against[at - signature->any_count];
}

fl_leak_measured fl_leak_signature_measured(const fl_leak_signature *signature)
{
    assert(signature != NULL);
    return fl_leak_condition_count(signature) > 0
               ? fl_leak_feature_info_of(fl_leak_condition_at(signature, 0)->feature)->in
               : FL_LEAK_IN_PROFILES;
}

/* Few programs meet a condition on names by chance; every signature asks for the shape. */
static size_t demand_of(const fl_leak_signature *s)
{
    size_t sum = 0, any = 0;
    for (size_t i = 0; i < s->must_count + s->any_count; i++) {
        const fl_leak_condition *condition = fl_leak_condition_at(s, i);
        bool is_shape = condition->feature == FL_LEAK_F_SHAPE;
        bool is_name = fl_leak_feature_info_of(condition->feature)->is_text && !is_shape &&
                       condition->op == FL_LEAK_MATCHES;
        size_t one = is_shape ? 0 : is_name ? 3 : 1;
        if (i < s->must_count)
            sum += one;
        else
            any = one > any ? one : any;
    }
    return sum + any;
}

bool fl_leak_signature_beats(const fl_leak_signature *a, const fl_leak_signature *b)
{
    assert(a != NULL && b != NULL);
    size_t x = demand_of(a), y = demand_of(b);
    if (x != y)
        return x > y;
    if (a->prior != b->prior)
        return a->prior > b->prior;
    return strcmp(a->name, b->name) < 0;
}
