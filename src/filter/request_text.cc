#include "hangu/filter/request_text.h"

#include <algorithm>

#include "hangu/buffer/decimal_text.h"
#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"
#include "hangu/http/text.h"

namespace hangu::filter {
namespace {

using config::Variable;

std::string_view protocol_of(const Stream& stream) noexcept {
  switch (stream.request.version) {
    case http::Version::kHttp10: return "HTTP/1.0";
    case http::Version::kHttp11: return "HTTP/1.1";
    case http::Version::kHttp2: return "HTTP/2";
  }
  return {};
}

std::string_view upstream_of(const Stream& stream) noexcept {
  const uint32_t upstream = stream.info.upstream;
  return upstream == config::kNoUpstream
             ? std::string_view{}
             : std::string_view(stream.snapshot().config->upstreams[upstream].name);
}

std::string_view route_of(const Stream& stream) noexcept {
  return stream.route() != nullptr ? std::string_view(stream.route()->config->name)
                                   : std::string_view{};
}

}  // namespace

RequestText::RequestText(const config::TextTemplate& text) {
  for (const config::TextTemplate::Piece& piece : text.pieces) {
    pieces_.push_back({.variable = piece.variable,
                       .token = http::header_name_from(piece.text),
                       .text = piece.text});
  }
  plain_ = !text.has_variables();
}

std::string_view RequestText::value_of(const Piece& piece, Stream& stream) noexcept {
  const StreamInfo& info = stream.info;
  const http::RequestHead& request = stream.request;
  switch (piece.variable) {
    case Variable::kNone: return piece.text;
    case Variable::kClientIp: return info.client_ip;
    case Variable::kClientPort:
      return buffer::decimal_text(stream.info.client_port, stream.arena());
    case Variable::kMethod: return request.method_text;
    case Variable::kScheme: return info.tls_protocol.empty() ? "http" : "https";
    case Variable::kHost: return request.host;
    case Variable::kPath: return request.path;
    case Variable::kQuery: return request.query;
    case Variable::kProtocol: return protocol_of(stream);
    case Variable::kRoute: return route_of(stream);
    case Variable::kListener: return stream.listener().config->name;
    case Variable::kUpstream: return upstream_of(stream);
    case Variable::kUpstreamAddress: return info.upstream_address;
    case Variable::kRequestId: return info.request_id;
    case Variable::kTraceId: return info.trace_id;
    case Variable::kNode: return stream.snapshot().config->node;
    case Variable::kTlsProtocol: return info.tls_protocol;
    case Variable::kTlsCipher: return info.tls_cipher;
    case Variable::kTlsServerName: return info.tls_server_name;
    case Variable::kTlsClientSubject: return info.tls_client_subject;
    case Variable::kTlsClientNames: return info.tls_client_names;
    case Variable::kTlsClientFingerprint: return info.tls_client_fingerprint;
    case Variable::kHeader: {
      const http::Header* header = request.headers.find(piece.token, piece.text);
      return header != nullptr ? header->value() : std::string_view{};
    }
    case Variable::kCookie:
      return http::cookie(request.headers, piece.text).value_or(std::string_view{});
    case Variable::kQueryParameter:
      return http::query_parameter(request.query, piece.text).value_or(std::string_view{});
    case Variable::kCapture: return info.captures.find(piece.text).value_or(std::string_view{});
  }
  return {};
}

std::string_view RequestText::of(Stream& stream) const noexcept {
  if (plain_) {
    return pieces_.empty() ? std::string_view{} : std::string_view(pieces_.front().text);
  }
  size_t size = 0;
  for (const Piece& piece : pieces_) {
    size += value_of(piece, stream).size();
  }
  size = std::min(size, kBytesMax);
  char* const begin = stream.arena().allocate(size, 1);
  char* to = begin;
  for (const Piece& piece : pieces_) {
    const std::string_view value = value_of(piece, stream);
    const size_t room = size - static_cast<size_t>(to - begin);
    // A certificate's names, for one, may hold anything: that must not become a second field.
    to =
        std::transform(value.begin(), value.begin() + std::min(value.size(), room), to, [](char c) {
          const auto byte = static_cast<unsigned char>(c);
          return byte < 0x20 || byte == 0x7f ? ' ' : c;
        });
  }
  return http::trim_ows({begin, static_cast<size_t>(to - begin)});
}

}  // namespace hangu::filter
