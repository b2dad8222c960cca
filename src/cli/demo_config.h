// config/demo.yaml, built in. tests/unit/cli holds the two equal.
#pragma once

#include <string_view>

namespace hangu::cli {

constexpr std::string_view kDemoConfig =
    R"yaml(# What `hangu demo` runs (built in; a test holds the two equal): a gateway on port 8080
# in front of an origin on port 9000. With an origin of your own there:
#   hangu run --config config/demo.yaml
version: 1

listeners:
  - {name: web, bind: "127.0.0.1:8080"}

upstreams:
  - {name: origin, endpoints: ["127.0.0.1:9000"]}

routes:
  # Of the routes that match, the most specific wins.
  - name: upload
    match: {path: {exact: /upload}, methods: [POST, PUT]}
    upstream: origin
    timeout: 0        # as long as it takes, while bytes flow
    body_max: 0       # no limit
  - name: download
    match: {path: {prefix: /bytes}, methods: [GET, HEAD]}
    upstream: origin
    timeout: 0
  - name: websocket
    match: {path: {exact: /ws}}
    upstream: origin
    tunnel_idle_timeout: 10m
  - name: everything-else
    upstream: origin
    timeout: 70s      # /delay/60000 takes a minute
    response_headers: {set: {x-gateway: hangu}}

admin: {socket: /tmp/hangu-demo.sock}

# No load balancer has to notice, so leave at once.
shutdown: {lb_delay: 0, drain_timeout: 10s}
)yaml";

}  // namespace hangu::cli
