# exact.awk - checks the output of a model of exps.awk. At the points where no exponential is large,
# every number must be the right one. There must be at least `least` formulas whose numbers are right
# also where exponentials overflow and vanish.
#
#     awk -v least=N -f exact.awk NUMBERS OUTPUT

BEGIN { NEAR = 4 } # of the points

FILENAME == ARGV[1] {
    if ($1 == "#") text[$2] = $0
    else right[$1] = $0
    next
}

$1 in right {
    name = $1
    gsub(/[][,=]/, " ")
    many = NF > 2 # a number that is the same at all points is printed once
    points = split(right[name], number, " ") - 1
    number_of = substr(name, 2)
    for (p = 1; p <= points; p++) {
        if (is_right(many ? $(p + 1) : $2, number[p + 1])) continue
        if (p > NEAR) far[number_of] = 1
        else if (!(name in wrong)) wrong[name] = $0
    }
    checked[name] = 1
}

END {
    for (name in right) {
        if (name in wrong || !(name in checked)) {
            failed++
            print "FAIL " text[substr(name, 2)] "\n    " right[name] "\n    " wrong[name]
        } else
            passed++
    }
    for (n in text)
        good += !(n in far)
    if (good >= least) passed++
    else {
        failed++
        print "FAIL only " good " formulas of exps.awk are right everywhere, not " least
    }
    print passed + 0 " passed, " failed + 0 " failed"
}

function is_right(got, want)
{
    return got ~ /^[-+0-9.e]+$/ && size(got - want) <= 1e-8*(1 + size(want))
}

function size(x) { return x < 0 ? -x : x + 0 }
