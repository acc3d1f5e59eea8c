/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: a small tree of XML elements that knows which bytes each came from.
 */
#pragma once

#include "base/base.h"

struct xml_attribute {
    const char *name, *value;
    struct xml_attribute *next;
};

struct xml_element {
    const char *name; /* of elements without a prefix; "" with one, so that no rule takes it for its own */
    const char *text; /* the character data of its own, trimmed; "" without */
    struct xml_attribute *attributes;
    struct xml_element *parent, *children, *last_child, *next, *previous;
    size_t begin, end;  /* all of it, as bytes of the text */
    size_t open_end;    /* behind the ">" of its start tag */
    size_t close_begin; /* the "<" of its end tag; equal to end where it closes itself */
    bool closes_itself;
    bool is_gone;   /* for those who change the text: it will not be there */
    bool has_other; /* text or comments between its children */
};

/* The root, or NULL where the text is no well-formed XML, has a DOCTYPE or is deeper than 256 levels.  Lives in the
 * arena. */
struct xml_element *xml_tree_read(struct arena *arena, const char *text, size_t length);

struct xml_element *xml_child(const struct xml_element *element, const char *name); /* the first, or NULL */
struct xml_element *xml_next_named(const struct xml_element *element);              /* the next of its name */
const char *xml_attribute(const struct xml_element *element, const char *name);     /* NULL without */
