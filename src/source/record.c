// SPDX-License-Identifier: Apache-2.0
/* Records by path, and what is known of them without decoding: how their files look from outside, and a digest of what
 * they are made of. Times are read as W3C Media Fragments has them (normal play time). */
#include "source/record.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <libavutil/mem.h>
#include <libavutil/sha.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"

enum { MIB = 1 << 20, PIECE = 64 << 10, DIGEST_TEXT_MAX = 1 << 10 };

enum few__file_kind few__file_kind(const char *path)
{
    static const struct {
        const char *suffix;
        enum few__file_kind kind;
    } kinds[] = {{".jpg", FEW__FILE_IMAGE},  {".jpeg", FEW__FILE_IMAGE}, {".png", FEW__FILE_IMAGE},
                 {".webp", FEW__FILE_IMAGE}, {".bmp", FEW__FILE_IMAGE},  {".tif", FEW__FILE_IMAGE},
                 {".tiff", FEW__FILE_IMAGE}, {".gif", FEW__FILE_IMAGE},  {".heic", FEW__FILE_IMAGE},
                 {".heif", FEW__FILE_IMAGE}, {".avif", FEW__FILE_IMAGE}, {".mp4", FEW__FILE_VIDEO},
                 {".mkv", FEW__FILE_VIDEO},  {".mov", FEW__FILE_VIDEO},  {".avi", FEW__FILE_VIDEO},
                 {".webm", FEW__FILE_VIDEO}, {".m4v", FEW__FILE_VIDEO},  {".mpg", FEW__FILE_VIDEO},
                 {".mpeg", FEW__FILE_VIDEO}, {".ts", FEW__FILE_VIDEO},   {".wav", FEW__FILE_SOUND},
                 {".flac", FEW__FILE_SOUND}, {".mp3", FEW__FILE_SOUND},  {".m4a", FEW__FILE_SOUND},
                 {".aac", FEW__FILE_SOUND},  {".ogg", FEW__FILE_SOUND},  {".opus", FEW__FILE_SOUND}};
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < sizeof kinds / sizeof *kinds; i++)
        if (strcasecmp(dot, kinds[i].suffix) == 0) return kinds[i].kind;
    return FEW__FILE_OTHER;
}

/* ---- times ---- */

static bool read_digits(const char **at, int64_t *value, size_t n_max)
{
    size_t n = strspn(*at, "0123456789");
    if (n == 0 || n > n_max) return false;
    for (*value = 0; n > 0; n--) *value = 10 * *value + (*(*at)++ - '0');
    return true;
}

// Hours and minutes may be left out: "1:02:03.5", "2:03.5", "3.5". Digits beyond microseconds are dropped.
static bool read_time(const char **at, int64_t *us)
{
    int64_t part = 0, seconds = 0;
    for (int k = 0; k < 3; k++) {
        if (!read_digits(at, &part, 9) || (k > 0 && part > 59)) return false;
        seconds = 60 * seconds + part;
        if (**at != ':') break;
        if (k == 2) return false;
        ++*at;
    }
    *us = 1000000 * seconds;
    if (**at != '.') return true;
    ++*at;
    int64_t unit = 100000;
    for (; **at >= '0' && **at <= '9'; ++*at, unit /= 10) *us += unit * (**at - '0');
    return true;
}

// "t=3", "t=3,5", "t=,5", "t=npt:3". until -1 = none.
static bool read_span(const char *text, int64_t *from_us, int64_t *until_us)
{
    text += 2;
    if (strncmp(text, "npt:", 4) == 0) text += 4;
    *from_us = 0;
    *until_us = -1;
    if (*text != ',' && !read_time(&text, from_us)) return false;
    if (*text == 0) return true;
    return *text++ == ',' && read_time(&text, until_us) && *text == 0 && *until_us > *from_us;
}

/* ---- paths ---- */

static const struct few__place_in none = {NULL, -1, -1, -1};

static struct few__place_in place(const char *path, int64_t from_us, int64_t until_us)
{
    return (struct few__place_in){path, from_us, until_us, -1};
}

// path as a whole, no part of it
static void whole_file(const char *path, struct few__record *record)
{
    enum few__file_kind kind = few__file_kind(path);
    if (kind == FEW__FILE_SOUND) record->sound = place(path, -1, -1);
    else if (kind != FEW__FILE_VIDEO) record->image = place(path, -1, -1);
    else {
        record->image = place(path, 0, -1);
        record->sound = place(path, -1, -1);
    }
}

void few__moment_name(const char *path, int64_t at_us, char *name, size_t n)
{
    int length =
        snprintf(name, n, "%s#t=%jd.%06jd", path, (intmax_t)(at_us / 1000000), (intmax_t)(at_us % 1000000));
    if (length < 0 || (size_t)length >= n) return;
    while (name[length - 1] == '0') name[--length] = 0;
    if (name[length - 1] == '.') name[--length] = 0;
}

const char *few__path_time(const char *path)
{
    const char *fragment = strrchr(path, '#');
    return fragment && strncmp(fragment, "#t=", 3) == 0 ? fragment : NULL;
}

enum few_status few__record_of_path(const char *path, struct few__arena *arena, struct few__record *record,
                                    struct few_error *err)
{
    struct stat st;
    const char *fragment = few__path_time(path);
    int64_t from_us, until_us;
    *record = (struct few__record){.name = path, .image = none, .sound = none};
    if (strstr(path, "://"))
        return few__fail(err, FEW_EINVAL,
                         "%s: expected a file, found a moment of a live stream, which is gone", path);
    if (!fragment || stat(path, &st) == 0) {
        whole_file(path, record);
        return FEW_OK;
    }
    if (!read_span(fragment + 1, &from_us, &until_us))
        return few__fail(err, FEW_EINVAL, "%s: expected a time such as #t=12.5 or #t=3,5, found '%s'", path,
                         fragment);
    const char *file = few__arena_strndup(arena, path, (size_t)(fragment - path));
    if (!file) return few__no_memory(err, path);
    if (few__file_kind(file) == FEW__FILE_SOUND) {
        record->sound = place(file, from_us, until_us);
        return FEW_OK;
    }
    record->image = place(file, from_us, -1);
    if (until_us >= 0) record->sound = place(file, from_us, until_us);
    return FEW_OK;
}

/* ---- from outside ---- */

static bool is_still(const struct few__place_in *in)
{
    return in->path && in->from_us < 0 && in->frame < 0;
}

bool few__record_is_image(const struct few__record *record)
{
    return is_still(&record->image) && !record->sound.path && !record->text && !record->text_path;
}

struct few__looks few__record_looks(const struct few__record *record)
{
    const char *const paths[] = {record->image.path, record->sound.path, record->text_path};
    struct few__looks looks = {.exists = true, .size = record->text ? strlen(record->text) : 0};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct stat st;
        if (!paths[i]) continue;
        if (stat(paths[i], &st) != 0) {
            looks.exists = false;
            continue;
        }
        int64_t mtime_us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
        looks.size += (uint64_t)st.st_size;
        if (mtime_us > looks.mtime_us) looks.mtime_us = mtime_us;
    }
    return looks;
}

static void add_bytes(struct AVSHA *sha, FILE *file, size_t n)
{
    uint8_t piece[PIECE];
    while (n > 0) {
        size_t got = fread(piece, 1, n < sizeof piece ? n : sizeof piece, file);
        if (got == 0) return;
        av_sha_update(sha, piece, got);
        n -= got;
    }
}

static bool add_ends(struct AVSHA *sha, FILE *file, off_t size)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%lld\n", (long long)size);
    av_sha_update(sha, (const uint8_t *)text, (size_t)n);
    add_bytes(sha, file, MIB);
    if (size <= MIB) return !ferror(file);
    off_t rest = size - MIB;
    if (fseeko(file, rest > MIB ? size - MIB : MIB, SEEK_SET) != 0) return false;
    add_bytes(sha, file, MIB);
    return !ferror(file);
}

enum few_status few__fingerprint(const char *path, char digest[65], struct few_error *err)
{
    struct stat st;
    uint8_t sum[32];
    digest[0] = 0;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return few__fail_sys(err, errno == ENOENT || errno == ENOTDIR ? FEW_ENOENT : FEW_EIO,
                             "%s: cannot be opened", path);
    enum few_status status = FEW_OK;
    struct AVSHA *sha = av_sha_alloc();
    if (!sha) status = few__no_memory(err, path);
    else if (av_sha_init(sha, 256), fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode))
        status = few__fail(err, FEW_EIO, "%s: expected a file", path);
    else if (!add_ends(sha, file, st.st_size))
        status = few__fail_sys(err, FEW_EIO, "%s: cannot be read", path);
    if (status == FEW_OK) {
        av_sha_final(sha, sum);
        for (size_t i = 0; i < sizeof sum; i++) snprintf(digest + 2 * i, 3, "%02x", sum[i]);
    }
    av_free(sha);
    fclose(file);
    return status;
}

static enum few_status add_place(struct few__text *text, const char *what, const struct few__place_in *in,
                                 struct few_error *err)
{
    char digest[65];
    if (!in->path) return FEW_OK;
    bool still = is_still(in) && what[0] == 'i';
    FEW__TRY(still ? few__sha256_file(in->path, digest, err) : few__fingerprint(in->path, digest, err));
    few__text_printf(text, "%s %s", what, digest);
    if (!still)
        few__text_printf(text, " %lld %lld %lld", (long long)in->from_us, (long long)in->until_us,
                         (long long)in->frame);
    few__text_put(text, "\n");
    return FEW_OK;
}

static enum few_status add_words(struct few__text *text, const struct few__record *record,
                                 struct few_error *err)
{
    char digest[65];
    if (!record->text && !record->text_path) return FEW_OK;
    if (record->text_path) FEW__TRY(few__sha256_file(record->text_path, digest, err));
    else if (few__sha256(record->text, strlen(record->text), digest) != FEW_OK)
        return few__no_memory(err, record->name);
    few__text_printf(text, "text %s\n", digest);
    return FEW_OK;
}

enum few_status few__record_digest(const struct few__record *record, char digest[65], struct few_error *err)
{
    digest[0] = 0;
    if (few__record_is_image(record)) return few__sha256_file(record->image.path, digest, err);
    struct few__text text;
    few__text_init(&text, NULL, DIGEST_TEXT_MAX);
    enum few_status status = add_place(&text, "image", &record->image, err);
    if (status == FEW_OK) status = add_place(&text, "sound", &record->sound, err);
    if (status == FEW_OK) status = add_words(&text, record, err);
    if (status == FEW_OK && (!few__text_ok(&text) || few__sha256(text.s, text.n, digest) != FEW_OK))
        status = few__no_memory(err, record->name);
    few__text_finish(&text);
    return status;
}
