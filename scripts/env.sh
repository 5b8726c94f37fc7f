# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Sourced by every script: where things are, and how to speak to the user.

# One short line for each step that takes time.
say() {
	printf '==> %s\n' "$*" >&2
}

# What went wrong, why, and what to do, in one line.
die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

CHECKOUT=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/rlimit-heap
TOOLROOT=$CACHE/toolroot

# The user's trees: KSRC=DIR is a plain kernel of the series to use instead of
# Debian's, KDIR=DIR a build of a patched one.
for name in KSRC KDIR; do
	[ -n "${!name:-}" ] || continue
	[ -d "${!name}" ] || die "$name=${!name} is no directory"
	declare -x "$name=$(realpath "${!name}")"
done

short_hash() {
	printf %s "$1" | sha256sum | cut -c1-12
}

# The kernel: the series we have patches for, its patched tree, the tree without
# the patches, and the build: KERNEL=release, debug, compat, or one of them with
# "-unpatched" appended.
SERIES=6.12
KERNEL=${KERNEL:-release}
PATCHES=$CHECKOUT/patches/linux-$SERIES
WORK=$CACHE/linux-$SERIES${KSRC:+-$(short_hash "$KSRC")}
SRC=$WORK/src
UNPATCHED=$WORK/unpatched
BUILD=${KDIR:-$WORK/build-$KERNEL}

# What this checkout makes for this build and no other: modules and tests.
RESULTS=$CACHE/results-$(short_hash "$CHECKOUT $BUILD")

# The compiler for all of it, as in scripts/toolroot-packages.
export LLVM=${LLVM:--19}

# Goes on in the tool root, unless we are there already.
enter_toolroot() {
	if [ -z "${RLIMIT_HEAP_IN_TOOLROOT:-}" ]; then
		exec "$CHECKOUT/scripts/in-toolroot" "$(realpath "$0")" "$@"
	fi
}

# Changes when the series does.
series_id() {
	cat "$PATCHES"/series "$PATCHES"/*.patch | sha256sum | cut -d' ' -f1
}
