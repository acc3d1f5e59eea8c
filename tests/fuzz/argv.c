/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a command line to import: split, read, written as a site, shown, forgotten.
 */
#define _GNU_SOURCE /* memfd_create() */
#include "importing.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    import_in_both(bytes, length, false, length % 2);
    return 0;
}
