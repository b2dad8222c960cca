#include "control/document_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/base/file_bytes.h"
#include "hangu/base/log.h"
#include "hangu/base/replace_file.h"
#include "hangu/base/utf8.h"
#include "hangu/tls/digest.h"

namespace hangu::control {
namespace {

namespace json = boost::json;

constexpr mode_t kMode = 0600;  // documents may hold secrets
constexpr size_t kCheckDigits = 16;
constexpr std::string_view kFirstChange = R"({"generation":1,)";
constexpr const char* kNotOurs = "another process has written it, or somebody has changed it";

std::string check_of(std::string_view text) {
  return tls::sha256_hex(text).substr(0, kCheckDigits);
}

bool is_as_written(std::string_view line) {
  return line.size() > kCheckDigits && line[kCheckDigits] == ' ' &&
         check_of(line.substr(kCheckDigits + 1)) == line.substr(0, kCheckDigits);
}

std::string to_line(const json::object& value) {
  const std::string text = json::serialize(value);
  return fmt::format("{} {}\n", check_of(text), text);
}

/// Texts that people type are made such that the line can be read again.
json::object json_of(const LoggedChange& change, uint64_t generation) {
  json::object set;
  json::array removed;
  for (const config::Document& each : change.documents) {
    if (each.text) {
      set[each.key] = *each.text;
    } else {
      removed.push_back(json::string(each.key));
    }
  }
  return {{"generation", generation},
          {"time", change.time},
          {"author", utf8_repaired(change.author)},
          {"message", utf8_repaired(change.message)},
          {"set", std::move(set)},
          {"removed", std::move(removed)}};
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  const json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

}  // namespace

DocumentLog::DocumentLog(std::string path)
    : path_(std::move(path)) {}

DocumentLog::~DocumentLog() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<std::unique_ptr<DocumentLog>, std::string> DocumentLog::open(std::string path) {
  std::unique_ptr<DocumentLog> log(new DocumentLog(std::move(path)));
  if (auto read = log->read(); !read) {
    return Failure<std::string>{read.error()};
  }
  return log;
}

Result<void, std::string> DocumentLog::read() {
  inode_ = inode();
  const auto file = read_whole_file(path_);
  if (!file) {
    if (file.error() == std::errc::no_such_file_or_directory) {
      return {};
    }
    return Failure<std::string>{failure("read", file.error().value())};
  }
  const std::string& text = *file;
  size_t line = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', size_)) {
    ++line;
    const std::string wrong = take_line(std::string_view(text).substr(size_, end - size_));
    if (!wrong.empty() && end + 1 == text.size() &&
        is_unfinished(std::string_view(text).substr(size_, end - size_))) {
      break;
    }
    if (!wrong.empty()) {
      return Failure<std::string>{fmt::format("{}: line {} {}", path_, line, wrong)};
    }
    size_ = end + 1;
  }
  whole_ = text.size();
  if (size_ < whole_) {
    log::warning("documents_cut path={} bytes={} hint=\"its last change was never acknowledged\"",
                 path_, whole_ - size_);
  }
  return {};
}

bool DocumentLog::is_unfinished(std::string_view line) const {
  const std::string_view text = line.substr(std::min(line.size(), kCheckDigits + 1));
  return !is_as_written(line) && (size_ > 0 || text.starts_with(kFirstChange));
}

std::string DocumentLog::take_line(std::string_view line) {
  if (!is_as_written(line)) {
    return "is damaged";
  }
  json::error_code error;
  const std::string_view text = line.substr(kCheckDigits + 1);
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  const json::object* object = error ? nullptr : value.if_object();
  const json::value* number = object != nullptr ? object->if_contains("generation") : nullptr;
  if (number == nullptr) {
    return "is none of hangu's";
  }
  LoggedChange change{.documents = {},
                      .time = text_of(*object, "time"),
                      .author = text_of(*object, "author"),
                      .message = {}};
  if (const json::value* set = object->if_contains("set"); set != nullptr && set->is_object()) {
    for (const auto& [key, document] : set->get_object()) {
      change.documents.push_back({std::string(key), json::value_to<std::string>(document)});
    }
  }
  const json::value* removed = object->if_contains("removed");
  if (removed != nullptr && removed->is_array()) {
    for (const json::value& key : removed->get_array()) {
      change.documents.push_back({json::value_to<std::string>(key), std::nullopt});
    }
  }
  take(change);
  generation_ = number->to_number<uint64_t>(error);
  return "";
}

void DocumentLog::take(const LoggedChange& change) {
  for (const config::Document& each : change.documents) {
    if (const auto before = documents_.find(each.key); before != documents_.end()) {
      bytes_ -= before->first.size() + before->second.size();
      documents_.erase(before);
    }
    if (each.text) {
      bytes_ += each.key.size() + each.text->size();
      documents_.emplace(each.key, *each.text);
    }
  }
  time_ = change.time;
  author_ = change.author;
}

uint64_t DocumentLog::inode() const {
  struct stat info {};

  return ::stat(path_.c_str(), &info) == 0 ? uint64_t{info.st_ino} : 0;
}

bool DocumentLog::is_ours() const {
  struct stat info {};

  if (::stat(path_.c_str(), &info) != 0) {
    return inode_ == 0;
  }
  return info.st_ino == inode_ && static_cast<size_t>(info.st_size) == whole_;
}

Result<void, std::string> DocumentLog::open_file() {
  if (!is_ours()) {
    return Failure<std::string>{fmt::format("{}: {}", path_, kNotOurs)};
  }
  if (fd_ < 0) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
    if (size_ == 0) {  // so that its name is on the disk as well
      if (const std::error_code error = replace_file(path_, "", kMode)) {
        return Failure<std::string>{failure("written", error.value())};
      }
      whole_ = 0;
      inode_ = inode();
    }
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  }
  // What follows the last good line was never acknowledged.
  if (fd_ < 0 || (whole_ != size_ && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0)) {
    return Failure<std::string>{failure("written", errno)};
  }
  whole_ = size_;
  return {};
}

std::string DocumentLog::failure(const char* what, int error) const {
  return fmt::format("{}: cannot be {}: {}", path_, what, std::generic_category().message(error));
}

Result<void, std::string> DocumentLog::reserve(const LoggedChange& change) {
  if (auto opened = open_file(); !opened) {
    return opened;
  }
  const size_t bytes = to_line(json_of(change, UINT64_MAX)).size();
  const int done =
      ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(size_), static_cast<off_t>(bytes));
  if (done != 0 && errno != EOPNOTSUPP) {
    return Failure<std::string>{failure("written", errno)};
  }
  return {};
}

Result<void, std::string> DocumentLog::append(const LoggedChange& change) {
  if (auto opened = open_file(); !opened) {
    return opened;
  }
  const std::string line = to_line(json_of(change, generation_ + 1));
  std::error_code error = write_all_at(fd_, line, static_cast<off_t>(size_));
  if (!error && ::fdatasync(fd_) != 0) {
    error = {errno, std::generic_category()};
  }
  if (error) {
    struct stat info {};

    const bool cut = ::ftruncate(fd_, static_cast<off_t>(size_)) == 0;
    whole_ = cut || ::fstat(fd_, &info) != 0 ? size_ : static_cast<size_t>(info.st_size);
    return Failure<std::string>{failure("written", error.value())};
  }
  size_ += line.size();
  whole_ = size_;
  take(change);
  ++generation_;
  rewrite_if_due();
  return {};
}

void DocumentLog::rewrite_if_due() {
  if (size_ < std::max(kRewriteBytesMin, 4 * bytes_)) {
    return;
  }
  LoggedChange all{.documents = {}, .time = time_, .author = author_, .message = {}};
  for (const auto& [key, text] : documents_) {
    all.documents.push_back({key, text});
  }
  const std::string line = to_line(json_of(all, generation_));
  if (const std::error_code error = replace_file(path_, line, kMode)) {
    log::warning("documents_not_rewritten path={} error=\"{}\"", path_, error.message());
    return;
  }
  ::close(std::exchange(fd_, -1));  // the one that was replaced
  size_ = line.size();
  whole_ = size_;
  inode_ = inode();
}

}  // namespace hangu::control
