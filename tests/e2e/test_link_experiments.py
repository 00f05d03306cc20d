"""The experiments of playground compare on an impaired link: what they show.

That each comes out as theory says, and what they say where no link can be made,
is checked with all the others, in test_compare_experiments.py.
"""

import functools
import json
import subprocess
import unittest

from at_once import at_once
from busy import Others
from server import PLAYGROUND, run, times

LIMIT_S = 600
SEEDS = times(2, 20)


class TooBusy(Exception):
    """This machine is: there is nothing to look at."""


def compare(*arguments):
    """The results, once all is over; every check holds."""
    others = Others()
    done = subprocess.run(
        [PLAYGROUND, "compare", "--json", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode == 3 and others.are_busy():
        raise TooBusy
    assert done.returncode == 0, (others.share(), done.stdout, done.stderr)
    return json.loads(done.stdout)["experiments"]


def rows(result):
    return {row["key"]: (row["tcp"], row["udp"]) for row in result["rows"]}


def points(result, plot, series):
    return dict(map(tuple, result["plots"][plot]["series"][series]["points"]))


def has_link():
    return run("wire", "--check").returncode == 0


def on_wire(test):
    """Elsewhere the fall-back is the test."""

    @functools.wraps(test)
    def either(self):
        if has_link():
            try:
                test(self)
            except TooBusy:
                pass
        else:
            (result,) = compare("loss", "--messages", "100")
            self.assertIn("No impaired link on this system", result["notes"][0])

    return either


class Loss(unittest.TestCase):
    @on_wire
    def test_a_seed_loses_the_same_datagrams_each_time(self):
        keys = ("lost_1", "first_lost_1", "which_1", "lost_5", "which_5")
        arguments = ("loss", "--messages", str(times(2000, 10000)), "--seed")
        results = [rows(compare(*arguments, "7")[0]) for _ in range(times(2, 3))]
        sets = [[result[key][1] for key in keys] for result in results]
        for other in sets[1:]:
            self.assertEqual(sets[0], other)
        self.assertGreater(sets[0][0], 0)
        (other,) = compare(*arguments, "8")
        self.assertNotEqual(rows(other)["which_5"][1], sets[0][-1])

    @on_wire
    def test_udp_loses_a_fair_share_with_every_seed(self):
        """Within three standard deviations; TCP nothing, and shows it."""
        for seed in range(1, SEEDS + 1):
            with self.subTest(seed=seed):
                (result,) = compare("loss", "--seed", str(seed))
                found = rows(result)
                self.assertEqual(found["lost_0"], (0, 0))
                for percent, least, most in ((1, 71, 129), (5, 435, 565)):
                    tcp, udp = found[f"lost_{percent}"]
                    self.assertEqual(tcp, 0)
                    self.assertTrue(least <= udp <= most, udp)
                    self.assertGreater(found[f"sent_again_{percent}"][0], 0)
                names = {check["key"] for check in result["checks"]}
                self.assertIn("udp_exact", names)
                self.assertIn("tcp_sends_again", names)

    @on_wire
    def test_a_rate_of_ones_own(self):
        (result,) = compare("loss", "--loss", "20", "--messages", "1000")
        tcp, udp = rows(result)["lost_20"]
        self.assertEqual(tcp, 0)
        self.assertTrue(162 <= udp <= 238, udp)


class HeadOfLine(unittest.TestCase):
    @on_wire
    def test_tcp_waits_a_round_trip_and_udp_does_not(self):
        (result,) = compare("headofline", "--delay", "40")
        tcp, udp = points(result, 0, 0), points(result, 0, 1)
        self.assertEqual(sorted(tcp), list(range(100)))
        self.assertEqual(sorted(udp), [n for n in range(100) if n != 30])
        self.assertGreaterEqual(min(*tcp.values(), *udp.values()), 80)
        # The lost one and the next: two round trips. Those behind wait less
        # and less, because all are delivered at one moment.
        self.assertGreaterEqual(tcp[31], 160)
        self.assertGreater(tcp[30], tcp[31])
        self.assertGreater(tcp[31], tcp[33])
        self.assertEqual(result["answer"], 1)


class Order(unittest.TestCase):
    @on_wire
    def test_the_link_does_it_to_both_and_udp_alone_shows_it(self):
        found = rows(compare("order")[0])
        for key in ("link_reordered", "link_duplicated"):
            self.assertTrue(all(count > 0 for count in found[key]), found[key])
        self.assertEqual(found["overtaken"][0], 0)
        self.assertGreater(found["overtaken"][1], 0)
        self.assertEqual(found["duplicates"], (0, found["link_duplicated"][1]))

    @on_wire
    def test_nothing_of_it(self):
        others = Others()
        found = rows(compare("order", "--reorder", "0", "--duplicate", "0")[0])
        if found["overtaken"][1] > 0 and others.are_busy():
            # The kernel queues what a process sends for each processor, so a
            # forwarder that is moved to another one overtakes itself there.
            raise TooBusy
        self.assertEqual(found["overtaken"], (0, 0))
        self.assertEqual(found["duplicates"], (0, 0))


class Handshake(unittest.TestCase):
    @on_wire
    def test_packets_and_round_trips(self):
        found = rows(compare("handshake", "--delay", "20")[0])
        self.assertEqual(found["answer_packets"][1], 2)
        self.assertEqual(found["all_packets"][1], 2)
        self.assertEqual(found["all_bytes"][1], 2 * (28 + len("hello")))
        self.assertGreaterEqual(found["answer_ms"][0], 2 * 40)
        self.assertGreaterEqual(found["answer_ms"][1], 40)
        self.assertGreater(found["all_packets"][0], found["answer_packets"][0])


class Congestion(unittest.TestCase):
    @on_wire
    def test_each_by_name_over_time(self):
        (result,) = compare("congestion", "--for", "2", "--loss", "2")
        windows = result["plots"][1]
        self.assertEqual(windows["title"], "Congestion window")
        names = [series["name"] for series in windows["series"]]
        self.assertIn("cubic", names)
        for series in windows["series"]:
            times = [point[0] for point in series["points"]]
            self.assertEqual(times, sorted(times))
            self.assertGreater(len(times), 5)
        flood = result["plots"][2]
        self.assertEqual(flood["marks"], [{"x": 2, "label": "the flood begins"}])
        udp = [mbit for at, mbit in flood["series"][1]["points"] if at < 1.5]
        self.assertEqual(set(udp), {0})


load_tests = at_once(4)

if __name__ == "__main__":
    unittest.main()
