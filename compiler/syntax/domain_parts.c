/* SPDX-License-Identifier: MIT
 *
 * Which elements of a domain XML matter, and what of them: one table.  How they are read is domain_xml.c, what is made
 * of them the business of all others.
 */
#include "syntax/domain.h"

#include <string.h>

enum part_flags { ONCE = PART_ONCE, CONTENT = PART_CONTENT }; /* short, as each row has them */

const struct part_row domain_parts[PART_COUNT] = {
    [PART_DOMAIN] = { PART_NONE, "domain", 0, { "type" } },
    [PART_NAME] = { PART_DOMAIN, "name", ONCE | CONTENT, { NULL } },
    [PART_UUID] = { PART_DOMAIN, "uuid", ONCE | CONTENT, { NULL } },
    [PART_MEMORY] = { PART_DOMAIN, "memory", ONCE | CONTENT, { "unit" } },
    [PART_CURRENT_MEMORY] = { PART_DOMAIN, "currentMemory", ONCE | CONTENT, { "unit" } },
    [PART_MAX_MEMORY] = { PART_DOMAIN, "maxMemory", ONCE | CONTENT, { "slots", "unit" } },
    [PART_SYSINFO] = { PART_DOMAIN, "sysinfo", 0, { NULL } },
    [PART_SYSINFO_SYSTEM] = { PART_SYSINFO, "system", 0, { NULL } },
    [PART_SYSINFO_ENTRY] = { PART_SYSINFO_SYSTEM, "entry", CONTENT, { "name" } },
    [PART_OS] = { PART_DOMAIN, "os", 0, { "firmware" } },
    [PART_OS_TYPE] = { PART_OS, "type", CONTENT, { "arch", "machine" } },
    [PART_LOADER] = { PART_OS, "loader", CONTENT, { "type" } },
    [PART_KERNEL] = { PART_OS, "kernel", CONTENT, { NULL } },
    [PART_INITRD] = { PART_OS, "initrd", CONTENT, { NULL } },
    [PART_CMDLINE] = { PART_OS, "cmdline", CONTENT, { NULL } },
    [PART_BOOT] = { PART_OS, "boot", 0, { "dev" } },
    [PART_FEATURES] = { PART_DOMAIN, "features", 0, { NULL } },
    [PART_ACPI] = { PART_FEATURES, "acpi", 0, { NULL } },
    [PART_GIC] = { PART_FEATURES, "gic", 0, { "version" } },
    [PART_VCPU] = { PART_DOMAIN, "vcpu", ONCE | CONTENT, { "placement", "cpuset", "current" } },
    [PART_VCPUS] = { PART_DOMAIN, "vcpus", ONCE, { NULL } },
    [PART_VCPUS_VCPU] = { PART_VCPUS, "vcpu", 0, { "id", "enabled", "hotpluggable", "order" } },
    [PART_IOTHREADS] = { PART_DOMAIN, "iothreads", ONCE | CONTENT, { NULL } },
    [PART_IOTHREAD_IDS] = { PART_DOMAIN, "iothreadids", ONCE, { NULL } },
    [PART_IOTHREAD_ID] = { PART_IOTHREAD_IDS, "iothread", 0, { "id", "thread_pool_min", "thread_pool_max" } },
    [PART_IOTHREAD_POLL] = { PART_IOTHREAD_ID, "poll", ONCE, { "max", "grow", "shrink" } },
    [PART_CPUTUNE] = { PART_DOMAIN, "cputune", ONCE, { NULL } },
    [PART_VCPUPIN] = { PART_CPUTUNE, "vcpupin", 0, { "vcpu", "cpuset" } },
    [PART_EMULATORPIN] = { PART_CPUTUNE, "emulatorpin", ONCE, { "cpuset" } },
    [PART_IOTHREADPIN] = { PART_CPUTUNE, "iothreadpin", 0, { "iothread", "cpuset" } },
    [PART_VCPUSCHED] = { PART_CPUTUNE, "vcpusched", 0, { "vcpus", "scheduler", "priority" } },
    [PART_EMULATORSCHED] = { PART_CPUTUNE, "emulatorsched", ONCE, { "scheduler", "priority" } },
    [PART_IOTHREADSCHED] = { PART_CPUTUNE, "iothreadsched", 0, { "iothreads", "scheduler", "priority" } },
    [PART_CACHETUNE] = { PART_CPUTUNE, "cachetune", 0, { "vcpus" } },
    [PART_CACHETUNE_CACHE] = { PART_CACHETUNE, "cache", 0, { "id", "level", "type", "size", "unit" } },
    [PART_CACHETUNE_MONITOR] = { PART_CACHETUNE, "monitor", 0, { "level", "vcpus" } },
    [PART_MEMORYTUNE] = { PART_CPUTUNE, "memorytune", 0, { "vcpus" } },
    [PART_MEMORYTUNE_NODE] = { PART_MEMORYTUNE, "node", 0, { "id", "bandwidth" } },
    [PART_MEMORYTUNE_MONITOR] = { PART_MEMORYTUNE, "monitor", 0, { "vcpus" } },
    [PART_NUMATUNE] = { PART_DOMAIN, "numatune", ONCE, { NULL } },
    [PART_NUMATUNE_MEMORY] = { PART_NUMATUNE, "memory", ONCE, { "mode", "nodeset", "placement" } },
    [PART_MEMNODE] = { PART_NUMATUNE, "memnode", 0, { "cellid", "mode", "nodeset" } },
    [PART_MEMTUNE] = { PART_DOMAIN, "memtune", ONCE, { NULL } },
    [PART_HARD_LIMIT] = { PART_MEMTUNE, "hard_limit", ONCE | CONTENT, { "unit" } },
    [PART_BACKING] = { PART_DOMAIN, "memoryBacking", ONCE, { NULL } },
    [PART_HUGEPAGES] = { PART_BACKING, "hugepages", ONCE, { NULL } },
    [PART_PAGE] = { PART_HUGEPAGES, "page", 0, { "size", "unit", "nodeset" } },
    [PART_NOSHAREPAGES] = { PART_BACKING, "nosharepages", ONCE, { NULL } },
    [PART_LOCKED] = { PART_BACKING, "locked", ONCE, { NULL } },
    [PART_SOURCE] = { PART_BACKING, "source", ONCE, { "type" } },
    [PART_ACCESS] = { PART_BACKING, "access", ONCE, { "mode" } },
    [PART_ALLOCATION] = { PART_BACKING, "allocation", ONCE, { "mode", "threads" } },
    [PART_DISCARD] = { PART_BACKING, "discard", ONCE, { NULL } },
    [PART_CPU] = { PART_DOMAIN, "cpu", ONCE, { "mode" } },
    [PART_CPU_MODEL] = { PART_CPU, "model", CONTENT, { NULL } },
    [PART_CPU_CACHE] = { PART_CPU, "cache", 0, { "mode", "level" } },
    [PART_CPU_BITS] = { PART_CPU, "maxphysaddr", 0, { "mode", "bits", "limit" } },
    [PART_CPU_FEATURE] = { PART_CPU, "feature", 0, { "policy", "name" } },
    [PART_TOPOLOGY] = { PART_CPU, "topology", ONCE, { "sockets", "dies", "clusters", "modules", "cores", "threads" } },
    [PART_NUMA] = { PART_CPU, "numa", ONCE, { NULL } },
    [PART_CELL] = { PART_NUMA, "cell", 0, { "id", "cpus", "memory", "unit", "memAccess", "discard" } },
    [PART_CELL_CACHE] = { PART_CELL, "cache", 0, { "level", "associativity", "policy" } },
    [PART_CACHE_SIZE] = { PART_CELL_CACHE, "size", ONCE, { "value", "unit" } },
    [PART_CACHE_LINE] = { PART_CELL_CACHE, "line", ONCE, { "value", "unit" } },
    [PART_DISTANCES] = { PART_CELL, "distances", ONCE, { NULL } },
    [PART_SIBLING] = { PART_DISTANCES, "sibling", 0, { "id", "value" } },
    [PART_INTERCONNECTS] = { PART_NUMA, "interconnects", ONCE, { NULL } },
    [PART_LATENCY] = { PART_INTERCONNECTS, "latency", 0, { "initiator", "target", "cache", "type", "value" } },
    [PART_BANDWIDTH] = { PART_INTERCONNECTS,
                         "bandwidth",
                         0,
                         { "initiator", "target", "cache", "type", "value", "unit" } },
    [PART_DEVICES] = { PART_DOMAIN, "devices", ONCE, { NULL } },
    [PART_DEVICE_MEMORY] = { PART_DEVICES, "memory", 0, { "model", "access", "discard" } },
    [PART_DEVICE_UUID] = { PART_DEVICE_MEMORY, "uuid", CONTENT, { NULL } },
    [PART_DEVICE_SOURCE] = { PART_DEVICE_MEMORY, "source", ONCE, { NULL } },
    [PART_NODEMASK] = { PART_DEVICE_SOURCE, "nodemask", ONCE | CONTENT, { NULL } },
    [PART_PAGESIZE] = { PART_DEVICE_SOURCE, "pagesize", ONCE | CONTENT, { "unit" } },
    [PART_PATH] = { PART_DEVICE_SOURCE, "path", ONCE | CONTENT, { NULL } },
    [PART_ALIGNSIZE] = { PART_DEVICE_SOURCE, "alignsize", ONCE | CONTENT, { "unit" } },
    [PART_PMEM] = { PART_DEVICE_SOURCE, "pmem", ONCE, { NULL } },
    [PART_TARGET] = { PART_DEVICE_MEMORY, "target", ONCE, { "dynamicMemslots" } },
    [PART_SIZE] = { PART_TARGET, "size", ONCE | CONTENT, { "unit" } },
    [PART_TARGET_NODE] = { PART_TARGET, "node", ONCE | CONTENT, { NULL } },
    [PART_LABEL] = { PART_TARGET, "label", ONCE, { NULL } },
    [PART_LABEL_SIZE] = { PART_LABEL, "size", ONCE | CONTENT, { "unit" } },
    [PART_READONLY] = { PART_TARGET, "readonly", ONCE, { NULL } },
    [PART_BLOCK] = { PART_TARGET, "block", ONCE | CONTENT, { "unit" } },
    [PART_REQUESTED] = { PART_TARGET, "requested", ONCE | CONTENT, { "unit" } },
    [PART_TARGET_ADDRESS] = { PART_TARGET, "address", ONCE, { "base" } },
    [PART_DEVICE_ADDRESS] = { PART_DEVICE_MEMORY, "address", ONCE, { "type", "slot", "base" } },
    [PART_CONTROLLER] = { PART_DEVICES, "controller", 0, { "type", "index", "model" } },
    [PART_CONTROLLER_TARGET] = { PART_CONTROLLER, "target", ONCE, { "busNr", "index" } },
    [PART_CONTROLLER_NODE] = { PART_CONTROLLER_TARGET, "node", ONCE | CONTENT, { NULL } },
    [PART_CONTROLLER_ADDRESS] = { PART_CONTROLLER, "address", 0, { "bus" } },
    [PART_HOSTDEV] = { PART_DEVICES, "hostdev", 0, { "mode", "type" } },
    [PART_HOSTDEV_SOURCE] = { PART_HOSTDEV, "source", 0, { NULL } },
    [PART_HOSTDEV_SOURCE_ADDRESS] = { PART_HOSTDEV_SOURCE, "address", 0, { "domain", "bus", "slot", "function" } },
    [PART_HOSTDEV_ADDRESS] = { PART_HOSTDEV, "address", 0, { "type", "bus" } },
    [PART_EMULATOR] = { PART_DEVICES, "emulator", CONTENT, { NULL } },
    [PART_DISK] = { PART_DEVICES, "disk", 0, { "type", "device" } },
    [PART_DISK_DRIVER] = { PART_DISK, "driver", 0, { "type" } },
    [PART_DISK_SOURCE] = { PART_DISK, "source", 0, { "file", "dev" } },
    [PART_DISK_TARGET] = { PART_DISK, "target", 0, { "dev", "bus" } },
    [PART_INTERFACE] = { PART_DEVICES, "interface", 0, { "type" } },
    [PART_INTERFACE_SOURCE] = { PART_INTERFACE, "source", 0, { "bridge" } },
    [PART_INTERFACE_MODEL] = { PART_INTERFACE, "model", 0, { "type" } },
    [PART_QEMU] = { PART_DOMAIN, "qemu:commandline", 0, { NULL } }, /* of libvirt's own other namespace */
    [PART_QEMU_ARG] = { PART_QEMU, "qemu:arg", 0, { "value" } },
};

const char *part_name(enum part part)
{
    return domain_parts[part].name;
}

enum part part_parent(enum part part)
{
    return domain_parts[part].parent;
}

const struct text_value *element_value(const struct element *element, const char *name)
{
    const struct part_row *row = &domain_parts[element->part];
    for (unsigned i = 0; i < ATTRIBUTES_OF_PART && row->attributes[i]; i++)
        if (strcmp(row->attributes[i], name) == 0)
            return &element->attributes[i];
    bug("an attribute that the table of parts does not have");
}
