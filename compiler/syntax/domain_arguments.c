/* SPDX-License-Identifier: MIT
 *
 * What a domain XML hands to QEMU past libvirt (`<qemu:commandline>`): an argument about memory or CPUs is beyond what
 * libvirt and numac know of the guest.  What it means is left to QEMU.
 */
#include "syntax/domain.h"

#include <string.h>

static bool is_about_memory_or_cpus(const char *option, const char *value)
{
    static const char *const always[] = { "-m", "-smp", "-numa", "-mem-path", "-mem-prealloc", NULL };
    static const struct {
        const char *option, *value; /* what stands in its value */
    } some[] = {
        { "-object", "memory-backend-" }, { "-object", "thread-context" }, { "-object", "iothread" },
        { "-overcommit", "mem-lock" },    { "-realtime", "mlock" },        { "-machine", "memory-backend" },
        { "-machine", "hmat" },           { "-device", "pc-dimm" },        { "-device", "nvdimm" },
        { "-device", "virtio-mem" },      { "-device", "virtio-pmem" },    { "-device", "cxl-type3" },
        { "-device", "numa_node" },
    };
    option += g_str_has_prefix(option, "--"); /* QEMU takes both */
    for (const char *const *one = always; *one; one++)
        if (strcmp(option, *one) == 0)
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(some); i++)
        if (strcmp(option, some[i].option) == 0 && strstr(value, some[i].value))
            return true;
    return false;
}

static const char *text_of(const struct element *argument)
{
    const char *text = argument ? element_value(argument, "value")->text : NULL;
    return text ? text : "";
}

void domain_tell_arguments(struct domain *domain)
{
    for (const struct element *one = domain_first(domain, PART_QEMU_ARG); one; one = one->next) {
        if (!is_about_memory_or_cpus(text_of(one), text_of(one->next)))
            continue;
        g_autofree char *what = g_strdup_printf("'%.40s', which goes to QEMU past libvirt", text_of(one));
        domain_tell_kept(domain, element_extent(one), what);
    }
}
