// SPDX-License-Identifier: Apache-2.0
#include "core/process.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

enum { MMAP_FROM = 128 << 10 }; // bytes of a block: glibc's own first threshold

static uint64_t status_bytes(const char *key)
{
    FILE *file = fopen("/proc/self/status", "re");
    if (!file) return 0;
    char line[256];
    unsigned long long kib = 0;
    size_t n = strlen(key);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, key, n) == 0 && sscanf(line + n, ": %llu", &kib) == 1) break;
    fclose(file);
    return (uint64_t)kib << 10;
}

uint64_t few__resident_bytes(void)
{
    return status_bytes("VmRSS");
}

uint64_t few__resident_peak_bytes(void)
{
    return status_bytes("VmHWM");
}

void few__resident_peak_reset(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (!file) return;
    fputs("5\n", file); // proc(5): resets the high-water mark
    fclose(file);
}

// Unless it is set, glibc raises the threshold to the largest block ever freed, up to 32 MiB, and keeps what is below.
void few__heap_give_back(void)
{
    mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
    mallopt(M_TRIM_THRESHOLD, MMAP_FROM);
}

void few__heap_trim(void)
{
    malloc_trim(0);
}
