// SPDX-License-Identifier: Apache-2.0
// What every labels.json of FiftyOne has: its head, its keys, its end.
#ifndef FEW_SESSION_EXPORT_FIFTYONE_H
#define FEW_SESSION_EXPORT_FIFTYONE_H

#include "session/export.h"

enum few_status few__fiftyone_begin(struct few__export *ex, const struct few__export_classes *classes,
                                    struct few_error *err);
void few__fiftyone_end(struct few__export *ex);

/* The key of the next entry, with the comma before it. FiftyOne looks relative names up without their ending, and takes
 * absolute ones as they are. is_file: it has an ending; a moment's name has none, whatever it looks like. */
void few__fiftyone_key(struct few__export *ex, const char *path, bool is_file);

#endif
