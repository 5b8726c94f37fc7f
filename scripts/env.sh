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

# Waits for others who have locked FILE, and says so. The lock is ours, and that of
# what we start, until all of us have ended; unlock gives back the last one.
lock() { # FILE [--shared]
	mkdir -p "$(dirname "$1")" || die "cannot write to the cache $CACHE: set XDG_CACHE_HOME"
	exec {LOCKED}>>"$1"
	flock --nonblock ${2:+"$2"} "$LOCKED" || {
		say "waiting for another run, which has locked $1"
		flock ${2:+"$2"} "$LOCKED"
	}
}

unlock() {
	exec {LOCKED}>&-
}

CHECKOUT=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/rlimit-heap

# The machine that the kernel is for, as the kernel calls it: this one, or ARCH. What is
# built here for another one has its name, and has its own root to be built and run in.
HOST_ARCH=$(uname -m)
HOST_ARCH=${HOST_ARCH/aarch64/arm64}
export ARCH=${ARCH:-$HOST_ARCH}
[ -f "$CHECKOUT/config/arch/$ARCH.config" ] ||
	die "$ARCH is no machine we know: ARCH is one of $(cd "$CHECKOUT/config/arch" && echo *.config | sed 's/\.config//g')"
CPU=${ARCH/arm64/aarch64} # as others call it

# What QEMU is then, and its serial lines.
case $ARCH in
x86_64) BOARD=q35 TTY=ttyS ;;
arm64) BOARD=virt TTY=ttyAMA ;;
esac

FOREIGN=
if [ "$ARCH" != "$HOST_ARCH" ]; then
	[ -f "$CHECKOUT/scripts/$ARCH-packages" ] || die "ARCH=$ARCH needs such a machine: this one is $HOST_ARCH"
	FOREIGN=-$ARCH
	export CROSS_COMPILE=$CPU-linux-gnu-
fi

# The root to be in: the tool root, or RLIMIT_HEAP_ROOT, another one of scripts/toolroot.
ROOT=${RLIMIT_HEAP_ROOT:-${FOREIGN:+$ARCH}}
ROOT=${ROOT:-toolroot}
TOOLROOT=$CACHE/$ROOT

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

# The kernel: a series we have patches for.
SERIES=${SERIES:-6.12}

# Its source, its patched tree, the tree without the patches, and the build:
# KERNEL=release, debug, compat, or one of them with "-unpatched" appended.
KERNEL=${KERNEL:-release}
PATCHES=$CHECKOUT/patches/linux-$SERIES
[ -d "$PATCHES" ] ||
	die "there are no patches for Linux $SERIES: SERIES is one of $(cd "$CHECKOUT/patches" && echo linux-* | sed s/linux-//g)"
WORK=$CACHE/linux-$SERIES${KSRC:+-$(short_hash "$KSRC")}
SOURCE=/usr/src/linux-source-$SERIES.tar.xz # in the tool root
[ "$SERIES" = 6.12 ] || SOURCE=$CACHE/linux-source-$SERIES$SOURCE
SRC=$WORK/src
UNPATCHED=$WORK/unpatched
BUILD=${KDIR:-$WORK/build-$KERNEL$FOREIGN}

# What this checkout makes for this build and no other: modules and tests.
RESULTS=$CACHE/results-$(short_hash "$CHECKOUT $BUILD")

# The compiler for all of it, as in scripts/toolroot-packages; empty is gcc.
export LLVM=${LLVM--19}

# Debian 13's sparse does not know an operator of newer kernels, which then only warn that
# they go on without sparse.
SPARSE="sparse -D__typeof_unqual__=__typeof__"

# When files of the checkout were last committed, as a number, for versions that grow with
# each commit; nothing outside of a git repository.
committed() { # PATH...
	TZ=UTC0 git -c safe.directory="$CHECKOUT" -C "$CHECKOUT" log -1 --format=%cd \
		--date=format-local:%Y%m%d%H%M -- "$@" 2>/dev/null || true
}

# The file that a boot loader takes.
image_of() { # BUILD
	local image=none
	[ ! -f "$1/Makefile" ] || image=$(make --no-print-directory -sC "$1" image_name)
	[ -f "$1/$image" ] || die "there is no kernel image in $1: build the kernel there first"
	echo "$1/$image"
}

# Goes on in the tool root, or in another root, unless we are there already.
enter_toolroot() {
	if [ -z "${RLIMIT_HEAP_IN_TOOLROOT:-}" ]; then
		exec "$CHECKOUT/scripts/in-toolroot" "$(realpath "$0")" "$@"
	fi
}

# The branch of the kernel tree that has the series.
BRANCH=rlimit-heap

# Somebody's commits and edits in a kernel tree are never thrown away. There
# are none where applying the series was interrupted: "applied" is unset then.
check_unedited() { # TREE
	local applied
	applied=$(git -C "$1" config rlimit-heap.applied) || return 0
	if [ -n "$(git -C "$1" status --porcelain)" ]; then
		die "$1 has uncommitted changes: commit or stash them, then run make patches"
	fi
	if [ "$(git -C "$1" rev-parse "$BRANCH")" != "$applied" ]; then
		die "$1 has commits that patches/ does not: run make patches, or drop them by git -C $1 reset --hard $applied"
	fi
}

# Changes when the series does.
series_id() {
	cat "$PATCHES"/series "$PATCHES"/*.patch | sha256sum | cut -d' ' -f1
}

# Is the kernel tree what our series makes of it?
series_is_applied() {
	[ "$(git -C "$SRC" config rlimit-heap.series 2>/dev/null)" = "$(series_id)" ]
}

# Brings the kernel tree to our series. Until we end, other checkouts whose series is
# another one wait: the tree and its builds are shared.
hold_kernel_tree() {
	[ -z "${KDIR:-}" ] || return 0
	while true; do
		"$CHECKOUT/scripts/kernel-tree"
		lock "$WORK/tree.lock" --shared
		! series_is_applied || return 0
		unlock
	done
}
