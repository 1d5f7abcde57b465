#!/usr/bin/env python3
"""reach.py - the time to the same accuracy, against scikit-learn's MLPClassifier and PyTorch:
reach.py NGC [digits|fashion ...]

All train the same network with the same optimizer and the same batches, until they are right on
this part of rows that they have not seen. The processor time of the epochs counts, on one thread,
without reading data, compiling or measuring. Each contender has SEEDS=3 seeds; the middle time
counts. Look at the ratios. """
import gzip
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))

import numpy as np

try:
    import torch
    torch.set_num_threads(1)
except ImportError:
    torch = None
try:
    from sklearn.neural_network import MLPClassifier
except ImportError:
    MLPClassifier = None

MODEL = """dim m <= {batch}
input x[m, {columns}], t[m]: int
z = dense(dense(x, {hidden}, relu), 10)
output p = softmax(z)
metric accuracy = mean(argmax(z) == t)
minimize J = cross_entropy(z, t) with adam(lr = 0.001)
"""
MOST = 60  # epochs


class Task:
    def __init__(self, name, hidden, batch, target, data):
        self.name, self.hidden, self.batch, self.target = name, hidden, batch, target
        self.x, self.t, self.test_x, self.test_t = data()


def digits():
    path = subprocess.run(["sh", os.path.join(TOP, "tests", "data.sh"), "table", "digits.csv.gz"],
                          check=True, capture_output=True, text=True).stdout.strip()
    table = np.loadtxt(gzip.open(path), delimiter=",")
    order = np.random.default_rng(1).permutation(len(table))
    x, t, held = (table[order, :64] / 16).astype("f"), table[order, 64].astype("i"), len(table) // 5
    return x[held:], t[held:], x[:held], t[:held]


def fashion():
    folder = subprocess.run(["sh", os.path.join(TOP, "tests", "data.sh"), "fashion"], check=True,
                            capture_output=True, text=True).stdout.strip()

    def read(part, kind, skip):
        with gzip.open(f"{folder}/{part}-{kind}-ubyte.gz") as f:
            return np.frombuffer(f.read(), "B")[skip:]
    out = []
    for part in "train", "t10k":
        out += [(read(part, "images-idx3", 16).reshape(-1, 784) / 255).astype("f"),
                read(part, "labels-idx1", 8).astype("i")]
    return out


TASKS = {"digits": lambda: Task("digits", 64, 32, 0.96, digits),
         "fashion": lambda: Task("fashion", 128, 64, 0.87, fashion)}


def with_ngc(task, seed, ngc):
    with tempfile.TemporaryDirectory() as d:
        with open(f"{d}/m.ng", "w") as f:
            f.write(MODEL.format(batch=task.batch, columns=task.x.shape[1], hidden=task.hidden))
        for name in "x", "t", "test_x", "test_t":
            np.save(f"{d}/{name}.npy", getattr(task, name))
        env = dict(os.environ, XDG_CACHE_HOME=d, CC="cc -march=native")

        def run(*more):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([ngc, "train", f"{d}/m.ng", "--data", f"x={d}/x.npy,t={d}/t.npy",
                            "--quiet", "--seed", str(seed), *more],
                           check=True, capture_output=True, env=env)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        run("--epochs", str(MOST if task.name == "digits" else 15), "--val",
            f"x={d}/test_x.npy,t={d}/test_t.npy", "--log", f"{d}/log")
        log = np.genfromtxt(f"{d}/log", delimiter=",", names=True)
        reached = np.flatnonzero(log["val_accuracy"] >= task.target)
        if len(reached) == 0:
            return None
        epochs = int(log["epoch"][reached[0]])
        times = [run("--epochs", str(epochs)) - run("--epochs", "0") for _ in range(5)]
        return statistics.median(times), epochs


def until(task, epoch, accuracy):
    """The time of epochs until the accuracy is reached, and how many they are; None: it is not."""
    spent = 0
    for n in range(1, MOST + 1):
        start = time.process_time()
        epoch()
        spent += time.process_time() - start
        if accuracy() >= task.target:
            return spent, n
    return None


def with_sklearn(task, seed, _):
    net = MLPClassifier((task.hidden,), solver="adam", learning_rate_init=0.001, alpha=0,
                        batch_size=task.batch, random_state=seed)
    return until(task, lambda: net.partial_fit(task.x, task.t, range(10)),
                 lambda: net.score(task.test_x, task.test_t))


def with_torch(task, seed, _):
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(task.x.shape[1], task.hidden), torch.nn.ReLU(),
                              torch.nn.Linear(task.hidden, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    x, t, test_x, test_t = (torch.from_numpy(np.array(v))
                            for v in (task.x, task.t.astype("l"), task.test_x, task.test_t))

    def epoch():
        for rows in torch.randperm(len(x)).split(task.batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[rows]), t[rows]).backward()
            optimizer.step()

    def accuracy():
        with torch.no_grad():
            return (net(test_x).argmax(1) == test_t).float().mean().item()
    return until(task, epoch, accuracy)


def main():
    ngc = os.path.abspath(sys.argv[1])
    contenders = {"ngc": with_ngc}
    if MLPClassifier:
        contenders["scikit-learn"] = with_sklearn
    if torch:
        contenders["PyTorch"] = with_torch
    for name in sys.argv[2:] or TASKS:
        task, middle = TASKS[name](), {}
        for who, train in contenders.items():
            runs = [train(task, seed, ngc)
                    for seed in range(1, 1 + int(os.environ.get("SEEDS", 3)))]
            if None in runs:
                print(f"{name}: {who} does not reach {task.target}")
                continue
            middle[who] = statistics.median(r[0] for r in runs)
            print(f"{name}: {who} reaches {task.target:.0%} in {middle[who]:.3f} s of processor time"
                  f" ({statistics.median(r[1] for r in runs):g} epochs)"
                  + (f", {middle[who]/middle['ngc']:.1f} times that of ngc" if who != "ngc"
                     and "ngc" in middle else ""), flush=True)


main()
