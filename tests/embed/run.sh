#!/bin/sh
# run.sh - ngc in other projects' builds: the command line that build tools use, `make install` and
# `make dist`, the recipes and programs of examples/embed built with an installed ngc, models frozen
# into their C, other compilers and word sizes. NGC is the ngc under test; it is installed from its
# own directory.
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
ngc=$NGC
LC_ALL=C NO_COLOR=1 XDG_CACHE_HOME=$dir/cache
export LC_ALL NO_COLOR XDG_CACHE_HOME

bad() {
    failed=$((failed + 1))
    echo "FAIL $*"
    [ -e "$dir/got" ] && head -c 1500 "$dir/got"
}
# ok WHAT COMMAND...: the command must succeed
ok() {
    what=$1
    shift
    if "$@" >"$dir/got" 2>&1; then good; else bad "$what"; fi
}
# says STATUS PATTERN COMMAND...: it must end with this status and print this
says() {
    want=$1 pattern=$2
    shift 2
    "$@" >"$dir/got" 2>&1 </dev/null
    status=$?
    if [ $status = "$want" ] &&
        { [ -z "$pattern" ] || grep -q -e "$pattern" "$dir/got"; }; then good; else bad "$*: status $status, not $want with '$pattern'"; fi
}
have() { # have TOOL: is it installed? If not, says that its checks are left out
    command -v "$1" >/dev/null 2>&1 && return 0
    echo "embed: no $1 here: its checks are left out"
    return 1
}
prefix=$dir/prefix   # where install.sh installs
by_clang=            # the ngc that install.sh has built with clang; none: not in this run
CC=$(cc_with -O0)    # what train, eval and predict compile with
export CC
expected='xor: 0 1 1 0
line: 2.00 x + 1.00' # what the programs of examples/embed say
for part in ${EMBED_PARTS:-cli cache data install editors builds again hosts all object python weights saves metrics firmware cross}; do
    cd "$top/tests/embed" || exit 2
    . ./$part.sh
    group $part
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
