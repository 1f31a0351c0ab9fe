// SPDX-License-Identifier: Apache-2.0
// Numbers of few_eval's JSON. What is not there is 0, or NULL.
#ifndef FEW_REPORT_REPORT_JSON_H
#define FEW_REPORT_REPORT_JSON_H

#include <jansson.h>
#include <string.h>

static inline double few__json_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static inline json_t *few__json_at(const json_t *object, const char *group, const char *key)
{
    return json_object_get(json_object_get(object, group), key);
}

/* "against_static/time_ratio": members of members. "" is the object itself. */
static inline json_t *few__json_path(json_t *object, const char *path)
{
    while (object && *path) {
        char name[64];
        size_t n = strcspn(path, "/");
        if (n >= sizeof name) return NULL;
        memcpy(name, path, n);
        name[n] = 0;
        object = json_object_get(object, name);
        path += n + (path[n] == '/');
    }
    return object;
}

#endif
