// SPDX-License-Identifier: Apache-2.0
// examples/photo-zoo/zoo.yaml against the zoo's own files; skipped where those are not there.
#include <stdio.h>
#include <string.h>

#include "model/manifest.h"
#include "support/support.h"

/* How many models there are of each kind, and the entries of a list that each model has. */
static const struct {
    const char *name;
    enum few_kind kind;
    size_t n_labels;
    const char *needs;
} models[] = {
    {"mobilenet_v1_025_128", FEW_CLASSES, 1001, NULL},
    {"mobilenet_v1_050_160", FEW_CLASSES, 1001, NULL},
    {"mobilenet_v1_075_192", FEW_CLASSES, 1001, NULL},
    {"mobilenet_v2_100_224", FEW_CLASSES, 1001, NULL},
    {"squeezenet", FEW_CLASSES, 1000, NULL},
    {"inat_bird", FEW_CLASSES, 965, NULL},
    {"inat_insect", FEW_CLASSES, 1022, NULL},
    {"fastestdet", FEW_DETECTIONS, 80, NULL},
    {"yolo_fastestv2", FEW_DETECTIONS, 80, NULL},
    {"nanodet_m_320", FEW_DETECTIONS, 80, NULL},
    {"nanodet_m_416", FEW_DETECTIONS, 80, NULL},
    {"yolox_nano", FEW_DETECTIONS, 80, NULL},
    {"centernet_mbv3", FEW_DETECTIONS, 80, NULL},
    {"ultraface_slim_320", FEW_DETECTIONS, 1, NULL},
    {"ultraface_rfb_320", FEW_DETECTIONS, 1, NULL},
    {"ultraface_rfb_640", FEW_DETECTIONS, 1, NULL},
    {"yunet_n_320", FEW_DETECTIONS, 1, NULL},
    {"yunet_n_640", FEW_DETECTIONS, 1, NULL},
    {"person_192", FEW_DETECTIONS, 1, NULL},
    {"movenet_lightning", FEW_LABELS, 17, NULL},
    {"selfie_seg", FEW_SCALAR, 0, NULL},
    {"deeplab_v3", FEW_LABELS, 21, NULL},
    {"places365", FEW_CLASSES, 365, NULL},
    {"road_seg", FEW_LABELS, 4, NULL},
    {"nsfw", FEW_CLASSES, 5, NULL},
    {"face_age", FEW_SCALAR, 0, "ultraface_rfb_320"},
    {"face_pose", FEW_VECTOR, 0, "ultraface_rfb_320"},
    {"face_emotion", FEW_CLASSES, 7, "ultraface_rfb_320"},
    {"face_gender", FEW_CLASSES, 2, "ultraface_rfb_320"},
    {"face_antispoof", FEW_CLASSES, 2, "ultraface_rfb_320"},
    {"face_antispoof_q", FEW_CLASSES, 2, "ultraface_rfb_320"},
    {"text_det_640", FEW_DETECTIONS, 1, NULL},
    {"text_det_320", FEW_DETECTIONS, 1, NULL},
    {"text_rec", FEW_SEQUENCE, 96, "text_det_640"},
};

static void test_photo_zoo_opens(void **state)
{
    (void)state;
    const char *root = t_zoo();
    if (!root) skip();
    char path[4096];
    struct few_zoo *zoo;
    struct few_error err;
    struct few_zoo_opts opts = {.size = sizeof opts, .root = root};
    snprintf(path, sizeof path, "%s/examples/photo-zoo/zoo.yaml", t_source());
    assert_status(few_zoo_open(path, &opts, &zoo, &err), FEW_OK, &err);
    const struct few_catalog *c = &zoo->catalog;
    assert_int_equal(c->n_models, sizeof models / sizeof *models);
    for (size_t i = 0; i < c->n_models; i++) {
        const struct few_model *m = &c->models[i];
        assert_string_equal(m->name, models[i].name);
        assert_int_equal(m->kind, models[i].kind);
        assert_int_equal(m->n_labels, models[i].n_labels);
        if (models[i].needs) assert_string_equal(c->models[m->needs].name, models[i].needs);
        else assert_int_equal(m->needs, -1);
        assert_true(m->cost.time_us > 0 && m->cost.memory_bytes > 0);
        assert_int_equal(strlen(m->digest), 64);
    }
    assert_int_equal(c->models[4].label_ids[0], c->models[0].label_ids[1]); // tench in both ImageNet lists
    assert_int_equal(c->models[4].label_ids[999], c->models[0].label_ids[1000]);
    assert_true(c->models[0].is_null[0]); // background
    assert_string_equal(c->models[33].labels[95], " ");
    assert_string_equal(c->models[31].digest, c->models[32].digest); // one file, two sizes
    few_zoo_close(zoo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_photo_zoo_opens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
