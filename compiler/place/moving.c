/* SPDX-License-Identifier: MIT
 *
 * Guests that may move: each is tried on the hosts of its `migrate`, beside all that stands there at home, and with
 * those that its groups hold together with it.  Nothing stays taken, so that nobody loses room to a guest that may
 * never come.  What the guest sees is that of its home, and where numac chose it, the worst case of all its hosts.
 */
#include "place/groups.h"

#include <string.h>

/* What came of a guest on one of the hosts of its `migrate`, in their order. */
struct landing {
    bool is_tried;
    struct plan_guest *plan; /* NULL: it does not fit there, which was told */
    const struct guest *guest;
    const struct site_host *host;
};

/* ---- the same guest --------------------------------------------------------------------------------------------- */

/* What home decided is said from here on. */
static void freeze_cell(struct cell *cell, const struct plan_cell *home)
{
    if (!cell->ids) {
        cell->vcpu_count = ids_size(home->vcpus);
        said_mark(&cell->said, W_CELL_VCPUS, true);
    }
    cell->memory_bytes = home->memory_bytes;
    said_mark(&cell->said, W_CELL_MEMORY, true);
    if (cell->locality.page_bytes == PAGES_LARGEST)
        cell->locality.page_bytes = home->page_bytes;
}

/* A cell for each node: here the nodes that it would be cut for. */
static void give_nodes(const struct attempt *attempt, const struct guest *there, struct guest *moved)
{
    struct arena *arena = attempt->placing->arena;
    uint32_t *nodes = arena_array(attempt->placing->scratch, uint32_t, attempt->room->node_count + 1);
    uint32_t found = own_nodes(attempt, there, nodes);
    for (uint32_t c = 0; c < moved->cell_count && c < found; c++) {
        struct set *set = arena_take(arena, struct set);
        set->plain = attempt->room->nodes[nodes[c]].self;
        set->text = ids_text(arena, set->plain);
        moved->cells[c].locality.nodes = set;
    }
}

static void freeze_topology(struct guest *moved, const struct plan_guest *home)
{
    moved->drawers = home->drawers;
    moved->books = home->books;
    moved->sockets = home->sockets;
    moved->dies = home->dies;
    moved->clusters = home->clusters;
    moved->modules = home->modules;
    moved->cores = home->cores;
    moved->threads = home->threads;
    moved->vcpu_count = home->vcpu_count;
    moved->memory_bytes = home->memory_bytes;
}

static const struct guest *as_it_moves(const struct attempt *attempt, const struct guest *there,
                                       const struct plan_guest *home)
{
    struct arena *arena = attempt->placing->arena;
    struct guest *moved = arena_copy(arena, there, sizeof *there);
    bool has_blocks = there->cell_count > 0;
    freeze_topology(moved, home);
    if (has_blocks && there->cell_count != home->cell_count)
        bug("an 'at' that adds cells, which the rules let through");
    if (!has_blocks && home->cell_count == 1) { /* said as cells it would see them */
        moved->cells_wanted = there->cells_wanted ? 1 : 0;
        if (moved->locality.page_bytes == PAGES_LARGEST)
            moved->locality.page_bytes = home->cells[0].page_bytes;
        return moved;
    }
    const struct cell fresh = { .span = there->span, .locality = there->locality };
    moved->cells = arena_array(arena, struct cell, home->cell_count);
    moved->cell_count = home->cell_count;
    for (uint32_t c = 0; c < home->cell_count; c++) {
        moved->cells[c] = has_blocks ? there->cells[c] : fresh;
        moved->cells[c].name = home->cells[c].name;
        freeze_cell(&moved->cells[c], &home->cells[c]);
    }
    if (is_cut_by_node(there))
        give_nodes(attempt, there, moved);
    return moved;
}

/* ---- one host --------------------------------------------------------------------------------------------------- */

/* Of a host in a `migrate`, the first time that it stands there. */
static uint32_t position_of(const struct list *names, const char *host)
{
    uint32_t position = 0;
    while (strcmp(((const char *const *)names->items)[position], host) != 0)
        position++;
    return position;
}

static struct landing *landing_of(struct placing *placing, uint32_t number, const char *host)
{
    const struct list *names = &placing->site->guests[number].migrate;
    struct landing **landings = &placing->landings[number];
    if (!*landings)
        *landings = arena_array(placing->arena, struct landing, names->count);
    return &(*landings)[position_of(names, host)];
}

static struct span landing_span(const struct placing *placing, const struct guest *moved, const struct room *room)
{
    const struct guest *guest = &placing->site->guests[moved->number];
    return placed_word_span(guest, W_GUEST_MIGRATE, position_of(&guest->migrate, room->host->name) + 1);
}

static struct movers movers_of(const struct attempt *attempt, const struct guest *first)
{
    struct placing *placing = attempt->placing;
    uint32_t host = attempt->room->number;
    struct movers movers = { 0 };
    const uint32_t *numbers = who_moves(placing, first, attempt->room->host->name, &movers.count);
    movers.guests = arena_array(placing->scratch, const struct guest *, movers.count);
    for (uint32_t m = 0; m < movers.count; m++) {
        struct guest *own = NULL;
        const struct guest *there = guest_there(placing, &placing->site->guests[numbers[m]], host, &own);
        movers.guests[m] = as_it_moves(attempt, there, placing->planned[numbers[m]]->plan);
    }
    return movers;
}

static bool fits_there(struct attempt *attempt, const struct guest *moved)
{
    for (enum ease ease = EASE_ROOMY; ease < EASE_COUNT && !attempt->misfit->is_reported; ease++) {
        attempt->ease = ease;
        if (try_host(attempt, moved, MAX(said_cells(moved), 1)))
            return true;
    }
    return false;
}

/* The threads of its cores were fit to whole cores at home. */
static void tell_threads(const struct placing *placing, const struct draft *draft)
{
    const struct plan_guest *home = placing->planned[draft->guest->number]->plan;
    bool on_cores = false;
    for (uint32_t c = 0; c < draft->cell_count; c++)
        on_cores |= pin_of(&draft->cells[c]) == PIN_CORES;
    if (!on_cores || home->threads <= MAX(draft->room->smt, 1))
        return;
    struct finding *finding =
        report(placing->findings, NM_moved_threads, landing_span(placing, draft->guest, draft->room),
               "guest '%s' sees %u threads a core, and the cores of host '%s' have %u", home->name, home->threads,
               draft->room->host->name, MAX(draft->room->smt, 1));
    finding_note(
        placing->findings, finding,
        "there each of its vCPUs has a core of its own, and its kernel still takes pairs of them for one core");
    finding_help(placing->findings, finding, "write 'vcpus %u { threads %u }', which all its hosts have",
                 home->vcpu_count, MAX(draft->room->smt, 1));
}

static void land(struct placing *placing, const struct identity *identity, struct draft *draft)
{
    struct landing *landing = landing_of(placing, draft->guest->number, draft->room->host->name);
    if (!settle_vcpus(placing, draft))
        return;
    tell_threads(placing, draft);
    landing->plan = arena_take(placing->arena, struct plan_guest);
    landing->guest = draft->guest;
    landing->host = draft->room->host;
    finish_guest(placing, identity, draft, landing->plan);
}

/* A guest, and those that move with it: each has landed then, or was told why not. */
static void try_move(struct placing *placing, const struct identity *identity, const struct guest *first,
                     struct room *room)
{
    struct misfit misfit = { .room = room, .node = NO_INDEX };
    struct draft *alone = arena_take(placing->scratch, struct draft);
    struct attempt attempt = {
        .placing = placing, .draft = alone, .room = room, .is_only_host = true, .misfit = &misfit
    };
    struct movers movers = movers_of(&attempt, first);
    struct saved_room *saved = room_save(placing->scratch, room);
    about_guest(placing->findings, movers.guests[0]);
    bool fits = movers.count > 1 ? movers_enter(placing, &movers, room) : fits_there(&attempt, movers.guests[0]);
    if (fits)
        room_forget_loose(room);
    for (uint32_t m = 0; m < movers.count; m++) {
        const struct guest *moved = movers.guests[m];
        size_t before = findings_count(placing->findings, HINT);
        about_guest(placing->findings, moved);
        landing_of(placing, moved->number, room->host->name)->is_tried = true;
        if (fits)
            land(placing, identity, movers.count > 1 ? &placing->drafts[moved->number] : alone);
        tell_origins_since(placing->findings, before, placing->site, moved);
    }
    movers_leave(placing, &movers);
    room_restore(saved);
    for (uint32_t m = 0; m < movers.count && !fits && !misfit.is_reported; m++) {
        size_t before = findings_count(placing->findings, HINT);
        about_guest(placing->findings, movers.guests[m]);
        refuse_move(placing, &movers, movers.guests[m], room, landing_span(placing, movers.guests[m], room));
        tell_origins_since(placing->findings, before, placing->site, movers.guests[m]);
    }
    about_guest(placing->findings, NULL);
}

/* ---- the worst case --------------------------------------------------------------------------------------------- */

static void take_largest_distances(struct arena *arena, const struct guest *guest, struct plan_guest *home,
                                   struct plan_guest *moves)
{
    size_t count = (size_t)home->cell_count * home->cell_count;
    if (!home->distances || guest->distance_rows.count || guest->distance != DISTANCE_AUTO)
        return;
    uint32_t *largest = arena_copy(arena, home->distances, count * sizeof *largest);
    for (uint32_t m = 0; m < home->move_count; m++)
        for (size_t i = 0; i < count; i++)
            largest[i] = MAX(largest[i], moves[m].distances[i]);
    home->distances = largest;
    for (uint32_t m = 0; m < home->move_count; m++)
        moves[m].distances = largest;
}

static void take_worst(struct placing *placing, const struct draft *draft, struct plan_guest *home,
                       struct plan_guest *moves)
{
    take_largest_distances(placing->arena, draft->guest, home, moves);
    finish_moved_hmat(placing, draft, home, moves);
    for (uint32_t m = 0; m < home->move_count; m++) /* those of `host` are home's */
        memcpy(moves[m].cache_levels, home->cache_levels, sizeof home->cache_levels);
}

/* ---- the guest -------------------------------------------------------------------------------------------------- */

/* Home, hosts named twice, hosts that could not be loaded. */
static struct room *room_to_move_to(struct placing *placing, const struct guest *guest, uint32_t position,
                                    const struct draft *draft)
{
    const char *const *names = guest->migrate.items;
    for (uint32_t i = 0; i < position; i++)
        if (strcmp(names[i], names[position]) == 0)
            return NULL;
    uint32_t host = GPOINTER_TO_UINT(g_hash_table_lookup(placing->host_numbers, names[position])) - 1;
    struct room *room = host < placing->hosts->count ? room_at(placing, host) : NULL;
    return room == draft->room ? NULL : room;
}

static void try_moves(struct placing *placing, const struct identity *identity, const struct guest *guest,
                      const struct draft *draft)
{
    struct placing trial = *placing; /* what is tried is forgotten after each host */
    trial.scratch = arena_new();
    for (uint32_t i = 0; i < guest->migrate.count; i++) {
        struct room *room = room_to_move_to(placing, guest, i, draft);
        if (!room || landing_of(placing, guest->number, room->host->name)->is_tried)
            continue;
        trial.claims = NULL;
        trial.claim_room = 0;
        try_move(&trial, identity, guest, room);
        arena_reset(trial.scratch);
    }
    arena_free(trial.scratch);
    placing->work_left = trial.work_left;
    placing->looks_left = trial.looks_left;
    placing->explained = trial.explained;
    placing->is_too_much = trial.is_too_much;
}

void finish_moves(struct placing *placing, const struct identity *identity, struct planned_guest *row,
                  struct plan_guest *home)
{
    const struct guest *guest = row->anywhere;
    const struct draft *draft = &placing->drafts[guest->number];
    uint32_t most = draft->room ? guest->migrate.count : 0;
    if (!most)
        return;
    struct plan_guest *moves = arena_array(placing->arena, struct plan_guest, most);
    struct planned_guest *rows = arena_array(placing->arena, struct planned_guest, most);
    try_moves(placing, identity, guest, draft);
    for (uint32_t i = 0; placing->landings[guest->number] && i < most; i++) {
        const struct landing *landing = &placing->landings[guest->number][i];
        if (!landing->plan)
            continue;
        moves[home->move_count] = *landing->plan;
        rows[home->move_count] = (struct planned_guest){ .plan = &moves[home->move_count],
                                                         .guest = landing->guest,
                                                         .anywhere = guest,
                                                         .host = landing->host,
                                                         .programs = landing->host };
        home->move_count++;
    }
    home->moves = moves;
    row->moves = rows;
    size_t before = findings_count(placing->findings, HINT);
    about_guest(placing->findings, draft->guest);
    take_worst(placing, draft, home, moves);
    tell_origins_since(placing->findings, before, placing->site, draft->guest);
}
