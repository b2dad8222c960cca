#include "config/checks.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "hangu/config/duration.h"
#include "hangu/config/size.h"

#include "config/rules.h"
#include "config/text.h"

namespace hangu::config {

namespace {

/// The value of `key` in a mapping; the mapping itself when the key is not there.
const Node& child(const Node& node, std::string_view key) {
  const Node::Entry* entry = node.find(key);
  return entry == nullptr ? node : *entry->value;
}

/// Element `index` of the list under `key`; its field when given. Falls back to what encloses it.
const Node& element(const Node& root, std::string_view key, size_t index) {
  const Node& list = child(root, key);
  return index < list.items.size() ? *list.items[index] : list;
}

void check_binds(Reader& reader, const Node& root, const Config& config) {
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    const Listener& listener = config.listeners[i];
    const std::string_view bind = listener.bind.text;
    const bool any_port = bind.size() > 2 && bind.substr(bind.size() - 2) == ":0";
    if (bind.empty() || any_port) {
      continue;
    }
    const auto [at, is_new] = seen.emplace(bind, i);
    if (!is_new) {
      const Node& node = child(element(root, "listeners", i), "bind");
      reader.error(node.mark, {"E0130",
                               fmt::format("{} is already bound by listener {}", quoted(bind),
                                           quoted(config.listeners[at->second].name)),
                               ""});
    }
  }
}

void check_unused(Reader& reader, const Node& root, const Config& config) {
  std::vector<bool> used(config.upstreams.size(), false);
  for (const Route& route : config.routes) {
    if (route.upstream < used.size()) {
      used[route.upstream] = true;
    }
    for (const Split::Part& part : route.split.upstreams) {
      if (part.upstream < used.size()) {
        used[part.upstream] = true;
      }
    }
  }
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) {
      reader.warning(
          child(element(root, "upstreams", i), "name").mark,
          {"W0150", fmt::format("no route uses upstream {}", quoted(config.upstreams[i].name)),
           ""});
    }
  }
  for (size_t i = 0; i < config.listeners.size() && config.routes.empty(); ++i) {
    reader.warning(child(element(root, "listeners", i), "name").mark,
                   {"W0153",
                    fmt::format("listener {} has no route to serve: every request gets 404",
                                quoted(config.listeners[i].name)),
                    ""});
  }
}

/// Finds routes whose every request goes to earlier ones with the same host and path.
class ShadowFinder {
 public:
  explicit ShadowFinder(const Config& config)
      : config_(config) {}

  /// The earlier route that takes all requests of route `index` for `host`; then notes the route.
  const Route* visit(size_t index, const std::string& host) {
    const RouteMatch& match = config_.routes[index].match;
    std::string key = host + (match.path_exact.empty() ? "\nprefix " : "\nexact ");
    key += match.path_exact.empty() ? match.path_prefix : match.path_exact;
    std::vector<size_t>& earlier = routes_[key];
    const Route* winner = nullptr;
    for (size_t i = 0; i < std::min(earlier.size(), kComparedMax) && winner == nullptr; ++i) {
      const Route& other = config_.routes[earlier[i]];
      winner = covers(other.match.methods, match.methods) && asks_the_same(other.match, match)
                   ? &other
                   : nullptr;
    }
    earlier.push_back(index);
    return winner;
  }

 private:
  static constexpr size_t kComparedMax = 64;

  static bool covers(const std::vector<std::string>& outer, const std::vector<std::string>& inner) {
    if (outer.empty() || inner.empty()) {
      return outer.empty() && inner.empty();  // a route that names methods comes before
    }
    return std::all_of(inner.begin(), inner.end(), [&outer](const std::string& method) {
      return std::find(outer.begin(), outer.end(), method) != outer.end();
    });
  }

  /// Of header fields and so on. Who asks for more of them comes first, wherever it stands.
  static bool asks_the_same(const RouteMatch& one, const RouteMatch& other) {
    const auto same = [](const std::vector<FieldMatch>& a, const std::vector<FieldMatch>& b) {
      return std::is_permutation(a.begin(), a.end(), b.begin(), b.end());
    };
    return same(one.headers, other.headers) && same(one.query, other.query) &&
           same(one.cookies, other.cookies) && one.clients == other.clients;
  }

  const Config& config_;
  std::unordered_map<std::string, std::vector<size_t>> routes_;
};

void check_shadowed(Reader& reader, const Node& root, const Config& config) {
  ShadowFinder finder(config);
  for (size_t i = 0; i < config.routes.size(); ++i) {
    const Route& route = config.routes[i];
    std::vector<std::string> hosts = route.match.hosts;
    std::sort(hosts.begin(), hosts.end());
    hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
    if (hosts.empty()) {
      hosts.emplace_back();
    }
    std::vector<std::string> lost;
    const Route* winner = nullptr;
    for (const std::string& host : hosts) {
      if (const Route* found = finder.visit(i, host); found != nullptr) {
        winner = found;
        lost.push_back(host);
      }
    }
    if (winner == nullptr) {
      continue;
    }
    const std::string what =
        lost.size() == hosts.size()
            ? fmt::format("route {} never matches", quoted(route.name))
            : fmt::format("route {} never matches for {}", quoted(route.name), join(lost, ", "));
    reader.warning(child(element(root, "routes", i), "name").mark,
                   {"W0151",
                    fmt::format("{}: the earlier route {} takes the same host, path and methods",
                                what, quoted(winner->name)),
                    ""});
  }
}

}  // namespace

void check_upstream(Reader& reader, const Node& node, const Upstream& upstream) {
  if (upstream.protocol == UpstreamProtocol::kAuto && !upstream.tls.enabled) {
    reader.error(child(node, "protocol").mark,
                 {"E0136", "`protocol: auto` needs `tls`: the handshake is where a server picks",
                  "write `http/1.1` or `h2`, or add `tls: on`"});
  }
}

void check_rate_limit(Reader& reader, const Node& node, const RateLimit& limit) {
  if (limit.key.empty()) {
    reader.error(child(node, "key").mark, {"E0137", "`key` needs at least one part",
                                           "write `[route]` for one count of all"});
  }
  // Beyond this the bucket would not be full again within the life of the process.
  constexpr double kFullAgainMax = 3600.0 * 24 * 366;
  const double seconds = std::chrono::duration<double>(limit.rate.per).count();
  if (limit.rate.count != 0 &&
      static_cast<double>(limit.burst) * seconds / static_cast<double>(limit.rate.count) >
          kFullAgainMax) {
    reader.error(
        child(node, "burst").mark,
        {"E0136", "at this `rate` the `burst` would take more than a year to come back", ""});
  }
}

void check_redirect(Reader& reader, const Node& node, const Redirect& redirect) {
  if (!redirect.path.empty() && !redirect.prefix.empty()) {
    reader.error(child(node, "prefix").mark,
                 {"E0124", "the new path is `path` or made with `prefix`, not both", ""});
  }
  if (redirect.scheme.empty() && redirect.host.empty() && redirect.port == 0 &&
      redirect.path.empty() && redirect.prefix.empty()) {
    reader.error(node.mark, {"E0136", "a redirect to where the client has just been",
                             "give a `scheme`, `host`, `port`, `path` or `prefix`"});
  }
}

void check_split(Reader& reader, const Node& node, const Split& split) {
  uint64_t sum = 0;
  for (const Split::Part& part : split.upstreams) {
    sum += part.weight;
  }
  if (sum == 0 && !split.upstreams.empty()) {
    reader.error(child(node, "upstreams").mark,
                 {"E0136", "the weights are 0: nobody would get a request", ""});
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
  if (!route.rewrite.path.empty() && !route.rewrite.prefix.empty()) {
    reader.error(child(node, "rewrite").mark,
                 {"E0124", "the upstream sees `path` or what is made with `prefix`, not both", ""});
  }
}

}  // namespace

void check_route(Reader& reader, const Node& node, const Route& route) {
  check_action(reader, node, route);
  if (route.rate_limits.size() > kRateLimitsMax) {
    reader.error(child(node, "rate_limits").mark,
                 {"E0115",
                  fmt::format("{} rate limits are too many for a route: at most {}",
                              route.rate_limits.size(), kRateLimitsMax),
                  ""});
  }
  std::vector<uint32_t> sorted = route.rate_limits;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    reader.error(child(node, "rate_limits").mark,
                 {"E0129", "a rate limit is named twice: it would count each request twice", ""});
  }
}

void check_dns(Reader& reader, const Node& node, const Upstream& upstream) {
  if (upstream.dns_ttl_min > upstream.dns_ttl_max) {
    reader.error(node.mark, {"E0136",
                             fmt::format("ttl_min ({}) is more than ttl_max ({})",
                                         format_duration(upstream.dns_ttl_min),
                                         format_duration(upstream.dns_ttl_max)),
                             ""});
  }
}

void check_route_path(Reader& reader, const Node& node, const RouteMatch& match) {
  if (node.find("exact") != nullptr && node.find("prefix") != nullptr) {
    reader.error(node.find("prefix")->mark,
                 {"E0124", "a path is `exact` or `prefix`, not both", ""});
  }
  (void)match;
}

void check_client_auth(Reader& reader, const Node& node, const ListenerTls& tls) {
  if (tls.client_auth != ClientAuth::kNone && tls.client_ca.empty()) {
    reader.error(child(node, "client_auth").mark,
                 {"E0136", "`client_auth` needs `client_ca`: who vouches for clients", ""});
  }
  if (tls.early_data && tls.client_auth != ClientAuth::kNone) {
    reader.error(child(node, "early_data").mark,
                 {"E0136", "`early_data` comes before a client has shown that it holds its key",
                  "turn off `early_data` or `client_auth`"});
  } else if (tls.early_data && !tls.tickets) {
    reader.error(child(node, "early_data").mark,
                 {"E0136", "`early_data` needs `session_tickets`", ""});
  }
}

void check_admin(Reader& reader, const Node& node, const Admin& admin) {
  if (!admin.tcp_bind.empty() && !is_loopback(admin.tcp_bind) && !admin.allow_remote) {
    reader.error(child(node, "tcp").mark,
                 {"E0132",
                  fmt::format("other machines can reach the admin API on {}, which has no "
                              "authentication",
                              quoted(admin.tcp_bind)),
                  "bind it to 127.0.0.1 or [::1], or add `allow_remote: true`"});
  }
}

void check_buffers(Reader& reader, const Node& node, const Buffers& buffers) {
  if (buffers.write_low_watermark >= buffers.write_high_watermark) {
    reader.error(node.mark, {"E0136",
                             fmt::format("write_low ({}) is not below write_high ({})",
                                         format_size(buffers.write_low_watermark),
                                         format_size(buffers.write_high_watermark)),
                             ""});
  }
}

void check_config(Reader& reader, const Node& root, const Config& config) {
  check_binds(reader, root, config);
  if (reader.has_errors()) {
    return;  // what follows would warn about consequences of the errors
  }
  check_unused(reader, root, config);
  check_shadowed(reader, root, config);
}

}  // namespace hangu::config
