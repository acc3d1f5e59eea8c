/* SPDX-License-Identifier: MIT
 *
 * Inside syntax only: libyaml's tokens, one at a time, with their places in bytes, and what is told about YAML that
 * is refused.
 */
#pragma once

#include <yaml.h>

#include "syntax/reading.h"

struct yaml {
    struct reading *reading;
    yaml_parser_t parser;
    yaml_token_t token; /* the one to look at */
    struct extent where;
    unsigned depth, flow; /* mappings and lists we are in; those among them in braces or brackets */
    bool ended;           /* by an error or a limit: the token is an end of stream from now on */

    /* from characters to bytes: a pair that belongs together, walked along */
    bool ascii;
    size_t characters;
    uint32_t bytes;
};

void yaml_open(struct yaml *yaml, struct reading *reading);
void yaml_close(struct yaml *yaml);
void yaml_next(struct yaml *yaml);
void yaml_stop(struct yaml *yaml);
bool yaml_deeper(struct yaml *yaml); /* false, and the end, where it would be too deep */

void blame_libyaml(struct yaml *yaml, struct extent where, const struct extent *context);
void blame_reader(struct yaml *yaml, struct extent where);
void blame_yaml_depth(struct yaml *yaml);
void blame_property(struct yaml *yaml);
void blame_directive(struct yaml *yaml);
void blame_second_document(struct yaml *yaml);
void blame_top_level(struct yaml *yaml);
void blame_key(struct yaml *yaml, struct extent where, const char *what);
void blame_key_blanks(struct yaml *yaml, struct word key);
void blame_merge_key(struct yaml *yaml, struct extent where);
void blame_null(struct yaml *yaml, struct extent where);
void blame_nul(struct yaml *yaml, struct extent where);
void blame_block_text(struct yaml *yaml);
void blame_inner_quote(struct yaml *yaml, struct extent where);
void blame_list_entry(struct yaml *yaml);
void blame_empty_entry(struct yaml *yaml, struct extent where);
void blame_flow_comma(struct yaml *yaml, const struct item *before, bool glued);
void blame_unexpected(struct yaml *yaml);
void blame_missing_comma(struct yaml *yaml);
void blame_comma_too_many(struct yaml *yaml);
void blame_not_closed(struct yaml *yaml, struct extent where);
void blame_duplicate(struct yaml *yaml, const struct item *first, const struct item *second);
