# check.py - the checker of ONNX, with the inference of shapes, for all models of a folder; and each
# node is read by another one.
import glob
import sys

from onnx import checker, load

files = sorted(glob.glob(sys.argv[1] + "/*.onnx"))
bad = len(files) < 60
for f in files:
    try:
        checker.check_model(f, full_check=True)
    except Exception as e:
        print(f, str(e)[:300])
        bad = True
    graph = load(f).graph
    read = {name for n in graph.node for name in n.input} | {v.name for v in graph.output}
    for n in graph.node:
        if not read.intersection(n.output):
            print(f, "nothing reads", n.op_type, n.output)
            bad = True
print(len(files), "models")
sys.exit(bad)
