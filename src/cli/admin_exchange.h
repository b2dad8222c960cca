// One request to an admin API and its reply, on the wire: over a Unix socket, TCP or TLS.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include "hangu/base/result.h"

#include "cli/admin_client.h"

namespace hangu::cli {

using AdminEndpoint = boost::asio::generic::stream_protocol::endpoint;

struct AdminExchange {
  std::vector<AdminEndpoint> endpoints;  // the first that answers is asked
  AdminAddress address;
  std::string host;  // of an https:// address: the name that its certificate has; else empty
  AdminQuestion question;
};

/// Within the question's patience. Throws nothing; always a value: co_spawn wants what has a
/// default.
boost::asio::awaitable<std::optional<Result<AdminReply, std::string>>> exchange_with_admin(
    AdminExchange exchange);

}  // namespace hangu::cli
