// SPDX-License-Identifier: Apache-2.0
// Text as the token numbers that a model looks at (few__tokens of its recipe).
#ifndef FEW_MEDIA_TEXT_TOKENS_H
#define FEW_MEDIA_TEXT_TOKENS_H

#include "media/parts.h"

struct few__vocabulary; // names looked up in O(log n)

/* tokens: borrowed until destroy. Errors: FEW_ENOMEM. */
enum few_status few__vocabulary_create(const struct few__tokens *tokens, const struct few_mem *mem,
                                       struct few__vocabulary **vocabulary, struct few_error *err);
void few__vocabulary_destroy(struct few__vocabulary *vocabulary);

/* ids: (length,) out. Returns how many are not padding. What is no UTF-8 counts as unknown, byte by byte. */
size_t few__vocabulary_fill(const struct few__vocabulary *vocabulary, const char *text, int64_t *ids);

#endif
