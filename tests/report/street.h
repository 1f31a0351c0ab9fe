// SPDX-License-Identifier: Apache-2.0
/* A made-up street: recordings and a camera, four models on each moment, and what they would all have said. What happens on
 * moment i follows from i alone, so that a run and a trace of it agree. Names try to be markup. */
#ifndef FEW_TESTS_REPORT_STREET_H
#define FEW_TESTS_REPORT_STREET_H

#include "store/store.h"

enum { STREET_OBJECTS, STREET_WEATHER, STREET_CROWD, STREET_FACE, STREET_MODELS };

struct street {
    const char *purpose;       // "run" or "trace": there everything ran
    size_t n_items, n_streams; // moments take turns; 0 streams: photographs
    bool no_digests;
};

/* persons and cars on moment i. */
int street_persons(size_t i);
int street_cars(size_t i);

/* What a run has of moment i: every third one is reused, each 50th failed, each 20th was late with its last model. */
bool street_is_reused(size_t i);
bool street_is_failed(size_t i);
bool street_is_late(size_t i);

/* The test (or the program) ends if it cannot be written. */
void street_write(const char *path, const struct street *street);

#endif
