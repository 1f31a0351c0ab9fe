// SPDX-License-Identifier: Apache-2.0
/* Fewer: run fewer models, keep the answers.
 *
 * Two nouns: a zoo (the models, zoo.h) and a session (items in, labels out, session.h). A policy
 * (policy.h) decides which models run on an item. */
#ifndef FEWER_FEWER_H
#define FEWER_FEWER_H

#include <fewer/check.h>
#include <fewer/env.h>
#include <fewer/items.h>
#include <fewer/learn.h>
#include <fewer/model.h>
#include <fewer/policy.h>
#include <fewer/session.h>
#include <fewer/status.h>
#include <fewer/trace.h>
#include <fewer/version.h>
#include <fewer/zoo.h>

#endif
