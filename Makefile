# Makefile - builds build/ngc and build/libngrt.a; `make demo` and `make check` first install what is missing.
#
#   make            the compiler and the runtime          make demo       train the README's model on real images
#   make check      the tests                             make clean
#   make check-long all tests of each kind            make coverage   which lines the tests execute
#   make bench      how fast models are               V=1             show the commands
#   make install    into PREFIX (below DESTDIR)           make uninstall
#   make dist       an archive that needs neither Flex nor Bison
#   make deb        a Debian package
#   make playground ngc in a web page: build/playground.html
#   make gallery    a page of all examples: build/gallery.html   make pictures   those of the course, by a browser
#
# CC, CFLAGS as usual. BLAS=openblas|builtin, ZLIB=1|0, ONNX=1|0 and MPI=1|0 choose libraries; by default those that are installed.
# HOST=0 leaves out what of the runtime needs POSIX: files, the trainer, threads. B is the directory of what is built.

CC      = cc
CFLAGS  = -O2 -g
WARN    = -Wall -Wextra -Wconversion -Wno-sign-conversion -Wmissing-prototypes -Wshadow -Wno-missing-field-initializers
B       = build

# A header is not enough: cblas.h also comes with other libraries.
HASH   := \#
# (tcc deletes the file that it writes first, also /dev/null)
have    = $(shell to=$$(mktemp) && printf '$(HASH)include <$(1)>\nint main(void) { return 0; }\n' | $(CC) -x c - -o $$to $(2) >/dev/null 2>&1 && echo 1; rm -f "$$to")
BLAS   := $(if $(call have,cblas.h,-lopenblas),openblas,builtin)
ZLIB   := $(if $(call have,zlib.h,-lz),1,0)
# to read and write ONNX: protobuf-c, and its compiler
ONNX   := $(if $(call have,protobuf-c/protobuf-c.h,-lprotobuf-c),$(if $(shell command -v protoc-c),1,0),0)
# to train on several machines
MPI_CC  = mpicc
MPI_LIBS := $(shell $(MPI_CC) --showme:link 2>/dev/null)
MPI_INCLUDE := $(shell $(MPI_CC) --showme:compile 2>/dev/null)
MPI    := $(if $(MPI_LIBS),$(if $(call have,mpi.h,$(MPI_INCLUDE) $(MPI_LIBS)),1,0),0)
LIBPB   = $(if $(filter 1,$(ONNX)),-lprotobuf-c)
WITH_PB = $(if $(filter 1,$(ONNX)),-DNGC_ONNX)
LIBZ    = $(if $(filter 1,$(ZLIB)),-lz)
WITH_Z  = $(if $(filter 1,$(ZLIB)),-DNGRT_ZLIB)
LIBS    = $(if $(filter openblas,$(BLAS)),-lopenblas) $(LIBZ) -lm -lpthread

NGC_C   = $(filter-out compiler/tool/embed.c $(if $(filter 0,$(ONNX)),compiler/onnx/%),$(wildcard compiler/*/*.c))
NGC_O   = $(patsubst %.c,$(B)/%.o,$(notdir $(NGC_C))) $(B)/ng.tab.o $(B)/ng.lex.o $(B)/texts.o $(B)/rt_ngrt_random.o \
          $(if $(filter 1,$(ONNX)),$(B)/format.pb-c.o) \
          $(patsubst %,$(B)/plain_%.o,ngrt_dlinear ngrt_order file prep element numpy safetensors archive weights csv data)
HOST    = 1
RT_C    = $(filter-out runtime/mpi/%,$(if $(filter 0,$(HOST)),$(filter-out %/ngrt_pool.c,$(wildcard runtime/*.c)),$(wildcard runtime/*.c runtime/*/*.c)))
RT_O    = $(patsubst %.c,$(B)/rt_%.o,$(notdir $(RT_C)))
# Loops of the runtime begin on a boundary: where they happen to lie costs small ones up to half of their speed.
ALIGN  := $(if $(call have,stddef.h,-falign-loops=32),-falign-loops=32)
# The same bits in any directory: what debuggers read has no path to it. (A quote cannot be passed on.)
QUOTE   := '
MAP    := $(if $(findstring $(QUOTE),$(CURDIR)),,$(if $(call have,stddef.h,-fdebug-prefix-map=/a=/b),'-fdebug-prefix-map=$(CURDIR)=.'))
STD     = $(MAP) -fno-tree-vectorize -std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700

ifndef V
.SILENT:
endif

all: $(B)/ngc $(B)/libngrt.a $(if $(filter 1,$(MPI)),$(B)/libngrt_mpi.a)

$(B)/ngc: $(B)/main.o $(B)/file.zlib $(B)/libngc.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBZ) $(LIBPB) -lm

# the compiler without its main, for programs of tests too
$(B)/libngc.a: $(filter-out $(B)/main.o,$(NGC_O))
	rm -f $@
	$(AR) rcs $@ $^

$(B)/libngrt.a: $(RT_O)
	rm -f $@
	$(AR) rcs $@ $(RT_O)

$(B)/libngrt_mpi.a: $(B)/rt_ngrt_mpi.o
	rm -f $@
	$(AR) rcs $@ $^

$(B)/rt_ngrt_mpi.o: runtime/mpi/ngrt_mpi.c $(B)/config
	$(CC) $(STD) $(CFLAGS) $(WARN) $(patsubst -I%,-isystem%,$(MPI_INCLUDE)) -fPIC -MMD -MP -c -o $@ $<

define COMPILE # a file of a room of the compiler
$(B)/%.o: $(1)/%.c $(B)/ng.tab.h $(B)/config
	$$(CC) $$(STD) $$(CFLAGS) $$(WARN) $$(WITH_PB) -MMD -MP -Icompiler -I$$(B) -DNGC_LIBS='"$$(strip $$(LIBS))"' $$(if $$(filter driver1 options1,$$*$$(MPI)),-DNGC_MPI_LIBS='"$$(strip $$(MPI_LIBS))"') -c -o $$@ $$<
endef
$(foreach room,$(wildcard compiler/*/),$(eval $(call COMPILE,$(room:/=))))

$(B)/ng.tab.o $(B)/ng.lex.o: $(B)/%.o: $(B)/%.c $(B)/ng.tab.h
	$(CC) $(STD) $(CFLAGS) $(WARN) -MMD -MP -Icompiler -I$(B) -c -o $@ $<

$(B)/format.pb-c.c $(B)/format.pb-c.h &: compiler/onnx/format.proto | $(B)
	protoc-c --c_out=$(B) -Icompiler/onnx format.proto

ifeq ($(ONNX),1) # their header comes before what includes it
$(patsubst compiler/onnx/%.c,$(B)/%.o,$(wildcard compiler/onnx/*.c)) $(B)/import.o $(B)/export.o: $(B)/format.pb-c.h
endif

$(B)/format.pb-c.o: $(B)/format.pb-c.c
	$(CC) $(MAP) $(CFLAGS) -c -o $@ $<

$(B)/texts.o: $(B)/texts.c
	$(CC) $(MAP) $(CFLAGS) -c -o $@ $<

define RUNTIME # a file of a room of the runtime: for its library (rt_), and for ngc and the programs of tests, which link only libc (plain_)
$(B)/rt_%.o: $(1)/%.c $(B)/config
	$$(CC) $$(STD) $$(ALIGN) $$(CFLAGS) $$(WARN) -fPIC -MMD -MP $$(if $$(filter openblas,$$(BLAS)),-DNGRT_CBLAS) $$(WITH_Z) -DNGRT_VERSION='"$$(VERSION)"' -c -o $$@ $$<

$(B)/plain_%.o: $(1)/%.c $(B)/config Makefile
	$$(CC) $$(STD) $$(CFLAGS) $$(WARN) -DNGRT_PLAIN -MMD -MP -c -o $$@ $$<
endef
$(foreach room,runtime $(filter-out runtime/mpi,$(patsubst %/,%,$(wildcard runtime/*/))),$(eval $(call RUNTIME,$(room))))

# takes the place of plain_file.o of libngc.a: with zlib, ngc reads compressed data
$(B)/file.zlib: runtime/host/file.c $(B)/config
	$(CC) $(STD) $(CFLAGS) $(WARN) $(WITH_Z) -MMD -MP -MF $@.d -MT $@ -c -o $@ $<

MADE    = grammars/generated
ifeq ($(wildcard $(MADE)),)
$(B)/ng.tab.c $(B)/ng.tab.h &: grammars/ng.y | $(B)
	bison -d -o $(B)/ng.tab.c grammars/ng.y

$(B)/ng.lex.c: grammars/ng.l | $(B)
	flex -o $@ grammars/ng.l
else # the archive of `make dist` contains them
$(B)/ng.tab.c $(B)/ng.tab.h $(B)/ng.lex.c: $(B)/%: $(MADE)/% | $(B)
	cp $< $@
endif

TEXTS   = prelude=compiler/lang/prelude.ng errors=compiler/tool/errors.txt \
          page=compiler/explain/page/page.html page_style=$(B)/page.css page_script=$(B)/page.js \
          runtime_header=runtime/ngrt.h runtime_math=runtime/ngrt_math.h runtime_float=runtime/ngrt_float.h runtime_double=runtime/ngrt_double.h runtime_vector=runtime/ngrt_vector.h \
          runtime_small=runtime/ngrt_small.h runtime_random=runtime/ngrt_random.c \
          $(foreach t,gemm conv linear order,runtime_$t=runtime/ngrt_$t_real.h)
# the parts of ngc explain's page, in order of use, and smaller: without indentation, comments, and blanks around operators that
# do not occur in texts
FEWER_JS = -e 's/^  *//; /^\/\*.*\*\/$$/d; /^\/\*/,/\*\/$$/d; s/  *\/\* [^*]*\*\/$$//; /^$$/d' -e 's/\<const \([A-Za-z[{]\)/let \1/g' \
          -e 's/ \(=>\|===\|!==\|&&\|||\|[-+<>]=\|[*<>]\) /\1/g; s/; }/}/g; s/) {/){/g; s/\<\(if\|for\|while\) (/\1(/g'
PAGE_JS = lesson math matrix ops folds graph code board plot train lectures jacobians main
$(B)/page.js: $(PAGE_JS:%=compiler/explain/page/%.js) Makefile | $(B)
	cat $(PAGE_JS:%=compiler/explain/page/%.js) | LC_ALL=C sed $(FEWER_JS) > $@.tmp && mv $@.tmp $@

$(B)/page.css: compiler/explain/page/page.css | $(B)
	LC_ALL=C sed 's/^  *//; /^\/\*[^*]*\*\/$$/d; /^$$/d' $< > $@.tmp && mv $@.tmp $@

$(B)/texts.c: $(B)/embed $(foreach t,$(TEXTS),$(lastword $(subst =, ,$(t)))) Makefile
	$(B)/embed $(TEXTS) > $@.tmp && mv $@.tmp $@

$(B)/embed: compiler/tool/embed.c | $(B)
	$(CC) $(CFLAGS) -o $@ $<

# the settings that the objects depend on: rewritten only if they change
$(B)/config: FORCE | $(B)
	@echo '$(CC) $(CFLAGS) $(BLAS) $(ZLIB) $(ONNX) $(MPI) $(HOST)' | cmp -s - $@ || echo '$(CC) $(CFLAGS) $(BLAS) $(ZLIB) $(ONNX) $(MPI) $(HOST)' > $@

$(B):
	mkdir -p $@

# ---- ngc in a web page: the compiler as WebAssembly, an editor from npm, and all of it in one file ----------------------

PLAY    = compiler/play/page
P       = $(B)/play
WASM_C  = $(filter-out compiler/onnx/% compiler/tool/%,$(wildcard compiler/*/*.c)) compiler/tool/compile.c
WASM_RT = $(foreach f,ngrt_random ngrt_dlinear ngrt_order file prep element numpy safetensors archive weights csv data,$(filter %/$f.c,$(RT_C)))
WASM_O  = $(patsubst %.c,$(P)/%.o,$(notdir $(WASM_C))) $(P)/ng.tab.o $(P)/ng.lex.o $(P)/texts.o $(patsubst %.c,$(P)/rt_%.o,$(notdir $(WASM_RT)))
WASM_CC = $(WASM_CLANG) --target=wasm32-wasi $(if $(filter $(WASM_FAST),$(basename $(@F))),-O3,-Oz) -std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -ffunction-sections -fdata-sections -w -MMD -MP
WASM_CLANG = clang
# what the interpreter spends its time in; all else is as small as possible
WASM_FAST = eval op_conv op_linear op_reduce op_arith op_math op_shape op_index
# the stack is below all data, so that one that is too small ends the program; memory has a limit, which calloc obeys
WASM_LD = -mexec-model=reactor -Wl,--gc-sections,--strip-all,-z,stack-size=4194304,--stack-first,--max-memory=536870912 \
          $(foreach f,play play_room play_library play_free,-Wl,--export=$f)
ESBUILD = $(P)/node_modules/.bin/esbuild --bundle --minify --format=iife --target=chrome103,firefox113,safari16.4 --log-level=warning

playground: $(B)/playground.html

# by Chromium, with the lesson pages
gallery: all playground
	python3 examples/gallery.py $(B)/ngc $(B)/gallery.html

# the pictures that are kept in the repository; it also needs PIL, Debian's python3-pil
pictures: all playground
	/usr/bin/python3 examples/pictures.py $(B)/ngc $(B)/playground.html examples/pictures

$(B)/playground.html: $(P)/ngc.wasm $(P)/main.js $(P)/worker.js $(P)/trainer.js $(P)/style.css compiler/explain/page/math.js compiler/explain/page/matrix.js $(PLAY)/join.js $(PLAY)/playground.html LICENSE \
                      examples/README.md grammars/README.md $(wildcard examples/*.ng examples/pictures/*)
	node $(PLAY)/join.js . $(P) $@.tmp && mv $@.tmp $@

$(P)/ngc.wasm: $(WASM_O)
	$(WASM_CLANG) --target=wasm32-wasi $^ $(WASM_LD) -o $@

define WASM_COMPILE # a file of a room
$(P)/$(2)%.o: $(1)/%.c $(B)/ng.tab.h $(P)/tools
	$$(WASM_CC) -DNGRT_PLAIN -Icompiler -I$$(B) -c -o $$@ $$<
endef
$(foreach room,$(sort $(dir $(WASM_C))),$(eval $(call WASM_COMPILE,$(room:/=),)))
$(foreach room,$(sort $(dir $(WASM_RT))),$(eval $(call WASM_COMPILE,$(room:/=),rt_)))

$(P)/ng.tab.o $(P)/ng.lex.o $(P)/texts.o: $(P)/%.o: $(B)/%.c $(B)/ng.tab.h $(P)/tools
	$(WASM_CC) -Icompiler -I$(B) -c -o $@ $<

# the script of the page, with the packages that package-lock.json names; they are kept in $(P)
$(P)/main.js $(P)/worker.js $(P)/trainer.js: $(P)/%.js: $(PLAY)/%.js $(wildcard $(PLAY)/*.js) $(P)/packages
	NODE_PATH=$(P)/node_modules $(ESBUILD) $< --metafile=$(P)/$*.json --outfile=$@
	[ $* != main ] || mv $(P)/main.json $(P)/meta.json

$(P)/packages: $(PLAY)/package.json $(PLAY)/package-lock.json $(P)/tools
	cp $(PLAY)/package.json $(PLAY)/package-lock.json $(P)/
	cd $(P) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || { echo "make: npm could not get the packages of $(PLAY)/package-lock.json" >&2; exit 1; }
	touch $@

$(P)/style.css: compiler/explain/page/page.css $(PLAY)/play.css | $(P)
	cat $^ | sed 's/^  *//; /^\/\*[^*]*\*\/$$/d; /^$$/d' > $@

# the programs that all this needs, or the names of Debian's packages that have them
$(P)/tools: | $(P)
	sh compiler/play/tools.sh $(WASM_CLANG)
	touch $@

$(P):
	mkdir -p $@

# ---- the two commands of the README: from a bare machine to a result --------------------------------------

demo:
	@sh tests/install.sh demo
	@$(MAKE) --no-print-directory all
	@sh examples/demo.sh $(B)/ngc

check:
	@sh tests/install.sh check
	@$(MAKE) --no-print-directory all
	@sh tests/run.sh $(B)/ngc

check-long:
	@sh tests/install.sh long
	@$(MAKE) --no-print-directory all
	@CHECK_LONG=1 sh tests/run.sh $(B)/ngc

bench:
	@sh tests/install.sh bench
	@$(MAKE) --no-print-directory all
	@BUILD=$(abspath $(B)) sh tests/bench/run.sh
	@BUILD=$(abspath $(B)) sh tests/bench/scale.sh
	@/usr/bin/python3 tests/bench/frameworks.py $(B)/ngc
	@/usr/bin/python3 tests/bench/functions.py $(B)/ngc
	@/usr/bin/python3 tests/bench/reach.py $(B)/ngc
	@[ ! -e $(B)/libngrt_mpi.a ] || sh tests/bench/ranks.sh $(B)

coverage:
	@sh tests/install.sh check
	@sh tests/coverage.sh

mutate:
	@sh tests/install.sh check
	@$(MAKE) --no-print-directory all
	@sh tests/mutate.sh

clean:
	rm -rf $(B)

# ---- to install and package --------------------------------------------------------------------------------------

PREFIX  = /usr/local
VERSION := $(shell sed -n 's/^.define NGC_VERSION "\(.*\)"/\1/p' compiler/base/ngc.h)
SEMICOLON = ;
EMPTY   =
LINKS   = $(subst $(EMPTY) $(EMPTY),$(SEMICOLON),$(strip $(LIBS)))
install uninstall: export TO := $(DESTDIR)$(PREFIX)
install uninstall: export PREFIX := $(PREFIX)
# PREFIX quoted for sed, where & has a meaning
SET_UP  = sed -e "s|@PREFIX@|$$(printf '%s' "$$PREFIX" | sed 's/[&|\\]/\\&/g')|g" -e 's|@VERSION@|$(VERSION)|g'
PAGE    = awk -v version=$(VERSION) -f compiler/tool/man.awk
INSTALLED = bin/ngc lib/libngrt.a $(if $(filter 1,$(MPI)),lib/libngrt_mpi.a) include/ngrt.h include/ngrt_math.h include/ngrt_float.h include/ngrt_double.h include/ngrt_vector.h include/ngrt_small.h include/ngrt_host.h include/ngc.hpp lib/pkgconfig/ngrt.pc \
          lib/cmake/ngc/ngc-config.cmake lib/cmake/ngc/ngc-config-version.cmake share/man/man1/ngc.1 share/man/man3/ngrt.3 \
          share/man/man5/ngc-language.5 share/bash-completion/completions/ngc share/zsh/site-functions/_ngc \
          share/fish/vendor_completions.d/ngc.fish $(addprefix share/vim/vimfiles/,$(EDIT_VIM)) $(addprefix share/ngc/vscode/,$(EDIT_CODE))
EDIT_VIM  = syntax/ng.vim ftdetect/ng.vim ftplugin/ng.vim
EDIT_CODE = package.json language-configuration.json ng.tmLanguage.json

# Where Python looks for modules, below PREFIX: as $(PYTHON) says, or as Debian's does.
PYTHON  = python3
PYTHON_DIR = $$($(PYTHON) -c 'import os, sys; p = os.environ["PREFIX"].rstrip("/") + "/lib"; \
    print(next(d[len(p) - 3:] for d in sys.path if d.startswith(p) and d.endswith("-packages")))' 2>/dev/null \
    || echo lib/python3/dist-packages)

install: all
	for d in $(sort $(dir $(INSTALLED))); do mkdir -p "$$TO/$$d" || exit 1; done
	install -m 755 $(B)/ngc "$$TO/bin/ngc"
	install -m 644 $(B)/libngrt.a $(if $(filter 1,$(MPI)),$(B)/libngrt_mpi.a) "$$TO/lib"
	install -m 644 runtime/ngrt.h runtime/ngrt_math.h runtime/ngrt_float.h runtime/ngrt_double.h runtime/ngrt_vector.h runtime/ngrt_small.h runtime/ngrt_host.h runtime/ngc.hpp "$$TO/include"
	$(SET_UP) -e 's|@LIBS@|$(strip $(LIBS))|' runtime/ngrt.pc.in > "$$TO/lib/pkgconfig/ngrt.pc"
	$(SET_UP) -e 's|@LIBS@|$(LINKS)|' compiler/tool/ngc-config.cmake > "$$TO/lib/cmake/ngc/ngc-config.cmake"
	$(SET_UP) compiler/tool/ngc-config-version.cmake > "$$TO/lib/cmake/ngc/ngc-config-version.cmake"
	$(B)/ngc --man > "$$TO/share/man/man1/ngc.1"
	$(PAGE) -v name=ngrt -v section=3 -v what='models of ngc in your own program' runtime/README.md > "$$TO/share/man/man3/ngrt.3"
	$(PAGE) -v name=ngc-language -v section=5 -v what='the language of ngc' grammars/README.md > "$$TO/share/man/man5/ngc-language.5"
	$(B)/ngc --completion=bash > "$$TO/share/bash-completion/completions/ngc"
	$(B)/ngc --completion=zsh > "$$TO/share/zsh/site-functions/_ngc"
	$(B)/ngc --completion=fish > "$$TO/share/fish/vendor_completions.d/ngc.fish"
	for f in $(EDIT_VIM); do install -m 644 grammars/vim/$$f "$$TO/share/vim/vimfiles/$$f"; done
	for f in $(EDIT_CODE); do install -m 644 grammars/vscode/$$f "$$TO/share/ngc/vscode/$$f"; done
	d="$$TO/$(PYTHON_DIR)" && mkdir -p "$$d" && install -m 644 runtime/python/ngc.py "$$d"
	cd "$$TO" && chmod 644 $(filter lib/pkg% lib/cmake% share/%,$(INSTALLED))

uninstall:
	rm -f $(addprefix "$$TO/",$(INSTALLED)) "$$TO/$(PYTHON_DIR)/ngc.py"
	-rmdir "$$TO/lib/cmake/ngc" "$$TO/share/ngc/vscode" "$$TO/share/ngc"

# The files of the repository, or of an unpacked archive, and the generated scanner and parser.
DIST    = ngc-$(VERSION)
dist:
	rm -rf $(B)/$(DIST)
	mkdir -p $(B)/$(DIST)/$(MADE)
	{ git ls-files 2>/dev/null || find $(wildcard LICENSE README.md Makefile) compiler grammars runtime examples tests -type f; } \
	    | tar -cf - -T - | tar -xf - -C $(B)/$(DIST)
	[ -e $(MADE)/ng.lex.c ] || { cd $(B)/$(DIST) && bison -d -l -o $(MADE)/ng.tab.c grammars/ng.y && flex -L -o $(MADE)/ng.lex.c grammars/ng.l; }
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - -C $(B) $(DIST) | gzip -n > $(B)/$(DIST).tar.gz

# A Debian package, in $(B), built with examples/debian.
deb: dist
	cp -R examples/debian $(B)/$(DIST)/debian
	cd $(B)/$(DIST) && dpkg-buildpackage -b -us -uc $(DEBFLAGS)

FORCE:
.PHONY: all playground gallery pictures demo check check-long bench coverage mutate clean install uninstall dist deb FORCE
-include $(wildcard $(B)/*.d) $(wildcard $(P)/*.d)
