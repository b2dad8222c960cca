#include "hangu/filter/rewrite_filter.h"

#include <algorithm>

#include "hangu/filter/stream.h"
#include "hangu/policy/path_rewrite.h"
#include "hangu/policy/path_target.h"

#include "filter/make_path.h"
#include "filter/path_target.h"

namespace hangu::filter {
namespace {

/// The loader has tried it.
RequestText host_text(const std::string& host) {
  const auto parsed = config::TextTemplate::parse(host);
  return RequestText(parsed ? *parsed : config::TextTemplate::literal(host));
}

}  // namespace

RewriteFilter::RewriteFilter(const config::Route& route)
    : route_(route),
      path_(route.rewrite.path, config::capture_names(route.match)),
      host_(host_text(route.rewrite.host)),
      substitution_(substitution_of(route.rewrite.regex, route.rewrite.substitution)) {}

/// False: what the client sent in a variable makes no host.
bool RewriteFilter::set_host(Stream& stream) const noexcept {
  stream.info.forward_host = host_.of(stream);
  return policy::is_forward_host(stream.info.forward_host);
}

FilterStatus RewriteFilter::on_request_headers(Stream& stream) const noexcept {
  const config::Rewrite& rewrite = route_.rewrite;
  if (!set_host(stream)) {
    stream.send_local_reply({.status = 400,
                             .code = "rewrite.host",
                             .detail = "the request makes no host for the upstream"},
                            name());
    return FilterStatus::kContinue;
  }
  if (substitution_) {
    stream.info.forward_target = substituted_target(*substitution_, stream);
    return FilterStatus::kContinue;
  }
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
