"""One run of load against one gateway, the time to start."""

import dataclasses
import http.client
import resource
import time

import loads

DESCRIPTORS = 20_000
SETTLE_SECONDS = 5
QUIET_SECONDS = 30
BUSY_MAX = 0.05  # of all CPUs, by others


@dataclasses.dataclass
class Sample:
    rps: float
    p50: int | None  # microseconds, as p99 and p999; None: the tool does not say
    p99: int | None
    p999: int | None
    cpu: float  # microseconds of the gateway's CPU time for each request
    rss: float  # MiB, peak
    busy: float  # share of its core that the gateway used
    errors: int


def raise_descriptor_limit(needed):
    """Children inherit it. Raises when `needed` is more than the machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if limit < needed:
        raise SystemExit(f"run.py: needs {needed} open files, the hard limit is {hard}: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def cpu_ticks():
    """All and idle ticks of all CPUs since the machine started."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:]]
    return sum(ticks), ticks[3] + ticks[4]


def wait_until_quiet():
    """Waits for a second in which the machine does next to nothing, for half a minute at most. How
    busy the last one was, 0 to 1."""
    deadline = time.monotonic() + QUIET_SECONDS
    while True:
        total, idle = cpu_ticks()
        time.sleep(1)
        total_now, idle_now = cpu_ticks()
        busy = 1 - (idle_now - idle) / max(total_now - total, 1)
        if busy <= BUSY_MAX or time.monotonic() >= deadline:
            return busy


def settle(gateway):
    """Until the gateway is done with the end of the run before: 50 ms with almost no CPU time."""
    deadline = time.monotonic() + SETTLE_SECONDS
    before = gateway.cpu_ns()
    while time.monotonic() < deadline:
        time.sleep(0.05)
        now = gateway.cpu_ns()
        if now - before < 500_000:
            return
        before = now
    raise RuntimeError(f"{gateway.name} is busy without load")


def measure(gateway, scenario, seconds):
    settle(gateway)
    gateway.forget_peak()
    cpu_before = gateway.cpu_ns()
    load = loads.run(gateway, scenario, seconds)
    cpu_ns = gateway.cpu_ns() - cpu_before
    errors = load.errors
    # Bodies are not compared, but bytes counted; and a run without answers has no errors.
    if load.requests == 0 or load.received < load.requests * scenario.answer:
        errors += 1
    return Sample(rps=load.requests * 1e6 / load.microseconds, p50=load.p50, p99=load.p99,
                  p999=load.p999, cpu=cpu_ns / 1000 / max(load.requests, 1),
                  rss=gateway.memory("VmHWM") / 1024 / 1024,
                  busy=cpu_ns / 1000 / load.microseconds, errors=errors)


def user_memory(gateway):
    """What the program itself wrote to; shared mappings too, should it keep buffers there."""
    return gateway.memory("RssAnon") + gateway.memory("RssShmem")


def time_to_first_response(gateway):
    """Milliseconds from exec to the first answer; the gateway is stopped again."""
    for origin in gateway.origins:
        origin.start()
    begin = time.monotonic()
    gateway.spawn()
    try:
        while time.monotonic() < begin + 10 and gateway.process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
            try:
                connection.request("GET", "/bytes/128")
                if connection.getresponse().status == 200:
                    return (time.monotonic() - begin) * 1000
            except (OSError, http.client.HTTPException):
                time.sleep(0.0005)
            finally:
                connection.close()
        raise RuntimeError(f"{gateway.name} does not answer: {gateway.said()}")
    finally:
        gateway.stop()
