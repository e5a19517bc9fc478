# Run by fl_embed at build time: INPUT -> OUTPUT_DIR/SYMBOL.{c,h}.
cmake_path(GET INPUT FILENAME name)
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
string(TOUPPER ${SYMBOL} guard)
file(WRITE ${OUTPUT_DIR}/${SYMBOL}.h
"/* Generated from ${name}. */
#ifndef ${guard}_H
#define ${guard}_H

#include \"faultline/status.h\"

extern const fl_slice ${SYMBOL};

#endif
")
file(WRITE ${OUTPUT_DIR}/${SYMBOL}.c
"/* Generated from ${name}. */
#include \"${SYMBOL}.h\"

static const unsigned char bytes[] = {
${bytes}0};

const fl_slice ${SYMBOL} = {.ptr = bytes, .len = sizeof(bytes) - 1};
")
