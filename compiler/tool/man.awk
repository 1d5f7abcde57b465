# man.awk - a README as a manual page, so that the two are one text:
#     awk -v name=ngrt -v section=3 -v version=0.1.0 -v what="..." -f man.awk README.md
function roff(s) {
    gsub(/\\\|/, "|", s)
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    gsub(/'/, "\\(aq", s)
    gsub(/\^/, "\\(ha", s)
    gsub(/~/, "\\(ti", s)
    return s
}
# `code` and **strong** in bold; links by their text
function inline(s,   out, i, part, n) {
    while (match(s, /\[[^]]*\]\([^)]*\)/))
        s = substr(s, 1, RSTART - 1) substr(s, RSTART + 1, index(substr(s, RSTART), "](") - 2) substr(s, RSTART + RLENGTH)
    n = split(s, part, "`")
    out = ""
    for (i = 1; i <= n; i++) {
        if (i % 2 == 1)
            gsub(/\*\*/, "", part[i])
        out = out (i % 2 == 0 ? "\\fB" roff(part[i]) "\\fR" : roff(part[i]))
    }
    sub(/^\./, "\\\\\\&.", out)
    return out
}
function heading(s) {
    s = inline(s)
    gsub(/\\f[BR]/, "", s)
    return s
}
BEGIN {
    printf ".TH %s %s \"\" \"ngc %s\"\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n", toupper(name), section, version, roff(name), what
}
/^```/ { code = !code; print code ? ".PP\n.RS 4\n.nf" : ".fi\n.RE\n.PP"; next }
code { s = roff($0); sub(/^\./, "\\\\\\&.", s); print s; next }
/^# / { next }
/^## / { s = heading(substr($0, 4)); print ".SH " toupper(s); next }
/^###* / { sub(/^#* /, ""); print ".SS " heading($0); next }
/^\|[-| :]*\|$/ { next }
/^\|/ {
    gsub(/\\\|/, "\001")
    sub(/^\| */, "")
    sub(/ *\| *$/, "")
    n = split($0, cell, / *\| */)
    first = cell[1]
    rest = ""
    for (i = 2; i <= n; i++)
        rest = rest (rest == "" ? "" : "; ") cell[i]
    gsub(/\001/, "|", first)
    gsub(/\001/, "|", rest)
    if (first != "" || rest != "")
        print ".TP\n" inline(first) "\n" inline(rest)
    table = 1
    next
}
/^[-*] / { print ".IP \\(bu 2\n" inline(substr($0, 3)); next }
/^[0-9]+\. / { n = index($0, " "); print ".IP " substr($0, 1, n - 1) " 4\n" inline(substr($0, n + 1)); next }
/^ *$/ { print ".PP"; next }
{ sub(/^ +/, ""); print inline($0) }
