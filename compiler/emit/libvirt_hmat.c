/* SPDX-License-Identifier: MIT
 *
 * How libvirt says latencies, bandwidths and the caches at the side of memory, spelled as virsh dumpxml does.  Sizes
 * and bandwidths count in KiB: libvirt 9.0 reads no other unit of a side cache.
 */
#include "emit/libvirt_numa.h"

void xml_side_caches(struct xml *xml, const struct plan_cell *cell)
{
    for (uint32_t i = 0; i < cell->side_cache_count; i++) {
        const struct plan_side_cache *cache = &cell->side_caches[i];
        xml_line(xml, "<cache level='");
        xml_number(xml, cache->level);
        xml_put(xml, "' associativity='");
        xml_put(xml, associativity_word(cache->associativity));
        xml_put(xml, "' policy='");
        xml_put(xml, write_policy_word(cache->policy));
        xml_end(xml, "'>");
        xml->depth++;
        xml_line(xml, "<size value='");
        xml_number(xml, cache->size_bytes / KIB);
        xml_end(xml, "' unit='KiB'/>");
        xml_line(xml, "<line value='");
        xml_number(xml, cache->line_bytes);
        xml_end(xml, "' unit='B'/>");
        xml_shut(xml, "</cache>");
    }
}

static void xml_interconnect(void *state, const struct hmat_row_of_plan *row)
{
    struct xml *xml = state;
    xml_line(xml, row->is_bandwidth ? "<bandwidth initiator='" : "<latency initiator='");
    xml_number(xml, row->initiator);
    xml_put(xml, "' target='");
    xml_number(xml, row->target);
    if (row->level) {
        xml_put(xml, "' cache='");
        xml_number(xml, row->level);
    }
    xml_put(xml, "' type='");
    xml_put(xml, hmat_access_word(row->access));
    xml_put(xml, "' value='");
    xml_number(xml, row->is_bandwidth ? row->value / KIB : row->value);
    xml_end(xml, row->is_bandwidth ? "' unit='KiB'/>" : "'/>");
}

void xml_interconnects(struct xml *xml, const struct plan_guest *guest)
{
    size_t before = xml->out->len;
    xml_open(xml, "<interconnects>");
    size_t empty = xml->out->len;
    hmat_each(guest, xml_interconnect, xml);
    if (xml->out->len == empty) {
        g_string_truncate(xml->out, before);
        xml->depth--;
        return;
    }
    xml_shut(xml, "</interconnects>");
}
