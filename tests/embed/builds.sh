# builds.sh - the recipes of examples/embed with the installed ngc: they build, do nothing if
# nothing has changed, and run ngc once if an imported file has changed; a part of run.sh.
# The paths of ngc and of the project have blanks. (Ninja splits the names in depfiles, gcc's too,
# at quotes and ampersands.)
blanks="$dir/a prefix"
ok "make install where there are blanks" make -C "$top" -o all install B="$(dirname "$ngc")" \
    PREFIX="$blanks" DESTDIR=
PATH=$blanks/bin:$PATH PKG_CONFIG_PATH=$blanks/lib/pkgconfig
export PATH PKG_CONFIG_PATH

# recipe NAME WORKED IDLE BUILD...: WORKED is what a build prints when it runs ngc, IDLE what it
# prints if there is nothing to do
recipe() {
    name=$1 program=$2 worked=$3 idle=$4
    shift 4
    ok "$name builds" "$@"
    [ "$(./"$program")" = "$expected" ] && good || bad "$name: $(./"$program")"
    says 0 "$idle" "$@"
    grep -q -e "$worked" "$dir/got" && bad "$name ran ngc for nothing" || good
    sleep 0.1
    touch layers.ng
    says 0 "$worked" "$@"
    [ "$(grep -c -e "$worked" "$dir/got")" = 1 ] && good || bad "$name: ngc ran other than once"
    says 0 "$idle" "$@"
    grep -q -e "$worked" "$dir/got" && bad "$name ran ngc for nothing after the change" || good
}
copy() { rm -rf "$dir/a project, $1" && cp -R "$top/examples/embed" "$dir/a project, $1" && cd "$dir/a project, $1" || exit 2; }

if have pkg-config; then
    copy make
    recipe make program 'ngc -MD' 'up to date' make
    rm layers.ng && printf 'def hidden(x, n) = dense(x, n)\n' >other.ng &&
        sed -i 's/layers/other/' gate.ng
    ok "an imported file that is gone" make
fi
if have cmake; then
    copy cmake
    ok "cmake configures" cmake -B c1 -DCMAKE_PREFIX_PATH="$blanks" \
        -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
    recipe "CMake, make" c1/program 'Compiling model' 'Built target' cmake --build c1
    says 0 '^line: 2.00 x + 1.00' c1/host
    # level DIRECTORY WANT: the levels in the command that compiles a model
    level() {
        found=$(grep '"command".*/gate\.c' "$1/compile_commands.json" | grep -o -e ' -O[^ ]*' |
            tr -d '\n')
        [ "$found" = "$2" ] && good || bad "CMake in $1 compiles a model with '$found', not '$2'"
    }
    level c1 ' -O2'
    ok "cmake for debugging" cmake -B c3 -DCMAKE_PREFIX_PATH="$blanks" \
        -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_BUILD_TYPE=Debug
    level c3 ''
    ok "cmake for release" cmake c3 -DCMAKE_BUILD_TYPE=Release
    level c3 ' -O3'
    ok "cmake, no type again" cmake c3 -DCMAKE_BUILD_TYPE=
    level c3 ' -O2'
    sed -i 's/^add_ngc_model(gate/add_compile_options(-O1)\n&/' CMakeLists.txt
    ok "cmake, options of the directory" cmake c3
    level c3 ' -O2 -O1'
    ok "cmake, flags of the user" cmake c3 -DCMAKE_C_FLAGS="-g -O0"
    level c3 ' -O0 -O1'
    sed -i '/add_compile_options/d; s/VERSION 3.20/VERSION 3.10/' CMakeLists.txt
    ok "cmake, the policies of an older project" cmake -B c0 -DCMAKE_PREFIX_PATH="$blanks" \
        -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
    level c0 ' -O2'
    sed -i 's/VERSION 3.10/VERSION 3.20/' CMakeLists.txt
    if have ninja; then
        ok "cmake configures for ninja" cmake -G Ninja -B c2 -DCMAKE_PREFIX_PATH="$blanks"
        recipe "CMake, Ninja" c2/program 'Compiling model' 'no work to do' cmake --build c2
    fi
fi
if have meson && have ninja; then
    copy meson
    ok "meson configures" meson setup m1
    recipe Meson m1/program 'Generating gate' 'no work to do' ninja -C m1
fi
