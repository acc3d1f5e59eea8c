/* SPDX-License-Identifier: MIT
 *
 * Any bytes as what numac hands to its agent: a bundle that the agent can work with, or one finding.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <sys/mman.h>
#include <unistd.h>

#include "bundle.h"
#include "claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int file_of(const uint8_t *bytes, size_t length)
{
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes, length) != (ssize_t)length || lseek(file, 0, SEEK_SET) != 0)
        bug("no file in memory");
    return file; /* the reader closes it */
}

static bool is_of_plan(const struct plan *plan, const struct plan_guest *guest)
{
    return plan && guest >= plan->guests && guest < plan->guests + plan->guest_count;
}

static void check_bundle(const struct bundle *bundle)
{
    if (bundle->verb >= VERB_COUNT || bundle->format > FINDINGS_JSON || bundle->fail_on > ERROR || bundle->pid < 0)
        bug("a bundle that asks for what there is not");
    for (uint32_t i = 0; i < bundle->guest_count; i++) {
        const struct bundle_guest *guest = &bundle->guests[i];
        if (!is_of_plan(bundle->plan, guest->plan) || guest->engine >= ENGINE_COUNT)
            bug("a guest that is not one of the plan, or that nobody runs");
        if (guest->argv && !guest->argv[0])
            bug("a command without a program");
        for (uint32_t k = 0; k < i; k++)
            if (bundle->guests[k].plan == guest->plan)
                bug("a guest that is meant twice");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena *arena = arena_new();
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    const struct bundle *bundle = bundle_read(arena, sources, findings, file_of(bytes, length));
    if (findings_count(findings, HINT) != (bundle ? 0 : 1))
        bug("a bundle and findings, or not one finding without a bundle");
    if (bundle)
        check_bundle(bundle);
    check_findings(sources, findings);
    findings_free(findings);
    sources_free(sources);
    arena_free(arena);
    return 0;
}
