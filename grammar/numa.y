/* SPDX-License-Identifier: MIT
 *
 * The forms of the numac notation: lines, items, blocks.  What a word means is the vocabulary's business, and what a
 * mistake is called is told in compiler/syntax/numa_blame.c.  The order of work: compiler/syntax/from_numa.c takes
 * tokens from the scanner and pushes them here; actions build the tree with one call each.
 */
%require "3.8"
%define api.pure full
%define api.push-pull push
%define api.prefix {numa_}
%define api.token.prefix {NUMA_}
%define api.value.type {union value}
%define api.location.type {struct extent}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param { struct reading *reading }

%code requires {
#include "syntax/reading.h"
}

%code {
#pragma GCC diagnostic ignored "-Wunused-function" /* yypcontext_expected_tokens: our findings name cures instead */

#define YYLLOC_DEFAULT(current, right, count)                                                                         \
    do {                                                                                                              \
        (current).begin = (count) ? YYRHSLOC(right, 1).begin : YYRHSLOC(right, 0).end;                                \
        (current).end = YYRHSLOC(right, count).end;                                                                   \
    } while (0)

static void numa_error(const struct extent *where, struct reading *reading, const char *what)
{
    blame_parser(reading, *where, what);
}
}

%token <word> WORD STRING
%token HEAD /* the words of an item, which the feeder has collected */
%token OPEN "{" CLOSE "}" END "end of line"
%nterm <item> head blocked
%nterm <list> lines body block

%%

file: body { reading->tree->items = $body.first; }
    ;

body: lines
    | lines head { $$ = list_append($lines, $head); }
    | lines blocked { $$ = list_append($lines, $blocked); }
    ;

lines: %empty { $$ = (struct item_list){ 0 }; }
     | lines END
     | lines head END { $$ = list_append($1, $head); }
     | lines blocked END { $$ = list_append($1, $blocked); }
     | lines error END { $$ = $1; reading->recovering = false; yyerrok; }
     ;

blocked: head block { $$ = item_block($head, $block, @block.end); }
       | head END block { $$ = item_block($head, $block, @block.end); blame_brace_alone(reading, $head, @block); }
       ;

head: HEAD { $$ = item_begin(reading); }
    ;

block: "{" body "}" { $$ = $body; }
     | "{" lines error "}" { $$ = $lines; reading->recovering = false; yyerrok; }
     ;

%%

static int yyreport_syntax_error(const yypcontext_t *context, struct reading *reading)
{
    blame_syntax(reading, yypcontext_token(context) == YYSYMBOL_OPEN, *yypcontext_location(context));
    return 0;
}
