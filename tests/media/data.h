// SPDX-License-Identifier: Apache-2.0
// The images of tests/media/data and what Pillow sees in them (cases.txt, made by make_data.py).
#ifndef FEW_TESTS_MEDIA_DATA_H
#define FEW_TESTS_MEDIA_DATA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "media/image.h"
#include "support/support.h"

struct image_case {
    char file[64], expected[64];
    int width, height;
    double mean, most; // how far from the expected pixels: mean absolute difference, largest
};

enum { CASES_MAX = 128 };

struct bytes {
    char *data; // free
    size_t n;
};

static inline struct bytes read_data(const char *name)
{
    char path[4096];
    assert_true(snprintf(path, sizeof path, "%s/tests/media/data/%s", t_source(), name) < (int)sizeof path);
    struct bytes b;
    struct few_error err;
    assert_status(few__file_read(path, FEW__IMAGE_BYTES_MAX, NULL, &b.data, &b.n, &err), FEW_OK, &err);
    return b;
}

static inline size_t read_cases(struct image_case cases[CASES_MAX])
{
    struct bytes text = read_data("cases.txt");
    size_t n = 0;
    int used = 0;
    for (const char *at = text.data;
         n < CASES_MAX &&
         sscanf(at, "%63s %63s %d %d %lf %lf%n", cases[n].file, cases[n].expected, &cases[n].width,
                &cases[n].height, &cases[n].mean, &cases[n].most, &used) == 6;
         at += used)
        n++;
    free(text.data);
    assert_true(n > 40);
    return n;
}

#endif
