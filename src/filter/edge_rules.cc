#include "hangu/filter/edge_rules.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>

#include "hangu/http/forwarded.h"
#include "hangu/http/path.h"
#include "hangu/http/request_id.h"
#include "hangu/http/text.h"
#include "hangu/http/traceparent.h"

namespace hangu::filter {
namespace {

using http::HeaderName;

constexpr http::HeaderNameSet kForwardingHeaders = http::header_name_set(
    HeaderName::kXForwardedFor, HeaderName::kXForwardedProto, HeaderName::kXForwardedHost,
    HeaderName::kXForwardedPort, HeaderName::kXForwardedPrefix, HeaderName::kForwarded,
    HeaderName::kXRealIp);

constexpr Error kTooManyHeaders =
    downstream_error(Errc::kHeadersTooLarge, "too many header fields");

template <size_t N>
std::array<uint8_t, N> random_bytes(ShardContext& shard) noexcept {
  std::array<uint8_t, N> bytes;
  for (size_t filled = 0; filled < N; filled += sizeof(uint64_t)) {
    const auto word = std::bit_cast<std::array<uint8_t, sizeof(uint64_t)>>(shard.random());
    std::copy_n(word.begin(), std::min(word.size(), N - filled), bytes.begin() + filled);
  }
  return bytes;
}

Result<void> clean_path(Stream& stream) noexcept {
  const config::Listener& config = *stream.listener().config;
  const http::PathOptions options{
      .merge_slashes = config.merge_slashes,
      .encoded_slash = config.encoded_slash == config::EncodedSlashPolicy::kKeep
                           ? http::EncodedSlash::kKeep
                           : http::EncodedSlash::kReject};
  const Result<std::string_view> path =
      http::normalise_path(stream.request.path, stream.arena(), options);
  if (!path) {
    return fail(path.error());
  }
  stream.request.path = *path;
  return {};
}

void find_client(Stream& stream, const PeerView& peer) noexcept {
  stream.info.client_ip = peer.ip;
  stream.info.client_port = peer.port;
  stream.info.client_ip_source = peer.source;
  stream.info.tls_protocol = peer.tls.protocol;
  stream.info.tls_cipher = peer.tls.cipher;
  stream.info.tls_server_name = peer.tls.server_name;
  stream.info.tls_client_subject = peer.tls.client_subject;
  stream.info.tls_client_names = peer.tls.client_names;
  stream.info.tls_client_fingerprint = peer.tls.client_fingerprint;
  stream.info.tls_early = peer.tls.early;
  stream.info.peer_trusted = peer.trusted;
  if (!peer.trusted) {
    return;
  }
  const policy::CidrSet& trusted = stream.listener().trusted_proxies;
  const std::string_view client = http::forwarded_client(
      stream.request.headers, [&](std::string_view ip) { return trusted.contains(ip); });
  if (!client.empty()) {
    stream.info.client_ip = client;
    stream.info.client_port = 0;
    stream.info.client_ip_source = ClientIpSource::kForwardedFor;
  }
}

/// The values of all X-Forwarded-For fields and the peer's address as one list.
std::string_view extended_forwarded_for(Stream& stream, std::string_view peer_ip) noexcept {
  size_t size = peer_ip.size();
  for (const http::Header& header : stream.request.headers) {
    size += header.token == HeaderName::kXForwardedFor ? header.value_size + 2 : 0;
  }
  char* const begin = stream.arena().allocate(size, 1);
  char* to = begin;
  const auto append = [&](std::string_view text) { to = std::copy(text.begin(), text.end(), to); };
  for (const http::Header& header : stream.request.headers) {
    if (header.token == HeaderName::kXForwardedFor) {
      append(header.value());
      append(", ");
    }
  }
  append(peer_ip);
  return {begin, size};
}

/// What this hop knows of the client, for the upstream. Claims of an untrusted peer are replaced,
/// those of a trusted one extended.
bool set_forwarding_headers(Stream& stream, const PeerView& peer) noexcept {
  http::HeaderBlock& headers = stream.request.headers;
  if (!peer.trusted) {
    headers.remove_any(kForwardingHeaders);
  }
  bool fits = true;
  if (peer.ip != "unix") {
    const std::string_view list = headers.contains(HeaderName::kXForwardedFor)
                                      ? extended_forwarded_for(stream, peer.ip)
                                      : peer.ip;
    fits = headers.set(HeaderName::kXForwardedFor, list);
  }
  if (!headers.contains(HeaderName::kXForwardedProto)) {
    fits = headers.add(HeaderName::kXForwardedProto, peer.secure() ? "https" : "http") && fits;
  }
  if (!headers.contains(HeaderName::kXForwardedHost) && !stream.request.authority.empty()) {
    fits = headers.add(HeaderName::kXForwardedHost, stream.request.authority) && fits;
  }
  if (stream.info.client_ip != "unix") {
    fits = headers.set(HeaderName::kXRealIp, stream.info.client_ip) && fits;
  }
  return fits;
}

std::string_view make_request_id(Stream& stream) noexcept {
  const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(
      stream.info.wall_time.time_since_epoch());
  char* const id = stream.arena().allocate(http::kUuidChars, 1);
  http::write_uuid_v7(static_cast<uint64_t>(since_epoch.count()), random_bytes<10>(stream.shard()),
                      std::span<char, http::kUuidChars>(id, http::kUuidChars));
  return {id, http::kUuidChars};
}

bool set_request_id(Stream& stream, const PeerView& peer) noexcept {
  http::HeaderBlock& headers = stream.request.headers;
  const std::string_view given = headers.value(HeaderName::kXRequestId);
  if (peer.trusted && http::valid_request_id(given)) {
    stream.info.request_id = given;
    return true;
  }
  stream.info.request_id = make_request_id(stream);
  return headers.set(HeaderName::kXRequestId, stream.info.request_id);
}

/// A trace that a trusted peer began goes on; any other begins here.
bool set_trace_context(Stream& stream, const PeerView& peer) noexcept {
  http::HeaderBlock& headers = stream.request.headers;
  if (peer.trusted) {
    if (const auto given = http::parse_traceparent(headers.value(HeaderName::kTraceparent))) {
      stream.info.trace_id = given->trace_id;
      return true;
    }
  }
  headers.remove(HeaderName::kTracestate);
  char* const text = stream.arena().allocate(http::kTraceparentChars, 1);
  http::write_traceparent(random_bytes<16>(stream.shard()), random_bytes<8>(stream.shard()), true,
                          std::span<char, http::kTraceparentChars>(text, http::kTraceparentChars));
  const std::string_view value(text, http::kTraceparentChars);
  constexpr size_t kTraceIdBegin = 3;
  constexpr size_t kTraceIdChars = 32;
  stream.info.trace_id = value.substr(kTraceIdBegin, kTraceIdChars);
  return headers.set(HeaderName::kTraceparent, value);
}

/// RFC 8470: what can be replayed reaches nobody unless it is safe, and then it says what it is.
Result<void> check_early_data(Stream& stream, const PeerView& peer) noexcept {
  if (!peer.tls.early) {
    return {};
  }
  if (!http::is_safe(stream.request.method)) {
    return fail(downstream_error(Errc::kTooEarly, "sent before the handshake was over"));
  }
  if (!stream.request.headers.set(HeaderName::kEarlyData, "1")) {
    return fail(kTooManyHeaders);
  }
  return {};
}

/// A connection that was made for one host asks for another.
Result<void> check_server_name(const Stream& stream, const PeerView& peer) noexcept {
  if (stream.listener().config->tls.match_host && !peer.tls.server_name.empty() &&
      !http::equals_ignore_case(peer.tls.server_name, stream.request.host)) {
    return fail(downstream_error(Errc::kMisdirected, "the TLS connection is for another host"));
  }
  return {};
}

}  // namespace

Result<void> apply_edge_rules(Stream& stream, const PeerView& peer) noexcept {
  find_client(stream, peer);
  // The id first: it belongs into the reply to a bad path.
  if (!set_request_id(stream, peer) || !set_trace_context(stream, peer) ||
      !set_forwarding_headers(stream, peer)) {
    return fail(kTooManyHeaders);
  }
  if (const Result<void> named = check_server_name(stream, peer); !named) {
    return named;
  }
  if (const Result<void> early = check_early_data(stream, peer); !early) {
    return early;
  }
  return clean_path(stream);
}

void identify_rejected(Stream& stream, const PeerView& peer) noexcept {
  stream.info.client_ip = peer.ip;
  stream.info.client_port = peer.port;
  stream.info.client_ip_source = peer.source;
  stream.info.request_id = make_request_id(stream);
}

}  // namespace hangu::filter
