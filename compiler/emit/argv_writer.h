/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: arguments of a program, each one exactly one word for any POSIX shell.  A word is built in a
 * buffer of its own and quoted as a whole when it ends, so that nothing in the plan can leave it.
 */
#pragma once

#include "base/base.h"

struct argv {
    GString *out;
    GString *word;             /* the one being built */
    const char *option_before; /* what parts an option from the word before: "\n" or " \\\n    " */
    const char *value_before;  /* what parts its value from it: "\n" or " " */
};

void argv_open(struct argv *argv, GString *out);
void argv_finish(struct argv *argv); /* the newline behind the last word */

/* Plain words. */
void argv_program(struct argv *argv, const char *text);
void argv_option(struct argv *argv, const char *text);
void argv_value(struct argv *argv, const char *text); /* of the option before */

/* A value in pieces, such as "node,nodeid=0": argv_begin, pieces, argv_end. */
void argv_begin(struct argv *argv, const char *text);
void argv_put(struct argv *argv, const char *text);  /* as it is */
void argv_text(struct argv *argv, const char *text); /* of the plan: QEMU wants its commas doubled */
void argv_number(struct argv *argv, uint64_t number);
void argv_end(struct argv *argv);

/* Pieces of a value with what leads to them: ",size=" and a number, a text of the plan, or a set, which repeats the key
 * for each of its ranges, as QEMU takes lists. */
void put_number(struct argv *argv, const char *key, uint64_t number);
void put_text(struct argv *argv, const char *key, const char *text);
void put_ids(struct argv *argv, const char *key, const struct ids *ids);

/* Text as one shell word, in quotes only where it needs them. */
void append_shell_word(GString *out, const char *text);
