// ParallelPieces: works through a log file on several threads: pieces of whole lines are read and
// worked on side by side, and what came of each is handed over in the order of the file, on the
// caller's thread. Memory is bounded by a few pieces a thread.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hangu/audit/log_pieces.h"
#include "hangu/base/result.h"

namespace hangu::audit {

/// As many as there are cores.
inline unsigned piece_threads() {
  return std::max(1U, std::thread::hardware_concurrency());
}

template <class Out>
class ParallelPieces {
 public:
  explicit ParallelPieces(PieceSource& source, unsigned threads)
      : source_(source),
        ahead_max_(size_t{2} * threads),
        threads_(threads) {}

  /// `work(std::string_view piece) -> Out` on any thread; `take(Out&&, uint64_t bytes) -> bool`
  /// in order, `bytes`: read of the file up to this piece's end; false: enough. The error is the
  /// source's, which belongs to the threads until this returns.
  template <class Work, class Take>
  Result<void, std::string> run(const Work& work, const Take& take) {
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < threads_; ++i) {
      workers.emplace_back([&] { serve(work); });
    }
    bool go_on = true;
    for (size_t next = 0; go_on; ++next) {
      std::optional<Done> done = wait_for(next);
      go_on = done && take(std::move(done->out), done->bytes_read);
    }
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& worker : workers) {
      worker.join();
    }
    return error_.empty() ? Result<void, std::string>() : Failure<std::string>{error_};
  }

 private:
  static constexpr size_t kUnknown = SIZE_MAX;

  struct Done {
    Out out;
    uint64_t bytes_read;
  };

  /// The number of the next piece; nullopt: there is none any more.
  std::optional<size_t> claim(LogPiece& piece) {
    const std::lock_guard claiming(source_mutex_);
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ended_ || claimed_ < taken_ + ahead_max_; });
      if (ended_ || end_ != kUnknown) {
        return std::nullopt;
      }
    }
    const auto more = source_.claim(piece);
    const std::lock_guard lock(mutex_);
    if (!more || !*more) {
      end_before(claimed_, more ? "" : more.error());
      return std::nullopt;
    }
    return claimed_++;
  }

  /// With the lock. Pieces before that one are still handed over.
  void end_before(size_t number, const std::string& error) {
    if (number < end_) {
      end_ = number;
      error_ = error;
    }
    changed_.notify_all();
  }

  template <class Work>
  void serve(const Work& work) {
    LogPiece piece;
    while (const auto number = claim(piece)) {
      if (const auto loaded = source_.load(piece); !loaded) {
        const std::lock_guard lock(mutex_);
        end_before(*number, loaded.error());
        return;
      }
      Done done{work(piece.lines), piece.bytes_read};
      const std::lock_guard lock(mutex_);
      done_.emplace(*number, std::move(done));
      changed_.notify_all();
    }
  }

  std::optional<Done> wait_for(size_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_.contains(number) || number >= end_; });
    const auto found = done_.find(number);
    if (found == done_.end()) {
      return std::nullopt;
    }
    std::optional<Done> done(std::move(found->second));
    done_.erase(found);
    taken_ = number + 1;
    changed_.notify_all();
    return done;
  }

  PieceSource& source_;
  size_t ahead_max_;
  unsigned threads_;
  std::mutex source_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<size_t, Done> done_;
  size_t claimed_ = 0;
  size_t taken_ = 0;
  size_t end_ = kUnknown;  // how many pieces there are
  bool ended_ = false;
  std::string error_;
};

/// Calls `each(std::string_view line)` for the lines of a piece, line feeds left out.
template <class Each>
void for_each_line(std::string_view piece, const Each& each) {
  while (!piece.empty()) {
    const size_t end = piece.find('\n');
    each(piece.substr(0, end));
    piece.remove_prefix(end == std::string_view::npos ? piece.size() : end + 1);
  }
}

}  // namespace hangu::audit
