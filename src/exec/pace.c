// SPDX-License-Identifier: Apache-2.0
#include "exec/pace.h"

static const double QUANTILE = 0.95, STEP = 0.1, HALF_WEIGHT_US = 2000;

double few__pace_next(double pace, int64_t expected_us, int64_t took_us, bool at_least)
{
    double expected = (double)expected_us, ratio = (double)took_us / expected;
    double weight = STEP * expected / (expected + HALF_WEIGHT_US);
    if (ratio > pace) pace *= 1 + weight * QUANTILE;
    else if (!at_least) pace *= 1 - weight * (1 - QUANTILE);
    return pace < FEW__PACE_LEAST ? FEW__PACE_LEAST : pace > FEW__PACE_MOST ? FEW__PACE_MOST : pace;
}
