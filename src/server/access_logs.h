// AccessLogs: the access log of the process, and those that a reload has replaced, which are kept:
// streams of older generations may still write to them. Control thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hangu/audit/log_writer.h"
#include "hangu/base/result.h"
#include "hangu/config/config.h"

namespace hangu::server {

class AccessLogs {
 public:
  explicit AccessLogs(uint32_t shards)
      : shards_(shards) {}

  /// On failure the log in use stays.
  Result<void, std::string> open(const config::AccessLog& wanted);

  audit::LogWriter* current() const { return current_; }  // nullptr: none

  /// The one from before open().
  void go_back(audit::LogWriter* before) { current_ = before; }

  void reopen();

 private:
  const uint32_t shards_;
  std::vector<std::unique_ptr<audit::LogWriter>> logs_;
  audit::LogWriter* current_ = nullptr;
};

}  // namespace hangu::server
