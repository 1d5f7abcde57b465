# spelled.awk - checks the output of a model of spellings.awk: by hand and by the library must be
# equal to `relative`, of the number for x, of the largest element for a tensor of z, or both must
# be below `tiny`.
#
#     awk -v relative=R -v tiny=T -f spelled.awk spellings.txt FILE

FILENAME != ARGV[ARGC - 1] {
    if ($0 !~ /^#/ && NF > 0) text[++texts] = $0
    next
}

{
    gsub(/[][,]/, "")
    split($1, part, "_")
    key = part[1] "_" part[2]
    if (part[3] == "by") {
        by[key] = $0
        next
    }
    n = split(by[key], hand, " ")
    number = substr(part[1], 2)
    most = 0
    for (i = 3; i <= NF; i++)
        most = size($i) > most ? size($i) : most
    good = n == NF
    within = part[1] ~ /^h/ ? 16*relative : relative # a curvature contains differences,
    if (part[1] ~ /^h/ && text[number] ~ /z/) most += 1/4 # for a row of numbers up to 1, which round too
    for (i = 3; i <= NF; i++) {
        if (text[number] !~ /z/) # each number by itself
            most = size($i)
        good = good && hand[i] ~ /^[-+0-9.e]+$/ && (size(hand[i] - $i) <= within*most || (size(hand[i]) < tiny && size($i) < tiny))
    }
    if (good) { passed++; next }
    failed++
    print "FAIL " text[number] "\n    " by[key] "\n    " $0
}

END { print passed + 0 " passed, " failed + 0 " failed" }

function size(x) { return x < 0 ? -x : x + 0 }
