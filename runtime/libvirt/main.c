/* SPDX-License-Identifier: MIT
 *
 * numac-libvirt: started by numac-agent with a socket on which errands come (errand.h), one after another, until the
 * agent closes it or dies.  The only user of libvirt.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/base.h"
#include "errand.h"

enum { FINE = 0, USAGE = 2 };

struct libvirt {
    int socket; /* to the agent */
    GThread *watcher;
    virConnectPtr connection;
    virDomainPtr domain;
    _Atomic bool is_ours; /* started here, and its CPUs stand still */
};

static void be_silent(G_GNUC_UNUSED void *context, G_GNUC_UNUSED virErrorPtr error)
{
}

static void *turn(G_GNUC_UNUSED void *nothing)
{
    while (virEventRunDefaultImpl() == 0)
        continue;
    return NULL;
}

static bool open_libvirt(struct libvirt *libvirt, const char *uri, char **out_answer)
{
    g_setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", FALSE); /* what matters comes as an error */
    virSetErrorFunc(NULL, be_silent);
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
        return false;
    g_thread_unref(g_thread_new("libvirt-events", turn, NULL));
    libvirt->connection = virConnectOpen(*uri ? uri : NULL);
    *out_answer = libvirt->connection ? virConnectGetURI(libvirt->connection) : NULL;
    return *out_answer != NULL;
}

/* Without the agent nobody wants its guest any more, and an errand may wait for a QEMU that never answers: it does once
 * that is dead. */
static void *watch_agent(void *data)
{
    struct libvirt *libvirt = data;
    struct pollfd watched = { .fd = libvirt->socket, .events = POLLRDHUP };
    while (poll(&watched, 1, -1) < 0)
        continue;
    if (libvirt->is_ours)
        virDomainDestroy(libvirt->domain);
    return NULL;
}

static bool create(struct libvirt *libvirt, const char *xml, G_GNUC_UNUSED char **out_answer)
{
    libvirt->domain = virDomainCreateXML(libvirt->connection, xml, VIR_DOMAIN_START_PAUSED);
    libvirt->is_ours = libvirt->domain != NULL;
    return libvirt->domain != NULL;
}

/* By its UUID; by its name, too, where the second line has one. */
static bool look_up(struct libvirt *libvirt, const char *uuid_and_name)
{
    g_auto(GStrv) words = g_strsplit(uuid_and_name, "\n", 2);
    libvirt->domain = virDomainLookupByUUIDString(libvirt->connection, words[0]);
    if (!libvirt->domain && words[1])
        libvirt->domain = virDomainLookupByName(libvirt->connection, words[1]);
    return libvirt->domain != NULL;
}

/* That there is none is an answer; that libvirt cannot tell is not. */
static bool find(struct libvirt *libvirt, const char *uuid_and_name, char **out_answer)
{
    if (!look_up(libvirt, uuid_and_name))
        return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
    int is_active = virDomainIsActive(libvirt->domain);
    *out_answer = is_active < 0 ? NULL : g_strdup(is_active ? FOUND_RUNNING : FOUND_STILL);
    return is_active >= 0;
}

static bool ask(struct libvirt *libvirt, const char *command, char **out_answer)
{
    return virDomainQemuMonitorCommand(libvirt->domain, command, out_answer, VIR_DOMAIN_QEMU_MONITOR_COMMAND_DEFAULT) ==
           0;
}

/* ---- where its threads may run ---- */

static void add_place(GString *out, const char *kind, unsigned number, const unsigned char *map, int bytes)
{
    g_string_append_printf(out, "%s %u", kind, number);
    for (int cpu = 0; cpu < bytes * 8; cpu++)
        if (VIR_CPU_USED(map, cpu))
            g_string_append_printf(out, " %d", cpu);
    append(out, "\n");
}

static bool add_vcpus(virDomainPtr domain, int bytes, GString *out)
{
    int most = virDomainGetMaxVcpus(domain);
    if (most <= 0)
        return false;
    g_autofree virVcpuInfoPtr about = g_new0(virVcpuInfo, (gsize)most);
    g_autofree unsigned char *maps = g_malloc0((gsize)most * (gsize)bytes);
    int count = virDomainGetVcpus(domain, about, most, maps, bytes);
    for (int i = 0; i < count; i++)
        add_place(out, "vcpu", about[i].number, VIR_GET_CPUMAP(maps, bytes, i), bytes);
    return count >= 0;
}

static bool add_iothreads(virDomainPtr domain, GString *out)
{
    virDomainIOThreadInfoPtr *about = NULL;
    int count = virDomainGetIOThreadInfo(domain, &about, VIR_DOMAIN_AFFECT_LIVE);
    for (int i = 0; i < count; i++) {
        add_place(out, "iothread", about[i]->iothread_id, about[i]->cpumap, about[i]->cpumaplen);
        virDomainIOThreadInfoFree(about[i]);
    }
    free(about);
    return count >= 0;
}

static bool places(struct libvirt *libvirt, G_GNUC_UNUSED const char *nothing, char **out_answer)
{
    int cpus = virNodeGetCPUMap(libvirt->connection, NULL, NULL, 0), bytes = VIR_CPU_MAPLEN(cpus);
    if (cpus <= 0)
        return false;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree unsigned char *map = g_malloc0((gsize)bytes);
    int emulator = virDomainGetEmulatorPinInfo(libvirt->domain, map, bytes, VIR_DOMAIN_AFFECT_LIVE);
    if (emulator < 0 || !add_vcpus(libvirt->domain, bytes, out) || !add_iothreads(libvirt->domain, out))
        return false;
    if (emulator > 0) /* else nothing was said */
        add_place(out, "emulator", 0, map, bytes);
    *out_answer = g_strdup(out->str);
    return true;
}

static bool resume(struct libvirt *libvirt, G_GNUC_UNUSED const char *nothing, G_GNUC_UNUSED char **out_answer)
{
    bool fine = virDomainResume(libvirt->domain) == 0;
    libvirt->is_ours &= !fine;
    return fine;
}

static bool destroy(struct libvirt *libvirt, G_GNUC_UNUSED const char *nothing, G_GNUC_UNUSED char **out_answer)
{
    bool fine = virDomainDestroy(libvirt->domain) == 0;
    libvirt->is_ours &= !fine;
    return fine;
}

/* To a mask of bytes, as libvirt takes it. */
static GByteArray *mask_of(const char *cpus)
{
    GByteArray *mask = g_byte_array_new();
    for (char *at = (char *)(uintptr_t)cpus; g_ascii_isdigit(*at); at += *at == ',') {
        uint64_t first = strtoull(at, &at, 10), last = *at == '-' ? strtoull(at + 1, &at, 10) : first;
        for (uint64_t cpu = first; cpu <= last && cpu <= IDS_LIMIT; cpu++) {
            guint length = mask->len;
            g_byte_array_set_size(mask, MAX(length, (guint)(cpu / 8 + 1)));
            memset(mask->data + length, 0, mask->len - length);
            mask->data[cpu / 8] = (guint8)(mask->data[cpu / 8] | 1u << cpu % 8);
        }
    }
    return mask;
}

static bool pin(struct libvirt *libvirt, const char *what, G_GNUC_UNUSED char **out_answer)
{
    g_auto(GStrv) words = g_strsplit(what, " ", 3);
    unsigned number = (unsigned)strtoul(words[1], NULL, 10);
    g_autoptr(GByteArray) mask = mask_of(words[2]);
    int length = (int)mask->len;
    if (strcmp(words[0], "vcpu") == 0)
        return virDomainPinVcpuFlags(libvirt->domain, number, mask->data, length, VIR_DOMAIN_AFFECT_LIVE) == 0;
    if (strcmp(words[0], "iothread") == 0)
        return virDomainPinIOThread(libvirt->domain, number, mask->data, length, VIR_DOMAIN_AFFECT_LIVE) == 0;
    return virDomainPinEmulator(libvirt->domain, mask->data, length, VIR_DOMAIN_AFFECT_LIVE) == 0;
}

static bool dump(struct libvirt *libvirt, const char *uuid_and_name, char **out_answer)
{
    if (!look_up(libvirt, uuid_and_name))
        return true;
    unsigned flags = virDomainIsPersistent(libvirt->domain) == 1 ? VIR_DOMAIN_XML_INACTIVE : 0;
    *out_answer = virDomainGetXMLDesc(libvirt->domain, flags);
    return *out_answer != NULL;
}

static bool define(struct libvirt *libvirt, const char *xml, G_GNUC_UNUSED char **out_answer)
{
    libvirt->domain = virDomainDefineXMLFlags(libvirt->connection, xml, VIR_DOMAIN_DEFINE_VALIDATE);
    return libvirt->domain != NULL;
}

static bool machine(struct libvirt *libvirt, G_GNUC_UNUSED const char *nothing, char **out_answer)
{
    *out_answer = virConnectGetHostname(libvirt->connection);
    return *out_answer != NULL;
}

static bool (*const errands[ERRAND_COUNT])(struct libvirt *libvirt, const char *argument, char **out_answer) = {
    [ERRAND_OPEN] = open_libvirt, [ERRAND_CREATE] = create, [ERRAND_FIND] = find,       [ERRAND_ASK] = ask,
    [ERRAND_PLACES] = places,     [ERRAND_RESUME] = resume, [ERRAND_DESTROY] = destroy, [ERRAND_PIN] = pin,
    [ERRAND_DUMP] = dump,         [ERRAND_DEFINE] = define, [ERRAND_MACHINE] = machine,
};

static const char *why(void)
{
    const char *text = virGetLastErrorMessage();
    return text && *text ? text : "libvirt gives no reason";
}

static void close_libvirt(struct libvirt *libvirt)
{
    shutdown(libvirt->socket, SHUT_RDWR);
    g_thread_join(libvirt->watcher);
    if (libvirt->is_ours)
        virDomainDestroy(libvirt->domain);
    if (libvirt->domain)
        virDomainFree(libvirt->domain);
    if (libvirt->connection)
        virConnectClose(libvirt->connection);
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

/* What is said on the streams is numac's alone. */
static void be_quiet(void)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int number = STDIN_FILENO; nothing >= 0 && number <= STDERR_FILENO; number++)
        dup2(nothing, number);
}

static void serve(int socket)
{
    struct libvirt libvirt = { .socket = socket };
    uint32_t errand;
    libvirt.watcher = g_thread_new("agent", watch_agent, &libvirt);
    for (char *argument; (argument = errand_receive(socket, &errand, -1));) {
        char *answer = NULL;
        bool fine = errand < ERRAND_COUNT && errands[errand](&libvirt, argument, &answer);
        bool is_told = errand_send(socket, fine ? ERRAND_DONE : ERRAND_FAILED, fine ? answer ? answer : "" : why());
        g_free(answer);
        g_free(argument);
        if (!is_told)
            break;
    }
    close_libvirt(&libvirt);
}

static int descriptor_of(const char *word)
{
    char *end;
    long number = strtol(word, &end, 10);
    return *end == 0 && number > STDERR_FILENO && fcntl((int)number, F_SETFD, FD_CLOEXEC) == 0 ? (int)number : -1;
}

int main(int argc, char **argv)
{
    int socket = argc == 2 ? descriptor_of(argv[1]) : -1;
    if (socket < 0) {
        fputs("numac-libvirt is started by numac-agent; see 'numac help run'\n", stderr);
        return USAGE;
    }
    be_quiet();
    serve(socket);
    _exit(FINE); /* libvirt's threads are not waited for */
}
