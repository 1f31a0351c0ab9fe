// SPDX-License-Identifier: Apache-2.0
/* Export as a folder of YOLO's: a text file for each item that was looked at, names of classes, and which item each file is of.
 * Items come from anywhere, so their names decide nothing but how a file is called: each is made of harmless letters, lies
 * in one folder, and is created anew or not at all. The folder is made beside its place and moved there when it is whole. */
#include "export/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fewer/trace.h>

#include "core/error.h"

enum { NAME_MAX_BYTES = 200, TRIES_MAX = 1000 };

struct yolo {
    struct few__export_classes classes;
    bool with_confidence; // and then every box
    const char *part;     // the folder while it is made
    int labels;           // descriptor of the folder of text files, -1 = none
    struct few__text name;
};

/* ---- names ---- */

// The last part of the item's path; a picture's without its ending.
static void take_stem(struct few__text *name, const struct few__item_row *item)
{
    const char *slash = strrchr(item->path, '/'), *base = slash ? slash + 1 : item->path;
    const char *dot = item->stream < 0 ? strrchr(base, '.') : NULL;
    size_t n = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    if (n > NAME_MAX_BYTES) {
        n = NAME_MAX_BYTES;
        while (n > 0 && ((unsigned char)base[n] & 0xc0) == 0x80) n--; // not in the middle of a letter
    }
    few__text_clear(name);
    for (size_t i = 0; i < n; i++) {
        bool harmless =
            (unsigned char)base[i] >= 0x20 && base[i] != 0x7f && !strchr("/\\:*?\"<>|#=", base[i]);
        few__text_add(name, harmless && !(i == 0 && base[i] == '.') ? &base[i] : "_", 1);
    }
    if (n == 0) few__text_put(name, "item");
}

// The name itself, else with the item's number, else with a number behind that.
static void add_attempt(struct few__text *name, size_t stem, int64_t id, int attempt)
{
    name->n = stem;
    if (name->s) name->s[stem] = 0;
    if (attempt > 0) few__text_printf(name, "-%" PRId64, id + 1);
    if (attempt > 1) few__text_printf(name, "-%d", attempt);
    few__text_put(name, ".txt");
}

// Creates the file of an item, whose name is in yolo->name. -1 = it cannot be.
static int create(struct yolo *yolo, const struct few__item_row *item)
{
    take_stem(&yolo->name, item);
    size_t stem = yolo->name.n;
    for (int attempt = 0; attempt < TRIES_MAX; attempt++) {
        add_attempt(&yolo->name, stem, item->id, attempt);
        if (!few__text_ok(&yolo->name)) break;
        int file =
            openat(yolo->labels, yolo->name.s, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

/* ---- one item ---- */

// The dearest variant of a group that said something speaks for all of them.
static bool is_outdone(const struct few__export *ex, size_t m)
{
    const struct few_model *models = ex->catalog->models;
    for (size_t k = 0; models[m].variant_of >= 0 && k < ex->catalog->n_models; k++) {
        if (k == m || models[k].variant_of != models[m].variant_of || !ex->outputs[k]) continue;
        int64_t more = models[k].cost.time_us - models[m].cost.time_us;
        if (more > 0 || (more == 0 && k > m)) return true;
    }
    return false;
}

static void put_box(struct few__export *ex, const struct yolo *yolo, const struct few_model *model,
                    const struct few_detection *box)
{
    double inside[4];
    int32_t class = few__export_class(&yolo->classes, model, box->label);
    if (class < 0 || !few__export_clip(box->box, inside)) return;
    if (!yolo->with_confidence && !few__export_counts(model, box->label, box->confidence)) return;
    few__text_printf(&ex->field, "%d %.6f %.6f %.6f %.6f", (int)class, inside[0] + inside[2] / 2,
                     inside[1] + inside[3] / 2, inside[2], inside[3]);
    if (yolo->with_confidence) few__text_printf(&ex->field, " %.6f", (double)box->confidence);
    few__text_put(&ex->field, "\n");
}

// The lines of an item; false: nobody looked for boxes.
static enum few_status put_boxes(struct few__export *ex, const struct yolo *yolo, bool *looked,
                                 struct few_error *err)
{
    const struct few_detection *boxes;
    size_t n;
    *looked = false;
    few__text_clear(&ex->field);
    for (size_t m = 0; m < ex->catalog->n_models; m++) {
        const struct few_model *model = &ex->catalog->models[m];
        if (!few__export_gives_boxes(model) || !few__export_answered(ex, m)) continue;
        *looked = true;
        if (is_outdone(ex, m)) continue;
        FEW__TRY(few__export_boxes(ex, ex->outputs[m], &boxes, &n, err));
        for (size_t i = 0; i < n; i++) put_box(ex, yolo, model, &boxes[i]);
    }
    return FEW_OK;
}

static bool write_all(int file, const struct few__text *text)
{
    for (size_t at = 0; at < text->n;) {
        ssize_t n = write(file, text->s + at, text->n - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        at += (size_t)n;
    }
    return true;
}

// "name.txt<TAB>path", what would end the line or the field written as in C.
static void put_image(struct few__export *ex, const char *name, const char *path)
{
    few__text_printf(&ex->text, "%s\t", name);
    for (; *path; path++) {
        const char *escape = *path == '\n' ? "\\n" : *path == '\t' ? "\\t" : *path == '\r' ? "\\r" : NULL;
        if (*path == '\\') escape = "\\\\";
        if (escape) few__text_put(&ex->text, escape);
        else few__text_add(&ex->text, path, 1);
    }
    few__text_put(&ex->text, "\n");
}

static enum few_status put_item(struct few__export *ex, const struct few__item_row *item,
                                struct few_error *err)
{
    struct yolo *yolo = ex->form;
    bool looked;
    FEW__TRY(put_boxes(ex, yolo, &looked, err));
    if (!looked || item->status != FEW_OK) return FEW_OK;
    if (!few__text_ok(&ex->field)) return few__no_memory(err, ex->path);
    int file = create(yolo, item);
    if (!few__text_ok(&yolo->name)) return few__no_memory(err, ex->path);
    bool written = file >= 0 && write_all(file, &ex->field);
    int why = errno;
    if (file >= 0 && close(file) != 0 && written) written = false;
    else errno = why;
    if (!written)
        return few__fail_sys(err, FEW_EIO, "%s/labels/%s: cannot be written", yolo->part, yolo->name.s);
    put_image(ex, yolo->name.s, item->path);
    return few__export_flush(ex, FEW__EXPORT_FLUSH, err);
}

/* ---- the folder ---- */

// A file of the folder from what fn puts into the text of ex.
static enum few_status write_file(struct few__export *ex, const char *name,
                                  enum few_status (*fn)(struct few__export *ex, struct few_error *err),
                                  struct few_error *err)
{
    const struct yolo *yolo = ex->form;
    const char *path = few__arena_printf(&ex->arena, "%s/%s", yolo->part, name);
    if (!path) return few__no_memory(err, ex->path);
    ex->out = fopen(path, "wxe");
    if (!ex->out) return few__fail_sys(err, FEW_EIO, "%s: cannot be written", path);
    few__text_clear(&ex->text);
    enum few_status status = fn(ex, err);
    if (status == FEW_OK) status = few__export_flush(ex, 0, err);
    if (fclose(ex->out) != 0 && status == FEW_OK)
        status = few__fail_sys(err, FEW_EIO, "%s: cannot be written", path);
    ex->out = NULL;
    return status;
}

static enum few_status put_items(struct few__export *ex, struct few_error *err)
{
    return few__export_each(ex, put_item, err);
}

static enum few_status put_names(struct few__export *ex, struct few_error *err)
{
    const struct yolo *yolo = ex->form;
    for (size_t i = 0; i < yolo->classes.n; i++) {
        for (const char *p = yolo->classes.names[i]; *p; p++)
            few__text_add(&ex->text, (unsigned char)*p < 0x20 ? " " : p, 1);
        few__text_put(&ex->text, "\n");
        FEW__TRY(few__export_flush(ex, FEW__EXPORT_FLUSH, err));
    }
    return FEW_OK;
}

// JSON's strings are YAML's.
static enum few_status put_yaml(struct few__export *ex, struct few_error *err)
{
    const struct yolo *yolo = ex->form;
    few__text_printf(&ex->text, "path: .\ntrain: images\nval: images\nnc: %zu\nnames:%s\n", yolo->classes.n,
                     yolo->classes.n ? "" : " {}");
    for (size_t i = 0; i < yolo->classes.n; i++) {
        few__text_printf(&ex->text, "  %zu: ", i);
        few__text_json(&ex->text, yolo->classes.names[i]);
        few__text_put(&ex->text, "\n");
        FEW__TRY(few__export_flush(ex, FEW__EXPORT_FLUSH, err));
    }
    return FEW_OK;
}

static enum few_status fill(struct few__export *ex, struct few_error *err)
{
    struct yolo *yolo = ex->form;
    int part = open(yolo->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (part >= 0 && mkdirat(part, "labels", 0777) == 0)
        yolo->labels = openat(part, "labels", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int why = errno;
    if (part >= 0) close(part);
    errno = why;
    if (yolo->labels < 0) return few__fail_sys(err, FEW_EIO, "%s/labels: cannot be made", yolo->part);
    FEW__TRY(few__export_classes(ex, few__export_gives_boxes, &yolo->classes, err));
    FEW__TRY(write_file(ex, "images.txt", put_items, err));
    FEW__TRY(write_file(ex, "classes.txt", put_names, err));
    return write_file(ex, "data.yaml", put_yaml, err);
}

// What fill made, and nothing else could have: the folder was new.
static void clear_away(struct yolo *yolo)
{
    int part = open(yolo->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    static const char *const files[] = {"images.txt", "classes.txt", "data.yaml"};
    DIR *labels = yolo->labels >= 0 ? fdopendir(yolo->labels) : NULL;
    for (struct dirent *entry; labels && (entry = readdir(labels));)
        (void)unlinkat(yolo->labels, entry->d_name, 0); // "." and ".." are no files
    if (labels) {
        closedir(labels);
        yolo->labels = -1;
    }
    for (size_t i = 0; part >= 0 && i < sizeof files / sizeof *files; i++) (void)unlinkat(part, files[i], 0);
    if (part >= 0) {
        (void)unlinkat(part, "labels", AT_REMOVEDIR);
        close(part);
    }
    (void)rmdir(yolo->part);
}

static enum few_status check_folder(const char *folder, struct few_error *err)
{
    struct stat st;
    if (lstat(folder, &st) != 0)
        return errno == ENOENT ? FEW_OK : few__fail_sys(err, FEW_EIO, "%s: cannot be looked at", folder);
    DIR *dir = S_ISDIR(st.st_mode) ? opendir(folder) : NULL;
    if (!dir)
        return few__fail(err, FEW_EEXIST, "%s: expected a folder that is new or empty, found something else",
                         folder);
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    if (n == 0) return FEW_OK;
    return few__fail(err, FEW_EEXIST, "%s: expected a folder that is new or empty, found %zu in it", folder,
                     n);
}

static enum few_status make(struct few__export *ex, const char *folder, struct few_error *err)
{
    struct yolo *yolo = ex->form;
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') n--;
    yolo->part = few__arena_printf(&ex->arena, "%.*s.part", (int)n, folder);
    if (!yolo->part) return few__no_memory(err, ex->path);
    if (mkdir(yolo->part, 0777) != 0)
        return few__fail_sys(err, errno == EEXIST ? FEW_EEXIST : FEW_EIO,
                             "%s: cannot be made; an export that was killed may have left it", yolo->part);
    enum few_status status = fill(ex, err);
    if (status == FEW_OK && rename(yolo->part, folder) != 0)
        status = few__fail_sys(err, FEW_EIO, "%s: cannot be put in its place", folder);
    if (status != FEW_OK) clear_away(yolo);
    if (yolo->labels >= 0) close(yolo->labels);
    return status;
}

enum few_status few_export_folder(const char *path, const char *format, const char *folder,
                                  struct few_error *err)
{
    struct few__export ex;
    struct yolo yolo = {.labels = -1, .with_confidence = strcmp(format, "yolo-conf") == 0};
    if (!yolo.with_confidence && strcmp(format, "yolo") != 0)
        return few__fail(err, FEW_EINVAL, "format: expected yolo or yolo-conf, found \"%s\"", format);
    FEW__TRY(check_folder(folder, err));
    few__text_init(&yolo.name, NULL, 4 * NAME_MAX_BYTES);
    enum few_status status = few__export_open(&ex, path, NULL, err);
    ex.form = &yolo;
    if (status == FEW_OK) status = make(&ex, folder, err);
    few__export_close(&ex);
    few__text_finish(&yolo.name);
    return status;
}
