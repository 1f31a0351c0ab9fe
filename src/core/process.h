// SPDX-License-Identifier: Apache-2.0
// The memory of this process, as the kernel counts it.
#ifndef FEW_CORE_PROCESS_H
#define FEW_CORE_PROCESS_H

#include <stdint.h>

/* Bytes resident now; 0 where the kernel does not tell. */
uint64_t few__resident_bytes(void);

/* The most bytes resident since the last few__resident_peak_reset (where the kernel refuses the reset: since the
 * start); 0 where it does not tell. */
uint64_t few__resident_peak_bytes(void);
void few__resident_peak_reset(void);

/* From now on large blocks go back to the kernel as soon as they are freed, for the whole process: a limit on memory that
 * malloc does not keep is none. Each block then costs a system call and its pages anew. */
void few__heap_give_back(void);

/* Give free heap pages back to the kernel, so that the next measurement starts clean. */
void few__heap_trim(void);

#endif
