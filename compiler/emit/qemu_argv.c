/* SPDX-License-Identifier: MIT
 *
 * A guest as the command line of QEMU 7.2 and later.  It needs no mount, no running service and no privilege beyond
 * what the plan's memory needs: huge pages without a path of their own come from a memfd.  Pinning is no business of
 * QEMU's; the script and the runtime do it.
 */
#include "emit/qemu_argv.h"

#include "emit/emit.h"
#include "emit/guest_parts.h"
#include "emit/qemu_buses.h"
#include "emit/qemu_hmat.h"
#include "emit/qemu_memory.h"

static void flag(struct argv *argv, const char *option, const char *value)
{
    argv_option(argv, option);
    argv_value(argv, value);
}

static void begin(struct argv *argv, const char *option, const char *text)
{
    argv_option(argv, option);
    argv_begin(argv, text);
}

/* ---- the machine and its processors ----------------------------------------------------------------------------- */

static void shared_caches(struct argv *argv, const struct plan_guest *guest)
{
    uint32_t number = 0;
    for (enum cpu_cache cache = 0; cache < CPU_CACHES; cache++) {
        if (guest->cache_levels[cache] == SHARED_UNSAID)
            continue;
        put_number(argv, ",smp-cache.", number);
        put_text(argv, ".cache=", cpu_cache_word(cache));
        put_number(argv, ",smp-cache.", number++);
        put_text(argv, ".topology=", shared_level_word(guest->cache_levels[cache]));
    }
}

static void machine(struct argv *argv, const struct plan_guest *guest)
{
    begin(argv, "-name", "guest=");
    argv_text(argv, guest->name);
    argv_put(argv, ",debug-threads=on"); /* threads are told apart in ps and top */
    argv_end(argv);
    flag(argv, "-uuid", guest->uuid);
    begin(argv, "-machine", "");
    argv_text(argv, guest->machine);
    if (!guest->has_numa)
        argv_put(argv, ",memory-backend=ram-cell0");
    if (guest->gic_version)
        put_number(argv, ",gic-version=", guest->gic_version);
    if (guest->has_hmat)
        argv_put(argv, ",hmat=on");
    if (needs_nvdimm(guest))
        argv_put(argv, ",nvdimm=on");
    if (guest->memory_device_count > plugged_devices(guest))
        argv_put(argv, ",cxl=on");
    if (guest->remaps_interrupts) /* which an irqchip that is all in the kernel does not do */
        argv_put(argv, ",kernel-irqchip=split");
    shared_caches(argv, guest); /* since QEMU 10.0 */
    argv_end(argv);
    flag(argv, "-accel", guest->accel);
}

static void cpu_cache(struct argv *argv, const struct plan_guest *guest, bool is_host)
{
    switch (guest->cache_mode) {
    case CACHE_UNSAID:
        break;
    case CACHE_EMULATE:
        argv_put(argv, is_host ? ",host-cache-info=off,l3-cache=on" : ",l3-cache=on");
        break;
    case CACHE_PASSTHROUGH:
        argv_put(argv, ",host-cache-info=on,l3-cache=off");
        break;
    case CACHE_DISABLE:
        argv_put(argv, is_host ? ",host-cache-info=off,l3-cache=off" : ",l3-cache=off");
        break;
    }
}

/* The devices of a model of ppc64 that has versions are called after the version, the model itself after the one that
 * this QEMU takes: with devices beside it, it is the version that every QEMU has. */
static const char *versioned(const char *model)
{
    static const struct {
        const char *name, *version;
    } models[] = { { "POWER7", "power7_v2.3" },  { "POWER7+", "power7+_v2.1" },     { "POWER8E", "power8e_v2.1" },
                   { "POWER8", "power8_v2.0" },  { "POWER8NVL", "power8nvl_v1.0" }, { "POWER9", "power9_v2.0" },
                   { "POWER10", "power10_v2.0" } };
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
        if (g_ascii_strcasecmp(models[i].name, model) == 0)
            return models[i].version;
    return model;
}

/* QEMU has no host-model: the host's own CPU is the nearest, and without KVM the most that can be emulated. */
static const char *cpu_model(const struct plan_guest *guest)
{
    const struct architecture *architecture = architecture_of(guest->architecture);
    bool is_host = g_str_has_prefix(guest->cpu_model, "host-");
    if (is_host && strcmp(guest->accel, "kvm") == 0)
        return "host";
    const char *model = is_host ? architecture->emulated_cpu : guest->cpu_model;
    return architecture->plugs_cores && guest->online ? versioned(model) : model;
}

static void cpu(struct argv *argv, const struct plan_guest *guest)
{
    bool is_host = g_str_has_prefix(guest->cpu_model, "host-");
    begin(argv, "-cpu", "");
    argv_text(argv, cpu_model(guest));
    if (architecture_of(guest->architecture)->has_cpuid) {
        cpu_cache(argv, guest, is_host);
        if (guest->maxphysaddr_mode == MAXPHYSADDR_PASSTHROUGH)
            argv_put(argv, ",host-phys-bits=on");
        else if (guest->maxphysaddr_mode == MAXPHYSADDR_EMULATE)
            argv_put(argv, ",host-phys-bits=off");
        if (guest->maxphysaddr_bits)
            put_number(argv,
                       guest->maxphysaddr_mode == MAXPHYSADDR_PASSTHROUGH ? ",host-phys-bits-limit=" : ",phys-bits=",
                       guest->maxphysaddr_bits);
    }
    for (uint32_t i = 0; i < guest->feature_count; i++) {
        put_text(argv, ",", guest->features[i].name);
        argv_put(argv, guest->features[i].is_required ? "=on" : "=off");
    }
    argv_end(argv);
}

static void level(struct argv *argv, const char *key, uint32_t count, bool always)
{
    if (always || count > 1)
        put_number(argv, key, count);
}

static void memory_and_vcpus(struct argv *argv, const struct plan_guest *guest)
{
    begin(argv, "-m", "size=");
    put_number(argv, "", guest->memory_bytes / KIB);
    argv_put(argv, "k"); /* a bare number would be MiB here */
    if (guest->max_memory_bytes) {
        if (guest->memory_slots)
            put_number(argv, ",slots=", guest->memory_slots);
        put_number(argv, ",maxmem=", guest->max_memory_bytes / KIB);
        argv_put(argv, "k");
    }
    argv_end(argv);
    begin(argv, "-smp", "");
    argv_number(argv, first_vcpus(guest));
    if (guest->online)
        put_number(argv, ",maxcpus=", guest->vcpu_count);
    level(argv, ",drawers=", guest->drawers, false);
    level(argv, ",books=", guest->books, false);
    level(argv, ",sockets=", guest->sockets, true);
    level(argv, ",dies=", guest->dies, architecture_of(guest->architecture)->levels & CPU_DIES);
    level(argv, ",clusters=", guest->clusters, false);
    level(argv, ",modules=", guest->modules, false);
    level(argv, ",cores=", guest->cores, true);
    level(argv, ",threads=", guest->threads, true);
    argv_end(argv);
    if (guest->remaps_interrupts) /* before all devices, as it wants */
        flag(argv, "-device",
             guest->device_count ? "intel-iommu,intremap=on,caching-mode=on,eim=on" /* VFIO wants it */
                                 : "intel-iommu,intremap=on,eim=on");
    if (guest->is_locked)
        flag(argv, "-overcommit", "mem-lock=on");
}

/* A core of ppc64: its number counts the threads before it, and it knows its cell by that. */
static void plug_core(struct argv *argv, const struct plan_guest *guest, uint32_t vcpu)
{
    if (vcpu % guest->threads)
        return; /* there with the first */
    begin(argv, "-device", "");
    argv_text(argv, cpu_model(guest));
    argv_put(argv, "-spapr-cpu-core");
    if (!ids_contains(guest->fixed, vcpu))
        put_number(argv, ",id=vcpu", vcpu);
    put_number(argv, ",core-id=", vcpu);
    argv_end(argv);
}

/* A vCPU that QEMU does not make by itself takes its model and features from -cpu.  What has no id is not unplugged. */
static void plug_vcpu(struct argv *argv, const struct plan_guest *guest, uint32_t vcpu)
{
    struct vcpu_place place = vcpu_place(guest, vcpu);
    if (architecture_of(guest->architecture)->plugs_cores) {
        plug_core(argv, guest, vcpu);
        return;
    }
    begin(argv, "-device", "");
    argv_text(argv, cpu_model(guest));
    put_text(argv, "-", architecture_of(guest->architecture)->cpu_device);
    if (!ids_contains(guest->fixed, vcpu))
        put_number(argv, ",id=vcpu", vcpu);
    put_number(argv, ",socket-id=", place.socket);
    if (guest->dies > 1)
        put_number(argv, ",die-id=", place.die);
    if (guest->modules > 1)
        put_number(argv, ",module-id=", place.module);
    put_number(argv, ",core-id=", place.core);
    put_number(argv, ",thread-id=", place.thread);
    argv_end(argv);
}

static void plug_vcpus(struct argv *argv, const struct plan_guest *guest)
{
    uint32_t made = first_vcpus(guest), at = 0;
    if (!guest->online)
        return;
    for (ids_each(guest->online, vcpu)) {
        uint32_t next = guest->plug_order ? guest->plug_order[at++] : vcpu;
        if (next >= made)
            plug_vcpu(argv, guest, next);
    }
}

/* ---- cells ---------------------------------------------------------------------------------------------------------
 */

static void cells(struct argv *argv, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->cell_count; i++)
        if (guest->cells[i].memory_bytes)
            qemu_memory_object(argv, &guest->cells[i], i);
    for (uint32_t i = 0; guest->has_numa && i < guest->cell_count; i++) {
        begin(argv, "-numa", "node");
        put_number(argv, ",nodeid=", i);
        put_ids(argv, ",cpus=", guest->cells[i].vcpus);
        if (guest->has_hmat)
            put_number(argv, ",initiator=", guest->cells[i].initiator);
        if (guest->cells[i].memory_bytes)
            put_number(argv, ",memdev=ram-cell", i);
        argv_end(argv);
    }
}

static void distances(struct argv *argv, const struct plan_guest *guest)
{
    if (!guest->has_numa || !guest->distances)
        return;
    const uint32_t *value = guest->distances;
    for (uint32_t from = 0; from < guest->cell_count; from++) {
        for (uint32_t to = 0; to < guest->cell_count; to++, value++) {
            if (from == to)
                continue;
            begin(argv, "-numa", "dist");
            put_number(argv, ",src=", from);
            put_number(argv, ",dst=", to);
            put_number(argv, ",val=", *value);
            argv_end(argv);
        }
    }
}

/* ---- what is not NUMA ------------------------------------------------------------------------------------------- */

static void uefi(struct argv *argv, const struct plan_guest *guest)
{
    const struct architecture *architecture = architecture_of(guest->architecture);
    if (!architecture->has_uefi_in_flash) {
        flag(argv, "-bios", architecture->uefi_image);
        return;
    }
    begin(argv, "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=");
    argv_text(argv, architecture->uefi_image);
    argv_end(argv);
}

static void boot(struct argv *argv, const struct plan_guest *guest)
{
    if (strcmp(guest->firmware, "uefi") == 0)
        uefi(argv, guest);
    if (guest->kernel)
        flag(argv, "-kernel", guest->kernel);
    if (guest->initrd)
        flag(argv, "-initrd", guest->initrd);
    if (guest->cmdline)
        flag(argv, "-append", guest->cmdline);
}

static void iothread_properties(struct argv *argv, const struct plan_iothread *iothread)
{
    if (iothread->has_poll) {
        put_number(argv, ",poll-max-ns=", iothread->poll_most_ns);
        if (iothread->poll_grow)
            put_number(argv, ",poll-grow=", iothread->poll_grow);
        if (iothread->poll_shrink)
            put_number(argv, ",poll-shrink=", iothread->poll_shrink);
    }
    if (iothread->has_pool) { /* since QEMU 7.1 */
        put_number(argv, ",thread-pool-min=", iothread->pool_least);
        put_number(argv, ",thread-pool-max=", iothread->pool_most);
    }
}

/* Device names without bus are aliases for the one of the machine: PCI, or CCW on s390x. */
static void devices(struct argv *argv, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        begin(argv, "-object", "iothread");
        put_number(argv, ",id=iothread", guest->iothreads[i].id);
        iothread_properties(argv, &guest->iothreads[i]);
        argv_end(argv);
    }
    if (guest->disk) {
        begin(argv, "-blockdev", "node-name=disk0,driver=");
        argv_put(argv, disk_format(guest->disk));
        argv_put(argv, disk_is_device(guest->disk) ? ",file.driver=host_device" : ",file.driver=file");
        put_text(argv, ",file.filename=", guest->disk);
        argv_end(argv);
        begin(argv, "-device", "virtio-blk,drive=disk0");
        if (guest->iothread_count) /* the only device that can use one */
            put_number(argv, ",iothread=iothread", guest->iothreads[0].id);
        put_root_bus(argv, guest);
        argv_end(argv);
    }
    if (guest->current_memory_bytes) { /* which the balloon is told when the guest runs */
        begin(argv, "-device", "virtio-balloon,id=balloon0");
        put_root_bus(argv, guest);
        argv_end(argv);
    }
    if (guest->network) {
        begin(argv, "-netdev", "bridge,id=net0");
        put_text(argv, ",br=", guest->network);
        argv_end(argv);
        begin(argv, "-device", "virtio-net,netdev=net0");
        if (guest->mac)
            put_text(argv, ",mac=", guest->mac);
        put_root_bus(argv, guest);
        argv_end(argv);
    }
}

/* Only what is written here, and the serial port with the monitor behind it (ctrl-a c) on the terminal. */
static void console(struct argv *argv)
{
    argv_option(argv, "-no-user-config");
    argv_option(argv, "-nodefaults");
    flag(argv, "-display", "none");
    flag(argv, "-serial", "mon:stdio");
}

static void program(struct argv *argv, const struct plan_guest *guest)
{
    g_autofree char *name = g_strconcat("qemu-system-", guest->architecture, NULL);
    argv_program(argv, name);
}

void qemu_command(struct argv *argv, const struct plan_guest *guest)
{
    program(argv, guest);
    machine(argv, guest);
    cpu(argv, guest);
    memory_and_vcpus(argv, guest);
    plug_vcpus(argv, guest);
    cells(argv, guest);
    distances(argv, guest);
    qemu_hmat(argv, guest);
    qemu_memory_devices(argv, guest);
    console(argv);
    boot(argv, guest);
    qemu_expanders(argv, guest);
    devices(argv, guest);
    qemu_cxl(argv, guest);
    qemu_host_devices(argv, guest);
}

void write_qemu_argv(const struct plan_guest *guest, const struct base_text *base, GString *out)
{
    if (base)
        bug("a guest with a base came to the QEMU target");
    struct argv argv;
    argv_open(&argv, out);
    qemu_command(&argv, guest);
    argv_finish(&argv);
}
