#include "control/edit_check.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "hangu/tls/digest.h"

namespace hangu::control {
namespace {

using Kind = EditOutcome::Kind;

constexpr size_t kTagDigits = 32;

bool holds(const Precondition& condition, const std::string& tag) {
  if (condition.is_absent) {
    return tag.empty();
  }
  if (condition.is_present || !condition.digests.empty()) {
    return !tag.empty() &&
           (condition.is_present || std::find(condition.digests.begin(), condition.digests.end(),
                                              tag) != condition.digests.end());
  }
  return true;
}

/// The first reason counts, the rest of the documents is looked at all the same.
void refuse(EditOutcome& outcome, Kind kind, std::string error) {
  if (outcome.kind == Kind::kDone) {
    outcome.kind = kind;
    outcome.error = std::move(error);
  }
}

}  // namespace

std::string tag_of(std::string_view digest) {
  return std::string(digest.substr(0, kTagDigits));
}

std::string tag_of(std::string_view key, std::string_view text) {
  return tag_of(config::document_digest(key, text,
                                        [](std::string_view all) { return tls::sha256_hex(all); }));
}

std::optional<std::vector<config::Document>> changes_of(const ConfigEdit& edit,
                                                        const ConfigSource& source,
                                                        const CurrentText& current,
                                                        EditOutcome& outcome) {
  std::vector<config::Document> changes;
  for (const DocumentEdit& each : edit.documents) {
    if (source.assembly().in_file(each.key)) {
      refuse(outcome, Kind::kInFile,
             fmt::format("{} stands in the file, which is changed by hand and reloaded", each.key));
      continue;
    }
    const std::optional<std::string> before = current(each.key);
    const std::string tag = before ? tag_of(each.key, *before) : "";
    outcome.documents.push_back(
        {each.key, tag, each.text ? tag_of(each.key, *each.text) : std::string()});
    const std::string forbidden =
        edit.refuse ? edit.refuse(each.key, before, each.text) : std::string();
    if (!forbidden.empty()) {
      refuse(outcome, Kind::kForbidden, fmt::format("{}: {}", each.key, forbidden));
    } else if (!holds(each.condition, tag)) {
      refuse(outcome, Kind::kMismatch,
             before ? fmt::format("{} is another version by now", each.key)
                    : fmt::format("there is no {}", each.key));
    } else if (!each.text && !before) {
      refuse(outcome, Kind::kNotFound, fmt::format("there is no {}", each.key));
    } else if (before != each.text) {
      changes.push_back({each.key, each.text});
    }
    const auto masked = config::masked_places(each.key, each.text.value_or(""));
    outcome.diagnostics.insert(outcome.diagnostics.end(), masked.begin(), masked.end());
  }
  if (!outcome.diagnostics.empty()) {
    refuse(outcome, Kind::kInvalid, outcome.diagnostics.front().message);
  }
  return outcome.kind == Kind::kDone ? std::optional(std::move(changes)) : std::nullopt;
}

std::vector<config::Diagnostic> diagnostics_of(const ConfigEdit& edit,
                                               std::vector<config::Diagnostic> found) {
  std::set<std::string_view> keys;
  for (const DocumentEdit& each : edit.documents) {
    keys.insert(each.key);
  }
  std::erase_if(found, [&keys](const config::Diagnostic& each) {
    return each.severity == config::Severity::kWarning && !keys.contains(each.file);
  });
  for (config::Diagnostic& each : found) {
    if (!keys.contains(each.file)) {
      each.snippet.clear();
    }
  }
  return found;
}

bool can_be(const ConfigEdit& edit, ConfigSource& source,
            const std::vector<config::Document>& changes, EditOutcome& outcome) {
  if (changes.empty()) {
    return true;
  }
  config::LoadResult loaded = source.check_all(changes);
  outcome.diagnostics = diagnostics_of(edit, std::move(loaded.diagnostics));
  if (!loaded.config) {
    refuse(outcome, Kind::kInvalid, "the config cannot be with this");
  }
  return loaded.config.has_value();
}

std::string object_of(const std::vector<config::Document>& changes) {
  if (changes.empty()) {
    return "";
  }
  return changes.size() == 1
             ? changes.front().key
             : fmt::format("{} and {} more", changes.front().key, changes.size() - 1);
}

}  // namespace hangu::control
