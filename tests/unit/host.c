/* SPDX-License-Identifier: MIT
 *
 * Does compiler/host tell the truth about machines of every kind, and refuse what is none with one finding?  Works on
 * synthetic hosts and on tests/hosts; run from the top of the project, or name the folder.
 */
#include "host/facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench {
    struct arena *arena;
    struct sources *sources;
    struct findings *findings;
};

static struct bench bench_new(void)
{
    struct bench bench = { .arena = arena_new(), .sources = sources_new() };
    bench.findings = findings_new(bench.sources);
    return bench;
}

static void bench_free(struct bench *bench)
{
    findings_free(bench->findings);
    sources_free(bench->sources);
    arena_free(bench->arena);
}

static const char *hosts_folder = "tests/hosts";

static const struct host *load(struct bench *bench, const char *name, unsigned wants)
{
    g_autofree char *path = g_build_filename(hosts_folder, name, NULL);
    const struct host *host = host_load(bench->arena, bench->sources, bench->findings, path, false, wants, SPAN_NONE);
    g_assert_nonnull(host);
    g_assert_cmpuint(findings_count(bench->findings, HINT), ==, 0);
    return host;
}

static const struct host *synthetic(struct bench *bench, const char *text)
{
    const struct host *host = host_load(bench->arena, bench->sources, bench->findings, text, true, 0, SPAN_NONE);
    g_assert_nonnull(host);
    return host;
}

static void assert_ids(const struct ids *ids, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    ids_append(text, ids);
    g_assert_cmpstr(text->str, ==, expected);
}

/* ---- kinds of source -------------------------------------------------------------------------------------------- */

static void test_synthetic(void)
{
    struct bench bench = bench_new();
    const struct host *host = synthetic(&bench, "pack:2 [numa(memory=16GiB)] l3:2 core:4 pu:2");
    g_assert_cmpuint(host->cpu_count, ==, 32);
    g_assert_cmpuint(host->node_count, ==, 2);
    assert_ids(host->nodes[1].cpus, "16-31");
    g_assert_true(host->nodes[0].memory_bytes.known);
    g_assert_cmpuint(host->nodes[0].memory_bytes.value, ==, 16 * GIB);
    g_assert_false(host->nodes[0].pools_known);
    g_assert_null(host->distances);
    g_assert_cmpuint(host_distance(host, 0, 1), ==, 20);
    g_assert_cmpuint(host_distance(host, 1, 1), ==, 10);
    const struct host_cpu *cpu = host_cpu(host, 25);
    g_assert_cmpuint(cpu->package, ==, 1);
    g_assert_cmpuint(cpu->l3, ==, 3);
    g_assert_cmpuint(cpu->core, ==, 12);
    g_assert_cmpuint(cpu->thread, ==, 1);
    g_assert_cmpuint(cpu->node_index, ==, 1);
    g_assert_cmpuint(cpu->die, ==, NO_INDEX);
    g_assert_cmpuint(cpu->kind, ==, NO_INDEX);
    bench_free(&bench);
}

/* hwloc makes up 1 GiB for a node without a size */
static void test_synthetic_memory_is_not_invented(void)
{
    static const char *const texts[] = { "pack:2 [numa] core:2 pu:1", "numa:2 pu:2", "2 3 4", "pack:1 core:2 pu:1",
                                         "pack:2 [numa(indexes=1,0)] core:2 pu:1" };
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct bench bench = bench_new();
        const struct host *host = synthetic(&bench, texts[i]);
        for (uint32_t n = 0; n < host->node_count; n++)
            g_assert_false(host->nodes[n].memory_bytes.known);
        bench_free(&bench);
    }
    struct bench bench = bench_new();
    const struct host *host = synthetic(&bench, "pack:2 [numa(memory=16GB)] core:2 [numa] pu:2");
    for (uint32_t n = 0; n < host->node_count; n++)
        g_assert_true(host->nodes[n].memory_bytes.known == (ids_size(host->nodes[n].cpus) == 4));
    bench_free(&bench);
}

static void test_large(void)
{
    struct bench bench = bench_new();
    const struct host *host = synthetic(&bench, "pack:8 numa:32(memory=1GiB) core:2 pu:2");
    g_assert_cmpuint(host->node_count, ==, 256);
    g_assert_cmpuint(host->cpu_count, ==, 1024);
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        const struct host_cpu *cpu = host_cpu(host, host->cpus[i].os_index);
        g_assert_true(cpu == &host->cpus[i]);
        g_assert_cmpuint(cpu->node_index, ==, i / 4);
        g_assert_cmpuint(cpu->package, ==, i / 128);
    }
    for (uint32_t n = 0; n < 256; n++)
        g_assert_true(host_node(host, n) == &host->nodes[n]);
    g_assert_null(host_node(host, 256));
    g_assert_null(host_cpu(host, 1024));
    bench_free(&bench);
}

static void test_huge_pages(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "2n16c-huge.xml", 0);
    const struct page_pool *pool = node_pool(&host->nodes[0], GIB);
    g_assert_nonnull(pool);
    g_assert_true(pool->total.known && pool->free.known);
    g_assert_cmpuint(pool->total.value, ==, 32);
    g_assert_cmpuint(pool->free.value, ==, 30);
    g_assert_null(node_pool(&host->nodes[0], 4 * KIB));
    g_assert_cmpuint(host->nodes[0].free_bytes.value, ==, 24 * GIB);
    g_assert_cmpuint(host_distance(host, 0, 1), ==, 21);
    g_assert_cmpstr(host->name, ==, "2n16c-huge");
    g_assert_cmpstr(host->architecture, ==, "x86_64");
    g_assert_true(host->isolated_known && host->isolated->count == 0);
    g_assert_cmpint(host->ksm, ==, STATE_NO);
    g_assert_cmpuint(host->versions[PROGRAM_QEMU].major, ==, 7);
    g_assert_cmpuint(host->versions[PROGRAM_KERNEL].major, ==, 6);
    bench_free(&bench);
}

/* lstopo writes totals and no more */
static void test_plain_xml_leaves_unknown(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "4n32c.xml", 0);
    const struct page_pool *pool = node_pool(&host->nodes[3], GIB);
    g_assert_true(pool->total.known && !pool->free.known);
    g_assert_false(host->nodes[0].free_bytes.known);
    g_assert_false(host->isolated_known);
    g_assert_cmpint(host->balancing, ==, STATE_UNKNOWN);
    g_assert_null(host->transparent_pages);
    g_assert_false(host->versions[PROGRAM_LIBVIRT].known);
    g_assert_false(host->devices_known);
    g_assert_false(load(&bench, "2n32t-smt.xml", 0)->nodes[0].pools_known);
    bench_free(&bench);
}

static void test_smt(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "2n32t-smt.xml", 0);
    g_assert_cmpuint(host_cpu(host, 18)->core, ==, host_cpu(host, 2)->core);
    g_assert_cmpuint(host_cpu(host, 2)->thread, ==, 0);
    g_assert_cmpuint(host_cpu(host, 18)->thread, ==, 1);
    g_assert_cmpuint(host_cpu(host, 1)->package, ==, 1);
    g_assert_cmpuint(host_cpu(host, 1)->core, ==, 8); /* the first of package 1, as hwloc counts */
    g_assert_cmpuint(host_cpu(host, 2)->core, ==, 1);
    bench_free(&bench);
}

static void test_memory_only_nodes(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "3n16c-cxl.xml", 0);
    g_assert_cmpuint(host->nodes[2].cpus->count, ==, 0);
    g_assert_cmpint(host->nodes[2].kind, ==, NODE_CXL);
    g_assert_cmpuint(host_distance(host, 2, 1), ==, 14);
    host = load(&bench, "2n16c-hbm.xml", 0);
    g_assert_cmpint(host->nodes[1].kind, ==, NODE_HBM);
    for (uint32_t i = 0; i < host->cpu_count; i++)
        g_assert_cmpuint(host->cpus[i].node_index, ==, 0);
    host = load(&bench, "2n8c-no-memory.xml", 0);
    g_assert_true(host->nodes[1].memory_bytes.known);
    g_assert_cmpuint(host->nodes[1].memory_bytes.value, ==, 0);
    g_assert_cmpuint(host_cpu(host, 4)->node_index, ==, 1);
    bench_free(&bench);
}

static void test_holes_and_cgroups(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "3n12c-holes.xml", 0);
    assert_ids(host->online, "0-3,6-9,12-15");
    assert_ids(host->offline, "4-5,10");
    g_assert_null(host_cpu(host, 4));
    g_assert_null(host_node(host, 1));
    g_assert_cmpuint(host_node(host, 5)->os_index, ==, 5);
    g_assert_cmpuint(host_cpu(host, 12)->node_index, ==, 2);
    host = load(&bench, "2n16c-cgroup.xml", 0);
    assert_ids(host->online, "0-7");
    assert_ids(host->disallowed, "8-15");
    g_assert_true(host->nodes[0].is_allowed);
    g_assert_false(host->nodes[1].is_allowed);
    bench_free(&bench);
}

/* What the firmware tells of memory: one value for both directions, or two; unknown pairs; the cache before CXL. */
static void test_accesses(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "3n16c-hmat.xml", HOST_ACCESSES);
    g_assert_cmpuint(host->access_count, ==, 3);
    const struct host_access *far = host_access(host, 1, 2), *own = host_access(host, 0, 0);
    g_assert_null(host_access(host, 0, 2));
    g_assert_null(host_access(host, 2, 2));
    g_assert_cmpuint(far->read_latency_ns.value, ==, 250);
    g_assert_cmpuint(far->write_latency_ns.value, ==, 410);
    g_assert_cmpuint(far->read_bandwidth.value, ==, 51203 * MIB);
    g_assert_cmpuint(far->write_bandwidth.value, ==, 30721 * MIB);
    g_assert_true(own->read_latency_ns.known && own->write_latency_ns.known);
    g_assert_cmpuint(own->write_latency_ns.value, ==, 95);
    g_assert_cmpuint(host->side_cache_count, ==, 1);
    g_assert_cmpuint(host->side_caches[0].node_index, ==, 2);
    g_assert_cmpuint(host->side_caches[0].level, ==, 1);
    g_assert_cmpuint(host->side_caches[0].bytes, ==, 16 * GIB);
    g_assert_cmpuint(host->side_caches[0].line_bytes, ==, 64);
    g_assert_cmpint(host->side_caches[0].indexing, ==, SIDE_CACHE_DIRECT);
    g_assert_cmpuint(load(&bench, "3n16c-hmat.xml", 0)->access_count, ==, 0);
    g_assert_cmpuint(load(&bench, "3n16c-cxl.xml", HOST_ACCESSES)->access_count, ==, 0);
    bench_free(&bench);
}

static void test_devices(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "2n16c-devices.xml", HOST_DEVICES);
    g_assert_true(host->devices_known);
    g_assert_cmpuint(host->device_count, ==, 5);
    g_assert_cmpstr(host->devices[2].pci, ==, "0000:19:00.0");
    g_assert_cmpstr(host->devices[2].name, ==, "nvme0n1");
    g_assert_cmpint(host->devices[2].kind, ==, 'b');
    g_assert_cmpuint(host->devices[3].node_os_index, ==, 1);
    assert_ids(host->devices[3].cpus, "8-15");
    g_assert_null(host->devices[4].name);
    g_assert_cmpint(host->devices[4].kind, ==, 'g');
    g_assert_false(load(&bench, "2n16c-devices.xml", 0)->devices_known);
    bench_free(&bench);
}

static void test_folder(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "3n4c-sysfs", 0);
    g_assert_cmpuint(host->node_count, ==, 3);
    assert_ids(host->online, "0-3");
    assert_ids(host->offline, "4");
    g_assert_cmpuint(host->nodes[2].cpus->count, ==, 0);
    g_assert_cmpuint(host->nodes[1].memory_bytes.value, ==, 8 * GIB);
    g_assert_cmpuint(host->nodes[1].free_bytes.value, ==, 4 * GIB);
    g_assert_cmpuint(node_pool(&host->nodes[1], 2 * MIB)->total.value, ==, 512);
    g_assert_cmpuint(node_pool(&host->nodes[1], 2 * MIB)->free.value, ==, 256);
    g_assert_cmpuint(host_distance(host, 2, 1), ==, 28);
    assert_ids(host->isolated, "3");
    g_assert_true(host->nohz_full_known && !host->nohz_full->count);
    g_assert_cmpint(host->ksm, ==, STATE_YES);
    g_assert_cmpint(host->ksm_merge_across_nodes, ==, STATE_NO);
    g_assert_cmpint(host->balancing, ==, STATE_YES);
    g_assert_cmpstr(host->transparent_pages, ==, "madvise");
    /* the sys folder itself says the same of nodes; what stands beside it is out of sight */
    const struct host *inner = load(&bench, "3n4c-sysfs/sys", 0);
    g_assert_cmpuint(inner->nodes[1].memory_bytes.value, ==, 8 * GIB);
    g_assert_cmpint(inner->balancing, ==, STATE_UNKNOWN);
    bench_free(&bench);
}

static void test_capabilities(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "2n8t-capabilities.xml", 0);
    assert_ids(host->nodes[0].cpus, "0-1,4-5");
    g_assert_cmpuint(host->nodes[1].memory_bytes.value, ==, 32 * GIB);
    g_assert_cmpuint(host->nodes[0].pool_count, ==, 2);
    g_assert_cmpuint(node_pool(&host->nodes[0], GIB)->total.value, ==, 4);
    g_assert_false(node_pool(&host->nodes[0], GIB)->free.known);
    g_assert_cmpuint(host_cpu(host, 6)->core, ==, host_cpu(host, 2)->core);
    g_assert_cmpuint(host_cpu(host, 2)->core, !=, host_cpu(host, 0)->core);
    g_assert_cmpuint(host_cpu(host, 6)->l3, ==, 1);
    g_assert_cmpuint(host_cpu(host, 6)->die, ==, NO_INDEX);
    g_assert_cmpuint(host_distance(host, 1, 0), ==, 21);
    g_assert_cmpstr(host->architecture, ==, "x86_64");
    bench_free(&bench);
}

static void test_live(void)
{
    struct bench bench = bench_new();
    const struct host *host =
        host_load(bench.arena, bench.sources, bench.findings, "live", false, HOST_CACHES, SPAN_NONE);
    g_assert_nonnull(host);
    g_assert_cmpuint(host->cpu_count, >, 0);
    g_assert_true(host->versions[PROGRAM_KERNEL].known);
    g_assert_true(host->isolated_known);
    g_assert_false(host->versions[PROGRAM_QEMU].known); /* nobody asked for programs */
    bench_free(&bench);
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static void assert_refused(const char *source, bool is_synthetic, enum code code)
{
    struct bench bench = bench_new();
    const struct host *host = host_load(bench.arena, bench.sources, bench.findings, source, is_synthetic, 0, SPAN_NONE);
    g_assert_null(host);
    g_assert_cmpuint(findings_count(bench.findings, HINT), ==, 1);
    g_autoptr(GString) told = g_string_new(NULL);
    findings_render(bench.findings, &(struct render_options){ .format = FINDINGS_GCC }, told);
    g_autofree char *expected = g_strdup_printf("NM%04d", code);
    g_assert_nonnull(strstr(told->str, expected));
    bench_free(&bench);
}

static void test_synthetic_refused(void)
{
    static const char *const wrong[] = { "",
                                         "pack:2 coer:4 pu:2",
                                         "node:2 core:4",
                                         "pack:2 [core] pu:2",
                                         "pack pu:2",
                                         "pack:0 pu:2",
                                         "pu:2 pack:2",
                                         "pack:2 (",
                                         "pack:2 [numa(memory=4GiB) pu:2",
                                         "pack:2 pu:2(indexes=0,0,0,0)",
                                         "pack:-1 pu:2",
                                         "pack:2 [numa] numa:2 pu:2" };
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_refused(wrong[i], true, NM_host_synthetic);
    assert_refused("pack:1000 core:1000 pu:1000", true, NM_host_too_large);
    assert_refused("pack:99999999999999999999 pu:1", true, NM_host_too_large);
}

static void assert_text_refused(const char *text, size_t length, enum code code)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("numac-host-XXXXXX", &path, NULL);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, text, length), ==, (ssize_t)length);
    close(fd);
    assert_refused(path, false, code);
    unlink(path);
}

#define NODE(id, cpus) "<cell id='" id "'><memory unit='KiB'>1024</memory><cpus>" cpus "</cpus></cell>"
#define CAPABILITIES(cells) "<capabilities><host><topology><cells>" cells "</cells></topology></host></capabilities>"

static void test_files_refused(void)
{
    static const struct {
        const char *text;
        enum code code;
    } wrong[] = {
        { .text = "", .code = NM_host_kind },
        { .text = "available: 1 nodes (0)\n", .code = NM_host_kind },
        { .text = "<domain/>", .code = NM_host_kind },
        { .text = "<topology><object type=\"Machine\"/></topology>", .code = NM_host_old_format },
        { .text = "<topology version=\"3.0\"></topology>", .code = NM_host_old_format },
        { .text = "<topology version=\"2.0\"></topology>", .code = NM_host_damaged },
        { .text = "<topology version=\"2.0\"><object", .code = NM_host_damaged },
        { .text = "<!DOCTYPE topology [<!ENTITY a 'b'>]><topology version='2.0'></topology>", .code = NM_host_doctype },
        { .text = "<capabilities>", .code = NM_host_damaged },
        { .text = "<capabilities/>trailing", .code = NM_host_damaged },
        { .text = "<capabilities/>", .code = NM_host_damaged },
        { .text = CAPABILITIES(""), .code = NM_host_damaged },
        { .text = CAPABILITIES(NODE("x", "<cpu id='0'/>")), .code = NM_host_damaged },
        { .text = CAPABILITIES(NODE("0", "<cpu id='0' siblings='3-1'/>")), .code = NM_host_damaged },
        { .text = CAPABILITIES(NODE("0", "<cpu id='0'/>") NODE("0", "<cpu id='1'/>")), .code = NM_host_contradiction },
        { .text = CAPABILITIES(NODE("0", "<cpu id='0'/>") NODE("1", "<cpu id='0'/>")), .code = NM_host_contradiction },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_text_refused(wrong[i].text, strlen(wrong[i].text), wrong[i].code);
    assert_text_refused("\x1f\x8b\x08\0\0\0", 6, NM_host_kind);
    assert_refused("/nonexistent/host.xml", false, NM_host_unreadable);
    assert_refused("/proc/self", false, NM_host_folder);
}

/* ---- lists, encoding, recordings -------------------------------------------------------------------------------- */

static void test_lists(void)
{
    struct arena *arena = arena_new();
    assert_ids(ids_parse(arena, "0-3,8\n"), "0-3,8");
    assert_ids(ids_parse(arena, ""), "");
    assert_ids(ids_parse(arena, "1,2,3"), "1-3");
    static const char *const wrong[] = { "3-1",   "0-",  "-1",  "1,,2",  "1,", "4294967296",
                                         "65536", "1 2", "2,1", "1-3,3", "a",  "1\n2" };
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_null(ids_parse(arena, wrong[i]));
    arena_free(arena);
}

static char *json_of(const struct host *host)
{
    struct host plain = *host;
    plain.source_text = "";
    GString *out = g_string_new(NULL);
    host_show_json(&plain, out);
    return g_string_free(out, FALSE);
}

static void test_wire(void)
{
    struct bench bench = bench_new();
    const struct host *host = load(&bench, "3n16c-hmat.xml", HOST_DEVICES | HOST_CACHES | HOST_ACCESSES);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    facts_encode(host, bytes);
    struct host *back = facts_decode(bench.arena, bytes->data, bytes->len);
    g_assert_nonnull(back);
    g_autofree char *before = json_of(host), *after = json_of(back);
    g_assert_cmpstr(before, ==, after);
    for (guint length = 0; length < bytes->len; length++)
        g_assert_null(facts_decode(bench.arena, bytes->data, length));
    /* any byte may be wrong: no crash, and what is accepted can be shown */
    for (guint i = 0; i < bytes->len; i++) {
        bytes->data[i] ^= 0xff;
        struct host *other = facts_decode(bench.arena, bytes->data, bytes->len);
        if (other)
            g_free(json_of(other));
        bytes->data[i] ^= 0xff;
    }
    bench_free(&bench);
}

static void assert_record_keeps(const char *source, bool is_synthetic)
{
    struct bench bench = bench_new();
    unsigned wants = HOST_DEVICES | HOST_CACHES | HOST_ACCESSES;
    const struct host *host =
        host_load(bench.arena, bench.sources, bench.findings, source, is_synthetic, wants, SPAN_NONE);
    g_assert_nonnull(host);
    g_autoptr(GString) recording = g_string_new(NULL);
    g_assert_true(host_record(bench.sources, bench.findings, source, is_synthetic, recording));
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("numac-host-XXXXXX", &path, NULL);
    g_assert_cmpint(write(fd, recording->str, recording->len), ==, (ssize_t)recording->len);
    close(fd);
    const struct host *back = host_load(bench.arena, bench.sources, bench.findings, path, false, wants, SPAN_NONE);
    g_assert_nonnull(back);
    g_autofree char *before = json_of(host), *after = json_of(back);
    g_assert_cmpstr(before, ==, after);
    unlink(path);
    bench_free(&bench);
}

static void test_recordings(void)
{
    static const char *const names[] = { "2n16c-huge.xml",   "2n16c-devices.xml",  "2n16c-isolated.xml",
                                         "3n16c-cxl.xml",    "2n8c-no-memory.xml", "3n12c-holes.xml",
                                         "2n16c-cgroup.xml", "3n4c-sysfs",         "3n16c-hmat.xml",
                                         "3n4c-resctrl" };
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(hosts_folder, names[i], NULL);
        assert_record_keeps(path, false);
    }
    assert_record_keeps("pack:2 [numa] l3:2 core:4 pu:2", true);
    assert_record_keeps("pack:2 [numa(memory=4GiB)] core:4 [numa] pu:2", true);
    struct bench bench = bench_new();
    g_autofree char *path = g_build_filename(hosts_folder, "2n8t-capabilities.xml", NULL);
    g_autoptr(GString) recording = g_string_new(NULL);
    g_assert_false(host_record(bench.sources, bench.findings, path, false, recording));
    g_autoptr(GString) told = g_string_new(NULL);
    findings_render(bench.findings, &(struct render_options){ .format = FINDINGS_GCC }, told);
    g_assert_nonnull(strstr(told->str, "NM1010"));
    bench_free(&bench);
}

static void check_control(const struct cache_control *control, uint32_t cache, char type, uint64_t bytes,
                          uint64_t granule, uint64_t least, uint32_t groups, uint32_t first_cpu)
{
    g_assert_cmpuint(control->level, ==, 3);
    g_assert_cmpuint(control->cache, ==, cache);
    g_assert_cmpint(control->type, ==, type);
    g_assert_cmpuint(control->bytes, ==, bytes);
    g_assert_cmpuint(control->granule_bytes, ==, granule);
    g_assert_cmpuint(control->least_bytes, ==, least);
    g_assert_cmpuint(control->most_groups, ==, groups);
    g_assert_cmpuint(ids_first(control->cpus), ==, first_cpu);
}

static void test_resctrl(void)
{
    struct bench bench = bench_new();
    const struct host *libvirt = load(&bench, "2n12c-resctrl.xml", 0), *kernel = load(&bench, "3n4c-resctrl", 0),
                      *neither = load(&bench, "3n4c-sysfs", 0);
    g_assert_true(libvirt->resctrl_known && kernel->resctrl_known && !neither->resctrl_known);
    g_assert_cmpuint(neither->cache_control_count + neither->bandwidth_control_count, ==, 0);
    g_assert_cmpuint(libvirt->cache_control_count, ==, 2);
    check_control(&libvirt->cache_controls[1], 1, 'u', 15 * MIB, 768 * KIB, 1536 * KIB, 4, 6);
    g_assert_cmpuint(libvirt->bandwidth_control_count, ==, 2);
    g_assert_cmpuint(libvirt->bandwidth_controls[1].granule, ==, 10);
    g_assert_cmpuint(libvirt->bandwidth_controls[1].least, ==, 10);
    g_assert_cmpint(libvirt->watches_bandwidth, ==, STATE_YES);
    g_assert_cmpuint(kernel->cache_control_count, ==, 4); /* code and data of two caches; L2 is not parted */
    check_control(&kernel->cache_controls[1], 1, 'i', 20 * MIB, MIB, MIB, 8, 2);
    check_control(&kernel->cache_controls[2], 0, 'd', 20 * MIB, MIB, MIB, 8, 0);
    g_assert_cmpuint(kernel->bandwidth_control_count, ==, 2);
    g_assert_cmpuint(kernel->bandwidth_controls[0].least, ==, 20);
    g_assert_cmpint(kernel->watches_cache, ==, STATE_YES);
    g_autoptr(GString) out = g_string_new(NULL);
    host_show_text(kernel, out);
    g_assert_nonnull(strstr(out->str, "L3 data         1     20MiB         1MiB      1MiB       8  2-3\n"));
    g_assert_nonnull(strstr(out->str, "                     0          10%       20%       8  0-1\n"));
    bench_free(&bench);
}

static void test_text(void)
{
    struct bench bench = bench_new();
    g_autoptr(GString) out = g_string_new(NULL);
    host_show_text(load(&bench, "2n16c-devices.xml", HOST_DEVICES), out);
    g_assert_true(
        g_str_has_prefix(out->str, "available: 2 nodes (0-1)\nnode 0 cpus: 0 1 2 3 4 5 6 7\nnode 0 size: 65536 MB\n"));
    g_assert_nonnull(strstr(out->str, "node   0   1\n  0:  10  21\n  1:  21  10\n"));
    g_assert_nonnull(strstr(out->str, "0000:19:00.0     0  block    nvme0n1\n"));
    g_assert_nonnull(
        strstr(out->str, "unknown: free memory, latencies and bandwidths of memory, parts of caches and bandwidth\n"));
    bench_free(&bench);
}

/* Node lines follow numactl; all others fit a terminal, on a machine of 1024 CPUs too. */
static void test_text_is_narrow(void)
{
    struct bench bench = bench_new();
    g_autoptr(GString) out = g_string_new(NULL);
    const char *large = "pack:8 [numa(memory=64GiB)] l3:4 l2:16 l1d:1 core:1 pu:2";
    host_show_text(host_load(bench.arena, bench.sources, bench.findings, large, true, HOST_CACHES, SPAN_NONE), out);
    g_assert_nonnull(strstr(out->str, "L3    32x    16MiB  0-31 32-63 "));
    g_assert_nonnull(strstr(out->str, "\n                    352-383 "));
    g_assert_nonnull(strstr(out->str, " 126-127 and 448 more\n"));
    g_auto(GStrv) lines = g_strsplit(out->str, "\n", -1);
    for (char **line = lines; *line; line++)
        g_assert_true(strlen(*line) <= 100 || g_str_has_prefix(*line, "node "));
    bench_free(&bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (argc > 1)
        hosts_folder = argv[1];
    g_test_add_func("/host/synthetic", test_synthetic);
    g_test_add_func("/host/synthetic-memory", test_synthetic_memory_is_not_invented);
    g_test_add_func("/host/synthetic-refused", test_synthetic_refused);
    g_test_add_func("/host/large", test_large);
    g_test_add_func("/host/huge-pages", test_huge_pages);
    g_test_add_func("/host/plain-xml", test_plain_xml_leaves_unknown);
    g_test_add_func("/host/smt", test_smt);
    g_test_add_func("/host/memory-only", test_memory_only_nodes);
    g_test_add_func("/host/holes", test_holes_and_cgroups);
    g_test_add_func("/host/devices", test_devices);
    g_test_add_func("/host/folder", test_folder);
    g_test_add_func("/host/capabilities", test_capabilities);
    g_test_add_func("/host/resctrl", test_resctrl);
    g_test_add_func("/host/live", test_live);
    g_test_add_func("/host/files-refused", test_files_refused);
    g_test_add_func("/host/lists", test_lists);
    g_test_add_func("/host/accesses", test_accesses);
    g_test_add_func("/host/wire", test_wire);
    g_test_add_func("/host/recordings", test_recordings);
    g_test_add_func("/host/text", test_text);
    g_test_add_func("/host/text-is-narrow", test_text_is_narrow);
    return g_test_run();
}
