// DocumentEntries: the documents of an Assembly, with what is asked of all of them at each change
// kept up to date by the change itself. Copied when a file is read again. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace hangu::config {

/// A digest over many digests: one that changes is reckoned with some hundredths of the others.
class DigestTree {
 public:
  using Digest = std::function<std::string(std::string_view)>;

  /// `digest`: of a text, in hexadecimal digits.
  explicit DigestTree(Digest digest)
      : digest_(std::move(digest)) {}

  void set(const std::string& key, std::string digest);
  void erase(const std::string& key);

  /// Empty: there is none.
  std::string of(const std::string& key) const;

  /// After `first`; whatever the order in which they came.
  std::string total(const std::string& first);

 private:
  struct Branch {
    std::map<std::string, std::string> digests;  // by key
    std::string digest;                          // of them
    bool is_stale = false;
  };

  static constexpr size_t kBranches = 256;

  size_t branch_of(const std::string& key) const;

  Digest digest_;
  std::array<Branch, kBranches> branches_;
};

struct DocumentEntry {
  uint32_t number = 0;              // Mark::source
  std::optional<std::string> text;  // in force
  std::optional<std::string> wanted;
  bool is_held = false;     // it is pending and not tried again
  bool is_pending = false;  // `wanted` is not in force
  std::string reason;       // why it is not
};

class DocumentEntries {
 public:
  using Map = std::map<std::string, DocumentEntry, std::less<>>;
  using Keys = std::set<std::string, std::less<>>;

  /// `digest`: of a key and its text; none: there are no digests.
  explicit DocumentEntries(DigestTree::Digest digest)
      : digest_(std::move(digest)),
        digests_(digest_) {}

  const Map& all() const { return entries_; }

  const DocumentEntry* find(std::string_view key) const;

  /// Of a key that there is.
  const DocumentEntry& at(std::string_view key) const { return entries_.find(key)->second; }

  /// Calls change(entry); the entry is made where there is none.
  template <class Change>
  void edit(const std::string& key, Change change) {
    DocumentEntry& entry = entries_[key];
    const std::optional<std::string> before = entry.text;
    change(entry);
    note(key, entry, before);
  }

  void erase(const std::string& key);

  const Keys& pending() const { return pending_; }

  size_t in_force() const { return in_force_; }

  std::string digest_of(const std::string& key) const { return digests_.of(key); }

  /// Of a file and all documents in force.
  std::string digest(const std::string& file);

 private:
  void note(const std::string& key, const DocumentEntry& entry,
            const std::optional<std::string>& before);

  DigestTree::Digest digest_;
  Map entries_;
  Keys pending_;
  size_t in_force_ = 0;
  DigestTree digests_;
};

}  // namespace hangu::config
