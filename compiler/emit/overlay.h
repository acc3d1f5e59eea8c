/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: a guest written into the domain XML it has as its base.
 */
#pragma once

#include "emit/emit.h"

/* The bytes of the base, with what numac owns replaced.  The base was checked when the site was read: a well-formed
 * domain in UTF-8 without DOCTYPE. */
void write_overlay(const struct plan_guest *guest, const struct base_text *base, GString *out);
