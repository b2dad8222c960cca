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
    # What puts the load on: wrk; h2load with so many streams a connection; s_time, which resumes
    # one session of TLS again and again.
    tool: str = "wrk"
    streams: int = 1
    tls: bool = False
    upstream: str = "http1"  # http2: nghttpd, which has one file
    grpc: bool = False
    peers: tuple = ("nginx", "haproxy")
    nginx_cpu_bar: float = 0  # as cpu_bar, but of nginx
    # Where the gateways' policies are. hangu is then measured without them, too, in the same
    # rounds; what they cost is held to a bar in microseconds, or as part of a plain request.
    policies: str = ""
    # A folder of peers/ with templates of this scenario's own; hangu is measured with the ordinary
    # one, too, as without policies.
    templates: str = ""
    extra_bar: float = 0
    of_plain_bar: float = 0

    @property
    def path(self):
        file = f"/bytes/{self.body}" if self.upstream == "http1" else "/h2/file"
        return self.policies + file

    def plain(self):
        arguments = () if self.templates else self.arguments  # credentials are for nobody then
        return dataclasses.replace(self, policies="", templates="", arguments=arguments)

    @property
    def answer(self):
        """Bytes of every answer's body."""
        return 2 if self.arguments[:1] == ("POST",) else self.body


KIB, MIB = 1024, 1024 * 1024

ALL = ("nginx", "haproxy", "nghttpx", "h2o")

SCENARIOS = (
    Scenario("get-128-c64", "GET 128 B, 64 connections", 64, cpu_bar=0.60),
    Scenario("get-128-c512", "GET 128 B, 512 connections", 512, cpu_bar=0.60),
    # So long that opening the connections, which falls into the run, counts for little.
    Scenario("get-128-c5000", "GET 128 B, 5,000 connections", 5000, longer=3),
    Scenario("get-4k", "GET 4 KiB, 64 connections", 64, 4 * KIB),
    Scenario("policies", "GET 128 B, 64 connections: ten rate limits, breaker, five header edits",
             64, policies="/policies", extra_bar=0.6),
    Scenario("tenants", "GET 128 B, 64 connections: a rate limit for each of 1,000,000 tenants", 64,
             arguments=("TENANTS", "1000000"), policies="/tenants"),
    Scenario("full-chain", "GET 128 B, 64 connections: tokens of ES256 and HS256, API keys, "
             "authorization, a limit, breaker, access log and audit of each request", 64,
             arguments=("FIELDS",), templates="full-chain", of_plain_bar=1.35),
    Scenario("audited", "GET 128 B, 64 connections: audit of each request", 64,
             templates="audited", peers=(), of_plain_bar=1.05),
    Scenario("get-64k", "GET 64 KiB, 32 connections", 32, 64 * KIB, cpu_bar=0.80),
    Scenario("get-1m", "GET 1 MiB, 8 connections", 8, MIB, cpu_bar=0.80),
    Scenario("post-1m", "POST 1 MiB, 8 connections", 8, 0, ("POST", str(MIB)), cpu_bar=0.80),
    Scenario("new", "A new connection for each request, 32 at a time", 32, arguments=("CLOSE",),
             cpu_bar=0.85),
    Scenario("https-4k", "HTTPS, HTTP/1.1, GET 4 KiB, 64 connections", 64, 4 * KIB, tls=True,
             cpu_bar=0.75, peers=("nginx", "haproxy")),
    Scenario("h2-128", "HTTP/2 over TLS, GET 128 B, 8 connections of 32 streams", 8, tls=True,
             tool="h2load", streams=32, peers=ALL, cpu_bar=0.70, nginx_cpu_bar=0.45),
    Scenario("h2-4k", "HTTP/2 over TLS, GET 4 KiB, 8 connections of 32 streams", 8, 4 * KIB,
             tls=True, tool="h2load", streams=32, peers=ALL, cpu_bar=0.70, nginx_cpu_bar=0.45),
    Scenario("h2c-128", "HTTP/2 without TLS, GET 128 B, 8 connections of 32 streams", 8,
             tool="h2load", streams=32, peers=ALL[:3]),
    Scenario("h2-h2", "HTTP/2 over TLS to HTTP/2 upstreams, GET 128 B, 8 connections of 32 streams",
             8, tls=True, tool="h2load", streams=32, upstream="http2", peers=ALL[1:3]),
    Scenario("grpc", "gRPC unary over TLS, 8 connections of 32 streams", 8, tls=True,
             tool="h2load", streams=32, upstream="http2", grpc=True, peers=ALL[:3]),
    Scenario("tls-new", "A new TLS connection for each request, full handshakes, 32 at a time", 32,
             arguments=("CLOSE",), tls=True),
    Scenario("tls-resumed", "A new TLS connection for each request, resumed, one at a time", 1,
             tls=True, tool="s_time", peers=ALL),
)

# Measured apart: by idle.py the memory of idle connections and all of WebSocket tunnels, by
# measure.py the time to start, by changes.py what traffic notices of changes.
APART = ("idle", "tunnels", "start", "changes")

MANY = "get-128-c5000"
MANY_RPS_BAR = 1.5   # of nginx
MANY_RSS_BAR = 24    # MiB, for hangu
# Bytes of user memory for each idle connection, by what it speaks, and for each tunnel.
IDLE_BARS = {"http": 2048, "https": 24 * 1024}
TUNNEL_BAR = 2048
TUNNEL_CPU_BAR = 0.65  # of the better peer, for a message and its echo
START_BAR = 50       # milliseconds to the first request served
CHANGED_ROUTES = (10_000, 100_000)
CHANGE_P99_BAR = 1.10  # of the quiet p99, while single ones of them change 50 times a second
CHANGE_MS_BAR = 10     # to compile such a change
