// check_probe: asks one endpoint once: connects, shakes hands where the upstream speaks TLS,
// carries out a CheckExchange, all within the check's timeout. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "hangu/buffer/block.h"
#include "hangu/config/config.h"
#include "hangu/net/address.h"
#include "hangu/tls/client_context.h"

#include "control/check_exchange.h"

namespace hangu::control {

/// What TLS works in. Lives until the last probe has ended.
struct ProbeMemory {
  buffer::BlockPool small{{.block_bytes = 2 * 1024, .blocks_max = 4096}};
  buffer::BlockPool large{{.block_bytes = 64 * 1024, .blocks_max = 1024}};
};

struct ProbeTarget {
  net::Address address;
  std::string host;  // with its port
  config::HealthCheck check;
  config::UpstreamProtocol protocol = config::UpstreamProtocol::kHttp1;
  std::string server_name;                        // of TLS; empty: the host
  std::shared_ptr<const tls::ClientContext> tls;  // nullptr: without
};

/// Calls `done` once, never before it returns; not when the io_context ends first.
void check_probe(boost::asio::io_context& context, std::shared_ptr<ProbeMemory> memory,
                 ProbeTarget target, std::function<void(CheckVerdict)> done);

}  // namespace hangu::control
