/* SPDX-License-Identifier: MIT
 *
 * Inside model only: what the steps from items to the typed site share.
 */
#pragma once

#include "model/model.h"

struct let { /* a variable of the site */
    const char *name;
    struct span span;        /* of its declaration */
    const struct item *item; /* its values are the arguments behind the name; */
    const char *text;        /* of -D, which wins */
    bool is_used, has_value;
    bool is_wrong; /* told already; its uses are silent */
};

struct binder {
    struct arena *arena;
    struct syntax *syntax;
    struct sources *sources;
    struct findings *findings;
    const struct model_options *options;
    struct site *site;
    uint32_t site_file;   /* the one named on the command line */
    GPtrArray *trees;     /* struct tree *, in reading order */
    GHashTable *lets;     /* name to struct let * */
    GPtrArray *let_order; /* struct let * */
    GHashTable *hosts;    /* name to position in host_items + 1 */
    GHashTable *profiles; /* name to struct profile * */
    GPtrArray *profile_order;
    GHashTable *sets;                      /* text to const struct set *: those that were sound */
    GHashTable *origins;                   /* place of a value to struct origin *: those that came from variables */
    GHashTable *bases;                     /* path, and what is accepted, to struct base_tree * */
    uint64_t bytes_again;                  /* of bases that were read more than once */
    GHashTable *suppressions;              /* const struct item * to struct suppression *: all there are */
    GPtrArray *in_force;                   /* struct acceptance *: those of them that somebody has */
    GPtrArray *host_items, *guest_items;   /* const struct item * in order */
    GPtrArray *group_items;                /* const struct item * in order */
    GPtrArray *profile_names, *host_names; /* const char *: of did-you-mean, made when first asked for; else NULL */
    GPtrArray *guest_names;                /* the same, with the instances that `count` makes */
    uint64_t grown_words;                  /* what profiles and variables came to so far (growth.c) */
    uint64_t grown_parts;                  /* and `count` */
    uint32_t own_at_blocks;                /* that guests say themselves */
    bool is_too_large;                     /* told: no more of them is read */
    bool is_torn;                          /* the braces of some file do not match: its words are not judged */
    bool missed_names; /* an include could not be read, or a block not understood: it may have declared what others name
                        */
    bool missed_lets;  /* the same of variables */
};

struct profile {
    const char *name;
    const struct item *item;
    bool is_used, is_in_told_cycle;
    unsigned state; /* of the search for cycles */
};

/* ---- files, includes, variables (load.c) */
bool load_site(struct binder *binder, uint32_t file);
char *path_beside(struct binder *binder, uint32_t file, const char *path, size_t length);
void mark_variables(struct binder *binder, const char *text, size_t length); /* as used */
struct let *find_let(struct binder *binder, const char *name, size_t length);

/* ---- one argument, ready to be typed: text with variables replaced */
struct scalar {
    const char *text;
    size_t length;
    struct span span; /* where it is written */
    bool is_quoted;
    const struct let *let; /* the variable it came from, for labels */
};

bool refuse_outside(struct binder *binder, const struct scalar *scalar, const char *path); /* a file the site names */
/* The arguments of an item, variables replaced; *out_count of them.  False: something was reported. */
bool item_scalars(struct binder *binder, const struct item *item, struct scalar *few, size_t room,
                  struct scalar **out_scalars, size_t *out_count);

/* ---- what profiles and variables come to (growth.c): false where that is too much, which is told once */
bool grow(struct binder *binder, size_t words, size_t bytes, struct span span);
bool grow_by_instances(struct binder *binder, const struct guest *family, uint32_t count); /* wherever they move */

/* ---- values (values.c, sets.c): false with a finding, nothing stored */
bool parse_value(struct binder *binder, const struct column *column, const struct scalar *scalar, void *out_value);
size_t value_bytes(enum value_type type);
size_t column_bytes(const struct column *column); /* of what it stores */
const struct set *parse_set(struct binder *binder, const struct scalar *scalar, enum value_type type);
struct finding *report_value(struct binder *binder, enum code code, const struct scalar *scalar, const char *format,
                             ...) G_GNUC_PRINTF(4, 5);

/* ---- values out of variables (origins.c) */
void origin_add(struct binder *binder, const struct scalar *scalar);
void settle_origins(struct binder *binder);

/* The URI of a libvirt (uri.c): one that only asks it. */
bool parse_uri(struct binder *binder, const struct scalar *scalar, const char **out_uri);
bool is_pci_address(const char *text, size_t length); /* 0000:41:00.0 */
/* Sets that name the guest's own devices name their addresses from then on (devices.c). */
void settle_device_places(struct binder *binder, struct guest *guest);
bool parse_code(struct binder *binder, const struct scalar *scalar, enum code *out_code); /* (suppress.c) */
bool parse_date(struct binder *binder, const struct scalar *scalar, uint32_t *out_day);   /* (date.c) */
const char *date_text(struct arena *arena, uint32_t day);
bool quiet_size(const char *text, size_t length, uint64_t *out_bytes); /* false: no size; says nothing */

/* ---- what does not fit (refuse.c) */
const struct word_row *nearest_word(enum context in, const char *text, size_t length); /* NULL: none is near */
void report_unknown(struct binder *binder, const struct item *item, enum context in);
void report_repeated(struct binder *binder, const struct item *item, const struct item *before, bool is_label);
void report_extra(struct binder *binder, const struct item *item, const struct word_row *row,
                  const struct column *columns, unsigned wanted, const struct scalar *before,
                  const struct scalar *extra); /* before: NULL if it is the first */
bool holds_word(struct binder *binder, const struct item *item,
                const struct word_row *row); /* an argument is a word of its place */
void report_block(struct binder *binder, const struct item *item,
                  const struct word_row *row); /* that it does not take */
void report_missing(struct binder *binder, const struct item *item, const struct word_row *row,
                    const struct column *column);
bool refuse_parted_set(struct binder *binder, const struct column *columns, const struct scalar *scalars, size_t count);

/* ---- items into objects (bind.c) */
struct frame { /* the objects that the words of a block belong to */
    void *object[OBJECT_KINDS];
    struct said *said;
    enum layer layer;
    bool *is_broken;
    bool *is_incomplete; /* a word of it could not be read; NULL: nobody asks */
    GArray *at_blocks;   /* struct at_block: those met are added; NULL: they are passed over */
    bool is_again;       /* all of it was said before, for another variant of the guest */
};

struct at_block { /* of a guest or a profile that it uses */
    const char *host;
    struct span span; /* of its name */
    const struct item *item;
    bool is_own;    /* of the guest */
    guint position; /* in the order of layers */
};

/* Binds every item of a block; `skip` words are left to others. */
void bind_block(struct binder *binder, const struct frame *frame, enum context in, const struct item *first);
void bind_item(struct binder *binder, const struct frame *frame, enum context in, const struct item *item,
               const struct word_row *row); /* row NULL: not a word of this place */
bool store_columns(struct binder *binder, const struct item *item, const struct word_row *row,
                   const struct column *columns, const struct scalar *scalars, size_t count, char *object);
bool bind_table(struct binder *binder, const struct frame *frame, const struct word_row *row, const struct item *item);
void note_places(struct binder *binder, const struct frame *frame, const struct word_row *row, const struct item *item,
                 const struct scalar *scalars, size_t count);
/* The labelled blocks (bind_labels.c). */
void bind_labelled(struct binder *binder, const struct frame *frame, const struct word_row *row,
                   const struct item *item);
void miss_block(const struct frame *frame); /* what the blocks of its kind come to is not known */
bool item_label(struct binder *binder, const struct item *item, const struct word_row *row, struct scalar *out_label);
const char *label_string(struct binder *binder,
                         const struct item *item); /* of an item that has one; outlives the tree */
const struct item *find_item(struct binder *binder, const struct item *first, const char *word);
void reset_word(const struct frame *frame, const struct word_row *row);

/* ---- words of one host (at.c) */
void note_at(struct binder *binder, const struct frame *frame, const struct item *item, const char *host,
             struct span span);
bool forget_at(const struct frame *frame, const char *host);
void sort_at_blocks(GArray *blocks); /* by host, those of one host in the order of layers */
void refuse_idle_at(struct binder *binder, const struct guest *guest, const GArray *blocks);
/* ---- what is accepted (suppress.c): of everything; of one host or guest, by its blocks from the lowest layer up */
struct suppression { /* one `suppress`, for all guests that have it from a profile */
    struct acceptance acceptance;
    struct said said;
    uint32_t last_day; /* 20270131 */
    bool is_void;      /* wrong, or over */
    bool is_in_force;  /* somebody has it */
};

void bind_suppressions(struct binder *binder);
struct acceptances accepted_in_layers(struct binder *binder, const struct item *const *blocks, size_t count);
void about_profile(struct binder *binder, const struct profile *profile); /* that nobody uses */
void report_nothing_to_remove(struct binder *binder, const struct scalar *what);

/* ---- what is asserted (assertions.c) */
bool parse_amount(struct binder *binder, const struct scalar *scalar, struct amount *out_amount);
/* Adds those of a layer to those of the layers below; false where some are wrong. */
bool join_assertions(struct binder *binder, const struct frame *frame, const struct word_row *word,
                     const struct list *added, struct list *assertions);

/* ---- the base of a guest (base.c) */
struct base_tree;
/* Binds what it says as the lowest layer; NULL with a finding. */
const struct base_tree *apply_base(struct binder *binder, struct frame frame, const struct item *base);
void keep_total(struct binder *binder, struct frame frame,
                const struct base_tree *base); /* when all layers are bound */

/* ---- hosts, guests (hosts.c, layers.c, inherit.c) */
void bind_hosts(struct binder *binder);
void refuse_unwanted_hosts(struct binder *binder);
bool is_host(struct binder *binder, const char *name); /* declared, or of the command line */
void bind_guests(struct binder *binder);
void bind_groups(struct binder *binder); /* groups.c */
void inherit_locality(struct guest *guest);
void settle_numad(struct guest *guest); /* after it */
void settle_cells(struct guest *guest);
void number_guest_places(struct binder *binder, struct guest *guest);
/* Returns the name that was most likely meant, or NULL; `own` is not it. */
const char *report_unknown_profile(struct binder *binder, const struct scalar *scalar);
const char *report_unknown_host(struct binder *binder, const struct scalar *scalar, const char *own);
/* The labelled blocks of a guest, and what it does not want of them (parts.c). */
void apply_removals(struct binder *binder, const struct frame *frame, const struct item *block);
const char *report_unknown_guest(struct binder *binder, const struct scalar *scalar);
struct cell *guest_cell(struct binder *binder, struct guest *guest, const char *label, struct span span);
struct resctrl *guest_resctrl(struct binder *binder, struct guest *guest, const struct set *ids, struct span span);
struct expander_bus *guest_expander(struct binder *binder, struct guest *guest, const char *name, struct span span);
struct device *guest_device(struct binder *binder, struct guest *guest, const char *name, struct span span);
struct iothread *guest_iothread(struct binder *binder, struct guest *guest, uint32_t id, struct span span);
struct memory_device *guest_memory_device(struct binder *binder, struct guest *guest, enum word_id model,
                                          const char *name, struct span span);
struct hmat_cache *cell_hmat_cache(struct binder *binder, struct cell *cell, uint32_t level, struct span span);

extern const struct guest guest_defaults;
extern const struct cell cell_defaults;
extern const struct iothread iothread_defaults;
extern const struct resctrl resctrl_defaults;
extern const struct expander_bus expander_defaults;
extern const struct device device_defaults;
extern const struct named_device named_device_defaults;
extern const struct hmat_cache hmat_cache_defaults;
extern const struct memory_device memory_device_defaults;
extern const struct guest_group group_defaults;
extern const struct declared_host host_defaults;
extern const struct reserve reserve_defaults;
extern const struct site site_defaults;

void said_forget(struct said *said, enum word_id word);
enum { SAID_ARGUMENTS = 15 };                                              /* of one saying whose places are kept */
void said_expect(struct arena *arena, struct said *said, uint32_t places); /* room for so many more */
void said_place(struct arena *arena, struct said *said, enum layer layer, enum word_id word, unsigned argument,
                struct span span);
