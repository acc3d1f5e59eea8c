/* SPDX-License-Identifier: MIT
 *
 * The table of features: versions are compared as numbers, unknown ones count as Debian 12's, and the text names the
 * program that is too old.
 */
#include "ground/features.h"

static struct host facts;
static const struct site_host host = { .name = "r1", .facts = &facts }, nowhere = { .facts = &facts };

static void set_up(struct version libvirt, struct version qemu)
{
    facts = (struct host){ .versions = { [PROGRAM_LIBVIRT] = libvirt, [PROGRAM_QEMU] = qemu } };
}

static void versions_are_numbers(void)
{
    set_up((struct version){ .known = true, .major = 10, .minor = 10 },
           (struct version){ .known = true, .major = 9, .minor = 1 });
    g_assert_true(host_has_feature(&host, FEATURE_SHM_BACKING));
    set_up((struct version){ .known = true, .major = 10, .minor = 9, .micro = 9 },
           (struct version){ .known = true, .major = 10 });
    g_assert_false(host_has_feature(&host, FEATURE_SHM_BACKING));
    g_assert_true(host_has_feature(&host, FEATURE_MODULES)); /* 10.0 is above 9.1 */
    set_up((struct version){ .known = true, .major = 9 },
           (struct version){ .known = true, .major = 9, .minor = 0, .micro = 9 });
    g_assert_false(host_has_feature(&host, FEATURE_MODULES));
}

static void unknown_is_debian_12(void)
{
    set_up((struct version){ 0 }, (struct version){ 0 });
    g_assert_true(host_has_feature(&host, FEATURE_THREAD_CONTEXT));
    g_assert_false(host_has_feature(&host, FEATURE_PREFERRED_MANY));
    g_assert_true(feature_is_guessed(&host, FEATURE_THREAD_CONTEXT));
    g_assert_true(host_has_feature(&nowhere, FEATURE_MAXPHYSADDR));
    g_assert_false(host_has_feature(&nowhere, FEATURE_FILE_OFFSET));
    set_up((struct version){ 0 }, (struct version){ .known = true, .major = 7, .minor = 1 });
    g_assert_false(host_has_feature(&host, FEATURE_THREAD_CONTEXT));
    g_assert_false(feature_is_guessed(&host, FEATURE_THREAD_CONTEXT)); /* only QEMU matters there, and is known */
}

static void text_names_the_program(void)
{
    struct arena *arena = arena_new();
    set_up((struct version){ .known = true, .major = 9 }, (struct version){ .known = true, .major = 9, .minor = 1 });
    g_assert_cmpstr(feature_text(arena, &host, FEATURE_SHM_BACKING), ==,
                    "needs libvirt 10.10 for shm backing, and host 'r1' has 9.0");
    g_assert_cmpstr(feature_version_row(arena, &host, FEATURE_SHM_BACKING), ==, "libvirt 10.10");
    set_up((struct version){ 0 }, (struct version){ 0 });
    g_assert_cmpstr(feature_text(arena, &host, FEATURE_MODULES), ==,
                    "needs QEMU 9.1 for modules, and host 'r1' counts as Debian 12, which has 7.2");
    g_assert_cmpstr(feature_text(arena, &nowhere, FEATURE_MODULES), ==,
                    "needs QEMU 9.1 for modules, and Debian 12 has 7.2");
    set_up((struct version){ 0 }, (struct version){ .known = true, .major = 8 });
    g_assert_cmpstr(feature_text(arena, &nowhere, FEATURE_MODULES), ==,
                    "needs QEMU 9.1 for modules, and the site says 8.0");
    arena_free(arena);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/features/versions-are-numbers", versions_are_numbers);
    g_test_add_func("/features/unknown-is-debian-12", unknown_is_debian_12);
    g_test_add_func("/features/text-names-the-program", text_names_the_program);
    return g_test_run();
}
