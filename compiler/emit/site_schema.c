/* SPDX-License-Identifier: MIT */
#include "emit/notation.h"
void write_site_schema(GString *out) { (void)out; }
void write_language_tables(GString *out) { (void)out; }
