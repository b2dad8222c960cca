"""What is measured, and the bars that hangu is held to."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    connections: int
    path: str
    arguments: tuple = ()  # of load.lua
    cpu_bar: float = 0  # hangu's CPU per request, at most this much of the better peer's


SCENARIOS = (
    Scenario("get-128-c64", "GET 128 B, 64 connections", 64, "/128", cpu_bar=0.60),
    Scenario("get-128-c512", "GET 128 B, 512 connections", 512, "/128", cpu_bar=0.60),
    Scenario("get-128-c5000", "GET 128 B, 5,000 connections", 5000, "/128"),
    Scenario("get-4k", "GET 4 KiB, 64 connections", 64, "/4096"),
    Scenario("get-64k", "GET 64 KiB, 32 connections", 32, "/65536", cpu_bar=0.80),
    Scenario("get-1m", "GET 1 MiB, 8 connections", 8, "/1048576", cpu_bar=0.80),
    Scenario("post-1m", "POST 1 MiB, 8 connections", 8, "/0", ("POST", "1048576"), cpu_bar=0.80),
    Scenario("new", "a new connection a request, 32 at a time", 32, "/128", ("CLOSE",),
             cpu_bar=0.85),
)

MANY = "get-128-c5000"
MANY_RPS_BAR = 1.5   # of nginx
MANY_RSS_BAR = 24    # MiB, for hangu
IDLE_BAR = 2048      # bytes of user memory for each idle connection
START_BAR = 50       # milliseconds to the first request served
