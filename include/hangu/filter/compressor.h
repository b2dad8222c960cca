// Compressor: the state of one body that is being compressed, whatever the coding. Compressors: a
// shard's supply of them, bounded in memory; what one body is done with the next one uses. One
// shard.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "hangu/config/actions.h"

namespace hangu::filter {

class Compressor {
 public:
  enum class Until : uint8_t {
    kTaken,    // the input is in; it may wait inside for more
    kFlushed,  // all that was given can be read at the other end
    kEnd,      // the body is over
  };

  struct Step {
    size_t taken = 0;    // bytes of the input
    size_t written = 0;  // bytes of the output
    bool done = false;   // as far as was asked; else there was no more room
    bool failed = false;
  };

  virtual ~Compressor() = default;

  virtual Step step(std::string_view input, std::span<char> output, Until until) noexcept = 0;

  /// Ready for another body; false: not to be had.
  virtual bool restart() noexcept = 0;

  config::ContentCoding coding() const { return coding_; }

  uint32_t level() const { return level_; }

 protected:
  Compressor(config::ContentCoding coding, uint32_t level)
      : coding_(coding),
        level_(level) {}

 private:
  config::ContentCoding coding_;
  uint32_t level_;
};

class Compressors {
 public:
  struct Returner {
    Compressors* from = nullptr;

    void operator()(Compressor* compressor) const noexcept { from->put_back(compressor); }
  };

  using Ptr = std::unique_ptr<Compressor, Returner>;

  /// `bytes_max`: of those in use; see bytes_of().
  explicit Compressors(uint64_t bytes_max)
      : bytes_max_(bytes_max) {}

  ~Compressors();

  Compressors(const Compressors&) = delete;
  Compressors& operator=(const Compressors&) = delete;

  /// nullptr: there is no memory left for another one.
  Ptr take(config::ContentCoding coding, uint32_t level) noexcept;

  /// What one of them needs at most.
  static uint64_t bytes_of(config::ContentCoding coding, uint32_t level) noexcept;

  uint64_t bytes_in_use() const { return bytes_in_use_; }

  size_t idle() const { return idle_.size(); }

 private:
  static constexpr size_t kIdleMax = 16;

  void put_back(Compressor* compressor) noexcept;

  uint64_t bytes_max_;
  uint64_t bytes_in_use_ = 0;
  std::vector<std::unique_ptr<Compressor>> idle_;
};

}  // namespace hangu::filter
