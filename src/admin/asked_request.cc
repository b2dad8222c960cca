#include "admin/asked_request.h"

#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/http/forwarded.h"
#include "hangu/http/host.h"
#include "hangu/http/parameters.h"
#include "hangu/http/path.h"
#include "hangu/http/text.h"
#include "hangu/policy/cidr_set.h"

namespace hangu::admin {
namespace {

using config::Variable;

Result<void, std::string> read_headers(const std::vector<std::string>& headers,
                                       const config::Listener* listener, Target& target) {
  for (const std::string& header : headers) {
    const size_t colon = header.find(':');
    const std::string name = lower_case(http::trim_ows(std::string_view(header).substr(0, colon)));
    if (colon == std::string::npos || name.empty()) {
      return Failure<std::string>{
          fmt::format("\"{}\" is not a header: write \"Name: value\"", header)};
    }
    const std::string_view value = http::trim_ows(std::string_view(header).substr(colon + 1));
    if (name == "host") {
      const auto authority = http::parse_authority(value);
      if (!authority) {
        return Failure<std::string>{fmt::format("\"{}\" is not a host", value)};
      }
      target.host = lower_case(authority->host);
      target.port = authority->port;
    }
    target.wants_upgrade = target.wants_upgrade || name == "upgrade";
    const bool refuses =
        listener != nullptr && listener->underscores == config::UnderscorePolicy::kReject;
    if (refuses && name.find('_') != std::string::npos) {
      target.bad_header = name;
    }
  }
  return {};
}

void normalise(const config::Listener* listener, Target& target) {
  buffer::BlockPool blocks({.block_bytes = 64 * 1024, .blocks_max = 4});
  buffer::Arena arena(blocks, blocks);
  http::PathOptions options;
  if (listener != nullptr) {
    options.merge_slashes = listener->merge_slashes;
    options.encoded_slash = listener->encoded_slash == config::EncodedSlashPolicy::kKeep
                                ? http::EncodedSlash::kKeep
                                : http::EncodedSlash::kReject;
  }
  const auto path = http::normalise_path(target.url.path, arena, options);
  if (path) {
    target.path = std::string(*path);
  } else {
    target.path_error = path.error().detail;
  }
}

/// Nullopt: only a connection or an endpoint has it.
std::optional<std::string_view> value_of(const config::TextTemplate::Piece& piece,
                                         const config::Config& config, const config::Route& route,
                                         uint32_t upstream, const AskedRequest& request) {
  const auto known = [](std::string_view text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  switch (piece.variable) {
    case Variable::kNone: return piece.text;
    case Variable::kClientIp: return known(request.facts.client_ip);
    case Variable::kMethod: return request.method;
    case Variable::kScheme: return request.scheme;
    case Variable::kHost: return request.host;
    case Variable::kPath: return request.path;
    case Variable::kQuery: return request.facts.query;
    case Variable::kRoute: return route.name;
    case Variable::kListener: return known(request.listener);
    case Variable::kUpstream:
      return upstream == config::kNoUpstream ? std::string_view()
                                             : std::string_view(config.upstreams[upstream].name);
    case Variable::kNode: return known(config.node);
    case Variable::kHeader: return request.header(piece.text).value_or("");
    case Variable::kCookie: return request.cookie(piece.text).value_or("");
    case Variable::kQueryParameter:
      return http::query_parameter(request.facts.query, piece.text).value_or("");
    case Variable::kCapture: return request.captures.find(piece.text).value_or("");
    case Variable::kClientPort:
    case Variable::kProtocol:
    case Variable::kUpstreamAddress:
    case Variable::kRequestId:
    case Variable::kTraceId:
    case Variable::kTlsProtocol:
    case Variable::kTlsCipher:
    case Variable::kTlsServerName:
    case Variable::kTlsClientSubject:
    case Variable::kTlsClientNames:
    case Variable::kTlsClientFingerprint: break;
  }
  return std::nullopt;
}

}  // namespace

const config::Listener* listener_for(const config::Config& config, uint16_t port) {
  const std::string ending = fmt::format(":{}", port);
  for (const config::Listener& listener : config.listeners) {
    if (listener.bind.text.ends_with(ending)) {
      return &listener;
    }
  }
  return config.listeners.empty() ? nullptr : &config.listeners.front();
}

Result<Target, std::string> target_of(const ExplainRequest& request, const config::Config& config) {
  auto url = parse_url(request.url);
  if (!url) {
    return Failure<std::string>{fmt::format("\"{}\": {}", request.url, url.error())};
  }
  if (!request.client.empty() && !http::is_ipv4(request.client) && !http::is_ipv6(request.client)) {
    return Failure<std::string>{
        fmt::format("\"{}\" is not the address of a client: write 192.0.2.1"
                    " or 2001:db8::1",
                    request.client)};
  }
  Target target;
  target.url = std::move(*url);
  target.host = target.url.host;
  target.port = target.url.port;
  const config::Listener* listener = listener_for(config, target.url.port);
  if (auto read = read_headers(request.headers, listener, target); !read) {
    return Failure<std::string>{read.error()};
  }
  normalise(listener, target);
  return target;
}

AskedFields::AskedFields(const std::vector<std::string>& headers) {
  headers_.reset(arena_);
  for (const std::string& header : headers) {
    const size_t colon = header.find(':');
    const std::string_view name =
        arena_.copy(lower_case(http::trim_ows(std::string_view(header).substr(0, colon))));
    const std::string_view value =
        arena_.copy(http::trim_ows(std::string_view(header).substr(colon + 1)));
    static_cast<void>(headers_.add(name, value));
  }
}

AskedClient client_of(const std::string& said, const http::HeaderBlock& headers,
                      const config::Listener* listener) {
  const std::string peer(http::without_mapping(said));
  const policy::CidrSet trusted(listener != nullptr ? listener->trusted_proxies
                                                    : std::vector<config::Cidr>());
  const bool says = headers.contains(http::HeaderName::kXForwardedFor);
  if (peer.empty() && (!says || trusted.empty())) {
    return {"", says ? "not said; no x-forwarded-for is believed: the listener trusts no proxy"
                     : "not said"};
  }
  if (!peer.empty() && !trusted.contains(peer)) {
    return {peer, says ? "the peer, who is no trusted proxy: x-forwarded-for is not believed"
                       : "the peer"};
  }
  const std::string_view client =
      http::forwarded_client(headers, [&](std::string_view ip) { return trusted.contains(ip); });
  if (client.empty()) {
    return {peer, says ? "the peer: x-forwarded-for names no address" : "the peer"};
  }
  return {std::string(client), peer.empty() ? "x-forwarded-for, if a trusted proxy sent it"
                                            : "x-forwarded-for of a trusted proxy"};
}

std::optional<std::string_view> AskedRequest::header(std::string_view name) const {
  const http::Header* found = facts.headers != nullptr ? facts.headers->find(name) : nullptr;
  return found != nullptr ? std::optional(found->value()) : std::nullopt;
}

std::optional<std::string_view> AskedRequest::cookie(std::string_view name) const {
  return facts.headers != nullptr ? http::cookie(*facts.headers, name) : std::nullopt;
}

FilledText fill_in(const config::TextTemplate& text, const config::Config& config,
                   const config::Route& route, uint32_t upstream, const AskedRequest& request) {
  FilledText filled;
  for (const config::TextTemplate::Piece& piece : text.pieces) {
    if (const auto value = value_of(piece, config, route, upstream, request)) {
      filled.text += *value;
    } else {
      filled.whole = false;
      filled.text += fmt::format("{{{}{}}}", config::variable_name(piece.variable), piece.text);
    }
  }
  filled.text = std::string(http::trim_ows(filled.text));
  return filled;
}

}  // namespace hangu::admin
