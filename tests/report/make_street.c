// SPDX-License-Identifier: Apache-2.0
// make_street PURPOSE ITEMS STREAMS FILE: a made-up store for the tests that open pages in a browser.
#include <stdio.h>
#include <stdlib.h>

#include "report/street.h"

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: make_street PURPOSE ITEMS STREAMS FILE\n");
        return 2;
    }
    struct street street = {
        .purpose = argv[1], .n_items = strtoul(argv[2], NULL, 10), .n_streams = strtoul(argv[3], NULL, 10)};
    street_write(argv[4], &street);
    return 0;
}
