# SPDX-License-Identifier: GPL-2.0-only
# The test targets; included by the Makefile.
#
# tests/unit/test_X.c is a program of its own: it is linked with everything but the main
# program, and with the other files of tests/unit/. tests/run runs the suites and counts.

JOBS := $(shell nproc)
, := ,
UNIT_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
UNIT_HELPERS := $(patsubst %.c,$(B)/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
UNIT_OBJECTS := $(UNIT_TESTS:%=%.o) $(UNIT_HELPERS)

$(UNIT_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(UNIT_HELPERS) $(filter-out $(B)/lockdump.o,$(OBJECTS))
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LDLIBS) -lcmocka

# A second reader of dumps, to compare with.
$(B)/tests/unit/test_libkdumpfile: PROJECT_LDLIBS += $(shell pkg-config --libs libkdumpfile)

-include $(UNIT_OBJECTS:.o=.d)
.SECONDARY: $(UNIT_OBJECTS)

# For tests/lab_faults.
FAULTS := config_read step_record record_from_kernel dmesg_print report_create
$(B)/faults/lockdump: $(B)/tests/guest/faults.o $(OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(FAULTS:%=-Wl$(,)--wrap=%) -o $@ $^ $(ALL_LDLIBS)

-include $(B)/tests/guest/faults.d

include tests/fuzz/fuzz.mk

unit-tests: $(UNIT_TESTS)

# The same sources with the compiler's memory checkers, in a folder of their own.
ASAN := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
asan:
	$(MAKE) --no-print-directory -j$(JOBS) B=build/asan SANITIZE='$(ASAN)' all unit-tests

define heading
@printf '\n== %s\n' $(1)

endef

# deps installs what the rest of the recipe is made with: each step is a make of its own.
demo:
	$(call heading,'Installing what is missing')
	@scripts/deps build lab
	$(call heading,'Building build/lockdump')
	@$(MAKE) --no-print-directory -j$(JOBS) all
	$(call heading,'A VM is booted$(,) hung$(,) and crashed into its capture kernel')
	@scripts/lab run --out build/demo
	$(call heading,'The report: build/lockdump report --all-tasks build/demo/incident')
	@build/lockdump report --all-tasks build/demo/incident

check:
	@scripts/deps
	@$(MAKE) --no-print-directory -j$(JOBS) all unit-tests $(B)/faults/lockdump
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory fuzz-build coverage-build
	@tests/run lab unit scripts cli dumps asan valgrind fuzz

check-unit:
	@scripts/deps build check
	@$(MAKE) --no-print-directory -j$(JOBS) unit-tests
	@tests/run unit scripts

check-lab:
	@scripts/deps
	@$(MAKE) --no-print-directory -j$(JOBS) all $(B)/faults/lockdump
	@tests/run lab

# The same on the other kernels, and the verdict on hangs of every sort. Each kernel is fetched, and a Debian with its
# compiler, the first time.
check-kernels:
	@scripts/deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/run kernels

# A minute's hang on each kernel, with 1, 2 and 4 CPUs. Takes half an hour.
check-flight:
	@scripts/deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/run flight

# What must raise no alarm: 20 minutes for each of the four kernels.
check-quiet:
	@scripts/deps build lab check stress
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/run quiet

# Everything that can happen to a capture, and the power cut in the middle of it. Takes half an hour.
check-faults:
	@scripts/deps build lab check
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/run faults

# Stores on other buses and file systems, on all kernels: 20 guests.
check-buses:
	@scripts/deps build lab check buses
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/run buses

# A whole Debian with systemd, as a rig's owner would have it. Takes 15 minutes, and some more the first time, when it is made.
check-rig:
	@scripts/deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/run rig

check-asan:
	@scripts/deps build check
	@$(MAKE) --no-print-directory asan
	@tests/run asan

check-valgrind:
	@scripts/deps build check
	@$(MAKE) --no-print-directory -j$(JOBS) all unit-tests
	@tests/run valgrind

# Every stack beside crash's and drgn's, on all kernels. Takes 20 minutes, and 4 GB in build/oracle, the first time.
check-oracle:
	@scripts/deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/oracle_prepare all
	@tests/run oracle

# A kernel that Debian has not: frame pointers, lockdep, debugged spinlocks, ramoops' pmsg. To build it takes a quarter of an hour.
check-debug-kernel:
	@scripts/deps build lab check kernel
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/debug_kernel_build
	@tests/run debug-kernel

bench:
	@scripts/deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/oracle_prepare lab threads-1000 threads-10000
	@tests/bench
	@tests/bench_capture
	@tests/overhead

.PHONY: unit-tests asan demo check check-unit check-lab check-kernels check-flight check-quiet check-faults check-buses check-rig check-asan check-valgrind check-oracle check-debug-kernel bench
