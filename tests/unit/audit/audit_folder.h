// A folder for one test, and what tests of the audit log do again and again.
#pragma once

#include <poll.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/audit/audit_log.h"
#include "hangu/audit/verify.h"

namespace hangu::audit {

class AuditFolder : public testing::Test {
 protected:
  AuditFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "hangu-audit-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    options_.file.path = path();
    options_.file.checkpoint_path = path() + ".checkpoints";
    options_.file.spill_path = path() + ".spill";
    options_.node = "gw-1";
    options_.compress = false;
  }

  ~AuditFolder() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "audit.log").string(); }

  std::string make_key() {
    const std::string file = (folder_ / "key").string();
    std::ofstream(file) << tls::SigningKey::generate().pem();
    return file;
  }

  std::unique_ptr<AuditLog> open() {
    auto opened = AuditLog::open(options_);
    EXPECT_TRUE(opened.has_value()) << opened.error();
    return opened ? std::move(*opened) : nullptr;
  }

  static bool put(AuditLog& log, std::string_view request_path, uint32_t shard = 0) {
    Record record;
    record.time = std::chrono::system_clock::now();
    record.set(Text::kPath, request_path);
    record.set(Number::kStatus, 200);
    return log.append(shard, record);
  }

  static std::string content(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  static size_t count(std::string_view text, std::string_view part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
      ++found;
    }
    return found;
  }

  static bool eventually(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      ::poll(nullptr, 0, 1);
    }
    return true;
  }

  Verification verified(const std::string& key = {}) const {
    auto done = verify(
        {.path = path(), .public_key = key, .checkpoints = {}, .threads = 2, .on_progress = {}});
    EXPECT_TRUE(done.has_value()) << done.error();
    if (!done) {
      return {};
    }
    for (const Finding& each : done->findings) {
      last_text_ += each.file + ":" + std::to_string(each.line) + " " + each.kind + "; ";
    }
    return *done;
  }

  std::filesystem::path folder_;
  AuditLogOptions options_;
  mutable std::string last_text_;
};

}  // namespace hangu::audit
