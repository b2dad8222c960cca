#include "filter/compressed_body.h"

#include <algorithm>
#include <utility>

#include "filter/action_counters.h"

namespace hangu::filter {
namespace {

// A piece up to this is compressed where it comes: it takes no longer than other work of a request.
constexpr size_t kAtOnceBytes = 4 * 1024;
// What is done of a larger one before others get their turn.
constexpr size_t kStepBytes = 16 * 1024;
// Room for what a flush or the end may add.
constexpr size_t kSpareBytes = 256;
// What waits inside while another filter holds the response is looked at again so often.
constexpr Duration kFlushRetry = std::chrono::milliseconds(5);

}  // namespace

CompressedBody::CompressedBody(Stream& stream, Compressors::Ptr compressor)
    : stream_(stream),
      counters_(action_counters(stream)),
      compressor_(std::move(compressor)) {
  counters_.compressed[static_cast<size_t>(compressor_->coding())].add();
}

FilterStatus CompressedBody::take(buffer::Slice& data, bool end) noexcept {
  if (compressor_ == nullptr) {
    return FilterStatus::kContinue;
  }
  input_ = std::exchange(data, {});
  end_ = end;
  counters_.compression_bytes_in.add(input_.size);
  if (input_.size > kAtOnceBytes) {
    flush_ = true;
    stream_.shard().queue_costly(*this);
    return FilterStatus::kPause;
  }
  work(kAtOnceBytes);
  if (failed_) {
    fail();
  } else {
    data = take_output();
  }
  return FilterStatus::kContinue;
}

/// Of the input, at most so much; the output grows.
void CompressedBody::work(size_t bytes_max) noexcept {
  using Until = Compressor::Until;
  for (bool done = false; !done;) {
    const std::string_view piece = input_.view().substr(0, bytes_max);
    const bool last = piece.size() == input_.size;
    Until until = Until::kTaken;
    if (last && (end_ || flush_)) {
      until = end_ ? Until::kEnd : Until::kFlushed;
    }
    make_room();
    const Compressor::Step step = compressor_->step(
        piece, {output_->data() + output_size_, output_->capacity() - output_size_}, until);
    input_.remove_prefix(step.taken);
    bytes_max -= step.taken;
    output_size_ += static_cast<uint32_t>(step.written);
    failed_ = step.failed;
    done = step.done || failed_;
    if (step.done && last) {
      finish_piece();
    }
  }
}

void CompressedBody::finish_piece() noexcept {
  input_ = {};
  if (end_) {
    compressor_.reset();
    return;
  }
  unflushed_ = !std::exchange(flush_, false);
  if (unflushed_) {
    stream_.shard().defer(*this);
  }
}

/// For the next step. What cannot be compressed outgrows its first block; it doubles then.
void CompressedBody::make_room() noexcept {
  const size_t left = output_ ? output_->capacity() - output_size_ : 0;
  if (left >= kSpareBytes) {
    return;
  }
  const size_t wanted = output_ ? 2 * size_t{output_size_} + kSpareBytes : kStepBytes;
  buffer::BlockRef larger = stream_.make_block(wanted);
  if (output_) {
    std::copy_n(output_->data(), output_size_, larger->data());
  }
  output_ = std::move(larger);
}

/// What is small moves to a block of its size: a slow client would hold many large ones.
buffer::Slice CompressedBody::take_output() noexcept {
  if (output_size_ == 0) {
    output_ = {};
    return {};
  }
  counters_.compression_bytes_out.add(output_size_);
  const uint32_t size = std::exchange(output_size_, 0);
  buffer::BlockRef block = std::exchange(output_, {});
  if (size < block->capacity() / 2) {
    buffer::BlockPool& small = stream_.shard().small_blocks();
    buffer::BlockRef fitting =
        size <= small.block_capacity() ? small.acquire() : buffer::BlockRef::on_heap(size);
    if (fitting) {
      std::copy_n(block->data(), size, fitting->data());
      block = std::move(fitting);
    }
  }
  const char* const begin = block->data();
  return {std::move(block), begin, size};
}

/// Last: the stream may end, and this with it.
void CompressedBody::fail() noexcept {
  compressor_.reset();
  stream_.fail(internal_error(Errc::kInternal, "the compressor failed"));
}

void CompressedBody::run_costly() noexcept {
  work(kStepBytes);
  if (failed_) {
    fail();
  } else if (input_.size != 0) {
    stream_.shard().queue_costly(*this);
  } else {
    stream_.resume_response(take_output());
  }
}

/// The turn is over: what came in it leaves.
void CompressedBody::run_deferred() noexcept {
  if (!unflushed_) {
    return;
  }
  if (stream_.response_paused()) {
    arm(stream_.shard().timers(), kFlushRetry);
    return;
  }
  flush_ = true;
  stream_.on_response_data(buffer::Slice{}, false);
}

void CompressedBody::on_timer() noexcept {
  run_deferred();
}

}  // namespace hangu::filter
