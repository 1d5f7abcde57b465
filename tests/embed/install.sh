# install.sh - make install, uninstall and dist; the manual pages and the completions; a part of
# run.sh. `-o all`: it installs the ngc under test and does not rebuild it.
build=$(dirname "$ngc")
cd "$dir" || exit 2
ok "make install" make -C "$top" -o all install B="$build" PREFIX="$prefix" DESTDIR=
ok "make install with DESTDIR" make -C "$top" -o all install B="$build" PREFIX=/usr \
    DESTDIR="$dir/root"
(cd "$prefix" && find . -type f | sort) >in.prefix
(cd "$dir/root/usr" && find . -type f | sort) >in.root
files=26
[ -e "$build/libngrt_mpi.a" ] && files=27
[ "$(wc -l <in.prefix)" = $files ] && cmp in.prefix in.root && good || bad "what is installed"
grep -rlI "$dir" "$dir/root" >"$dir/got" && bad "DESTDIR is in a file" || good
# a Python that looks into PREFIX gets the module there
mkdir -p "$dir/snake/lib/python3.9/site-packages" "$dir/snake/bin"
printf '#!/bin/sh\nPYTHONPATH=%s exec python3 "$@"\n' "$dir/snake/lib/python3.9/site-packages" \
    >"$dir/snake/bin/python" && chmod +x "$dir/snake/bin/python"
if have python3; then
    ok "make install for a Python" make -C "$top" -o all install B="$build" PREFIX="$dir/snake" \
        DESTDIR= PYTHON="$dir/snake/bin/python"
    [ -e "$dir/snake/lib/python3.9/site-packages/ngc.py" ] && good ||
        bad "ngc.py is not where Python looks"
    ok "make uninstall for a Python" make -C "$top" uninstall B="$build" PREFIX="$dir/snake" \
        DESTDIR= PYTHON="$dir/snake/bin/python"
    [ -z "$(find "$dir/snake/lib" -type f)" ] && good || bad "ngc.py is left"
fi
[ "$(stat -c %a "$prefix/share/man/man1/ngc.1" "$prefix/bin/ngc" | tr '\n' ' ')" = '644 755 ' ] &&
    good || bad modes
ok "make install where names are awkward" make -C "$top" -o all install B="$build" \
    PREFIX="/it's a & b" DESTDIR="$dir/root"
grep -q "^prefix=/it's a & b$" "$dir/root/it's a & b/lib/pkgconfig/ngrt.pc" && good || bad ngrt.pc
ok "make uninstall where names are awkward" make -C "$top" uninstall B="$build" \
    PREFIX="/it's a & b" DESTDIR="$dir/root"
ok "make uninstall" make -C "$top" uninstall B="$build" PREFIX=/usr DESTDIR="$dir/root"
[ -z "$(find "$dir/root" -type f)" ] && good || bad "files are left"
# the installed ngc finds the runtime
awk 'BEGIN { for (i = 0; i < 60; i++) printf "%g,%g,%d\n", i % 3, 1, i % 3 == 1 }' >table.csv
printf 'dim m <= 20\ninput x[m, 2], t[m]\nz = dense(x, 1)[:, 0]\nminimize J = bce_logits(z, t) with sgd(lr = 0.1)\n' >t.ng
says 0 '^J: ' env -u CC "$prefix/bin/ngc" train t.ng --data table.csv --epochs 2 --quiet

if have man; then
    for page in man1/ngc.1 man3/ngrt.3 man5/ngc-language.5; do
        ok "$page" man --warnings=all -l "$prefix/share/man/$page"
        man --warnings=w -l "$prefix/share/man/$page" 2>&1 >/dev/null |
            grep -v "cannot adjust\|cannot break\|'u0302'" >"$dir/got"
        [ -s "$dir/got" ] && bad "$page" || good
    done
    says 0 '--standin-name\|--stdin-name' man -l "$prefix/share/man/man1/ngc.1"
    says 0 'softmax' man -l "$prefix/share/man/man5/ngc-language.5"
fi
"$ngc" --help >"$dir/help"
for option in $("$ngc" --man | sed -n 's/^\.B \\-\\-*\([a-z-]*\).*/\1/p' | tr -d '\\'); do
    grep -q -e "-$option" "$dir/help" && good || bad "--help has no $option"
    for shell in bash zsh fish; do
        "$ngc" --completion=$shell | grep -q -e "[ '*-]$option[ =+[-]" && good ||
            bad "--completion=$shell has no $option"
    done
done

cat >complete.bash <<'SH'
. "$1"
complete_words() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=(); compopt() { :; }; _ngc; echo "${COMPREPLY[*]}"; }
[ "$(complete_words ngc tr)" = train ] || exit 1
[[ " $(complete_words ngc --stan) " == *" --standalone "* ]] || exit 1
[ "$(complete_words ngc --real = d)" = double ] || exit 1
[ "$(complete_words ngc -Wno-z)" = -Wno-zero-gradient ] || exit 1
mkdir names && cd names && touch 'a b.ng' 'a b.onnx' '*' 'data 1.csv' && mkdir 'a c' || exit 1
[ "$(IFS=:; complete_words ngc run a)" = "a b.ng:a c" ] || exit 1
[ "$(IFS=:; complete_words ngc import a)" = "a b.onnx:a c" ] || exit 1
[ "$(complete_words ngc train m.ng --data d)" = "data 1.csv" ] || exit 1
[ "$(complete_words ngc train m.ng --save = '*')" = "*" ] || exit 1
[ "$(complete_words ngc train m.ng --data x = d)" = "data 1.csv" ] || exit 1
SH
have bash && ok "completion for bash" bash complete.bash \
    "$prefix/share/bash-completion/completions/ngc"
if have zsh; then
    ok "completion for zsh" zsh -n "$prefix/share/zsh/site-functions/_ngc"
    says 0 '' zsh -f -c "fpath=($prefix/share/zsh/site-functions \$fpath); autoload -U compinit; compinit -D -d $dir/dump; (( \$+_comps[ngc] ))"
fi
if have fish; then
    says 0 '^--standalone' fish --no-config \
        -c "source $prefix/share/fish/vendor_completions.d/ngc.fish; complete -C 'ngc --stan'"
    says 0 '^--real=double' fish --no-config \
        -c "source $prefix/share/fish/vendor_completions.d/ngc.fish; complete -C 'ngc --real=d'"
fi

# ---- the archive, built without Flex and Bison, by clang (see hosts.sh); or from it the Debian
# package; or, as both take long, in every second run only what Flex and Bison would make ----
mkdir src && cp -R "$top/Makefile" "$top/LICENSE" "$top/README.md" "$top/compiler" "$top/grammars" \
    "$top/runtime" src
mkdir -p src/examples/embed src/tests && cp -R "$top/examples/debian" src/examples &&
    cp "$top/examples/lenet.ng" src/examples && echo x >src/tests/x
cp "$top"/examples/embed/*.* src/examples/embed
ok "make dist" make -C src dist B="$dir/dist"
ok "make dist again" make -C src dist B="$dir/dist2"
cmp "$dir"/dist/ngc-*.tar.gz "$dir"/dist2/ngc-*.tar.gz && good || bad "two archives differ"
mkdir unpacked && gzip -dc "$dir"/dist/ngc-*.tar.gz | (cd unpacked && tar -xf -)
mkdir nothing
for tool in flex bison; do printf '#!/bin/sh\nexit 1\n' >nothing/$tool && chmod +x nothing/$tool; done
have clang && printf '#!/bin/sh\nexec clang "$@"\n' >nothing/cc && chmod +x nothing/cc
cd unpacked/ngc-* || exit 2
built=
if in_share 4 2 && have dpkg-buildpackage; then
    # -d: its build tools need not be packages; with quick options, because its programs are tested
    # elsewhere
    PATH=$dir/nothing:$PATH DEB_CFLAGS_SET=-O0 DEB_CPPFLAGS_SET= DEB_BUILD_OPTIONS=parallel=2 ok \
        "make deb" make deb DEBFLAGS='-d -j2'
    deb=$(ls build/ngc_*_*.deb) && ok "dpkg-deb" dpkg-deb -x "$deb" "$dir/deb"
    [ "$("$dir/deb/usr/bin/ngc" --version | head -n 1)" = "ngc $(dpkg-deb -f "$deb" Version)" ] &&
        good || bad "the package's version"
    says 0 'libc6.*libopenblas-dev, zlib1g-dev' dpkg-deb -f "$deb" Depends
    (cd "$dir/deb" && find usr -type f | grep -v usr/share/doc | sed 's/^usr//; s/\.gz$//' |
        sort) >in.deb
    sed 's/^\.//' "$dir/in.prefix" | cmp - in.deb && good ||
        bad "the package has other files than make install"
    says 0 'root/root.*usr/share/man/man1/ngc.1.gz' dpkg-deb -c "$deb"
    built=$dir/deb/usr/bin/ngc
elif in_share 2 0; then
    PATH=$dir/nothing:$PATH ok "the archive builds without Flex and Bison" make -j2 CFLAGS=-O0
    built=$PWD/build/ngc
else
    PATH=$dir/nothing:$PATH ok "the archive builds the parser without Flex and Bison" \
        make CFLAGS=-O0 build/ng.tab.o build/ng.lex.o
    by_clang=none
fi
[ -z "$built" ] || says 0 'J = 22' "$built" run -e '2*(a*b + c)' a=3 b=2 c=5
[ -n "$built" ] && [ -e "$dir/nothing/cc" ] && by_clang=$built
cd "$dir" || exit 2
