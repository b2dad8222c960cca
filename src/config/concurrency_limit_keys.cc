// The keys of one of `concurrency_limits`. See schema.cc.
#include "config/keys.h"
#include "config/limit_keys.h"

namespace hangu::config {
namespace {

void add_counting(ObjectType<ConcurrencyLimit>& type) {
  type.key<&ConcurrencyLimit::requests_max>(
      number<uint32_t>({1, 1'000'000}),
      {.name = "max",
       .documentation = "Requests under way at once, for each key. A tunnel (WebSocket) is one "
                        "for as long as it is open.",
       .example = "20",
       .required = true});
  add_counted_apart(
      type, {.documentation = "What is counted apart: requests that are alike in all of these "
                              "share a count.",
             .example = "[\"header:x-tenant\", route]"});
  type.key<&ConcurrencyLimit::keys_max>(
      number<uint64_t>({1000, 10'000'000}),
      {.name = "keys_max",
       .documentation = "Keys with requests under way that are told apart; further ones share "
                        "one count. 16 to 32 bytes each, taken as they come.",
       .example = "10000"});
}

}  // namespace

TypePtr<ConcurrencyLimit> concurrency_limit_keys() {
  auto type = object<ConcurrencyLimit>("concurrency limit");
  type->key<&ConcurrencyLimit::name>(
          text(kNameRule), {.name = "name",
                            .documentation = "Unique name; routes refer to it, and clients, logs "
                                             "and metrics show it.",
                            .example = "per-client",
                            .required = true})
      .key<&ConcurrencyLimit::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"});
  add_counting(*type);
  type->key<&ConcurrencyLimit::status>(number<uint32_t>({400, 599}),
                                       {.name = "status",
                                        .documentation = "Of the answer to a request too many.",
                                        .example = "503"})
      .key<&ConcurrencyLimit::headers>(
          on_off(), {.name = "headers",
                     .documentation = "`RateLimit` and `RateLimit-Policy` on such answers, with "
                                      "the unit `concurrent-requests`.",
                     .example = "off"})
      .key<&ConcurrencyLimit::retry_after>(
          duration(seconds(1), hours(1)),
          {.name = "retry_after", .documentation = "Their field of that name.", .example = "5s"})
      .check(check_concurrency_limit);
  return type;
}

}  // namespace hangu::config
