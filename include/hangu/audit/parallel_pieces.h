// for_each_piece: works through a log file on several threads: pieces of whole lines are read in
// turn, worked on side by side, and what came of each is handed over in the order of the file, on
// the caller's thread. Memory is bounded by a few pieces a thread.
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

#include "hangu/audit/log_reader.h"
#include "hangu/base/result.h"

namespace hangu::audit {

/// As many as there are cores.
inline unsigned piece_threads() {
  return std::max(1U, std::thread::hardware_concurrency());
}

template <class Out>
class ParallelPieces {
 public:
  explicit ParallelPieces(LogReader& reader, unsigned threads)
      : reader_(reader),
        ahead_max_(size_t{2} * threads),
        threads_(threads) {}

  /// `work(const std::string& piece) -> Out` on any thread; `take(Out&&, uint64_t bytes) -> bool`
  /// in order, `bytes`: read of the file up to this piece's end; false: enough. The error is the
  /// reader's. The reader belongs to the threads until this returns.
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
  struct Piece {
    size_t number;
    std::string lines;
    uint64_t bytes_read;  // of the file, when this piece had been read
  };

  struct Done {
    Out out;
    uint64_t bytes_read;
  };

  /// The next piece; nullopt: there is none any more.
  std::optional<Piece> read() {
    const std::lock_guard reading(reader_mutex_);
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ended_ || read_ < taken_ + ahead_max_; });
      if (ended_ || read_all_) {
        return std::nullopt;
      }
    }
    auto piece = reader_.next();
    const std::lock_guard lock(mutex_);
    if (!piece || piece->empty()) {
      error_ = piece ? "" : piece.error();
      read_all_ = true;
      changed_.notify_all();
      return std::nullopt;
    }
    return Piece{read_++, std::move(*piece), reader_.bytes_read()};
  }

  template <class Work>
  void serve(const Work& work) {
    while (auto piece = read()) {
      Done done{work(std::as_const(piece->lines)), piece->bytes_read};
      const std::lock_guard lock(mutex_);
      done_.emplace(piece->number, std::move(done));
      changed_.notify_all();
    }
  }

  std::optional<Done> wait_for(size_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_.contains(number) || (read_all_ && number >= read_); });
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

  LogReader& reader_;
  size_t ahead_max_;
  unsigned threads_;
  std::mutex reader_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<size_t, Done> done_;
  size_t read_ = 0;
  size_t taken_ = 0;
  bool read_all_ = false;
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
