// SPDX-License-Identifier: Apache-2.0
/* The script and the style sheet of the page, as web/bundle.py leaves them for the compiler. */
#ifndef FEW_REPORT_REPORT_BUNDLE_H
#define FEW_REPORT_REPORT_BUNDLE_H

#include <stddef.h>

extern const unsigned char few__report_script[], few__report_style[]; // UTF-8, no NUL at the end
extern const size_t few__report_script_bytes, few__report_style_bytes;
extern const char few__report_script_digest[]; // "sha256-..." of the script, for the content security policy

#endif
