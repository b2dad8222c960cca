// ResponseHandler: what an upstream connection tells whoever sent the request (the proxy). All
// calls come on the shard, within the loop turn; after on_failure or the end of the response the
// connection makes no further call for that request.
#pragma once

#include "hangu/base/error.h"
#include "hangu/buffer/block.h"
#include "hangu/http/message.h"

namespace hangu::net {
class Connection;
}

namespace hangu::upstream {

class Http1Connection;

class ResponseHandler {
 public:
  /// A 1xx head, other than 101. `head` lives until the call returns.
  virtual void on_informational(const http::ResponseHead& head) noexcept = 0;
  /// The final head has been parsed into the place given with the request. `end`: no body follows.
  virtual void on_response_head(bool end) noexcept = 0;
  virtual void on_response_data(buffer::Slice&& data, bool end) noexcept = 0;
  /// Where the rest of the body may go as it is, without anybody seeing it; nullptr: nowhere.
  virtual net::Connection* response_target() noexcept = 0;
  /// So many bytes went to response_target(); on_response_data() may still follow.
  virtual void on_response_spliced(uint64_t bytes, bool end) noexcept = 0;
  virtual void on_response_trailers(const http::HeaderBlock& trailers) noexcept = 0;
  /// The exchange failed; `error.retry` says whether the request may be sent again.
  virtual void on_failure(const Error& error) noexcept = 0;
  /// More request bytes are welcome after Http1Connection::congested().
  virtual void on_request_writable() noexcept = 0;
  /// Asked between two pieces of the body: true makes the connection hold the rest back until
  /// Http1Connection::resume_response().
  virtual bool response_congested() const noexcept = 0;
  /// After 101: the peer has ended its direction of the tunnel.
  virtual void on_tunnel_end() noexcept = 0;

 protected:
  ~ResponseHandler() = default;
};

/// Waits for a connection of its own.
class ConnectHandler {
 public:
  /// `connection` is ready for a request, or the error says why there is none.
  virtual void on_connect(Http1Connection* connection, const Error& error) noexcept = 0;

 protected:
  ~ConnectHandler() = default;
};

}  // namespace hangu::upstream
