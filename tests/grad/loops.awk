# loops.awk - makes a model of masks.txt: each function in the passes of loops, below choices that a
# later pass or the values after the loop make; the slope and the curvature. It gives the same
# numbers expanded and not.
#
#     awk -f loops.awk masks.txt > MODEL.ng      -v few=1: of every third function

BEGIN {
    FS = " *[|] *"
    print "def slope(f, x) = grad(sum(f(x)), x)"
    print "def curve(f, x) = grad(sum(grad(sum(f(x)), x)*[1, 3, 2, 1]), x)"
    print "input x[4] = [0, 0.25, 1.5, 0], p[3] = [0, 1, 0]"
}

/^#/ || NF == 0 || (few && functions++ % 3) { next }

{
    N++
    K = 0
    printf "def g%d(x) = %s\n", N, $1
    form("h = x; l = x", "l = G(h); h = where(h > 0.01, h/2 + 0.1, h)", "where(x > 0, l, 0)")
    form("h = x", "h = where(h != 0, 0.3*G(h) + 1, h)", "h")
    form("l = []", "l = append(l, G(x*(i + 1)))", "where(x > 0, sum(stack(l), 0), 0)")
    form("h = x; u = x", "h = where(x > 0, u, 0)/2 + h; u = G(h)", "h")
    form("h = 0*x", "h = where(p[i] > 0, G(x + 1 + i), G(x))/3 + where(p[i] > 0, h, 2)", "where(x == 0, h, where(x > 0, x, h))")
}

function form(before, pass, after)
{
    gsub(/G\(/, "g" N "(", pass)
    printf "def f%d_%d(x) {\n    %s\n    for i in 0..3 { %s }\n    return %s\n}\n", N, K, before, pass, after
    printf "output s%d_%d = slope(f%d_%d, x), c%d_%d = curve(f%d_%d, x)\n", N, K, N, K, N, K, N, K
    K++
}
