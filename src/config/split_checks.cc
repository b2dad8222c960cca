// Checks of a route's split: shares, ramp, guard. See checks.h.
#include <algorithm>

#include <fmt/format.h>

#include "hangu/base/nearest.h"

#include "config/checks.h"
#include "config/text.h"

namespace hangu::config {
namespace {

void check_weights(Reader& reader, const Node& node, const Split& split) {
  uint64_t sum = 0;
  for (const Split::Part& part : split.upstreams) {
    const bool released = split.ramp.enabled && part.upstream == split.ramp.to;
    sum += released ? 0 : part.weight;
  }
  if (sum != 0 || split.upstreams.empty()) {
    return;
  }
  reader.error(child(node, "upstreams").mark,
               split.ramp.enabled
                   ? Problem{"E0136",
                             "only the upstream that `ramp` releases has a weight: there "
                             "is nobody to take requests from",
                             "give the version before it a weight"}
                   : Problem{"E0136", "the weights are 0: nobody would get a request", ""});
}

void check_cookies(Reader& reader, const Node& node, const Split& split) {
  if (!split.sticky_cookie.empty() && split.sticky_cookie == split.choice.cookie) {
    reader.error(child(node, "sticky_cookie").mark,
                 {"E0136", "the cookie of `override` names an upstream, this one holds a place",
                  "give them two names"});
  }
  if (split.sticky_max_age != Duration::zero() && split.sticky_cookie.empty()) {
    reader.error(child(node, "sticky_max_age").mark,
                 {"E0136", "`sticky_max_age` needs `sticky_cookie`", ""});
  }
}

void check_rules(Reader& reader, const Node& node, const Split& split) {
  for (size_t i = 0; i < split.upstreams.size(); ++i) {
    const std::vector<SplitRule>& rules = split.upstreams[i].rules;
    for (size_t rule = 0; rule < rules.size(); ++rule) {
      if (rules[rule].empty()) {
        reader.error(element(element(node, "upstreams", i), "rules", rule).mark,
                     {"E0136", "a rule that asks for nothing takes every request",
                      "give `headers`, `cookies`, `clients` or who the client is, or a `weight`"});
      }
    }
  }
}

/// The name of an upstream, which the reader has met.
std::string name_of(Reader& reader, uint32_t upstream) {
  for (const auto& [name, element] : reader.names("upstreams")) {
    if (element.index == upstream) {
      return name;
    }
  }
  return "";
}

void check_target(Reader& reader, const Node& node, const Split& split) {
  const uint32_t to = split.ramp.to;
  const auto is_target = [to](const Split::Part& part) { return part.upstream == to; };
  if (to == kNoUpstream || std::any_of(split.upstreams.begin(), split.upstreams.end(), is_target)) {
    return;
  }
  std::vector<std::string> names;
  for (const Split::Part& part : split.upstreams) {
    names.push_back(name_of(reader, part.upstream));
  }
  const std::vector<std::string_view> words(names.begin(), names.end());
  const std::string wanted = name_of(reader, to);
  const std::string near = did_you_mean(nearest(wanted, words));
  reader.error(child(node, "to").mark,
               {"E0136", fmt::format("{} is not among the split's `upstreams`", quoted(wanted)),
                near.empty() ? "add it there, the last one" : near});
}

void check_ramp(Reader& reader, const Node& node, const Split& split) {
  const Ramp& ramp = split.ramp;
  check_target(reader, node, split);
  if (ramp.from.millionths > ramp.until.millionths) {
    reader.error(child(node, "from").mark,
                 {"E0136", "`from` is more than `until`: the share would have to shrink", ""});
  }
  if (ramp.step.millionths == 0 && ramp.from != ramp.until) {
    reader.error(child(node, "step").mark,
                 {"E0136", "a `step` of 0 gets nowhere",
                  "for a share that stays, write `weight`s and no `ramp`"});
  }
  // A place of 10,000 is the least that can be shared out.
  for (const auto& [key, share] :
       {std::pair{"from", ramp.from}, {"until", ramp.until}, {"step", ramp.step}}) {
    if (share.millionths % 100 != 0) {
      reader.error(child(node, key).mark,
                   {"E0115", fmt::format("`{}` has more than two decimals", key),
                    "the least share is 0.01"});
    }
  }
}

}  // namespace

void check_split(Reader& reader, const Node& node, const Split& split) {
  check_weights(reader, node, split);
  check_cookies(reader, node, split);
  check_rules(reader, node, split);
  if (split.ramp.enabled) {
    check_ramp(reader, child(node, "ramp"), split);
  } else if (split.guard.enabled) {
    reader.warning(child(node, "guard").mark,
                   {"W0158", "`guard` has nothing to guard: there is no `ramp`",
                    "add `ramp: {to: …}`, or take `guard` away"});
  }
  if (split.ramp.enabled && !split.guard.enabled) {
    reader.warning(child(node, "ramp").mark,
                   {"W0158", "`ramp` goes on whatever becomes of the requests: there is no `guard`",
                    "add `guard: {}`"});
  }
  if (split.ramp.enabled && split.key.empty() && split.sticky_cookie.empty()) {
    reader.warning(child(node, "ramp").mark,
                   {"W0158", "clients will change between versions with every request",
                    "add a `key`, such as [client_ip], or a `sticky_cookie`"});
  }
}

void check_shares(Reader& reader, const Node& node, const Route& route) {
  const auto proves = [](const SplitRule& rule) { return !rule.who.empty(); };
  const bool reserved = std::any_of(
      route.split.upstreams.begin(), route.split.upstreams.end(), [&](const Split::Part& part) {
        return !part.who.empty() || std::any_of(part.rules.begin(), part.rules.end(), proves);
      });
  if (reserved && !route.authentication.enabled() && route.forward_auth == kNoForwardAuth) {
    reader.error(child(child(node, "split"), "upstreams").mark,
                 {"E0136", "a share is `for` certain clients, but the route asks nobody who it is",
                  "add `authentication`"});
  }
}

}  // namespace hangu::config
