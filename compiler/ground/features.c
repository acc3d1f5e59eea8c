/* SPDX-License-Identifier: MIT
 *
 * Compares the versions of a host with the table of features.
 */
#include "ground/features.h"

struct release { /* 0.0.0: any */
    uint16_t major, minor, micro;
};

#define ALWAYS  \
    {           \
        0, 0, 0 \
    }
#define SINCE(major, minor, micro) \
    {                              \
        major, minor, micro        \
    }

static const struct feature_row {
    const char *name;
    struct release since[PROGRAM_COUNT];
} rows[] = {
#define FEATURE(id, name, libvirt, qemu, kernel, libnuma, source)                                                      \
    [FEATURE_##id] = {                                                                                                 \
        name,                                                                                                          \
        { [PROGRAM_LIBVIRT] = libvirt, [PROGRAM_QEMU] = qemu, [PROGRAM_KERNEL] = kernel, [PROGRAM_LIBNUMA] = libnuma } \
    },
#include "ground/features.def"
#undef FEATURE
};

static const struct program {
    const char *name, *word; /* for people; in the table `versions` */
    struct release debian_12, debian_11;
} programs[PROGRAM_COUNT] = {
    [PROGRAM_LIBVIRT] = { "libvirt", "libvirt", { 9, 0, 0 }, { 7, 0, 0 } },
    [PROGRAM_QEMU] = { "QEMU", "qemu", { 7, 2, 0 }, { 5, 2, 0 } },
    [PROGRAM_KERNEL] = { "Linux", "kernel", { 6, 1, 0 }, { 5, 10, 0 } },
    [PROGRAM_LIBNUMA] = { "libnuma", "libnuma", { 2, 0, 16 }, { 2, 0, 12 } },
};

static bool is_told(const struct site_host *host, enum host_program program)
{
    return host->facts && host->facts->versions[program].known;
}

static struct release release_of(const struct site_host *host, enum host_program program)
{
    if (!is_told(host, program))
        return programs[program].debian_12;
    const struct version *version = &host->facts->versions[program];
    return (struct release){ version->major, version->minor, version->micro };
}

static uint64_t rank(struct release release)
{
    return (uint64_t)release.major << 32 | (uint64_t)release.minor << 16 | release.micro;
}

/* The first program that is too old; PROGRAM_COUNT: none is. */
static enum host_program too_old(const struct site_host *host, enum feature feature)
{
    enum host_program program = 0;
    while (program < PROGRAM_COUNT && rank(release_of(host, program)) >= rank(rows[feature].since[program]))
        program++;
    return program;
}

bool host_has_feature(const struct site_host *host, enum feature feature)
{
    return too_old(host, feature) == PROGRAM_COUNT;
}

bool feature_is_guessed(const struct site_host *host, enum feature feature)
{
    for (enum host_program program = 0; program < PROGRAM_COUNT; program++)
        if (rank(rows[feature].since[program]) > rank(programs[program].debian_11) && !is_told(host, program))
            return true;
    return false;
}

bool host_is_older(const struct site_host *host, enum host_program program, unsigned major, unsigned minor)
{
    struct release release = release_of(host, program);
    return is_told(host, program) && (release.major < major || (release.major == major && release.minor < minor));
}

static char *release_text(struct arena *arena, struct release release)
{
    if (release.micro)
        return arena_printf(arena, "%u.%u.%u", release.major, release.minor, release.micro);
    return arena_printf(arena, "%u.%u", release.major, release.minor);
}

char *feature_text(struct arena *arena, const struct site_host *host, enum feature feature)
{
    enum host_program program = too_old(host, feature);
    if (program == PROGRAM_COUNT)
        bug("a feature that is not lacking");
    const char *needed = release_text(arena, rows[feature].since[program]);
    const char *has = release_text(arena, release_of(host, program));
    if (!host->name)
        return arena_printf(arena, "needs %s %s for %s, and %s %s", programs[program].name, needed, rows[feature].name,
                            is_told(host, program) ? "the site says" : "Debian 12 has", has);
    return arena_printf(arena, "needs %s %s for %s, and host '%s' %s %s", programs[program].name, needed,
                        rows[feature].name, host->name,
                        is_told(host, program) ? "has" : "counts as Debian 12, which has", has);
}

char *feature_version_row(struct arena *arena, const struct site_host *host, enum feature feature)
{
    enum host_program program = too_old(host, feature);
    if (program == PROGRAM_COUNT)
        bug("a feature that is not lacking");
    return arena_printf(arena, "%s %s", programs[program].word, release_text(arena, rows[feature].since[program]));
}

const char *feature_name(enum feature feature)
{
    return rows[feature].name;
}
