# words.awk - phrases of this project's older texts that plain English has other words for. Prints
# FILE: PHRASE for each.
#
#     awk -f words.awk FILE...
#
# The lines of a file are joined first, without the marks of comments, so a phrase is also found
# across the end of a line.

# Prints each match of the pattern with its next word, unless it follows `before` or is followed by
# `after`.
function find(pattern, before, after,   rest, left, phrase) {
    rest = text
    while (match(rest, pattern)) {
        phrase = substr(rest, RSTART, RLENGTH)
        left = substr(rest, 1, RSTART - 1)
        rest = substr(rest, RSTART + RLENGTH)
        if ((before == "" || left !~ before "$") && (after == "" || rest !~ "^" after))
            print file ":" phrase substr(rest, 1, index(rest " ", " ") - 1)
    }
}

function find_all() {
    # with respect to; is not a; separated by; after
    find(" with regard to ")
    find(" (is|are|was|were) no ", "there", "(longer|more|less|faster|slower|larger|smaller|better|worse)")
    find(" apart (by|from the next) ")
    find(" behind (it|them|an?|the|each|which|whose) ")

    # describes, is described by; continues; of N
    find(" (tells?|told|speaks?) (of|by) ")
    find(" go(es)? on (in|with|from|at|after) ")
    find(" of so many ")
}

FNR == 1 {
    if (file)
        find_all()
    file = FILENAME
    text = " "
}

{
    sub(/^[ \t]*(\*|\/\*|\/\/|#|")?[ \t]*/, "")
    text = text tolower($0) " "
}

END { find_all() }
