// SPDX-License-Identifier: Apache-2.0
/* What runs a model: a file or a command, and which keys each backend takes. A model's digest stands for all that its
 * answers depend on: its file; a worker's command as written and its name, which the worker is told; of a replay its
 * name too, as a trace holds many models. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"
#include "model/manifest_draft.h"

enum { DIGEST_TEXT_MAX = 1 << 24 };

enum { ONNX, WORKER, REPLAY };

const char *const few__backend_names[FEW__BACKENDS] = {
    [ONNX] = "onnx", [WORKER] = "worker", [REPLAY] = "replay"};

/* ---- command ---- */

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) == 0;
}

/* A word of the command as it is used: the path of a file that exists below the root, else as written. NULL: no
 * memory. *file: whether it is one. */
static const char *resolve(struct few__reader *r, const char *word, bool *file)
{
    *file = word[0] == '/' && is_file(word);
    if (word[0] == '/' || word[0] == '-' || word[0] == '\0') return word;
    const char *path = few__arena_printf(r->arena, "%s/%s", r->root, word);
    *file = path && is_file(path);
    return *file || !path ? path : word;
}

void few__read_command(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                       const struct few__field *field, void *to)
{
    struct few__model_draft *d = (void *)((char *)to - field->offset);
    struct few__recipe *recipe = &d->recipe;
    few__read_text_list(r, where, node, field, to);
    if (!recipe->command) return;
    d->words = recipe->command;
    const char **command = FEW__ARENA_NEW(r->arena, const char *, recipe->n_command);
    const char *first = NULL, *program = NULL;
    for (size_t i = 0; command && i < recipe->n_command; i++) {
        bool file;
        command[i] = resolve(r, d->words[i], &file);
        if (!command[i]) r->problems->no_memory = true;
        else if (file && i == 0) program = command[i];
        else if (file && !first) first = command[i];
    }
    if (!command) r->problems->no_memory = true;
    recipe->command = command;
    recipe->file = first ? first : program;
}

/* ---- keys of each backend ---- */

#define ON(backend) (1u << (backend))

static const struct {
    const char *key;
    unsigned allowed, required; // backends
    const char *expected;
} keys_of[] = {
    {"file", ON(ONNX) | ON(REPLAY), ON(ONNX) | ON(REPLAY), "an existing model file"},
    {"command", ON(WORKER), ON(WORKER), "a list of 1 to 64 words"},
    {"batch", ON(ONNX) | ON(WORKER), 0, NULL},
};

void few__backend_check(struct few__reader *r, struct few__model_draft *d, size_t i_model)
{
    if (d->node->type != FEW__YAML_MAP) return; // noted already
    if (d->backend == FEW__BACKENDS) {
        if (few__yaml_get(d->node, "backend")) return; // noted already
        d->backend = ONNX;
    }
    unsigned backend = ON(d->backend);
    d->recipe.backend = few__backend_names[d->backend];
    for (size_t k = 0; k < sizeof keys_of / sizeof *keys_of; k++) {
        bool given = few__yaml_get(d->node, keys_of[k].key) != NULL;
        const char *expected = keys_of[k].expected;
        if (given && !(keys_of[k].allowed & backend))
            expected =
                few__arena_printf(r->problems->arena, "no such key where backend is %s", d->recipe.backend);
        else if (given || !(keys_of[k].required & backend)) continue;
        few__model_problem(r, d, i_model, NULL, keys_of[k].key, NULL, expected ? expected : "");
    }
}

/* ---- digest ---- */

enum few_status few__backend_digest(const struct few_mem *mem, struct few__model_draft *d,
                                    struct few_error *err)
{
    if (d->backend == ONNX) {
        memcpy(d->model.digest, d->file_digest, sizeof d->model.digest);
        return FEW_OK;
    }
    struct few__text text; // each part with its length, so that no two lists of parts make one text
    few__text_init(&text, mem, DIGEST_TEXT_MAX);
    few__text_printf(&text, "%s %s %zu:%s", d->recipe.backend, d->file_digest, strlen(d->model.name),
                     d->model.name);
    for (size_t i = 0; i < d->recipe.n_command; i++)
        few__text_printf(&text, " %zu:%s", strlen(d->words[i]), d->words[i]);
    enum few_status status = few__text_ok(&text) ? few__sha256(text.s, text.n, d->model.digest)
                                                 : few__no_memory(err, d->model.name);
    few__text_finish(&text);
    return status;
}
