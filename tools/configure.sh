#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# configure.sh DIR OPTION...: set up a Meson build in DIR, and again only when the options have changed.
set -eu
dir=$1
shift
if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir/options.txt" 2>/dev/null)" = "$*" ]; then exit 0; fi
again=
if [ -f "$dir/meson-private/coredata.dat" ]; then again=--reconfigure; fi
mkdir -p "$dir"
printf 'Setting up %s\n' "$dir"
if ! meson setup $again "$@" "$dir" >"$dir/configure.log" 2>&1; then
    cat "$dir/configure.log" >&2
    exit 1
fi
printf '%s\n' "$*" >"$dir/options.txt"
