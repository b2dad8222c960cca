#include "config/reader.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <tuple>

#include <fmt/format.h>

#include "config/file.h"
#include "config/text.h"

namespace hangu::config {

namespace {

bool is_variable_name(std::string_view name) {
  return !name.empty() && !is_digit(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || c == '_'; });
}

std::optional<std::string> process_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

auto order(const Diagnostic& diagnostic) {
  return std::tie(diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.code,
                  diagnostic.message);
}

}  // namespace

Reader::Reader(const SourceText& source, std::string_view file, const LoadOptions& options)
    : source_(source),
      options_(options),
      file_(file) {}

std::string Reader::where() const {
  std::string out;
  for (const std::string& segment : path_) {
    out += !out.empty() && segment[0] != '[' ? "." : "";
    out += segment;
  }
  return out.empty() ? "the top level" : out;
}

void Reader::report(Severity severity, Mark mark, Problem problem) {
  error_count_ += severity == Severity::kError ? 1 : 0;
  if (severity == Severity::kError) {
    bad_sources_.insert(mark.source);
  }
  if (found_.size() >= 4 * kDiagnosticsMax) {
    ++dropped_;
    return;
  }
  Diagnostic diagnostic;
  diagnostic.severity = severity;
  diagnostic.code = problem.code;
  if (!path_.empty()) {
    diagnostic.path = where();
  }
  const Source source = source_of(mark);
  diagnostic.file = source.name;
  diagnostic.line = static_cast<uint32_t>(mark.line);
  diagnostic.message = std::move(problem.message);
  diagnostic.suggestion = std::move(problem.suggestion);
  diagnostic.column = source.text != nullptr ? source.text->column(mark) : 0;
  found_.emplace_back(mark, std::move(diagnostic));
}

Reader::Source Reader::source_of(const Mark& mark) const {
  if (mark.source == 0) {
    return {file_, &source_};
  }
  const auto found = sources_.find(mark.source);
  return found != sources_.end()
             ? found->second
             : Source{name_of_ ? name_of_(mark.source) : std::to_string(mark.source), nullptr};
}

void Reader::error_in(const OtherFile& file, Problem problem) {
  error({}, std::move(problem));
  if (dropped_ == 0) {
    Diagnostic& diagnostic = found_.back().second;
    diagnostic.file = file.path;
    diagnostic.line = static_cast<uint32_t>(file.line);
    diagnostic.column = 1;
    diagnostic.snippet = trim(file.text);
  }
}

Result<std::string, std::string> Reader::read(const std::string& path, size_t bytes_max) const {
  return options_.read_file ? options_.read_file(path) : read_file(path, bytes_max);
}

const NetworkFile* Reader::network_file(const std::string& path) const {
  const auto found = network_files_.find(path);
  return found != network_files_.end() ? &found->second : nullptr;
}

std::vector<Diagnostic> Reader::take_diagnostics() {
  std::vector<Diagnostic> out;
  for (auto& [mark, diagnostic] : found_) {
    const Source source = source_of(mark);
    if (diagnostic.file == source.name && source.text != nullptr) {
      diagnostic.snippet = source.text->snippet(mark.line);
    }
    out.push_back(std::move(diagnostic));
  }
  found_.clear();
  std::stable_sort(out.begin(), out.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return order(a) < order(b); });
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (out.size() > kDiagnosticsMax || dropped_ > 0) {
    const size_t more = dropped_ + out.size() - std::min(out.size(), kDiagnosticsMax);
    const bool cut_error = has_errors();
    out.resize(std::min(out.size(), kDiagnosticsMax));
    Diagnostic rest;
    rest.severity = cut_error ? Severity::kError : Severity::kWarning;
    rest.code = "E0199";
    rest.file = file_;
    rest.message = fmt::format("{} more problems are not shown", more);
    out.push_back(std::move(rest));
  }
  return out;
}

std::map<std::string, NamedElement, std::less<>>& Reader::names(std::string_view kind) {
  return (*names_)[std::string(kind)];
}

std::optional<std::string> Reader::variable(const Node& node, std::string_view body) {
  const size_t separator = body.find(":-");
  const std::string_view name = body.substr(0, separator);
  if (!is_variable_name(name)) {
    error(node.mark,
          {"E0134",
           fmt::format("{} is not a variable reference", quoted("${" + std::string(body) + "}")),
           "write ${NAME} or ${NAME:-default}; $${ stands for a literal ${"});
    return std::nullopt;
  }
  std::optional<std::string> value =
      options_.environment ? options_.environment(name) : process_environment(name);
  if (value && !(value->empty() && separator != std::string_view::npos)) {
    return value;
  }
  if (separator != std::string_view::npos) {
    return std::string(body.substr(separator + 2));
  }
  error(node.mark, {"E0133", fmt::format("the environment variable {} is not set", name),
                    fmt::format("set it, or give a default: ${{{}:-value}}", name)});
  return std::nullopt;
}

std::optional<Scalar> Reader::scalar(const Node& node) {
  Scalar out;
  const std::string_view text = node.text;
  if (text.find("${") == std::string_view::npos) {
    out.text = node.text;
    return out;
  }
  bool good = true;
  for (size_t at = 0; at < text.size();) {
    const size_t dollar = text.find('$', at);
    out.text += text.substr(at, dollar - at);
    if (dollar == std::string_view::npos) {
      break;
    }
    if (text.substr(dollar, 3) == "$${") {
      out.text += "${";
      at = dollar + 3;
      continue;
    }
    if (text.substr(dollar, 2) != "${") {
      out.text += '$';
      at = dollar + 1;
      continue;
    }
    const size_t end = text.find('}', dollar);
    if (end == std::string_view::npos) {
      error(node.mark, {"E0134", "a `${` without its `}`", "$${ stands for a literal ${"});
      return std::nullopt;
    }
    const std::optional<std::string> value =
        variable(node, text.substr(dollar + 2, end - dollar - 2));
    good = good && value.has_value();
    out.text += value.value_or("");
    out.from_environment = true;
    at = end + 1;
  }
  return good ? std::optional<Scalar>(std::move(out)) : std::nullopt;
}

const OpenApiFile* Reader::openapi_file(const std::string& path) const {
  const auto found = openapi_files_.find(path);
  return found != openapi_files_.end() ? &found->second : nullptr;
}

std::optional<std::string> Reader::file_contents(const Node& node, const std::string& path,
                                                 size_t bytes_max) {
  if (without_files()) {
    return std::nullopt;
  }
  Result<std::string, std::string> contents = read(path, bytes_max);
  if (!contents) {
    error(node.mark,
          {"E0135", fmt::format("cannot read {}: {}", quoted(path), contents.error()), ""});
    return std::nullopt;
  }
  return std::move(*contents);
}

std::optional<std::string> Reader::secret_file(const Node& node, std::string_view path) {
  if (path.empty() || path[0] != '/') {
    error(node.mark, {"E0135", fmt::format("file: needs an absolute path, found {}", quoted(path)),
                      "write file:/run/secrets/name"});
    return std::nullopt;
  }
  if (without_files()) {
    return fmt::format("not-read-{:032x}", std::hash<std::string_view>{}(path));
  }
  const std::string name(path);
  const Result<std::string, std::string> contents = read(name, kSecretBytesMax);
  if (!contents) {
    error(node.mark,
          {"E0135", fmt::format("cannot read {}: {}", quoted(path), contents.error()), ""});
    return std::nullopt;
  }
  std::string value = *contents;
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) {
    value.pop_back();
  }
  return value;
}

}  // namespace hangu::config
