/* SPDX-License-Identifier: MIT
 *
 * Edits that make a guest fit.  Each is made on a copy of the guest, or of the host's room, and tried beside all that
 * stands there already; only what fits is offered.  A family is tried as a whole, so that no cure of one guest leaves
 * the next without room.
 */
#include "place/draft.h"

#include <string.h>

enum {
    OFFERED_MOST = 3,
    HOSTS_TRIED = 16,
    FAMILY_TRIED = 32,
    CELLS_TRIED = 16,
    NODES_TRIED = 16,
    GUESTS_TRIED = 16,
    STEPS_TRIED = 32
};

struct cure {
    struct placing *placing;
    struct finding *finding;
    const struct guest *whole; /* of the site; */
    const struct guest *guest; /* as it is on the host in question, and only there, where hosts differ */
    const struct candidates *candidates;
    const struct diagnosis *diagnosis;
    struct placing trial; /* hears nothing, and takes from the same arenas */
    uint32_t offered;
};

/* ---- trying ----------------------------------------------------------------------------------------------------- */

static bool fits_on(struct cure *cure, const struct guest *guest, const struct candidates *candidates, bool is_trial)
{
    uint32_t first, last;
    cell_counts(guest, candidates, &first, &last);
    for (uint32_t cells = first; cells <= last; cells++) {
        if (cells > first && !divides(guest, cells, MAX(guest->threads, 1)))
            continue;
        for (uint32_t i = 0; i < candidates->count && i < HOSTS_TRIED; i++) {
            struct misfit misfit;
            struct attempt attempt = { .placing = &cure->trial,
                                       .draft = arena_take(cure->trial.scratch, struct draft),
                                       .room = cure->placing->rooms[candidates->hosts[i]],
                                       .ease = EASE_CROWDED,
                                       .misfit = &misfit,
                                       .is_trial = is_trial };
            if (try_host(&attempt, guest, cells))
                return true;
        }
    }
    return false;
}

static uint32_t position_of(const struct cure *cure)
{
    return (uint32_t)(cure->whole - cure->placing->site->guests);
}

static struct saved_room **save_rooms(struct cure *cure, const struct candidates *candidates, uint32_t *out_count)
{
    *out_count = MIN(candidates->count, HOSTS_TRIED);
    struct saved_room **saved = arena_array(cure->trial.scratch, struct saved_room *, *out_count);
    for (uint32_t i = 0; i < *out_count; i++)
        saved[i] = room_save(cure->trial.scratch, cure->placing->rooms[candidates->hosts[i]]);
    return saved;
}

/* All guests of the family, in place of those of them that were placed. */
static bool family_fits(struct cure *cure, const struct guest *guest, const struct candidates *candidates)
{
    struct placing *placing = cure->placing;
    uint32_t first = position_of(cure) - (cure->guest->instance - 1), before, after;
    if (guest->count > FAMILY_TRIED || cure->candidates->count > HOSTS_TRIED)
        return false;
    struct saved_room **old = save_rooms(cure, cure->candidates, &before);
    struct saved_room **new = save_rooms(cure, candidates, &after);
    for (uint32_t g = first; g < position_of(cure); g++)
        if (placing->drafts[g].is_placed)
            release_guest(&placing->drafts[g]);
    bool fits = true;
    for (uint32_t n = 0; fits && n < guest->count; n++)
        fits = fits_on(cure, guest, candidates, false);
    for (uint32_t i = 0; i < before; i++)
        room_restore(old[i]);
    for (uint32_t i = 0; i < after; i++)
        room_restore(new[i]);
    return fits;
}

static bool would_fit(struct cure *cure, const struct guest *guest)
{
    struct candidates candidates = candidates_of(cure->placing, guest);
    if (cure->guest->count > 1)
        return family_fits(cure, guest, &candidates);
    return fits_on(cure, guest, &candidates, true);
}

/* Tried where it stands, then with the whole site anew: an edit may change who comes first. */
static bool is_cure(struct cure *cure, const struct guest *edited)
{
    struct replay replay = { .edited = edited, .guest = cure->whole };
    return would_fit(cure, edited) && fits_in_replay(cure->placing, &replay);
}

static bool is_full(const struct cure *cure)
{
    return cure->offered >= OFFERED_MOST;
}

static void offer(struct cure *cure, const char *text)
{
    finding_help(cure->placing->findings, cure->finding, "%s", text);
    cure->offered++;
}

static bool offer_if(struct cure *cure, const struct guest *edited, const char *text)
{
    if (is_full(cure) || !is_cure(cure, edited))
        return false;
    offer(cure, text);
    return true;
}

/* ---- editing ---------------------------------------------------------------------------------------------------- */

static struct guest *copy_of(const struct cure *cure)
{
    struct guest *copy = arena_copy(cure->trial.scratch, cure->guest, sizeof *copy);
    copy->cells = arena_copy(cure->trial.scratch, copy->cells, copy->cell_count * sizeof *copy->cells);
    return copy;
}

/* Where a word is to be written: in the guest, unless its cells say it themselves. */
static bool is_for_cell(const struct cure *cure, enum word_id word)
{
    for (uint32_t c = 0; c < cure->guest->cell_count; c++)
        if (is_said(&cure->guest->cells[c].said, word))
            return true;
    return false;
}

static const char *in_cell(const struct cure *cure, enum word_id word)
{
    if (!is_for_cell(cure, word))
        return "";
    if (cure->diagnosis->misfit.extent != ONE_CELL)
        return " in its cells";
    return arena_printf(cure->trial.scratch, " in cell '%s'", cure->guest->cells[cure->diagnosis->misfit.cell].name);
}

/* The localities that writing a word there changes, one after the other; NULL behind the last. */
static struct locality *edited_locality(const struct cure *cure, struct guest *copy, enum word_id word, uint32_t *at)
{
    bool in_cells = is_for_cell(cure, word), is_one = cure->diagnosis->misfit.extent == ONE_CELL;
    for (uint32_t i = (*at)++; i <= copy->cell_count; i = (*at)++) {
        if (i == copy->cell_count)
            return in_cells ? NULL : &copy->locality;
        if (!in_cells || !is_one || i == cure->diagnosis->misfit.cell)
            return &copy->cells[i].locality;
    }
    return NULL;
}

/* ---- what may be edited ----------------------------------------------------------------------------------------- */

static void offer_count(struct cure *cure)
{
    const struct guest *guest = cure->guest;
    if (guest->count > 1 && guest->instance > 1)
        offer(cure, arena_printf(cure->trial.scratch, "write 'count %u'", guest->instance - 1));
}

/* A larger pool on one node, made of normal memory that nobody has. */
static bool offer_pool_on(struct cure *cure, struct room *room, uint32_t node)
{
    const struct misfit *misfit = &cure->diagnosis->misfit;
    struct arena *arena = cure->trial.scratch;
    bool is_sum = misfit->extent == ONE_CELL && misfit->node == NO_INDEX; /* over the nodes that the cell names */
    uint64_t page = misfit->page_bytes, left = is_sum ? misfit->left : room_bytes_left(room, node, page);
    const struct page_pool *pool = node_pool(&room->host->facts->nodes[node], page);
    if (!pool || !pool->total.known || left >= misfit->needed)
        return false;
    uint64_t more = (misfit->needed - left + page - 1) / page, total = pool->total.value + more;
    struct saved_room *saved = room_save(arena, room);
    bool fits = room_add_pages(room, node, page, more) && would_fit(cure, cure->guest);
    room_restore(saved);
    struct replay replay = { .guest = cure->whole, .room = room, .node = node, .page_bytes = page, .more_pages = more };
    if (!fits || !fits_in_replay(cure->placing, &replay))
        return false;
    offer(cure, arena_printf(arena,
                             "give node %u of host '%s' %" G_GUINT64_FORMAT
                             " pages: 'hugepages %s { %u %" G_GUINT64_FORMAT " }'",
                             room->nodes[node].os_index, room->host->name, total, size_text(arena, page),
                             room->nodes[node].os_index, total));
    return true;
}

static void offer_pool(struct cure *cure)
{
    const struct misfit *misfit = &cure->diagnosis->misfit;
    struct room *room = cure->placing->rooms[misfit->room->number];
    if (misfit->kind != SHORT_PAGES)
        return;
    if (misfit->node != NO_INDEX) {
        offer_pool_on(cure, room, misfit->node);
        return;
    }
    for (uint32_t n = 0; n < room->node_count && n < NODES_TRIED && !is_full(cure); n++)
        if (room->nodes[n].is_choice && offer_pool_on(cure, room, n))
            return;
}

static void offer_nodes(struct cure *cure)
{
    const struct misfit *misfit = &cure->diagnosis->misfit;
    const struct draft_cell *cell = &cure->diagnosis->draft->cells[misfit->cell];
    const struct room *room = misfit->room;
    if (!cell->locality->nodes || misfit->extent != ONE_CELL)
        return;
    const struct set *before = cell->locality->nodes;
    for (uint32_t n = 0; n < room->node_count && n < NODES_TRIED && !is_full(cure); n++) {
        if (!room->nodes[n].is_choice || (before->plain && ids_equal(before->plain, room->nodes[n].self)))
            continue;
        struct set *set = arena_alloc(cure->trial.scratch, sizeof *set);
        *set = (struct set){ .text = ids_text(cure->trial.scratch, room->nodes[n].self), .plain = room->nodes[n].self };
        struct guest *copy = copy_of(cure);
        uint32_t at = 0;
        for (struct locality *here; (here = edited_locality(cure, copy, W_NODE, &at));) {
            here->nodes = set; /* said again, a word is strict again */
            here->policy = POLICY_WORD_STRICT;
        }
        if (offer_if(cure, copy,
                     arena_printf(cure->trial.scratch, "write 'node %s'%s, which has room", set->text,
                                  in_cell(cure, W_NODE))))
            return;
    }
}

static void offer_cells(struct cure *cure)
{
    const struct guest *guest = cure->guest;
    if (guest->cell_count || guest->cells_wanted >= CELLS_HOST || guest->vcpu_count == COUNT_ALL ||
        guest_architecture(guest)->lacks_cells)
        return;
    for (uint32_t cells = MAX(guest->cells_wanted, 1) + 1; cells <= CELLS_TRIED && !is_full(cure); cells++) {
        struct guest *copy = copy_of(cure);
        copy->cells_wanted = cells;
        if (divides(guest, cells, MAX(guest->threads, 1)) &&
            offer_if(cure, copy, arena_printf(cure->trial.scratch, "write 'cells %u': smaller ones find room", cells)))
            return;
    }
}

static void offer_within(struct cure *cure)
{
    static const char *const words[] = { "within socket", "within node", "within l3" };
    const struct guest *guest = cure->guest;
    bool in_cells = is_for_cell(cure, W_WITHIN), in_guest = is_said(&guest->said, W_WITHIN);
    if (in_cells == in_guest)
        return; /* nowhere, or in both: which of the two is for people to say */
    uint32_t level =
        in_guest ? guest->locality.within : cure->diagnosis->draft->cells[cure->diagnosis->misfit.cell].within;
    for (uint32_t wider = level; level != NO_LEVEL && wider-- > 0 && !is_full(cure);) {
        struct guest *copy = copy_of(cure);
        uint32_t at = 0;
        for (struct locality *here; (here = edited_locality(cure, copy, W_WITHIN, &at));)
            here->within = (uint8_t)wider;
        if (offer_if(cure, copy,
                     arena_printf(cure->trial.scratch, "write '%s'%s", words[wider], in_cell(cure, W_WITHIN))))
            return;
    }
    struct guest *copy = copy_of(cure);
    if (in_guest)
        copy->said.words[W_WITHIN / 64] &= ~(UINT64_C(1) << (W_WITHIN % 64));
    for (uint32_t c = 0; in_cells && c < copy->cell_count; c++)
        if (cure->diagnosis->misfit.extent != ONE_CELL || c == cure->diagnosis->misfit.cell)
            copy->cells[c].said.words[W_WITHIN / 64] &= ~(UINT64_C(1) << (W_WITHIN % 64));
    offer_if(cure, copy, arena_printf(cure->trial.scratch, "leave 'within' out%s", in_cell(cure, W_WITHIN)));
}

static void offer_pages(struct cure *cure)
{
    uint64_t before = cure->diagnosis->misfit.page_bytes;
    const struct host_node *facts = &cure->diagnosis->misfit.room->host->facts->nodes[0];
    for (uint32_t p = facts->pool_count + 1; p-- > 0 && !is_full(cure);) {
        uint64_t page = p ? facts->pools[p - 1].page_bytes : PAGES_NORMAL;
        const struct draft *draft = cure->diagnosis->draft;
        bool divides_all = page != before;
        for (uint32_t c = 0; page && c < draft->cell_count; c++)
            divides_all &= draft->cells[c].memory_bytes % page == 0 && draft->cells[c].device_bytes % page == 0;
        if (!divides_all)
            continue;
        struct guest *copy = copy_of(cure);
        uint32_t at = 0;
        for (struct locality *here; (here = edited_locality(cure, copy, W_PAGES, &at));)
            here->page_bytes = page;
        const char *size = page ? size_text(cure->trial.scratch, page) : "normal";
        if (offer_if(cure, copy, arena_printf(cure->trial.scratch, "write 'pages %s'%s", size, in_cell(cure, W_PAGES))))
            return;
    }
}

static void offer_pin(struct cure *cure)
{
    const struct draft_cell *cell = &cure->diagnosis->draft->cells[cure->diagnosis->misfit.cell];
    static const struct {
        uint8_t pin;
        const char *text;
    } pins[] = { { PIN_CPUS, "give it single CPUs" }, { PIN_NODE, "let its vCPUs share" } };
    for (size_t i = cell->locality->pin == PIN_CORES ? 0 : 1; i < G_N_ELEMENTS(pins) && !is_full(cure); i++) {
        if (cell->locality->pin != PIN_CORES && cell->locality->pin != PIN_CPUS)
            return;
        struct guest *copy = copy_of(cure);
        uint32_t at = 0;
        for (struct locality *here; (here = edited_locality(cure, copy, W_PIN, &at));)
            here->pin = pins[i].pin;
        const char *word = pins[i].pin == PIN_CPUS ? "cpus" : "node";
        if (offer_if(cure, copy,
                     arena_printf(cure->trial.scratch, "%s: 'pin %s'%s", pins[i].text, word, in_cell(cure, W_PIN))))
            return;
    }
}

static void offer_shared_emulator(struct cure *cure)
{
    if (cure->guest->emulator != EMULATOR_ISOLATE)
        return;
    struct guest *copy = copy_of(cure);
    copy->emulator = EMULATOR_SHARED;
    offer_if(cure, copy, "let the emulator share CPUs: 'emulator shared'");
}

static void offer_hosts(struct cure *cure)
{
    const struct site_hosts *hosts = cure->placing->hosts;
    bool names_hosts = cure->whole->hosts.count && !cure->whole->variant_count;
    for (uint32_t h = 0; names_hosts && h < hosts->count && h < HOSTS_TRIED && !is_full(cure); h++) {
        bool is_tried = !hosts->list[h].facts;
        for (uint32_t i = 0; i < cure->guest->hosts.count; i++)
            is_tried |= strcmp(((const char *const *)cure->guest->hosts.items)[i], hosts->list[h].name) == 0;
        if (is_tried)
            continue;
        struct guest *copy = copy_of(cure);
        const char **name = arena_array(cure->trial.scratch, const char *, 1);
        *name = hosts->list[h].name;
        copy->hosts = (struct list){ 1, name };
        if (offer_if(cure, copy, arena_printf(cure->trial.scratch, "write 'host %s', which has room", *name)))
            return;
    }
}

/* ---- smaller ---------------------------------------------------------------------------------------------------- */

struct smaller {         /* one number of a guest that may go down, in steps */
    uint64_t step, most; /* of steps, too large */
    void (*set)(struct guest *copy, uint32_t cell, uint64_t value);
    uint32_t cell;
};

static struct guest *copy_with(const struct cure *cure, const struct smaller *smaller, uint64_t value)
{
    struct guest *copy = copy_of(cure);
    smaller->set(copy, smaller->cell, value);
    return copy;
}

static bool fits_with(struct cure *cure, const struct smaller *smaller, uint64_t steps)
{
    return would_fit(cure, copy_with(cure, smaller, steps * smaller->step));
}

static uint64_t largest_that_fits(struct cure *cure, const struct smaller *smaller)
{
    uint64_t enough = 0, most = smaller->most;
    for (uint32_t tried = 0; most && tried < STEPS_TRIED; tried++, most--) /* what divides well is not in order */
        if (fits_with(cure, smaller, most))
            return most * smaller->step;
    while (enough < most) {
        uint64_t half = enough + (most - enough + 1) / 2;
        if (fits_with(cure, smaller, half))
            enough = half;
        else
            most = half - 1;
    }
    return enough * smaller->step;
}

static void set_memory(struct guest *copy, uint32_t cell, uint64_t bytes)
{
    if (cell == NO_INDEX) {
        copy->memory_bytes = bytes;
        return;
    }
    if (is_said(&copy->said, W_GUEST_MEMORY))
        copy->memory_bytes -= copy->cells[cell].memory_bytes - bytes;
    copy->cells[cell].memory_bytes = bytes;
}

static void set_vcpus(struct guest *copy, uint32_t cell, uint64_t count)
{
    if (cell == NO_INDEX) {
        copy->vcpu_count = (uint32_t)count;
        return;
    }
    if (is_said(&copy->said, W_GUEST_VCPUS))
        copy->vcpu_count -= copy->cells[cell].vcpu_count - (uint32_t)count;
    copy->cells[cell].vcpu_count = (uint32_t)count;
}

/* The cell whose own number is to go down; NO_INDEX: the guest's.  False: there is no one number to lower. */
static bool finds_number(const struct cure *cure, enum word_id of_cell, enum word_id of_guest, uint32_t *out_cell)
{
    const struct misfit *misfit = &cure->diagnosis->misfit;
    *out_cell = NO_INDEX;
    if (!cure->guest->cell_count)
        return true;
    if (is_for_cell(cure, of_cell)) {
        *out_cell = misfit->cell;
        return misfit->extent == ONE_CELL && is_said(&cure->guest->cells[misfit->cell].said, of_cell);
    }
    return is_said(&cure->guest->said, of_guest);
}

static void offer_less_memory(struct cure *cure)
{
    const struct draft *draft = cure->diagnosis->draft;
    uint64_t page = draft->cells[cure->diagnosis->misfit.cell].page_bytes;
    struct smaller smaller = { .set = set_memory, .step = page && page != PAGES_LARGEST ? page : MIB };
    if (is_full(cure) || cure->guest->memory_bytes == SIZE_ALL ||
        !finds_number(cure, W_CELL_MEMORY, W_GUEST_MEMORY, &smaller.cell))
        return;
    uint64_t before = smaller.cell == NO_INDEX ? cure->guest->memory_bytes : draft->cells[smaller.cell].memory_bytes;
    smaller.step *= smaller.cell == NO_INDEX ? draft->cell_count : 1;
    if (before / smaller.step > 64 && smaller.step < GIB / 2)
        smaller.step *= GIB / MIB; /* whole GiB are easier to read */
    smaller.most = before ? (before - 1) / smaller.step : 0;
    uint64_t bytes = largest_that_fits(cure, &smaller);
    if (!bytes || !is_cure(cure, copy_with(cure, &smaller, bytes)))
        return;
    const char *size = size_text(cure->trial.scratch, bytes);
    if (smaller.cell == NO_INDEX)
        offer(cure, arena_printf(cure->trial.scratch, "ask for less: 'memory %s'", size));
    else if (is_said(&cure->guest->said, W_GUEST_MEMORY))
        offer(cure, arena_printf(cure->trial.scratch, "ask for less: 'memory %s' in cell '%s', and 'memory %s' in all",
                                 size, cure->guest->cells[smaller.cell].name,
                                 size_text(cure->trial.scratch, cure->guest->memory_bytes - before + bytes)));
    else
        offer(cure, arena_printf(cure->trial.scratch, "ask for less: 'memory %s' in cell '%s'", size,
                                 cure->guest->cells[smaller.cell].name));
}

static void offer_fewer_vcpus(struct cure *cure)
{
    const struct guest *guest = cure->guest;
    const struct draft *draft = cure->diagnosis->draft;
    struct smaller smaller = { .set = set_vcpus, .step = MAX(draft->threads, 1) };
    bool is_shaped = guest->sockets || guest->cores || guest->dies || guest->locality.pin_rows.count || guest->online;
    if (is_full(cure) || is_shaped || guest->vcpu_count == COUNT_ALL ||
        !finds_number(cure, W_CELL_VCPUS, W_GUEST_VCPUS, &smaller.cell))
        return;
    uint32_t before = smaller.cell == NO_INDEX ? guest->vcpu_count : draft->cells[smaller.cell].vcpu_count;
    smaller.step *= smaller.cell == NO_INDEX ? MAX(draft->cell_count, 1) : 1;
    smaller.most = before ? (before - 1) / smaller.step : 0;
    uint64_t count = largest_that_fits(cure, &smaller);
    if (!count || !is_cure(cure, copy_with(cure, &smaller, count)))
        return;
    const char *word = is_said(&guest->said, W_VCPUS_MAX) ? "max" : "vcpus";
    if (smaller.cell == NO_INDEX)
        offer(cure, arena_printf(cure->trial.scratch, "ask for fewer: '%s %" G_GUINT64_FORMAT "'", word, count));
    else if (is_said(&guest->said, W_GUEST_VCPUS))
        offer(cure, arena_printf(cure->trial.scratch,
                                 "ask for fewer: 'vcpus %" G_GUINT64_FORMAT "' in cell '%s', and '%s %" G_GUINT64_FORMAT
                                 "' in all",
                                 count, guest->cells[smaller.cell].name, word, guest->vcpu_count - before + count));
    else
        offer(cure, arena_printf(cure->trial.scratch, "ask for fewer: 'vcpus %" G_GUINT64_FORMAT "' in cell '%s'",
                                 count, guest->cells[smaller.cell].name));
}

/* ---- without another guest -------------------------------------------------------------------------------------- */

static void offer_leaving(struct cure *cure)
{
    const struct misfit *misfit = &cure->diagnosis->misfit;
    struct room *room = cure->placing->rooms[misfit->room->number];
    uint32_t tried = 0;
    if (cure->offered || cure->guest->count > 1)
        return;
    for (struct draft *other = room->guests; other && tried++ < GUESTS_TRIED && !cure->offered; other = other->before) {
        struct saved_room *saved = room_save(cure->trial.scratch, room);
        release_guest(other);
        bool fits = would_fit(cure, cure->guest);
        room_restore(saved);
        const struct guest *left_out = &cure->placing->site->guests[other - cure->placing->drafts];
        struct replay replay = { .guest = cure->whole, .left_out = left_out };
        if (fits && fits_in_replay(cure->placing, &replay))
            offer(cure, arena_printf(cure->trial.scratch, "move guest '%s' to another host: then there is room",
                                     other->guest->name));
    }
}

/* ---- the order -------------------------------------------------------------------------------------------------- */

typedef void (*offer_function)(struct cure *cure);

static const offer_function *order_of(const struct misfit *misfit)
{
    static const offer_function of_pages[] = { offer_count, offer_pool,  offer_nodes,       offer_within,  offer_cells,
                                               offer_pages, offer_hosts, offer_less_memory, offer_leaving, NULL };
    static const offer_function of_memory[] = { offer_count,  offer_nodes,   offer_cells,
                                                offer_within, offer_hosts,   offer_less_memory,
                                                offer_pages,  offer_leaving, NULL };
    static const offer_function of_cpus[] = {
        offer_count, offer_shared_emulator, offer_nodes,       offer_within,  offer_pin,
        offer_cells, offer_hosts,           offer_fewer_vcpus, offer_leaving, NULL
    };
    static const offer_function of_both[] = { offer_count,   offer_nodes, offer_cells,       offer_within,
                                              offer_hosts,   offer_pin,   offer_less_memory, offer_fewer_vcpus,
                                              offer_leaving, NULL };
    if (misfit->extent == NODES_APART)
        return of_both;
    return misfit->kind == SHORT_PAGES ? of_pages : misfit->kind == SHORT_MEMORY ? of_memory : of_cpus;
}

void offer_cures(struct placing *placing, struct finding *finding, const struct guest *guest,
                 const struct candidates *candidates, const struct diagnosis *diagnosis)
{
    struct cure cure = { .placing = placing,
                         .finding = finding,
                         .whole = guest,
                         .guest = guest,
                         .candidates = candidates,
                         .diagnosis = diagnosis,
                         .trial = *placing };
    cure.trial.findings = placing->unheard;
    if (guest->variant_count)
        cure.guest = guest_only_there(placing, diagnosis->draft->guest, diagnosis->misfit.room->number);
    if (diagnosis->misfit.needed == SIZE_ALL) {
        finding_help(placing->findings, finding, "say how much, or free some of it");
        return;
    }
    for (const offer_function *function = order_of(&diagnosis->misfit); *function; function++)
        (*function)(&cure);
    if (!cure.offered)
        finding_help(placing->findings, finding, "no single edit is enough: ask for less, or for another host");
}
