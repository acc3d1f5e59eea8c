/* SPDX-License-Identifier: MIT
 *
 * Inside import only: command lines of QEMU, from the bytes of a file to words (argv_split.c, argv_prefix.c), options
 * and their properties (argv_options.c, argv_properties.c), and the lines of a guest (the other argv_*.c).
 */
#pragma once

#include "import/parts.h"

struct hwloc_bitmap_s;

enum argv_limits {
    ARGV_BYTES_LIMIT = 16 << 20, /* of one file */
    ARGV_WORD_LIMIT = 1 << 16,   /* words of one file */
    ARGV_PROPERTY_LIMIT = 1 << 12,
    ARGV_DEPTH_LIMIT = 16, /* of JSON */
    ARGV_KEY_LIMIT = 255,  /* bytes of one of its keys, of which each value gets a copy */
    ARGV_CELL_LIMIT = 128, /* nodes that QEMU gives to a guest */
    ARGV_VCPU_LIMIT = 4096 /* as many as QEMU gives, and as an item of a site has arguments */,
    ARGV_IOTHREAD_LIMIT = 1024,
    ARGV_MEMORY_DEVICE_LIMIT = 256 /* as many as QEMU has slots */
};

#define ARGV_NOWHERE UINT32_MAX

struct argv_word {
    const char *text;      /* without quotes and escapes */
    uint32_t begin, end;   /* in the file, with them */
    uint32_t text_begin;   /* where the text stands as it is; ARGV_NOWHERE where it stands in pieces */
    bool is_live;          /* a shell would put something else in its place */
    bool begins_line;      /* the first of a line */
    bool begins_statement; /* the first behind ';', '&', '|' or a bracket: another command */
};

/* One command line: the words in front of QEMU's program, the program, its options. */
struct argv_command {
    uint32_t file;
    const struct argv_word *words;
    uint32_t count, program; /* program: its place among the words */
    uint32_t number;         /* of those of the same file, from 0 */
};

bool is_command_line(const struct source *source); /* rather than XML */
/* The words of a file (struct argv_word); false with a finding. */
bool argv_split(struct arena *arena, struct syntax *syntax, uint32_t file, GArray *words);
/* Adds each command that runs QEMU (struct argv_command); false, with a finding, where there is none. */
bool argv_find_commands(struct syntax *syntax, uint32_t file, const struct argv_word *words, uint32_t count,
                        GArray *commands);
struct span argv_word_span(uint32_t file, const struct argv_word *word);

/* ---- options and properties ------------------------------------------------------------------------------------- */

struct property {
    const char *key, *value;
    struct span where; /* of both */
    bool is_used;      /* somebody read it */
};

enum argv_kind {
    ARGV_LEFT_OUT, /* not NUMA, and no word of `boot` */
    ARGV_DEVICE,
    ARGV_DRIVE,
    ARGV_BLOCKDEV,
    ARGV_NETDEV,
    ARGV_READCONFIG,
    ARGV_SET,
    ARGV_NAME,
    ARGV_KERNEL, /* from here on a value that a shell would replace is not carried */
    ARGV_INITRD,
    ARGV_APPEND,
    ARGV_BIOS,
    ARGV_MACHINE, /* from here on it must be known */
    ARGV_ACCEL,
    ARGV_ENABLE_KVM,
    ARGV_NO_ACPI,
    ARGV_CPU,
    ARGV_SMP,
    ARGV_MEMORY,
    ARGV_NUMA,
    ARGV_OBJECT,
    ARGV_MEM_PATH,
    ARGV_MEM_PREALLOC,
    ARGV_OVERCOMMIT
};

struct option_row {
    const char *name; /* without the minus */
    bool takes_value;
    enum argv_kind kind;
    const char *first; /* the key of a first value without one; NULL: it is no list of properties */
};

struct option {
    const struct option_row *row;
    struct span span; /* of the option and its value */
    const struct argv_word *value;
    struct property *properties;
    uint32_t count;
    bool is_carried; /* a device, or what is behind one, that the site says */
};

struct backend {
    const char *id, *type;
    struct option *option;
    bool is_used;
};

struct argv_cell {
    struct option *option;        /* -numa node; NULL: no such cell */
    struct hwloc_bitmap_s *vcpus; /* NULL: no such cell */
    struct backend *backend;      /* NULL: none */
    bool has_memory;
    uint64_t memory_bytes;
    uint32_t initiator; /* itself where none is said */
    struct line *line;
};

enum {
    ARGV_DRAWERS,
    ARGV_BOOKS,
    ARGV_SOCKETS,
    ARGV_DIES,
    ARGV_CLUSTERS,
    ARGV_MODULES,
    ARGV_CORES,
    ARGV_THREADS,
    ARGV_LEVELS
};
extern const char *const argv_levels[ARGV_LEVELS]; /* what -smp calls them */

/* A guest being read. */
struct argv_guest {
    struct arena *arena;
    struct syntax *syntax;
    struct findings *findings;
    const struct argv_command *command;
    const char *program, *architecture, *machine; /* the machine's type; "" for the usual one */
    GArray *options;                              /* struct option */
    GPtrArray *left_out;                          /* texts, each once, in their order */
    GHashTable *left_counts;
    struct span first_left;
    bool failed;
    uint32_t vcpu_count;          /* with those to be plugged */
    uint32_t levels[ARGV_LEVELS]; /* of the topology */
    uint64_t memory_bytes;        /* without memory devices */
    uint64_t max_memory_bytes;    /* with them; 0: there is no room for any */
    uint64_t memory_slots;
    GHashTable *backends;     /* by id */
    const char *only_backend; /* of a machine without cells; NULL: none */
    const char *mem_path;     /* NULL: none */
    bool no_merge, is_preallocated, has_hmat, has_hmat_values, has_no_acpi, has_nvdimm, has_flash, says_gic;
    struct span only_span, mem_path_span, hmat_span, no_acpi_span, nvdimm_span, room_span;
    uint32_t cell_count;
    struct argv_cell cells[ARGV_CELL_LIMIT];
    struct line *lines;
};

/* The lines of a guest; false, with findings, where it cannot be one. */
bool argv_to_lines(struct arena *arena, struct syntax *syntax, const struct argv_command *command,
                   struct domain_identity *out_identity, struct line **out_lines);

struct finding *argv_report(struct argv_guest *guest, enum code code, struct span where, const char *format, ...)
    G_GNUC_PRINTF(4, 5); /* an error also fails the guest */
bool argv_refuse(struct argv_guest *guest, struct span where, const char *help, const char *format, ...)
    G_GNUC_PRINTF(4, 5); /* a value that QEMU would not take: always false */
void argv_not_carried(struct argv_guest *guest, struct span where, const char *note, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
void argv_leave_out(struct argv_guest *guest, struct span where, const char *what);
/* Properties that nobody read, as "-option key"; with `note`, each is something that cannot be carried. */
void argv_leave_unused(struct argv_guest *guest, struct option *option, const char *note);

bool argv_read_options(struct argv_guest *guest);
/* The options of a kind, one after another: start with NULL. */
struct option *argv_next(const struct argv_guest *guest, enum argv_kind kind, const struct option *before);
struct option *argv_last(const struct argv_guest *guest, enum argv_kind kind);
void argv_read_prefix(struct argv_guest *guest); /* taskset, numactl */

bool argv_read_properties(struct argv_guest *guest, struct option *option);
/* The last with that key, or NULL; taken: marked as read. */
const struct property *option_find(const struct option *option, const char *key);
struct property *option_take(struct option *option, const char *key);
const char *option_text(struct option *option, const char *key); /* its value, or NULL */
/* Values; false and a finding where QEMU would not take them. */
bool property_number(struct argv_guest *guest, const struct property *property, uint64_t most, uint64_t *out_number);
bool property_size(struct argv_guest *guest, const struct property *property, uint64_t unit, uint64_t *out_bytes);
bool property_switch(struct argv_guest *guest, const struct property *property, bool *out_state);
/* Adds the numbers of all properties with that key: "0-3", "8". */
bool option_ids(struct argv_guest *guest, struct option *option, const char *key, uint32_t most,
                struct hwloc_bitmap_s *set);
bool argv_is_writable(struct argv_guest *guest, const char *text, struct span where); /* in a site */

/* ---- parts of the guest ----------------------------------------------------------------------------------------- */

void argv_machine(struct argv_guest *guest);  /* architecture, machine, accel, cpu */
void argv_tell_gic(struct argv_guest *guest); /* once the vCPUs are known */
void argv_vcpus(struct argv_guest *guest);    /* -smp, and the devices that plug one */
bool argv_is_vcpu(struct option *option);
/* Adds all vCPUs at a place of the topology, where a level that is not said is any; false where there is none. */
bool argv_vcpus_at(struct argv_guest *guest, struct option *option, struct hwloc_bitmap_s *set);
void argv_memory(struct argv_guest *guest);  /* -m, -mem-path, -mem-prealloc, -overcommit */
void argv_objects(struct argv_guest *guest); /* -object */
void argv_cells(struct argv_guest *guest);   /* -numa */
void argv_cells_free(struct argv_guest *guest);
void argv_hmat(struct argv_guest *guest); /* -numa hmat-lb, hmat-cache: into the lines of the cells */
void argv_memory_devices(struct argv_guest *guest);
void argv_buses(struct argv_guest *guest); /* -device of buses on cells, and what stands on them */
void argv_cxl(struct argv_guest *guest);   /* -device cxl-type3, with its port, bridge and window */
void argv_boot(struct argv_guest *guest);
bool argv_starts_uefi(const struct argv_guest *guest);

struct option *argv_next_numa(const struct argv_guest *guest, const char *type, const struct option *before);
bool argv_cell_number(struct argv_guest *guest, struct option *option, const char *key, uint32_t *out_cell);

/* What a backend says of where its memory comes from, for a cell or the guest. */
void backend_lines(struct argv_guest *guest, struct backend *backend, struct line **list);
/* Huge pages that nobody takes at start are no words of a site: told. */
void huge_pages_at_start(struct argv_guest *guest, struct span where, struct line **list);
/* The same but for where it comes from: a device has a file of its own, or an enclave. */
void backend_lines_beside_source(struct argv_guest *guest, struct backend *backend, struct line **list);
void backend_done(struct argv_guest *guest, struct backend *backend); /* tells what nobody read */
bool backend_bytes(struct argv_guest *guest, struct backend *backend, uint64_t *out_bytes);
/* The same for memory without a backend: -mem-path and -mem-prealloc. */
void plain_memory_lines(struct argv_guest *guest, struct line **list);
struct backend *backend_named(struct argv_guest *guest, const struct property *property); /* or NULL, told */

struct line *argv_line(struct argv_guest *guest, struct line **list, const char *word, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* A size that is whole KiB, where it is said and not 0. */
void argv_size_line(struct argv_guest *guest, struct option *option, const char *key, struct line **list,
                    const char *word);
struct line *argv_text_line(struct argv_guest *guest, struct line **list, const char *word, const char *text,
                            struct span where); /* a text of the user's; NULL where no site can hold it, told */
