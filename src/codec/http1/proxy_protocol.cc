#include "hangu/codec/http1/proxy_protocol.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "hangu/base/parse.h"

namespace hangu::codec::http1 {
namespace {

constexpr std::string_view kV1Signature = "PROXY ";
constexpr size_t kV1BytesMax = 107;  // with CRLF
constexpr std::string_view kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kV2FixedBytes = 16;
constexpr size_t kV2PayloadBytesMax = kProxyHeaderBytesMax - kV2FixedBytes;

Failure<Error> fail_with(const char* detail) {
  return fail(downstream_error(Errc::kBadProxyHeader, detail));
}

/// Takes the text up to the next space, and the space.
std::string_view take_word(std::string_view& line) {
  const size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
  return word;
}

bool parse_v1_ip(std::string_view text, int family, ProxyEndpoint& endpoint) {
  char copy[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) {
    return false;
  }
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  endpoint.size = family == AF_INET ? 4 : 16;
  return inet_pton(family, copy, endpoint.bytes.data()) == 1;
}

bool parse_v1_port(std::string_view text, ProxyEndpoint& endpoint) {
  const auto port = parse_decimal(text, UINT16_MAX);
  if (!port || (text.size() > 1 && text.front() == '0')) {
    return false;
  }
  endpoint.port = static_cast<uint16_t>(*port);
  return true;
}

/// "PROXY TCP4 source destination port port\r\n"
Result<ProxyHeader> parse_v1(std::string_view buffer) {
  const size_t end = buffer.substr(0, kV1BytesMax).find('\n');
  if (end == std::string_view::npos) {
    return buffer.size() >= kV1BytesMax ? Result<ProxyHeader>(fail_with("PROXY line too long"))
                                        : ProxyHeader{};
  }
  std::string_view line = buffer.substr(kV1Signature.size(), end - kV1Signature.size());
  if (!line.ends_with('\r')) {
    return fail_with("PROXY line does not end with CRLF");
  }
  line.remove_suffix(1);
  ProxyHeader header{.consumed = end + 1};
  const std::string_view protocol = take_word(line);
  if (protocol == "UNKNOWN") {
    header.local = true;
    return header;
  }
  if (protocol != "TCP4" && protocol != "TCP6") {
    return fail_with("PROXY line with an unknown protocol");
  }
  const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
  const bool good = parse_v1_ip(take_word(line), family, header.source) &&
                    parse_v1_ip(take_word(line), family, header.destination) &&
                    parse_v1_port(take_word(line), header.source) &&
                    parse_v1_port(line, header.destination);
  if (!good) {
    return fail_with("malformed PROXY line");
  }
  return header;
}

uint16_t read_u16(std::string_view buffer, size_t at) {
  return static_cast<uint16_t>((static_cast<unsigned char>(buffer[at]) << 8) |
                               static_cast<unsigned char>(buffer[at + 1]));
}

/// Addresses and ports as version 2 packs them: source, destination, source port, destination port.
bool take_v2_addresses(std::string_view payload, uint8_t ip_bytes, ProxyHeader& header) {
  if (payload.size() < 2 * size_t{ip_bytes} + 4) {
    return false;
  }
  header.source.size = header.destination.size = ip_bytes;
  std::memcpy(header.source.bytes.data(), payload.data(), ip_bytes);
  std::memcpy(header.destination.bytes.data(), payload.data() + ip_bytes, ip_bytes);
  header.source.port = read_u16(payload, 2 * size_t{ip_bytes});
  header.destination.port = read_u16(payload, 2 * size_t{ip_bytes} + 2);
  return true;
}

Result<ProxyHeader> parse_v2(std::string_view buffer) {
  if (buffer.size() < kV2FixedBytes) {
    return ProxyHeader{};
  }
  const auto version_command = static_cast<unsigned char>(buffer[12]);
  const auto family = static_cast<unsigned char>(buffer[13]);
  const size_t payload_bytes = read_u16(buffer, 14);
  if (version_command >> 4 != 2 || (version_command & 0x0f) > 1) {
    return fail_with("PROXY header with an unknown version or command");
  }
  if (payload_bytes > kV2PayloadBytesMax) {
    return fail_with("PROXY header too long");
  }
  if (buffer.size() < kV2FixedBytes + payload_bytes) {
    return ProxyHeader{};
  }
  ProxyHeader header{.consumed = kV2FixedBytes + payload_bytes};
  const std::string_view payload = buffer.substr(kV2FixedBytes, payload_bytes);
  const bool local_command = (version_command & 0x0f) == 0;
  const bool stream = (family & 0x0f) == 1;
  const unsigned address_family = family >> 4;
  if (local_command || !stream || (address_family != 1 && address_family != 2)) {
    header.local = true;
    return header;
  }
  if (!take_v2_addresses(payload, address_family == 1 ? 4 : 16, header)) {
    return fail_with("PROXY header is shorter than its addresses");
  }
  return header;
}

bool begins_like(std::string_view buffer, std::string_view signature) {
  const size_t known = std::min(buffer.size(), signature.size());
  return buffer.substr(0, known) == signature.substr(0, known);
}

}  // namespace

Result<ProxyHeader> parse_proxy_header(std::string_view buffer) noexcept {
  if (begins_like(buffer, kV2Signature)) {
    return buffer.size() < kV2Signature.size() ? Result<ProxyHeader>(ProxyHeader{})
                                               : parse_v2(buffer);
  }
  if (begins_like(buffer, kV1Signature)) {
    return buffer.size() < kV1Signature.size() ? Result<ProxyHeader>(ProxyHeader{})
                                               : parse_v1(buffer);
  }
  return fail_with("no PROXY header where one must be");
}

}  // namespace hangu::codec::http1
