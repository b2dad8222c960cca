// Assembly: a config that is put together from a file and from documents that are kept elsewhere,
// one for each element of the file's lists: the document `routes/users` is the route "users". A
// change costs what has changed, not what there is. A document that cannot be is refused, alone:
// the version before stays in force, and it is tried again with the next change, which may bring
// what it lacks. For one thread at a time, not for shards: it reads the file and allocates.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/element.h"
#include "hangu/config/load.h"

namespace hangu::config {

struct Document {
  std::string key;                  // "routes/users"
  std::optional<std::string> text;  // YAML, as it would stand in the list; none: there is none
};

/// A document that is not in force as it is wanted.
struct Refusal {
  std::string key;
  std::string reason;  // one line
};

struct AssemblyOptions {
  LoadOptions load;
  /// Has the last word on what was read; may be empty.
  std::function<void(Config&)> complete;
  /// Of a text, for LoadResult::digest; empty: there are none.
  std::function<std::string(std::string_view)> digest;
};

class Assembly {
 public:
  explicit Assembly(std::string path, AssemblyOptions options = {});
  ~Assembly();

  /// Reads the file again, and with it all documents.
  LoadResult load();

  /// Brings documents. Of several with one key the last counts. Without a config when none of the
  /// documents could be taken, or before a load() that went well.
  LoadResult change(std::vector<Document> documents);

  /// Puts what the last change() brought out of force again, since the config that came of it was
  /// not taken for this reason. Those documents wait for another version of theirs.
  void revert(const std::string& reason);

  /// The same of the last load(); nothing when something has changed since.
  void revert_load();

  /// Brings all of these or none: without a config nothing has changed, and the diagnostics say
  /// why. What else is wanted waits on.
  LoadResult change_all(std::vector<Document> documents);

  /// What change_all() would say.
  LoadResult check_all(std::vector<Document> documents);

  /// Takes the last change_all() back; the config without it.
  LoadResult revert_all();

  /// Those that are wanted and not in force.
  std::vector<Refusal> refused() const;

  /// Those in force; one of them, or nothing.
  std::vector<Document> documents() const;
  std::optional<std::string> document(std::string_view key) const;
  size_t size() const;

  /// All elements that there are, by their keys, or one of them; those of the file as well, and
  /// documents that are not in force.
  std::vector<ElementSummary> elements() const;
  std::optional<Element> element(std::string_view key) const;
  bool in_file(std::string_view key) const;

  /// The last version of a document, in force or not.
  std::optional<std::string> wanted(std::string_view key) const;

  static constexpr size_t kDocumentBytesMax = 1024 * 1024;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The lists that documents may be of: "upstreams" and so on, those that others refer to first.
const std::vector<std::string_view>& document_lists();

/// Of a document, by what AssemblyOptions says.
std::string document_digest(std::string_view key, std::string_view text,
                            const std::function<std::string(std::string_view)>& digest);

/// Why this cannot be the key of a document; empty: it can.
std::string document_key_error(std::string_view key);

}  // namespace hangu::config
