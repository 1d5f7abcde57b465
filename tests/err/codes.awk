# codes.awk - each code of errors.h must occur in a message that is drawn with its place: awk -f
# codes.awk errors.h MESSAGES... Messages of these codes have no place in a text:
BEGIN {
    nowhere["0003"] = "a file that is too large"
    nowhere["0603"] = "--memory, which is an option"
}

FILENAME ~ /errors.h$/ {
    if (match($0, /^    ERR_[A-Z_]+ = [0-9]+/)) {
        split(substr($0, RSTART, RLENGTH), part, " ")
        name[sprintf("%04d", part[3])] = part[1]
    }
    next
}

# The code, then the line, then what is below it.
match($0, /\[NG[0-9]+[],]/) { code = substr($0, RSTART + 3, 4); left = 2; next }
left-- > 0 && /^ *\| .*\^/ { shown[code] = 1 }

END {
    for (code in name) {
        if (!(code in shown) && !(code in nowhere))
            print "NG" code " (" name[code] "): no test shows its place"
        if (code in shown && code in nowhere)
            print "NG" code ": a test shows its place, so codes.awk should not name it"
        count++
    }
    print count + 0 > "/dev/stderr"
}
