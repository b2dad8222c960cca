// DocumentLog: the documents that a gateway without a config centre has been given by its admin
// API, in one file that grows with each change: what a change costs is what it changes. append()
// returns when it is on the disk. Each line is
//
//   <16 digits of its SHA-256> {"generation":7,"time":"...","author":"...","message":"...",
//                              "set":{"routes/users":"upstream: users"},"removed":["routes/old"]}
//
// and the first one says everything there was when the file was written anew. A last line that was
// cut, or is not as it was written, was never acknowledged and counts for nothing, unless it is the
// one that says everything; any other is an error. One process at a time writes: whoever finds that
// the file is not as it left it, writes nothing more. The loader's thread: it waits for the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/assembly.h"

namespace hangu::control {

struct LoggedChange {
  std::vector<config::Document> documents;
  std::string time;  // RFC 3339
  std::string author;
  std::string message;
};

class DocumentLog {
 public:
  using Documents = std::map<std::string, std::string, std::less<>>;

  /// Reads the file, if there is one. The error says what is wrong with it.
  static Result<std::unique_ptr<DocumentLog>, std::string> open(std::string path);
  ~DocumentLog();

  const Documents& documents() const { return documents_; }

  /// Of the last change; 0: there was none.
  uint64_t generation() const { return generation_; }

  const std::string& time() const { return time_; }

  const std::string& author() const { return author_; }

  /// Makes room for append(), so that it will hardly fail once the change is in force.
  Result<void, std::string> reserve(const LoggedChange& change);

  /// An error leaves everything as it was.
  Result<void, std::string> append(const LoggedChange& change);

  /// When it is that long, and mostly of what has been replaced since, it is written anew.
  static constexpr size_t kRewriteBytesMin = 1024 * 1024;

 private:
  explicit DocumentLog(std::string path);

  Result<void, std::string> read();
  Result<void, std::string> open_file();
  std::string failure(const char* what, int error) const;
  /// Empty: it is as it was written.
  std::string take_line(std::string_view line);
  /// Whether it may be a change that did not reach the disk as a whole.
  bool is_unfinished(std::string_view line) const;
  /// Whether the file is still as this left it.
  bool is_ours() const;
  uint64_t inode() const;
  void take(const LoggedChange& change);
  void rewrite_if_due();

  std::string path_;
  int fd_ = -1;         // from the first change on
  size_t size_ = 0;     // up to the last good line
  size_t whole_ = 0;    // with what follows that and counts for nothing
  uint64_t inode_ = 0;  // 0: there is no file
  size_t bytes_ = 0;    // of the documents
  Documents documents_;
  uint64_t generation_ = 0;
  std::string time_;
  std::string author_;
};

}  // namespace hangu::control
