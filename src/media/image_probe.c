// SPDX-License-Identifier: Apache-2.0
/* The headers of image files: which format, how large, which way up, complete or not. Read before anything is
 * decoded, so that a bomb is refused while it is still small and a cut file is told from a whole one.
 *
 * Every read goes through `struct span`, which gives zeros outside the file: no length field is trusted. */
#include "media/image_internal.h"

#include <string.h>

#include "core/error.h"
#include "media/image.h"

struct span {
    const uint8_t *p;
    size_t n;
    bool little; // byte order of u16 and u32
};

static uint32_t u8(const struct span *s, size_t at)
{
    return at < s->n ? s->p[at] : 0;
}

static uint32_t u16(const struct span *s, size_t at)
{
    uint32_t a = u8(s, at), b = u8(s, at + 1);
    return s->little ? b << 8 | a : a << 8 | b;
}

static uint32_t u32(const struct span *s, size_t at)
{
    uint32_t a = u16(s, at), b = u16(s, at + 2);
    return s->little ? b << 16 | a : a << 16 | b;
}

static bool has(const struct span *s, size_t at, const char *magic, size_t n)
{
    return at <= s->n && n <= s->n - at && memcmp(s->p + at, magic, n) == 0;
}

static struct span part(const struct span *s, size_t at, size_t n)
{
    if (at > s->n) at = s->n;
    if (n > s->n - at) n = s->n - at;
    return (struct span){s->p + at, n, s->little};
}

/* ---- TIFF, which EXIF is too ---- */

enum { TAG_WIDTH = 256, TAG_HEIGHT = 257, TAG_ORIENTATION = 274, TYPE_SHORT = 3, TYPE_LONG = 4 };

// Only the first directory: the second one describes the thumbnail or the next page.
static void probe_tiff(struct span s, struct few__probe *out)
{
    s.little = has(&s, 0, "II", 2);
    size_t at = u32(&s, 4), n_entries = u16(&s, at);
    for (size_t i = 0; i < n_entries && at + 2 + 12 * (i + 1) <= s.n; i++) {
        size_t entry = at + 2 + 12 * i;
        uint32_t type = u16(&s, entry + 2), value;
        if (type == TYPE_SHORT) value = u16(&s, entry + 8);
        else if (type == TYPE_LONG) value = u32(&s, entry + 8);
        else continue;
        switch (u16(&s, entry)) {
        case TAG_WIDTH: out->width = value; break;
        case TAG_HEIGHT: out->height = value; break;
        case TAG_ORIENTATION:
            if (value >= 1 && value <= 8) out->orientation = (int)value;
            break;
        default: break;
        }
    }
}

int few__exif_orientation(const uint8_t *bytes, size_t n)
{
    struct few__probe found = {.orientation = 1};
    struct span s = {bytes, n, false};
    if (has(&s, 0, "Exif\0\0", 6)) s = part(&s, 6, n);
    if (has(&s, 0, "II*\0", 4) || has(&s, 0, "MM\0*", 4)) probe_tiff(s, &found);
    return found.orientation;
}

/* ---- JPEG ---- */

enum { SOF0 = 0xC0, SOF15 = 0xCF, DHT = 0xC4, JPG = 0xC8, DAC = 0xCC };
enum { RST0 = 0xD0, RST7 = 0xD7, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, APP1 = 0xE1, TEM = 0x01 };

// The position of the next marker's code at or after `at`; n if there is none. Inside entropy-coded data FF 00
// is a byte of data and RST a pause; FF FF is filling.
static size_t next_marker(const struct span *s, size_t at)
{
    while (at < s->n) {
        const uint8_t *ff = memchr(s->p + at, 0xFF, s->n - at);
        if (!ff) break;
        at = (size_t)(ff - s->p) + 1;
        uint32_t code = u8(s, at);
        if (at < s->n && code != 0 && code != 0xFF && (code < RST0 || code > RST7)) return at;
    }
    return s->n;
}

static void probe_jpeg(const struct span *s, struct few__probe *out)
{
    bool scan = false;
    out->whole = false;
    for (size_t at = next_marker(s, 2); at < s->n;) {
        uint32_t code = u8(s, at++);
        if (code == EOI) {
            out->whole = scan;
            return;
        }
        size_t length = code == TEM || code == SOI ? 0 : u16(s, at);
        struct span body = part(s, at + 2, length < 2 ? 0 : length - 2);
        if (code >= SOF0 && code <= SOF15 && code != DHT && code != JPG && code != DAC) {
            out->height = u16(&body, 1);
            out->width = u16(&body, 3);
        } else if (code == APP1 && has(&body, 0, "Exif\0\0", 6)) {
            out->orientation = few__exif_orientation(body.p, body.n);
        }
        if (code == SOS) scan = true;
        at = next_marker(s, at + length);
    }
}

/* ---- PNG, GIF, BMP, WebP ---- */

static void probe_png(const struct span *s, struct few__probe *out)
{
    out->width = u32(s, 16);
    out->height = u32(s, 20);
    out->whole = false;
    for (size_t at = 8; at + 12 <= s->n && !out->whole;) {
        size_t length = u32(s, at);
        if (length > s->n) break;
        if (has(s, at + 4, "eXIf", 4)) {
            struct span body = part(s, at + 8, length);
            out->orientation = few__exif_orientation(body.p, body.n);
        }
        out->whole = has(s, at + 4, "IEND", 4);
        at += 12 + length;
    }
}

static size_t gif_palette(uint32_t flags)
{
    return flags & 0x80 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

// Position after a chain of data blocks; beyond the end if the chain is cut.
static size_t gif_skip_blocks(const struct span *s, size_t at)
{
    while (at < s->n && s->p[at]) at += 1 + (size_t)s->p[at];
    return at + 1;
}

// Complete when the data of the first frame is.
static void probe_gif(const struct span *s, struct few__probe *out)
{
    struct span little = {s->p, s->n, true};
    out->width = u16(&little, 6);
    out->height = u16(&little, 8);
    out->whole = false;
    size_t at = 13 + gif_palette(u8(s, 10));
    while (u8(s, at) == 0x21) at = gif_skip_blocks(s, at + 2);
    if (u8(s, at) != 0x2C) return;
    at = gif_skip_blocks(s, at + 10 + gif_palette(u8(s, at + 9)) + 1);
    out->whole = at <= s->n;
}

static void probe_bmp(const struct span *s, struct few__probe *out)
{
    struct span little = {s->p, s->n, true};
    if (u32(&little, 14) == 12) { // OS/2
        out->width = u16(&little, 18);
        out->height = u16(&little, 20);
        return;
    }
    out->width = (int32_t)u32(&little, 18);
    int64_t height = (int32_t)u32(&little, 22);
    out->height = height < 0 ? -height : height; // negative: top row first
}

static void probe_webp(const struct span *s, struct few__probe *out)
{
    struct span little = {s->p, s->n, true};
    out->whole = (size_t)u32(&little, 4) + 8 <= s->n;
    for (size_t at = 12; at + 8 <= s->n;) {
        size_t length = u32(&little, at + 4), body = at + 8;
        if (length > s->n) break;
        if (has(s, at, "VP8X", 4)) {
            out->animated = u8(s, body) & 2;
            out->width = (int64_t)(u16(&little, body + 4) | u8(s, body + 6) << 16) + 1;
            out->height = (int64_t)(u16(&little, body + 7) | u8(s, body + 9) << 16) + 1;
        } else if (has(s, at, "VP8 ", 4) && !out->width) {
            out->width = u16(&little, body + 6) & 0x3FFF;
            out->height = u16(&little, body + 8) & 0x3FFF;
        } else if (has(s, at, "VP8L", 4) && !out->width) {
            uint32_t bits = u32(&little, body + 1);
            out->width = (int64_t)(bits & 0x3FFF) + 1;
            out->height = (int64_t)(bits >> 14 & 0x3FFF) + 1;
        } else if (has(s, at, "EXIF", 4)) {
            struct span exif = part(s, body, length);
            out->orientation = few__exif_orientation(exif.p, exif.n);
        }
        at = body + length + (length & 1);
    }
}

static enum few__image_kind kind_of(const struct span *s)
{
    if (has(s, 0, "\xFF\xD8\xFF", 3)) return FEW__JPEG;
    if (has(s, 0, "\x89PNG\r\n\x1A\n", 8)) return FEW__PNG;
    if (has(s, 0, "GIF87a", 6) || has(s, 0, "GIF89a", 6)) return FEW__GIF;
    if (has(s, 0, "RIFF", 4) && has(s, 8, "WEBP", 4)) return FEW__WEBP;
    if (has(s, 0, "II*\0", 4) || has(s, 0, "MM\0*", 4)) return FEW__TIFF;
    if (has(s, 4, "ftyp", 4)) return FEW__HEIF;
    // Two letters start many a text: ask for a header length that exists as well.
    struct span little = {s->p, s->n, true};
    if (has(s, 0, "BM", 2) && u32(&little, 14) >= 12 && u32(&little, 14) <= 124) return FEW__BMP;
    return FEW__IMAGE_KIND_COUNT;
}

struct few__probe few__image_probe(const uint8_t *bytes, size_t n)
{
    struct span s = {bytes, n, false};
    struct few__probe out = {.kind = kind_of(&s), .orientation = 1, .whole = true};
    switch (out.kind) {
    case FEW__JPEG: probe_jpeg(&s, &out); break;
    case FEW__PNG: probe_png(&s, &out); break;
    case FEW__GIF: probe_gif(&s, &out); break;
    case FEW__BMP: probe_bmp(&s, &out); break;
    case FEW__WEBP: probe_webp(&s, &out); break;
    case FEW__TIFF: probe_tiff(s, &out); break;
    case FEW__HEIF:
    case FEW__IMAGE_KIND_COUNT: break;
    }
    return out;
}

/* ---- limits ---- */

enum few_status few__image_size_check(const char *name, int64_t width, int64_t height, struct few_error *err)
{
    if (width <= 0 || height <= 0)
        return few__fail(err, FEW_EDECODE, "%s: an image of %lld x %lld has no pixels", name,
                         (long long)width, (long long)height);
    if (width > FEW__IMAGE_SIDE_MAX || height > FEW__IMAGE_SIDE_MAX || width * height > FEW__IMAGE_PIXELS_MAX)
        return few__fail(err, FEW_ELIMIT,
                         "%s: an image of %lld x %lld pixels is over the limit (%d a side, %d in all)", name,
                         (long long)width, (long long)height, FEW__IMAGE_SIDE_MAX, FEW__IMAGE_PIXELS_MAX);
    return FEW_OK;
}
