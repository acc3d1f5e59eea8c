#include "syntax/reading.h"
struct tree *read_yaml(struct syntax *syntax, uint32_t file, bool keep_comments)
{
    return reading_end(reading_begin(syntax, file, keep_comments, true));
}
