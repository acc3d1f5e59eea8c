/* SPDX-License-Identifier: MIT
 *
 * `spare`: whether everything still fits with so many hosts or nodes missing.  The site is placed anew for each choice
 * of them that holds a guest; what holds none can be missing beside one that does, and take from it where its guests
 * would have gone.  The first choice that does not fit is told; what was not tried is told too.  The same is asked once
 * more with each guest that may move where it would be then.
 */
#include "place/groups.h"
#include "place/nodes.h"

#include <string.h>

enum { SPARE_MOST = 3, NAMED_MOST = 3, HOSTS_LOOKED_AT = 16 };

/* What all replays may look at: about as much as placing a large site. */
enum { WORK_OF_SPARE = 20000000, LOOKS_OF_A_STEP = 8 };

struct away { /* guests that move together, where they may move */
    const struct guest **guests;
    uint32_t count, host;
    struct span span; /* of the host's name, at the first of them */
};

struct spare {
    struct placing *placing;
    const struct away *away;  /* NULL: all are at home */
    const struct outage *all; /* that may be missing, those that hold guests first */
    uint32_t count, used;
    uint32_t missing_count;            /* at once */
    uint64_t work_left, work_of_rooms; /* of opening them all once */
};

/* ---- what may be missing ---------------------------------------------------------------------------------------- */

/* By node of a host, whether some guest stands there. */
static bool *nodes_used(struct placing *placing, const struct room *room)
{
    bool *used = arena_array(placing->scratch, bool, room->node_count + 1);
    for (const struct draft *draft = room->guests; draft; draft = draft->before) {
        const struct footprint *print = footprint_of(placing, draft, room);
        for (uint32_t i = 0; i < print->core_count; i++)
            used[room->groups[room->cores[print->cores[i]].group].node] = true;
        for (uint32_t i = 0; i < print->node_count; i++)
            used[print->nodes[i]] = true;
    }
    return used;
}

static void list_host(const struct spare *spare, uint32_t host, bool wants_used, GArray *out)
{
    struct room *room = spare->placing->rooms[host];
    bool is_used = room && room->guests;
    if (spare->placing->site->spare_what == SPARE_HOST) {
        struct outage outage = { host, NO_INDEX };
        if (spare->placing->hosts->list[host].facts && is_used == wants_used)
            g_array_append_val(out, outage);
        return;
    }
    const struct host *facts = spare->placing->hosts->list[host].facts;
    const bool *used = is_used ? nodes_used(spare->placing, room) : NULL;
    for (uint32_t n = 0; facts && n < facts->node_count; n++) {
        struct outage outage = { host, n };
        if (facts->nodes[n].is_allowed && (used && used[n]) == wants_used)
            g_array_append_val(out, outage);
    }
}

static void list_all(struct spare *spare)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct outage));
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t h = 0; h < spare->placing->hosts->count; h++)
            list_host(spare, h, pass == 0, all);
        spare->used = pass ? spare->used : all->len;
    }
    spare->count = all->len;
    spare->all = arena_copy(spare->placing->scratch, all->data, all->len * sizeof(struct outage));
}

/* ---- one choice ------------------------------------------------------------------------------------------------- */

/* A pin table that names CPUs which are gone: the replay takes it as it stands. */
static bool is_pinned_there(const struct draft *draft, const struct missing *missing)
{
    for (uint32_t i = 0; i < missing->count; i++) {
        const struct outage *outage = &missing->list[i];
        if (!draft->room || draft->room->number != outage->host || outage->node == NO_INDEX)
            continue;
        const struct ids *gone = draft->room->host->facts->nodes[outage->node].cpus, *before = NULL;
        for (uint32_t v = 0; v < draft->vcpu_count; v++) {
            if (draft->vcpu_cpus[v] && draft->vcpu_cpus[v] != before && ids_overlap(draft->vcpu_cpus[v], gone))
                return true;
            before = draft->vcpu_cpus[v];
        }
    }
    return false;
}

static bool finds_no_room(const struct placing *again, uint32_t guest)
{
    const struct draft *draft = &again->drafts[guest];
    return !draft->is_placed || is_pinned_there(draft, again->missing);
}

/* The first guest that finds none; guest_count where all do. */
static uint32_t first_without(const struct placing *again)
{
    uint32_t guest = 0;
    while (guest < again->site->guest_count && !finds_no_room(again, guest))
        guest++;
    return guest;
}

static bool all_find_room(const struct placing *again)
{
    return first_without(again) == again->site->guest_count;
}

/* The site without these.  False: there was not work enough left to say. */
static bool replay_without(struct spare *spare, const struct replay *replay, struct placing *again)
{
    replay_begin(spare->placing, replay, again);
    again->work_left = spare->work_left;
    again->looks_left = LOOKS_OF_A_RUN;
    replay_place(again);
    uint64_t looks = (LOOKS_OF_A_RUN - again->looks_left) / LOOKS_OF_A_STEP;
    spare->work_left = again->work_left - MIN(again->work_left, looks + spare->work_of_rooms);
    return spare->work_left > 0;
}

/* ---- telling ---------------------------------------------------------------------------------------------------- */

static const char *missing_text(struct placing *placing, const struct missing *missing)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (uint32_t i = 0; i < missing->count; i++) {
        const struct site_host *host = &placing->hosts->list[missing->list[i].host];
        const char *between = !i ? "" : i + 1 < missing->count ? ", " : " and ";
        if (missing->list[i].node == NO_INDEX)
            g_string_append_printf(text, "%shost '%s'", between, host->name);
        else
            g_string_append_printf(text, "%snode %u of host '%s'", between,
                                   host->facts->nodes[missing->list[i].node].os_index, host->name);
    }
    return arena_string(placing->scratch, text->str, text->len);
}

static bool is_missing(const struct missing *missing, const char *name, const struct placing *placing)
{
    for (uint32_t i = 0; i < missing->count; i++)
        if (missing->list[i].node == NO_INDEX && strcmp(placing->hosts->list[missing->list[i].host].name, name) == 0)
            return true;
    return false;
}

static bool names_only_missing(const struct placing *again, const struct guest *guest)
{
    const char *const *names = guest->hosts.items;
    for (uint32_t i = 0; i < guest->hosts.count; i++)
        if (!is_missing(again->missing, names[i], again))
            return false;
    return guest->hosts.count > 0;
}

/* What is short, where it comes nearest; NULL where nothing is, but the groups of the guest. */
static const char *short_text(struct placing *again, const struct guest *guest)
{
    struct candidates candidates = candidates_of(again, guest);
    struct diagnosis best, here;
    bool is_any = false;
    for (uint32_t i = 0; i < candidates.count && i < HOSTS_LOOKED_AT; i++) {
        struct shape shape = { MAX(said_cells(guest), 1), ANYWHERE };
        if (!diagnose(again, guest, again->rooms[candidates.hosts[i]], shape, false, &here))
            return NULL;
        if (!here.misfit.is_reported && (!is_any || is_milder(&here, &best)))
            best = here;
        is_any |= !here.misfit.is_reported;
    }
    return is_any ? shortage_text(again->scratch, &best) : NULL;
}

static void note_guest(struct spare *spare, struct finding *finding, struct placing *again, uint32_t number)
{
    struct findings *findings = spare->placing->findings;
    const struct guest *guest = &again->site->guests[number];
    bool is_there = again->missing->list[0].node != NO_INDEX && fixes_places(guest);
    const char *text;
    if (names_only_missing(again, guest))
        finding_note(findings, finding, "guest '%s' may live on no other host", guest->name);
    else if (is_there)
        finding_note(findings, finding, "guest '%s' names nodes or CPUs there", guest->name);
    else if ((text = short_text(again, guest)))
        finding_note(findings, finding, "guest '%s': %s", guest->name, text);
    else
        finding_note(findings, finding, "guest '%s' finds no room that its groups allow", guest->name);
}

/* ---- cures ------------------------------------------------------------------------------------------------------ */

static bool helps(struct spare *spare, const struct guest *guest, const struct guest *edited,
                  const struct missing *missing)
{
    struct placing again;
    struct replay replay = { .edited = edited, .guest = guest, .missing = missing };
    bool is_whole = replay_without(spare, &replay, &again), fits = is_whole && all_find_room(&again);
    replay_end(&again);
    return fits;
}

static bool offer_open(struct spare *spare, struct finding *finding, const struct guest *guest,
                       const struct missing *missing)
{
    struct findings *findings = spare->placing->findings;
    struct guest edited = *guest;
    edited.hosts = (struct list){ 0 };
    if (guest->hosts.count && helps(spare, guest, &edited, missing)) {
        finding_help(findings, finding, "leave 'host' out of guest '%s', or name more hosts", guest->family);
        return true;
    }
    edited = *guest;
    edited.cells = arena_copy(spare->placing->scratch, edited.cells, edited.cell_count * sizeof *edited.cells);
    edited.locality.nodes = NULL;
    bool is_said_node = guest->locality.nodes != NULL;
    for (uint32_t c = 0; c < edited.cell_count; c++) {
        is_said_node |= edited.cells[c].locality.nodes != NULL;
        edited.cells[c].locality.nodes = NULL;
    }
    if (!is_said_node || !helps(spare, guest, &edited, missing))
        return false;
    finding_help(findings, finding, "leave 'node' out of guest '%s'", guest->family);
    return true;
}

/* "guest 'a' finds no room", "guest 'a' and 2 others find no room" */
static const char *who_finds_none(const struct spare *spare, const struct placing *again)
{
    uint32_t first = first_without(again), others = 0;
    const char *name = again->site->guests[first].name;
    for (uint32_t g = first + 1; g < again->site->guest_count; g++)
        others += finds_no_room(again, g);
    struct arena *scratch = spare->placing->scratch;
    if (!others)
        return arena_printf(scratch, "guest '%s' finds no room", name);
    if (others == 1)
        return arena_printf(scratch, "guest '%s' and another find no room", name);
    return arena_printf(scratch, "guest '%s' and %u others find no room", name, others);
}

static void note_guests(struct spare *spare, struct finding *finding, struct placing *again)
{
    struct findings *findings = spare->placing->findings;
    const struct guest *first = &again->site->guests[first_without(again)];
    uint32_t found = 0;
    finding_label(findings, finding, first->span, "guest '%s'", first->name);
    for (uint32_t g = first->number; g < again->site->guest_count; g++)
        if (finds_no_room(again, g) && found++ < NAMED_MOST)
            note_guest(spare, finding, again, g);
    if (found > NAMED_MOST)
        finding_note(findings, finding, "and so for %u more", found - NAMED_MOST);
}

static void tell_short(struct spare *spare, struct placing *again)
{
    struct placing *placing = spare->placing;
    struct finding *finding =
        report(placing->findings, NM_spare_short, said_span(&placing->site->said, W_SITE_SPARE, 0),
               "with %s missing, %s", missing_text(placing, again->missing), who_finds_none(spare, again));
    note_guests(spare, finding, again);
    if (!offer_open(spare, finding, &placing->site->guests[first_without(again)], again->missing))
        finding_help(placing->findings, finding, "declare another host, or ask for less");
}

static void tell_short_away(struct spare *spare, struct placing *again)
{
    struct placing *placing = spare->placing;
    const struct away *away = spare->away;
    const char *host = placing->hosts->list[away->host].name;
    size_t before = findings_count(placing->findings, HINT);
    about_guest(placing->findings, away->guests[0]);
    struct finding *finding =
        report(placing->findings, NM_spare_moved, away->span, "with guest '%s'%s on host '%s' and %s missing, %s",
               away->guests[0]->name, away->count > 1 ? " and those of its group" : "", host,
               missing_text(placing, again->missing), who_finds_none(spare, again));
    finding_label(placing->findings, finding, said_span(&placing->site->said, W_SITE_SPARE, 0),
                  "all would fit were it at home");
    note_guests(spare, finding, again);
    finding_help(placing->findings, finding, "make room on host '%s', or leave it out of 'migrate'", host);
    tell_origins_since(placing->findings, before, placing->site, away->guests[0]);
    about_guest(placing->findings, NULL);
}

static void tell_untried(const struct spare *spare, uint64_t tried)
{
    struct placing *placing = spare->placing;
    uint64_t all = 1, free = 1;
    for (uint32_t i = 0; i < spare->missing_count; i++) {
        uint64_t others = spare->count - spare->used;
        all = all * (spare->count - i) / (i + 1);
        free = others > i ? free * (others - i) / (i + 1) : 0;
    }
    struct span span = said_span(&placing->site->said, W_SITE_SPARE, 0);
    struct finding *finding = spare->away ? report(placing->findings, NM_spare_untried, span,
                                                   "'spare' was not tried with every guest where it may move")
                                          : report(placing->findings, NM_spare_untried, span,
                                                   "%" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT
                                                   " cases of 'spare' were tried, and all of these fit",
                                                   tried, all - free);
    finding_help(placing->findings, finding, "split the site, so that each part can be tried whole");
}

/* ---- all choices ------------------------------------------------------------------------------------------------ */

/* What a guest that is away stands on is missing: then it is placed anew like all others, which was tried. */
static bool takes_from(const struct missing *missing, const struct away *away)
{
    for (uint32_t i = 0; away && i < missing->count; i++)
        if (missing->list[i].host == away->host)
            return true;
    return false;
}

/* Tries one choice.  False: nothing more is to be tried. */
static bool try_choice(struct spare *spare, const uint32_t *chosen, uint64_t *tried)
{
    const struct away *away = spare->away;
    struct outage list[SPARE_MOST];
    struct missing missing = { list, spare->missing_count };
    for (uint32_t i = 0; i < missing.count; i++)
        list[i] = spare->all[chosen[i]];
    if (takes_from(&missing, away))
        return true;
    struct placing again;
    struct replay replay = { .missing = &missing,
                             .moved = away ? away->guests : NULL,
                             .moved_count = away ? away->count : 0 };
    bool is_whole = replay_without(spare, &replay, &again), fits = all_find_room(&again);
    if (is_whole && !fits && away)
        tell_short_away(spare, &again);
    else if (is_whole && !fits)
        tell_short(spare, &again);
    replay_end(&again);
    if (!is_whole)
        tell_untried(spare, *tried);
    ++*tried;
    return is_whole && fits;
}

/* The next choice in order of the list; false behind the last that holds a guest. */
static bool next_choice(const struct spare *spare, uint32_t *chosen)
{
    uint32_t last = spare->missing_count;
    while (last-- > 0)
        if (chosen[last] + (spare->missing_count - last) < spare->count) {
            chosen[last]++;
            for (uint32_t i = last + 1; i < spare->missing_count; i++)
                chosen[i] = chosen[i - 1] + 1;
            return chosen[0] < spare->used;
        }
    return false;
}

static bool refuse_count(struct spare *spare)
{
    struct placing *placing = spare->placing;
    const struct site *site = placing->site;
    struct span span = said_span(&site->said, W_SITE_SPARE, 2);
    const char *word = site->spare_what == SPARE_HOST ? "host" : "node";
    struct finding *finding;
    if (!site->spare_count)
        finding = report(placing->findings, NM_spare_count, span, "'spare %s 0' asks for nothing", word);
    else if (site->spare_count > SPARE_MOST)
        finding = report(placing->findings, NM_spare_count, span,
                         "%u %ss missing at once are more than numac tries, %d", site->spare_count, word, SPARE_MOST);
    else if (site->spare_count >= spare->count)
        finding = report(placing->findings, NM_spare_count, span, "with %u %s%s missing, none of %u is left",
                         site->spare_count, word, site->spare_count == 1 ? "" : "s", spare->count);
    else
        return false;
    uint32_t most = MIN((uint32_t)SPARE_MOST, spare->count ? spare->count - 1 : 0);
    if (most)
        finding_help(placing->findings, finding, "write 'spare %s %u', or remove it", word,
                     site->spare_count ? most : 1);
    else
        finding_help(placing->findings, finding, "declare another host, or remove it");
    return true;
}

static void refuse_hostless(struct placing *placing)
{
    struct finding *finding =
        report(placing->findings, NM_word_needs_host, said_span(&placing->site->said, W_SITE_SPARE, 0),
               "'spare' needs a host, and the site declares none");
    finding_help(placing->findings, finding,
                 "declare one: 'host NAME { topology \"FILE\" }', recorded with 'numac host record'");
}

/* False: some choice does not fit, or was not tried. */
static bool try_choices(struct spare *spare)
{
    uint32_t chosen[SPARE_MOST] = { 0, 1, 2 };
    uint64_t tried = 0;
    bool fits = true, is_left = spare->used > 0;
    while (is_left && fits) {
        fits = try_choice(spare, chosen, &tried);
        is_left = next_choice(spare, chosen);
    }
    return fits;
}

/* ---- guests that may move --------------------------------------------------------------------------------------- */

/* A guest, and those that move with it, as they would be there.  False: one before it stands for all of them, or some
 * do not fit or stay behind, which is told. */
static bool find_away(struct placing *placing, const struct planned_guest *home, const struct planned_guest *there,
                      struct away *out)
{
    const struct guest *first = home->anywhere;
    const char *host = there->host->name;
    if (!leads_unit(placing, first))
        return false;
    const uint32_t *numbers = who_moves(placing, first, host, &out->count);
    if (unit_size(placing, first) != out->count)
        return false;
    out->host = GPOINTER_TO_UINT(g_hash_table_lookup(placing->host_numbers, host)) - 1;
    out->guests = arena_array(placing->scratch, const struct guest *, out->count);
    for (uint32_t m = 0; m < out->count; m++) {
        const struct planned_guest *moved = find_move(placing->planned[numbers[m]], host);
        if (!moved)
            return false;
        out->guests[m] = guest_only_there(placing, moved->guest, out->host);
    }
    uint32_t position = 0;
    while (strcmp(((const char *const *)first->migrate.items)[position], host) != 0)
        position++;
    out->span = placed_word_span(first, W_GUEST_MIGRATE, position + 1);
    return true;
}

static void try_moves(struct spare *spare)
{
    struct placing *placing = spare->placing;
    for (uint32_t g = 0; g < placing->site->guest_count; g++) {
        const struct planned_guest *home = placing->planned[g];
        for (uint32_t m = 0; home && m < home->plan->move_count && spare->work_left; m++) {
            struct away away;
            if (!find_away(placing, home, &home->moves[m], &away))
                continue;
            spare->away = &away;
            try_choices(spare);
        }
    }
    spare->away = NULL;
}

void check_spare(struct placing *placing)
{
    const struct site *site = placing->site;
    struct spare spare = { .placing = placing, .missing_count = site->spare_count, .work_left = WORK_OF_SPARE };
    if (!is_said(&site->said, W_SITE_SPARE) || is_failed(&site->said, W_SITE_SPARE))
        return;
    if (!placing->hosts->count) {
        refuse_hostless(placing);
        return;
    }
    for (uint32_t h = 0; h < placing->hosts->count; h++) {
        if (!placing->hosts->list[h].facts)
            return; /* what is there is not known, which was told */
        spare.work_of_rooms += placing->hosts->list[h].facts->cpu_count;
    }
    list_all(&spare);
    if (refuse_count(&spare))
        return;
    for (uint32_t g = 0; g < site->guest_count; g++)
        if (!placing->drafts[g].is_placed)
            return; /* it does not fit with all of them */
    if (try_choices(&spare))
        try_moves(&spare);
}
