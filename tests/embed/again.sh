# again.sh - the same bits, whoever builds: in another directory, with another umask, locale and
# time zone; a part of run.sh. A few objects of each kind, and an archive of them; CHECK_LONG=1: all
# that make builds.
objects="json.o ng.tab.o texts.o rt_ngrt_random.o rt_element.o plain_element.o"
goal=all
[ "$CHECK_LONG" ] || goal=$(for o in $objects; do echo "$dir/B/$o"; done)

# build_in DIRECTORY UMASK LOCALE ZONE: builds a copy of the tree there
build_in() (
    mkdir -p "$1" && cd "$1" || exit 1
    cp -R "$top/compiler" "$top/grammars" "$top/runtime" "$top/Makefile" . || exit 1
    umask "$2"
    unset MAKEFLAGS
    # shellcheck disable=SC2086
    CCACHE_DISABLE=1 LC_ALL=$3 TZ=$4 make -s CFLAGS='-O0 -g' ${CHECK_LONG:+CFLAGS='-O2 -g'} $(echo "$goal" | sed "s|$dir/B|build|") ||
        exit 1
    [ "$CHECK_LONG" ] || ar rcs build/some.a build/*.o
)
ok "the first build" build_in "$dir/one" 022 C UTC
ok "the second build" build_in "$dir/another place, deeper/two" 077 C.UTF-8 Asia/Tokyo
for file in "$dir"/one/build/*.o "$dir"/one/build/*.a "$dir"/one/build/ngc; do
    [ ! -e "$file" ] ||
        ok "the same bits: $(basename "$file")" cmp "$file" "$dir/another place, deeper/two/build/$(basename "$file")"
done
