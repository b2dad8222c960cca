#include "hangu/filter/cors_filter.h"

#include <array>

#include "hangu/filter/stream.h"
#include "hangu/http/field_list.h"
#include "hangu/http/text.h"

#include "filter/action_counters.h"

namespace hangu::filter {
namespace {

using http::HeaderName;

constexpr std::string_view kPreflightCode = "cors.preflight";
constexpr std::string_view kAllowOrigin = "access-control-allow-origin";
constexpr std::string_view kAllowCredentials = "access-control-allow-credentials";
constexpr std::string_view kPrefix = "access-control-";

std::string_view value_of(const http::HeaderBlock& headers, std::string_view name) noexcept {
  const http::Header* found = headers.find(name);
  return found != nullptr ? found->value() : std::string_view{};
}

/// A page of the very site it asks: browsers send Origin with some of those, too.
bool same_origin(const Stream& stream, std::string_view origin) noexcept {
  const std::string_view scheme = stream.info.tls_protocol.empty() ? "http://" : "https://";
  return origin.starts_with(scheme) && origin.substr(scheme.size()) == stream.request.authority;
}

bool is_cors_field(std::string_view name) noexcept {
  return name.size() > kPrefix.size() &&
         http::equals_ignore_case(name.substr(0, kPrefix.size()), kPrefix);
}

/// What the upstream says of it: one who answers is enough.
void remove_fields(http::HeaderBlock& headers) noexcept {
  for (const http::Header& header : headers) {
    if (header.token == HeaderName::kOther && is_cors_field(header.name())) {
      headers.remove(header.token, header.name());
    }
  }
}

}  // namespace

FilterStatus CorsFilter::on_request_headers(Stream& stream) const noexcept {
  const http::RequestHead& request = stream.request;
  const std::string_view origin = request.headers.value(HeaderName::kOrigin);
  if (origin.empty()) {
    return FilterStatus::kContinue;
  }
  const std::string_view method = policy::preflight_method(request.method, request.headers);
  if (!method.empty()) {
    answer_preflight(stream, origin, method);
  } else if (policy_.refuses_others() && !policy_.allows_origin(origin) &&
             !same_origin(stream, origin)) {
    refuse(stream, policy::kOtherOrigin);
  }
  return FilterStatus::kContinue;
}

void CorsFilter::answer_preflight(Stream& stream, std::string_view origin,
                                  std::string_view method) const noexcept {
  const http::HeaderBlock& asked = stream.request.headers;
  const std::string_view names = value_of(asked, "access-control-request-headers");
  if (const auto refusal = policy_.refusal(origin, method, names)) {
    refuse(stream, *refusal);
    return;
  }
  if (shadow_) {
    return;
  }
  std::array<http::ReplyField, 7> fields;
  size_t count = 0;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      fields[count++] = {name, value};
    }
  };
  add(kAllowOrigin, policy_.any_origin() ? "*" : origin);
  add(kAllowCredentials, policy_.credentials() ? "true" : "");
  add("access-control-allow-methods", policy_.methods_for(method));
  add("access-control-allow-headers", policy_.headers_for(names));
  add("access-control-max-age", policy_.max_age());
  const bool network = policy_.private_network() &&
                       value_of(asked, "access-control-request-private-network") == "true";
  add("access-control-allow-private-network", network ? "true" : "");
  add("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  action_counters(stream).preflights.add();
  stream.send_local_reply(
      {.status = 204, .code = kPreflightCode, .fields = {fields.data(), count}, .cacheable = true},
      name());
}

void CorsFilter::refuse(Stream& stream, const policy::CorsRefusal& refusal) const noexcept {
  if (shadow_) {
    action_counters(stream).cors_shadow.add();
    stream.note_shadow(name());
    return;
  }
  stream.send_local_reply({.status = 403, .code = refusal.code, .detail = refusal.detail}, name());
}

FilterStatus CorsFilter::on_response_headers(Stream& stream) const noexcept {
  if (stream.response.status != 101) {
    mark(stream);
  }
  return FilterStatus::kContinue;
}

void CorsFilter::on_local_reply(Stream& stream) const noexcept {
  if (stream.info.code != kPreflightCode) {
    mark(stream);
  }
}

void CorsFilter::mark(Stream& stream) const noexcept {
  http::HeaderBlock& headers = stream.response.headers;
  remove_fields(headers);
  if (!policy_.any_origin()) {
    http::add_vary(headers, "Origin");
  }
  const std::string_view origin = stream.request.headers.value(HeaderName::kOrigin);
  if (origin.empty() || !policy_.allows_origin(origin)) {
    return;
  }
  bool fits = headers.add(kAllowOrigin, policy_.any_origin() ? "*" : origin);
  if (policy_.credentials()) {
    fits = headers.add(kAllowCredentials, "true") && fits;
  }
  if (!policy_.expose().empty()) {
    fits = headers.add("access-control-expose-headers", policy_.expose()) && fits;
  }
  static_cast<void>(fits);  // a response with thousands of fields: then the page cannot read it
}

}  // namespace hangu::filter
