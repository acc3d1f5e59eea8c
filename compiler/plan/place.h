/* SPDX-License-Identifier: MIT
 *
 * Inside plan only: where in the text of a plan a value stands.  json-c keeps no places, so they are looked up when
 * there is something to report, and only then.
 */
#pragma once

#include "source/source.h"

enum { PLAN_STEPS = 16 };

struct plan_step {   /* into an object by key, or into an array by index */
    const char *key; /* NULL: index */
    size_t index;
};

struct plan_path {
    struct plan_step steps[PLAN_STEPS];
    unsigned count;
};

/* The value at the path, or the nearest thing around it that is there.  `at_key`: the last key instead of its value. */
struct span plan_place(const struct sources *sources, uint32_t file, const struct plan_path *path, bool at_key);

/* "guests[3].cells[0].nodes", for people. */
void plan_path_text(GString *out, const struct plan_path *path);
