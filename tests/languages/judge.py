"""Prints the verdicts on the files of public vectors that it is given: `python judge.py FILE…`."""

import pathlib
import sys

import vectors

for path in map(pathlib.Path, sys.argv[1:]):
    print(f"# {path.name}")
    print(vectors.verdicts(path.name, path.read_text()), end="")
