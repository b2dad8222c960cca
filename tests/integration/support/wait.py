"""Waiting for what is to happen. Nothing here waits longer than it must, nothing sleeps blindly."""

import os
import threading
import time

# Sanitizer builds on a busy machine are ten times slower: what must happen gets this long.
DEADLINE = float(os.environ.get("HANGU_TEST_DEADLINE", "25"))
POLL = 0.01


def eventually(condition, what, deadline=DEADLINE):
    """The first true value of `condition()`; fails when there is none before the deadline."""
    end = time.monotonic() + deadline
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {deadline} s: {what}")
        pause.wait(POLL)


def settled(measure, quiet=0.5, deadline=DEADLINE):
    """The value of `measure()` once it has not changed for `quiet` seconds."""
    end = time.monotonic() + deadline
    pause = threading.Event()
    value, since = measure(), time.monotonic()
    while time.monotonic() - since < quiet:
        if time.monotonic() > end:
            raise AssertionError(f"still changing after {deadline} s, now {value}")
        pause.wait(POLL)
        now = measure()
        if now != value:
            value, since = now, time.monotonic()
    return value


def run_threads(count, work):
    """Runs work(index) in `count` threads; raises the first exception of theirs."""
    failures = []

    def run(index):
        try:
            work(index)
        except BaseException as error:  # reported below, in the caller's thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE * 3)
        if thread.is_alive():
            failures.append(AssertionError("a client thread did not end"))
    if failures:
        raise failures[0]
