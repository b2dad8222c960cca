// Checks of one route: its action, its path. See checks.h.
#include <algorithm>

#include <fmt/format.h>

#include "hangu/base/nearest.h"
#include "hangu/base/pattern.h"
#include "hangu/config/path_template.h"

#include "config/checks.h"
#include "config/text.h"

namespace hangu::config {

void check_route_path(Reader& reader, const Node& node, const RouteMatch& /*match*/) {
  const Node::Entry* first = nullptr;
  for (const Node::Entry& entry : node.entries) {
    if (first != nullptr) {
      reader.error(
          entry.mark,
          {"E0124", "a path is `exact`, a `template`, a `prefix` or a `regex`: one of them", ""});
      return;
    }
    first = &entry;
  }
}

namespace {

/// The keys of a new path exclude each other; `regex` and `substitution` belong together.
void check_new_path(Reader& reader, const Node& node) {
  const Node::Entry* first = nullptr;
  for (const std::string_view key : {"path", "prefix", "regex"}) {
    const Node::Entry* found = node.find(key);
    if (found != nullptr && first != nullptr) {
      reader.error(found->mark,
                   {"E0124", "a new path is `path`, made with `prefix`, or with `regex`", ""});
    }
    first = first != nullptr ? first : found;
  }
  const bool regex = node.find("regex") != nullptr;
  if (regex != (node.find("substitution") != nullptr)) {
    reader.error(child(node, regex ? "regex" : "substitution").mark,
                 {"E0136", "`regex` and `substitution` go together", ""});
  }
}

/// As policy::PathSubstitution reads it, which is above this layer.
void check_substitution(Reader& reader, const Node& node, const std::string& regex,
                        const std::string& substitution) {
  if (regex.empty()) {
    return;
  }
  const auto pattern = Pattern::compile(regex);
  if (!pattern) {
    return;  // its own key has said so
  }
  const size_t groups = pattern->groups().size();
  for (size_t i = 0; i < substitution.size(); ++i) {
    const char c = substitution[i];
    std::string wrong;
    if (c == '\\') {
      const char next = i + 1 < substitution.size() ? substitution[++i] : ' ';
      if (next < '0' || next > '9') {
        wrong = "after `\\` stands the number of a group, 0 … 9";
      } else if (static_cast<size_t>(next - '0') > groups) {
        wrong = fmt::format("`\\{}`: the expression has {} groups", next, groups);
      }
    } else if (c <= ' ' || c == 0x7f ||
               std::string_view("\"#<>^`{|}").find(c) != std::string_view::npos) {
      wrong = fmt::format("{} cannot stand in a path or query", quoted(std::string(1, c)));
    }
    if (!wrong.empty()) {
      reader.error(child(node, "substitution").mark, {"E0164", wrong, ""});
      return;
    }
  }
}

}  // namespace

void check_rewrite(Reader& reader, const Node& node, const Rewrite& rewrite) {
  check_new_path(reader, node);
  check_substitution(reader, node, rewrite.regex, rewrite.substitution);
}

void check_respond(Reader& reader, const Node& node, const DirectResponse& response) {
  if (!response.file.empty() && node.find("body") != nullptr) {
    reader.error(child(node, "file").mark, {"E0124", "a body is `body` or from `file`", ""});
  }
}

void check_redirect(Reader& reader, const Node& node, const Redirect& redirect) {
  check_new_path(reader, node);
  check_substitution(reader, node, redirect.regex, redirect.substitution);
  if (redirect.scheme.empty() && redirect.host.empty() && redirect.port == 0 &&
      redirect.path.empty() && redirect.prefix.empty() && redirect.regex.empty()) {
    reader.error(node.mark, {"E0136", "a redirect to where the client has just been",
                             "give a `scheme`, `host`, `port`, `path` or `prefix`"});
  }
}

void check_cors(Reader& reader, const Node& node, const Cors& cors) {
  if (cors.origins.empty() && cors.patterns.empty()) {
    reader.error(node.mark, {"E0137", "`cors` names no origin",
                             "give `origins`, such as [\"https://app.example.org\"], or "
                             "`origins_regex`"});
  }
  const bool any = std::find(cors.origins.begin(), cors.origins.end(), "*") != cors.origins.end();
  if (any && cors.credentials) {
    reader.error(child(node, "credentials").mark,
                 {"E0136",
                  "with `credentials` and the origin `*` every page could read what belongs to "
                  "whoever is logged in",
                  "name the origins"});
  }
}

void check_mirror(Reader& reader, const Node& node, const Mirror& mirror) {
  if (!mirror.host.empty() && !mirror.host_suffix.empty()) {
    reader.error(child(node, "host_suffix").mark,
                 {"E0124", "the host is `host` or made with `host_suffix`, not both", ""});
  }
}

void check_fault(Reader& reader, const Node& node, const Fault& fault) {
  if (fault.delay == Duration::zero() && fault.abort_status == 0) {
    reader.error(node.mark, {"E0136", "a fault that does nothing",
                             "give `delay: {time: ...}` or `abort: {status: ...}`"});
  }
  if (fault.abort_status != 0 && fault.abort_status < 400) {
    reader.error(child(child(node, "abort"), "status").mark,
                 {"E0115", fmt::format("{} is no error: 400 … 599", fault.abort_status), ""});
  }
}

namespace {

void check_action(Reader& reader, const Node& node, const Route& route) {
  const int actions = (node.find("upstream") != nullptr ? 1 : 0) + (route.split.enabled ? 1 : 0) +
                      (route.redirect.enabled ? 1 : 0) + (route.respond.enabled ? 1 : 0);
  if (actions == 0) {
    reader.error(node.mark, {"E0121", fmt::format("{} lacks the key \"upstream\"", reader.where()),
                             "add `upstream`, or else `split`, `redirect` or `respond`"});
  } else if (actions > 1) {
    reader.error(node.mark,
                 {"E0124", "a route has one of `upstream`, `split`, `redirect` and `respond`", ""});
  }
}

/// Whether the route's path captures what the new path is made of.
void check_captures(Reader& reader, const Node& node, const Route& route, const std::string& text) {
  const auto parsed = PathText::parse(text);
  if (!parsed || !parsed->has_captures()) {
    return;
  }
  const std::vector<std::string> names = capture_names(route.match);
  for (const PathText::Piece& piece : parsed->pieces) {
    if (piece.is_capture && std::find(names.begin(), names.end(), piece.text) == names.end()) {
      const std::vector<std::string_view> words(names.begin(), names.end());
      reader.error(
          child(node, "path").mark,
          {"E0142", fmt::format("the route's path captures no {}", quoted(piece.text)),
           names.empty() ? "captures are made by `match.path.template` or the groups of `regex`"
                         : did_you_mean(nearest(piece.text, words))});
    }
  }
}

/// `prefix` takes the place of what was matched literally.
void check_replaced_prefix(Reader& reader, const Node& node, const Route& route,
                           const std::string& prefix) {
  if (!prefix.empty() && (!route.match.path_template.empty() || !route.match.path_regex.empty())) {
    reader.error(child(node, "prefix").mark,
                 {"E0136", "`prefix` replaces the prefix that the route matches, and it has none",
                  "write the new `path`, with captures"});
  }
}

struct LimitList {
  std::string_view key;
  std::string_view noun;
  size_t most;
};

/// The limits that a route names, as indices.
void check_limit_names(Reader& reader, const Node& node, const LimitList& list,
                       std::vector<uint32_t> limits) {
  if (limits.size() > list.most) {
    reader.error(child(node, list.key).mark,
                 {"E0115",
                  fmt::format("{} {}s are too many for a route: at most {}", limits.size(),
                              list.noun, list.most),
                  ""});
  }
  std::sort(limits.begin(), limits.end());
  if (std::adjacent_find(limits.begin(), limits.end()) != limits.end()) {
    reader.error(
        child(node, list.key).mark,
        {"E0129", fmt::format("a {} is named twice: it would count each request twice", list.noun),
         ""});
  }
}

}  // namespace

void check_route(Reader& reader, const Node& node, const Route& route) {
  check_action(reader, node, route);
  check_shares(reader, node, route);
  check_captures(reader, child(node, "rewrite"), route, route.rewrite.path);
  check_captures(reader, child(node, "redirect"), route, route.redirect.path);
  check_replaced_prefix(reader, child(node, "rewrite"), route, route.rewrite.prefix);
  check_replaced_prefix(reader, child(node, "redirect"), route, route.redirect.prefix);
  check_limit_names(reader, node,
                    {.key = "rate_limits", .noun = "rate limit", .most = kRateLimitsMax},
                    route.rate_limits);
  check_limit_names(
      reader, node,
      {.key = "concurrency_limits", .noun = "concurrency limit", .most = kConcurrencyLimitsMax},
      route.concurrency_limits);
  check_limit_names(
      reader, node,
      {.key = "bandwidth_limits", .noun = "bandwidth limit", .most = kBandwidthLimitsMax},
      route.bandwidth_limits);
  if (route.plugins.size() > kPluginsMax) {
    reader.error(child(node, "plugins").mark,
                 {"E0115",
                  fmt::format("{} plugins are too many for a route: at most {}",
                              route.plugins.size(), kPluginsMax),
                  ""});
  }
}

}  // namespace hangu::config
