# Makefile - builds build/ngc and build/libngrt.a; `make demo` and `make check` first install what is missing.
#
#   make            the compiler and the runtime          make demo       train the README's model on real images
#   make check      the tests                             make clean
#
# CC, CFLAGS as usual. BLAS=openblas|builtin and ZLIB=1|0 say what the runtime is built with; by default what is there.

CC      = cc
CFLAGS  = -O2 -g
WARN    = -Wall -Wextra -Wconversion -Wno-sign-conversion -Wmissing-prototypes -Wshadow -Wno-missing-field-initializers
B       = build

have    = $(shell printf '\#include <$(1)>\n' | $(CC) -E - >/dev/null 2>&1 && echo 1)
cblas  := $(call have,cblas.h)
BLAS   := $(if $(cblas),openblas,builtin)
ZLIB   := $(if $(call have,zlib.h),1,0)
LIBS    = $(if $(filter openblas,$(BLAS)),-lopenblas) $(if $(filter 1,$(ZLIB)),-lz) -lm -lpthread

NGC_C   = $(filter-out compiler/embed.c,$(wildcard compiler/*.c))
NGC_O   = $(NGC_C:compiler/%.c=$(B)/%.o) $(B)/ng.tab.o $(B)/ng.lex.o $(B)/texts.o $(B)/rt_ngrt_random.o $(B)/plain_ngrt_linear.o
RT_C    = $(wildcard runtime/*.c)
RT_O    = $(RT_C:runtime/%.c=$(B)/rt_%.o)
STD     = -std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700

all: $(B)/ngc $(B)/libngrt.a

$(B)/ngc: $(NGC_O)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(NGC_O) -lm

$(B)/libngrt.a: $(RT_O)
	rm -f $@
	$(AR) rcs $@ $(RT_O)

$(B)/%.o: compiler/%.c $(B)/ng.tab.h $(B)/config
	$(CC) $(STD) $(CFLAGS) $(WARN) -MMD -MP -Icompiler -I$(B) -DNGC_LIBS='"$(strip $(LIBS))"' -c -o $@ $<

$(B)/ng.tab.o $(B)/ng.lex.o: $(B)/%.o: $(B)/%.c $(B)/ng.tab.h
	$(CC) $(STD) $(CFLAGS) $(WARN) -MMD -MP -Icompiler -I$(B) -c -o $@ $<

$(B)/texts.o: $(B)/texts.c
	$(CC) $(CFLAGS) -c -o $@ $<

$(B)/rt_%.o: runtime/%.c $(B)/config
	$(CC) $(STD) $(CFLAGS) $(WARN) -fPIC -MMD -MP $(if $(filter openblas,$(BLAS)),-DNGRT_CBLAS) $(if $(filter 1,$(ZLIB)),-DNGRT_ZLIB) -c -o $@ $<

# for ngc itself, which links libc alone
$(B)/plain_%.o: runtime/%.c $(B)/config
	$(CC) $(STD) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

$(B)/ng.tab.c $(B)/ng.tab.h &: grammars/ng.y | $(B)
	bison -d -o $(B)/ng.tab.c grammars/ng.y

$(B)/ng.lex.c: grammars/ng.l | $(B)
	flex -o $@ grammars/ng.l

TEXTS   = prelude=compiler/prelude.ng errors=compiler/errors.txt runtime_math=runtime/ngrt_math.h runtime_gemm=runtime/ngrt_gemm.c \
          runtime_random=runtime/ngrt_random.c runtime_linear=runtime/ngrt_linear.c runtime_header=runtime/ngrt.h
$(B)/texts.c: $(B)/embed $(foreach t,$(TEXTS),$(lastword $(subst =, ,$(t))))
	$(B)/embed $(TEXTS) > $@.tmp && mv $@.tmp $@

$(B)/embed: compiler/embed.c | $(B)
	$(CC) $(CFLAGS) -o $@ $<

# what the objects depend on besides sources: rewritten only when it changes
$(B)/config: FORCE | $(B)
	@echo '$(CC) $(CFLAGS) $(BLAS) $(ZLIB)' | cmp -s - $@ || echo '$(CC) $(CFLAGS) $(BLAS) $(ZLIB)' > $@

$(B):
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

clean:
	rm -rf $(B)

FORCE:
.PHONY: all demo check clean FORCE
-include $(wildcard $(B)/*.d)
