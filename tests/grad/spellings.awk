# spellings.awk - makes a model of spellings.txt: value, slope and curvature of each function, by
# hand and by the library.
#
#     awk -f spellings.awk spellings.txt > MODEL.ng       -v parts=N -v part=0..N-1: only one function in N
#
# Outputs vN_P_by, gN_P_by, hN_P_by are those of function N at point P by hand, and .._lib by the
# library.

BEGIN {
    FS = " *[|] *"
    POINTS = split("[10, -10, 100];[0, 1000, 0];[-1000, -1000, -999];[1000, 100, 10];[0.5, -1, 2];[-10, -1000, 100]", at, ";")
    print "input x[8] = [-1000, -100, -10, -0.3, 0.7, 10, 100, 1000]"
    print "input mask[3] = [1, 0, 1], y[3] = [0, 1, 0]"
    print "input t: int = 1"
    for (i = 1; i <= POINTS; i++)
        printf "input z%d[3] = %s\n", i, at[i]
    print "def shape_of(y) {"
    print "    s = []"
    print "    for n in y.shape { s = append(s, n) }"
    print "    return s"
    print "}"
    print "def weights(y) {"
    print "    if len(shape_of(y)) == 0 { return 1 }"
    print "    return 1 + 2*mod(arange(y.shape[0]), 3)/1"
    print "}"
    print "def slope(f, x) = grad(sum(f(x)*weights(f(x))), x)"
    print "def curve(f, x) = grad(sum(slope(f, x)*weights(x)), x)"
}

/^#/ || NF == 0 { next }

{
    N++
    if (parts && N % parts != part) next
    of_row = $1 ~ /z/
    variable = of_row ? "z" : "x"
    printf "def by%d(%s) = %s\ndef lib%d(%s) = %s\n", N, variable, $1, N, variable, $2
    for (p = 1; p <= (of_row ? POINTS : 1); p++) {
        show("by", of_row ? "z" p : "x")
        show("lib", of_row ? "z" p : "x")
    }
}

function show(who, of)
{
    printf "output v%d_%d_%s = %s%d(%s), g%d_%d_%s = slope(%s%d, %s), h%d_%d_%s = curve(%s%d, %s)\n",
           N, p, who, who, N, of, N, p, who, who, N, of, N, p, who, who, N, of
}
