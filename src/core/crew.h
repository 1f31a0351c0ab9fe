// SPDX-License-Identifier: Apache-2.0
// Independent jobs, several at once. What they do must not depend on who does them, or when.
#ifndef FEW_CORE_CREW_H
#define FEW_CORE_CREW_H

#include <stddef.h>

enum { FEW__CREW_MAX = 64 }; // threads

/* Calls work(ud, i) once for each i < n, in rising order of their begin, on at most n_threads threads (0 = 1, at most
 * FEW__CREW_MAX), of which the caller's is one; returns when all have returned. Where the system gives fewer threads, those
 * do it all. */
void few__crew_run(size_t n_threads, size_t n, void (*work)(void *ud, size_t i), void *ud);

#endif
