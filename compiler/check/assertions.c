/* SPDX-License-Identifier: MIT
 *
 * What the site asserts of its plan, against the plan: each limit of each assertion is one error at most, about the
 * guest or host that is farthest from it.  What is measured, and how, is left to measures.c.
 */
#include "check/measures.h"

#include <string.h>

struct test { /* one assertion, and whom it is about */
    const struct assertion *row;
    bool is_of_site;                   /* about each guest or host there is */
    const struct planned_guest *guest; /* this one, */
    const struct site_host *host;      /* or this one */
};

struct miss { /* of one limit: where the plan is farthest from it */
    const struct limit *limit;
    struct test test;
    struct reading reading;
    uint64_t off;   /* how far; 0: nobody misses it */
    uint32_t count; /* of those who miss it */
};

struct trial { /* of a site */
    const struct check *check;
    const struct planned_site *planned;
    struct measuring *measuring;
    GHashTable *by_place; /* of a limit, to struct miss * */
    GPtrArray *misses;    /* as they were met */
};

/* ---- what is told ----------------------------------------------------------------------------------------------- */

static const char *amount_text(const struct check *check, uint32_t measure, uint64_t value)
{
    return is_measured_in_bytes(measure) ? size_text(check->arena, value)
                                         : arena_printf(check->arena, "%" G_GUINT64_FORMAT, value);
}

static const char *whose(const struct check *check, const struct test *test)
{
    return test->guest ? arena_printf(check->arena, "guest '%s'", test->guest->plan->name)
                       : arena_printf(check->arena, "host '%s'", test->host->name);
}

/* Whom the assertion is about, where it does not stand there itself. */
static void label_subject(const struct check *check, struct finding *finding, const struct test *test)
{
    if (!test->is_of_site && test->row->layer >= LAYER_GUEST)
        return;
    struct span span = test->guest ? test->guest->guest->span : test->host->declared->span;
    const char *by = test->is_of_site ? "the site asserts it of all"
                     : test->guest    ? "asserted by a profile that it uses"
                                      : "asserted by the host that it is like";
    finding_label(check->findings, finding, span, "%s: %s", whose(check, test), by);
}

static void report_miss(const struct check *check, const struct miss *miss)
{
    static const char *const relations[] = { "exactly", "at most", "at least" };
    const struct limit *limit = miss->limit;
    uint32_t measure = miss->test.row->measure;
    const char *found = amount_text(check, measure, miss->reading.value);
    struct finding *finding =
        report(check->findings, NM_assert_failed, limit->amount.span, "'%s' of %s is %s, and %s %s is asserted",
               measure_word(measure), whose(check, &miss->test), found, relations[limit->relation],
               amount_text(check, measure, limit->amount.value));
    label_subject(check, finding, &miss->test);
    if (miss->count > 1)
        finding_note(check->findings, finding, "%u %s are not as asserted, and this one is farthest from it",
                     miss->count, miss->test.guest ? "guests" : "hosts");
    if (miss->reading.note)
        finding_note(check->findings, finding, "%s", miss->reading.note);
    bool is_too_much = miss->reading.value > limit->amount.value;
    if (is_too_much)
        finding_help(check->findings, finding, "%s", measure_cure(measure, miss->test.guest));
    finding_help(check->findings, finding, "%sassert what the plan is: '%s %s %s'", is_too_much ? "or " : "",
                 measure_word(measure), relation_word(limit->relation), found);
}

static void report_unknown(const struct check *check, const struct test *test, const struct reading *reading)
{
    if (test->guest)
        about_guest(check->findings, test->guest->guest);
    else
        about_host(check->findings, test->host->declared);
    struct finding *finding = report(check->findings, NM_assert_unknown, test->row->span, "'%s' of %s is not known: %s",
                                     measure_word(test->row->measure), whose(check, test), reading->unknown);
    label_subject(check, finding, test);
    finding_note(check->findings, finding, "what is not known is not tested");
    finding_help(check->findings, finding, "%s", reading->cure);
}

/* ---- the tests -------------------------------------------------------------------------------------------------- */

static struct miss *miss_of(struct trial *trial, const struct assertion *row, const struct limit *limit)
{
    struct span span = limit->amount.span;
    guint64 key = (guint64)span.file << 33 | (guint64)span.begin << 1 | (limit != row->limits);
    struct miss *miss = g_hash_table_lookup(trial->by_place, &key);
    if (miss)
        return miss;
    miss = arena_take(trial->check->arena, struct miss);
    miss->limit = limit;
    g_hash_table_insert(trial->by_place, arena_copy(trial->check->arena, &key, sizeof key), miss);
    g_ptr_array_add(trial->misses, miss);
    return miss;
}

/* How far a value is from where it is to be; 0: it is there. */
static uint64_t distance_from(const struct limit *limit, uint64_t value)
{
    uint64_t wanted = limit->amount.value;
    if (value > wanted)
        return limit->relation == RELATION_MIN ? 0 : value - wanted;
    return limit->relation == RELATION_MAX ? 0 : wanted - value;
}

static void judge(struct trial *trial, const struct test *test, const struct reading *reading)
{
    if (reading->unknown) {
        report_unknown(trial->check, test, reading);
        return;
    }
    for (uint32_t i = 0; i < test->row->limit_count; i++) {
        const struct limit *limit = &test->row->limits[i];
        uint64_t off = distance_from(limit, reading->value);
        if (!off)
            continue;
        struct miss *miss = miss_of(trial, test->row, limit);
        miss->count++;
        if (off <= miss->off)
            continue;
        miss->off = off;
        miss->test = *test;
        miss->reading = *reading;
    }
}

static void try_guest(struct trial *trial, const struct list *assertions, bool is_of_site,
                      const struct planned_guest *guest)
{
    const struct assertion *rows = assertions->items;
    for (uint32_t i = 0; i < assertions->count; i++) {
        struct test test = { .row = &rows[i], .is_of_site = is_of_site, .guest = guest };
        struct reading reading;
        if (rows[i].measure < MEASURE_FREE_CPUS && measure_guest(trial->measuring, rows[i].measure, guest, &reading))
            judge(trial, &test, &reading);
    }
}

static void try_host(struct trial *trial, const struct list *assertions, bool is_of_site, const struct plan_host *plan,
                     const struct site_host *host)
{
    const struct assertion *rows = assertions->items;
    for (uint32_t i = 0; i < assertions->count; i++) {
        struct test test = { .row = &rows[i], .is_of_site = is_of_site, .host = host };
        struct reading reading;
        if (rows[i].measure >= MEASURE_FREE_CPUS &&
            measure_host(trial->measuring, rows[i].measure, plan, host, &reading))
            judge(trial, &test, &reading);
    }
}

static void try_hosts(struct trial *trial, const struct plan_host *hosts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct site_host *host = find_site_host(trial->planned->hosts, hosts[i].name);
        try_host(trial, &host->declared->assertions, false, &hosts[i], host);
        try_host(trial, &trial->check->site->assertions, true, &hosts[i], host);
    }
}

static void try_all(struct trial *trial)
{
    const struct planned_site *planned = trial->planned;
    const struct list *of_site = &trial->check->site->assertions;
    for (uint32_t i = 0; i < planned->plan->guest_count; i++) {
        try_guest(trial, &planned->guests[i].guest->assertions, false, &planned->guests[i]);
        try_guest(trial, of_site, true, &planned->guests[i]);
    }
    try_hosts(trial, planned->plan->hosts, planned->plan->host_count);
    try_hosts(trial, planned->idle_hosts, planned->idle_host_count);
}

static void plan_is_as_asserted(const struct check *check, const struct planned_site *planned)
{
    g_autoptr(GHashTable) by_place = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autoptr(GPtrArray) misses = g_ptr_array_new();
    struct trial trial = { .check = check,
                           .planned = planned,
                           .measuring = measuring_new(check->arena, planned),
                           .by_place = by_place,
                           .misses = misses };
    size_t before = findings_count(check->findings, HINT);
    try_all(&trial);
    for (guint i = 0; i < misses->len; i++)
        report_miss(check, g_ptr_array_index(misses, i));
    tell_origins_since(check->findings, before, check->site, NULL);
    measuring_free(trial.measuring);
}

const struct site_rule assertion_rules[] = {
    { .name = "plan-is-as-asserted", .source = "language 7", .run = plan_is_as_asserted }, { 0 }
};
