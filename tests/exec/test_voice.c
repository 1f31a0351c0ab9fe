// SPDX-License-Identifier: Apache-2.0
/* The voice detectors of the zoo on drawn sound: every window says what a plain loop of the runtime's Python package says
 * (voice_loop.py), and an item's answer is the windows' made one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "exec/workspace.h"
#include "media/sound_window.h"
#include "support/support.h"

enum {
    RATE = 16000,
    N_SAMPLES = 3 * RATE + 100,
    WINDOW = 512,
    N_WINDOWS = (N_SAMPLES + WINDOW - 1) / WINDOW
};

static const char manifest[] =
    "version: 1\n"
    "models:\n"
    "  - &vad {name: max, file: models/silero_vad_16k.onnx, output: {kind: scalar, tensors: [output]},\n"
    "     input: {kind: sound, name: input, rate: 16000, window: 32ms, context: 64, constants: {sr: 16000},\n"
    "             states: [{input: state, output: stateN, dims: [2, 1, 128]}]}}\n"
    "  - {<<: *vad, name: mean, output: {kind: scalar, combine: mean}}\n"
    "  - {<<: *vad, name: last, output: {kind: scalar, combine: last}}\n"
    "  - &half {name: half_max, file: models/silero_vad_16k_half.onnx, output: {kind: scalar},\n"
    "     input: {kind: sound, rate: 16000, window: 512, context: 4ms,\n"
    "             states: [{input: state, output: stateN, dims: [2, 1, 128]}]}}\n"
    "  - {<<: *half, name: half_mean, output: {kind: scalar, combine: mean}}\n"
    "  - {<<: *half, name: half_last, output: {kind: scalar, combine: last}}\n";

enum { MAX, MEAN, LAST, HALF, N_MODELS = 6 }; // HALF: the same three of the other file

static struct few_error err;
static struct few_zoo *zoo;
static struct few__workspace *workspace;
static float samples[N_SAMPLES];
static float answers[N_WINDOWS];

/* ---- sound ---- */

// A voice of pulses through four resonances, five syllables a second, with pauses.
static void draw_speech(void)
{
    static const double vowels[5][3] = {
        {730, 1090, 2440}, {270, 2290, 3010}, {300, 870, 2240}, {530, 1840, 2480}, {570, 840, 2410}};
    static const double widths[4] = {80, 100, 140, 250};
    double y[4][2] = {{0}}, phase = 0, before = 0, most = 0;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 0);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        double t = (double)i / RATE;
        int syllable = (int)(t * 5);
        double within = t * 5 - syllable;
        phase += (125 + 20 * sin(2 * acos(-1) * 0.7 * t) - 15 * within) / RATE;
        double s = 0.01 * (2 * few__rng_unit(&rng) - 1) + (phase >= 1 ? 1 : 0);
        if (phase >= 1) phase -= 1;
        for (int k = 0; k < 4; k++) {
            double centre = k < 3 ? vowels[(syllable * 3 + syllable / 5) % 5][k] : 3400;
            double r = exp(-acos(-1) * widths[k] / RATE), a = 2 * r * cos(2 * acos(-1) * centre / RATE);
            double o = (1 - a + r * r) * s + a * y[k][0] - r * r * y[k][1];
            y[k][1] = y[k][0];
            s = y[k][0] = o;
        }
        double loud = within < 0.85 && syllable % 7 != 6 ? pow(sin(acos(-1) * within / 0.85), 0.7) : 0;
        samples[i] = (float)(s * loud - before);
        before = s * loud;
        if (fabs((double)samples[i]) > most) most = fabs((double)samples[i]);
    }
    for (size_t i = 0; i < N_SAMPLES; i++) samples[i] = (float)(0.4 * (double)samples[i] / most);
}

static void draw_noise(void)
{
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    for (size_t i = 0; i < N_SAMPLES; i++) samples[i] = (float)(0.2 * (2 * few__rng_unit(&rng) - 1));
}

static void draw_tone(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++)
        samples[i] = (float)(0.3 * sin(2 * acos(-1) * 440 * (double)i / RATE));
}

/* ---- the plain loop ---- */

static void plain_loop(const char *file)
{
    char command[4096];
    float *made = NULL;
    size_t n;
    t_write(t_path("samples.f32"), samples, sizeof samples);
    snprintf(command, sizeof command, "%s/.venv/bin/python %s/tests/exec/voice_loop.py %s/models/%s %s %s",
             t_source(), t_source(), t_zoo(), file, t_path("samples.f32"), t_path("answers.f32"));
    assert_int_equal(system(command), 0);
    assert_status(few__file_read(t_path("answers.f32"), 1 << 20, NULL, (char **)&made, &n, &err), FEW_OK,
                  &err);
    assert_int_equal(n, sizeof answers);
    memcpy(answers, made, n);
    few__free(NULL, made);
}

/* ---- ours ---- */

static int set_up(void **state)
{
    (void)state;
    t_tmpdir();
    if (!t_zoo() || !t_runtime()) return 0;
    t_write(t_path("zoo.yaml"), manifest, strlen(manifest));
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = t_zoo()};
    assert_status(few_zoo_open(t_path("zoo.yaml"), &opts, &zoo, &err), FEW_OK, &err);
    const struct few__workspace_opts places = {.runtime = {.library = t_runtime(), .threads = 1}};
    assert_status(few__workspace_create(zoo, &places, &workspace, &err), FEW_OK, &err);
    for (size_t m = 0; m < N_MODELS; m++)
        assert_status(few__workspace_load(workspace, m, &err), FEW_OK, &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    few__workspace_destroy(workspace);
    few_zoo_close(zoo);
    return 0;
}

static float answer_of(size_t model, size_t n_samples)
{
    const struct few__parts parts = {.n_sounds = 1, .sounds = {{RATE, n_samples, samples}}};
    struct few_output output;
    struct few__work work = {.output = &output};
    few__workspace_begin(workspace, 0, &parts, "");
    few__workspace_run(workspace, 0, model, &work, 1);
    assert_status(work.status, FEW_OK, &work.error);
    assert_int_equal(output.kind, FEW_SCALAR);
    assert_int_equal(output.n, 1);
    assert_false(output.empty);
    return output.values[0];
}

// The answer of window k is the last one of a sound that ends there.
static void expect_windows(size_t first)
{
    double sum = 0;
    float most = 0;
    for (size_t k = 0; k < N_WINDOWS; k++) {
        size_t end = (k + 1) * WINDOW < N_SAMPLES ? (k + 1) * WINDOW : N_SAMPLES;
        if (k < 40 || k + 3 > N_WINDOWS) assert_near(answer_of(first + LAST, end), answers[k], 1e-5);
        sum += (double)answers[k];
        most = answers[k] > most ? answers[k] : most;
    }
    assert_near(answer_of(first + MAX, N_SAMPLES), most, 1e-5);
    assert_near(answer_of(first + MEAN, N_SAMPLES), sum / N_WINDOWS, 1e-5);
}

static float most_of(void (*draw)(void), const char *file, size_t first)
{
    draw();
    plain_loop(file);
    expect_windows(first);
    return answer_of(first + MAX, N_SAMPLES);
}

static void test_voice(void **state)
{
    (void)state;
    if (!workspace) skip();
    assert_true(most_of(draw_speech, "silero_vad_16k.onnx", MAX) > 0.9F);
    assert_true(most_of(draw_noise, "silero_vad_16k.onnx", MAX) <= 0.055F);
    assert_true(most_of(draw_tone, "silero_vad_16k.onnx", MAX) <= 0.03F);
}

// It is less sure where sound begins suddenly.
static void test_voice_in_half_precision(void **state)
{
    (void)state;
    if (!workspace) skip();
    assert_true(most_of(draw_speech, "silero_vad_16k_half.onnx", HALF) > 0.9F);
    assert_true(most_of(draw_noise, "silero_vad_16k_half.onnx", HALF) <= 0.2F);
    assert_true(most_of(draw_tone, "silero_vad_16k_half.onnx", HALF) <= 0.2F);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_voice),
        cmocka_unit_test(test_voice_in_half_precision),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
