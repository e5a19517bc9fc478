/*
 * Any bytes, as an ELF file or as Go's table in the corpus' envelope (flags u8, length u16 of the
 * table, table, trees): no crash, and what is found has a name.
 */
#include <assert.h>

#include "fuzz.h"
#include "symbol_priv.h"

static void check(size_t count, const fl_symbol *found)
{
    assert(count <= FL_MAX_INLINED);
    for (size_t i = 0; i < count; i++)
        assert(found[i].file.len < 1 << 20 && (i + 1 < count || found[i].function.len > 0));
}

static void fuzz_table(const uint8_t *data, size_t size)
{
    size_t len = (size_t)data[1] | (size_t)data[2] << 8;
    fl_slice rest = {.ptr = data + 3, .len = size - 3};
    fl_symbol found[FL_MAX_INLINED];
    fl_pclntab table;
    if (len > rest.len)
        len = rest.len;
    if (fl_pclntab_read(&table, (fl_slice){rest.ptr, len}, data[0] & 1, 0, NULL) != FL_OK)
        return;
    table.tree_base = 0x1000;
    table.trees = (fl_bin){.bytes = {rest.ptr + len, rest.len - len}, .is_big = data[0] & 1};
    for (uint64_t address = table.text_start; address < table.text_start + 160; address += 3)
        check(fl_pclntab_find(&table, address, found), found);
    for (uint64_t address = 0x401000; address < 0x401000 + 160; address += 3)
        check(fl_pclntab_find(&table, address, found), found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_symbols *symbols;
    fl_symbol found[FL_MAX_INLINED];
    fl_error err = {0};
    if (size > 3 && data[0] != 0x7f)
        fuzz_table(data, size);
    if (fl_symbols_over(&symbols, (fl_slice){data, size}, "fuzz", &err) != FL_OK) {
        assert(err.message[0] != '\0');
        return 0;
    }
    for (uint64_t address = 0; address < 2048; address += 17) {
        check(fl_symbols_find(symbols, address, found), found);
        (void)fl_symbols_address(symbols, address, 4096, 0);
    }
    fl_symbols_close(symbols);
    return 0;
}
