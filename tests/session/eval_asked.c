// SPDX-License-Identifier: Apache-2.0
#include "session/eval_asked.h"

#include <string.h>

#include "support/support.h"

json_t *evaluate(const char *path, const struct few_eval_opts *opts)
{
    char *text = NULL;
    struct few_error err = {0};
    assert_status(few_eval(path, opts, &text, &err), FEW_OK, &err);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    few_text_free(text);
    return json;
}

double number(json_t *json, const char *path)
{
    char name[64];
    for (;;) {
        size_t n = strcspn(path, "/");
        assert_true(n < sizeof name);
        memcpy(name, path, n);
        name[n] = 0;
        json = json_object_get(json, name);
        if (!json) print_error("no member %s\n", name);
        assert_non_null(json);
        if (path[n] == 0) break;
        path += n + 1;
    }
    assert_true(json_is_number(json));
    return json_number_value(json);
}

void fails(const char *path, const struct few_eval_opts *opts, enum few_status status, const char *words)
{
    char *text = (char *)"not touched";
    struct few_error err = {0};
    assert_status(few_eval(path, opts, &text, &err), status, &err);
    assert_null(text);
    bool has = strstr(err.message, words) != NULL;
    if (!has) print_error("the message is: %s\n", err.message);
    assert_true(has);
}
