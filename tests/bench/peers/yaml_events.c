/* SPDX-License-Identifier: MIT
 *
 * The least that reading YAML with libyaml can cost: all events of a file, each thrown away.  yaml_events FILE prints
 * how many scalars there were, so that an unread file is noticed.
 */
#include "whole_file.h"

#include <yaml.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct whole_file file = read_whole_file(argv[1]);
    yaml_parser_t parser;
    yaml_event_t event;
    unsigned long scalars = 0;
    if (!yaml_parser_initialize(&parser))
        return 1;
    yaml_parser_set_input_string(&parser, (const unsigned char *)file.text, file.length);
    for (yaml_event_type_t type = YAML_NO_EVENT; type != YAML_STREAM_END_EVENT;) {
        if (!yaml_parser_parse(&parser, &event)) {
            fprintf(stderr, "%s: %s\n", argv[1], parser.problem);
            return 1;
        }
        type = event.type;
        scalars += type == YAML_SCALAR_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    printf("%lu scalars\n", scalars);
    return 0;
}
