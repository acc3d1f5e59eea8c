#include "emit/overlay.h"
void write_overlay(const struct plan_guest *guest, const struct base_text *base, GString *out) { (void)guest; g_string_append_len(out, base->text, (gssize)base->length); }
