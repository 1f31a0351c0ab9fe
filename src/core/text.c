// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void few__text_init(struct few__text *text, const struct few_mem *mem, size_t max_bytes)
{
    *text = (struct few__text){.mem = mem, .max = max_bytes};
}

void few__text_finish(struct few__text *text)
{
    few__free(text->mem, text->s);
    few__text_init(text, text->mem, text->max);
}

void few__text_clear(struct few__text *text)
{
    text->n = 0;
    text->failed = false;
    if (text->s) text->s[0] = 0;
}

bool few__text_ok(const struct few__text *text)
{
    return !text->failed;
}

// Room for n more bytes and the NUL.
static bool reserve(struct few__text *text, size_t n)
{
    if (text->failed) return false;
    if (n > text->max - text->n) {
        text->failed = true;
        return false;
    }
    if (n < text->room - text->n) return true;
    size_t need = text->n + n + 1, room = text->room ? text->room : 256;
    while (room < need) room *= 2;
    char *s = few__resize(text->mem, text->s, room, 1);
    if (!s) {
        text->failed = true;
        return false;
    }
    text->s = s;
    text->room = room;
    return true;
}

void few__text_add(struct few__text *text, const char *s, size_t n)
{
    if (!reserve(text, n)) return;
    memcpy(text->s + text->n, s, n);
    text->n += n;
    text->s[text->n] = 0;
}

void few__text_put(struct few__text *text, const char *s)
{
    few__text_add(text, s, strlen(s));
}

void few__text_printf(struct few__text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) text->failed = true;
    if (n >= 0 && reserve(text, (size_t)n)) {
        vsnprintf(text->s + text->n, (size_t)n + 1, format, again);
        text->n += (size_t)n;
    }
    va_end(again);
}

// Length of the UTF-8 sequence at s, 0 if there is none.
static size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80) return 1;
    size_t n = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (s[0] >= 0xf5 || n == 0) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] > 0x9f;
    bool beyond = s[0] == 0xf4 && s[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : n;
}

void few__text_json(struct few__text *text, const char *s)
{
    few__text_add(text, "\"", 1);
    for (const unsigned char *p = (const unsigned char *)s; *p;) {
        size_t n = utf8_length(p);
        if (n == 0) few__text_put(text, "\xef\xbf\xbd");
        else if (*p == '"' || *p == '\\') few__text_printf(text, "\\%c", *p);
        else if (*p == '\n') few__text_put(text, "\\n");
        else if (*p == '\t') few__text_put(text, "\\t");
        else if (*p < 0x20) few__text_printf(text, "\\u%04x", *p);
        else few__text_add(text, (const char *)p, n);
        p += n ? n : 1;
    }
    few__text_add(text, "\"", 1);
}

void few__text_utf8(struct few__text *text, const char *s)
{
    for (size_t n; *s; s += n ? n : 1) {
        n = utf8_length((const unsigned char *)s);
        if (n) few__text_add(text, s, n);
        else few__text_put(text, "\xef\xbf\xbd");
    }
}

void few__text_float(struct few__text *text, float value)
{
    if (!isfinite(value)) {
        few__text_put(text, "null");
        return;
    }
    char s[32];
    for (int digits = 6; digits <= 9; digits++) { // 9 digits always suffice for a float
        snprintf(s, sizeof s, "%.*g", digits, (double)value);
        if (strtof(s, NULL) == value) break;
    }
    few__text_put(text, s);
}

void few__text_double(struct few__text *text, double value, int digits)
{
    if (isfinite(value)) few__text_printf(text, "%.*g", digits, value);
    else few__text_put(text, "null");
}

void few__text_html(struct few__text *text, const char *s)
{
    for (; *s; s++) {
        const char *entity = *s == '<'   ? "&lt;"
                             : *s == '>' ? "&gt;"
                             : *s == '&' ? "&amp;"
                             : *s == '"' ? "&quot;"
                                         : NULL;
        if (entity) few__text_put(text, entity);
        else few__text_add(text, s, 1);
    }
}
