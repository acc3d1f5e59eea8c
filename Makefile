# numac: one Makefile, everything generated under build/.
#   make                     build/numac                  make check [VARIANT=san]   every test that needs no root
#   make check-lab           tests on booted guests       make bench | fuzz | lint | bless CASE=... | install
# Variants: release (default), debug, san (address and undefined-behaviour sanitizers), cover.

VARIANT ?= release
CC      ?= gcc
prefix  ?= /usr/local
bindir   = $(prefix)/bin
datadir  = $(prefix)/share
mandir   = $(datadir)/man

B   := build/$(VARIANT)
GEN := build/generated
LIBRARIES := glib-2.0 hwloc yaml-0.1 libxml-2.0 json-c

ifeq ($(filter $(VARIANT),release debug san cover fuzz),)
$(error VARIANT is one of release, debug, san, cover, fuzz)
endif

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wpointer-arith -Wcast-qual -Wimplicit-fallthrough -Wvla -Wformat=2 -Wundef -Werror
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS_debug   := -O0 -g3
CFLAGS_san     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_cover   := -O0 -g --coverage
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
LDFLAGS_san     := -fsanitize=address,undefined
LDFLAGS_cover   := --coverage
LDFLAGS_fuzz    := -fsanitize=fuzzer,address,undefined
ifeq ($(VARIANT),fuzz)
CC := clang
endif

ALL_CFLAGS = -std=gnu17 $(WARNINGS) $(CFLAGS_$(VARIANT)) -Icompiler -I$(GEN) -ffile-prefix-map=$(CURDIR)/= \
	$(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(LIBRARIES))) $(CFLAGS)
LIBS = $(shell pkg-config --libs $(LIBRARIES))

FOLDERS   := base source diag syntax model host plan check place emit import
SOURCES   := $(foreach folder,$(FOLDERS),$(sort $(wildcard compiler/$(folder)/*.c)))
GENERATED := $(GEN)/grammar/numa.tab.c $(GEN)/grammar/numa.lex.c
OBJECTS   := $(SOURCES:%.c=$(B)/%.o) $(GENERATED:$(GEN)/%.c=$(B)/%.o) $(B)/texts.o
MAINS     := $(sort $(wildcard compiler/*.c))
MAIN_OBJECTS := $(MAINS:%.c=$(B)/%.o)
TEXTS     := $(sort $(wildcard docs/diagnostics/NM*.md)) $(sort $(wildcard docs/schema/*.json))

.PHONY: all check check-lab bench fuzz lint bless install uninstall clean demo docs
.DELETE_ON_ERROR:

all: build/numac

$(B)/numac: $(MAIN_OBJECTS) $(OBJECTS)
	$(CC) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(LIBS)

ifneq ($(VARIANT),fuzz)
build/numac: $(B)/numac
	@ln -f $< $@ 2>/dev/null || cp -f $< $@
endif

$(B)/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(OBJECTS)
	$(CC) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(LIBS)
$(B)/tests/drivers/%: $(B)/tests/drivers/%.o $(OBJECTS)
	$(CC) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(LIBS)

# generated C is held to fewer warnings: its style is not ours
$(B)/grammar/%.o: $(GEN)/grammar/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Wno-conversion -Wno-switch-enum -Wno-cast-qual -Wno-undef -Wno-sign-conversion \
		-MMD -MP -c -o $@ $<

$(GEN)/grammar/numa.tab.c: grammar/numa.y
	@mkdir -p $(@D)
	bison -Wall -Wcounterexamples -Werror --file-prefix-map=$(GEN)/= -o $@ --header=$(@:.c=.h) $<

$(GEN)/grammar/numa.lex.c: grammar/numa.l $(GEN)/grammar/numa.tab.c
	@mkdir -p $(@D)
	flex -CF -8 --noline --header-file=$(@:.c=.h) -o $@ $<

# the diagnostics pages and schemas, as text inside the program: `numac explain` and `numac schema` need no file
$(GEN)/texts.S: $(TEXTS) tests/embed
	@mkdir -p $(@D)
	tests/embed $(TEXTS) > $@
$(B)/texts.o: $(GEN)/texts.S
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

clean:
	rm -rf build

-include $(OBJECTS:.o=.d) $(MAIN_OBJECTS:.o=.d)
