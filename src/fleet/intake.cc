#include "hangu/fleet/intake.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace hangu::fleet {

Intake::Intake(Trust trust, Options options)
    : trust_(std::move(trust)),
      options_(std::move(options)) {}

std::vector<config::Document> Intake::change(std::vector<StoredDocument> documents) {
  std::vector<config::Document> out;
  std::vector<std::string> removed;
  for (StoredDocument& each : documents) {
    Known& known = known_[each.key];
    known.in_store = each.text.has_value();
    if (each.text) {
      std::erase(removed, each.key);
      take_text(each.key, std::move(*each.text), out);
    } else {
      removed.push_back(std::move(each.key));
    }
  }
  const bool had_any = std::any_of(known_.begin(), known_.end(),
                                   [](const auto& each) { return each.second.is_there; });
  holds_lost_store_ = store_is_empty() && had_any && !options_.confirm_empty;
  if (holds_lost_store_) {
    return out;  // what a store that is filled again still lacks, replace() will tell
  }
  for (const std::string& key : removed) {
    if (!known_[key].in_store) {
      take_removal(key, out);
    }
  }
  return out;
}

std::vector<config::Document> Intake::replace(std::vector<StoredDocument> documents) {
  std::set<std::string_view> there;
  for (const StoredDocument& each : documents) {
    there.insert(each.key);
  }
  std::vector<StoredDocument> changes;
  for (const auto& [key, known] : known_) {
    if (!there.contains(key)) {
      changes.push_back({key, std::nullopt});
    }
  }
  for (StoredDocument& each : documents) {
    const auto found = known_.find(each.key);
    const bool same = found != known_.end() && found->second.in_store &&
                      !refusals_.contains(each.key) && found->second.text == each.text;
    if (!same) {
      changes.push_back(std::move(each));
    }
  }
  return change(std::move(changes));
}

std::string Intake::refusal_of(const std::string& key, const Envelope& envelope,
                               std::string_view text) const {
  if (std::string reason = trust_.refusal(options_.prefix + key, envelope); !reason.empty()) {
    return reason;
  }
  const auto known = known_.find(key);
  if (known == known_.end() || known->second.sequence == 0 || !trust_.needs_signatures()) {
    return "";
  }
  // Whoever can write the store can write back an old version, signature and all.
  const uint64_t last = known->second.sequence;
  const bool older =
      envelope.sequence < last || (envelope.sequence == last && text != known->second.text);
  return older ? fmt::format("its version {} is not after {}, which is in force", envelope.sequence,
                             last)
               : std::string();
}

std::string Intake::refusal_of(const StoredDocument& document) const {
  if (!document.text) {
    return trust_.needs_signatures() ? "a removal has to be signed" : "";
  }
  const auto envelope = read_envelope(*document.text);
  return envelope ? refusal_of(document.key, *envelope, *document.text) : envelope.error();
}

void Intake::take_text(const std::string& key, std::string text,
                       std::vector<config::Document>& out) {
  Known& known = known_[key];
  const auto envelope = read_envelope(text);
  std::string refusal = envelope ? refusal_of(key, *envelope, text) : envelope.error();
  if (!refusal.empty()) {
    refusals_[key] = std::move(refusal);
    return;
  }
  refusals_.erase(key);
  const bool changed = text != known.text;
  known.text = std::move(text);
  known.sequence = envelope->sequence;
  known.is_there = !envelope->deleted;
  if (changed) {
    out.push_back({key, envelope->deleted ? std::nullopt : std::optional(envelope->body)});
  }
}

void Intake::take_removal(const std::string& key, std::vector<config::Document>& out) {
  const auto found = known_.find(key);
  if (found == known_.end()) {
    return;
  }
  Known& known = found->second;
  if (trust_.needs_signatures() && known.sequence != 0) {
    // A signed removal may be swept from the store, the versions before it may not come back.
    if (known.is_there) {
      refusals_[key] = "it was removed without a signature";
    } else {
      refusals_.erase(key);
    }
    return;
  }
  if (known.is_there) {
    out.push_back({key, std::nullopt});
  }
  refusals_.erase(key);
  known_.erase(found);
}

std::vector<config::Refusal> Intake::refused() const {
  std::vector<config::Refusal> out;
  out.reserve(refusals_.size());
  for (const auto& [key, reason] : refusals_) {
    out.push_back({key, reason});
  }
  return out;
}

std::vector<StoredDocument> Intake::believed() const {
  std::vector<StoredDocument> out;
  for (const auto& [key, known] : known_) {
    if (!known.text.empty()) {
      out.push_back({key, known.text});
    }
  }
  return out;
}

std::optional<std::string> Intake::believed(std::string_view key) const {
  const auto found = known_.find(key);
  return found != known_.end() && !found->second.text.empty() ? std::optional(found->second.text)
                                                              : std::nullopt;
}

bool Intake::store_is_empty() const {
  return std::none_of(known_.begin(), known_.end(),
                      [](const auto& each) { return each.second.in_store; });
}

}  // namespace hangu::fleet
