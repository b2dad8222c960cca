#include "hangu/filter/request_key.h"

#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"

namespace hangu::filter {

using Kind = config::KeyPart::Kind;

RequestKey::RequestKey(const std::vector<config::KeyPart>& parts, Prefixes prefixes, uint64_t seed)
    : prefixes_(prefixes),
      seed_(seed) {
  for (const config::KeyPart& part : parts) {
    parts_.push_back({part.kind, http::header_name_from(part.name), part.name});
  }
}

RequestKey::Value RequestKey::value_of(const Part& part, const Stream& stream) const noexcept {
  const auto if_any = [](std::string_view text) { return text.empty() ? Value() : Value(text); };
  const http::RequestHead& request = stream.request;
  switch (part.kind) {
    case Kind::kClientIp: return stream.info.client_ip;
    case Kind::kHost: return request.host;
    case Kind::kRoute: return std::string_view(stream.route()->config->name);
    case Kind::kMethod: return request.method_text;
    case Kind::kPath: return request.path;
    case Kind::kCapture: return stream.info.captures.find(part.name);
    case Kind::kCookie: return http::cookie(request.headers, part.name);
    case Kind::kQuery: return http::query_parameter(request.query, part.name);
    case Kind::kConsumer: return if_any(stream.info.consumer);
    case Kind::kClaim:
      return stream.info.claims != nullptr ? Value(stream.info.claims->find(part.name)) : Value();
    case Kind::kTlsServerName: return if_any(stream.info.tls_server_name);
    case Kind::kTlsClient: return if_any(stream.info.tls_client_subject);
    case Kind::kHeader: break;
  }
  const http::Header* header = request.headers.find(part.token, part.name);
  return header != nullptr ? Value(header->value()) : Value();
}

RequestKey::Hashed RequestKey::of(const Stream& stream, uint64_t seed) const noexcept {
  uint64_t hash = seed;
  bool whole = true;
  for (const Part& part : parts_) {
    if (const Value value = value_of(part, stream); value.there()) {
      hash = policy::hash_value(part.kind, value.text(), prefixes_, hash);
    } else {
      hash = policy::hash_missing(hash);
      whole = false;
    }
  }
  return {.hash = hash, .whole = whole};
}

}  // namespace hangu::filter
