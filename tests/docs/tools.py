#!/usr/bin/env python3
"""What a newcomer tries first: each program in tools/ says what it does when asked with --help, does nothing else, and refuses what it does not know."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILDS_FIRST = {"vectors"}  # its help is that of the program that it builds


def ask(tool, option):
    return subprocess.run([tool, option], capture_output=True, text=True, timeout=60)


failures = []
for tool in sorted((ROOT / "tools").iterdir()):
    if tool.name in BUILDS_FIRST:
        continue
    before = subprocess.run(["git", "-C", ROOT, "status", "--porcelain"], capture_output=True).stdout
    help_text = ask(tool, "--help")
    if help_text.returncode != 0 or not help_text.stdout.startswith(tool.name):
        failures.append(f"tools/{tool.name} --help ends with {help_text.returncode} and says: {(help_text.stdout + help_text.stderr)[:200]}")
    if ask(tool, "--no-such-option").returncode == 0:
        failures.append(f"tools/{tool.name} takes --no-such-option")
    if subprocess.run(["git", "-C", ROOT, "status", "--porcelain"], capture_output=True).stdout != before:
        failures.append(f"tools/{tool.name} --help changed files")
sys.exit("\n".join(failures) or 0)
