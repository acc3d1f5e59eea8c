/* SPDX-License-Identifier: MIT
 *
 * The stages in their order.  A stage tells all it finds and the next works on what is still sound; no plan stands
 * while an error is counted.
 */
#include "compile.h"

#include "check/check.h"
#include "model/model.h"
#include "place/place.h"
#include "syntax/syntax.h"

static struct model_options model_options(struct session *session)
{
    const struct options *options = session->options;
    struct variable *variables = arena_array(session->arena, struct variable, options->definitions.count);
    for (size_t i = 0; i < options->definitions.count; i++)
        variables[i] = (struct variable){ options->definitions.list[i].name, options->definitions.list[i].value };
    struct host_override *hosts = arena_array(session->arena, struct host_override, options->hosts.count);
    for (size_t i = 0; i < options->hosts.count; i++) {
        bool is_synthetic;
        const char *source = host_source(options->hosts.list[i].value, &is_synthetic);
        hosts[i] = (struct host_override){ options->hosts.list[i].name, source, is_synthetic };
    }
    return (struct model_options){
        .variables = variables,
        .variable_count = options->definitions.count,
        .hosts = hosts,
        .host_count = options->hosts.count,
        .include_folders = options->include_folders.list,
        .include_folder_count = options->include_folders.count,
        .today = session->today,
    };
}

struct compiled compile_site(struct session *session, const char *path)
{
    size_t errors = findings_errors_met(session->findings);
    struct compiled compiled = { 0 };
    struct syntax *syntax = syntax_new(session->sources, session->findings);
    struct model_options options = model_options(session);
    uint32_t file = sources_read(session->sources, path, SITE_BYTES_LIMIT);
    findings_accept_all(session->findings, (struct acceptances){ 0 }); /* of the site before */
    struct site *site = build_site(session->arena, syntax, file, &options);
    syntax_free(syntax); /* the model stands: nothing points into the trees any more */
    if (site) {
        struct site_hosts *hosts = arena_take(session->arena, struct site_hosts);
        *hosts = ground_hosts(session->arena, session->sources, session->findings, site);
        check_model(session->arena, session->findings, site);
        compiled.planned = place_site(session->arena, session->findings, site, hosts);
        check_plan(session->arena, session->findings, compiled.planned);
    }
    compiled.site = site;
    compiled.is_clean = findings_errors_met(session->findings) == errors;
    if (compiled.is_clean && site) /* else some stage did not see all, and nobody knows what it would have told */
        tell_unused_acceptances(session->findings, site);
    return compiled;
}

struct base_text base_of(struct session *session, const struct planned_guest *guest)
{
    if (!guest->plan->has_base)
        return (struct base_text){ 0 };
    const struct source *source = source_at(session->sources, guest->guest->base_file);
    return (struct base_text){ source->text, source->length };
}

void write_guest_xml(struct session *session, const struct planned_guest *guest, GString *out)
{
    struct base_text base = base_of(session, guest);
    write_libvirt_xml(guest->plan, guest->plan->has_base ? &base : NULL, out);
}
