// SPDX-License-Identifier: Apache-2.0
/* label_folder ZOO.yaml FOLDER [DEADLINE_MS]: one line for each item with its valuable labels. FOLDER may also be a
 * photograph, a recording or a list.
 *
 *     cc -o label_folder label_folder.c $(pkg-config --cflags --libs fewer) -lm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <fewer/fewer.h>

// A model without a label list stands for one label, named after itself.
static bool says_something(const struct few_model *model, const struct few_output *output)
{
    if (output->empty) return false;
    if (output->kind == FEW_SCALAR) return fabsf(output->values[0] - model->empty) > model->tolerance;
    return output->kind == FEW_VECTOR || output->confidence > model->threshold;
}

static void print_labels(const struct few_model *model, const struct few_output *output)
{
    bool boxes = output->kind == FEW_DETECTIONS;
    if (!model->label_ids && says_something(model, output)) printf(" %s", model->name);
    for (size_t i = 0; model->label_ids && i < output->n; i++) {
        size_t label = boxes ? (size_t)output->detections[i].label : i;
        float confidence = boxes ? output->detections[i].confidence : output->values[i];
        if (confidence > model->threshold && !model->is_null[label]) printf(" %s", model->labels[label]);
    }
}

static void print_result(const struct few_catalog *catalog, const struct few_result *result)
{
    printf("%s:", result->path);
    for (size_t i = 0; i < result->n_models; i++)
        if (result->rows[i].output) print_labels(&catalog->models[i], result->rows[i].output);
    puts(result->status == FEW_OK ? "" : result->message);
}

int main(int argc, char **argv)
{
    if (argc < 3) return fprintf(stderr, "usage: label_folder ZOO.yaml FOLDER [DEADLINE_MS]\n"), 2;
    const char *folder = argv[2];
    struct few_session_opts opts = {.size = sizeof opts};
    if (argc > 3) opts.deadline_us = strtol(argv[3], NULL, 10) * 1000;

    struct few_error err = {0};
    struct few_zoo *zoo = NULL;
    struct few_policy *policy = NULL;
    struct few_items *items = NULL;
    struct few_session *session = NULL;
    const struct few_result *result;
    enum few_status status = few_zoo_open(argv[1], NULL, &zoo, &err);
    struct few_items_opts items_opts = {.size = sizeof items_opts, .zoo = zoo};
    if (status == FEW_OK) status = few_policy_open("run_all", zoo, &policy, &err);
    if (status == FEW_OK) status = few_items_open(&folder, 1, &items_opts, &items, &err);
    if (status == FEW_OK) status = few_session_create(zoo, policy, &opts, &session, &err);
    if (status == FEW_OK) status = few_session_attach(session, items, &err);
    while (status == FEW_OK || status == FEW_AGAIN) {
        status = few_session_receive(session, &result, &err);
        if (status == FEW_OK) print_result(few_zoo_catalog(zoo), result);
    }
    if (status == FEW_END) status = FEW_OK;
    if (status != FEW_OK) fprintf(stderr, "label_folder: %s\n", err.message);
    if (few_session_close(session, &err) != FEW_OK) fprintf(stderr, "label_folder: %s\n", err.message);
    few_items_close(items);
    few_policy_close(policy);
    few_zoo_close(zoo);
    return status == FEW_OK ? 0 : 1;
}
