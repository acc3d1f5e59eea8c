/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a plan: refused with one finding, or a plan that every emitter can write and that reads back the same.
 */
#include "claims.h"
#include "emit/emit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_outputs(const struct plan *plan)
{
    size_t count;
    const struct emitter *rows = emitters(&count);
    g_autoptr(GString) out = g_string_new(NULL);
    write_plan_text(plan, out);
    for (uint32_t g = 0; g < plan->guest_count; g++)
        for (size_t i = 0; i < count; i++)
            rows[i].write(&plan->guests[g], NULL, out);
}

static void check_round_trip(struct arena *arena, struct sources *sources, struct findings *findings,
                             const struct plan *plan)
{
    g_autoptr(GString) first = g_string_new(NULL);
    g_autoptr(GString) second = g_string_new(NULL);
    write_plan_json(plan, first);
    uint32_t file = sources_add_text(sources, "again", first->str, first->len);
    const struct plan *again = read_plan_json(arena, sources, findings, file);
    if (!again)
        bug("a plan that was read and written cannot be read");
    write_plan_json(again, second);
    if (!g_string_equal(first, second))
        bug("a plan changes when it is read and written");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    uint32_t file = sources_add_text(sources, "fuzz", (const char *)data, size);
    const struct plan *plan = read_plan_json(arena, sources, findings, file);
    if ((plan != NULL) == findings_have_errors(findings))
        bug("a plan and an error, or neither");
    if (findings_count(findings, ERROR) > 1)
        bug("a plan that is refused twice");
    check_findings(sources, findings);
    if (plan) {
        check_outputs(plan);
        check_round_trip(arena, sources, findings, plan);
    }
    findings_free(findings);
    sources_free(sources);
    arena_free(arena);
    return 0;
}
