/* SPDX-License-Identifier: MIT
 *
 * The plan for a person who is about to deploy it: who runs where, on which memory and CPUs, and what that leaves of
 * the hosts.  Guests of one family (web-1, web-2, ...) that read the same are said once.
 */
#include "emit/emit.h"
#include "emit/guest_parts.h"
#include "emit/plan_text_hmat.h"
#include "emit/plan_text_hosts.h"
#include "emit/text_table.h"

#include <hwloc/bitmap.h>

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static void append_set_or(GString *out, const struct ids *ids, const char *without)
{
    if (ids && ids->count)
        ids_append(out, ids);
    else
        append(out, without);
}

/* The CPUs that the vCPUs of a cell may run on, together. */
static GString *cpus_of_cell(const struct plan_guest *guest, const struct plan_cell *cell)
{
    GString *text = g_string_new(NULL);
    struct arena *arena = arena_new();
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    bool all_pinned = true;
    for (ids_each(cell->vcpus, vcpu)) {
        all_pinned &= guest->vcpu_cpus[vcpu] != NULL;
        if (guest->vcpu_cpus[vcpu])
            ids_add_to_bitmap(guest->vcpu_cpus[vcpu], cpus);
    }
    append_set_or(text, all_pinned ? ids_from_bitmap(arena, cpus) : NULL,
                  !cell->vcpus->count    ? "-"
                  : guest->cpus_by_numad ? "numad"
                                         : "any");
    hwloc_bitmap_free(cpus);
    arena_free(arena);
    return text;
}

static void append_word(GString *out, const char *word)
{
    if (out->len)
        append(out, ", ");
    append(out, word);
}

static void append_allocation(GString *out, const struct plan_cell *cell)
{
    append_word(out, "allocated at start");
    if (cell->prealloc_threads > 1) {
        append(out, " by ");
        append_number(out, cell->prealloc_threads);
        append(out, " threads");
    }
    if (cell->context_nodes) {
        append(out,
               cell->context_nodes->count == 1 && ids_size(cell->context_nodes) == 1 ? " near node " : " near nodes ");
        ids_append(out, cell->context_nodes);
    }
}

/* What is not as usual: the rest of the table is read more often than this. */
static GString *remarks_on_cell(const struct plan_cell *cell)
{
    GString *text = g_string_new(NULL);
    if (cell->path) {
        append_word(text, "in ");
        append(text, cell->path);
    } else if (cell->backing != BACKING_ANONYMOUS && !(cell->backing == BACKING_FILE && cell->page_bytes)) {
        append_word(text, backing_source_word(cell->backing));
    }
    if (cell->is_shared)
        append_word(text, "shared");
    if (cell->is_preallocated)
        append_allocation(text, cell);
    if (cell->discard)
        append_word(text, "discarded at the end");
    if (!cell->dump)
        append_word(text, "not dumped");
    if (!cell->reserve)
        append_word(text, "not reserved");
    if (!cell->merge)
        append_word(text, "no KSM");
    return text;
}

static GString *size_field(uint64_t bytes, const char *zero)
{
    GString *text = g_string_new(NULL);
    if (bytes)
        size_append(text, bytes);
    else
        append(text, zero);
    return text;
}

static GString *set_field(const struct ids *ids, const char *without)
{
    GString *text = g_string_new(NULL);
    append_set_or(text, ids, without);
    return text;
}

static void write_cells(const struct plan_guest *guest, GString *out)
{
    static const char *const heads[] = { "cell", "vCPUs", "memory", "pages", "nodes", "policy", "CPUs", "" };
    struct table table;
    table_open(&table, G_N_ELEMENTS(heads), false);
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++)
        table_add(&table, heads[i]);
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        const struct plan_cell *cell = &guest->cells[i];
        table_add(&table, cell->name);
        table_take(&table, set_field(cell->vcpus, "none"));
        table_take(&table, size_field(cell->memory_bytes, "none"));
        table_take(&table, size_field(cell->page_bytes, "normal"));
        bool by_numad = guest->memory_by_numad && cell->memory_bytes;
        table_take(&table, set_field(cell->nodes, by_numad ? "numad" : "any"));
        table_add(&table, cell->nodes ? memory_policy_word(cell->policy)
                          : by_numad  ? memory_policy_word(guest->numad_policy)
                                      : "-");
        table_take(&table, cpus_of_cell(guest, cell));
        table_take(&table, remarks_on_cell(cell));
    }
    table_write(&table, out);
}

static void append_named(GString *out, const char *what, uint64_t bytes)
{
    append_word(out, what);
    size_append(out, bytes);
}

static GString *remarks_on_device(const struct plan_memory_device *device)
{
    bool is_virtio_mem = device->model == MEMORY_VIRTIO_MEM;
    struct plan_cell memory = device->memory;
    if (is_virtio_mem) { /* which has what it needs only once it is plugged */
        memory.is_preallocated = false;
        memory.reserve = true;
    }
    GString *text = remarks_on_cell(&memory);
    if (is_virtio_mem && device->memory.is_preallocated)
        append_word(text, "allocated when plugged");
    if (has_slots(device->model)) {
        append_word(text, "slot ");
        append_number(text, device->slot);
    }
    if (device->address) {
        append_word(text, "at ");
        g_string_append_printf(text, "0x%" G_GINT64_MODIFIER "x", device->address);
    }
    if (is_virtio_mem) {
        append_named(text, "takes ", device->requested_bytes);
        append_named(text, "blocks of ", device->block_bytes);
    }
    if (device->dynamic_memslots)
        append_word(text, "dynamic memslots");
    if (device->memory.align_bytes)
        append_named(text, "aligned to ", device->memory.align_bytes);
    if (device->label_bytes)
        append_named(text, "labels of ", device->label_bytes);
    if (device->window_bytes && device->window_bytes != device->memory.memory_bytes)
        append_named(text, "window of ", device->window_bytes);
    if (device->pmem || device->is_persistent)
        append_word(text, "persistent memory");
    if (device->readonly)
        append_word(text, "read only");
    return text;
}

static void write_memory_devices(const struct plan_guest *guest, GString *out)
{
    static const char *const heads[] = { "device", "", "memory", "cell", "pages", "nodes", "policy", "" };
    struct table table;
    if (!guest->memory_device_count)
        return;
    append(out, "\n");
    table_open(&table, G_N_ELEMENTS(heads), false);
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++)
        table_add(&table, heads[i]);
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct plan_memory_device *device = &guest->memory_devices[i];
        const struct plan_cell *memory = &device->memory;
        table_add(&table, memory_model_word(device->model));
        table_add(&table, memory->name);
        table_take(&table, size_field(memory->memory_bytes, "none"));
        table_add(&table, device->model == MEMORY_VIRTIO_PMEM ? "none" : guest->cells[device->cell].name);
        table_take(&table, size_field(memory->page_bytes, "normal"));
        table_take(&table, set_field(memory->nodes, "any"));
        table_add(&table, memory->nodes ? memory_policy_word(memory->policy) : "-");
        table_take(&table, remarks_on_device(device));
    }
    table_write(&table, out);
}

static void write_distances(const struct plan_guest *guest, GString *out)
{
    if (!guest->distances)
        return;
    struct table table;
    table_open(&table, guest->cell_count + 1, true);
    table_add(&table, "distances");
    for (uint32_t i = 0; i < guest->cell_count; i++)
        table_add(&table, guest->cells[i].name);
    for (uint32_t from = 0; from < guest->cell_count; from++) {
        table_add(&table, guest->cells[from].name);
        for (uint32_t to = 0; to < guest->cell_count; to++) {
            GString *number = g_string_new(NULL);
            append_number(number, guest->distances[(size_t)from * guest->cell_count + to]);
            table_take(&table, number);
        }
    }
    append(out, "\n");
    table_write(&table, out);
}

/* ---- guests ----------------------------------------------------------------------------------------------------- */

static void append_count(GString *out, uint64_t count, const char *one, const char *many)
{
    append_number(out, count);
    append(out, count == 1 ? one : many);
}

static void write_topology(const struct plan_guest *guest, GString *out)
{
    const struct {
        uint32_t count;
        const char *one, *many;
        bool always;
    } levels[] = {
        { guest->drawers, " drawer", " drawers", false },    { guest->books, " book", " books", false },
        { guest->sockets, " socket", " sockets", true },     { guest->dies, " die", " dies", false },
        { guest->clusters, " cluster", " clusters", false }, { guest->modules, " module", " modules", false },
        { guest->cores, " core", " cores", true },           { guest->threads, " thread", " threads", true },
    };
    const char *between = "  ";
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        if (!levels[i].always && levels[i].count == 1)
            continue;
        append(out, between);
        append_count(out, levels[i].count, levels[i].one, levels[i].many);
        between = " x ";
    }
    append(out, "; ");
    if (guest->has_base) {
        append(out, "the rest from its base\n");
        return;
    }
    append(out, guest->cpu_model);
    append(out, " on ");
    if (strcmp(guest->architecture, "x86_64") != 0) {
        append(out, guest->architecture);
        append(out, " ");
    }
    append(out, guest->machine);
    append(out, ", ");
    append(out, guest->accel);
    if (guest->remaps_interrupts)
        append(out, ", interrupts remapped");
    append(out, strcmp(guest->firmware, "uefi") == 0 ? ", uefi\n" : "\n");
}

static void write_caches(const struct plan_guest *guest, GString *out)
{
    bool is_begun = false;
    for (enum cpu_cache cache = 0; cache < CPU_CACHES; cache++) {
        if (guest->cache_levels[cache] == SHARED_UNSAID)
            continue;
        append(out, is_begun ? ", " : "  vCPUs share ");
        append(out, cpu_cache_word(cache));
        append(out, " by ");
        append(out, shared_level_word(guest->cache_levels[cache]));
        is_begun = true;
    }
    append(out, is_begun ? "\n" : "");
}

static void write_hotplug(const struct plan_guest *guest, GString *out)
{
    if (!guest->online)
        return;
    append(out, "  vCPUs at start ");
    ids_append(out, guest->online);
    append(out, "; fixed ");
    ids_append(out, guest->fixed);
    for (uint32_t i = 0; guest->plug_order && i < ids_size(guest->online); i++) {
        append(out, i ? " " : "; plugged as ");
        append_number(out, guest->plug_order[i]);
    }
    append(out, "\n");
}

static void write_boot(const struct plan_guest *guest, GString *out)
{
    const struct {
        const char *label, *value;
    } rows[] = {
        { "kernel", guest->kernel }, { "initrd", guest->initrd },   { "cmdline", guest->cmdline },
        { "disk", guest->disk },     { "network", guest->network },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!rows[i].value)
            continue;
        append(out, "  ");
        append(out, rows[i].label);
        append(out, " ");
        append(out, rows[i].value);
        append(out, "\n");
    }
}

/* The host nodes of all its cells; nothing where none is bound. */
static void append_nodes(GString *out, const struct plan_guest *guest)
{
    g_autoptr(GString) nodes = g_string_new(NULL);
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct ids *here = guest->cells[c].nodes;
        if (!here || (c && guest->cells[c - 1].nodes && ids_equal(here, guest->cells[c - 1].nodes)))
            continue;
        append(nodes, nodes->len ? " " : "");
        ids_append(nodes, here);
    }
    if (!nodes->len)
        return;
    append(out, strpbrk(nodes->str, " ,-") ? " (nodes " : " (node ");
    append(out, nodes->str);
    append(out, ")");
}

static void write_moves(const struct plan_guest *guest, GString *out)
{
    for (uint32_t m = 0; m < guest->move_count; m++) {
        append(out, m ? "  may move to " : "\n  may move to ");
        append(out, guest->moves[m].host);
        append_nodes(out, &guest->moves[m]);
        append(out, "\n");
        if (any_pin(&guest->moves[m]))
            append_pins(out, &guest->moves[m], "    ");
    }
}

/* All behind the name, so that guests which read the same can be told by comparing. */
static void write_body(const struct plan_guest *guest, GString *out)
{
    if (guest->host) {
        append(out, " on ");
        append(out, guest->host);
    }
    append(out, ": ");
    append_count(out, guest->vcpu_count, " vCPU, ", " vCPUs, ");
    if (guest->online)
        append_count(out, ids_size(guest->online), " of them at start, ", " of them at start, ");
    size_append(out, guest->memory_bytes);
    if (guest->max_memory_bytes) {
        append(out, " (at most ");
        size_append(out, guest->max_memory_bytes);
        append(out, " in ");
        append_count(out, guest->memory_slots, " slot)", " slots)");
    }
    if (guest->current_memory_bytes) {
        append(out, ", ballooned to ");
        size_append(out, guest->current_memory_bytes);
    }
    if (guest->has_numa) {
        append(out, ", ");
        append_count(out, guest->cell_count, " cell", " cells");
    }
    if (guest->iothread_count) {
        append(out, ", ");
        append_count(out, guest->iothread_count, " iothread", " iothreads");
    }
    if (guest->is_qemu_only)
        append(out, ", QEMU target only");
    if (guest->cpus_by_numad || guest->memory_by_numad)
        append(out, ", libvirt target only");
    if (guest->is_locked)
        append(out, ", locked");
    if (guest->hard_limit_bytes) {
        append(out, ", at most ");
        size_append(out, guest->hard_limit_bytes);
    }
    append(out, "\n");
    write_topology(guest, out);
    write_caches(guest, out);
    write_hotplug(guest, out);
    write_boot(guest, out);
    append(out, "\n");
    write_cells(guest, out);
    write_memory_devices(guest, out);
    if (any_pin(guest)) {
        append(out, "\n");
        append_pins(out, guest, "  ");
    } else {
        append(out, "\n  no thread is pinned\n");
    }
    if (guest->cpus_by_numad || guest->memory_by_numad)
        append(out, !guest->memory_by_numad ? "  numad chooses CPUs at start\n"
                    : guest->cpus_by_numad  ? "  numad chooses CPUs and nodes at start\n"
                                            : "  numad chooses the nodes at start\n");
    append_iothread_tuning(out, guest, "  ");
    append_tuning(out, guest, "  ");
    append_expanders(out, guest, "  ");
    append_devices(out, guest, "  ");
    write_distances(guest, out);
    write_text_hmat(guest, out);
    write_moves(guest, out);
}

/* ---- guests that read the same ---------------------------------------------------------------------------------- */

struct alike { /* guests of one family, or one guest, and what is said of them */
    const struct plan_guest *first;
    size_t family_length; /* of the name's "web-"; 0: no family */
    GArray *numbers;      /* uint64_t, in the order of the plan */
    GString *body;
};

static void alike_free(void *data)
{
    struct alike *alike = data;
    g_array_free(alike->numbers, TRUE);
    g_string_free(alike->body, TRUE);
    g_free(alike);
}

/* Splits "web-12" into its family and number, "web-07" into "web-0" and 7; false where the name has no number. */
static bool family_of(const char *name, size_t *out_length, uint64_t *out_number)
{
    const char *digits = strrchr(name, '-');
    if (!digits || digits++ == name || !g_ascii_isdigit(*digits) || strlen(digits) > 9)
        return false;
    while (*digits == '0' && digits[1])
        digits++;
    char *end;
    *out_number = g_ascii_strtoull(digits, &end, 10);
    *out_length = (size_t)(digits - name);
    return !*end;
}

static GPtrArray *fold(const struct plan *plan)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func(alike_free);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (uint32_t i = 0; i < plan->guest_count; i++) {
        const struct plan_guest *guest = &plan->guests[i];
        size_t length = 0;
        uint64_t number = 0;
        bool has_family = family_of(guest->name, &length, &number);
        g_autoptr(GString) body = g_string_new(NULL);
        write_body(guest, body);
        char *key = g_strdup_printf("%.*s%s", (int)length, has_family ? guest->name : "", body->str);
        struct alike *alike = has_family ? g_hash_table_lookup(known, key) : NULL;
        if (!alike) {
            alike = g_new(struct alike, 1);
            *alike = (struct alike){ .first = guest,
                                     .family_length = length,
                                     .numbers = g_array_new(FALSE, FALSE, sizeof number),
                                     .body = g_steal_pointer(&body) };
            g_ptr_array_add(groups, alike);
        }
        g_array_append_val(alike->numbers, number);
        if (has_family)
            g_hash_table_replace(known, key, alike);
        else
            g_free(key);
    }
    return groups;
}

/* "web-1 to web-4", or "web-1,3,5-7" where others stand between. */
static void append_names(GString *out, const struct alike *alike)
{
    const uint64_t *numbers = (const uint64_t *)(const void *)alike->numbers->data;
    guint count = alike->numbers->len;
    append(out, alike->first->name);
    for (guint i = 1, last; i < count; i = last + 1) {
        bool follows = numbers[i] == numbers[i - 1] + 1;
        for (last = i; last + 1 < count && numbers[last + 1] == numbers[last] + 1;)
            last++;
        if (i == 1 && follows && last + 1 == count) {
            append(out, " to ");
            append_bytes(out, alike->first->name, alike->family_length);
        } else if (follows) {
            append(out, "-");
        } else {
            append(out, ",");
            append_number(out, numbers[i]);
            if (last == i)
                continue;
            append(out, "-");
        }
        append_number(out, numbers[last]);
    }
}

void write_plan_text(const struct plan *plan, GString *out)
{
    g_autoptr(GPtrArray) groups = fold(plan);
    append(out, "site ");
    append(out, plan->site);
    append(out, ": ");
    append_count(out, plan->guest_count, " guest\n", " guests\n");
    for (guint i = 0; i < groups->len; i++) {
        const struct alike *alike = g_ptr_array_index(groups, i);
        bool is_one = alike->numbers->len == 1;
        append(out, is_one ? "\nguest " : "\nguests ");
        append_names(out, alike);
        if (!is_one)
            append(out, ", each");
        append_bytes(out, alike->body->str, alike->body->len);
    }
    for (uint32_t i = 0; i < plan->host_count; i++)
        write_text_host(&plan->hosts[i], out);
}
