// SPDX-License-Identifier: Apache-2.0
// The version of the headers; few_version() tells that of the library that was loaded.
#ifndef FEWER_VERSION_H
#define FEWER_VERSION_H

#define FEW_VERSION_MAJOR 0
#define FEW_VERSION_MINOR 1
#define FEW_VERSION_PATCH 0
#define FEW_VERSION       "0.1.0"

#endif
