# editors.sh - the words of the plugins for editors are those of the scanner and the library; a part
# of run.sh.
mkdir "$dir/editors" && cd "$dir/editors" || exit 2
keywords=$(sed -n '/{"import", IMPORT}/,/};/p' "$top/grammars/ng.l" | grep -o '"[a-z]*"' |
    tr -d '"')
functions=$(sed -n 's/^def \([A-Za-z][A-Za-z_0-9]*\)(.*/\1/p' "$top/compiler/lang/prelude.ng"; sed -n 's/^    {"\([a-z_0-9]*\)", "[a-z].*/\1/p' "$top/compiler/lang/builtin.c")
[ "$(echo "$keywords" | wc -l)" -ge 19 ] && [ "$(echo "$functions" | wc -l)" -gt 100 ] && good ||
    bad "the tables were not found"
for keyword in $keywords; do
    grep -q "^syn keyword ng[A-Z].* $keyword\( \|\$\)" "$top/grammars/vim/syntax/ng.vim" ||
        bad "ng.vim has no keyword $keyword"
    grep -q "[(|]$keyword[|)]\|b$keyword\\\\" "$top/grammars/vscode/ng.tmLanguage.json" ||
        bad "ng.tmLanguage.json has no keyword $keyword"
done
for word in $(sed -n 's/^syn keyword ng\(Statement\|Repeat\|Conditional\|Keyword\) //p' "$top/grammars/vim/syntax/ng.vim"); do
    echo "$keywords" | grep -qx "$word" && good ||
        bad "ng.vim has the keyword $word, which the scanner has not"
done
if have python3; then
    { for f in $functions; do echo "$f"; done; } >functions
    { for k in $keywords; do echo "$k"; done; } >keywords
    cat >colours.py <<'PY'
"""The grammar for VS Code, by the rule that editors follow: at each place the first pattern that matches there."""
import json, re, sys
top = sys.argv[1]
for name in ("package.json", "language-configuration.json"):
    json.load(open(f"{top}/grammars/vscode/{name}"))
patterns = [(re.compile(p["match"]), p.get("name", "type")) for p in json.load(open(f"{top}/grammars/vscode/ng.tmLanguage.json"))["patterns"]]

def colours(line):
    found, at = {}, 0
    while at < len(line):
        best = min(((m.start(), i, m) for i, (p, _) in enumerate(patterns) if (m := p.search(line, at))), default=None)
        if not best:
            break
        found[best[2].group()] = patterns[best[1]][1]
        at = max(best[2].end(), at + 1)
    return found

for f in open("functions").read().split():
    assert colours(f"y = {f}(x)")[f].startswith("entity.name.function"), f
for k in open("keywords").read().split():
    assert colours(f"{k} x")[k].split(".")[0] in ("keyword", "storage"), k
    assert colours(f"y = h.{k}")["." + k] == "variable.other.member.ng", k
for line in ("} backward(dy) {", "def f(x) = x^2 backward (dy, y) = 2*x*dy"):
    assert colours(line)["backward"] == "keyword.other.ng", line
assert colours("y = backward(x)")["backward"].startswith("entity.name.function")
line = colours('param W2[10, 0.5e-3]: int ~ normal(0, 1)  # of "x"')
assert line["10"] == line["0.5e-3"] == "constant.numeric.ng" and line[": int"] == "type" and line['# of "x"'].startswith("comment") and "2" not in line, line
PY
    ok "VS Code" python3 colours.py "$top"
fi
if have vim; then
    { for f in $functions; do echo "y = $f(x)"; done; for k in $keywords; do echo "$k x"; done
      echo 'param W2[10, 0.5e-3]: int ~ normal(0, 1)  # of "x"'; echo 'y = h.in'; } >v.ng
    cat >colours.vim <<'VIM'
let out = []
for n in range(1, line('$'))
    for c in range(1, col([n, '$']) - 1)
        let out += [n . ' ' . c . ' ' . synIDattr(synID(n, c, 1), 'name')]
    endfor
endfor
call writefile(out, 'colours.txt')
qall!
VIM
    vim -N -u NONE -i NONE -es --cmd "set rtp^=$prefix/share/vim/vimfiles" \
        --cmd 'filetype plugin on | syntax on' v.ng -S colours.vim >"$dir/got" 2>&1
    lines=$(($(echo "$functions" | wc -l) + $(echo "$keywords" | wc -l)))
    awk -v functions="$(echo "$functions" | wc -l)" -v lines=$lines '
        $1 <= functions && $2 == 5 && $3 != "ngFunction" || $1 > functions && $1 <= lines && $2 == 1 && $3 !~ /^ng(Statement|Repeat|Conditional|Keyword)$/ { print; wrong = 1 }
        $1 == lines + 1 { row[$2] = $3 } $1 == lines + 2 && $2 == 7 { field = $3 } { n++ }
        END { exit wrong || n < 1000 || row[1] != "ngStatement" || row[10] != "ngNumber" || row[15] != "ngNumber" || row[24] != "ngType" || row[30] != "ngFunction" || row[46] != "ngComment" || row[8] != "" || field != "ngField" }' colours.txt >"$dir/got" && good || bad "vim's colours"
fi
