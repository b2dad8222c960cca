// Intake: what of a store's documents a gateway believes. It looks at signatures and versions and
// knows what stands in the store; what the documents say is the Assembly's business. A removal that
// nobody signed is not believed where signatures are needed, and a store that has lost everything
// is not either: what it lacks when it has documents again goes with the next replace(). One thread
// at a time; it does not read anything.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/assembly.h"
#include "hangu/fleet/envelope.h"

namespace hangu::fleet {

/// A key below the prefix of documents, as the store has it.
struct StoredDocument {
  std::string key;                  // "routes/users"
  std::optional<std::string> text;  // with its envelope; none: the key is gone
};

class Intake {
 public:
  struct Options {
    std::string prefix;          // in front of the keys, for signatures
    bool confirm_empty = false;  // a store without documents is what it says
  };

  Intake(Trust trust, Options options);

  /// What has become of some documents.
  std::vector<config::Document> change(std::vector<StoredDocument> documents);

  /// Everything that the store has: what it lacks is gone.
  std::vector<config::Document> replace(std::vector<StoredDocument> documents);

  /// Why this would not be believed in the place of what is; empty: it would be.
  std::string refusal_of(const StoredDocument& document) const;

  /// Those that are not believed.
  std::vector<config::Refusal> refused() const;

  /// The store has no documents any more, and those in force stay.
  bool holds_lost_store() const { return holds_lost_store_; }

  /// What was believed last of each key, signed removals among them: for a cache.
  std::vector<StoredDocument> believed() const;
  std::optional<std::string> believed(std::string_view key) const;

 private:
  struct Known {
    std::string text;       // believed, with its envelope; empty: there is none
    uint64_t sequence = 0;  // of it
    bool is_there = false;  // it makes a document
    bool in_store = false;
  };

  std::string refusal_of(const std::string& key, const Envelope& envelope,
                         std::string_view text) const;
  void take_text(const std::string& key, std::string text, std::vector<config::Document>& out);
  void take_removal(const std::string& key, std::vector<config::Document>& out);
  bool store_is_empty() const;

  Trust trust_;
  Options options_;
  std::map<std::string, Known, std::less<>> known_;
  std::map<std::string, std::string, std::less<>> refusals_;  // of what the store has, by key
  bool holds_lost_store_ = false;
};

}  // namespace hangu::fleet
