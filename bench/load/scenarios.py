"""What is measured, and the bars that hangu is held to."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    connections: int
    body: int = 128        # bytes that the origin is asked for
    arguments: tuple = ()  # of load.lua
    cpu_bar: float = 0     # hangu's CPU per request, at most this much of the better peer's
    longer: int = 1        # times --seconds

    @property
    def path(self):
        return f"/bytes/{self.body}"

    @property
    def answer(self):
        """Bytes of every answer's body."""
        return 2 if self.arguments[:1] == ("POST",) else self.body


KIB, MIB = 1024, 1024 * 1024

SCENARIOS = (
    Scenario("get-128-c64", "GET 128 B, 64 connections", 64, cpu_bar=0.60),
    Scenario("get-128-c512", "GET 128 B, 512 connections", 512, cpu_bar=0.60),
    # So long that opening the connections, which falls into the run, counts for little.
    Scenario("get-128-c5000", "GET 128 B, 5,000 connections", 5000, longer=3),
    Scenario("get-4k", "GET 4 KiB, 64 connections", 64, 4 * KIB),
    Scenario("get-64k", "GET 64 KiB, 32 connections", 32, 64 * KIB, cpu_bar=0.80),
    Scenario("get-1m", "GET 1 MiB, 8 connections", 8, MIB, cpu_bar=0.80),
    Scenario("post-1m", "POST 1 MiB, 8 connections", 8, 0, ("POST", str(MIB)), cpu_bar=0.80),
    Scenario("new", "A new connection for each request, 32 at a time", 32, arguments=("CLOSE",),
             cpu_bar=0.85),
)

# Measured apart, by measure.py: memory of idle connections, time to start.
APART = ("idle", "start")

MANY = "get-128-c5000"
MANY_RPS_BAR = 1.5   # of nginx
MANY_RSS_BAR = 24    # MiB, for hangu
IDLE_BAR = 2048      # bytes of user memory for each idle connection
START_BAR = 50       # milliseconds to the first request served
