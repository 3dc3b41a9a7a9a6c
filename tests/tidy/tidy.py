#!/usr/bin/env python3
"""tidy [--self-test]: what the sources must not contain. Prints FILE:LINE: MESSAGE for each finding; status 1 if there are any.

Layers and confinement of libraries, banned names, a purpose comment on each header, leftovers, length of files.
--self-test gives each check a bad sample that it has to find, and a good one that it has to leave alone.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = {"base": 0, "cow": 1, "x86": 2, "machine": 3, "replay": 4, "remote": 5, "lab": 6, "gdb": 6, "cli": 7}
# Library header -> where it may be named.
LIBRARIES = {
    "toml++/": ["machine/configuration", "lab/suite"], "CLI/": ["cli/"], "xxhash": ["base/digest"], "mpfr": ["x86/fpu/"], "Zydis": ["x86/text"],
    "boost/": ["base/fiber"], "lz4": ["machine/boot/unpack", "cow/codec"], "zlib": ["machine/boot/unpack"], "lzma": ["machine/boot/unpack"],
    "zstd": ["machine/boot/unpack"], "bzlib": ["machine/boot/unpack"],
    "httplib": ["remote/http_module.cpp"], "nlohmann/": ["remote/control_json.cpp"], "openssl/ssl": ["remote/secure_link.cpp"],
}
CASTS = ["base/", "cow/", "x86/block.h", "x86/fast/", "x86/tlb", "x86/access"]
# Pattern, message, folders where it is allowed.
BANNED = [
    (r"\b(s?rand)\s*\(", "host randomness; use base/prng.h", []),
    (r"(?<![\w.>])(std::)?time\s*\(\s*(NULL|nullptr|0|&)", "host time; use Cycles", []),
    (r"\bsystem_clock\b", "host time; use Cycles", []),
    (r"\bsteady_clock\b", "host time below cli", ["cli/", "remote/host_time"]),
    (r"\brandom_device\b", "host randomness; use base/prng.h", []),
    (r"\bunordered_(map|set|multimap|multiset)\b", "hash order; use an ordered container", []),
    (r"\bthread_local\b", "state per host thread", ["base/fiber.cpp"]),
    (r"catch\s*\(\s*\.\.\.\s*\)", "catch what you expect", []),
    (r"\b(float|double)\b", "floating point where a guest could see it", ["x86/fpu/", "cli/"]),
    (r"\breinterpret_cast\b", "reinterpret_cast outside its places", CASTS),
]
LINES_MAX = 400


def allowed(name, places):
    return any(name.startswith(p) for p in places)


def code_of(line):
    """The line without texts and line comments."""
    return re.sub(r"//.*", "", re.sub(r'"(\\.|[^"\\])*"', '""', line))


def check(name, text, exceptions=frozenset()):
    """Findings (line, check, message) of the file `name`, relative to src/."""
    lines = text.split("\n")
    layer = name.split("/")[0]
    for number, line in enumerate(lines, 1):
        include = re.match(r'\s*#include\s*[<"]([^>"]+)[>"]', line)
        if include:
            target = include[1]
            to = target.split("/")[0]
            if '"' in line and to in LAYERS and to != layer and LAYERS[to] >= LAYERS[layer]:
                yield number, "layer", f"{layer} includes {target}, which is not below it"
            for library, places in LIBRARIES.items():
                if "<" in line and target.startswith(library) and not allowed(name, places):
                    yield number, "library", f"{target} belongs to {', '.join(places)}"
            continue
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, "leftover", "finish it or file it"
        if re.match(r"\s*//\s*(?!\s*clang-format)[\w.>:\[\]*& -]+(\(.*\)| = .*);\s*$", line) and not re.match(r"//     ", line):  # but an example of use
            yield number, "comment", "code in a comment"
        for pattern, message, places in BANNED:
            if re.search(pattern, code_of(line)) and not allowed(name, places):
                yield number, pattern, message
    if name.endswith(".h") and not lines[0].startswith("//"):
        yield 1, "purpose", "a header starts with its purpose"
    if len(lines) - 1 > LINES_MAX and not name.endswith(".def"):
        yield 1, "length", f"more than {LINES_MAX} lines"


BAD = [
    ("base/a.h", "// A.\n#include \"cow/memory.h\"\n", "layer"), ("gdb/a.h", "// A.\n#include \"lab/a.h\"\n", "layer"),
    ("x86/a.cpp", "#include <toml++/toml.h>\n", "library"), ("x86/a.cpp", "// TODO\n", "leftover"),
    ("x86/a.cpp", "// f(x);\n", "comment"), ("x86/a.h", "#pragma once\n", "purpose"), ("x86/a.cpp", "\n" * 401, "length"),
    ("x86/a.cpp", "int a = rand();\n", BANNED[0][0]), ("x86/a.cpp", "auto t = time(nullptr);\n", BANNED[1][0]),
    ("cli/a.cpp", "std::chrono::system_clock c;\n", BANNED[2][0]), ("x86/a.cpp", "std::chrono::steady_clock c;\n", BANNED[3][0]),
    ("x86/a.cpp", "std::random_device d;\n", BANNED[4][0]), ("x86/a.cpp", "std::unordered_map<int, int> m;\n", BANNED[5][0]),
    ("x86/a.cpp", "thread_local int i;\n", BANNED[6][0]), ("x86/a.cpp", "catch (...) {}\n", BANNED[7][0]),
    ("x86/a.cpp", "double d;\n", BANNED[8][0]), ("machine/a.cpp", "reinterpret_cast<u8*>(p);\n", BANNED[9][0]),
]
GOOD = [
    ("cow/a.h", "// double, rand() and time(0) in a comment are words.\n#include \"base/types.h\"\n"), ("x86/fpu/a.cpp", "double d;\n"),
    ("cli/a.cpp", "std::chrono::steady_clock c;\n"), ("x86/a.h", "// A.\n//     a.f(x);\n"), ("x86/a.cpp", "text(\"double\");\n"), ("x86/isa/a.def", "\n" * 500),
]


def self_test():
    failed = [f"{what} not found in {text[:40]!r}" for name, text, what in BAD if what not in [c for _, c, _ in check(name, text)]]
    failed += [f"{name}: {list(check(name, text))}" for name, text in GOOD if list(check(name, text))]
    print("\n".join(failed))
    return 1 if failed else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    # FILE CHECK-MESSAGE-START: known findings. The list may only shrink.
    known = {tuple(l.split(": ", 1)) for l in (ROOT / "tests/tidy/known.txt").read_text().splitlines() if l and l[0] != "#"}
    found = set()
    status = 0
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cpp", ".def"):
            continue
        name = str(path.relative_to(ROOT / "src"))
        for line, _, message in check(name, path.read_text()):
            found.add((name, message))
            if (name, message) not in known:
                print(f"src/{name}:{line}: {message}")
                status = 1
    for name, message in sorted(known - found):
        print(f"tests/tidy/known.txt: \"{name}: {message}\" is no longer true; take the line out")
        status = 1
    return status


sys.exit(main())
