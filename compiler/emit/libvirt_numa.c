/* SPDX-License-Identifier: MIT
 *
 * How libvirt says memory, vCPUs, cells and pins.  Order and spelling are those of virsh dumpxml, so that a domain
 * that was defined compares equal.  What libvirt has no words for was refused by the checks.
 */
#include "emit/libvirt_numa.h"
#include "emit/libvirt_tuning.h"

void xml_size(struct xml *xml, const char *element, uint64_t bytes)
{
    xml_line(xml, "<");
    xml_put(xml, element);
    xml_put(xml, " unit='KiB'>");
    xml_number(xml, bytes / KIB);
    xml_put(xml, "</");
    xml_put(xml, element);
    xml_end(xml, ">");
}

void xml_memory(struct xml *xml, const struct plan_guest *guest, uint64_t more_bytes)
{
    uint64_t total = plan_total_bytes(guest) + more_bytes;
    if (guest->max_memory_bytes) {
        xml_line(xml, "<maxMemory ");
        if (guest->memory_slots) {
            xml_put(xml, "slots='");
            xml_number(xml, guest->memory_slots);
            xml_put(xml, "' ");
        }
        xml_put(xml, "unit='KiB'>");
        xml_number(xml, guest->max_memory_bytes / KIB);
        xml_end(xml, "</maxMemory>");
    }
    xml_size(xml, "memory", total);
    xml_size(xml, "currentMemory", guest->current_memory_bytes ? guest->current_memory_bytes : total);
}

void xml_hard_limit(struct xml *xml, const struct plan_guest *guest)
{
    if (!guest->hard_limit_bytes)
        return;
    xml_open(xml, "<memtune>");
    xml_size(xml, "hard_limit", guest->hard_limit_bytes);
    xml_shut(xml, "</memtune>");
}

/* ---- memoryBacking ---------------------------------------------------------------------------------------------- */

/* The cells with pages of the size of `cell`, as a nodeset.  Written straight away: cells are few and in order. */
static void xml_cells_with_pages(struct xml *xml, const struct plan_guest *guest, uint64_t page_bytes)
{
    bool is_first = true;
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        if (guest->cells[i].page_bytes != page_bytes)
            continue;
        uint32_t last = i;
        while (last + 1 < guest->cell_count && guest->cells[last + 1].page_bytes == page_bytes)
            last++;
        if (!is_first)
            xml_put(xml, ",");
        is_first = false;
        xml_number(xml, i);
        if (last > i) {
            xml_put(xml, "-");
            xml_number(xml, last);
        }
        i = last;
    }
}

static bool is_first_with_pages(const struct plan_guest *guest, uint32_t cell)
{
    for (uint32_t i = 0; i < cell; i++)
        if (guest->cells[i].page_bytes == guest->cells[cell].page_bytes)
            return false;
    return guest->cells[cell].page_bytes != 0;
}

static void xml_hugepages(struct xml *xml, const struct plan_guest *guest)
{
    bool has_pages = false, all_alike = true;
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        has_pages |= guest->cells[i].page_bytes != 0;
        all_alike &= guest->cells[i].page_bytes == guest->cells[0].page_bytes;
    }
    if (!has_pages)
        return;
    xml_open(xml, "<hugepages>");
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        if (!is_first_with_pages(guest, i))
            continue;
        xml_line(xml, "<page size='");
        xml_number(xml, guest->cells[i].page_bytes / KIB);
        xml_put(xml, "' unit='KiB");
        if (!all_alike) {
            xml_put(xml, "' nodeset='");
            xml_cells_with_pages(xml, guest, guest->cells[i].page_bytes);
        }
        xml_end(xml, "'/>");
    }
    xml_shut(xml, "</hugepages>");
}

/* The source is one for the whole guest.  Huge pages are files by themselves, so there only memfd needs saying. */
static void xml_source(struct xml *xml, const struct plan_guest *guest)
{
    bool memfd = false, file = false;
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        memfd |= guest->cells[i].backing == BACKING_MEMFD;
        file |= guest->cells[i].backing == BACKING_FILE && !guest->cells[i].page_bytes;
    }
    if (memfd)
        xml_whole(xml, "<source type='memfd'/>");
    else if (file)
        xml_whole(xml, "<source type='file'/>");
}

/* Huge pages are always allocated at start; saying so again would do the same to the cells on normal pages. */
static void xml_allocation(struct xml *xml, const struct plan_guest *guest)
{
    bool immediate = false;
    uint32_t threads = 0;
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        const struct plan_cell *cell = &guest->cells[i];
        immediate |= cell->is_preallocated && !cell->page_bytes;
        if (cell->is_preallocated && cell->prealloc_threads > threads)
            threads = cell->prealloc_threads;
    }
    if (!immediate && threads <= 1)
        return;
    xml_line(xml, immediate ? "<allocation mode='immediate'" : "<allocation");
    if (threads > 1) {
        xml_put(xml, " threads='");
        xml_number(xml, threads);
        xml_put(xml, "'");
    }
    xml_end(xml, "/>");
}

static bool no_cell_merges(const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->cell_count; i++)
        if (guest->cells[i].merge)
            return false;
    return true;
}

/* Saying it of anonymous memory would make libvirt take a file; not saying it of memfd makes QEMU share. */
static bool says_access(const struct plan_cell *cell)
{
    return cell->is_shared || cell->backing == BACKING_MEMFD ||
           (cell->has_access && cell->backing != BACKING_ANONYMOUS);
}

static bool says_discard(const struct plan_cell *cell)
{
    return cell->has_discard || cell->discard;
}

void xml_memory_backing(struct xml *xml, const struct plan_guest *guest)
{
    size_t before = xml->out->len;
    xml_open(xml, "<memoryBacking>");
    size_t empty = xml->out->len;
    xml_hugepages(xml, guest);
    if (no_cell_merges(guest))
        xml_whole(xml, "<nosharepages/>");
    if (guest->is_locked)
        xml_whole(xml, "<locked/>");
    xml_source(xml, guest);
    const struct plan_cell *only = guest->has_numa ? NULL : &guest->cells[0]; /* else said in cpu/numa */
    if (only && says_access(only))
        xml_whole(xml, only->is_shared ? "<access mode='shared'/>" : "<access mode='private'/>");
    xml_allocation(xml, guest);
    if (only && only->discard)
        xml_whole(xml, "<discard/>");
    if (xml->out->len == empty) {
        g_string_truncate(xml->out, before);
        xml->depth--;
        return;
    }
    xml_shut(xml, "</memoryBacking>");
}

/* ---- vCPUs, iothreads and their pins ---------------------------------------------------------------------------- */

/* By vCPU its place in the order in which they are plugged, from 1; NULL: none is said.  Threads of a core that is
 * plugged whole have one place. */
static uint32_t *plug_places(const struct plan_guest *guest)
{
    uint32_t *places = guest->plug_order ? g_new0(uint32_t, guest->vcpu_count) : NULL;
    for (uint32_t i = 0; places && i < ids_size(guest->online); i++)
        places[guest->plug_order[i]] = i / vcpus_plugged_together(guest) + 1;
    return places;
}

static void xml_each_vcpu(struct xml *xml, const struct plan_guest *guest)
{
    g_autofree uint32_t *places = plug_places(guest);
    for (uint32_t vcpu = 0; vcpu < guest->vcpu_count; vcpu++) {
        xml_line(xml, "<vcpu id='");
        xml_number(xml, vcpu);
        xml_put(xml, ids_contains(guest->online, vcpu) ? "' enabled='yes" : "' enabled='no");
        xml_put(xml, ids_contains(guest->fixed, vcpu) ? "' hotpluggable='no" : "' hotpluggable='yes");
        if (places && places[vcpu]) {
            xml_put(xml, "' order='");
            xml_number(xml, places[vcpu]);
        }
        xml_end(xml, "'/>");
    }
}

void xml_vcpu(struct xml *xml, const struct plan_guest *guest)
{
    xml_line(xml, guest->cpus_by_numad ? "<vcpu placement='auto'" : "<vcpu placement='static'");
    if (guest->online && ids_size(guest->online) < guest->vcpu_count) {
        xml_put(xml, " current='");
        xml_number(xml, ids_size(guest->online));
        xml_put(xml, "'");
    }
    xml_put(xml, ">");
    xml_number(xml, guest->vcpu_count);
    xml_end(xml, "</vcpu>");
    if (!guest->online || first_vcpus(guest) == ids_size(guest->online))
        return; /* the first ones, none of which can be unplugged: libvirt takes it so */
    xml_open(xml, "<vcpus>");
    xml_each_vcpu(xml, guest);
    xml_shut(xml, "</vcpus>");
}

void xml_iothreads(struct xml *xml, const struct plan_guest *guest, bool always_ids)
{
    if (!guest->iothread_count)
        return;
    xml_line(xml, "<iothreads>");
    xml_number(xml, guest->iothread_count);
    xml_end(xml, "</iothreads>");
    bool says_more = always_ids;
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        says_more |= guest->iothreads[i].id != i + 1 || iothread_says_more(&guest->iothreads[i]);
    if (!says_more)
        return;
    xml_open(xml, "<iothreadids>");
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        xml_iothread(xml, &guest->iothreads[i]);
    xml_shut(xml, "</iothreadids>");
}

static void xml_pin(struct xml *xml, const char *thread, uint32_t number, const struct ids *cpus)
{
    xml_line(xml, thread);
    xml_number(xml, number);
    xml_put(xml, "' cpuset='");
    xml_ids(xml, cpus);
    xml_end(xml, "'/>");
}

void xml_cputune(struct xml *xml, const struct plan_guest *guest)
{
    size_t before = xml->out->len;
    xml_open(xml, "<cputune>");
    size_t empty = xml->out->len;
    for (uint32_t i = 0; i < guest->vcpu_count; i++)
        if (guest->vcpu_cpus[i])
            xml_pin(xml, "<vcpupin vcpu='", i, guest->vcpu_cpus[i]);
    if (guest->emulator_cpus) {
        xml_line(xml, "<emulatorpin cpuset='");
        xml_ids(xml, guest->emulator_cpus);
        xml_end(xml, "'/>");
    }
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        if (guest->iothreads[i].cpus)
            xml_pin(xml, "<iothreadpin iothread='", guest->iothreads[i].id, guest->iothreads[i].cpus);
    xml_schedulers(xml, guest);
    xml_resctrls(xml, guest);
    if (xml->out->len == empty) {
        g_string_truncate(xml->out, before);
        xml->depth--;
        return;
    }
    xml_shut(xml, "</cputune>");
}

/* ---- numatune ------------------------------------------------------------------------------------------------------
 * A <memory> is inherited by every cell without a <memnode>, and rules where the emulator's own memory comes from.  So
 * it is written only where each cell is bound in the same way: with the one node set all cells have, or, for strict
 * and restrictive, with the union, inside which the emulator then stays too.  A union would say nothing true of
 * interleave and preferred.  libvirt 9.4 demands a restrictive <memory> beside restrictive cells. */

/* One node set for all, which <memory> says for each cell. */
static bool is_common(const struct plan_guest *guest)
{
    for (uint32_t i = 1; i < guest->cell_count; i++)
        if (!ids_equal(guest->cells[i].nodes, guest->cells[0].nodes))
            return false;
    return true;
}

static void xml_mode(struct xml *xml, enum memory_policy policy, const struct ids *nodes)
{
    xml_put(xml, memory_policy_word(policy));
    xml_put(xml, "' nodeset='");
    xml_ids(xml, nodes);
    xml_end(xml, "'/>");
}

void xml_numatune(struct xml *xml, const struct plan_guest *guest)
{
    if (guest->memory_by_numad) { /* no cell is bound then */
        xml_open(xml, "<numatune>");
        xml_line(xml, "<memory mode='");
        xml_put(xml, memory_policy_word(guest->numad_policy));
        xml_end(xml, "' placement='auto'/>");
        xml_shut(xml, "</numatune>");
        return;
    }
    struct arena *arena = arena_new();
    enum memory_policy policy = POLICY_STRICT;
    const struct ids *common = plan_common_nodes(arena, guest, &policy);
    bool is_any = common;
    for (uint32_t i = 0; i < guest->cell_count; i++)
        is_any |= guest->cells[i].nodes != NULL;
    if (is_any)
        xml_open(xml, "<numatune>");
    if (common) {
        xml_line(xml, "<memory mode='");
        xml_mode(xml, policy, common);
    }
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        const struct plan_cell *cell = &guest->cells[i];
        if (!cell->nodes || (common && is_common(guest)))
            continue;
        xml_line(xml, "<memnode cellid='");
        xml_number(xml, i);
        xml_put(xml, "' mode='");
        xml_mode(xml, cell->policy, cell->nodes);
    }
    if (is_any)
        xml_shut(xml, "</numatune>");
    arena_free(arena);
}

/* ---- topology and cells ----------------------------------------------------------------------------------------- */

void xml_topology(struct xml *xml, const struct plan_guest *guest)
{
    xml_line(xml, "<topology sockets='");
    xml_number(xml, guest->sockets);
    xml_put(xml, "' dies='");
    xml_number(xml, guest->dies);
    if (guest->clusters > 1) { /* unknown before libvirt 10.1 */
        xml_put(xml, "' clusters='");
        xml_number(xml, guest->clusters);
    }
    xml_put(xml, "' cores='");
    xml_number(xml, guest->cores);
    xml_put(xml, "' threads='");
    xml_number(xml, guest->threads);
    xml_end(xml, "'/>");
}

static void xml_distances(struct xml *xml, const uint32_t *row, uint32_t count)
{
    xml_open(xml, "<distances>");
    for (uint32_t to = 0; to < count; to++) {
        xml_line(xml, "<sibling id='");
        xml_number(xml, to);
        xml_put(xml, "' value='");
        xml_number(xml, row[to]);
        xml_end(xml, "'/>");
    }
    xml_shut(xml, "</distances>");
}

static void xml_cell(struct xml *xml, const struct plan_guest *guest, uint32_t number)
{
    const struct plan_cell *cell = &guest->cells[number];
    xml_line(xml, "<cell id='");
    xml_number(xml, number);
    if (cell->vcpus->count) {
        xml_put(xml, "' cpus='");
        xml_ids(xml, cell->vcpus);
    }
    xml_put(xml, "' memory='");
    xml_number(xml, cell->memory_bytes / KIB);
    xml_put(xml, "' unit='KiB");
    if (says_access(cell))
        xml_put(xml, cell->is_shared ? "' memAccess='shared" : "' memAccess='private");
    if (says_discard(cell))
        xml_put(xml, cell->discard ? "' discard='yes" : "' discard='no");
    if (!guest->distances && !cell->side_cache_count) {
        xml_end(xml, "'/>");
        return;
    }
    xml_end(xml, "'>");
    xml->depth++;
    if (guest->distances)
        xml_distances(xml, guest->distances + (size_t)number * guest->cell_count, guest->cell_count);
    xml_side_caches(xml, cell);
    xml_shut(xml, "</cell>");
}

void xml_cells(struct xml *xml, const struct plan_guest *guest)
{
    if (!guest->has_numa)
        return;
    xml_open(xml, "<numa>");
    for (uint32_t i = 0; i < guest->cell_count; i++)
        xml_cell(xml, guest, i);
    xml_interconnects(xml, guest);
    xml_shut(xml, "</numa>");
}
