// StreamRecord: a stream of which nothing is left but its end, that of a tunnel, in one allocation
// of the size it needs: every fact of StreamInfo and both heads, so that the filters'
// on_stream_end() finds them as ever. Holds the stream's snapshot. One shard.
#pragma once

#include <cstddef>
#include <memory>

#include "hangu/filter/snapshot.h"

namespace hangu::filter {

class ShardContext;
class Stream;

class StreamRecord {
 public:
  /// Takes over from `stream`, which ends without a word.
  explicit StreamRecord(Stream& stream);

  ShardContext& shard() const { return shard_; }

  const RouteRuntime& route() const { return *route_; }

  const ListenerRuntime& listener() const { return listener_; }

 private:
  friend class Stream;

  void restore(Stream& stream) const;

  ShardContext& shard_;
  SnapshotRef snapshot_;
  const ListenerRuntime& listener_;
  const RouteRuntime* route_;
  bool observed_;  // there is a filter with on_stream_end(): nobody else asks for the heads
  std::unique_ptr<char[]> bytes_;
};

}  // namespace hangu::filter
