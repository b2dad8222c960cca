// Fuzz target: routes and a request in any bytes. The table finds what a plain reading of its own
// rules finds, at once and when it was made from another table; captures lie within the path.
//
// One route a line: a host (may be empty), a blank, and "=/exact", "/template/{with}/captures" or
// "/prefix". The last line is the request: host, blank, path.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/assert.h"
#include "hangu/config/path_template.h"
#include "hangu/policy/route_table.h"

namespace hangu::policy {
namespace {

constexpr size_t kRoutesMax = 64;

struct Line {
  std::string_view host;
  std::string_view path;
};

Line split(std::string_view line) {
  const size_t blank = std::min(line.find(' '), line.size());
  return {line.substr(0, blank), line.substr(std::min(blank + 1, line.size()))};
}

/// False: no route that the loader would let pass.
bool make_route(const Line& line, config::Route& route) {
  if (!line.host.empty()) {
    route.match.hosts = {std::string(line.host)};
  }
  if (line.path.starts_with("=/")) {
    route.match.path_exact = line.path.substr(1);
    return true;
  }
  if (line.path.find('{') != std::string_view::npos) {
    route.match.path_template = line.path;
    return config::PathTemplate::parse(line.path).has_value();
  }
  route.match.path_prefix = line.path;
  return line.path.empty() || line.path.front() == '/';
}

void check_captures(const PathMatcher& captor, std::string_view path) {
  std::vector<std::string_view> values(captor.captures().size());
  captor.capture(path, values);
  for (const std::string_view value : values) {
    HANGU_ASSERT(!value.empty());
    HANGU_ASSERT(value.data() > path.data());
    HANGU_ASSERT(value.data() + value.size() <= path.data() + path.size());
  }
}

void check_request(const RouteTable& table, const Line& request) {
  const RouteMatchResult found = table.match(request.host, request.path, "GET");
  const RouteCandidate* first = nullptr;
  const auto candidates = table.explain(request.host, request.path, "GET");
  for (const RouteCandidate& candidate : candidates) {
    first = first == nullptr && candidate.matched ? &candidate : first;
  }
  HANGU_ASSERT((found.outcome == RouteOutcome::kFound) == (first != nullptr));
  HANGU_ASSERT(first == nullptr || first->route == found.route);
  if (found.captor != nullptr) {
    check_captures(*found.captor, request.path);
  }
  std::array<char, 64> allow;
  HANGU_ASSERT(table.allowed_methods(request.host, request.path, {}, allow).empty());
}

void check_one(std::string_view input) {
  config::Config config;
  RouteTable grown;
  while (input.find('\n') != std::string_view::npos) {
    const size_t end = input.find('\n');
    config::Route route;
    if (make_route(split(input.substr(0, end)), route)) {
      route.name = std::to_string(config.routes.size());
      config.routes.push_back(std::move(route));
      grown.update(config.routes);
    }
    input.remove_prefix(end + 1);
    if (config.routes.size() == kRoutesMax) {
      break;
    }
  }
  const Line request = split(input);
  check_request(RouteTable(config), request);
  check_request(grown, request);
  config::RouteList fewer;
  for (size_t i = 0; i < config.routes.size(); i += 2) {
    fewer.append(config.routes.item(i));
  }
  grown.update(fewer);
  check_request(grown, request);
}

}  // namespace
}  // namespace hangu::policy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::policy::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
