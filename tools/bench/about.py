"""On what it was measured."""

import os
import platform
import re
import subprocess


def said(*command):
    """What a program says of itself; None: it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10,
                              check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout + done.stderr


def version(*command):
    found = re.search(r"\d+(\.\d+)+", said(*command) or "")
    return found[0] if found else None


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return re.sub(r"\s+", " ", found[1]) if found else platform.machine()


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def system():
    names = platform.freedesktop_os_release()
    return names.get("PRETTY_NAME", "Linux")


def compiler(build):
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as file:
        path = re.search(r"^CMAKE_C_COMPILER:\w+=(.*)$", file.read(), re.MULTILINE)[1]
    return os.path.basename(path), version(path, "--version")


def commit(root):
    text = said("git", "-C", root, "describe", "--always", "--dirty")
    return f" ({text.strip()})" if text and "fatal" not in text else ""


def about(root, build):
    compiler_name, compiler_version = compiler(build)
    program = os.path.join(build, "bin", "playground")
    versions = {
        "playground": f"{version(program, '--version')}{commit(root)}",
        "Linux": platform.release(),
        compiler_name: compiler_version,
        "libuv": version("pkg-config", "--modversion", "libuv"),
        "Python": platform.python_version(),
        "redis": version("redis-server", "--version"),
        "nats-server": version("nats-server", "--version"),
        "mosquitto": version("/usr/sbin/mosquitto", "-h"),
        "socat": version("socat", "-V"),
        "ncat": version("ncat", "--version"),
        "valgrind": version("valgrind", "--version"),
        "strace": version("strace", "-V"),
    }
    return {
        "machine": f"{os.cpu_count()} CPUs ({processor()}), {memory_gib():.0f} GiB, "
                   f"{system()}",
        "versions": {name: text for name, text in versions.items() if text},
    }
