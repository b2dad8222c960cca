#include "admin/document_rights.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <set>
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

/// Keys that are a secadmin's for what they say: hangu's files and variables are read for anybody
/// who asks.
std::set<std::string> disclosing(const std::optional<std::string>& before,
                                 const std::optional<std::string>& after) {
  std::set<std::string> keys;
  for (const auto& text : {before, after}) {
    const std::vector<std::string> found = config::disclosing_keys(text);
    keys.insert(found.begin(), found.end());
  }
  return keys;
}

/// An element that has both: its guards stay what they are unless the secadmin changes them, and
/// the rest unless the sysadmin does. Who makes an element may give it guards; one that has some is
/// removed by the secadmin, or else they would be gone by making it anew.
std::string refused_parts(AdminRole role, std::string_view list,
                          const std::optional<std::string>& before,
                          const std::optional<std::string>& after) {
  const std::set<std::string> disclosed = disclosing(before, after);
  const auto guards_it = [&](const std::string& key) {
    return is_guard(list, key) || disclosed.contains(key);
  };
  std::vector<std::string> guards = config::differing_keys(before, after);
  std::vector<std::string> others;
  std::copy_if(guards.begin(), guards.end(), std::back_inserter(others), std::not_fn(guards_it));
  std::erase_if(guards, std::not_fn(guards_it));
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

/// Not even in an element that a sysadmin makes.
std::string refused_disclosure(const std::optional<std::string>& before,
                               const std::optional<std::string>& after) {
  std::vector<std::string> changed = config::differing_keys(before, after);
  const std::vector<std::string> found = config::disclosing_keys(after);
  std::erase_if(changed, [&found](const std::string& key) {
    return std::find(found.begin(), found.end(), key) == found.end();
  });
  return changed.empty() ? ""
                         : fmt::format("{}: a secadmin says what is read of files and variables",
                                       joined(changed));
}

}  // namespace

std::string refused_change(AdminRole role, std::string_view key,
                           const std::optional<std::string>& before,
                           const std::optional<std::string>& after) {
  const std::string_view list = key.substr(0, key.find('/'));
  if (role == AdminRole::kAudit) {
    return "an auditor changes nothing";
  }
  if (role == AdminRole::kSystem) {
    if (std::string why = refused_disclosure(before, after); !why.empty()) {
      return why;
    }
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
