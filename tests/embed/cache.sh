# cache.sh - the cached programs of train, eval and predict: ngc never runs a program of another
# user, compiles a damaged one again, and leaves nothing behind; a part of run.sh. The C compiler is
# a script that counts its calls.
mkdir -p "$dir/cache_test/bin" "$dir/cache_test/temp" && cd "$dir/cache_test" || exit 2
chmod 755 "$dir" && chmod 1777 temp
printf 'J = (a - 1)^2\n' >m.ng
printf 'J = (a - 2)^2\n' >other.ng
printf '#include <stdio.h>\nint main(void) { puts("fresh"); return 0; }\n' >fresh.c
printf '#include <stdio.h>\nint main(void) { puts("planted"); return 0; }\n' >planted.c
cc fresh.c -o fresh && cc planted.c -o planted || bad "cache: no programs"
cat >bin/fake <<END
#!/bin/sh
echo x >>$PWD/calls
for a; do last=\$a; done
cp $PWD/fresh "\$last"
END
chmod 755 bin/fake
touch calls && chmod 666 calls

# cached ARGUMENT...: ngc eval m.ng with these words before it, and with the fake compiler
cached() { TMPDIR=$PWD/temp CC=$PWD/bin/fake "$@" "$ngc" eval m.ng; }
# runs COMPILES WHAT COMMAND...: prints the same as the fresh program, compiles COMPILES times, and
# leaves nothing behind
runs() {
    compiles=$1 what=$2
    shift 2
    : >calls
    "$@" >"$dir/got" 2>&1
    status=$?
    found=$(wc -l <calls)
    if [ $status = 0 ] && grep -qx fresh "$dir/got" && ! grep -q planted "$dir/got" &&
        [ "$found" = "$compiles" ]; then
        good
    else
        bad "$what: status $status, compiled $found times, not $compiles"
    fi
    [ -z "$(ls temp)" ] && good || bad "$what: left $(ls temp)"
}
# where: the cached program of m.ng
where() { ls "$1"/m-*; }
own=$PWD/own
use() { env XDG_CACHE_HOME="$own" "$@"; }

runs 1 "the first time" cached use
runs 0 "the second time" cached use
[ "$(ls own/ngc)" = "$(basename "$(where own/ngc)")" ] && good || bad "the cache has $(ls own/ngc)"
[ "$(stat -c %a own/ngc)$(stat -c %a "$(where own/ngc)")" = 700700 ] && good ||
    bad "modes in the cache"
program=$(where own/ngc)
cp "$program" whole
TMPDIR=$PWD/temp CC=$PWD/bin/fake XDG_CACHE_HOME=$own "$ngc" eval other.ng >"$dir/got" 2>&1

# ---- cut off, replaced, damaged ----
for size in 0 1 40 100 4000 $(($(wc -c <whole) - 1)); do
    head -c "$size" whole >cut && chmod 700 cut && mv cut "$program"
    runs 1 "cut to $size bytes" cached use
    cmp -s whole "$program" && good || bad "cut to $size bytes: it is not whole again"
done
cp planted "$program"
runs 1 "replaced by another program" cached use
cp own/ngc/other-* "$program"
runs 1 "replaced by that of another model" cached use
{ cat planted && tail -c 48 whole; } >"$program"
runs 1 "replaced, with the end of the right one" cached use
{ head -c 2000 whole && printf X && tail -c +2002 whole; } >"$program"
runs 1 "a byte is another" cached use
rm "$program" && ln -s "$PWD/planted" "$program"
runs 1 "a link" cached use
rm "$program" && mkfifo "$program" && chmod 700 "$program"
runs 1 "a pipe" cached use
rm "$program" && mkdir "$program"
runs 1 "a directory" cached use
rmdir "$program" && cp whole "$program" && chmod 722 "$program"
runs 1 "others can write to it" cached use
chmod 600 "$program"
runs 1 "it cannot be run" cached use
runs 0 "all is well again" cached use

# ---- what the key depends on ----
sed 's/^cp/:\ncp/' bin/fake >bin/new && chmod 755 bin/new && mv bin/new bin/fake
runs 1 "another compiler of that name" cached use
runs 1 "another place of headers" cached use CPATH=/nowhere
mkdir -p moved/bin moved/lib moved/include
cp "$(dirname "$ngc")/libngrt.a" moved/lib && cp "$top"/runtime/*.h moved/include
version=$("$ngc" --version | sed -n 's/^ngc //p')
cp "$ngc" moved/bin/ngc
runs 1 "ngc of this version" env TMPDIR="$PWD/temp" CC="$PWD/bin/fake" XDG_CACHE_HOME="$own" \
    moved/bin/ngc eval m.ng
LC_ALL=C sed "s/$(echo "$version" | sed 's/\./\\./g')/9${version#?}/g" "$ngc" >moved/bin/ngc
runs 1 "ngc of another version" env TMPDIR="$PWD/temp" CC="$PWD/bin/fake" XDG_CACHE_HOME="$own" \
    moved/bin/ngc eval m.ng
runs 0 "and again" env TMPDIR="$PWD/temp" CC="$PWD/bin/fake" XDG_CACHE_HOME="$own" moved/bin/ngc \
    eval m.ng

# ---- directories that others can change ----
name=$(basename "$program")
# plant DIR: puts another program there, which must not run
plant() { mkdir -p "$1" && cp planted "$1/$name" && chmod 755 "$1" "$1/$name"; }
# refused WHAT CACHE PATTERN: ngc says why, and never runs anything there
refused() {
    runs 1 "$1" cached env XDG_CACHE_HOME="$2"
    grep -q "$3" "$dir/got" && good || bad "$1: no '$3'"
    cp whole "$2/ngc/$name" 2>/dev/null
    runs 1 "$1, again" cached env XDG_CACHE_HOME="$2"
}
plant open/ngc && chmod 777 open/ngc
refused "all can write to the cache" "$PWD/open" 'other users can write to it'
chmod 775 open/ngc
refused "a group can write to the cache" "$PWD/open" 'other users can write to it'
chmod 755 open/ngc && chmod 777 open
refused "all can write above the cache" "$PWD/open" 'other users can write to it'
mkdir -p up && chmod 777 up && plant up/a/b/ngc
refused "all can write far above the cache" "$PWD/up/a/b" "up': other users can write to it"
chmod 1777 up
cp whole "up/a/b/ngc/$name"
: >file
ln -s "$PWD/own/ngc" link
mkdir linked && ln -s "$PWD/own/ngc" linked/ngc
runs 0 "a link of the user's own" cached env XDG_CACHE_HOME="$PWD/linked"
runs 1 "not a directory" cached env XDG_CACHE_HOME="$PWD/file"
runs 1 "a relative name, and no HOME" cached env -u HOME XDG_CACHE_HOME=own
[ ! -e own/ngc/ngc ] && good || bad "a relative name was used"

# ---- no HOME ----
runs 1 "no HOME" cached env -u HOME -u XDG_CACHE_HOME
runs 1 "HOME is empty" cached env -u XDG_CACHE_HOME HOME=
runs 1 "HOME is nowhere" cached env -u XDG_CACHE_HOME HOME=/nowhere/at/all
mkdir home
runs 1 "a new HOME" cached env -u XDG_CACHE_HOME HOME="$PWD/home"
runs 0 "it has the cache" cached env -u XDG_CACHE_HOME HOME="$PWD/home"
[ "$(stat -c %a home/.cache)" = 700 ] && good || bad "mode of .cache"

# ---- directories of other users: only root can make them, and must not run their programs ----
if [ "$(id -u)" = 0 ]; then
    plant theirs/ngc && chown 65534 theirs/ngc "theirs/ngc/$name"
    refused "another user's cache" "$PWD/theirs" 'belongs to another user'
    chown 65534 theirs && chown 0 theirs/ngc "theirs/ngc/$name"
    refused "a cache in another user's directory" "$PWD/theirs" 'belongs to another user'
    plant mine/ngc && chown 65534 "mine/ngc/$name"
    runs 1 "another user's program" cached env XDG_CACHE_HOME="$PWD/mine"
    ln -s "$PWD/own" theirs/link && chown -h 65534 theirs/link
    runs 1 "another user's link" cached env XDG_CACHE_HOME="$PWD/theirs/link"
    mkdir step && ln -s "$PWD/own/ngc" step/ngc && chown -h 65534 step/ngc
    runs 1 "the cache is another user's link" cached env XDG_CACHE_HOME="$PWD/step"
    # what another user could plant if there is no HOME
    for at in /tmp/ngc /tmp/ngc-0 temp/ngc temp/ngc-0; do
        [ -e $at ] && continue
        plant $at && cp planted "$at/m-$(echo "$name" | sed 's/^m-//')" && chown -R 65534 $at
        : >calls
        cached env -u HOME -u XDG_CACHE_HOME >"$dir/got" 2>&1
        grep -qx fresh "$dir/got" && good || bad "a program in $at was run"
        [ "$(ls $at)" = "$name" ] && good || bad "$at was written to"
        rm -rf $at
    done
fi
if [ "$(id -u)" = 0 ] && have setpriv; then
    mkdir nobody && chown 65534 nobody
    as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
    if as "$ngc" --version >/dev/null 2>&1; then
        runs 1 "another user" cached as env XDG_CACHE_HOME="$PWD/nobody"
        runs 0 "another user, again" cached as env XDG_CACHE_HOME="$PWD/nobody"
        runs 1 "root in that user's cache" cached env XDG_CACHE_HOME="$PWD/nobody"
        runs 1 "that user in root's cache" cached as env XDG_CACHE_HOME="$own"
        runs 1 "that user without a HOME" cached as env -u HOME -u XDG_CACHE_HOME
    fi
fi

# ---- compilers that are missing, fail, or are interrupted ----
fails() { # fails STATUS PATTERN CC
    says "$1" "$2" env CC="$3" TMPDIR="$PWD/temp" XDG_CACHE_HOME="$PWD/new" "$ngc" eval m.ng
    [ -z "$(ls temp; ls new/ngc)" ] || bad "CC=$3 left $(ls temp; ls new/ngc)"
}
mkdir new
fails 3 "cannot run the C compiler 'none-such': No such file" none-such
fails 3 "note: .*set CC" none-such
fails 3 "cannot run the C compiler '$PWD': Permission denied" "$PWD"
fails 3 "the C compiler 'false' failed with status 1" false
fails 3 'left no program' true
printf '#!/bin/sh\necho trouble >&2\nkill -9 $$\n' >bin/killed && chmod 755 bin/killed
fails 3 'was ended by signal 9' "$PWD/bin/killed"
fails 3 '^ngc: note: trouble' "$PWD/bin/killed"
printf '#!/bin/sh\necho x >>%s\nsleep 1\n' "$PWD/calls" >bin/slow && chmod 755 bin/slow
: >calls
CC=$PWD/bin/slow TMPDIR=$PWD/temp XDG_CACHE_HOME=$PWD/new "$ngc" eval m.ng >"$dir/got" 2>&1 &
for i in $(seq 100); do [ -s calls ] && break; sleep 0.1; done
kill $! && wait $! 2>/dev/null
[ $? = 143 ] && [ -z "$(ls temp; ls new/ngc)" ] && good ||
    bad "an interrupt leaves $(ls temp; ls new/ngc)"

# ---- several at once ----
rm -rf many && mkdir many
for i in 1 2 3 4 5 6; do
    cached env XDG_CACHE_HOME="$PWD/many" >"many.$i" 2>&1 &
done
wait
[ "$(cat many.? | grep -cx fresh)" = 6 ] && [ \
    "$(ls many/ngc)" = "$(basename "$(where many/ngc)")" ] && good || bad "several at once"

# ---- old programs are removed when one is added ----
cd "$dir/cache_test" || exit 2
own=$PWD/bounded
mkdir -p bounded/ngc && chmod 700 bounded bounded/ngc
key=0123456789abcdef
touch -d '40 days ago' bounded/ngc/month-$key && chmod 700 bounded/ngc/month-$key
touch bounded/ngc/note.txt bounded/ngc/other-0123 # of somebody else: they stay
mkdir bounded/ngc/ngc-AAAAAA bounded/ngc/ngc-BBBBBB && touch bounded/ngc/ngc-AAAAAA/program.c
touch -d '2 days ago' bounded/ngc/ngc-AAAAAA
for i in 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 \
    40 41 42; do
    touch -d "$i hours ago" "bounded/ngc/a-${i}23456789abcdef" "bounded/ngc/b-${i}23456789abcdef"
done
runs 1 "a full cache" cached use
[ "$(ls bounded/ngc | grep -c -e '-................$')" = 64 ] && good ||
    bad "the cache has $(ls bounded/ngc | wc -l) files"
for name in a-4223456789abcdef b-4123456789abcdef month-$key ngc-AAAAAA; do
    [ -e "bounded/ngc/$name" ] && bad "old, but kept: $name" || good
done
for name in a-1023456789abcdef b-4023456789abcdef note.txt other-0123 ngc-BBBBBB; do
    [ -e "bounded/ngc/$name" ] && good || bad "removed: $name"
done
touch -d '29 days ago' "$(where bounded/ngc)"
runs 0 "a use" cached use
[ -n "$(find "$(where bounded/ngc)" -mmin -60)" ] && good || bad "a use is not noted"
for i in 1 2 3 4 5 6 7; do
    truncate -s 60000000 "bounded/ngc/large-${i}123456789abcdef" &&
        touch -d "$i hours ago" "bounded/ngc/large-${i}123456789abcdef"
done
rm "$(where bounded/ngc)"
runs 1 "large programs" cached use
[ "$(ls bounded/ngc | grep -c large)" = 4 ] && good ||
    bad "the cache has $(ls bounded/ngc | grep -c large) large programs"
runs 0 "a small one stays" cached use
