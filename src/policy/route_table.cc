#include "hangu/policy/route_table.h"

#include <algorithm>
#include <array>

#include "policy/split_path.h"

namespace hangu::policy {
namespace {

/// "/a/b/c" → "/a/b" → "/a" → "". Never of "".
std::string_view parent_path(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

/// Visits the routes of a set whose path takes the request's.
template <class Set, class Visit>
bool visit_routes(const Set& set, bool check_path, std::string_view path, Visit visit) noexcept {
  const auto one = [&](const RouteEntry& entry) {
    return (!check_path || entry.path().takes(path)) && visit(entry);
  };
  return set.first != nullptr &&
         (one(*set.first) || std::any_of(set.others.begin(), set.others.end(),
                                         [&](const RouteEntry* entry) { return one(*entry); }));
}

}  // namespace

// --- where to look ----------------------------------------------------------------------------

uint64_t RouteTable::hash_of(std::string_view text) noexcept {
  return hash_text(text, 0);
}

const RouteTable::PathTable* RouteTable::find_host(const SegmentedTable<HostTable>& hosts,
                                                   std::string_view host) noexcept {
  const HostTable* const found =
      hosts.find(hash_of(host), [&](const HostTable& table) { return table->host.view() == host; });
  return found != nullptr ? found->get() : nullptr;
}

/// Calls visit(table) for the tables that take `host`, the most specific first, until it returns
/// true.
template <class Visit>
bool RouteTable::visit_tables(std::string_view host, Visit visit) const noexcept {
  if (const PathTable* const found = find_host(hosts_, host); found != nullptr && visit(*found)) {
    return true;
  }
  if (!wildcards_.empty()) {
    for (size_t dot = host.find('.'); dot != std::string_view::npos;
         dot = host.find('.', dot + 1)) {
      const PathTable* const found = dot != 0 ? find_host(wildcards_, host.substr(dot)) : nullptr;
      if (found != nullptr && visit(*found)) {
        return true;
      }
    }
  }
  return any_host_ != nullptr && visit(*any_host_);
}

template <class Visit>
bool RouteTable::visit_templates(const PathTable& table, std::string_view path,
                                 Visit visit) noexcept {
  if (table.first_shape.sets.empty()) {
    return false;
  }
  const SegmentsOfPath segments(path);
  const auto visit_shape = [&](const ShapeTable& each) {
    const Shape& shape = each.shape;
    if (!segments.fits(shape.literals, shape.segments, shape.rest)) {
      return false;
    }
    const RouteSet* const found =
        each.sets.find(segments.hash(shape.literals), [&](const RouteSet& set) {
          return segments.has_literals(set.first->path().text(), shape.literals);
        });
    return found != nullptr && visit(*found);
  };
  return visit_shape(table.first_shape) ||
         std::any_of(table.other_shapes.begin(), table.other_shapes.end(), visit_shape);
}

template <class Visit>
bool RouteTable::visit_prefixes(const PathTable& table, std::string_view path,
                                Visit visit) noexcept {
  if (table.prefixes.empty()) {
    return false;
  }
  std::string_view prefix = path;
  if (prefix.size() > table.longest_prefix) {
    // Begin at the last border that a configured prefix can reach: a long path costs nothing.
    prefix = path.substr(0, table.longest_prefix + 1);
    prefix = prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : parent_path(prefix);
  }
  auto depth = static_cast<size_t>(std::count(prefix.begin(), prefix.end(), '/'));
  for (; !prefix.empty(); prefix = parent_path(prefix), --depth) {
    if ((table.prefix_depths & depth_bit(depth)) == 0) {
      continue;
    }
    const RouteSet* const found = table.prefixes.find(
        hash_of(prefix), [&](const RouteSet& set) { return set.first->path().text() == prefix; });
    if (found != nullptr && visit(*found)) {
      return true;
    }
  }
  return false;
}

/// Calls visit(entry) for the routes of the table that take `path`, in order of precedence, until
/// it returns true.
template <class Visit>
bool RouteTable::visit_paths(const PathTable& table, std::string_view path, Visit visit) noexcept {
  const auto visit_set = [&](const RouteSet& set) { return visit_routes(set, false, path, visit); };
  if (!table.exact.empty()) {
    const RouteSet* const found = table.exact.find(
        hash_of(path), [&](const RouteSet& set) { return set.first->path().text() == path; });
    if (found != nullptr && visit_set(*found)) {
      return true;
    }
  }
  return visit_templates(table, path, visit_set) || visit_prefixes(table, path, visit_set) ||
         visit_routes(table.patterns, true, path, visit) || visit_set(table.any);
}

// --- matching ---------------------------------------------------------------------------------

RouteMatchResult RouteTable::match(std::string_view host, std::string_view path,
                                   std::string_view method,
                                   const RequestFacts& facts) const noexcept {
  RouteMatchResult result;
  bool host_known = false;
  const auto try_route = [&](const RouteEntry& entry) {
    if (!entry.takes_facts(facts)) {
      return false;
    }
    if (!entry.takes_method(method)) {
      result.outcome = RouteOutcome::kMethodNotAllowed;
      return false;
    }
    result = {.outcome = RouteOutcome::kFound,
              .route = entry.slot(),
              .captor = entry.path().captures().empty() ? nullptr : &entry.path()};
    return true;
  };
  visit_tables(host, [&](const PathTable& table) {
    host_known = true;
    return visit_paths(table, path, try_route);
  });
  if (!host_known) {
    result.outcome = RouteOutcome::kNoHost;
  }
  return result;
}

std::string_view RouteTable::allowed_methods(std::string_view host, std::string_view path,
                                             const RequestFacts& facts,
                                             std::span<char> text) const noexcept {
  constexpr size_t kMethodsMax = 32;
  std::array<std::string_view, kMethodsMax> methods;
  size_t count = 0;
  visit_tables(host, [&](const PathTable& table) {
    return visit_paths(table, path, [&](const RouteEntry& entry) {
      if (entry.takes_facts(facts)) {
        for (const std::string& method : entry.route()->match.methods) {
          const auto* const end = methods.begin() + count;
          if (count < kMethodsMax && std::find(methods.cbegin(), end, method) == end) {
            methods[count++] = method;
          }
        }
      }
      return false;
    });
  });
  std::sort(methods.begin(), methods.begin() + count);
  size_t size = 0;
  for (const std::string_view method : std::span(methods).first(count)) {
    const std::string_view separator = size == 0 ? "" : ", ";
    if (size + separator.size() + method.size() > text.size()) {
      break;
    }
    std::copy(separator.begin(), separator.end(), text.begin() + static_cast<ptrdiff_t>(size));
    size += separator.size();
    std::copy(method.begin(), method.end(), text.begin() + static_cast<ptrdiff_t>(size));
    size += method.size();
  }
  return {text.data(), size};
}

}  // namespace hangu::policy
