# python.sh - ngc.py: arrays, training, errors, files, threads, damaged manifests; a part of run.sh.
python=$(find_numpy)
mkdir "$dir/python" && cd "$dir/python" || exit 2
if [ -z "$python" ]; then
    echo "embed: no python3 with NumPy here: ngc.py is not tested"
else
    PYTHONPATH=$top/runtime/python limit 60 "$python" -B "$top/tests/embed/python.py" "$ngc" \
        "$PWD" >"$dir/got" 2>&1
    counted=$(tail -n 1 "$dir/got")
    case $counted in
    *[0-9]" "[0-9]*) passed=$((passed + ${counted% *})) failed=$((failed + ${counted#* })) ;;
    esac
    case $counted in *" 0") ;; *) bad "python.py" ;; esac
    says 1 'ngc needs NumPy' env PYTHONPATH="$top/runtime/python" "$python" -S -B \
        -c 'import sys; sys.modules["numpy"] = None; import ngc'
fi
