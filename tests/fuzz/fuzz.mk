# SPDX-License-Identifier: GPL-2.0-only
# The fuzz targets; included by tests/tests.mk. tests/fuzz/run runs them.
#
# FUZZ_MAIN: what a target is linked with, clang's libFuzzer or tests/fuzz/replay.c.

FUZZ_SECONDS ?= 60
FUZZ_GOALS ?= fuzz-targets
FUZZ_MAIN ?= $(B)/tests/fuzz/replay.o
FUZZ_TARGETS := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
# What reads a store.
FUZZ_STORE := digest json_file manifest manifest_read report_head rig_id store
# All but what needs more of kdump/ than that.
FUZZ_HELPERS := $(filter-out %/make_armed.o,$(UNIT_HELPERS))
FUZZ_COMMON := $(B)/tests/fuzz/glue.o $(B)/tests/fuzz/debug_file.o $(FUZZ_HELPERS) \
	$(ANALYZER:%.c=$(B)/%.o) $(FUZZ_STORE:%=$(B)/kdump/%.o)
FUZZ_CORPUS := $(patsubst %.txt,$(B)/%,$(wildcard tests/fuzz/corpus/*/*.txt))
FUZZ_OBJECTS := $(FUZZ_TARGETS:%=%.o) $(addprefix $(B)/tests/fuzz/,glue.o debug_file.o make_input.o replay.o)

$(FUZZ_TARGETS): $(B)/%: $(B)/%.o $(FUZZ_COMMON) $(filter %.o,$(FUZZ_MAIN))
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(FUZZ_MAIN:%.o=) $(LDFLAGS) -o $@ $^ $(ALL_LDLIBS) -lcmocka

$(B)/tests/fuzz/make_input: $(B)/tests/fuzz/make_input.o $(FUZZ_COMMON)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LDLIBS) -lcmocka

$(FUZZ_OBJECTS): PROJECT_CPPFLAGS += -Itests/unit

$(FUZZ_CORPUS): $(B)/%: %.txt $(B)/tests/fuzz/make_input $(wildcard tests/fuzz/*.kernel)
	@mkdir -p $(@D)
	$(call say,INPUT)
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(B)/tests/fuzz/make_input $< $@

-include $(FUZZ_OBJECTS:.o=.d)
.SECONDARY: $(FUZZ_OBJECTS)

fuzz-targets: $(FUZZ_TARGETS) $(FUZZ_CORPUS)

FUZZ_SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz-build:
	$(MAKE) --no-print-directory -j$(JOBS) B=build/fuzz CC=$(CLANG) FUZZ_MAIN=-fsanitize=fuzzer \
		SANITIZE='$(FUZZ_SANITIZE) -fsanitize=fuzzer-no-link' $(FUZZ_GOALS)

fuzz:
	@scripts/deps build check
	@$(MAKE) --no-print-directory fuzz-build
	@tests/fuzz/run $(FUZZ_SECONDS)

# With gcc, whose gcov is a part of it.
coverage-build:
	@find build/coverage -name "*.gcda" -delete 2>/dev/null || true
	$(MAKE) --no-print-directory -j$(JOBS) B=build/coverage SANITIZE='-O0 --coverage' fuzz-targets

fuzz-coverage:
	@scripts/deps build check
	@$(MAKE) --no-print-directory coverage-build
	@tests/fuzz/coverage

fuzz-planted:
	@scripts/deps build check
	@$(MAKE) --no-print-directory fuzz-build
	@tests/fuzz/planted $(FUZZ_SECONDS)

.PHONY: fuzz-planted fuzz-targets fuzz-build fuzz coverage-build fuzz-coverage
