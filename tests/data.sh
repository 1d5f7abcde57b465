#!/bin/sh
# data.sh - prints where a data set is: `sh tests/data.sh iris|fashion|table FILE`. This project
# contains no data set. Fashion-MNIST is Debian's package dataset-fashion-mnist. The tables
# (iris.csv and others) are files of Debian's python3-sklearn; if that is not installed, the file is
# extracted from the package into build/data.
set -u
here=$(dirname "$0")/..

case ${1:-} in
fashion)
    dir=/usr/share/datasets/fashion-mnist
    [ -e $dir/train-images-idx3-ubyte.gz ] && echo $dir && exit 0
    echo "data.sh: Fashion-MNIST is missing: sudo apt-get install dataset-fashion-mnist" >&2
    exit 1
    ;;
iris | table)
    name=${2:-iris.csv}
    inside=usr/lib/python3/dist-packages/sklearn/datasets/data/$name
    for at in /$inside "$here/build/data/$inside"; do
        [ -e "$at" ] && echo "$at" && exit 0
    done
    mkdir -p "$here/build/data" && cd "$here/build/data" || exit 1
    if apt-get download python3-sklearn >/dev/null 2>&1 && dpkg-deb -x python3-sklearn_*.deb . &&
        [ -e $inside ]; then
        rm -f python3-sklearn_*.deb
        echo "$PWD/$inside"
        exit 0
    fi
    echo "data.sh: the table $name is missing: sudo apt-get install python3-sklearn" >&2
    exit 1
    ;;
*)
    echo "usage: data.sh iris|fashion|table FILE" >&2
    exit 2
    ;;
esac
