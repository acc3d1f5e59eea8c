/* SPDX-License-Identifier: MIT
 *
 * Which hosts a guest is tried on, and in which order: the order of the site (pack), or the emptiest first (spread).
 *
 * A host that once refused a demand refuses it for ever, since rooms only shrink.  So refusals are remembered by
 * demand: a fleet of guests that are alike never asks a full host twice, and the cost of a guest does not grow with the
 * fleet.
 */
#include "place/draft.h"

#include <stdlib.h>
#include <string.h>

/* ---- rooms ------------------------------------------------------------------------------------------------------ */

struct room *room_at(struct placing *placing, uint32_t host)
{
    if (!placing->rooms[host] && placing->hosts->list[host].facts)
        placing->rooms[host] =
            room_open(placing->arena, placing->scratch, placing->singles, &placing->hosts->list[host], host);
    return placing->rooms[host];
}

static bool is_emptier(const struct room *a, const struct room *b)
{
    if (a->dedicated != b->dedicated)
        return a->dedicated < b->dedicated;
    if (a->memory_guests != b->memory_guests)
        return a->memory_guests < b->memory_guests;
    return a->number < b->number;
}

static void note_size(struct candidates *candidates, const struct room *room)
{
    candidates->most_nodes = MAX(candidates->most_nodes, room->node_count);
}

/* ---- candidates ------------------------------------------------------------------------------------------------- */

static struct candidates named_hosts(struct placing *placing, const struct guest *guest)
{
    struct candidates named = { .most_nodes = 1 };
    uint32_t *hosts = arena_array(placing->scratch, uint32_t, guest->hosts.count);
    const char *const *names = guest->hosts.items;
    for (uint32_t i = 0; i < guest->hosts.count; i++) {
        uint32_t host = GPOINTER_TO_UINT(g_hash_table_lookup(placing->host_numbers, names[i])) - 1;
        struct room *room = host < placing->hosts->count ? room_at(placing, host) : NULL;
        if (!room) {
            named.is_cut = true;
            continue;
        }
        uint32_t at = named.count++;
        for (; placing->site->placement == PLACEMENT_SPREAD && at && is_emptier(room, placing->rooms[hosts[at - 1]]);
             at--)
            hosts[at] = hosts[at - 1];
        hosts[at] = host;
        note_size(&named, room);
    }
    named.hosts = hosts;
    return named;
}

static void open_all(struct placing *placing)
{
    struct candidates *all = &placing->all;
    uint32_t *order = arena_array(placing->scratch, uint32_t, placing->hosts->count);
    all->most_nodes = 1;
    for (uint32_t h = 0; h < placing->hosts->count; h++) {
        struct room *room = room_at(placing, h);
        if (room)
            order[all->count++] = h;
        else
            all->is_cut = true;
        if (room)
            note_size(all, room);
    }
    all->hosts = placing->order = order;
}

struct candidates candidates_of(struct placing *placing, const struct guest *guest)
{
    if (guest->hosts.count)
        return named_hosts(placing, guest);
    if (!placing->order)
        open_all(placing);
    return placing->all;
}

void host_was_filled(struct placing *placing, const struct room *room)
{
    uint32_t at = 0;
    if (!placing->order || placing->site->placement != PLACEMENT_SPREAD)
        return;
    while (placing->order[at] != room->number)
        at++;
    for (; at && is_emptier(room, placing->rooms[placing->order[at - 1]]); at--)
        placing->order[at] = placing->order[at - 1];
    for (; at + 1 < placing->all.count && is_emptier(placing->rooms[placing->order[at + 1]], room); at++)
        placing->order[at] = placing->order[at + 1];
    placing->order[at] = room->number;
}

/* ---- demands ---------------------------------------------------------------------------------------------------- */

static void mix(uint64_t *hash, uint64_t value)
{
    *hash = (*hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    *hash ^= *hash >> 29;
}

static void mix_text(uint64_t *hash, const char *text)
{
    for (; text && *text; text++)
        mix(hash, (unsigned char)*text);
    mix(hash, 256);
}

static void mix_locality(uint64_t *hash, const struct locality *said)
{
    const struct set *const *fallback = said->fallback.items;
    mix(hash, (uint64_t)said->policy | (uint64_t)said->pin << 4 | (uint64_t)said->within << 8 |
                  (uint64_t)said->fallback.count << 16);
    mix(hash, said->page_bytes | (uint64_t)said->nodes_by_numad << 1 | said->cpus_by_numad); /* pages are even */
    mix_text(hash, said->nodes ? said->nodes->text : NULL);
    mix_text(hash, said->cpus ? said->cpus->text : NULL);
    for (uint32_t i = 0; i < said->fallback.count; i++)
        mix_text(hash, fallback[i]->text);
}

/* All that decides whether a guest fits.  Two demands that meet in 64 bits would cost the later one a host, no more. */
uint64_t demand_of(const struct guest *guest)
{
    uint64_t hash = 1;
    if (guest->variant_count) { /* like those of its family */
        mix_text(&hash, guest->family);
        return hash ? hash : 1;
    }
    if (guest->locality.pin_rows.count || guest->vcpu_count == COUNT_ALL || guest->memory_bytes == SIZE_ALL ||
        guest->memory_device_count)
        return 0; /* asks each host what it has, or is like no other */
    const char *const *names = guest->hosts.items;
    for (uint32_t i = 0; i < guest->hosts.count; i++)
        mix_text(&hash, names[i]);
    mix(&hash, guest->vcpu_count); /* the maximum: all of them have their place */
    mix(&hash, guest->memory_bytes);
    mix(&hash, guest->threads | (uint64_t)guest->cells_wanted << 32);
    mix(&hash, guest->emulator | (guest->emulator_cpus || guest->emulator_nodes ? 16 : 0) |
                   (is_said(&guest->said, W_WITHIN) ? 32 : 0));
    mix_locality(&hash, &guest->locality);
    for (uint32_t i = 0; i < guest->device_count; i++) {
        mix_text(&hash, guest->devices[i].name);
        mix_text(&hash, guest->devices[i].address);
        mix_text(&hash, device_cell(guest, &guest->devices[i]));
        mix(&hash, is_required_near(&guest->devices[i]));
    }
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        uint64_t says = is_said(&cell->said, W_CELL_VCPUS) ? 1 : 0;
        says |= is_said(&cell->said, W_CELL_MEMORY) ? 2 : 0;
        says |= is_said(&cell->said, W_WITHIN) ? 4 : 0;
        mix(&hash, says);
        mix(&hash, cell->vcpu_count);
        mix(&hash, cell->memory_bytes);
        mix_text(&hash, cell->ids ? cell->ids->text : NULL);
        mix_locality(&hash, &cell->locality);
    }
    return hash ? hash : 1;
}

/* ---- refusals --------------------------------------------------------------------------------------------------- */

static uint64_t key_of(uint64_t demand, enum ease ease, uint32_t cells, uint32_t host)
{
    mix(&demand, (uint64_t)ease << 32 | cells);
    mix(&demand, host);
    return demand;
}

static gpointer found_at(const struct placing *placing, uint64_t key)
{
    return g_hash_table_lookup(placing->refusals, GSIZE_TO_POINTER(key));
}

bool was_refused(const struct placing *placing, uint64_t demand, enum ease ease, uint32_t cells, uint32_t host)
{
    return demand && found_at(placing, key_of(demand, ease, cells, host));
}

uint32_t refused_first(const struct placing *placing, uint64_t demand, enum ease ease, uint32_t cells)
{
    return demand ? GPOINTER_TO_UINT(found_at(placing, key_of(demand, ease, cells, UINT32_MAX))) : 0;
}

void note_refusal(struct placing *placing, uint64_t demand, enum ease ease, uint32_t cells, uint32_t host)
{
    if (demand)
        g_hash_table_insert(placing->refusals, GSIZE_TO_POINTER(key_of(demand, ease, cells, host)),
                            GUINT_TO_POINTER(1));
}

void note_refused_first(struct placing *placing, uint64_t demand, enum ease ease, uint32_t cells, uint32_t count)
{
    if (demand)
        g_hash_table_insert(placing->refusals, GSIZE_TO_POINTER(key_of(demand, ease, cells, UINT32_MAX)),
                            GUINT_TO_POINTER(count));
}
