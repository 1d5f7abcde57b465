# digits.awk - compares numbers with exact ones, each relative to its size.
#
#     awk -v relative=1e-13 -v tiny=1e-300 -f digits.awk stability.txt PRINTED
#
# PRINTED is the output of `ngc run`. For a value called abs_.., differences below `relative` do not
# count. Numbers below `tiny` count as 0.

function absolute(x) { return x < 0 ? -x : x }
FNR == NR { if ($1 != "#") { want[$1] = $0; n++ } next }
/^[a-z_0-9A-Z]+ = / { name = $1; sub(/^[^=]*= /, "") ; got[name] = "" }
name != "" { gsub(/[][,]/, " "); got[name] = got[name] " " $0 }
END {
    for (name in want) {
        k = split(want[name], w, " ")
        m = split(got[name], g, " ")
        bad = m != k - 1 ? " " m " numbers, not " k - 1 : ""
        for (i = 1; i <= m; i++) {
            bound = relative*absolute(w[i + 1])
            if (name ~ /^abs_/) { if (bound < relative) bound = relative }
            if (bound < tiny) bound = tiny
            if (g[i] ~ /[nN]/ || !(absolute(g[i] - w[i + 1]) <= bound)) bad = bad sprintf(" %d: got %s, exact %s;", i, g[i], w[i + 1])
        }
        if (bad == "") passed++
        else { failed++; print "FAIL stability.ng: " name ":" bad }
    }
    print passed + 0 " passed, " failed + 0 " failed"
}
