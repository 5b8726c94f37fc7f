#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# With the boot parameter heap_limit=off: no policy is taken, and nothing is limited.

# shellcheck disable=SC1091 # from tools/testing/selftests/kselftest
. "$(dirname "$0")/ktap_helpers.sh"

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@" >/dev/null; then ktap_test_pass "$name"; else ktap_test_fail "$name"; fi
}

# EOPNOTSUPP, in busybox' words.
refused() {
	insmod ./rlimit_heap.ko 2>&1 | grep 'Operation not supported'
}

said_why() {
	dmesg | grep 'heap_limit: no policy is taken, as heap_limit=off was given at boot'
}

ktap_print_header
ktap_set_plan 4

check refused refused
check said_why said_why
check no_policy grep -x none /sys/kernel/mm/heap_limit/policy
check limit_without_effect prlimit --heap=1M dd if=/dev/zero of=/dev/null bs=8M count=1

ktap_finished
