"""Runs the tests of a file several at once: for those that mostly wait.

At the end of the file stands `load_tests = at_once(6)`. Each test still has its
own TestCase, setUp() and cleanups; there must be no setUpClass(). Results are
told in the order of the tests. Where each start costs ten times as much, a file
may take some of its tests only, other ones in each run: `at_once(6, sanitized=15)`.
"""

import concurrent.futures
import sys
import unittest

from server import sampled


class _Recorder(unittest.TestResult):
    """Notes what happens to one test, to tell it to the real result later."""

    TOLD = (
        "startTest addSuccess addError addFailure addSkip addExpectedFailure "
        "addUnexpectedSuccess addSubTest stopTest"
    ).split()

    def __init__(self):
        super().__init__()
        self.calls = []
        for name in self.TOLD:
            setattr(self, name, self._note(name))

    def _note(self, name):
        return lambda *arguments: self.calls.append((name, arguments))

    def tell(self, result):
        for name, arguments in self.calls:
            getattr(result, name)(*arguments)


def _flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flat(test)
        else:
            yield test


def _run(test):
    recorder = _Recorder()
    test.run(recorder)
    return recorder


class _AtOnce(unittest.TestSuite):
    count = 1

    def run(self, result, debug=False):
        with concurrent.futures.ThreadPoolExecutor(self.count) as pool:
            for recorder in pool.map(_run, list(_flat(self))):
                recorder.tell(result)
        return result


def at_once(count, sanitized=sys.maxsize):
    """What unittest takes for a file's load_tests()."""

    def load_tests(_loader, tests, _pattern):
        suite = _AtOnce(sampled(_flat(tests), sanitized))
        suite.count = count
        return suite

    return load_tests
