/* SPDX-License-Identifier: MIT
 *
 * A whole libvirt domain for a guest without a base: the parts numac owns, and around them the few settings the plan
 * has, in the order and spelling of virsh dumpxml.  Guests with a base are left to the overlay.
 */
#include "emit/emit.h"
#include "emit/guest_parts.h"
#include "emit/libvirt_numa.h"
#include "emit/overlay.h"

static void xml_quoted(struct xml *xml, const char *begin, const char *text, const char *end)
{
    xml_line(xml, begin);
    xml_text(xml, text);
    xml_end(xml, end);
}

static void xml_os(struct xml *xml, const struct plan_guest *guest)
{
    xml_open(xml, strcmp(guest->firmware, "uefi") == 0 ? "<os firmware='efi'>" : "<os>");
    xml_line(xml, "<type arch='");
    xml_text(xml, guest->architecture);
    xml_put(xml, "' machine='");
    xml_text(xml, guest->machine);
    xml_end(xml, "'>hvm</type>");
    if (guest->kernel)
        xml_quoted(xml, "<kernel>", guest->kernel, "</kernel>");
    if (guest->initrd)
        xml_quoted(xml, "<initrd>", guest->initrd, "</initrd>");
    if (guest->cmdline)
        xml_quoted(xml, "<cmdline>", guest->cmdline, "</cmdline>");
    xml_whole(xml, "<boot dev='hd'/>"); /* libvirt adds it where it is missing, beside a kernel too */
    xml_shut(xml, "</os>");
}

static void xml_features(struct xml *xml, const struct plan_guest *guest)
{
    if (!guest_has_acpi(guest) && !guest->gic_version)
        return;
    xml_open(xml, "<features>");
    if (guest_has_acpi(guest))
        xml_whole(xml, "<acpi/>");
    if (architecture_of(guest->architecture)->has_cpuid)
        xml_whole(xml, "<apic/>");
    if (guest->remaps_interrupts)
        xml_whole(xml, "<ioapic driver='qemu'/>");
    if (guest->gic_version) {
        xml_line(xml, "<gic version='");
        xml_number(xml, guest->gic_version);
        xml_end(xml, "'/>");
    }
    xml_shut(xml, "</features>");
}

static void xml_cpu_model(struct xml *xml, const struct plan_guest *guest)
{
    if (strcmp(guest->cpu_model, "host-passthrough") == 0) {
        xml_open(xml, "<cpu mode='host-passthrough'>");
    } else if (strcmp(guest->cpu_model, "host-model") == 0) {
        xml_open(xml, "<cpu mode='host-model'>");
    } else if (strcmp(guest->cpu_model, "max") == 0) { /* QEMU's name for what libvirt calls maximum */
        xml_open(xml, "<cpu mode='maximum'>");
    } else {
        xml_open(xml, "<cpu mode='custom' match='exact'>");
        xml_quoted(xml, "<model fallback='forbid'>", guest->cpu_model, "</model>");
    }
}

static void xml_cpu(struct xml *xml, const struct plan_guest *guest)
{
    static const char *const cache_modes[] = { "", "emulate", "passthrough", "disable" };
    xml_cpu_model(xml, guest);
    xml_topology(xml, guest);
    if (guest->cache_mode != CACHE_UNSAID) {
        xml_line(xml, "<cache ");
        if (guest->cache_level) {
            xml_put(xml, "level='");
            xml_number(xml, guest->cache_level);
            xml_put(xml, "' ");
        }
        xml_put(xml, "mode='");
        xml_put(xml, cache_modes[guest->cache_mode]);
        xml_end(xml, "'/>");
    }
    if (guest->maxphysaddr_mode != MAXPHYSADDR_UNSAID) {
        bool emulate = guest->maxphysaddr_mode == MAXPHYSADDR_EMULATE;
        xml_line(xml, emulate ? "<maxphysaddr mode='emulate'" : "<maxphysaddr mode='passthrough'");
        if (guest->maxphysaddr_bits) {
            xml_put(xml, emulate ? " bits='" : " limit='");
            xml_number(xml, guest->maxphysaddr_bits);
            xml_put(xml, "'");
        }
        xml_end(xml, "/>");
    }
    for (uint32_t i = 0; i < guest->feature_count; i++)
        xml_quoted(xml,
                   guest->features[i].is_required ? "<feature policy='require' name='"
                                                  : "<feature policy='disable' name='",
                   guest->features[i].name, "'/>");
    xml_cells(xml, guest);
    xml_shut(xml, "</cpu>");
}

static void xml_disk(struct xml *xml, const struct plan_guest *guest)
{
    bool is_device = disk_is_device(guest->disk);
    xml_open(xml, is_device ? "<disk type='block' device='disk'>" : "<disk type='file' device='disk'>");
    xml_line(xml, "<driver name='qemu' type='");
    xml_put(xml, disk_format(guest->disk));
    if (guest->iothread_count) { /* the only device that can use one */
        xml_put(xml, "' iothread='");
        xml_number(xml, guest->iothreads[0].id);
    }
    xml_end(xml, "'/>");
    xml_quoted(xml, is_device ? "<source dev='" : "<source file='", guest->disk, "'/>");
    xml_whole(xml, "<target dev='vda' bus='virtio'/>");
    xml_shut(xml, "</disk>");
}

static void xml_interface(struct xml *xml, const struct plan_guest *guest)
{
    xml_open(xml, "<interface type='bridge'>");
    if (guest->mac)
        xml_quoted(xml, "<mac address='", guest->mac, "'/>");
    xml_quoted(xml, "<source bridge='", guest->network, "'/>");
    xml_whole(xml, "<model type='virtio'/>");
    xml_shut(xml, "</interface>");
}

static void xml_devices(struct xml *xml, const struct plan_guest *guest)
{
    xml_open(xml, "<devices>");
    if (guest->disk)
        xml_disk(xml, guest);
    xml_expanders(xml, guest);
    xml_root_ports(xml, guest);
    if (guest->network)
        xml_interface(xml, guest);
    if (strcmp(guest->architecture, "s390x") == 0) { /* has no serial port */
        xml_open(xml, "<console type='pty'>");
        xml_whole(xml, "<target type='sclp' port='0'/>"); /* which its firmware writes to, too */
        xml_shut(xml, "</console>");
    } else {
        xml_open(xml, "<serial type='pty'>");
        xml_whole(xml, "<target port='0'/>");
        xml_shut(xml, "</serial>");
        xml_open(xml, "<console type='pty'>");
        xml_whole(xml, "<target type='serial' port='0'/>");
        xml_shut(xml, "</console>");
    }
    xml_hostdevs(xml, guest);
    /* libvirt would add a balloon, which takes memory from any cell and knows no node */
    xml_whole(xml, guest->current_memory_bytes ? "<memballoon model='virtio'/>" : "<memballoon model='none'/>");
    xml_memory_devices(xml, guest);
    if (guest->remaps_interrupts) {
        xml_open(xml, "<iommu model='intel'>");
        xml_whole(xml, guest->device_count ? "<driver intremap='on' caching_mode='on' eim='on'/>"
                                           : "<driver intremap='on' eim='on'/>");
        xml_shut(xml, "</iommu>");
    }
    xml_shut(xml, "</devices>");
}

static void write_domain(const struct plan_guest *guest, GString *out)
{
    struct xml writer = { .out = out }, *xml = &writer;
    xml_open(xml, strcmp(guest->accel, "kvm") == 0 ? "<domain type='kvm'>" : "<domain type='qemu'>");
    xml_quoted(xml, "<name>", guest->name, "</name>");
    xml_quoted(xml, "<uuid>", guest->uuid, "</uuid>");
    xml_memory(xml, guest, 0);
    xml_hard_limit(xml, guest);
    xml_memory_backing(xml, guest);
    xml_vcpu(xml, guest);
    xml_iothreads(xml, guest, false);
    xml_cputune(xml, guest);
    xml_numatune(xml, guest);
    xml_os(xml, guest);
    xml_features(xml, guest);
    xml_cpu(xml, guest);
    xml_whole(xml, "<clock offset='utc'/>");
    xml_whole(xml, "<on_poweroff>destroy</on_poweroff>");
    xml_whole(xml, "<on_reboot>restart</on_reboot>");
    xml_whole(xml, "<on_crash>destroy</on_crash>");
    xml_devices(xml, guest);
    xml_shut(xml, "</domain>");
}

void write_libvirt_xml(const struct plan_guest *guest, const struct base_text *base, GString *out)
{
    if (base)
        write_overlay(guest, base, out);
    else
        write_domain(guest, out);
}
