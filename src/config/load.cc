#include "hangu/config/load.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "hangu/base/parse.h"

#include "config/checks.h"
#include "config/document.h"
#include "config/file.h"
#include "config/reader.h"
#include "config/scalar_types.h"
#include "config/schema.h"
#include "config/source_text.h"
#include "config/yaml_tree.h"

namespace hangu::config {

namespace {

size_t count(const std::vector<Diagnostic>& diagnostics, Severity severity) {
  return static_cast<size_t>(std::count_if(
      diagnostics.begin(), diagnostics.end(),
      [severity](const Diagnostic& diagnostic) { return diagnostic.severity == severity; }));
}

std::string local_host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  return name.data();
}

/// Whether the file says that it is of another version: then its keys may mean anything.
bool is_other_version(Reader& reader, const Node& root) {
  const Node::Entry* version = root.find("version");
  if (version == nullptr || !parse_decimal(version->value->text) || version->value->text == "1") {
    return false;
  }
  reader.error(version->value->mark, unknown_version(version->value->text));
  return true;
}

}  // namespace

Problem empty_file() {
  return {"E0106", "the file is empty", "the smallest start is `version: 1`"};
}

void report_problems(Reader& reader, std::vector<YamlProblem>& problems) {
  for (YamlProblem& problem : problems) {
    reader.error(problem.mark,
                 {problem.code, std::move(problem.message), std::move(problem.suggestion)});
  }
}

void read_root(Reader& reader, const Node& root, Config& config) {
  if (root.kind != Node::Kind::kMapping) {
    const bool is_empty = root.kind == Node::Kind::kNull;
    reader.error(root.mark,
                 {is_empty ? "E0106" : "E0110",
                  is_empty ? "the file is empty"
                           : "expected a mapping at the top level, found " + describe(root),
                  "the smallest start is `version: 1`"});
    return;
  }
  if (is_other_version(reader, root)) {
    return;
  }
  root_type().read(reader, root, &config);
  check_config(reader, root, config);
}

void name_node(Config& config, const LoadOptions& options) {
  if (config.node.empty()) {
    config.node = options.host_name.empty() ? local_host_name() : options.host_name;
  }
}

size_t LoadResult::error_count() const {
  return count(diagnostics, Severity::kError);
}

size_t LoadResult::warning_count() const {
  return count(diagnostics, Severity::kWarning);
}

LoadResult load_text(std::string_view text, std::string_view name, const LoadOptions& options) {
  const SourceText source(text);
  Reader reader(source, name, options);
  std::vector<YamlProblem> problems;
  const YamlDocument document = parse_yaml(text, problems);
  report_problems(reader, problems);
  LoadResult result;
  Config config;
  config.source_path = name;
  if (document.root != nullptr) {
    read_root(reader, *document.root, config);
  } else if (problems.empty()) {
    reader.error({}, empty_file());
  }
  name_node(config, options);
  if (!reader.has_errors()) {
    result.config = std::move(config);
  }
  result.diagnostics = reader.take_diagnostics();
  return result;
}

LoadResult load_file(const std::string& path, const LoadOptions& options) {
  const Result<std::string, std::string> text = read_file(path, kFileBytesMax);
  if (text) {
    return load_text(*text, path, options);
  }
  Diagnostic diagnostic;
  diagnostic.code = "E0100";
  diagnostic.file = path;
  diagnostic.message = "cannot read the file: " + text.error();
  LoadResult result;
  result.diagnostics.push_back(std::move(diagnostic));
  return result;
}

void add_snippets(std::vector<Diagnostic>& diagnostics) {
  if (diagnostics.empty()) {
    return;
  }
  const Result<std::string, std::string> text = read_file(diagnostics.front().file, kFileBytesMax);
  if (!text) {
    return;
  }
  const SourceText source(*text);
  for (Diagnostic& diagnostic : diagnostics) {
    diagnostic.snippet = source.snippet(diagnostic.line);
    diagnostic.column = source.column({.line = diagnostic.line, .column = diagnostic.column});
  }
}

}  // namespace hangu::config
