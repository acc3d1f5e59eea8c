/* SPDX-License-Identifier: MIT
 *
 * The table of verbs.  Help, did-you-mean and the parser of the command line read these rows; each example is run by
 * the tests.
 */
#include "verbs.h"

#include <string.h>

#define FOREIGN                                                                                            \
    "A guest that numac did not start is found in the libvirt of --connect, or is QEMU's process --pid;\n" \
    "'numac import' writes its site.\n"

static const struct verb verbs[] = {
    {
        .name = "build",
        .arguments = "SITE",
        .about = "check a site, place its guests, write what libvirt and QEMU need",
        .fewest = 1,
        .most = 1,
        .takes = TAKES_OUTPUT | TAKES_TARGET | TAKES_SITE,
        .output = "folder, - for one stream on standard output (build)",
        .examples = { "numac build site.numa", "numac build -o - --target libvirt site.numa" },
        .run = verb_build,
    },
    {
        .name = "check",
        .arguments = "SITE...",
        .about = "say everything that is wrong with sites, write nothing",
        .fewest = 1,
        .most = MANY_ARGUMENTS,
        .takes = TAKES_SITE,
        .examples = { "numac check site.numa", "numac check --format gcc site.numa other.yaml" },
        .run = verb_check,
    },
    {
        .name = "plan",
        .arguments = "SITE",
        .about = "show where each guest would live, on which memory and CPUs",
        .fewest = 1,
        .most = 1,
        .takes = TAKES_SITE,
        .examples = { "numac plan site.numa", "numac plan --format json site.numa" },
        .run = verb_plan,
    },
    {
        .name = "fmt",
        .arguments = "FILE...",
        .about = "rewrite files in the one layout",
        .fewest = 1,
        .most = MANY_ARGUMENTS,
        .takes = TAKES_CHECK | TAKES_DIFF,
        .examples = { "numac fmt site.numa", "numac fmt --check site.numa" },
        .run = verb_fmt,
    },
    {
        .name = "convert",
        .arguments = "--to yaml|numa FILE",
        .about = "say the same in the other notation",
        .fewest = 1,
        .most = 1,
        .takes = NEEDS_TO | TAKES_OUTPUT,
        .output = "file to write (- for standard output)",
        .examples = { "numac convert --to yaml site.numa" },
        .run = verb_convert,
    },
    {
        .name = "import",
        .arguments = "FILE...",
        .about = "write a site from guests that exist: domain XML, QEMU command lines",
        .fewest = 1,
        .most = MANY_ARGUMENTS,
        .takes = TAKES_TO | TAKES_OUTPUT,
        .output = "folder, bases beside the site (standard output, no bases)",
        .examples = { "numac import guest.xml", "numac import -o layout guest.xml",
                      "numac import --to yaml guest.argv" },
        .run = verb_import,
    },
    {
        .name = "host",
        .arguments = "show|record [SOURCE]",
        .about = "show a machine as numac sees it, or record it for later",
        .fewest = 1,
        .most = 2,
        .more = "SOURCE is one of\n"
                "  live            this machine (the default)\n"
                "  FILE            of 'numac host record', lstopo (XML) or 'virsh capabilities'; - is standard input\n"
                "  FOLDER          a copy of /sys\n"
                "  synthetic:TEXT  a description as hwloc takes it\n",
        .examples = { "numac host show", "numac host record > host.xml",
                      "numac host show \"synthetic:pack:2 [numa] core:8 pu:2\"" },
        .run = verb_host,
    },
    {
        .name = "run",
        .arguments = "SITE [GUEST...]",
        .about = "start guests, and prove that they are where the plan says",
        .fewest = 1,
        .most = MANY_ARGUMENTS,
        .takes = TAKES_SITE | TAKES_ENGINE | TAKES_CONNECT | TAKES_RUN,
        .examples = { "numac run --dry-run site.numa", "numac run --detach --engine qemu site.numa" },
        .run = verb_agent,
    },
    {
        .name = "verify",
        .arguments = "SITE [GUEST...]",
        .about = "compare guests that run with the plan: threads, pages, cells",
        .fewest = 1,
        .most = MANY_ARGUMENTS,
        .takes = TAKES_SITE | TAKES_CONNECT | TAKES_PID | TAKES_REPAIR | TAKES_WATCH,
        .more = FOREIGN,
        .leaves_hints = true,
        .examples = { "numac verify site.numa", "numac verify --repair site.numa db",
                      "numac verify --pid 4711 site.numa db" },
        .run = verb_agent,
    },
    {
        .name = "stop",
        .arguments = "SITE [GUEST...]",
        .about = "end guests at once, as if their power went",
        .fewest = 1,
        .most = MANY_ARGUMENTS,
        .takes = TAKES_SITE,
        .leaves_hints = true,
        .examples = { "numac stop site.numa db" },
        .run = verb_agent,
    },
    {
        .name = "list",
        .arguments = "[SITE [GUEST...]]",
        .about = "show the guests that numac started",
        .most = MANY_ARGUMENTS,
        .takes = TAKES_SITE,
        .leaves_hints = true,
        .examples = { "numac list" },
        .run = verb_agent,
    },
    {
        .name = "stat",
        .arguments = "SITE [GUEST...]",
        .about = "show where the memory and the threads of guests are now",
        .fewest = 1,
        .most = MANY_ARGUMENTS,
        .takes = TAKES_SITE | TAKES_CONNECT | TAKES_PID | TAKES_WATCH,
        .more = FOREIGN,
        .leaves_hints = true,
        .examples = { "numac stat site.numa db", "numac stat --watch site.numa" },
        .run = verb_agent,
    },
    {
        .name = "diff",
        .arguments = "SITE [GUEST...]",
        .about = "compare what libvirt has of guests with the site",
        .fewest = 1,
        .most = MANY_ARGUMENTS,
        .takes = TAKES_SITE | TAKES_CONNECT,
        .leaves_hints = true,
        .examples = { "numac diff site.numa", "numac diff --connect qemu+ssh://r1/system site.numa db" },
        .run = verb_diff,
    },
    {
        .name = "apply",
        .arguments = "SITE [GUEST...]",
        .about = "define what differs, showing the difference first",
        .fewest = 1,
        .most = MANY_ARGUMENTS,
        .takes = TAKES_SITE | TAKES_CONNECT | TAKES_YES,
        .examples = { "numac apply site.numa", "numac apply --yes --connect qemu:///system site.numa db" },
        .run = verb_diff,
    },
    {
        .name = "explain",
        .arguments = "[CODE]",
        .about = "say what a finding means and how to cure it, or list all codes",
        .most = 1,
        .examples = { "numac explain NM0004", "numac explain" },
        .run = verb_explain,
    },
    {
        .name = "schema",
        .arguments = "[site|plan|findings]",
        .about = "print a JSON Schema",
        .most = 1,
        .examples = { "numac schema findings" },
        .run = verb_schema,
    },
    {
        .name = "help",
        .arguments = "[VERB]",
        .about = "say what a verb does and what it takes",
        .most = 1,
        .examples = { "numac help check" },
        .run = verb_help,
    },
};

const struct verb *verb_rows(size_t *out_count)
{
    *out_count = G_N_ELEMENTS(verbs);
    return verbs;
}

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}
