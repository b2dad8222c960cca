// The keys that limits of rate, concurrency and bandwidth have in common: whose requests they count
// together.
#pragma once

#include <memory>
#include <string_view>

#include "config/keys.h"

namespace hangu::config {

/// What the `key` of one kind of limit is about.
struct CountedApart {
  std::string_view documentation;
  std::string_view example;
};

template <class Limit>
void add_counted_apart(ObjectType<Limit>& type, const CountedApart& about) {
  type.template key<&Limit::key>(
      list<KeyPart>(std::make_unique<KeyPartType>(),
                    {.name = "list of key parts", .example = "[client_ip, route]"}),
      {.name = "key", .documentation = about.documentation, .example = about.example});
  if constexpr (requires { &Limit::on_missing_key; }) {
    type.template key<&Limit::on_missing_key>(
        choice<MissingKey>({{"share", MissingKey::kShare},
                            {"skip", MissingKey::kSkip},
                            {"deny", MissingKey::kDeny}}),
        {.name = "on_missing_key",
         .documentation = "Requests that lack a part of the `key`: they share one count, pass, or "
                          "are refused.",
         .example = "deny"});
  }
  type.template key<&Limit::ipv4_prefix>(
          number<uint32_t>({8, 32}),
          {.name = "ipv4_prefix",
           .documentation = "IPv4 clients that are alike in so many bits are one.",
           .example = "24"})
      .template key<&Limit::ipv6_prefix>(
          number<uint32_t>({16, 128}),
          {.name = "ipv6_prefix",
           .documentation = "The same for IPv6: a client often has a whole /64.",
           .example = "56"})
      .template key<&Limit::exempt>(networks(), {.name = "exempt",
                                                 .documentation = "Clients that are not limited.",
                                                 .example = "[10.0.0.0/8]"});
}

}  // namespace hangu::config
