#!/bin/sh
# run.sh - the playground: the answer that the page gets for a text is what the command line prints,
# natively in each run; the page itself (WebAssembly, an editor from npm) in one run of three,
# because its build takes longest. Then random edits, and the page in Chromium, and in one run of
# nine in Firefox. `sh tests/play/run.sh page` does all of that.
#
# A page that cannot be built, or a browser that is missing, is a failure.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/suite.sh
[ "${1-}" = page ] && CHECK_LONG=1

# ---- the same as the command line ----

ALL=31 # PLAY_LESSON to PLAY_CHECK
native="$dir/native"
check "native.c is compiled" cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 \
    -Icompiler tests/play/native.c "$build/libngc.a" -lm -o "$native"

count() { # count COMMAND...: a program whose last line is "N passed, N failed"
    "$@" >"$dir/page" 2>&1
    sed '/^[0-9]* passed, [0-9]* failed$/d' "$dir/page" | head -60
    set -- $(tail -1 "$dir/page" | grep -E '^[0-9]+ passed, [0-9]+ failed$' ||
        echo "0 passed, 1 failed")
    passed=$((passed + $1)) failed=$((failed + $3))
}

# Models of lesson size, and models with errors and warnings.
number=0
for model in examples/*.ng tests/explain/loop.ng tests/explain/given.ng tests/err/*.ng tests/err/warn/*.ng; do
    number=$((number + 1))
    grep -q '^import' "$model" && continue # a page has no files
    case $model in
    *char_* | *resnet* | *lenet* | *fashion* | *autoencoder* | *gan* | *regularised* | *vectorised* | *digits* | *series* | *mirror*) continue ;;
    *net_221* | *given*) ;;
    *) in_share 6 $number || continue ;;
    esac
    echo "$model"
done >"$dir/models"
echo "tests/explain/chain.ng a=3 b=2 c=5" >>"$dir/models"
count python3 tests/play/same.py "$NGC" $ALL "$native" <"$dir/models"
printf 'input x[3000] = 1\na = x[:, new]*x\noutput y = a @ a\n' >"$dir/large.ng"
"$native" "$dir/large.ng" $ALL >"$dir/answer"
check "a large model is refused with its cost" grep \
    -q '"the model is not computed here: it would take about [0-9.e+]* operations; give smaller sizes"' "$dir/answer"
printf 'input x[200, 200] = 1\nparam W[200, 200] = 1\nminimize J = mean((x @ W)^2) with sgd(0.1)\n' >"$dir/slow.ng"
"$native" "$dir/slow.ng" 16 >"$dir/answer"
check "so is its check" grep -q '"the check is not computed here: it would take about' "$dir/answer"
"$native" examples/net_221.ng $ALL zz=3 >"$dir/answer"
check "a value without an input" grep -q "the model has no 'zz'" "$dir/answer"
group "the same as the command line"

# Models in JavaScript: one of each kind, and a share of the others.
set -- examples/net_221.ng examples/spiral.ng examples/regularised.ng tests/emit/models/conv.ng \
    tests/explain/every_op.ng tests/explain/loop*.ng
number=0
for model in tests/emit/models/*.ng examples/*.ng; do
    number=$((number + 1))
    case $model in *char_* | *resnet* | *lenet* | *fashion* | *autoencoder* | *vectorised* | *digits* | *net_221* | *spiral* | *regularised*) continue ;; esac
    in_share 6 $number && set -- "$@" "$model"
done
count node tests/play/program.js "$native" compiler/explain/page "$@"
group "models in JavaScript"

# All parts of an answer under the sanitizers, which also find what is not freed.
if [ "$CHECK_LONG" ]; then
    flags="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
    check "a sanitized ngc" make --no-print-directory B="$dir/san" CC=clang CFLAGS="$flags" \
        "$dir/san/libngc.a"
    # shellcheck disable=SC2086
    check "native.c with it" clang $flags -std=c11 -D_POSIX_C_SOURCE=200809L \
        -Icompiler tests/play/native.c "$dir/san/libngc.a" -lm -o "$dir/sanitized"
    for model in examples/*.ng tests/emit/models/*.ng tests/err/*.ng tests/explain/*.ng; do
        case $model in *char_* | *resnet* | *lenet* | *vectorised* | *series* | *mirror* | *autoencoder* | *fashion* | *blocks*) continue ;; esac
        check "$model under the sanitizers" "$dir/sanitized" "$model" 47
    done
    group "under the sanitizers"
fi

# ---- the page ----

count node tests/play/texts.js .
group "texts in all languages"

if in_share 3 2; then
    check "make playground" make --no-print-directory B="$build" playground
    page=$build/playground.html
    check "the page has at most 1.5 MB" test "$(wc -c <"$page")" -le 1500000
    check "it names no other address that it would load" sh \
        -c '! grep -oE "(src|href)=\"?(https?:)?//[^\" >]*|url\((https?:)?//[^)]*|@import" "$1"' \
        sh "$page"
    check "it has the licences of its parts" sh -c 'grep -q "<pre>@codemirror/autocomplete, .*@codemirror/view" "$1" && grep -q "^MIT License" "$1"' sh "$page"
    printf '%s\n' examples/net_221.ng examples/xor.ng tests/explain/loop.ng >"$dir/models"
    count python3 tests/play/same.py "$NGC" $ALL node tests/play/wasm.js "$build/play/ngc.wasm" \
        <"$dir/models"
    check "LeNet's lesson in two seconds of the processor, with the start" limit 3 node \
        tests/play/wasm.js "$build/play/ngc.wasm" examples/lenet.ng 1
    count node tests/play/program.js "$build/play/ngc.wasm" compiler/explain/page \
        examples/net_221.ng examples/spiral.ng examples/regularised.ng
    count node tests/play/controls.js "$build/play/ngc.wasm"
    edits=100
    [ "$CHECK_LONG" ] && edits=10000
    check "$edits random edits" node tests/play/edits.js "$build/play/ngc.wasm" examples $edits \
        "$CHECK_SEED"
    cat "$dir/log"
    group "the page: size, WebAssembly, edits"
    set -- chain xor mirror
    [ "$CHECK_LONG" ] && set --
    check "a gallery" python3 examples/gallery.py "$NGC" "$build/gallery_tested.html" "$@"
    check "pictures of the course are small" sh -c '! find examples/pictures -size +40k | grep .'
    count python3 -u tests/play/page.py "$NGC" "$page" chromium "$build/gallery_tested.html"
    count python3 -u tests/play/student.py "$NGC" "$page"
    in_share 9 8 && count python3 -u tests/play/page.py "$NGC" "$page" firefox-esr
    group "the page in a browser"
else
    echo "the page itself is tested in one run of three, not in this one"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
