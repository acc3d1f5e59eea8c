/* SPDX-License-Identifier: MIT
 *
 * The list of output forms: a new target is a row here and the file that writes it.
 */
#include "emit/emit.h"

static const struct emitter rows[] = {
    {
        .target = "libvirt",
        .suffix = ".xml",
        .about = "domain XML for virsh define",
        .takes_base = true,
        .takes_numad = true,
        .writes_moves = true,
        .stream_open = "<domains>\n",
        .stream_close = "</domains>\n",
        .write = write_libvirt_xml,
    },
    {
        .target = "qemu",
        .suffix = ".argv",
        .takes_any_cell = true,
        .about = "the QEMU command, a shell word a line",
        .write = write_qemu_argv,
    },
    {
        .target = "qemu",
        .suffix = ".sh",
        .takes_any_cell = true,
        .about = "a script that starts QEMU on this terminal",
        .write = write_qemu_script,
    },
};

const struct emitter *emitters(size_t *out_count)
{
    *out_count = G_N_ELEMENTS(rows);
    return rows;
}

char *output_name(const char *guest, const char *host, const char *suffix)
{
    return host ? g_strconcat(guest, ".on-", host, suffix, NULL) : g_strconcat(guest, suffix, NULL);
}

bool emitter_takes(const struct emitter *emitter, const struct plan_guest *guest)
{
    return (emitter->takes_base || !guest->has_base) && (emitter->takes_any_cell || !guest->is_qemu_only) &&
           (emitter->takes_numad || !(guest->cpus_by_numad || guest->memory_by_numad));
}
