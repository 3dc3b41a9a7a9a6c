#!/usr/bin/env python3
"""names.py: whether the tests (`Suite.Name`, `Suite.*`) and functions (`Type::name()`, `name()`) that the documentation names are there, and the
files that the sources name as their tests ("Tests: tests/x86/tlb_test.cpp, step_test.cpp.").

Prints FILE:LINE: NAME for each that is not; status 1 if there are any.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = re.compile(r"^([A-Z][A-Za-z0-9]*)\.([A-Z][A-Za-z0-9]*|\*)$")
FUNCTION = re.compile(r"^(?:([A-Z]\w*)::)?(\w+)\((?!\d)[\w:&, ]*\)$")


def sources(folder):
    return "\n".join(path.read_text() for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".cpp", ".h", ".hpp"))


def missing(name, tests, code):
    if match := TEST.match(name):
        suite, test = match.groups()
        return suite not in tests or (test != "*" and test not in tests[suite])
    if match := FUNCTION.match(name):
        owner, function = match.groups()
        return not re.search(rf"\b{function}\b\(", code) or (owner is not None and not re.search(rf"\b{owner}\b", code))
    return False


def missing_test_files(text):
    """Names without a folder are in the folder of the name before them."""
    folder = ""
    for name in re.findall(r"[\w/]+\.(?:cpp|py|S|toml)\b", text):
        folder = name.rpartition("/")[0] or folder
        if not (ROOT / folder / name.rpartition("/")[2]).exists():
            yield name


def main():
    tests = {}
    for suite, test in re.findall(r"\b(?:TEST(?:_[FP])?|RC_GTEST_(?:FIXTURE_)?PROP|RAMET_PROP)\(\s*(\w+),\s*(\w+)", sources("tests")):
        tests.setdefault(suite, set()).add(test)
    code = sources("src")
    findings = 0
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]:
        for number, line in enumerate(path.read_text().split("\n"), 1):
            for name in re.findall(r"`([^`]+)`", line):
                if missing(name, tests, code):
                    print(f"{path.relative_to(ROOT)}:{number}: {name}")
                    findings += 1
    for path in [*sorted((ROOT / "include").rglob("*.h*")), *sorted((ROOT / "src").rglob("*.h")), *sorted((ROOT / "src").rglob("*.cpp"))]:
        for number, line in enumerate(path.read_text().split("\n"), 1):
            for name in missing_test_files(line.partition("Tests: ")[2]):
                print(f"{path.relative_to(ROOT)}:{number}: {name}")
                findings += 1
    return 1 if findings else 0


sys.exit(main())
