// The keys of `health_check` of an upstream. See schema.cc.
#include "config/balancing_keys.h"
#include "config/keys.h"

namespace hangu::config {
namespace {

void add_question(ObjectType<HealthCheck>& type) {
  type.key<&HealthCheck::kind>(
          choice<HealthCheckKind>({{"http", HealthCheckKind::kHttp},
                                   {"tcp", HealthCheckKind::kTcp},
                                   {"grpc", HealthCheckKind::kGrpc}}),
          {.name = "type",
           .documentation = "A request, in the upstream's `protocol` and over its `tls`; a "
                            "connection; or a call of grpc.health.v1.Health/Check.",
           .example = "tcp"})
      .key<&HealthCheck::path>(
          text(kTargetRule),
          {.name = "path", .documentation = "What `http` asks for.", .example = "/healthz"})
      .key<&HealthCheck::host>(
          text(kHeaderValueRule),
          {.name = "host",
           .documentation = "Its Host field; by default the endpoint's name and port.",
           .example = "app.example.org"})
      .key<&HealthCheck::method>(
          text(kMethodRule), {.name = "method", .documentation = "Its method.", .example = "HEAD"})
      .key<&HealthCheck::statuses>(
          list<StatusRange>(
              std::make_unique<StatusRangeType>(),
              {.name = "list of statuses", .example = "[200, 204]", .at_least_one = true}),
          {.name = "statuses", .documentation = "Answers that are good.", .example = "[200, 204]"})
      .key<&HealthCheck::body>(text(kTextRule),
                               {.name = "body",
                                .documentation = "Must be found in the first 64 KiB of the answer.",
                                .example = "\"\\\"status\\\":\\\"UP\\\"\""})
      .key<&HealthCheck::send>(
          text(kTextRule),
          {.name = "send",
           .documentation = "With `tcp`: what is sent first. Without `send` and `expect` a "
                            "connection (with `tls`, a handshake) is enough.",
           .example = "\"PING\\r\\n\"",
           .alternative = true})
      .key<&HealthCheck::expect>(
          text(kTextRule),
          {.name = "expect",
           .documentation = "With `tcp`: must be found in the first 64 KiB of the answer.",
           .example = "+PONG",
           .alternative = true})
      .key<&HealthCheck::service>(
          text(kHeaderValueRule),
          {.name = "service",
           .documentation = "With `grpc`: the service; by default the server as a whole.",
           .example = "users.v1.Users",
           .alternative = true})
      .key<&HealthCheck::port>(
          number<uint32_t>({0, 65'535, {}, "the endpoint's"}),
          {.name = "port", .documentation = "Another port to ask.", .example = "8081"});
}

void add_times(ObjectType<HealthCheck>& type) {
  type.key<&HealthCheck::interval>(
          duration(milliseconds(10), hours(24)),
          {.name = "interval",
           .documentation = "From one to the next. Each endpoint is asked once for the whole node.",
           .example = "2s"})
      .key<&HealthCheck::no_traffic_interval>(
          duration(milliseconds(10), hours(24)),
          {.name = "no_traffic_interval",
           .documentation = "The same while the upstream gets no requests and the endpoint is what "
                            "its last answer said.",
           .example = "10s"})
      .key<&HealthCheck::timeout>(
          duration(milliseconds(1), minutes(5)),
          {.name = "timeout",
           .documentation = "For all of it: connection, handshake and answer.",
           .example = "500ms"})
      .key<&HealthCheck::jitter_percent>(
          number<uint32_t>({0, 100}),
          {.name = "jitter_percent",
           .documentation = "Of the interval, at random added to it, so that nodes do not ask in "
                            "step.",
           .example = "30"})
      .key<&HealthCheck::healthy>(
          number<uint32_t>({1, 1000}),
          {.name = "healthy",
           .documentation = "Good answers in a row that bring an endpoint back. The very first "
                            "answer decides alone.",
           .example = "1"})
      .key<&HealthCheck::unhealthy>(number<uint32_t>({1, 1000}),
                                    {.name = "unhealthy",
                                     .documentation = "Bad ones in a row that take it out.",
                                     .example = "2"})
      .key<&HealthCheck::ends_ejection>(
          on_off(), {.name = "ends_ejection",
                     .documentation = "Whether a good answer ends an ejection for failed requests.",
                     .example = "false"});
}

}  // namespace

TypePtr<HealthCheck> health_check_keys() {
  auto type = switched<HealthCheck>("{path: /healthz}");
  type->mapping().key<&HealthCheck::mode>(
      mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"});
  add_question(type->mapping());
  add_times(type->mapping());
  type->mapping().check(check_health_check);
  return type;
}

}  // namespace hangu::config
