#include "server/access_logs.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace hangu::server {

Result<void, std::string> AccessLogs::open(const config::AccessLog& wanted) {
  if (!wanted.enabled) {
    current_ = nullptr;
    return {};
  }
  for (const auto& open : logs_) {
    if (open->options().path == wanted.path && open->options().ring_bytes == wanted.queue_bytes) {
      current_ = open.get();
      return {};
    }
  }
  auto writer = std::make_unique<audit::LogWriter>(audit::LogWriterOptions{
      .path = wanted.path, .shards = shards_, .ring_bytes = wanted.queue_bytes});
  if (const auto opened = writer->start(); !opened) {
    return Failure<std::string>{
        fmt::format("access log: cannot open {}: {}", wanted.path,
                    std::generic_category().message(opened.error().sys_errno))};
  }
  current_ = writer.get();
  logs_.push_back(std::move(writer));
  return {};
}

void AccessLogs::reopen() {
  for (const auto& log : logs_) {
    log->reopen();
  }
}

}  // namespace hangu::server
