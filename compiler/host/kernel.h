/* SPDX-License-Identifier: MIT
 *
 * Inside host only: reading small files of the kernel, below "/" or in a recorded folder.
 */
#pragma once

#include "host/facts.h"

enum { KERNEL_FILE_BYTES = 65536 };

struct kernel {
    struct arena *arena;
    struct host *host;
    const char *root;
    bool is_live;
    char text[KERNEL_FILE_BYTES + 1]; /* of the last file read */
};

/* Reads a small file below the root into kernel->text. */
bool slurp(struct kernel *kernel, const char *path);
struct known_size slurp_number(struct kernel *kernel, const char *path);
