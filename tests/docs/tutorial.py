#!/usr/bin/env python3
"""tutorial PAGE RAMET BUILD TOOLS: does what docs/testing.md says, in an empty folder, with the program and the library of a build.

Blocks of the page: "sh" is run ("status=N" is what it must end with), a "text" block behind it must be in its output line by line, where "…" stands for
anything; a block with a file's name is written to that file; the "run:" lines of a CI file are run for its first shard. Ends with 77 (skipped) where
Debian's kernel cannot be had.
"""
import os, pathlib, re, shutil, subprocess, sys, tempfile

PAGE, RAMET, BUILD, TOOLS = map(pathlib.Path, sys.argv[1:])


def blocks(text):
    for match in re.finditer(r"^```(\w+) ?(.*?)\n(.*?)^```$", text, re.M | re.S):
        yield match[1], match[2], match[3]


def install(place):
    """The library where pkg-config finds it."""
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], check=True, env={**os.environ, "DESTDIR": str(place)})
    pc = next(place.rglob("ramet.pc"))
    text = pc.read_text()
    prefix = re.search(r"^prefix=(.*)$", text, re.M)[1]
    pc.write_text(text.replace(f"prefix={prefix}", f"prefix={place}{prefix}", 1))
    return pc.parent


def run(script, status, folder, environment):
    done = subprocess.run(["sh", "-e", "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    output = done.stdout.decode(errors="replace")
    print(f"$ {script}{output}", flush=True)
    if done.returncode != status:
        sys.exit(f"tutorial: status {done.returncode} instead of {status}")
    return output


def expect(lines, output):
    for line in lines.splitlines():
        pattern = ".*".join(map(re.escape, line.split("…")))
        if not re.search(pattern, output):
            sys.exit(f"tutorial: no line \"{line}\" in the output")


def main():
    if subprocess.run([TOOLS / "guest", "cloud"], stdout=subprocess.DEVNULL).returncode != 0:
        print("NOT RUN: tools/guest could not fetch a kernel")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "work"
        folder.mkdir()
        (folder / "tools").symlink_to(TOOLS)
        environment = {**os.environ, "PATH": f"{RAMET.parent}:{os.environ['PATH']}", "PKG_CONFIG_PATH": str(install(pathlib.Path(place) / "root"))}
        output = ""
        for kind, info, body in blocks(PAGE.read_text()):
            if kind == "sh":
                output = run(body, int(info.removeprefix("status=") or 0), folder, environment)
            elif kind == "text":
                expect(body, output)
            else:
                (folder / info).parent.mkdir(parents=True, exist_ok=True)
                (folder / info).write_text(body)
            if kind == "yaml":
                for command in re.findall(r"- run: (.*)", body):
                    run(command.replace("${{ matrix.shard }}", "1") + "\n", 0, folder, environment)


main()
