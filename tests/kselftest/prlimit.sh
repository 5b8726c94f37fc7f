#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# prlimit --heap, from util-linux, in all its forms.
#
# shellcheck disable=SC2086 # $show is several words

# shellcheck disable=SC1091 # from tools/testing/selftests/kselftest
. "$(dirname "$0")/ktap_helpers.sh"

row='HEAP max heap size'
others=$(prlimit | grep -cv '^HEAP')

# check NAME EXPECTED COMMAND...: the output, white space folded, and 0.
check() {
	name=$1 expected=$2
	shift 2
	if ! actual=$("$@" 2>&1) || [ "$(echo "$actual" | xargs)" != "$expected" ]; then
		ktap_print_msg "$name: expected '$expected', got '$actual'"
		ktap_test_fail "$name"
	else
		ktap_test_pass "$name"
	fi
}

# fails NAME EXPECTED COMMAND...: an error message and a status that is not 0.
fails() {
	name=$1 expected=$2
	shift 2
	if actual=$("$@" 2>&1) || [ "$actual" != "$expected" ]; then
		ktap_print_msg "$name: expected '$expected', got '$actual'"
		ktap_test_fail "$name"
	else
		ktap_test_pass "$name"
	fi
}

show='prlimit --heap --noheadings'

of_another_process() {
	sleep 60 &
	prlimit --pid $! --heap=8M:16M && prlimit --pid $! --heap=4M: &&
		prlimit --pid $! --heap --noheadings --output SOFT,HARD
	status=$?
	kill $!
	return $status
}

ktap_print_header
ktap_set_plan 18

check show_one "$row unlimited unlimited bytes" $show
check show_all "$row unlimited unlimited bytes" sh -c 'prlimit | grep ^HEAP'
check all_has_the_other_rows 17 echo "$others"
check both "$row 67108864 67108864 bytes" prlimit --heap=64M $show
check soft_and_hard "$row 8388608 16777216 bytes" prlimit --heap=8MiB:16M $show
check soft_only "$row 67108864 unlimited bytes" prlimit --heap=64M: $show
check hard_only "$row 1048576 67108864 bytes" prlimit --heap=1M: prlimit --heap=:64M $show
check bytes "$row 67108865 67108865 bytes" prlimit --heap=67108865 $show
check unlimited "$row unlimited unlimited bytes" prlimit --heap=unlimited $show
check as_the_kernel_sees_it 'Max heap size 67108864 67108864 bytes' prlimit --heap=64M grep heap /proc/self/limits
check of_another_process '4194304 16777216' of_another_process
check status_of_the_command 'three 3' sh -c 'prlimit --heap=64M sh -c "echo three; exit 3"; echo $?'
check enforced 'no' sh -c 'prlimit --heap=1M dd if=/dev/zero of=/dev/null bs=8M count=1 2>/dev/null && echo yes || echo no'
fails soft_above_hard 'prlimit: the soft limit HEAP cannot exceed the hard limit' prlimit --heap=2:1 true
fails no_number 'prlimit: failed to parse HEAP limit' prlimit --heap=lots true
fails unknown_suffix 'prlimit: failed to parse HEAP limit' prlimit --heap=64X true
fails overflow 'prlimit: failed to parse HEAP limit' prlimit --heap=99999999999999999999 true
fails two_colons 'prlimit: failed to parse HEAP limit' prlimit --heap=1:2:3 true

ktap_finished
