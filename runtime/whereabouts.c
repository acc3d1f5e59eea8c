/* SPDX-License-Identifier: MIT
 *
 * Finds the host of a guest that may move.  libvirt moves it without a word to numac, so the only witness is where it
 * is found.
 */
#include "whereabouts.h"

#include <string.h>
#include <unistd.h>

#include "engine.h"

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* At home first, then where it may move to. */
static const struct bundle_guest *place_of(const struct bundle_guest *home, uint32_t position)
{
    return position ? &home->moves[position - 1] : home;
}

static bool is_reached(const struct bundle_guest *place, const struct run *run)
{
    return same_text(place->plan->connect, run->connect) || same_text(place->plan->connect, place->connect);
}

/* "r1", or "r1.example.com" of host r1. */
static bool is_named(const struct bundle_guest *place, const struct run *run)
{
    char own[256] = "";
    if (!run->machine)
        gethostname(own, sizeof own - 1);
    const char *name = run->machine ? run->machine : own, *host = place->plan->host;
    return host && g_str_has_prefix(name, host) && (!name[strlen(host)] || name[strlen(host)] == '.');
}

/* The only one of its places of which something is so. */
static const struct bundle_guest *only_place(const struct run *run,
                                             bool (*is_so)(const struct bundle_guest *place, const struct run *run))
{
    const struct bundle_guest *found = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i <= run->guest->move_count; i++)
        if (is_so(place_of(run->guest, i), run)) {
            found = place_of(run->guest, i);
            count++;
        }
    return count == 1 ? found : NULL;
}

void tell_moved(struct run *run, const struct bundle_guest *home)
{
    if (run->agent->bundle->watch) /* they would pile up */
        return;
    tell(run->agent, NM_guest_moved, "guest '%s' moved from host '%s' to '%s', and is held against its plan there",
         home->plan->name, home->plan->host, run->guest->plan->host);
}

static void tell_unknown(struct run *run)
{
    const struct plan_guest *plan = run->guest->plan;
    if (run->agent->bundle->watch)
        return;
    struct finding *finding = tell(run->agent, NM_guest_astray,
                                   "guest '%s' may move, and on which host it is, nothing tells: it counts as on '%s'",
                                   plan->name, plan->host);
    finding_help(run->agent->findings, finding, "give each of its hosts a 'connect', or the name of its machine");
}

void settle_whereabouts(struct run *run)
{
    const struct bundle_guest *home = run->guest, *place;
    if (run->state || !home->move_count) /* what numac started, and was found there, is at home */
        return;
    place = only_place(run, is_reached);
    place = place ? place : only_place(run, is_named);
    if (!place)
        tell_unknown(run);
    if (!place || place == home)
        return;
    run->guest = place;
    tell_moved(run, home);
}

bool next_whereabouts(struct run *run, const struct bundle_guest *home, uint32_t *position)
{
    while (run->engine->kind == ENGINE_LIBVIRT && *position < home->move_count) {
        const struct bundle_guest *place = &home->moves[(*position)++];
        if (!place->connect || same_text(place->connect, home->connect) || same_text(place->connect, run->connect))
            continue; /* asked already */
        run->guest = place;
        run->connect = place->connect;
        run->ended = NULL;
        run->agent->is_remote = is_elsewhere(ENGINE_LIBVIRT, place->connect);
        return true;
    }
    return false;
}
