/* SPDX-License-Identifier: MIT
 *
 * The order of placement.  Guests that fix CPUs in a table come first, then those that name nodes or CPUs, then those
 * that want CPUs of their own, then the others, then those that take all that is left; within each of these the order of
 * the site.  So what people fix is never in the way of itself, and automatic guests go around it.
 *
 * A host that once refused a demand refuses it for ever, since rooms only shrink: equal demands begin where the one
 * before ended, and no guest asks all hosts.
 */
#include "place/place.h"

#include "place/draft.h"

#include <stdlib.h>
#include <string.h>

enum turn { TURN_TABLE, TURN_SAID, TURN_OWN, TURN_OTHERS, TURN_ALL, TURN_COUNT };

/* ---- whose turn it is --------------------------------------------------------------------------------------------------- */

static bool names_places(const struct locality *locality)
{
    return locality->nodes || locality->cpus;
}

static bool wants_own(const struct guest *guest, const struct locality *locality)
{
    return locality->pin == PIN_CPUS || locality->pin == PIN_CORES || guest->emulator == EMULATOR_ISOLATE;
}

static enum turn turn_of(const struct guest *guest)
{
    bool names = names_places(&guest->locality), own = wants_own(guest, &guest->locality);
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        names |= names_places(&guest->cells[c].locality);
        own |= wants_own(guest, &guest->cells[c].locality);
    }
    if (guest->vcpu_count == COUNT_ALL || guest->memory_bytes == SIZE_ALL)
        return TURN_ALL;
    if (guest->locality.pin_rows.count)
        return TURN_TABLE;
    return names ? TURN_SAID : own ? TURN_OWN : TURN_OTHERS;
}

/* ---- hosts ----------------------------------------------------------------------------------------------------------------- */

static uint32_t find_host(const struct placing *placing, const char *name)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(placing->host_numbers, name)) - 1;
}

static struct room *room_at(struct placing *placing, uint32_t host)
{
    if (!placing->rooms[host] && placing->hosts->list[host].facts)
        placing->rooms[host] = room_open(placing->arena, placing->scratch, &placing->hosts->list[host], host);
    return placing->rooms[host];
}

struct candidates {
    const uint32_t *hosts; /* NULL: all, in order of the site */
    uint32_t count;
    bool is_cut; /* some host could not be loaded: that was told */
};

static uint32_t candidate(const struct candidates *candidates, uint32_t position)
{
    return candidates->hosts ? candidates->hosts[position] : position;
}

static bool is_emptier(const struct room *a, const struct room *b)
{
    if (a->dedicated != b->dedicated)
        return a->dedicated < b->dedicated;
    return a->memory_guests < b->memory_guests;
}

static int by_emptiness(const void *a, const void *b, gpointer state)
{
    const struct placing *placing = state;
    const struct room *left = placing->rooms[*(const uint32_t *)a], *right = placing->rooms[*(const uint32_t *)b];
    return is_emptier(left, right) ? -1 : is_emptier(right, left) ? 1 : 0;
}

/* The hosts a guest may live on and that could be loaded. */
static struct candidates candidates_of(struct placing *placing, const struct guest *guest)
{
    struct candidates candidates = { .count = 0 };
    uint32_t total = guest->hosts.count ? guest->hosts.count : placing->hosts->count;
    uint32_t *hosts = arena_array(placing->scratch, uint32_t, total);
    for (uint32_t i = 0; i < total; i++) {
        uint32_t host = guest->hosts.count ? find_host(placing, ((const char *const *)guest->hosts.items)[i]) : i;
        if (host < placing->hosts->count && room_at(placing, host))
            hosts[candidates.count++] = host;
        else
            candidates.is_cut = true;
    }
    candidates.hosts = hosts;
    if (placing->site->placement == PLACEMENT_SPREAD && candidates.count > 1) /* stable, so ties keep their order */
        g_qsort_with_data(hosts, (gint)candidates.count, sizeof *hosts, by_emptiness, placing);
    return candidates;
}

/* ---- one guest ----------------------------------------------------------------------------------------------------------- */

/* Guest-wide `within`: each part of the host in turn. */
static bool fit_parts(struct attempt *attempt, const struct guest *guest, uint32_t cells)
{
    const struct room *room = attempt->room;
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (uint32_t core = 0; core < room->core_count; core++) {
        uint32_t number = core_number(room, core, guest->locality.within);
        if (!g_hash_table_add(seen, GUINT_TO_POINTER(number)))
            continue;
        lay_cells(attempt, guest, cells);
        attempt->draft->scope = (struct scope){ guest->locality.within, number };
        if (fit_guest(attempt))
            return true;
    }
    return false;
}

static bool try_host(struct attempt *attempt, const struct guest *guest, uint32_t cells)
{
    if (is_said(&guest->said, W_WITHIN))
        return fit_parts(attempt, guest, cells);
    lay_cells(attempt, guest, cells);
    return fit_guest(attempt);
}

static bool try_hosts(struct placing *placing, const struct candidates *candidates, const struct guest *guest,
                      struct draft *draft, enum ease ease, uint32_t cells, struct misfit *misfit)
{
    for (uint32_t i = 0; i < candidates->count; i++) {
        struct misfit here = { .node = NO_INDEX };
        struct attempt attempt = { placing, draft, placing->rooms[candidate(candidates, i)], ease,
                                   candidates->count == 1 && !candidates->is_cut, &here };
        if (try_host(&attempt, guest, cells))
            return true;
        if (!misfit->room || (misfit->is_reported && !here.is_reported))
            *misfit = here;
        if (here.is_reported && attempt.is_only_host)
            return false;
    }
    return false;
}

static uint32_t most_cells(const struct placing *placing, const struct candidates *candidates)
{
    uint32_t most = 1;
    for (uint32_t i = 0; i < candidates->count; i++)
        most = MAX(most, placing->rooms[candidate(candidates, i)]->node_count);
    return most;
}

/* Roomy before crowded, one cell before several: in this order, each on all hosts. */
static void place_guest(struct placing *placing, const struct guest *guest, struct draft *draft)
{
    struct candidates candidates = candidates_of(placing, guest);
    struct misfit misfit = { .node = NO_INDEX };
    bool is_open = !guest->cell_count && (guest->cells_wanted == 0 || guest->cells_wanted == CELLS_AUTO) && !guest->locality.nodes;
    uint32_t said = said_cells(guest), most = is_open ? most_cells(placing, &candidates) : MAX(said, 1);
    if (!candidates.count)
        return;
    for (enum ease ease = EASE_ROOMY; ease < EASE_COUNT; ease++)
        for (uint32_t cells = MAX(said, 1); cells <= most; cells++) {
            if (cells > 1 && is_open && !divides(guest, cells, MAX(guest->threads, 1)))
                continue;
            struct misfit here = { .node = NO_INDEX };
            if (try_hosts(placing, &candidates, guest, draft, ease, cells, &here))
                return;
            if (cells == MAX(said, 1))
                misfit = here; /* of the simplest form, the last and least demanding ease */
            if (here.is_reported && candidates.count == 1)
                break;
        }
    draft->is_placed = false;
    if (!candidates.is_cut) {
        struct room *room = misfit.room ? placing->rooms[misfit.room->number] : NULL;
        struct attempt attempt = { placing, draft, room, EASE_CROWDED, false, &misfit };
        if (room)
            lay_cells(&attempt, guest, MAX(said, 1)); /* as it was when `misfit` was found */
        refuse_guest(placing, guest, draft, &misfit, candidates.count);
    }
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
            if (guest->is_broken || turns[g] != turn)
                continue;
            if (placing->hosts->count)
                place_guest(placing, guest, &placing->drafts[g]);
            else
                draft_unhosted(placing, &placing->drafts[g], guest);
        }
}

/* ---- the site ---------------------------------------------------------------------------------------------------------------- */

static void find_shared_bases(const struct site *site, GHashTable *out)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (uint32_t g = 0; g < site->guest_count; g++)
        if (site->guests[g].base_file && !g_hash_table_add(seen, GUINT_TO_POINTER(site->guests[g].base_file)))
            g_hash_table_add(out, GUINT_TO_POINTER(site->guests[g].base_file));
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
    find_shared_bases(site, bases);
    uint32_t count = 0;
    for (uint32_t g = 0; g < site->guest_count; g++) {
        struct draft *draft = &placing->drafts[g];
        if (!draft->is_placed || !settle_vcpus(placing, draft))
            continue;
        finish_guest(placing, &identity, draft, &guests[count]);
        rows[count] = (struct planned_guest){ &guests[count], draft->guest, draft->room ? draft->room->host : NULL };
        count++;
    }
    *plan = (struct plan){ .site = site->name, .guests = guests, .guest_count = count };
    *planned = (struct planned_site){ .plan = plan, .guests = rows, .site = site, .hosts = placing->hosts };
    return planned;
}

const struct planned_site *place_site(struct arena *arena, struct findings *findings, const struct site *site,
                                      const struct site_hosts *hosts)
{
    struct placing placing = { .arena = arena, .scratch = arena_new(), .findings = findings, .site = site, .hosts = hosts };
    placing.rooms = arena_array(placing.scratch, struct room *, hosts->count);
    placing.drafts = arena_array(placing.scratch, struct draft, site->guest_count);
    placing.host_numbers = g_hash_table_new(g_str_hash, g_str_equal);
    placing.unheard = findings_new(NULL);
    for (uint32_t h = 0; h < hosts->count; h++)
        g_hash_table_insert(placing.host_numbers, (gpointer)(guintptr)hosts->list[h].name, GUINT_TO_POINTER(h + 1));
    place_all(&placing);
    const struct planned_site *planned = finish_site(&placing);
    for (uint32_t h = 0; h < hosts->count; h++)
        if (placing.rooms[h])
            room_close(placing.rooms[h]);
    findings_free(placing.unheard);
    g_hash_table_destroy(placing.host_numbers);
    arena_free(placing.scratch);
    return planned;
}
