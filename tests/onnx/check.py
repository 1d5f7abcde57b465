# check.py - the checker of ONNX, with the inference of shapes, for all models of a folder.
import glob
import sys

from onnx import checker

files = sorted(glob.glob(sys.argv[1] + "/*.onnx"))
bad = len(files) < 60
for f in files:
    try:
        checker.check_model(f, full_check=True)
    except Exception as e:
        print(f, str(e)[:300])
        bad = True
print(len(files), "models")
sys.exit(bad)
