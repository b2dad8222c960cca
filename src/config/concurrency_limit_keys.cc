// The keys of one of `concurrency_limits`. See schema.cc.
#include "config/keys.h"

namespace hangu::config {
namespace {

void add_counting(ObjectType<ConcurrencyLimit>& type) {
  type.key<&ConcurrencyLimit::requests_max>(
          number<uint32_t>({1, 1'000'000}),
          {.name = "max",
           .documentation = "Requests under way at once, for each key. A tunnel (WebSocket) is one "
                            "for as long as it is open.",
           .example = "20",
           .required = true})
      .key<&ConcurrencyLimit::key>(
          list<KeyPart>(std::make_unique<KeyPartType>(),
                        {.name = "list of key parts", .example = "[client_ip, route]"}),
          {.name = "key",
           .documentation = "What is counted apart: requests that are alike in all of these share "
                            "a count.",
           .example = "[\"header:x-tenant\", route]"})
      .key<&ConcurrencyLimit::on_missing_key>(
          choice<MissingKey>({{"share", MissingKey::kShare},
                              {"skip", MissingKey::kSkip},
                              {"deny", MissingKey::kDeny}}),
          {.name = "on_missing_key",
           .documentation = "Requests that lack a part of the `key`: they share one count, pass, "
                            "or are refused.",
           .example = "deny"})
      .key<&ConcurrencyLimit::ipv4_prefix>(
          number<uint32_t>({8, 32}),
          {.name = "ipv4_prefix",
           .documentation = "IPv4 clients that are alike in so many bits are one.",
           .example = "24"})
      .key<&ConcurrencyLimit::ipv6_prefix>(
          number<uint32_t>({16, 128}),
          {.name = "ipv6_prefix", .documentation = "The same for IPv6.", .example = "56"})
      .key<&ConcurrencyLimit::exempt>(networks(), {.name = "exempt",
                                                   .documentation = "Clients that are not limited.",
                                                   .example = "[10.0.0.0/8]"})
      .key<&ConcurrencyLimit::keys_max>(
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
