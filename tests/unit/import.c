/* SPDX-License-Identifier: MIT
 *
 * What import makes of a guest's XML, word for word, and what it refuses.  That the short site has the plan of the
 * long one is proven on whole files by tests/import.py.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "emit/emit.h"
#include "finding_bench.h"
#include "importing.h"

static struct run import(const char *text, bool with_bases)
{
    struct run run = run_new();
    run_import(&run, sources_add_text(run.sources, "guest.xml", text, strlen(text)), with_bases);
    return run;
}

/* ---- what is written -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *xml, *site;
} written[] = {
    { "no NUMA at all", "<memory>1048576</memory><vcpu>1</vcpu>", "    memory 1GiB\n    vcpus 1\n" },
    { "without a topology each vCPU is a socket", "<memory>1048576</memory><vcpu>4</vcpu>",
      "    memory 1GiB\n    vcpus 4 { sockets 4 }\n" },
    { "cores follow from threads",
      "<memory unit='GiB'>1</memory><vcpu>8</vcpu>"
      "<cpu><topology sockets='1' dies='1' cores='4' threads='2'/></cpu>",
      "    memory 1GiB\n    vcpus 8 { threads 2 }\n" },
    { "sockets that are not those of cells stay",
      "<memory unit='GiB'>1</memory><vcpu>8</vcpu>"
      "<cpu><topology sockets='2' dies='1' cores='2' threads='2'/></cpu>",
      "    memory 1GiB\n    vcpus 8 { sockets 2; threads 2 }\n" },
    { "dies stay",
      "<memory unit='GiB'>1</memory><vcpu>8</vcpu>"
      "<cpu><topology sockets='1' dies='2' cores='2' threads='2'/></cpu>",
      "    memory 1GiB\n    vcpus 8 { sockets 1; dies 2; cores 2; threads 2 }\n" },
    { "equal cells",
      "<vcpu>4</vcpu><cpu><topology sockets='2' cores='2' threads='1'/><numa>"
      "<cell id='0' cpus='0-1' memory='1048576'/><cell id='1' cpus='2-3' memory='1048576'/></numa></cpu>",
      "    memory 2GiB\n    vcpus 4 { threads 1 }\n    cells 2\n" },
    { "cells that differ",
      "<vcpu>4</vcpu><cpu><topology sockets='4' cores='1' threads='1'/><numa>"
      "<cell id='0' cpus='0-2' memory='1048576'/><cell id='1' cpus='3' memory='2097152'/></numa></cpu>",
      "    vcpus 4 { sockets 4 }\n    cell 0 { memory 1GiB; vcpus 3 }\n    cell 1 { memory 2GiB; vcpus 1 }\n" },
    { "ids that do not follow",
      "<vcpu>4</vcpu><cpu><topology sockets='2' cores='2' threads='1'/><numa>"
      "<cell id='0' cpus='0,2' memory='1048576'/><cell id='1' cpus='1,3' memory='1048576'/></numa></cpu>",
      "    memory 2GiB\n    vcpus 4 { threads 1 }\n    cell 0 { ids 0,2 }\n    cell 1 { ids 1,3 }\n" },
    { "an odd number of threads stays said",
      "<vcpu>6</vcpu><cpu><topology sockets='1' cores='3' threads='2'/><numa>"
      "<cell id='0' cpus='0-2' memory='1048576'/><cell id='1' cpus='3-5' memory='1048576'/></numa></cpu>",
      "    memory 2GiB\n    vcpus 6 { sockets 1; threads 2 }\n    cell 0 { vcpus 3 }\n    cell 1 { vcpus 3 }\n" },
    { "one node for all cells, one distance",
      "<vcpu>2</vcpu><numatune><memnode cellid='0' mode='strict' nodeset='1'/><memnode cellid='1' mode='strict' "
      "nodeset='1'/>"
      "</numatune><cpu><numa>"
      "<cell id='0' cpus='0' memory='1048576'><distances><sibling id='0' value='10'/><sibling id='1' "
      "value='21'/></distances></cell>"
      "<cell id='1' cpus='1' memory='1048576'/></numa></cpu>",
      "    memory 2GiB\n    vcpus 2 { sockets 2 }\n    node 1\n    cells 2\n    distances 21\n" },
    { "the usual distances are not said",
      "<vcpu>2</vcpu><cpu><numa>"
      "<cell id='0' cpus='0' memory='1048576'><distances><sibling id='1' value='20'/></distances></cell>"
      "<cell id='1' cpus='1' memory='1048576'/></numa></cpu>",
      "    memory 2GiB\n    vcpus 2 { sockets 2 }\n    cells 2\n" },
    { "pins one by one",
      "<memory>1048576</memory><vcpu>4</vcpu><cputune><vcpupin vcpu='0' cpuset='4'/>"
      "<vcpupin vcpu='1' cpuset='5'/><vcpupin vcpu='3' cpuset='9'/><vcpupin vcpu='2' cpuset='7'/></cputune>",
      "    memory 1GiB\n    vcpus 4 { sockets 4 }\n    pin { 0-3 4-5,7,9 each }\n" },
    { "pins of SMT siblings",
      "<memory>1048576</memory><vcpu>6</vcpu><cputune><vcpupin vcpu='0' cpuset='0'/>"
      "<vcpupin vcpu='1' cpuset='40'/><vcpupin vcpu='2' cpuset='1'/><vcpupin vcpu='3' cpuset='41'/>"
      "<vcpupin vcpu='4' cpuset='2'/><vcpupin vcpu='5' cpuset='42'/></cputune>",
      "    memory 1GiB\n    vcpus 6 { sockets 6 }\n    pin { 0,2,4 0-2 each; 1,3,5 40-42 each }\n" },
    { "pins to sets",
      "<memory>1048576</memory><vcpu>4</vcpu><cputune><vcpupin vcpu='0' cpuset='0-3'/>"
      "<vcpupin vcpu='1' cpuset='4-7'/><vcpupin vcpu='2' cpuset='0-3'/><vcpupin vcpu='3' cpuset='12'/></cputune>",
      "    memory 1GiB\n    vcpus 4 { sockets 4 }\n    pin { 0,2 0-3; 1 4-7; 3 12 }\n" },
    { "threads on the CPUs of the guest",
      "<memory>1048576</memory><vcpu cpuset='0-3'>1</vcpu><iothreads>2</iothreads>"
      "<cputune><iothreadpin iothread='2' cpuset='3'/></cputune>",
      "    memory 1GiB\n    vcpus 1\n    cpus 0-3\n    emulator { cpus 0-3 }\n"
      "    iothread 1 { cpus 0-3 }\n    iothread 2 { cpus 3 }\n" },
    { "shared memory comes from a file",
      "<memory>1048576</memory><vcpu>1</vcpu>"
      "<memoryBacking><access mode='shared'/></memoryBacking>",
      "    memory 1GiB\n    vcpus 1\n    backing file\n    access shared\n" },
    { "no word of vCPUs", "<memory>1048576</memory>", "    memory 1GiB\n    vcpus 1\n" },
    { "huge pages that are none",
      "<memory>1048576</memory><vcpu>1</vcpu><memoryBacking><hugepages><page size='4' unit='KiB'/></hugepages>"
      "</memoryBacking>",
      "    memory 1GiB\n    vcpus 1\n    pages normal\n" },
    { "a memory device that libvirt makes larger",
      "<maxMemory slots='1'>4194304</maxMemory><memory>1572863</memory><vcpu>1</vcpu><cpu><numa>"
      "<cell id='0' cpus='0' memory='1048576'/></numa></cpu><devices><memory model='dimm'><target>"
      "<size>524287</size><node>0</node></target></memory></devices>",
      "    memory 1GiB { max 4GiB; slots 1 }\n    vcpus 1\n    cells 1\n    dimm dimm0 { size 512MiB; cell 0 }\n" },
    { "a memfd is shared",
      "<memory>1048576</memory><vcpu>1</vcpu><memoryBacking><source type='memfd'/></memoryBacking>",
      "    memory 1GiB\n    vcpus 1\n    backing memfd\n    access shared\n" },
    { "a private memfd",
      "<memory>1048576</memory><vcpu>1</vcpu><memoryBacking><source type='memfd'/><access mode='private'/>"
      "</memoryBacking>",
      "    memory 1GiB\n    vcpus 1\n    backing memfd\n    access private\n" },
    { "anonymous memory that is a file in libvirt",
      "<memory>1048576</memory><vcpu>1</vcpu><memoryBacking><source type='anonymous'/><access mode='private'/>"
      "</memoryBacking>",
      "    memory 1GiB\n    vcpus 1\n    backing file\n    access private\n" },
    { "taken at start with huge pages",
      "<memory>1048576</memory><vcpu>1</vcpu><memoryBacking><hugepages><page size='2' unit='MiB'/>"
      "</hugepages><allocation mode='immediate'/></memoryBacking>",
      "    memory 1GiB\n    vcpus 1\n    pages 2MiB\n" },
    { "I/O threads by their numbers",
      "<memory>1048576</memory><vcpu>1</vcpu><iothreads>2</iothreads><iothreadids><iothread id='7'/><iothread id='2'/>"
      "</iothreadids><cputune><iothreadpin iothread='7' cpuset='3'/></cputune>",
      "    memory 1GiB\n    vcpus 1\n    iothread 7 { cpus 3 }\n    iothread 2\n" },
    { "I/O threads of which some have numbers",
      "<memory>1048576</memory><vcpu cpuset='0-3'>1</vcpu><iothreads>3</iothreads><iothreadids><iothread id='5'/>"
      "</iothreadids>",
      "    memory 1GiB\n    vcpus 1\n    cpus 0-3\n    emulator { cpus 0-3 }\n    iothread 5 { cpus 0-3 }\n"
      "    iothread 1 { cpus 0-3 }\n    iothread 2 { cpus 0-3 }\n" },
    { "a UUID of an NVDIMM",
      "<maxMemory slots='1'>4194304</maxMemory><memory>1572864</memory><vcpu>1</vcpu><cpu><numa>"
      "<cell id='0' cpus='0' memory='1048576'/></numa></cpu><devices><memory model='nvdimm'>"
      "<uuid>6C3F5D4E000040008000000000000001</uuid><source><path>/n</path></source><target>"
      "<size>524288</size><node>0</node></target></memory></devices>",
      "    memory 1GiB { max 4GiB; slots 1 }\n    vcpus 1\n    cells 1\n    nvdimm nvdimm0 { size 512MiB; cell 0; "
      "path \"/n\"; uuid \"6c3f5d4e-0000-4000-8000-000000000001\" }\n" },
    { "a set in libvirt's way", "<memory>1048576</memory><vcpu cpuset='00-3,^2, 8'>1</vcpu>",
      "    memory 1GiB\n    vcpus 1\n    cpus 0-1,3,8\n    emulator { cpus 0-1,3,8 }\n" },
};

static void test_written(gconstpointer data)
{
    size_t which = GPOINTER_TO_SIZE(data);
    g_autofree char *xml = g_strdup_printf("<domain><name>g</name>%s</domain>", written[which].xml);
    g_autofree char *site = g_strdup_printf("guest g {\n    machine pc\n    cpu qemu64\n%s}\n", written[which].site);
    struct run run = import(xml, false);
    g_assert_nonnull(run.imported.site);
    g_assert_cmpstr(run.imported.site->str, ==, site);
    run_end(&run);
}

static void test_names(void)
{
    struct run run =
        import("<domain><name>9 &quot;lives&quot; \\</name><memory>1024</memory><vcpu>1</vcpu></domain>", true);
    g_assert_nonnull(run.imported.site);
    g_assert_cmpstr(
        run.imported.site->str, ==,
        "guest \"9 \\\"lives\\\" \\\\\" {\n    base \"9 \\\"lives\\\" \\\\.xml\"\n    memory 1MiB\n    vcpus 1\n}\n");
    run_end(&run);
}

/* ---- several ---------------------------------------------------------------------------------------------------- */

#define GUEST(name) "<domain><name>" name "</name><memory>1024</memory><vcpu>1</vcpu></domain>"

static void check_bases(const char *text, const char *const *bases)
{
    struct run run = import(text, true);
    g_assert_nonnull(run.imported.site);
    for (uint32_t i = 0; i < run.imported.count; i++) {
        g_autofree char *base = g_strndup(run.imported.bases[i].text, run.imported.bases[i].length);
        g_assert_cmpstr(base, ==, bases[i]);
    }
    g_assert_null(bases[run.imported.count]);
    run_end(&run);
}

static void test_parts(void)
{
    static const char *const one[] = { "<?xml version='1.0'?>\n<!-- x -->" GUEST("a") "\n", NULL };
    static const char *const two[] = { GUEST("a"), GUEST("b"), NULL };
    static const char *const none[] = { GUEST("a"), NULL };
    static const char *const hidden[] = { "<domain><name>a</name><memory>1024</memory><vcpu>1</vcpu>"
                                          "<d x='a/>b'/><!-- </domain> --><![CDATA[</domain>]]></domain>",
                                          GUEST("b"), NULL };
    check_bases(one[0], one);
    check_bases(GUEST("a") "\n\n<?xml version='1.0'?>" GUEST("b"), two);
    check_bases("<?xml version='1.0'?><domains>\n" GUEST("a") "<!-- y --> " GUEST("b") "\n</domains>\n", two);
    check_bases("<domains>" GUEST("a") "</domains>", none);
    g_autofree char *text = g_strconcat("<domains>", hidden[0], hidden[1], "</domains>", NULL);
    check_bases(text, hidden);
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *text;
    enum code code;
    uint32_t begin; /* of its place */
} refused[] = {
    { "nothing", "", NM_import_root, 0 },
    { "blanks", " \n", NM_import_root, 0 },
    { "no XML", "guest a { }\n", NM_argv_program, 0 },
    { "another root", "<network/>", NM_import_root, 0 },
    { "a part of a guest", "<!-- x --><cputune></cputune>", NM_import_root, 10 },
    { "an empty list", "<domains></domains>", NM_import_root, 0 },
    { "text behind a guest", GUEST("a") "\n x", NM_import_root, sizeof GUEST("a") + 1 },
    { "another element in a list", "<domains><network/></domains>", NM_import_root, 9 },
    { "a list in a list", "<domains><domains/></domains>", NM_import_root, 9 },
    { "a list with a namespace", "<domains xmlns:q='u'>" GUEST("a") "</domains>", NM_import_list, 8 },
    { "a list that does not end", "<domains>" GUEST("a"), NM_import_cut, 8 + sizeof GUEST("a") },
    { "a tag that does not end", GUEST("a") "<domain ", NM_import_cut, sizeof GUEST("a") - 1 },
    { "a comment that does not end", "<!-- " GUEST("a"), NM_import_cut, 0 },
    { "a guest that does not end", "<domains><domain><name>a</name>", NM_base_not_xml, 31 },
    { "a broken guest in a list", "<domains><domain><name>a</nam></domain></domains>", NM_base_not_xml, 24 },
    { "a document type", "<!DOCTYPE d [<!ENTITY a 'b'>]>" GUEST("a"), NM_base_doctype, 0 },
    { "an entity", "<domain><name>&x;</name></domain>", NM_base_not_xml, 17 },
    { "no name", "<domain><memory>1</memory></domain>", NM_import_name, 0 },
    { "an empty name", "<domain><name> </name></domain>", NM_import_name, 15 },
    { "a folder as name", GUEST(".."), NM_import_name, 14 },
    { "a path as name", GUEST("../../etc/x"), NM_import_name, 14 },
    { "a line end in the name", GUEST("a&#10;b"), NM_import_name, 14 },
    { "a variable in the name", GUEST("a$b"), NM_import_name, 14 },
    { "one name twice", GUEST("a") GUEST("a"), NM_import_same_name, sizeof GUEST("a") - 1 + 14 },
    { "names that differ by case", GUEST("a") GUEST("A"), NM_import_same_name, sizeof GUEST("a") - 1 + 14 },
    { "a line end in a value",
      "<domain><name>a</name><numatune><memory mode='a&#10;b' nodeset='0'/></numatune></domain>", NM_import_text, 46 },
};

static void test_refused(gconstpointer data)
{
    size_t which = GPOINTER_TO_SIZE(data);
    struct run run = import(refused[which].text, true);
    g_assert_null(run.imported.site);
    g_assert_cmpuint(findings_count(run.findings, ERROR), ==, 1);
    for (size_t i = 0; i < findings_count(run.findings, HINT); i++) {
        const struct finding *finding = findings_nth(run.findings, i);
        if (finding->severity != ERROR)
            continue;
        g_assert_cmpuint(finding->code, ==, refused[which].code);
        g_assert_cmpuint(finding->span.begin, ==, refused[which].begin);
    }
    run_end(&run);
}

/* ---- without a base --------------------------------------------------------------------------------------------- */

#define Q35 "<memory>1024</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type>"
#define PASSED "</os><cpu mode='host-passthrough'/>"
#define VDA "<target dev='vda' bus='virtio'/></disk>"
#define END_OF_SITE "    memory 1MiB\n    vcpus 1\n"

static const struct {
    const char *name, *xml, *site, *left, *lost; /* left: what one hint names; lost: what one warning says */
} alone[] = {
    { "what numac takes", Q35 PASSED, END_OF_SITE, NULL, NULL },
    { "a machine and a CPU",
      "<memory>1024</memory><vcpu>1</vcpu><os><type arch='aarch64' machine='virt-7.2'>hvm</type><loader "
      "type='pflash'>/x/code.fd</loader></os><features><gic version='3'/></features><cpu><model>cortex-a57</model>"
      "</cpu>",
      "    arch aarch64\n    machine virt-7.2\n    cpu cortex-a57\n" END_OF_SITE
      "    boot {\n        firmware uefi\n    }\n",
      NULL, NULL },
    { "parts of a CPU",
      "<memory>1024</memory><vcpu>1</vcpu><cpu><model>EPYC</model><vendor>AMD</vendor><cache level='3' "
      "mode='emulate'/><maxphysaddr mode='passthrough' limit='42'/><feature name='a1'/><feature policy='force' "
      "name='b'/><feature policy='forbid' name='c'/><feature policy='optional' name='d'/></cpu>",
      "    machine pc\n    cpu EPYC { cache emulate 3; maxphysaddr passthrough 42; features a1 b ^c }\n" END_OF_SITE,
      "<vendor>, <feature>", NULL },
    { "what it boots",
      Q35 "<kernel>/k</kernel><initrd>/i</initrd><cmdline>a \"b\" $c</cmdline><boot dev='hd'/>" PASSED
          "<devices><disk device='cdrom'><target dev='sda'/></disk><disk><driver type='qcow2'/><source "
          "file='/a.qcow2'/>" VDA
          "<interface type='bridge'><source bridge='lan'/><model type='virtio'/></interface></devices>",
      END_OF_SITE "    boot {\n        kernel \"/k\"\n        initrd \"/i\"\n        cmdline \"a \\\"b\\\" $$c\"\n"
                  "        disk \"/a.qcow2\"\n        network \"lan\"\n    }\n",
      "<disk>", NULL },
    { "a block device", Q35 PASSED "<devices><disk type='block'><source dev='/dev/vg/a'/>" VDA "</devices>",
      END_OF_SITE "    boot {\n        disk \"/dev/vg/a\"\n    }\n", NULL, NULL },
    { "a disk of another format", Q35 PASSED "<devices><disk><driver type='vmdk'/><source file='/a'/>" VDA "</devices>",
      END_OF_SITE, "the first disk, as its name does not tell its format", NULL },
    { "all that is left",
      Q35 "<loader>/other.bin</loader><nvram>/n</nvram><boot dev='network'/></os>"
          "<uuid>6c3f5d4e-0000-4000-8000-000000000001</uuid>"
          "<cpu mode='host-passthrough'/><memtune><hard_limit>1</hard_limit></memtune>"
          "<features><acpi/><pae/></features><cputune><shares>1</shares></cputune><q:x xmlns:q='u'/>"
          "<devices><sound/><sound/><controller type='usb'/><controller type='pci'/></devices>",
      END_OF_SITE, "<nvram>, <boot>, <uuid>, <hard_limit>, <pae>, <shares>, <q:x>, <sound> (2), <controller>, <loader>",
      NULL },
    { "a machine of 32 bits",
      "<memory>1024</memory><vcpu>1</vcpu><os><type arch='i686' machine='q35'>hvm</type>" PASSED, END_OF_SITE, NULL,
      "not carried over: a machine of 32 bits" },
    { "an architecture that has no machines here",
      "<memory>1024</memory><vcpu>1</vcpu><os><type arch='armv7l'>hvm</type>" PASSED,
      "    arch armv7l\n    machine virt\n" END_OF_SITE, NULL, "not carried over: a machine of armv7l" },
    { "a machine of s390x",
      "<memory>1024</memory><vcpu>1</vcpu><os><type arch='s390x'>hvm</type></os><cpu mode='host-passthrough'/>",
      "    arch s390x\n" END_OF_SITE, NULL, NULL },
    { "cells of s390x",
      "<vcpu>1</vcpu><os><type arch='s390x'>hvm</type></os><cpu mode='host-passthrough'><numa>"
      "<cell id='0' cpus='0' memory='1024'/></numa></cpu>",
      "    arch s390x\n    memory 1MiB\n    vcpus 1\n    cells 1\n", NULL,
      "this guest has cells, and a machine of s390x has no NUMA" },
    { "an old GIC",
      "<memory>1024</memory><vcpu>1</vcpu><os><type arch='aarch64' machine='virt'>hvm</type></os>"
      "<features><gic version='2'/></features><cpu mode='host-passthrough'/>",
      "    arch aarch64\n" END_OF_SITE, NULL, "not carried over: version 2 of the GIC" },
    { "cells that nobody sees",
      "<vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os><cpu mode='host-passthrough'><numa>"
      "<cell id='0' cpus='0' memory='1024'/></numa></cpu>",
      "    memory 1MiB\n    vcpus 1\n    cells 1\n", NULL, "not carried over: cells of a guest without '<acpi/>'" },
    { "a memory device of no cell",
      Q35 PASSED "<devices><memory model='dimm'><target><size>512</size></target></memory></devices>",
      "    memory 512KiB\n    vcpus 1\n", NULL, "not carried over: a memory device of no cell" },
};

static void test_alone(gconstpointer data)
{
    size_t which = GPOINTER_TO_SIZE(data);
    g_autofree char *xml = g_strdup_printf("<domain type='kvm'><name>g</name>%s</domain>", alone[which].xml);
    g_autofree char *site = g_strdup_printf("guest g {\n%s}\n", alone[which].site);
    g_autofree char *left = g_strdup_printf("left out, as no base keeps it: %s", alone[which].left);
    struct run run = import(xml, false);
    g_assert_nonnull(run.imported.site);
    g_assert_cmpstr(run.imported.site->str, ==, site);
    const struct finding *hint = found(run.findings, NM_import_no_base),
                         *lost = found(run.findings, NM_import_not_carried),
                         *warning = lost ? lost : found(run.findings, NM_cells_in_vain);
    g_assert_cmpstr(hint ? hint->message : NULL, ==, alone[which].left ? left : NULL);
    g_assert_cmpstr(warning ? warning->message : NULL, ==, alone[which].lost);
    run_end(&run);
    run = import(xml, true); /* a base keeps it all */
    g_assert_null(found(run.findings, NM_import_no_base));
    g_assert_null(found(run.findings, NM_import_not_carried));
    run_end(&run);
}

/* ---- the folder ------------------------------------------------------------------------------------------------- */

static void test_replaces(void)
{
    g_autofree char *folder = g_dir_make_tmp("numac-import-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "site.numa", NULL);
    g_assert_true(g_file_set_contents(path, "mine", 4, NULL));
    struct run run = import(GUEST("a"), true);
    struct output *output = output_open_new(run.findings, folder);
    g_assert_true(output_add(output, "a.xml", "x", 1));
    g_assert_true(output_add(output, "site.numa", "mine", 4)); /* the same may be said again */
    output_discard(output);
    output = output_open_new(run.findings, folder);
    g_assert_true(output_add(output, "a.xml", "x", 1));
    g_assert_false(output_add(output, "site.numa", "ours", 4));
    output_discard(output);
    g_assert_cmpuint(findings_nth(run.findings, 0)->code, ==, NM_import_replaces);
    g_autofree char *kept = NULL;
    g_assert_true(g_file_get_contents(path, &kept, NULL, NULL));
    g_assert_cmpstr(kept, ==, "mine");
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0); /* nothing else is left in it */
    run_end(&run);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(written); i++)
        add_example("/import/written", written[i].name, i, test_written);
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        add_example("/import/refused", refused[i].name, i, test_refused);
    g_test_add_func("/import/names", test_names);
    g_test_add_func("/import/parts", test_parts);
    for (size_t i = 0; i < G_N_ELEMENTS(alone); i++)
        add_example("/import/alone", alone[i].name, i, test_alone);
    g_test_add_func("/import/replaces nothing", test_replaces);
    return g_test_run();
}
