// ClientStream: the place of one request on an upstream connection, whatever that speaks: takes the
// request, tells a ResponseHandler of the response. ConnectHandler waits for one. All calls come on
// the shard, within the loop turn.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/base/error.h"
#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"
#include "hangu/http/message.h"

namespace hangu::net {
class Connection;
struct RelayEnd;
}  // namespace hangu::net

namespace hangu::upstream {

/// After on_failure or the end of the response no further call comes for the request.
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
  /// `trailers` live until the call returns, their bytes as long as the request's arena.
  virtual void on_response_trailers(const http::HeaderBlock& trailers) noexcept = 0;
  /// The exchange failed; `error.retry` says whether the request may be sent again.
  virtual void on_failure(const Error& error) noexcept = 0;
  /// More request bytes are welcome after ClientStream::congested().
  virtual void on_request_writable() noexcept = 0;
  /// Asked between two pieces of the body: true makes the stream hold the rest back until
  /// ClientStream::resume_response().
  virtual bool response_congested() const noexcept = 0;
  /// After 101: the peer has ended its direction of the tunnel.
  virtual void on_tunnel_end() noexcept = 0;

 protected:
  ~ResponseHandler() = default;
};

/// A request for the wire. Everything pointed to outlives the exchange or abandon().
struct OutgoingRequest {
  const http::RequestHead* head = nullptr;  // without hop-by-hop fields
  std::string_view target;                  // instead of the head's path and query
  std::string_view host;                    // instead of the head's authority
  bool has_body = false;
  bool upgrade = false;                    // a tunnel is wanted: 101 answers that
  http::ResponseHead* response = nullptr;  // filled in before on_response_head
  buffer::Arena* arena = nullptr;          // for both heads
  ResponseHandler* handler = nullptr;
};

class ClientStream {
 public:
  virtual void send_request(const OutgoingRequest& request) noexcept = 0;
  virtual void send_data(buffer::Slice&& data, bool end) noexcept = 0;
  /// They live as long as the request's arena.
  virtual void send_trailers(const http::HeaderBlock& trailers) noexcept = 0;
  virtual bool congested() const noexcept = 0;
  /// Where the rest of the request body may go as it is; nullptr when it needs framing.
  virtual net::Connection* request_target() noexcept = 0;

  /// The handler can take response bytes again.
  virtual void resume_response() noexcept = 0;
  /// The handler goes away: no more calls to it. Ends the exchange unless it is over.
  virtual void abandon() noexcept = 0;
  /// In a tunnel: no more bytes from the client.
  virtual void end_tunnel() noexcept = 0;
  /// Both directions of a tunnel have ended: no more calls to the handler; what is queued still
  /// leaves.
  virtual void finish_tunnel() noexcept = 0;

  /// In a tunnel: whether release() can follow. Not if it shares its connection, or if the peer has
  /// ended its direction.
  virtual bool releasable() const noexcept { return false; }

  /// Gives its connection away, which stays counted at the endpoint until Endpoint::tunnel_ended();
  /// no more calls to the handler.
  virtual void release(net::RelayEnd& /*server*/) noexcept {}

  /// Requests that its connection has carried before.
  virtual uint64_t requests_before() const noexcept = 0;

 protected:
  ~ClientStream() = default;
};

/// Waits for a stream of its own; waits no more once it is unlinked.
class ConnectHandler : public ListNode<ConnectHandler> {
 public:
  /// `stream` is ready for a request, or the error says why there is none.
  virtual void on_connect(ClientStream* stream, const Error& error) noexcept = 0;

 protected:
  ~ConnectHandler() = default;
};

}  // namespace hangu::upstream
