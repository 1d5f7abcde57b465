# masks.awk - makes a model of masks.txt: for each function in each choice, the slope, the curvature
# and a slope along a direction, and the same for the function without a choice, which they must
# equal where it is taken.
#
#     awk -f masks.awk masks.txt > MODEL.ng       -v few=1: every second choice, and no slopes along a direction
#                                                 -v parts=N -v part=0..N-1: only one function in N
#
# Outputs gN_K, hN_K, jN_K are those of function N in choice K; K = 0: without a choice. x is 0 at
# its first and last place.

BEGIN {
    FS = " *[|] *"
    print "def slope(f, x) = grad(sum(f(x)), x)"
    print "def curve(f, x) = grad(sum(grad(sum(f(x)), x)*[1, 3, 2, 1]), x)"
    if (!few) print "def along(f, x) = jvp(f(x), x, [2, 1, 3, 1])"
    print "input x[4] = [0, 0.25, 1.5, 0]"
}

/^#/ || NF == 0 { next }

{
    N++
    if (parts && N % parts != part) next
    K = 0
    form($1)
    form("where(x > 0, " $1 ", 0)")
    form("where(x == 0, 3, " $1 ")")
    form("2*where(x <= 0, -1, 3*(" $1 ") + 1)")
    if (NF == 3) {
        form("clip(" $1 ", " $2 ", " $3 ")")
        form("maximum(" $2 ", minimum(" $1 ", " $3 "))")
        form("3*minimum(maximum(" $1 ", " $2 "), " $3 ")")
    }
}

function form(text)
{
    if (!few || K % 2 == 0) {
        printf "def f%d_%d(x) = %s\n", N, K, text
        printf "output g%d_%d = slope(f%d_%d, x), h%d_%d = curve(f%d_%d, x)\n", N, K, N, K, N, K, N, K
    }
    if (!few)
        printf "output j%d_%d = along(f%d_%d, x)\n", N, K, N, K
    K++
}
