"""QEMU as a peer to measure: a process with a guest that sweeps memory, driven over its monitor."""
import json, os, socket, struct, subprocess, sys, time


def kernel(pages):
    """A multiboot kernel that adds one to a word in each of so many pages, for ever."""
    code = (b"\xbf" + struct.pack("<I", 0x200000) + b"\xff\x07\x81\xc7" + struct.pack("<I", 4096) + b"\x81\xff" + struct.pack("<I", 0x200000 + pages * 4096) +
            b"\x72\xf0\xeb\xe9")
    magic, flags, load = 0x1BADB002, 0x10000, 0x100000
    return struct.pack("<8I", magic, flags, -(magic + flags) & 0xFFFFFFFF, load, load, 0, 0, load + 32) + code


class Qemu:
    def __init__(self, folder, name, mib, *more):
        self.monitor = os.path.join(folder, name)
        self.process = subprocess.Popen(["qemu-system-x86_64", "-accel", "tcg", "-m", str(mib), "-display", "none", "-nodefaults", "-kernel", os.path.join(folder, "kernel"),
                                         "-qmp", f"unix:{self.monitor},server=on,wait=off", *more], stdin=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(1000):
            try:
                self.socket.connect(self.monitor)
                break
            except OSError:
                time.sleep(0.01)
        self.lines = self.socket.makefile()
        self.lines.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self.lines.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                sys.exit(f"QEMU: {command}: {answer['error']['desc']}")

    def end(self):
        self.process.kill()
        self.process.wait()
        os.remove(self.monitor)


def print_figure(name, value):
    print(json.dumps({"name": name, "value": value}))
