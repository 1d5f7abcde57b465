# exps.awk - makes a model of random quotients of sums of exponentials, spelled as users spell them,
# and the right numbers for it.
#
#     awk -v seed=S -v count=N -v numbers=FILE -f exps.awk > MODEL.ng
#
# Every sum is one of c exp(k x + m y + d) with positive c. So the log of a sum is known without any
# overflow: the largest exponent + the log of what is left without it; its slope is the mean of k,
# and its curvature their variance. Outputs: vN, the log of quotient N; xN and yN, its slopes; hN,
# its curvature in x. If the quotient is bounded, uN and sN are its value and its slope in x.

BEGIN {
    state = (seed*7919 + 12345) % 2147483647
    for (i = 0; i < 9; i++) below(2)
    xs = "-0.3, 0.7, -0.6, 0.2, -1000, -30, 100, 1000"
    ys = "0.5, 0.1, -0.4, -0.7, 0.4, -700, 900, 3"
    points = split(xs, X, ", ")
    split(ys, Y, ", ")
    printf "input x[%d] = [%s]\ninput y[%d] = [%s]\n", points, xs, points, ys
    for (n = 1; n <= count; n++)
        show(n, quotient(n % 4))
}

function below(n)
{
    state = state*16807 % 2147483647
    return int(state/2147483647*n)
}

# a new sum with one term c exp(k x + m y + d)
function term(c, k, m, d)
{
    sums++
    terms[sums] = 1
    C[sums, 1] = log(c) + d
    K[sums, 1] = k
    M[sums, 1] = m
    return sums
}

function sum_of(a, b,   i)
{
    sums++
    for (i = 1; i <= terms[a] + terms[b]; i++)
        copy(sums, i, i <= terms[a] ? a : b, i <= terms[a] ? i : i - terms[a])
    terms[sums] = terms[a] + terms[b]
    return sums
}

function copy(to, i, from, k)
{
    C[to, i] = C[from, k]
    K[to, i] = K[from, k]
    M[to, i] = M[from, k]
}

function product_of(a, b,   i, k, n)
{
    sums++
    for (i = 1; i <= terms[a]; i++)
        for (k = 1; k <= terms[b]; k++) {
            n = ++terms[sums]
            C[sums, n] = C[a, i] + C[b, k]
            K[sums, n] = K[a, i] + K[b, k]
            M[sums, n] = M[a, i] + M[b, k]
        }
    return sums
}

# a new formula: its text, and what is above and below the line
function formula(text, above, under)
{
    formulas++
    T[formulas] = text
    A[formulas] = above
    B[formulas] = under
    return formulas
}

function one() { return term(1, 0, 0, 0) }

function pick(list,   part, n)
{
    n = split(list, part, " ")
    return part[1 + below(n)]
}

# an exponent: sets ex_k, ex_m, ex_d
function exponent(   text)
{
    ex_k = pick("-3 -2 -1 -0.5 0.5 1 1 2 3")
    ex_d = pick("0 0 0 1 -0.5 2")
    ex_m = 0
    text = ex_k == 1 ? "x" : ex_k "*x"
    if (below(4) == 0) {
        ex_m = ex_k
        ex_k = 0
        gsub(/x/, "y", text)
    }
    if (ex_d == 0) return text
    if (below(3)) return text " + " ex_d
    ex_k = -ex_k
    ex_m = -ex_m
    return ex_d " - " (text ~ /^-/ ? "(" text ")" : text)
}

# a square of a sum, or nearly one
function three(   u, b, c, half)
{
    u = exponent()
    b = pick("2 3 4 8")
    c = pick("1 4")
    if (below(2)) {
        half = sum_of(term(b, ex_k, ex_m, ex_d), term(c, 0, 0, 0))
        return formula("(" b "*exp(" u ") + " c ")^2", product_of(half, half), one())
    }
    half = sum_of(term(1, 2*ex_k, 2*ex_m, 2*ex_d), term(b, ex_k, ex_m, ex_d))
    return formula("(exp(" u ")^2 + " b "*exp(" u ") + " c ")", sum_of(half, term(c, 0, 0, 0)), one())
}

function leaf(   u, kind, half)
{
    kind = below(17)
    if (kind > 13) return three()
    if (kind < 2) {
        u = pick("1 1 2 3 0.5")
        return formula(u, term(u, 0, 0, 0), one())
    }
    u = exponent()
    if (kind == 6)
        return formula("4^(0.7213475204444817*(" u "))", term(1, ex_k, ex_m, ex_d), one())
    if (kind < 6) return formula("exp(" u ")", term(1, ex_k, ex_m, ex_d), one())
    if (kind == 7) return formula("3*exp(" u ")", term(3, ex_k, ex_m, ex_d), one())
    if (kind == 8) return formula("sigmoid(" u ")", one(), sum_of(one(), term(1, -ex_k, -ex_m, -ex_d)))
    if (kind == 9) return formula("(1 - sigmoid(" u "))", one(), sum_of(one(), term(1, ex_k, ex_m, ex_d)))
    if (kind == 10) {
        half = sum_of(term(0.5, ex_k, ex_m, ex_d), term(0.5, -ex_k, -ex_m, -ex_d))
        return formula("cosh(" u ")", half, one())
    }
    if (kind == 11) return formula("(expm1(" u ") + 1)", term(1, ex_k, ex_m, ex_d), one())
    if (kind == 12)
        return formula("(cosh(" u ") + sinh(" u "))", term(1, ex_k, ex_m, ex_d), one())
    return formula("(1 + tanh(" u "))", term(2, 0, 0, 0), sum_of(one(), term(1, -2*ex_k, -2*ex_m, -2*ex_d)))
}

function quotient(depth,   a, b, f, kind)
{
    do {
        kind = below(10)
        if (depth == 0 || kind == 0)
            f = leaf()
        else {
            a = quotient(depth - 1)
            if (kind == 1)
                f = formula("(" T[a] ")^2", product_of(A[a], A[a]), product_of(B[a], B[a]))
            else if (kind == 2)
                f = formula("(" T[a] ")^-1", B[a], A[a])
            else {
                b = quotient(depth - 1)
                if (kind == 3) # x is at most 1000
                    f = formula(below(2) ? "where(x < 2000, " T[a] ", " T[b] ")" : "where(x > 2000, " T[b] ", " T[a] ")", A[a], B[a])
                else if (kind < 7)
                    f = formula("(" T[a] " + " T[b] ")", sum_of(product_of(A[a], B[b]), product_of(A[b], B[a])), product_of(B[a], B[b]))
                else if (kind < 8)
                    f = formula("(" T[a] ")*(" T[b] ")", product_of(A[a], A[b]), product_of(B[a], B[b]))
                else
                    f = formula("(" T[a] ")/(" T[b] ")", product_of(A[a], B[b]), product_of(B[a], A[b]))
            }
        }
    } while (terms[A[f]] > 4 || terms[B[f]] > 4)
    return f
}

# The log of a sum at point p: sets lse, mean_k, mean_m, variance
function log_sum(s, p,   i, u, largest, w, all)
{
    for (i = 1; i <= terms[s]; i++) {
        u = C[s, i] + K[s, i]*X[p] + M[s, i]*Y[p]
        if (i == 1 || u > largest) largest = u
    }
    all = mean_k = mean_m = variance = 0
    for (i = 1; i <= terms[s]; i++) {
        w = C[s, i] + K[s, i]*X[p] + M[s, i]*Y[p] - largest
        w = w < -700 ? 0 : exp(w)
        all += w
        mean_k += w*K[s, i]
        mean_m += w*M[s, i]
    }
    mean_k /= all
    mean_m /= all
    for (i = 1; i <= terms[s]; i++) {
        w = C[s, i] + K[s, i]*X[p] + M[s, i]*Y[p] - largest
        w = w < -700 ? 0 : exp(w)
        variance += w*(K[s, i] - mean_k)^2/all
    }
    lse = largest + log(all)
}

function show(n, f,   p, v, gx, gy, h, line, bounded)
{
    bounded = 1
    line["v"] = line["x"] = line["y"] = line["h"] = line["u"] = line["s"] = ""
    for (p = 1; p <= points; p++) {
        log_sum(A[f], p)
        v = lse; gx = mean_k; gy = mean_m; h = variance
        log_sum(B[f], p)
        v -= lse; gx -= mean_k; gy -= mean_m; h -= variance
        line["v"] = line["v"] sprintf(" %.15g", v)
        line["x"] = line["x"] sprintf(" %.15g", gx)
        line["y"] = line["y"] sprintf(" %.15g", gy)
        line["h"] = line["h"] sprintf(" %.15g", h)
        if (v > 5) bounded = 0
        v = v < -700 || v > 5 ? 0 : exp(v)
        line["u"] = line["u"] sprintf(" %.15g", v)
        line["s"] = line["s"] sprintf(" %.15g", v*gx)
    }
    print "# " n " " T[f] > numbers
    printf "z%d = log(%s)\n", n, T[f]
    printf "g%d = grad(sum(z%d), x)\n", n, n
    printf "output v%d = z%d, x%d = g%d, y%d = grad(sum(z%d), y), h%d = grad(sum(g%d), x)\n", n, n, n, n, n, n, n, n
    print "v" n line["v"] "\nx" n line["x"] "\ny" n line["y"] "\nh" n line["h"] > numbers
    if (bounded && terms[B[f]] > 1) {
        printf "w%d = %s\n", n, T[f]
        printf "output u%d = w%d, s%d = grad(sum(w%d), x)\n", n, n, n, n
        print "u" n line["u"] "\ns" n line["s"] > numbers
    }
}
