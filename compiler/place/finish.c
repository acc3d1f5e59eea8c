/* SPDX-License-Identifier: MIT
 *
 * From a placed draft to the plan of a guest: every default that is left, splits of sockets and cores, distances, the
 * UUID and the MAC.  Nothing is chosen on a host any more.
 */
#include "ground/features.h"
#include "place/draft.h"

#include <string.h>

/* The namespace of numac's version 5 UUIDs (RFC 4122), drawn once at random.  It must never change: guests would be
 * other guests to libvirt. */
static const guint8 uuid_namespace[16] = { 0x7e, 0x3b, 0x1d, 0x52, 0x4c, 0x0a, 0x4f, 0x6e,
                                           0x9b, 0x35, 0xd1, 0x08, 0x6a, 0xe4, 0x27, 0xc9 };

/* QEMU's and libvirt's own value where nothing is known; and the least a remote cell may have, since 10 is local. */
enum { REMOTE_UNKNOWN = 20, REMOTE_LEAST = 11, DISTANCE_SELF = 10, DISTANCE_MOST = 254 };

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static enum memory_policy policy_of(uint32_t word)
{
    static const enum memory_policy policies[] = {
        [POLICY_WORD_STRICT] = POLICY_STRICT,
        [POLICY_WORD_PREFERRED] = POLICY_PREFERRED,
        [POLICY_WORD_INTERLEAVE] = POLICY_INTERLEAVE,
        [POLICY_WORD_RESTRICTIVE] = POLICY_RESTRICTIVE,
    };
    return policies[word];
}

/* Said, else as access needs: sharing with another process takes a file that it can map.  Huge pages are files by
 * themselves, which each target knows how to make. */
static enum backing_source backing_of(const struct guest *guest, const struct draft_cell *cell)
{
    static const enum backing_source sources[] = {
        [BACKING_WORD_ANONYMOUS] = BACKING_ANONYMOUS,
        [BACKING_WORD_FILE] = BACKING_FILE,
        [BACKING_WORD_MEMFD] = BACKING_MEMFD,
        [BACKING_WORD_SHM] = BACKING_SHM,
    };
    if (cell_says(guest, cell, W_BACKING))
        return sources[cell->locality->backing];
    return cell->locality->access == ACCESS_SHARED ? BACKING_MEMFD : BACKING_ANONYMOUS;
}

/* Threads that touch memory first run near it: since QEMU 7.2, and only where the nodes have CPUs to run on. */
const struct ids *context_of(const struct draft *draft, const struct draft_cell *cell)
{
    if (!draft->room || !cell->nodes || cell->locality->context != CONTEXT_AUTO ||
        cell->locality->policy == POLICY_WORD_RESTRICTIVE)
        return NULL;
    if (!host_has_feature(draft->room->host, FEATURE_THREAD_CONTEXT))
        return NULL;
    for (ids_each(cell->nodes, number)) {
        uint32_t node = room_find_node(draft->room, number);
        if (node == NO_INDEX || !draft->room->nodes[node].core_count)
            return NULL;
    }
    return cell->nodes;
}

void finish_cell(struct placing *placing, const struct draft *draft, const struct draft_cell *cell,
                 struct plan_cell *out)
{
    const struct locality *said = cell->locality;
    bool immediate = cell_says(draft->guest, cell, W_ALLOCATION) ? said->allocation == ALLOCATION_IMMEDIATE
                                                                 : cell->page_bytes != PAGES_NORMAL;
    *out = (struct plan_cell){
        .name =
            cell->said ? cell->name : arena_string(placing->arena, cell->name, strlen(cell->name)), /* of the draft */
        .vcpus = cell->vcpus,
        .memory_bytes = cell->memory_bytes,
        .nodes = cell->memory_bytes ? cell->nodes : NULL,
        .policy = policy_of(said->policy),
        .page_bytes = cell->memory_bytes ? cell->page_bytes : 0,
        .backing = backing_of(draft->guest, cell),
        .path = said->path,
        .align_bytes = said->align_bytes,
        .offset_bytes = said->offset_bytes,
        .is_shared = said->access == ACCESS_SHARED,
        .is_preallocated = immediate && cell->memory_bytes,
        .discard = said->discard,
        .dump = said->dump,
        .reserve = said->reserve,
        .merge = said->ksm,
        .has_access = cell_says(draft->guest, cell, W_ACCESS),
        .has_discard = cell_says(draft->guest, cell, W_DISCARD),
    };
    if (!out->nodes)
        out->policy = POLICY_STRICT;
    if (!out->is_preallocated)
        return;
    out->prealloc_threads = MAX(said->allocation_threads, 1);
    out->context_nodes = context_of(draft, cell);
}

const struct site_host *programs_of(const struct placing *placing, const struct draft *draft)
{
    return draft->room ? draft->room->host : &placing->hosts->nowhere;
}

static bool says_device_cell(const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->device_count; i++)
        if (guest->devices[i].cell || guest->devices[i].initiator)
            return true;
    return false;
}

/* One cell that nobody asked to see is no NUMA to the guest; everything about it can be said of the guest as a whole.
 */
static bool wants_numa(const struct draft *draft)
{
    const struct guest *guest = draft->guest;
    if (guest_architecture(guest)->lacks_cells)
        return guest->base_file && guest->cell_count; /* a base is told that, and kept */
    return draft->cell_count > 1 || guest->cell_count || guest->cells_wanted || guest->distance_rows.count ||
           is_said(&guest->said, W_GUEST_DISTANCES) || guest->hmat == HMAT_WORD_AUTO || guest->expander_count ||
           says_device_cell(guest) || guest->memory_device_count ||
           is_said(&guest->said, W_MEMORY_MAX); /* memory is plugged into cells */
}

/* ---- distances -------------------------------------------------------------------------------------------------- */

static uint32_t host_remote(const struct draft *draft, const struct draft_cell *from, const struct draft_cell *to)
{
    if (!draft->room || from->node == NO_INDEX || to->node == NO_INDEX)
        return REMOTE_UNKNOWN;
    return CLAMP(host_distance(draft->room->host->facts, from->node, to->node), REMOTE_LEAST, DISTANCE_MOST);
}

static uint32_t said_distance(const struct guest *guest, const struct draft_cell *from, uint32_t to)
{
    const struct distance_row *rows = guest->distance_rows.items;
    for (uint32_t r = 0; r < guest->distance_rows.count; r++)
        if (strcmp(rows[r].cell, from->name) == 0 && to < rows[r].values.count)
            return ((const uint32_t *)rows[r].values.items)[to];
    return REMOTE_UNKNOWN;
}

static const uint32_t *finish_distances(struct arena *arena, const struct draft *draft)
{
    const struct guest *guest = draft->guest;
    uint32_t count = draft->cell_count;
    if (count < 2)
        return NULL;
    uint32_t *values = arena_array(arena, uint32_t, (size_t)count * count), *at = values;
    for (uint32_t from = 0; from < count; from++)
        for (uint32_t to = 0; to < count; to++, at++) {
            if (guest->distance_rows.count)
                *at = said_distance(guest, &draft->cells[from], to);
            else if (from == to)
                *at = DISTANCE_SELF;
            else if (guest->distance != DISTANCE_AUTO)
                *at = guest->distance;
            else
                *at = host_remote(draft, &draft->cells[from], &draft->cells[to]);
        }
    return values;
}

/* ---- sockets, cores, threads ------------------------------------------------------------------------------------ */

static uint32_t or_one(uint32_t said)
{
    return said ? said : 1;
}

/* vCPUs of each cell where all that have some have the same; 0 where they differ. */
static uint32_t equal_cells(const struct draft *draft, uint32_t *out_cells)
{
    uint32_t each = 0;
    *out_cells = 0;
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        uint32_t count = draft->cells[c].vcpu_count;
        if (!count)
            continue;
        if (each && each != count)
            return 0;
        each = count;
        ++*out_cells;
    }
    return each;
}

/* A domain without a topology has a socket for each vCPU: that is libvirt's, and an overlay leaves it so. */
static bool keeps_sockets(const struct guest *guest)
{
    return guest->base_file && !guest->drawers && !guest->books && !guest->sockets && !guest->dies &&
           !guest->clusters && !guest->modules && !guest->cores && !guest->threads;
}

/* Said numbers stand; what is open fills up the product, and a socket for each cell where that comes out even. */
void finish_topology(const struct draft *draft, struct plan_guest *out)
{
    const struct guest *guest = draft->guest;
    uint32_t total = draft->vcpu_count, cells, each = equal_cells(draft, &cells);
    out->drawers = or_one(guest->drawers);
    out->books = or_one(guest->books);
    out->dies = or_one(guest->dies);
    out->clusters = or_one(guest->clusters);
    out->modules = or_one(guest->modules);
    out->threads = or_one(guest->threads);
    out->cores = or_one(guest->cores);
    out->sockets = or_one(guest->sockets);
    uint64_t fixed = product_of_levels(out); /* with one thread where they are open */
    if (!guest->threads && draft->threads > 1 && total % (fixed * draft->threads) == 0) {
        out->threads = draft->threads;
        fixed *= out->threads;
    }
    if (total % fixed)
        return; /* a rule of the model or the plan tells it */
    uint32_t left = (uint32_t)(total / fixed);
    bool by_cell = !guest->sockets && each && left % cells == 0 && (!guest->cores || left == cells);
    if (keeps_sockets(guest)) {
        out->sockets = left;
        return;
    }
    if (by_cell) {
        out->sockets = cells;
        left /= cells;
    }
    if (!guest->cores)
        out->cores = left;
    else if (!guest->sockets)
        out->sockets *= left;
    else if (!guest->threads)
        out->threads *= left;
}

/* ---- the guest -------------------------------------------------------------------------------------------------- */

/* Of names that are joined by slashes, within the namespace. */
static void digest_of(const struct identity *identity, const char *const *names, size_t count, guint8 *out_hash)
{
    gsize length = 20;
    g_checksum_reset(identity->sha1);
    g_checksum_update(identity->sha1, uuid_namespace, sizeof uuid_namespace);
    for (size_t i = 0; i < count; i++) {
        if (i)
            g_checksum_update(identity->sha1, (const guchar *)"/", 1);
        g_checksum_update(identity->sha1, (const guchar *)names[i], (gssize)strlen(names[i]));
    }
    g_checksum_get_digest(identity->sha1, out_hash, &length);
}

static const char *uuid_of(struct arena *arena, const guint8 *digest)
{
    static const char digits[] = "0123456789abcdef";
    guint8 hash[16];
    memcpy(hash, digest, sizeof hash);
    char *text = arena_alloc(arena, 37), *at = text;
    hash[6] = (guint8)((hash[6] & 0x0f) | 0x50);
    hash[8] = (guint8)((hash[8] & 0x3f) | 0x80);
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[hash[i] >> 4];
        *at++ = digits[hash[i] & 15];
    }
    return text;
}

/* libvirt would draw one, another one each time it is defined. */
static void finish_labels(struct placing *placing, const struct identity *identity, const struct draft *draft,
                          struct plan_guest *out)
{
    struct plan_memory_device *devices = NULL;
    for (uint32_t i = 0; i < out->memory_device_count; i++) {
        if (!architecture_of(out->architecture)->labels_nvdimms || out->memory_devices[i].model != MEMORY_NVDIMM ||
            out->memory_devices[i].uuid || out->has_base)
            continue;
        if (!devices)
            out->memory_devices = devices =
                arena_copy(placing->arena, out->memory_devices, out->memory_device_count * sizeof *devices);
        const char *const names[] = { placing->site->name, draft->guest->name, "nvdimm", devices[i].memory.name };
        guint8 hash[20];
        digest_of(identity, names, G_N_ELEMENTS(names), hash);
        devices[i].uuid = uuid_of(placing->arena, hash);
    }
}

static void finish_names(struct placing *placing, const struct identity *identity, const struct draft *draft,
                         struct plan_guest *out)
{
    const struct guest *guest = draft->guest;
    const char *const names[] = { placing->site->name, guest->name };
    guint8 hash[20];
    digest_of(identity, names, G_N_ELEMENTS(names), hash);
    if (guest->network)
        out->mac = arena_printf(placing->arena, "52:54:00:%02x:%02x:%02x", hash[17], hash[18], hash[19]);
    bool is_alone = guest->base_uuid && !g_hash_table_contains(identity->bases, GUINT_TO_POINTER(guest->base_file));
    if (is_alone) {
        out->uuid = guest->base_uuid;
        return;
    }
    out->uuid = uuid_of(placing->arena, hash);
}

static void finish_machine(struct placing *placing, const struct draft *draft, struct plan_guest *out)
{
    static const enum cache_mode caches[] = { CACHE_EMULATE, CACHE_PASSTHROUGH, CACHE_DISABLE };
    static const enum maxphysaddr_mode bits[] = { MAXPHYSADDR_EMULATE, MAXPHYSADDR_PASSTHROUGH };
    const struct guest *guest = draft->guest;
    bool is_tcg = guest->accel == ACCEL_TCG;
    const struct architecture *architecture = guest_architecture(guest);
    out->architecture = architecture->name;
    out->machine = guest->machine ? guest->machine : architecture->families->name;
    out->accel = is_tcg ? "tcg" : "kvm";
    out->cpu_model = guest->cpu_model ? guest->cpu_model : is_tcg ? architecture->emulated_cpu : "host-passthrough";
    out->has_base = guest->base_file != 0;
    out->needs_kvm =
        !is_tcg && !out->has_base && (is_said(&guest->said, W_GUEST_ACCEL) || is_said(&guest->said, W_GUEST_CPU));
    if (out->has_base) {
        out->architecture = guest->base_ruled[BASE_ARCH].text;
        out->machine = guest->base_ruled[BASE_MACHINE].text;
        out->accel = guest->base_ruled[BASE_ACCEL].text;
        out->cpu_model = guest->base_ruled[BASE_CPU].text;
    }
    out->cache_mode = is_said(&guest->said, W_CPU_CACHE) ? caches[guest->cache_mode] : CACHE_UNSAID;
    out->cache_level = guest->cache_level;
    out->maxphysaddr_mode =
        is_said(&guest->said, W_CPU_MAXPHYSADDR) ? bits[guest->maxphysaddr_mode] : MAXPHYSADDR_UNSAID;
    out->maxphysaddr_bits = guest->maxphysaddr_bits;
    struct plan_feature *features = arena_array(placing->arena, struct plan_feature, guest->features.count);
    for (uint32_t i = 0; i < guest->features.count; i++) {
        const struct feature_word *said = (const struct feature_word *)guest->features.items + i;
        features[i] = (struct plan_feature){ .name = said->name, .is_required = !said->is_disabled };
    }
    out->features = features;
    out->feature_count = guest->features.count;
    out->firmware = guest->firmware == FIRMWARE_UEFI ? "uefi" : "bios";
    if (!architecture->has_bios && guest->firmware != FIRMWARE_UEFI && !out->has_base)
        out->firmware = architecture->uefi_image && !guest->kernel ? "uefi" : "none"; /* a kernel starts by itself */
    out->gic_version = out->has_base ? 0 : architecture->gic_version;
    out->kernel = guest->kernel;
    out->initrd = guest->initrd;
    out->cmdline = guest->cmdline;
    out->disk = guest->disk;
    out->network = guest->network;
    out->is_locked = guest->locked;
    out->hard_limit_bytes = guest->hard_limit_bytes;
}

static void finish_numad(const struct draft *draft, struct plan_guest *out)
{
    out->memory_by_numad = draft->guest->memory_by_numad;
    out->numad_policy = out->memory_by_numad ? policy_of(draft->guest->locality.policy) : POLICY_STRICT;
    for (uint32_t c = 0; c < draft->cell_count; c++)
        for (ids_each(draft->cells[c].vcpus, vcpu))
            out->cpus_by_numad |=
                cpus_are_by_numad(draft->guest, c) && vcpu < draft->vcpu_count && !draft->vcpu_cpus[vcpu];
}

static gint by_id(gconstpointer one, gconstpointer other)
{
    uint32_t a = ((const struct plan_iothread *)one)->id, b = ((const struct plan_iothread *)other)->id;
    return (a > b) - (a < b);
}

/* The block of a thread, where the site has one; without a count there are those that have, by their numbers. */
static const struct iothread **said_of_threads(const struct guest *guest, uint32_t *out_count)
{
    bool is_counted = is_said(&guest->said, W_GUEST_IOTHREADS);
    uint32_t count = is_counted ? guest->iothread_total : guest->iothread_count;
    const struct iothread **said = g_new0(const struct iothread *, (size_t)count + 1);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        said[is_counted ? guest->iothreads[i].id - 1 : i] = &guest->iothreads[i];
    *out_count = count;
    return said;
}

static void finish_threads(struct placing *placing, const struct draft *draft, struct plan_guest *out)
{
    uint32_t count;
    const struct iothread **said = said_of_threads(draft->guest, &count);
    struct plan_iothread *iothreads = arena_array(placing->arena, struct plan_iothread, count);
    for (uint32_t i = 0; i < count; i++) {
        iothreads[i].id = said[i] ? said[i]->id : i + 1;
        iothreads[i].cpus = iothread_cpus(placing, draft, said[i]);
        if (said[i])
            finish_iothread(placing, draft, said[i], &iothreads[i]);
    }
    g_free(said);
    if (count) /* blocks stand as people wrote them */
        qsort(iothreads, count, sizeof *iothreads, by_id);
    out->iothreads = iothreads;
    out->iothread_count = count;
    out->emulator_cpus = emulator_cpus(placing, draft);
}

void finish_guest(struct placing *placing, const struct identity *identity, const struct draft *draft,
                  struct plan_guest *out)
{
    struct plan_cell *cells = arena_array(placing->arena, struct plan_cell, draft->cell_count);
    out->name = draft->guest->name;
    out->host = draft->room ? draft->room->host->name : NULL;
    out->connect = draft->room ? draft->room->host->declared->connect : NULL;
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        finish_cell(placing, draft, &draft->cells[c], &cells[c]);
        out->memory_bytes += cells[c].memory_bytes;
    }
    out->cells = cells;
    out->cell_count = draft->cell_count;
    out->vcpu_count = draft->vcpu_count;
    out->vcpu_cpus = draft->vcpu_cpus;
    out->has_numa = wants_numa(draft);
    out->distances = finish_distances(placing->arena, draft);
    finish_machine(placing, draft, out);
    finish_topology(draft, out);
    finish_caches(draft, out);
    finish_hotplug(placing, draft->guest, out);
    finish_devices(placing, draft, out);
    finish_hmat(placing->arena, draft, cells, out);
    finish_apic_ids(out);
    finish_names(placing, identity, draft, out);
    finish_labels(placing, identity, draft, out);
    finish_threads(placing, draft, out);
    finish_numad(draft, out);
    finish_tuning(placing, draft, out);
    finish_buses(placing, draft, out);
}
