// SPDX-License-Identifier: Apache-2.0
#include "fuzz_zoo.h"

#include "fuzz.h"

static const char manifest[] = //
    "version: 1\n"
    "labels:\n"
    "  places: {names: [beach, street, none], null_labels: [none]}\n"
    "  letters: {names: [a, b, \" \", ab]}\n"
    "  face: {names: [face]}\n"
    "models:\n"
    "  - {name: c, file: m, input: {size: [8, 8]}, output: {kind: classes, labels: places}}\n"
    "  - {name: l, file: m, input: {size: [8, 8]}, output: {kind: labels, labels: places}}\n"
    "  - {name: d, file: m, input: {size: [8, 8]}, cost: {time_ms: 2},\n"
    "     output: {kind: detections, decode: ultraface, tensors: [x, y], labels: face}}\n"
    "  - {name: e, file: m, needs: d, input: {size: [8, 8]}, output: {kind: scalar}}\n"
    "  - {name: b, file: m, input: {size: [8, 8]}, output: {kind: box}}\n"
    "  - {name: s, file: m, input: {size: [8, 8]}, output: {kind: sequence, decode: ctc, labels: letters}}\n"
    "  - {name: v, file: m, input: {size: [8, 8]}, output: {kind: vector, values: 4}}\n"
    "  - {name: f, file: m, input: {size: [8, 8]},\n"
    "     output: {kind: detections, decode: regions}}\n";

static struct few_zoo *open_zoo(void)
{
    struct few_zoo *zoo;
    struct few_error err = {.message = ""};
    const struct few_zoo_opts opts = {.size = sizeof opts, .env = *fuzz_env()};
    fuzz_write(fuzz_path("m"), "model", 5);
    fuzz_write(fuzz_path("zoo.yaml"), manifest, sizeof manifest - 1);
    enum few_status status = few_zoo_open(fuzz_path("zoo.yaml"), &opts, &zoo, &err);
    fuzz_must_say(status == FEW_OK, err.message);
    return zoo;
}

const struct few_zoo *fuzz_zoo(void)
{
    static struct few_zoo *zoo;
    if (!zoo) zoo = open_zoo();
    return zoo;
}
