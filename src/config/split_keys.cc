// The keys of `split` of a route. See schema.cc.
#include "config/split_keys.h"

#include "config/identity_keys.h"
#include "config/keys.h"

namespace hangu::config {
namespace {

TypePtr<Split::Override> split_override() {
  auto type = object<Split::Override>("mapping");
  type->key<&Split::Override::header>(text(kHeaderNameRule),
                                      {.name = "header",
                                       .documentation = "The header field that names the upstream.",
                                       .example = "x-canary"})
      .key<&Split::Override::cookie>(text(kCookieNameRule),
                                     {.name = "cookie",
                                      .documentation = "The cookie; the header field goes first.",
                                      .example = "canary"});
  return type;
}

TypePtr<Split::Part> part() {
  auto part = object<Split::Part>("share");
  part->key<&Split::Part::upstream>(std::make_unique<UpstreamRefType>("upstream", "upstreams"),
                                    {.name = "upstream",
                                     .documentation = "Where the share goes.",
                                     .example = "users",
                                     .required = true})
      .key<&Split::Part::weight>(number<uint32_t>({0, 1'000'000}),
                                 {.name = "weight",
                                  .documentation = "Its part of the sum of all weights.",
                                  .example = "5"})
      .key<&Split::Part::who>(
          identity_match_keys(),
          {.name = "for",
           .documentation = "Clients that have proved to be these get this share, whatever the "
                            "weights. Needs `authentication`.",
           .example = "{groups: [testers]}"})
      .key<&Split::Part::version>(
          text(kTextRule),
          {.name = "version",
           .documentation = "Of what is there: for logs, metrics and people. Another version is "
                            "another release.",
           .example = "\"2.1\""})
      .key<&Split::Part::rules>(
          list<SplitRule>(split_rule_keys(), {.name = "list of rules",
                                              .example = "[{headers: {x-canary: \"1\"}}]",
                                              .at_least_one = true}),
          {.name = "rules",
           .documentation = "Requests that one of these takes get this share, whatever the "
                            "weights.",
           .example = "[{headers: {x-canary: \"1\"}}, {clients: [10.9.0.0/16]}]"});
  return part;
}

TypePtr<Ramp> ramp() {
  auto type = switched<Ramp>("{to: users, from: 1, step: 5, every: 10m}");
  type->mapping()
      .key<&Ramp::to>(std::make_unique<UpstreamRefType>("upstream", "upstreams"),
                      {.name = "to",
                       .documentation = "The upstream that is being released.",
                       .example = "users",
                       .required = true})
      .key<&Ramp::from>(
          percent(),
          {.name = "from", .documentation = "Its share at first, in percent.", .example = "2"})
      .key<&Ramp::until>(
          percent(), {.name = "until", .documentation = "Its share in the end.", .example = "50"})
      .key<&Ramp::step>(
          percent(),
          {.name = "step", .documentation = "By how much it grows at a time.", .example = "10"})
      .key<&Ramp::every>(
          duration(milliseconds(100), hours(24 * 30)),
          {.name = "every", .documentation = "How long it stays at each share.", .example = "30m"});
  return type;
}

TypePtr<ReleaseGuard> guard() {
  auto type = switched<ReleaseGuard>("{error_ratio_delta: 1, p99_delta: 20}");
  type->mapping()
      .key<&ReleaseGuard::mode>(mode(), {.name = "mode",
                                         .documentation = "`shadow`: log and count what it would "
                                                          "have done. `off`: do nothing.",
                                         .example = "shadow"})
      .key<&ReleaseGuard::requests_min>(
          number<uint32_t>({1, 100'000'000}),
          {.name = "requests_min",
           .documentation = "Requests in the window without which there is no judgement, and no "
                            "step.",
           .example = "500"})
      .key<&ReleaseGuard::window>(
          duration(seconds(1), hours(24)),
          {.name = "window", .documentation = "How far back it looks.", .example = "5m"})
      .key<&ReleaseGuard::error_ratio_delta>(
          percent(), {.name = "error_ratio_delta",
                      .documentation = "How many more of 100 requests may fail there: answers with "
                                       "5xx, and none.",
                      .example = "0.5"})
      .key<&ReleaseGuard::p99_delta>(
          percent(), {.name = "p99_delta",
                      .documentation = "By how many percent the slowest of 100 requests may be "
                                       "slower there, until the answer begins; 0: that is not "
                                       "compared.",
                      .example = "50"})
      .key<&ReleaseGuard::p99_floor>(
          duration(Duration::zero(), minutes(10)),
          {.name = "p99_floor",
           .documentation = "What is faster than this is never too slow.",
           .example = "50ms"})
      .key<&ReleaseGuard::action>(
          choice<GuardAction>({{"rollback", GuardAction::kRollback}, {"hold", GuardAction::kHold}}),
          {.name = "action",
           .documentation = "`rollback`: nobody is sent there by weight any more. `hold`: the "
                            "share stays as it is, until an operator decides.",
           .example = "hold"});
  return type;
}

}  // namespace

TypePtr<Split> split_keys() {
  auto type = switched<Split>("{upstreams: [{upstream: users, weight: 95}]}");
  type->mapping()
      .key<&Split::upstreams>(
          list<Split::Part>(part(), {.name = "list of shares",
                                     .example = "[{upstream: users, weight: 95}]",
                                     .at_least_one = true}),
          {.name = "upstreams",
           .documentation = "Who shares the requests. Append new ones at the end: as its weight "
                            "grows at the cost of the one before, those who had it keep it.",
           .example = "[{upstream: users, weight: 95}]",
           .required = true})
      .key<&Split::key>(
          list<KeyPart>(std::make_unique<KeyPartType>(),
                        {.name = "list of key parts", .example = "[\"cookie:sid\"]"}),
          {.name = "key",
           .documentation =
               "Requests that are alike in all of these go to the same upstream; those "
               "that lack one, and all without a key, go at random.",
           .example = "[\"cookie:sid\"]"})
      .key<&Split::choice>(
          split_override(),
          {.name = "override",
           .documentation = "Lets a request name the upstream of the split that it wants, even one "
                            "of weight 0. What names none of them is ignored.",
           .example = "{header: x-canary}"})
      .key<&Split::sticky_cookie>(
          text(kCookieNameRule),
          {.name = "sticky_cookie",
           .documentation = "Sets a cookie of this name with which a client whose requests have no "
                            "key stays where it is. It holds the client's place of 10,000, so that "
                            "a change of weights moves no more clients than it has to.",
           .example = "hangu-place"})
      .key<&Split::sticky_max_age>(
          duration(seconds(1), hours(24 * 400), "until the browser is closed"),
          {.name = "sticky_max_age",
           .documentation = "How long the client keeps that cookie.",
           .example = "30d"})
      .key<&Split::ramp>(
          ramp(), {.name = "ramp",
                   .documentation = "Releases one of the upstreams: its share grows by steps; its "
                                    "weight is of no account then. Clients that have come to it "
                                    "stay there.",
                   .example = "{to: users, from: 2, step: 10, every: 30m}",
                   .alternative = true})
      .key<&Split::guard>(
          guard(), {.name = "guard",
                    .documentation = "Ends or halts the release when requests fail or take longer "
                                     "there than with the other upstreams, by more than chance "
                                     "would have it.",
                    .example = "{error_ratio_delta: 0.5, action: hold}",
                    .alternative = true})
      .check(check_split);
  return type;
}

}  // namespace hangu::config
