"""One server and many peers that misbehave in every way, drawn by a seed; beside
them some that behave, and get exactly what is theirs. What has to hold is checked,
not an example: nobody pays for another, nothing is left when all have gone, and
every message is accounted for. PLAYGROUND_SEED repeats a run."""

import os
import random
import re
import select
import time
import unittest

import rude_peers
from rude_peers import HonestEcho, HonestMember, HonestUdp
from server import SEED, Server, config, deadline, listener, times

PLUGINS = os.path.join(os.environ["PLAYGROUND_BUILD"], "tests", "plugins")
SECONDS = times(30, 1800)
PEERS, HONEST, STEPS = 40, 4, 300
LIMITS = {  # small, so that they are reached
    "session_queue_bytes": 1 << 21,
    "queue_bytes_total": 1 << 22,
    "kept_bytes_total": 1 << 22,
    "linger_ms": 500,
    "max_sessions": 250,  # more than there are connections
    "unread_s": 2,
}
# What rude members of a chat say in all: each honest one may have it in its
# queue, but not all that do not read may.
CHAT_BYTES = 1 << 20
REFUSED = "(?:refused: |longer than|from one of our own|dropped: (?:session is paused|the one before)).*"
# Ten times what the limits allow a session whose peer has gone, or stays and takes
# or says nothing: a goodbye that nobody answers, twice the silence before a probe,
# what is not read, silence.
KEEPALIVE_S, IDLE_S = 1, 2
REST_S = 10 * (LIMITS["linger_ms"] / 1000 + 2 * KEEPALIVE_S + LIMITS["unread_s"] + IDLE_S)
SORTS = rude_peers.RUDE_TCP + rude_peers.RUDE_UDP
SUMMARY = r"^worker \d+: (\d+) sessions, (\d+) bytes queued, (\d+) bytes kept"


def processor_ns(pid):
    """How long it ran or wanted to, see schedstat in proc(5): a process that
    spins wants all the time, however busy the machine is."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        ran, waited, _ = map(int, file.read().split())
    return ran + waited


class Model:
    """A round: the config, who comes, and what each does, all by the seed."""

    def __init__(self, test, seed):
        self.test, self.random = test, random.Random(seed)
        self.kind = self.random.choice(("echo", "echo", "chat"))
        self.framing = "lines"
        if self.kind == "echo":
            self.framing = self.random.choice(("lines", "length", "none"))
        self.workers = self.random.choice((1, 2, 4))
        self.strangers, self.max_peers = (self.random.choice((1, 4, 30, 250)) for _ in range(2))
        self.datagrams = 0
        self.budget = CHAT_BYTES if self.kind == "chat" else 1 << 40
        self.rude, self.honest, self.stayed = [], [], []
        self.server = self.tcp = self.udp = self.idle = None

    def config(self):
        udp = listener(
            "udp",
            idle_s=IDLE_S,
            max_peers=self.max_peers,
            handlers=[{"plugin": "tally", "name": "tally-udp"}],
        )
        tcp = listener("tcp", keepalive_s=KEEPALIVE_S, handlers=[{"plugin": "tally", "name": "tally-tcp"}])
        idle = listener("tcp", idle_s=IDLE_S, handlers=[{"plugin": "tally", "name": "tally-idle"}])
        handlers = [] if self.framing == "none" else [self.framing]
        if self.kind == "echo":
            self.is_impaired = self.random.random() < 0.3
            if self.is_impaired:
                handlers.insert(0, {"plugin": "impair", "delay_ms": 20, "jitter_ms": 10})
            handlers += [{"plugin": "tally", "name": "tally-top"}, "echo"]
        else:
            slow = self.random.choice(("close", "drop"))
            handlers.append({"plugin": "chat-broadcast", "slow": slow})
        limits = {**LIMITS, "strangers": self.strangers}
        return config([tcp, udp, idle], handlers, plugin_path=PLUGINS, workers=self.workers, limits=limits)

    def run(self):
        with Server(self.config()) as self.server:
            self.tcp, self.idle = self.server.addresses("tcp")
            self.udp = self.server.address("udp")
            before = self.state()
            self.invite()
            for _ in range(STEPS):
                self.step()
            self.check_honest()
            for one in self.rude + self.honest:
                one.leave()
            self.check_rest(before)
            self.check_accounts()
            for one in self.stayed:
                one.sock.close()

    def invite(self):
        kind = HonestEcho if self.kind == "echo" else HonestMember
        self.honest = [kind(self, b"honest%d" % n) for n in range(HONEST)]
        if self.kind == "echo":
            self.honest.append(HonestUdp(self, b"honestudp"))
        self.rude = [self.random.choice(SORTS)(self) for _ in range(PEERS)]

    def may_send(self, size):
        self.budget -= size
        return self.budget > 0

    def step(self):
        for number, one in enumerate(self.rude):
            if self.random.random() < 0.5:
                one.step()
            if self.random.random() < 0.01:  # and somebody else comes
                one.leave()
                self.rude[number] = self.random.choice(SORTS)(self)
        self.random.choice(self.honest).step()
        for one in self.honest:
            one.take()

    def state(self):
        """Descriptors of each process."""
        return {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in self.server.processes()}

    # ---- what has to hold ------------------------------------------------------

    def check_honest(self):
        check = deadline()
        while not all([one.check() for one in self.honest]) and not any(
            one.why for one in self.honest
        ):
            check("everything that honest peers have to hear")
            select.select(self.honest, [], [], 0.05)
        for one in self.honest:
            self.test.assertIsNone(one.why, f"{one.name} pays for another")

    def reports(self):
        pids = self.server.children()
        return [self.server._report(pid) for pid in pids]

    def check_rest(self, before):
        limit = time.monotonic() + REST_S
        while any(summary := self.summary()):
            share = self.share_of_processor()
            if time.monotonic() > limit:
                self.test.fail(
                    f"sessions, bytes queued, bytes kept are still {summary}; {share:.2f} of a "
                    "processor is used"
                )
        self.test.assertLess(self.share_of_processor(), 0.5, "of a processor, at rest")
        self.test.assertEqual(self.state(), before)

    def share_of_processor(self):
        """For half a second."""
        pids = self.server.processes()
        begin, used = time.monotonic(), sum(map(processor_ns, pids))
        self.test.assertFalse(self.server.err.comes("crashed|does not come back", 0.5))
        return (sum(map(processor_ns, pids)) - used) / 1e9 / (time.monotonic() - begin)

    def summary(self):
        matches = [re.search(SUMMARY, text, re.MULTILINE).groups() for text in self.reports()]
        return [sum(map(int, column)) for column in zip(*matches)]

    def counted(self, text, owner, name):
        found = re.findall(rf"^worker \d+: {owner}: {name}: (\d+)$", text, re.MULTILINE)
        return sum(map(int, found))

    def check_accounts(self):
        text = "\n".join(self.reports())
        refused = self.counted(text, "tcp", "refused: .*")
        self.test.assertEqual(refused, 0, f"connections pay for datagrams\n{text}")
        for owner in ("tally-tcp", "tally-idle", "tally-udp"):
            opened, closed = (self.counted(text, owner, x) for x in ("opened", "closed"))
            self.test.assertEqual(opened, closed, f"{owner}\n{text}")
        came = self.counted(text, "tally-udp", "in") + self.counted(text, "udp", REFUSED)
        came += self.dropped_by_kernel()
        self.test.assertEqual(came, self.datagrams, f"datagrams are missing\n{text}")
        if self.kind == "echo":
            into, out = (self.counted(text, "tally-top", x) for x in ("in", "out"))
            # What finds no room has gone out in vain, and comes again. Behind a
            # delay the answer was taken when it set out.
            again = self.counted(text, "impair", "refused: no room for a delay")
            if not self.is_impaired:
                again = sum(
                    self.counted(text, owner, "dropped: send queue full")
                    for owner in ("tcp", "tcp-2", "udp")
                )
            dropped = self.counted(text, "echo", ".*")
            self.test.assertEqual(into, out - again + dropped, f"answers are missing\n{text}")

    def dropped_by_kernel(self):
        """The last column of /proc/net/udp, all sockets of the port."""
        with open("/proc/net/udp", encoding="ascii") as file:
            rows = [line.split() for line in file]
        port = f":{self.udp[1]:04X}"
        return sum(int(row[-1]) for row in rows[1:] if row[1].endswith(port))


class RudeModel(unittest.TestCase):
    def test_nobody_pays_for_another(self):
        end, seed = time.monotonic() + SECONDS, SEED
        while True:
            model = Model(self, seed)
            with self.subTest(
                f"PLAYGROUND_SEED={seed}",
                kind=model.kind,
                framing=model.framing,
                workers=model.workers,
                strangers=model.strangers,
                max_peers=model.max_peers,
            ):
                model.run()
            seed += 1
            if time.monotonic() > end:
                break


if __name__ == "__main__":
    unittest.main()
