// The keys of one of `bandwidth_limits`. See schema.cc.
#include "config/keys.h"
#include "config/limit_keys.h"

namespace hangu::config {
namespace {

void add_rates(ObjectType<BandwidthLimit>& type) {
  type.key<&BandwidthLimit::request_bytes_per_second>(
          size<uint64_t>({kKiB, 1024 * kGiB, "no limit"}),
          {.name = "request",
           .documentation = "Bytes of request bodies in a second, and of what clients send through "
                            "tunnels.",
           .example = "1MiB"})
      .key<&BandwidthLimit::response_bytes_per_second>(
          size<uint64_t>({kKiB, 1024 * kGiB, "no limit"}),
          {.name = "response",
           .documentation = "The same of response bodies and what clients get through tunnels.",
           .example = "4MiB"})
      .key<&BandwidthLimit::burst_bytes>(
          size<uint64_t>({kKiB, 64 * kGiB, "what the rate allows in 100 ms, at least 64KiB"}),
          {.name = "burst",
           .documentation = "Bytes at once after a pause, in each direction.",
           .example = "256KiB"});
}

}  // namespace

TypePtr<BandwidthLimit> bandwidth_limit_keys() {
  auto type = object<BandwidthLimit>("bandwidth limit");
  type->key<&BandwidthLimit::name>(
          text(kNameRule),
          {.name = "name",
           .documentation = "Unique name; routes refer to it, and logs and metrics show it.",
           .example = "per-client",
           .required = true})
      .key<&BandwidthLimit::mode>(
          mode(), {.name = "mode",
                   .documentation = "`shadow`: count what would have been held back, hold nothing "
                                    "back. `off`: do nothing.",
                   .example = "shadow"});
  add_rates(*type);
  type->key<&BandwidthLimit::scope>(
      choice<BandwidthScope>({{"key", BandwidthScope::kKey}, {"stream", BandwidthScope::kStream}}),
      {.name = "scope",
       .documentation = "`key`: requests that are alike in the `key` share the bytes, on the "
                        "whole node. `stream`: each request has them for itself.",
       .example = "stream"});
  add_counted_apart(*type,
                    {.documentation = "Who shares them. Requests that lack a part share as one.",
                     .example = "[route]"});
  type->key<&BandwidthLimit::keys_max>(
          number<uint64_t>({1000, 10'000'000}),
          {.name = "keys_max",
           .documentation = "Keys that are told apart at once; further ones share one rate.",
           .example = "10000"})
      .check(check_bandwidth_limit);
  return type;
}

}  // namespace hangu::config
