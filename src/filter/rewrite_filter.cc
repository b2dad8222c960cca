#include "hangu/filter/rewrite_filter.h"

#include <algorithm>

#include "hangu/filter/stream.h"
#include "hangu/policy/path_rewrite.h"

#include "filter/make_path.h"

namespace hangu::filter {

RewriteFilter::RewriteFilter(const config::Route& route)
    : route_(route),
      path_(route.rewrite.path, config::capture_names(route.match)) {}

FilterStatus RewriteFilter::on_request_headers(Stream& stream) const noexcept {
  const config::Rewrite& rewrite = route_.rewrite;
  stream.info.forward_host = rewrite.host;
  if (rewrite.path.empty() && rewrite.prefix.empty()) {
    return FilterStatus::kContinue;
  }
  const http::RequestHead& request = stream.request;
  const policy::PathParts path = policy::rewrite_path(
      route_.match, make_path(path_, stream.info.captures.values, stream.arena()), rewrite.prefix,
      request.path);
  const size_t query = request.has_query ? request.query.size() + 1 : 0;
  const size_t size = path.head.size() + path.tail.size() + query;
  char* const begin = stream.arena().allocate(size, 1);
  char* to = std::copy(path.head.begin(), path.head.end(), begin);
  to = std::copy(path.tail.begin(), path.tail.end(), to);
  if (request.has_query) {
    *to++ = '?';
    std::copy(request.query.begin(), request.query.end(), to);
  }
  stream.info.forward_target = {begin, size};
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
