#include "server/idle_connections.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "hangu/base/parse.h"
#include "hangu/downstream/session_table.h"
#include "hangu/net/address.h"
#include "hangu/net/descriptor_passing.h"

namespace hangu::server {
namespace {

constexpr std::string_view kUnixPeer = "unix";

net::Address address_of(std::string_view ip, uint64_t port) {
  const bool v6 = ip.find(':') != std::string_view::npos;
  const std::string text = ip == kUnixPeer ? std::string("unix:-")
                           : v6            ? fmt::format("[{}]:{}", ip, port)
                                           : fmt::format("{}:{}", ip, port);
  return net::Address::parse(text).value_or(net::Address());
}

}  // namespace

std::string encode(std::string_view listener, const downstream::Peer& peer, uint64_t requests) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n", listener, peer.ip(), peer.port(),
                     static_cast<unsigned>(peer.source()), requests);
}

std::optional<IdleConnection> decode_idle_connection(std::string_view text) {
  std::array<std::string_view, 5> fields;
  for (std::string_view& field : fields) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    field = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  const auto port = parse_decimal(fields[2], UINT16_MAX);
  const auto source = parse_decimal(fields[3], UINT8_MAX);
  const auto requests = parse_decimal(fields[4]);
  if (!text.empty() || !port || !source || !requests) {
    return std::nullopt;
  }
  const net::Address address = address_of(fields[1], *port);
  if (address.family() == AF_UNSPEC) {
    return std::nullopt;
  }
  IdleConnection connection{.listener = std::string(fields[0]), .peer = {}, .requests = *requests};
  const bool told = *source == static_cast<uint64_t>(filter::ClientIpSource::kProxyProtocol);
  connection.peer.set(
      address, told ? filter::ClientIpSource::kProxyProtocol : filter::ClientIpSource::kPeer);
  return connection;
}

IdleConnections::~IdleConnections() {
  ::close(socket_);
}

downstream::Successor::Answer IdleConnections::take(int fd,
                                                    const downstream::ListenerContext& listener,
                                                    const downstream::Peer& peer,
                                                    uint64_t requests) noexcept {
  const int error = net::send_with_descriptors(
      socket_, encode(listener.runtime->config->name, peer, requests), {&fd, 1});
  return error == 0 ? Answer::kTaken : error == EAGAIN ? Answer::kBusy : Answer::kGone;
}

}  // namespace hangu::server
