/* SPDX-License-Identifier: MIT
 *
 * The typed model of a site: what people said of hosts and guests, layer upon layer, and where they said it.  Made
 * from items by the vocabulary; knows nothing of real hosts, so sets that name places of a host stay expressions.
 *
 *     items --shape--> --bind--> --resolve--> struct site
 */
#pragma once

#include "base/architecture.h"
#include "base/base.h"
#include "diag/diag.h"
#include "model/assertions.h"
#include "model/at.h"
#include "model/choices.h"
#include "model/sets.h"
#include "source/source.h"
#include "syntax/syntax.h"

/* ---- the vocabulary --------------------------------------------------------------------------------------------- */

enum context { /* where a word stands; one bit each, since a row may stand in several */
               IN_NOWHERE = 0,
               IN_SITE = 1 << 0,
               IN_HOST = 1 << 1,
               IN_RESERVE = 1 << 2,
               IN_GUEST = 1 << 3,
               IN_PROFILE = 1 << 4,
               IN_CELL = 1 << 5,
               IN_CPU = 1 << 6,
               IN_BOOT = 1 << 7,
               IN_MEMORY = 1 << 8,
               IN_VCPUS = 1 << 9,
               IN_LOCKED = 1 << 10,
               IN_EMULATOR = 1 << 11,
               IN_IOTHREAD = 1 << 12,
               IN_NODE = 1 << 13,
               IN_BACKING = 1 << 14,
               IN_ALLOCATION = 1 << 15,
               IN_HMAT_CACHE = 1 << 16,
               IN_VHOST = 1 << 17,
               IN_RESCTRL = 1 << 18,
               IN_EXPANDER = 1 << 19,
               IN_DEVICE = 1 << 20,
               IN_DIMM = 1 << 21,
               IN_VIRTIO_MEM = 1 << 22,
               IN_NVDIMM = 1 << 23,
               IN_VIRTIO_PMEM = 1 << 24,
               IN_SGX_EPC = 1 << 25,
               IN_CXL = 1 << 26,
               IN_GROUP = 1 << 27,
               IN_SUPPRESS = 1 << 28,
               IN_AT = 1 << 29,
               IN_OWNER = IN_GUEST | IN_PROFILE, /* which host is asked once, so `at` is not here */
               IN_G = IN_OWNER | IN_AT,
               IN_GC = IN_G | IN_CELL,
               IN_CELL_DEVICE = IN_DIMM | IN_VIRTIO_MEM | IN_NVDIMM | IN_SGX_EPC | IN_CXL,
               IN_MEMORY_DEVICE = IN_CELL_DEVICE | IN_VIRTIO_PMEM,
               IN_ADDRESSED_DEVICE = IN_DIMM | IN_VIRTIO_MEM | IN_NVDIMM | IN_VIRTIO_PMEM,
};

enum word_kind {
    SETTING,  /* once in a block */
    LABELLED, /* a block once for each label */
    REPEATED, /* as often as wanted: include */
};

enum value_type {
    V_NONE,
    V_ANY,           /* any words: values of a variable */
    V_NAME,          /* const char *: begins with a letter or _ */
    V_REF,           /* const char *: a name declared elsewhere */
    V_LABEL,         /* const char *: a name or a whole number */
    V_VARIABLE,      /* const char *: letters, digits, _ */
    V_TEXT,          /* const char * */
    V_FILE,          /* const char *: a path, relative to the file that says it */
    V_SOURCE,        /* the same, or `live` */
    V_WHAT,          /* const char *: word or word:label */
    V_FEATURE,       /* struct feature_word */
    V_CHOICE,        /* uint32_t or uint8_t: position in the row's list of words */
    V_BOOL,          /* bool: yes, no */
    V_INT,           /* uint32_t */
    V_COUNT,         /* uint32_t, COUNT_ALL */
    V_CELLS,         /* uint32_t, CELLS_AUTO, CELLS_HOST */
    V_DISTANCE,      /* uint32_t, DISTANCE_AUTO */
    V_SIZE,          /* uint64_t bytes, whole KiB */
    V_SIZE_OR_ALL,   /* uint64_t bytes, SIZE_ALL */
    V_PAGES,         /* uint64_t bytes, PAGES_NORMAL, PAGES_LARGEST */
    V_SET,           /* const struct set *: vCPU numbers */
    V_CPUS,          /* const struct set *: host CPUs */
    V_NODES,         /* const struct set *: host nodes */
    V_NODES_OR_AUTO, /* the same; NULL for `auto`, &set_numad */
    V_CPUS_OR_NUMAD, /* const struct set *: host CPUs; &set_numad */
    V_VERSION,       /* struct version_number */
    V_TIME,          /* uint64_t whole nanoseconds */
    V_RATE,          /* uint64_t bytes a second, whole MiB */
    V_SHARE,         /* struct share */
    V_ADDRESS,       /* uint64_t: hexadecimal, 0x... */
    V_PCI,           /* const char *: an address with its domain, in small letters */
    V_URI,           /* const char *: of a libvirt */
    V_CODE,          /* enum code: of a warning or hint */
    V_DATE,          /* uint32_t: 20270131 */
    V_AMOUNT,        /* struct amount: a whole number, or a size */
    V_TYPES
};

#define COUNT_ALL UINT32_MAX
#define CELLS_AUTO UINT32_MAX
#define CELLS_HOST (UINT32_MAX - 1)
#define DISTANCE_AUTO UINT32_MAX
#define SIZE_ALL UINT64_MAX
#define PAGES_NORMAL UINT64_C(0)
#define PAGES_LARGEST UINT64_MAX

/* May be left out; takes all that follow: a struct list; which keeps their spans, see listed_span() */
enum column_flags { OPTIONAL = 1, MANY = 2, PLACED = 4 };

struct column {
    const char *name; /* NULL ends a list of columns */
    enum value_type type;
    unsigned flags;
    size_t offset;              /* in the object or row; NOT_STORED */
    size_t bytes;               /* of the member; where it is 1, V_CHOICE is stored so */
    const char *const *choices; /* of V_CHOICE, ends with NULL */
};

#define NOT_STORED SIZE_MAX
#define COLUMN_LIMIT 5

enum object_kind {
    OBJECT_NOTHING,
    OBJECT_SITE,
    OBJECT_HOST,
    OBJECT_RESERVE,
    OBJECT_HUGEPAGES,
    OBJECT_GUEST,
    OBJECT_CELL,
    OBJECT_LOCALITY,
    OBJECT_IOTHREAD,
    OBJECT_HMAT_CACHE,
    OBJECT_RESCTRL,
    OBJECT_MEMORY_DEVICE,
    OBJECT_EXPANDER,
    OBJECT_DEVICE,
    OBJECT_NAMED_DEVICE,
    OBJECT_GROUP,
    OBJECT_SUPPRESSION,
    OBJECT_KINDS
};

enum word_id {
#define WORD(id, ...) W_##id,
#include "model/vocabulary.def"
#undef WORD
    WORD_COUNT,
    W_NONE = WORD_COUNT
};

struct word_row {
    enum word_id id;
    const char *word;
    unsigned in; /* enum context bits */
    enum word_kind kind;
    enum context opens; /* where its children stand */
    enum object_kind object;
    const char *default_text, *about;
    struct column label;
    struct column arguments[COLUMN_LIMIT + 1];
    struct column columns[COLUMN_LIMIT + 1]; /* of its table, the key first; none: it has no table */
    size_t table_offset, row_bytes;
    bool is_seen;  /* by the guest */
    bool collects; /* rows of all layers hold: struct assertion */
};

const struct word_row *vocabulary(size_t *out_count);
const struct word_row *word_row(enum word_id id);
const struct word_row *find_word(enum context in, const char *text, size_t length); /* NULL: no such word there */
const char *context_word(enum context in); /* "guest", "cell", ... for messages */
const char *value_type_word(enum value_type type);
bool is_name(const char *text, size_t length); /* may stand as a name without quotes */

/* ---- what was said, and where ----------------------------------------------------------------------------------- */

enum layer { LAYER_DEFAULT, LAYER_BASE, LAYER_PROFILE, LAYER_GUEST, LAYER_AT };

struct place { /* one act of saying a word, or one argument of it; packed, since a guest has dozens */
    uint32_t begin;
    uint32_t length : 27;
    uint32_t argument : 5; /* 0 the word itself, 1 its first argument, ... */
    uint32_t file : 16;
    uint32_t word : 12;
    uint32_t layer : 4;
};
_Static_assert(SOURCE_COUNT_LIMIT < 1 << 16 && WORD_COUNT < 1 << 12, "a place has no room for its file or word");

static inline struct span place_span(const struct place *place)
{
    return (struct span){ .file = place->file, .begin = place->begin, .end = place->begin + place->length };
}

enum { SAID_WORDS = (WORD_COUNT + 63) / 64 };

struct said {
    uint64_t words[SAID_WORDS];  /* bit per word_id: a value stands */
    uint64_t failed[SAID_WORDS]; /* bit per word_id: said, but wrong; rules stay silent about it */
    struct place *places;        /* in the order of layers: the last of a word is in force */
    uint32_t count, room;
};

static inline bool is_said(const struct said *said, enum word_id word) /* inline: rules ask often */
{
    return said->words[word / 64] >> (word % 64) & 1;
}

static inline bool is_failed(const struct said *said, enum word_id word)
{
    return said->failed[word / 64] >> (word % 64) & 1;
}

void said_mark(struct said *said, enum word_id word, bool fine); /* a value stands, or what was said is wrong */
struct span said_span(const struct said *said, enum word_id word, unsigned argument); /* SPAN_NONE if nowhere */
/* Labels of a finding: the lower layers that had said the same word. */
void said_chain(struct findings *findings, struct finding *finding, const struct said *said, enum word_id word);

/* ---- values ----------------------------------------------------------------------------------------------------- */

struct list { /* of a MANY column */
    uint32_t count;
    void *items;
};

/* Of an item of a PLACED list: the spans stand behind the items, which have so many bytes each. */
struct span listed_span(const struct list *list, size_t item_bytes, uint32_t position);

struct version_number {
    uint16_t major, minor, micro;
};

struct share { /* of memory bandwidth: a part of it, or where the host counts so a rate */
    bool is_rate;
    uint32_t percent;
    uint64_t bytes_per_second;
};

struct scheduling {    /* what `scheduler` says of a thread */
    uint32_t class;    /* CLASS_WORD_.. */
    uint32_t priority; /* PRIORITY_UNSAID */
};

struct feature_word {
    const char *name;
    bool is_disabled;
};

struct version_row {
    struct span span;
    uint32_t program;
    struct version_number version;
};
struct node_size_row {
    struct span span;
    const struct set *nodes;
    uint64_t bytes;
};
struct node_count_row {
    struct span span;
    const struct set *nodes;
    uint32_t count;
};
struct distance_row {
    struct span span;
    const char *cell;
    struct list values; /* uint32_t, PLACED */
};
struct hmat_row {
    struct span span;
    const char *initiator;
    uint64_t read, write; /* ns, or bytes a second; write: VALUE_UNSAID */
};
struct pin_row {
    struct span span;
    const struct set *ids, *cpus;
    uint32_t each; /* EACH_UNSAID, EACH */
};
struct scheduler_row {
    struct span span;
    const struct set *ids;
    struct scheduling scheduling;
};
struct shared_cache_row {
    struct span span;
    uint32_t cache, level;
};
struct cache_row {
    struct span span;
    uint32_t cache;
    uint64_t bytes;
};
struct bandwidth_row {
    struct span span;
    uint32_t node;
    struct share share;
};
struct monitor_row {
    struct span span;
    const struct set *ids;
    struct list what; /* uint32_t */
};

#define EACH_UNSAID UINT32_MAX
#define POLICY_OF_CELL UINT8_MAX /* a memory device names nodes and no policy: as its cell's, as in libvirt */
#define PRIORITY_UNSAID UINT32_MAX
#define VALUE_UNSAID UINT64_MAX /* an optional time or rate of a row */

/* ---- hosts, as declared ----------------------------------------------------------------------------------------- */

struct hugepages {
    struct span span;
    uint64_t page_bytes;
    struct list rows; /* struct node_count_row */
};

struct reserve {
    const char *owner;
    struct span span;
    struct said said;
    const struct set *cpus;
    uint64_t each_bytes;
    struct list memory;   /* struct node_size_row */
    GPtrArray *hugepages; /* struct hugepages * */
};

struct named_device {
    const char *name;
    struct span span; /* of its name */
    struct said said;
    const char *address;
};

struct declared_host {
    const char *name;
    struct span span; /* of its name */
    struct said said;
    const char *topology; /* a path ready to open, or "live"; NULL with synthetic */
    const char *synthetic;
    bool is_overridden; /* --host said which */
    const char *like;
    struct list memory;   /* struct node_size_row */
    GPtrArray *hugepages; /* struct hugepages * */
    GPtrArray *reserves;  /* struct reserve * */
    GPtrArray *devices;   /* struct named_device * */
    const struct set *shared, *isolated;
    uint32_t ksm;
    bool balancing;
    struct list versions; /* struct version_row */
    const char *connect;  /* URI of its libvirt; NULL: none is said */
    struct acceptances accepted;
    struct list assertions; /* struct assertion, of its own and those it is like */
    bool is_broken;         /* an error stands in it */
};

/* ---- guests ----------------------------------------------------------------------------------------------------- */

struct locality {            /* words that a guest and each of its cells may say; small, since each cell has one */
    const struct set *nodes; /* NULL: auto, or numad's choice */
    struct list fallback;    /* const struct set * */
    const struct set *cpus;
    struct list pin_rows; /* struct pin_row; guest only */
    uint64_t page_bytes;
    const char *path;
    uint64_t align_bytes, offset_bytes;
    uint32_t allocation_threads;
    uint8_t policy, pin, within, backing, access, allocation, context; /* choices */
    bool discard, dump, reserve, ksm;
    bool nodes_by_numad, cpus_by_numad; /* said so: chosen when the guest starts */
};

struct hmat_values {                   /* of the memory of a cell, or of a cache at its side */
    struct list latencies, bandwidths; /* struct hmat_row */
};

struct hmat_cache {
    uint32_t level;
    struct span span; /* of its label */
    struct said said;
    uint64_t size_bytes;
    uint32_t line_bytes, associativity, policy;
    struct hmat_values values;
};

struct cell {
    const char *name;
    struct span span;
    struct said said;
    uint32_t vcpu_count;
    const struct set *ids;
    uint64_t memory_bytes;
    const char *initiator; /* label of a cell */
    struct hmat_values hmat;
    struct hmat_cache *hmat_caches; /* as declared */
    uint32_t hmat_cache_count;
    struct locality locality;
};

struct iothread {
    uint32_t id;
    struct span span;
    struct said said;
    const struct set *cpus, *nodes;
    struct scheduling scheduling;
    uint32_t pool_least, pool_most;
    uint64_t poll_most_ns;
    uint32_t poll_grow, poll_shrink;
};

/* The caches that a group may have a part of: l2, l2-code, l2-data, l3, l3-code, l3-data. */
enum { CACHE_KINDS = 6 };

struct resctrl { /* one group of vCPUs, whose cache and bandwidth are limited or watched */
    const struct set *ids;
    struct span span; /* of its label */
    struct said said;
    struct list caches[CACHE_KINDS]; /* struct cache_row */
    struct list bandwidth;           /* struct bandwidth_row */
    struct list monitors;            /* struct monitor_row */
};

struct memory_device {
    enum word_id model; /* W_GUEST_DIMM, W_GUEST_VIRTIO_MEM, .. */
    const char *name;
    struct span span; /* of its name */
    struct said said;
    uint64_t size_bytes, block_bytes, requested_bytes, label_bytes, align_bytes, page_bytes, address, window_bytes;
    const char *path, *uuid;
    const char *cell; /* label of a cell */
    const struct set *nodes;
    uint8_t policy, access;
    uint32_t slot;
    bool discard, pmem, readonly, dynamic_memslots, persistent;
};

struct expander_bus { /* a PCI bus that stands on a cell */
    const char *name;
    struct span span; /* of its label */
    struct said said;
    const char *cell;       /* label of a cell */
    uint32_t number, ports; /* 0: to be decided */
    uint32_t controller;    /* its number in the base; 0: it is not of the base */
    uint32_t base_ports;    /* those it has there */
};

struct device { /* a PCI device of the host that the guest gets */
    const char *name;
    struct span span; /* of its label */
    struct said said;
    const char *address;   /* NULL: the host says it, under this name */
    const char *cell;      /* label of a cell */
    const char *bus;       /* name of an expander bus */
    const char *initiator; /* label of a cell */
    uint32_t affinity;
    bool is_of_base;      /* its place in the guest is said there */
    const char *base_bus; /* the bus it has there; NULL: none that stands on a cell */
};

struct guest {
    uint32_t number;    /* position among those of the site */
    const char *name;   /* of the instance: "web-3" */
    const char *family; /* as declared: "web" */
    uint32_t instance;  /* from 1; 0 without `count` */
    struct span span;   /* of the name in its declaration */
    struct said said;   /* of the words of G and of `locality` */
    bool is_broken;     /* an error stands in it: it is not placed and not emitted */
    bool is_incomplete; /* a layer or a word of it could not be read: what it seems to lack may stand there */

    struct acceptances accepted; /* of all its layers */
    struct list assertions;      /* struct assertion, of all its layers */
    uint32_t count;
    const char *base;                    /* a path ready to open */
    uint32_t base_file;                  /* in the sources; 0 without base */
    const char *base_uuid;               /* of the base; NULL without */
    const struct base_value *base_ruled; /* by enum base_word; NULL without base */
    uint32_t base_controllers;           /* of PCI in the base, numbered below this; 0 without */
    uint32_t base_buses_end;             /* buses of the base have numbers from here on; 0: numac knows of all */
    uint64_t base_max_bytes;             /* a maxMemory of the base that stays there as it is; 0: none does */
    struct span base_max;
    struct list use, hosts, migrate; /* const char * */
    uint32_t arch;
    const char *machine;
    uint32_t accel;
    const char *cpu_model;
    uint32_t cache_mode, cache_level, maxphysaddr_mode, maxphysaddr_bits;
    struct list features; /* struct feature_word */
    uint32_t firmware;
    const char *kernel, *initrd, *cmdline, *disk, *network;
    uint64_t memory_bytes, max_memory_bytes, current_memory_bytes;
    uint32_t memory_slots;
    uint32_t vcpu_count, drawers, books, sockets, dies, clusters, modules, cores, threads; /* 0: to be decided */
    uint32_t vcpu_most;      /* `max`, which is then the vcpu_count */
    uint32_t vcpus_at_start; /* the count that was said, beside it or alone */
    bool says_start;
    const struct set *online, *fixed;
    struct list plug_order;    /* uint32_t */
    struct list shared_caches; /* struct shared_cache_row */
    uint32_t cells_wanted;     /* 0: as the blocks */
    uint32_t distance;
    struct list distance_rows; /* struct distance_row */
    uint32_t hmat;
    bool locked;
    uint64_t hard_limit_bytes;
    uint32_t emulator;
    const struct set *emulator_cpus, *emulator_nodes;
    uint32_t iothread_total;
    struct scheduling scheduling; /* of all vCPUs, */
    struct list scheduler_rows;   /* or struct scheduler_row */
    struct scheduling emulator_scheduling, vhost_scheduling;
    const struct set *vhost_cpus, *vhost_nodes;
    struct locality locality;
    bool memory_by_numad; /* `node numad`, or `cpus numad` where no node is said: memory follows the CPUs */

    struct cell *cells; /* blocks, in order; 0 of them where `cells` or nothing was said */
    uint32_t cell_count;
    struct iothread *iothreads;
    uint32_t iothread_count;
    struct resctrl *resctrls;
    uint32_t resctrl_count;
    struct memory_device *memory_devices; /* as declared */
    uint32_t memory_device_count;
    struct expander_bus *expanders; /* as declared */
    uint32_t expander_count;
    struct device *devices; /* as declared */
    uint32_t device_count;

    struct variant *variants; /* by the names of hosts, rising; none where no `at` stands (at.h) */
    uint32_t variant_count;
};

/* ---- the site --------------------------------------------------------------------------------------------------- */

struct origin {                      /* of a value that a variable gave */
    struct span span, let;           /* where it is used; where the variable is declared */
    const char *name, *text, *given; /* of the variable; what came out; of -D, NULL without */
};

struct site {
    const char *name; /* of the file, without folder and ending */
    struct said said;
    uint32_t rules;
    uint32_t placement;
    struct list versions; /* struct version_row */
    struct declared_host *hosts;
    uint32_t host_count;
    struct guest *guests; /* instances, in order of the site */
    uint32_t guest_count;
    struct guest_group *groups; /* model/groups.h; in order of the site */
    uint32_t group_count;
    uint32_t spare_what, spare_count; /* SPARE_HOST, SPARE_NODE; so many of them may be missing */
    struct list assertions;           /* struct assertion, about each guest or host */
    struct acceptances accepted;      /* of everything */
    struct acceptances in_force;      /* of everything, and of any host or guest; each once */
    const struct origin *origins;     /* rising by place of use */
    uint32_t origin_count;
    bool wants_devices;  /* some set names a device of a host */
    struct arena *arena; /* not owned */
};

struct variable { /* -D name=value */
    const char *name, *value;
};

struct host_override { /* --host NAME=SOURCE */
    const char *name, *source;
    bool is_synthetic;
};

struct model_options {
    const struct variable *variables;
    size_t variable_count;
    const struct host_override *hosts;
    size_t host_count;
    const char *const *include_folders; /* allowed beside the site's own */
    size_t include_folder_count;
    uint32_t today; /* 20270131, for `until`; 0: nothing is over */
};

/* Reads a site and all it includes and gives the model, in `arena`.  Trouble goes to the findings: what is wrong is
 * marked (is_broken, failed words), and the rest still stands, so that all can be told at once.  NULL only where the
 * site itself is no text. */
struct site *build_site(struct arena *arena, struct syntax *syntax, uint32_t file, const struct model_options *options);

/* ---- numad (inherit.c): it chooses for a guest as a whole, and CPUs that stand open follow the memory */
bool cpus_are_by_numad(const struct guest *guest, uint32_t cell); /* of the vCPUs that no pin table places */

/* ---- PCI buses (devices.c) */
const struct expander_bus *find_expander(const struct guest *guest, const char *name); /* NULL: it has none */
bool is_required_near(const struct device *device); /* another node than its cell's is an error */
/* The label of the cell that it says, or that its bus says; NULL: neither. */
const char *device_cell(const struct guest *guest, const struct device *device);
/* Of the base where there is one; of a row without name where it was said and is none of ours. */
const struct architecture *guest_architecture(const struct guest *guest);
const struct machine_family *guest_machine(const struct guest *guest); /* NULL: none that numac writes */
bool has_express(const struct guest *guest); /* its machine has PCI Express; those that are not known have */
uint32_t expander_devices(const struct guest *guest, const struct expander_bus *expander); /* that name it */
uint32_t expander_ports(const struct guest *guest, const struct expander_bus *expander);   /* said, else as used */

/* ---- what is accepted (suppress.c) */
/* From here on findings are about this guest or host: what it accepts is kept back.  NULL: about none. */
void about_guest(struct findings *findings, const struct guest *guest);
void about_host(struct findings *findings, const struct declared_host *host);
/* Tells what nobody needed, when all stages ran. */
void tell_unused_acceptances(struct findings *findings, const struct site *site);

/* Tells of the values that the findings from `first` on point at which variable they came from and, with a guest, which
 * lower layers had said them. */
void tell_origins_since(struct findings *findings, size_t first, const struct site *site, const struct guest *guest);

/* YAML's mappings into the shape of .numa: named arguments into order, labels into blocks.  For convert and fmt. */
void shape_tree(struct syntax *syntax, struct tree *tree);

#include "model/groups.h"
