#include "hangu/filter/request_part.h"

#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"

namespace hangu::filter {

using Kind = config::KeyPart::Kind;

RequestPart::Value RequestPart::of(const Stream& stream) const noexcept {
  const auto if_any = [](std::string_view text) { return text.empty() ? Value() : Value(text); };
  const http::RequestHead& request = stream.request;
  switch (kind) {
    case Kind::kClientIp: return stream.info.client_ip;
    case Kind::kHost: return request.host;
    case Kind::kRoute: return std::string_view(stream.route()->config->name);
    case Kind::kMethod: return request.method_text;
    case Kind::kPath: return request.path;
    case Kind::kCapture: return stream.info.captures.find(name);
    case Kind::kCookie: return http::cookie(request.headers, name);
    case Kind::kQuery: return http::query_parameter(request.query, name);
    case Kind::kConsumer: return if_any(stream.info.consumer);
    case Kind::kClaim:
      return stream.info.claims != nullptr ? Value(stream.info.claims->find(name)) : Value();
    case Kind::kTlsServerName: return if_any(stream.info.tls_server_name);
    case Kind::kTlsClient: return if_any(stream.info.tls_client_subject);
    case Kind::kHeader: break;
  }
  const http::Header* header = request.headers.find(token, name);
  return header != nullptr ? Value(header->value()) : Value();
}

bool RequestPart::add_to(uint64_t& hash, const policy::ClientPrefixes& prefixes,
                         const Stream& stream) const noexcept {
  const Value value = of(stream);
  hash = value.there() ? policy::hash_value(kind, value.text(), prefixes, hash)
                       : policy::hash_missing(hash);
  return value.there();
}

}  // namespace hangu::filter
