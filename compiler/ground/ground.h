/* SPDX-License-Identifier: MIT
 *
 * The ground that guests stand on: the facts of one host with what the site declares of it, and the meaning of sets
 * on it.  Declared beats recorded, with a hint where they differ.
 */
#pragma once

#include "host/host.h"
#include "model/model.h"
#include "plan/plan.h"

struct node_room {                  /* what guests may use of one node; same order as facts->nodes */
    struct known_size memory_bytes; /* normal pages: all memory less pools and reserves */
    uint64_t reserved_bytes;
    const uint64_t *pool_free; /* pages for guests: the pool's total less reserves, by facts->nodes[i].pools;
                                  UINT64_MAX where the total is unknown */
};

struct site_host {
    const char *name;
    const struct declared_host *declared; /* never NULL */
    const struct host *facts;             /* recorded and declared together; NULL where the host could not be loaded */
    const struct ids *reserved;           /* CPUs of all reserves */
    const struct ids *open;               /* CPUs guests may use: online and not reserved */
    const struct ids *shared; /* where unpinned threads run: declared, else open without the isolated ones */
    bool has_shared;          /* the site declares it */
    const struct node_room *rooms;
    const struct host_device *const *devices; /* of facts, by address */
    struct place_memo
        *memo; /* what sets came to; NULL until the host is settled, since that changes them; inside ground only */
};

struct place_memo;
struct place_memo *place_memo_new(struct arena *arena);

/* Loads every host that some guest may use; hosts in the order of the site.  A host that fails has facts NULL and a
 * finding.  `wants_devices`: the site names pci, netdev, block or device places. */
struct site_hosts {
    const struct site_host *list;           /* in the order of the site */
    const struct site_host *const *by_name; /* sorted, to find one quickly */
    uint32_t count;
    struct site_host nowhere; /* of guests without a host: nothing but the versions that the site says */
};

struct site_hosts ground_hosts(struct arena *arena, struct sources *sources, struct findings *findings,
                               const struct site *site);
const struct site_host *find_site_host(const struct site_hosts *hosts, const char *name);

/* The owner of a reserve that holds this CPU, or NULL. */
const struct reserve *reserve_of_cpu(const struct site_host *host, uint32_t cpu);

/* The address of a device: said, else what the host gives the name; NULL: it gives none. */
const char *device_address(const struct site_host *host, const char *name, const char *said_address);
const struct host_device *device_at(const struct site_host *host, const char *address); /* NULL: it has none there */

/* ---- sets on a host ------------------------------------------------------------------------------------------------
 * A CPUS or NODES set as numbers.  `all` is what the parent offers (for CPUS open, or `parent` where given; for NODES
 * the nodes with memory).  Numbers are taken as written even where the host lacks them: the plan rules tell that.
 * A place that the host does not have is one finding (NM1021..) at `span`, and NULL. */
const struct ids *cpus_on_host(struct arena *arena, struct findings *findings, const struct site_host *host,
                               const struct set *set, const struct ids *parent, struct span span);
const struct ids *nodes_on_host(struct arena *arena, struct findings *findings, const struct site_host *host,
                                const struct set *set, struct span span);
/* The numbers that a set names beside its places and `all`; these the host must have, while a place is what it has. */
const struct ids *numbers_of_set(struct arena *arena, const struct set *set);
const struct ids *cpus_of_nodes(struct arena *arena, const struct host *facts, const struct ids *nodes);
const struct ids *nodes_of_cpus(struct arena *arena, const struct host *facts, const struct ids *cpus);

/* ---- caches of a host that vCPUs share (shared_caches.c) --------------------------------------------------------- */

enum sharing_trouble {
    SHARING_FINE,
    SHARING_UNKNOWN, /* the host tells no such cache */
    SHARING_LOOSE,   /* a vCPU may run under several of them */
    SHARING_UNEVEN   /* not every cache has as many vCPUs, or not one after another */
};

struct host_sharing {
    enum sharing_trouble trouble;
    uint32_t vcpus; /* under each cache; of SHARING_UNEVEN: under the first */
    uint32_t vcpu;  /* SHARING_LOOSE, SHARING_UNEVEN: the first that is in the way */
};

enum shared_level shared_level_of_word(uint32_t word); /* SHARED_WORD_..; unsaid: of the host */
struct host_sharing sharing_on_host(const struct host *facts, const struct plan_guest *guest, enum cpu_cache kind);
/* Which of facts->caches each vCPU runs under, NO_INDEX: one of several.  NULL: the host tells none of the kind; else
 * free it with g_free(). */
uint32_t *caches_of_vcpus(const struct host *facts, const struct plan_guest *guest, enum cpu_cache kind);

/* ---- a finished guest beside what it was made from, for the rules ----------------------------------------------- */
struct planned_guest {
    const struct plan_guest *plan;
    const struct guest *guest;         /* as it is on its host */
    const struct guest *anywhere;      /* with what it is on others */
    const struct planned_guest *moves; /* plan->move_count of them: where it may move to */
    const struct site_host *host;      /* NULL: the site has no host */
    const struct site_host *programs;  /* whose versions count: its host's, or those of nowhere */
    const uint32_t *own_cpus; /* the CPU that each vCPU has for its own, NO_INDEX for none; NULL: no vCPU has one.
                                 Made by check, for its rules */
};

/* The guest as it is on a host that it may move to; NULL: it may not, or does not fit there. */
const struct planned_guest *find_move(const struct planned_guest *planned, const char *host);

struct planned_site {
    const struct plan *plan;
    const struct planned_guest *guests; /* plan->guest_count of them, same order */
    const struct plan_host *idle_hosts; /* without guests, so not in the plan, but asserted of; in order of the site */
    uint32_t idle_host_count;
    const struct site *site;
    const struct site_hosts *hosts;
};

/* Where a word of a guest's cell was said: in the cell, else inherited from the guest, else the guest's name. */
struct span cell_word_span(const struct guest *guest, uint32_t cell_index, enum word_id word, unsigned argument);
struct span guest_word_span(const struct guest *guest, enum word_id word, unsigned argument);
