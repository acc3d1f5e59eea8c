/* SPDX-License-Identifier: MIT
 *
 * Any bytes behind a tag as domain XML to import: split into guests, read, written as a site, shown, forgotten.
 */
#define _GNU_SOURCE /* memfd_create() */
#include "importing.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!length || bytes[0] != '<')
        return 0; /* the fuzzer of command lines has these */
    import_in_both(bytes, length, length % 2, length % 4 > 1);
    return 0;
}
