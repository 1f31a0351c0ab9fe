// SPDX-License-Identifier: Apache-2.0
/* Ends a run that takes longer than it may, from a thread of its own: for runs outside the executor, which watches over
 * its own. */
#ifndef FEW_EXEC_WATCHDOG_H
#define FEW_EXEC_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include <fewer/env.h>

struct few__watchdog;

/* bark ends what runs; it is called on the watchdog's thread, between begin and end.
 * Errors: FEW_EIO the thread cannot be started; FEW_ENOMEM. */
enum few_status few__watchdog_start(const struct few_env *env, void (*bark)(void *ud), void *ud,
                                    struct few__watchdog **watchdog, struct few_error *err);
void few__watchdog_stop(struct few__watchdog *watchdog);

/* Something runs, for at most limit_us (0 or less: as long as it likes). */
void few__watchdog_begin(struct few__watchdog *watchdog, int64_t limit_us);

/* It has ended; true: not by itself. */
bool few__watchdog_end(struct few__watchdog *watchdog);

/* "60 s", "1.5 s", "250 ms": a limit, for messages. */
enum { FEW__SPAN_TEXT = 32 };
const char *few__span_text(int64_t us, char text[FEW__SPAN_TEXT]);

#endif
