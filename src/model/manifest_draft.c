// SPDX-License-Identifier: Apache-2.0
/* How a mistake of a model's draft is told: by the path of its key and at that key's place, or at the nearest place
 * around it where the key is not given. All checks of models end here. */
#include "model/manifest_draft.h"

#include <assert.h>

void few__model_problem(struct few__reader *r, const struct few__model_draft *d, size_t i_model,
                        const char *section, const char *key, const char *found, const char *expected)
{
    struct few__where models = {.key = "models"}, entry = {.up = &models, .index = i_model};
    struct few__where part = {.up = &entry, .key = section};
    struct few__where where = {.up = section ? &part : &entry, .key = key};
    const struct few__yaml *map = section ? few__yaml_map(d->node, section) : d->node;
    if (!map) map = d->node;
    assert(map && "a draft has its node");
    const struct few__yaml *node = map->type == FEW__YAML_MAP ? few__yaml_get(map, key) : NULL;
    if (!found) found = node ? few__yaml_found(r->problems->arena, node) : "nothing";
    few__problem(r->problems, (node ? node : map)->place, &where, found, "%s", expected);
}
