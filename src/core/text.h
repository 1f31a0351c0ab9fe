// SPDX-License-Identifier: Apache-2.0
/* A growing text with a limit, and JSON written into it. (JSON is read by jansson.)
 *
 * Failures stick: after the first one every further call does nothing, and few__text_ok tells. So a
 * writer checks once, at its end. */
#ifndef FEW_CORE_TEXT_H
#define FEW_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <fewer/env.h>

struct few__text {
    const struct few_mem *mem;
    char *s;  // always ends with NUL once anything was written; NULL before
    size_t n; // bytes without the NUL
    size_t room, max;
    bool failed;
};

void few__text_init(struct few__text *text, const struct few_mem *mem, size_t max_bytes);
void few__text_finish(struct few__text *text);
void few__text_clear(struct few__text *text); // keeps the memory
bool few__text_ok(const struct few__text *text);

void few__text_add(struct few__text *text, const char *s, size_t n);
void few__text_put(struct few__text *text, const char *s);
void few__text_printf(struct few__text *text, const char *format, ...) FEW_PRINTF(2, 3);

/* "quoted", with JSON's escapes; bytes that are no UTF-8 become U+FFFD. */
void few__text_json(struct few__text *text, const char *s);

/* The shortest decimal that reads back as the same float; null for NaN and infinities. */
void few__text_float(struct few__text *text, float value);

/* `digits` significant ones at most, shortest form (%g); null for NaN and infinities. */
void few__text_double(struct few__text *text, double value, int digits);

/* As it is, but bytes that are no UTF-8 become U+FFFD. */
void few__text_utf8(struct few__text *text, const char *s);

/* &lt; &gt; &amp; &quot; for HTML. */
void few__text_html(struct few__text *text, const char *s);

#endif
