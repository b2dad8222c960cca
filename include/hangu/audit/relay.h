// Records on their way from a process that ends to its successor, which has the log: told by name,
// so that another version understands them, over a Unix stream socket. RelayWriter and RelayReader
// belong to the threads of the two logs. Neither blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "hangu/audit/record.h"

namespace hangu::audit {

/// Appends a record as it is sent: its size, then what it holds.
void append_relayed(const Record& record, std::string& out);

/// The record at the beginning of `bytes`, its texts views of them; how many bytes it took, 0: it
/// is not there as a whole. What this version has no name for is left out.
size_t read_relayed(std::string_view bytes, Record& record);

/// `reason` of the process.upgrade that is the last record of a process that relays.
inline constexpr std::string_view kDrained = "drained";

class RelayWriter {
 public:
  /// Owns `socket`.
  explicit RelayWriter(int socket);
  ~RelayWriter();

  RelayWriter(const RelayWriter&) = delete;
  RelayWriter& operator=(const RelayWriter&) = delete;

  bool has_room() const { return out_.size() < kWaitingMax; }

  bool empty() const { return out_.empty(); }

  void put(const Record& record) { append_relayed(record, out_); }

  /// Sends what the socket takes now; false: nobody is there any more.
  bool send();

  /// Those that were not sent, or not whole. They are no longer here then.
  size_t take_unsent(const std::function<void(const Record&)>& take);

 private:
  static constexpr size_t kWaitingMax = 1024 * 1024;

  const int socket_;
  std::string out_;  // begins with a record
  size_t sent_ = 0;  // bytes of the first
};

class RelayReader {
 public:
  /// Owns `socket`.
  explicit RelayReader(int socket);
  RelayReader(RelayReader&& other) noexcept;
  RelayReader& operator=(RelayReader&& other) noexcept;
  ~RelayReader();

  enum class State : uint8_t {
    kQuiet,  // nothing more for now
    kMore,
    kEnded,
  };

  /// Some of the records that have come.
  State read(const std::function<void(const Record&)>& take);

  /// Whether the last record says that none is to follow.
  bool finished() const { return finished_; }

 private:
  int socket_;
  bool finished_ = false;
  std::string in_;
};

}  // namespace hangu::audit
