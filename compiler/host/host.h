/* SPDX-License-Identifier: MIT
 *
 * Our own facts about one machine, and the only reader of machines: live, hwloc XML v2, a recorded sysfs folder, an
 * hwloc synthetic string, libvirt capabilities XML.  Knows nothing of guests.
 *
 * Unknown is not zero: every fact is known, or unknown because the source does not say it.  Numbers are OS indexes,
 * bytes, nanoseconds and bytes a second.
 */
#pragma once

#include "base/base.h"
#include "diag/diag.h"
#include "source/source.h"

struct known_size { /* a number that the source may not tell */
    bool known;
    uint64_t value;
};

enum known_state { STATE_UNKNOWN, STATE_NO, STATE_YES };

enum node_kind { NODE_DRAM, NODE_HBM, NODE_CXL, NODE_NVM, NODE_GPU };

struct page_pool { /* huge pages of one size on one node; the base size is not a pool */
    uint64_t page_bytes;
    struct known_size total, free; /* pages */
};

struct host_node {
    uint32_t os_index;
    const struct ids *cpus;         /* online and allowed; empty for a memory-only node */
    struct known_size memory_bytes; /* all of it, huge pages included; 0 is a node without memory */
    struct known_size free_bytes;   /* when recorded */
    enum node_kind kind;
    bool is_allowed;               /* not taken away by a cgroup */
    bool pools_known;              /* false: the source says nothing of huge pages here */
    const struct page_pool *pools; /* rising by size; a size with no pool on this node has total 0 or is left out */
    uint32_t pool_count;
};

/* A logical CPU.  Indexes of package, die, cluster, l3, core are counted from 0 in the host in logical order, as
 * hwloc does: what stands together counts together, whatever numbers the operating system dealt.  Two CPUs share the
 * thing exactly when the numbers are equal.  NO_INDEX: the source does not know the level. */
#define NO_INDEX UINT32_MAX

struct host_cpu {
    uint32_t os_index;
    uint32_t package, die, cluster, l3, core;
    uint32_t order;      /* position in the host in logical order, from 0 */
    uint32_t thread;     /* position in its core, from 0 */
    uint32_t node_index; /* into nodes[]: the node with these CPUs (the DRAM one where several share them); NO_INDEX
                            where no node has it */
    uint32_t kind;       /* of hybrid cores: 0 the least capable; NO_INDEX where all are alike */
};

struct host_cache {
    uint32_t level;
    char type; /* 'u' unified, 'd' data, 'i' instruction */
    uint64_t bytes;
    const struct ids *cpus;
};

/* What the kernel's resctrl offers of one cache: the host's number of it, as /sys/fs/resctrl and libvirt count. */
struct cache_control {
    uint32_t level, cache;
    char type; /* 'u' all of it, 'd' for data, 'i' for code */
    uint64_t bytes, granule_bytes, least_bytes;
    uint32_t most_groups; /* the host's own one among them */
    const struct ids *cpus;
};

struct bandwidth_control { /* in percent; a node is an L3 cache */
    uint32_t node, granule, least, most_groups;
    const struct ids *cpus;
};

/* How CPUs of one node reach the memory of another (or their own), as the firmware tells it. */
struct host_access {
    uint32_t initiator, target; /* into nodes[] */
    struct known_size read_latency_ns, write_latency_ns;
    struct known_size read_bandwidth, write_bandwidth; /* bytes a second */
};

enum side_cache_indexing { SIDE_CACHE_UNKNOWN, SIDE_CACHE_DIRECT, SIDE_CACHE_COMPLEX };

struct host_side_cache { /* between a node's memory and all who use it */
    uint32_t node_index; /* into nodes[] */
    uint32_t level;      /* from 1 */
    uint64_t bytes;
    uint32_t line_bytes;
    enum side_cache_indexing indexing;
};

struct host_device {
    const char *pci;        /* "0000:41:00.0" */
    const char *name;       /* of the kernel: "nvme0n1", "eth0"; NULL without */
    char kind;              /* 'n' network, 'b' block, 'g' gpu, 'o' other */
    uint32_t node_os_index; /* NO_INDEX unknown */
    const struct ids *cpus; /* near it */
};

struct version {
    bool known;
    uint16_t major, minor, micro;
};

enum host_program { PROGRAM_LIBVIRT, PROGRAM_QEMU, PROGRAM_KERNEL, PROGRAM_LIBNUMA, PROGRAM_COUNT };

struct host {
    const char *name;             /* in the site, or the file's name */
    const char *source_text;      /* "hosts/r740.xml", "live", the synthetic string */
    uint32_t source_file;         /* for labels in host files; 0 without */
    const char *architecture;     /* "x86_64", NULL unknown */
    const struct ids *online;     /* CPUs that may be used: online and allowed */
    const struct ids *offline;    /* present but offline */
    const struct ids *disallowed; /* online, taken away by a cgroup */
    struct host_cpu *cpus;        /* of `online`, rising */
    uint32_t cpu_count;
    struct host_node *nodes; /* rising by OS index, allowed or not */
    uint32_t node_count;
    const uint32_t *distances; /* node_count squared, row from, column to, as numactl -H; NULL unknown */
    const struct host_cache *caches;
    uint32_t cache_count;
    bool resctrl_known; /* the source tells what resctrl offers, if only that it offers nothing */
    const struct cache_control *cache_controls;
    uint32_t cache_control_count;
    const struct bandwidth_control *bandwidth_controls;
    uint32_t bandwidth_control_count;
    enum known_state watches_cache, watches_bandwidth; /* monitors of L3 occupancy and of bandwidth */
    const struct host_access *accesses; /* rising by target, then initiator; none where the source tells nothing */
    uint32_t access_count;
    const struct host_side_cache *side_caches; /* rising by node, then level */
    uint32_t side_cache_count;
    const struct host_device *devices;
    uint32_t device_count;
    bool devices_known;
    bool isolated_known, nohz_full_known;
    const struct ids *isolated, *nohz_full;
    enum known_state ksm, ksm_merge_across_nodes, balancing; /* running; across; automatic NUMA balancing */
    const char *transparent_pages;                           /* "always", "madvise", "never"; NULL unknown */
    struct version versions[PROGRAM_COUNT];
    const char *machine_name; /* recorded, for people; NULL unknown */
    const char *cpu_name;     /* of the vendor: what sources of one kind can be compared by; NULL unknown */
};

/* What costs time and is not always needed: PCI devices; caches below and above L3; asking the programs installed on
 * the live machine for their versions (three processes are started); latencies and bandwidths of memory, with the
 * caches at its side. */
enum host_wants {
    HOST_DEVICES = 1,
    HOST_CACHES = 2,
    HOST_PROGRAMS = 4,
    HOST_ACCESSES = 8,
    HOST_NO_PIPE = 16 /* a site names it */
};

/* Loads a host.  `source` is "live", a path, or (is_synthetic) a description.  The facts live in `arena`.
 * Trouble is one finding (NM10xx) at `place` and NULL is returned.  Files and folders are read in a child process
 * with limits on time and memory, since hwloc's XML readers crash on damaged files. */
const struct host *host_load(struct arena *arena, struct sources *sources, struct findings *findings,
                             const char *source, bool is_synthetic, unsigned wants, struct span place);

/* What building a description costs, in words of sets that hwloc compares: HOST_SYNTHETIC_WORK of them take some
 * 0.2 s.  A description over that is refused; 0 for one that is none.  What all of a site may cost is the caller's. */
#define HOST_SYNTHETIC_WORK UINT64_C(100000000)
uint64_t host_synthetic_work(const char *text);

const struct host_node *host_node(const struct host *host, uint32_t os_index); /* NULL if there is none */
const struct host_cpu *host_cpu(const struct host *host, uint32_t os_index);   /* NULL if not online */
const struct page_pool *node_pool(const struct host_node *node, uint64_t page_bytes);
uint32_t host_distance(const struct host *host, uint32_t from_index, uint32_t to_index); /* indexes into nodes[];
                              where unknown 10 to itself and 20 to others */
/* What is known of this pair (indexes into nodes[]), or NULL. */
const struct host_access *host_access(const struct host *host, uint32_t initiator, uint32_t target);
const char *node_kind_word(enum node_kind kind); /* "dram", "hbm", "cxl", "nvm", "gpu" */

/* `numac host show`: in the look of numactl -H, with caches, SMT, pools; or the JSON other programs rely on. */
void host_show_text(const struct host *host, GString *out);
void host_show_json(const struct host *host, GString *out);
/* `numac host record`: hwloc XML that lstopo loads too, with what numac needs beyond hwloc as <info name="numac.…">.
 * False with one finding where the source cannot be recorded. */
bool host_record(struct sources *sources, struct findings *findings, const char *source, bool is_synthetic,
                 GString *out);
