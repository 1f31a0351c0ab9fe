// SPDX-License-Identifier: Apache-2.0
/* A sorted vocabulary, narrowed down byte by byte while a word is read: no word is ever copied.
 *
 * What a letter is and what its lower case is stands in two short tables (Unicode 15, the scripts that have case and are
 * common), for the C library's answer depends on the machine's locale. */
#include "media/text_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"

struct entry {
    const char *name;
    int64_t id;
};

struct few__vocabulary {
    const struct few_mem *mem;
    const struct few__tokens *tokens;
    struct entry *entries; // (n_names,) by name, then id
};

/* ---- code points ---- */

/* What is beyond ASCII and no letter, digit or mark: spaces, punctuation, symbols. */
static const struct {
    uint32_t first, last;
} between[] = {
    {0x80, 0xA9},       {0xAB, 0xB1},     {0xB4, 0xB4},     {0xB6, 0xB8},     {0xBB, 0xBB},
    {0xBF, 0xBF},       {0xD7, 0xD7},     {0xF7, 0xF7},     {0x37E, 0x37E},   {0x387, 0x387},
    {0x55A, 0x55F},     {0x589, 0x58F},   {0x5BE, 0x5BE},   {0x5C0, 0x5C0},   {0x5C3, 0x5C3},
    {0x5F3, 0x5F4},     {0x600, 0x60F},   {0x61B, 0x61F},   {0x66A, 0x66D},   {0x6D4, 0x6D4},
    {0x964, 0x965},     {0xE3F, 0xE3F},   {0xE4F, 0xE4F},   {0xE5A, 0xE5B},   {0x1680, 0x1680},
    {0x2000, 0x206F},   {0x207A, 0x207E}, {0x208A, 0x208E}, {0x20A0, 0x20CF}, {0x2100, 0x2101},
    {0x2190, 0x245F},   {0x249C, 0x24E9}, {0x2500, 0x2775}, {0x2794, 0x2BFF}, {0x2E00, 0x2E2E},
    {0x2E30, 0x3004},   {0x3008, 0x3020}, {0x3030, 0x3030}, {0x303D, 0x303F}, {0x30A0, 0x30A0},
    {0x30FB, 0x30FB},   {0xD800, 0xF8FF}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE6F}, {0xFEFF, 0xFF0F},
    {0xFF1A, 0xFF20},   {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1F0FF},
    {0x1F10D, 0x1FBEF},
};

static bool is_letter(uint32_t c)
{
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    for (size_t i = 0; i < sizeof between / sizeof *between && between[i].first <= c; i++)
        if (c <= between[i].last) return false;
    return true;
}

/* Capitals first, first + step, .. last: lower case is `plus` further. */
static const struct {
    uint32_t first, last, step;
    int32_t plus;
} capitals[] = {
    {0xC0, 0xD6, 1, 32},     {0xD8, 0xDE, 1, 32},    {0x100, 0x12E, 2, 1},       {0x132, 0x136, 2, 1},
    {0x139, 0x147, 2, 1},    {0x14A, 0x176, 2, 1},   {0x178, 0x178, 1, -121},    {0x179, 0x17D, 2, 1},
    {0x1A0, 0x1A4, 2, 1},    {0x1AF, 0x1AF, 1, 1},   {0x1CD, 0x1DB, 2, 1},       {0x1DE, 0x1EE, 2, 1},
    {0x1F4, 0x1F4, 1, 1},    {0x1F8, 0x21E, 2, 1},   {0x222, 0x232, 2, 1},       {0x386, 0x386, 1, 38},
    {0x388, 0x38A, 1, 37},   {0x38C, 0x38C, 1, 64},  {0x38E, 0x38F, 1, 63},      {0x391, 0x3A1, 1, 32},
    {0x3A3, 0x3AB, 1, 32},   {0x400, 0x40F, 1, 80},  {0x410, 0x42F, 1, 32},      {0x460, 0x480, 2, 1},
    {0x48A, 0x4BE, 2, 1},    {0x4C0, 0x4C0, 1, 15},  {0x4C1, 0x4CD, 2, 1},       {0x4D0, 0x52E, 2, 1},
    {0x531, 0x556, 1, 48},   {0x1E00, 0x1E94, 2, 1}, {0x1E9E, 0x1E9E, 1, -7615}, {0x1EA0, 0x1EFE, 2, 1},
    {0xFF21, 0xFF3A, 1, 32},
};

static uint32_t lower(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    for (size_t i = 0; i < sizeof capitals / sizeof *capitals && capitals[i].first <= c; i++)
        if (c <= capitals[i].last && (c - capitals[i].first) % capitals[i].step == 0)
            return (uint32_t)((int32_t)c + capitals[i].plus);
    return c;
}

/* The code point at s and its bytes; 0 bytes: what stands there is no UTF-8 (RFC 3629, section 4). */
static size_t read_point(const unsigned char *s, uint32_t *c)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    *c = s[0];
    if (s[0] < 0x80) return 1;
    size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4) return 0;
    *c = s[0] & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) { // the NUL at the end is no follower
        if ((s[i] & 0xC0) != 0x80) return 0;
        *c = *c << 6 | (s[i] & 0x3FU);
    }
    return *c < least[n] || *c > 0x10FFFF || (*c >= 0xD800 && *c < 0xE000) ? 0 : n;
}

static size_t write_point(uint32_t c, unsigned char s[4])
{
    if (c < 0x80) {
        s[0] = (unsigned char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) s[i] = (unsigned char)(0x80 | (c & 0x3F));
    s[0] = (unsigned char)(0xF00U >> n | c);
    return n;
}

/* ---- the vocabulary ---- */

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

enum few_status few__vocabulary_create(const struct few__tokens *tokens, const struct few_mem *mem,
                                       struct few__vocabulary **vocabulary, struct few_error *err)
{
    *vocabulary = NULL;
    struct few__vocabulary *v = FEW__NEW(mem, struct few__vocabulary);
    if (!v) return few__no_memory(err, "vocabulary");
    *v = (struct few__vocabulary){.mem = mem, .tokens = tokens};
    if (tokens->n_names) v->entries = FEW__NEW_N(mem, struct entry, tokens->n_names);
    if (tokens->n_names && !v->entries) {
        few__vocabulary_destroy(v);
        return few__no_memory(err, "vocabulary");
    }
    for (size_t i = 0; i < tokens->n_names; i++)
        v->entries[i] = (struct entry){.name = tokens->names[i], .id = (int64_t)i};
    if (tokens->n_names) qsort(v->entries, tokens->n_names, sizeof *v->entries, by_name);
    *vocabulary = v;
    return FEW_OK;
}

void few__vocabulary_destroy(struct few__vocabulary *v)
{
    if (!v) return;
    few__free(v->mem, v->entries);
    few__free(v->mem, v);
}

/* The names that begin with the bytes so far: entries[first .. last). */
struct search {
    const struct few__vocabulary *vocabulary;
    size_t depth, first, last;
};

static struct search search_begin(const struct few__vocabulary *v)
{
    return (struct search){.vocabulary = v, .last = v->tokens->n_names};
}

/* First of the names left whose next byte is `byte` or more. */
static size_t bound(const struct search *search, unsigned byte)
{
    size_t low = search->first, high = search->last;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        unsigned char its = (unsigned char)search->vocabulary->entries[middle].name[search->depth];
        if (its < byte) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void search_add(struct search *search, uint32_t c)
{
    unsigned char bytes[4];
    size_t n = write_point(c, bytes);
    for (size_t i = 0; i < n && search->first < search->last; i++) {
        size_t first = bound(search, bytes[i]);
        search->last = bound(search, bytes[i] + 1U);
        search->first = first;
        search->depth++;
    }
}

static int64_t search_end(const struct search *search)
{
    const struct few__vocabulary *v = search->vocabulary;
    bool found = search->depth > 0 && search->first < search->last &&
                 v->entries[search->first].name[search->depth] == 0;
    return found ? v->entries[search->first].id : v->tokens->unknown;
}

/* ---- text ---- */

static size_t fill_characters(const struct few__vocabulary *v, const unsigned char *s, int64_t *ids)
{
    size_t n = 0;
    while (*s && n < v->tokens->length) {
        uint32_t c;
        size_t width = read_point(s, &c);
        struct search search = search_begin(v);
        if (width) search_add(&search, c);
        ids[n++] = search_end(&search);
        s += width ? width : 1;
    }
    return n;
}

static size_t fill_words(const struct few__vocabulary *v, const unsigned char *s, int64_t *ids)
{
    size_t n = 0;
    while (*s && n < v->tokens->length) {
        uint32_t c;
        size_t width = read_point(s, &c);
        if (width == 0) ids[n++] = v->tokens->unknown;
        if (width == 0 || !is_letter(c)) {
            s += width ? width : 1;
            continue;
        }
        struct search search = search_begin(v);
        for (; *s && width && is_letter(c); width = read_point(s, &c)) {
            search_add(&search, lower(c));
            s += width;
        }
        ids[n++] = search_end(&search);
    }
    return n;
}

size_t few__vocabulary_fill(const struct few__vocabulary *vocabulary, const char *text, int64_t *ids)
{
    const struct few__tokens *tokens = vocabulary->tokens;
    const unsigned char *s = (const unsigned char *)text;
    size_t n =
        tokens->split == FEW__WORDS ? fill_words(vocabulary, s, ids) : fill_characters(vocabulary, s, ids);
    for (size_t i = n; i < tokens->length; i++) ids[i] = tokens->pad;
    return n;
}
