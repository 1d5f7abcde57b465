# metrics.sh - losses and metrics of all rows, with batches of any size, against awk, which computes
# them from the same numbers; tensors, ints, the log, and values of one batch; a part of run.sh.
mkdir "$dir/metrics" && cd "$dir/metrics" || exit 2
cat >line.ng <<'NG'
dim    m <= 64
input  x[m], y[m], t[m]: int
param  w = 1.2
p = x*w - 0.1
yes = p > 0.5
truth = y > 0.5
metric R2 = r2(p, y), F = F1(yes, truth), exact = precision(yes, truth), found = recall(yes, truth)
metric rmse = sqrt(mse(p, y)), high = max(p), low = min(y), spread = std(y), unbiased = var(y, 0, 0, 1)
metric slope = sum((x - mean(x))*(y - mean(y)))/sum((x - mean(x))^2)
metric n = sum(t), top = max(t), last = y[-1]
metric c = confusion(stack([1 - p, p], 1), t)
minimize J = sqrt(mse(p, y)) + 0.1*l2(w) with sgd(lr = 0)
NG
awk 'BEGIN { srand(3); for (i = 0; i < 50; i++) { x = rand(); y = x + 0.6*rand() - 0.3; printf "%.5f,%.5f,%d\n", x, y, rand() < y } }' >line.csv
awk -F, '
    { x[NR] = $1; y[NR] = $2; t[NR] = $3; sx += $1; sy += $2 }
    END {
        high = -1e9; low = 1e9
        for (i = 1; i <= NR; i++) {
            p = 1.2*x[i] - 0.1
            rest += (p - y[i])^2; all += (y[i] - sy/NR)^2
            both += p > 0.5 && y[i] > 0.5; yes += p > 0.5; truth += y[i] > 0.5
            high = p > high ? p : high; low = y[i] < low ? y[i] : low
            xy += (x[i] - sx/NR)*(y[i] - sy/NR); xx += (x[i] - sx/NR)^2
            n += t[i]; c[t[i], p > 1 - p]++
        }
        print "J", sqrt(rest/NR) + 0.1*1.2^2
        print "R2", 1 - rest/all; print "F", 2*both/(yes + truth); print "exact", both/yes; print "found", both/truth
        print "rmse", sqrt(rest/NR); print "high", high; print "low", low; print "spread", sqrt(all/NR); print "unbiased", all/(NR - 1)
        print "slope", xy/xx; print "n", n; print "top", 1; print "last", y[NR]
        printf "c %d %d %d %d\n", c[0, 0], c[0, 1], c[1, 0], c[1, 1]
    }' line.csv >want
# same FILE: do these results agree with those of awk, to float32?
same() {
    tr -d '[],:' <"$1" | paste -d' ' want - | awk '
        { k = NF/2; for (i = 1; i <= k; i++) if (i == 1 ? $i != $(i + k) : ($i - $(i + k))^2 > (2e-5*(1 + ($i < 0 ? -$i : $i)))^2) { print; bad = 1 } }
        END { exit NR != 15 || bad }'
}
for batch in 1 3 16 50; do
    ok "train" "$ngc" train line.ng --data line.csv --batch $batch --epochs 1 --log log.csv \
        --save w.st --val line.csv
    "$ngc" train line.ng --data line.csv --batch $batch --epochs 1 --quiet --log log.csv \
        --save w.st --val line.csv >got.txt
    ok "batches of $batch" same got.txt
    # the line of the epoch: of the training data and of the validation data
    sed -n 2p log.csv | tr , '\n' | awk 'NR > 2' >values
    head -n 18 values >first
    tail -n 18 values >second
    awk '{ for (i = 2; i <= NF; i++) print $i }' want | paste - first second | awk '
        { for (i = 2; i <= 3; i++) if (($1 - $i)^2 > (2e-5*(1 + ($1 < 0 ? -$1 : $1)))^2) { print; bad = 1 } } END { exit NR != 18 || bad }' >"$dir/got" && good || bad "the log, batches of $batch"
done
[ "$(head -n 1 log.csv | cut -d, -f1-5)" = epoch,seconds,J,R2,F ] && good ||
    bad "$(head -n 1 log.csv)"
grep -q '^epoch.*,"c\[0,0\]","c\[0,1\]","c\[1,0\]","c\[1,1\]",val_J,.*,"val_c\[1,1\]"$' log.csv &&
    good || bad "$(head -n 1 log.csv)"
grep -q '^n: [0-9]*$' got.txt && grep -q '^c: \[\[[0-9]*, [0-9]*\], \[[0-9]*, [0-9]*\]\]$' \
    got.txt && good || bad "$(cat got.txt)"
"$ngc" eval line.ng --data line.csv --load w.st >eval.txt
ok "eval" same eval.txt
"$ngc" eval --real=double line.ng --data line.csv --load w.st >eval.txt
ok "eval in double" same eval.txt

# a loss of one batch is not averaged
cat >pairs.ng <<'NG'
dim   m <= 4
input x[m]
param w = 1
metric size = mean(x^2)
minimize J = mean(abs(w*x[:, new] - x[new, :])) with sgd(lr = 0)
NG
cut -d, -f1 line.csv >x.csv
head -n 4 x.csv >few.csv
says 0 'NG0421, -Wbatch-value' "$ngc" eval pairs.ng --data x.csv
says 0 'J is a value of one batch, and the 50 rows of --data are not one: it is not reported' \
    "$ngc" eval pairs.ng --data x.csv
grep -q '^J:' "$dir/got" && bad "J of several batches: $(cat "$dir/got")" || good
says 0 '^J: 0\.' "$ngc" eval pairs.ng --data few.csv
sed -i.old '/^metric/d' pairs.ng
says 1 'are values of one batch, and the rows of the data are several' "$ngc" eval pairs.ng \
    --data x.csv

# the last batch has one row, of which batch norm knows no variance: that is said once, and only
# then
cat >normed.ng <<'NG'
dim   m <= 8
input x[m, 1], y[m]
h = dense(batch_norm(x), 1)
minimize J = mse(h[:, 0], y) with sgd(lr = 0.01)
NG
head -n 9 line.csv | cut -d, -f1,2 >nine.csv
says 0 'note: a batch of one row (with --batch 4, of 9 rows) leaves h.0.running_var as it is' \
    "$ngc" train normed.ng --data nine.csv --batch 4 --epochs 3 --save n.st
[ "$(grep -c 'one row' "$dir/got")" = 1 ] && good || bad "the note is not there once"
"$ngc" train normed.ng --data nine.csv --batch 3 --epochs 2 --save n.st >"$dir/got" 2>&1
grep -q 'one row' "$dir/got" && bad "a note without a batch of one row" || good
