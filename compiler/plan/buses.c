/* SPDX-License-Identifier: MIT
 *
 * The numbers of PCI buses.  A guest has 256 of them; an expander bus takes its own and, for the firmware to deal out
 * behind it, those that follow up to the next expander.  Host bridges of ppc64 have 256 each, and are numbered
 * themselves.
 */
#include "plan/plan.h"

const char *expander_kind_word(enum expander_kind kind)
{
    static const char *const words[] = {
        [EXPANDER_PXB] = "pxb",
        [EXPANDER_PXB_PCIE] = "pxb-pcie",
        [EXPANDER_PXB_CXL] = "pxb-cxl",
        [EXPANDER_PHB] = "spapr-pci-host-bridge",
    };
    return words[kind];
}

enum expander_kind expander_kind_of(const struct machine_family *machine)
{
    return !machine || machine->has_express ? EXPANDER_PXB_PCIE : machine->has_phbs ? EXPANDER_PHB : EXPANDER_PXB;
}

bool has_slots_for_devices(enum expander_kind kind)
{
    return kind == EXPANDER_PXB || kind == EXPANDER_PHB;
}

uint32_t bus_number_most(enum expander_kind kind)
{
    return kind == EXPANDER_PHB ? PHB_MOST : BUS_NUMBER_MOST;
}

uint32_t bus_numbers_of(enum expander_kind kind, uint32_t ports)
{
    return 1 + (kind == EXPANDER_PXB ? 1 : ports);
}

struct bus_numbers bus_numbers_of_base(enum expander_kind kind, uint32_t end)
{
    if (!end)
        return (struct bus_numbers){ 0 };
    return kind == EXPANDER_PHB ? (struct bus_numbers){ 1, end - 1 }
                                : (struct bus_numbers){ end, BUS_NUMBERS_END - end };
}

uint32_t free_bus_number(enum expander_kind kind, const struct bus_numbers *taken, uint32_t taken_count, uint32_t count)
{
    bool is_taken[BUS_NUMBERS_END] = { true }; /* 0 is the root bus */
    for (uint32_t t = 0; t < taken_count; t++)
        for (uint32_t n = 0; n < taken[t].count && taken[t].first + n < BUS_NUMBERS_END; n++)
            is_taken[taken[t].first + n] = true;
    if (kind == EXPANDER_PHB) {
        uint32_t number = 1;
        while (number <= PHB_MOST && is_taken[number])
            number++;
        return number <= PHB_MOST ? number : 0;
    }
    uint32_t run = 0;
    for (uint32_t number = BUS_NUMBERS_END; number-- > 1;) {
        run = is_taken[number] ? 0 : run + 1;
        if (run >= count && number <= BUS_NUMBER_MOST)
            return number;
    }
    return 0;
}

const struct plan_expander *cxl_bridge(const struct plan_guest *guest, uint32_t device)
{
    uint32_t nth = 0;
    for (uint32_t i = 0; i < device; i++)
        nth += guest->memory_devices[i].model == MEMORY_CXL;
    for (uint32_t i = 0; i < guest->expander_count; i++)
        if (guest->expanders[i].kind == EXPANDER_PXB_CXL && !nth--)
            return &guest->expanders[i];
    return NULL;
}
