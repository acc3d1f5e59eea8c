/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: a table of text, filled field by field, row by row, and written once, which frees it.
 */
#pragma once

#include "base/base.h"

struct table {
    GPtrArray *fields; /* row by row, char * */
    unsigned columns;
    bool right_aligned; /* all but the first column */
};

void table_open(struct table *table, unsigned columns, bool right_aligned);
void table_add(struct table *table, const char *field);
void table_take(struct table *table, GString *field); /* frees it */
void table_write(struct table *table, GString *out);
