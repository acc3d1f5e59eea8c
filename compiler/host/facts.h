/* SPDX-License-Identifier: MIT
 *
 * Inside host only: how the readers of the five kinds of source, the child that runs them and the callers in load.c
 * speak to each other.  A reader fills a struct host in an arena, or says what is wrong in a struct trouble.
 */
#pragma once

#include "host/host.h"

/* ---- limits: what a source may ask for -------------------------------------------------------------------------- */
#define HOST_FILE_BYTES (UINT32_C(64) << 20)
#define HOST_CPU_LIMIT (IDS_LIMIT + 1)
#define HOST_NODE_LIMIT 1024u     /* MAX_NUMNODES of Linux */
#define HOST_POOL_LIMIT 32u       /* sizes of huge pages on a node; Linux knows at most four */
#define HOST_THING_LIMIT 1000000u /* caches, devices */
#define HOST_TEXT_LIMIT 65536u
#define HOST_CONTROL_LIMIT 8192u /* caches that resctrl divides, each for code and for data */

enum host_origin { ORIGIN_LIVE, ORIGIN_HWLOC_XML, ORIGIN_FOLDER, ORIGIN_SYNTHETIC, ORIGIN_CAPABILITIES };

struct trouble {
    enum code code; /* NM_NONE: all is well */
    char message[600], help[300];
};

/* The first trouble stays. */
void trouble_set(struct trouble *trouble, enum code code, const char *help, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

struct reading { /* what to read */
    enum host_origin origin;
    const char *name; /* as people know the source */
    const char *text; /* of a file or a description */
    size_t length;
    const char *root;        /* folder that holds sys/ and proc/; "/" for the live machine */
    uint32_t synthetic_cpus; /* how many a description asks for */
    unsigned wants;
    GString *recording; /* gets hwloc XML with our additions; NULL when not recording */
};

/* Each gives the facts, or NULL with trouble. */
struct host *read_hwloc(struct arena *arena, const struct reading *reading, struct trouble *trouble);
struct host *read_capabilities(struct arena *arena, const struct reading *reading, struct trouble *trouble);

/* Runs the reader in a child process with limits and takes its facts (and the recording) over a pipe. */
struct host *read_in_child(struct arena *arena, const struct reading *reading, struct trouble *trouble);

/* Adds what hwloc does not read: page pools with their free pages, free memory, isolated CPUs, KSM and so on. */
void read_kernel_facts(struct arena *arena, const char *root, struct host *host);
bool kernel_sets_are_there(const char *root, struct trouble *trouble); /* of a recorded folder */
/* resctrl.c: what /sys/fs/resctrl tells, for read_kernel_facts(). */
struct kernel;
void read_resctrl(struct kernel *kernel);
void read_program_versions(struct host *host);
bool version_parse(const char *text, struct version *version); /* "7.2.13 (Debian)", leading words skipped */

/* "0-3,8" as the kernel writes it, at most IDS_LIMIT; NULL if it is anything else.  An empty text is the empty set. */
const struct ids *ids_parse(struct arena *arena, const char *text);

/* A description for hwloc in which nodes without a memory size get one byte, since hwloc would make one up; false
 * with trouble where it is too large or no description at all. */
#define SYNTHETIC_NO_MEMORY 1u
#define SYNTHETIC_CPU_LIMIT 4096u
#define SYNTHETIC_NODE_LIMIT 256u
bool synthetic_prepare(const char *text, GString *prepared, uint32_t *cpus, uint64_t *work, struct trouble *trouble);

/* Says by its content which reader a file needs; false with trouble where there is none. */
bool file_recognise(const struct reading *reading, enum host_origin *origin, struct trouble *trouble);

/* XML through libxml2, without entities, document types from elsewhere or the network; NULL with trouble where it is
 * not well-formed.  xml_make_plain() writes it again as hwloc's own reader wants it. */
struct _xmlDoc *xml_read(const struct reading *reading, struct trouble *trouble);
bool xml_make_plain(const struct reading *reading, GString *plain, struct trouble *trouble);

/* The encoding between child and parent.  Decoding trusts nothing: NULL unless every number is in its range. */
void facts_encode(const struct host *host, GByteArray *out);
struct host *facts_decode(struct arena *arena, const uint8_t *bytes, size_t length);

/* hwloc listens to two dozen variables and speaks through errno: settled and said in one place. */
void settle_environment(const struct reading *reading);
void say_unreadable(const struct reading *reading, struct trouble *trouble);

/* What the other files need of hwloc, so that only from_hwloc.c knows it.  info_at() gives the value and sets the name;
 * NULL behind the last. */
struct hwloc_topology;
struct hwloc_obj;
enum level_word { LEVEL_WORD_NONE, LEVEL_WORD_NODE, LEVEL_WORD_PU, LEVEL_WORD_OTHER };
enum level_word level_of_word(const char *word); /* of a synthetic description */
struct hwloc_obj *machine_object(struct hwloc_topology *topology);
struct hwloc_obj *node_object(struct hwloc_topology *topology, uint32_t os_index);
const char *info_of(struct hwloc_obj *object, const char *name);
const char *info_at(struct hwloc_obj *object, unsigned position, const char **name);
void info_add(struct hwloc_obj *object, const char *name, const char *value);

/* Our additions to hwloc XML: names of <info>, their text, and back. */
void additions_write(const struct host *host, struct hwloc_topology *topology);
void additions_read(struct arena *arena, struct host *host, struct hwloc_topology *topology);

/* `order` of every CPU from the levels that it stands in, for sources that have no tree; numbers of all levels from 0
 * in the order of the CPUs. */
void facts_order_by_levels(struct host *host);
void facts_count_logically(struct host *host);

/* Latencies, bandwidths and side caches of memory; the CPUs know their nodes already. */
void memory_attributes_read(struct arena *arena, struct host *host, struct hwloc_topology *topology);

/* Sets node_index of every CPU from the CPUs of the nodes. */
void facts_link_nodes(struct host *host);
void facts_settle_distances(struct arena *arena, struct host *host);
