# masked.awk - checks the output of a model of masks.awk: slopes are 0 at the first and last place,
# and the function's own slopes, times the factor of its choice, at the others.
#
#     awk -v relative=1e-12 -f masked.awk FILE

BEGIN { factor[1] = factor[2] = factor[4] = factor[5] = 1; factor[3] = 6; factor[6] = 3 }

{
    gsub(/[][,]/, "")
    split($1, part, "_")
    if (part[2] == 0) {
        alone[part[1], 1] = $4
        alone[part[1], 2] = $5
        next
    }
    good = $3 == "0" || $3 == "-0"
    good = good && ($6 == "0" || $6 == "-0")
    for (i = 1; i <= 2; i++) {
        want = factor[part[2]]*alone[part[1], i]
        size = want < 0 ? -want : want
        off = $(3 + i) - want
        good = good && $(3 + i) ~ /^[-+0-9.e]+$/ && (off < 0 ? -off : off) <= relative*(size + 1)
    }
    if (good) passed++
    else { failed++; print "FAIL masks " $0 " for " alone[part[1], 1] " " alone[part[1], 2] }
}

END { print passed + 0 " passed, " failed + 0 " failed" }
