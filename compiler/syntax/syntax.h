/* SPDX-License-Identifier: MIT
 *
 * The tree both notations become: items with arguments, blocks and comments.  Syntax knows forms only; what a word
 * means is the vocabulary's business.
 *
 *     guest pg-1 {              item "guest", argument "pg-1", a block
 *         memory 32GiB          item "memory", argument "32GiB"
 *     }
 *
 * An item and a word are small on purpose: a site of 100,000 guests has millions.
 */
#pragma once

#include "base/base.h"
#include "diag/diag.h"
#include "source/source.h"

/* One argument or name: a stretch of its file, without the quotes.  Its file is that of its item. */
struct word {
    uint32_t begin;
    uint32_t length : 27;
    uint32_t quoted : 1; /* a STRING, or a quoted YAML scalar */
    uint32_t cooked : 1; /* its text is not what stands in the file (escapes, several lines): see word_text() */
    uint32_t dollar : 1; /* has a '$' in it */
    uint32_t reserved : 2;
};

struct item {
    struct item *next;     /* in its block */
    struct item *children; /* first of its block */
    struct word name;
    uint32_t file : 14;
    uint32_t argument_count : 15;
    uint32_t has_block : 1; /* also when the block is empty */
    uint32_t mapped : 1; /* from YAML: `children` is a mapping whose keys may be argument names, labels or table keys */
    uint32_t failed : 1; /* a finding stands on its line: its words may be wrong, and need no second finding */
    uint32_t end;        /* offset behind the item: behind its "}" or its last argument */
    struct word arguments[];
};
_Static_assert(SOURCE_COUNT_LIMIT < 1 << 14, "an item has no room for its file");

struct comment {
    uint32_t begin, end; /* from the "#" to the end of the line */
    bool own_line;       /* nothing but blanks before it */
};

/* One parsed file.  Lives in the arena given to the reader. */
/* What the base of a guest rules, whatever the site says of it. */
enum base_word { BASE_ARCH, BASE_MACHINE, BASE_ACCEL, BASE_CPU, BASE_WORDS };

struct base_value {
    const char *text; /* in the words of the language; what libvirt assumes where the base is silent */
    struct span span; /* SPAN_NONE where it is */
};

struct tree {
    uint32_t file;
    struct item *items;                  /* first at top level */
    struct item *total;                  /* of a base with cells: the `memory` they come to; else NULL */
    struct base_value ruled[BASE_WORDS]; /* of a base */
    const struct comment *comments;      /* rising; only when asked for */
    uint32_t comment_count;
    bool is_yaml;
    bool failed;  /* an error was reported; what could be read is in the tree */
    bool is_torn; /* what stands inside what is not sure: nobody should judge the words */
};

enum syntax_limits {
    DEPTH_LIMIT = 16,             /* blocks in blocks */
    WORD_LIMIT = 1 << 16,         /* bytes of one word */
    ARGUMENT_LIMIT = 1 << 12,     /* arguments of one item */
    ITEM_LIMIT = 1 << 23,         /* items of one file */
    SITE_BYTES_LIMIT = 512 << 20, /* bytes of one file */
    BASE_BYTES_LIMIT = 16 << 20   /* the same for a base */
};

struct syntax {
    struct arena *arena; /* where trees and cooked texts live */
    struct sources *sources;
    struct findings *findings;
    GHashTable *cooked; /* inside syntax only */
};

struct syntax *syntax_new(struct sources *sources, struct findings *findings);
void syntax_free(struct syntax *syntax); /* frees all trees; accepts NULL */

/* Parses a source that was read before; `.yaml`, `.yml` and `.json` by the name's ending are YAML, all else is the
 * numac notation.  Standard input has no name, and is what its first word looks like.  A source in trouble gives an
 * empty tree with `failed`, and one finding (NM0001..NM0003).
 * keep_comments: only fmt and convert want them. */
struct tree *read_tree(struct syntax *syntax, uint32_t file, bool keep_comments);
struct tree *read_numa(struct syntax *syntax, uint32_t file, bool keep_comments);
struct tree *read_yaml(struct syntax *syntax, uint32_t file, bool keep_comments);
bool is_yaml_name(const char *name);
bool is_yaml_source(const struct source *source);
bool is_yaml_text(const char *text, size_t length); /* of a text without a name */

/* The finding of a source that could not be read, or is larger than this. */
void report_trouble(struct syntax *syntax, uint32_t file, uint32_t bytes_limit);

/* The NUMA parts of a domain XML as items of a guest, with spans in the XML: what a `base` gives as its lowest layer.
 * Read with BASE_BYTES_LIMIT.  What cannot be read, or what libvirt would not take, is a finding (NM1221 to NM1232, for
 * a source in trouble NM0001..NM0003) and `failed`. */
struct domain_identity {
    const char *uuid, *name; /* NULL where it has none; the UUID in the usual form */
    struct span name_span;   /* of the name; without one, of the tag that lacks it */
    uint32_t controllers;    /* the numbers of its PCI controllers are below this */
    uint64_t kept_max_bytes; /* a maxMemory that stays as it is, without cells; 0: it has none */
    struct span kept_max;
    uint32_t buses_end; /* its PCI buses that stand on no cell have numbers from here on; 0: none says so */
};
struct tree *read_domain(struct syntax *syntax, uint32_t file, struct domain_identity *out_identity);

/* What a guest is beside memory and CPUs, for those who write it without its XML.  Texts are as the XML has them, NULL
 * where it is silent. */
enum domain_fact {
    FACT_TYPE,
    FACT_GIC,
    FACT_NO_ACPI, /* by which a guest sees its cells */
    FACT_CACHE,
    FACT_CACHE_LEVEL,
    FACT_ADDRESS_MODE,
    FACT_ADDRESS_BITS,
    FACT_FIRMWARE,
    FACT_LOADER,
    FACT_LOADER_TYPE,
    FACT_KERNEL,
    FACT_INITRD,
    FACT_CMDLINE,
    FACT_DISK, /* the first on virtio */
    FACT_DISK_FORMAT,
    FACT_BRIDGE,
    DOMAIN_FACTS
};

struct domain_left { /* elements of one name that nothing of a site says */
    const char *name;
    uint32_t count;
    struct span where; /* of the first */
};

struct domain_beside {
    struct base_value facts[DOMAIN_FACTS];
    const char **features; /* "topoext", "^pdpe1gb" */
    uint32_t feature_count, left_count;
    const struct domain_left *left; /* in the order they stand */
};

/* The same of one `<domain>` among several of a file, whose bytes are `where`.  out_beside: NULL where a base keeps all
 * that the tree does not say. */
struct tree *read_domain_part(struct syntax *syntax, struct span where, struct domain_identity *out_identity,
                              struct domain_beside *out_beside);

/* The name of a memory device of a base, the nth of its model: "dimm0". */
char *domain_device_name(const char *model, uint32_t number);

/* The text of a word, not NUL-terminated; *out_length its bytes. */
const char *word_text(const struct syntax *syntax, const struct item *item, struct word word, size_t *out_length);
char *word_string(const struct syntax *syntax, const struct item *item, struct word word); /* copy in the arena */
struct word word_cooked(struct syntax *syntax, uint32_t file, uint32_t begin, uint32_t length, const char *text,
                        size_t text_length); /* a word whose text differs from what stands at begin..begin+length */

struct span word_span(const struct item *item, struct word word);
struct span item_span(const struct item *item); /* of its name */

struct item *item_new(struct syntax *syntax, uint32_t file, struct word name, const struct word *arguments,
                      size_t argument_count);

/* The tree as text, for tests and --dump: one item a line, two blanks a level, every word in brackets. */
void dump_tree(const struct syntax *syntax, const struct tree *tree, GString *out);
