/* SPDX-License-Identifier: MIT
 *
 * Guests written into a base: exact bytes, since what numac does not own must not move.
 */
#include <string.h>

#include "emit_plans.h"

#define UUID "5e6c2e5e-8a52-5b7c-9d5a-0123456789ab"
#define TOPOLOGY "<topology sockets='1' dies='1' cores='2' threads='1'/>"

/* What the plain guest with two vCPUs and 1 GiB says, in a base that says it too. */
#define HEAD                                  \
    "<domain type='kvm'>\n"                   \
    "  <name>plain</name>\n"                  \
    "  <uuid>" UUID "</uuid>\n"               \
    "  <memory unit='KiB'>1048576</memory>\n" \
    "  <currentMemory unit='KiB'>1048576</currentMemory>\n"
#define VCPU "  <vcpu placement='static'>2</vcpu>\n"
#define CPU "  <cpu mode='host-model'>\n    " TOPOLOGY "\n  </cpu>\n"

static struct plan_guest *guest_for_base(struct arena *arena)
{
    struct plan_guest *guest = plain_guest(arena, "plain", 2);
    guest->has_base = true;
    return guest;
}

static char *overlaid(const struct plan_guest *guest, const char *base)
{
    struct base_text text = { base, strlen(base) };
    GString *out = g_string_new(NULL);
    write_libvirt_xml(guest, &text, out);
    return g_string_free(out, FALSE);
}

static void check(const struct plan_guest *guest, const char *base, const char *wanted)
{
    g_autofree char *once = overlaid(guest, base);
    g_assert_cmpstr(once, ==, wanted);
    g_autofree char *twice = overlaid(guest, once); /* and then there is nothing left to do */
    g_assert_cmpstr(twice, ==, wanted);
}

static void check_plain(const char *base, const char *wanted)
{
    struct arena *arena = arena_new();
    check(guest_for_base(arena), base, wanted);
    arena_free(arena);
}

/* The same said otherwise: every byte stays. */
static void test_untouched(void)
{
    static const char *const bases[] = {
        HEAD VCPU CPU "</domain>\n",
        "\n<!-- a --><?x y?><domain type='kvm'><name> plain\n</name><uuid>5E6C2E5E8A525B7C9D5A0123456789AB</uuid>"
        "<memory unit='GiB'>1</memory><currentMemory>1048576</currentMemory><vcpu>2</vcpu>"
        "<cpu><topology threads='1' cores='2' sockets='1'/></cpu></domain><!-- b -->",
        "<domain>\r\n\t<name>plain</name>\r\n\t<uuid >" UUID "</uuid\n>\r\n\t<memory unit = \"MiB\" dumpCore='off'>1024"
        "</memory>\r\n\t<currentMemory unit='b'>1073741824</currentMemory>\r\n\t<vcpu>2</vcpu>\r\n\t<cpu "
        "mode='x>y'>\r\n"
        "\t<topology sockets='1' cores='2' threads='1' clusters='1'></topology>\r\n\t</cpu></domain>",
        HEAD VCPU CPU "  <metadata><name>other</name><vcpu>7</vcpu></metadata>\n  <a:memory xmlns:a='u'>3</a:memory>\n"
                      "  <cputune><shares>5</shares></cputune>\n  <memoryBacking/>\n</domain>\n",
        HEAD VCPU "  <iothreads>4</iothreads>\n  <memtune><hard_limit>5</hard_limit></memtune>\n" CPU "</domain>\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bases); i++)
        check_plain(bases[i], bases[i]);
}

static void test_replaced(void)
{
    check_plain(
        "<domain type='kvm'>\n  <name>old</name> <!-- n -->\n  <uuid>00000000-0000-0000-0000-000000000000</uuid>\n"
        "  <memory unit='GiB' dumpCore='off'>2</memory><!-- m -->\n  <currentMemory>1</currentMemory>\n"
        "  <vcpu placement='auto' current='1'>2</vcpu>\n  <vcpus>\n    <vcpu id='0' enabled='yes'/>\n  </vcpus>\n"
        "  <numatune>\n    <memory placement='auto'/>\n  </numatune>\n" CPU "</domain>\n",
        "<domain type='kvm'>\n  <name>plain</name> <!-- n -->\n  <uuid>" UUID "</uuid>\n"
        "  <memory unit='KiB' dumpCore='off'>1048576</memory><!-- m -->\n"
        "  <currentMemory unit='KiB'>1048576</currentMemory>\n" VCPU CPU "</domain>\n");
}

/* What is missing goes where libvirt has it, with the neighbour's indentation, behind comments that end a line. */
static void test_inserted(void)
{
    check_plain("<domain type='kvm'>\n\t<name>plain</name> <!-- n --> <!-- o -->\n\t<devices/>\n</domain>\n",
                "<domain type='kvm'>\n\t<name>plain</name> <!-- n --> <!-- o -->\n\t<uuid>" UUID "</uuid>\n"
                "\t<memory unit='KiB'>1048576</memory>\n\t<currentMemory unit='KiB'>1048576</currentMemory>\n"
                "\t<vcpu placement='static'>2</vcpu>\n\t<cpu>\n\t\t" TOPOLOGY "\n\t</cpu>\n\t<devices/>\n</domain>\n");
    check_plain("<domain/>",
                "<domain>\n  <name>plain</name>\n  <uuid>" UUID "</uuid>\n  <memory unit='KiB'>1048576</memory>\n"
                "  <currentMemory unit='KiB'>1048576</currentMemory>\n" VCPU "  <cpu>\n    " TOPOLOGY
                "\n  </cpu>\n</domain>");
    /* nothing before the place: behind the start tag */
    check_plain("<domain type='kvm'>\n  <!-- c -->\n  <devices>\n  </devices>\n</domain>\n",
                "<domain type='kvm'>\n  <name>plain</name>\n  <uuid>" UUID "</uuid>\n"
                "  <memory unit='KiB'>1048576</memory>\n  <currentMemory unit='KiB'>1048576</currentMemory>\n" VCPU
                "  <cpu>\n    " TOPOLOGY "\n  </cpu>\n  <!-- c -->\n  <devices>\n  </devices>\n</domain>\n");
}

static void test_opened_up(void)
{
    check_plain(HEAD VCPU "  <cpu mode='host-model'  />\n</domain>\n", HEAD VCPU CPU "</domain>\n");
    check_plain(HEAD VCPU "  <cpu mode='host-model'></cpu>\n</domain>\n", HEAD VCPU CPU "</domain>\n");
    check_plain(HEAD VCPU "  <cpu mode='host-model'>\n  \n  </cpu>\n</domain>\n", HEAD VCPU CPU "</domain>\n");
    check_plain(HEAD VCPU "  <cpu>\n    <!-- keep -->\n  </cpu>\n</domain>\n",
                HEAD VCPU "  <cpu>\n    " TOPOLOGY "\n    <!-- keep -->\n  </cpu>\n</domain>\n");
    check_plain(HEAD VCPU "  <cpu>\n    <model>x</model>\n    <feature name='y'/>\n  </cpu>\n</domain>\n", HEAD VCPU
                "  <cpu>\n    <model>x</model>\n    " TOPOLOGY "\n    <feature name='y'/>\n  </cpu>\n</domain>\n");
}

static void test_line_ends(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = guest_for_base(arena);
    guest->emulator_cpus = ids_from_range(arena, 2, 3);
    static const char *const unix_base = HEAD VCPU "  <cpu>\n    <model>x</model>\n  </cpu>\n</domain>\n";
    g_auto(GStrv) base_lines = g_strsplit(unix_base, "\n", -1);
    g_autofree char *base = g_strjoinv("\r\n", base_lines);
    g_auto(GStrv) wanted_lines = g_strsplit(
        HEAD VCPU "  <cputune>\n    <emulatorpin cpuset='2-3'/>\n  </cputune>\n  <cpu>\n    <model>x</model>\n"
                  "    " TOPOLOGY "\n  </cpu>\n</domain>\n",
        "\n", -1);
    g_autofree char *wanted = g_strjoinv("\r\n", wanted_lines);
    check(guest, base, wanted);
    arena_free(arena);
}

/* Pins are matched by their vCPU; what else stands in cputune stays. */
static void test_pins(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = guest_for_base(arena);
    const struct ids **cpus = arena_array(arena, const struct ids *, 2);
    cpus[0] = ids_from_range(arena, 4, 7);
    cpus[1] = ids_from_range(arena, 9, 9);
    guest->vcpu_cpus = cpus;
    check(guest,
          HEAD VCPU "  <cputune>\n    <shares>9</shares>\n    <vcpupin vcpu='5' cpuset='1'/>\n"
                    "    <vcpupin vcpu='1' cpuset='8'/> <!-- one -->\n    <vcpupin vcpu=\"0\" cpuset=\"4-8,^8\"/>\n"
                    "    <vcpupin vcpu='1' cpuset='3'/>\n    <emulatorpin cpuset='0'/>\n"
                    "    <quota_of_another vcpus='0'/>\n  </cputune>\n" CPU "</domain>\n",
          HEAD VCPU "  <cputune>\n    <shares>9</shares>\n    <vcpupin vcpu='1' cpuset='9'/> <!-- one -->\n"
                    "    <vcpupin vcpu=\"0\" cpuset=\"4-8,^8\"/>\n"
                    "    <quota_of_another vcpus='0'/>\n  </cputune>\n" CPU "</domain>\n");
    arena_free(arena);
}

/* A container of which nothing is left goes; one with a comment stays. */
static void test_emptied(void)
{
    check_plain(HEAD VCPU
                "  <cputune>\n    <vcpupin vcpu='0' cpuset='1'/>\n    <emulatorpin cpuset='1'/>\n  </cputune>\n" CPU
                "</domain>\n",
                HEAD VCPU CPU "</domain>\n");
    check_plain(HEAD VCPU "  <cputune>\n    <!-- pins -->\n    <vcpupin vcpu='0' cpuset='1'/>\n  </cputune>\n" CPU
                          "</domain>\n",
                HEAD VCPU "  <cputune>\n    <!-- pins -->\n  </cputune>\n" CPU "</domain>\n");
    check_plain(HEAD VCPU "  <cpu mode='host-model'>\n    " TOPOLOGY
                          "\n    <numa>\n      <cell cpus='0-1' memory='9'/>\n"
                          "    </numa>\n  </cpu>\n</domain>\n",
                HEAD VCPU CPU "</domain>\n");
    check_plain(HEAD VCPU CPU "  <cputune/><memoryBacking></memoryBacking>\n</domain>\n",
                HEAD VCPU CPU "  <cputune/><memoryBacking></memoryBacking>\n</domain>\n");
}

/* Side caches and the table of latencies are ours with the cells: what the plan has not, goes. */
static void test_cells(void)
{
    static const uint32_t distances[] = { 10, 20, 20, 10 };
    struct arena *arena = arena_new();
    struct plan_guest *guest = guest_for_base(arena);
    struct plan_cell *cells = arena_array(arena, struct plan_cell, 2);
    cells[0] = plain_cell("0", ids_from_range(arena, 0, 0), GIB / 2);
    cells[1] = plain_cell("1", ids_from_range(arena, 1, 1), GIB / 2);
    guest->cells = cells;
    guest->cell_count = 2;
    guest->has_numa = true;
    guest->distances = distances;
#define CELLS(cell_0, cell_1)                                                           \
    HEAD VCPU "  <cpu mode='host-model'>\n    " TOPOLOGY "\n    <numa>\n" cell_0 cell_1 \
              "    </numa>\n  </cpu>\n</domain>\n"
#define LINKS                                                                                      \
    "      <interconnects>\n        <latency initiator='0' target='0' type='access' value='5'/>\n" \
    "      </interconnects>\n"
#define CACHE "        <cache level='1' associativity='direct' policy='writeback'/>\n"
#define DISTANCES(a, b)                                                                                           \
    "        <distances>\n          <sibling id='0' value='" a "'/>\n          <sibling id='1' value='" b "'/>\n" \
    "        </distances>\n"
    check(guest,
          CELLS("      <cell cpus='0' memory='512' unit='MiB'>\n" CACHE "      </cell>\n",
                "      <cell id='1' cpus='0-1' memory='9' unit='GiB' memAccess='shared'>\n" CACHE "      </cell>\n"
                "      <cell id='2' memory='1'/>\n" LINKS),
          CELLS("      <cell cpus='0' memory='512' unit='MiB'>\n" DISTANCES("10", "20") "      </cell>\n",
                "      <cell id='1' cpus='1' memory='524288' unit='KiB'>\n" DISTANCES("20", "10") "      </cell>\n"));
    check(guest, CELLS("      <cell id='0' cpus='0' memory='524288'/>\n", LINKS),
          CELLS("      <cell id='0' cpus='0' memory='524288'>\n" DISTANCES("10", "20") "      </cell>\n",
                "      <cell id='1' cpus='1' memory='524288' unit='KiB'>\n" DISTANCES("20", "10") "      </cell>\n"));
    arena_free(arena);
}

/* Iothreads are compared by id; what QEMU would do anyway need not be said. */
static void test_iothreads(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = guest_for_base(arena);
    struct plan_iothread *iothreads = arena_array(arena, struct plan_iothread, 2);
    iothreads[0].id = 1;
    iothreads[1].id = 2;
    iothreads[0].has_pool = true;
    iothreads[0].pool_most = 2;
    guest->iothreads = iothreads;
    guest->iothread_count = 2;
    check(guest,
          HEAD VCPU "  <iothreads>1</iothreads>\n  <iothreadids>\n    <iothread id='7'/>\n"
                    "    <iothread id='1' thread_pool_max='2'/>\n  </iothreadids>\n" CPU "</domain>\n",
          HEAD VCPU "  <iothreads>2</iothreads>\n  <iothreadids>\n    <iothread id='1' thread_pool_max='2'/>\n"
                    "    <iothread id='2'/>\n  </iothreadids>\n" CPU "</domain>\n");
    arena_free(arena);
}

/* libvirt takes the first of two; none of the second may be left to contradict it. */
static void test_twice(void)
{
    check_plain(HEAD VCPU CPU "  <memory>5</memory>\n  <vcpu>9</vcpu><!-- x -->\n</domain>\n",
                HEAD VCPU CPU "  <!-- x -->\n</domain>\n");
}

/* New elements stand behind what stays, also where the next line goes or where blanks follow what goes. */
static void test_beside_what_goes(void)
{
    check_plain("<domain>\n  <name>a</name>\n  <name>b</name>  \n  <memory unit='GiB'>1</memory>\n" VCPU CPU
                "</domain>\n",
                "<domain>\n  <name>plain</name>\n  <uuid>" UUID "</uuid>\n  <memory unit='GiB'>1</memory>\n"
                "  <currentMemory unit='KiB'>1048576</currentMemory>\n" VCPU CPU "</domain>\n");
}

/* A base on one line stays as near to it as may be, and is still XML. */
static void test_one_line(void)
{
    check_plain("<domain><name>x</name><cpu/><devices><disk/></devices></domain>",
                "<domain><name>plain</name><uuid>" UUID "</uuid><memory unit='KiB'>1048576</memory>"
                "<currentMemory unit='KiB'>1048576</currentMemory><vcpu placement='static'>2</vcpu><cpu>\n  " TOPOLOGY
                "\n</cpu><devices><disk/></devices></domain>");
}

int main(int count, char **arguments)
{
    g_test_init(&count, &arguments, NULL);
    g_test_add_func("/overlay/untouched", test_untouched);
    g_test_add_func("/overlay/replaced", test_replaced);
    g_test_add_func("/overlay/inserted", test_inserted);
    g_test_add_func("/overlay/opened-up", test_opened_up);
    g_test_add_func("/overlay/line-ends", test_line_ends);
    g_test_add_func("/overlay/pins", test_pins);
    g_test_add_func("/overlay/emptied", test_emptied);
    g_test_add_func("/overlay/cells", test_cells);
    g_test_add_func("/overlay/iothreads", test_iothreads);
    g_test_add_func("/overlay/twice", test_twice);
    g_test_add_func("/overlay/beside-what-goes", test_beside_what_goes);
    g_test_add_func("/overlay/one-line", test_one_line);
    return g_test_run();
}
