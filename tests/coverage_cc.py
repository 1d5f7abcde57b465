"""coverage_cc.py BUILD COMPILER ARGUMENT... - compiles as COMPILER does, but sources of the
runtime, and programs of its suite, which include it, count their lines and branches (coverage.sh).
What they need is in BUILD: one object for each source and set of options, .obj because the suite
pass links all *.o there. The optimizer and the sanitizers are left out, because they have branches
of their own."""

import hashlib
import os
import subprocess
import sys

build, compiler, *given = sys.argv[1:]
COUNTS = ["-O0", "-g", "--coverage"]


def ours(word):
    return word.endswith(".c") and "runtime" in os.path.abspath(word).split("/") or any(
        "/%s/ngrt_" % copy in word for copy in ("avx2", "plain", "scalar"))


def main():
    target = given[given.index("-o") + 1] if "-o" in given else "a.out"
    sources = [w for w in given if ours(w)]
    if not sources:
        os.execvp(compiler, [compiler, *given])
    rest = [w for i, w in enumerate(given) if w not in sources + ["-o", "-c"]
            and not w.startswith(("-O", "-fsanitize", "-fno-sanitize")) and given[i - 1] != "-o"]
    options = [w for w in rest if w.startswith("-") and not w.startswith(("-l", "-Wl,"))]

    objects = []
    for source in sources:
        text = subprocess.run([compiler, *options, "-E", "-P", source],
                              stdout=subprocess.PIPE).stdout
        number = hashlib.sha1(" ".join([source, *options, *COUNTS]).encode() + text).hexdigest()[:10]
        name = os.path.join(build, "%s_%s.obj" % (number, os.path.basename(source)[:-2]))
        if not os.path.exists(name):
            command = [compiler, *options, *COUNTS, "-c", source, "-o", name]
            if subprocess.run(command).returncode:
                sys.exit(1)
        objects.append(name)

    if "-c" in given:
        os.system("cp '%s' '%s'" % (objects[0], target))
        return
    sys.exit(subprocess.run([compiler, *objects, *rest, "-o", target, "-lgcov", "-lm"]).returncode)


main()
