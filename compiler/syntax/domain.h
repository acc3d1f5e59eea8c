/* SPDX-License-Identifier: MIT
 *
 * Inside syntax only: the elements of a domain XML that tell of memory and CPUs, with the places of their names and
 * values, between the XML reader (domain_xml.c) and those who make items of them (from_domain.c, domain_cells.c).
 */
#pragma once

#include "syntax/reading.h"

enum domain_limits {
    DOMAIN_DEPTH_LIMIT = 128,       /* elements in elements */
    DOMAIN_ATTRIBUTE_LIMIT = 256,   /* of one element; libxml2 compares each with each */
    DOMAIN_NAMESPACE_LIMIT = 1024,  /* declarations in one file; libxml2 walks along them */
    DOMAIN_ELEMENT_LIMIT = 1 << 16, /* that numac looks at */
    DOMAIN_CELL_LIMIT = 128,        /* nodes that QEMU gives to a guest */
    DOMAIN_DEVICE_LIMIT = 256       /* and slots for memory devices */
};

enum part {
    PART_NONE,
    PART_DOMAIN,
    PART_NAME,
    PART_UUID,
    PART_MEMORY,
    PART_CURRENT_MEMORY,
    PART_MAX_MEMORY,
    PART_SYSINFO,
    PART_SYSINFO_SYSTEM,
    PART_SYSINFO_ENTRY,
    PART_OS,
    PART_OS_TYPE,
    PART_LOADER,
    PART_KERNEL,
    PART_INITRD,
    PART_CMDLINE,
    PART_BOOT,
    PART_FEATURES,
    PART_ACPI,
    PART_GIC,
    PART_VCPU,
    PART_VCPUS,
    PART_VCPUS_VCPU,
    PART_IOTHREADS,
    PART_IOTHREAD_IDS,
    PART_IOTHREAD_ID,
    PART_IOTHREAD_POLL,
    PART_CPUTUNE,
    PART_VCPUPIN,
    PART_EMULATORPIN,
    PART_IOTHREADPIN,
    PART_VCPUSCHED,
    PART_EMULATORSCHED,
    PART_IOTHREADSCHED,
    PART_CACHETUNE,
    PART_CACHETUNE_CACHE,
    PART_CACHETUNE_MONITOR,
    PART_MEMORYTUNE,
    PART_MEMORYTUNE_NODE,
    PART_MEMORYTUNE_MONITOR,
    PART_NUMATUNE,
    PART_NUMATUNE_MEMORY,
    PART_MEMNODE,
    PART_MEMTUNE,
    PART_HARD_LIMIT,
    PART_BACKING,
    PART_HUGEPAGES,
    PART_PAGE,
    PART_NOSHAREPAGES,
    PART_LOCKED,
    PART_SOURCE,
    PART_ACCESS,
    PART_ALLOCATION,
    PART_DISCARD,
    PART_CPU,
    PART_CPU_MODEL,
    PART_CPU_CACHE,
    PART_CPU_BITS,
    PART_CPU_FEATURE,
    PART_TOPOLOGY,
    PART_NUMA,
    PART_CELL,
    PART_CELL_CACHE,
    PART_CACHE_SIZE,
    PART_CACHE_LINE,
    PART_DISTANCES,
    PART_SIBLING,
    PART_INTERCONNECTS,
    PART_LATENCY,
    PART_BANDWIDTH,
    PART_DEVICES,
    PART_DEVICE_MEMORY,
    PART_DEVICE_UUID,
    PART_DEVICE_SOURCE,
    PART_NODEMASK,
    PART_PAGESIZE,
    PART_PATH,
    PART_ALIGNSIZE,
    PART_PMEM,
    PART_TARGET,
    PART_SIZE,
    PART_TARGET_NODE,
    PART_LABEL,
    PART_LABEL_SIZE,
    PART_READONLY,
    PART_BLOCK,
    PART_REQUESTED,
    PART_TARGET_ADDRESS,
    PART_DEVICE_ADDRESS,
    PART_CONTROLLER,
    PART_CONTROLLER_TARGET,
    PART_CONTROLLER_NODE,
    PART_CONTROLLER_ADDRESS,
    PART_HOSTDEV,
    PART_HOSTDEV_SOURCE,
    PART_HOSTDEV_SOURCE_ADDRESS,
    PART_HOSTDEV_ADDRESS,
    PART_EMULATOR,
    PART_DISK,
    PART_DISK_DRIVER,
    PART_DISK_SOURCE,
    PART_DISK_TARGET,
    PART_INTERFACE,
    PART_INTERFACE_SOURCE,
    PART_INTERFACE_MODEL,
    PART_QEMU,
    PART_QEMU_ARG,
    PART_COUNT
};

enum { ATTRIBUTES_OF_PART = 6 };

enum {
    PART_ONCE = 1,   /* a second one beside it is an error: libvirt drops one of them in silence */
    PART_CONTENT = 2 /* its text matters */
};

struct part_row {
    enum part parent;
    const char *name;
    unsigned flags;
    const char *attributes[ATTRIBUTES_OF_PART];
};
extern const struct part_row domain_parts[PART_COUNT];

/* The value of an attribute or the content of an element, without blanks around it.  begin and end are offsets in the
 * file; the text differs from what stands there where that has references, comments or several lines. */
struct text_value {
    const char *text; /* NULL: not said */
    size_t length;
    struct extent where, name; /* name: of the attribute */
};

struct element {
    struct element *next;         /* of the same part */
    const struct element *parent; /* NULL for the root */
    enum part part;
    uint32_t begin;     /* of its "<" */
    struct extent name; /* right behind that */
    struct text_value content;
    struct text_value attributes[ATTRIBUTES_OF_PART]; /* as the table of parts lists them */
};

struct part_list {
    struct element *first, *last;
    uint32_t count;
};

struct domain {
    struct syntax *syntax;
    struct findings *findings;
    uint32_t file;
    const char *text;    /* of the whole file: places are offsets in it */
    struct extent where; /* the guest in it: nearly always all of it */
    bool failed;
    uint32_t bus_most; /* the highest PCI bus that an address of a device names */
    GArray *left;      /* struct domain_left: what no base will keep; NULL where one does */
    struct part_list parts[PART_COUNT];
};

/* Reads the file into parts; false, with one finding, where it is no domain XML that numac can keep as it is. */
bool domain_parse(struct domain *domain);
bool domain_guard(struct domain *domain); /* what must be known before libxml2 sees the text */

static inline const struct element *domain_first(const struct domain *domain, enum part part)
{
    return domain->parts[part].first;
}

/* An attribute by its name; its text is NULL where it is not said. */
const struct text_value *element_value(const struct element *element, const char *name);
const char *part_name(enum part part);
enum part part_parent(enum part part);
/* An element that is no part; a warning where libvirt has none of that name there either. */
void domain_tell_unknown(struct domain *domain, enum part parent, const char *name, struct extent where);

/* What is lost without a base: a warning where it is about memory and CPUs, else noted by its name, once for each. */
void domain_tell_lost(struct domain *domain, struct extent where, const char *what);
void domain_leave(struct domain *domain, const char *name, struct extent where);
/* What constrains memory or CPUs and stays in the base, where there is one, as it stands. */
void domain_tell_kept(struct domain *domain, struct extent where, const char *what);
/* Arguments that go to QEMU past libvirt, where they are about memory or CPUs. */
void domain_tell_arguments(struct domain *domain);
void domain_leave_unknown(struct domain *domain, enum part parent, const char *name, struct extent where);
/* What a guest without a base can still say beside memory and CPUs; where it can no more, it is left. */
void domain_say_beside(struct domain *domain, struct domain_beside *beside);

/* A finding; an error also fails the domain. */
struct finding *domain_report(struct domain *domain, enum code code, struct extent where, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
struct extent element_extent(const struct element *element); /* "<cell" */
/* A warning: elements that numac owns, in a state that the language has no word for. */
struct finding *domain_written_over(struct domain *domain, struct extent where, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
struct span domain_span(const struct domain *domain, struct extent where);
bool value_is(const struct text_value *value, const char *text);
int value_shown(const struct text_value *value); /* how many bytes of it a message repeats */

/* ---- numbers and sizes, as libvirt reads them; false and a finding where it would not --------------------------- */
bool domain_whole(struct domain *domain, const struct text_value *value, const char *what, uint64_t most,
                  uint64_t *out_number);
/* A size in KiB, rounded up as libvirt does; without a unit the number counts KiB. */
bool domain_size(struct domain *domain, const struct text_value *value, const struct text_value *unit, const char *what,
                 uint64_t *out_kib);
bool domain_uuid(struct domain *domain, const struct text_value *value, const char **out_uuid);
/* Cell numbers of a nodeset, each below `limit`; seen has `limit` places. */
bool domain_cell_set(struct domain *domain, const struct text_value *value, uint32_t limit, bool *seen);
/* Numbers of I/O threads, from 1 and below `limit`. */
bool domain_iothread_set(struct domain *domain, const struct text_value *value, uint32_t limit, bool *seen);
/* Adds the vCPUs of a value; false, and nothing told, where it is no set. */
bool domain_add_vcpus(const struct text_value *value, struct hwloc_bitmap_s *set);
bool domain_no_cell(struct domain *domain, const struct text_value *value, uint32_t cell); /* one it does not have */
const struct text_value *domain_needed(struct domain *domain, const struct element *element,
                                       const char *name); /* or NULL, told */

/* ---- items ---------------------------------------------------------------------------------------------------------
 * A word that stands in the file is a stretch of it; any other is cooked, and points at what said it.  Cooked words
 * must begin at different bytes: those that an element says without letters of its own begin at its "<", at the next
 * byte, and so on: they have a slot each. */
enum slot { SLOT_VALUE, SLOT_NAME, SLOT_LABEL };

struct word word_implied(struct domain *domain, const struct element *element, enum slot slot, const char *text);
struct word word_named(struct domain *domain, struct extent where, const char *text); /* a name, at other letters */
struct word word_value(struct domain *domain, const struct text_value *value);        /* as written */
/* Without the blanks, zeros and commas that libvirt passes over; false and a finding where it is no set. */
bool word_set(struct domain *domain, const struct text_value *value, const char *what, struct word *out_word);
struct word word_size(struct domain *domain, const struct text_value *value, uint64_t kib);

struct item *item_of(struct domain *domain, struct word name, const struct word *arguments, size_t count);
struct item *item_with(struct domain *domain, const struct element *element, const char *name, struct word argument);
void item_add(struct item *block, struct item_list *list, struct item *child); /* block NULL: top level */

struct cell_items { /* by id */
    uint32_t count;
    const struct element *elements[DOMAIN_CELL_LIMIT];
    struct item *items[DOMAIN_CELL_LIMIT];
    struct item_list blocks[DOMAIN_CELL_LIMIT];
};

/* Adds latencies, bandwidths and side caches to the cells (domain_hmat.c). */
void hmat_to_items(struct domain *domain, struct cell_items *cells);

/* What the memory comes to, with its devices; behind the cells, which have so much of it. */
void memory_to_items(struct domain *domain, struct item_list *top, uint64_t cells_kib,
                     struct domain_identity *identity);
void memory_devices_to_items(struct domain *domain, struct item_list *top);
/* PCI buses on cells, and what a guest's own must keep clear of. */
void devices_to_items(struct domain *domain, struct item_list *top, struct domain_identity *identity);

void vcpus_to_items(struct domain *domain, struct item_list *top);   /* how many, topology, hotplug */
void threads_to_items(struct domain *domain, struct item_list *top); /* scheduler, emulator, iothreads */
void resctrls_to_items(struct domain *domain, struct item_list *top);
/* The cells and pages with what is said of them elsewhere, and their distances; *out_kib the sum of their memory. */
void cells_to_items(struct domain *domain, struct item_list *top, uint64_t *out_kib);
/* `node NODES POLICY`, `node numad POLICY`, or NULL */
struct item *policy_item(struct domain *domain, const struct element *element, bool by_numad);
