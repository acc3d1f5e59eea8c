/* SPDX-License-Identifier: MIT
 *
 * Inside place only: a guest while it is being placed, and the steps that fill it.
 *
 *     draft_cells --> fit_guest (choose nodes, claim memory, pick CPUs) --> [all guests] --> settle_threads --> finish
 */
#pragma once

#include "place/room.h"

#define NO_LEVEL UINT32_MAX

/* All vCPUs of a guest, or of a cell, in one part of the host: the cores that have this number at this level. */
struct scope {
    uint32_t level, number; /* LEVEL_..; NO_LEVEL: anywhere */
};

/* In a claim: a table made a CPU its vCPU's own that another row had named. */
#define CLAIM_NAMED (UINT32_C(1) << 31)

#define ANYWHERE ((struct scope){ .level = NO_LEVEL })

/* How crowded floating vCPUs may be.  A roomy choice is looked for first, on all hosts. */
enum ease {
    EASE_ROOMY,   /* a CPU for each floating vCPU of all guests */
    EASE_SHARED,  /* guests share, but no cell has more vCPUs than it has CPUs */
    EASE_CROWDED, /* at least one CPU */
    EASE_COUNT
};

/* What one cell asks of its nodes. */
struct need {
    uint32_t singles;        /* CPUs of its own */
    uint32_t extra;          /* one more, for an emulator of its own */
    uint32_t cores, threads; /* whole cores of its own, each with at least so many CPUs */
    uint32_t floating;       /* vCPUs that float over what is loose */
    uint32_t within;         /* all of these in one socket, node, l3, core; NO_LEVEL */
    struct scope scope;      /* of the guest */
    const struct ids *allowed;
    enum ease ease;
    uint64_t bytes, page_bytes;
};

enum shortage { FITS, SHORT_MEMORY, SHORT_PAGES, SHORT_CPUS, SHORT_CORES, SHORT_WITHIN, SHORT_LOOSE, SHORT_EMULATOR };

/* Memory of one cell on one node. */
struct portion {
    uint32_t node; /* into room->nodes */
    uint64_t bytes;
};

struct draft_cell {
    const char *name;
    const struct cell *said; /* its block; NULL where it has none */
    const struct locality *locality;
    const struct ids *vcpus;
    uint32_t vcpu_count;
    uint64_t memory_bytes;
    uint64_t device_bytes;          /* of memory devices on the nodes and pages of this cell */
    bool takes_vcpus, takes_memory; /* what the node has left, instead of a number */
    uint64_t page_bytes;            /* PAGES_LARGEST until a node is chosen */
    uint32_t within;                /* LEVEL_.., NO_LEVEL */

    const struct ids *fixed;  /* nodes the site or `cells host` says; NULL: to be chosen */
    const struct ids *nodes;  /* in force; NULL: not bound */
    uint32_t node;            /* the first of them, into room->nodes; NO_INDEX where the host has it not */
    struct portion *portions; /* memory taken */
    uint32_t portion_count;
    const struct ids *allowed; /* `cpus`, on this host; NULL: not said */
    bool is_astray; /* names nodes or CPUs that guests do not have here: a rule of the plan tells it, so the cell takes
                       nothing and its vCPUs stay unpinned */
    struct scope own_scope; /* where `within` of the cell put it */
    bool is_drawn;          /* to the CPUs that a pin table gives it */
};

struct draft_device { /* a memory device: takes memory as a cell without vCPUs does */
    const struct memory_device *said;
    uint32_t cell;            /* that gets it; 0 where there is no such cell, which a rule of the plan tells */
    bool is_apart;            /* on nodes or pages of its own; else its cell counts it */
    struct locality locality; /* that of its cell, overridden */
    struct draft_cell memory; /* said: the block of its cell */
};

struct draft {
    struct draft *before; /* placed on the same host */
    const struct guest *guest;
    struct room *room; /* NULL until placed */
    struct draft_cell *cells;
    uint32_t cell_count, vcpu_count, threads; /* threads of a guest core that pins honour */
    struct draft_device *devices;             /* guest->memory_device_count of them */
    struct scope scope;
    const struct ids **vcpu_cpus; /* NULL: not decided, floats or is not pinned */
    uint32_t *claims;             /* CPUs that are its own, into room->cpus, with CLAIM_NAMED; the latest last */
    uint32_t claim_count;
    uint32_t emulator_cpu; /* of `emulator isolate`, into room->cpus; NO_INDEX */
    bool is_placed;
    const struct footprint *print; /* groups.h; of a guest with groups, as it was when it was placed */
};

/* What a try looks at: everything, or one resource alone, to find out which of them is short. */
enum lens_kind { LENS_ALL, LENS_CPUS, LENS_MEMORY };

struct lens {
    enum lens_kind kind;
    uint64_t page_bytes; /* LENS_MEMORY: memory in pages of this size; PAGES_NORMAL, which stands for `largest` too */
};

enum extent {
    ONE_CELL,   /* this cell finds no room by itself, or not on the nodes it names */
    ALL_NODES,  /* the only cell needs more than all nodes together have */
    SOME_CELLS, /* each finds room, but these not beside each other */
    NODES_APART /* there is enough of each resource, but not on the same nodes */
};

struct misfit { /* why a guest did not fit on a host, in the last and least demanding try */
    const struct room *room;
    enum shortage kind;
    enum extent extent;
    uint32_t cell; /* of the draft; */
    uint32_t node; /* the node that came nearest, into room->nodes; NO_INDEX: all of them together */
    uint64_t needed, left, page_bytes; /* page_bytes: of the pages that were looked at */
    uint32_t crowd, missing;           /* SOME_CELLS: so many cells, of which so many found no node of their own */
    uint32_t held;                     /* so many of them find room where they may share nodes; for cells alike */
    bool is_alike;                     /* SOME_CELLS: their needs are the same */
    const struct ids *roomy;           /* SOME_CELLS: the nodes where one of them fits */
    const char *names, *apart;         /* SOME_CELLS: the cells; NODES_APART: what is short where */
    bool is_reported;                  /* a set could not be read on this host: said already */
};

struct candidates { /* hosts in the order in which they are tried */
    const uint32_t *hosts;
    uint32_t count, most_nodes;
    bool is_cut; /* some host could not be loaded: that was told */
};

struct identity;
struct outage {          /* a host, or a node of it */
    uint32_t host, node; /* node: into facts->nodes; NO_INDEX: all of them */
};

struct missing { /* in a replay */
    const struct outage *list;
    uint32_t count;
};

struct placing { /* one run */
    struct arena *arena, *scratch;
    struct arena *brief; /* for one fit_guest(), which empties it */
    struct findings *findings;
    const struct site *site;
    const struct site_hosts *hosts;
    struct room **rooms;        /* by host; NULL until some guest asks, or without facts */
    const struct ids **singles; /* for the rooms */
    GHashTable *host_numbers;   /* name to position + 1 */
    GHashTable *refusals;       /* keys of demands and hosts */
    struct candidates all;      /* every host; */
    uint32_t *order;            /* its list, kept sorted by emptiness where the site spreads; NULL until asked for */
    struct draft *drafts;       /* by guest */
    struct planned_guest **planned; /* by guest, once all are placed; NULL: it is not */
    struct landing **landings;      /* by guest: what moving.c made of it so far; NULL: nothing */
    uint32_t *claims;               /* of the guest that is being placed */
    uint32_t claim_room;
    struct findings *unheard;      /* where several hosts are tried, what one of them lacks is no mistake */
    GHashTable *told;              /* families whose first guest that did not fit was told */
    uint32_t explained;            /* how many refusals were looked into */
    uint64_t work_left;            /* of trying guests on hosts */
    bool is_too_much;              /* told: it is used up */
    uint64_t looks_left;           /* of the searches for nodes (nodes.h) */
    uint32_t replayed;             /* how often the site was placed again */
    bool is_replay;                /* only whether guests fit: nothing is told */
    const struct missing *missing; /* hosts and nodes that are not there; NULL: all are */
    struct grouping *grouping;     /* groups.h; NULL: the site has no groups */
};

/* ---- draft.c: how many cells, which vCPUs, how much memory ------------------------------------------------------ */

/* Words of a cell that its guest may have said for it. */
bool cell_says(const struct guest *guest, const struct draft_cell *cell, enum word_id word);
struct span cell_span(const struct guest *guest, const struct draft_cell *cell, enum word_id word, unsigned argument);
struct span placed_word_span(const struct guest *guest, enum word_id word, unsigned argument);

/* How many cells to try first: said, or 1.  0: `auto`, `host` or nothing said, so place decides. */
uint32_t said_cells(const struct guest *guest);

/* Lays out `count` cells (the blocks, where the guest has them).  The draft takes its arrays from `arena`. */
void draft_cells(struct arena *arena, struct draft *draft, const struct guest *guest, uint32_t count);
/* Gives vCPU numbers to cells once every count is known. */
void number_vcpus(struct arena *arena, struct draft *draft);
/* Whether a guest can be cut into so many cells: whole cores and pages; equal ones, except for `cells auto`. */
bool divides(const struct guest *guest, uint32_t cells, uint32_t threads);

/* ---- cpus.c: which CPUs ----------------------------------------------------------------------------------------- */

enum shortage cpu_shortage(const struct room *room, const uint32_t *nodes, uint32_t count, const struct need *need);
/* How many of the CPUs, cores or floating vCPUs that `need` counts would find room there. */
uint64_t cpus_found(const struct room *room, const uint32_t *nodes, uint32_t count, const struct need *need);
/* Cores of a node all of whose CPUs are free, and at least so many. */
uint32_t whole_cores_of(const struct room *room, uint32_t node, uint32_t threads);
/* Whether some core of a node lies in a part of the host. */
bool node_is_in(const struct room *room, uint32_t node, struct scope part);
/* The number of a core at a level: equal for two cores exactly when they share that part of the host. */
uint32_t core_number(const struct room *room, uint32_t core, uint32_t level);
bool is_core_in(const struct room *room, uint32_t core, struct scope part);
uint64_t floaters_in(const struct room *room, struct scope part); /* vCPUs that float in this part alone */
/* Notes that vCPUs float in a part of the host (anywhere: on these nodes as a whole). */
void count_floaters(struct room *room, const struct ids *nodes, struct scope part, uint32_t count);
/* Chooses CPUs for the vCPUs that `need` counts and marks them as taken: `picks` gets singles or cores * threads CPUs
 * in vCPU order, `claims` all CPUs that are taken with them.  False: there is no room, and nothing is taken. */
bool pick_cpus(struct arena *scratch, struct room *room, const uint32_t *nodes, uint32_t count, const struct need *need,
               bool is_spread, uint32_t *picks, uint32_t *claims, uint32_t *claim_count, struct scope *out_scope);

/* ---- memory.c: whether it fits, and taking it ------------------------------------------------------------------- */

/* Policies are positions in the words of the language, POLICY_WORD_... */
bool memory_fits(const struct room *room, const uint32_t *nodes, uint32_t count, uint32_t policy, uint64_t page_bytes,
                 uint64_t bytes);
/* What interleaving puts on the node at a position of `count`, in whole pages. */
uint64_t even_share(uint64_t bytes, uint64_t page_bytes, uint32_t count, uint32_t position);
/* The largest page that divides the memory of a cell and of its devices, and of which there are enough; PAGES_NORMAL
 * where there is none. */
uint64_t largest_page(const struct room *room, const uint32_t *nodes, uint32_t count, const struct draft_cell *cell);
uint64_t wanted_bytes(const struct draft_cell *cell); /* with those of its devices */
void take_memory(struct arena *scratch, struct room *room, struct draft_cell *cell, const uint32_t *nodes,
                 uint32_t count);
void give_memory(struct room *room, struct draft_cell *cell);
/* All that nodes have left; *page_bytes PAGES_LARGEST becomes a size.  False: nobody knows. */
bool all_memory(const struct room *room, const uint32_t *nodes, uint32_t count, uint64_t block, uint64_t *page_bytes,
                uint64_t *out_bytes);

/* ---- hosts.c: which hosts, in which order ----------------------------------------------------------------------- */

struct room *room_at(struct placing *placing, uint32_t host); /* NULL: it could not be loaded */
struct candidates candidates_of(struct placing *placing, const struct guest *guest);
void host_was_filled(struct placing *placing, const struct room *room);
uint64_t demand_of(const struct guest *guest); /* 0: like no other */
uint64_t mixed(uint64_t demand, uint64_t more);
bool was_refused(const struct placing *placing, uint64_t demand, enum ease ease, uint32_t cells, uint32_t host);
void note_refusal(struct placing *placing, uint64_t demand, enum ease ease, uint32_t cells, uint32_t host);
/* How many hosts at the head of an order that does not change have refused. */
uint32_t refused_first(const struct placing *placing, uint64_t demand, enum ease ease, uint32_t cells);
void note_refused_first(struct placing *placing, uint64_t demand, enum ease ease, uint32_t cells, uint32_t count);

/* ---- fit.c and needs.c: one guest on one host ------------------------------------------------------------------- */

struct attempt {
    struct placing *placing;
    struct draft *draft;
    struct room *room;
    enum ease ease;
    bool is_only_host; /* what it lacks is the site's mistake */
    struct misfit *misfit;
    struct lens lens;
    const struct confines *confines; /* groups.h: the parts of a host that the guest must keep to; NULL: none */
    bool is_trial;                   /* only whether it fits: nothing stays taken */
    bool wants_reason;               /* fill the misfit in */
};

/* A set of the site on this host; NULL: it could not be read, which is told where this is the only host. */
const struct ids *cpus_said(const struct attempt *attempt, const struct set *set, struct span span);
bool fails_heard(const struct attempt *attempt); /* such a set; false, like fails() */

uint32_t pin_of(const struct draft_cell *cell); /* PIN_NODE where a table says the rest */
bool isolates_emulator(const struct guest *guest);
bool wants_own_cpus(const struct draft *draft);
bool counts_cpus(const struct attempt *attempt);
bool counts_memory(const struct attempt *attempt, const struct draft_cell *cell);
struct need need_of(const struct attempt *attempt, uint32_t index);

/* Places the cells of a draft on a host, or gives back whatever was taken and says why not. */
bool fit_guest(const struct attempt *attempt);
bool may_share_nodes(const struct guest *guest);
bool enter_open(const struct attempt *attempt); /* fit_open.c: the cells whose nodes are left open */

struct node_problem;
/* short_open.c: why open cells, in this order in the draft, find no nodes.  Always false. */
bool explain_open(const struct attempt *attempt, const struct node_problem *problem, const uint32_t *index);
/* The same for a cell that found a node, when those before it had taken the CPUs beside it (in nodes, `at`). */
bool explain_taken(const struct attempt *attempt, const uint32_t *index, uint32_t count, uint32_t failed, uint32_t at);

void release_guest(struct draft *draft); /* gives back what a placed guest took, for a trial on a saved room */
bool site_spreads(const struct attempt *attempt);
bool memory_has_room(const struct attempt *attempt, const struct draft_cell *cell, const uint32_t *nodes,
                     uint32_t count);
uint64_t left_on(const struct attempt *attempt, const uint32_t *nodes, uint32_t count, uint64_t page_bytes);
/* Enters a cell on a node that was found to have room.  False: cells before it took the CPUs beside that node. */
bool enter_cell(const struct attempt *attempt, uint32_t index, uint32_t node);
/* False with the misfit filled in; fails() fills it in and is false. */
bool check_cpus(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count);
bool fails(const struct attempt *attempt, enum shortage kind, uint32_t cell, uint32_t node, uint64_t needed,
           uint64_t left);
const struct ids *nodes_said(const struct attempt *attempt, const struct set *set, struct span span);
/* The nodes of a set that guests may use here: there, and not taken away by a cgroup. */
uint32_t indexes_of(const struct room *room, const struct ids *nodes, uint32_t *out, bool *out_all_there);
bool fails_heard(const struct attempt *attempt);
/* What `memory` lacks, of this cell or of a device that it gets. */
void fails_memory(const struct attempt *attempt, uint32_t index, const struct draft_cell *memory, const uint32_t *nodes,
                  uint32_t count);
void enter_memory(const struct attempt *attempt, struct draft_cell *cell, const uint32_t *nodes, uint32_t count);
/* Lays out the cells of a guest for this host; `count` where the site leaves their number open. */
void lay_cells(const struct attempt *attempt, const struct guest *guest, uint32_t count);
bool is_cut_by_node(const struct guest *guest); /* it has a cell for each of its nodes: these */
uint32_t own_nodes(const struct attempt *attempt, const struct guest *guest, uint32_t *out);

/* ---- memory_devices.c: memory devices -------------------------------------------------------------------------- */

void draft_devices(struct arena *arena, struct draft *draft); /* behind its cells */
bool read_device_sets(const struct attempt *attempt);
/* Whether the devices that follow a cell, on other pages than its own, find room beside it. */
bool devices_have_room(const struct attempt *attempt, const struct draft_cell *cell, const uint32_t *nodes,
                       uint32_t count);
uint64_t bytes_beside(const struct attempt *attempt, uint32_t cell); /* that they take, as the lens shows it */
bool enter_devices(const struct attempt *attempt);                   /* those apart, once all cells stand */
void give_devices(struct room *room, const struct draft *draft);
bool devices_take(const struct draft *draft, uint32_t node, uint64_t page_bytes); /* on a node, or NO_INDEX anywhere */
void finish_devices(struct placing *placing, const struct draft *draft, struct plan_guest *out);
/* The CPUs that a cell needs, of those on these nodes; where a cell has CPUs elsewhere, nodes with enough of them. */
bool take_cpus(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count);
uint32_t cpu_nodes(const struct attempt *attempt, uint32_t index, uint32_t *nodes, uint32_t count);

/* ---- by_numad.c: memory that is left to numad ------------------------------------------------------------------- */

bool enter_by_numad(const struct attempt *attempt);
uint64_t memory_for_numad(const struct draft *draft); /* 0 for other guests */

/* ---- table.c: pin tables ---------------------------------------------------------------------------------------- */

bool enter_table(const struct attempt *attempt); /* the rows as said; their CPUs are taken from then on */
bool is_cut_by_table(const struct guest *guest); /* `cells auto`, and no node is named: */
uint32_t nodes_of_table(const struct attempt *attempt, const struct guest *guest); /* a cell for each of these */
/* By node, how far it is from the CPUs that the table gives the vCPUs of a cell; NULL: it gives them none. */
uint64_t *way_to_pins(const struct attempt *attempt, struct arena *scratch, const struct draft_cell *cell);

/* ---- place.c: one guest over hosts, parts of hosts, numbers of cells -------------------------------------------- */

struct shape { /* of a guest: how many cells, and where all of them */
    uint32_t cells;
    struct scope part;
};

void cell_counts(const struct guest *guest, const struct candidates *candidates, uint32_t *out_first,
                 uint32_t *out_last);
bool try_host(struct attempt *attempt, const struct guest *guest, uint32_t cells);
/* The parts of a host at the level of a guest's `within`, those with fewer floating vCPUs first; struct scope.  One
 * that is anywhere where the guest does not say it. */
GArray *parts_of(const struct room *room, const struct guest *guest);

struct asking { /* one guest, over all its tries */
    const struct guest *guest;
    struct guest *own; /* as it is on the host that is tried, where hosts differ */
    uint64_t demand;
    bool is_told; /* its only host lacks what it names: that was told */
};

/* Roomy before crowded, one cell before several: in this order, each on all hosts. */
bool place_over(struct placing *placing, const struct candidates *candidates, struct asking *asking,
                struct draft *draft);
void place_guest(struct placing *placing, const struct guest *guest, struct draft *draft);
bool is_too_much(struct placing *placing, const struct guest *guest); /* no work is left, which is told once */
bool fixes_places(const struct guest *guest);                         /* by a pin table, or by naming nodes or CPUs */

struct replay {                             /* a site that differs in one edit */
    const struct guest *edited;             /* stands for `guest` and its family; NULL: as it is */
    const struct guest *guest;              /* must fit, and all of its family */
    const struct guest_group *group;        /* all of its guests must fit; NULL: there is none; */
    const struct guest_group *edited_group; /* stands for it; NULL: as it is */
    const struct guest *left_out;
    const struct guest *const *moved; /* each stands for the guest of its number alone */
    uint32_t moved_count;
    const struct room *room; /* of the host where a pool gets more pages; NULL: none does */
    uint32_t node;
    uint64_t page_bytes, more_pages;
    const struct missing *missing; /* NULL: nothing is */
};

void replay_begin(struct placing *placing, const struct replay *replay, struct placing *again);
void replay_place(struct placing *again);
void replay_end(struct placing *again);

/* Whether a guest would fit if the site were placed anew with an edit, which may change the order of guests, and what
 * others take.  Too large a site is taken on trust. */
bool fits_in_replay(struct placing *placing, const struct replay *replay);

/* ---- variants.c: guests that are not the same on every host --------------------------------------------------- */

/* In `own`, which is made where it is needed. */
const struct guest *guest_there(const struct placing *placing, const struct guest *guest, uint32_t host,
                                struct guest **own);
/* That one as a guest of this host alone. */
const struct guest *guest_only_there(const struct placing *placing, const struct guest *there, uint32_t host);
bool takes_cells(const struct guest *guest, const struct candidates *candidates, uint32_t cells);
/* The fewest and the most cells over all hosts. */
void cell_counts_anywhere(const struct guest *guest, const struct candidates *candidates, uint32_t *out_first,
                          uint32_t *out_last);

/* ---- moving.c: guests that may move ---------------------------------------------------------------------------- */

/* What the guest is on each host of its `migrate`, once all guests are finished; `home` is its plan, and what it sees
 * there may become a worse case. */
void finish_moves(struct placing *placing, const struct identity *identity, struct planned_guest *row,
                  struct plan_guest *home);
/* The same latencies, bandwidths, side caches and initiators wherever it is (finish_hmat.c). */
void finish_moved_hmat(struct placing *placing, const struct draft *draft, struct plan_guest *home,
                       struct plan_guest *moves);
/* refuse_move.c: whether it would fit in a room, which it leaves as it is. */
bool fits_in_room(struct placing *placing, struct room *room, const struct guest *guest);
/* Words for that host alone, each tried, behind what is told of a guest that does not fit there. */
void offer_moves(struct placing *placing, struct finding *finding, struct room *room, const struct guest *moved);

/* ---- spare.c ---------------------------------------------------------------------------------------------------- */

void check_spare(struct placing *placing); /* once all guests are finished */

/* ---- why.c: what is short --------------------------------------------------------------------------------------- */

struct diagnosis { /* of a guest on one host: the shape in which least is missing */
    struct misfit misfit;
    struct shape shape;
    uint32_t faults;     /* resources that do not fit even alone */
    struct misfit other; /* the second of them */
    struct draft *draft; /* laid out in this shape */
};

/* False where nothing is short. */
bool diagnose(struct placing *placing, const struct guest *guest, struct room *room, struct shape shape,
              bool is_only_host, struct diagnosis *out);
bool is_milder(const struct diagnosis *a, const struct diagnosis *b);

/* ---- cures.c: edits that help, each tried before it is offered -------------------------------------------------- */

void offer_cures(struct placing *placing, struct finding *finding, const struct guest *guest,
                 const struct candidates *candidates, const struct diagnosis *diagnosis);

/* ---- refuse.c: telling why a guest did not fit ------------------------------------------------------------------ */

/* False: it would fit after all. */
bool refuse_guest(struct placing *placing, const struct guest *guest, const struct candidates *candidates);
/* Nothing is loose for the vCPUs of a cell once all guests are placed. */
void refuse_crowded(struct placing *placing, const struct draft *draft, uint32_t cell);
const char *shortage_text(struct arena *arena, const struct diagnosis *diagnosis);
/* Every part of one host, in every number of cells; struct diagnosis, the mildest first.  None: it fits after all. */
void diagnose_host(struct placing *placing, const struct guest *guest, struct room *room,
                   const struct candidates *candidates, GArray *all);
void name_takers(struct placing *placing, struct finding *finding, const struct diagnosis *diagnosis);

/* ---- unhosted.c: a site without hosts --------------------------------------------------------------------------- */

/* Takes over what stands in plain numbers; each word that only a host can answer is a finding. */
bool draft_unhosted(struct placing *placing, struct draft *draft, const struct guest *guest);

/* ---- threads.c: once all guests are placed ---------------------------------------------------------------------- */

/* Floating vCPUs get the CPUs that stayed loose.  False with a finding where nothing did. */
bool settle_vcpus(struct placing *placing, struct draft *draft);
/* CPUs of the emulator, and of an iothread; NULL: not pinned. */
const struct ids *emulator_cpus(struct placing *placing, const struct draft *draft);
const struct ids *vhost_cpus(struct placing *placing, const struct draft *draft);
const struct ids *iothread_cpus(struct placing *placing, const struct draft *draft, const struct iothread *iothread);

/* ---- finish.c: the plan of one guest ---------------------------------------------------------------------------- */

struct identity { /* what makes names into numbers, the same in every run */
    GChecksum *sha1;
    GHashTable *bases; /* base files that several guests use, so that its UUID is nobody's */
};

/* left.c: the hosts that have guests; those that have none, and of which something is asserted. */
const struct plan_host *finish_hosts(const struct placing *placing, uint32_t *out_count);
const struct plan_host *finish_idle_hosts(struct placing *placing, uint32_t *out_count);
void finish_guest(struct placing *placing, const struct identity *identity, const struct draft *draft,
                  struct plan_guest *out);
void finish_topology(const struct draft *draft, struct plan_guest *out);
void finish_cell(struct placing *placing, const struct draft *draft, const struct draft_cell *cell,
                 struct plan_cell *out);
/* Nodes near which threads allocate the memory of a cell; NULL: none in particular. */
const struct ids *context_of(const struct draft *draft, const struct draft_cell *cell);
/* finish_vcpus.c; `out` has its cells, topology and machine. */
void finish_apic_ids(struct plan_guest *out);
void finish_caches(const struct draft *draft, struct plan_guest *out);
void finish_hotplug(struct placing *placing, const struct guest *guest, struct plan_guest *out);
/* finish_hmat.c; `cells` are those of `out`, which has everything else. */
void finish_hmat(struct arena *arena, const struct draft *draft, struct plan_cell *cells, struct plan_guest *out);

/* ---- devices.c: devices of the host ------------------------------------------------------------------------------ */

/* Whether this host has all devices of the guest and nobody else has them, told to `findings` where not.  Cells whose
 * nodes are open take those of the devices that are to be near them. */
bool claim_devices(const struct attempt *attempt, struct findings *findings);

/* ---- buses.c: PCI buses and devices, a part of finishing; `out` has its cells ------------------------------------ */
void finish_buses(struct placing *placing, const struct draft *draft, struct plan_guest *out);

/* Of its host, or of nowhere. */
const struct site_host *programs_of(const struct placing *placing, const struct draft *draft);

/* ---- tuning.c: classes, pools, parts of caches: a part of finishing --------------------------------------------- */
void finish_iothread(const struct placing *placing, const struct draft *draft, const struct iothread *said,
                     struct plan_iothread *out);
void finish_tuning(struct placing *placing, const struct draft *draft, struct plan_guest *out);
