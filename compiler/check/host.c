/* SPDX-License-Identifier: MIT
 *
 * Rules about a host with all its guests on it: what its source does not tell, what its kernel does to them, what they
 * leave of it.  One pass over the guests, at most one finding for each host and subject.
 */
#include "check/needs.h"

enum { NORMAL_MEMORY_WANTED = 64 }; /* MiB of a node, for QEMU's own and the kernel's */

struct load { /* what the guests of one host have in common: the first guest of each sort */
    const struct planned_guest *any, *bound, *merging, *unmoving, *dedicated, *telling, *parting;
    const struct planned_guest *guessing;
    enum feature guessed;
    uint64_t *normal_bytes;                       /* strict memory on normal pages, by node */
    const struct planned_guest **normal, **paged; /* by node */
    uint32_t own_cpus;
    bool misses_memory, misses_pools;
};

static void enter_cell(struct load *load, const struct planned_guest *planned, const struct plan_cell *cell)
{
    const struct host *facts = planned->host->facts;
    for (ids_each(cell->nodes, number)) {
        const struct host_node *node = host_node(facts, number);
        if (!node)
            continue;
        size_t n = (size_t)(node - facts->nodes);
        load->misses_memory |= !node->memory_bytes.known;
        load->misses_pools |= cell->page_bytes && !node->pools_known && !node_pool(node, cell->page_bytes);
        const struct planned_guest **first = cell->page_bytes ? &load->paged[n] : &load->normal[n];
        if (!*first)
            *first = planned;
        if (!cell->page_bytes && cell->policy == POLICY_STRICT && ids_size(cell->nodes) == 1)
            load->normal_bytes[n] += cell->memory_bytes;
    }
}

static void enter_pins(struct load *load, const struct planned_guest *planned, bool is_bound)
{
    const struct plan_guest *plan = planned->plan;
    uint32_t own_count = 0;
    const uint32_t *own = planned->own_cpus;
    for (uint32_t v = 0; own && v < plan->vcpu_count; v++)
        own_count += own[v] != NO_INDEX;
    if (!own_count)
        return;
    load->own_cpus += own_count;
    if (!load->dedicated)
        load->dedicated = planned;
    if (!load->unmoving && is_bound && own_count == plan->vcpu_count)
        load->unmoving = planned;
}

static void enter_guest(struct arena *scratch, struct load *load, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = planned->host->facts;
    bool any_bound = false, all_bound = true, merges = false;
    if (!load->any) {
        load->any = planned;
        load->normal_bytes = arena_array(scratch, uint64_t, facts->node_count);
        load->normal = arena_array(scratch, const struct planned_guest *, facts->node_count);
        load->paged = arena_array(scratch, const struct planned_guest *, facts->node_count);
    }
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        const struct plan_cell *cell = &plan->cells[c];
        all_bound &= cell->nodes != NULL;
        if (!cell->nodes)
            continue;
        any_bound = true;
        merges |= cell->merge && !cell->page_bytes; /* huge pages are never merged */
        enter_cell(load, planned, cell);
    }
    for (uint32_t i = 0; i < plan->memory_device_count; i++)
        if (plan->memory_devices[i].memory.nodes)
            enter_cell(load, planned, &plan->memory_devices[i].memory);
    if (any_bound && !load->bound)
        load->bound = planned;
    if (any_bound && merges && !load->merging)
        load->merging = planned;
    if (plan->cell_count > 1 && plan->distances && !load->telling)
        load->telling = planned;
    if (plan->resctrl_count && !load->parting)
        load->parting = planned;
    if (has_own_cpus(planned))
        enter_pins(load, planned, all_bound);
    if (!load->guessing && needs_unknown_version(planned, &load->guessed))
        load->guessing = planned;
}

/* ---- what the source does not tell ------------------------------------------------------------------------------ */

static void report_unknown(const struct check *check, const struct site_host *host, const struct load *load)
{
    const struct host *facts = host->facts;
    bool is_real =
        !host->declared->synthetic; /* an invented machine has of the kernel's states what the site declares */
    bool ksm_unknown =
        facts->ksm == STATE_UNKNOWN || (facts->ksm == STATE_YES && facts->ksm_merge_across_nodes == STATE_UNKNOWN);
    const struct unknown {
        bool is_unknown;
        const char *what, *declared;
    } unknowns[] = {
        { load->misses_memory, "the memory of its nodes", "memory { 0 64GiB }" },
        { load->misses_pools, "its huge pages", "hugepages 1GiB { 0 16 }" },
        { is_real && load->telling && !facts->distances && facts->node_count > 1, "distances", NULL },
        { is_real && load->dedicated && !facts->isolated_known, "isolated CPUs", "isolated 2-7" },
        { is_real && load->merging && ksm_unknown && facts->node_count > 1, "KSM", "ksm no" },
        { is_real && load->unmoving && facts->balancing == STATE_UNKNOWN && facts->node_count > 1,
          "automatic balancing", "balancing no" },
        { is_real && load->parting && !facts->resctrl_known, "what can be parted of caches and bandwidth", NULL },
        { load->guessing != NULL, "the versions of its programs", "versions { qemu 7.2; libvirt 9.0.0 }" },
    };
    g_autoptr(GString) what = g_string_new(NULL), declared = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(unknowns); i++) {
        if (!unknowns[i].is_unknown)
            continue;
        g_string_append_printf(what, "%s%s", what->len ? ", " : "", unknowns[i].what);
        if (unknowns[i].declared)
            g_string_append_printf(declared, "%s%s", declared->len ? "; " : "", unknowns[i].declared);
    }
    if (!what->len)
        return;
    struct finding *finding = report(check->findings, NM_facts_unknown, host->declared->span,
                                     "host '%s' does not tell: %s", host->name, what->str);
    finding_note(check->findings, finding, "rules that need to know were not run for guest '%s' and the others on it",
                 load->any->plan->name);
    if (load->guessing)
        finding_note(check->findings, finding,
                     "versions count as those of Debian 12, which matters for %s of guest '%s'",
                     feature_name(load->guessed), load->guessing->plan->name);
    if (declared->len)
        finding_help(check->findings, finding, "declare it, as in '%s', or record the machine with 'numac host record'",
                     declared->str);
    else
        finding_help(check->findings, finding, "record the machine with 'numac host record'");
}

/* ---- what the kernel does to guests ----------------------------------------------------------------------------- */

static struct span host_word(const struct site_host *host, enum word_id word)
{
    struct span span = said_span(&host->declared->said, word, 0);
    return span.file ? span : host->declared->span;
}

static void report_kernel(const struct check *check, const struct site_host *host, const struct load *load)
{
    const struct host *facts = host->facts;
    struct finding *finding;
    if (load->merging && facts->node_count > 1 && facts->ksm == STATE_YES &&
        facts->ksm_merge_across_nodes == STATE_YES) {
        finding = report(check->findings, NM_ksm_across_nodes, host_word(host, W_HOST_KSM),
                         "host '%s' merges equal pages across nodes, and guest '%s' is bound to some", host->name,
                         load->merging->plan->name);
        finding_label(check->findings, finding, load->merging->guest->span, "may be merged");
        finding_note(check->findings, finding, "a merged page stays on one node, however strict the binding is");
        finding_help(check->findings, finding,
                     "write 'ksm no' in the guest, or set merge_across_nodes to 0 and declare 'ksm local'");
    }
    if (load->unmoving && facts->node_count > 1 && facts->balancing == STATE_YES) {
        finding = report(check->findings, NM_balancing_in_vain, host_word(host, W_HOST_BALANCING),
                         "host '%s' balances memory by itself, and guest '%s' is pinned and bound", host->name,
                         load->unmoving->plan->name);
        finding_label(check->findings, finding, load->unmoving->guest->span, "cannot move");
        finding_note(check->findings, finding,
                     "the kernel unmaps pages to see who uses them, and can then move nothing");
        finding_help(check->findings, finding, "set kernel.numa_balancing to 0, and declare 'balancing no'");
    }
}

/* ---- what guests leave ------------------------------------------------------------------------------------------ */

static void report_node(const struct check *check, const struct site_host *host, const struct load *load, uint32_t n)
{
    const struct node_room *room = &host->rooms[n];
    const struct host_node *node = &host->facts->nodes[n];
    uint64_t left =
        room->memory_bytes.value > load->normal_bytes[n] ? room->memory_bytes.value - load->normal_bytes[n] : 0;
    if (!room->memory_bytes.known || !node->memory_bytes.value || room->reserved_bytes ||
        left >= NORMAL_MEMORY_WANTED * MIB)
        return;
    struct finding *finding;
    if (load->normal[n] && load->normal_bytes[n]) {
        finding =
            report(check->findings, NM_no_memory_left, host->declared->span, "guests leave %s of node %u of host '%s'",
                   left ? size_text(check->arena, left) : "nothing", node->os_index, host->name);
        finding_label(check->findings, finding, load->normal[n]->guest->span, "one of them");
        finding_help(check->findings, finding, "keep some for the host: 'reserve os { memory 1GiB }'");
    } else if (load->paged[n]) {
        finding = report(check->findings, NM_pages_leave_nothing, host->declared->span,
                         "huge pages leave %s of node %u of host '%s' for anything else",
                         left ? size_text(check->arena, left) : "nothing", node->os_index, host->name);
        finding_label(check->findings, finding, load->paged[n]->guest->span, "QEMU itself needs normal memory there");
        finding_help(check->findings, finding, "make the pool of node %u smaller", node->os_index);
    }
}

static void report_rest(const struct check *check, const struct site_host *host, const struct load *load)
{
    for (uint32_t n = 0; n < host->facts->node_count; n++)
        report_node(check, host, load, n);
    if (!load->dedicated || host->reserved->count || load->own_cpus < ids_size(host->open))
        return;
    struct finding *finding =
        report(check->findings, NM_no_cpu_left, host->declared->span,
               "guests have all %u CPUs of host '%s' for their own", ids_size(host->open), host->name);
    finding_label(check->findings, finding, load->dedicated->guest->span, "one of them");
    finding_note(check->findings, finding, "QEMU's own threads and the host would take time from the vCPUs");
    finding_help(check->findings, finding, "keep some for the host: 'reserve os { cpus %u }'", ids_first(host->open));
}

static void hosts_are_known_and_left_alive(const struct check *check, const struct planned_site *site)
{
    struct arena *scratch = arena_new();
    struct load *loads = arena_array(scratch, struct load, site->hosts->count);
    for (uint32_t i = 0; i < site->plan->guest_count; i++)
        if (facts_of(&site->guests[i]))
            enter_guest(scratch, &loads[site->guests[i].host - site->hosts->list], &site->guests[i]);
    for (uint32_t h = 0; h < site->hosts->count; h++) {
        if (!loads[h].any)
            continue;
        about_host(check->findings, site->hosts->list[h].declared);
        report_unknown(check, &site->hosts->list[h], &loads[h]);
        report_kernel(check, &site->hosts->list[h], &loads[h]);
        report_rest(check, &site->hosts->list[h], &loads[h]);
    }
    arena_free(scratch);
}

const struct site_rule host_rules[] = { { .name = "hosts-are-known-and-left-alive",
                                          .source = "peers 111, 112, 179, 213, 214",
                                          .run = hosts_are_known_and_left_alive },
                                        { 0 } };
