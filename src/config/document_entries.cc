#include "config/document_entries.h"

#include <string_view>

#include "hangu/base/parse.h"
#include "hangu/config/assembly.h"

namespace hangu::config {

size_t DigestTree::branch_of(const std::string& key) const {
  const std::string digest = digest_(key);
  return parse_hex(std::string_view(digest).substr(0, 2)).value_or(0) % kBranches;
}

void DigestTree::set(const std::string& key, std::string digest) {
  Branch& branch = branches_[branch_of(key)];
  branch.digests[key] = std::move(digest);
  branch.is_stale = true;
}

void DigestTree::erase(const std::string& key) {
  Branch& branch = branches_[branch_of(key)];
  branch.digests.erase(key);
  branch.is_stale = true;
}

std::string DigestTree::of(const std::string& key) const {
  if (!digest_) {
    return "";
  }
  const Branch& branch = branches_[branch_of(key)];
  const auto found = branch.digests.find(key);
  return found != branch.digests.end() ? found->second : "";
}

std::string DigestTree::total(const std::string& first) {
  std::string all = first;
  for (Branch& branch : branches_) {
    if (branch.is_stale) {
      std::string leaves;
      for (const auto& [key, digest] : branch.digests) {
        leaves += digest;
      }
      branch.digest = leaves.empty() ? "" : digest_(leaves);
      branch.is_stale = false;
    }
    all += branch.digest;
  }
  return digest_(all);
}

const DocumentEntry* DocumentEntries::find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found != entries_.end() ? &found->second : nullptr;
}

void DocumentEntries::erase(const std::string& key) {
  edit(key, [](DocumentEntry& entry) { entry = {}; });
  entries_.erase(key);
}

void DocumentEntries::note(const std::string& key, const DocumentEntry& entry,
                           const std::optional<std::string>& before) {
  if (entry.is_pending) {
    pending_.insert(key);
  } else {
    pending_.erase(key);
  }
  if (entry.text == before) {
    return;
  }
  in_force_ += (entry.text ? 1 : 0) - (before ? 1 : 0);
  if (!digest_) {
    return;
  }
  if (entry.text) {
    digests_.set(key, document_digest(key, *entry.text, digest_));
  } else {
    digests_.erase(key);
  }
}

std::string DocumentEntries::digest(const std::string& file) {
  if (!digest_) {
    return "";
  }
  return in_force_ == 0 ? digest_(file) : digests_.total(digest_(file));
}

}  // namespace hangu::config
