/* SPDX-License-Identifier: MIT
 *
 * Inside diag only: how the list is kept, for the renderers.
 */
#pragma once

#include "diag/diag.h"

struct findings {
    struct arena *arena;
    const struct sources *sources;
    GPtrArray *list;  /* struct finding * */
    GHashTable *seen; /* "code:file:begin:end" */
    size_t counts[ERROR + 1];
};

#define FINDINGS_A_FILE 50u /* more are counted, not shown */

void findings_sort(struct findings *findings);
void render_human(const struct findings *findings, const struct render_options *options, GString *out);
void render_gcc(const struct findings *findings, const struct render_options *options, GString *out);
void render_json(const struct findings *findings, const struct render_options *options, GString *out);
