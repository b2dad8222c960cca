#include "hangu/codec/http1/head_reader.h"

#include <algorithm>
#include <cstring>

namespace hangu::codec::http1 {
namespace {

// Pieces of an unfinished head are appended in steps of at most this, so that a body which follows
// in the same piece is not copied along.
constexpr size_t kAppendBytes = 4096;
constexpr size_t kFirstCapacity = 1024;

}  // namespace

Result<HeadReader::Step> HeadReader::read(std::string_view input, buffer::Arena& arena) {
  if (size_ == 0) {
    const auto scanned = scanner_.scan(input);
    if (!scanned) {
      return fail(scanned.error());
    }
    if (scanned->status == HeadScanner::Status::kComplete) {
      const std::string_view head = input.substr(scanned->head_begin, scanned->head_bytes);
      return Step{.complete = true,
                  .head = arena.copy(head),
                  .consumed = scanned->head_begin + scanned->head_bytes};
    }
    append(input, arena);
    return Step{.consumed = input.size()};
  }
  for (size_t offset = 0; offset < input.size();) {
    const std::string_view piece = input.substr(offset, kAppendBytes);
    const size_t before = size_;
    append(piece, arena);
    const auto scanned = scanner_.scan(std::string_view(data_, size_));
    if (!scanned) {
      return fail(scanned.error());
    }
    if (scanned->status == HeadScanner::Status::kComplete) {
      const size_t end = scanned->head_begin + scanned->head_bytes;
      return Step{.complete = true,
                  .head = std::string_view(data_ + scanned->head_begin, scanned->head_bytes),
                  .consumed = offset + (end - before)};
    }
    offset += piece.size();
  }
  return Step{.consumed = input.size()};
}

void HeadReader::reset() {
  scanner_.reset();
  data_ = nullptr;
  size_ = capacity_ = 0;
}

void HeadReader::append(std::string_view input, buffer::Arena& arena) {
  if (input.empty()) {
    return;
  }
  if (size_ + input.size() > capacity_) {
    const size_t capacity = std::max({kFirstCapacity, size_ + input.size(), size_t{capacity_} * 2});
    char* grown = arena.allocate(capacity, 1);
    if (size_ != 0) {
      std::memcpy(grown, data_, size_);
    }
    data_ = grown;
    capacity_ = static_cast<uint32_t>(capacity);
  }
  std::memcpy(data_ + size_, input.data(), input.size());
  size_ += static_cast<uint32_t>(input.size());
}

}  // namespace hangu::codec::http1
