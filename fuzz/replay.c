// SPDX-License-Identifier: Apache-2.0
// replay FOLDER...: every file of a corpus through the target that this is linked with, in order of name.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay(const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, visible, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        printf("%s\n", path);
        fflush(stdout); // the last name is the one that crashed
        size_t size;
        char *data = fuzz_read(path, &size);
        LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        free(data);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
    return n;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (replay(argv[i]) > 0) continue;
        fprintf(stderr, "%s: expected a folder with inputs\n", argv[i]);
        return 1;
    }
    return argc > 1 ? 0 : 2;
}
