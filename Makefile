# numac: one Makefile, everything generated under build/.
#   make                     build/numac                  make check [VARIANT=san]   every test that needs no root
#   make check-lab           tests on booted guests       make bench | fuzz | lint | bless CASE=... | install
# Variants: release (default), lto (the same, optimised across files: a fifth faster, and slow to link), debug, san
# (address and undefined-behaviour sanitizers), cover.

VARIANT ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
prefix  ?= /usr/local
bindir   = $(prefix)/bin
libexecdir = $(prefix)/libexec
datadir  = $(prefix)/share
mandir   = $(datadir)/man

B   := build/$(VARIANT)
GEN := build/generated
LIBRARIES := glib-2.0 hwloc yaml-0.1 json-c
# opened when XML is first read (compiler/base/xml_library.c); its name is that of the library found when building
LAZY_LIBRARY := libxml-2.0
# and this one where a scope is made (runtime/scope_library.c)
SYSTEMD := libsystemd
AGENT_LIBRARIES := glib-2.0 hwloc json-c
LIBVIRT_LIBRARIES := glib-2.0 libvirt libvirt-qemu

ifeq ($(filter $(VARIANT),release lto debug san cover fuzz),)
$(error VARIANT is one of release, lto, debug, san, cover, fuzz)
endif

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wpointer-arith -Wcast-qual -Wimplicit-fallthrough -Wvla -Wformat=2 -Wundef -Werror
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS_lto     := $(CFLAGS_release) -flto=2
CFLAGS_debug   := -O0 -g3
CFLAGS_san     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_cover   := -O0 -g --coverage
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
LDFLAGS_lto     := $(LDFLAGS_release) -O2 -flto=2
LDFLAGS_san     := -fsanitize=address,undefined
LDFLAGS_cover   := --coverage
LDFLAGS_fuzz    := -fsanitize=fuzzer,address,undefined
ifeq ($(VARIANT),fuzz)
CC := clang
endif

ALL_CFLAGS = -std=gnu17 $(WARNINGS) $(CFLAGS_$(VARIANT)) -Icompiler -Iruntime -I$(GEN) \
	-ffile-prefix-map=$(CURDIR)/= $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(LIBRARIES) $(LAZY_LIBRARY) $(SYSTEMD) libvirt)) $(CFLAGS)
LIBS = $(shell pkg-config --libs $(LIBRARIES))
soname = $(shell objdump -p $$($(CC) -print-file-name=$(1)) | awk '$$1 == "SONAME" { print $$2 }')

FOLDERS   := base source diag syntax model notation host plan ground check place emit import
SOURCES   := $(foreach folder,$(FOLDERS),$(sort $(wildcard compiler/$(folder)/*.c)))
GENERATED := $(GEN)/grammar/numa.tab.c $(GEN)/grammar/numa.lex.c
OBJECTS   := $(SOURCES:%.c=$(B)/%.o) $(GENERATED:$(GEN)/%.c=$(B)/%.o) $(B)/texts.o
MAINS     := $(sort $(wildcard compiler/*.c))
MAIN_OBJECTS := $(MAINS:%.c=$(B)/%.o)
ALL_BUT_MAIN := $(OBJECTS) $(filter-out %/main.o,$(MAIN_OBJECTS))
TEXTS     := $(sort $(wildcard docs/diagnostics/NM*.md)) $(sort $(wildcard docs/schema/*.json))

# what runs guests, installed where numac and each other find them
RUNNERS   := numac-agent numac-libvirt

.PHONY: all units check check-lab bench fuzz lint bless install uninstall clean demo docs
.DELETE_ON_ERROR:

# build/numac is the release one, whatever else is built beside it
PROGRAMS := numac $(RUNNERS)
all: $(if $(filter release,$(VARIANT)),$(PROGRAMS:%=build/%)) $(PROGRAMS:%=$(B)/%)

$(B)/numac: $(MAIN_OBJECTS) $(OBJECTS)
	$(CC) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(LIBS)

# what runs guests: of the compiler it knows these folders only
AGENT_FOLDERS := base source diag plan
AGENT_OBJECTS := $(filter-out %/xml_library.o,$(patsubst %.c,$(B)/%.o,$(sort $(wildcard runtime/*.c)) \
	$(foreach folder,$(AGENT_FOLDERS),$(sort $(wildcard compiler/$(folder)/*.c)))))
LIBVIRT_OBJECTS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard runtime/libvirt/*.c)) runtime/errand.c)
$(B)/runtime/%.o: CPPFLAGS += -D_GNU_SOURCE
$(B)/numac-agent: $(AGENT_OBJECTS)
	$(CC) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(AGENT_LIBRARIES))
$(B)/numac-libvirt: $(LIBVIRT_OBJECTS)
	$(CC) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(LIBVIRT_LIBRARIES))

ifneq ($(VARIANT),fuzz)
build/%: $(B)/%
	@ln -f $< $@ 2>/dev/null || cp -f $< $@
endif

$(B)/compiler/base/xml_library.o: ALL_CFLAGS += -DXML_LIBRARY='"$(call soname,libxml2.so)"'
$(B)/runtime/scope_library.o: ALL_CFLAGS += -DSYSTEMD_LIBRARY='"$(call soname,libsystemd.so)"'
$(B)/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

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

# ---- tests --------------------------------------------------------------------------------------------------------
# A suite is a program that prints TAP; tests/tally runs them and adds them up.  SUITES=units,cases runs some.
# a status that numac itself never ends with
export ASAN_OPTIONS ?= exitcode=99
UNITS   := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/*.c)))
DRIVERS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/drivers/*.c)))
SHIM  := build/oracles/node_shim.so
PROGRAM := $(B)/numac

units: $(UNITS)

# unit tests, fuzzers, and programs that give the tests a part of the compiler
$(B)/tests/%: tests/%.c $(ALL_BUT_MAIN)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(ALL_BUT_MAIN) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) $(LIBS) \
		-Wl,--as-needed $(shell pkg-config --libs $(LAZY_LIBRARY))

# this one neither reads files nor starts children: it brings readers of its own
$(B)/tests/fuzz/site: LDFLAGS += -Wl,--wrap=host_load,--wrap=sources_read,--wrap=sources_read_named

# these read what the agent reads
AGENT_READERS := $(addprefix $(B)/runtime/,bundle.o record.o monitor.o backing.o)
$(addprefix $(B)/tests/fuzz/,bundle record monitor): $(AGENT_READERS)
$(addprefix $(B)/tests/fuzz/,bundle record monitor): LDFLAGS += $(AGENT_READERS)

$(SHIM): tests/oracles/node_shim.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(WARNINGS) -O2 -fPIC -shared -o $@ $<

SUITE_units   = $(foreach unit,$(UNITS),'$(notdir $(unit))=$(unit) --tap')
SUITE_layers  = 'layers=tests/layers'
SUITE_harness = 'harness=tests/harness/self_test.py'
SUITE_cases   = 'cases=tests/run --numac $(PROGRAM)'
SUITE_cli     = $(if $(wildcard tests/cli.py),'cli=tests/cli.py $(PROGRAM)')
SUITE_hosts   = $(if $(wildcard tests/corpus_hosts.py),'hosts=tests/corpus_hosts.py $(PROGRAM) host show --format json')
SUITE_notation = 'notation=tests/notation.py --numac $(PROGRAM)' 'site-schema=tests/schema_site.py --numac $(PROGRAM)'
SUITE_rules   = 'rules=tests/rules_table.py'
SUITE_import  = 'import=tests/import.py --numac $(PROGRAM)'
SUITE_man     = 'man=tests/man.py --numac $(PROGRAM)'
SUITE_place   = 'place=tests/place_properties.py $(PROGRAM)' 'place-groups=tests/place_groups.py $(PROGRAM)' \
	'place-hosts=tests/place_hosts.py --numac $(PROGRAM)'
SUITE_hostile = 'hostile=tests/hostile.py --numac $(PROGRAM)'
SUITE_mutants = 'mutants=tests/mutants.py --numac $(PROGRAM)'
SUITE_oracles = 'schema=tests/oracles/relaxng.py --numac $(PROGRAM)' \
	'libvirt=tests/oracles/libvirt_embed.py --numac $(PROGRAM)' \
	'qemu=tests/oracles/qemu_paused.py --numac $(PROGRAM)' 'script=tests/oracles/script.py --numac $(PROGRAM)'
SUITE_runtime = 'definitions=tests/runtime/definitions.py --numac $(PROGRAM)' \
	'engines=tests/runtime/engines.py --numac $(PROGRAM)' \
	'faults=tests/runtime/faults.py --numac $(PROGRAM)' 'foreign=tests/runtime/foreign.py --numac $(PROGRAM)' \
	'remote=tests/runtime/remote.py --numac $(PROGRAM)'
SUITE_lab     = 'boot=tests/oracles/boot.py --numac $(PROGRAM)' \
	'boots=tests/runtime/boots.py --numac $(PROGRAM)' \
	'faults=tests/runtime/faults.py --all --numac $(PROGRAM)' \
	'daemon=tests/runtime/definitions.py --daemon --numac $(PROGRAM)' \
	'foreign=tests/runtime/foreign.py --daemon --numac $(PROGRAM)' \
	'remote=tests/runtime/remote.py --all --numac $(PROGRAM)' \
	'lab=tests/runtime/lab.py --numac $(PROGRAM)'
comma := ,
SUITES := layers,harness,units,cli,hosts,notation,import,man,cases,rules,place,hostile,mutants,oracles,runtime
suites = $(foreach suite,$(subst $(comma), ,$(1)),$(SUITE_$(suite)))

check: $(PROGRAM) $(RUNNERS:%=$(B)/%) $(UNITS) $(DRIVERS) $(SHIM)
	@tests/tally $(call suites,$(SUITES))

check-lab: $(PROGRAM) $(RUNNERS:%=$(B)/%)
	@tests/tally $(call suites,lab)

bless: $(PROGRAM)
	@tests/run --numac $(PROGRAM) --bless $(CASE)

# each tests/fuzz/NAME.c for TIME seconds, from its seeds in tests/fuzz/seeds/NAME or the cases; as many at a time as
# there are processors, since each is one thread: a minute each is five minutes on two.  SEED=1 tries the same inputs
# each time, and learns nothing; without it each run goes on from what the last one found.
TIME ?= 60
SEED :=
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c)))
fuzz:
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-run
.PHONY: fuzz-run
fuzz-run: $(FUZZERS:%=$(B)/tests/fuzz/%)
	@tests/tally --verbose 'fuzz=echo 1..$(words $(FUZZERS)); printf "%s\n" $(FUZZERS) | \
		xargs -P "$$(nproc)" -I NAME tests/fuzz/run $(B)/tests/fuzz/NAME $(TIME) $(SEED)'
C_FILES := $(shell find compiler runtime tests -name '*.[ch]' 2>/dev/null)
SCRIPTS := setup .ci/run tests/embed $(wildcard tests/fuzz/run)
lint:
	clang-format --dry-run -Werror $(C_FILES)
	shellcheck $(SCRIPTS)
	tests/layers
	@if command -v cppcheck >/dev/null; then \
		cppcheck -q --std=c11 --library=gtk '-DG_GNUC_PRINTF(a,b)=' --enable=warning,portability \
		--inline-suppr --error-exitcode=1 -Icompiler compiler runtime; \
	else echo 'cppcheck is not installed: not run'; fi

# ---- benchmarks ---------------------------------------------------------------------------------------------------
# numac beside its peers, some of which are programs of our own.  BENCH='--quick P1 P6' chooses.
BENCH :=
PEERS := $(addprefix build/bench/,nop peak yaml_events forms write_files touch host_load)

build/bench/%: tests/bench/peers/%.c tests/bench/peers/whole_file.h
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(WARNINGS) -O2 -o $@ $< $(PEER_LIBS)
build/bench/yaml_events: PEER_LIBS := -lyaml
build/bench/forms: $(GEN)/bench/forms.tab.c $(GEN)/bench/forms.lex.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -I$(GEN) -o $@ $^
build/bench/host_load: $(B)/tests/bench/host_load
	@mkdir -p $(@D)
	cp -f $< $@
$(GEN)/bench/forms.tab.c: tests/bench/peers/forms.y
	@mkdir -p $(@D)
	bison -Wall -Werror --file-prefix-map=$(GEN)/= -o $@ --header=$(@:.c=.h) $<
$(GEN)/bench/forms.lex.c: tests/bench/peers/forms.l $(GEN)/bench/forms.tab.c
	@mkdir -p $(@D)
	flex -CF -8 --noline --header-file=$(@:.c=.h) -o $@ $<

bench: $(PROGRAM) $(RUNNERS:%=$(B)/%) $(PEERS)
	@tests/bench/run --numac $(PROGRAM) $(BENCH)

# the tables of the language reference and the words of numac(5), from the vocabulary
docs: $(PROGRAM)
	tests/notation.py --numac $(PROGRAM) --write-docs
	tests/man.py --numac $(PROGRAM) --write-docs

demo: all
	@build/numac plan examples/site.numa

# ---- installation -------------------------------------------------------------------------------------------------
MAN1 = $(sort $(wildcard docs/man/*.1))
MAN5 = $(sort $(wildcard docs/man/*.5))
SCHEMAS = $(sort $(wildcard docs/schema/*.json))

install: $(PROGRAMS:%=$(B)/%)
	install -D -m 755 $(B)/numac $(DESTDIR)$(bindir)/numac
	install -D -m 755 -t $(DESTDIR)$(libexecdir)/numac $(RUNNERS:%=$(B)/%)
	$(if $(MAN1),install -D -m 644 -t $(DESTDIR)$(mandir)/man1 $(MAN1))
	$(if $(MAN5),install -D -m 644 -t $(DESTDIR)$(mandir)/man5 $(MAN5))
	$(if $(SCHEMAS),install -D -m 644 -t $(DESTDIR)$(datadir)/numac/schema $(SCHEMAS))

uninstall:
	rm -f $(DESTDIR)$(bindir)/numac $(RUNNERS:%=$(DESTDIR)$(libexecdir)/numac/%)
	rmdir $(DESTDIR)$(libexecdir)/numac 2>/dev/null || true
	rm -f $(patsubst docs/man/%,$(DESTDIR)$(mandir)/man1/%,$(MAN1)) \
		$(patsubst docs/man/%,$(DESTDIR)$(mandir)/man5/%,$(MAN5)) \
		$(patsubst docs/schema/%,$(DESTDIR)$(datadir)/numac/schema/%,$(SCHEMAS))
	rmdir $(DESTDIR)$(datadir)/numac/schema $(DESTDIR)$(datadir)/numac 2>/dev/null || true

clean:
	rm -rf build

-include $(AGENT_OBJECTS:.o=.d) $(LIBVIRT_OBJECTS:.o=.d) $(OBJECTS:.o=.d) $(MAIN_OBJECTS:.o=.d) $(UNITS:=.d) $(DRIVERS:=.d)
