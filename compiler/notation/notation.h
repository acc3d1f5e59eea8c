/* SPDX-License-Identifier: MIT
 *
 * The language as text: items in the one layout of either notation, and what is written of the vocabulary.
 *
 *     read_tree(keep_comments) --shape_tree() for YAML--> tree --> write_numa() or write_yaml()
 */
#pragma once

#include "syntax/syntax.h"

enum notation { NOTATION_NUMA, NOTATION_YAML };

/* A tree of either notation, comments kept.  Adds to `out`; false where the notation cannot say something of it
 * (NM0052 tells what): then the text is not to be used.  A tree with `failed` is not for writing. */
bool write_notation(struct syntax *syntax, const struct tree *tree, enum notation notation, GString *out);

/* What two texts differ in, line by line, as `diff -u` shows it.  Nothing for equal texts.  Texts that have little in
 * common are shown as replaced, so that the time stays bounded. */
struct text {
    const char *bytes;
    size_t length;
};
void write_line_diff(const char *name, struct text old, struct text new, GString *out);

/* Puts a text in the place of a file, whole or not at all, with the file's mode; a link stays a link.  False: NM0053.
 */
bool rewrite_file(struct findings *findings, const char *path, struct text text);

/* Cures that quote the language, said in YAML where their finding stands in YAML.  Once, before they are shown. */
void helps_in_yaml(struct findings *findings, const struct sources *sources, struct arena *arena);

void write_site_schema(GString *out);        /* JSON Schema (draft 7) of the YAML form */
void write_language_tables(GString *out);    /* every word, for docs/language.md */
void write_architecture_table(GString *out); /* what guests of each can have, for the same */
