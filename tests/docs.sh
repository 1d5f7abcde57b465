#!/bin/sh
# docs.sh - runs the examples in the READMEs: compiles their models and compares the output with
# what the READMEs print.
#
#     sh tests/docs.sh [--accept] [README.md ...]      from anywhere; needs a built tree; NGC is the ngc to test
#
# The words after the first ``` of a block say what is done with it:
#     ng                     a model: ngc compiles it without a warning
#     ng run a=3 b=2         ngc run prints the lines of the ```out block that comes next, if one does
#     ng check               ngc check finds its derivatives right
#     ng error NG0301        ngc refuses it with this error; ```out is the whole message
#     ng warning NG0506      ngc compiles it with this warning; ```out is the whole message
#     sh test                commands that succeed; ```out is what they print
# file=NAME after any of these, or after c or python, writes the block to the file NAME for later
# blocks of the same README. All blocks of a README run in one directory with links to the files of
# the top directory. Numbers may differ in the ninth digit. In the commands, PYTHON is a Python with
# NumPy; where there is none, a README that needs it is not run. The manual of the language must
# have every function of the library and every code of a message. --accept writes the actual output
# into the ```out blocks: read the diff.
set -uf
cd "$(dirname "$0")/.." || exit 2
. tests/suite.sh
ngc=$NGC accept=0
train_cc=$(cc_with -O1) # what ngc train of a README compiles with
mkdir "$dir/quick" && printf '#!/bin/sh\nPATH="%s" exec %s "$@" -O0\n' "$PATH" "$(command -v cc)" \
    >"$dir/quick/cc" &&
    chmod +x "$dir/quick/cc" || exit 2
python=$(find_numpy)
[ "${1-}" = --accept ] && accept=1 && shift

# Splits a README into blocks: NUMBER.info, .line, .text, and .want for an ```out that follows.
split_blocks() {
    awk -v dir="$1" '
        /^```/ && !inside {
            inside = 1
            info = substr($0, 4)
            if (info == "out") {
                file = last ? dir "/" last ".want" : "/dev/null"
                last = 0
            } else {
                file = dir "/" ++count ".text"
                last = info ~ /^ng( |$)|^sh test/ ? count : 0
                print info > (dir "/" count ".info")
                print NR > (dir "/" count ".line")
            }
            printf "" > file
            next
        }
        /^```/ { inside = 0; close(file); next }
        inside { print > file; next }
        END { if (inside) { print "a block is not closed"; exit 1 } }' "$2"
}

# Prints the README with the actual output in its ```out blocks.
fill_blocks() {
    awk -v dir="$1" '
        /^```/ && !inside {
            inside = 1
            print
            if ($0 != "```out") {
                count++
                if ($0 ~ /^```(ng( |$)|sh test)/)
                    last = count
            } else if (last) {
                while ((getline line < (dir "/" last ".got")) > 0)
                    print line
                skip = 1
                last = 0
            }
            next
        }
        /^```/ { inside = skip = 0 }
        !skip { print }' "$2"
}

# Are two texts the same, except for the last digits of numbers?
same() {
    cmp -s "$1" "$2" || awk '
        function words(file,   n, i, part, line) {
            text = ""
            while ((getline line < file) > 0)
                text = text " " line " \n "
            gsub(/[][,=()]/, " & ", text)
            return text
        }
        BEGIN {
            n = split(words(ARGV[1]), a, /[ \t]+/)
            m = split(words(ARGV[2]), b, /[ \t]+/)
            for (i = 1; i <= n && n == m; i++) {
                if (a[i] == b[i])
                    continue
                number = "^-?[0-9.]+(e[-+][0-9]+)?$"
                d = a[i] - b[i]
                s = a[i] < 0 ? -a[i] : a[i] + 0
                if (a[i] !~ number || b[i] !~ number || d > 1e-8 * s + 1e-12 || -d > 1e-8 * s + 1e-12)
                    exit 1
            }
            exit n != m
        }' "$1" "$2"
}

# Of four blocks that compile, one in turn does it as it says, the others without the optimizer.
path_of_block() {
    if grep -q '^cc ' "$blocks/$n.text" && ! in_share 4 "$n"; then
        echo "$dir/quick:$PATH"
    else
        echo "$PATH"
    fi
}

# Runs block $n, with its output in $dir/out and $dir/err, and returns its status. A model is in the
# file $name.
run_block() {
    case $1 in
    run) shift; "$ngc" run "$name" "$@" ;;
    check) "$ngc" check "$name" ;;
    sh) PATH=$(path_of_block) NGC=$ngc PYTHON=$python CC=$train_cc XDG_CACHE_HOME=$dir sh -e "$blocks/$n.text" ;;
    *) "$ngc" "$name" -o - ;;
    esac >"$dir/out" 2>"$dir/err"
}

fail() {
    echo "FAIL $doc:$(cat "$blocks/$n.line"): $*"
    bad=1
}

# check_block KIND ARGUMENTS: runs block $n and checks that it does what its README says.
check_block() {
    bad=0
    run_block "$@"
    status=$?
    shown=$dir/out
    case $1 in
    error | warning)
        shown=$dir/err
        grep -q "$1: .*\[$2[],]" "$dir/err" || fail "no $1 $2"
        [ $status = "$([ "$1" = error ] && echo 1 || echo 0)" ] || fail "status $status"
        ;;
    *)
        [ $status = 0 ] || fail "status $status"
        grep -q 'warning:' "$dir/err" && [ "$1" != sh ] && fail "a warning"
        ;;
    esac
    [ $bad = 1 ] && sed -n 1,8p "$dir/err"
    if [ -e "$blocks/$n.want" ]; then
        cp "$shown" "$blocks/$n.got"
        [ $accept = 1 ] || same "$blocks/$n.want" "$shown" || {
            fail "other output"
            diff "$blocks/$n.want" "$shown" | sed -n 1,12p
        }
    fi
    if [ $bad = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# The manual has every function of the library and every code of a message.
check_manual() {
    manual=grammars/README.md
    functions "$(dirname "$ngc")" >"$dir/functions" ||
        { failed=$((failed + 1)); echo "FAIL functions.c"; }
    {
        sed 's/ .*//' "$dir/functions"
        sed -n 's/^def \([A-Za-z][A-Za-z_0-9]*\)(.*/\1/p' compiler/lang/prelude.ng
        sed -n 's/^    {"\([a-z][a-z_0-9]*\)", "[a-z].*/\1/p' compiler/lang/builtin.c
    } >"$dir/names"
    for name in $(cat "$dir/names"); do
        if grep -q "\`$name(" $manual; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL $manual: no $name(...)"
        fi
    done
    for code in $(sed -n 's/^    ERR_[A-Z_]* = \([0-9]*\),.*/\1/p' compiler/base/errors.h); do
        code=$(printf NG%04d "$code")
        if grep -q "$code" $manual; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL $manual: no $code"
        fi
    done
}

# Each code of a message has a name in errors.h, a page in errors.txt, and a use.
check_errors() {
    sed -n 's/^    \(ERR_[A-Z_]*\) = \([0-9]*\),.*/\1 \2/p' compiler/base/errors.h >"$dir/codes"
    while read -r name code; do
        code=$(printf NG%04d "$code")
        if ! grep -q "^$code " compiler/tool/errors.txt; then
            failed=$((failed + 1)); echo "FAIL compiler/tool/errors.txt: no page for $name, $code"
        elif ! grep -rqw --include='*.[cyl]' "$name" compiler grammars; then
            failed=$((failed + 1)); echo "FAIL compiler/base/errors.h: nothing uses $name"
        else
            passed=$((passed + 1))
        fi
    done <"$dir/codes"
    if [ "$(grep -c '^NG[0-9]' compiler/tool/errors.txt)" = "$(wc -l <"$dir/codes")" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL compiler/tool/errors.txt: a page for a code that is not in errors.h"
    fi
    bare=$(grep -rnE '(lower_error\(L|SEV_[A-Z]+|warn\([^"]*"[a-z-]+"), [0-9]' compiler grammars)
    if [ -z "$bare" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL a code by its number: $bare"
    fi
}

# The table of the trainer's options is that of runtime/trainer/trainer_options.h.
check_trainer() {
    cat >"$dir/options.c" <<'EOF'
#include <stdio.h>
#include "trainer_options.h"
#define FORM_NO_VALUE(name, metavar) name
#define FORM_VALUE(name, metavar) name " " metavar
#define FORM_MAY_FOLLOW(name, metavar) name "[=" metavar "]"
#define ROW(name, kind, commands, value, metavar, help) puts("| `" FORM_##value(name, metavar) "` | " help " |");
int main(void)
{
    TRAINER_OPTIONS(ROW)
    TRAINER_OPTIONS_OF_NGC(ROW)
    return 0;
}
EOF
    cc -Iruntime/trainer "$dir/options.c" -o "$dir/options" && "$dir/options" >"$dir/want"
    sed -n '/^| option | meaning |/,/^| `NAME=value`/p' runtime/README.md |
        sed '1,2d;$d' >"$dir/got"
    if [ -s "$dir/want" ] && diff "$dir/want" "$dir/got"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL runtime/README.md: the table of options is not that of runtime/trainer/trainer_options.h"
    fi
}

[ $# = 0 ] && { check_manual; check_errors; check_trainer; }
[ $# = 0 ] &&
    set -- $(find . -name README.md -not -path './build/*' -not -path './.git/*' |
    sed 's|^\./||' | sort)
for doc; do
    if [ -z "$python" ] && grep -q '\$PYTHON' "$doc"; then
        echo "$doc: not run, as no python3 here has NumPy"
        continue
    fi
    blocks=$dir/blocks
    rm -rf "$blocks" "$dir/work"
    mkdir "$blocks" "$dir/work"
    n=0
    split_blocks "$blocks" "$doc" >"$dir/out" ||
        { echo "FAIL $doc: $(cat "$dir/out")"; failed=$((failed + 1)); }
    cd "$dir/work" || exit 2
    for entry in $(ls "$top"); do ln -s "$top/$entry" "$entry"; done
    while n=$((n + 1)) && [ -e "$blocks/$n.info" ]; do
        kind= arguments= name=model.ng
        for word in $(cat "$blocks/$n.info"); do
            case $word in
            file=*) name=${word#file=} ;;
            *) if [ -z "$kind" ]; then kind=$word; else arguments="$arguments $word"; fi ;;
            esac
        done
        case $kind in
        ng) cp "$blocks/$n.text" "$name" && check_block ${arguments:-compile} ;;
        sh) [ "$arguments" = " test" ] && check_block sh ;;
        c | python) [ "$name" = model.ng ] || cp "$blocks/$n.text" "$name" ;;
        esac
    done
    cd "$top" || exit 2
    group "$doc"
    if [ $accept = 1 ]; then
        fill_blocks "$blocks" "$doc" >"$dir/filled" &&
            { cmp -s "$dir/filled" "$doc" || cat "$dir/filled" >"$doc"; }
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
