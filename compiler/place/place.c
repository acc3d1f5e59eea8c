/* SPDX-License-Identifier: MIT
 *
 * The order of placement.  Guests that fix CPUs in a table come first, then those that name nodes or CPUs, then those
 * that want CPUs of their own, then the others, then those that take all that is left, and those whose memory numad
 * will choose, of which only a host is asked; within each of these the order of the site.  So what people fix is never
 * in the way of itself, and automatic guests go around it. */
#include "place/place.h"

#include "place/draft.h"
#include "place/groups.h"
#include "place/nodes.h"

enum turn { TURN_TABLE, TURN_SAID, TURN_OWN, TURN_OTHERS, TURN_ALL, TURN_NUMAD, TURN_COUNT };

/* ---- whose turn it is ------------------------------------------------------------------------------------------- */

static bool names_places(const struct locality *locality)
{
    return locality->nodes || locality->cpus;
}

static bool wants_own(const struct guest *guest, const struct locality *locality)
{
    return locality->pin == PIN_CPUS || locality->pin == PIN_CORES || guest->emulator == EMULATOR_ISOLATE;
}

static enum turn turn_alone(const struct guest *guest)
{
    bool names = names_places(&guest->locality), own = wants_own(guest, &guest->locality);
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        names |= names_places(&guest->cells[c].locality);
        own |= wants_own(guest, &guest->cells[c].locality);
    }
    if (guest->vcpu_count == COUNT_ALL || guest->memory_bytes == SIZE_ALL)
        return TURN_ALL;
    if (guest->memory_by_numad)
        return TURN_NUMAD;
    if (guest->locality.pin_rows.count)
        return TURN_TABLE;
    return names ? TURN_SAID : own ? TURN_OWN : TURN_OTHERS;
}

/* The earliest that it has on some host. */
static enum turn turn_of(const struct guest *guest)
{
    enum turn turn = turn_alone(guest);
    for (uint32_t v = 0; v < guest->variant_count; v++)
        turn = MIN(turn, turn_alone(guest->variants[v].guest));
    return turn;
}

bool fixes_places(const struct guest *guest)
{
    enum turn turn = turn_of(guest);
    return turn == TURN_TABLE || turn == TURN_SAID;
}

/* What try_host() may look at for all guests of a run: some tenths of a second. */
enum { WORK_OF_A_SITE = 30000000, WORK_OF_A_GUEST = 1024 };

/* ---- one guest -------------------------------------------------------------------------------------------------- */

struct part { /* of a host, at the level of `within` */
    uint32_t number, position;
    uint64_t floaters;
};

static int by_floaters(const void *a, const void *b)
{
    const struct part *left = a, *right = b;
    if (left->floaters != right->floaters)
        return left->floaters < right->floaters ? -1 : 1;
    return left->position < right->position ? -1 : 1;
}

GArray *parts_of(const struct room *room, const struct guest *guest)
{
    GArray *scopes = g_array_new(FALSE, FALSE, sizeof(struct scope));
    if (!is_said(&guest->said, W_WITHIN)) {
        g_array_append_val(scopes, ANYWHERE);
        return scopes;
    }
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL); /* number to position in parts + 1 */
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(struct part));
    for (uint32_t core = 0; core < room->core_count; core++) {
        struct part part = { .number = core_number(room, core, guest->locality.within), .position = core };
        if (g_hash_table_contains(seen, GUINT_TO_POINTER(part.number)))
            continue;
        g_array_append_val(parts, part);
        g_hash_table_insert(seen, GUINT_TO_POINTER(part.number), GUINT_TO_POINTER(parts->len));
    }
    for (uint32_t g = 0; g < room->group_count; g++) {
        uint32_t number = core_number(room, room->groups[g].first_core, guest->locality.within);
        uint32_t part = GPOINTER_TO_UINT(g_hash_table_lookup(seen, GUINT_TO_POINTER(number)));
        g_array_index(parts, struct part, part - 1).floaters += room->groups[g].floating;
    }
    g_array_sort(parts, by_floaters);
    for (guint i = 0; i < parts->len; i++) {
        struct scope scope = { guest->locality.within, g_array_index(parts, struct part, i).number };
        g_array_append_val(scopes, scope);
    }
    return scopes;
}

/* About what a try looks at, whatever comes of it. */
static uint64_t work_of_try(const struct room *room, const struct guest *guest, uint32_t cells)
{
    return (uint64_t)room->node_count * cells + (is_said(&guest->said, W_WITHIN) ? 16 * (uint64_t)room->core_count : 0);
}

bool try_host(struct attempt *attempt, const struct guest *guest, uint32_t cells)
{
    uint64_t *left = &attempt->placing->work_left;
    *left -= MIN(*left, work_of_try(attempt->room, guest, cells));
    if (is_grouped(attempt->placing->grouping, guest))
        return try_grouped(attempt, guest, cells);
    g_autoptr(GArray) parts = parts_of(attempt->room, guest);
    for (guint i = 0; i < parts->len; i++) {
        lay_cells(attempt, guest, cells);
        attempt->draft->scope = g_array_index(parts, struct scope, i);
        if (fit_guest(attempt))
            return true;
    }
    return false;
}

/* One ease, one number of cells, each host in turn. */
static bool try_hosts(struct placing *placing, const struct candidates *candidates, struct asking *asking,
                      struct draft *draft, enum ease ease, uint32_t cells)
{
    bool is_spread = placing->site->placement == PLACEMENT_SPREAD;
    uint32_t first = is_spread ? 0 : refused_first(placing, asking->demand, ease, cells);
    for (uint32_t i = first; i < candidates->count; i++) {
        uint32_t host = candidates->hosts[i];
        if (is_spread && was_refused(placing, asking->demand, ease, cells, host))
            continue;
        const struct guest *there = guest_there(placing, asking->guest, host, &asking->own);
        if (asking->guest->variant_count && !takes_cells(there, candidates, cells))
            continue;
        struct misfit here = { .node = NO_INDEX };
        struct attempt attempt = { .placing = placing,
                                   .draft = draft,
                                   .room = placing->rooms[host],
                                   .ease = ease,
                                   .is_only_host = candidates->count == 1 && !candidates->is_cut,
                                   .misfit = &here };
        if (try_host(&attempt, there, cells))
            return true;
        if (is_spread)
            note_refusal(placing, asking->demand, ease, cells, host);
        else
            note_refused_first(placing, asking->demand, ease, cells, i + 1);
        asking->is_told |= here.is_reported && attempt.is_only_host;
    }
    return false;
}

static bool is_left_open(const struct guest *guest)
{
    return !guest->cell_count && (guest->cells_wanted == 0 || guest->cells_wanted == CELLS_AUTO) &&
           !guest->locality.nodes && !guest->memory_by_numad;
}

void cell_counts(const struct guest *guest, const struct candidates *candidates, uint32_t *out_first,
                 uint32_t *out_last)
{
    *out_first = MAX(said_cells(guest), 1);
    *out_last = is_left_open(guest) ? candidates->most_nodes : *out_first;
}

bool place_over(struct placing *placing, const struct candidates *candidates, struct asking *asking,
                struct draft *draft)
{
    uint32_t first, most;
    cell_counts_anywhere(asking->guest, candidates, &first, &most);
    for (enum ease ease = EASE_ROOMY; ease < EASE_COUNT && !asking->is_told; ease++)
        for (uint32_t cells = first; cells <= most && !asking->is_told; cells++) {
            if (!asking->guest->variant_count && !takes_cells(asking->guest, candidates, cells))
                continue;
            if (try_hosts(placing, candidates, asking, draft, ease, cells))
                return true;
        }
    return false;
}

void place_guest(struct placing *placing, const struct guest *guest, struct draft *draft)
{
    struct candidates candidates = candidates_of(placing, guest);
    bool has_groups = is_grouped(placing->grouping, guest);
    struct asking asking = { .guest = guest };
    asking.demand = has_groups ? demand_in_groups(placing->grouping, guest) : demand_of(guest);
    bool is_placed = place_over(placing, &candidates, &asking, draft);
    if (!is_placed && has_groups && is_too_much(placing, guest))
        return;
    if (!is_placed && has_groups && !asking.is_told)
        is_placed = settle_crowded(placing, guest, &candidates, draft);
    if (!is_placed && !placing->is_replay && !asking.is_told && !candidates.is_cut &&
        !refuse_guest(placing, guest, &candidates)) {
        asking.demand = 0; /* it looked like a guest that was refused, and is not */
        is_placed = place_over(placing, &candidates, &asking, draft);
    }
    if (is_placed)
        host_was_filled(placing, draft->room);
}

/* Nobody waits for a placement of guests by the ten thousand on hosts of thousands of cores. */
bool is_too_much(struct placing *placing, const struct guest *guest)
{
    if (placing->work_left)
        return false;
    if (!placing->is_too_much) {
        struct finding *finding =
            report(placing->findings, NM_site_too_large, guest->span,
                   "guest '%s' and those after it are not placed: too many guests on too large hosts", guest->name);
        finding_help(placing->findings, finding,
                     "split the site, or say less of where guests may stand: 'within' costs most");
    }
    return placing->is_too_much = true;
}

static void place_all(struct placing *placing)
{
    const struct site *site = placing->site;
    uint32_t *turns = arena_array(placing->scratch, uint32_t, site->guest_count);
    for (uint32_t g = 0; g < site->guest_count; g++)
        turns[g] = placing->hosts->count ? turn_of(&site->guests[g]) : TURN_TABLE;
    for (uint32_t turn = TURN_TABLE; turn < TURN_COUNT; turn++)
        for (uint32_t g = 0; g < site->guest_count; g++) {
            const struct guest *guest = &site->guests[g];
            bool is_done = placing->grouping && placing->grouping->is_done[g];
            if (guest->is_broken || is_done || turns[g] != turn || is_too_much(placing, guest))
                continue;
            size_t before = findings_count(placing->findings, HINT);
            if (!placing->is_replay) /* what it tries is heard by nobody */
                about_guest(placing->findings, guest);
            if (placing->hosts->count && unit_size(placing, guest) > 1)
                place_unit(placing, guest);
            else if (placing->hosts->count)
                place_guest(placing, guest, &placing->drafts[g]);
            else
                draft_unhosted(placing, &placing->drafts[g], guest);
            if (!placing->is_replay)
                tell_origins_since(placing->findings, before, site, guest);
        }
}

/* ---- the site once more ----------------------------------------------------------------------------------------- */

enum { REPLAYED_GUESTS = 100, REPLAYS_MOST = 200 };

static void open_rooms(struct placing *placing, const struct site_hosts *hosts)
{
    placing->rooms = arena_array(placing->scratch, struct room *, hosts->count);
    placing->singles = arena_array(placing->scratch, const struct ids *, (size_t)IDS_LIMIT + 1);
    placing->refusals = g_hash_table_new(NULL, NULL);
    placing->order = NULL;
    placing->all = (struct candidates){ 0 };
    placing->grouping = grouping_new(placing->scratch, placing->site);
}

static void close_rooms(struct placing *placing)
{
    for (uint32_t h = 0; h < placing->hosts->count; h++)
        if (placing->rooms[h])
            room_close(placing->rooms[h]);
    g_hash_table_destroy(placing->refusals);
}

static bool is_of_family(const struct guest *guest, const struct guest *other)
{
    return guest == other || (guest->count > 1 && guest->family == other->family);
}

static struct site *edited_site(struct placing *again, const struct replay *replay)
{
    struct site *site = arena_copy(again->scratch, again->site, sizeof *site);
    site->guests = arena_copy(again->scratch, site->guests, site->guest_count * sizeof *site->guests);
    for (uint32_t g = 0; g < site->guest_count; g++) {
        const struct guest *before = &again->site->guests[g];
        if (before == replay->left_out)
            site->guests[g].is_broken = true;
        if (!replay->edited || !is_of_family(replay->guest, before))
            continue;
        site->guests[g] = *replay->edited;
        site->guests[g].number = g;
        site->guests[g].name = before->name;
        site->guests[g].instance = before->instance;
    }
    for (uint32_t i = 0; i < replay->moved_count; i++)
        site->guests[replay->moved[i]->number] = *replay->moved[i];
    if (replay->edited_group) {
        site->groups = arena_copy(again->scratch, site->groups, site->group_count * sizeof *site->groups);
        site->groups[replay->group - again->site->groups] = *replay->edited_group;
    }
    return site;
}

static bool is_all_placed(const struct placing *placing, const struct placing *again, const struct replay *replay)
{
    for (uint32_t g = 0; replay->guest && g < placing->site->guest_count; g++)
        if (is_of_family(replay->guest, &placing->site->guests[g]) && !again->drafts[g].is_placed)
            return false;
    for (uint32_t m = 0; replay->group && m < replay->group->member_count; m++)
        if (!again->drafts[replay->group->members[m]].is_placed)
            return false;
    return true;
}

void replay_begin(struct placing *placing, const struct replay *replay, struct placing *again)
{
    *again = *placing;
    again->arena = again->scratch = arena_new();
    again->findings = placing->unheard;
    again->is_replay = true;
    again->missing = replay->missing;
    again->site = edited_site(again, replay);
    again->drafts = arena_array(again->scratch, struct draft, again->site->guest_count);
    open_rooms(again, placing->hosts);
}

void replay_place(struct placing *again)
{
    place_all(again);
}

void replay_end(struct placing *again)
{
    close_rooms(again);
    arena_free(again->scratch);
}

bool fits_in_replay(struct placing *placing, const struct replay *replay)
{
    if (placing->site->guest_count > REPLAYED_GUESTS || placing->replayed++ >= REPLAYS_MOST)
        return true;
    struct placing again;
    replay_begin(placing, replay, &again);
    bool fits = true;
    if (replay->room) {
        uint32_t host = replay->room->number;
        again.rooms[host] = room_open(again.arena, again.scratch, again.singles, &placing->hosts->list[host], host);
        fits = room_add_pages(again.rooms[host], replay->node, replay->page_bytes, replay->more_pages);
    }
    if (fits)
        place_all(&again);
    fits = fits && is_all_placed(placing, &again, replay);
    replay_end(&again);
    return fits;
}

/* ---- the site --------------------------------------------------------------------------------------------------- */

static void find_shared_bases(const struct placing *placing, GHashTable *out)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (uint32_t g = 0; g < placing->site->guest_count; g++) {
        const struct draft *draft = &placing->drafts[g];
        uint32_t base = (draft->is_placed ? draft->guest : &placing->site->guests[g])->base_file;
        if (base && !g_hash_table_add(seen, GUINT_TO_POINTER(base)))
            g_hash_table_add(out, GUINT_TO_POINTER(base));
    }
}

static const struct planned_site *finish_site(struct placing *placing)
{
    const struct site *site = placing->site;
    struct plan *plan = arena_take(placing->arena, struct plan);
    struct planned_site *planned = arena_take(placing->arena, struct planned_site);
    struct plan_guest *guests = arena_array(placing->arena, struct plan_guest, site->guest_count);
    struct planned_guest *rows = arena_array(placing->arena, struct planned_guest, site->guest_count);
    g_autoptr(GHashTable) bases = g_hash_table_new(NULL, NULL);
    g_autoptr(GChecksum) sha1 = g_checksum_new(G_CHECKSUM_SHA1);
    struct identity identity = { sha1, bases };
    find_shared_bases(placing, bases);
    placing->planned = arena_array(placing->scratch, struct planned_guest *, site->guest_count);
    uint32_t count = 0;
    for (uint32_t g = 0; g < site->guest_count; g++) {
        struct draft *draft = &placing->drafts[g];
        size_t before = findings_count(placing->findings, HINT);
        about_guest(placing->findings, draft->guest);
        if (draft->is_placed && settle_vcpus(placing, draft)) {
            finish_guest(placing, &identity, draft, &guests[count]);
            rows[count] = (struct planned_guest){ .plan = &guests[count],
                                                  .guest = draft->guest,
                                                  .anywhere = &site->guests[g],
                                                  .host = draft->room ? draft->room->host : NULL,
                                                  .programs = programs_of(placing, draft) };
            placing->planned[g] = &rows[count++];
        }
        tell_origins_since(placing->findings, before, site, draft->guest);
    }
    placing->landings = arena_array(placing->scratch, struct landing *, site->guest_count);
    for (uint32_t i = 0; i < count; i++)
        finish_moves(placing, &identity, &rows[i], &guests[i]);
    *plan = (struct plan){ .site = site->name, .guests = guests, .guest_count = count };
    plan->hosts = finish_hosts(placing, &plan->host_count);
    *planned = (struct planned_site){ .plan = plan, .guests = rows, .site = site, .hosts = placing->hosts };
    planned->idle_hosts = finish_idle_hosts(placing, &planned->idle_host_count);
    return planned;
}

const struct planned_site *place_site(struct arena *arena, struct findings *findings, const struct site *site,
                                      const struct site_hosts *hosts)
{
    struct placing placing = { .arena = arena,
                               .scratch = arena_new(),
                               .brief = arena_new(),
                               .findings = findings,
                               .site = site,
                               .hosts = hosts,
                               .looks_left = LOOKS_OF_A_RUN,
                               .work_left = WORK_OF_A_SITE + WORK_OF_A_GUEST * (uint64_t)site->guest_count };
    open_rooms(&placing, hosts);
    placing.drafts = arena_array(placing.scratch, struct draft, site->guest_count);
    placing.host_numbers = g_hash_table_new(g_str_hash, g_str_equal);
    placing.unheard = findings_new(NULL);
    placing.told = g_hash_table_new(NULL, NULL);
    for (uint32_t h = 0; h < hosts->count; h++)
        g_hash_table_insert(placing.host_numbers, (gpointer)(guintptr)hosts->list[h].name, GUINT_TO_POINTER(h + 1));
    place_all(&placing);
    const struct planned_site *planned = finish_site(&placing);
    about_guest(findings, NULL);
    check_spare(&placing);
    close_rooms(&placing);
    findings_free(placing.unheard);
    g_hash_table_destroy(placing.told);
    g_hash_table_destroy(placing.host_numbers);
    arena_free(placing.brief);
    arena_free(placing.scratch);
    return planned;
}
