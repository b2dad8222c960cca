// BodyCollector: a filter that has to see a whole request body before the request goes on, so that
// the upstream gets nothing of one that is refused. See Stream::collect_request_body().
#pragma once

#include <string_view>

namespace hangu::filter {

class Stream;

class BodyCollector {
 public:
  /// As the body comes in.
  virtual void on_body_piece(Stream& /*stream*/, std::string_view /*piece*/) const noexcept {}

  /// All of it is in Stream::collected_body(). Ends with Stream::resume_request() or a local reply.
  virtual void on_body_collected(Stream& stream) const noexcept = 0;

  /// There is more of it than was asked for, or more than the shard may hold. The same: what has
  /// come goes on before the rest.
  virtual void on_body_too_large(Stream& stream) const noexcept = 0;

 protected:
  ~BodyCollector() = default;
};

}  // namespace hangu::filter
