// Warnings about routes by what the others take: one that never matches, two that are told apart by
// their order alone. Where so many routes have a host and path in common that all pairs would take
// too long, each is held against kComparedMax of them, and a warning says so: 100,000 routes are
// checked at once. Of two routes it says nothing where it cannot be sure.
#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "hangu/base/pattern.h"
#include "hangu/config/path_template.h"

#include "config/checks.h"
#include "config/network_file.h"
#include "config/regex_samples.h"
#include "config/text.h"

namespace hangu::config {
namespace {

// What all comparisons of a config may take together: a second at most. In pairs of routes.
constexpr size_t kEffortMax = 10'000'000;
constexpr size_t kNetworkPairs = 16;   // that take as long
constexpr size_t kRegexEffort = 200;   // of looking for a path that two expressions take
constexpr size_t kRegexesMax = 2'000;  // of a host: each is compiled and kept meanwhile

/// A route as it is compared with others.
struct Compared {
  const RouteMatch& match;
  const std::vector<Network>& clients;  // of the match
};

/// Whether every address of one network is in the other, as CidrSet takes them: an IPv4 address is
/// in no IPv6 network.
bool is_within(const Network& inner, const Network& outer) {
  constexpr uint8_t kMappedBits = 96;
  if (outer.bits > inner.bits || (inner.bits >= kMappedBits && outer.bits < kMappedBits)) {
    return false;
  }
  const size_t whole = outer.bits / 8;
  const auto mask = static_cast<uint8_t>(0xff00U >> outer.bits % 8);
  return std::equal(inner.bytes.begin(), inner.bytes.begin() + static_cast<ptrdiff_t>(whole),
                    outer.bytes.begin()) &&
         (mask == 0 || (inner.bytes[whole] & mask) == outer.bytes[whole]);
}

bool covers_clients(const std::vector<Network>& outer, const std::vector<Network>& inner) {
  return outer.empty() ||
         (!inner.empty() && std::all_of(inner.begin(), inner.end(), [&](const Network& network) {
           return std::any_of(outer.begin(), outer.end(),
                              [&](const Network& around) { return is_within(network, around); });
         }));
}

/// Whether a client can be in both; of two networks one is in the other, or they have none in
/// common.
bool share_a_client(const std::vector<Network>& a, const std::vector<Network>& b) {
  return a.empty() || b.empty() || std::any_of(a.begin(), a.end(), [&](const Network& one) {
           return std::any_of(b.begin(), b.end(), [&](const Network& other) {
             return is_within(one, other) || is_within(other, one);
           });
         });
}

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
         within(outer.cookies, inner.cookies);
}

bool covers(const Compared& outer, const Compared& inner) {
  return covers_methods(outer.match, inner.match) && covers_fields(outer.match, inner.match) &&
         covers_clients(outer.clients, inner.clients);
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
      const bool exact = one.how == ValueMatch::kExact;
      return one.name == other.name &&
             ((exact && other.how == ValueMatch::kExact && one.value != other.value) ||
              (exact && other.how == ValueMatch::kPrefix && !one.value.starts_with(other.value)) ||
              (other.how == ValueMatch::kExact && one.how == ValueMatch::kPrefix &&
               !other.value.starts_with(one.value)));
    });
  });
}

/// Whether a request can be for both, if a path can. Of different patterns of a field nobody knows.
bool can_meet(const Compared& a, const Compared& b) {
  return share_a_method(a.match, b.match) && !contradict(a.match.headers, b.match.headers) &&
         !contradict(a.match.query, b.match.query) &&
         !contradict(a.match.cookies, b.match.cookies) && share_a_client(a.clients, b.clients);
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

/// Where the class that begins at `at` ends; its first character may be `]`.
size_t end_of_class(const std::string& regex, size_t at) {
  ++at;
  at += at < regex.size() && regex[at] == '^' ? 1 : 0;
  at += at < regex.size() && regex[at] == ']' ? 1 : 0;
  while (at < regex.size() && regex[at] != ']') {
    at += regex[at] == '\\' ? 2 : 1;
  }
  return at;
}

/// Whether there are alternatives outside of groups, or that is not plain to see.
bool has_alternatives(const std::string& regex) {
  if (regex.find("[:") != std::string::npos || regex.find("\\Q") != std::string::npos) {
    return true;
  }
  size_t depth = 0;
  for (size_t at = 0; at < regex.size(); ++at) {
    switch (regex[at]) {
      case '\\': ++at; break;
      case '(': ++depth; break;
      case ')': depth -= depth != 0 ? 1 : 0; break;
      case '|':
        if (depth == 0) {
          return true;
        }
        break;
      case '[': at = end_of_class(regex, at); break;
      default: break;
    }
  }
  return false;
}

/// The text with which every match of the expression begins; empty when that is not plain to see.
std::string literal_beginning(const std::string& regex) {
  std::string out;
  if (has_alternatives(regex)) {
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

/// A path as requests have it when routes see it.
bool is_normal(std::string_view path) {
  return path.starts_with('/') && path.find("//") == std::string_view::npos &&
         path.find("/./") == std::string_view::npos &&
         path.find("/../") == std::string_view::npos && !path.ends_with("/.") &&
         !path.ends_with("/..") &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

/// A regular expression, compiled when it is compared for the first time.
class ComparedRegex {
 public:
  explicit ComparedRegex(const std::string& expression)
      : expression_(expression),
        beginning_(literal_beginning(expression)) {}

  /// False: no path fits both.
  bool may_meet(const ComparedRegex& other) const {
    return beginning_.starts_with(other.beginning_) || other.beginning_.starts_with(beginning_);
  }

  /// One of a few paths that are known to fit this one and fit the other, too; empty: none was
  /// found.
  std::string common_path(ComparedRegex& other) {
    compile();
    other.compile();
    const auto taken = std::find_if(samples_.begin(), samples_.end(), [&](const auto& sample) {
      return other.pattern_ && other.pattern_->matches(sample);
    });
    return taken != samples_.end() ? *taken : "";
  }

 private:
  void compile() {
    if (compiled_) {
      return;
    }
    compiled_ = true;
    if (auto pattern = Pattern::compile(expression_)) {
      pattern_.emplace(std::move(*pattern));
      for (std::string& sample : regex_samples(expression_)) {
        if (is_normal(sample) && pattern_->matches(sample)) {
          samples_.push_back(std::move(sample));
        }
      }
    }
  }

  const std::string& expression_;
  std::string beginning_;  // of every match
  bool compiled_ = false;
  std::optional<Pattern> pattern_;
  std::vector<std::string> samples_;  // that it takes
};

/// What another route means for one.
struct Finding {
  enum class Kind : uint8_t { kNone, kSameShadows, kOtherShadows, kOverlaps };

  Kind kind = Kind::kNone;
  const Route* winner = nullptr;
  std::string path{};  // that both take, where they do not have the same
};

class RouteComparison {
 public:
  explicit RouteComparison(const Config& config)
      : config_(config) {
    for (size_t i = 0; i < config.routes.size(); ++i) {
      const RouteMatch& match = config.routes[i].match;
      clients_.push_back(networks_of(match));
      if (!match.path_regex.empty()) {
        compared_regexes_.try_emplace(i, match.path_regex);
      }
      for (const std::string& host : hosts_of(match)) {
        same_[host + '\n' + path_key(match)].push_back(i);
        if (match.path_template.ends_with("*}")) {
          rest_templates_[host].push_back(i);
        }
        if (takes_every_path(match)) {
          every_path_[host].push_back(i);
        }
        if (!match.path_regex.empty()) {
          regexes_[host].push_back(i);
        }
      }
    }
  }

  Finding find(size_t index, const std::string& host) {
    const RouteMatch& match = config_.routes[index].match;
    if (const Route* winner = shadowed_by_other(index, host)) {
      return {Finding::Kind::kOtherShadows, winner};
    }
    const std::vector<size_t>& same = same_.at(host + '\n' + path_key(match));
    Finding finding;
    for (size_t i = 0; same[i] < index && spend(same[i], index); ++i) {
      const Route& other = config_.routes[same[i]];
      if (rank_of(other.match) <= rank_of(match) && covers(compared(same[i]), compared(index))) {
        return {Finding::Kind::kSameShadows, &other};
      }
      if (finding.winner == nullptr && rank_of(other.match) == rank_of(match) &&
          can_meet(compared(same[i]), compared(index))) {
        finding = {Finding::Kind::kOverlaps, &other};
      }
    }
    return finding.winner != nullptr || match.path_regex.empty() ? finding
                                                                 : other_regex(index, host);
  }

  /// The first route that was not held against all that it may overlap with; nullopt: all were.
  std::optional<size_t> cut_short() const { return cut_short_; }

 private:
  using Lists = std::unordered_map<std::string, std::vector<size_t>>;

  /// Before two routes are compared. False: that would take too long.
  bool spend(size_t one, size_t other, size_t more = 0) const {
    const size_t effort = 1 + more + clients_[one].size() * clients_[other].size() / kNetworkPairs;
    if (effort > effort_left_) {
      cut_short_ = cut_short_.value_or(other);
      return false;
    }
    effort_left_ -= effort;
    return true;
  }

  static std::vector<Network> networks_of(const RouteMatch& match) {
    std::vector<Network> networks;
    for (const Cidr& each : match.clients) {
      if (const auto network = parse_network(each.text)) {
        networks.push_back(*network);
      }
    }
    return networks;
  }

  Compared compared(size_t index) const { return {config_.routes[index].match, clients_[index]}; }

  /// What an earlier route with another regular expression means.
  Finding other_regex(size_t index, const std::string& host) {
    const RouteMatch& match = config_.routes[index].match;
    const std::vector<size_t>& list = regexes_.at(host);
    ComparedRegex& own = compared_regexes_.at(index);
    Finding finding;
    for (size_t i = 0; list[i] < index && spend(list[i], index); ++i) {
      ComparedRegex& earlier = compared_regexes_.at(list[i]);
      if (!own.may_meet(earlier)) {
        continue;
      }
      if (i >= kRegexesMax || !spend(list[i], index, kRegexEffort)) {
        cut_short_ = cut_short_.value_or(index);
        break;
      }
      const Route& other = config_.routes[list[i]];
      if (takes_every_path(other.match) && rank_of(other.match) <= rank_of(match) &&
          covers(compared(list[i]), compared(index))) {
        return {Finding::Kind::kOtherShadows, &other};
      }
      if (finding.winner == nullptr && rank_of(other.match) == rank_of(match) &&
          can_meet(compared(list[i]), compared(index))) {
        std::string path = own.common_path(earlier);
        path = path.empty() ? earlier.common_path(own) : path;
        if (!path.empty()) {
          finding = {Finding::Kind::kOverlaps, &other, std::move(path)};
        }
      }
    }
    return finding;
  }

  /// A route with another path that comes first and takes all that this one could.
  const Route* shadowed_by_other(size_t index, const std::string& host) const {
    const RouteMatch& match = config_.routes[index].match;
    const auto first_of = [&](const Lists& lists, const std::string& key, auto takes) {
      const auto found = lists.find(key);
      const size_t count = found != lists.end() ? found->second.size() : 0;
      for (size_t i = 0; i < count && spend(found->second[i], index); ++i) {
        const Route& other = config_.routes[found->second[i]];
        if (found->second[i] != index && takes(other.match) &&
            covers(compared(found->second[i]), compared(index))) {
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
  std::vector<std::vector<Network>> clients_;  // of each route
  Lists same_;                                 // by host and path
  Lists rest_templates_;
  Lists every_path_;
  Lists regexes_;
  mutable size_t effort_left_ = kEffortMax;
  mutable std::optional<size_t> cut_short_;
  std::unordered_map<size_t, ComparedRegex> compared_regexes_;  // by route
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
  RouteComparison comparison(config);
  for (size_t i = 0; i < config.routes.size(); ++i) {
    const Route& route = config.routes[i];
    const std::vector<std::string> hosts = hosts_of(route.match);
    std::vector<std::string> lost;
    Finding shadow;
    Finding overlap;
    for (const std::string& host : hosts) {
      Finding found = comparison.find(i, host);
      if (found.kind == Finding::Kind::kOverlaps) {
        overlap = std::move(found);
      } else if (found.kind != Finding::Kind::kNone) {
        shadow = std::move(found);
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
                 fmt::format(
                     "requests that both routes {} and {} take{} go to {}, since it stands first; "
                     "nothing else tells them apart",
                     quoted(overlap.winner->name), quoted(route.name),
                     overlap.path.empty() ? "" : fmt::format(", such as {},", overlap.path),
                     quoted(overlap.winner->name)),
                 ""});
    }
  }
  if (const std::optional<size_t> route = comparison.cut_short()) {
    reader.warning(child(element(root, "routes", *route), "name").mark,
                   {"W0155",
                    fmt::format("so many routes may overlap that not all of them were compared, "
                                "from route {} on",
                                quoted(config.routes[*route].name)),
                    ""});
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
