#include "config/balancing_keys.h"

#include "config/keys.h"
#include "config/secret_type.h"

namespace hangu::config {
namespace {

TypePtr<SlowStart> slow_start() {
  auto type = object<SlowStart>("mapping");
  type->key<&SlowStart::window>(
          duration(milliseconds(100), hours(1), "at once"),
          {.name = "window",
           .documentation = "How long an endpoint that is new, or comes back, takes to get its "
                            "full share. Not with hashes.",
           .example = "30s"})
      .key<&SlowStart::aggression>(
          number<uint32_t>({1, 10}),
          {.name = "aggression",
           .documentation = "1: its share grows evenly; more: quickly at first, then slower.",
           .example = "2"})
      .key<&SlowStart::percent_min>(number<uint32_t>({1, 100}),
                                    {.name = "percent_min",
                                     .documentation = "Of its full share, that it begins with.",
                                     .example = "5"});
  return type;
}

TypePtr<StickyCookie> sticky_cookie() {
  auto type = switched<StickyCookie>("{ttl: 1h}");
  type->mapping()
      .key<&StickyCookie::name>(
          text(kCookieNameRule),
          {.name = "name", .documentation = "Of the cookie.", .example = "app-server"})
      .key<&StickyCookie::path>(
          text(kCookiePathRule),
          {.name = "path", .documentation = "Requests that carry it.", .example = "/app"})
      .key<&StickyCookie::ttl>(
          duration(seconds(1), hours(24 * 365), "until the browser closes"),
          {.name = "ttl", .documentation = "How long it is kept.", .example = "1h"})
      .key<&StickyCookie::same_site>(
          choice<SameSite>(
              {{"lax", SameSite::kLax}, {"strict", SameSite::kStrict}, {"none", SameSite::kNone}}),
          {.name = "same_site",
           .documentation = "Whether requests from pages of other sites "
                            "carry it. `none` needs `secure`.",
           .example = "strict"})
      .key<&StickyCookie::secure>(
          on_off(), {.name = "secure", .documentation = "Only over HTTPS.", .example = "true"})
      .key<&StickyCookie::http_only>(
          on_off(),
          {.name = "http_only", .documentation = "Hidden from scripts.", .example = "false"})
      .key<&StickyCookie::secret>(
          std::make_unique<SecretType>(16),
          {.name = "secret",
           .documentation =
               "What the names of endpoints in the cookie are made with. Without it each process "
               "has one of its own: cookies are good for one node until it restarts.",
           .example = "file:/run/secrets/sticky",
           .alternative = true});
  return type;
}

}  // namespace

TypePtr<Balancing> balancing_keys() {
  auto type = object<Balancing>("mapping");
  type->key<&Balancing::policy>(
          choice<BalancingPolicy>({{"round_robin", BalancingPolicy::kRoundRobin},
                                   {"least_requests", BalancingPolicy::kLeastRequests},
                                   {"peak_ewma", BalancingPolicy::kPeakEwma},
                                   {"hash", BalancingPolicy::kHash},
                                   {"ring_hash", BalancingPolicy::kRingHash}}),
          {.name = "policy",
           .documentation = "In turn; the one of two with fewer requests under way; the one of two "
                            "that answers sooner, by its latest latencies and requests under way; "
                            "or by `key`, alike on all workers and nodes (Maglev, or a ring). All "
                            "of them by weight.",
           .example = "least_requests"})
      .key<&Balancing::key>(
          list<KeyPart>(
              std::make_unique<KeyPartType>(),
              {.name = "list of key parts", .example = "[\"cookie:sid\"]", .at_least_one = true}),
          {.name = "key",
           .documentation =
               "With `hash` and `ring_hash`: requests that are alike in all of these go to the "
               "same endpoint. Those that lack one of them go in turn.",
           .example = "[\"cookie:sid\"]"})
      .key<&Balancing::ring_size>(
          number<uint32_t>({1024, 8 * 1024 * 1024}),
          {.name = "ring_size",
           .documentation = "Points on the ring of `ring_hash`, of 10 bytes, for each worker: more "
                            "of them share more evenly.",
           .example = "65536"})
      .key<&Balancing::balance_factor>(
          number<uint32_t>({0, 1000, {}, "any"}),
          {.name = "balance_factor",
           .documentation =
               "With `hash` and `ring_hash`: most requests under way at an endpoint, in percent of "
               "what is its share of all, on each worker; what is above goes to the next one. 0, "
               "or "
               "101 and more; 125 … 200 is useful.",
           .example = "150"})
      .key<&Balancing::slow_start>(slow_start(),
                                   {.name = "slow_start",
                                    .documentation = "What an endpoint gets at first.",
                                    .example = "{window: 30s}"})
      .key<&Balancing::sticky>(
          sticky_cookie(),
          {.name = "sticky",
           .documentation =
               "Lead clients back to the endpoint they had, by a cookie, as long as it "
               "is well; `off` by default.",
           .example = "{ttl: 1h}"})
      .key<&Balancing::panic_percent>(
          number<uint32_t>({0, 100, {}, "never"}),
          {.name = "panic_percent",
           .documentation =
               "When fewer of the endpoints are healthy, all are used: those left would "
               "break under the load, or the checks are wrong.",
           .example = "30"})
      .key<&Balancing::subset_size>(
          number<uint32_t>({0, 65'534, {}, "all"}),
          {.name = "subset_size",
           .documentation = "So many endpoints of each priority are used by each worker, others by "
                            "others: fewer connections to very large pools. Not with hashes and "
                            "`sticky`.",
           .example = "50"})
      .check(check_balancing);
  return type;
}

namespace {

void add_statistics(ObjectType<Ejection>& type) {
  auto success_rate = switched<SuccessRate>("{stdev_percent: 250}");
  success_rate->mapping()
      .key<&SuccessRate::endpoints_min>(
          number<uint32_t>({2, 10'000}),
          {.name = "endpoints_min",
           .documentation = "So many must have had `requests_min`, or nothing is decided.",
           .example = "10"})
      .key<&SuccessRate::requests_min>(
          number<uint32_t>({1, 1'000'000}),
          {.name = "requests_min",
           .documentation = "Of an endpoint in the `interval`, to be counted.",
           .example = "20"})
      .key<&SuccessRate::stdev_percent>(
          number<uint32_t>({1, 1000}),
          {.name = "stdev_percent",
           .documentation = "How far below the mean of all: so many hundredths of the standard "
                            "deviation.",
           .example = "250"});
  auto failure_percentage = switched<FailurePercentage>("{threshold: 50}");
  failure_percentage->mapping()
      .key<&FailurePercentage::endpoints_min>(
          number<uint32_t>({2, 10'000}),
          {.name = "endpoints_min",
           .documentation = "So many must have had `requests_min`, or nothing is decided.",
           .example = "2"})
      .key<&FailurePercentage::requests_min>(
          number<uint32_t>({1, 1'000'000}),
          {.name = "requests_min",
           .documentation = "Of an endpoint in the `interval`, to be counted.",
           .example = "20"})
      .key<&FailurePercentage::threshold>(
          number<uint32_t>({1, 100}),
          {.name = "threshold",
           .documentation = "It is ejected when so many of a hundred failed.",
           .example = "50"});
  type.key<&Ejection::interval>(
          duration(milliseconds(100), hours(1)),
          {.name = "interval",
           .documentation = "What `success_rate` and `failure_percentage` look at, each time.",
           .example = "30s"})
      .key<&Ejection::success_rate>(
          std::move(success_rate),
          {.name = "success_rate",
           .documentation = "Eject endpoints that answer far worse than the others do.",
           .example = "on"})
      .key<&Ejection::failure_percentage>(
          std::move(failure_percentage),
          {.name = "failure_percentage",
           .documentation = "Eject endpoints most of whose requests fail.",
           .example = "{threshold: 50}"});
}

}  // namespace

TypePtr<Ejection> ejection_keys() {
  auto type = switched<Ejection>("{failures: 3}");
  type->mapping()
      .key<&Ejection::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"})
      .key<&Ejection::failures>(
          number<uint32_t>({1, 10'000}),
          {.name = "failures",
           .documentation = "So many in a row: no connection, reset, timeout, or one of the "
                            "`statuses`. Clients that leave do not count, nor does what a "
                            "WebSocket handshake is answered.",
           .example = "3"})
      .key<&Ejection::gateway_failures>(
          number<uint32_t>({0, 10'000, {}, "they count as other failures do"}),
          {.name = "gateway_failures",
           .documentation = "The same for those that are not the application's: no connection, "
                            "reset, timeout, 502, 503, 504. Useful below `failures`.",
           .example = "2"})
      .key<&Ejection::statuses>(
          list<uint32_t>(number<uint32_t>({400, 599}),
                         {.name = "list of statuses", .example = "[500, 503]"}),
          {.name = "statuses",
           .documentation = "Answers that are failures.",
           .example = "[500, 502, 503, 504, 429]"})
      .key<&Ejection::time>(duration(milliseconds(100), hours(24)),
                            {.name = "time",
                             .documentation = "How long; twice that the second time, and so on.",
                             .example = "10s"})
      .key<&Ejection::time_max>(
          duration(milliseconds(100), hours(24)),
          {.name = "time_max", .documentation = "The longest.", .example = "1m"})
      .key<&Ejection::percent_max>(
          number<uint32_t>({1, 100}),
          {.name = "percent_max",
           .documentation = "Of the endpoints that may be ejected at once; one may in any case, "
                            "the last one never.",
           .example = "30"});
  add_statistics(type->mapping());
  return type;
}

}  // namespace hangu::config
