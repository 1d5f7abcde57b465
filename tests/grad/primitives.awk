# primitives.awk - models of primitives.txt, many cases to a model, for `ngc check` and `ngc run`.
#
#     awk -v dir=DIR -v functions=FILE -f primitives.awk primitives.txt      writes DIR/part*.ng, DIR/training.ng,
#                                                            DIR/cases (number|op|operands|text), DIR/ops
#
# Of case k: Jk, a weighted sum of the values and of their squares, is differentiated by each
# operand; Kk, the gradient of Jk along a fixed direction, once more; Dk holds u.(Jv) and v.(J'u)
# for each operand.

BEGIN {
    FS = " *[|] *"
    PER_PART = 20
    # Functions of one operand, by the values for which they are smooth, and all of two: those of
    # the records, and operators.
    split("+ ~ > - /", marks, " ")
    two = "+ - * / ^"
    while ((getline line < functions) > 0) { # NAME OPERANDS MARK SLOPE, as functions.c prints them
        split(line, f, " ")
        if (f[4] == "slope" && f[2] == 1)
            one[f[3]] = one[f[3]] " " f[1]
        if (f[4] == "flat" && f[2] == 1)
            flat = flat " " f[1]
        if (f[4] == "slope" && f[2] == 2)
            two = two " " f[1]
    }
    two = two " where"
    name["+"] = "add"; name["-"] = "sub"; name["*"] = "mul"; name["/"] = "div"; name["^"] = "pow"
    shapes = "[];[] [3];[] [];[3] [3];[3] [2,3];[2,3] [2,3];[3] [3];[2,3] [2,3];[2,1] [2,1];[1,3] [1];[3] [3];[1] " \
             "[1,1];[2,2] [2,1,3];[4,1] [4,1];[2,1,3] [2,3];[] [];[2,3] [m,2];[m,1] [2];[m,2] [m];[] [1,n];[m,1] [m];[1]"
    for (k = 1; k in marks; k++) {
        n = split(one[marks[k]], f, " ")
        mark = marks[k] ~ /[-\/]/ ? "" : marks[k] # values without a mark are apart from 0
        for (i = 1; i <= n; i++) {
            make(f[i], mark "a[]", f[i] "(a)")
            make(f[i], mark "a[2,3]", f[i] "(a)")
            make(f[i], mark "a[3]", f[i] "(a)*a")
        }
    }
    n = split(flat, f, " ") # a factor that does not change
    for (i = 1; i <= n; i++)
        make(f[i], "a[2,3]", f[i] "(a)*a")
    n = split(two, f, " ")
    patterns = split(shapes, s, " ")
    for (i = 1; i <= n; i++) {
        op = f[i] in name ? name[f[i]] : f[i]
        for (j = 1; j <= patterns; j++) {
            split(s[j], side, ";")
            runtime = s[j] ~ /[mn]/
            mark = op == "pow" && !runtime ? "+" : ""
            if (!(op == "pow" && runtime) && !(op == "div" && runtime) && !(op == "mod" && runtime))
                make(op, mark "a" side[1] " " mark "b" side[2], apply(f[i], "a", "b"))
        }
        make(op, (op == "pow" ? "+" : "") "a[3]", apply(f[i], "a", "1.3"))
        make(op, (op == "pow" ? "+" : "") "a[2,3]", apply(f[i], "0.7", "a"))
        if (op != "atan2") # it is constant
            make(op, (op == "pow" ? "+" : "") "a[3]", apply(f[i], "a", "a"))
        make(op, (op == "pow" ? "+" : "") "a[3]", apply(f[i], "a*a", "a"))
        make(op, (op == "pow" ? "+" : "") "a[2,3]", apply(f[i], "a", "[2, 0.5, 1.25]"))
    }
}

/^#/ || NF == 0 { next }
{ make($1, $2, $3) }

END {
    for (op in seen)
        print op >(dir "/ops")
}

function apply(f, x, y)
{
    if (f == "where")
        return "where(" x "*" y " > 0.1, " x ", " y ")"
    return f ~ /^[a-z]/ ? f "(" x ", " y ")" : "(" x ") " f " (" y ")"
}

# Numbers that look random, from 0 to 1, far from each other within one tensor.
function spread(k, salt,    x)
{
    x = k*0.6180339887498949 + salt*0.4142135623730951 + 0.137
    return x - int(x)
}

function number(mark, k, salt,    x)
{
    x = spread(k, salt)
    if (mark == "+") return 0.4 + 1.6*x
    if (mark == "~") return 1.7*x - 0.85
    if (mark == ">") return 1.2 + 1.6*x
    return x < 0.5 ? 0.3 + 2.4*x : 0.9 - 2.4*x
}

# A literal of this shape; of an int: below `limit`.
function literal(mark, shape, depth, salt, limit,    i, t, size, n, v)
{
    n = split(shape, size, ",")
    if (depth > n) {
        if (mark == "#") v = int(limit*spread(COUNT, salt))
        else v = sprintf("%.6g", number(mark, COUNT, salt))
        if (mark == "=") v = v/2 + (AT[n] == AT[n - 1] ? 2 : 0)
        COUNT++
        return v
    }
    t = "["
    for (i = 1; i <= size[depth]; i++) {
        AT[depth] = i
        t = t (i > 1 ? ", " : "") literal(mark, shape, depth + 1, salt, limit)
    }
    return t "]"
}

# One operand as a declaration, and what is to be said of it elsewhere.
function operand(text, id,    mark, variable, shape, rest, kind)
{
    mark = substr(text, 1, 1)
    if (mark ~ /[a-zA-Z]/) mark = ""
    else text = substr(text, 2)
    variable = text
    sub(/[[].*/, "", variable)
    shape = text
    sub(/^[^[]*[[]/, "", shape)
    rest = shape
    sub(/[]].*/, "", shape)
    sub(/^[^]]*[]]/, "", rest)
    PARAMETERS = PARAMETERS (PARAMETERS ? ", " : "") variable
    ARGUMENTS = ARGUMENTS (ARGUMENTS ? ", " : "") variable id
    if (mark != "#" && mark != "!")
        OVER = OVER (OVER ? ", " : "") variable id
    kind = rest ~ /^~/ ? "param " : "input "
    COUNT = 0
    if (mark == "#" && shape ~ /[mn]/) rest = ": int"
    else if (mark == "#") rest = ": int = " literal(mark, shape, 1, SALT++, substr(rest, 2))
    else if (rest ~ /^=/) rest = " = " substr(rest, 2)
    else if (rest == "" && shape !~ /[mn]/) rest = " = " literal(mark, shape, 1, SALT++)
    return kind variable id (shape == "" ? "" : "[" shape "]") rest
}

function make(op, operands, expression,    n, i, word, file, count, x)
{
    if (expression ~ /training|dropout|rrelu/) # predict and eval have other values there: the C is not compared
        file = dir "/training.ng"
    else
        file = sprintf("%s/part%02d.ng", dir, int(FILED/PER_PART))
    FILED += file !~ /training/
    if (!(file in started))
        print "import \"weigh.ng\"\nimport \"loops.ng\"\nimport \"rules.ng\"" > file
    started[file] = 1
    PARAMETERS = ARGUMENTS = OVER = ""
    n = split(operands, word, " ")
    for (i = 1; i <= n; i++)
        LINE[i] = operand(word[i], CASES)
    seen[op] = 1
    printf "%d|%s|%s|%s\n", CASES, op, operands, expression > (dir "/cases")
    for (i = 1; i <= n; i++)
        print LINE[i] > file
    printf "def f%d(%s) = %s\n", CASES, PARAMETERS, expression > file
    printf "y%d = f%d(%s)\n", CASES, CASES, ARGUMENTS > file
    printf "J%d = weigh(y%d)\ngradient J%d over %s\n", CASES, CASES, CASES, OVER > file
    printf "K%d = along(grad(J%d, [%s]))\ngradient K%d over %s\n", CASES, CASES, OVER, CASES, OVER > file
    count = split(OVER, x, ", ")
    for (i = 1; i <= count; i++)
        printf "output D%d_%d = two_ways(y%d, %s)\n", CASES, i, CASES, x[i] > file
    CASES++
}
