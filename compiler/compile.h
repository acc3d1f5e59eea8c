/* SPDX-License-Identifier: MIT
 *
 * The pipeline: a site's path in, the finished plan out.  Which verb wants it, and what it does with the plan, is not
 * known here.
 */
#pragma once

#include "emit/emit.h"
#include "ground/ground.h"
#include "session.h"

struct compiled {
    const struct site *site;
    const struct planned_site *planned; /* NULL where the site is no text */
    bool is_clean;                      /* no error was found in this site: its plan may be written */
};

struct compiled compile_site(struct session *session, const char *path);

/* As domain XML: over the base of the site, if it has one. */
void write_guest_xml(struct session *session, const struct planned_guest *guest, GString *out);
/* The base of a guest; no text where it has none. */
struct base_text base_of(struct session *session, const struct planned_guest *guest);
