// FilterChain: the filters of a route (or of the gateway's entry) in order, sorted by the callbacks
// they implement so that a stream calls only those. Immutable; owned by a snapshot; any thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "hangu/filter/filter.h"

namespace hangu::filter {

class FilterChain {
 public:
  /// Appends a filter: requests pass it last, responses first.
  void add(std::shared_ptr<const Filter> filter);

  std::span<const Filter* const> request_headers() const { return request_headers_; }

  std::span<const Filter* const> request_data() const { return request_data_; }

  std::span<const Filter* const> response_headers() const { return response_headers_; }

  std::span<const Filter* const> response_data() const { return response_data_; }

  std::span<const Filter* const> local_reply() const { return local_reply_; }

  std::span<const Filter* const> stream_end() const { return stream_end_; }

 private:
  using List = std::vector<const Filter*>;

  std::vector<std::shared_ptr<const Filter>> filters_;
  List request_headers_;
  List request_data_;
  List response_headers_;  // reverse order
  List response_data_;     // reverse order
  List local_reply_;       // reverse order
  List stream_end_;
};

}  // namespace hangu::filter
