/* SPDX-License-Identifier: MIT
 *
 * libvirt, inside this process or as a daemon.  It reads numac's XML, starts QEMU, binds memory and places threads;
 * what it did is proven through the monitor that it lends, like with any other engine.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "embedded.h"
#include "engine.h"
#include "proc.h"

struct lent { /* a monitor over libvirt's */
    struct monitor monitor;
    virDomainPtr domain;
};

struct connected {
    virConnectPtr connection;
    virDomainPtr domain;
};

static const char *why(void)
{
    const char *text = virGetLastErrorMessage();
    return text && *text ? text : "libvirt gives no reason";
}

static struct finding *refuse(struct run *run, enum code code, const char *what)
{
    run->agent->is_refused = true;
    return tell(run->agent, code, "guest '%s' %s: %s", run->guest->plan->name, what, why());
}

/* ---- the monitor ------------------------------------------------------------------------------------------------ */

static char *exchange(struct monitor *monitor, const char *command, char **out_error)
{
    struct lent *lent = (struct lent *)(void *)monitor; /* its first member */
    char *answer = NULL;
    if (virDomainQemuMonitorCommand(lent->domain, command, &answer, VIR_DOMAIN_QEMU_MONITOR_COMMAND_DEFAULT) == 0)
        return answer;
    *out_error = g_strdup(why());
    return NULL;
}

static void close_lent(struct monitor *monitor)
{
    struct lent *lent = (struct lent *)(void *)monitor;
    virDomainFree(lent->domain);
    g_free(lent);
}

static struct monitor *lend(virDomainPtr domain)
{
    struct lent *lent = g_new0(struct lent, 1);
    lent->monitor = (struct monitor){ exchange, close_lent };
    lent->domain = domain;
    virDomainRef(domain);
    return &lent->monitor;
}

/* ---- the connection --------------------------------------------------------------------------------------------- */

static void be_silent(G_GNUC_UNUSED void *context, G_GNUC_UNUSED virErrorPtr error)
{
}

static void *turn(G_GNUC_UNUSED void *nothing)
{
    while (virEventRunDefaultImpl() == 0)
        continue;
    return NULL;
}

/* Timers and descriptors of libvirt, in a thread of their own for as long as this process lives. */
static void run_events(void)
{
    static bool is_running;
    if (is_running)
        return;
    is_running = true;
    g_setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", FALSE); /* what matters comes as an error */
    virSetErrorFunc(NULL, be_silent);
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
        return;
    g_thread_unref(g_thread_new("libvirt-events", turn, NULL));
}

static bool open_connection(struct run *run)
{
    struct connected *connected = arena_take(run->agent->arena, struct connected);
    const char *uri = run->connect;
    run_events();
    if (run->engine->kind == ENGINE_EMBED) {
        const char *root = embedded_prepare(run->agent, run->guest->plan->uuid);
        if (!root)
            return false;
        uri = arena_printf(run->agent->arena, "qemu:///embed?root=%s", root);
    }
    connected->connection = virConnectOpen(uri);
    if (!connected->connection) {
        struct finding *finding = refuse(run, NM_engine_missing, "has no libvirt");
        if (run->engine->kind == ENGINE_EMBED)
            finding_help(run->agent->findings, finding,
                         "install libvirt's QEMU driver (Debian: libvirt-daemon-driver-qemu), or add '--engine qemu'");
        else
            finding_help(run->agent->findings, finding, "see that '%s' answers: 'virsh -c %s version'",
                         uri ? uri : "qemu:///system", uri ? uri : "qemu:///system");
        return false;
    }
    run->engine_data = connected;
    return true;
}

static void close_connection(struct run *run)
{
    struct connected *connected = run->engine_data;
    monitor_close(run->monitor);
    run->monitor = NULL;
    if (!connected)
        return;
    if (connected->domain)
        virDomainFree(connected->domain);
    virConnectClose(connected->connection);
    if (run->engine->kind == ENGINE_EMBED)
        embedded_keep_cache(run->agent, run->guest->plan->uuid);
    run->engine_data = NULL;
}

/* ---- starting --------------------------------------------------------------------------------------------------- */

static bool is_ready(struct agent *agent, const struct bundle_guest *guest)
{
    if (guest->xml)
        return true;
    struct finding *finding =
        tell(agent, NM_engine_cannot, "guest '%s' has what libvirt has no words for", guest->plan->name);
    finding_help(agent->findings, finding, "run it with '--engine qemu'; 'numac build' says what it is");
    agent->is_refused = true;
    return false;
}

static bool ask_threads(struct run *run)
{
    const struct plan_guest *guest = run->guest->plan;
    g_autofree char *error = NULL;
    uint32_t *ids = arena_array(run->agent->arena, uint32_t, guest->iothread_count + 1);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        ids[i] = guest->iothreads[i].id;
    if (!monitor_threads(run->monitor, run->agent->arena, ids, guest->iothread_count, guest->vcpu_count, &run->threads,
                         &error)) {
        run->agent->is_refused = true;
        tell(run->agent, NM_monitor_broken, "QEMU of guest '%s' does not answer: %s", guest->name, error);
        return false;
    }
    for (uint32_t i = 0; !run->agent->is_remote && i < guest->vcpu_count && !run->threads.qemu; i++)
        run->threads.qemu = run->threads.vcpus[i] ? proc_process_of(run->threads.vcpus[i]) : 0;
    return true;
}

static void abandon(struct run *run)
{
    struct connected *connected = run->engine_data;
    if (connected && connected->domain)
        virDomainDestroy(connected->domain);
    close_connection(run);
}

static bool start(struct run *run)
{
    if (!open_connection(run))
        return false;
    struct connected *connected = run->engine_data;
    connected->domain = virDomainCreateXML(connected->connection, run->guest->xml, VIR_DOMAIN_START_PAUSED);
    if (!connected->domain) {
        refuse(run, NM_engine_refused, "is not started");
        close_connection(run);
        return false;
    }
    run->monitor = lend(connected->domain);
    if (ask_threads(run)) {
        run->state->record.pid = run->threads.qemu;
        run->state->record.pid_start = process_start(run->threads.qemu);
        if (guest_write(run->agent, run->state))
            return true;
    }
    abandon(run);
    return false;
}

static bool proceed(struct run *run)
{
    struct connected *connected = run->engine_data;
    if (virDomainResume(connected->domain) == 0)
        return true;
    refuse(run, NM_engine_refused, "is not started");
    return false;
}

/* ---- one that runs ---------------------------------------------------------------------------------------------- */

static bool attach(struct run *run)
{
    if (!open_connection(run))
        return false;
    struct connected *connected = run->engine_data;
    connected->domain = virDomainLookupByUUIDString(connected->connection, run->guest->plan->uuid);
    if (!connected->domain) {
        refuse(run, NM_guest_not_running, "does not run");
        close_connection(run);
        return false;
    }
    run->monitor = lend(connected->domain);
    if (ask_threads(run))
        return true;
    close_connection(run);
    return false;
}

static bool stop(struct run *run)
{
    struct connected *connected = run->engine_data;
    if (!connected || virDomainDestroy(connected->domain) == 0)
        return true;
    refuse(run, NM_engine_refused, "is not stopped");
    return false;
}

/* ---- definitions ------------------------------------------------------------------------------------------------ */

static virDomainPtr find(virConnectPtr connection, const struct plan_guest *guest)
{
    virDomainPtr domain = virDomainLookupByUUIDString(connection, guest->uuid);
    return domain ? domain : virDomainLookupByName(connection, guest->name);
}

static bool dump(struct run *run, char **out_xml)
{
    *out_xml = NULL;
    if (!open_connection(run))
        return false;
    struct connected *connected = run->engine_data;
    connected->domain = find(connected->connection, run->guest->plan);
    bool fine = true;
    if (connected->domain) {
        unsigned flags = virDomainIsPersistent(connected->domain) == 1 ? VIR_DOMAIN_XML_INACTIVE : 0;
        *out_xml = virDomainGetXMLDesc(connected->domain, flags);
        if (!*out_xml)
            refuse(run, NM_engine_refused, "cannot be shown");
        fine = *out_xml != NULL;
    }
    close_connection(run);
    return fine;
}

static bool define(struct run *run, const char *xml)
{
    if (!open_connection(run))
        return false;
    struct connected *connected = run->engine_data;
    connected->domain = virDomainDefineXMLFlags(connected->connection, xml, VIR_DOMAIN_DEFINE_VALIDATE);
    bool fine = connected->domain != NULL;
    if (!fine)
        refuse(run, NM_engine_refused, "is not defined");
    close_connection(run);
    return fine;
}

const struct engine engine_embed = {
    .kind = ENGINE_EMBED,
    .places_threads = true,
    .is_ready = is_ready,
    .start = start,
    .proceed = proceed,
    .abandon = abandon,
    .attach = attach,
    .stop = stop,
    .detach = close_connection,
    .dump = dump,
    .define = define,
};

const struct engine engine_libvirt = {
    .kind = ENGINE_LIBVIRT,
    .places_threads = true,
    .is_ready = is_ready,
    .start = start,
    .proceed = proceed,
    .abandon = abandon,
    .attach = attach,
    .stop = stop,
    .detach = close_connection,
    .dump = dump,
    .define = define,
};
