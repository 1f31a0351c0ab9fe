// SPDX-License-Identifier: Apache-2.0
/* Opening a zoo: the manifest's text to a tree (manifest_yaml), the tree by tables to drafts (manifest_fields,
 * manifest_tables, manifest_model), drafts to each other (manifest_links), and from drafts without a mistake the zoo.
 *
 * What is read lies in the zoo's arena; tree, words of messages and the list of mistakes lie in another one that ends
 * with the call. */
#include "model/manifest.h"

#include <string.h>

#include "core/digest.h"
#include "core/env.h"
#include "core/error.h"
#include "core/file.h"
#include "model/manifest_draft.h"

static const size_t ARENA_MAX = (size_t)2 << 30; // bytes, of each of the two

/* ---- what models share ---- */

/* Number equal pixels and equal tensors of images; the first of its kind gets the next number. */
static void number_shared(struct few_zoo *zoo, struct few__recipe *recipes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct few__input *input = &recipes[i].input;
        if (input->modality != FEW_IMAGE) {
            input->i_pixels = input->i_tensor = SIZE_MAX;
            continue;
        }
        size_t k = 0;
        while (k < i && !few__pixels_equal(&recipes[k].input.pixels, &input->pixels)) k++;
        input->i_pixels = k < i ? recipes[k].input.i_pixels : zoo->n_pixels++;
        for (k = 0; k < i && !few__tensor_equal(&recipes[k].input, input);) k++;
        input->i_tensor = k < i ? recipes[k].input.i_tensor : zoo->n_tensors++;
    }
}

// What the models look at, and at which rates.
static void note_modalities(struct few_zoo *zoo, const struct few__recipe *recipes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rate = recipes[i].input.window.rate;
        zoo->looks_at[recipes[i].input.modality] = true;
        size_t k = zoo->n_rates;
        while (k > 0 && zoo->rates[k - 1] > rate) k--;
        if (rate == 0 || (k > 0 && zoo->rates[k - 1] == rate)) continue;
        memmove(&zoo->rates[k + 1], &zoo->rates[k], (zoo->n_rates++ - k) * sizeof *zoo->rates);
        zoo->rates[k] = rate;
    }
}

/* Each model after what it needs, otherwise as declared. Needs form no circle. */
static enum few_status make_order(struct few_zoo *zoo, const struct few__manifest_draft *m)
{
    size_t *order = FEW__ARENA_NEW(&zoo->arena, size_t, m->n_models), n = 0;
    size_t *chain = FEW__ARENA_NEW(&zoo->arena, size_t, m->n_models);
    bool *placed = FEW__ARENA_NEW(&zoo->arena, bool, m->n_models);
    if (!order || !chain || !placed) return FEW_ENOMEM;
    for (size_t i = 0; i < m->n_models; i++) {
        size_t depth = 0;
        for (int at = (int)i; at >= 0 && !placed[at]; at = m->models[at].model.needs) {
            chain[depth++] = (size_t)at;
            placed[at] = true;
        }
        while (depth > 0) order[n++] = chain[--depth];
    }
    zoo->order = order;
    return FEW_OK;
}

/* ---- the zoo ---- */

// Files that several models name are read once.
static enum few_status make_digests(const struct few__manifest_draft *m, const struct few_mem *mem,
                                    struct few_error *err)
{
    for (size_t i = 0; i < m->n_models; i++) {
        struct few__model_draft *d = &m->models[i];
        const char *file = d->recipe.file ? d->recipe.file : "";
        size_t k = 0;
        while (k < i && strcmp(m->models[k].recipe.file ? m->models[k].recipe.file : "", file) != 0) k++;
        if (k < i) memcpy(d->file_digest, m->models[k].file_digest, sizeof d->file_digest);
        else if (*file) FEW__TRY(few__sha256_file(file, d->file_digest, err));
        FEW__TRY(few__backend_digest(mem, d, err));
    }
    return FEW_OK;
}

static enum few_status make_catalog(struct few_zoo *zoo, const struct few__manifest_draft *m,
                                    struct few_error *err)
{
    struct few__catalog_builder *builder = few__catalog_begin(&zoo->arena, m->n_models);
    if (!builder) return few__no_memory(err, "zoo");
    for (size_t i = 0; i < m->n_models; i++) {
        const struct few__model_draft *d = &m->models[i];
        struct few__label_list list = {0};
        if (d->list)
            list = (struct few__label_list){.space = d->list->space,
                                            .n = d->list->n,
                                            .names = d->list->names,
                                            .n_null = d->list->n_null,
                                            .null_names = d->list->null_names};
        FEW__TRY(few__catalog_add(builder, &d->model, d->list ? &list : NULL, err));
    }
    return few__catalog_end(builder, &zoo->catalog, err);
}

static enum few_status make_zoo(struct few_zoo *zoo, const struct few__manifest_draft *m,
                                struct few_error *err)
{
    struct few__recipe *recipes = FEW__ARENA_NEW(&zoo->arena, struct few__recipe, m->n_models);
    if (!recipes || make_order(zoo, m) != FEW_OK) return few__no_memory(err, "zoo");
    FEW__TRY(make_digests(m, zoo->env.mem, err));
    FEW__TRY(make_catalog(zoo, m, err));
    for (size_t i = 0; i < m->n_models; i++) {
        recipes[i] = m->models[i].recipe;
        struct few__pixels *pixels = &recipes[i].input.pixels;
        if (pixels->sampling == FEW__SAMPLING_OF_MANIFEST) pixels->sampling = m->sampling;
        if (pixels->crop != FEW__WHOLE) pixels->needs = m->models[i].model.needs;
    }
    number_shared(zoo, recipes, m->n_models);
    note_modalities(zoo, recipes, m->n_models);
    zoo->recipes = recipes;
    return FEW_OK;
}

/* The folder that relative paths start from. */
static const char *root_of(struct few__arena *arena, const char *path, const char *root)
{
    if (root) return few__arena_strdup(arena, root);
    const char *slash = strrchr(path, '/');
    if (!slash) return few__arena_strdup(arena, ".");
    return slash == path ? few__arena_strdup(arena, "/")
                         : few__arena_strndup(arena, path, (size_t)(slash - path));
}

static enum few_status read_manifest(struct few_zoo *zoo, const char *path, const char *bytes, size_t n,
                                     struct few__arena *scratch, const struct few_zoo_opts *opts,
                                     struct few_error *err)
{
    struct few__manifest_draft draft = {0};
    struct few__problems *problems = FEW__ARENA_NEW(scratch, struct few__problems, 1);
    struct few__reader reader = {.arena = &zoo->arena, .problems = problems};
    const struct few__yaml *root = NULL;
    zoo->path = few__arena_strdup(&zoo->arena, path);
    reader.root = root_of(&zoo->arena, path, opts->root);
    if (!problems || !zoo->path || !reader.root) return few__no_memory(err, "zoo");
    problems->arena = scratch;
    problems->file = path;
    FEW__TRY(few__sha256(bytes, n, zoo->digest));
    FEW__TRY(few__yaml_read(bytes, n, scratch, problems, &root, err));
    if (root) few__section_read(&reader, &few__manifest_section, NULL, root, &draft);
    if (root) few__links_resolve(&reader, &draft);
    FEW__TRY(few__problems_report(problems, opts->on_problem, opts->ud, err));
    return make_zoo(zoo, &draft, err);
}

enum few_status few_zoo_open(const char *path, const struct few_zoo_opts *opts, struct few_zoo **zoo_out,
                             struct few_error *err)
{
    struct few_zoo_opts o = {.size = sizeof o};
    *zoo_out = NULL;
    if (!path || (opts && opts->size == 0))
        return few__fail(err, FEW_EINVAL, "open zoo: expected a path, and options with their size set");
    if (opts) memcpy(&o, opts, opts->size < sizeof o ? opts->size : sizeof o);
    struct few_env env = few__env(&o.env);
    struct few__arena scratch;
    few__arena_init(&scratch, env.mem, ARENA_MAX);
    char *bytes = NULL;
    size_t n = 0;
    struct few_zoo *zoo = FEW__NEW(env.mem, struct few_zoo);
    enum few_status status = few__no_memory(err, "zoo");
    if (!zoo) goto out;
    zoo->env = env;
    few__arena_init(&zoo->arena, env.mem, ARENA_MAX);
    status = few__file_read(path, FEW_ZOO_FILE_MAX, env.mem, &bytes, &n, err);
    if (status == FEW_OK) status = read_manifest(zoo, path, bytes, n, &scratch, &o, err);
out:
    few__free(env.mem, bytes);
    few__arena_finish(&scratch);
    if (status == FEW_OK) *zoo_out = zoo;
    else few_zoo_close(zoo);
    return status;
}

void few_zoo_close(struct few_zoo *zoo)
{
    if (!zoo) return;
    const struct few_mem *mem = zoo->env.mem;
    few__arena_finish(&zoo->arena);
    few__free(mem, zoo);
}

const struct few_catalog *few_zoo_catalog(const struct few_zoo *zoo)
{
    return &zoo->catalog;
}
