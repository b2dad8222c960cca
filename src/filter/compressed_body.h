// CompressedBody: one response body on its way through a Compressor. Lives in the stream's arena
// from the head to the end of the stream.
#pragma once

#include "hangu/buffer/block.h"
#include "hangu/event/loop.h"
#include "hangu/event/timer.h"
#include "hangu/filter/compressor.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/stream.h"
#include "hangu/stats/route_stats.h"

namespace hangu::filter {

class CompressedBody final : private event::Costly, private event::Deferred, private event::Timer {
 public:
  /// The stream has a route.
  CompressedBody(Stream& stream, Compressors::Ptr compressor);

  /// A piece of the body; what it became takes its place, unless that has to wait.
  FilterStatus take(buffer::Slice& data, bool end) noexcept;

 private:
  void run_costly() noexcept override;
  void run_deferred() noexcept override;
  void on_timer() noexcept override;

  void work(size_t bytes_max) noexcept;
  void make_room() noexcept;
  void finish_piece() noexcept;
  buffer::Slice take_output() noexcept;
  void fail() noexcept;

  Stream& stream_;
  stats::RouteActionCounters& counters_;
  Compressors::Ptr compressor_;  // none once the body is over
  buffer::Slice input_;
  buffer::BlockRef output_;
  uint32_t output_size_ = 0;
  bool end_ = false;
  bool flush_ = false;      // this piece leaves at once
  bool unflushed_ = false;  // something of the pieces before may still be inside
  bool failed_ = false;
};

}  // namespace hangu::filter
