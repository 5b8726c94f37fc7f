# SPDX-License-Identifier: GPL-2.0-only
#
# Targets for people; each calls scripts that can be run alone as well.

# The limit that "make run CMD=..." sets, as prlimit --heap takes it.
HEAP ?= 64M

SHELL := /bin/bash
export KDIR KSRC KERNEL SERIES ARCH FLAVOUR

ifeq ($(MAKECMDGOALS):$(value CMD),vm:)
$(error CMD is missing: make vm CMD='uname -a')
endif

help: ## print this
	@echo "make TARGET [VARIABLE=VALUE...]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "CMD=COMMAND  what run and vm execute      HEAP=64M  the limit for run"
	@echo "KDIR=DIR     use that patched, built tree KSRC=DIR  patch and build that tree"
	@echo "KERNEL=debug build and use the kernel with all checks on"
	@echo "SERIES=7.3   of Linux 7.3 instead of 6.12"
	@echo "ARCH=arm64   for that machine, where KERNEL=64k has large pages, and KERNEL=cfi"
	@echo "             checks indirect calls"

# What runs programs of the tool root, which is of this machine.
style host heaptop deb test-deb compat userland test-userland: native

run: guest ## show the limit at work, or run CMD under HEAP
ifdef CMD
	@cmd=$(call quote,CMD); \
	scripts/vm "exec prlimit --heap=$(HEAP) bash -c $$(printf %q "$$cmd")"
else
	@demo/run
endif

vm: guest heaptop ## run CMD in the guest, fail if it does
	@scripts/vm $(call quote,CMD)

shell: guest heaptop ## open a shell in the guest
	@scripts/vm

test: ## run the tests; long ones have targets of their own
	-@scripts/toolroot linux-source-7.3
	@scripts/in-toolroot scripts/hold tests/run

style: ## check how all files are written, in seconds
	@scripts/in-toolroot tests/style

host: ## test the rules of the module, without a kernel
	@scripts/in-toolroot tests/host/run

DURATION ?= 60
fuzz: ## test random sequences of calls for DURATION seconds, from SEED
	@VM_TIMEOUT=$$(($(DURATION) + 300)) scripts/selftests fuzz_seconds=$(DURATION) \
		$(if $(SEED),fuzz_seed=$(SEED)) $(if $(RUN),fuzz_run=$(RUN)) fuzz

# Of another kernel or machine than that of docs/cost.md no programs are looked at.
bench: ## measure what it costs, in instructions (long)
	@$(if $(filter-out 6.12,$(SERIES))$(filter-out x86_64,$(ARCH)),,scripts/toolroot runtimes)
	@scripts/in-toolroot scripts/hold bench/run

precision: guest ## count what allocators and runtimes hold (long)
	@scripts/toolroot runtimes
	@scripts/in-toolroot scripts/hold tests/precision/run

tracers: guest ## do perf, trace-cmd, bpftrace and strace see refusals (long)
	@scripts/toolroot runtimes
	@scripts/in-toolroot scripts/hold tests/tracers/run

jobs: guest ## limit jobs by systemd, crun, podman and LXC (long)
	@scripts/toolroot jobs
	@scripts/in-toolroot scripts/hold tests/jobs/run

deb: ## build packages for Debian 13 into results/deb (long)
	@packaging/kernel
	@packaging/programs

test-deb: ## try these packages on a Debian 13 in QEMU (long)
	@scripts/toolroot image
	@scripts/in-toolroot tests/deb

test-userland: ## try what it has built on the same Debian (long)
	@scripts/toolroot image
	@scripts/in-toolroot tests/deb --userland

compat: ## compare tests of others with the unpatched kernel (long)
	@scripts/in-toolroot scripts/hold tests/compat

userland: ## build systemd, pam, bash and python with the limit (long)
	@scripts/userland

kernel: ## build the patched kernel
	@scripts/kernel

heaptop: ## build heaptop, a static program, into results/
	@mkdir -p results
	@scripts/heaptop "$(CURDIR)/results"

module: ## build rlimit_heap.ko only, against KDIR
	@scripts/module "$(CURDIR)"

patches: ## write patches/linux-* anew from the kernel tree
	@scripts/format-patches

rfc: ## write what can be posted of it into results/
	@scripts/rfc

check-rfc: ## write it and check it as its readers do (long)
	@tests/rfc

check-series: ## build each prefix of the series, option on and off (long)
	@tests/check-series

clean-cache: ## remove all that was downloaded and built
	@scripts/clean-cache

native:
	@scripts/native

guest:
	@scripts/native
	@scripts/module
	@scripts/prlimit

# The value of a variable as one shell word, with $ left alone.
quote = '$(subst ','\'',$(value $(1)))'

.PHONY: help native run vm shell test style host fuzz bench precision tracers jobs deb test-deb userland test-userland compat kernel heaptop module patches rfc check-rfc check-series clean-cache guest
