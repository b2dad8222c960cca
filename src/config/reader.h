// Reader: the state of one load: where we are in the tree of keys, the diagnostics found so far,
// and the names that references point at. One load, one thread; it borrows the source and the
// options.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hangu/config/diagnostic.h"
#include "hangu/config/load.h"

#include "config/source_text.h"
#include "config/yaml_tree.h"

namespace hangu::config {

/// A scalar after `${NAME}` substitution.
struct Scalar {
  std::string text;
  bool from_environment = false;
};

/// What a problem says beyond its place.
struct Problem {
  std::string_view code;
  std::string message;
  std::string suggestion;
};

/// Where a name was given and which element of its list it names.
struct NamedElement {
  uint32_t index = 0;
  Mark mark;
};

/// Elements of lists by their names, by the list ("upstreams").
using NameTable =
    std::map<std::string, std::map<std::string, NamedElement, std::less<>>, std::less<>>;

class Reader {
 public:
  Reader(const SourceText& source, std::string_view file, const LoadOptions& options);

  /// A text of its own beside the file's: what Mark::source means. Without a text there are no
  /// snippets of it. Borrowed.
  void add_source(uint32_t number, std::string_view name, const SourceText* text) {
    sources_.insert_or_assign(number, Source{std::string(name), text});
  }

  /// Of texts that add_source() does not know; asked for those only that a problem is in.
  void name_sources(std::function<std::string(uint32_t number)> name_of) {
    name_of_ = std::move(name_of);
  }

  /// The names that are known before; they outlive the reader, which adds to them.
  void share_names(NameTable& names) { names_ = &names; }

  /// The texts that errors are in, each once.
  const std::set<uint32_t>& sources_with_errors() const { return bad_sources_; }

  /// Enters `key` (or `[index]`) for the lifetime of the scope.
  class Scope {
   public:
    Scope(Reader& reader, std::string segment)
        : reader_(reader) {
      reader_.path_.push_back(std::move(segment));
    }

    ~Scope() { reader_.path_.pop_back(); }

    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Reader& reader_;
  };

  /// "routes[2].match", or "the top level".
  std::string where() const;

  /// "in routes[2].match", or "at the top level".
  std::string in_where() const { return (path_.empty() ? "at " : "in ") + where(); }

  void error(Mark mark, Problem problem) { report(Severity::kError, mark, std::move(problem)); }

  /// A line of another file that the config names; line 0: the file as a whole.
  struct OtherFile {
    std::string path;
    size_t line = 0;
    std::string_view text = {};  // of the line
  };

  void error_in(const OtherFile& file, Problem problem);

  void warning(Mark mark, Problem problem) { report(Severity::kWarning, mark, std::move(problem)); }

  /// The text of a scalar node with variables filled in; reports E0133 and E0134.
  std::optional<Scalar> scalar(const Node& node);

  /// See LoadOptions: no file is to be read.
  bool without_files() const { return options_.without_files; }

  /// The contents of a `file:` reference; reports E0135. Without files: something in their place.
  std::optional<std::string> secret_file(const Node& node, std::string_view path);

  /// The contents of a file, or why there are none.
  Result<std::string, std::string> read(const std::string& path, size_t bytes_max) const;

  /// A file that was read before; nullptr: none of this path.
  const NetworkFile* network_file(const std::string& path) const;

  void remember(const NetworkFile& file) { network_files_[file.path] = file; }

  /// The same.
  const OpenApiFile* openapi_file(const std::string& path) const;

  void remember(const OpenApiFile& file) { openapi_files_[file.path] = file; }

  /// The contents of a file as they are, up to `bytes_max`; reports E0135. Without files: nothing.
  std::optional<std::string> file_contents(const Node& node, const std::string& path,
                                           size_t bytes_max);

  /// Elements of the list `kind` ("upstreams") by name.
  std::map<std::string, NamedElement, std::less<>>& names(std::string_view kind);

  /// Sorted by place, without repetitions, at most kDiagnosticsMax.
  std::vector<Diagnostic> take_diagnostics();

  bool has_errors() const { return error_count_ > 0; }

  size_t error_count() const { return error_count_; }

 private:
  struct Source {
    std::string name;
    const SourceText* text = nullptr;
  };

  void report(Severity severity, Mark mark, Problem problem);
  Source source_of(const Mark& mark) const;
  std::optional<std::string> variable(const Node& node, std::string_view body);

  const SourceText& source_;
  const LoadOptions& options_;
  std::string file_;
  std::vector<std::string> path_;
  std::vector<std::pair<Mark, Diagnostic>> found_;
  size_t error_count_ = 0;
  size_t dropped_ = 0;
  std::map<std::string, NetworkFile> network_files_;
  std::map<std::string, OpenApiFile> openapi_files_;
  std::unordered_map<uint32_t, Source> sources_;
  std::function<std::string(uint32_t)> name_of_;
  std::set<uint32_t> bad_sources_;
  NameTable own_names_;
  NameTable* names_ = &own_names_;
};

}  // namespace hangu::config
