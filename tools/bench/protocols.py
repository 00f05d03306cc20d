"""Real protocols: the handlers of tests/protocols beside servers made for them,
asked by clients made for them."""

import glob
import os
import re
import shutil
import socket
import subprocess
import time

from measures import cpus
from rude import client, clients_of, cpu_s, others_read
from servers import Failed, Peer, Playground, free_port, pinned, running

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = os.path.join(ROOT, "tests", "protocols")
FETCHED = os.path.join(ROOT, "build", "deps", "servers")
LIMIT_S = 60
PIPELINED, VALUE_BYTES = 3000, 60_000

NGINX = """daemon off; worker_processes 1; pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000;
    client_body_temp_path {folder}; proxy_temp_path {folder};
    fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 "hi"; }} }}
}}
"""
NSD = """server:
    ip-address: 127.0.0.1@{port}
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: "{folder}/nsd.pid"
    zonelistfile: "{folder}/zone.list"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    logfile: "{folder}/nsd.log"
    rrl-ratelimit: 0
    minimal-responses: yes
remote-control:
    control-enable: no
zone:
    name: "example.org"
    zonefile: "{zone}"
"""
ZONE = """$ORIGIN example.org.
@ 3600 IN SOA ns1 root 1 2 3 4 5
@ IN NS ns1
ns1 IN A 127.0.0.1
www IN A 192.0.2.1
"""


# ---- the servers -----------------------------------------------------------------


def fetch():
    done = subprocess.run([os.path.join(ROOT, "tools", "bench", "fetch"), FETCHED],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"servers could not be fetched: {done.stderr.strip()[-200:]}")


def fetched(program):
    """The words that run it, with the libraries that came along."""
    fetch()
    for folder in ("bin", "sbin"):
        path = os.path.join(FETCHED, "usr", folder, program)
        if os.path.exists(path):
            libraries = ":".join(glob.glob(f"{FETCHED}/usr/lib/*-linux-gnu*"))
            return ["env", f"LD_LIBRARY_PATH={libraries}", path]
    raise Failed(f"{program} is not in what was fetched")


class Fetched(Peer):
    """A server for which apt-get and dpkg are enough; `files` may hold {folder}
    and the paths of those before."""

    def is_installed(self):
        return bool(shutil.which("apt-get") and shutil.which("dpkg"))

    def command(self, builds):
        values = {"port": free_port(), "folder": builds.folder}
        for name, text in self.files.items():
            values[name] = builds.file(name, text.format(**values))
        words = [word.format(**values) for word in self.words[1:]]
        return [*fetched(self.words[0]), *words], values["port"]


class Protocol(Playground):
    """A handler of tests/protocols, built as a user would build it."""

    def __init__(self, name, handler, transport="tcp", options=None):
        super().__init__(name, transport, [{"plugin": handler, **(options or {})}])
        self.handler = handler

    def command(self, builds):
        if not os.path.exists(os.path.join(builds.folder, f"{self.handler}.so")):
            shutil.copy(os.path.join(SOURCES, f"{self.handler}.c"), builds.folder)
            subprocess.run([builds.playground, "build", f"{self.handler}.c"], check=True,
                           cwd=builds.folder, stdout=subprocess.DEVNULL)
        return super().command(builds)


REDIS = ("redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--save", "",
         "--dir", "{folder}")
NGINX_FILES = {"nginx_conf": NGINX}
NSD_FILES = {"zone": ZONE, "nsd_conf": NSD}


def redis(name):
    return Fetched(name, *REDIS)


def nginx(name):
    return Fetched(name, "nginx", "-p", "{folder}", "-e", "stderr", "-c", "{nginx_conf}",
                   files=NGINX_FILES)


def nsd(name):
    return Fetched(name, "nsd", "-d", "-c", "{nsd_conf}", files=NSD_FILES)


DNS = {"records": ["www.example.org A 192.0.2.1"]}


# ---- the clients -----------------------------------------------------------------


def redis_benchmark(builds, port, command, deep, count):
    del builds
    return ["redis-benchmark", "-p", str(port), "-c", "50", "-P", deep, "-n", count,
            "-t", command, "--csv"], lambda said: int(count)


def wrk(builds, port, connections):
    del builds

    def answered(said):
        if "Socket errors" in said or "Non-2xx" in said:
            raise Failed("wrk: not all was answered")
        return int(re.search(r"(\d+) requests in", said)[1])

    return ["wrk", "-c", connections, "-t", "1", "-d", "1", f"http://127.0.0.1:{port}/"], answered


def dnsperf(builds, port, sockets, count):
    path = builds.file("queries", "www.example.org A\n" * 100)

    def answered(said):
        return int(re.search(r"Queries completed: +(\d+)", said)[1])

    return [*fetched("dnsperf"), "-s", "127.0.0.1", "-p", str(port), "-d", path, "-c", sockets,
            "-q", "100", "-n", str(int(count) // 100)], answered


CLIENTS = {"redis-benchmark": redis_benchmark, "wrk": wrk, "dnsperf": dnsperf}


def requests(table, case, server, builds, times):
    """The CPU time of a request: of the server's process tree, while the client runs."""
    del times
    server_cpus, load_cpus = cpus(table)
    name, *arguments = case.load
    with running(server, builds, server_cpus) as (pid, port):
        words, answered = CLIENTS[name](builds, port, *arguments)
        before, began = cpu_s(pid), time.monotonic()
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S,
                              check=False, preexec_fn=pinned(load_cpus))
        took, used = time.monotonic() - began, cpu_s(pid) - before
    if done.returncode:
        raise Failed(f"{name} ended with status {done.returncode}: {done.stderr.strip()[-200:]}")
    count = answered(done.stdout)
    return {"cpu_us": used / count * 1e6, "rate": count / took}


# ---- a long answer gives way --------------------------------------------------------


def pipelined_waits(table, case, server, builds, times):
    """The longest wait of one who asks for little, while another has asked for 3,000
    times 60 KB and reads as fast as it comes."""
    del case, times
    with clients_of(table, server, builds) as (_, port, reads):
        greedy, other = client(port), client(port)
        greedy.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$%d\r\n%s\r\n"
                       % (VALUE_BYTES, b"x" * VALUE_BYTES))
        greedy.recv(5, socket.MSG_WAITALL)
        greedy.setblocking(False)
        reads.register(greedy, 1)
        greedy.send(b"GET x\n" * PIPELINED)
        with others_read(reads):
            longest, end = 0.0, time.monotonic() + 1
            while time.monotonic() < end:
                began = time.monotonic()
                other.sendall(b"PING\n")
                other.recv(7, socket.MSG_WAITALL)
                longest = max(longest, time.monotonic() - began)
        other.close()
    return {"wait_ms": longest * 1000}
