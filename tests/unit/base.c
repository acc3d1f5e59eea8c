/* SPDX-License-Identifier: MIT
 *
 * Domain XML in, items and findings out: what numac takes from a base, where it points, what it refuses, and that
 * hostile files end soon.  With the corpus, what was taken is counted a second time by XPath, and then bound as the
 * layer of a guest.
 */
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <string.h>

#include "diag/findings.h"
#include "model/model.h"

struct reading {
    struct sources *sources;
    struct findings *findings;
    struct syntax *syntax;
    struct tree *tree;
    struct domain_identity identity;
};

static struct reading begin(void)
{
    struct reading reading = { .sources = sources_new() };
    reading.findings = findings_new(reading.sources);
    reading.syntax = syntax_new(reading.sources, reading.findings);
    return reading;
}

static struct reading read_text(const char *text, size_t length)
{
    struct reading reading = begin();
    uint32_t file = sources_add_text(reading.sources, "base.xml", text, length);
    reading.tree = read_domain(reading.syntax, file, &reading.identity);
    return reading;
}

static void end(struct reading *reading)
{
    syntax_free(reading->syntax);
    findings_free(reading->findings);
    sources_free(reading->sources);
}

static void append_place(const struct sources *sources, struct span span, GString *out)
{
    const char *text = source_at(sources, span.file)->text;
    struct position at = source_position(sources, span.file, span.begin);
    g_string_append_printf(out, " %u:%u '%.*s'", at.line, at.column, (int)MIN(span.end - span.begin, 40),
                           text + span.begin);
}

/* "NM1228 1:20 'what stands there'", and the labels in brackets */
static char *findings_text(const struct reading *reading)
{
    GString *out = g_string_new(NULL);
    findings_sort(reading->findings);
    bool has_error = false;
    for (guint i = 0; i < reading->findings->list->len; i++) {
        const struct finding *finding = g_ptr_array_index(reading->findings->list, i);
        g_string_append_printf(out, "NM%04d", (int)finding->code);
        append_place(reading->sources, finding->span, out);
        for (unsigned l = 0; l < finding->label_count; l++) {
            g_string_append(out, " [");
            append_place(reading->sources, finding->labels[l].span, out);
            g_string_append(out, "]");
        }
        g_string_append_c(out, '\n');
        has_error |= finding->severity == ERROR;
        g_assert_false(g_str_has_suffix(finding->message, "."));
        g_assert_true(finding->help_count > 0 || finding->code < 100);
        g_assert_true(g_utf8_validate(finding->message, -1, NULL));
    }
    g_assert_true(reading->tree->failed == has_error);
    return g_string_free(out, FALSE);
}

struct example {
    const char *name, *xml, *items, *findings;
};

static void run_example(const void *data)
{
    const struct example *example = data;
    struct reading reading = read_text(example->xml, strlen(example->xml));
    g_autoptr(GString) dump = g_string_new(NULL);
    dump_tree(reading.syntax, reading.tree, dump);
    g_autofree char *found = findings_text(&reading);
    g_assert_cmpstr(dump->str, ==, example->items);
    g_assert_cmpstr(found, ==, example->findings);
    end(&reading);
}

#define D(inside) "<domain>" inside "</domain>"
#define NUMA(cells) D("<cpu><numa>" cells "</numa></cpu>")

/* clang-format off */
static const struct example examples[] = {
    /* ---- what becomes items ----------------------------------------------------------------------------------------- */
    { "nothing", "<domain/>", "", "" },
    { "foreign", D("<name>a</name><devices><memballoon/></devices><os><memory>4</memory></os><memtune><memory>5</memory></memtune>"), "", "" },
    { "memory", D("<memory>1024</memory>"), "[memory] [1024KiB]\n", "" },
    { "memory/units", D("<memory unit='gib'>2</memory><currentMemory unit='M'>2048</currentMemory>"), "[memory] [2097152KiB]\n", "" },
    { "memory/decimal", D("<memory unit='GB'>128</memory>"), "[memory] [125000000KiB]\n", "" },
    { "memory/bytes", D("<memory unit='bytes'>4096</memory>"), "[memory] [4KiB]\n", "" },
    { "memory/rounded", D("<memory unit='MB'>1</memory>"), "[memory] [977KiB]\n", "NM1236 1:27 '1'\n" },
    { "memory/parts", D("<memory>\n 10<!-- x -->24<![CDATA[00]]> </memory>"), "[memory] [102400KiB]\n", "" },
    { "memory/unit unsaid", D("<memory unit=''>&#49;</memory>"), "[memory] [1KiB]\n", "" },
    { "memory/devices", D("<memory unit='MiB'>5</memory><devices><memory model='dimm'><target><size unit='MiB'>1</size></target></memory></devices>"),
      "[memory] [4096KiB]\n", "NM1235 1:47 '<memory'\n" },
    { "memory/balloon", D("<memory>10</memory><currentMemory>9</currentMemory>"), "[memory] [10KiB] {\n  [current] [9KiB]\n", "" },
    { "vcpus", D("<vcpu placement='static' cpuset='0-3,^2'> 4 </vcpu>"), "[vcpus] [4]\n[cpus] [0-3,^2]\n", "" },
    { "vcpus/levels", D("<vcpu>8</vcpu><cpu><topology sockets='2' dies='1' cores='2' threads='2'/></cpu>"),
      "[vcpus] [8] {\n  [sockets] [2]\n  [dies] [1]\n  [cores] [2]\n  [threads] [2]\n", "" },
    { "vcpus/levels alone", D("<cpu><topology sockets='2' clusters='1' modules='1'/></cpu>"), "[vcpus] {\n  [sockets] [2]\n  [clusters] [1]\n  [modules] [1]\n", "" },
    { "vcpus/offline", D("<vcpu current='2'>4</vcpu><vcpus><vcpu id='0' enabled='yes'/></vcpus>"), 
      "[vcpus] [1] {\n  [max] [4]\n  [online] [0]\n  [fixed] [0]\n", "" },
    { "vcpus/the first", D("<vcpu current='3'>4</vcpu>"),
      "[vcpus] [3] {\n  [max] [4]\n  [online] [0-2]\n  [fixed] [0-2]\n", "" },
    { "vcpus/one by one", D("<vcpu>3</vcpu><vcpus><vcpu id='2' enabled='yes' hotpluggable='yes' order='2'/><vcpu id='1' enabled='no' order='9'/>"
      "<vcpu id='0' enabled='yes' order='1'/></vcpus>"),
      "[vcpus] [2] {\n  [max] [3]\n  [online] [0,2]\n  [fixed] [0]\n  [order] [0] [2]\n", "" },
    { "vcpus/all there", D("<vcpu>2</vcpu><vcpus><vcpu id='0' enabled='yes'/><vcpu id='1' enabled='yes'/></vcpus>"), "[vcpus] [2]\n", "" },
    { "vcpus/none there", D("<vcpu>1</vcpu><vcpus><vcpu id='0' enabled='no'/></vcpus>"), "[vcpus] [1]\n", "NM1228 1:23 '<vcpus'\n" },
    { "vcpus/all online", D("<vcpu current='4'>4</vcpu>"), "[vcpus] [4]\n", "" },
    { "vcpus/no list", D("<vcpu>4</vcpu><vcpus/>"), "[vcpus] [4]\n", "" },
    { "sets", D("<vcpu cpuset=' 0-3 , ^02,\n08 - 9 ,'>4</vcpu>"), "[vcpus] [4]\n[cpus] [0-3,^2,8-9]\n", "" },
    { "node", D("<numatune><memory mode='interleave' nodeset='0-1'/></numatune>"), "[node] [0-1] [interleave]\n", "" },
    { "node/default mode", D("<numatune><memory nodeset='1'/></numatune>"), "[node] [1]\n", "" },
    { "pins", D("<cputune><shares>1</shares><vcpupin vcpu='0' cpuset='4'/><vcpupin vcpu='2' cpuset='5,6'/><emulatorpin cpuset='0'/>"
      "<iothreadpin iothread='1' cpuset='1'/></cputune><iothreads>2</iothreads>"),
      "[pin] {\n  [0] [4]\n  [2] [5,6]\n[emulator] {\n  [cpus] [0]\n[iothreads] [2]\n[iothread] [1] {\n  [cpus] [1]\n", "" },
    { "iothreads/by id", D("<iothreadids><iothread id='1'/><iothread id='2'/></iothreadids>"), "[iothreads] [2]\n", "" },
    { "iothreads/other ids", D("<iothreads>2</iothreads><iothreadids><iothread id='4'/><iothread id='5'/></iothreadids>"), "[iothread] [4]\n[iothread] [5]\n", "" },
    { "iothreads/some ids", D("<iothreads>3</iothreads><iothreadids><iothread id='2' thread_pool_max='9'/><iothread id='7'/></iothreadids><cputune><iothreadpin iothread='1' cpuset='4'/></cputune>"),
      "[iothread] [2] {\n  [pool] [0] [9]\n[iothread] [7]\n[iothread] [1] {\n  [cpus] [4]\n", "" },
    { "iothreads/twice", D("<iothreadids><iothread id='1'/><iothread id='1'/></iothreadids>"), "[iothreads] [2]\n", "NM1227 1:54 '1'\n" },
    { "iothreads/of no thread", D("<iothreadids><iothread id='7'/></iothreadids><cputune><iothreadpin iothread='1' cpuset='4'/><iothreadsched iothreads='6-7' scheduler='idle'/></cputune>"),
      "[iothread] [7] {\n  [scheduler] [idle]\n", "NM1228 1:86 '1'\nNM1228 1:127 '6-7'\n" },
    { "iothreads/many without ids", D("<iothreads>30</iothreads><iothreadids><iothread id='99'/></iothreadids>"), "[iothread] [99]\n[iothread] [1]\n[iothread] [2]\n[iothread] [3]\n[iothread] [4]\n[iothread] [5]\n[iothread] [6]\n[iothread] [7]\n[iothread] [8]\n", "NM1237 1:20 '30'\n" },
    { "backing", D("<memtune><hard_limit unit='M'>2</hard_limit></memtune><memoryBacking><nosharepages/><locked/><source type='memfd'/>"
      "<access mode='shared'/><allocation mode='immediate' threads='8'/><discard/></memoryBacking>"),
      "[backing] [memfd]\n[access] [shared]\n[allocation] [immediate] {\n  [threads] [8]\n[discard] [yes]\n[ksm] [no]\n[locked] [yes] {\n  [hard-limit] [2048KiB]\n", "" },
    { "backing/threads alone", D("<memoryBacking><allocation threads='8'/></memoryBacking>"), "[allocation] {\n  [threads] [8]\n", "" },
    { "backing/limit alone", D("<memtune><hard_limit>2</hard_limit></memtune>"), "", "" },
    { "backing/no limit", D("<memtune><hard_limit>9007199254740991</hard_limit></memtune><memoryBacking><locked/></memoryBacking>"), "[locked] [yes]\n", "" },
    { "pages", D("<memoryBacking><hugepages><page size='2048'/></hugepages></memoryBacking>"), "[pages] [2048KiB]\n", "" },
    { "pages/default", D("<memoryBacking><hugepages/></memoryBacking>"), "[pages] [2MiB]\n", "NM1234 1:24 '<hugepages'\n" },
    { "pages/no cells", D("<memoryBacking><hugepages><page size='1' unit='G' nodeset='0'/></hugepages></memoryBacking>"), "[pages] [1048576KiB]\n", "" },
    { "cells", D("<memory>30</memory><cpu><numa><cell id='1' memory='10'/><cell id='00' cpus='0,1' memory='20' unit='k' memAccess='shared' discard='yes'/></numa></cpu>"),
      "[cell] [0] {\n  [memory] [20KiB]\n  [ids] [0,1]\n  [access] [shared]\n  [discard] [yes]\n[cell] [1] {\n  [memory] [10KiB]\n  [vcpus] [0]\n", "" },
    { "cells/elsewhere", D("<numatune><memnode cellid='1' nodeset='3' mode='preferred'/></numatune><memoryBacking><hugepages>"
      "<page size='1' unit='G' nodeset='0-1,^0'/><page size='2' unit='M'/></hugepages></memoryBacking>"
      "<cpu><numa><cell cpus='0' memory='1'/><cell cpus='1' memory='1'/></numa></cpu>"),
      "[cell] [0] {\n  [memory] [1KiB]\n  [ids] [0]\n[cell] [1] {\n  [memory] [1KiB]\n  [ids] [1]\n  [node] [3] [preferred]\n  [pages] [1048576KiB]\n[pages] [2048KiB]\n", "" },
    { "cells/distances", NUMA("<cell cpus='0' memory='1'><distances><sibling id='1' value='21'/><sibling id='2' value='31'/></distances></cell>"
      "<cell cpus='1' memory='1'><distances><sibling id='0' value='22'/></distances></cell><cell cpus='2' memory='1'/>"),
      "[cell] [0] {\n  [memory] [1KiB]\n  [ids] [0]\n[cell] [1] {\n  [memory] [1KiB]\n  [ids] [1]\n[cell] [2] {\n  [memory] [1KiB]\n  [ids] [2]\n"
      "[distances] {\n  [0] [10] [21] [31]\n  [1] [22] [10] [20]\n  [2] [31] [20] [10]\n",
      "NM1253 1:108 '31'\n" },
    { "unknown elements", D("<numatune><memnoode cellid='0'/><memory nodeset='0'/></numatune><cputune><shares>2</shares><vcpupn/></cputune><memorry/><x:cpu xmlns:x='u'><nuna/></x:cpu>"),
      "[node] [0]\n", "NM1252 1:19 '<memnoode'\nNM1252 1:100 '<vcpupn'\n" },
    { "cells/sum", D("<memory>30</memory><cpu><numa><cell cpus='0' memory='10'/></numa></cpu>"), "[cell] [0] {\n  [memory] [10KiB]\n  [ids] [0]\n",
      "NM1233 1:17 '30' [ 1:39 '<cell']\n" },
    { "cells/sum with devices", D("<memory>30</memory><cpu><numa><cell cpus='0' memory='10'/></numa></cpu><devices><memory model='x'><target><size>20</size></target></memory></devices>"),
      "[cell] [0] {\n  [memory] [10KiB]\n  [ids] [0]\n", "NM1235 1:89 '<memory'\n" },
    { "cells/hmat", NUMA("<cell cpus='0' memory='1'><cache level='1' associativity='full' policy='none'><size value='8'/><line value='64'/></cache></cell>"
                         "<interconnects><bandwidth initiator='0' target='0' type='access' value='2048'/>"
                         "<latency initiator='0' target='0' cache='1' type='write' value='9'/><latency initiator='0' target='0' cache='1' type='read' value='7'/></interconnects>"),
      "[cell] [0] {\n  [memory] [1KiB]\n  [ids] [0]\n  [hmat-cache] [1] {\n    [size] [8KiB]\n    [line] [64]\n    [associativity] [full]\n    [policy] [none]\n"
      "    [latency] {\n      [0] [7ns] [9ns]\n  [bandwidth] {\n    [0] [2MiB/s]\n", "" },
    { "kept", D("<maxMemory slots='1'>9</maxMemory>"), "", "NM1235 1:9 '<maxMemory'\n" },
    { "growth", D("<maxMemory slots='1'>9</maxMemory><cpu><numa><cell cpus='0' memory='1'/></numa></cpu>"),
      "[memory] {\n  [max] [9KiB]\n  [slots] [1]\n[cell] [0] {\n  [memory] [1KiB]\n  [ids] [0]\n", "" },
    { "dimm", D("<cpu><numa><cell cpus='0' memory='1'/></numa></cpu><devices><memory model='dimm'><source><nodemask>0,1</nodemask><pagesize>4</pagesize></source><target><size unit='MiB'>1</size><node>0</node></target><address type='dimm' slot='3' base='4294967296'/></memory></devices>"),
      "[dimm] [dimm0] {\n  [size] [1024KiB]\n  [cell] [0]\n  [node] [0,1]\n  [pages] [normal]\n  [slot] [3]\n  [address] [0x100000000]\n[cell] [0] {\n  [memory] [1KiB]\n  [ids] [0]\n", "" },
    { "virtio-mem", D("<cpu><numa><cell cpus='0' memory='1'/></numa></cpu><devices><memory model='virtio-mem' access='shared' discard='yes'><target dynamicMemslots='yes'><size>9</size><node>0</node><block>1</block><requested unit='b'>1</requested><current>7</current><address base='0x10'/></target></memory></devices>"),
      "[virtio-mem] [virtio-mem0] {\n  [size] [9KiB]\n  [cell] [0]\n  [access] [shared]\n  [discard] [yes]\n  [block] [1KiB]\n  [requested] [1KiB]\n  [dynamic-memslots] [yes]\n  [address] [0x10]\n[cell] [0] {\n  [memory] [1KiB]\n  [ids] [0]\n", "NM1236 1:220 '1'\n" },
    { "nvdimm", D("<cpu><numa><cell cpus='0' memory='1'/></numa></cpu><devices><memory model='nvdimm'><source><path>/n</path><alignsize>4</alignsize><pmem/></source><target><size>9</size><node>0</node><label><size>1</size></label><readonly/></target></memory></devices>"),
      "[nvdimm] [nvdimm0] {\n  [size] [9KiB]\n  [cell] [0]\n  [path] [/n]\n  [align] [4KiB]\n  [pmem] [yes]\n  [label-size] [1KiB]\n  [readonly] [yes]\n[cell] [0] {\n  [memory] [1KiB]\n  [ids] [0]\n", "" },
    { "virtio-pmem", D("<cpu><numa><cell cpus='0' memory='1'/></numa></cpu><devices><memory model='virtio-pmem' access='shared'><source><path>/p</path></source><target><size>9</size></target></memory><memory model='dimm'><target><size>9</size></target></memory></devices>"),
      "[virtio-pmem] [virtio-pmem0] {\n  [size] [9KiB]\n  [access] [shared]\n  [path] [/p]\n[cell] [0] {\n  [memory] [1KiB]\n  [ids] [0]\n", "NM1235 1:185 '<memory'\n" },
    { "scheduler", D("<cputune><vcpusched vcpus='0-1' scheduler='fifo' priority='3'/><vcpusched vcpus='3' scheduler='batch'/><emulatorsched scheduler='idle'/><iothreadsched iothreads='1-2' scheduler='rr' priority='9'/></cputune><iothreads>2</iothreads>"),
      "[scheduler] {\n  [0-1] [fifo] [3]\n  [3] [batch]\n[emulator] {\n  [scheduler] [idle]\n[iothreads] [2]\n[iothread] [1] {\n  [scheduler] [rr] [9]\n[iothread] [2] {\n  [scheduler] [rr] [9]\n", "" },
    { "scheduler/beside pins", D("<cputune><emulatorpin cpuset='1'/><iothreadpin iothread='2' cpuset='3'/><emulatorsched scheduler='fifo' priority='1'/><iothreadsched iothreads='2' scheduler='idle'/></cputune><iothreads>2</iothreads>"),
      "[emulator] {\n  [cpus] [1]\n  [scheduler] [fifo] [1]\n[iothreads] [2]\n[iothread] [2] {\n  [cpus] [3]\n  [scheduler] [idle]\n", "" },
    { "scheduler/of no thread", D("<cputune><iothreadsched iothreads='0-2' scheduler='idle'/></cputune><iothreads>2</iothreads>"), "[iothreads] [2]\n", "NM1228 1:44 '0-2'\n" },
    { "pool", D("<iothreadids><iothread id='1' thread_pool_min='2' thread_pool_max='8'/><iothread id='2' thread_pool_max='16'/><iothread id='3' thread_pool_min='4'/></iothreadids>"),
      "[iothreads] [3]\n[iothread] [1] {\n  [pool] [2] [8]\n[iothread] [2] {\n  [pool] [0] [16]\n[iothread] [3] {\n  [pool] [4] [64]\n", "" },
    { "poll", D("<iothreadids><iothread id='1'><poll max='500' grow='2' shrink='4'/></iothread><iothread id='2'><poll shrink='3'/></iothread><iothread id='3'><poll/></iothread></iothreadids>"),
      "[iothreads] [3]\n[iothread] [1] {\n  [poll] [500ns] [2] [4]\n[iothread] [2] {\n  [poll] [32768ns] [0] [3]\n[iothread] [3] {\n  [poll] [32768ns]\n", "" },
    { "resctrl", D("<cputune><cachetune vcpus='0-1'><cache id='0' level='3' type='both' size='3' unit='MiB'/><cache id='1' level='3' type='both' size='768'/><monitor level='3' vcpus='0'/></cachetune><memorytune vcpus='0-1'><node id='0' bandwidth='20'/><monitor vcpus='0'/></memorytune><memorytune vcpus='3'><node id='1' bandwidth='2048'/></memorytune></cputune>"),
      "[resctrl] [0-1] {\n  [l3] {\n    [0] [3072KiB]\n    [1] [768KiB]\n  [bandwidth] {\n    [0] [20%]\n  [monitor] {\n    [0] [cache] [bandwidth]\n[resctrl] [3] {\n  [bandwidth] {\n    [1] [2048MiB/s]\n", "" },
    { "resctrl/kinds", D("<cputune><cachetune vcpus='0'><cache id='0' level='2' type='data' size='3'/><cache id='0' level='2' type='code' size='4'/><cache id='0' level='3' type='data' size='5'/></cachetune></cputune>"),
      "[resctrl] [0] {\n  [l2-code] {\n    [0] [4KiB]\n  [l2-data] {\n    [0] [3KiB]\n  [l3-data] {\n    [0] [5KiB]\n", "" },
    { "expander", D("<os><type machine='q35'/></os><devices><controller type='pci' index='7' model='pcie-expander-bus'><target busNr='254'><node>1</node></target></controller>"
        "<controller type='pci' model='pcie-root-port'><address bus='0x07'/></controller><controller type='usb' index='7'><target busNr='1'><node>0</node></target></controller></devices>"),
      "[expander-bus] [pci7] {\n  [cell] [1]\n  [number] [254]\n  [ports] [1]\n", "" },
    { "hostdev", D("<devices><controller type='pci' index='7' model='pcie-expander-bus'><target><node>1</node></target></controller>"
        "<controller type='pci' index='9' model='pcie-root-port'><address bus='0x07'/></controller><hostdev type='usb'><source><address bus='1'/></source></hostdev>"
        "<hostdev type='pci'><address type='pci' bus='0x09'/><source><address domain='0x1' bus='0x5E' slot='31' function='0x7'/></source></hostdev>"
        "<hostdev type='pci'><source><address bus='2'/></source><address type='pci' bus='0'/></hostdev>"
        "<hostdev type='pci'><source><address bus='256'/></source></hostdev></devices>"),
      "[expander-bus] [pci7] {\n  [cell] [1]\n  [ports] [1]\n[device] [hostdev1] [0001:5e:1f.7] {\n  [bus] [pci7]\n[device] [hostdev2] [0000:02:00.0]\n", "" },
    { "expander/other", D("<devices><controller type='pci' model='pci-expander-bus'><target><node>1</node></target></controller>"
        "<controller type='pci' index='300' model='pci-expander-bus'><target><node>1</node></target></controller>"
        "<controller type='pci' index='2' model='pci-bridge'><target><node>1</node></target></controller>"
        "<controller type='pci' index='3' model='pci-expander-bus'><target busNr='9'/></controller></devices>"), "", "" },
    { "resctrl/twice", D("<cputune><memorytune vcpus='0'><node id='0' bandwidth='9'/></memorytune><cachetune vcpus='0'/><memorytune vcpus='0'/></cputune>"),
      "[resctrl] [0] {\n  [bandwidth] {\n    [0] [9%]\n", "NM1227 1:103 '<memorytune' [ 1:18 '<memorytune']\n" },
    { "resctrl/wrong", D("<cputune><cachetune vcpus='0'><cache id='0' level='1' type='data' size='3'/><cache id='0' level='3' type='all' size='4'/><cache id='0' type='data' size='5'/></cachetune><cachetune/></cputune>"),
      "", "NM1228 1:60 '1'\nNM1228 1:115 'all'\nNM1229 1:130 '<cache'\nNM1229 1:178 '<cachetune'\n" },
    { "dollar", D("<numatune><memory mode='$x' nodeset='0'/></numatune>"), "[node] [0] [$x]\n", "" },
    { "namespaces", "<domain xmlns:q='http://q'><q:memory>1</q:memory><metadata><memory xmlns='http://m'>2</memory></metadata><vcpu xmlns='http://m'>3</vcpu></domain>", "", "" },
    { "forms", "\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\r\n<!-- <memory>1</memory> -->\r\n<domain\r\n\ttype = \"kvm\"\r\n>\r\n<vcpu\tcpuset =\r\n'1' >2</vcpu\r\n></domain >\r\n<!-- end -->\r\n",
      "[vcpus] [2]\n[cpus] [1]\n", "" },

    /* ---- what is refused -------------------------------------------------------------------------------------------- */
    { "empty", "", "", "NM1221 1:1 ''\n" },
    { "no xml", "guest g { }", "", "NM1221 1:1 'g'\n" },
    { "unterminated", "<domain>\n<memory>1", "", "NM1221 2:10 '' [ 2:1 '<memory']\n" },
    { "unterminated tag", "<domain>\n<memory unit='", "", "NM1221 2:15 '' [ 1:1 '<domain']\n" },
    { "mismatch", "<domain>\n<memory>1</vcpu></domain>", "", "NM1221 2:10 '</vcpu' [ 2:1 '<memory']\n" },
    { "less than", "<domain a='<'/>", "", "NM1221 1:12 '<'\n" },
    { "entity", "<domain>&foo;</domain>", "", "NM1221 1:14 '<'\n" },
    { "control", "<domain>\x01</domain>", "", "NM1221 1:9 '\x01'\n" },
    { "same attribute", "<domain a='1' a='2'/>", "", "NM1221 1:20 '/'\n" },
    { "behind", "<domain/>\nmore", "", "NM1221 2:1 'm'\n" },
    { "latin1", "<?xml version='1.0' encoding = 'latin1'?>\n<domain/>", "", "NM1222 1:33 'latin1'\n" },
    { "utf-16 declared", "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<domain/>", "", "NM1222 1:31 'UTF-16'\n" },
    { "doctype", "<!DOCTYPE domain>\n<domain/>", "", "NM1223 1:1 '<!DOCTYPE'\n" },
    { "external", "<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>", "", "NM1223 1:1 '<!DOCTYPE'\n" },
    { "bomb", "<?xml version='1.0'?>\n<!DOCTYPE d [<!ENTITY a 'xxxxxxxxxx'><!ENTITY b '&a;&a;&a;&a;'>]>\n<domain>&b;</domain>", "", "NM1223 2:1 '<!DOCTYPE'\n" },
    { "other root", "<network><domain/></network>", "", "NM1224 1:1 '<network'\n" },
    { "namespace of root", "<domain xmlns='http://x'><memory>1</memory></domain>", "", "NM1224 1:1 '<domain'\n" },
    { "domains", "<domains><domain/></domains>", "", "NM1225 1:1 '<domains'\n" },
    { "two roots", "<domain/>\n<domain/>", "", "NM1225 2:1 '<domain'\n" },
    { "repeated", D("<vcpu>1</vcpu>\n<vcpu>2</vcpu>"), "[vcpus] [1]\n", "NM1227 2:1 '<vcpu' [ 1:9 '<vcpu']\n" },
    { "repeated parent", D("<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>\n<cputune><vcpupin vcpu='1' cpuset='0'/></cputune>"),
      "[pin] {\n  [0] [0]\n", "NM1227 2:1 '<cputune' [ 1:9 '<cputune']\n" },
    { "no number", D("<memory>4G</memory><vcpu>-1</vcpu>"), "", "NM1228 1:17 '4G'\nNM1228 1:34 '-1'\n" },
    { "empty number", D("<memory/><vcpu></vcpu>"), "", "NM1228 1:16 ''\nNM1228 1:24 ''\n" },
    { "all is no number", D("<vcpu>all</vcpu><vcpu/>"), "", "NM1228 1:15 'all'\nNM1227 1:25 '<vcpu' [ 1:9 '<vcpu']\n" },
    { "no unit", D("<memory unit='XiB'>4</memory>"), "", "NM1228 1:23 'XiB'\n" },
    { "too much", D("<memory unit='EiB'>16</memory><currentMemory>99999999999999999999</currentMemory>"), "", "NM1228 1:28 '16'\nNM1228 1:54 '99999999999999999999'\n" },
    { "no set", D("<vcpu cpuset='node:0'>1</vcpu><numatune><memory nodeset='1 2'/></numatune>"), "[vcpus] [1]\n", "NM1228 1:23 'node:0'\nNM1228 1:66 '1 2'\n" },
    { "no uuid", D("<uuid>1234</uuid>"), "", "NM1228 1:15 '1234'\n" },
    { "no room for devices", D("<memory>1</memory><devices><memory model='x'><target><size>1</size></target></memory></devices>"), "", "NM1228 1:17 '1'\nNM1235 1:36 '<memory'\n" },
    { "missing", D("<numatune><memory mode='strict'/><memnode nodeset='0'/></numatune><cputune><vcpupin vcpu='0'/><emulatorpin/><iothreadpin cpuset='1'/></cputune>"), "",
      "NM1229 1:19 '<memory'\nNM1229 1:42 '<memnode'\nNM1229 1:84 '<vcpupin'\nNM1229 1:103 '<emulatorpin'\nNM1229 1:117 '<iothreadpin'\n" },
    { "missing in a cell", NUMA("<cell cpus='0'/>"), "[cell] [0] {\n  [ids] [0]\n", "NM1229 1:20 '<cell'\n" },
    { "same id", NUMA("<cell id='1' memory='1'/><cell memory='1'/>"), "", "NM1230 1:45 '<cell' [ 1:20 '<cell']\n" },
    { "gap", NUMA("<cell id='0' memory='1'/><cell id='2' memory='1'/>"), "", "NM1230 1:55 '2'\n" },
    { "unknown cells", D("<numatune><memnode cellid='2' nodeset='0'/></numatune><memoryBacking><hugepages><page size='4' nodeset='0-4'/></hugepages></memoryBacking>"
      "<cpu><numa><cell memory='1'><distances><sibling id='7' value='20'/></distances></cell></numa></cpu>"),
      "[cell] [0] {\n  [memory] [1KiB]\n  [vcpus] [0]\n", "NM1231 1:36 '2'\nNM1231 1:113 '0-4'\nNM1231 1:199 '7'\n" },
    { "no cells", D("<numatune><memnode cellid='0' nodeset='0'/></numatune>"), "", "NM1231 1:36 '0'\n" },
    { "distance twice", NUMA("<cell memory='1'><distances><sibling id='0' value='10'/><sibling id='0' value='11'/></distances></cell>"),
      "[cell] [0] {\n  [memory] [1KiB]\n  [vcpus] [0]\n[distances] {\n  [0] [11]\n", "NM1227 1:76 '<sibling' [ 1:71 '10']\n" },
    { "numad", D("<vcpu placement='auto' cpuset='0'>2</vcpu><numatune><memory mode='strict' placement='auto'/></numatune>"), "[vcpus] [2]\n[cpus] [numad]\n[node] [numad] [strict]\n",
      "" },
    { "numad for memory", D("<numatune><memory mode='strict' placement='auto'/></numatune>"), "[node] [numad] [strict]\n", "" },
    { "numad for vcpus", D("<vcpu placement='auto'>2</vcpu><numatune><memory nodeset='1'/></numatune>"), "[vcpus] [2]\n[cpus] [numad]\n[node] [1]\n", "" },
    { "memory follows", D("<vcpu placement='auto'>2</vcpu><numatune><memory mode='interleave'/></numatune>"),
      "[vcpus] [2]\n[cpus] [numad]\n[node] [numad] [interleave]\n", "" },
    { "static without nodes", D("<vcpu placement='auto'>2</vcpu><numatune><memory mode='strict' placement='static'/></numatune>"),
      "[vcpus] [2]\n[cpus] [numad]\n", "NM1229 1:50 '<memory'\n" },
    { "numad beside a cell", D("<vcpu placement='auto'>2</vcpu><numatune><memnode cellid='0' nodeset='0'/></numatune><cpu><numa><cell cpus='0-1' memory='1'/></numa></cpu>"),
      "[vcpus] [2]\n[cpus] [numad]\n[cell] [0] {\n  [memory] [1KiB]\n  [ids] [0-1]\n  [node] [0]\n", "NM1232 1:26 'auto' [ 1:50 '<memnode']\n" },
};
/* clang-format on */

static void uuids(void)
{
    struct reading reading = read_text(D("<uuid> 5E6C2E5E8A525B7c-9d5a-0123456789ab\n</uuid>"),
                                       strlen(D("<uuid> 5E6C2E5E8A525B7c-9d5a-0123456789ab\n</uuid>")));
    g_assert_cmpstr(reading.identity.uuid, ==, "5e6c2e5e-8a52-5b7c-9d5a-0123456789ab");
    end(&reading);
    reading = read_text("<domain/>", 9);
    g_assert_null(reading.identity.uuid);
    end(&reading);
}

/* ---- places ----------------------------------------------------------------------------------------------------- */

static void assert_places(const struct reading *reading, const struct item *items, const char *const **expected)
{
    const char *text = source_at(reading->sources, reading->tree->file)->text;
    for (const struct item *item = items; item; item = item->next) {
        for (unsigned i = 0; i <= item->argument_count; i++) {
            struct span span = word_span(item, i ? item->arguments[i - 1] : item->name);
            g_autofree char *found = g_strndup(text + span.begin, span.end - span.begin);
            g_assert_cmpstr(found, ==, *(*expected)++);
        }
        assert_places(reading, item->children, expected);
    }
}

/* Each word points at the value that said it, behind a character of two bytes too. */
static void places(void)
{
    static const char xml[] =
        D("<title>\xc3\xa9</title><memory\nunit='MiB'> 2 </memory><vcpu cpuset='a&#49;'/>"
          "<memoryBacking><nosharepages/></memoryBacking><numatune><memory nodeset=\"&#48;\"/></numatune>"
          "<cpu><numa><cell memory='2048'><distances><sibling id='0' value='10'/></distances></cell></numa></cpu>");
    static const char *const expected[] = { "memory", "&#48;", "nosharepages", "<nosharepages", "cell", "ell", "memory",
                                            "2048",   "cell",  "<cell",        "distances",     "ell",  "10",  NULL };
    struct reading reading = read_text(xml, sizeof xml - 1);
    const char *const *at = expected;
    assert_places(&reading, reading.tree->items, &at);
    g_assert_null(*at);
    end(&reading);
}

/* ---- hostile files ---------------------------------------------------------------------------------------------- */

static void assert_findings(GString *text_to_free, const char *expected)
{
    g_autoptr(GString) text = text_to_free;
    struct reading reading = read_text(text->str, text->len);
    g_autofree char *found = findings_text(&reading);
    if (expected)
        g_assert_cmpstr(found, ==, expected);
    end(&reading);
}

static GString *repeated(const char *before, const char *piece, unsigned times, const char *after)
{
    GString *text = g_string_new(before);
    for (unsigned i = 0; i < times; i++)
        g_string_append(text, piece);
    return g_string_append(text, after);
}

/* Different names, so that they are not told as repeated. */
static GString *many_attributes(unsigned count, const char *form)
{
    GString *text = g_string_new("<domain><vcpu");
    for (unsigned i = 0; i < count; i++) {
        g_string_append_c(text, ' ');
        g_string_append_printf(text, form[0] == 'x' ? "xmlns:a%u='u%u'" : "a%u='%u'", i, i);
    }
    return g_string_append(text, ">1</vcpu></domain>");
}

static void hostile(void)
{
    assert_findings(repeated("<domain>", "<a>", 126, ""), "NM1221 1:387 '' [ 1:384 '<a']\n");
    assert_findings(repeated("<domain>", "<a>", 3000000, ""), "NM1226 1:390 '<a'\n");
    assert_findings(repeated("<domain><vcpu cpuset='", "0,", 524288, "'>1</vcpu></domain>"),
                    "NM1226 1:23 '0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,'\n");
    assert_findings(repeated("<domain><memory>", "1", 1000000, "</memory></domain>"),
                    "NM1226 1:17 '1111111111111111111111111111111111111111'\n");
    assert_findings(repeated("<domain><cpu><numa>", "<cell memory='1'/>", 128, "</numa></cpu></domain>"), "");
    assert_findings(repeated("<domain><cpu><numa>", "<cell memory='1'/>", 5000, "</numa></cpu></domain>"),
                    "NM1226 1:20 '<cell'\n");
    assert_findings(repeated("<domain><cpu><numa>", "<cell/>", 2000000, "</numa></cpu></domain>"),
                    "NM1226 1:458751 '<cell'\n");
    assert_findings(repeated("<domain><cputune>", "<vcpupin vcpu='0'/>", 60000, "</cputune></domain>"), NULL);
    assert_findings(many_attributes(256, "a"), "");
    assert_findings(many_attributes(500000, "a"), "NM1226 1:9 '<'\n");
    assert_findings(many_attributes(257, "x"), "NM1226 1:9 '<'\n");
    assert_findings(repeated("<domain>", "<a xmlns:b='c'/>", 1024, "</domain>"), "");
    assert_findings(repeated("<domain>", "<a xmlns:b='c'/>", 1025, "</domain>"), "NM1226 1:16393 '<'\n");
    assert_findings(repeated("<domain>", "<!-- a='<' \" -->", 1000000, "</domain>"), "");
    assert_findings(repeated("<domain>", "&lt;", 4000000, "</domain>"), NULL);
    assert_findings(repeated("", "<", 16000000, ""), "NM1221 1:2 '<'\n");
    assert_findings(repeated("<!DOCTYPE a [", "<!ENTITY b 'c'>", 1000000, "]><domain/>"), "NM1223 1:1 '<!DOCTYPE'\n");
}

static void all_cells_with_distances(void)
{
    g_autoptr(GString) text = g_string_new("<domain><cpu><numa>");
    for (unsigned i = 0; i < 128; i++) {
        g_string_append(text, "<cell memory='1'><distances>");
        for (unsigned j = 0; j < 128; j++)
            g_string_append_printf(text, "<sibling id='%u' value='%u'/>", j, i == j ? 10 : 20 + (i + j) % 200);
        g_string_append(text, "</distances></cell>");
    }
    g_string_append(text, "</numa></cpu></domain>");
    struct reading reading = read_text(text->str, text->len);
    g_autofree char *found = findings_text(&reading);
    g_assert_cmpstr(found, ==, "");
    const struct item *last = reading.tree->items;
    while (last->next)
        last = last->next;
    unsigned row = 0;
    for (const struct item *each = last->children; each; each = each->next, row++) {
        g_assert_cmpuint(each->argument_count, ==, 128);
        g_autofree char *expected = g_strdup_printf("%u", row == 100 ? 10 : 20 + (row + 100) % 200);
        g_assert_cmpstr(word_string(reading.syntax, each, each->arguments[100]), ==, expected);
    }
    g_assert_cmpuint(row, ==, 128);
    end(&reading);
}

static void sources_in_trouble(void)
{
    assert_findings(g_string_new_len("<domain>\0</domain>", 18), "NM0002 1:1 ''\n");
    assert_findings(g_string_new_len("\xff\xfe<\0", 4), "NM0002 1:1 ''\n");
    assert_findings(g_string_new("<domain>\xe9</domain>"), "NM0002 1:1 ''\n");
    assert_findings(repeated("<domain>", "                ", (BASE_BYTES_LIMIT >> 4) + 1, "</domain>"),
                    "NM0003 1:1 ''\n");
    struct reading reading = begin();
    reading.tree =
        read_domain(reading.syntax, sources_read(reading.sources, "/no/such.xml", BASE_BYTES_LIMIT), &reading.identity);
    g_autofree char *found = findings_text(&reading);
    g_assert_cmpstr(found, ==, "NM0001 1:1 ''\n");
    end(&reading);
}

/* ---- the corpus ------------------------------------------------------------------------------------------------- */

static char *corpus_folder(void)
{
    const char *given = g_getenv("NUMAC_CORPUS");
    char *folder = g_build_filename(given ? given : "../shared/corpus", "domains", NULL);
    if (g_file_test(folder, G_FILE_TEST_IS_DIR))
        return folder;
    g_free(folder);
    return NULL;
}

static unsigned children_named(const struct reading *reading, const struct item *items, const char *name)
{
    unsigned count = 0;
    for (const struct item *item = items; item; item = item->next) {
        g_autofree char *text = NULL;
        size_t length;
        const char *word = word_text(reading->syntax, item, item->name, &length);
        text = g_strndup(word, length);
        count += strcmp(text, name) == 0;
    }
    return count;
}

static const struct item *child_named(const struct reading *reading, const char *name)
{
    for (const struct item *item = reading->tree->items; item; item = item->next)
        if (strcmp(word_string(reading->syntax, item, item->name), name) == 0)
            return item;
    return NULL;
}

static unsigned rows_of(const struct item *item)
{
    unsigned rows = 0;
    for (const struct item *child = item ? item->children : NULL; child; child = child->next)
        rows++;
    return rows;
}

static double counted(xmlXPathContextPtr context, const char *path)
{
    xmlXPathObjectPtr object = xmlXPathEvalExpression((const xmlChar *)path, context);
    double number = object ? xmlXPathCastToNumber(object) : -1;
    xmlXPathFreeObject(object);
    return number;
}

/* The same file, counted by libxml2's XPath on its tree. */
static void compare(const struct reading *reading, const char *path)
{
    xmlDocPtr document = xmlReadFile(path, NULL, XML_PARSE_NONET);
    g_assert_nonnull(document);
    xmlXPathContextPtr context = xmlXPathNewContext(document);
    static const struct {
        const char *word, *path;
    } counts[] = {
        { "cell", "count(/domain/cpu/numa/cell)" },
        { "vcpus", "count(/domain/vcpu)" },
        { "cpus", "count(/domain/vcpu[@placement='auto' or @cpuset])" },
        { "dimm", "count(/domain[cpu/numa/cell]/devices/memory[@model='dimm'])" },
        { "virtio-mem", "count(/domain[cpu/numa/cell]/devices/memory[@model='virtio-mem'])" },
        { "nvdimm", "count(/domain[cpu/numa/cell]/devices/memory[@model='nvdimm'])" },
        { "virtio-pmem", "count(/domain[cpu/numa/cell]/devices/memory[@model='virtio-pmem'])" },
        { "node", "count(/domain/numatune/memory)" },
        { "emulator", "count(/domain/cputune/emulatorpin)" },
        { "iothread", "count(/domain/cputune/iothreadpin)" },
        { "iothreads", "count(/domain/iothreads)" },
        { "backing", "count(/domain/memoryBacking/source)" },
        { "access", "count(/domain/memoryBacking/access)" },
        { "allocation", "count(/domain/memoryBacking/allocation)" },
        { "discard", "count(/domain/memoryBacking/discard)" },
        { "ksm", "count(/domain/memoryBacking/nosharepages)" },
        { "locked", "count(/domain/memoryBacking/locked)" },
        { "pages",
          "count(/domain/memoryBacking/hugepages[not(page)] | /domain/memoryBacking/hugepages/page[not(@nodeset)])" },
        { "distances", "count(/domain/cpu/numa[cell/distances/sibling])" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        g_assert_cmpfloat(children_named(reading, reading->tree->items, counts[i].word), ==,
                          counted(context, counts[i].path));
    g_assert_cmpfloat(rows_of(child_named(reading, "pin")), ==, counted(context, "count(/domain/cputune/vcpupin)"));
    const struct item *memory = child_named(reading, "memory");
    unsigned says = memory ? rows_of(memory) + memory->argument_count : 0;
    g_assert_cmpfloat(says, >=,
                      counted(context, "count(/domain[not(cpu/numa/cell)]/memory | /domain[cpu/numa/cell]/maxMemory | "
                                       "/domain[cpu/numa/cell]/maxMemory/@slots)"));
    g_assert_cmpfloat(says, <=,
                      counted(context, "count(/domain[not(cpu/numa/cell)]/memory | /domain[cpu/numa/cell]/maxMemory | "
                                       "/domain[cpu/numa/cell]/maxMemory/@slots | /domain/currentMemory)"));
    const struct item *vcpus = child_named(reading, "vcpus");
    if (vcpus && vcpus->argument_count)
        g_assert_cmpfloat(g_ascii_strtod(word_string(reading->syntax, vcpus, vcpus->arguments[0]), NULL), ==,
                          counted(context, counted(context, "count(/domain/vcpus/vcpu)") > 0
                                               ? "count(/domain/vcpus/vcpu[@enabled='yes'])"
                                           : counted(context, "count(/domain/vcpu/@current)") > 0
                                               ? "number(/domain/vcpu/@current)"
                                               : "number(/domain/vcpu)"));
    xmlXPathFreeContext(context);
    xmlFreeDoc(document);
}

/* As the layer of a guest, every item is a word of the language with values that it takes. */
static unsigned bind(const char *path)
{
    struct reading reading = begin();
    struct arena *arena = arena_new();
    g_autofree char *site = g_strdup_printf("host h { synthetic \"node:4 pu:32\" }\nguest g { base \"%s\" }\n", path);
    uint32_t file = sources_add_text(reading.sources, "site.numa", site, strlen(site));
    const char *const anywhere[] = { "/" };
    struct model_options options = { .include_folders = anywhere, .include_folder_count = 1 };
    unsigned refused = 0;
    g_assert_nonnull(build_site(arena, reading.syntax, file, &options));
    for (guint i = 0; i < reading.findings->list->len; i++) {
        const struct finding *finding = g_ptr_array_index(reading.findings->list, i);
        if (finding->code < NM_base_not_xml && finding->severity == ERROR)
            refused++, g_test_message("%s: NM%04d %s", path, (int)finding->code, finding->message);
    }
    end(&reading);
    arena_free(arena);
    return refused;
}

static void one_of_corpus(const void *data)
{
    const char *path = data;
    /* a word that libvirt does not know, 8 EiB of memory and room for more */
    unsigned refused = g_str_has_suffix(path, "-memaccess-invalid.xml") ? 1
                       : g_str_has_suffix(path, "-align-fail.xml")      ? 2
                                                                        : 0;
    struct reading reading = begin();
    reading.tree =
        read_domain(reading.syntax, sources_read(reading.sources, path, BASE_BYTES_LIMIT), &reading.identity);
    g_autofree char *found = findings_text(&reading);
    g_test_message("%s\n%s", path, found);
    if (!reading.tree->failed) {
        compare(&reading, path);
        g_assert_cmpuint(bind(path), ==, refused);
    }
    end(&reading);
}

static void add_corpus(void)
{
    static const char *const folders[] = { "libvirt", "libvirt-generic", "real" };
    g_autofree char *corpus = corpus_folder();
    for (size_t i = 0; corpus && i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *folder = g_build_filename(corpus, folders[i], NULL);
        GDir *files = g_dir_open(folder, 0, NULL);
        for (const char *name; files && (name = g_dir_read_name(files));) {
            if (!g_str_has_suffix(name, ".xml"))
                continue;
            g_autofree char *test = g_strdup_printf("/base/corpus/%s/%s", folders[i], name);
            g_test_add_data_func_full(test, g_build_filename(folder, name, NULL), one_of_corpus, g_free);
        }
        if (files)
            g_dir_close(files);
    }
}

static void corpus_is_there(void)
{
    g_autofree char *corpus = corpus_folder();
    if (!corpus)
        g_test_skip("no corpus: set NUMAC_CORPUS");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autofree char *path = g_strdup_printf("/base/%s", examples[i].name);
        g_test_add_data_func(path, &examples[i], run_example);
    }
    g_test_add_func("/base/uuids", uuids);
    g_test_add_func("/base/places", places);
    g_test_add_func("/base/hostile", hostile);
    g_test_add_func("/base/all cells", all_cells_with_distances);
    g_test_add_func("/base/trouble", sources_in_trouble);
    g_test_add_func("/base/corpus", corpus_is_there);
    add_corpus();
    return g_test_run();
}
