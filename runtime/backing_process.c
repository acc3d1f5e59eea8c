/* SPDX-License-Identifier: MIT
 *
 * Finds the memory of cells among what the kernel maps for a QEMU that is not asked: by its size.  Cells of one size
 * are told apart by their addresses alone, as QEMU takes memory for them one after another, from above.
 */
#include "backing.h"

#include <string.h>

#include "proc.h"

/* How many bytes of writable memory lie together from here on, `most` or fewer; more tells nothing. */
static uint64_t bytes_together(const struct memory_area *areas, uint32_t count, uint64_t most)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count && areas[i].is_writable && bytes < most; i++) {
        if (i && areas[i].begin != areas[i - 1].end)
            break;
        bytes += areas[i].end - areas[i].begin;
    }
    return bytes;
}

/* Where memory of this size begins, from above; returns how many there are. */
static uint32_t places_of(struct arena *arena, const struct memory *memory, uint64_t bytes, const uint64_t **out)
{
    const struct memory_area *areas = memory->areas;
    uint32_t count = memory->count;
    uint64_t *begins = arena_array(arena, uint64_t, count + 1), least = UINT64_MAX;
    uint32_t found = 0;
    for (uint32_t i = count; i-- > 0;) {
        if (areas[i].begin + bytes > least || bytes_together(areas + i, count - i, bytes) != bytes)
            continue;
        begins[found++] = least = areas[i].begin;
    }
    *out = begins;
    return found;
}

static uint32_t cells_of_size(const struct plan_guest *guest, uint64_t bytes, uint32_t end)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < end; c++)
        count += guest->cells[c].memory_bytes == bytes;
    return count;
}

void backing_of_process(struct arena *arena, const struct memory *memory, const struct plan_guest *guest,
                        struct backing *out)
{
    memset(out, 0, guest->cell_count * sizeof *out);
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const uint64_t *begins, bytes = guest->cells[c].memory_bytes;
        uint32_t alike = cells_of_size(guest, bytes, guest->cell_count);
        if (!bytes || places_of(arena, memory, bytes, &begins) != alike)
            continue;
        out[c] = (struct backing){ .name = guest->cells[c].name,
                                   .begin = begins[cells_of_size(guest, bytes, c)],
                                   .bytes = bytes,
                                   .is_by_order = alike > 1 };
    }
}
