/* SPDX-License-Identifier: MIT
 *
 * Inside the overlay only: changes to the bytes of a base, and whether two elements say the same.
 */
#pragma once

#include "emit/xml_tree.h"
#include "plan/plan.h"

struct patch {
    struct arena *arena;
    const struct plan_guest *guest; /* that the new elements are of */
    const char *text;               /* of the base */
    size_t length;
    const char *ours;     /* the text the new elements come from: two blanks a level, one element a line */
    const char *line_end; /* of the base */
    const char *step;     /* what its children are indented by */
    GArray *edits;
};

struct patch *patch_new(struct arena *arena, const char *text, size_t length, const struct xml_element *root,
                        const char *ours);

void patch_replace(struct patch *patch, const struct xml_element *old, const struct xml_element *new);
void patch_start_tag(struct patch *patch, const struct xml_element *old, const struct xml_element *new);
void patch_remove(struct patch *patch, struct xml_element *old);
/* Behind the nearest child, of those not removed before, that `order` (names in libvirt's order, NULL at the end) puts
 * before it. */
void patch_insert(struct patch *patch, const struct xml_element *parent, const struct xml_element *new,
                  const char *const *order);
/* All children of `new` into an element that has none. */
void patch_fill(struct patch *patch, const struct xml_element *parent, GPtrArray *children);
/* The base with the changes, and the end of the patch. */
void patch_finish(struct patch *patch, GString *out);

/* The size that an element has as its text, in its unit; false where that is no size. */
bool xml_bytes(const struct xml_element *element, uint64_t *out_bytes);

/* Whether libvirt would read the same from both: sizes in any unit, sets in any spelling, defaults said or not. */
bool xml_says_same(const struct xml_element *a, const struct xml_element *b);
bool xml_tag_says_same(const struct xml_element *a, const struct xml_element *b); /* name and attributes only */
