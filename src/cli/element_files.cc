#include "cli/element_files.h"

#include <set>

#include <fmt/format.h>

#include "hangu/base/file_bytes.h"

#include "cli/terminal.h"

namespace hangu::cli {

Result<std::vector<config::Document>, int> read_elements(const ConfigChangeOptions& options,
                                                         const Environment& environment) {
  std::vector<config::Document> out;
  std::vector<config::Diagnostic> problems;
  std::set<std::string> keys;
  for (const std::string& file : options.files) {
    const auto text = read_whole_file(file);
    if (!text) {
      print_error(environment, fmt::format("cannot read {}: {}", file, text.error().message()));
      return Failure<int>{kUsage};
    }
    for (config::Document& each : config::split_documents(*text, file, problems)) {
      if (!keys.insert(each.key).second) {
        print_error(environment, fmt::format("{} stands in two of the files", each.key));
        return Failure<int>{kUsage};
      }
      out.push_back(std::move(each));
    }
  }
  if (!problems.empty()) {
    environment.err << config::format_diagnostics(problems, environment.color_err);
    return Failure<int>{kInvalidConfig};
  }
  if (options.prune && out.empty()) {
    print_error(environment, "--prune without any element would remove everything");
    return Failure<int>{kUsage};
  }
  return out;
}

}  // namespace hangu::cli
