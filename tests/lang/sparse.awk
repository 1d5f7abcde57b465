# sparse.awk - a random model whose Jacobian and Hessian have many zeros: awk -v seed=N -f
# sparse.awk. Its outputs are the largest differences between these matrices, computed from the sums
# of rows of one colour, and row by row.
function below(n) { return int(rand()*n) }
function add(text, length_) { print "v" ++made " = " text; size[made] = length_; name[made] = "v" made }
function same(n, i) { do i = below(made + 1); while (size[i] != n); return name[i] }
BEGIN {
    srand(seed)
    n = 16 + 4*below(6)
    printf "input x[%d], k[%d]\nplaces = [", n, n
    for (i = 0; i < n; i++) printf "%s%d", i ? ", " : "", below(n)
    print "]"
    name[0] = "x"; size[0] = n
    for (round = 2 + below(7); round > 0; round--) {
        i = below(made + 1); a = name[i]; m = size[i]; form = below(12)
        if (form == 0) add("sin(" a ")", m)
        else if (form == 1) add(a "^2", m)
        else if (form == 2 && m > 4) add(a "[2:]*" a "[:-2]", m - 2)
        else if (form == 3) add(a "[::-1]", m)
        else if (form == 4) add(a "*" same(m), m)
        else if (form == 5) add(a " - 0.5*" same(m), m)
        else if (form == 6 && m % 2 == 0) add("0.3*sum(reshape(" a ", [-1, 2]), 1)", m/2)
        else if (form == 7 && m % 2 == 0) add("reshape(reshape(" a ", [2, -1])', [-1])", m)
        else if (form == 8 && m < 60) add("concat([" a ", 2*" a "])", 2*m)
        else if (form == 9 && m > 6) add(a "*" a "[" below(m) "]", m)
        else if (form == 10 && m == n) add(a "[places]", m)
        else if (form == 11 && m % 4 == 0) add("reshape(reshape(" a ", [-1, 4]) @ [[1, 2, 0, 1], [0, 1, 3, 0], [2, 0, 1, 1], [0, 0, 1, 2]], [-1])", m)
        else add("where(k[0] > 0.5, " a ", " a "^3)", m)
    }
    m = size[made]
    print "y = 1*" name[made] "\nJ = 0.5*sum(y^2) + sum(cos(x))"
    print "r, c, v = sparse_jacobian(y, x)\nR, C, V = sparse_hessian(J, x)"
    print "A = jacobian(y, [x])[0]\nH = hessian(J, [x])[0][0]"
    print "def far(a, b) = max(abs(a - b))/(1 + max(abs(b)))"
    print "output a = far(jacobian(y, x), A), h = far(hessian(J, x), H)"
    printf "output s = far(scatter_add(v, r*%d + c, %d), reshape(A, [-1])), t = far(scatter_add(V, R*%d + C, %d), reshape(H, [-1]))\n", n, m*n, n, n*n
}
