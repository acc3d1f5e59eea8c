/* SPDX-License-Identifier: MIT
 *
 * Who needs which feature: the rule that the programs of the host are new enough.  The features and their versions
 * stand in ground/features.def.
 */
#include "check/needs.h"

#include <string.h>

/* Where a feature is asked for; W_NONE: placement does without, or a rule of its own tells what is lost. */
static const enum word_id words[FEATURE_COUNT] = {
    [FEATURE_ARGV] = W_NONE,
    [FEATURE_DIES] = W_VCPUS_DIES,
    [FEATURE_CLUSTERS] = W_VCPUS_CLUSTERS,
    [FEATURE_MODULES] = W_VCPUS_MODULES,
    [FEATURE_BOOKS] = W_VCPUS_BOOKS,
    [FEATURE_SHARED_CACHES] = W_VCPUS_CACHES,
    [FEATURE_VCPUS_1024] = W_GUEST_VCPUS,
    [FEATURE_VCPUS_4096] = W_GUEST_VCPUS,
    [FEATURE_X2APIC_TCG] = W_GUEST_ACCEL,
    [FEATURE_INTERRUPT_REMAPPING] = W_GUEST_VCPUS,
    [FEATURE_MAXIMUM_MODEL] = W_GUEST_CPU,
    [FEATURE_MEMORY_ONLY_CELLS] = W_CELL_VCPUS,
    [FEATURE_DISTANCES] = W_GUEST_DISTANCES,
    [FEATURE_RESTRICTIVE] = W_NODE,
    [FEATURE_MEMFD_BACKING] = W_BACKING,
    [FEATURE_DISCARD] = W_DISCARD,
    [FEATURE_NO_RESERVE] = W_RESERVE,
    [FEATURE_MAXPHYSADDR] = W_CPU_MAXPHYSADDR,
    [FEATURE_MAXPHYSADDR_LIMIT] = W_CPU_MAXPHYSADDR,
    [FEATURE_THREAD_CONTEXT] = W_NONE,
    [FEATURE_ALLOCATION_THREADS] = W_ALLOCATION_THREADS,
    [FEATURE_SHM_BACKING] = W_BACKING,
    [FEATURE_FILE_OFFSET] = W_BACKING_OFFSET,
    [FEATURE_HMAT] = W_GUEST_HMAT,
    [FEATURE_PREFERRED_MANY] = W_NONE,
    [FEATURE_EMULATOR_SCHEDULER] = W_EMULATOR_SCHEDULER,
    [FEATURE_IOTHREAD_POOL] = W_IOTHREAD_POOL,
    [FEATURE_IOTHREAD_POLL] = W_NONE,
    [FEATURE_CACHE_PARTS] = W_GUEST_RESCTRL,
    [FEATURE_BANDWIDTH_SHARES] = W_RESCTRL_BANDWIDTH,
    [FEATURE_BANDWIDTH_RATES] = W_RESCTRL_BANDWIDTH,
    [FEATURE_RESCTRL_MONITORS] = W_RESCTRL_MONITOR,
    [FEATURE_MEMORY_DEVICES] = W_MEMORY_MAX,
    [FEATURE_VIRTIO_MEM] = W_GUEST_VIRTIO_MEM,
    [FEATURE_VIRTIO_MEM_CCW] = W_GUEST_VIRTIO_MEM,
    [FEATURE_NVDIMM] = W_GUEST_NVDIMM,
    [FEATURE_VIRTIO_PMEM] = W_GUEST_VIRTIO_PMEM,
    [FEATURE_SGX_EPC] = W_GUEST_SGX_EPC,
    [FEATURE_CXL] = W_GUEST_CXL,
    [FEATURE_CXL_VOLATILE] = W_GUEST_CXL,
    [FEATURE_DYNAMIC_MEMSLOTS] = W_MEMORY_DEVICE_DYNAMIC_MEMSLOTS,
    [FEATURE_FEWER_SLOTS] = W_MEMORY_SLOTS,
    [FEATURE_VIRTIO_ADDRESS] = W_MEMORY_DEVICE_ADDRESS,
    [FEATURE_EXPANDER_BUS] = W_GUEST_EXPANDER_BUS,
    [FEATURE_HOST_BRIDGES] = W_GUEST_EXPANDER_BUS,
    [FEATURE_NVDIMM_PPC64] = W_GUEST_NVDIMM,
    [FEATURE_EMULATED_THREADS] = W_VCPUS_THREADS,
    [FEATURE_DISTANCE_FORM2] = W_GUEST_DISTANCES,
    [FEATURE_GENERIC_INITIATOR] = W_DEVICE_INITIATOR,
    [FEATURE_RISCV] = W_GUEST_ARCH,
    [FEATURE_RISCV_CELLS] = W_GUEST_CELLS,
    [FEATURE_RISCV_VCPUS] = W_GUEST_VCPUS,
    [FEATURE_RISCV_UEFI] = W_BOOT_FIRMWARE,
    [FEATURE_RISCV_ACPI_CELLS] = W_BOOT_FIRMWARE,
    [FEATURE_RISC_MAX] = W_GUEST_CPU,
    [FEATURE_LOONGARCH] = W_GUEST_ARCH,
    [FEATURE_LOONGARCH_CELLS] = W_GUEST_CELLS,
    [FEATURE_LOONGARCH_VCPUS] = W_GUEST_VCPUS,
    [FEATURE_LOONGARCH_SMALL] = W_GUEST_MEMORY,
    [FEATURE_LOONGARCH_PLUGS] = W_VCPUS_MAX,
};

static bool some_iothread(const struct plan_guest *plan, enum feature feature)
{
    for (uint32_t i = 0; i < plan->iothread_count; i++)
        if (feature == FEATURE_IOTHREAD_POOL ? plan->iothreads[i].has_pool : plan->iothreads[i].has_poll)
            return true;
    return false;
}

static bool some_group(const struct plan_guest *plan, enum feature feature)
{
    for (uint32_t i = 0; i < plan->resctrl_count; i++) {
        const struct plan_resctrl *group = &plan->resctrls[i];
        bool has_rate = false;
        for (uint32_t b = 0; b < group->bandwidth_count; b++)
            has_rate |= group->bandwidths[b].bytes_per_second != 0;
        if (feature == FEATURE_CACHE_PARTS        ? group->part_count != 0
            : feature == FEATURE_BANDWIDTH_SHARES ? group->bandwidth_count && !has_rate
            : feature == FEATURE_BANDWIDTH_RATES  ? has_rate
                                                  : group->monitor_count != 0)
            return true;
    }
    return false;
}

static bool uses(enum feature feature, const struct plan_memory_device *device)
{
    bool is_virtio = device->model == MEMORY_VIRTIO_MEM || device->model == MEMORY_VIRTIO_PMEM;
    switch ((unsigned)feature) {
    case FEATURE_VIRTIO_MEM:
    case FEATURE_VIRTIO_MEM_CCW:
        return device->model == MEMORY_VIRTIO_MEM;
    case FEATURE_NVDIMM:
    case FEATURE_NVDIMM_PPC64:
        return device->model == MEMORY_NVDIMM;
    case FEATURE_VIRTIO_PMEM:
        return device->model == MEMORY_VIRTIO_PMEM;
    case FEATURE_SGX_EPC:
        return device->model == MEMORY_SGX_EPC;
    case FEATURE_CXL:
        return device->model == MEMORY_CXL && device->is_persistent;
    case FEATURE_CXL_VOLATILE:
        return device->model == MEMORY_CXL && !device->is_persistent;
    case FEATURE_DYNAMIC_MEMSLOTS:
        return device->dynamic_memslots;
    default:
        return is_virtio && device->address;
    }
}

/* The first that uses a feature; the count of them where none does. */
static uint32_t first_device(const struct plan_guest *plan, enum feature feature)
{
    uint32_t i = 0;
    while (i < plan->memory_device_count && !uses(feature, &plan->memory_devices[i]))
        i++;
    return i;
}

static bool plugs_cores(const struct plan_guest *plan)
{
    return architecture_of(plan->architecture)->plugs_cores;
}

/* Features of one architecture, which came to it later than to others. */
static bool is_used_of_arch(enum feature feature, const struct plan_guest *plan)
{
    bool is_riscv = strcmp(plan->architecture, "riscv64") == 0,
         is_loongarch = strcmp(plan->architecture, "loongarch64") == 0, has_uefi = strcmp(plan->firmware, "uefi") == 0;
    switch ((unsigned)feature) {
    case FEATURE_RISCV:
        return is_riscv && (!plan->has_base || plan->has_numa);
    case FEATURE_RISCV_CELLS:
        return is_riscv && plan->cell_count > 1 && !has_uefi;
    case FEATURE_RISCV_VCPUS:
        return is_riscv && plan->vcpu_count > 32;
    case FEATURE_RISCV_UEFI:
        return is_riscv && has_uefi && !plan->has_numa;
    case FEATURE_RISCV_ACPI_CELLS:
        return is_riscv && has_uefi && plan->has_numa;
    case FEATURE_RISC_MAX:
        return (is_riscv || is_loongarch) && strcmp(plan->cpu_model, "max") == 0;
    case FEATURE_LOONGARCH:
        return is_loongarch;
    case FEATURE_LOONGARCH_CELLS:
        return is_loongarch && plan->has_numa;
    case FEATURE_LOONGARCH_VCPUS:
        return is_loongarch && plan->vcpu_count > 4 && !plan->has_numa;
    case FEATURE_LOONGARCH_SMALL:
        return is_loongarch && (plan->memory_bytes < GIB || plan->cells[0].memory_bytes < 256 * MIB);
    default:
        return is_loongarch && plan->online;
    }
}

/* Whether the guest itself (cell NULL), or this cell of it, uses a feature. */
static bool is_used(enum feature feature, const struct plan_guest *plan, const struct plan_cell *cell)
{
    switch (feature) {
    case FEATURE_ARGV:
        return !cell && !plan->has_base;
    case FEATURE_DIES:
        return !cell && plan->dies > 1;
    case FEATURE_CLUSTERS:
        return !cell && plan->clusters > 1;
    case FEATURE_MAXIMUM_MODEL:
        return !cell && strcmp(plan->cpu_model, "max") == 0;
    case FEATURE_MEMORY_ONLY_CELLS:
        return cell && !ids_size(cell->vcpus);
    case FEATURE_DISTANCES:
        return !cell && plan->distances;
    case FEATURE_RESTRICTIVE:
        return cell && cell->nodes && cell->policy == POLICY_RESTRICTIVE;
    case FEATURE_MEMFD_BACKING:
        return cell && cell->backing == BACKING_MEMFD;
    case FEATURE_DISCARD:
        return cell && cell->discard;
    case FEATURE_NO_RESERVE:
        return cell && !cell->reserve;
    case FEATURE_MODULES:
        return !cell && plan->modules > 1;
    case FEATURE_BOOKS:
        return !cell && has_vcpu_gap(plan, GAP_BOOKS);
    case FEATURE_SHARED_CACHES:
        return !cell && has_vcpu_gap(plan, GAP_CACHES);
    case FEATURE_VCPUS_1024:
        return !cell && !plan->has_base && plan->vcpu_count > 288 && plan->vcpu_count <= 1024;
    case FEATURE_VCPUS_4096:
        return !cell && !plan->has_base && plan->vcpu_count > 1024;
    case FEATURE_X2APIC_TCG:
        return !cell && plan->remaps_interrupts && strcmp(plan->accel, "tcg") == 0;
    case FEATURE_INTERRUPT_REMAPPING:
        return !cell && plan->remaps_interrupts;
    case FEATURE_MAXPHYSADDR:
        return !cell && plan->maxphysaddr_mode != MAXPHYSADDR_UNSAID;
    case FEATURE_MAXPHYSADDR_LIMIT:
        return !cell && plan->maxphysaddr_mode == MAXPHYSADDR_PASSTHROUGH && plan->maxphysaddr_bits;
    case FEATURE_HMAT:
        return !cell && plan->has_hmat;
    case FEATURE_GENERIC_INITIATOR:
        for (uint32_t i = 0; !cell && i < plan->device_count; i++)
            if (plan->devices[i].initiator != NO_INITIATOR)
                return true;
        return false;
    case FEATURE_EXPANDER_BUS:
        return !cell && plan->expander_count;
    case FEATURE_HOST_BRIDGES:
        return !cell && plan->expander_count && plan->expanders[0].kind == EXPANDER_PHB;
    case FEATURE_EMULATED_THREADS:
        return !cell && plan->threads > 1 && plugs_cores(plan) && strcmp(plan->accel, "tcg") == 0;
    case FEATURE_DISTANCE_FORM2:
        return !cell && plugs_cores(plan) && has_one_way_distances(plan);
    case FEATURE_NVDIMM_PPC64:
        return !cell && plugs_cores(plan) && first_device(plan, feature) < plan->memory_device_count;
    case FEATURE_PREFERRED_MANY:
        return cell && cell->nodes && cell->policy == POLICY_PREFERRED && ids_size(cell->nodes) > 1;
    case FEATURE_THREAD_CONTEXT:
        return cell && cell->is_preallocated && cell->context_nodes;
    case FEATURE_ALLOCATION_THREADS:
        return cell && cell->is_preallocated && cell->prealloc_threads > 1;
    case FEATURE_SHM_BACKING:
        return cell && cell->backing == BACKING_SHM;
    case FEATURE_FILE_OFFSET:
        return cell && cell->offset_bytes;
    case FEATURE_EMULATOR_SCHEDULER:
        return !cell && plan->emulator_scheduling.class;
    case FEATURE_IOTHREAD_POOL:
    case FEATURE_IOTHREAD_POLL:
        return !cell && some_iothread(plan, feature);
    case FEATURE_CACHE_PARTS:
    case FEATURE_BANDWIDTH_SHARES:
    case FEATURE_BANDWIDTH_RATES:
    case FEATURE_RESCTRL_MONITORS:
        return !cell && some_group(plan, feature);
    case FEATURE_MEMORY_DEVICES:
        return !cell && plan->max_memory_bytes;
    case FEATURE_VIRTIO_MEM_CCW:
        return !cell && architecture_of(plan->architecture)->virtio_bus &&
               first_device(plan, feature) < plan->memory_device_count;
    case FEATURE_VIRTIO_MEM:
    case FEATURE_NVDIMM:
    case FEATURE_VIRTIO_PMEM:
    case FEATURE_SGX_EPC:
    case FEATURE_CXL:
    case FEATURE_CXL_VOLATILE:
    case FEATURE_DYNAMIC_MEMSLOTS:
    case FEATURE_VIRTIO_ADDRESS:
        return !cell && first_device(plan, feature) < plan->memory_device_count;
    case FEATURE_FEWER_SLOTS:
        return !cell && plugged_devices(plan) > plan->memory_slots;
    case FEATURE_RISCV:
    case FEATURE_RISCV_CELLS:
    case FEATURE_RISCV_VCPUS:
    case FEATURE_RISCV_UEFI:
    case FEATURE_RISCV_ACPI_CELLS:
    case FEATURE_RISC_MAX:
    case FEATURE_LOONGARCH:
    case FEATURE_LOONGARCH_CELLS:
    case FEATURE_LOONGARCH_VCPUS:
    case FEATURE_LOONGARCH_SMALL:
    case FEATURE_LOONGARCH_PLUGS:
        return !cell && is_used_of_arch(feature, plan);
    case FEATURE_COUNT:
        break;
    }
    bug("a feature that is none");
}

/* Where a guest says a word, in a block of its own or not. */
static struct span word_of_guest(const struct planned_guest *planned, enum feature feature)
{
    const struct guest *guest = planned->guest;
    enum word_id word = words[feature];
    uint32_t device = first_device(planned->plan, feature);
    if (word_row(word)->object == OBJECT_MEMORY_DEVICE && device < guest->memory_device_count) {
        const struct memory_device *said = said_memory_device(planned, device);
        return is_said(&said->said, word) ? said_span(&said->said, word, 0) : said->span;
    }
    for (uint32_t i = 0; word_row(word)->in == IN_IOTHREAD && i < guest->iothread_count; i++)
        if (is_said(&guest->iothreads[i].said, word))
            return said_span(&guest->iothreads[i].said, word, 0);
    for (uint32_t i = 0; word_row(word)->in == IN_RESCTRL && i < guest->resctrl_count; i++)
        if (is_said(&guest->resctrls[i].said, word))
            return said_span(&guest->resctrls[i].said, word, 0);
    for (uint32_t i = 0; word == W_GUEST_HMAT && !is_said(&guest->said, word) && i < guest->cell_count; i++)
        if (is_said(&guest->cells[i].said, W_CELL_LATENCY))
            return said_span(&guest->cells[i].said, W_CELL_LATENCY, 0);
    if (word == W_VCPUS_BOOKS && !is_said(&guest->said, word))
        word = W_VCPUS_DRAWERS;
    if (word == W_GUEST_RESCTRL && guest->resctrl_count)
        return guest->resctrls[0].span;
    for (uint32_t i = 0; word_row(word)->in == IN_DEVICE && i < guest->device_count; i++)
        if (is_said(&guest->devices[i].said, word))
            return said_span(&guest->devices[i].said, word, 0);
    if (word == W_GUEST_EXPANDER_BUS && guest->expander_count)
        return guest->expanders[0].span;
    return guest_word_span(guest, word, 0);
}

static void report_lack(const struct check *check, const struct planned_guest *planned, enum feature feature,
                        struct span span)
{
    struct finding *finding = report(check->findings, NM_feature_missing, span, "guest '%s' %s", planned->plan->name,
                                     feature_text(check->arena, planned->programs, feature));
    bool is_asked = span.begin != planned->guest->span.begin || span.file != planned->guest->span.file;
    finding_help(check->findings, finding, "%s what runs there: 'versions { %s }'",
                 is_asked ? "remove it, or say" : "say", /* else nothing of the site asks for it */
                 feature_version_row(check->arena, planned->programs, feature));
}

static void hosts_have_the_features(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (enum feature feature = 0; feature < FEATURE_COUNT; feature++) {
        if (words[feature] == W_NONE || host_has_feature(planned->programs, feature))
            continue;
        if (is_used(feature, plan, NULL))
            report_lack(check, planned, feature, word_of_guest(planned, feature));
        for (uint32_t c = 0; c < plan->cell_count; c++)
            if (is_used(feature, plan, &plan->cells[c]))
                report_lack(check, planned, feature, cell_word(planned->guest, c, words[feature], 0));
    }
}

static void hosts_have_the_machine(const struct check *check, const struct planned_guest *planned)
{
    const char *machine = planned->plan->machine;
    unsigned major, minor;
    if (!machine_version(machine, &major, &minor) || !host_is_older(planned->programs, PROGRAM_QEMU, major, minor))
        return;
    const struct guest *guest = planned->guest;
    struct span span =
        guest->base_ruled ? guest->base_ruled[BASE_MACHINE].span : guest_word_span(guest, W_GUEST_MACHINE, 1);
    const struct version *has = &planned->programs->facts->versions[PROGRAM_QEMU];
    const char *who =
        planned->host ? arena_printf(check->arena, "host '%s' has", planned->host->name) : "the site says";
    struct finding *finding =
        report(check->findings, NM_feature_missing, span, "guest '%s' needs QEMU %u.%u for machine '%s', and %s %u.%u",
               planned->plan->name, major, minor, machine, who, has->major, has->minor);
    finding_note(check->findings, finding, "an older QEMU does not know the machine and refuses to start");
    finding_help(check->findings, finding,
                 guest->base_ruled
                     ? "take an older version of it in the base, or say what runs there: 'versions { qemu %u.%u }'"
                     : "leave the version out, or say what runs there: 'versions { qemu %u.%u }'",
                 major, minor);
}

/* libvirt talks to older ones in their own way; one hint a host. */
static void hosts_take_the_argv(const struct check *check, const struct planned_guest *planned)
{
    if (planned->plan->has_base || !planned->host || host_has_feature(planned->programs, FEATURE_ARGV))
        return;
    struct finding *finding = report(check->findings, NM_argv_too_new, planned->host->declared->span,
                                     "the QEMU target %s", feature_text(check->arena, planned->programs, FEATURE_ARGV));
    finding_help(check->findings, finding, "use the libvirt target there");
}

const struct plan_rule plan_feature_rules[] = {
    { .name = "hosts-have-the-features", .source = "ground/features.def", .run = hosts_have_the_features },
    { .name = "hosts-have-the-machine", .source = "QEMU hw/core/machine.c", .run = hosts_have_the_machine },
    { .name = "hosts-take-the-argv", .source = "ground/features.def", .run = hosts_take_the_argv },
    { 0 }
};

bool needs_unknown_version(const struct planned_guest *planned, enum feature *out_feature)
{
    const struct plan_guest *plan = planned->plan;
    for (enum feature feature = 0; feature < FEATURE_COUNT; feature++) {
        if (!feature_is_guessed(planned->programs, feature))
            continue;
        bool uses = is_used(feature, plan, NULL);
        for (uint32_t c = 0; !uses && c < plan->cell_count; c++)
            uses = is_used(feature, plan, &plan->cells[c]);
        *out_feature = feature;
        if (uses)
            return true;
    }
    return false;
}
