/* SPDX-License-Identifier: MIT
 *
 * Elements of a domain XML that libvirt would drop without a word, where what they stand in is about memory and CPUs:
 * nearly always one that is misspelt.  Which elements there are is the table of parts; here are only those that numac
 * has no interest in.
 */
#include "syntax/domain.h"

#include <string.h>

static const struct {
    enum part parent;
    const char *others[10]; /* that stand there and are no parts */
} rows[] = {
    { PART_CPUTUNE,
      { "shares", "period", "quota", "global_period", "global_quota", "emulator_period", "emulator_quota",
        "iothread_period", "iothread_quota" } },
    { PART_CPU, { "vendor" } },
    { PART_NUMATUNE, { NULL } },
    { PART_BACKING, { NULL } },
    { PART_HUGEPAGES, { NULL } },
    { PART_NUMA, { NULL } },
    { PART_CELL, { NULL } },
    { PART_DISTANCES, { NULL } },
    { PART_INTERCONNECTS, { NULL } },
    { PART_IOTHREAD_IDS, { NULL } },
};

struct names { /* of all that may stand in one element */
    enum part parent, part;
    const char *const *others;
};

static const char *next_name(void *state)
{
    struct names *names = state;
    while (++names->part < PART_COUNT)
        if (part_parent(names->part) == names->parent)
            return part_name(names->part);
    return *names->others ? *names->others++ : NULL;
}

void domain_tell_unknown(struct domain *domain, enum part parent, const char *name, struct extent where)
{
    size_t row = 0;
    while (row < G_N_ELEMENTS(rows) && rows[row].parent != parent)
        row++;
    if (row == G_N_ELEMENTS(rows))
        return;
    for (const char *const *other = rows[row].others; *other; other++)
        if (strcmp(name, *other) == 0)
            return;
    struct names names = { .parent = parent, .others = rows[row].others };
    const char *near = nearest_name(name, strlen(name), next_name, &names);
    struct finding *finding = domain_report(domain, NM_base_unknown_element, where, "there is no '<%.40s>' in '<%s>'",
                                            name, part_name(parent));
    finding_note(domain->findings, finding, "libvirt would drop it without a word");
    if (near)
        finding_help(domain->findings, finding, "did you mean '<%s>'?", near);
    else
        finding_help(domain->findings, finding, "remove it");
}
