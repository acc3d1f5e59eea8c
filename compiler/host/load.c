/* SPDX-License-Identifier: MIT
 *
 * Finds out what a source is, by its content and never by its name, has it read, and tells of trouble.  How each kind
 * is read is left to the readers.
 */
#include "host/facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what a file is --------------------------------------------------------------------------------------------- */

struct prolog {
    const char *at, *end;
    bool has_own_doctype; /* with declarations of its own inside */
};

static bool starts_with(const struct prolog *prolog, const char *text)
{
    size_t length = strlen(text);
    return (size_t)(prolog->end - prolog->at) >= length && memcmp(prolog->at, text, length) == 0;
}

static bool skip_past(struct prolog *prolog, const char *text)
{
    const char *found = g_strstr_len(prolog->at, prolog->end - prolog->at, text);
    prolog->at = found ? found + strlen(text) : prolog->end;
    return found != NULL;
}

static void skip_doctype(struct prolog *prolog)
{
    while (prolog->at < prolog->end && *prolog->at != '>' && *prolog->at != '[')
        prolog->at++;
    if (prolog->at < prolog->end && *prolog->at == '[')
        prolog->has_own_doctype = true;
    skip_past(prolog, ">");
}

/* Leaves prolog->at at the name of the outermost element; false where there is none. */
static bool find_root(struct prolog *prolog)
{
    for (;;) {
        while (prolog->at < prolog->end && g_ascii_isspace(*prolog->at))
            prolog->at++;
        if (starts_with(prolog, "<?"))
            skip_past(prolog, "?>");
        else if (starts_with(prolog, "<!--"))
            skip_past(prolog, "-->");
        else if (starts_with(prolog, "<!DOCTYPE"))
            skip_doctype(prolog);
        else
            break;
        if (prolog->has_own_doctype)
            return true;
    }
    if (!starts_with(prolog, "<") || prolog->end - prolog->at < 2)
        return false;
    prolog->at++;
    return true;
}

/* The version attribute of <topology version="2.0">; 1 where there is none. */
static unsigned hwloc_version(const struct prolog *prolog)
{
    const char *end = memchr(prolog->at, '>', (size_t)(prolog->end - prolog->at));
    g_autofree char *tag = g_strndup(prolog->at, (size_t)((end ? end : prolog->end) - prolog->at));
    const char *version = strstr(tag, "version");
    if (!version)
        return 1;
    version += strcspn(version, "\"'");
    return *version ? (unsigned)strtoul(version + 1, NULL, 10) : 1;
}

/* hwloc's reader stops where it has seen enough.  A comment behind the end is fine. */
static bool ends_as_topology(const struct reading *reading)
{
    size_t length = reading->length;
    while (length && g_ascii_isspace(reading->text[length - 1]))
        length--;
    const char *end = reading->text + length;
    return (length >= 11 && memcmp(end - 11, "</topology>", 11) == 0) ||
           (length >= 3 && memcmp(end - 3, "-->", 3) == 0);
}

static bool say_other(const struct reading *reading, const char *what, const char *help, struct trouble *trouble)
{
    trouble_set(trouble, NM_host_kind, help, "'%s' describes no host: it is %s", reading->name, what);
    return false;
}

#define KINDS_HELP                                                                                                 \
    "a host is 'live', hwloc XML (lstopo host.xml, numac host record), a recorded folder of sysfs, or the output " \
    "of 'virsh capabilities'"

static bool say_what_it_is(const struct reading *reading, struct trouble *trouble)
{
    const unsigned char *bytes = (const unsigned char *)reading->text;
    size_t length = reading->length;
    if (!length)
        return say_other(reading, "empty", KINDS_HELP, trouble);
    if ((length > 262 && memcmp(bytes + 257, "ustar", 5) == 0) ||
        (length > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) || (length > 3 && memcmp(bytes, "BZh", 3) == 0) ||
        (length > 6 && memcmp(bytes,
                              "\xfd"
                              "7zXZ",
                              5) == 0) ||
        (length > 4 && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0))
        return say_other(reading, "an archive", "unpack it and name the folder that holds 'sys'", trouble);
    if (g_str_has_prefix(reading->text, "available:") || g_str_has_prefix(reading->text, "Architecture:"))
        return say_other(reading, "the text output of numactl or lscpu", KINDS_HELP, trouble);
    if (g_str_has_prefix(reading->text, "Machine"))
        return say_other(reading, "the text output of lstopo", "save XML: lstopo host.xml", trouble);
    return say_other(reading, "neither XML nor a folder", KINDS_HELP, trouble);
}

bool file_recognise(const struct reading *reading, enum host_origin *origin, struct trouble *trouble)
{
    struct prolog prolog = { .at = reading->text, .end = reading->text + reading->length };
    if (!find_root(&prolog))
        return say_what_it_is(reading, trouble);
    if (prolog.has_own_doctype) {
        trouble_set(trouble, NM_host_doctype, "delete the lines of the DOCTYPE",
                    "'%s' declares a document type of its own; such files can grow without limit, and numac reads none",
                    reading->name);
        return false;
    }
    size_t length = 0;
    while (prolog.at + length < prolog.end && length < 60 && !g_ascii_isspace(prolog.at[length]) &&
           prolog.at[length] != '>' && prolog.at[length] != '/')
        length++;
    g_autofree char *name = g_strndup(prolog.at, length);
    if (strcmp(name, "capabilities") == 0) {
        *origin = ORIGIN_CAPABILITIES;
        return true;
    }
    if (strcmp(name, "topology") != 0) {
        g_autofree char *what = g_strdup_printf("XML with the outermost element <%s>", name);
        bool is_guest = strcmp(name, "domain") == 0;
        return say_other(reading, what, is_guest ? "this is a guest; the host is in 'virsh capabilities'" : KINDS_HELP,
                         trouble);
    }
    unsigned version = hwloc_version(&prolog);
    if (version != 2) {
        trouble_set(trouble, NM_host_old_format,
                    version < 2 ? "write it again with 'hwloc-convert' or 'lstopo -i OLD NEW.xml' of hwloc 2"
                                : "export it with 'lstopo --export-xml-flags v2' or 'numac host record'",
                    "'%s' is hwloc XML of version %u, numac reads version 2", reading->name, version);
        return false;
    }
    if (!ends_as_topology(reading)) {
        trouble_set(trouble, NM_host_damaged, "record the host again; the file was cut or edited",
                    "'%s' is damaged: it does not end with </topology>", reading->name);
        return false;
    }
    *origin = ORIGIN_HWLOC_XML;
    return true;
}

/* ---- folders ---------------------------------------------------------------------------------------------------- */

static bool is_folder(const char *base, const char *below)
{
    g_autofree char *path = g_strconcat(base, below, NULL);
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* hwloc wants a root with sys/ in it.  A folder that is itself the sys or the sys/devices gets such a root for the
 * time of the reading: a temporary folder with one link. */
struct root {
    char *path, *temporary, *link;
};

static bool make_root(struct root *root, const char *folder, const char *below)
{
    g_autofree char *real = realpath(folder, NULL);
    root->temporary = g_dir_make_tmp("numac-XXXXXX", NULL);
    if (!real || !root->temporary)
        return false;
    g_autofree char *sys = g_strconcat(root->temporary, "/sys", NULL);
    root->link = g_strconcat(root->temporary, below, NULL);
    if (strcmp(below, "/sys") != 0 && mkdir(sys, 0700) != 0)
        return false;
    root->path = g_strdup(root->temporary);
    return symlink(real, root->link) == 0;
}

static bool open_root(struct root *root, const char *folder)
{
    if (is_folder(folder, "/sys/devices/system")) {
        root->path = g_strdup(folder);
        return true;
    }
    if (is_folder(folder, "/devices/system"))
        return make_root(root, folder, "/sys");
    if (is_folder(folder, "/system/cpu"))
        return make_root(root, folder, "/sys/devices");
    return false;
}

static void close_root(struct root *root)
{
    if (root->link)
        unlink(root->link);
    if (root->temporary) {
        g_autofree char *sys = g_strconcat(root->temporary, "/sys", NULL);
        rmdir(sys);
        rmdir(root->temporary);
    }
    g_free(root->link);
    g_free(root->temporary);
    g_free(root->path);
}

static struct host *load_folder(struct arena *arena, struct reading *reading, struct trouble *trouble)
{
    struct root root = { 0 };
    struct host *host = NULL;
    if (open_root(&root, reading->name)) {
        reading->origin = ORIGIN_FOLDER;
        reading->root = root.path;
        host = read_in_child(arena, reading, trouble);
    } else {
        trouble_set(trouble, NM_host_folder, "name the folder that holds 'sys', as hwloc-gather-topology writes it",
                    "the folder '%s' holds no recorded machine: there is no 'sys/devices/system' in it", reading->name);
    }
    close_root(&root);
    return host;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* A file that is no text may still be known: archives get a cure of their own. */
static bool file_is_archive(const char *path)
{
    char head[512] = { 0 };
    FILE *file = fopen(path, "rbe");
    size_t length = file ? fread(head, 1, sizeof head, file) : 0;
    if (file)
        fclose(file);
    struct reading peek = { .name = path, .text = head, .length = length };
    struct trouble trouble = { 0 };
    say_what_it_is(&peek, &trouble);
    return strstr(trouble.message, "an archive") != NULL;
}

static void say_no_text(const struct source *source, const char *path, struct trouble *trouble)
{
    switch (source->trouble) {
    case SOURCE_TOO_LARGE:
        trouble_set(trouble, NM_host_too_large, NULL, "'%s' is larger than %u MiB, the most numac reads of a host",
                    path, (unsigned)(HOST_FILE_BYTES / MIB));
        return;
    case SOURCE_UTF16:
    case SOURCE_BINARY:
    case SOURCE_NOT_UTF8:
        if (strcmp(path, "-") != 0 && file_is_archive(path))
            trouble_set(trouble, NM_host_kind, "unpack it and name the folder that holds 'sys'",
                        "'%s' describes no host: it is an archive", path);
        trouble_set(trouble, NM_host_kind, KINDS_HELP, "'%s' describes no host: it is no UTF-8 text", path);
        return;
    case SOURCE_UNREADABLE:
        trouble_set(trouble, NM_host_unreadable, source->error_number == ENOENT ? KINDS_HELP : NULL,
                    "'%s' cannot be read: %s", path, g_strerror(source->error_number));
        return;
    case SOURCE_FINE:
    case SOURCE_NOT_A_FILE:
    case SOURCE_TOO_MANY:
        trouble_set(trouble, NM_host_unreadable, NULL, "'%s' cannot be read: it is no regular file", path);
        return;
    }
}

static struct host *load_file(struct arena *arena, struct sources *sources, struct reading *reading, uint32_t *file,
                              struct trouble *trouble)
{
    uint32_t known = sources_find(sources, reading->name);
    *file = known                           ? known
            : reading->wants & HOST_NO_PIPE ? sources_read_named(sources, reading->name, HOST_FILE_BYTES)
                                            : sources_read(sources, reading->name, HOST_FILE_BYTES);
    const struct source *source = source_at(sources, *file);
    if (source->trouble != SOURCE_FINE) {
        say_no_text(source, reading->name, trouble);
        return NULL;
    }
    reading->text = source->text;
    reading->length = source->length;
    if (!file_recognise(reading, &reading->origin, trouble))
        return NULL;
    if (reading->recording && reading->origin == ORIGIN_CAPABILITIES) {
        trouble_set(trouble, NM_host_not_recordable, "run 'numac host record' on the machine itself",
                    "'%s' is libvirt's view of a host, which knows too little for a recording", reading->name);
        return NULL;
    }
    return read_in_child(arena, reading, trouble);
}

/* ---- what hwloc needs around it --------------------------------------------------------------------------------- */

/* hwloc listens to two dozen variables: the same source must give the same facts in every shell. */
void settle_environment(const struct reading *reading)
{
    g_auto(GStrv) names = g_listenv();
    for (char **name = names; name && *name; name++)
        if (g_str_has_prefix(*name, "HWLOC_"))
            g_unsetenv(*name);
    g_setenv("HWLOC_HIDE_ERRORS", "2", TRUE);
    g_setenv("HWLOC_GROUPING", "0", TRUE);                   /* groups guessed from distances are no facts */
    g_setenv("HWLOC_KEEP_NVIDIA_GPU_NUMA_NODES", "1", TRUE); /* the kernel, numactl and libvirt count them */
    if (reading->origin == ORIGIN_FOLDER) {
        g_setenv("HWLOC_FSROOT", reading->root, TRUE);
        g_setenv("HWLOC_COMPONENTS", "linux,stop", TRUE);
    }
}

void say_unreadable(const struct reading *reading, struct trouble *trouble)
{
    const char *name = reading->name;
    if (reading->origin == ORIGIN_SYNTHETIC)
        trouble_set(trouble, NM_host_synthetic,
                    "begin with the largest level and end with pu, such as \"pack:2 [numa] core:8 pu:2\"",
                    "hwloc refuses the synthetic description '%s'", name);
    else if (reading->origin == ORIGIN_FOLDER)
        trouble_set(trouble, NM_host_folder, "record it again with hwloc-gather-topology",
                    "hwloc finds no machine in the folder '%s'", name);
    else if (reading->origin == ORIGIN_LIVE)
        trouble_set(trouble, NM_host_unreadable, NULL, "hwloc cannot read this machine: %s", g_strerror(errno));
    else
        trouble_set(trouble, NM_host_damaged, "record the host again with 'numac host record' or lstopo",
                    "'%s' is damaged: hwloc cannot make sense of it", name);
}

/* ---- the two doors ---------------------------------------------------------------------------------------------- */

static struct host *load_any(struct arena *arena, struct sources *sources, struct reading *reading, bool is_synthetic,
                             uint32_t *file, struct trouble *trouble)
{
    struct stat about;
    if (is_synthetic) {
        g_autoptr(GString) prepared = g_string_new(NULL);
        uint64_t work;
        if (!synthetic_prepare(reading->name, prepared, &reading->synthetic_cpus, &work, trouble))
            return NULL;
        reading->origin = ORIGIN_SYNTHETIC;
        reading->text = prepared->str;
        return read_in_child(arena, reading, trouble);
    }
    if (strcmp(reading->name, "live") == 0) {
        reading->origin = ORIGIN_LIVE;
        reading->root = "/";
        return read_hwloc(arena, reading, trouble);
    }
    if (stat(reading->name, &about) == 0 && S_ISDIR(about.st_mode))
        return load_folder(arena, reading, trouble);
    return load_file(arena, sources, reading, file, trouble);
}

static void tell(struct findings *findings, const struct trouble *trouble, struct span place)
{
    struct finding *finding = report(findings, trouble->code, place, "%s", trouble->message);
    if (trouble->help[0])
        finding_help(findings, finding, "%s", trouble->help);
}

/* "hosts/r740.xml" is called r740 until the site gives it a name */
static const char *name_from(struct arena *arena, const char *source, bool is_synthetic)
{
    if (is_synthetic)
        return "synthetic";
    g_autofree char *base = g_path_get_basename(source);
    char *dot = strrchr(base, '.');
    if (dot && dot != base)
        *dot = '\0';
    return arena_string(arena, base, strlen(base));
}

const struct host *host_load(struct arena *arena, struct sources *sources, struct findings *findings,
                             const char *source, bool is_synthetic, unsigned wants, struct span place)
{
    struct trouble trouble = { 0 };
    struct reading reading = { .name = source, .wants = wants };
    uint32_t file = 0;
    struct host *host = load_any(arena, sources, &reading, is_synthetic, &file, &trouble);
    if (!host) {
        tell(findings, &trouble, place);
        return NULL;
    }
    facts_settle_distances(arena, host);
    host->name = name_from(arena, source, is_synthetic);
    host->source_text = arena_string(arena, source, strlen(source));
    host->source_file = file;
    return host;
}

bool host_record(struct sources *sources, struct findings *findings, const char *source, bool is_synthetic,
                 GString *out)
{
    struct trouble trouble = { 0 };
    struct reading reading = { .name = source,
                               .wants = HOST_DEVICES | HOST_CACHES | HOST_PROGRAMS | HOST_ACCESSES,
                               .recording = out };
    uint32_t file = 0;
    struct arena *arena = arena_new();
    bool is_fine = load_any(arena, sources, &reading, is_synthetic, &file, &trouble) != NULL;
    if (!is_fine)
        tell(findings, &trouble, SPAN_NONE);
    arena_free(arena);
    return is_fine;
}
