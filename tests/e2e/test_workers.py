"""Several workers: none pays for one that stands still, and nothing that one
has heard is lost in silence when all stop."""

import os
import random
import re
import signal
import unittest

from server import PATIENT, SEED, Server, chat, deadline, member, times

LINE = "x" * 8000


def on_each_worker(server, workers):
    """A member of each worker, and all who joined on the way there."""
    members, found = [], {}
    while len(found) < workers:
        assert len(members) < 300, "one worker gets all clients"
        members.append(member(server))
        found.setdefault(server.worker_of(members[-1]), members[-1])
    return found, members


def until_asleep(pid):
    """It has handled its signals, and waits for what comes next."""
    check = deadline()
    while True:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        if status["State"].startswith("S") and not any(
            int(status[name], 16) for name in ("SigPnd", "ShdPnd")
        ):
            return
        os.sched_yield()
        check(f"{pid} sleeps")


def lost_by(server, reason):
    return server.count("chat-broadcast", re.escape(reason))


class Standing(unittest.TestCase):
    """One worker is stopped, and its ring fills up."""

    LINES = times(400, 2000)  # a ring holds 133 of them

    def one_stops(self, workers):
        with Server(chat("tcp", workers=workers, limits=PATIENT)) as server:
            found, members = on_each_worker(server, workers)
            pids = random.Random(f"{SEED}{workers}").sample(list(found), workers)
            still, speaks, hears = pids[0], pids[1], pids[-1]
            os.kill(still, signal.SIGSTOP)
            for number in range(self.LINES):
                found[speaks].send(f"{number:06}{LINE}\n")
                if hears != speaks:
                    self.assertIn(f"{number:06}", found[hears].line_with(LINE))
            # Read in order, behind all that: so the sender is read again.
            found[speaks].send("/who\n")
            found[speaks].line_with("here are ")
            server.err.wait(rf"^worker \d+ stands still .* worker \d+ goes on")
            os.kill(still, signal.SIGCONT)
            # It goes on, and so does what is for it.
            found[speaks].send("the last one\n")
            heard = 0
            while "the last one" not in (line := found[still].line()):
                heard += LINE in line
            lost = lost_by(server, "dropped: another worker stands still")
            self.assertEqual(heard + lost, self.LINES, f"PLAYGROUND_SEED={SEED}")
            self.assertGreater(lost, 0)
            self.assertEqual(server.err.text().count("takes no messages"), 1)
            for one in members:
                one.close()

    def test_of_two(self):
        self.one_stops(2)

    def test_of_four(self):
        self.one_stops(4)


class Ending(unittest.TestCase):
    LOST = r"^worker \d+ stopped with (\d+) messages"

    def lost_at_the_end(self, server):
        found = re.findall(self.LOST, server.err.text(), re.MULTILINE)
        return sum(map(int, found))

    def test_a_line_that_waits_at_another_worker_is_heard_or_counted(self):
        """One worker hears of the end while another has a burst still to read."""
        with Server(chat("tcp", workers=2, limits=PATIENT)) as server:
            found, members = on_each_worker(server, 2)
            late, ear = found
            count = random.Random(SEED).randrange(1, 40)  # one read takes them all
            os.kill(late, signal.SIGSTOP)
            found[late].send(f"{'z' * 200}\n" * count)
            os.kill(ear, signal.SIGTERM)
            until_asleep(ear)
            os.kill(late, signal.SIGCONT)
            server.process.send_signal(signal.SIGTERM)
            heard = found[ear].rest().count(b"z" * 200)
            self.assertEqual(server.process.wait(), 0)
            server.err.thread.join()
            for one in members:
                one.close()
            self.assertEqual(
                heard + self.lost_at_the_end(server), count, f"PLAYGROUND_SEED={SEED}"
            )

    def test_a_burst_at_the_end_is_heard_by_all_or_by_none(self):
        """Members of every worker; what the kernel still has when the server
        stops nobody hears."""
        draw = random.Random(SEED)
        for _ in range(times(2, 25)):
            with Server(chat("tcp", workers=4, limits=PATIENT)) as server:
                found, members = on_each_worker(server, 4)
                pids = list(found)
                draw.shuffle(pids)
                speaker, ears = found[pids[0]], [found[pid] for pid in pids[1:]]
                text = "y" * draw.choice([10, 1000])
                speaker.send(f"{text}\n" * draw.randrange(50, 2000))
                ears[0].line_with(text)
                server.process.send_signal(signal.SIGTERM)
                heard = [ear.rest().count(text.encode()) for ear in ears]
                heard[0] += 1
                self.assertEqual(server.wait(), 0)
                for one in members:
                    one.close()
                self.assertEqual(self.lost_at_the_end(server), 0)
                self.assertEqual(len(set(heard)), 1, f"{heard}, PLAYGROUND_SEED={SEED}")


if __name__ == "__main__":
    unittest.main()
