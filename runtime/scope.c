/* SPDX-License-Identifier: MIT
 *
 * Asks systemd for a transient scope, over its own socket or D-Bus: root's for the system, else the user's.
 */
#include "cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

enum { CALL_SECONDS = 10, MOVE_MILLISECONDS = 10000, LOOK_MILLISECONDS = 10 };

bool scope_is_possible(void)
{
    return access("/run/systemd/system/", F_OK) == 0; /* as sd_booted(3) finds it */
}

/* systemd's own socket needs no D-Bus daemon, and is root's. */
static int open_bus(sd_bus **out)
{
    if (geteuid() != 0)
        return sd_bus_open_user(out);
    int result = sd_bus_new(out);
    result = result < 0 ? result : sd_bus_set_address(*out, "unix:path=/run/systemd/private");
    result = result < 0 ? result : sd_bus_start(*out);
    if (result >= 0)
        return result;
    sd_bus_unref(*out);
    return sd_bus_open_system(out);
}

/* A set as systemd takes it: bits in bytes. */
static int append_set(sd_bus_message *message, const char *property, const struct ids *ids)
{
    uint8_t bytes[(IDS_LIMIT + 1) / 8] = { 0 };
    if (!ids)
        return 0;
    for (ids_each(ids, number))
        bytes[number / 8] = (uint8_t)(bytes[number / 8] | 1u << number % 8);
    int result = sd_bus_message_open_container(message, 'r', "sv");
    result = result < 0 ? result : sd_bus_message_append(message, "s", property);
    result = result < 0 ? result : sd_bus_message_open_container(message, 'v', "ay");
    result = result < 0 ? result : sd_bus_message_append_array(message, 'y', bytes, ids_last(ids) / 8 + 1);
    result = result < 0 ? result : sd_bus_message_close_container(message);
    return result < 0 ? result : sd_bus_message_close_container(message);
}

static int compose(sd_bus *bus, const struct cgroup *cgroup, const char *unit, sd_bus_message **out)
{
    g_autofree char *about = g_strdup_printf("numac guest %s", cgroup->name);
    int result = sd_bus_message_new_method_call(bus, out, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                                "org.freedesktop.systemd1.Manager", "StartTransientUnit");
    result = result < 0 ? result : sd_bus_message_append(*out, "ss", unit, "fail");
    result = result < 0 ? result : sd_bus_message_open_container(*out, 'a', "(sv)");
    result = result < 0 ? result
                        : sd_bus_message_append(*out, "(sv)(sv)(sv)", "Description", "s", about, "CollectMode", "s",
                                                "inactive-or-failed", "PIDs", "au", 1, (uint32_t)getpid());
    result = result < 0 ? result : append_set(*out, "AllowedCPUs", cgroup->limits.cpus);
    result = result < 0 ? result : append_set(*out, "AllowedMemoryNodes", cgroup->limits.nodes);
    result = result < 0 ? result : sd_bus_message_close_container(*out);
    return result < 0 ? result : sd_bus_message_append(*out, "a(sa(sv))", 0);
}

/* The answer comes before systemd has moved anybody. */
static bool await_move(const char *unit)
{
    for (int waited = 0; waited < MOVE_MILLISECONDS; waited += LOOK_MILLISECONDS) {
        g_autofree char *text = NULL;
        if (g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL) && strstr(text, unit))
            return true;
        g_usleep(LOOK_MILLISECONDS * 1000);
    }
    return false;
}

bool scope_enter(const struct cgroup *cgroup, char *trouble, size_t room)
{
    /* behind a guest that has just ended, the scope of that name may still be on its way out */
    g_autofree char *unit = g_strdup_printf("numac-%s-%d.scope", cgroup->uuid, getpid());
    sd_bus *bus = NULL;
    sd_bus_message *message = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int result = open_bus(&bus);
    result = result < 0 ? result : compose(bus, cgroup, unit, &message);
    result = result < 0 ? result : sd_bus_call(bus, message, CALL_SECONDS * G_USEC_PER_SEC, &error, NULL);
    bool fine = result >= 0 && await_move(unit);
    if (result < 0)
        snprintf(trouble, room, "systemd gives no scope: %s", error.message ? error.message : g_strerror(-result));
    else if (!fine)
        snprintf(trouble, room, "systemd has not moved QEMU into '%s'", unit);
    sd_bus_error_free(&error);
    sd_bus_message_unref(message);
    sd_bus_unref(bus);
    return fine;
}
