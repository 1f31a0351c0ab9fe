// SPDX-License-Identifier: Apache-2.0
// Greedy non-maximum suppression: keep the best, drop what overlaps it, repeat. n * kept steps, no memory.
#include "model/decode.h"

#include <string.h>

static float overlap(float a, float a_length, float b, float b_length)
{
    float low = a > b ? a : b;
    float high = a + a_length < b + b_length ? a + a_length : b + b_length;
    return high - low;
}

static bool covers(const struct few_detection *kept, const struct few_detection *other, float iou)
{
    if (iou <= 0) return false;
    const float *a = kept->box, *b = other->box;
    float w = overlap(a[0], a[2], b[0], b[2]), h = overlap(a[1], a[3], b[1], b[3]);
    if (w <= 0 || h <= 0) return false;
    return w * h > iou * (a[2] * a[3] + b[2] * b[3] - w * h);
}

static size_t best_of(const struct few_detection *detections, size_t from, size_t n)
{
    size_t best = from;
    for (size_t i = from + 1; i < n; i++)
        if (detections[i].confidence > detections[best].confidence) best = i;
    return best;
}

// Moves one to an earlier place; those between keep their order, so that ties stay as they stood.
static void move_up(struct few_detection *detections, size_t from, size_t to)
{
    struct few_detection moved = detections[from];
    memmove(detections + to + 1, detections + to, (from - to) * sizeof *detections);
    detections[to] = moved;
}

size_t few__nms(struct few_detection *detections, size_t n, float iou, float iou_across, size_t max)
{
    size_t kept = 0;
    for (; kept < n && kept < max; kept++) {
        move_up(detections, best_of(detections, kept, n), kept);
        if (iou <= 0 && iou_across <= 0) continue;
        size_t left = kept + 1;
        const struct few_detection *best = &detections[kept];
        for (size_t i = kept + 1; i < n; i++)
            if (!covers(best, &detections[i], detections[i].label == best->label ? iou : iou_across))
                detections[left++] = detections[i];
        n = left;
    }
    return kept;
}
