# plot.awk - draws columns of CSV files as text: awk -f plot.awk column=J rows=12 logarithmic=1
# a.csv b.csv
#
# One curve for each file, drawn with the letters a, b, c in the files' order, and with * where
# curves cross.
# column: the name of the column (J); rows: the height (12); logarithmic=1: a logarithmic axis.
# Cells that are not numbers are left out, and on a logarithmic axis also numbers that are not above
# 0.
BEGIN { FS = ","; column = "J"; rows = 12 }
FNR == 1 {
    files++
    at = 0
    for (i = 1; i <= NF; i++)
        if ($i == column)
            at = i
    next
}
at && $at ~ /^[-+0-9.eE]+$/ && (!logarithmic || $at > 0) {
    y = logarithmic ? log($at) / log(10) : $at + 0
    n = FNR - 1
    value[files, n] = y
    if (!seen++ || y < low)
        low = y
    if (seen == 1 || y > high)
        high = y
    last = n > last ? n : last
}

function place(y) { return high > low ? int((y - low) / (high - low) * (rows - 1) + 0.5) : 0 }
function label(r, y) {
    y = low + (high - low) * r / (rows - 1)
    return sprintf("%9.3g", logarithmic ? 10 ^ y : y)
}
END {
    if (!seen) {
        print "plot.awk: there is nothing to draw"
        exit 1
    }
    step = last > 60 ? last / 60 : 1
    wide = last > 60 ? 60 : last
    gap = wide <= 20 ? 3 : wide <= 30 ? 2 : 1
    for (f = 1; f <= files; f++)
        for (k = 1; k <= wide; k++) {
            n = int(k * step)
            if ((f, n) in value) {
                r = place(value[f, n])
                cell[r, k] = cell[r, k] == "" ? sprintf("%c", 96 + f) : "*"
            }
        }
    for (r = rows - 1; r >= 0; r--) {
        line = label(r) " |"
        for (k = 1; k <= wide; k++)
            line = line sprintf("%" gap "s", cell[r, k] == "" ? " " : cell[r, k])
        sub(/ +$/, "", line)
        print line
    }
    line = "          +"
    for (k = 0; k < wide * gap; k++)
        line = line "-"
    print line "  " last
}
