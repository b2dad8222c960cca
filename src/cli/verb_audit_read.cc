// `hangu audit grep|export`.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <ostream>
#include <system_error>
#include <type_traits>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/audit/archive.h"
#include "hangu/audit/log_pieces.h"
#include "hangu/audit/log_reader.h"
#include "hangu/audit/parallel_pieces.h"
#include "hangu/audit/record.h"
#include "hangu/audit/search.h"

#include "cli/audit_target.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

constexpr int kFollowMs = 200;

Result<audit::Search, std::string> make_search(const AuditSelection& selection) {
  audit::SearchOptions options;
  const WallTime now = std::chrono::system_clock::now();
  for (const auto& [text, to] :
       {std::pair(&selection.since, &options.since), std::pair(&selection.until, &options.until)}) {
    if (text->empty()) {
      continue;
    }
    const auto time = audit::parse_log_time(*text, now);
    if (!time) {
      return Failure<std::string>{
          fmt::format("\"{}\" is no time; write 2026-11-26T10:30Z, 2026-11-26 or 2h", *text)};
    }
    *to = *time;
  }
  for (const std::string& field : selection.fields) {
    const size_t equals = field.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Failure<std::string>{fmt::format("\"{}\" is no MEMBER=VALUE", field)};
    }
    options.members.emplace_back(field.substr(0, equals), field.substr(equals + 1));
  }
  options.texts = selection.texts;
  options.pattern = selection.pattern;
  return audit::Search::create(std::move(options));
}

/// In words, for the log itself.
std::string in_words(const AuditSelection& selection) {
  std::string words;
  const auto add = [&words](std::string_view name, const std::string& value) {
    words += value.empty() ? "" : fmt::format("{}{}={}", words.empty() ? "" : " ", name, value);
  };
  add("since", selection.since);
  add("until", selection.until);
  for (const std::string& field : selection.fields) {
    add("field", field);
  }
  for (const std::string& text : selection.texts) {
    add("text", text);
  }
  add("regex", selection.pattern);
  return words;
}

/// Those that may hold something that is looked for.
std::vector<std::string> files_of(const std::string& path, const audit::Search& search) {
  std::vector<std::string> files;
  for (const audit::ArchivedFile& file : audit::archived_files(path)) {
    if (search.is_worth_reading(file)) {
      files.push_back(file.path);
    }
  }
  if (::access(path.c_str(), F_OK) == 0) {
    files.push_back(path);
  }
  return files;
}

uint64_t size_of(const std::string& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

template <class Work, class Take>
Result<void, std::string> read_file(const std::string& file, const Work& work, const Take& take) {
  const auto pieces = audit::open_pieces(file);
  if (!pieces) {
    return Failure<std::string>{pieces.error()};
  }
  using Out = std::invoke_result_t<Work, std::string_view>;
  return audit::ParallelPieces<Out>(**pieces, audit::piece_threads()).run(work, take);
}

/// Hands what `work` makes of each piece to `take`, over all files.
template <class Work, class Take>
Result<void, std::string> read_files(const std::vector<std::string>& files, Progress& progress,
                                     const Work& work, const Take& take) {
  uint64_t all = 0;
  uint64_t done = 0;
  for (const std::string& file : files) {
    all += size_of(file);
  }
  for (const std::string& file : files) {
    const auto read = read_file(file, work, [&](auto&& out, uint64_t bytes_read) {
      progress.show(done + bytes_read, all);
      return take(out);
    });
    if (!read) {
      return Failure<std::string>{read.error()};
    }
    done += size_of(file);
  }
  return {};
}

uint64_t inode_of(const std::string& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_ino) : 0;
}

/// What is written from now on, over changes of the file, until the output is closed.
int follow(const std::string& path, const audit::Search& search, const Environment& environment) {
  auto reader = audit::LogReader::open(path);
  if (!reader) {
    print_error(environment, reader.error());
    return kRuntimeFailure;
  }
  auto current = std::make_unique<audit::LogReader>(std::move(*reader));
  uint64_t inode = inode_of(path);
  while (environment.out) {
    auto piece = current->next();
    if (!piece) {
      print_error(environment, piece.error());
      return kRuntimeFailure;
    }
    if (!piece->empty()) {
      environment.out << search.select(*piece) << std::flush;
      continue;
    }
    // At its end, and another file has its name: what came in between was read above.
    if (const uint64_t now = inode_of(path); now != 0 && now != inode && current->rest().empty()) {
      if (auto next = audit::LogReader::open(path)) {
        current = std::make_unique<audit::LogReader>(std::move(*next));
        inode = now;
        continue;
      }
    }
    pollfd closed{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    ::poll(&closed, 1, kFollowMs);
    if ((closed.revents & (POLLERR | POLLNVAL)) != 0) {
      return kOk;
    }
  }
  return kOk;
}

struct Reading {
  AuditFiles files;
  audit::Search search;
};

/// What both verbs begin with; the exit code when they end there.
Result<Reading, int> begin_reading(const AuditTarget& target, const AuditSelection& selection,
                                   std::string_view kind, const Environment& environment) {
  auto files = find_audit_log(target);
  if (!files) {
    print_error(environment, files.error());
    return Failure<int>{kInvalidConfig};
  }
  auto search = make_search(selection);
  if (!search) {
    print_error(environment, search.error());
    return Failure<int>{kUsage};
  }
  if (auto told = announce_reading(target, *files, kind, in_words(selection)); !told) {
    print_error(environment, told.error());
    return Failure<int>{kRuntimeFailure};
  }
  if (::access(files->path.c_str(), F_OK) != 0 && audit::archived_files(files->path).empty()) {
    print_error(environment, fmt::format("{}: there is no audit log", files->path));
    return Failure<int>{kRuntimeFailure};
  }
  return Reading{std::move(*files), std::move(*search)};
}

std::vector<std::string_view> columns() {
  std::vector<std::string_view> names = {"seq",   "ts",  "v",     "node",
                                         "shard", "gen", "event", "result"};
  for (size_t i = 0; i < audit::kTexts; ++i) {
    names.push_back(audit::key_of(static_cast<audit::Text>(i)));
  }
  for (size_t i = 0; i < audit::kNumbers; ++i) {
    names.push_back(audit::key_of(static_cast<audit::Number>(i)));
  }
  names.emplace_back("prev");
  names.emplace_back("hash");
  return names;
}

/// RFC 4180; a text that a spreadsheet would take for a formula is made one for sure.
void add_cell(std::string_view value, std::string& out) {
  const bool formula =
      !value.empty() && std::string_view("=+-@\t\r").find(value[0]) != std::string_view::npos;
  if (!formula && value.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += value;
    return;
  }
  out += formula ? "\"'" : "\"";
  for (const char c : value) {
    out += c;
    if (c == '"') {
      out += c;
    }
  }
  out += '"';
}

std::string to_csv(const std::string& lines) {
  const std::vector<std::string_view> names = columns();
  std::string out;
  audit::for_each_line(lines, [&](std::string_view line) {
    boost::system::error_code error;
    const json::value value = json::parse(json::string_view(line.data(), line.size()), error);
    const json::object* object = error ? nullptr : value.if_object();
    for (size_t i = 0; object != nullptr && i < names.size(); ++i) {
      out += i == 0 ? "" : ",";
      const json::value* cell =
          object->if_contains(json::string_view(names[i].data(), names[i].size()));
      if (cell != nullptr && cell->is_string()) {
        add_cell({cell->get_string().data(), cell->get_string().size()}, out);
      } else if (cell != nullptr) {
        out += json::serialize(*cell);
      }
    }
    out += object != nullptr ? "\r\n" : "";
  });
  return out;
}

std::string csv_head() {
  std::string head;
  for (const std::string_view name : columns()) {
    head += (head.empty() ? "" : ",") + std::string(name);
  }
  return head + "\r\n";
}

/// Lines with commas between them.
std::string to_array(const std::string& lines) {
  std::string out;
  audit::for_each_line(lines, [&](std::string_view line) { out.append(",\n").append(line); });
  return out;
}

bool write_export(const AuditExportOptions& options, const Reading& reading, std::ostream& out,
                  const Environment& environment) {
  const bool csv = options.format == "csv";
  Progress progress(environment);
  out << (csv ? csv_head() : "[");
  bool first = true;
  const auto read = read_files(
      files_of(reading.files.path, reading.search), progress,
      [&](std::string_view piece) {
        const std::string lines = reading.search.select(piece);
        return csv ? to_csv(lines) : to_array(lines);
      },
      [&](std::string& text) {
        if (!text.empty()) {
          out << std::string_view(text).substr(!csv && first ? 1 : 0);
          first = false;
        }
        return static_cast<bool>(out);
      });
  out << (csv ? "" : "\n]\n") << std::flush;
  if (!read || !out) {
    print_error(environment, read ? "cannot write the export" : read.error());
  }
  return read && out;
}

}  // namespace

int audit_grep(const AuditGrepOptions& options, const Environment& environment) {
  auto reading = begin_reading(options.log, options.selection, "read", environment);
  if (!reading) {
    return reading.error();
  }
  if (options.follow) {
    return follow(reading->files.path, reading->search, environment);
  }
  uint64_t found = 0;  // records if they are counted, else bytes
  auto read = Result<void, std::string>();
  const std::vector<std::string> files = files_of(reading->files.path, reading->search);
  {
    Progress progress(environment);
    if (options.count) {
      read = read_files(
          files, progress, [&](std::string_view piece) { return reading->search.count(piece); },
          [&](uint64_t count) {
            found += count;
            return true;
          });
    } else {
      read = read_files(
          files, progress, [&](std::string_view piece) { return reading->search.select(piece); },
          [&](const std::string& lines) {
            found += lines.size();
            environment.out << lines;
            return static_cast<bool>(environment.out);
          });
    }
  }
  if (!read) {
    print_error(environment, read.error());
    return kRuntimeFailure;
  }
  if (options.count) {
    environment.out << found << '\n';
  }
  return found != 0 ? kOk : kRuntimeFailure;
}

int audit_export(const AuditExportOptions& options, const Environment& environment) {
  auto reading = begin_reading(options.log, options.selection, "export", environment);
  if (!reading) {
    return reading.error();
  }
  if (options.out.empty()) {
    return write_export(options, *reading, environment.out, environment) ? kOk : kRuntimeFailure;
  }
  constexpr mode_t kMode = 0640;
  const int fd = ::open(options.out.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  if (fd < 0) {
    print_error(environment,
                fmt::format("{}: {}", options.out, std::generic_category().message(errno)));
    return kRuntimeFailure;
  }
  ::close(fd);
  std::ofstream file(options.out, std::ios::binary);
  return write_export(options, *reading, file, environment) ? kOk : kRuntimeFailure;
}

}  // namespace hangu::cli
