# SPDX-License-Identifier: GPL-2.0-only
# 'make' builds build/lockdump. 'make demo' and 'make check' need nothing else done before.
VERSION := 0.1
PREFIX ?= /usr/local
# systemd looks into /usr/local/lib and /usr/lib.
UNITDIR ?= $(PREFIX)/lib/systemd/system
UNITS := $(patsubst scripts/systemd/%,%,$(wildcard scripts/systemd/*.service scripts/systemd/*.d/*.conf))
# dracut looks nowhere else.
DRACUTDIR ?= /usr/lib/dracut/modules.d
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)

B := build
LIBS := libbpf libdw libelf libseccomp json-c zlib lzo2 libzstd libkmod blkid libcrypto libcap
# CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS are the user's, who may set them on make's command line; what
# the sources need stands beside them. SANITIZE: see tests/tests.mk.
CFLAGS ?= -O2 -g
PROJECT_CPPFLAGS := -I. -Ianalyzer -I$(B) -D_GNU_SOURCE -DLOCKDUMP_VERSION='"$(VERSION)"'
PROJECT_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -Wno-missing-field-initializers -Wshadow -Wstrict-prototypes -Wmissing-prototypes
PROJECT_LDLIBS := $(shell pkg-config --libs $(LIBS)) -lsnappy -lm
# now: who watches a hung machine must not look for symbols any more.
PROJECT_LDFLAGS := -Wl,-z,relro,-z,now
ALL_CPPFLAGS = $(PROJECT_CPPFLAGS) $(CPPFLAGS)
ALL_CFLAGS = $(PROJECT_CFLAGS) $(CFLAGS) $(SANITIZE)
ALL_LDLIBS = $(PROJECT_LDLIBS) $(LDLIBS)

ANALYZER := $(wildcard analyzer/*/*.c)
SOURCES := lockdump.c lab.c $(ANALYZER) $(wildcard capture/*.c kdump/*.c)
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
BPF_OBJECTS := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(wildcard bpf/*.bpf.c))
SKELETONS := $(BPF_OBJECTS:.bpf.o=.skel.h)

# One line for each step, as the kernel's build has it; V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $@)

all: $(B)/lockdump

$(B)/lockdump: $(OBJECTS)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(PROJECT_LDFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LDLIBS)

$(B)/%.o: %.c Makefile | $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# v2: the first that has 32-bit jumps; atomics that return a value (v3) are used where the kernel must be newer anyway.
BPF_CPU = v2
$(B)/bpf/trigger.bpf.o: BPF_CPU = v3

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h) Makefile
	@mkdir -p $(@D)
	$(call say,BPF)
	$(Q)$(CLANG) -target bpf -mcpu=$(BPF_CPU) -O2 -g -Wall -Wextra -Werror -D__TARGET_ARCH_x86 -I. -c -o $@ $<

$(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $(*F)_bpf > $@.tmp
	$(Q)mv $@.tmp $@

-include $(OBJECTS:.o=.d)
include tests/tests.mk

install: all
	install -D -m 755 $(B)/lockdump $(DESTDIR)$(PREFIX)/sbin/lockdump
	for unit in $(UNITS); do \
		install -d $(DESTDIR)$(UNITDIR)/$$(dirname $$unit) && \
		sed 's,@SBINDIR@,$(PREFIX)/sbin,' scripts/systemd/$$unit >$(DESTDIR)$(UNITDIR)/$$unit && \
		chmod 644 $(DESTDIR)$(UNITDIR)/$$unit || exit; \
	done
	install -d $(DESTDIR)$(DRACUTDIR)/99lockdump
	install -m 755 scripts/dracut/99lockdump/*.sh $(DESTDIR)$(DRACUTDIR)/99lockdump

clean:
	rm -rf $(B)

.SECONDARY: $(BPF_OBJECTS) $(SKELETONS)
.PHONY: all install clean
.DELETE_ON_ERROR:
