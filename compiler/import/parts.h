/* SPDX-License-Identifier: MIT
 *
 * Inside import only: where guests stand in a file, and the lines a guest becomes before they are text.
 */
#pragma once

#include "base/architecture.h"
#include "import/import.h"

/* ---- where guests stand (split.c) ------------------------------------------------------------------------------- */

/* Adds the span of each `<domain>` of a file to `parts` (struct span); false, with a finding, where something else
 * stands there.  Whether a part is well-formed is left to those who read it. */
bool split_domains(struct syntax *syntax, uint32_t file, GArray *parts);

/* ---- lines (lines.c) --------------------------------------------------------------------------------------------
 * A word with its arguments and the lines of its block, as plain text that steps may change at will. */
struct line {
    struct line *next, *children;
    const char *word; /* also the key of a row */
    const char **arguments;
    unsigned count;
    bool is_named; /* its first argument is a name that people gave: quoted unless it looks like one */
    bool is_tall;  /* its block stands on lines of its own */
};

struct guest_lines {
    struct arena *arena;
    struct line *lines;
};

/* The items of a tree; false, with a finding, where a text has signs that no notation can hold. */
bool lines_from_items(struct arena *arena, struct syntax *syntax, const struct item *items, struct line **out_lines);
void lines_append(GString *out, const struct line *lines, unsigned depth); /* in the numa notation */

struct line *line_new(struct arena *arena, const char *word, const char *argument); /* argument NULL: none */
struct line *line_find(struct line *list, const char *word);                        /* the first, or NULL */
struct line *line_add(struct line **list, struct line *line);                       /* at the end */
void line_drop(struct line **list, const struct line *line);
void line_add_argument(struct arena *arena, struct line *line, const char *argument);
bool line_same(const struct line *a, const struct line *b);
bool line_is(const struct line *line, const char *word);
struct line *line_the_only(struct line *list, const char *word); /* NULL where there is none, or more than one */
unsigned lines_count(const struct line *list, const char *word);

static inline const char *line_argument(const struct line *line) /* the only one, or NULL */
{
    return line && line->count == 1 ? line->arguments[0] : NULL;
}

bool text_is_writable(const char *text);                  /* in a site */
bool text_number(const char *text, uint64_t *out_number); /* decimal digits and nothing else */
bool text_kib(const char *text, uint64_t *out_kib);       /* "2048KiB" */
/* A set of plain numbers, as libvirt and numac read it; NULL where it is none, or is empty. */
const struct ids *text_set(struct arena *arena, const char *text);

bool vcpus_level(const struct line *vcpus, const char *word, uint64_t *out_number); /* "threads" of `vcpus` */
bool vcpus_total(const struct line *vcpus, uint64_t *out_total);                    /* that there can be */

/* ---- longer (unsaid.c) ------------------------------------------------------------------------------------------ */

/* What libvirt assumes where the XML is silent and numac would choose otherwise. */
void say_unsaid(struct guest_lines *guest);
/* The CPUs of the whole process are those of the emulator and of all iothreads that have none of their own. */
void say_cpus_of_threads(struct guest_lines *guest, const char *cpus);

/* ---- beside memory and CPUs (beside.c) -------------------------------------------------------------------------- */

/* Machine, CPU and boot of a guest whose XML no base keeps, and a word on what is lost; false, with a finding, where a
 * text has signs that no notation can hold. */
bool say_beside(struct guest_lines *guest, struct syntax *syntax, const struct base_value *ruled,
                const struct domain_beside *beside);
bool is_uefi_image(const char *path);
#define UNSAID_ADDRESS_BITS "40" /* bits that QEMU emulates where nobody says how many */
/* Of a guest that has some, and its machine none. */
void tell_cells(struct findings *findings, struct span where, const struct architecture *architecture);

/* ---- shorter (simplify.c, fold_cells.c, fold_pins.c) ------------------------------------------------------------ */

/* Fewer words for the same plan. */
void simplify(struct guest_lines *guest);
void plain_texts(struct arena *arena, struct line *list); /* sizes in their largest unit, sets in ranges */
void fold_pins(struct guest_lines *guest);
void fold_ids(struct guest_lines *guest);       /* `ids 0-3` of the first cell is `vcpus 4` */
void fold_inherited(struct guest_lines *guest); /* what all cells say, the guest says */
void fold_shares(struct guest_lines *guest);    /* equal memory and vCPUs are the total's even share */
void fold_cells(struct guest_lines *guest);     /* cells that say nothing of their own are `cells N` */
void fold_distances(struct guest_lines *guest);
