// SPDX-License-Identifier: Apache-2.0
// What every labels.json of FiftyOne has: its head, its keys, its end.
#ifndef FEW_EXPORT_EXPORT_FIFTYONE_H
#define FEW_EXPORT_EXPORT_FIFTYONE_H

#include "export/export.h"

/* The folder that all files are in, the data_path of an import: FiftyOne wants names of files relative to it. */
struct few__fiftyone {
    const char *folder; // in the arena of ex; NULL = no file was seen
    size_t n;           // bytes of it, its last slash included; 0 = none in common
};

/* One more file. What is no file (a URL) changes nothing. Errors: FEW_ENOMEM. */
enum few_status few__fiftyone_see(struct few__fiftyone *all, struct few__export *ex, const char *path,
                                  struct few_error *err);

enum few_status few__fiftyone_begin(struct few__export *ex, const struct few__fiftyone *all,
                                    const struct few__export_classes *classes, struct few_error *err);
void few__fiftyone_end(struct few__export *ex);

/* The key of the next entry, with the comma before it: the path from the folder on, without its ending, since FiftyOne looks
 * it up so; an absolute path that is not in the folder as it is. is_file: it has an ending; a moment's name has none,
 * whatever it looks like. */
void few__fiftyone_key(struct few__export *ex, const struct few__fiftyone *all, const char *path,
                       bool is_file);

#endif
