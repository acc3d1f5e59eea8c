/* SPDX-License-Identifier: MIT
 *
 * The least that reading the numac notation with flex and bison can cost: a grammar of lines and blocks without any
 * action.  forms FILE ends with 1 where the file has another form.
 */
%define api.prefix {forms_}
%define api.token.prefix {FORMS_}
%expect 0

%code {
#include "../../tests/bench/peers/whole_file.h"
#include "bench/forms.lex.h"

static void forms_error(const char *what)
{
    fprintf(stderr, "%s\n", what);
}
}

%token WORD STRING OPEN CLOSE UNKNOWN
%token END

%%

body: lines | lines item;

lines: %empty | lines END | lines item END;

item: words | words OPEN body CLOSE;

words: WORD | words WORD | words STRING;

%%

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct whole_file file = read_whole_file(argv[1]);
    return forms__scan_buffer(file.text, file.length + 2) ? forms_parse() : 1;
}
