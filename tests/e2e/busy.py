"""How busy a machine was with the work of others, measured by the test itself."""

import os
import time

BUSY = 0.5  # of all processors' time, taken by others


def _stat_of(pid):
    """Its parent, and the ticks of it and of those it has waited for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None, 0
    return int(fields[1]), sum(map(int, fields[11:15]))


def _own_ticks():
    """Of this process and all that descend from it, ended or not."""
    stats = {int(pid): _stat_of(pid) for pid in filter(str.isdigit, os.listdir("/proc"))}
    own, more = set(), {os.getpid()}
    while more:
        own |= more
        more = {pid for pid, (parent, _) in stats.items() if parent in own} - own
    return sum(stats[pid][1] for pid in own if pid in stats)


def _all_ticks():
    """Of all processors, while they were not idle; what a host takes of a virtual
    machine's time (steal) is in it."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = list(map(int, file.readline().split()[1:9]))
    return sum(fields) - fields[3] - fields[4]


class Others:
    """others = Others(); ...; others.are_busy()"""

    def __init__(self):
        self.begin = time.monotonic()
        self.own, self.all = _own_ticks(), _all_ticks()

    def share(self):
        """Of all processors' time since the start: 0 to 1."""
        ticks = (time.monotonic() - self.begin) * os.sysconf("SC_CLK_TCK")
        others = (_all_ticks() - self.all) - (_own_ticks() - self.own)
        return others / (ticks * os.cpu_count())

    def are_busy(self):
        return self.share() >= BUSY
