// SPDX-License-Identifier: Apache-2.0
// Completing an order of models so that every need comes before its users.
#include "item/order.h"

void few__order_complete(const struct few__chains *chains, const size_t *drawn, bool *placed, size_t *order)
{
    for (size_t i = 0; i < chains->n; i++) placed[i] = false;
    size_t n = 0;
    for (size_t i = 0; i < chains->n; i++) {
        // The chain is written backwards into the room it will take: its length is known first.
        size_t length = 0;
        for (int m = (int)drawn[i]; m >= 0 && !placed[m]; m = chains->needs[m]) length++;
        size_t at = n += length;
        for (int m = (int)drawn[i]; m >= 0 && !placed[m]; m = chains->needs[m]) {
            placed[m] = true;
            order[--at] = (size_t)m;
        }
    }
}
