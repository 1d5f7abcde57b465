# data.sh - the values that train, eval and predict take from data files, the command line and the
# model; a part of run.sh.
mkdir "$dir/data" && cd "$dir/data" || exit 2
cat >d.ng <<'END'
dim m <= 4
input x[m, 2], c[3] = [1, 2, 3], lr = 0.1, n: int = 2, t[m]
param p[2] = [1, 1]
y = x @ p + sum(c)*n
output y
metric total = sum(c) + n + lr
minimize J = mse(y, t) with sgd(lr = lr)
END
cat >f.ng <<'END'
input x[3], c[2] = [5, 7], t[3]
param p = 1
output y = x*p + c[0] - c[1]
minimize J = mse(y, t) with sgd(lr = 0.1)
END
printf '1,2,3\n2,3,4\n3,1,2\n' >d.csv
printf '1,2\n2,3\n3,1\n' >x.csv
printf '0\n0\n1\n' >c3.csv
printf '9,9\n' >c2.csv

# ---- values that the model declares ----
says 0 '^total: 8.1$' "$ngc" train d.ng --data d.csv --epochs 2
says 0 '^J: 169.667$' "$ngc" eval d.ng --data d.csv
says 0 '^J: 9.66667$' "$ngc" eval d.ng --data d.csv --data c=c3.csv
says 0 '^total: 1.1$' "$ngc" eval d.ng --data d.csv n=0 --data c=c3.csv
says 0 '^total: 8.5$' "$ngc" eval d.ng --data d.csv lr=0.5
says 0 '^17$' "$ngc" predict d.ng --data x.csv
says 0 '^-1,0,1$' "$ngc" predict f.ng --data x.csv
printf '1\n2\n3\n' >x1.csv
says 0 '^-1,0,1$' "$ngc" predict f.ng --data x1.csv
says 0 '^J: 6$' "$ngc" eval f.ng --data x.csv
says 0 '^J: 2$' "$ngc" eval f.ng --data x.csv --data c=c2.csv
for command in train eval; do says 0 '^J: ' "$ngc" $command "$top"/examples/rate.ng; done
says 0 '^  c = \[1, 2, 3\]' "$ngc" explain d.ng --text --data d.csv
says 3 'but the inputs take 3: x 2, t 1' "$ngc" train d.ng --data x.csv

# ---- headers ----
printf 'a,b,c\n' | cat - d.csv >named.csv
says 0 'note: named.csv:1: taken as the names of the columns: a,b,c$' "$ngc" eval d.ng \
    --data named.csv
says 0 'note: named.csv:1: taken as the names of the columns: a,b,c$' "$ngc" explain d.ng --text \
    --data named.csv
"$ngc" eval d.ng --data named.csv --quiet >"$dir/got" 2>&1
grep -q 'taken as' "$dir/got" && bad "--quiet" || good
for first in 1,NA,3 1,2x,3 1,,3 nan,2,3 x,2,3; do
    printf '%s\n' "$first" | cat - d.csv >lost.csv
    says 3 'error: lost.csv:1:[135]: .*; a first line names the columns only if none of its cells is a number' "$ngc" train d.ng --data lost.csv
done

# ---- default values for any number of rows, and computed ones ----
cat >e.ng <<'END'
dim m <= 4
input x[m, 2], w[m] = 2, s[2, m] = 3, k = mean([1, 3]), t[m]
param p[2] = [1, 1]
y = (x @ p)*w + s[0] + 10*s[1] + k
output y
minimize J = mse(y, t) with sgd(lr = 0.1)
END
for rows in 1 2 3; do says 0 '^J: 1602$' "$ngc" eval e.ng --data d.csv --batch $rows; done
says 0 '^45$' "$ngc" predict e.ng --data x.csv
