// IdleConnections: passes idle HTTP/1.1 connections to another process over a Unix stream socket: a
// line of text and the descriptor each. Shared by all shards of the old process; the new one reads
// what they say. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hangu/downstream/leave.h"
#include "hangu/downstream/peer.h"

namespace hangu::server {

/// What is told of one.
struct IdleConnection {
  std::string listener;  // by name
  downstream::Peer peer;
  uint64_t requests = 0;  // that were answered on it
};

std::string encode(std::string_view listener, const downstream::Peer& peer, uint64_t requests);
std::optional<IdleConnection> decode_idle_connection(std::string_view text);

class IdleConnections final : public downstream::Successor {
 public:
  /// Owns `socket`.
  explicit IdleConnections(int socket)
      : socket_(socket) {}

  ~IdleConnections();

  IdleConnections(const IdleConnections&) = delete;
  IdleConnections& operator=(const IdleConnections&) = delete;

  Answer take(int fd, const downstream::ListenerContext& listener, const downstream::Peer& peer,
              uint64_t requests) noexcept override;

 private:
  const int socket_;
};

}  // namespace hangu::server
