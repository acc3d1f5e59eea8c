/* SPDX-License-Identifier: MIT
 *
 * The table of architectures: every one that a guest can have is in it and answers what all ask; one that is none
 * forbids nothing.
 */
#include "base/architecture.h"
#include "model/model.h"

static void each_word_has_a_row(void)
{
    const char *const *names = word_row(W_GUEST_ARCH)->arguments[0].choices;
    for (; *names; names++) {
        const struct architecture *architecture = architecture_of(*names);
        g_assert_cmpstr(architecture->name, ==, *names);
        g_assert_nonnull(architecture->families->name);
        g_assert_nonnull(architecture->libvirt_machine);
        g_assert_nonnull(architecture->vcpus_note);
        g_assert_nonnull(architecture->emulated_cpu);
        g_assert_cmpuint(architecture->pages[0], !=, 0);
        g_assert_cmpuint(architecture->normal_page, !=, 0);
        g_assert_true(!architecture->plugs_vcpus || architecture->plugs_cores || architecture->cpu_device);
        for (const struct machine_family *family = architecture->families; family->name; family++) {
            const char *versions = family->versions ? family->versions : family->name;
            g_autofree char *versioned = g_strconcat(versions, "7.2", NULL);
            g_assert_true(machine_family_of(architecture, family->name) == family);
            g_assert_true(machine_family_of(architecture, versioned) == (family->versions ? family : NULL));
        }
    }
}

/* A name decides what is below 4 GiB, and whether there are ports in place of slots. */
static void names_of_distributions_have_a_family(void)
{
    static const struct {
        const char *architecture, *machine, *family;
    } rows[] = {
        { "x86_64", "pc-1.2", "pc" },       { "x86_64", "pc-0.15", "pc" },
        { "x86_64", "rhel6.5.0", "pc" },    { "x86_64", "pc-i440fx-rhel7.6.0", "pc" },
        { "x86_64", "pc+pve0", "pc" },      { "x86_64", "pc-i440fx-9.0+pve0", "pc" },
        { "x86_64", "ubuntu", "pc" },       { "x86_64", "pc-q35-rhel8.6.0", "q35" },
        { "x86_64", "q35+pve1", "q35" },    { "x86_64", "ubuntu-q35", "q35" },
        { "aarch64", "virt+pve0", "virt" }, { "aarch64", "virt-rhel8.6.0", "virt" },
        { "x86_64", "pc-q53-7.2", NULL },   { "x86_64", "q35-7.2", NULL },
        { "x86_64", "pc-dimm", NULL },      { "x86_64", "isapc", NULL },
        { "aarch64", "virtual", NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct machine_family *family = machine_family_of(architecture_of(rows[i].architecture), rows[i].machine);
        g_assert_cmpstr(family ? family->name : NULL, ==, rows[i].family);
    }
}

static void others_forbid_nothing(void)
{
    const struct architecture *none = architecture_of("vax");
    g_assert_null(machine_family_of(none, NULL));
    g_assert_cmpuint(machine_vcpus_most(none, "any"), ==, UINT32_MAX);
    g_assert_true(none->has_bios && none->has_cpuid && none->plugs_vcpus);
    g_assert_true(none->has_cpu_features && none->has_hmat && none->has_expanders && none->bios_starts_disks);
    g_assert_cmpuint(none->memory_kinds, ==, UINT32_MAX);
    g_assert_cmpuint(none->sockets_most, ==, 0);
}

static void old_versions_take_fewer(void)
{
    const struct architecture *x86 = architecture_of("x86_64");
    g_assert_cmpuint(machine_vcpus_most(x86, "pc-q35-7.2"), ==, 288);
    g_assert_cmpuint(machine_vcpus_most(x86, "pc-q35-8.1"), ==, 1024);
    g_assert_cmpuint(machine_vcpus_most(x86, "pc-q35-9.0"), ==, 4096);
    g_assert_cmpuint(machine_vcpus_most(x86, NULL), ==, 4096);
    g_assert_cmpuint(machine_vcpus_most(x86, "pc-i440fx-9.0"), ==, 255);
}

static void hosts_have_names_of_their_own(void)
{
    g_assert_cmpstr(architecture_of_host("ppc64le")->name, ==, "ppc64");
    g_assert_cmpstr(architecture_of_host("x86_64")->name, ==, "x86_64");
    g_assert_cmpstr(architecture_of_host("vax")->name, ==, "");
    g_assert_cmpstr(architecture_of("ppc64le")->name, ==, ""); /* of a guest it is none */
}

static void versions_end_the_names(void)
{
    unsigned major, minor;
    g_assert_true(machine_version("s390-ccw-virtio-8.1", &major, &minor));
    g_assert_cmpuint(major, ==, 8);
    g_assert_cmpuint(minor, ==, 1);
    g_assert_false(machine_version("virt", &major, &minor));
    g_assert_false(machine_version("pc-q35-rhel8.6.0", &major, &minor)); /* that of a distribution */
    g_assert_true(machine_is_before("pseries-6.1", 6, 2));
    g_assert_false(machine_is_before("pseries-6.2", 6, 2));
    g_assert_false(machine_is_before("pseries-10.0", 6, 2));
    g_assert_false(machine_is_before("pseries", 6, 2));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/architecture/each-word-has-a-row", each_word_has_a_row);
    g_test_add_func("/architecture/names-of-distributions-have-a-family", names_of_distributions_have_a_family);
    g_test_add_func("/architecture/others-forbid-nothing", others_forbid_nothing);
    g_test_add_func("/architecture/old-versions-take-fewer", old_versions_take_fewer);
    g_test_add_func("/architecture/hosts-have-names-of-their-own", hosts_have_names_of_their_own);
    g_test_add_func("/architecture/versions-end-the-names", versions_end_the_names);
    return g_test_run();
}
