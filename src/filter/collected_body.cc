// The part of Stream that holds a request body back for a filter that has to see all of it.
#include <algorithm>
#include <utility>

#include "hangu/base/assert.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

constexpr uint32_t kFirstBytes = 4 * 1024;
// Bodies that are held back, per shard; beyond it requests that need one are shed.
constexpr uint64_t kShardBytesMax = 64ULL * 1024 * 1024;

}  // namespace

bool Stream::collect_request_body(const BodyCollector& collector, uint64_t bytes_max) noexcept {
  HANGU_DCHECK(collector_ == nullptr && !replied_);
  const uint64_t known = request.framing == http::BodyFraming::kLength ? request.content_length : 0;
  collection_short_ = shard_.collected_bytes() >= kShardBytesMax;
  if (collection_short_ || known > bytes_max || collected_.size > bytes_max) {
    return false;
  }
  collector_ = &collector;
  collect_max_ = bytes_max;
  collected_waits_ = true;
  if (request.expect_continue) {
    // The upstream, which will not see the request before, cannot ask for the body.
    request.expect_continue = false;
    request.headers.remove(http::HeaderName::kExpect);
    http::ResponseHead head;
    head.reset(arena_);
    head.status = 100;
    writer_.write_informational(*this, head);
  }
  return true;
}

Error Stream::collection_error() const noexcept {
  return collection_short_ ? downstream_error(Errc::kResource, "too much is held back")
                           : downstream_error(Errc::kBodyTooLarge, "request body over the limit");
}

void Stream::collect(buffer::Slice&& data, bool end) noexcept {
  const BodyCollector& collector = *collector_;
  const bool fits = uint64_t{collected_.size} + data.size <= collect_max_;
  collection_short_ = !keep_collected(data.view());
  if (!fits || collection_short_) {
    collector_ = nullptr;
    writer_.pause_request(*this, true);
    collector.on_body_too_large(*this);
    return;
  }
  collector.on_body_piece(*this, data.view());
  if (end) {
    collector_ = nullptr;
    collector.on_body_collected(*this);
  }
}

/// Appends in any case. False: the shard holds more than it may.
bool Stream::keep_collected(std::string_view piece) noexcept {
  const auto size = static_cast<uint32_t>(collected_.size + piece.size());
  if (size > collected_room_ || !collected_.block) {
    // Twice as large each time: memory follows what has come, not what was announced.
    const uint32_t room = std::max({size, 2 * collected_room_, kFirstBytes});
    buffer::BlockRef block = buffer::BlockRef::on_heap(room);
    std::copy_n(collected_.data, collected_.size, block->data());
    shard_.collected_bytes() += room - collected_room_;
    collected_room_ = room;
    const char* const data = block->data();
    collected_ = buffer::Slice{std::move(block), data, collected_.size};
  }
  std::copy(piece.begin(), piece.end(), collected_.block->data() + collected_.size);
  collected_.size = size;
  return shard_.collected_bytes() <= kShardBytesMax;
}

/// What was held back goes on, once all filters have seen the head and the sink takes it.
void Stream::pass_collected() noexcept {
  if (!collected_waits_ || collector_ != nullptr || sink_ == nullptr || request_pause_ != 0 ||
      replied_ || finished_) {
    return;
  }
  buffer::Slice body = std::move(collected_);
  drop_collected();
  request_data_position_ = 0;
  pass_request_data(std::move(body), request_end_);
}

void Stream::drop_collected() noexcept {
  shard_.collected_bytes() -= std::exchange(collected_room_, 0);
  collected_ = {};
  collected_waits_ = false;
  collector_ = nullptr;
}

}  // namespace hangu::filter
