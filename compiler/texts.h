/* SPDX-License-Identifier: MIT
 *
 * Texts that are part of the program: the pages of the codes and the schemas, put there by tests/embed.
 */
#pragma once

struct embedded_text {
    const char *name; /* "NM0004.md", "findings.schema.json" */
    const char *text;
};

extern const struct embedded_text embedded_texts[]; /* the last has no name */

const char *embedded_text(const char *name); /* NULL if there is none */
