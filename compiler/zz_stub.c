/* SPDX-License-Identifier: MIT
 * local only */
void *place_site(void); void *read_domain(void);
void *place_site(void) { return 0; }
void *read_domain(void) { static struct { unsigned a; void *b, *c; unsigned d; _Bool e, failed; } t; t.failed = 1; return &t; }
