/*
 * oql_names.c - the functions, attributes and methods that a query may name. Sorted, as they are
 * listed to who asks for another.
 *
 * In MAT an attribute is any property of the Java class behind an object, and a method any of its
 * methods. Here are those that its manual names and those that published queries use. Their case
 * does not matter: MAT calls one of them GCRootInfo, and most who write about it gcRootInfo.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "oql_priv.h"
#include "slice.h"

const fl_oql_name fl_oql_functions[FL_OQL_FUNCTION_COUNT] = {
    [FL_OQL_CLASSOF] = {"classof", 1},       [FL_OQL_DOMINATOROF] = {"dominatorof", 1},
    [FL_OQL_DOMINATORS] = {"dominators", 1}, [FL_OQL_INBOUNDS] = {"inbounds", 1},
    [FL_OQL_OUTBOUNDS] = {"outbounds", 1},   [FL_OQL_TO_HEX] = {"toHex", 1},
    [FL_OQL_TO_STRING] = {"toString", 1},
};

const fl_oql_name fl_oql_attributes[FL_OQL_ATTRIBUTE_COUNT] = {
    [FL_OQL_A_CLASS] = {"class", 0},
    [FL_OQL_A_CLASS_LOADER_ID] = {"classLoaderId", 0},
    [FL_OQL_A_CLASS_SPECIFIC_NAME] = {"classSpecificName", 0},
    [FL_OQL_A_CLAZZ] = {"clazz", 0},
    [FL_OQL_A_DISPLAY_NAME] = {"displayName", 0},
    [FL_OQL_A_GC_ROOT_INFO] = {"gcRootInfo", 0},
    [FL_OQL_A_LENGTH] = {"length", 0},
    [FL_OQL_A_NAME] = {"name", 0},
    [FL_OQL_A_NUMBER_OF_OBJECTS] = {"numberOfObjects", 0},
    [FL_OQL_A_OBJECT_ADDRESS] = {"objectAddress", 0},
    [FL_OQL_A_OBJECT_ID] = {"objectId", 0},
    [FL_OQL_A_REFERENCE_ARRAY] = {"referenceArray", 0},
    [FL_OQL_A_RETAINED_HEAP_SIZE] = {"retainedHeapSize", 0},
    [FL_OQL_A_SUPER_CLASS] = {"superClass", 0},
    [FL_OQL_A_TECHNICAL_NAME] = {"technicalName", 0},
    [FL_OQL_A_USED_HEAP_SIZE] = {"usedHeapSize", 0},
    [FL_OQL_A_VALUE_ARRAY] = {"valueArray", 0},
};

const fl_oql_name fl_oql_methods[FL_OQL_METHOD_COUNT] = {
    [FL_OQL_M_CONTAINS] = {"contains", 1},
    [FL_OQL_M_ENDS_WITH] = {"endsWith", 1},
    [FL_OQL_M_EQUALS] = {"equals", 1},
    [FL_OQL_M_GET] = {"get", 1},
    [FL_OQL_M_INDEX_OF] = {"indexOf", 1},
    [FL_OQL_M_IS_EMPTY] = {"isEmpty", 0},
    [FL_OQL_M_LENGTH] = {"length", 0},
    [FL_OQL_M_SIZE] = {"size", 0},
    [FL_OQL_M_STARTS_WITH] = {"startsWith", 1},
    [FL_OQL_M_TO_LOWER_CASE] = {"toLowerCase", 0},
    [FL_OQL_M_TO_STRING] = {"toString", 0},
    [FL_OQL_M_TO_UPPER_CASE] = {"toUpperCase", 0},
    [FL_OQL_M_TRIM] = {"trim", 0},
};

/* ASCII only: the words of the language have no other letters. */
static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 'a' - 'A') : c;
}

/* Keywords are written in either case by different tutorials. */
bool fl_oql_is_word(fl_slice text, const char *word)
{
    assert(word != NULL);
    size_t i = 0;
    while (i < text.len && word[i] != '\0' && lower(text.ptr[i]) == lower((unsigned char)word[i]))
        i++;
    return i == text.len && word[i] == '\0';
}

/* The tables are short, and searched once a word of a query. */
uint32_t fl_oql_name_find(const fl_oql_name *names, uint32_t count, fl_slice text)
{
    assert(names != NULL);
    uint32_t i = 0;
    while (i < count && !fl_oql_is_word(text, names[i].text))
        i++;
    return i;
}

/* Cut between two names, never inside of one. */
void fl_oql_name_list(char *out, size_t cap, const fl_oql_name *names, uint32_t count)
{
    static const char more[] = " ...";
    assert(cap > sizeof(more) && count > 1);
    size_t len = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        const char *before = i == 0 ? "" : i + 1 < count ? ", " : " and ";
        size_t wanted = strlen(before) + strlen(names[i].text);
        if (len + wanted + sizeof(more) > cap) {
            memcpy(out + len, more, sizeof(more));
            return;
        }
        len += (size_t)snprintf(out + len, cap - len, "%s%s", before, names[i].text);
    }
}
