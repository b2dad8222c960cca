// What the mirror filter needs of its shard: somebody who sends copies of requests to another
// upstream and drops the answers. The request that is copied waits for none of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/config/actions.h"

namespace hangu::filter {

class Stream;

/// One copy that is being put together.
class RequestCopy {
 public:
  /// Appends to the body.
  virtual void add(std::string_view bytes) noexcept = 0;
  virtual uint64_t body_bytes() const noexcept = 0;
  /// The copy is complete and goes its own way; `stream` is what it was made of.
  virtual void send(Stream& stream) noexcept = 0;
  /// It is not to be sent after all.
  virtual void drop() noexcept = 0;

 protected:
  ~RequestCopy() = default;
};

/// Where the copies of a route go. Immutable, as long-lived as its snapshot; what a copy needs of
/// it beyond the stream it takes along.
struct MirrorTarget {
  const config::Mirror* config = nullptr;
  uint32_t cluster = 0;  // its number, see RouteRuntime::cluster
};

class Mirrors {
 public:
  /// A copy of the head as the upstream gets it. nullptr: too many are under way, or the upstream's
  /// circuit breaker is open.
  virtual RequestCopy* begin(Stream& stream, const MirrorTarget& target) noexcept = 0;

 protected:
  ~Mirrors() = default;
};

}  // namespace hangu::filter
