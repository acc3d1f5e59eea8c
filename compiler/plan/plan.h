/* SPDX-License-Identifier: MIT
 *
 * The plan: the site with every decision taken.  Emitters and the runtime see nothing else, so every default, id,
 * split, alias, address and UUID stands here.  It holds decisions only: no spans, no paths of the site.  Its JSON form
 * (docs/schema/plan.schema.json) loads back to the same plan.
 *
 * Sizes are bytes, CPUs and nodes OS indexes of the guest's host.
 */
#pragma once

#include "base/architecture.h"
#include "base/base.h"
#include "diag/diag.h"
#include "source/source.h"

#define PLAN_FORMAT_VERSION 1

enum memory_policy { POLICY_STRICT, POLICY_PREFERRED, POLICY_INTERLEAVE, POLICY_RESTRICTIVE };
enum backing_source { BACKING_ANONYMOUS, BACKING_FILE, BACKING_MEMFD, BACKING_SHM };
enum cache_mode { CACHE_UNSAID, CACHE_EMULATE, CACHE_PASSTHROUGH, CACHE_DISABLE };
enum cpu_cache { CPU_CACHE_L1D, CPU_CACHE_L1I, CPU_CACHE_L2, CPU_CACHE_L3, CPU_CACHES };
enum shared_level { SHARED_UNSAID, SHARED_CORE, SHARED_MODULE, SHARED_DIE, SHARED_SOCKET, SHARED_LEVELS };
enum thread_class { THREAD_NORMAL, THREAD_BATCH, THREAD_IDLE, THREAD_FIFO, THREAD_RR };
enum cache_content { CACHE_BOTH, CACHE_CODE, CACHE_DATA };
enum maxphysaddr_mode { MAXPHYSADDR_UNSAID, MAXPHYSADDR_EMULATE, MAXPHYSADDR_PASSTHROUGH };

enum memory_model {
    MEMORY_DIMM,
    MEMORY_VIRTIO_MEM,
    MEMORY_NVDIMM,
    MEMORY_VIRTIO_PMEM, /* of no cell */
    MEMORY_SGX_EPC,
    MEMORY_CXL, /* behind a bridge of its own: the nth of these behind the nth pxb-cxl */
    MEMORY_MODELS
};

enum hmat_associativity { ASSOCIATIVITY_NONE, ASSOCIATIVITY_DIRECT, ASSOCIATIVITY_FULL };
enum hmat_write_policy { WRITE_POLICY_NONE, WRITE_POLICY_WRITEBACK, WRITE_POLICY_WRITETHROUGH };

struct plan_access {      /* to a memory, or a cache at its side */
    uint32_t initiator;   /* cell whose vCPUs access it */
    uint64_t read, write; /* nanoseconds; of bandwidth: bytes a second, whole MiB */
    bool is_split;        /* reads and writes are told apart; else both are the same one value */
};

struct plan_performance {
    const struct plan_access *latencies, *bandwidths; /* in rising order of initiators */
    uint32_t latency_count, bandwidth_count;
};

struct plan_side_cache {
    uint32_t level; /* 1 to 3 */
    uint64_t size_bytes;
    uint32_t line_bytes;
    enum hmat_associativity associativity;
    enum hmat_write_policy policy;
    struct plan_performance performance;
};

struct plan_cell {
    const char *name;          /* as in the site, "0" where it has none */
    const struct ids *vcpus;   /* may be empty */
    uint64_t memory_bytes;     /* 0: a cell without memory, which only QEMU can express */
    const struct ids *nodes;   /* host nodes of its memory; NULL: not bound */
    enum memory_policy policy; /* where nodes is set */
    uint64_t page_bytes;       /* huge pages of this size; 0: normal pages */
    enum backing_source backing;
    const char *path; /* of file backing (QEMU mem-path); NULL: libvirt's own, for huge pages the mount of their size */
    uint64_t align_bytes, offset_bytes; /* 0: not said */
    bool is_shared;                     /* access shared */
    bool is_preallocated;
    uint32_t prealloc_threads;          /* at least 1 where preallocated */
    const struct ids *context_nodes;    /* prealloc threads run near these nodes (QEMU thread-context); NULL: none */
    bool discard, dump, reserve, merge; /* QEMU discard-data, dump, reserve, merge (KSM) */
    bool has_access, has_discard;       /* said by the site, so to be written for this very cell */
    uint32_t initiator;                 /* of a guest with an HMAT: the cell with vCPUs that the memory belongs to */
    struct plan_performance performance;
    const struct plan_side_cache *side_caches; /* in rising order of levels */
    uint32_t side_cache_count;
};

struct plan_memory_device { /* beside the memory of the cells */
    enum memory_model model;
    uint32_t cell;           /* that gets it; 0 of virtio-pmem, which has none */
    struct plan_cell memory; /* as that of a cell without vCPUs; preallocated virtio-mem: each block as it is
                                plugged */
    bool has_nodes, has_pages, has_slot;   /* said by the site, so to be written for this very device */
    uint32_t slot;                         /* of those with has_slots() */
    uint64_t address;                      /* where the guest sees it; 0: by QEMU */
    uint64_t block_bytes, requested_bytes; /* of virtio-mem: its step; what the guest takes of it at start */
    bool dynamic_memslots;
    uint64_t label_bytes; /* of nvdimm; 0: none */
    bool pmem, readonly;
    const char *uuid;      /* of nvdimm; NULL: none */
    uint64_t window_bytes; /* of cxl: addresses that the guest may map it at; its labels are in a file of their own */
    bool is_persistent;
};

static inline bool is_plugged(enum memory_model model) /* takes a part of what the guest can grow to */
{
    return model != MEMORY_CXL;
}

static inline bool has_slots(enum memory_model model) /* sits in one of the guest's slots */
{
    return model == MEMORY_DIMM || model == MEMORY_NVDIMM;
}

struct plan_feature { /* of the CPU model */
    const char *name;
    bool is_required; /* or disabled */
};

struct plan_scheduling {
    enum thread_class class;
    uint32_t priority; /* 1 to 99 of fifo and rr, else 0 */
};

struct plan_vcpu_scheduling { /* vCPUs that are scheduled alike */
    const struct ids *vcpus;
    struct plan_scheduling scheduling;
};

struct plan_iothread {
    uint32_t id;            /* from 1 */
    const struct ids *cpus; /* NULL: not pinned */
    struct plan_scheduling scheduling;
    bool has_pool; /* of worker threads */
    uint32_t pool_least, pool_most;
    bool has_poll;
    bool poll_in_libvirt; /* the host's libvirt has a word for it */
    uint64_t poll_most_ns;
    uint32_t poll_grow, poll_shrink; /* factors; 0: QEMU's own */
};

struct plan_cache_part {
    uint32_t level; /* 2 or 3 */
    enum cache_content content;
    uint32_t cache; /* the host's number of it at its level */
    uint64_t bytes;
};

struct plan_bandwidth { /* one of the two is set */
    uint32_t node;      /* the host's number of an L3 cache */
    uint32_t percent;
    uint64_t bytes_per_second;
};

struct plan_monitor {
    const struct ids *vcpus;
    bool counts_cache, counts_bandwidth;
};

struct plan_resctrl { /* a group of vCPUs with a part of the caches and of the bandwidth */
    const struct ids *vcpus;
    const struct plan_cache_part *parts; /* rising by level, content and cache */
    uint32_t part_count;
    const struct plan_bandwidth *bandwidths; /* rising by node */
    uint32_t bandwidth_count;
    const struct plan_monitor *monitors;
    uint32_t monitor_count;
};

enum expander_kind {
    EXPANDER_PXB,      /* of conventional PCI, with slots */
    EXPANDER_PXB_PCIE, /* of PCI Express, with ports */
    EXPANDER_PXB_CXL,  /* a CXL host bridge, with one port */
    EXPANDER_PHB       /* a host bridge of ppc64, with slots */
};

struct plan_expander { /* a PCI bus that stands on a cell */
    const char *name;
    enum expander_kind kind;
    uint32_t cell;
    uint32_t number;     /* of its bus, 1 to 254; those of the buses behind it follow.  Of a PHB: which one, 1 to 30 */
    uint32_t controller; /* its number among the PCI controllers, 1 to 255; its ports have those that follow */
    uint32_t ports;      /* root ports, at least 1; 0 of those with slots, and where they are the base's */
};

#define NO_EXPANDER UINT32_MAX
#define NO_INITIATOR UINT32_MAX

struct plan_device { /* of the host, that the guest gets for itself */
    const char *name;
    const char *address;       /* on the host: "0000:41:00.0" */
    uint32_t expander;         /* the bus it is on, into expanders; NO_EXPANDER: the root bus, which is on no cell */
    uint32_t initiator;        /* a cell without vCPUs and memory that is the device's; NO_INITIATOR */
    uint32_t controller, slot; /* that it is plugged into: a port, or a pxb; 0: left to QEMU, or to the base */
};

struct plan_guest {
    const char *name;
    const char *uuid;
    const char *host;                           /* name of the host in the site; NULL where the site has none */
    const char *connect;                        /* URI of that host's libvirt; NULL: the site names none */
    const char *architecture, *machine, *accel; /* "x86_64", "q35", "kvm" or "tcg" */
    bool needs_kvm;    /* the site says kvm, or a CPU that may want it; else the runtime may do with tcg where there is
                          none */
    bool is_qemu_only; /* libvirt has no words for its cells: QEMU target only */
    bool has_base;     /* an overlay on domain XML: libvirt target only; the base rules what is not NUMA */

    const char *cpu_model; /* "host-passthrough", "host-model" or a model */
    enum cache_mode cache_mode;
    uint32_t cache_level; /* 0: not said */
    enum maxphysaddr_mode maxphysaddr_mode;
    uint32_t maxphysaddr_bits; /* 0: not said */
    const struct plan_feature *features;
    uint32_t feature_count;

    uint32_t gic_version;                                         /* of aarch64; 0: none */
    const char *firmware;                                         /* "bios", "uefi" or "none" */
    const char *kernel, *initrd, *cmdline, *disk, *network, *mac; /* NULL: none; network is a bridge */

    uint64_t memory_bytes;         /* the sum of the cells */
    uint64_t max_memory_bytes;     /* what cells and memory devices can come to; 0: it does not grow */
    uint32_t memory_slots;         /* for memory devices */
    uint64_t current_memory_bytes; /* what a balloon leaves of all memory at start; 0: there is none */
    const struct plan_memory_device *memory_devices;
    uint32_t memory_device_count;
    uint32_t vcpu_count;
    uint32_t drawers, books, sockets, dies, clusters, modules, cores, threads; /* product = vcpu_count; levels that a
                                                                                  machine lacks are 1 */
    const struct ids *online;   /* vCPUs that are there at start; NULL: all, and none can be unplugged */
    const struct ids *fixed;    /* where some can: those of them that cannot, vCPU 0 among them */
    const uint32_t *plug_order; /* the online ones as they were plugged; NULL: by number */
    enum shared_level cache_levels[CPU_CACHES]; /* whose vCPUs share such a cache; unsaid: as QEMU has it */
    bool remaps_interrupts;        /* by an IOMMU: some vCPU has an APIC id that interrupts do not reach without */
    const struct plan_cell *cells; /* at least one */
    uint32_t cell_count;
    bool has_numa;             /* the guest is told its cells; false: one cell the guest need not see as NUMA */
    bool has_hmat;             /* the guest is told what is said of latencies, bandwidths, side caches, initiators */
    const uint32_t *distances; /* cell_count squared, row from, column to; NULL with a single cell */

    bool cpus_by_numad, memory_by_numad; /* libvirt asks numad at start for the CPUs of vCPUs that are not pinned, for
                                            the nodes of all memory; libvirt target only */
    enum memory_policy numad_policy;     /* of that memory */

    const struct ids *const *vcpu_cpus; /* one for each vCPU; an entry NULL: that vCPU is not pinned */
    const struct ids *emulator_cpus;    /* NULL: not pinned */
    const struct plan_iothread *iothreads;
    uint32_t iothread_count;

    const struct plan_vcpu_scheduling *schedulings; /* rising by class, then by the lowest vCPU */
    uint32_t scheduling_count;
    struct plan_scheduling emulator_scheduling;
    const struct ids *vhost_cpus; /* of the kernel's workers, which only the runtime can find; NULL: not pinned */
    struct plan_scheduling vhost_scheduling;
    const struct plan_resctrl *resctrls;
    uint32_t resctrl_count;

    const struct plan_expander *expanders; /* in order of the site */
    uint32_t expander_count;
    const struct plan_device *devices; /* in order of the site */
    uint32_t device_count;

    bool is_locked;
    uint64_t hard_limit_bytes; /* 0: none */

    const struct plan_guest
        *moves; /* the same guest on each host that it may move to, which moves from there nowhere */
    uint32_t move_count;
};

/* ---- what guests leave of a host -------------------------------------------------------------------------------- */

struct plan_pool { /* huge pages of one size */
    uint64_t page_bytes;
    uint64_t pages, pages_left;
};

struct plan_node {
    uint32_t os_index;
    bool memory_known;
    uint64_t memory_bytes, memory_left_bytes; /* in normal pages, reserves included; what guests may still take */
    const struct plan_pool *pools;            /* rising by size; those that are known and not empty */
    uint32_t pool_count;
    const struct ids *own_cpus;      /* each one vCPU's or one emulator's own */
    const struct ids *shared_cpus;   /* where others float; */
    const struct ids *isolated_cpus; /* where they do not, since the host isolates them: nobody's yet */
    const struct ids *reserved_cpus; /* by the site */
};

struct plan_host {
    const char *name;
    const struct plan_node *nodes; /* rising by number */
    uint32_t node_count;
};

struct plan {
    const char *site;                /* its name: the file's, without folder and ending */
    const struct plan_guest *guests; /* in order of the site */
    uint32_t guest_count;
    const struct plan_host *hosts; /* those that have guests, in order of the site */
    uint32_t host_count;
    const char *const *targets; /* rising; those whose files stand beside plan.json, so that the next build knows
                                   which files are its own; none where only the plan was written */
    uint32_t target_count;
};

/* ---- the JSON form -------------------------------------------------------------------------------------------- */

void write_plan_json(const struct plan *plan, GString *out);

/* Loads it.  Trouble is one finding (NM12xx) with its place, and NULL: unknown keys, other versions, numbers out of
 * range and sets that do not fit are refused. */
const struct plan *read_plan_json(struct arena *arena, const struct sources *sources, struct findings *findings,
                                  uint32_t file);

/* ---- the HMAT, row by row (hmat.c) ------------------------------------------------------------------------------ */

enum hmat_access { HMAT_ACCESS, HMAT_READ, HMAT_WRITE, HMAT_ACCESS_COUNT };
enum { HMAT_LEVEL_COUNT = 4 }; /* the memory itself, and side caches of levels 1 to 3 */

struct hmat_row_of_plan {
    uint32_t initiator, target; /* cells */
    uint32_t level;             /* 0: the memory; else the side cache */
    bool is_bandwidth;
    enum hmat_access access;
    uint64_t value; /* nanoseconds, or bytes a second */
};

/* Gives every latency and bandwidth, cell by cell: the memory before its caches, latencies before bandwidths. */
void hmat_each(const struct plan_guest *guest, void (*take)(void *state, const struct hmat_row_of_plan *row),
               void *state);

/* The tables of an HMAT hold 16 bits: whole multiples, up to `most`, of a base that QEMU makes of all values of a
 * table: the largest power of ten in each latency, the largest power of two in each bandwidth. */
enum { HMAT_MOST = UINT16_MAX - 1 };
uint64_t hmat_base_of(uint64_t value, bool is_bandwidth);

/* ---- PCI buses (buses.c) ---------------------------------------------------------------------------------------- */

enum { BUS_NUMBER_MOST = 254, BUS_NUMBERS_END = 256, CONTROLLER_MOST = 255, PORTS_MOST = 32, PHB_MOST = 30 };

struct bus_numbers { /* a bus, and those behind it */
    uint32_t first, count;
};

enum expander_kind expander_kind_of(const struct machine_family *machine); /* of PCI; NULL: of PCI Express */
bool has_slots_for_devices(enum expander_kind kind);                       /* and no ports */
uint32_t bus_number_most(enum expander_kind kind);
/* So many numbers a bus takes: behind a pxb is one bridge, behind each port one bus; a PHB has buses of its own. */
uint32_t bus_numbers_of(enum expander_kind kind, uint32_t ports);
/* The numbers that a base takes: from `end` on, and PHBs those below; 0: none. */
struct bus_numbers bus_numbers_of_base(enum expander_kind kind, uint32_t end);
/* The highest place for so many numbers that the others leave free, the lowest for a PHB; 0: there is none. */
uint32_t free_bus_number(enum expander_kind kind, const struct bus_numbers *taken, uint32_t taken_count,
                         uint32_t count);

/* The bridge of the nth memory device, a cxl; NULL: there is none. */
const struct plan_expander *cxl_bridge(const struct plan_guest *guest, uint32_t device);
enum { CXL_STEP_MIB = 256, CXL_BRIDGES_MOST = 16 }; /* in which its memory and windows come; on a machine */

uint32_t plugged_devices(const struct plan_guest *guest);
/* The memory of cells and of devices that are plugged, as libvirt counts it. */
uint64_t plan_total_bytes(const struct plan_guest *guest);

/* How all cells are bound alike: their policy, and the nodes of all of them, which is said of interleaved and preferred
 * memory only where the cells have the same.  NULL: not all of them are, or not alike. */
const struct ids *plan_common_nodes(struct arena *arena, const struct plan_guest *guest,
                                    enum memory_policy *out_policy);

/* ---- vCPUs (vcpus.c) -------------------------------------------------------------------------------------------- */

struct vcpu_place { /* where QEMU has a vCPU: each level counted inside the one before it */
    uint32_t drawer, book, socket, die, cluster, module, core, thread;
};

struct vcpu_place vcpu_place(const struct plan_guest *guest, uint32_t vcpu);
uint64_t product_of_levels(const struct plan_guest *guest);                             /* at most 32 bits */
uint32_t vcpus_at_level(const struct plan_guest *guest, enum shared_level level);       /* in one of its units */
enum shared_level level_of_cache(const struct plan_guest *guest, enum cpu_cache cache); /* with what QEMU has */
bool is_there_at_start(const struct plan_guest *guest, uint32_t vcpu);
uint32_t vcpus_plugged_together(const struct plan_guest *guest); /* 1, or a core's threads */
uint32_t first_vcpus(
    const struct plan_guest *guest); /* how many QEMU makes by itself, the fixed ones; others are plugged */

/* Of an x86_64 guest: the APIC id of a vCPU, the largest of all, and the first one that is more than 8 bits can say. */
uint32_t apic_id(const struct plan_guest *guest, uint32_t vcpu);
uint32_t highest_apic_id(const struct plan_guest *guest);
enum { APIC_IDS_OF_8_BITS = 255 };

/* What libvirt cannot say of the cells of a guest, of its vCPUs and memory devices. */
enum libvirt_gap {
    GAP_NO_MEMORY, /* a cell has vCPUs and no memory */
    GAP_BOTH_WAYS, /* two cells are each other's initiator and target */
    GAP_INITIATOR, /* libvirt would take another initiator, or none */
    GAP_FIXED,     /* vCPUs that cannot be unplugged stand behind some that can */
    GAP_BINDING,   /* libvirt would bind a memory device as its cell is; other: the device */
    GAP_DEVICE,    /* no word for something of a memory device */
    GAP_CACHES,    /* no word for who shares a cache */
    GAP_MODULES,   /* no such level of the topology, */
    GAP_BOOKS,     /* nor those above the socket */
    GAP_COUNT
};

bool has_device_gap(const struct plan_guest *guest, enum libvirt_gap gap, uint32_t *out_cell, uint32_t *out_device);
bool has_vcpu_gap(const struct plan_guest *guest, enum libvirt_gap gap); /* about no cell */
/* The first cell for which it has no words, and the other one it is about; 0 and 0 where it is about no cell. */
bool has_libvirt_gap(const struct plan_guest *guest, enum libvirt_gap gap, uint32_t *out_cell, uint32_t *out_other);

/* ---- words of the enums, the same in every output that is ours -------------------------------------------------- */
const char *memory_policy_word(enum memory_policy policy);             /* "strict" */
const char *memory_model_word(enum memory_model model);                /* "dimm" */
const char *backing_source_word(enum backing_source source);           /* "anonymous" */
const char *thread_class_word(enum thread_class class);                /* "fifo" */
const char *cpu_cache_word(enum cpu_cache cache);                      /* "l3" */
const char *shared_level_word(enum shared_level level);                /* "die" */
const char *cache_content_word(enum cache_content content);            /* "both" */
const char *associativity_word(enum hmat_associativity associativity); /* "direct" */
const char *write_policy_word(enum hmat_write_policy policy);          /* "writeback" */
const char *expander_kind_word(enum expander_kind kind);               /* "pxb-pcie" */
const char *hmat_access_word(enum hmat_access access);                 /* "access" */
