// Connection: what an Endpoint knows of each of its connections: being made (Connecting), or
// speaking one of the protocols. Owned by its Endpoint, which destroys it at the end of the loop
// turn. One shard.
#pragma once

#include "hangu/base/intrusive_list.h"

namespace hangu::upstream {

class Endpoint;

class Connection : public ListNode<Connection> {
 public:
  explicit Connection(Endpoint& endpoint)
      : endpoint_(endpoint) {}

  virtual ~Connection() = default;

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Ends it now; what it carries fails, or ends silently when nobody listens any more.
  virtual void close() noexcept = 0;
  /// Its endpoint left the config: closes now, or after the last request.
  virtual void retire() noexcept = 0;

  Endpoint& endpoint() const { return endpoint_; }

 private:
  Endpoint& endpoint_;
};

}  // namespace hangu::upstream
