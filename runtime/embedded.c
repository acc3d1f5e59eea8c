/* SPDX-License-Identifier: MIT
 *
 * Lays out libvirt's folder: its configuration, and the capabilities of QEMU that an earlier run probed, which takes
 * seconds.
 */
#include "embedded.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define CAPABILITIES "cache/qemu/capabilities"

static const char settings[] = "stdio_handler = \"file\"\n"
                               "security_driver = \"none\"\n"
                               "namespaces = []\n"
                               "cgroup_controllers = []\n";
static const char settings_of_root[] = "user = \"root\"\n"
                                       "group = \"root\"\n"
                                       "dynamic_ownership = 0\n"
                                       "remember_owner = 0\n";

const char *embedded_root(struct agent *agent, const char *uuid)
{
    return arena_printf(agent->arena, "%s/e/%.8s", state_folder(agent->state), uuid);
}

static void copy_files(const char *from, const char *to)
{
    GDir *folder = g_dir_open(from, 0, NULL);
    if (!folder || g_mkdir_with_parents(to, 0700) < 0) {
        if (folder)
            g_dir_close(folder);
        return; /* only slower */
    }
    for (const char *name; (name = g_dir_read_name(folder));) {
        g_autofree char *source = g_build_filename(from, name, NULL), *target = g_build_filename(to, name, NULL);
        g_autofree char *bytes = NULL;
        gsize length;
        if (!g_file_test(target, G_FILE_TEST_EXISTS) && g_file_get_contents(source, &bytes, &length, NULL))
            g_file_set_contents(target, bytes, (gssize)length, NULL);
    }
    g_dir_close(folder);
}

const char *embedded_prepare(struct agent *agent, const char *uuid)
{
    const char *root = embedded_root(agent, uuid);
    g_autofree char *etc = g_build_filename(root, "etc", NULL), *file = g_build_filename(etc, "qemu.conf", NULL);
    g_autofree char *text = g_strconcat(settings, geteuid() == 0 ? settings_of_root : "", NULL);
    g_autoptr(GError) error = NULL;
    if (g_mkdir_with_parents(etc, 0700) < 0 || !g_file_set_contents(file, text, -1, &error)) {
        tell(agent, NM_state_folder, "'%s' cannot be made: %s", root, error ? error->message : g_strerror(errno));
        agent->is_refused = true;
        return NULL;
    }
    g_autofree char *shared = g_build_filename(state_folder(agent->state), CAPABILITIES, NULL);
    g_autofree char *own = g_build_filename(root, CAPABILITIES, NULL);
    copy_files(shared, own);
    return root;
}

void embedded_keep_cache(struct agent *agent, const char *uuid)
{
    g_autofree char *shared = g_build_filename(state_folder(agent->state), CAPABILITIES, NULL);
    g_autofree char *own = g_build_filename(embedded_root(agent, uuid), CAPABILITIES, NULL);
    copy_files(own, shared);
}
