#include "admin/document_rights.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "hangu/config/element.h"

namespace hangu::admin {
namespace {

using config::AdminRole;

/// Lists of the one who sets policies; the others are of who runs the gateway.
constexpr std::array<std::string_view, 4> kSecurityLists = {"authenticators", "consumers",
                                                            "forward_auths", "plugins"};

/// Keys of routes and upstreams that say who may ask and what is recorded of it.
constexpr std::array<std::string_view, 7> kRouteGuards = {
    "authentication", "authorization", "forward_auth", "clients", "plugins", "openapi", "audit"};
constexpr std::array<std::string_view, 1> kUpstreamGuards = {"tls"};

template <size_t kSize>
bool contains(const std::array<std::string_view, kSize>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool is_guard(std::string_view list, std::string_view key) {
  return list == "routes" ? contains(kRouteGuards, key)
                          : list == "upstreams" && contains(kUpstreamGuards, key);
}

std::string joined(const std::vector<std::string>& keys) {
  std::string out;
  for (const std::string& key : keys) {
    out += fmt::format("{}`{}`", out.empty() ? "" : ", ", key);
  }
  return out;
}

/// An element that has both: its guards stay what they are unless the secadmin changes them, and
/// the rest unless the sysadmin does. Who makes an element may give it guards; one that has some is
/// removed by the secadmin, or else they would be gone by making it anew.
std::string refused_parts(AdminRole role, std::string_view list,
                          const std::optional<std::string>& before,
                          const std::optional<std::string>& after) {
  std::vector<std::string> guards = config::differing_keys(before, after);
  std::vector<std::string> others;
  std::copy_if(guards.begin(), guards.end(), std::back_inserter(others),
               [list](const std::string& key) { return !is_guard(list, key); });
  std::erase_if(guards, [list](const std::string& key) { return !is_guard(list, key); });
  if (role == AdminRole::kSystem) {
    return !before || guards.empty()
               ? ""
               : fmt::format("a secadmin changes or removes {}", joined(guards));
  }
  if (!after && !guards.empty()) {
    return "";
  }
  return others.empty() ? "" : fmt::format("a sysadmin changes {}", joined(others));
}

}  // namespace

std::string refused_change(AdminRole role, std::string_view key,
                           const std::optional<std::string>& before,
                           const std::optional<std::string>& after) {
  const std::string_view list = key.substr(0, key.find('/'));
  if (role == AdminRole::kAudit) {
    return "an auditor changes nothing";
  }
  if (contains(kSecurityLists, list)) {
    return role == AdminRole::kSecurity ? "" : fmt::format("a secadmin changes {}", list);
  }
  if (list == "routes" || list == "upstreams") {
    return refused_parts(role, list, before, after);
  }
  return role == AdminRole::kSystem ? "" : fmt::format("a sysadmin changes {}", list);
}

}  // namespace hangu::admin
