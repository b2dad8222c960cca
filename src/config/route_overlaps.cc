// Warnings about routes by what the others take: one that never matches, two that are told apart by
// their order alone. Each route is held against at most kComparedMax others a host, so that 100,000
// routes are checked at once. Says nothing where it cannot be sure.
#include <algorithm>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "hangu/config/path_template.h"

#include "config/checks.h"
#include "config/text.h"

namespace hangu::config {
namespace {

constexpr size_t kComparedMax = 64;

/// Which of two routes with the same host and path comes first; equal: the order decides.
auto rank_of(const RouteMatch& match) {
  const auto more = [](size_t count) { return -static_cast<ptrdiff_t>(count); };
  return std::tuple(match.methods.empty(), more(match.headers.size()), more(match.query.size()),
                    more(match.cookies.size()), match.clients.empty());
}

bool covers_methods(const RouteMatch& outer, const RouteMatch& inner) {
  return outer.methods.empty() ||
         (!inner.methods.empty() &&
          std::all_of(inner.methods.begin(), inner.methods.end(), [&](const std::string& method) {
            return std::find(outer.methods.begin(), outer.methods.end(), method) !=
                   outer.methods.end();
          }));
}

/// Whether whoever has what `inner` asks for has what `outer` asks for.
bool covers_fields(const RouteMatch& outer, const RouteMatch& inner) {
  const auto within = [](const std::vector<FieldMatch>& few, const std::vector<FieldMatch>& many) {
    return std::all_of(few.begin(), few.end(), [&](const FieldMatch& field) {
      return std::find(many.begin(), many.end(), field) != many.end();
    });
  };
  return within(outer.headers, inner.headers) && within(outer.query, inner.query) &&
         within(outer.cookies, inner.cookies) &&
         (outer.clients.empty() || outer.clients == inner.clients);
}

bool covers(const RouteMatch& outer, const RouteMatch& inner) {
  return covers_methods(outer, inner) && covers_fields(outer, inner);
}

bool share_a_method(const RouteMatch& a, const RouteMatch& b) {
  return a.methods.empty() || b.methods.empty() ||
         std::any_of(a.methods.begin(), a.methods.end(), [&](const std::string& method) {
           return std::find(b.methods.begin(), b.methods.end(), method) != b.methods.end();
         });
}

/// Whether some field would have to have two values.
bool contradict(const std::vector<FieldMatch>& a, const std::vector<FieldMatch>& b) {
  return std::any_of(a.begin(), a.end(), [&](const FieldMatch& one) {
    return std::any_of(b.begin(), b.end(), [&](const FieldMatch& other) {
      return one.name == other.name && one.how == ValueMatch::kExact &&
             other.how == ValueMatch::kExact && one.value != other.value;
    });
  });
}

/// Whether a request can be for both, whose paths are the same. Of different patterns of a field
/// and of different networks nobody knows.
bool can_meet(const RouteMatch& a, const RouteMatch& b) {
  return share_a_method(a, b) && !contradict(a.headers, b.headers) &&
         !contradict(a.query, b.query) && !contradict(a.cookies, b.cookies) &&
         (a.clients.empty() || b.clients.empty() || a.clients == b.clients);
}

/// The same text for templates that take the same paths.
std::string without_names(const std::string& path_template) {
  std::string out;
  const auto parsed = PathTemplate::parse(path_template);
  for (size_t i = 0; parsed && i < parsed->segments.size(); ++i) {
    const PathTemplate::Segment& segment = parsed->segments[i];
    out += '/';
    switch (segment.kind) {
      case PathTemplate::Kind::kLiteral: out += segment.text; break;
      case PathTemplate::Kind::kCapture: out += "{}"; break;
      case PathTemplate::Kind::kRest: out += "{*}"; break;
    }
  }
  return out;
}

std::string without_trailing_slash(const std::string& prefix) {
  return prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix;
}

std::string path_key(const RouteMatch& match) {
  if (!match.path_exact.empty()) {
    return "exact " + match.path_exact;
  }
  if (!match.path_template.empty()) {
    return "template " + without_names(match.path_template);
  }
  return match.path_regex.empty() ? "prefix " + without_trailing_slash(match.path_prefix)
                                  : "regex " + match.path_regex;
}

/// The text with which every match of the expression begins; empty when that is not plain to see.
std::string literal_beginning(const std::string& regex) {
  std::string out;
  if (regex.find('|') != std::string::npos) {
    return out;
  }
  for (size_t at = 0; at < regex.size(); ++at) {
    const char c = regex[at];
    if (c == '\\' && at + 1 < regex.size() && !is_alnum(regex[at + 1])) {
      out += regex[++at];
    } else if (c == '*' || c == '?' || c == '{') {
      if (!out.empty()) {
        out.pop_back();
      }
      return out;
    } else if (std::string_view("\\.+()[]^$").find(c) != std::string_view::npos) {
      return out;
    } else {
      out += c;
    }
  }
  return out;
}

bool takes_every_path(const RouteMatch& match) {
  return match.path_regex == ".*" || match.path_regex == "/.*" || match.path_regex == "/(.*)";
}

/// Whether a template with `{rest*}` takes `prefix`, and so all that is below it.
bool takes_prefix(const RouteMatch& rest_template, std::string_view prefix) {
  const auto parsed = PathTemplate::parse(rest_template.path_template);
  for (size_t i = 0; parsed && i < parsed->segments.size(); ++i) {
    const PathTemplate::Segment& segment = parsed->segments[i];
    if (prefix.size() < 2) {
      return false;
    }
    if (segment.kind == PathTemplate::Kind::kRest) {
      return true;
    }
    const size_t end = std::min(prefix.find('/', 1), prefix.size());
    if (segment.kind == PathTemplate::Kind::kLiteral && segment.text != prefix.substr(1, end - 1)) {
      return false;
    }
    prefix.remove_prefix(end);
  }
  return false;
}

std::vector<std::string> hosts_of(const RouteMatch& match) {
  std::vector<std::string> hosts = match.hosts;
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  if (hosts.empty()) {
    hosts.emplace_back();
  }
  return hosts;
}

/// What another route means for one.
struct Finding {
  enum class Kind : uint8_t { kNone, kSameShadows, kOtherShadows, kOverlaps };

  Kind kind = Kind::kNone;
  const Route* winner = nullptr;
};

class RouteComparison {
 public:
  explicit RouteComparison(const Config& config)
      : config_(config) {
    for (size_t i = 0; i < config.routes.size(); ++i) {
      const RouteMatch& match = config.routes[i].match;
      for (const std::string& host : hosts_of(match)) {
        same_[host + '\n' + path_key(match)].push_back(i);
        if (match.path_template.ends_with("*}")) {
          rest_templates_[host].push_back(i);
        }
        if (takes_every_path(match)) {
          every_path_[host].push_back(i);
        }
      }
    }
  }

  Finding find(size_t index, const std::string& host) const {
    const RouteMatch& match = config_.routes[index].match;
    if (const Route* winner = shadowed_by_other(match, host)) {
      return {Finding::Kind::kOtherShadows, winner};
    }
    const std::vector<size_t>& same = same_.at(host + '\n' + path_key(match));
    Finding finding;
    for (size_t i = 0; i < std::min(same.size(), kComparedMax) && same[i] < index; ++i) {
      const Route& other = config_.routes[same[i]];
      if (rank_of(other.match) <= rank_of(match) && covers(other.match, match)) {
        return {Finding::Kind::kSameShadows, &other};
      }
      if (finding.winner == nullptr && rank_of(other.match) == rank_of(match) &&
          can_meet(other.match, match)) {
        finding = {Finding::Kind::kOverlaps, &other};
      }
    }
    return finding;
  }

 private:
  using Lists = std::unordered_map<std::string, std::vector<size_t>>;

  /// A route with another path that comes first and takes all that this one could.
  const Route* shadowed_by_other(const RouteMatch& match, const std::string& host) const {
    const auto first_of = [&](const Lists& lists, const std::string& key, auto takes) {
      const auto found = lists.find(key);
      const size_t count = found != lists.end() ? std::min(found->second.size(), kComparedMax) : 0;
      for (size_t i = 0; i < count; ++i) {
        const Route& other = config_.routes[found->second[i]];
        if (&other.match != &match && takes(other.match) && covers(other.match, match)) {
          return &other;
        }
      }
      return static_cast<const Route*>(nullptr);
    };
    const auto always = [](const RouteMatch&) { return true; };
    if (!match.path_regex.empty()) {
      std::string prefix = literal_beginning(match.path_regex);
      while (!prefix.empty()) {
        prefix.resize(prefix.rfind('/') == std::string::npos ? 0 : prefix.rfind('/'));
        const Route* const found =
            prefix.empty() ? nullptr : first_of(same_, host + "\nprefix " + prefix, always);
        if (found != nullptr) {
          return found;
        }
      }
      return nullptr;
    }
    if (!match.path_exact.empty() || !match.path_template.empty()) {
      return nullptr;
    }
    const std::string prefix = without_trailing_slash(match.path_prefix);
    return prefix.empty() ? first_of(every_path_, host, always)
                          : first_of(rest_templates_, host, [&](const RouteMatch& other) {
                              return takes_prefix(other, prefix);
                            });
  }

  const Config& config_;
  Lists same_;  // by host and path
  Lists rest_templates_;
  Lists every_path_;
};

std::string text_of(const Finding& finding) {
  const std::string winner = quoted(finding.winner->name);
  switch (finding.kind) {
    case Finding::Kind::kSameShadows:
      return fmt::format("the earlier route {} takes the same host, path and methods", winner);
    case Finding::Kind::kOtherShadows:
      return fmt::format("the route {} comes first and takes all its paths", winner);
    case Finding::Kind::kOverlaps:
    case Finding::Kind::kNone: break;
  }
  return "";
}

void check_overlaps(Reader& reader, const Node& root, const Config& config) {
  const RouteComparison comparison(config);
  for (size_t i = 0; i < config.routes.size(); ++i) {
    const Route& route = config.routes[i];
    const std::vector<std::string> hosts = hosts_of(route.match);
    std::vector<std::string> lost;
    Finding shadow;
    Finding overlap;
    for (const std::string& host : hosts) {
      const Finding found = comparison.find(i, host);
      if (found.kind == Finding::Kind::kOverlaps) {
        overlap = found;
      } else if (found.kind != Finding::Kind::kNone) {
        shadow = found;
        lost.push_back(host);
      }
    }
    const Mark mark = child(element(root, "routes", i), "name").mark;
    if (shadow.winner != nullptr) {
      const std::string where =
          lost.size() == hosts.size() ? "" : fmt::format(" for {}", join(lost, ", "));
      reader.warning(mark, {"W0151",
                            fmt::format("route {} never matches{}: {}", quoted(route.name), where,
                                        text_of(shadow)),
                            ""});
    } else if (overlap.winner != nullptr) {
      reader.warning(
          mark, {"W0155",
                 fmt::format("requests that both routes {} and {} take go to {}, since it stands "
                             "first; nothing else tells them apart",
                             quoted(overlap.winner->name), quoted(route.name),
                             quoted(overlap.winner->name)),
                 ""});
    }
  }
}

/// Reports the captures in `key` that the route's path does not make.
void check_key(Reader& reader, Mark mark, const Route& route, const std::vector<KeyPart>& key,
               const std::string& whose) {
  for (const KeyPart& part : key) {
    if (part.kind != KeyPart::Kind::kCapture) {
      continue;
    }
    const std::vector<std::string> names = capture_names(route.match);
    if (std::find(names.begin(), names.end(), part.name) == names.end()) {
      reader.warning(mark, {"W0156",
                            fmt::format("the path of route {} captures no {}, which {} wants",
                                        quoted(route.name), quoted(part.name), whose),
                            ""});
    }
  }
}

void check_keys(Reader& reader, const Node& root, const Config& config) {
  for (size_t i = 0; i < config.routes.size(); ++i) {
    const Route& route = config.routes[i];
    const Mark mark = child(element(root, "routes", i), "name").mark;
    check_key(reader, mark, route, route.split.key, "the key of its `split`");
    for (const uint32_t limit : route.rate_limits) {
      check_key(reader, mark, route, config.rate_limits[limit].key,
                fmt::format("the key of rate limit {}", quoted(config.rate_limits[limit].name)));
    }
    const auto check_upstream_key = [&](uint32_t index) {
      if (index < config.upstreams.size() &&
          config.upstreams[index].balancing.policy == BalancingPolicy::kHash) {
        check_key(reader, mark, route, config.upstreams[index].balancing.key,
                  fmt::format("the key of upstream {}", quoted(config.upstreams[index].name)));
      }
    };
    check_upstream_key(route.upstream);
    for (const Split::Part& part : route.split.upstreams) {
      check_upstream_key(part.upstream);
    }
  }
}

}  // namespace

void check_routes(Reader& reader, const Node& root, const Config& config) {
  check_overlaps(reader, root, config);
  check_keys(reader, root, config);
}

}  // namespace hangu::config
