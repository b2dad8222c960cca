// The keys of one of `rate_limits`. See schema.cc.
#include "config/keys.h"

namespace hangu::config {
namespace {

void add_counting(ObjectType<RateLimit>& type) {
  type.key<&RateLimit::rate>(std::make_unique<RateType>(),
                             {.name = "rate",
                              .documentation = "Requests in the long run, for each key.",
                              .example = "100/s",
                              .required = true})
      .key<&RateLimit::burst>(
          number<uint64_t>({0, 1'000'000'000, {}, "as many as the `rate` allows in a second"}),
          {.name = "burst",
           .documentation = "Requests at once, after a pause long enough.",
           .example = "200"})
      .key<&RateLimit::key>(
          list<KeyPart>(std::make_unique<KeyPartType>(),
                        {.name = "list of key parts", .example = "[client_ip, route]"}),
          {.name = "key",
           .documentation = "What is counted apart: requests that are alike in all of these share "
                            "a count. `path` is the normalised path.",
           .example = "[\"header:x-tenant\", route]"})
      .key<&RateLimit::on_missing_key>(
          choice<MissingKey>({{"share", MissingKey::kShare},
                              {"skip", MissingKey::kSkip},
                              {"deny", MissingKey::kDeny}}),
          {.name = "on_missing_key",
           .documentation = "Requests that lack a header, cookie or parameter of the `key`: they "
                            "share one count, pass, or are refused.",
           .example = "deny"})
      .key<&RateLimit::ipv4_prefix>(
          number<uint32_t>({8, 32}),
          {.name = "ipv4_prefix",
           .documentation = "IPv4 clients that are alike in so many bits are one.",
           .example = "24"})
      .key<&RateLimit::ipv6_prefix>(
          number<uint32_t>({16, 128}),
          {.name = "ipv6_prefix",
           .documentation = "The same for IPv6: a client often has a whole /64.",
           .example = "56"})
      .key<&RateLimit::exempt>(networks(), {.name = "exempt",
                                            .documentation = "Clients that are not limited.",
                                            .example = "[10.0.0.0/8]"});
}

void add_answers(ObjectType<RateLimit>& type) {
  type.key<&RateLimit::status>(number<uint32_t>({400, 599}),
                               {.name = "status",
                                .documentation = "Of the answer to a request over the limit.",
                                .example = "503"})
      .key<&RateLimit::headers>(
          choice<RateHeaders>({{"draft", RateHeaders::kDraft},
                               {"legacy", RateHeaders::kLegacy},
                               {"both", RateHeaders::kBoth},
                               {"off", RateHeaders::kOff}}),
          {.name = "headers",
           .documentation = "`draft`: `RateLimit` and `RateLimit-Policy` of the IETF's "
                            "draft. `legacy`: `X-RateLimit-Limit`, `-Remaining` and "
                            "`-Reset`.",
           .example = "both"})
      .key<&RateLimit::headers_on>(
          choice<RateHeadersOn>(
              {{"rejected", RateHeadersOn::kRejected}, {"all", RateHeadersOn::kAll}}),
          {.name = "headers_on",
           .documentation = "Which responses carry them. Those over the limit carry `Retry-After` "
                            "in any case.",
           .example = "all"});
}

}  // namespace

TypePtr<RateLimit> rate_limit_keys() {
  auto type = object<RateLimit>("rate limit");
  type->key<&RateLimit::name>(text(kNameRule),
                              {.name = "name",
                               .documentation = "Unique name; routes refer to it, and clients, "
                                                "logs and metrics show it.",
                               .example = "per-client",
                               .required = true})
      .key<&RateLimit::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"});
  add_counting(*type);
  add_answers(*type);
  type->key<&RateLimit::keys_max>(
          number<uint64_t>({1000, 100'000'000}),
          {.name = "keys_max",
           .documentation = "Keys that are told apart at once; further ones share one count. 16 to "
                            "32 bytes each, taken as they come.",
           .example = "100000"})
      .check(check_rate_limit);
  return type;
}

}  // namespace hangu::config
